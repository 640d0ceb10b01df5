package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// sink is the folder of this machine that a download ends in. All names are
// resolved below it by the system: no link leads out of it.
type sink struct {
	root  *os.Root
	dir   string
	stage string // the staging folder in it
	again bool   // it holds what an earlier copy left

	names map[string]string // of files in place, by their lower case
}

// openSink makes the staging folder in dir.
func openSink(dir, stage string, keep bool) (*sink, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, localFault("write to "+dir, err)
	}
	s := &sink{root: root, dir: dir, stage: stage, names: map[string]string{}}
	err = root.Mkdir(stage, 0o700)
	if keep && errors.Is(err, fs.ErrExist) {
		if info, statErr := root.Lstat(stage); statErr == nil && ours(info) {
			s.again, err = true, nil
		}
	}
	if err != nil {
		_ = root.Close()
		return nil, localFault("write to "+dir, err)
	}
	return s, nil
}

func (s *sink) staged(i int) string { return path.Join(s.stage, strconv.Itoa(i)) }

// open opens the staged file of entry i for writing; nobody else can read it.
func (s *sink) open(i int) (*os.File, error) {
	return s.root.OpenFile(s.staged(i), os.O_CREATE|os.O_RDWR, 0o600)
}

// local is a name of the sink for functions that want a path.
func (s *sink) local(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// place moves a staged file to its name, with its permissions and time.
func (s *sink) place(i int, name string, e *entry, noClobber bool) (skipped bool, err error) {
	switch info, err := s.root.Lstat(name); {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, reason(err)
	case err == nil && info.IsDir():
		return false, errors.New("a folder is in its place")
	case err == nil && s.isOf(name, info):
		return false, errors.New("another file of this copy has this name here, where upper and lower case are one")
	case err == nil && noClobber:
		return true, nil
	}
	staged := s.staged(i)
	switch info, err := s.root.Lstat(staged); {
	case err != nil:
		return false, fmt.Errorf("what arrived of it is gone: %w", reason(err))
	case !info.Mode().IsRegular() || info.Size() != e.size:
		return false, errors.New("what arrived of it was changed by somebody else")
	}
	if err := errors.Join(s.root.Chmod(staged, e.mode), s.root.Chtimes(staged, e.mtime, e.mtime)); err != nil {
		return false, reason(err)
	}
	if dir := path.Dir(name); dir != "." {
		if err := s.root.MkdirAll(dir, 0o755); err != nil {
			return false, reason(err)
		}
	}
	if err := s.root.Rename(staged, name); err != nil {
		return false, reason(err)
	}
	s.names[strings.ToLower(name)] = name
	return false, nil
}

// isOf reports whether what is at name was put there by this copy, under a name
// that the file system takes for the same.
func (s *sink) isOf(name string, there fs.FileInfo) bool {
	other, ok := s.names[strings.ToLower(name)]
	if !ok {
		return false
	}
	info, err := s.root.Lstat(other)
	return err == nil && os.SameFile(info, there)
}

// folder makes a folder that its owner can fill. made says that it is new.
func (s *sink) folder(name string) (made bool, err error) {
	switch info, err := s.root.Stat(name); {
	case err == nil && info.IsDir():
		return false, nil
	case err == nil:
		return false, errors.New("a file is in its place")
	case !errors.Is(err, fs.ErrNotExist):
		return false, reason(err)
	}
	return true, unwrap(s.root.MkdirAll(name, 0o700))
}

// finish gives a folder its permissions and time.
func (s *sink) finish(name string, e *entry) error {
	return unwrap(errors.Join(s.root.Chtimes(name, e.mtime, e.mtime), s.root.Chmod(name, e.mode)))
}

// link makes a link, in place of any but a folder.
func (s *sink) link(name, target string, noClobber bool) (skipped bool, err error) {
	switch info, err := s.root.Lstat(name); {
	case err == nil && noClobber:
		return true, nil
	case err == nil && info.IsDir():
		return false, errors.New("a folder is in its place")
	case err == nil:
		if err := s.root.Remove(name); err != nil {
			return false, reason(err)
		}
	}
	return false, unwrap(s.root.Symlink(filepath.FromSlash(target), name))
}

// close removes the staging folder, unless it is to be kept.
func (s *sink) close(keep bool) {
	if !keep {
		_ = s.root.RemoveAll(s.stage)
	}
	_ = s.root.Close()
}

func unwrap(err error) error {
	if err == nil {
		return nil
	}
	return reason(err)
}

// localTarget decides, as cp does, in which folder the copies of trees end and
// what they are called there.
func localTarget(dest string, trees []tree) (dir string, roots []string, err error) {
	info, err := os.Stat(dest)
	isDir := err == nil && info.IsDir()
	slash := os.IsPathSeparator(dest[len(dest)-1])
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", nil, localFault("write to "+dest, err)
	case !isDir && (len(trees) > 1 || slash && !trees[0].folder):
		return "", nil, fault.New(fault.NotFound, "write to "+dest, "it is not a folder").WithHint("make it: mkdir %s", dest)
	case !isDir && err == nil && trees[0].folder:
		return "", nil, fault.New(fault.Failed, "write to "+dest, "it is a file, and %s is a folder", trees[0].source)
	}
	for i := range trees {
		root := trees[i].base
		if !isDir {
			root = filepath.Base(dest)
		}
		if root != "" && !safeName(root) {
			return "", nil, fault.Usagef("%s: the name %q cannot be used here", trees[i].source, root)
		}
		if root == "" && !trees[i].folder {
			return "", nil, fault.Usagef("%s has no name", trees[i].source)
		}
		if isDir && !trees[i].folder {
			if info, err := os.Stat(filepath.Join(dest, root)); err == nil && info.IsDir() {
				return "", nil, fault.New(fault.Failed, "write to "+filepath.Join(dest, root), "it is a folder, and %s is none", trees[i].source)
			}
		}
		roots = append(roots, root)
	}
	if !isDir {
		dir := filepath.Dir(filepath.Clean(dest))
		if _, err := os.Stat(dir); err != nil {
			return "", nil, localFault("write to "+dir, err)
		}
		return dir, roots, nil
	}
	return dest, roots, nil
}
