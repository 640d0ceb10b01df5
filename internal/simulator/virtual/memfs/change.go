package memfs

import (
	"io/fs"
	"path"
	"strings"
	"time"
)

// settable are the mode bits that Chmod changes.
const settable = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// add creates an entry of the given mode where p says.
func (f *FS) add(c Cred, p place, mode fs.FileMode) (*node, error) {
	switch {
	case p.node != nil:
		return nil, fs.ErrExist
	case p.dir == nil:
		return nil, fs.ErrNotExist
	case !p.dir.allows(c, 2):
		return nil, fs.ErrPermission
	}
	n := f.newNode(mode, c)
	p.dir.children[p.name] = n
	p.dir.mtime = n.mtime
	return n, nil
}

// create resolves name and adds an entry, under the lock.
func (f *FS) create(c Cred, op, name string, mode fs.FileMode, fill func(*node)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.walk(c, name, false)
	if err == nil {
		var n *node
		if n, err = f.add(c, p, mode); err == nil {
			fill(n)
		}
	}
	if err != nil {
		return pathErr(op, name, err)
	}
	return nil
}

// Mkdir creates one directory.
func (f *FS) Mkdir(c Cred, name string, perm fs.FileMode) error {
	return f.create(c, "mkdir", name, fs.ModeDir|perm&settable, func(*node) {})
}

// MkdirAll creates a directory and the parents that are missing.
func (f *FS) MkdirAll(c Cred, name string, perm fs.FileMode) error {
	done := "/"
	for elem := range strings.SplitSeq(strings.Trim(path.Clean("/"+name), "/"), "/") {
		done = path.Join(done, elem)
		info, err := f.Stat(c, done)
		switch {
		case err != nil:
			if err := f.Mkdir(c, done, perm); err != nil {
				return err
			}
		case !info.IsDir():
			return pathErr("mkdir", name, ErrNotDir)
		}
	}
	return nil
}

// Symlink creates a symbolic link at name.
func (f *FS) Symlink(c Cred, target, name string) error {
	return f.create(c, "symlink", name, fs.ModeSymlink|0o777, func(n *node) { n.target = target })
}

// AddDevice creates a character device; open is called for each opening.
func (f *FS) AddDevice(name string, open func() Device) error {
	return f.create(Cred{}, "mknod", name, fs.ModeDevice|fs.ModeCharDevice|0o666, func(n *node) { n.device = open })
}

// AddComputed creates a read-only file whose content is asked for each time it
// is opened. content must not call back into the file system.
func (f *FS) AddComputed(name string, perm fs.FileMode, content func() []byte) error {
	return f.create(Cred{}, "create", name, perm&settable, func(n *node) { n.content = content })
}

// Remove deletes a file, a symbolic link or an empty directory.
func (f *FS) Remove(c Cred, name string) error { return f.remove(c, name, false) }

// RemoveAll deletes name and, for a directory, everything below it.
func (f *FS) RemoveAll(c Cred, name string) error { return f.remove(c, name, true) }

func (f *FS) remove(c Cred, name string, all bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.find(c, name, false)
	switch {
	case err != nil:
	case p.dir == nil:
		err = fs.ErrPermission // the root directory
	case !p.dir.allows(c, 2):
		err = fs.ErrPermission
	case p.dir.mode&fs.ModeSticky != 0 && !c.root() && p.node.user != c.user():
		err = fs.ErrPermission
	case len(p.node.children) > 0 && !all:
		err = ErrNotEmpty
	case len(p.node.children) > 0 && !p.node.allows(c, 2):
		err = fs.ErrPermission
	}
	if err != nil {
		return pathErr("remove", name, err)
	}
	f.used -= weight(p.node)
	delete(p.dir.children, p.name)
	p.dir.mtime = f.now()
	return nil
}

// weight is the bytes of all regular files at and below n.
func weight(n *node) int64 {
	w := int64(len(n.data))
	for _, c := range n.children {
		w += weight(c)
	}
	return w
}

// Rename moves a file or directory; an existing file at to is replaced.
func (f *FS) Rename(c Cred, from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	src, err := f.find(c, from, false)
	if err != nil {
		return pathErr("rename", from, err)
	}
	dst, err := f.walk(c, to, false)
	switch {
	case err != nil:
	case src.dir == nil || dst.dir == nil:
		err = ErrInvalid
	case src.node == dst.node:
		return nil
	case !src.dir.allows(c, 2) || !dst.dir.allows(c, 2):
		err = fs.ErrPermission
	case src.node.isDir() && strings.HasPrefix(dst.path+"/", src.path+"/"):
		err = ErrInvalid
	case dst.node != nil && dst.node.isDir() && !src.node.isDir():
		err = ErrIsDir
	case dst.node != nil && src.node.isDir() && !dst.node.isDir():
		err = ErrNotDir
	case dst.node != nil && len(dst.node.children) > 0:
		err = ErrNotEmpty
	}
	if err != nil {
		return pathErr("rename", to, err)
	}
	if dst.node != nil {
		f.used -= weight(dst.node)
	}
	delete(src.dir.children, src.name)
	dst.dir.children[dst.name] = src.node
	src.dir.mtime, dst.dir.mtime = f.now(), f.now()
	return nil
}

// edit changes attributes of name if c owns it.
func (f *FS) edit(c Cred, op, name string, change func(*node)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.find(c, name, true)
	if err == nil && !c.root() && p.node.user != c.user() {
		err = ErrNotPermitted
	}
	if err != nil {
		return pathErr(op, name, err)
	}
	change(p.node)
	return nil
}

// Chmod sets the permission bits; only the owner and root may.
func (f *FS) Chmod(c Cred, name string, mode fs.FileMode) error {
	return f.edit(c, "chmod", name, func(n *node) { n.mode = n.mode&^settable | mode&settable })
}

// Chown sets owner and group, "" keeping what is there; only root may.
func (f *FS) Chown(c Cred, name, user, group string) error {
	if !c.root() {
		return pathErr("chown", name, ErrNotPermitted)
	}
	return f.edit(c, "chown", name, func(n *node) {
		if user != "" {
			n.user = user
		}
		if group != "" {
			n.group = group
		}
	})
}

// Chtimes sets the modification time; the owner may, and who can write.
func (f *FS) Chtimes(c Cred, name string, mtime time.Time) error {
	who := c
	if f.Access(c, name, 2) == nil {
		who = Cred{}
	}
	return f.edit(who, "chtimes", name, func(n *node) { n.mtime = mtime })
}
