package pagewindows

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// days is how many days the page looks ahead.
const days = 7

// entry is a window with all that the page says of it.
type entry struct {
	agenda.Entry
	at  grid.Place
	key string

	openings []agenda.Opening // today and in the next days
	next     time.Time        // zero: it does not open any more, or that is not known
	isOpen   bool             // now, by its schedule
	since    time.Time        // when it opened; zero unless it is open
	until    time.Time        // when it closes; zero unless it is open
	nodes    int              // -1: not known
	unsure   bool             // there may be more nodes
	findings []agenda.Finding

	past    []window.Execution // newest first, MostPast at most
	older   bool               // there are more
	known   bool               // past was read
	running *window.Execution  // nil: none
}

// refresh makes the entries anew when what they are made from, or the minute, has
// changed.
func (p *Page) refresh() {
	s := p.set.Nodes.State()
	gens := [4]uint64{p.set.Windows.Gen(), p.set.Nodes.Gen(), p.svc.Past.Gen(), uint64(s.Whole)}
	if s.Loading > 0 { // which nodes a window means is worked out once all are there
		gens[1] = p.gens[1]
	}
	minute := p.d.Now.Truncate(time.Minute)
	if gens == p.gens && minute.Equal(p.minute) {
		return
	}
	p.gens, p.minute = gens, minute
	p.past = map[string][]window.Execution{}
	for _, r := range p.svc.Past.Rows() {
		key := deck.Key(r.Place, r.Value.WindowID)
		p.past[key] = append(p.past[key], r.Value)
	}
	byPlace := map[grid.Place][]agenda.Entry{}
	var places []grid.Place
	for _, r := range p.set.Windows.Rows() {
		if byPlace[r.Place] == nil {
			places = append(places, r.Place)
		}
		byPlace[r.Place] = append(byPlace[r.Place], agenda.Read(r.Value))
	}
	p.entries = p.entries[:0:0]
	for _, at := range places {
		p.entries = append(p.entries, p.entriesOf(at, byPlace[at])...)
	}
	slices.SortStableFunc(p.entries, func(a, b entry) int {
		return cmp.Or(soonness(a)-soonness(b), a.next.Compare(b.next), strings.Compare(a.Name, b.Name))
	})
	p.list.Filling(p.set.Windows.State().Filling())
	p.list.Reset(len(p.entries))
	p.arrange()
}

// soonness orders: open now, opens, does not open.
func soonness(e entry) int {
	switch {
	case e.running != nil || e.isOpen:
		return 0
	case !e.next.IsZero() && e.Enabled:
		return 1
	case !e.next.IsZero():
		return 2
	}
	return 3
}

func (p *Page) entriesOf(at grid.Place, list []agenda.Entry) []entry {
	now := p.d.Now
	nodes, _ := p.set.Nodes.At(at)
	known := p.set.Nodes.WholeAt(at) // with their tags, by which windows choose
	reach := agenda.NewReach(list, nodes, nil)
	from, to := week(now, p.d.Location)
	openings := agenda.Openings(list, from, to)
	agenda.Mark(openings, reach)
	findings := map[string][]agenda.Finding{}
	for _, f := range agenda.Cover(list, reach, nil, agenda.Span{From: now, To: to}, nil).Findings {
		if f.WindowID == "" || !known && (f.Kind == agenda.NoNode || f.Kind == agenda.IdleTask) {
			continue
		}
		findings[f.WindowID] = append(findings[f.WindowID], f)
	}
	_, pastRead := p.svc.Past.At(at)
	var all []entry
	for _, a := range list {
		e := entry{Entry: a, at: at, key: deck.Key(at, a.ID), nodes: -1, findings: findings[a.ID], known: !pastRead.IsZero()}
		if known {
			e.nodes = reach.Window(a.ID).Len()
			e.unsure = reach.Blind.Len() > 0 || len(reach.Groups) > 0
		}
		if e.past = p.past[e.key]; len(e.past) > MostPast {
			e.past, e.older = e.past[:MostPast], true
		}
		for i := range e.past {
			if e.past[i].State.Runs() {
				e.running = &e.past[i]
				break
			}
		}
		for _, o := range openings {
			if o.WindowID != a.ID {
				continue
			}
			e.openings = append(e.openings, o)
			if a.Enabled && !o.Start.After(now) && o.End.After(now) {
				e.isOpen, e.since, e.until = true, o.Start, o.End
			}
		}
		if next, ok := a.NextOpening(now); ok {
			e.next = next.Start
		}
		all = append(all, e)
	}
	return all
}

// stirs reports whether something happens in a window, or is about to be heard of: it
// runs, or has just opened.
func (e *entry) stirs(now time.Time) bool {
	if e.running != nil {
		return true
	}
	if !e.isOpen || now.Sub(e.since) > openingTime {
		return false
	}
	return len(e.past) == 0 || e.past[0].Started.Before(e.since.Add(-time.Minute))
}

// openingTime is how long after its opening a window may not have begun.
const openingTime = 5 * time.Minute

// week are the first moment of today and the last of the days looked at.
func week(now time.Time, zone *time.Location) (from, to time.Time) {
	now = now.In(zone)
	return widget.Midnight(now, 0), widget.Midnight(now, days)
}

// last is the newest execution that is not under way; nil: none.
func (e *entry) last() *window.Execution {
	for i := range e.past {
		if !e.past[i].State.Runs() {
			return &e.past[i]
		}
	}
	return nil
}

// zone is the name of the schedule's zone.
func (e *entry) zone() string { return cmp.Or(e.Timezone, "UTC") }
