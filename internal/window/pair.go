package window

import (
	"fmt"
	"slices"
	"strings"
)

// pair finds for each of what a file wants that which is there under the same label.
// The service orders things of one label by ids that it makes up, so those that are
// as wanted already come first, and only what is left is taken in the order of its
// id. found has the ids by place in the list, "" for none; left is what nobody
// wants, by keys that nothing in the file has.
func pair[W, H any](want []W, labelOf func(W) string, have []H, label, id func(H) string, same func(W, H) bool) (found []string, left map[string]H) {
	sorted := slices.SortedFunc(slices.Values(have), func(a, b H) int { return strings.Compare(id(a), id(b)) })
	found = make([]string, len(want))
	for _, fits := range []func(W, H) bool{same, func(W, H) bool { return true }} {
		for i, w := range want {
			if found[i] != "" {
				continue
			}
			k := slices.IndexFunc(sorted, func(h H) bool { return label(h) == labelOf(w) && fits(w, h) })
			if k >= 0 {
				found[i] = id(sorted[k])
				sorted = slices.Delete(sorted, k, k+1)
			}
		}
	}
	taken := map[string]bool{}
	for _, key := range keys(want, labelOf) {
		taken[key] = true
	}
	left = map[string]H{}
	for _, h := range sorted {
		key := label(h)
		for n := 2; taken[key]; n++ {
			key = fmt.Sprintf("%s#%d", label(h), n)
		}
		taken[key] = true
		left[key] = h
	}
	return found, left
}
