package pagewindows

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

func (p *Page) columns() []widget.Column {
	at := func(i int) *entry { return &p.entries[i] }
	text := func(f func(e *entry) string) func(int) string { return func(i int) string { return f(at(i)) } }
	return []widget.Column{
		{ID: "name", Title: "WINDOW", Min: 12, Max: 30, Loose: true, Also: text(func(e *entry) string { return e.ID }), Text: text(func(e *entry) string { return e.Name })},
		{ID: "state", Title: "STATE", Min: 10, Rank: 3, Flash: true, Text: text(stateWord), Level: func(i int) theme.Level { return stateLevel(at(i)) }},
		{
			ID: "next", Title: "NEXT", Rank: 2, Text: text(p.nextIn), Sort: terms.Moment, At: func(i int) time.Time { return p.mirrored(at(i).next) },
			Compare: func(a, b int) int { return compareNext(at(a).next, at(b).next) },
		},
		{
			ID: "opens", Title: "OPENS", Rank: 4, Text: text(opens),
			Compare: func(a, b int) int { return compareNext(at(a).next, at(b).next) },
		},
		{
			ID: "last", Title: "RESULT", Rank: 3, Flash: true, Same: text(lastState), Text: text(p.lastWord), Level: func(i int) theme.Level { return lastLevel(at(i)) },
		},
		{ID: "nodes", Title: "NODES", Right: true, Rank: 5, Text: text(nodesWord), Sort: terms.Number, Compare: func(a, b int) int { return cmp.Compare(at(a).nodes, at(b).nodes) }},
		{ID: "tasks", Title: "TASKS", Right: true, Rank: 6, Text: text(func(e *entry) string { return fmt.Sprint(len(e.Tasks)) }), Sort: terms.Number},
		{ID: "schedule", Title: "SCHEDULE", Max: 48, Rank: 7, Text: text(p.explained)},
		{ID: "length", Title: "OPEN FOR", Rank: 8, Text: text(openFor)},
		{ID: "findings", Title: "FINDINGS", Rank: 6, Sort: terms.Number, Text: text(findingsWord), Level: func(i int) theme.Level { return findingsLevel(at(i)) }},
		{ID: "open", Title: "OPEN", Off: true, Rank: 10, Text: text(openWord)},
		{ID: "zone", Title: "ZONE", Off: true, Rank: 10, Text: text((*entry).zone)},
		{ID: "expression", Title: "EXPRESSION", Off: true, Rank: 10, Text: text(func(e *entry) string { return e.Window.Schedule })},
		{ID: "id", Title: "ID", Off: true, Rank: 10, Middle: true, Text: text(func(e *entry) string { return e.ID })},
		{ID: "description", Title: "DESCRIPTION", Off: true, Rank: 10, Max: 40, Text: text(func(e *entry) string { return render.OneLine(e.Description) })},
		{ID: "account", Title: "ACCOUNT", Off: true, Rank: 4, Text: text(func(e *entry) string { return e.at.Who() })},
		{ID: "region", Title: "REGION", Off: true, Rank: 4, Text: text(func(e *entry) string { return e.at.Region })},
	}
}

func stateWord(e *entry) string {
	if e.Enabled {
		return "enabled"
	}
	return "disabled"
}

func stateLevel(e *entry) theme.Level {
	if e.running != nil || e.isOpen {
		return theme.Busy
	}
	return levels.Enabled(e.Enabled)
}

// openWord says whether the window is open now.
func openWord(e *entry) string {
	if e.running != nil || e.isOpen {
		return "yes"
	}
	return "no"
}

// mirrored is a moment as far in the past as it is in the future, so that next<1d are
// the windows that open within a day.
func (p *Page) mirrored(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return p.d.Now.Add(p.d.Now.Sub(t))
}

