//go:build unix

package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// web1 is a node of the demo. With a host shell it is this machine: a real
// shell, a real terminal, real programs.
var web1 = Node{ID: "i-0123456789abcdef0", Name: "web-1", Platform: "linux"}

// site is a simulator and a client of it.
type site struct {
	t        *testing.T
	server   *simulator.Server
	sessions *sessions.Service
	svc      *Service
	node     string // a folder of the node
	here     string // a folder of this machine
	added    atomic.Int64
	onAdd    func() // called when something arrives; may be nil
}

func newSite(t *testing.T, shell string, faults world.Faults) *site {
	t.Helper()
	scenario := world.Demo()
	scenario.Faults = faults
	srv, err := simulator.Start(t.Context(), simulator.Options{Scenario: scenario, Shell: shell, AllowRoot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := srv.Settle(time.Minute); n != 0 {
			t.Errorf("%d sessions are still open", n)
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	creds := srv.Credentials()
	scope, err := awsapi.Open(t.Context(), awsapi.Options{Static: &awsapi.Static{
		Endpoint: srv.URL(), Region: scenario.Region, AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey,
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, server: srv, sessions: sessions.New(scope, sessions.Options{}), node: t.TempDir(), here: t.TempDir()}
	s.svc = New(s.sessions, Options{})
	return s
}

func (s *site) watch() Watch {
	return Watch{
		Total: func(int64) {},
		Add: func(n int64) {
			s.added.Add(n)
			if s.onAdd != nil {
				s.onAdd()
			}
		},
		Done: func(*Result) {},
	}
}

func (s *site) request(dest string) Request {
	return Request{Dest: dest, Recursive: true, Compress: true, Nodes: 8}
}

// up and down copy and want it to work.
func (s *site) up(dest string, sources ...string) *Result {
	s.t.Helper()
	return s.whole(s.svc.Upload(s.t.Context(), sources, []Node{web1}, s.request(dest), s.watch()))
}

func (s *site) down(dest string, paths ...string) *Result {
	s.t.Helper()
	return s.whole(s.svc.Download(s.t.Context(), []Source{{web1, paths}}, s.request(dest), s.watch()))
}

func (s *site) whole(results []*Result, err error) *Result {
	s.t.Helper()
	switch {
	case err != nil:
		s.t.Fatal(err)
	case results[0].Err != nil:
		s.t.Fatal(results[0].Err)
	case results[0].Count(Failed) > 0:
		s.t.Fatalf("files failed: %+v", results[0].Files)
	}
	return results[0]
}

// leftovers fails the test when a folder holds what a copy should have removed.
// The process on the node that removes it when all else is dead takes a second.
func (s *site) leftovers(dirs ...string) {
	s.t.Helper()
	for _, dir := range dirs {
		var names []string
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			names = nil
			list, err := os.ReadDir(dir)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, e := range list {
				if strings.HasPrefix(e.Name(), ".ssmdeck-") {
					names = append(names, e.Name())
				}
			}
			if len(names) == 0 || time.Now().After(deadline) {
				break
			}
		}
		if len(names) > 0 {
			s.t.Errorf("%s still holds %q", dir, names)
		}
	}
}

// random writes a file that cannot be compressed and returns its checksum.
func random(t *testing.T, name string, size int64, seed byte) string {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(rand.NewChaCha8([32]byte{seed}), size)); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sumOf(t *testing.T, name string) string {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := sumFile(t.Context(), name, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestCopiesSurviveCuts is the promise of the product for files.
func TestCopiesSurviveCuts(t *testing.T) {
	size := int64(64 << 20)
	if testing.Short() {
		size = 8 << 20
	}
	s := newSite(t, "host", world.Faults{CutEvery: 300 * time.Millisecond, Duplicate: 0.05, Reorder: 0.05, Seed: 4})
	var resumed atomic.Int32
	s.svc.opts.Session = func(Node) []sessionclient.Option {
		return []sessionclient.Option{sessionclient.WithEvents(func(e sessionclient.Event) {
			if e.Kind == sessionclient.Resumed {
				resumed.Add(1)
			}
		})}
	}
	want := random(t, filepath.Join(s.here, "big"), size, 4)
	start := time.Now()
	s.up(s.node, filepath.Join(s.here, "big"))
	t.Logf("%d MiB to the node in %s", size>>20, time.Since(start).Round(time.Millisecond))
	if got := sumOf(t, filepath.Join(s.node, "big")); got != want {
		t.Error("what is on the node is not what was sent")
	}
	start = time.Now()
	res := s.down(filepath.Join(s.here, "back"), filepath.Join(s.node, "big"))
	t.Logf("and back in %s; %d reconnections", time.Since(start).Round(time.Millisecond), resumed.Load())
	if got := sumOf(t, filepath.Join(s.here, "back")); got != want || res.Files[0].SHA256 != want {
		t.Error("what came back is not what was sent")
	}
	if resumed.Load() == 0 {
		t.Error("no connection was ever cut: the test proves nothing")
	}
	if s.added.Load() != 2*size {
		t.Errorf("progress counted %d bytes of %d", s.added.Load(), 2*size)
	}
	s.leftovers(s.node, s.here)
}

// plant makes a tree with everything that is hard to copy.
func plant(t *testing.T, root string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"empty folder", "a/b/c", "read-only"} {
		must(os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	for name, text := range map[string]string{
		"empty": "", "-n": "dash", "new\nline": "x", "ünï 'q' \"d\" $HOME `id` \\": "odd", ".hidden": "dot", " ": "blank",
		"a/b/c/" + strings.Repeat("long", 50): "long", "a/text": strings.Repeat("compress me\n", 20000), "read-only/f": "x",
	} {
		must(os.WriteFile(filepath.Join(root, name), []byte(text), 0o640))
	}
	for i := range 200 {
		must(os.WriteFile(filepath.Join(root, "a", fmt.Sprintf("small%d", i)), fmt.Appendf(nil, "file %d", i), 0o600))
	}
	random(t, filepath.Join(root, "a", "big"), 5<<20+123, 1)
	must(os.WriteFile(filepath.Join(root, "a", "zeros"), make([]byte, 3<<20), 0o755))
	must(os.Link(filepath.Join(root, "a", "text"), filepath.Join(root, "a", "twin")))
	must(os.Symlink("a/text", filepath.Join(root, "link")))
	must(os.Symlink("/etc/passwd", filepath.Join(root, "abs")))
	must(os.Symlink("nowhere", filepath.Join(root, "dangling")))
	must(os.Symlink("a", filepath.Join(root, "folder link")))
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, name := range []string{"a/text", "a/big", "empty", "a/b/c", "a", "empty folder"} {
		must(os.Chtimes(filepath.Join(root, name), old, old))
	}
	must(os.Chmod(filepath.Join(root, "read-only"), 0o555))
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(root, "read-only"), 0o755) })
}

// describe lists all below root: names, kinds, permissions, times, contents.
func describe(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(p)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		text := info.Mode().String()
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			link, _ := os.Readlink(p)
			text += " -> " + link // its own time cannot be set everywhere
		case info.IsDir():
			text += info.ModTime().UTC().Format(" 2006-01-02T15:04:05")
		default:
			text += info.ModTime().UTC().Format(" 2006-01-02T15:04:05 ") + sumOf(t, p)
		}
		out[rel] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%q: %q, want %q", name, got[name], w)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%q is too much", name)
		}
	}
}

