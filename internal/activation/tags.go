package activation

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// maxTags is how many tags a node can have; those of an activation become its
// nodes'.
const maxTags = 50

// tagText is what tags may be made of.
var tagText = pattern.Lazy(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// ParseTags reads tags written as KEY=VALUE.
func ParseTags(words []string) (map[string]string, error) {
	tags := map[string]string{}
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok || key == "" {
			return nil, fault.Usagef("--tags %q is not of the form KEY=VALUE", w).WithHint("for instance --tags env=prod,site=berlin")
		}
		if _, twice := tags[key]; twice {
			return nil, fault.Usagef("--tags gives %s twice", key)
		}
		tags[key] = value
	}
	if len(tags) == 0 {
		return nil, nil
	}
	return tags, checkTags(tags)
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return fault.Usagef("--tags gives %d tags, and a node has at most %d", len(tags), maxTags)
	}
	for _, key := range sortedKeys(tags) {
		switch {
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return fault.Usagef("--tags %s: keys that begin with aws: are reserved", key)
		case utf8.RuneCountInString(key) > 128, !tagText().MatchString(key):
			return fault.Usagef("--tags %s: not the key of a tag", key).WithHint("use at most 128 letters, digits, spaces and _ . : / = + - @")
		case utf8.RuneCountInString(tags[key]) > 256, !tagText().MatchString(tags[key]):
			return fault.Usagef("--tags %s: %q is not the value of a tag", key, tags[key]).WithHint("use at most 256 letters, digits, spaces and _ . : / = + - @")
		}
	}
	return nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
