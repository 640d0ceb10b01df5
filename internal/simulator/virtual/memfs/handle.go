package memfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
)

// Handle is an open file.
type Handle struct {
	fs    *FS
	name  string
	flag  int
	node  *node
	dev   Device
	fixed []byte // content of a computed file
	isFix bool

	mu  sync.Mutex // guards off; taken before FS.mu
	off int64
}

// Open opens name with the flags of package os. perm is used for a new file.
func (f *FS) Open(c Cred, name string, flag int, perm fs.FileMode) (*Handle, error) {
	h, err := f.open(c, name, flag, perm)
	if err != nil {
		return nil, pathErr("open", name, err)
	}
	if h.isFix {
		h.fixed = h.node.content() // outside the lock: it may look at the machine
	}
	return h, nil
}

func (f *FS) open(c Cred, name string, flag int, perm fs.FileMode) (*Handle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.walk(c, name, true)
	if err != nil {
		return nil, err
	}
	write := flag&(os.O_WRONLY|os.O_RDWR) != 0
	n := p.node
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return nil, fs.ErrNotExist
	case n == nil:
		if n, err = f.add(c, p, perm&settable); err != nil {
			return nil, err
		}
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, fs.ErrExist
	case n.isDir() && write:
		return nil, ErrIsDir
	case flag&os.O_WRONLY == 0 && !n.allows(c, 4), write && !n.allows(c, 2):
		return nil, fs.ErrPermission
	case write && n.content != nil:
		return nil, fs.ErrPermission
	}
	if write && flag&os.O_TRUNC != 0 && n.device == nil {
		f.used -= int64(len(n.data))
		n.data = nil
		f.touch(n)
	}
	h := &Handle{fs: f, name: name, flag: flag, node: n, isFix: n.content != nil}
	if n.device != nil {
		h.dev = n.device()
	}
	return h, nil
}

// touch notes a change of n and wakes who waits for one.
func (f *FS) touch(n *node) {
	n.mtime = f.now()
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// Name returns the path the file was opened by.
func (h *Handle) Name() string { return h.name }

// Read reads from the current offset.
func (h *Handle) Read(p []byte) (int, error) {
	switch {
	case h.flag&os.O_WRONLY != 0:
		return 0, pathErr("read", h.name, fs.ErrClosed)
	case h.dev != nil:
		return h.dev.Read(p)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	if h.node.isDir() {
		return 0, pathErr("read", h.name, ErrIsDir)
	}
	data := h.data()
	if h.off >= int64(len(data)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(p, data[h.off:])
	h.off += int64(n)
	return n, nil
}

func (h *Handle) data() []byte {
	if h.isFix {
		return h.fixed
	}
	return h.node.data
}

// Write writes at the current offset, or at the end with os.O_APPEND.
func (h *Handle) Write(p []byte) (int, error) {
	switch {
	case h.flag&(os.O_WRONLY|os.O_RDWR) == 0:
		return 0, pathErr("write", h.name, fs.ErrClosed)
	case h.dev != nil:
		return h.dev.Write(p)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	n := h.node
	if h.flag&os.O_APPEND != 0 {
		h.off = int64(len(n.data))
	}
	end := h.off + int64(len(p))
	if grow := end - int64(len(n.data)); grow > 0 {
		if f.used+grow > f.quota {
			return 0, pathErr("write", h.name, ErrNoSpace)
		}
		f.used += grow
		n.data = extend(n.data, int(end))
	}
	copy(n.data[h.off:], p)
	h.off = end
	f.touch(n)
	return len(p), nil
}

// extend returns data with length size; what is new is zero.
func extend(data []byte, size int) []byte {
	old := len(data)
	if size <= cap(data) {
		data = data[:size]
		clear(data[old:])
		return data
	}
	return append(data, make([]byte, size-old)...)
}

// Seek sets the offset as io.Seeker says.
func (h *Handle) Seek(offset int64, whence int) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += h.off
	case io.SeekEnd:
		h.fs.mu.RLock()
		offset += int64(len(h.data()))
		h.fs.mu.RUnlock()
	}
	// A far offset would make the next Write allocate everything before it.
	if offset < 0 || offset > h.fs.quota {
		return 0, pathErr("seek", h.name, ErrInvalid)
	}
	h.off = offset
	return offset, nil
}

// Truncate sets the length of the file.
func (h *Handle) Truncate(size int64) error {
	f := h.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	n := h.node
	grow := size - int64(len(n.data))
	switch {
	case size < 0 || h.dev != nil || h.isFix || n.isDir():
		return pathErr("truncate", h.name, ErrInvalid)
	case f.used+grow > f.quota:
		return pathErr("truncate", h.name, ErrNoSpace)
	}
	f.used += grow
	if grow > 0 {
		n.data = extend(n.data, int(size))
	} else {
		n.data = n.data[:size]
	}
	f.touch(n)
	return nil
}

// Changed returns a channel that is closed at the next write to any file.
func (f *FS) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	return f.changed
}

// Size returns the length the file has now.
func (h *Handle) Size() int64 {
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	return int64(len(h.data()))
}

// Device returns the device behind the file, or nil.
func (h *Handle) Device() Device { return h.dev }

// Close releases the handle. It never fails.
func (h *Handle) Close() error { return nil }

// ReadFile returns the whole content of a file.
func (f *FS) ReadFile(c Cred, name string) ([]byte, error) {
	h, err := f.Open(c, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	if h.dev != nil {
		return nil, pathErr("read", name, ErrInvalid) // /dev/zero has no end
	}
	return io.ReadAll(h)
}

// WriteFile creates or replaces a file and the directories it needs, as root.
func (f *FS) WriteFile(name, content string, perm fs.FileMode, owner Cred) error {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	h, err := f.Open(Cred{}, name, flags, perm)
	if i := lastSlash(name); errors.Is(err, fs.ErrNotExist) && i > 0 {
		if err := f.MkdirAll(Cred{}, name[:i], 0o755); err != nil {
			return err
		}
		h, err = f.Open(Cred{}, name, flags, perm)
	}
	if err != nil {
		return err
	}
	if _, err := io.WriteString(h, content); err != nil {
		return err
	}
	return f.edit(Cred{}, "chown", name, func(n *node) {
		n.user, n.group = owner.user(), owner.group()
		n.mode = n.mode&^settable | perm&settable
	})
}

func lastSlash(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '/' {
			return i
		}
	}
	return -1
}