func TestATreeThereAndBack(t *testing.T) {
	s := newSite(t, "host", world.Faults{})
	root := filepath.Join(s.here, "tree")
	plant(t, root)
	want := describe(t, root)
	s.up(s.node, root)
	same(t, describe(t, filepath.Join(s.node, "tree")), want)
	s.down(filepath.Join(s.here, "back"), filepath.Join(s.node, "tree"))
	t.Cleanup(func() {
		_ = os.Chmod(filepath.Join(s.node, "tree", "read-only"), 0o755)
		_ = os.Chmod(filepath.Join(s.here, "back", "read-only"), 0o755)
	})
	same(t, describe(t, filepath.Join(s.here, "back")), want)

	// Again, into what is there: it is overwritten, and other things stay.
	if err := os.WriteFile(filepath.Join(s.node, "tree", "mine"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.node, "tree", "a", "text"), []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.up(s.node, root)
	for name, text := range map[string]string{"mine": "mine", "a/text": strings.Repeat("compress me\n", 20000)} {
		if b, err := os.ReadFile(filepath.Join(s.node, "tree", name)); err != nil || string(b) != text {
			t.Errorf("%s after a second copy: %d bytes, %v", name, len(b), err)
		}
	}
	s.leftovers(s.node, s.here)
}

// without hides programs from the node.
func without(t *testing.T, programs ...string) {
	t.Helper()
	bin := t.TempDir()
	for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		list, _ := os.ReadDir(dir)
	next:
		for _, e := range list {
			for _, p := range programs {
				if e.Name() == p {
					continue next
				}
			}
			_ = os.Symlink(filepath.Join(dir, e.Name()), filepath.Join(bin, e.Name())) // the first in PATH wins
		}
	}
	t.Setenv("PATH", bin)
}