// nextIn says when the window opens next, or up to when it is open.
func (p *Page) nextIn(e *entry) string {
	switch {
	case e.isOpen:
		return "open, " + rough(e.until.Sub(p.d.Now)) + " left"
	case !e.Enabled:
		return "disabled"
	case e.Fault != nil:
		return "not known"
	case e.next.IsZero():
		return "never"
	}
	return "in " + rough(e.next.Sub(p.d.Now))
}

// rough is a time that is left, in minutes until the last.
func rough(left time.Duration) string {
	if left < time.Minute {
		return fmt.Sprintf("%d s", max(left, 0)/time.Second)
	}
	return render.Duration(left.Truncate(time.Minute))
}

// opens is when the window opens next; in parentheses when it only would.
func opens(e *entry) string {
	text := moment(e.next, e.Zone())
	if text == "" || e.Enabled {
		return text
	}
	return "(" + text + ")"
}

// compareNext puts those that never open last.
func compareNext(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		return map[bool]int{true: 1, false: -1}[a.IsZero()]
	}
	return a.Compare(b)
}

// moment is a time with its day and its zone.
func moment(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("Mon 2 Jan 15:04 MST")
}

func (p *Page) lastWord(e *entry) string {
	x := e.last()
	switch {
	case e.running != nil:
		return p.began(e.running)
	case x != nil:
		return p.began(x)
	case e.known:
		return "none yet"
	}
	return "not known"
}

// lastState is what the result is without its age; "" while that is not known.
func lastState(e *entry) string {
	switch x := e.last(); {
	case e.running != nil:
		return e.running.ID + string(e.running.State)
	case x != nil:
		return x.ID + string(x.State)
	case e.known:
		return "none"
	}
	return ""
}

// began is what became of an execution, and when it began where that is known.
func (p *Page) began(x *window.Execution) string {
	if x.Started.IsZero() {
		return stateText(x.State)
	}
	return stateText(x.State) + ", " + p.d.Ago(x.Started)
}

func lastLevel(e *entry) theme.Level {
	switch x := e.last(); {
	case e.running != nil:
		return levels.Window(e.running.State)
	case x != nil:
		return levels.Window(x.State)
	case e.known:
		return theme.Idle // none yet
	}
	return theme.Unknown
}

// stateText is a state of the API in small letters.
func stateText(s window.State) string {
	return strings.ReplaceAll(strings.ToLower(cmp.Or(string(s), "not known")), "_", " ")
}

func nodesWord(e *entry) string {
	switch {
	case e.nodes < 0:
		return "?"
	case e.unsure:
		return fmt.Sprintf("%d or more", e.nodes)
	}
	return fmt.Sprint(e.nodes)
}

func (p *Page) explained(e *entry) string {
	if e.Schedule == nil {
		return e.Window.Schedule
	}
	return e.Schedule.Explain()
}

func openFor(e *entry) string {
	switch {
	case e.Duration == 0: // no window is so short: the service has not said it
		return "not known"
	case e.Cutoff == 0:
		return fmt.Sprintf("%d h", e.Duration)
	}
	return fmt.Sprintf("%d h, cutoff %d h", e.Duration, e.Cutoff)
}

func findingsWord(e *entry) string {
	if len(e.findings) == 0 {
		return "none"
	}
	return fmt.Sprint(len(e.findings))
}

func findingsLevel(e *entry) theme.Level {
	if len(e.findings) == 0 {
		return theme.Idle
	}
	return theme.Warn
}

// none stands where rows would be.
func (p *Page) none() string {
	s := p.set.Windows.State()
	switch {
	case s.Empty() && len(s.Failures) > 0:
		return "maintenance windows could not be read: " + render.OneLine(fault.Explain(s.Failures[0].Err))
	case s.Empty():
		return s.Progress()
	case p.list.Filter() != "":
		return "no maintenance window matches" + s.Reach()
	}
	return "there is no maintenance window" + s.Reach()
}

func short(id string) string { return id[:min(len(id), 8)] }
