package pagesessions

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// stopped is the state of a saved forward that does not run.
const stopped = "stopped"

// tunnel is a forward that is saved, runs, or both.
type tunnel struct {
	name  string
	saved *forwards.Entry // nil: it is in no file
	row   *forwards.Row   // nil: it does not run
	proc  forwards.Record // that runs it
	here  bool            // it is this process
}

// join puts what is saved and what runs together by name. Those that run and are in no
// file come last.
func join(saved []grid.Row[forwards.Entry], alive []grid.Row[forwards.Running]) []tunnel {
	var out []tunnel
	at := map[string]int{}
	for i := range saved {
		e := &saved[i].Value
		at[e.Name] = len(out)
		out = append(out, tunnel{name: e.Name, saved: e})
	}
	for i := range alive {
		p := &alive[i].Value
		for j := range p.Rows {
			r := &p.Rows[j]
			if r.State == forwards.Closed {
				continue
			}
			k, ok := at[r.Name]
			if !ok {
				k = len(out)
				at[r.Name] = k
				out = append(out, tunnel{name: r.Name})
			}
			out[k].row, out[k].proc, out[k].here = r, p.Record, p.Here()
		}
	}
	return out
}

func (t tunnel) runs() bool { return t.row != nil }

// known reports whether the process that runs it has told how it is.
func (t tunnel) known() bool { return t.runs() && t.row.State != forwards.Mute }

// typed reports whether it is the forward of a command line, which is gone when it ends.
func (t tunnel) typed() bool { return t.runs() && t.proc.Unsaved }

// kept says whether it can be started again by its name.
func (t tunnel) kept() string {
	if t.saved != nil {
		return "yes"
	}
	return "no"
}

func (t tunnel) state() string {
	if !t.runs() {
		return stopped
	}
	return string(t.row.State)
}

func (t tunnel) level() theme.Level {
	if !t.runs() {
		return theme.Idle
	}
	return levels.Forward(t.row.State)
}

// local are its local ends: with the real ports where it runs.
func (t tunnel) local() []string {
	if t.known() {
		return t.row.Local
	}
	if t.saved != nil {
		return t.saved.Local()
	}
	return nil
}

func (t tunnel) remote() []string {
	if t.known() {
		return t.row.Remote
	}
	if t.saved != nil {
		return t.saved.Remote()
	}
	return nil
}

func (t tunnel) node() string {
	if t.known() {
		return t.row.Node
	}
	if t.saved != nil {
		return t.saved.Node
	}
	return ""
}

// via is the node as the reader knows it: one that was typed is in the list by its id.
func (p *Page) via(t tunnel) string {
	if label := p.labels[t.node()]; label != "" && t.typed() {
		return label
	}
	return t.node()
}

// fault is what went wrong last, with what can be done.
func (t tunnel) fault() string {
	switch {
	case t.runs() && t.row.State == forwards.Mute:
		return fmt.Sprintf("process %d does not answer; is it suspended?", t.proc.PID)
	case !t.runs() || t.row.Error == "":
		return ""
	case t.row.Hint != "":
		return t.row.Error + ": " + t.row.Hint
	}
	return t.row.Error
}

// connections are those open now, of those that there ever were.
func (t tunnel) connections() string {
	if !t.known() {
		return ""
	}
	return strconv.FormatInt(t.row.Open, 10) + "/" + strconv.FormatInt(t.row.Total, 10)
}

// rate is a speed as text; empty for one that does not run.
func (t tunnel) rate(get func(*forwards.Row) float64) string {
	if !t.known() {
		return ""
	}
	return render.Bytes(int64(get(t.row))) + "/s"
}

func inRate(r *forwards.Row) float64  { return r.InRate }
func outRate(r *forwards.Row) float64 { return r.OutRate }

