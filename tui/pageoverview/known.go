package pageoverview

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// memo keeps what was counted from a feed until the feed has changed, or the time
// has moved on by so much that it could be different.
type memo[V any] struct {
	value V
	gen   uint64
	until time.Time
}

func (m *memo[V]) get(gen uint64, now time.Time, good time.Duration, count func() V) {
	if gen == m.gen && now.Before(m.until) {
		return
	}
	m.value, m.gen, m.until = count(), gen, now.Add(good)
}

// known is what was counted.
type known struct {
	nodes    memo[nodeCount]
	patches  memo[patchCount]
	runs     memo[runCount]
	autos    memo[autoCount]
	windows  memo[windowCount]
	expiring memo[[]placed[parameter.Due]]

	strict  map[baselineAt]strictness
	answers uint64 // about strict
}

// How long counts hold that depend on the time.
const (
	forMinute = time.Minute
	forHour   = time.Hour
)

func (k *known) learn(set *sources.Set, now time.Time) {
	k.nodes.get(set.Nodes.Gen()+set.AgentNews.Gen(), now, forHour, func() nodeCount { return countNodes(set) })
	k.patches.get(set.Patches.Gen()+set.Attempts.Gen()+k.answers, now, forHour, func() patchCount { return k.countPatches(set, now) })
	k.runs.get(set.Commands.Gen(), now, forMinute, func() runCount { return countRuns(set.Commands.Rows(), now) })
	k.autos.get(set.Executions.Gen(), now, forHour, func() autoCount { return countAutos(set.Executions.Rows()) })
	// Nodes come without their tags at first, by which windows choose.
	gen := set.Windows.Gen()<<16 + uint64(set.Nodes.State().Whole)
	k.windows.get(gen, now, forMinute, func() windowCount { return countWindows(set, now) })
	for _, n := range k.windows.value.next { // one that opens or closes is another
		for _, at := range []time.Time{n.Start, n.End} {
			if at.After(now) && at.Before(k.windows.until) {
				k.windows.until = at
			}
		}
	}
	k.expiring.get(set.Parameters.Gen(), now, forMinute, func() []placed[parameter.Due] { return expiring(set.Parameters.Rows(), now) })
}

// nodeCount is how the fleet stands.
type nodeCount struct {
	all, online, lost, inactive int
	unknown                     int // of all, those whose agent is in none of these states

	stopped int // of those lost; see fleet.Node.Stopped

	agents         fleet.Agents
	latest, behind int // of those whose agent is known
}

func countNodes(set *sources.Set) nodeCount {
	c := nodeCount{all: set.Nodes.Len(), agents: fleet.AgentsOf(set.Nodes.Values(), set.AgentNews)}
	for _, n := range set.Nodes.All() {
		switch n.Ping {
		case fleet.Online:
			c.online++
		case fleet.Lost:
			c.lost++
			if n.Stopped() {
				c.stopped++
			}
		case fleet.Inactive:
			c.inactive++
		default:
			c.unknown++
		}
		switch {
		case c.agents.Behind(n):
			c.behind++
		case fleet.IsVersion(n.AgentVersion):
			c.latest++
		}
	}
	return c
}

// sent is a command, or all commands of a run.
type sent struct {
	at                         grid.Place
	id, document, note         string
	requested                  time.Time
	targets, completed, errors int
	active                     bool
	strange                    bool // the service has a word for its state that is not known
}

// words show it on the command line.
func (s sent) words() []string {
	if run.IsRunID(s.id) {
		return []string{"run", "show", s.id}
	}
	return []string{"command", "get", s.id}
}

// runCount is what Run Command does and has done.
type runCount struct {
	running int
	active  []sent // the newest first
	failed  []sent // of the last hours
	strange int    // of which it is not known whether they go on
}

// lately is how far back failures count as something to look at.
const lately = 6 * time.Hour

// countRuns puts the commands of a run together.
func countRuns(rows []grid.Row[run.Command], now time.Time) (c runCount) {
	byID := map[string]*sent{}
	var order []*sent
	for _, r := range rows {
		v := r.Value
		id := cmp.Or(v.RunID, v.ID)
		s := byID[r.Place.String()+id]
		if s == nil {
			s = &sent{at: r.Place, id: id, document: v.Document, note: v.Comment, requested: v.Requested}
			byID[r.Place.String()+id] = s
			order = append(order, s)
		}
		s.targets += v.Targets
		s.completed += v.Completed
		s.errors += v.Errors + v.DeliveryTimedOut
		s.active = s.active || !v.State.Final() && v.State != run.Strange
		s.strange = s.strange || v.State == run.Strange
		if v.Requested.Before(s.requested) {
			s.requested = v.Requested
		}
	}
	for _, s := range order {
		if s.active {
			c.running++
			c.active = append(c.active, *s)
		} else if s.strange {
			c.strange++
		}
		if s.errors > 0 && now.Sub(s.requested) < lately {
			c.failed = append(c.failed, *s)
		}
	}
	slices.SortStableFunc(c.active, func(a, b sent) int { return b.requested.Compare(a.requested) })
	slices.SortStableFunc(c.failed, func(a, b sent) int { return cmp.Compare(b.errors, a.errors) })
	return c
}

