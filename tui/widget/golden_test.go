package widget

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds what draw makes, in the looks there are, against testdata/NAME.txt
// (plain, then ASCII) and testdata/NAME.ansi (colours of dark and light).
func golden(t *testing.T, name string, widths []int, draw func(s *theme.Styles, width int) string) {
	t.Helper()
	var text, color strings.Builder
	for _, w := range widths {
		for _, s := range []*theme.Styles{
			theme.New(theme.Dark, false, false), theme.New(theme.Plain, false, true), theme.New(theme.Dark, true, false), theme.New(theme.Light, true, false),
		} {
			got := draw(s, w)
			out := &text
			if s.Color {
				out = &color
			}
			for i, l := range strings.Split(got, "\n") {
				if have := ansi.StringWidth(l); have > w {
					t.Errorf("%s: line %d is %d cells wide of %d: %q", name, i+1, have, w, ansi.Strip(l))
				}
				if !s.Color && l != ansi.Strip(l) {
					t.Errorf("%s: line %d has an escape sequence without colour: %q", name, i+1, l)
				}
				out.WriteString(strings.TrimRight(l, " ") + "\n")
			}
			out.WriteString("\n")
			if s.Variant == theme.Plain && strings.ContainsFunc(got, func(r rune) bool { return r > 126 && !strings.ContainsRune("東京サーバー名前", r) }) {
				t.Errorf("%s is not ASCII:\n%s", name, got)
			}
		}
	}
	hold(t, filepath.Join("testdata", name+".txt"), text.String())
	hold(t, filepath.Join("testdata", name+".ansi"), color.String())
}

func hold(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: write it with go test -update", err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it was.\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestListFrames(t *testing.T) {
	rows := append(many(12), four...)
	rows = append(rows, server{"i-0123456789abcdef0", "東京サーバー-1", "online", "3.3.1", 1204, now})
	golden(t, "list", []int{30, 64, 90}, func(s *theme.Styles, width int) string {
		f := newFleet(rows...)
		f.SetStyles(s)
		f.SetSize(width, 9)
		f.press("space", "j", "space")
		return f.View(true)
	})
}
