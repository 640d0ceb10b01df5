package pagecommands

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// item is one line of the list: a run, or a command that ssmdeck did not send.
type item = grid.Row[run.Run]

// load folds what the feed has into runs: those under way in front, then the newest.
func (p *Page) load() {
	gen := p.set.Commands.Gen()
	if p.loaded && gen == p.gen {
		return
	}
	p.loaded, p.gen = true, gen
	places, commands := deck.Sendings(p.set.Commands.Rows())
	p.items, p.running = p.items[:0:0], 0
	for _, at := range places {
		for _, r := range run.Fold(commands[at]) {
			p.items = append(p.items, item{Place: at, Value: r})
			if !r.State.Final() && r.State != run.Strange {
				p.running++
			}
		}
	}
	slices.SortStableFunc(p.items, func(x, y item) int {
		if x.Value.State.Final() != y.Value.State.Final() {
			return map[bool]int{false: -1, true: 1}[x.Value.State.Final()]
		}
		return y.Value.Requested.Compare(x.Value.Requested)
	})
	p.list.Filling(p.set.Commands.State().Filling())
	p.list.Reset(len(p.items))
	p.list.ShowPlaces(p.deck.Several(), p.deck.Where.Accounts, p.deck.Where.Regions)
}

// failed is on how many nodes a run did not succeed, as its commands count them.
func failed(r run.Run) int { return r.Errors + r.DeliveryTimedOut }

// documents are the names of what was run, without the path of an ARN.
func documents(r run.Run) string {
	names := make([]string, len(r.Documents))
	for i, d := range r.Documents {
		names[i] = d[strings.LastIndexByte(d, '/')+1:]
	}
	return strings.Join(names, ", ")
}

// targets says for whom a run is.
func targets(r run.Run) string {
	if len(r.Commands) == 0 {
		return ""
	}
	if len(r.Commands) == 1 || len(r.Commands[0].TargetedBy) > 0 {
		return aims(r.Commands[0])
	}
	var ids []string
	for _, c := range r.Commands {
		ids = append(ids, c.InstanceIDs...)
	}
	return firstOf(ids)
}

// share is which part of a run is done.
func share(r run.Run) float64 {
	if r.Targets == 0 {
		if r.State.Final() {
			return 1
		}
		return 0
	}
	return float64(r.Completed) / float64(r.Targets)
}

const barWidth = 10

func (p *Page) columns() []widget.Column {
	at := func(i int) run.Run { return p.items[i].Value }
	number := func(of func(run.Run) int) func(int) string {
		return func(i int) string { return strconv.Itoa(of(at(i))) }
	}
	return []widget.Column{
		{
			ID: "state", Title: "STATE", Text: func(i int) string { return at(i).State.Called(at(i).Detail) },
			Level: func(i int) theme.Level { return levels.Run(at(i).State) }, Flash: true,
		},
		{ID: "id", Title: "RUN", Text: func(i int) string { return at(i).Ref() }, Also: func(i int) string { return strings.Join(at(i).CommandIDs, " ") }, Max: 10, Rank: 6},
		{ID: "document", Title: "DOCUMENT", Text: func(i int) string { return documents(at(i)) }, Max: 26, Rank: 2},
		{
			ID: "bar", Title: "PROGRESS", Min: barWidth, Rank: 7,
			Text:    func(i int) string { return render.Bar(share(at(i)), barWidth, p.deck.Styles.Glyphs.Bar) },
			Compare: func(a, b int) int { return cmp.Compare(share(at(a)), share(at(b))) },
		},
		{
			ID: "done", Rank: 1, Title: "DONE", Right: true,
			Text:    func(i int) string { return fmt.Sprintf("%d/%d", at(i).Completed, at(i).Targets) },
			Compare: func(a, b int) int { return cmp.Compare(at(a).Completed, at(b).Completed) },
		},
		{ID: "failed", Rank: 3, Title: "FAILED", Right: true, Text: number(failed), Sort: terms.Number, Flash: true},
		{
			ID: "age", Title: "SENT", Rank: 4, Sort: terms.Moment, At: func(i int) time.Time { return at(i).Requested },
			Text: func(i int) string { return p.deck.Ago(at(i).Requested) },
		},
		{ID: "comment", Title: "COMMENT", Text: func(i int) string { return at(i).Comment }, Rank: 5, Max: 40},
		{ID: "targets", Title: "TARGETS", Text: func(i int) string { return targets(at(i)) }, Rank: 8, Max: 32},
		{ID: "account", Title: "ACCOUNT", Text: func(i int) string { return p.items[i].Who() }, Rank: 6, Off: true},
		{ID: "region", Title: "REGION", Text: func(i int) string { return p.items[i].Region }, Rank: 5, Off: true},
		{ID: "nodes", Title: "NODES", Right: true, Text: number(func(r run.Run) int { return r.Targets }), Sort: terms.Number, Off: true},
		{ID: "commands", Title: "COMMANDS", Right: true, Text: number(func(r run.Run) int { return len(r.Commands) }), Sort: terms.Number, Off: true},
		{ID: "detail", Title: "DETAIL", Text: func(i int) string { return at(i).Detail }, Off: true},
	}
}

func (p *Page) key(i int) string {
	r := p.items[i].Value
	id := r.ID
	if id == "" && len(r.CommandIDs) > 0 {
		id = r.CommandIDs[0]
	}
	return deck.Key(p.items[i].Place, id)
}

// none says why there is no row.
func (p *Page) none() string {
	switch s := p.set.Commands.State(); {
	case s.Empty() && len(s.Failures) > 0:
		return "nothing is known: " + fault.Explain(s.Failures[0].Err)
	case s.Empty():
		return s.Progress()
	case s.Whole < s.Places && len(p.items) == 0:
		return "nothing was run in the last 24 hours" + s.Reach()
	case p.list.Of() > 0:
		return "no run fits the filter" + s.Reach() + "; esc clears it"
	}
	return "nothing was run in the last 24 hours"
}
