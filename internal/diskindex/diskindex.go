// Package diskindex keeps lists of names on disk, one file for each account and
// Region, so that completion and pickers show something before the network has
// answered.
//
// Guarantees: a reader sees the old file or the new one, never a part; only the user
// can read it; one process at a time makes a list anew.
package diskindex

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// Fresh is how old a list may be before somebody should make it anew, and how long
	// a claim holds.
	Fresh = time.Minute
	// Oldest is how old a list may be to be shown at all.
	Oldest = 7 * 24 * time.Hour

	sizeLimit = 64 << 20 // bytes; a larger file is not ours
)

// Key says whose list it is.
type Key struct {
	Profile, Region string
	Endpoint        string // and whatever else decides who is asked
}

// Files are the lists of one kind of thing. The folder is made when it is missing.
type Files struct {
	Dir  string
	Kind string // in the names of the files: nodes, parameters
}

// Read returns the file of key; ok is false when there is none that can be ours.
func (f Files) Read(key Key) (text string, ok bool) {
	path := f.path(key)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > sizeLimit {
		return "", false
	}
	raw, err := os.ReadFile(path)
	return string(raw), err == nil
}

// Write replaces the file of key by one of mode 0600.
func (f Files) Write(key Key, data []byte) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return fmt.Errorf("make the cache folder: %w", err)
	}
	if err := f.replace(f.path(key), data); err != nil {
		return fmt.Errorf("write the index of %s: %w", f.Kind, err)
	}
	return nil
}

func (f Files) replace(path string, data []byte) (err error) {
	tmp, err := os.CreateTemp(f.Dir, "."+f.Kind+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		_ = tmp.Close()
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// Claim lets one process at a time make the list of key anew. It holds until Unclaim,
// or Fresh: what fails is not tried at every key press.
func (f Files) Claim(key Key, now time.Time) bool {
	path := f.lock(key)
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return false
	}
	for range 2 {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return file.Close() == nil
		}
		info, serr := os.Stat(path)
		if !errors.Is(err, fs.ErrExist) || serr != nil || now.Sub(info.ModTime()) < Fresh {
			return false
		}
		_ = os.Remove(path) // of somebody who failed or was killed
	}
	return false
}

// Unclaim gives a claim back.
func (f Files) Unclaim(key Key) { _ = os.Remove(f.lock(key)) }

func (f Files) lock(key Key) string { return f.path(key) + ".lock" }

// path hashes the key: a profile name is not always a file name.
func (f Files) path(key Key) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{key.Profile, key.Region, key.Endpoint}, "\x00")))
	return filepath.Join(f.Dir, f.Kind+"-"+hex.EncodeToString(sum[:12])+".tsv")
}
