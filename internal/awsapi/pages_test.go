package awsapi

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestPages(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		tokens []string // of the pages' answers, "!" for an error
		items  int
		err    string
	}{
		{"one page", []string{""}, 1, ""},
		{"several", []string{"a", "b", ""}, 3, ""},
		{"the same one again", []string{"a", "a"}, 2, "list things: the service gave the same page twice"},
		{"one that breaks off", []string{"a", "!"}, 1, "list things: broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked []string
			page := func(token *string) ([]string, *string, error) {
				asked = append(asked, aws.ToString(token))
				answer := c.tokens[len(asked)-1]
				if answer == "!" {
					return nil, nil, broken
				}
				return []string{"x"}, aws.String(answer), nil
			}
			items := 0
			var last error
			for v, err := range Pages("list things", page, strings.ToUpper) {
				if err != nil {
					last = err
				} else if items++; v != "X" {
					t.Errorf("item %q", v)
				}
			}
			if want := append([]string{""}, c.tokens[:len(c.tokens)-1]...); !slices.Equal(asked, want) {
				t.Errorf("asked for pages %q, want %q", asked, want)
			}
			if items != c.items || (last == nil) != (c.err == "") || last != nil && !strings.HasPrefix(last.Error(), c.err) {
				t.Errorf("%d items, %v; want %d, %q", items, last, c.items, c.err)
			}
		})
	}
	for range Pages("list things", func(*string) ([]int, *string, error) { return []int{1, 2}, aws.String("more"), nil }, func(i int) int { return i }) {
		break // asks for no more
	}
}

// Things that stand on two pages are listed once, and those without a name are kept.
func TestUnique(t *testing.T) {
	broken := errors.New("broken")
	list := func(yield func(string, error) bool) {
		for _, v := range []string{"a", "", "b", "a", "", "b", "c"} {
			if !yield(v, nil) {
				return
			}
		}
		yield("a", broken)
	}
	got, err := Collect(Unique(list, func(s string) string { return s }))
	if want := []string{"a", "", "b", "", "c"}; !slices.Equal(got, want) || !errors.Is(err, broken) {
		t.Errorf("%q, %v", got, err)
	}
	for range Unique(list, func(s string) string { return s }) {
		break
	}
}
