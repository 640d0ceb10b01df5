package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	cacheAge  = 60 * time.Second
	cacheSize = 8 << 20 // bytes; a larger file is not ours
)

// Cache keeps node names on disk for shell completion, which may not wait for
// the network. It never answers a command: a name may have moved to another
// node within the minute.
type Cache struct{ Dir string }

// CacheKey says whose nodes they are.
type CacheKey struct{ Profile, Region, Endpoint string }

// CachedNode is what completion shows.
type CachedNode struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Ping     string `json:"ping,omitempty"`
	Platform string `json:"platform,omitempty"`
}

type cacheFile struct {
	Saved time.Time    `json:"saved"`
	Nodes []CachedNode `json:"nodes"`
}

// Load returns the nodes stored at most 60 s before now. ok is false when there
// are none, or the file cannot be read or understood.
func (c Cache) Load(key CacheKey, now time.Time) (nodes []CachedNode, ok bool) {
	path := c.path(key)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > cacheSize {
		return nil, false
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	var f cacheFile
	if json.Unmarshal(raw, &f) != nil {
		return nil, false
	}
	if age := now.Sub(f.Saved); age < 0 || age > cacheAge {
		return nil, false
	}
	return f.Nodes, true
}

// Store replaces the nodes of key, in a file that only the user can read. A
// reader sees the old file or the new one, never a part.
func (c Cache) Store(key CacheKey, now time.Time, nodes []Node) error {
	f := cacheFile{Saved: now, Nodes: make([]CachedNode, len(nodes))}
	for i, n := range nodes {
		f.Nodes[i] = CachedNode{ID: n.ID, Name: n.Name, Ping: n.Ping, Platform: n.Platform}
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("make the cache folder: %w", err)
	}
	return replace(c.path(key), raw)
}

// replace writes a file of mode 0600 beside path and renames it.
func replace(path string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".nodes-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the node cache: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		_ = tmp.Close()
		return fmt.Errorf("write the node cache: %w", err)
	}
	if err = tmp.Close(); err != nil {
		return fmt.Errorf("write the node cache: %w", err)
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("write the node cache: %w", err)
	}
	return nil
}

// path hashes the key: a profile name is not always a file name.
func (c Cache) path(key CacheKey) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{key.Profile, key.Region, key.Endpoint}, "\x00")))
	return filepath.Join(c.Dir, "nodes-"+hex.EncodeToString(sum[:12])+".json")
}
