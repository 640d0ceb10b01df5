package parameter

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/diskindex"
)

const indexMagic = "ssmdeck-parameters-1"

// Index keeps the names of parameters on disk, one file for each account and Region:
// completion and the picker show them at once, and may not wait for the network. It has
// names only, never a value or anything else of a parameter, and never answers a
// command: what it says may be gone.
type Index struct{ Dir string }

// Files are where the names are.
func (x Index) Files() diskindex.Files { return diskindex.Files{Dir: x.Dir, Kind: "parameters"} }

// Load returns the names of key, sorted, and how old they are. ok is false when there
// are none, they are older than a week, or the file cannot be read or understood.
func (x Index) Load(key diskindex.Key, now time.Time) (names []string, age time.Duration, ok bool) {
	text, ok := x.Files().Read(key)
	if !ok {
		return nil, 0, false
	}
	saved, names, ok := parseNames(text)
	age = now.Sub(saved)
	if !ok || age < 0 || age > diskindex.Oldest {
		return nil, 0, false
	}
	return names, age, true
}

// parseNames reads the first line (magic, time in milliseconds, number of names) and as
// many names, a line each.
func parseNames(text string) (saved time.Time, names []string, ok bool) {
	head, rest, _ := strings.Cut(text, "\n")
	words := strings.Split(head, "\t")
	if len(words) != 3 || words[0] != indexMagic {
		return saved, nil, false
	}
	ms, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return saved, nil, false
	}
	n, err := strconv.Atoi(words[2])
	if err != nil || n < 0 || n > len(rest) {
		return saved, nil, false
	}
	names = make([]string, 0, n)
	for line := range strings.Lines(rest) {
		name, ended := strings.CutSuffix(line, "\n")
		if !ended || name == "" {
			return saved, nil, false
		}
		names = append(names, name)
	}
	return time.UnixMilli(ms), names, len(names) == n
}

// Store replaces the names of key. Names that hold a line break, which the service
// does not allow, are left out.
func (x Index) Store(key diskindex.Key, now time.Time, names []string) error {
	sorted := slices.DeleteFunc(slices.Sorted(slices.Values(names)), func(n string) bool { return n == "" || strings.Contains(n, "\n") })
	sorted = slices.Compact(sorted)
	b := []byte(indexMagic + "\t" + strconv.FormatInt(now.UnixMilli(), 10) + "\t" + strconv.Itoa(len(sorted)) + "\n")
	for _, n := range sorted {
		b = append(append(b, n...), '\n')
	}
	return x.Files().Write(key, b)
}

// Child is what comes next below a path: a parameter, a folder, or both of one name.
type Child struct {
	Name      string // whole, of a folder without the slash at its end
	Parameter bool   // there is a parameter of this name
	Below     int    // parameters below it, at any depth
}

// Children are the parts of the hierarchy that continue what was typed, one level at a
// time as folders do: /app/pr is continued by /app/prod, not by what is in it. names
// must be sorted.
func Children(names []string, typed string) (out []Child) {
	dir := typed[:strings.LastIndex(typed, "/")+1]
	from, _ := slices.BinarySearch(names, typed)
	at := map[string]int{}
	for _, name := range names[from:] {
		if !strings.HasPrefix(name, typed) {
			break
		}
		segment, _, folder := strings.Cut(name[len(dir):], "/")
		if dir == "" && strings.HasPrefix(name, "/") { // the slash in front belongs to the first part
			segment, _, folder = strings.Cut(name[1:], "/")
			segment = "/" + segment
		}
		i, seen := at[segment]
		if !seen {
			i = len(out)
			at[segment] = i
			out = append(out, Child{Name: dir + segment})
		}
		if folder {
			out[i].Below++
		} else {
			out[i].Parameter = true
		}
	}
	return out
}
