package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/diskindex"
)

const (
	// indexAge is how old an index may be to be shown at all.
	indexAge = diskindex.Oldest

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
type IndexKey = diskindex.Key

// Files are where the nodes are.
func (x Index) Files() diskindex.Files { return diskindex.Files{Dir: x.Dir, Kind: "nodes"} }

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
	raw, ok := x.Files().Read(key)
	if !ok {
		return nil, 0, false
	}
	saved, nodes, err := parseIndex(raw)
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
	return x.Files().Write(key, b.Bytes())
}

func tagPairs(tags map[string]string) []string {
	pairs := make([]string, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		pairs = append(pairs, k+"="+tags[k])
	}
	return pairs
}
