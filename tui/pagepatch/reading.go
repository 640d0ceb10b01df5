package pagepatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// reading is what was read of the patches that all nodes lack. It costs a call for
// nearly every node, so that it is done when somebody asks for it, and can be left.
type reading struct {
	whatWasRead
	at   time.Time // when; zero: never
	stop context.CancelFunc

	gen         int // counts readings that have come
	number      int // tells an old one's end from a new one's
	meter       *meter
	done, total int // as the meter stood at the last tick
}

// meter counts nodes read. The loads write it, the update loop reads it.
type meter struct{ done, total atomic.Int64 }

// readEnded brings what was read.
type readEnded struct {
	number int
	now    whatWasRead
	fresh  bool // of some place
	err    error
}

// whatWasRead is what is known of the patches of nodes. It is not changed any more once it
// was put together.
type whatWasRead struct {
	nodes  []patch.NodePatches // CVEs of patches that wait for a reboot are filled in
	keys   []string            // of nodes
	places []grid.Place        // of nodes
	failed map[string]error    // nodes that could not be read, by key
	err    error               // of the last place that could not
}

type placeRead struct {
	at      grid.Place
	reading patch.Reading
	err     error
}

func (r *reading) busy() bool { return r.stop != nil }

// glance takes the meter's numbers over: a frame shows what the update loop knows.
func (r *reading) glance() {
	if r.meter != nil {
		r.done, r.total = int(r.meter.done.Load()), int(r.meter.total.Load())
	}
}

// leave cancels what is under way.
func (r *reading) leave() {
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
	r.number++
}

// read reads the patches of all nodes anew.
func (p *Page) read() tea.Cmd {
	r := &p.reading
	r.leave()
	var places []grid.Place
	rows := map[grid.Place][]patch.Row{}
	for _, n := range p.fleet.nodes {
		if rows[n.at] == nil {
			places = append(places, n.at)
		}
		rows[n.at] = append(rows[n.at], n.Row)
	}
	if len(places) == 0 {
		return nil
	}
	ctx, stop := context.WithCancel(p.desk.Context())
	r.stop, r.meter, r.err, r.done, r.total = stop, &meter{}, nil, 0, 0
	number, m, before := r.number, r.meter, r.whatWasRead
	for _, n := range p.fleet.nodes {
		if n.Missing+n.Failed+n.PendingReboot > 0 {
			m.total.Add(1)
		}
	}
	r.glance()
	return p.desk.Go(func(context.Context) tea.Msg {
		defer stop()
		out, sofar := readEnded{number: number}, int64(0)
		var found []placeRead
		for _, at := range places {
			w := patch.Wanted{States: []patch.State{patch.Missing, patch.Failed, patch.InstalledPendingReboot}, CVEs: true, Whole: true}
			w.Seen = func(done, _ int) { m.done.Store(sofar + int64(done)) }
			got, err := p.svc.Lacking(ctx, at, rows[at], w)
			if ctx.Err() != nil {
				out.err = context.Cause(ctx)
				return out
			}
			sofar = m.done.Load()
			found = append(found, placeRead{at, got, err})
		}
		out.now, out.fresh = together(before, found)
		return out
	})
}

func (p *Page) takeReading(m readEnded) tea.Cmd {
	r := &p.reading
	if m.number != r.number {
		return nil
	}
	r.stop, r.meter = nil, nil
	if m.err != nil {
		if !errors.Is(m.err, context.Canceled) {
			r.err = m.err
		}
		return nil
	}
	r.whatWasRead = m.now
	if m.fresh {
		r.at = p.deck.Now
	}
	r.gen++
	return p.look()
}

// together is what was read now, and of places that could not be read what was known
// before.
func together(before whatWasRead, found []placeRead) (now whatWasRead, fresh bool) {
	many := len(before.nodes)
	for _, place := range found {
		many += len(place.reading.Nodes)
	}
	now = whatWasRead{nodes: make([]patch.NodePatches, 0, many), keys: make([]string, 0, many), places: make([]grid.Place, 0, many), failed: map[string]error{}}
	add := func(at grid.Place, n patch.NodePatches, key string) {
		now.nodes, now.keys, now.places = append(now.nodes, n), append(now.keys, key), append(now.places, at)
	}
	for _, place := range found {
		if place.err != nil {
			now.err = &grid.Failure{Place: place.at, Err: place.err}
			for i, n := range before.nodes {
				if before.places[i] == place.at {
					n.Patches = slices.Clone(n.Patches) // those of before are on the screen
					add(place.at, n, before.keys[i])
				}
			}
			continue
		}
		fresh = true
		for id, err := range place.reading.Failed {
			now.failed[deck.Key(place.at, id)] = err
		}
		for _, n := range place.reading.Nodes {
			add(place.at, n, deck.Key(place.at, n.Row.ID))
		}
	}
	patch.NamePending(now.nodes)
	return now, fresh
}

// trouble says what could not be read; "" where there was nothing.
func (r *reading) trouble() string {
	switch n := len(r.failed); {
	case r.err != nil:
		return "not all could be read: " + r.err.Error()
	case n > 0:
		first := slices.Sorted(maps.Keys(r.failed))[0]
		return fmt.Sprintf("the patches of %s could not be read; of %s: %v", widget.Count(n, "node"), deck.IDOf(first), r.failed[first])
	}
	return ""
}

// state says in words how the reading stands.
func (r *reading) state(now time.Time, mark string) string {
	switch {
	case r.busy() && r.total > 0:
		return fmt.Sprintf("reading the patches of nodes: %d of %d%s", r.done, r.total, mark)
	case r.busy():
		return "reading the patches of nodes" + mark
	case r.at.IsZero() && r.err != nil:
		return "not read: " + r.err.Error()
	case r.at.IsZero():
		return "not read yet: R reads the patches of all nodes"
	}
	text := "read " + render.Since(now, r.at)
	if n := len(r.failed); n > 0 {
		text += fmt.Sprintf(", %s could not be read", widget.Count(n, "node"))
	}
	if r.err != nil {
		text += ", partial"
	}
	return text
}
