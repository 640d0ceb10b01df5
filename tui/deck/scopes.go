package deck

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// Sendings are the command lines of one thing done to rows of several places: one
// for each place, in the order in which the places come up.
func Sendings[T any](rows []grid.Row[T]) (places []grid.Place, values map[grid.Place][]T) {
	values = map[grid.Place][]T{}
	for _, r := range rows {
		if _, ok := values[r.Place]; !ok {
			places = append(places, r.Place)
		}
		values[r.Place] = append(values[r.Place], r.Value)
	}
	return places, values
}

// Key is the identity of a row that has an id within its place.
func Key(at grid.Place, id string) string {
	return at.Profile + "\x00" + at.Account + "\x00" + at.Region + "\x00" + id
}

// IDOf is the id of a Key.
func IDOf(key string) string { return key[strings.LastIndexByte(key, 0)+1:] }
