package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Path returns the usual configuration file of the user on platform goos:
// $XDG_CONFIG_HOME/ssmdeck/config.yaml, by default under ~/.config (on macOS
// too, as most command-line tools do); %AppData%\ssmdeck\config.yaml on
// Windows. It fails when there is no home folder.
func Path(env Lookup, goos string) (string, error) {
	dir, err := userDir(env, goos, "XDG_CONFIG_HOME", ".config", "AppData")
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "config.yaml"), nil
}

// CacheDir returns the folder for what can be fetched again:
// $XDG_CACHE_HOME/ssmdeck, by default under ~/.cache;
// %LocalAppData%\ssmdeck\cache on Windows. The folder may not exist yet.
func CacheDir(env Lookup, goos string) (string, error) {
	dir, err := userDir(env, goos, "XDG_CACHE_HOME", ".cache", "LocalAppData")
	if err == nil && goos == "windows" {
		dir = filepath.Join(dir, "cache")
	}
	return dir, err
}

// StateDir returns the folder for what should stay: history, logs, recordings.
// It is $XDG_STATE_HOME/ssmdeck, by default under ~/.local/state;
// %LocalAppData%\ssmdeck\state on Windows. The folder may not exist yet.
func StateDir(env Lookup, goos string) (string, error) {
	dir, err := userDir(env, goos, "XDG_STATE_HOME", filepath.Join(".local", "state"), "LocalAppData")
	if err == nil && goos == "windows" {
		dir = filepath.Join(dir, "state")
	}
	return dir, err
}

// userDir applies the XDG Base Directory rules: a relative path in a variable
// is ignored.
func userDir(env Lookup, goos, xdg, below, windows string) (string, error) {
	if dir := get(env, xdg); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ssmdeck"), nil
	}
	if goos == "windows" {
		if dir := get(env, windows); dir != "" {
			return filepath.Join(dir, "ssmdeck"), nil
		}
		return "", fmt.Errorf("%%%s%% is not set", windows)
	}
	home := get(env, "HOME")
	if home == "" {
		return "", errors.New("HOME is not set")
	}
	return filepath.Join(home, below, "ssmdeck"), nil
}

// ReadRegular reads a file of at most so many bytes. Anything else than a regular file
// is refused: a pipe might never end. The error does not name the file.
func ReadRegular(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, errors.Unwrap(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no plain file: a folder, a pipe or a device is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("it is larger than %d bytes", most)
	}
	return data, err
}

// WriteFileAtomic writes data to path so that a reader, or a crash, sees the
// old content or the new one and nothing between. Missing folders are made
// with mode 0700. When path is a symbolic link, the file it names is replaced
// and the link stays.
func WriteFileAtomic(path string, data []byte, perm os.FileMode) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "."+strings.TrimPrefix(filepath.Base(path), ".")+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	if err := tmp.Chmod(perm); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