// placed is something and where it is.
type placed[T any] struct {
	at grid.Place
	it T
}

// autoCount is what Automation does.
type autoCount struct {
	running, waiting int
	strange          int                            // of which it is not known whether they go on
	active           []placed[automation.Execution] // those that wait for somebody first
}

func countAutos(rows []grid.Row[automation.Execution]) (c autoCount) {
	for _, r := range rows {
		e := r.Value
		switch {
		case e.Over() || e.Parent != "":
			continue
		case e.State != "" && !e.State.Known():
			c.strange++
			continue
		}
		c.active = append(c.active, placed[automation.Execution]{r.Place, e})
		if e.State.Waits() {
			c.waiting++
		} else {
			c.running++
		}
	}
	slices.SortStableFunc(c.active, func(a, b placed[automation.Execution]) int {
		return cmp.Or(order(b.it.State.Waits(), a.it.State.Waits()), b.it.Started.Compare(a.it.Started))
	})
	return c
}

// order puts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// next is a window and when it opens, or that it is open.
type next struct {
	agenda.Opening
	at    grid.Place
	open  bool
	nodes int // -1: not known
}

// windowCount is what maintenance windows will do.
type windowCount struct {
	next     []next
	findings []agenda.Finding
}

// overlapDays is how far ahead windows that meet on the same nodes are looked for.
const overlapDays = 14

// countWindows looks at the nodes of windows only where they are known with their tags.
func countWindows(set *sources.Set, now time.Time) (c windowCount) {
	for _, at := range placesOf(set) {
		whole, read := set.Windows.At(at)
		nodes, _ := set.Nodes.At(at)
		if read.IsZero() {
			continue
		}
		known := set.Nodes.WholeAt(at)
		entries := agenda.ReadAll(whole)
		reach := agenda.NewReach(entries, nodes, nil)
		for i := range entries {
			e := &entries[i]
			if !e.Enabled {
				continue
			}
			n := next{at: at, nodes: -1}
			if known && reach.Blind.Len() == 0 && len(reach.Groups) == 0 {
				n.nodes = reach.Window(e.ID).Len()
			}
			if open := e.Openings(now, now.Add(time.Second)); len(open) > 0 {
				n.Opening, n.open = open[len(open)-1], true // of openings that overlap the last closes last
			} else if o, ok := e.NextOpening(now); ok {
				n.Opening = o
			} else {
				continue
			}
			c.next = append(c.next, n)
		}
		if known {
			cover := agenda.Cover(entries, reach, nil, agenda.Span{From: now, To: now.AddDate(0, 0, overlapDays)}, nil)
			c.findings = append(c.findings, slices.DeleteFunc(cover.Findings, func(f agenda.Finding) bool { return !wrong(f.Kind) })...)
		}
	}
	slices.SortStableFunc(c.next, func(a, b next) int {
		return cmp.Or(order(b.open, a.open), a.Start.Compare(b.Start), strings.Compare(a.Window, b.Window))
	})
	return c
}

// wrong are the findings that somebody should act on. A window that was switched off
// was switched off by somebody, and nodes without a window are the business of the
// page of windows.
func wrong(k agenda.Kind) bool {
	switch k {
	case agenda.Overlapping, agenda.Unreadable, agenda.NoTarget, agenda.NoNode, agenda.NoTime, agenda.IdleTask, agenda.Unassociated:
		return true
	}
	return false
}

// placesOf are the places that windows came from.
func placesOf(set *sources.Set) []grid.Place {
	var all []grid.Place
	for _, r := range set.Windows.Rows() {
		if !slices.Contains(all, r.Place) {
			all = append(all, r.Place)
		}
	}
	return all
}

// soon is how close the end of a parameter must be to be told.
const soon = 7 * 24 * time.Hour

func expiring(rows []grid.Row[parameter.Parameter], now time.Time) (out []placed[parameter.Due]) {
	for _, r := range rows {
		if len(r.Value.Policies) == 0 {
			continue
		}
		due, _ := parameter.DueOf(r.Value, now)
		for _, d := range due {
			if d.Event == parameter.Expires && d.At.Sub(now) < soon {
				out = append(out, placed[parameter.Due]{r.Place, d})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b placed[parameter.Due]) int { return parameter.CompareDue(a.it, b.it) })
	return out
}
