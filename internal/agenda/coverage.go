package agenda

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// Kind is what a finding is about.
type Kind string

// The kinds of findings, in the order in which they are listed.
const (
	Uncovered    Kind = "uncovered"     // a node that no window does anything to
	Unknown      Kind = "unknown"       // a node of which that is not known
	Overlapping  Kind = "overlap"       // two windows open on the same nodes
	Unreadable   Kind = "unreadable"    // a schedule that is not understood
	Ended        Kind = "ended"         // a window that will not open any more
	Disabled     Kind = "disabled"      // a window that is switched off
	NoTask       Kind = "no-task"       // a window that does nothing
	NoTarget     Kind = "no-target"     // a window whose tasks need targets and have none
	NoNode       Kind = "no-node"       // a window whose targets match no node
	NoTime       Kind = "no-time"       // a window whose cutoff leaves no time
	IdleTask     Kind = "idle-task"     // a task whose targets match no node
	Unassociated Kind = "unassociated"  // a task with nodes in no target, where the window wants them in one
	UnusedTarget Kind = "unused-target" // a target that no task names
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{
		Uncovered, Unknown, Overlapping, Unreadable, Ended, Disabled, NoTask, NoTarget, NoNode, NoTime, IdleTask, Unassociated, UnusedTarget,
	}
}

// Finding is a node or window that something is the matter with. The JSON names are
// part of the output contract.
type Finding struct {
	Kind Kind `json:"finding"`
	// Node is set on findings of one node.
	NodeID string `json:"node_id,omitempty"`
	Node   string `json:"node,omitempty"`
	// Windows are those that it is about: one, or two that overlap.
	WindowID string    `json:"window_id,omitempty"`
	Window   string    `json:"window,omitempty"`
	OtherID  string    `json:"other_window_id,omitempty"`
	Other    string    `json:"other_window,omitempty"`
	From     time.Time `json:"from,omitzero"` // of an overlap: the first time
	To       time.Time `json:"to,omitzero"`
	Times    int       `json:"times,omitempty"`    // how often they overlap in the span
	NodeIDs  []string  `json:"node_ids,omitempty"` // of an overlap
	Message  string    `json:"message"`
}

// Subject is what the finding is about, in the order of names that people know.
func (f Finding) Subject() string {
	switch {
	case f.NodeID != "":
		return cmp.Or(f.Node, f.NodeID)
	case f.Other != "":
		return f.Window + ", " + f.Other
	}
	return f.Window
}

// Span is the time that coverage looks at.
type Span struct{ From, To time.Time }

// Coverage is what was found.
type Coverage struct {
	Findings []Finding
	Nodes    int // looked at
	Covered  int // that a window does something to
	Unknown  int // of which that cannot be told
	Windows  int // that can do so
}

// Cover looks for nodes in no window, nodes in two at once, and windows that will do
// nothing. Only the nodes of among are looked at; nil means all. counts says which
// tasks count, such as those that install patches; nil means all.
func Cover(entries []Entry, r *Reach, among Set, s Span, counts func(window.Task) bool) Coverage {
	c := Coverage{}
	covered := r.none()
	var open []Entry
	for _, e := range entries {
		c.Findings = append(c.Findings, e.findings(r, s, counts)...)
		if !e.Enabled || e.Schedule == nil || e.Duration <= e.Cutoff {
			continue
		}
		if _, ok := e.Schedule.Next(s.From.Add(-1)); !ok {
			continue
		}
		nodes := r.counted(e, counts)
		if nodes.Len() == 0 {
			continue
		}
		c.Windows++
		covered.Join(nodes)
		open = append(open, e)
	}
	for i, n := range r.Nodes {
		if among != nil && !among.Has(i) {
			continue
		}
		c.Nodes++
		switch {
		case covered.Has(i):
			c.Covered++
		case r.Blind.Has(i):
			c.Unknown++
			c.Findings = append(c.Findings, Finding{Kind: Unknown, NodeID: n.ID, Node: n.Name, Message: "its tags cannot be read, and windows choose by them"})
		case len(r.Groups) > 0:
			c.Unknown++
			c.Findings = append(c.Findings, Finding{
				Kind: Unknown, NodeID: n.ID, Node: n.Name, Message: "the members of " + strings.Join(r.Groups, ", ") + " cannot be looked up",
			})
		default:
			c.Findings = append(c.Findings, Finding{Kind: Uncovered, NodeID: n.ID, Node: n.Name, Message: "no window acts on it"})
		}
	}
	c.Findings = append(c.Findings, overlaps(open, r, among, s, counts)...)
	order := Kinds()
	slices.SortStableFunc(c.Findings, func(a, b Finding) int {
		return cmp.Or(slices.Index(order, a.Kind)-slices.Index(order, b.Kind), strings.Compare(a.Subject(), b.Subject()))
	})
	return c
}

// counted are the nodes of the tasks of a window that count.
func (r *Reach) counted(e Entry, counts func(window.Task) bool) Set {
	if counts == nil {
		return r.Window(e.ID)
	}
	all := r.none()
	for _, t := range e.Tasks {
		if counts(t) {
			all.Join(r.Task(t.ID))
		}
	}
	return all
}

