package config

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestFolders(t *testing.T) {
	type env = map[string]string
	abs := func(parts ...string) string {
		if runtime.GOOS == "windows" {
			return filepath.Join(append([]string{`C:\`}, parts...)...)
		}
		return filepath.Join(append([]string{"/"}, parts...)...)
	}
	home := env{"HOME": abs("home", "ann")}
	win := env{"AppData": abs("Roaming"), "LocalAppData": abs("Local"), "HOME": abs("home", "ann")}
	tests := []struct {
		name  string
		f     func(Lookup, string) (string, error)
		env   env
		goos  string
		want  string
		fails bool
	}{
		{"config on linux", Path, home, "linux", abs("home", "ann", ".config", "ssmdeck", "config.yaml"), false},
		{"config on macOS", Path, home, "darwin", abs("home", "ann", ".config", "ssmdeck", "config.yaml"), false},
		{"config on Windows", Path, win, "windows", abs("Roaming", "ssmdeck", "config.yaml"), false},
		{"config by XDG", Path, env{"XDG_CONFIG_HOME": abs("x")}, "linux", abs("x", "ssmdeck", "config.yaml"), false},
		{"cache on linux", CacheDir, home, "linux", abs("home", "ann", ".cache", "ssmdeck"), false},
		{"cache by XDG", CacheDir, env{"XDG_CACHE_HOME": abs("x")}, "darwin", abs("x", "ssmdeck"), false},
		{"cache on Windows", CacheDir, win, "windows", abs("Local", "ssmdeck", "cache"), false},
		{"state on linux", StateDir, home, "linux", abs("home", "ann", ".local", "state", "ssmdeck"), false},
		{"state by XDG", StateDir, env{"XDG_STATE_HOME": abs("x")}, "linux", abs("x", "ssmdeck"), false},
		{"state on Windows", StateDir, win, "windows", abs("Local", "ssmdeck", "state"), false},
		{"no home", CacheDir, nil, "linux", "", true},
		{"no LocalAppData", CacheDir, nil, "windows", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.f(lookup(tt.env), tt.goos)
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestCacheDirCanBeChosen(t *testing.T) {
	s, err := Load(Options{Lookup: lookup(map[string]string{"SSMDECK_CACHE_DIR": "/tmp/c"})})
	if err != nil {
		t.Fatal(err)
	}
	if s.CacheDir != "/tmp/c" {
		t.Errorf("got %q, want /tmp/c", s.CacheDir)
	}
}

func TestWriteFileAtomic(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a", "b", "f.json")
	for _, content := range []string{"one", "two"} {
		if err := WriteFileAtomic(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("got %q, %v, want %q", got, err, content)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("the folder has %v, %v, want the one file", left, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Join(root, "a"): 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", name, info.Mode().Perm(), err, want)
		}
	}
}

func TestWriteFileAtomicKeepsALink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := WriteFileAtomic(link, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(target); err != nil || string(got) != "new" {
		t.Errorf("target: got %q, %v, want new", got, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
}

func TestWriteFileAtomicLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.MkdirAll(filepath.Join(path, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFileAtomic(path, []byte("x"), 0o600); err == nil {
		t.Fatal("a folder was replaced by a file")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
