package coreutils

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// recordBytes is what archives are filled up to.
const recordBytes = 10 << 10

// tarCmd knows c, x and t with f, C, z, v, p and o; everybody is the user who
// calls it.
func tarCmd(ctx context.Context, p *program.Proc) int {
	if len(p.Args) > 1 && !strings.HasPrefix(p.Args[1], "-") { // tar xf
		p.Args[1] = "-" + p.Args[1]
	}
	f, args, st := p.Flags("cxtf:C:zvpo create=c extract=x list=t file=f: directory=C: gzip=z verbose=v no-same-owner=o preserve-permissions=p")
	if st >= 0 {
		return st
	}
	t := &tarrer{ctx: ctx, p: p, dir: f.Value("C", "."), verbose: f.Has("v"), exact: f.Has("p")}
	name := f.Value("f", "-")
	var err error
	switch {
	case f.Has("c") && len(args) == 0:
		p.Errorf("Cowardly refusing to create an empty archive")
		return 2
	case f.Has("c"):
		err = t.create(name, f.Has("z"), args)
	case f.Has("x"), f.Has("t"):
		err = t.read(name, f.Has("z"), f.Has("t"), args)
	default:
		p.Errorf("You must specify one of the '-Acdtrux' options")
		return 2
	}
	if err != nil {
		p.Errorf("%v", err)
		t.failed = true
	}
	if t.failed {
		if err == nil {
			p.Errorf("Exiting with failure status due to previous errors")
		}
		return 2
	}
	return 0
}

type tarrer struct {
	ctx     context.Context
	p       *program.Proc
	dir     string // -C
	verbose bool
	exact   bool // permissions as they are, without the umask
	failed  bool
}

func (t *tarrer) path(name string) string { return t.p.Shell.Abs(path.Join(t.dir, name)) }

func (t *tarrer) create(name string, pack bool, args []string) (err error) {
	var out io.Writer = t.p.Out()
	if name != "-" {
		file, err := t.p.Shell.Open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return fmt.Errorf("%s: Cannot open: %s", name, memfs.Reason(err))
		}
		defer file.Close()
		b := bufio.NewWriter(file)
		defer b.Flush()
		out = b
	}
	if pack {
		z := gzip.NewWriter(out)
		defer z.Close()
		out = z
	}
	n := &counter{w: out}
	tw := tar.NewWriter(n)
	for _, arg := range args {
		if err := t.add(tw, strings.TrimRight(arg, "/")); err != nil {
			return err
		}
	}
	if err := tw.Close(); err != nil {
		return err
	}
	if rest := n.n % recordBytes; rest > 0 {
		_, err = n.Write(make([]byte, recordBytes-rest))
	}
	return err
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// add puts a file, or a folder with all in it, into the archive. What cannot be
// read is reported and left out.
func (t *tarrer) add(tw *tar.Writer, name string) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	cred, files := t.p.Shell.Cred(), t.p.Shell.FS()
	info, err := files.Lstat(cred, t.path(name))
	if err != nil {
		t.complain(name, "Cannot stat", err)
		return nil
	}
	h := &tar.Header{
		Name: strings.TrimPrefix(name, "/"), Mode: int64(unixMode(info.Mode())), ModTime: info.ModTime().Truncate(time.Second),
		Uname: info.User, Gname: info.Group, Format: tar.FormatGNU,
	}
	var data []byte
	switch {
	case info.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
	case info.Mode()&fs.ModeSymlink != 0:
		h.Typeflag, h.Linkname = tar.TypeSymlink, info.Target
	case info.Mode().IsRegular():
		if data, err = files.ReadFile(cred, t.path(name)); err != nil {
			t.complain(name, "Cannot open", err)
			return nil
		}
		h.Typeflag, h.Size = tar.TypeReg, int64(len(data))
	default:
		return nil
	}
	t.say(h.Name)
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	if _, err := tw.Write(data); err != nil || !info.IsDir() {
		return err
	}
	list, err := files.ReadDir(cred, t.path(name))
	if err != nil {
		t.complain(name, "Cannot open", err)
	}
	for _, child := range list {
		if err := t.add(tw, name+"/"+child.Name()); err != nil {
			return err
		}
	}
	return nil
}

func (t *tarrer) complain(name, what string, err error) {
	t.p.Errorf("%s: %s: %s", name, what, memfs.Reason(err))
	t.failed = true
}

func (t *tarrer) say(name string) {
	if t.verbose {
		t.p.Printf("%s\n", name)
	}
}

// read lists or unpacks an archive. Folders get their times and permissions
// last.
func (t *tarrer) read(name string, packed, list bool, only []string) error {
	file, err := t.p.Open(t.ctx, name)
	if err != nil {
		return fmt.Errorf("%s: Cannot open: %s", name, memfs.Reason(err))
	}
	defer file.Close()
	buffered := bufio.NewReader(file)
	if _, err := buffered.Peek(1); err != nil {
		return errors.New("This does not look like a tar archive")
	}
	var in io.Reader = buffered
	if packed {
		if in, err = gzip.NewReader(in); err != nil {
			return errors.New("This does not look like a tar archive")
		}
	}
	var folders []*tar.Header
	tr := tar.NewReader(in)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.New("This does not look like a tar archive")
		}
		if len(only) > 0 && !slices.Contains(only, strings.TrimSuffix(h.Name, "/")) {
			continue
		}
		if list {
			t.p.Printf("%s\n", h.Name)
			continue
		}
		t.say(h.Name)
		if err := t.extract(tr, h); err != nil {
			t.complain(h.Name, "Cannot open", err)
		} else if h.Typeflag == tar.TypeDir {
			folders = append(folders, h)
		}
	}
	for _, h := range slices.Backward(folders) {
		t.finish(h)
	}
	_, err = io.Copy(io.Discard, in) // whoever writes is not to be killed
	return err
}

func (t *tarrer) extract(r io.Reader, h *tar.Header) error {
	cred, files := t.p.Shell.Cred(), t.p.Shell.FS()
	name := path.Clean(strings.TrimLeft(h.Name, "/"))
	if name == ".." || strings.HasPrefix(name, "../") {
		return errors.New("Member name contains '..'")
	}
	full := t.path(name)
	if err := files.MkdirAll(cred, path.Dir(full), fs.FileMode(0o777&^t.p.Shell.Umask())); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return files.MkdirAll(cred, full, 0o700)
	case tar.TypeSymlink:
		_ = files.Remove(cred, full) // as tar does: it is replaced
		return files.Symlink(cred, h.Linkname, full)
	case tar.TypeReg:
		_ = files.Remove(cred, full)
		w, err := files.Open(cred, full, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		if _, err = io.Copy(w, r); err != nil {
			return err
		}
		t.finish(h)
	}
	return nil
}

func (t *tarrer) finish(h *tar.Header) {
	mode := h.Mode & 0o777
	if !t.exact {
		mode &^= int64(t.p.Shell.Umask())
	}
	full := t.path(h.Name)
	_ = t.p.Shell.FS().Chmod(t.p.Shell.Cred(), full, fs.FileMode(mode))
	_ = t.p.Shell.FS().Chtimes(t.p.Shell.Cred(), full, h.ModTime)
}