func (p *Page) tunnelList() *widget.List {
	at := func(row int) tunnel { return p.tunnels[row] }
	text := func(get func(t tunnel) string) func(int) string {
		return func(row int) string { return get(at(row)) }
	}
	speed := func(get func(*forwards.Row) float64) func(a, b int) int {
		of := func(row int) float64 {
			if t := at(row); t.known() {
				return get(t.row)
			}
			return -1
		}
		return func(a, b int) int { return cmp.Compare(of(a), of(b)) }
	}
	saved := func(get func(e *forwards.Entry) string) func(int) string {
		return text(func(t tunnel) string {
			if t.saved == nil {
				return ""
			}
			return get(t.saved)
		})
	}
	columns := []widget.Column{
		{ID: "name", Title: "NAME", Text: text(func(t tunnel) string { return t.name }), Max: 28, Loose: true},
		{ID: "state", Title: "STATE", Text: text(tunnel.state), Level: func(row int) theme.Level { return at(row).level() }, Flash: true},
		{ID: "local", Title: "LOCAL", Text: text(func(t tunnel) string { return strings.Join(t.local(), " ") }), Rank: 1, Max: 32},
		{ID: "connections", Title: "OPEN", Text: text(tunnel.connections), Right: true, Rank: 2},
		{ID: "in", Title: "IN", Text: text(func(t tunnel) string { return t.rate(inRate) }), Compare: speed(inRate), Right: true, Rank: 3},
		{ID: "out", Title: "OUT", Text: text(func(t tunnel) string { return t.rate(outRate) }), Compare: speed(outRate), Right: true, Rank: 3},
		{ID: "error", Title: "ERROR", Text: text(tunnel.fault), Rank: 4},
		{ID: "remote", Title: "REMOTE", Text: text(func(t tunnel) string { return strings.Join(t.remote(), " ") }), Rank: 5, Middle: true, Max: 48},
		{ID: "node", Title: "NODE", Text: text(p.via), Rank: 6, Max: 28},
		{ID: "saved", Title: "SAVED", Text: text(tunnel.kept), Rank: 7},
		{ID: "groups", Title: "GROUPS", Text: saved(func(e *forwards.Entry) string { return strings.Join(e.Groups, " ") }), Rank: 7, Off: true},
		{ID: "profile", Title: "PROFILE", Text: saved(func(e *forwards.Entry) string { return e.Profile }), Rank: 7, Off: true},
		{ID: "description", Title: "DESCRIPTION", Text: saved(func(e *forwards.Entry) string { return e.Description }), Rank: 8, Off: true},
		{ID: "pid", Title: "PROCESS", Text: text(func(t tunnel) string {
			if !t.runs() {
				return ""
			}
			return strconv.Itoa(t.proc.PID)
		}), Right: true, Rank: 8, Off: true},
	}
	return widget.NewList(widget.Options{
		Columns: columns, Key: func(row int) string { return at(row).name }, Marks: true, None: p.noTunnels,
	})
}

func (p *Page) noTunnels() string {
	state := p.set.Saved.State()
	switch {
	case state.Empty() && len(state.Failures) > 0:
		return "not known: " + render.Visible(fault.Explain(state.Failures[0].Err))
	case state.Empty():
		return "reading the saved forwards"
	case p.lists[tunnels].Filter() != "":
		return "no forward fits the filter"
	default:
		return "no forward is saved, and none runs: n saves one, f opens one at once"
	}
}

// tunnel is the forward under the cursor.
func (p *Page) tunnel() (tunnel, bool) {
	if p.section != tunnels {
		return tunnel{}, false
	}
	row, ok := p.list().Current()
	if !ok {
		return tunnel{}, false
	}
	return p.tunnels[row], true
}

// chosenTunnels are the forwards an action is about, those that run or those that do
// not.
func (p *Page) chosenTunnels(running bool) (out []tunnel) {
	if p.section != tunnels {
		return nil
	}
	for _, row := range p.list().Chosen() {
		if t := p.tunnels[row]; t.runs() == running && (running || t.saved != nil) {
			out = append(out, t)
		}
	}
	return out
}

func namesOf(list []tunnel) []string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.name
	}
	return names
}

// running counts the forwards that run.
func (p *Page) running() (n int) {
	for _, t := range p.tunnels {
		if t.runs() {
			n++
		}
	}
	return n
}

// idle are saved forwards that do not run, by name.
func (p *Page) idle() []tunnel {
	var out []tunnel
	for _, t := range p.tunnels {
		if !t.runs() && t.saved != nil {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b tunnel) int { return cmp.Compare(a.name, b.name) })
	return out
}
