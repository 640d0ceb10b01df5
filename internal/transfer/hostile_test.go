package transfer

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestListingTrustsNoName(t *testing.T) {
	good := "0\td\t755\t1700000000.5\t0\x00\x00\x00" +
		"0\tf\t644\t1700000000\t3\x00sub/new\nline\x00\x00" +
		"0\tl\t777\t1700000000\t9\x00link\x00/etc/passwd\x00" +
		"0\tp\t644\t1700000000\t0\x00pipe\x00\x00"
	bad := ""
	names := []string{"..", "../x", "/etc/x", "a/../../x", "a//b", "./a", "a/.", "a/"}
	for _, n := range names {
		bad += "0\tf\t644\t1700000000\t1\x00" + n + "\x00\x00"
	}
	in := []byte(good + bad)
	for _, step := range []int{1, 7, len(in)} {
		l := &listing{trees: []tree{{source: "/src"}}}
		var rest []byte
		for part := range slices.Chunk(in, step) {
			var err error
			if rest, err = l.records(append(rest, part...), true); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, e := range l.trees[0].entries {
			got = append(got, string(e.kind)+e.name)
		}
		if want := []string{"d", "fsub/new\nline", "llink"}; !slices.Equal(got, want) {
			t.Errorf("step %d: entries %q, want %q", step, got, want)
		}
		if len(l.left) != len(names)+1 {
			t.Errorf("step %d: %d things are left out, want %d", step, len(l.left), len(names)+1)
		}
	}
}

func TestListingRefusesNonsense(t *testing.T) {
	for _, in := range []string{
		"x\x00\x00\x00", "9\tf\t644\t1\t1\x00\x00\x00", "0\tf\tx\t1\t1\x00\x00\x00", "0\tf\t644\t1\t-1\x00\x00\x00",
		"0\tf\t644\t1e300\t1\x00\x00\x00", strings.Repeat("x", maxRecord+1),
	} {
		l := &listing{trees: []tree{{source: "/src"}}}
		if _, err := l.records([]byte(in), true); err == nil {
			t.Errorf("%.30q is taken", in)
		}
	}
	l := &listing{trees: []tree{{source: "/src"}}}
	if _, err := l.records([]byte("0\td\t755\t1\t0\x00\x00\x00"), false); fault.KindOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "-r") {
		t.Errorf("a folder without -r: %v", err)
	}
}

// archive makes a tar archive of members as they are, filled up like tar does.
func archive(t *testing.T, members ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, h := range members {
		content := h.Uname // a place for it
		h.Uname, h.Mode, h.Size = "", 0o6777, int64(len(content))
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	b.Write(make([]byte, recordFill-b.Len()%recordFill))
	return b.Bytes()
}

const recordFill = 10 << 10

// laneTo is a lane of a download into dir that wants files.
func laneTo(t *testing.T, dir string, names ...string) (*lane, *job, map[string]*incoming) {
	t.Helper()
	s, err := openSink(dir, ".stage", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close(false) })
	d := &download{sink: s, add: func(int64) {}, res: &Result{}, req: &Request{}}
	files := map[string]*incoming{}
	for i, n := range names {
		files[n] = &incoming{placed: placed{e: &entry{name: n, kind: kindFile, mode: 0o644}, name: n}, index: i}
		d.files = append(d.files, files[n])
	}
	b := &arriving{files: files}
	d.bundles = append(d.bundles, b)
	return &lane{d: d, ctx: t.Context(), mu: &sync.Mutex{}}, &job{b: b}, files
}

