package memfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	root  = Cred{}
	alice = Cred{User: "alice"}
	bob   = Cred{User: "bob"}
)

// tree has a home for alice, a sticky /tmp and some links.
func tree(t *testing.T) *FS {
	t.Helper()
	f := New(Options{Quota: 1 << 20})
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(f.MkdirAll(root, "/home", 0o755))
	check(f.Mkdir(root, "/home/alice", 0o700))
	check(f.Chown(root, "/home/alice", "alice", "alice"))
	check(f.MkdirAll(root, "/tmp", 0o777|fs.ModeSticky))
	check(f.Chmod(root, "/tmp", 0o777|fs.ModeSticky))
	check(f.WriteFile("/etc/motd", "hello\n", 0o644, root))
	check(f.WriteFile("/etc/shadow", "secret\n", 0o600, root))
	check(f.WriteFile("/home/alice/notes", "mine\n", 0o600, alice))
	check(f.Symlink(root, "/etc", "/link"))
	check(f.Symlink(root, "motd", "/etc/message"))
	check(f.Symlink(root, "loop", "/loop"))
	check(f.Symlink(root, "../../..", "/home/up"))
	return f
}

func TestPermissions(t *testing.T) {
	f := tree(t)
	open := func(c Cred, name string, flag int) error {
		_, err := f.Open(c, name, flag, 0o644)
		return err
	}
	tests := []struct {
		name string
		err  error
		want error
	}{
		{"everybody reads a public file", open(bob, "/etc/motd", os.O_RDONLY), nil},
		{"nobody writes to it", open(bob, "/etc/motd", os.O_WRONLY), fs.ErrPermission},
		{"root writes to it", open(root, "/etc/motd", os.O_WRONLY), nil},
		{"a private file", open(bob, "/etc/shadow", os.O_RDONLY), fs.ErrPermission},
		{"a private directory", open(bob, "/home/alice/notes", os.O_RDONLY), fs.ErrPermission},
		{"its owner", open(alice, "/home/alice/notes", os.O_RDWR), nil},
		{"a new file in a foreign directory", open(bob, "/etc/new", os.O_WRONLY|os.O_CREATE), fs.ErrPermission},
		{"a new file in /tmp", open(bob, "/tmp/b", os.O_WRONLY|os.O_CREATE), nil},
		{"sticky: others may not remove it", f.Remove(alice, "/tmp/b"), fs.ErrPermission},
		{"sticky: its owner may", f.Remove(bob, "/tmp/b"), nil},
		{"only the owner changes modes", f.Chmod(bob, "/home/alice", 0o777), ErrNotPermitted},
		{"only root gives files away", f.Chown(alice, "/home/alice/notes", "bob", ""), ErrNotPermitted},
		{"a directory is not written", open(root, "/etc", os.O_WRONLY), ErrIsDir},
		{"a file is no directory", open(root, "/etc/motd/x", os.O_RDONLY), ErrNotDir},
		{"a missing file", open(root, "/nope", os.O_RDONLY), fs.ErrNotExist},
		{"exclusive creation", open(root, "/etc/motd", os.O_WRONLY|os.O_CREATE|os.O_EXCL), fs.ErrExist},
		{"a loop of links", open(root, "/loop", os.O_RDONLY), ErrLoop},
		{"the root cannot be removed", f.RemoveAll(root, "/"), fs.ErrPermission},
		{"a directory that is not empty", f.Remove(root, "/etc"), ErrNotEmpty},
		{"a directory into itself", f.Rename(root, "/etc", "/etc/sub"), ErrInvalid},
	}
	for _, tt := range tests {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, tt.err, tt.want)
		}
	}
}

