// Package history remembers what looks at the patching of a whole scope counted,
// because the service does not: each scan overwrites what the last one found. A
// look is one small record of numbers, kept on this machine for its user alone.
//
// What it guarantees: a record holds no id of a node and nothing that was typed but
// the expression that says which nodes were meant, with ids replaced (see Scope).
// Several processes may append at the same time, a process may be killed while it
// does, and the files stay below a size; nothing of that loses a record that was
// written before.
package history

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Look is what one look at a scope counted. The numbers from NonCompliant on are
// nodes; a node may be in several of them.
type Look struct {
	Time    time.Time `json:"time"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Scope   string    `json:"scope"` // see Scope

	Nodes         int `json:"nodes"`
	Compliant     int `json:"compliant"`
	NonCompliant  int `json:"noncompliant"`
	Critical      int `json:"critical"` // nodes that lack critical patches
	Security      int `json:"security"`
	Missing       int `json:"missing"`
	Failed        int `json:"failed"`
	PendingReboot int `json:"pending_reboot"`
	NeverScanned  int `json:"never_scanned"`
	Unknown       int `json:"unknown,omitempty"` // nodes whose state could not be read

	OldestScan time.Time `json:"oldest_scan,omitzero"` // zero: no node was ever scanned
}

// Share is the part of the nodes that are compliant, 0 to 1, of those whose state
// could be read. Nodes that were never scanned count, and are not compliant. any is
// false where there was no such node.
func (l Look) Share() (share float64, any bool) {
	n := l.Nodes - l.Unknown
	if n <= 0 {
		return 0, false
	}
	return float64(l.Compliant) / float64(n), true
}

// Everything is the scope of a look at all nodes.
const Everything = "everything"

var nodeIDs = pattern.Lazy(`\bm?i-[0-9a-f]{8,17}\b`)

// Scope writes down which nodes were meant: target expressions, tags and a filter.
// Ids become short hashes, so that two looks at the same nodes have the same scope
// and the nodes are not in it.
func Scope(targets, tags []string, filter string) string {
	words := slices.Clone(targets)
	for _, t := range tags {
		words = append(words, "tag:"+t)
	}
	if filter = strings.Join(strings.Fields(filter), " "); filter != "" {
		words = append(words, "where "+filter)
	}
	s := strings.Join(words, " ")
	if s == "" {
		return Everything
	}
	s = nodeIDs().ReplaceAllStringFunc(s, func(id string) string {
		sum := sha256.Sum256([]byte(id))
		kind, _, _ := strings.Cut(id, "-")
		return kind + "-#" + hex.EncodeToString(sum[:4])
	})
	if len(s) <= maxScope {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	cut := maxScope - 12
	for cut > 0 && s[cut]&0xc0 == 0x80 { // not within a character
		cut--
	}
	return s[:cut] + "…#" + hex.EncodeToString(sum[:4])
}

// maxScope bounds a scope in bytes, so that a record is written at once.
const maxScope = 512

// Sizes of the files in bytes.
const (
	maxFile   = 1 << 20 // from here on the next file is begun
	maxRecord = 4 << 10 // of a line; a longer one is damage
)

// Store is the folder of the looks. The zero Store keeps nothing. It may be used
// by several goroutines and processes.
type Store struct {
	Dir string
	// most is from how many bytes on the next file is begun; 0 means maxFile.
	most int64
}

// Append writes a look down. It goes to the end of the newest file; when that is
// full, a new one is begun, and of the old ones only the one before is kept. Every
// record begins with a line break: what a killed process left stays on a line of
// its own.
func (s Store) Append(l Look) error {
	const op = "keep the history"
	if s.Dir == "" {
		return nil
	}
	l.Time, l.OldestScan = l.Time.UTC().Truncate(time.Second), l.OldestScan.UTC()
	record, err := json.Marshal(l)
	if err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	if len(record) > maxRecord-2 {
		return fault.New(fault.Failed, op, "the record is too long")
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	files, err := s.files()
	if err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	newest := 1
	if n := len(files); n > 0 {
		newest = files[n-1]
		info, err := os.Stat(s.path(newest))
		if err == nil && info.Size() >= cmp.Or(s.most, maxFile) {
			newest++
		}
	}
	f, err := os.OpenFile(s.path(newest), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	_, err = f.Write(slices.Concat([]byte("\n"), record, []byte("\n"))) // one write: others see all of it or nothing
	if err := errors.Join(err, f.Close()); err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	// Two files back nobody writes any more: a process would have to be as slow as
	// the others need to fill a file.
	for _, n := range files {
		if n < newest-1 {
			_ = os.Remove(s.path(n))
		}
	}
	return nil
}

// Looks returns what is kept, the oldest first, and how many damaged lines were
// passed over. A folder that is not there holds nothing.
func (s Store) Looks() (looks []Look, damaged int, err error) {
	const op = "read the history"
	files, err := s.files()
	if err != nil {
		return nil, 0, fault.New(fault.Failed, op, "%w", err)
	}
	for _, n := range files {
		data, err := os.ReadFile(s.path(n))
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process has begun a new file meanwhile
		}
		if err != nil {
			return nil, 0, fault.New(fault.Failed, op, "%w", err)
		}
		found, bad := parse(data)
		looks, damaged = append(looks, found...), damaged+bad
	}
	slices.SortStableFunc(looks, func(a, b Look) int { return a.Time.Compare(b.Time) })
	return looks, damaged, nil
}

// parse reads the lines of a file.
func parse(data []byte) (looks []Look, damaged int) {
	r := bufio.NewReaderSize(bytes.NewReader(data), maxRecord)
	for {
		line, long, err := r.ReadLine()
		if errors.Is(err, io.EOF) {
			return looks, damaged
		}
		if long {
			damaged++
			for long && err == nil {
				_, long, err = r.ReadLine()
			}
			continue
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var l Look
		if json.Unmarshal(line, &l) != nil || l.Time.IsZero() || l.Nodes < 0 || l.Compliant < 0 || l.Unknown < 0 || l.Compliant+l.Unknown > l.Nodes {
			damaged++
			continue
		}
		looks = append(looks, l)
	}
}

const (
	filePrefix = "patch-"
	fileSuffix = ".jsonl"
)

func (s Store) path(n int) string {
	return filepath.Join(s.Dir, fmt.Sprintf("%s%06d%s", filePrefix, n, fileSuffix))
}

// files are the numbers of the files, ascending.
func (s Store) files() ([]int, error) {
	if s.Dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []int
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), filePrefix)
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(name, fileSuffix)); err == nil && n > 0 && strings.HasSuffix(name, fileSuffix) {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// Latest returns the newest looks that keep says yes to, at most n of them, the
// oldest first.
func Latest(looks []Look, n int, keep func(Look) bool) []Look {
	var out []Look
	for _, l := range looks {
		if keep(l) {
			out = append(out, l)
		}
	}
	return out[max(0, len(out)-n):]
}

// Same says yes to looks at the same scope of the same account and Region.
func (l Look) Same(o Look) bool {
	return l.Account == o.Account && l.Region == o.Region && l.Scope == o.Scope
}