func TestABundleWritesOnlyWhatWasListed(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "dest")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, j, files := laneTo(t, dir, "good", "sub/good", "twin", "missing")
	data := archive(t,
		tar.Header{Name: "../evil", Uname: "1"},
		tar.Header{Name: "/evil", Uname: "2"},
		tar.Header{Name: "./good", Uname: "first"},
		tar.Header{Name: "./good", Uname: "again"},
		tar.Header{Name: "./sub", Typeflag: tar.TypeSymlink, Linkname: top},
		tar.Header{Name: "./sub/evil", Uname: "3"},
		tar.Header{Name: "./sub/good", Uname: "second"},
		tar.Header{Name: "./twin", Typeflag: tar.TypeLink, Linkname: "./good"},
		tar.Header{Name: "./missing", Typeflag: tar.TypeLink, Linkname: "../../etc/passwd"},
	)
	data = append(data, archive(t, tar.Header{Name: "./other", Uname: "4"})...)
	sum, err := l.takeBundle(j, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	// What comes is part of the checksum, written or not.
	all := sha256.Sum256([]byte("12" + "first" + "again" + "3" + "second" + "first" + "4"))
	if sum != hex.EncodeToString(all[:]) {
		t.Error("the checksum is not that of all contents")
	}
	l.endBundle(j, true)
	for name, want := range map[string]string{"good": "first", "sub/good": "second", "twin": "first"} {
		b, err := os.ReadFile(filepath.Join(dir, l.d.sink.staged(files[name].index)))
		if err != nil || string(b) != want || !files[name].done {
			t.Errorf("%s: %q, %v, done %v", name, b, err, files[name].done)
		}
	}
	if files["missing"].done {
		t.Error("a link to what did not come counts as a file")
	}
	var found []string
	_ = filepath.WalkDir(top, func(p string, e os.DirEntry, _ error) error {
		if !e.IsDir() {
			found = append(found, p)
		}
		return nil
	})
	if len(found) != 3 {
		t.Errorf("these were written: %q", found)
	}
}

func TestABrokenBundle(t *testing.T) {
	whole := archive(t, tar.Header{Name: "./a", Uname: strings.Repeat("x", 5000)})
	for _, data := range [][]byte{whole[:700], whole[:3000], []byte(strings.Repeat("junk", 1000))} {
		l, j, _ := laneTo(t, t.TempDir(), "a")
		if _, err := l.takeBundle(j, bytes.NewReader(data)); err == nil {
			t.Errorf("%d bytes are taken for an archive", len(data))
		}
	}
	l, j, files := laneTo(t, t.TempDir(), "a")
	if _, err := l.takeBundle(j, bytes.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	l.endBundle(j, false)
	if files["a"].done || files["a"].got != "" {
		t.Error("a bundle with a wrong checksum counts")
	}
}

func TestNothingIsWrittenThroughLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	top := t.TempDir()
	dir, outside := filepath.Join(top, "dest"), filepath.Join(top, "outside")
	for _, d := range []string{dir, outside} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "away")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "f"), filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	l, _, files := laneTo(t, dir, "away/x", "file")
	s := l.d.sink
	for _, f := range files {
		out, err := s.open(f.index)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := out.Stat(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("staged with %v, %v", info.Mode(), err)
		}
		out.Close()
	}
	if _, err := s.place(files["away/x"].index, "away/x", files["away/x"].e, false); err == nil {
		t.Error("a file went through a link out of the destination")
	}
	if _, err := s.folder("away/y"); err == nil {
		t.Error("a folder went through a link out of the destination")
	}
	if _, err := s.place(files["file"].index, "file", files["file"].e, false); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(filepath.Join(dir, "file")); err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o644 {
		t.Errorf("a link in the place of a file is not replaced: %v, %v", info, err)
	}
	if list, _ := os.ReadDir(outside); len(list) != 0 {
		t.Errorf("outside holds %v", list)
	}
}

func TestLocalTarget(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	file, folder := tree{source: "/x/a", base: "a"}, tree{source: "/x/d", base: "d", folder: true}
	tests := []struct {
		name  string
		dest  string
		trees []tree
		dir   string
		roots []string
		kind  fault.Kind
	}{
		{"into a folder", dir, []tree{file, folder}, dir, []string{"a", "d"}, 0},
		{"a new name", filepath.Join(dir, "b"), []tree{file}, dir, []string{"b"}, 0},
		{"a folder under a new name", filepath.Join(dir, "e") + "/", []tree{folder}, dir, []string{"e"}, 0},
		{"the contents into a folder", dir, []tree{{source: "/x/.", folder: true}}, dir, []string{""}, 0},
		{"over a file", filepath.Join(dir, "f"), []tree{file}, dir, []string{"f"}, 0},
		{"two into none", filepath.Join(dir, "b"), []tree{file, file}, "", nil, fault.NotFound},
		{"a file into a folder that is missing", filepath.Join(dir, "b") + "/", []tree{file}, "", nil, fault.NotFound},
		{"a missing parent", filepath.Join(dir, "no", "b"), []tree{file}, "", nil, fault.NotFound},
		{"a folder over a file", filepath.Join(dir, "f"), []tree{folder}, "", nil, fault.Failed},
		{"a file over a folder", dir, []tree{{source: "/x/taken", base: "taken"}}, "", nil, fault.Failed},
		{"a name from a node", dir, []tree{{source: "/x/..", base: ".."}}, "", nil, fault.Usage},
	}
	for _, tt := range tests {
		got, roots, err := localTarget(tt.dest, tt.trees)
		switch {
		case tt.dir == "" && (err == nil || fault.KindOf(err) != tt.kind):
			t.Errorf("%s: %v, want %v", tt.name, err, tt.kind)
		case tt.dir != "" && (err != nil || got != tt.dir || !slices.Equal(roots, tt.roots)):
			t.Errorf("%s: %q, %q, %v", tt.name, got, roots, err)
		}
	}
}