func TestPathsResolve(t *testing.T) {
	f := tree(t)
	for name, want := range map[string]string{
		"/link/message": "/etc/motd", "/etc/../link/./motd": "/etc/motd", "/home/up/etc/motd": "/etc/motd", "/../../etc": "/etc",
		"/etc/new": "/etc/new", "//etc//motd": "/etc/motd",
	} {
		if got, err := f.RealPath(root, name); got != want || err != nil {
			t.Errorf("RealPath(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
	if l, err := f.Lstat(root, "/link"); err != nil || l.Mode()&fs.ModeSymlink == 0 || l.Target != "/etc" {
		t.Errorf("Lstat of a link: %+v, %v", l, err)
	}
	if s, err := f.Stat(root, "/link"); err != nil || !s.IsDir() || s.Name() != "link" {
		t.Errorf("Stat of a link: %+v, %v", s, err)
	}
	if err := f.Remove(root, "/link"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Stat(root, "/etc/motd"); err != nil {
		t.Errorf("removing a link removed its target: %v", err)
	}
}

func TestFoldedCase(t *testing.T) {
	f := New(Options{FoldCase: true})
	if err := f.WriteFile("/C:/Windows/win.ini", "x", 0o644, root); err != nil {
		t.Fatal(err)
	}
	if data, err := f.ReadFile(root, "/c:/WINDOWS/Win.INI"); string(data) != "x" || err != nil {
		t.Errorf("got %q, %v", data, err)
	}
	if err := f.Mkdir(root, "/C:/windows", 0o755); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name in another case: %v", err)
	}
	if p, _ := f.RealPath(root, "/c:/windows"); p != "/C:/Windows" {
		t.Errorf("RealPath gave %q", p)
	}
}

func TestContent(t *testing.T) {
	f := tree(t)
	h, err := f.Open(root, "/f", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(h, "hello world")
	h.Seek(6, io.SeekStart)
	io.WriteString(h, "W")
	h.Seek(-2, io.SeekEnd)
	rest, _ := io.ReadAll(h)
	if string(rest) != "ld" {
		t.Errorf("after a Seek from the end: %q", rest)
	}
	a, _ := f.Open(root, "/f", os.O_WRONLY|os.O_APPEND, 0)
	io.WriteString(a, "!")
	if data, _ := f.ReadFile(root, "/f"); string(data) != "hello World!" {
		t.Errorf("got %q", data)
	}
	h.Truncate(2)
	h.Seek(4, io.SeekStart)
	io.WriteString(h, "x")
	if data, _ := f.ReadFile(root, "/f"); string(data) != "he\x00\x00x" {
		t.Errorf("a gap holds %q", data)
	}
	if _, err := a.Read(make([]byte, 1)); err == nil {
		t.Error("reading a file opened for writing worked")
	}
}

func TestQuota(t *testing.T) {
	f := New(Options{Quota: 100})
	h, _ := f.Open(root, "/a", os.O_WRONLY|os.O_CREATE, 0o644)
	if _, err := h.Write(make([]byte, 101)); !errors.Is(err, ErrNoSpace) {
		t.Errorf("101 bytes: %v", err)
	}
	if _, err := h.Write(make([]byte, 100)); err != nil {
		t.Errorf("100 bytes: %v", err)
	}
	if err := h.Truncate(101); !errors.Is(err, ErrNoSpace) {
		t.Errorf("Truncate: %v", err)
	}
	if _, err := h.Seek(1<<40, io.SeekStart); err == nil {
		t.Error("a Seek beyond the quota worked")
	}
	if err := f.Remove(root, "/a"); err != nil {
		t.Fatal(err)
	}
	if used, quota := f.Usage(); used != 0 || quota != 100 {
		t.Errorf("after the removal %d of %d bytes are used", used, quota)
	}
}

func TestComputedFilesAndDevices(t *testing.T) {
	f := New(Options{})
	n := 0
	if err := f.AddComputed("/now", 0o444, func() []byte { n++; return []byte{byte('0' + n)} }); err != nil {
		t.Fatal(err)
	}
	a, _ := f.ReadFile(alice, "/now")
	b, _ := f.ReadFile(alice, "/now")
	if string(a) != "1" || string(b) != "2" {
		t.Errorf("got %q and %q", a, b)
	}
	if _, err := f.Open(root, "/now", os.O_WRONLY, 0); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("writing to a computed file: %v", err)
	}
	if err := f.AddDevice("/null", func() Device { return Discard{} }); err != nil {
		t.Fatal(err)
	}
	h, _ := f.Open(alice, "/null", os.O_RDWR|os.O_TRUNC, 0)
	if n, err := h.Write([]byte("gone")); n != 4 || err != nil {
		t.Errorf("Write: %d, %v", n, err)
	}
	if _, err := h.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read: %v", err)
	}
}

func TestRename(t *testing.T) {
	f := tree(t)
	if err := f.Rename(root, "/etc/motd", "/etc/shadow"); err != nil {
		t.Fatal(err)
	}
	if data, _ := f.ReadFile(root, "/etc/shadow"); string(data) != "hello\n" {
		t.Errorf("the target holds %q", data)
	}
	list, err := f.ReadDir(root, "/etc")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name())
	}
	if want := []string{"message", "shadow"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if used, _ := f.Usage(); used != int64(len("hello\n")+len("mine\n")) {
		t.Errorf("%d bytes are used", used)
	}
}

func TestChangedWakesFollowers(t *testing.T) {
	f := tree(t)
	ch := f.Changed()
	select {
	case <-ch:
		t.Fatal("woken before anything was written")
	default:
	}
	f.WriteFile("/tmp/x", "y", 0o644, root)
	<-ch
}

func TestTimes(t *testing.T) {
	now := time.Unix(1000, 0)
	f := New(Options{Now: func() time.Time { return now }})
	f.WriteFile("/a", "", 0o600, alice)
	now = time.Unix(2000, 0)
	h, _ := f.Open(alice, "/a", os.O_WRONLY, 0)
	io.WriteString(h, "x")
	if i, _ := f.Stat(root, "/a"); !i.ModTime().Equal(now) {
		t.Errorf("after a write: %v", i.ModTime())
	}
	if err := f.Chtimes(bob, "/a", now); !errors.Is(err, ErrNotPermitted) {
		t.Errorf("a stranger sets the time: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	f := tree(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := "/tmp/" + string(rune('a'+i%3))
			for range 200 {
				if h, err := f.Open(root, name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644); err == nil {
					io.WriteString(h, "line\n")
					io.ReadAll(h)
				}
				f.ReadDir(root, "/tmp")
				f.Rename(root, name, name+"2")
				f.RemoveAll(root, name+"2")
			}
		})
	}
	wg.Wait()
	if used, _ := f.Usage(); used < 0 {
		t.Errorf("%d bytes are used", used)
	}
}
