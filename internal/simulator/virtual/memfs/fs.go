package memfs

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// DefaultQuota bounds the bytes of all regular files together, so that a
	// typo in a simulated shell cannot exhaust the memory of the real machine.
	DefaultQuota = 512 << 20
	maxLinks     = 40  // as Linux
	maxName      = 255 // as Linux
)

// Options configure New. The zero value is a Linux-like file system.
type Options struct {
	// Now gives modification times; nil is time.Now.
	Now func() time.Time
	// FoldCase finds names whatever their case, as Windows does.
	FoldCase bool
	// Quota is in bytes; 0 means DefaultQuota.
	Quota int64
}

// FS is a file system in memory.
type FS struct {
	now   func() time.Time
	fold  bool
	quota int64

	mu   sync.RWMutex
	root *node
	used int64
	ino  uint64
	// changed is closed at the next write; nil when nobody waits.
	changed chan struct{}
}

// New returns a file system that holds only its root directory.
func New(o Options) *FS {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Quota == 0 {
		o.Quota = DefaultQuota
	}
	f := &FS{now: o.Now, fold: o.FoldCase, quota: o.Quota}
	f.root = f.newNode(fs.ModeDir|0o755, Cred{})
	f.root.children = map[string]*node{}
	return f
}

func (f *FS) newNode(mode fs.FileMode, c Cred) *node {
	f.ino++
	n := &node{mode: mode, user: c.user(), group: c.group(), mtime: f.now(), ino: f.ino}
	if mode.IsDir() {
		n.children = map[string]*node{}
	}
	return n
}

func pathErr(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// child finds name in dir and returns the name it is stored under.
func (f *FS) child(dir *node, name string) (*node, string) {
	if n, ok := dir.children[name]; ok || !f.fold {
		return n, name
	}
	for k, n := range dir.children {
		if strings.EqualFold(k, name) {
			return n, k
		}
	}
	return nil, name
}

// place is the result of walking a path: its last element in its directory.
// node is nil when there is no such entry; dir is nil only for the root.
type place struct {
	dir  *node
	name string
	node *node
	path string // absolute, without symbolic links in its directories
}

// walk resolves name. The last element is followed when follow is set.
func (f *FS) walk(c Cred, name string, follow bool) (place, error) {
	links := 0
	rest := strings.Split(path.Clean("/"+name), "/")[1:]
	cur := place{node: f.root, path: "/"}
	parents := []place{}
	for len(rest) > 0 {
		elem := rest[0]
		rest = rest[1:]
		switch {
		case elem == "" || elem == ".":
			continue
		case elem == "..":
			if len(parents) > 0 {
				cur, parents = parents[len(parents)-1], parents[:len(parents)-1]
			}
			continue
		case len(elem) > maxName:
			return place{}, ErrNameTooLong
		case cur.node == nil:
			return place{}, fs.ErrNotExist
		case !cur.node.isDir():
			return place{}, ErrNotDir
		case !cur.node.allows(c, 1):
			return place{}, fs.ErrPermission
		}
		n, stored := f.child(cur.node, elem)
		if n != nil && n.mode&fs.ModeSymlink != 0 && (follow || len(rest) > 0) {
			if links++; links > maxLinks {
				return place{}, ErrLoop
			}
			if strings.HasPrefix(n.target, "/") {
				cur, parents = place{node: f.root, path: "/"}, parents[:0]
			}
			rest = append(strings.Split(n.target, "/"), rest...)
			continue
		}
		next := place{dir: cur.node, name: stored, node: n, path: path.Join(cur.path, stored)}
		parents = append(parents, cur)
		cur = next
	}
	return cur, nil
}

// find is walk for entries that must exist.
func (f *FS) find(c Cred, name string, follow bool) (place, error) {
	p, err := f.walk(c, name, follow)
	if err == nil && p.node == nil {
		err = fs.ErrNotExist
	}
	return p, err
}

// Stat describes the file name, following symbolic links.
func (f *FS) Stat(c Cred, name string) (Info, error) { return f.stat(c, "stat", name, true) }

// Lstat describes the file name itself.
func (f *FS) Lstat(c Cred, name string) (Info, error) { return f.stat(c, "lstat", name, false) }

func (f *FS) stat(c Cred, op, name string, follow bool) (Info, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	p, err := f.find(c, name, follow)
	if err != nil {
		return Info{}, pathErr(op, name, err)
	}
	return p.node.info(path.Base(path.Clean("/" + name))), nil
}

// Access reports whether c may read (4), write (2) or execute (1) the file.
func (f *FS) Access(c Cred, name string, bit fs.FileMode) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	p, err := f.find(c, name, true)
	if err != nil {
		return pathErr("access", name, err)
	}
	for _, b := range []fs.FileMode{4, 2, 1} {
		if bit&b != 0 && !p.node.allows(c, b) {
			return pathErr("access", name, fs.ErrPermission)
		}
	}
	return nil
}

// RealPath returns the path of name without symbolic links. The last element
// need not exist.
func (f *FS) RealPath(c Cred, name string) (string, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	p, err := f.walk(c, name, true)
	if err != nil {
		return "", pathErr("realpath", name, err)
	}
	return p.path, nil
}

// ReadDir lists a directory in order of name.
func (f *FS) ReadDir(c Cred, name string) ([]Info, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	p, err := f.find(c, name, true)
	switch {
	case err != nil:
		return nil, pathErr("open", name, err)
	case !p.node.isDir():
		return nil, pathErr("open", name, ErrNotDir)
	case !p.node.allows(c, 4):
		return nil, pathErr("open", name, fs.ErrPermission)
	}
	list := make([]Info, 0, len(p.node.children))
	for k, n := range p.node.children {
		list = append(list, n.info(k))
	}
	slices.SortFunc(list, func(a, b Info) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// Readlink returns the target of a symbolic link.
func (f *FS) Readlink(c Cred, name string) (string, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	p, err := f.find(c, name, false)
	if err == nil && p.node.mode&fs.ModeSymlink == 0 {
		err = ErrInvalid
	}
	if err != nil {
		return "", pathErr("readlink", name, err)
	}
	return p.node.target, nil
}

// Usage returns the bytes used by all regular files, and the quota.
func (f *FS) Usage() (used, quota int64) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.used, f.quota
}
