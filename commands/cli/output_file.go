package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// OutputFile is a file that a command makes for people: as a whole or not at all, and
// never in the place of another one without force.
type OutputFile struct {
	Flag, Path string
	Force      bool
	Mode       fs.FileMode
}

// Check refuses a file that is there, or a place where none can be.
func (o OutputFile) Check() error {
	info, err := os.Lstat(o.Path)
	switch {
	case err == nil && info.IsDir():
		return fault.Usagef("--%s %s is a folder", o.Flag, o.Path).WithHint("name a file in it")
	case err == nil && info.Mode()&fs.ModeSymlink != 0: // whoever made it chose another file
		return fault.Usagef("--%s %s is a link to another file", o.Flag, o.Path).WithHint("name the file itself")
	case err == nil && !info.Mode().IsRegular():
		return fault.Usagef("--%s %s is no ordinary file", o.Flag, o.Path).WithHint("write to standard output, and redirect")
	case err == nil && !o.Force:
		return fault.Usagef("%s exists already", o.Path).WithHint("add --force to replace it, or choose another file")
	}
	if info, err := os.Stat(filepath.Dir(o.Path)); err != nil || !info.IsDir() {
		return fault.Usagef("--%s %s: there is no folder %s", o.Flag, o.Path, filepath.Dir(o.Path))
	}
	return nil
}

// Write writes the file. What check refuses is refused again: another may have made
// it meanwhile.
func (o OutputFile) Write(data []byte) error {
	if err := o.Check(); err != nil {
		return err
	}
	failed := func(err error) error { return fault.New(fault.Failed, "write "+o.Path, "%w", PlainPathError(err)) }
	if o.Force {
		if err := config.WriteFileAtomic(o.Path, data, o.Mode); err != nil {
			return failed(err)
		}
		return nil
	}
	f, err := NewSecretFile(o.Path, o.Mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(o.Path)
		return failed(err)
	}
	return nil
}

// SecretMode is that of a file with a secret in it: nobody else's to read.
const SecretMode os.FileMode = 0o600

// NewSecretFile makes a file that nobody else can read.
func NewSecretFile(path string, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	switch {
	case errors.Is(err, os.ErrExist):
		return nil, fault.Usagef("%s exists already", path).WithHint("remove it, or choose another file")
	case err != nil:
		return nil, fault.New(fault.Usage, "write "+path, "%w", PlainPathError(err))
	}
	return f, nil
}

// Hide takes a file that standard output was led to from others, before a code
// is written to it.
func Hide(env *Env, mode os.FileMode) {
	f, ok := env.Out.(*os.File)
	if !ok || runtime.GOOS == "windows" {
		return
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return
	}
	if f.Chmod(mode) == nil {
		env.Note("made the file readable by you alone: it holds a secret")
	}
}
