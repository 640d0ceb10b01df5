package document

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// namesAge and paramsAge are for how long completion trusts what it has seen.
	namesAge  = 10 * time.Minute
	paramsAge = time.Hour

	cacheSize = 8 << 20 // bytes; a larger file is not ours
	cacheDocs = 50      // documents whose parameters are kept
)

// Cache keeps names of documents and of their parameters on disk for shell
// completion, which may not wait for the network. It never answers a command, and
// holds no value: a default may be a secret.
type Cache struct{ Dir string }

// CachedName is a document's name with its type.
type CachedName struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type cacheFile struct {
	Saved time.Time            `json:"saved"` // of the names
	Names []CachedName         `json:"names,omitempty"`
	Docs  map[string]cachedDoc `json:"documents,omitempty"` // by name and version
}

type cachedDoc struct {
	Saved      time.Time   `json:"saved"`
	Type       string      `json:"type"`
	Parameters []Parameter `json:"parameters"`
}

// Names returns the names stored under key at most ten minutes before now.
func (c Cache) Names(key string, now time.Time) ([]CachedName, bool) {
	f, ok := c.load(key)
	return f.Names, ok && f.Names != nil && fresh(f.Saved, now, namesAge)
}

// StoreNames replaces the names of key.
func (c Cache) StoreNames(key string, now time.Time, names []CachedName) error {
	f, _ := c.load(key)
	f.Saved, f.Names = now, names
	return c.store(key, f)
}

// Document returns what was stored of a document at most an hour before now: its
// type and its parameters, without defaults.
func (c Cache) Document(key, name, version string, now time.Time) (Document, bool) {
	f, _ := c.load(key)
	d, ok := f.Docs[name+"@"+version]
	if !ok || !fresh(d.Saved, now, paramsAge) {
		return Document{}, false
	}
	return Document{Name: name, Type: d.Type, Parameters: d.Parameters}, true
}

// StoreDocument keeps the parameters of a document; the oldest ones go when they
// are too many.
func (c Cache) StoreDocument(key, version string, now time.Time, doc Document) error {
	f, _ := c.load(key)
	if f.Docs == nil {
		f.Docs = map[string]cachedDoc{}
	}
	d := cachedDoc{Saved: now, Type: doc.Type, Parameters: slices.Clone(doc.Parameters)}
	for i := range d.Parameters {
		d.Parameters[i].Default = ""
	}
	f.Docs[doc.Name+"@"+version] = d
	for len(f.Docs) > cacheDocs {
		oldest := ""
		for name, d := range f.Docs {
			if oldest == "" || d.Saved.Before(f.Docs[oldest].Saved) {
				oldest = name
			}
		}
		delete(f.Docs, oldest)
	}
	return c.store(key, f)
}

func fresh(saved, now time.Time, most time.Duration) bool {
	age := now.Sub(saved)
	return age >= 0 && age <= most
}

func (c Cache) path(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(c.Dir, "documents-"+hex.EncodeToString(sum[:8])+".json")
}

// load returns an empty file when there is none, or it cannot be understood.
func (c Cache) load(key string) (f cacheFile, ok bool) {
	path := c.path(key)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > cacheSize {
		return cacheFile{}, false
	}
	raw, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(raw, &f) != nil {
		return cacheFile{}, false
	}
	return f, true
}

// store writes a file that only the user can read. A reader sees the old one or
// the new one, never a part.
func (c Cache) store(key string, f cacheFile) (err error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("make the cache folder: %w", err)
	}
	tmp, err := os.CreateTemp(c.Dir, "documents-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(raw); err != nil {
		_ = tmp.Close()
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), c.path(key))
}

// FlagName writes the name of a parameter as people write flags: InstanceType is
// instance-type, kmsKeyId kms-key-id, S3BucketName s3-bucket-name.
func FlagName(parameter string) string {
	var b strings.Builder
	runes := []rune(parameter)
	upper := func(i int) bool { return i >= 0 && i < len(runes) && runes[i] >= 'A' && runes[i] <= 'Z' }
	lower := func(i int) bool { return i >= 0 && i < len(runes) && runes[i] >= 'a' && runes[i] <= 'z' }
	digit := func(i int) bool { return i >= 0 && runes[i] >= '0' && runes[i] <= '9' }
	for i, r := range runes {
		switch {
		case r == '_' || r == '.':
			r = '-'
		case upper(i) && (lower(i-1) || digit(i-1) || upper(i-1) && lower(i+1)):
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// Switch reports whether a parameter is one that is on or off, and what on is:
// a Boolean, or a text that can be true or false only.
func (p Parameter) Switch() (on string, ok bool) {
	if p.Type == Boolean {
		return "true", true
	}
	if p.Type != String || len(p.AllowedValues) != 2 {
		return "", false
	}
	for _, v := range p.AllowedValues {
		switch strings.ToLower(v) {
		case "true":
			on = v
		case "false":
		default:
			return "", false
		}
	}
	return on, on != ""
}

// IsList reports whether a parameter takes several values.
func (p Parameter) IsList() bool { return p.Type.list() }
