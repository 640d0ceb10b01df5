package sshconfig

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func insertLine(b []byte) []byte { return Insert(b, line) }

func TestEditMakesWhatIsMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".ssh", "config")
	if changed, err := Edit(path, insertLine); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if got, err := Read(path); err != nil || string(got) != line+"\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %s, %v; want %s", name, info.Mode().Perm(), err, want)
		}
	}
}

func TestEditKeepsModeAndLink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "dotfiles"), filepath.Join(dir, "config")
	if err := os.WriteFile(real, []byte("Host a\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err) // Windows, without the right to
	}
	if _, err := Edit(link, insertLine); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != real {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	info, err := os.Stat(real)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("mode %s, %v", info.Mode(), err)
	}
	if got, _ := os.ReadFile(real); string(got) != line+"\nHost a\n" {
		t.Errorf("got %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".ssmdeck-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestEditWritesNothingWithoutAChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if changed, err := Edit(path, Remove); changed || err != nil {
		t.Error(changed, err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("a file was made")
	}
}

func TestEditRefusesALinkToNowhere(t *testing.T) {
	link := filepath.Join(t.TempDir(), "config")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Skip(err)
	}
	if _, err := Edit(link, insertLine); err == nil {
		t.Error("no error")
	}
}
