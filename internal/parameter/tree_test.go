package parameter

import (
	"reflect"
	"strings"
	"testing"
)

// drawn is a tree in one line: name, * for a parameter, number below, children.
func drawn(b *Branch) string {
	s := b.Name
	if b.Parameter != nil {
		s += "*"
	}
	if len(b.Children) == 0 {
		return s
	}
	var words []string
	for _, c := range b.Children {
		words = append(words, drawn(c))
	}
	return s + string(rune('0'+b.Below)) + "(" + strings.Join(words, " ") + ")"
}

func TestTree(t *testing.T) {
	var list []Parameter
	for _, name := range []string{"/app/prod-eu/url", "/app/prod", "/app/prod/db/url", "/app/prod/key", "/web", "plain"} {
		list = append(list, Parameter{Name: name})
	}
	for root, want := range map[string]string{
		"/":         "/6(app4(prod*2(db1(url*) key*) prod-eu1(url*)) plain* web*)",
		"/app/prod": "/app/prod*2(db1(url*) key*)",
		"/ap":       "/ap",
	} {
		if got := drawn(Tree(root, list)); got != want {
			t.Errorf("%s: got %s, want %s", root, got, want)
		}
	}
	top := Tree("/", list)
	if got := []int{top.Lines(1), top.Lines(2), top.Lines(0), top.Depth()}; !reflect.DeepEqual(got, []int{3, 5, 9, 4}) {
		t.Errorf("lines and depth: got %v", got)
	}
	if got := top.Children[0].Children[0].Children[0].Path; got != "/app/prod/db" {
		t.Errorf("the path of a folder is %s", got)
	}
	top.Prune(2)
	if got := drawn(top); got != "/6(app4(prod* prod-eu) plain* web*)" {
		t.Errorf("pruned: got %s", got)
	}
}