// findings are what is the matter with one window.
func (e *Entry) findings(r *Reach, s Span, counts func(window.Task) bool) []Finding {
	var all []Finding
	add := func(k Kind, format string, args ...any) {
		all = append(all, Finding{Kind: k, WindowID: e.ID, Window: e.Name, Message: fmt.Sprintf(format, args...)})
	}
	if counts != nil && !slices.ContainsFunc(e.Tasks, counts) {
		return nil // another purpose
	}
	if !e.Enabled {
		add(Disabled, "it is disabled, and runs nothing")
	}
	if e.Fault != nil {
		add(Unreadable, "its schedule %s is not understood: %v", e.Window.Schedule, e.Fault)
	} else if _, ok := e.Schedule.Next(s.From.Add(-1)); !ok {
		if end := e.Ends(); !end.IsZero() && end.Before(s.From) {
			add(Ended, "its end date %s has passed", end.Format(time.RFC3339))
		} else {
			add(Ended, "%s has no run any more", e.Window.Schedule)
		}
	}
	switch {
	case e.Duration == 0: // no window is so short
		add(NoTime, "how long it is open is not known")
	case e.Duration <= e.Cutoff:
		add(NoTime, "it is open for %d h, and no task begins in the last %d h", e.Duration, e.Cutoff)
	}
	if len(e.Tasks) == 0 {
		add(NoTask, "it has no task")
	}
	needs, named := false, map[string]bool{}
	for _, t := range e.Tasks {
		needs = needs || t.Type == window.RunCommand || len(t.Selectors) > 0
		for _, id := range t.WindowTargets() {
			named[id] = true
		}
	}
	direct := slices.ContainsFunc(e.Tasks, func(t window.Task) bool { return len(t.Selectors) > 0 && len(t.WindowTargets()) == 0 })
	unsure := r.Blind.Len() > 0 || len(r.Groups) > 0
	strays := slices.ContainsFunc(e.Tasks, func(t window.Task) bool { return r.Strays(t.ID).Len() > 0 })
	switch {
	case len(e.Tasks) > 0 && needs && len(e.Targets) == 0 && !direct:
		add(NoTarget, "it has no target, and its tasks need one")
	case len(e.Tasks) == 0 && len(e.Targets) == 0:
		add(NoTarget, "it has no target")
	case needs && r.Window(e.ID).Len() == 0 && !unsure && !strays:
		add(NoNode, "its targets match no managed node")
	default:
		for _, t := range e.Tasks {
			if len(t.Selectors) > 0 && r.Task(t.ID).Len()+r.Strays(t.ID).Len() == 0 && !unsure {
				add(IdleTask, "task %s matches no managed node", cmp.Or(t.Name, t.Run))
			}
		}
	}
	for _, t := range e.Tasks {
		if n := r.Strays(t.ID).Len(); n > 0 && !unsure {
			add(Unassociated, "task %s has %s in no target of the window, which does not allow that: nothing runs on them, and the task may fail",
				cmp.Or(t.Name, t.Run), counted(n, "node"))
		}
	}
	for _, t := range e.Targets {
		if len(e.Tasks) > 0 && !named[t.ID] {
			add(UnusedTarget, "no task names its target %s", cmp.Or(t.Name, t.ID))
		}
	}
	return all
}

// overlaps finds pairs of windows that are open at once on the same nodes.
func overlaps(open []Entry, r *Reach, among Set, s Span, counts func(window.Task) bool) []Finding {
	var all []Finding
	times := make([][]Opening, len(open))
	for i := range open {
		times[i] = open[i].Openings(s.From, s.To)
	}
	for i := range open {
		for k := i + 1; k < len(open); k++ {
			nodes := r.counted(open[i], counts).Shared(r.counted(open[k], counts))
			if among != nil {
				nodes = nodes.Shared(among)
			}
			if nodes.Len() == 0 {
				continue
			}
			from, to, n := common(times[i], times[k])
			if n == 0 {
				continue
			}
			f := Finding{
				Kind: Overlapping, WindowID: open[i].ID, Window: open[i].Name, OtherID: open[k].ID, Other: open[k].Name, From: from, To: to, Times: n,
			}
			for _, node := range r.Of(nodes) {
				f.NodeIDs = append(f.NodeIDs, node.ID)
			}
			f.Message = fmt.Sprintf("both are open on %s, %s", counted(len(f.NodeIDs), "node"), counted(n, "time"))
			all = append(all, f)
		}
	}
	return all
}

// common is the first time that two lists of openings share, and how many there are.
func common(a, b []Opening) (from, to time.Time, n int) {
	for i, k := 0, 0; i < len(a) && k < len(b); {
		start, end := later(a[i].Start, b[k].Start), a[i].End
		if b[k].End.Before(end) {
			end = b[k].End
		}
		if start.Before(end) {
			if n++; n == 1 {
				from, to = start, end
			}
		}
		if a[i].End.Before(b[k].End) {
			i++
		} else {
			k++
		}
	}
	return from, to, n
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// Offline lists the nodes of a set that are not connected now.
func (r *Reach) Offline(s Set) []fleet.Node {
	return slices.DeleteFunc(r.Of(s), func(n fleet.Node) bool { return !n.Offline() })
}
