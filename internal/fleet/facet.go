package fleet

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/terms"
)

// Facet is something by which nodes can be told apart.
type Facet struct {
	Key   string // as in a filter
	Parts Part   // that it needs

	field field
}

// ParseFacet reads a key of a filter, or tag:KEY. Times are refused: each is
// another.
func ParseFacet(key string) (Facet, error) {
	f, err := fieldOf(key)
	if err != nil {
		return Facet{}, err
	}
	if f.place != nil { // the nodes of a list have the same
		return Facet{}, fault.Usagef("all nodes of an account and Region have the same %s", key).WithHint("count by one of: %s", strings.Join(FacetKeys(), ", "))
	}
	if f.kind == terms.Moment {
		return Facet{}, fault.Usagef("%s is a time, and each node has another", key).WithHint("count by one of: %s", strings.Join(FacetKeys(), ", "))
	}
	return Facet{Key: key, Parts: f.part, field: f}, nil
}

// FacetKeys are the keys that ParseFacet takes, beside tag:KEY.
func FacetKeys() []string {
	var keys []string
	for _, f := range fields {
		if f.kind != terms.Moment && f.place == nil {
			keys = append(keys, f.key)
		}
	}
	return keys
}

// Of is the value that n has; known is false when it could not be read.
func (f Facet) Of(n Node) (value string, known bool) {
	part := f.Parts
	if part == PartEC2|PartTags { // tags: of an instance they come with EC2
		part = PartEC2
		if n.Hybrid() {
			part = PartTags
		}
	}
	if part != 0 && n.Lacks(part) {
		return "", false
	}
	return f.field.text(n), true
}
