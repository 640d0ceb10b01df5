package pagecommands

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// ring keeps the head and the tail of a text of any length, and says how much is
// missing between them.
type ring struct {
	head, tail []byte
	most       int // of each
	cut        int // bytes left out
}

// Write adds to the text; it never fails.
func (r *ring) Write(b []byte) (int, error) {
	n := len(b)
	if room := r.most - len(r.head); room > 0 {
		take := min(room, len(b))
		r.head = append(r.head, b[:take]...)
		b = b[take:]
	}
	if over := len(b) - r.most; over > 0 {
		r.cut += over + len(r.tail)
		r.tail, b = r.tail[:0], b[over:]
	}
	r.tail = append(r.tail, b...)
	if over := len(r.tail) - r.most; over > 0 {
		r.cut += over
		// Moved in large steps: each byte is copied a few times at most.
		r.tail = append(r.tail[:0], r.tail[over:]...)
	}
	return n, nil
}

// String is what is left of the text.
func (r *ring) String() string {
	if r.cut == 0 {
		return string(r.head) + string(r.tail)
	}
	return whole(string(r.head), true) + fmt.Sprintf("\n[%s left out here]\n", widget.Count(r.cut, "byte")) + whole(string(r.tail), false)
}

// whole takes away the part of a character that a cut has left at an end.
func whole(s string, atEnd bool) string {
	for range utf8.UTFMax {
		if atEnd {
			if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
				break
			}
			s = s[:len(s)-1]
			continue
		}
		if r, n := utf8.DecodeRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[1:]
	}
	return s
}

// shortened keeps the head and the tail of a text, most bytes of each.
func shortened(s string, most int) (text string, cut bool) {
	if len(s) <= 2*most {
		return s, false
	}
	r := ring{most: most}
	_, _ = r.Write([]byte(s))
	return r.String(), true
}

const (
	// inBoard is how much of the head and the tail of an output the board keeps, and
	// inLargeBoard in a run on more than large nodes: of 10,000 that all print
	// something else no more than there is room for.
	inBoard      = 8 << 10
	inLargeBoard = 1 << 10
	large        = 1000
	// inPane is the same of the one output that was asked for in full.
	inPane = 1 << 20
	// inTail is what is kept of what a node writes while it is at work.
	inTail = 2 << 10
)

// modest is an event of which a board of so many nodes keeps no more than it may.
func modest(e run.Event, nodes int) run.Event {
	if e.Kind != run.Printed {
		return e
	}
	most := inBoard
	if nodes > large {
		most = inLargeBoard
	}
	o := *e.Output
	var cut [2]bool
	o.Stdout, cut[0] = shortened(o.Stdout, most)
	o.Stderr, cut[1] = shortened(o.Stderr, most)
	o.Truncated = o.Truncated || cut[0] || cut[1]
	e.Output = &o
	return e
}

// tails is what nodes write while they are at work. It is written to by who follows
// the run and read by who draws it.
type tails struct {
	mu sync.Mutex
	of map[string]*ring
}

func (t *tails) add(command string, l run.Log) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[string]*ring{}
	}
	key := command + " " + l.NodeID
	if t.of[key] == nil {
		t.of[key] = &ring{most: inTail}
	}
	_, _ = t.of[key].Write([]byte(l.Text))
}

// drop forgets a node: its output has come as a whole.
func (t *tails) drop(command, node string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, command+" "+node)
}

func (t *tails) text(command, node string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.of[command+" "+node]; r != nil {
		return strings.TrimRight(r.String(), "\n")
	}
	return ""
}
