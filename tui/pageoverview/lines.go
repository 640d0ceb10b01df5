package pageoverview

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// panel is a part of the page with a title.
type panel struct {
	title string
	note  string // behind the title: how many there are
	say   string // in place of lines: "loading 2/6 places"
	right bool   // values are numbers, to be read one below the other
	lines []line
}

func (p panel) heading() string { return strings.TrimSpace(p.title + " " + p.note) }

// line is something that was counted and can be opened.
type line struct {
	key   string // what it is, whatever the number
	level theme.Level
	text  string
	bar   bool
	share float64 // of the bar, 0 to 1
	value string
	// open is the page behind it, which then shows that many rows; 0: something of
	// one row.
	open  deck.Open
	rows  int
	show  deck.Show   // in place of a page
	words []string    // of the command line that lists the same
	at    *grid.Place // where it runs; nil: in all places
}

// sentence is the line for who does not see it.
func (l line) sentence() string {
	if l.value == "" {
		return l.text
	}
	return l.text + " " + l.value
}

// waiting says why there is nothing to count; empty when there is.
func waiting(s feed.State) string {
	switch {
	case !s.Empty():
		return ""
	case len(s.Failures) > 0 && len(s.Failures) == s.Places:
		text := "cannot be read: " + s.Failures[0].Err.Error()
		if hint := fault.HintOf(s.Failures[0].Err); hint != "" {
			text += " (" + hint + ")"
		}
		return text
	case s.Places == 0:
		return "not read yet"
	}
	return fmt.Sprintf("loading 0/%s", widget.Count(s.Places, "place"))
}

// partly is what a panel says of its own whole when some places have not answered in full.
func partly(note string, s feed.State) string {
	if s.Whole < s.Places {
		return strings.TrimSpace(fmt.Sprintf("%s (%d/%s)", note, s.Whole, widget.Count(s.Places, "place")))
	}
	return note
}

func (p *Page) fleetPanel() panel {
	s := p.set.Nodes.State()
	out := panel{title: "Fleet", say: waiting(s), right: true}
	if out.say != "" {
		return out
	}
	c := p.nodes.value
	out.note = partly(widget.Count(c.all, "node"), s)
	if c.all == 0 {
		out.say = "no managed node here; d on Fleet says why an instance is not one"
		return out
	}
	add := func(key string, level theme.Level, n int, filter string) {
		out.lines = append(out.lines, line{
			key: key, level: level, text: key, bar: true, share: float64(n) / float64(c.all), value: widget.Grouped(n),
			open: deck.Open{Page: "fleet", Filter: filter, Clear: true}, rows: n, words: []string{"ls", "--filter", filter},
		})
	}
	add("online", theme.Good, c.online, "ping=online")
	add("lost", lostLevel(c), c.lost, "ping=lost")
	add("inactive", zero(c.inactive, theme.Idle), c.inactive, "ping=inactive")
	if c.unknown > 0 {
		add("not known", theme.Unknown, c.unknown, "!ping=online !ping=lost !ping=inactive")
	}
	if c.agents.Known() {
		add("agent latest", theme.Good, c.latest, c.agents.Filter(false))
		add("agent behind", zero(c.behind, theme.Warn), c.behind, c.agents.Filter(true))
	}
	return out
}

// zero is a level for a number that is a matter only above 0.
func zero(n int, level theme.Level) theme.Level {
	if n == 0 {
		return theme.Idle
	}
	return level
}

// least is how many things of a kind are shown by themselves, at least.
const least = 6

// most is how many things of a kind are shown by themselves: the worst groups, the
// newest commands, the next windows.
func (p *Page) most() int {
	if p.columns() == 3 {
		return max(least, p.height/3)
	}
	return least
}

func (p *Page) patchPanel() panel {
	s := p.set.Patches.State()
	out := panel{title: "Patch compliance", say: waiting(s), right: true}
	if out.say != "" {
		return out
	}
	r := p.patches.value
	if r.total.Nodes == 0 {
		out.say = "no managed node here"
		return out
	}
	out.note = partly(percent(r.total), s)
	for i, g := range r.groups {
		if i == p.most() {
			break
		}
		out.lines = append(out.lines, groupLine(g))
	}
	if more := len(r.groups) - p.most(); more > 0 {
		out.lines = append(out.lines, line{key: "more", text: widget.Count(more, "more group"), open: deck.Open{Page: "patch", Clear: true}})
	}
	out.lines = append(out.lines, patchNumbers(r.total)...)
	return out
}

