package fleet

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// IndexFresh is how old an index may be before somebody should refresh it.
	IndexFresh = time.Minute
	// indexAge is how old it may be to be shown at all.
	indexAge = 7 * 24 * time.Hour

	indexSize  = 64 << 20 // bytes; a larger file is not ours
	indexMagic = "ssmdeck-nodes-1"
)

// Index keeps what people look for nodes by on disk, one file for each account and
// Region: completion and the picker show it at once, and may not wait for the
// network. It never answers a command: a name may have moved to another node since.
//
// The file is text, a line a node with tabs between the fields, for it is read
// whenever Tab is pressed: 10,000 nodes take a few milliseconds. Only the user can
// read it.
type Index struct{ Dir string }

// IndexKey says whose nodes they are.
type IndexKey struct {
	Profile, Region string
	Endpoint        string // and whatever else decides who is asked
}

// IndexedNode is a node as it was when the index was made.
type IndexedNode struct {
	ID, Name, ComputerName, Ping string
	Platform, PlatformName       string // linux; Amazon Linux 2023
	IP                           string
	Tags                         []string // key=value, sorted; those that were known
}

// Load returns the nodes of key, in the order of Sort, and how old they are. ok is
// false when there are none, they are older than a week, or the file cannot be read
// or understood.
func (x Index) Load(key IndexKey, now time.Time) (nodes []IndexedNode, age time.Duration, ok bool) {
	path := x.path(key)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > indexSize {
		return nil, 0, false
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, false
	}
	saved, nodes, err := parseIndex(string(raw))
	age = now.Sub(saved)
	if err != nil || age < 0 || age > indexAge {
		return nil, 0, false
	}
	return nodes, age, true
}

var errIndex = errors.New("not an index of nodes")

// parseIndex reads the first line (magic, time in milliseconds, number of nodes)
// and as many nodes.
func parseIndex(text string) (saved time.Time, nodes []IndexedNode, err error) {
	head, rest, _ := strings.Cut(text, "\n")
	words := strings.Split(head, "\t")
	if len(words) != 3 || words[0] != indexMagic {
		return saved, nil, errIndex
	}
	ms, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return saved, nil, errIndex
	}
	n, err := strconv.Atoi(words[2])
	if err != nil || n < 0 || n > len(rest) {
		return saved, nil, errIndex
	}
	nodes = make([]IndexedNode, 0, n)
	for line := range strings.Lines(rest) {
		node, ok := parseIndexLine(line)
		if !ok {
			return saved, nil, errIndex
		}
		nodes = append(nodes, node)
	}
	if len(nodes) != n {
		return saved, nil, errIndex
	}
	return time.UnixMilli(ms), nodes, nil
}

// indexFields is how many fields stand before the tags.
const indexFields = 7

func parseIndexLine(line string) (n IndexedNode, ok bool) {
	line, ended := strings.CutSuffix(line, "\n")
	words := strings.Split(line, "\t")
	if !ended || len(words) < indexFields || words[0] == "" {
		return n, false
	}
	if strings.Contains(line, `\`) {
		for i := range words {
			words[i] = indexDecode.Replace(words[i])
		}
	}
	return IndexedNode{words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[indexFields:]}, true
}

var (
	indexEncode = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`)
	indexDecode = strings.NewReplacer(`\\`, "\\", `\t`, "\t", `\n`, "\n")
)

// Store replaces the nodes of key. A reader sees the old file or the new one, never
// a part.
func (x Index) Store(key IndexKey, now time.Time, nodes []Node) error {
	sorted := slices.Clone(nodes)
	Sort(sorted)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\t%d\t%d\n", indexMagic, now.UnixMilli(), len(sorted))
	for _, n := range sorted {
		for i, w := range append([]string{
			n.ID, n.Name, n.ComputerName, n.Ping, n.Platform, strings.TrimSpace(n.PlatformName + " " + n.PlatformVersion), n.IP,
		}, tagPairs(n.Tags)...) {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(indexEncode.Replace(w))
		}
		b.WriteByte('\n')
	}
	if err := os.MkdirAll(x.Dir, 0o700); err != nil {
		return fmt.Errorf("make the cache folder: %w", err)
	}
	return replace(x.path(key), b.Bytes())
}

func tagPairs(tags map[string]string) []string {
	pairs := make([]string, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		pairs = append(pairs, k+"="+tags[k])
	}
	return pairs
}

// Claim lets one process at a time refresh the index of key. It holds until Unclaim,
// or IndexFresh: what fails is not tried at every key press.
func (x Index) Claim(key IndexKey, now time.Time) bool {
	path := x.lock(key)
	if err := os.MkdirAll(x.Dir, 0o700); err != nil {
		return false
	}
	for range 2 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return f.Close() == nil
		}
		info, serr := os.Stat(path)
		if !errors.Is(err, fs.ErrExist) || serr != nil || now.Sub(info.ModTime()) < IndexFresh {
			return false
		}
		_ = os.Remove(path) // of somebody who failed or was killed
	}
	return false
}

// Unclaim gives a claim back.
func (x Index) Unclaim(key IndexKey) { _ = os.Remove(x.lock(key)) }

func (x Index) lock(key IndexKey) string { return x.path(key) + ".lock" }

// replace writes a file of mode 0600 beside path and renames it.
func replace(path string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".nodes-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the index of nodes: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		_ = tmp.Close()
		return fmt.Errorf("write the index of nodes: %w", err)
	}
	if err = tmp.Close(); err != nil {
		return fmt.Errorf("write the index of nodes: %w", err)
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("write the index of nodes: %w", err)
	}
	return nil
}

// path hashes the key: a profile name is not always a file name.
func (x Index) path(key IndexKey) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{key.Profile, key.Region, key.Endpoint}, "\x00")))
	return filepath.Join(x.Dir, "nodes-"+hex.EncodeToString(sum[:12])+".tsv")
}
