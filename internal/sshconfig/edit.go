package sshconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Edit replaces the file at path by what change makes of it; a missing file
// counts as empty and is made with mode 0600, its folder with 0700. It reports
// whether anything was written. Whoever reads meanwhile sees the old file or the
// new one. Mode and owner are kept, and a symbolic link stays one: the file that
// it leads to is replaced.
func Edit(path string, change func([]byte) []byte) (bool, error) {
	real, old, err := read(path)
	if err != nil {
		return false, err
	}
	text := change(old)
	if bytes.Equal(text, old) {
		return false, nil
	}
	if err := os.MkdirAll(filepath.Dir(real), 0o700); err != nil {
		return false, err
	}
	return true, write(real, text)
}

// Read returns the file at path, nothing when there is none.
func Read(path string) ([]byte, error) {
	_, text, err := read(path)
	return text, err
}

// read returns the file that path leads to, and its text.
func read(path string) (real string, text []byte, err error) {
	real, err = filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return "", nil, fmt.Errorf("%s is a link to a file that does not exist", path)
		}
		return path, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	text, err = os.ReadFile(real)
	return real, text, err
}

// write replaces the file at path, or makes it.
func write(path string, text []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ssmdeck-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if info, err := os.Stat(path); err == nil {
		if err := tmp.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
		if err := keepOwner(tmp, info); err != nil {
			return err
		}
	}
	if _, err = tmp.Write(text); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