// patchNumbers are the lines with numbers of nodes. Of which nothing is known is not 0.
func patchNumbers(t patch.Counts) (lines []line) {
	add := func(key string, level theme.Level, n int, filter string, words ...string) {
		value := widget.Grouped(n)
		switch t.Unknown {
		case 0:
		case t.Nodes:
			value, level = "not known", theme.Unknown
		default:
			value += " of " + widget.Grouped(t.Nodes-t.Unknown) + " known"
		}
		if t.Unknown < t.Nodes {
			level = zero(n, level)
		}
		lines = append(lines, line{
			key: key, level: level, text: key, value: value, open: deck.Open{Page: "patch", Filter: filter, Clear: true}, rows: n, words: words,
		})
	}
	add("critical missing", levels.Critical, t.WithCritical, "critical>0", patchWords("critical>0")...)
	add("security missing", levels.Security, t.WithSecurity, "security>0", patchWords("security>0")...)
	add("reboot pending", levels.PendingReboot, t.WithPendingReboot, "reboot>0", patchWords("pending_reboot>0")...)
	add("never scanned", levels.NeverScanned, t.NeverScanned, neverScanned, "patch", "status", "--never-scanned")
	return lines
}

const neverScanned = "status=" + string(patch.NeverScanned)

// patchWords list the nodes for which a term of --filter holds.
func patchWords(filter string) []string { return []string{"patch", "status", "--filter", filter} }

// groupFilter fits the nodes of a patch group, or those in none: no term of a filter has
// an empty value.
func groupFilter(group string) string {
	if group == "" {
		return "!group~."
	}
	return terms.Is("group", group)
}

func groupLine(g patch.Slice) line {
	share, known := g.Percent()
	l := line{
		key: "group " + g.Key, text: cmp.Or(g.Key, "(no group)"), bar: known, share: share / 100, value: percent(g.Counts),
		open: deck.Open{Page: "patch", Filter: groupFilter(g.Key), Clear: true}, rows: g.Nodes,
	}
	// The filter patch_group= knows groups of scans alone, and not those of tags.
	l.words = []string{"patch", "status", "--by", "group"}
	l.level = levels.PatchCounts(&g.Counts)
	return l
}

// percent is the share of nodes that are compliant, of those of which it is known. It
// is rounded down, so that only all of them are 100 %.
func percent(c patch.Counts) string {
	share, known := c.Percent()
	if !known {
		return "not known"
	}
	text := fmt.Sprintf("%d %%", int(share))
	if c.Unknown > 0 {
		text += " of " + widget.Grouped(c.Nodes-c.Unknown) + " known"
	}
	return text
}

// underWay fits the commands that have not ended.
const underWay = "state=running | state=pending | state=cancelling"

func (p *Page) runningPanel() panel {
	out := panel{title: "Running now"}
	runs, autos := p.set.Commands.State(), p.set.Executions.State()
	if say := waiting(runs); say != "" {
		out.lines = append(out.lines, line{key: "commands", text: "commands: " + say, open: deck.Open{Page: "commands", Clear: true}})
	}
	for i, s := range p.runs.value.active {
		if i == p.most() {
			rest := len(p.runs.value.active) - p.most()
			out.lines = append(out.lines, line{key: "more commands", level: theme.Busy, text: widget.Count(rest, "more command"), open: deck.Open{Page: "commands", Filter: underWay, Clear: true}})
			break
		}
		out.lines = append(out.lines, p.runLine(s))
	}
	if say := waiting(autos); say != "" {
		out.lines = append(out.lines, line{key: "automations", text: "automations: " + say, open: deck.Open{Page: "automation", Clear: true}})
	}
	for i, e := range p.autos.value.active {
		if i == p.most() {
			rest := len(p.autos.value.active) - p.most()
			out.lines = append(out.lines, line{key: "more automations", level: theme.Busy, text: widget.Count(rest, "more automation"), open: deck.Open{Page: "automation", Clear: true}})
			break
		}
		out.lines = append(out.lines, p.autoLine(e))
	}
	if len(p.runs.value.active)+len(p.autos.value.active) == 0 && !runs.Empty() && !autos.Empty() {
		text := partly("no command and no automation", runs)
		if runs.Whole == runs.Places {
			text = partly(text, autos)
		}
		out.lines = append(out.lines, line{key: "nothing", level: theme.Idle, text: text, open: deck.Open{Page: "commands", Clear: true}})
	}
	out.lines = append(out.lines, p.sessionLine(), p.forwardLine())
	return out
}

