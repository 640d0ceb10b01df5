package commands

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// outputFile is a file that a command makes for people: as a whole or not at all, and
// never in the place of another one without force.
type outputFile struct {
	flag, path string
	force      bool
	mode       fs.FileMode
}

// check refuses a file that is there, or a place where none can be.
func (o outputFile) check() error {
	info, err := os.Lstat(o.path)
	switch {
	case err == nil && info.IsDir():
		return fault.Usagef("--%s %s is a folder", o.flag, o.path).WithHint("name a file in it")
	case err == nil && info.Mode()&fs.ModeSymlink != 0: // whoever made it chose another file
		return fault.Usagef("--%s %s is a link to another file", o.flag, o.path).WithHint("name the file itself")
	case err == nil && !info.Mode().IsRegular():
		return fault.Usagef("--%s %s is no ordinary file", o.flag, o.path).WithHint("write to standard output, and redirect")
	case err == nil && !o.force:
		return fault.Usagef("%s exists already", o.path).WithHint("add --force to replace it, or choose another file")
	}
	if info, err := os.Stat(filepath.Dir(o.path)); err != nil || !info.IsDir() {
		return fault.Usagef("--%s %s: there is no folder %s", o.flag, o.path, filepath.Dir(o.path))
	}
	return nil
}

// write writes the file. What check refuses is refused again: another may have made
// it meanwhile.
func (o outputFile) write(data []byte) error {
	if err := o.check(); err != nil {
		return err
	}
	failed := func(err error) error { return fault.New(fault.Failed, "write "+o.path, "%w", plainPathError(err)) }
	if o.force {
		if err := config.WriteFileAtomic(o.path, data, o.mode); err != nil {
			return failed(err)
		}
		return nil
	}
	f, err := newSecretFile(o.path, o.mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(o.path)
		return failed(err)
	}
	return nil
}
