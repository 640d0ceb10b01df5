package pageautomation

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// inOrder puts those first that wait for somebody, then those that run, then the
// newest.
func inOrder(rows []row) []row {
	rank := func(e automation.Execution) int {
		switch {
		case e.State.Waits():
			return 0
		case !e.State.Final():
			return 1
		}
		return 2
	}
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b row) int {
		return cmp.Or(cmp.Compare(rank(a.Value), rank(b.Value)), b.Value.Started.Compare(a.Value.Started), strings.Compare(a.Value.ID, b.Value.ID))
	})
	return sorted
}

func (p *Page) columns() []widget.Column {
	at := func(i int) automation.Execution { return p.rows[i].Value }
	text := func(f func(e automation.Execution) string) func(int) string {
		return func(i int) string { return f(at(i)) }
	}
	list := []widget.Column{
		{ID: "state", Title: "STATE", Min: 10, Max: 16, Text: text(stateWord), Level: func(i int) theme.Level { return levels.Automation(at(i).State) }, Flash: true},
		{ID: "document", Title: "RUNBOOK", Min: 14, Max: 32, Rank: 1, Loose: true, Text: text(func(e automation.Execution) string { return e.Document })},
		{ID: "step", Title: "STEP", Max: 20, Rank: 4, Text: text(func(e automation.Execution) string { return e.CurrentStep }), Flash: true},
		{
			ID: "started", Title: "STARTED", Rank: 3, Text: text(func(e automation.Execution) string { return p.d.Ago(e.Started) }),
			Sort: terms.Moment, At: func(i int) time.Time { return at(i).Started },
		},
		{
			ID: "length", Title: "LENGTH", Rank: 6, Right: true, Text: text(func(e automation.Execution) string { return p.d.Took(e.Started, e.Ended) }),
			Compare: func(a, b int) int { return cmp.Compare(p.lasted(at(a)), p.lasted(at(b))) },
		},
		{ID: "by", Title: "BY", Max: 20, Rank: 7, Text: text(by)},
		{ID: "id", Title: "ID", Max: 13, Rank: 8, Middle: true, Text: text(func(e automation.Execution) string { return e.ID })},
		{ID: "target", Title: "TARGET", Max: 24, Rank: 9, Text: text(func(e automation.Execution) string { return e.Target })},
		{ID: "failure", Title: "FAILURE", Max: 60, Rank: 10, Text: text(func(e automation.Execution) string { return render.OneLine(e.Failure) })},
		{ID: "waiting", Title: "WAITING", Off: true, Rank: 10, Text: text(waiting)},
		{ID: "mode", Title: "MODE", Off: true, Rank: 10, Text: text(func(e automation.Execution) string { return e.Mode })},
		{ID: "version", Title: "VERSION", Off: true, Rank: 10, Text: text(func(e automation.Execution) string { return e.DocumentVersion })},
		{ID: "parent", Title: "PARENT", Off: true, Rank: 10, Max: 13, Middle: true, Text: text(func(e automation.Execution) string { return e.Parent })},
	}
	return append(list,
		widget.Column{ID: "account", Title: "ACCOUNT", Off: true, Rank: 5, Text: func(i int) string { return p.rows[i].Who() }},
		widget.Column{ID: "region", Title: "REGION", Off: true, Rank: 2, Text: func(i int) string { return p.rows[i].Region }})
}

// stateWord is the state as the command line has it, too, marked where it is none that
// is known.
func stateWord(e automation.Execution) string {
	if e.State == "" {
		return "not known"
	}
	if !e.State.Known() {
		return "not known: " + string(e.State)
	}
	return string(e.State)
}

func waiting(e automation.Execution) string {
	if e.State.Waits() {
		return "yes"
	}
	return "no"
}

// by is who has started it, without the role's address.
func by(e automation.Execution) string { return e.ExecutedBy[strings.LastIndex(e.ExecutedBy, "/")+1:] }

func (p *Page) lasted(e automation.Execution) time.Duration {
	if e.Ended.IsZero() {
		return p.d.Now.Sub(e.Started)
	}
	return e.Ended.Sub(e.Started)
}

// none stands where rows would be.
func (p *Page) none() string {
	s := p.set.Executions.State()
	switch {
	case s.Empty() && len(s.Failures) > 0:
		return "automations could not be read: " + render.OneLine(fault.Explain(s.Failures[0].Err))
	case s.Empty():
		return s.Progress()
	case p.list.Filter() != "":
		return "no automation matches" + s.Reach()
	case s.Whole < s.Places:
		return "no automation was started in the last 7 days" + s.Reach()
	}
	return "no automation was started in the last 7 days; n starts one"
}

func short(id string) string { return id[:min(len(id), 8)] }
