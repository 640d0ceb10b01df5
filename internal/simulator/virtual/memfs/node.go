// Package memfs is a file system in memory with the semantics a shell expects:
// owners and permission bits, symbolic links, devices, files whose content is
// computed when they are opened, and a quota.
//
// It never touches the file system of the machine it runs on. Paths are
// absolute and use slashes; errors are *fs.PathError around the fs and syscall
// style errors of this package. All methods of FS and Handle are safe for
// concurrent use.
package memfs

import (
	"errors"
	"io"
	"io/fs"
	"time"
)

// Errors that io/fs has no name for. Their texts are those of strerror(3).
var (
	ErrNotDir       = errors.New("Not a directory")
	ErrIsDir        = errors.New("Is a directory")
	ErrNotEmpty     = errors.New("Directory not empty")
	ErrNoSpace      = errors.New("No space left on device")
	ErrLoop         = errors.New("Too many levels of symbolic links")
	ErrInvalid      = errors.New("Invalid argument")
	ErrReadOnly     = errors.New("Read-only file system")
	ErrNameTooLong  = errors.New("File name too long")
	ErrNotPermitted = errors.New("Operation not permitted")
)

// Reason returns the strerror(3) text of err, "No such file or directory" and
// the like, as programs print it after the name of a file.
func Reason(err error) string {
	switch {
	case err == nil:
		return "Success"
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, fs.ErrExist):
		return "File exists"
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied"
	case errors.Is(err, fs.ErrClosed):
		return "Bad file descriptor"
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// Cred is who asks. The zero value is the superuser, for whom every check
// passes.
type Cred struct {
	// User is the account name; "" and "root" are the superuser.
	User string
	// Group is the primary group; "" means the same name as the user.
	Group string
}

func (c Cred) root() bool { return c.User == "" || c.User == "root" || c.User == "SYSTEM" }

func (c Cred) user() string {
	if c.User == "" {
		return "root"
	}
	return c.User
}

func (c Cred) group() string {
	if c.Group == "" {
		return c.user()
	}
	return c.Group
}

// Device is the behaviour of a character device such as /dev/zero.
type Device interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
}

// Discard is /dev/null.
type Discard struct{}

// Read always returns io.EOF.
func (Discard) Read([]byte) (int, error) { return 0, io.EOF }

// Write swallows p.
func (Discard) Write(p []byte) (int, error) { return len(p), nil }

// node is an inode. Its fields are guarded by FS.mu.
type node struct {
	mode     fs.FileMode
	user     string
	group    string
	mtime    time.Time
	data     []byte
	children map[string]*node // directories
	target   string           // symbolic links
	device   func() Device    // character devices
	content  func() []byte    // files computed on open; read-only
	ino      uint64
}

func (n *node) isDir() bool { return n.mode.IsDir() }

// allows reports whether c may do what bit (4 read, 2 write, 1 execute) says.
func (n *node) allows(c Cred, bit fs.FileMode) bool {
	if c.root() {
		return bit != 1 || n.isDir() || n.mode&0o111 != 0
	}
	perm := n.mode.Perm()
	switch {
	case n.user == c.user():
		perm >>= 6
	case n.group == c.group():
		perm >>= 3
	}
	return perm&bit != 0
}

func (n *node) size() int64 {
	switch {
	case n.isDir():
		return 4096
	case n.mode&fs.ModeSymlink != 0:
		return int64(len(n.target))
	default:
		return int64(len(n.data))
	}
}

// Info describes a file. It implements fs.FileInfo.
type Info struct {
	name        string
	size        int64
	mode        fs.FileMode
	mtime       time.Time
	User, Group string
	Target      string // of a symbolic link
	Links       int
	Inode       uint64
}

var _ fs.FileInfo = Info{}

// Name returns the last element of the path.
func (i Info) Name() string { return i.name }

// Size returns the length in bytes.
func (i Info) Size() int64 { return i.size }

// Mode returns type and permission bits.
func (i Info) Mode() fs.FileMode { return i.mode }

// ModTime returns the time of the last modification.
func (i Info) ModTime() time.Time { return i.mtime }

// IsDir reports whether it is a directory.
func (i Info) IsDir() bool { return i.mode.IsDir() }

// Sys returns nil.
func (i Info) Sys() any { return nil }

func (n *node) info(name string) Info {
	links := 1
	if n.isDir() {
		links = 2
		for _, c := range n.children {
			if c.isDir() {
				links++
			}
		}
	}
	return Info{
		name: name, size: n.size(), mode: n.mode, mtime: n.mtime,
		User: n.user, Group: n.group, Target: n.target, Links: links, Inode: n.ino,
	}
}