func (p *Page) runLine(s sent) line {
	l := line{
		key: "cmd " + s.id, level: theme.Busy, text: "cmd " + short(s.id) + " " + cmp.Or(s.note, s.document),
		open: deck.Open{Page: "commands", Filter: "id=" + s.id, Clear: true}, words: s.words(), at: &s.at,
	}
	l.value = fmt.Sprintf("%s/%s", widget.Grouped(s.completed), widget.Grouped(s.targets))
	if s.targets > 0 {
		l.bar, l.share = true, float64(s.completed)/float64(s.targets)
	}
	if s.errors > 0 {
		l.level = theme.Warn
		l.value += fmt.Sprintf(" %s failed", widget.Grouped(s.errors))
	}
	l.value = strings.TrimSpace(l.value + " " + since(p.deck.Now, s.requested))
	return l
}

func (p *Page) autoLine(e placed[automation.Execution]) line {
	l := line{
		key: "auto " + e.it.ID, level: theme.Busy, text: "auto " + short(e.it.ID) + " " + e.it.Document, value: since(p.deck.Now, e.it.Started),
		open: deck.Open{Page: "automation", Filter: "id=" + e.it.ID, Clear: true}, rows: 1, words: []string{"automation", "get", e.it.ID}, at: &e.at,
	}
	step := cmp.Or(e.it.CurrentStep, strings.ToLower(string(e.it.State)), "not known")
	if c := e.it.Counts; c != nil && c.Total > 0 {
		done := c.Success + c.Failed + c.Cancelled + c.TimedOut
		l.bar, l.share = true, float64(done)/float64(c.Total)
		step = fmt.Sprintf("%d/%d", done, c.Total)
	}
	if e.it.State.Waits() {
		l.level = theme.Warn
		step += " (waits)"
	}
	l.value = strings.TrimSpace(step + " " + l.value)
	return l
}

// short is the beginning of an id, as much as people say aloud.
func short(id string) string {
	if len(id) > 4 && strings.Count(id, "-") > 2 {
		return id[:4]
	}
	return id
}

// since is how long something runs; "" when it is not known since when, as of what
// begins in the future by a clock that is off.
func since(now, t time.Time) string {
	if t.IsZero() || t.Sub(now) > time.Minute {
		return ""
	}
	return elapsed(now.Sub(t))
}

// elapsed is a duration in one or two units without spaces, to stand in a column.
func elapsed(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

func (p *Page) sessionLine() line {
	l := line{key: "sessions", level: theme.Idle, open: deck.Open{Page: "sessions", Filter: "active:", Clear: true}, words: []string{"session", "ls"}}
	s := p.set.Sessions.State()
	if say := waiting(s); say != "" {
		l.level, l.text = theme.Unknown, "sessions: "+say
		return l
	}
	n := len(p.set.Sessions.Rows())
	l.text, l.level, l.rows = partly(widget.Count(n, "session")+" open", s), zero(n, theme.Busy), n
	return l
}

func (p *Page) forwardLine() line {
	l := line{key: "forwards", level: theme.Idle, open: deck.Open{Page: "sessions", Filter: "forwards:", Clear: true}, words: []string{"forward", "ls"}, at: &grid.Place{}}
	s := p.set.Forwards.State()
	if say := waiting(s); say != "" {
		l.level, l.text = theme.Unknown, "forwards: "+say
		return l
	}
	n := 0
	for _, r := range p.set.Forwards.Rows() {
		n += len(r.Value.Rows)
	}
	l.text, l.level = widget.Count(n, "forward")+" on this machine", zero(n, theme.Busy)
	return l
}

func (p *Page) windowPanel() panel {
	s := p.set.Windows.State()
	out := panel{title: "Next windows", say: waiting(s)}
	if out.say != "" {
		return out
	}
	all := p.windows.value.next
	out.note = partly("", s)
	switch {
	case p.set.Windows.Len() == 0:
		out.say = "no maintenance window" + s.Reach()
		return out
	case len(all) == 0:
		out.say = "no window opens any more"
		return out
	}
	for i, n := range all {
		if i == p.most() {
			break
		}
		l := line{
			key: "window " + n.WindowID, level: theme.Idle, text: n.Window,
			open: deck.Open{Page: "windows", Filter: "id=" + n.WindowID, Clear: true}, rows: 1, words: []string{"window", "get", n.WindowID}, at: &n.at,
		}
		if n.open {
			l.level, l.value = theme.Busy, "open, until "+n.End.In(p.deck.Location).Format("15:04")
		} else {
			l.value = "in " + elapsed(n.Start.Sub(p.deck.Now))
		}
		if n.nodes >= 0 {
			l.value += ", " + widget.Count(n.nodes, "node")
		}
		out.lines = append(out.lines, l)
	}
	return out
}
