package forwards

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/portforward"
)

// DefaultIdle is how long a session stays without connections when the file does
// not say. The service ends idle ones after 20 minutes by itself.
const DefaultIdle = 10 * time.Minute

// Entry is one saved forward.
type Entry struct {
	Name        string
	Node        string // target expression
	Specs       []portforward.Spec
	Profile     string // of the shared AWS configuration; "" as for every command
	Region      string
	Bind        string // local address of specs that name none
	Reason      string // for the session's history
	Description string
	Groups      []string
	Lanes       int           // sessions at once; 0: portforward.AutoLanes
	Idle        time.Duration // sessions without connections are closed after it
	File        string
	Line        int
}

// Local is the entry's local ends as the file has them: "127.0.0.1:5432".
func (e *Entry) Local() []string {
	var ends []string
	for _, s := range e.Specs {
		ends = append(ends, local(s, e.Bind))
	}
	return ends
}

// Remote is the destinations as the node sees them.
func (e *Entry) Remote() []string {
	var ends []string
	for _, s := range e.Specs {
		ends = append(ends, s.Remote())
	}
	return ends
}

func local(s portforward.Spec, bind string) string {
	switch {
	case s.Socket != "":
		return s.Socket
	case s.Bind != "":
		bind = s.Bind
	case bind == "":
		bind = "127.0.0.1"
	}
	return net.JoinHostPort(bind, strconv.Itoa(s.Local))
}

// Choose returns the entries that words name, in the order of all; a word is a
// name or else a group, no word means all: a forward that is meant by its name brings
// no others along, whoever has put them into a group of that name. A word that is
// neither is NotFound and names the nearest.
func Choose(all []Entry, words []string) ([]Entry, error) {
	if len(words) == 0 {
		return all, nil
	}
	wanted := map[int]bool{}
	known := map[string]bool{}
	for _, w := range words {
		found := false
		named := slices.ContainsFunc(all, func(e Entry) bool { return e.Name == w })
		for i := range all {
			if all[i].Name == w || !named && slices.Contains(all[i].Groups, w) {
				wanted[i], found = true, true
			}
			known[all[i].Name] = true
			for _, g := range all[i].Groups {
				known[g] = true
			}
		}
		if !found {
			err := fault.New(fault.NotFound, "", "there is no saved forward or group %q", w)
			if near := fault.Nearest(w, slices.Sorted(maps.Keys(known))); near != "" {
				return nil, err.WithHint("did you mean %q?", near)
			}
			return nil, err.WithHint("`ssmdeck forward list` lists them")
		}
	}
	var chosen []Entry
	for i := range all {
		if wanted[i] {
			chosen = append(chosen, all[i])
		}
	}
	return chosen, nil
}

// Clashes reports every local end that two of the entries want, in one error.
func Clashes(entries []Entry) error {
	owner := map[string]string{}
	var clashes []string
	for i := range entries {
		e := &entries[i]
		for j, end := range e.Local() {
			if e.Specs[j].Socket == "" && e.Specs[j].Local == 0 {
				continue // each gets a free port of its own
			}
			if other, taken := owner[end]; taken {
				clashes = append(clashes, fmt.Sprintf("%s and %s both want %s", other, e.Name, end))
				continue
			}
			owner[end] = e.Name
		}
	}
	if len(clashes) == 0 {
		return nil
	}
	return fault.Usagef("%s", strings.Join(clashes, "; ")).WithHint("change the local port of one, or start only one of them")
}