func TestNodesWithoutTools(t *testing.T) {
	tests := []struct {
		name    string
		missing []string
	}{
		{"no tar and no gzip", []string{"tar", "gzip"}},
		{"no base64 and no sha256sum", []string{"base64", "sha256sum"}},
		{"no setsid, mktemp, python, od, awk", []string{"setsid", "mktemp", "python3", "python", "od", "awk", "gawk", "mawk"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			without(t, tt.missing...)
			s := newSite(t, "host", world.Faults{})
			root := filepath.Join(s.here, "tree")
			plant(t, root)
			want := describe(t, root)
			s.up(s.node, root)
			same(t, describe(t, filepath.Join(s.node, "tree")), want)
			s.down(filepath.Join(s.here, "back"), filepath.Join(s.node, "tree"))
			t.Cleanup(func() {
				_ = os.Chmod(filepath.Join(s.node, "tree", "read-only"), 0o755)
				_ = os.Chmod(filepath.Join(s.here, "back", "read-only"), 0o755)
			})
			same(t, describe(t, filepath.Join(s.here, "back")), want)
		})
	}
	t.Run("nothing to decode with", func(t *testing.T) {
		without(t, "base64", "openssl", "perl", "python3")
		s := newSite(t, "host", world.Faults{})
		random(t, filepath.Join(s.here, "f"), 10, 1)
		results, err := s.svc.Upload(t.Context(), []string{filepath.Join(s.here, "f")}, []Node{web1}, s.request(s.node), s.watch())
		if err != nil || results[0].Err == nil || !strings.Contains(results[0].Err.Error(), "base64, openssl, perl or python3") {
			t.Errorf("%v, %v", err, results[0].Err)
		}
	})
}