func TestFolderNameOfANode(t *testing.T) {
	for name, want := range map[string]string{"web-1": "web-1", "a/b": "a_b", "..": "i-1", ".ssh": "i-1", "": "i-1", "a\x1bb": "a_b"} {
		if got := folderName(Node{ID: "i-1", Name: name}); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// A session that was lost brings its files again, and they may be shorter then.
func TestNothingIsLeftOfALongerAttempt(t *testing.T) {
	dir := t.TempDir()
	l, j, files := laneTo(t, dir, "log", "big")
	for _, content := range []string{strings.Repeat("old", 1000), "new"} {
		l.jobs, files["log"].got = []*job{j}, ""
		if _, err := l.takeBundle(j, bytes.NewReader(archive(t, tar.Header{Name: "./log", Uname: content}))); err != nil {
			t.Fatal(err)
		}
	}
	for _, content := range []string{strings.Repeat("old", 1000), "new"} {
		f := files["big"]
		f.e.size = int64(len(content))
		if _, err := l.takeRange(&job{f: f, n: f.e.size}, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range files {
		if _, err := l.d.sink.place(f.index, name, f.e, false); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != "new" {
			t.Errorf("%s holds %.10q..., %v", name, b, err)
		}
	}
}

func TestOnlyWhatArrivedIsPutIntoPlace(t *testing.T) {
	dir := t.TempDir()
	l, _, files := laneTo(t, dir, "f")
	f := files["f"]
	f.e.size = 3
	if _, err := l.d.sink.place(f.index, "f", f.e, false); err == nil {
		t.Error("a file that is not there was put into place")
	}
	if err := os.WriteFile(filepath.Join(dir, l.d.sink.staged(f.index)), []byte("more than that"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.d.sink.place(f.index, "f", f.e, false); err == nil {
		t.Error("a file of another length was put into place")
	}
	if _, err := os.Lstat(filepath.Join(dir, "f")); err == nil {
		t.Error("it is in place")
	}
}

// The name of a folder to go on from can be known before, so somebody else may
// have made it.
func TestAForeignStagingFolderIsNotUsed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("its parent decides there")
	}
	dir := t.TempDir()
	stage := filepath.Join(dir, ".ssmdeck-part-0")
	if err := os.Mkdir(stage, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := openSink(dir, filepath.Base(stage), true)
	if err != nil || !s.again {
		t.Fatalf("one of ours: %v", err)
	}
	_ = s.root.Close()
	if err := os.Chmod(stage, 0o777); err != nil {
		t.Fatal(err)
	}
	if s, err := openSink(dir, filepath.Base(stage), true); err == nil {
		_ = s.root.Close()
		t.Error("a folder that everybody can write to is used")
	}
}

// Where upper and lower case are one, as on most Macs, a second file would take
// the place of the first and both count as copied. A hard link looks the same.
func TestFilesThatDifferInCaseOnly(t *testing.T) {
	dir := t.TempDir()
	l, _, files := laneTo(t, dir, "Makefile", "makefile")
	place := func(name string) error {
		f := files[name]
		out, err := l.d.sink.open(f.index)
		if err != nil {
			t.Fatal(err)
		}
		_ = out.Close()
		_, err = l.d.sink.place(f.index, name, f.e, false)
		return err
	}
	if err := place("Makefile"); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "Makefile"), filepath.Join(dir, "makefile")); err != nil && !os.IsExist(err) {
		t.Skip(err)
	}
	if err := place("makefile"); err == nil {
		t.Error("the second took the place of the first")
	}
	if err := os.Remove(filepath.Join(dir, "makefile")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "Makefile")); err == nil { // case counts here
		if err := place("makefile"); err != nil {
			t.Error(err)
		}
	}
}
