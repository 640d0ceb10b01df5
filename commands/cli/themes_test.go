package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// themesIn is an environment whose configuration is in a folder of the test.
func themesIn(t *testing.T, files map[string]string) (*Env, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "themes"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, "themes", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &Env{Lookup: func(name string) (string, bool) {
		if name == "SSMDECK_CONFIG" {
			return filepath.Join(dir, "config.yaml"), true
		}
		return "", false
	}}, filepath.Join(dir, "themes")
}

func TestThemeNames(t *testing.T) {
	e, _ := themesIn(t, map[string]string{"night.yaml": "", "dark.yaml": "", "UPPER.yaml": "", "notes.txt": "", "a b.yaml": ""})
	want := append(append([]string{"auto"}, theme.Variants()...), "night")
	if got := e.ThemeNames(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	none := &Env{Lookup: func(string) (string, bool) { return "", false }}
	if got := none.ThemeNames(); len(got) != len(theme.Variants())+1 {
		t.Errorf("without a home folder: %v", got)
	}
}

func TestThemeOfAFile(t *testing.T) {
	e, dir := themesIn(t, map[string]string{"night.yaml": "base: light\n", "big.yaml": "# " + strings.Repeat("x", maxTheme), "dark.yaml": "good: red\n"})
	if err := os.Mkdir(filepath.Join(dir, "folder.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ theme, err string }{
		"night":  {"night", ""},
		"dark":   {"dark", ""}, // the name of a built-in theme is taken
		"":       {"dark", ""},
		"auto":   {"dark", ""},
		"big":    {"dark", "is larger than"},
		"folder": {"dark", "is no plain file"},
		"gone":   {"", "unknown theme"},
		"../x":   {"", "unknown theme"},
	} {
		th, err := e.Theme(name)
		got := ""
		if th != nil {
			got = string(th.Name)
		}
		if got != want.theme || (err == nil) != (want.err == "") || err != nil && !strings.Contains(err.Error(), want.err) {
			t.Errorf("%q: got %q, %v; want %q, %q", name, got, err, want.theme, want.err)
		}
	}
	if th, _ := e.Theme("dark"); th != theme.BuiltIn(theme.Dark) {
		t.Error("a file has taken the name of a built-in theme")
	}
}

// The help of the flag and of the variable have all names.
func TestHelpHasAllThemes(t *testing.T) {
	var g Globals
	fs := pflag.NewFlagSet("x", pflag.ContinueOnError)
	g.Bind(fs)
	docs := []string{fs.Lookup("theme").Usage}
	for _, v := range config.Variables() {
		if v.Name == "SSMDECK_THEME" {
			docs = append(docs, v.Doc)
		}
	}
	want := strings.Join(append([]string{string(theme.Auto)}, theme.Variants()...), ", ")
	if len(docs) != 2 || !strings.Contains(docs[0], want) || !strings.Contains(docs[1], want) {
		t.Errorf("%q lack %q", docs, want)
	}
}