// fake puts a program of this name before the node's own.
func fake(t *testing.T, name, script string) {
	t.Helper()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

// wrongSums is a sha256sum that is right for nothing only.
const wrongSums = `n=$(wc -c)
if [ "$n" -eq 0 ]; then echo "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  -"
else echo "00000000000000000000000000000000000000000000000000000000000000ff  -"; fi
`

func TestAWrongChecksumPutsNothingIntoPlace(t *testing.T) {
	fake(t, "sha256sum", wrongSums)
	s := newSite(t, "host", world.Faults{})
	random(t, filepath.Join(s.here, "big"), 3<<20, 1)
	random(t, filepath.Join(s.here, "small"), 1000, 2)
	for _, name := range []string{"big", "small"} {
		results, err := s.svc.Upload(t.Context(), []string{filepath.Join(s.here, name)}, []Node{web1}, s.request(filepath.Join(s.node, "copy")), s.watch())
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(results[0].Err, results[0].Files)
		if results[0].Count(Copied) != 0 || !strings.Contains(text, "checksum") {
			t.Errorf("to the node, %s: %s", name, text)
		}
	}
	random(t, filepath.Join(s.node, "there"), 3<<20, 1)
	results, err := s.svc.Download(t.Context(), []Source{{web1, []string{filepath.Join(s.node, "there")}}}, s.request(filepath.Join(s.here, "copy")), s.watch())
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Count(Failed) != 1 || !strings.Contains(results[0].Files[0].Error, "checksum") {
		t.Errorf("from the node: %v, %+v", results[0].Err, results[0].Files)
	}
	for _, p := range []string{filepath.Join(s.node, "copy"), filepath.Join(s.here, "copy")} {
		if _, err := os.Lstat(p); err == nil {
			t.Errorf("%s is there", p)
		}
	}
	s.leftovers(s.node, s.here)
}

func TestAFullDiskHasItsOwnWords(t *testing.T) {
	fake(t, "dd", `case "$*" in *of=*) head -c 1000 >/dev/null; echo "dd: error writing 'x': No space left on device" >&2; exit 1;; esac
exec /bin/dd "$@"
`)
	s := newSite(t, "host", world.Faults{})
	random(t, filepath.Join(s.here, "big"), 20<<20, 1)
	results, err := s.svc.Upload(t.Context(), []string{filepath.Join(s.here, "big")}, []Node{web1}, s.request(s.node), s.watch())
	if err != nil {
		t.Fatal(err)
	}
	if err := results[0].Err; fault.KindOf(err) != fault.RemoteFailed || !strings.Contains(err.Error(), "No space left on device") || !strings.Contains(fault.HintOf(err), "df -h") {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
	s.leftovers(s.node)
}

// terminateAll ends every session of the node, as an administrator might.
func (s *site) terminateAll() error {
	for e, err := range s.sessions.List(context.Background(), sessions.Filter{}) {
		if err != nil {
			return err
		}
		if _, err := s.sessions.Terminate(context.Background(), e.ID); err != nil {
			return err
		}
	}
	return nil
}

// When a copy breaks off in the middle, by whatever, nothing stays behind.
func TestBrokenOffCopies(t *testing.T) {
	const size = 24 << 20
	ends := []struct {
		name string
		end  func(s *site, cancel context.CancelFunc) error
		want func(err error) bool
	}{
		{"interrupted", func(_ *site, cancel context.CancelFunc) error { cancel(); return nil }, func(err error) bool {
			return fault.KindOf(err) == fault.Interrupted
		}},
		{"its sessions are terminated", func(s *site, _ context.CancelFunc) error { return s.terminateAll() }, func(err error) bool {
			return fault.KindOf(err) == fault.Failed && strings.Contains(err.Error(), "its session ended before the copy did")
		}},
	}
	for _, tt := range ends {
		for _, direction := range []string{"up", "down"} {
			t.Run(tt.name+" "+direction, func(t *testing.T) {
				s := newSite(t, "host", world.Faults{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var once sync.Once
				var ending sync.WaitGroup
				s.onAdd = func() {
					once.Do(func() {
						ending.Go(func() {
							if err := tt.end(s, cancel); err != nil {
								t.Error(err)
							}
						})
					})
				}
				var results []*Result
				var err error
				req := s.request(s.node)
				req.Lanes = 2
				if direction == "up" {
					random(t, filepath.Join(s.here, "big"), size, 1)
					results, err = s.svc.Upload(ctx, []string{filepath.Join(s.here, "big")}, []Node{web1}, req, s.watch())
				} else {
					random(t, filepath.Join(s.node, "there"), size, 1)
					req.Dest = s.here
					results, err = s.svc.Download(ctx, []Source{{web1, []string{filepath.Join(s.node, "there")}}}, req, s.watch())
				}
				ending.Wait()
				if err != nil {
					t.Fatal(err)
				}
				if !tt.want(results[0].Err) || results[0].Count(Copied) != 0 {
					t.Errorf("%v; %+v", results[0].Err, results[0].Files)
				}
				s.leftovers(s.node, s.here)
				for _, p := range []string{filepath.Join(s.node, "big"), filepath.Join(s.here, "there")} {
					if _, err := os.Lstat(p); err == nil {
						t.Errorf("%s is there", p)
					}
				}
			})
		}
	}
}

func TestResumeGoesOn(t *testing.T) {
	const size = 24 << 20
	for _, direction := range []string{"up", "down"} {
		t.Run(direction, func(t *testing.T) {
			s := newSite(t, "host", world.Faults{})
			var want string
			run := func(ctx context.Context) *Result {
				req := s.request(filepath.Join(s.node, "copy"))
				req.Resume, req.Lanes = true, 1
				var results []*Result
				var err error
				if direction == "up" {
					results, err = s.svc.Upload(ctx, []string{filepath.Join(s.here, "big")}, []Node{web1}, req, s.watch())
				} else {
					req.Dest = filepath.Join(s.here, "copy")
					results, err = s.svc.Download(ctx, []Source{{web1, []string{filepath.Join(s.node, "there")}}}, req, s.watch())
				}
				if err != nil {
					t.Fatal(err)
				}
				return results[0]
			}
			copied := filepath.Join(s.here, "copy")
			if direction == "up" {
				want = random(t, filepath.Join(s.here, "big"), size, 1)
				copied = filepath.Join(s.node, "copy")
			} else {
				want = random(t, filepath.Join(s.node, "there"), size, 1)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s.onAdd = func() {
				if s.added.Load() > size/2 {
					cancel()
				}
			}
			if res := run(ctx); fault.KindOf(res.Err) != fault.Interrupted {
				t.Fatalf("%v", res.Err)
			}
			kept, err := filepath.Glob(filepath.Join(filepath.Dir(copied), ".ssmdeck-part-*"))
			if err != nil || len(kept) != 1 {
				t.Fatalf("kept %q, %v", kept, err)
			}
			// One block is damaged meanwhile: it is found and sent again.
			var part string
			_ = filepath.WalkDir(kept[0], func(p string, e fs.DirEntry, _ error) error {
				if !e.IsDir() {
					part = p
				}
				return nil
			})
			f, err := os.OpenFile(part, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt([]byte("damage"), 5<<20); err != nil {
				t.Fatal(err)
			}
			f.Close()
			s.onAdd = nil
			s.added.Store(0)
			if res := run(t.Context()); res.Err != nil || res.Count(Copied) != 1 {
				t.Fatalf("%v, %+v", res.Err, res.Files)
			}
			if sumOf(t, copied) != want {
				t.Error("the copy is not what was to be copied")
			}
			if s.added.Load() != size {
				t.Errorf("progress counted %d bytes of %d", s.added.Load(), size)
			}
			s.leftovers(s.node, s.here)
		})
	}
}

func TestAFileThatChangesMeanwhile(t *testing.T) {
	s := newSite(t, "host", world.Faults{})
	big := filepath.Join(s.here, "big")
	random(t, big, 12<<20, 1)
	var once sync.Once
	s.onAdd = func() {
		once.Do(func() {
			f, err := os.OpenFile(big, os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if _, err := f.WriteAt([]byte("changed"), 11<<20); err != nil {
				t.Error(err)
			}
		})
	}
	results, err := s.svc.Upload(t.Context(), []string{big}, []Node{web1}, s.request(s.node), s.watch())
	if err != nil {
		t.Fatal(err)
	}
	// Whether the change was seen by both readings is a matter of luck; what is
	// in place is what was read, or it is not in place.
	switch res := results[0]; {
	case res.Count(Copied) == 1:
		if sumOf(t, filepath.Join(s.node, "big")) != res.Files[0].SHA256 {
			t.Error("what is on the node has another checksum than was told")
		}
	case res.Count(Failed) != 1 || res.Files[0].Error != errChanged.Error():
		t.Errorf("%v, %+v", res.Err, res.Files)
	}
	s.leftovers(s.node)

	// One that vanishes on its way is named once, however many blocks it has.
	gone := filepath.Join(s.here, "gone")
	random(t, gone, 40<<20, 1)
	var removing sync.Once
	s.onAdd = func() {
		removing.Do(func() {
			if err := os.Remove(gone); err != nil {
				t.Error(err)
			}
		})
	}
	if results, err = s.svc.Upload(t.Context(), []string{gone}, []Node{web1}, s.request(s.node), s.watch()); err != nil {
		t.Fatal(err)
	}
	if f := results[0].Files; len(f) != 1 || f[0].State != Failed || !strings.Contains(f[0].Error, "no such file") {
		t.Errorf("%v, %+v", results[0].Err, f)
	}
	s.leftovers(s.node)
	s.onAdd = nil

	// One that vanishes is named, and the others are copied.
	dir := filepath.Join(s.node, "logs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		random(t, filepath.Join(dir, name), 2<<20, 1)
	}
	l, err := s.svc.list(t.Context(), web1, []string{dir}, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "c"), 100); err != nil {
		t.Fatal(err)
	}
	res := &Result{}
	req := s.request(s.here)
	if err := s.svc.download(t.Context(), web1, &req, l, s.here, []string{"logs"}, func(int64) {}, res); err != nil {
		t.Fatal(err)
	}
	errs := map[string]string{}
	for _, f := range res.Files {
		errs[filepath.Base(f.Destination)] = f.Error
	}
	if errs["a"] != "" || !strings.Contains(errs["b"], "No such file") || !strings.Contains(errs["c"], "shorter") {
		t.Errorf("%q", errs)
	}
	s.leftovers(s.here)
}

// noTerminals is a service where AWS-StartInteractiveCommand is denied.
type noTerminals struct{ *sessions.Service }

func (n noTerminals) Exec(ctx context.Context, req sessions.ExecRequest, opts ...sessionclient.Option) (*sessions.Exec, error) {
	if req.Document == sessions.DocumentInteractive {
		return nil, fault.New(fault.Auth, "start session", "not authorized to perform ssm:StartSession on the document")
	}
	return n.Service.Exec(ctx, req, opts...)
}

func TestWithoutTheInteractiveDocument(t *testing.T) {
	s := newSite(t, "host", world.Faults{})
	s.svc.sessions = noTerminals{s.sessions}
	root := filepath.Join(s.here, "tree")
	if err := os.MkdirAll(filepath.Join(root, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	random(t, filepath.Join(root, "f"), 100<<10, 1)
	random(t, filepath.Join(root, "sub", "g"), 10, 2)
	if err := os.Symlink("f", filepath.Join(root, "l")); err != nil {
		t.Fatal(err)
	}
	want := describe(t, root)
	s.up(s.node, root)
	same(t, describe(t, filepath.Join(s.node, "tree")), want)
	s.leftovers(s.node)

	random(t, filepath.Join(root, "big"), textMost+1, 1)
	results, err := s.svc.Upload(t.Context(), []string{root}, []Node{web1}, s.request(s.node), s.watch())
	if err != nil {
		t.Fatal(err)
	}
	if err := results[0].Err; fault.KindOf(err) != fault.Auth || !strings.Contains(fault.HintOf(err), sessions.DocumentInteractive) {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
	s.leftovers(s.node)
}

// TestAFolderIsNotWrittenThroughALink: whoever owns a folder on the node must not
// lead what is copied into it elsewhere.
func TestAFolderIsNotWrittenThroughALink(t *testing.T) {
	s := newSite(t, "host", world.Faults{})
	root, outside := filepath.Join(s.here, "tree"), t.TempDir()
	for _, dir := range []string{filepath.Join(root, "sub"), filepath.Join(s.node, "tree")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	random(t, filepath.Join(root, "sub", "f"), 10, 1)
	if err := os.Symlink(outside, filepath.Join(s.node, "tree", "sub")); err != nil {
		t.Fatal(err)
	}
	results, err := s.svc.Upload(t.Context(), []string{root}, []Node{web1}, s.request(s.node), s.watch())
	if err != nil {
		t.Fatal(err)
	}
	if err := results[0].Err; err == nil || !strings.Contains(err.Error(), "sub: is not a folder") {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("written outside: %v, %v", left, err)
	}
	s.leftovers(s.node)
}

func TestManyNodes(t *testing.T) {
	s := newSite(t, "virtual", world.Faults{})
	nodes := []Node{web1, {ID: "i-0a1b2c3d4e5f60718", Name: "web-2", Platform: "linux"}, {ID: "i-0b2c3d4e5f6071829", Name: "web-3", Platform: "linux"}, {ID: "i-0c3d4e5f607182930", Platform: "linux"}}
	want := random(t, filepath.Join(s.here, "f"), 100<<10, 1)
	results, err := s.svc.Upload(t.Context(), []string{filepath.Join(s.here, "f")}, nodes, s.request("/tmp/f"), s.watch())
	if err != nil {
		t.Fatal(err)
	}
	var sources []Source
	for i, r := range results {
		if r.Err != nil || r.Node != nodes[i] || r.Count(Copied) != 1 {
			t.Errorf("%s: %v, %+v", nodes[i], r.Err, r.Files)
		}
		sources = append(sources, Source{nodes[i], []string{"/tmp/f"}})
	}
	all := filepath.Join(s.here, "all")
	if results, err = s.svc.Download(t.Context(), sources, s.request(all), s.watch()); err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		p := filepath.Join(all, nodes[i].label(), "f")
		if r.Err != nil || r.Files[0].Destination != p || sumOf(t, p) != want {
			t.Errorf("%s: %v, %+v", nodes[i], r.Err, r.Files)
		}
	}
}

var dbAdmin = Node{ID: "i-00718293a4b5c6d7e", Name: "db-admin", Platform: "windows"}

func TestAWindowsNode(t *testing.T) {
	s := newSite(t, "virtual", world.Faults{})
	root := filepath.Join(s.here, "tree")
	for _, d := range []string{"sub/empty", "a [b]"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	random(t, filepath.Join(root, "sub", "two blocks"), windowsBlock+100, 1)
	random(t, filepath.Join(root, "a [b]", "it's $x `y`;"), 10, 2)
	random(t, filepath.Join(root, "empty"), 0, 3)
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(root, "empty"), old, old); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for name, text := range describe(t, root) {
		if strings.HasPrefix(text, "-") {
			want[name] = text
		}
	}
	up := func(dest string, sources ...string) *Result {
		t.Helper()
		results, err := s.svc.Upload(t.Context(), sources, []Node{dbAdmin}, s.request(dest), s.watch())
		return s.whole(results, err)
	}
	down := func(dest string, paths ...string) *Result {
		t.Helper()
		results, err := s.svc.Download(t.Context(), []Source{{dbAdmin, paths}}, s.request(dest), s.watch())
		return s.whole(results, err)
	}
	up(`C:\inetpub`, root)
	up("C:/inetpub/tree/", filepath.Join(root, "empty")) // over what is there
	down(filepath.Join(s.here, "back"), "C:/inetpub/tree")
	got := map[string]string{}
	for name, text := range describe(t, filepath.Join(s.here, "back")) {
		if strings.HasPrefix(text, "-") {
			got[name] = text
		}
	}
	same(t, got, want)
	if info, err := os.Stat(filepath.Join(s.here, "back", "sub", "empty")); err != nil || !info.IsDir() {
		t.Errorf("an empty folder: %v", err)
	}

	// A relative path begins in the home folder; larger files come in parts.
	up("home copy", filepath.Join(root, "sub", "two blocks"))
	down(filepath.Join(s.here, "home"), `~\home copy`)
	if sumOf(t, filepath.Join(s.here, "home")) != sumOf(t, filepath.Join(root, "sub", "two blocks")) {
		t.Error("a file of the home folder is another")
	}
	e, err := s.sessions.Exec(t.Context(), sessions.ExecRequest{
		Target: dbAdmin.ID, Platform: "windows",
		Command: `$b = New-Object byte[] 9000001; $s = [IO.File]::Open('C:\big', 'OpenOrCreate'); $s.Write($b, 0, $b.Length); $s.Close(); (Get-ChildItem C:\inetpub -Force | Where-Object { $_.Name -like '.ssmdeck*' }).Count`,
	})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if _, _, err := e.Copy(&out, io.Discard); err != nil {
		t.Fatal(err)
	}
	e.Close()
	if strings.TrimSpace(out.String()) != "0" {
		t.Errorf("%s staging folders are left", out.String())
	}
	res := down(filepath.Join(s.here, "big"), "C:/big")
	if res.Files[0].Size != 9000001 || sumOf(t, filepath.Join(s.here, "big")) != res.Files[0].SHA256 {
		t.Errorf("%+v", res.Files)
	}

	for _, tt := range []struct {
		dest, source, want string
		kind               fault.Kind
	}{
		{`C:\nosuch\x`, filepath.Join(root, "empty"), "no such folder", fault.NotFound},
		{`C:\`, filepath.Join(s.here, "big"), "at most 4 MiB", fault.Failed},
	} {
		results, err := s.svc.Upload(t.Context(), []string{tt.source}, []Node{dbAdmin}, s.request(tt.dest), s.watch())
		if err != nil {
			t.Fatal(err)
		}
		if err := results[0].Err; fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.dest, err)
		}
	}
}

// TestLostCredentials: a connection that cannot be resumed ends the copy.
func TestLostCredentials(t *testing.T) {
	for _, how := range []string{"not-found", "denied"} {
		t.Run(how, func(t *testing.T) {
			s := newSite(t, "host", world.Faults{CutEvery: 300 * time.Millisecond, RefuseResume: how})
			s.svc.opts.Session = func(Node) []sessionclient.Option {
				return []sessionclient.Option{sessionclient.WithBudget(2 * time.Second)}
			}
			random(t, filepath.Join(s.here, "big"), 100<<20, 1)
			req := s.request(s.node)
			req.Lanes = 1
			results, err := s.svc.Upload(t.Context(), []string{filepath.Join(s.here, "big")}, []Node{web1}, req, s.watch())
			if err != nil {
				t.Fatal(err)
			}
			if err := results[0].Err; err == nil || !strings.Contains(err.Error(), "session") || results[0].Count(Copied) != 0 {
				t.Errorf("%v", err)
			} else {
				t.Log(err, "|", fault.HintOf(err))
			}
			if err := s.terminateAll(); err != nil { // what could not be resumed is ended by the service in time
				t.Error(err)
			}
			s.leftovers(s.node)
		})
	}
}

// Standard input travels as a file whose name nobody chose.
func TestWhatHasNoNameIsNotPutIntoAFolder(t *testing.T) {
	s := newSite(t, "host", world.Faults{})
	spool := filepath.Join(s.here, "stdin")
	random(t, spool, 10, 1)
	for dest, refused := range map[string]bool{s.node: true, filepath.Join(s.node, "data"): false} {
		req := s.request(dest)
		req.Nameless = true
		results, err := s.svc.Upload(t.Context(), []string{spool}, []Node{web1}, req, s.watch())
		if err != nil {
			t.Fatal(err)
		}
		if err := results[0].Err; (err != nil) != refused || refused && fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: %v", dest, err)
		}
	}
	if _, err := os.Stat(filepath.Join(s.node, "stdin")); err == nil {
		t.Error("the name of the temporary file is that of the copy")
	}
	s.leftovers(s.node)
}

func TestAFileNamedLikeTheHomeFolder(t *testing.T) {
	s := newSite(t, "host", world.Faults{})
	want := random(t, filepath.Join(s.here, "~"), 10, 1)
	t.Chdir(s.here)
	if res := s.up(s.node, "~"); res.Count(Copied) != 1 || sumOf(t, filepath.Join(s.node, "~")) != want {
		t.Errorf("to the node: %+v", res.Files)
	}
	if res := s.down(filepath.Join(s.here, "back"), filepath.Join(s.node, "~")); res.Count(Copied) != 1 || sumOf(t, "back") != want {
		t.Errorf("from the node: %+v", res.Files)
	}
}

// An empty copy of a file of /proc would pass for a good one.
func TestAFileWhoseSizeSaysNothing(t *testing.T) {
	const status = "/proc/self/status"
	if info, err := os.Stat(status); err != nil || info.Size() != 0 {
		t.Skip("no /proc here")
	}
	s := newSite(t, "host", world.Faults{})
	results, err := s.svc.Download(t.Context(), []Source{{web1, []string{status}}}, s.request(s.here), s.watch())
	if err != nil {
		t.Fatal(err)
	}
	if f := results[0].Files; len(f) != 1 || f[0].State != Failed || f[0].Error != unsized {
		t.Errorf("%v, %+v", results[0].Err, f)
	}
	if _, err := os.Stat(filepath.Join(s.here, "status")); err == nil {
		t.Error("an empty file is in place")
	}
}

// What the other nodes bring does not move when one more is there.
func TestOneOfSeveralNodesHasItsFolder(t *testing.T) {
	s := newSite(t, "host", world.Faults{})
	want := random(t, filepath.Join(s.node, "log"), 10, 1)
	req := s.request(filepath.Join(s.here, "logs"))
	req.Apart = true
	s.whole(s.svc.Download(t.Context(), []Source{{web1, []string{filepath.Join(s.node, "log")}}}, req, s.watch()))
	if sumOf(t, filepath.Join(req.Dest, "web-1", "log")) != want {
		t.Error("it is not in the folder of its node")
	}
}

// A staging folder that somebody removed is not a copy that is in place.
func TestAStagingFolderThatIsGone(t *testing.T) {
	// The last program before the move takes the folder away.
	fake(t, "touch", `case "$*" in *.ssmdeck-*) rm -rf "$(dirname "$(dirname "$3")")";; esac`)
	s := newSite(t, "host", world.Faults{})
	random(t, filepath.Join(s.here, "big"), smallFile+1, 1)
	results, err := s.svc.Upload(t.Context(), []string{filepath.Join(s.here, "big")}, []Node{web1}, s.request(s.node), s.watch())
	if err != nil {
		t.Fatal(err)
	}
	if err := results[0].Err; err == nil || !strings.Contains(err.Error(), "the staging folder is gone") || results[0].Count(Copied) > 0 {
		t.Errorf("%v, %+v", err, results[0].Files)
	}
}
