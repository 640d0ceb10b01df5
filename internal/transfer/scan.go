package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// kind is what an entry is. Devices, sockets and pipes are not copied.
type kind byte

const (
	kindFile   kind = 'f'
	kindFolder kind = 'd'
	kindLink   kind = 'l'
	kindOther  kind = 'o'
)

// entry is one thing to copy. Names are slash-separated and relative; a name of
// "" is the root of its source itself.
type entry struct {
	name  string
	kind  kind
	mode  fs.FileMode // the nine permission bits; others are not copied
	mtime time.Time
	size  int64
	link  string // where a link points, as it is written

	path string // on this machine, for uploads
	sum  func() (string, error)
}

// tree is one source and all below it. Folders stand before what is in them.
type tree struct {
	source  string // as it was written
	base    string // its name at the destination, by default; "": its contents
	folder  bool
	entries []entry
}

// size is the number of bytes in files.
func (t *tree) size() (n int64) {
	for i := range t.entries {
		if t.entries[i].kind == kindFile {
			n += t.entries[i].size
		}
	}
	return n
}

// scan looks at sources of this machine. Links given as a source are followed,
// those found below are copied as links. warn is told of what is left out.
func scan(ctx context.Context, sources []string, recursive bool, warn func(name string, err error)) ([]tree, error) {
	var trees []tree
	for _, src := range sources {
		t, err := scanOne(ctx, src, recursive, warn)
		if err != nil {
			return nil, err
		}
		trees = append(trees, t)
	}
	return trees, nil
}

func scanOne(ctx context.Context, src string, recursive bool, warn func(string, error)) (tree, error) {
	t := tree{source: src, base: base(filepath.ToSlash(src))}
	info, err := os.Stat(src)
	if err != nil {
		return t, localFault("read "+src, err)
	}
	switch {
	case info.IsDir() && !recursive:
		return t, fault.Usagef("%s is a folder", src).WithHint("add -r to copy it with what is in it")
	case info.IsDir():
		t.folder = true
	case !info.Mode().IsRegular():
		return t, fault.Usagef("%s is neither a file nor a folder", src)
	}
	if !t.folder {
		f, err := os.Open(src)
		if err != nil {
			return t, localFault("read "+src, err)
		}
		_ = f.Close()
		t.entries = []entry{localEntry(ctx, "", src, info, "")}
		return t, nil
	}
	err = filepath.WalkDir(src, func(p string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(src, p)
		if relErr != nil {
			return relErr
		}
		name := filepath.ToSlash(rel)
		if name == "." {
			name = ""
		}
		if err != nil {
			if name == "" {
				return localFault("read "+src, err)
			}
			warn(p, reason(err))
			return nil
		}
		e, err := walkEntry(ctx, name, p, d)
		if err != nil {
			warn(p, reason(err))
			return nil
		}
		t.entries = append(t.entries, e)
		return nil
	})
	return t, err
}

func walkEntry(ctx context.Context, name, p string, d fs.DirEntry) (entry, error) {
	info, err := d.Info()
	if name == "" {
		info, err = os.Stat(p) // the source itself may be a link
	}
	if err != nil {
		return entry{}, err
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(p); err != nil {
			return entry{}, err
		}
		link = filepath.ToSlash(link)
	}
	e := localEntry(ctx, name, p, info, link)
	if e.kind == kindOther {
		return e, errSpecial
	}
	return e, nil
}

func localEntry(ctx context.Context, name, p string, info fs.FileInfo, link string) entry {
	e := entry{name: name, path: p, mode: info.Mode().Perm(), mtime: info.ModTime(), size: info.Size(), link: link}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		e.kind = kindFile
	case mode.IsDir():
		e.kind, e.size = kindFolder, 0
	case mode&fs.ModeSymlink != 0:
		e.kind, e.size = kindLink, 0
	default:
		e.kind = kindOther
	}
	if e.kind == kindFile {
		// Many nodes get the same file: it is read for this once.
		e.sum = sync.OnceValues(func() (string, error) { return sumFile(ctx, p, e.size) })
	}
	return e
}

// errChanged is a source that is not what it was when the copy began.
var (
	errChanged = errors.New("it changed while it was copied")
	errSpecial = errors.New("it is a device, a pipe or a socket, and is left out")
)

// sumFile returns the SHA-256 of the first size bytes, which must be there.
func sumFile(ctx context.Context, p string, size int64) (string, error) {
	f, err := os.Open(p)
	if err != nil {
		return "", reason(err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, &stoppable{ctx, io.LimitReader(f, size)}, make([]byte, 256<<10))
	switch {
	case err != nil:
		return "", reason(err)
	case n != size:
		return "", errChanged
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// stoppable is a reader that ends with a context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// unchanged reports whether a local source is still what scan found.
func (e *entry) unchanged() bool {
	info, err := os.Stat(e.path)
	return err == nil && info.Size() == e.size && info.ModTime().Equal(e.mtime)
}

// under joins the name of an entry to the name its root gets.
func under(root, name string) string { return strings.TrimPrefix(path.Join(root, name), "/") }

// reason strips what errors about files say twice.
func reason(err error) error {
	var (
		p *fs.PathError
		l *os.LinkError
	)
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// localFault gives a failure on this machine its kind.
func localFault(op string, err error) error {
	k := fault.Failed
	if errors.Is(err, fs.ErrNotExist) {
		k = fault.NotFound
	}
	return fault.New(k, op, "%w", reason(err))
}

// errChecksum is what must never happen and is found out when it does.
var errChecksum = errors.New("checksum: what arrived is not what was sent")

// sumRange returns the SHA-256 of n bytes from off on, "" when they cannot be
// read.
func sumRange(p string, off, n int64) string {
	f, err := os.Open(p)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if k, err := io.Copy(h, io.NewSectionReader(f, off, n)); err != nil || k != n {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// identity names a copy such that the same one, of the same sources in the same
// state, has the same name.
func identity(dest string, trees []tree) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", dest)
	for i := range trees {
		p, _ := filepath.Abs(trees[i].source)
		fmt.Fprintf(h, "%q\n", p)
		for _, e := range trees[i].entries {
			fmt.Fprintf(h, "%q %d %d\n", e.name, e.size, e.mtime.UnixNano())
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
