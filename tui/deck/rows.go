package deck

import (
	"cmp"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/dashfile"
	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// NodeRow is a node as the user's own command lines see it. What is not known of it is
// empty.
func NodeRow(at grid.Place, id, name, ip string, tags map[string]string) Row {
	fields := FieldsOf(map[string]string{dashfile.NodeID: id, dashfile.NodeName: name, dashfile.NodeIP: ip})
	return Row{At: at, Kind: "node", ID: id, Label: cmp.Or(strings.TrimSpace(name), id), Value: func(field string) string {
		if key, ok := strings.CutPrefix(field, dashfile.NodeTag); ok {
			return tags[key]
		}
		return fields(field)
	}}
}

// FieldsOf are the values of a row of which all fields have fixed names.
func FieldsOf(values map[string]string) func(field string) string {
	return func(field string) string { return values[field] }
}
