package deck_test

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

func TestWhatOthersNameIsNoFlag(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"/a", "-"}, "ssmdeck param set /a - --type String --yes --region eu-west-1"},
		{[]string{"--yes", "-"}, "ssmdeck param set --type String --yes --region eu-west-1 -- --yes -"},
		{[]string{"/a", "-x"}, "ssmdeck param set --type String --yes --region eu-west-1 -- /a -x"},
	} {
		d := &deck.Deck{Flags: func(grid.Place) []string { return []string{"--region", "eu-west-1"} }}
		l := deck.Line{Words: deck.With(deck.Args([]string{"param", "set"}, tt.args...), "--type", "String"), Level: deck.Change}
		if got := d.Shown(l); got != tt.want {
			t.Errorf("%q: %s, want %s", strings.Join(tt.args, " "), got, tt.want)
		}
	}
}
