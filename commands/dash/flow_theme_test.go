package dash_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/dash"
)

// A theme of one's own is chosen in the palette, and a fault in its file is said.
func TestThemesOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("config.yaml", "defaults: {history: off}\n")
	write("themes/night.yaml", "base: dusk\nbad: '#010203'\n")
	f := startFlow(t, flowOptions{
		dash: dash.Options{View: "fleet", Calls: 120}, flags: []string{"--config", filepath.Join(dir, "config.yaml")},
		env: map[string]string{"COLORTERM": "truecolor", "TERM": "xterm-256color"},
	})
	f.waitFor("web-1", "2▸Fleet")
	choose := func() {
		f.press(":")
		f.write("theme night")
		f.waitFor("a theme of your own")
		f.press("enter")
	}
	choose()
	f.waitFor("2 Fleet") // with colour no sign tells which view is shown
	write("themes/night.yaml", "base: dusk\ngod: red\n")
	choose() // its file is read anew
	f.waitFor("night.yaml:2: unknown key", "did you mean")
}
