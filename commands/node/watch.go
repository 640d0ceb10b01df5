package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	watchEvery = 5 * time.Second
	goneFor    = time.Minute // how long a node that is gone is still shown
)

// nodeChange is one difference between two lists of the fleet.
type nodeChange struct {
	Time  time.Time `json:"time"`
	ID    string    `json:"id"`
	Name  string    `json:"name"`
	Field string    `json:"field"` // node when it came or went
	From  string    `json:"from"`
	To    string    `json:"to"`
}

// watchedFields are what --watch looks at. Times of pings change all the time
// and are not among them.
var watchedFields = []struct {
	name string
	get  func(fleet.Node) string
}{
	{"ping", func(n fleet.Node) string { return n.Ping }},
	{"state", func(n fleet.Node) string { return n.State }},
	{"agent", func(n fleet.Node) string { return n.AgentVersion }},
	{"name", func(n fleet.Node) string { return n.Name }},
	{"ip", func(n fleet.Node) string { return n.IP }},
	{"instance_type", func(n fleet.Node) string { return n.InstanceType }},
	{"os_version", func(n fleet.Node) string { return n.PlatformVersion }},
	{"association", func(n fleet.Node) string { return n.AssociationStatus }},
	{"tags", func(n fleet.Node) string { return nodechoice.TagText(n.Tags) }},
	{"missing", func(n fleet.Node) string {
		if n.Patch == nil {
			return ""
		}
		return strconv.Itoa(n.Patch.Missing)
	}},
}

// nodeChanges compares two lists, in the order of the new one; those that are
// gone come last. What is unknown in one of them has not changed.
func nodeChanges(now time.Time, before, after []fleet.Node) []nodeChange {
	old := make(map[string]fleet.Node, len(before))
	for _, n := range before {
		old[n.ID] = n
	}
	var changes []nodeChange
	for _, n := range after {
		was, known := old[n.ID]
		delete(old, n.ID)
		if !known {
			changes = append(changes, nodeChange{now, n.ID, n.Name, "node", "", n.Ping})
			continue
		}
		for _, f := range watchedFields {
			a, b := f.get(was), f.get(n)
			if a != b && slices.Equal(was.Unknown, n.Unknown) {
				changes = append(changes, nodeChange{now, n.ID, n.Name, f.name, a, b})
			}
		}
	}
	for _, n := range before {
		if _, gone := old[n.ID]; gone {
			changes = append(changes, nodeChange{now, n.ID, n.Name, "node", n.Ping, ""})
		}
	}
	return changes
}

// String is what changed: "ping online → lost".
func (c nodeChange) String() string {
	switch {
	case c.Field == "node" && c.To == "":
		return "gone"
	case c.Field == "node":
		return "new, " + c.To
	}
	return fmt.Sprintf("%s %s → %s", c.Field, cli.OrNone(c.From), cli.OrNone(c.To))
}

type reader func(context.Context) ([]fleet.Node, []fleet.Gap, error)

// watchNodes reads the fleet every poll until ctx ends: a table in place on a
// terminal, else a line a change. The first read must succeed; of later ones
// that fail it is said, once, and the next is tried.
func watchNodes(ctx context.Context, env *cli.Env, ro render.Options, table func(render.Options) render.Table[fleet.Node], poll time.Duration, read reader) error {
	show, err := newWatchView(env, ro, table)
	if err != nil {
		return err
	}
	var before []fleet.Node
	failed := false
	for first := true; ; first = false {
		nodes, gaps, err := read(ctx)
		switch {
		case ctx.Err() != nil:
			return &fault.Exit{Code: fault.Interrupted.ExitCode()}
		case err != nil && (first || fault.KindOf(err) == fault.Auth):
			return err
		case err != nil && !failed:
			show.trouble(err)
			failed = true
		case err == nil:
			failed = false
			if first {
				nodechoice.NoteGaps(env, gaps)
				show.begin(len(nodes), poll)
				before = nodes
			}
			fleet.Sort(nodes)
			if err := show.update(nodes, nodeChanges(time.Now(), before, nodes)); err != nil {
				return err
			}
			before = nodes
		}
		if wait.Sleep(ctx, poll) != nil {
			return &fault.Exit{Code: fault.Interrupted.ExitCode()}
		}
	}
}

// watchView shows what a watch sees.
type watchView interface {
	begin(nodes int, poll time.Duration)
	update(nodes []fleet.Node, changes []nodeChange) error
	trouble(error)
}

func newWatchView(env *cli.Env, ro render.Options, table func(render.Options) render.Table[fleet.Node]) (watchView, error) {
	switch {
	case ro.Query != "":
		return nil, fault.Usagef("--watch takes no --query").WithHint("use -o jsonl, one object a change")
	case ro.Format == render.FormatJSONL:
		return &watchLines{env: env, json: true}, nil
	case ro.Format == render.FormatText, ro.Format == render.FormatAuto, ro.Format == render.FormatTable, ro.Format == render.FormatWide:
	default:
		return nil, fault.Usagef("--watch prints a table or lines, and no %s", ro.Format).WithHint("use -o jsonl, one object a change")
	}
	if out, ok := env.Out.(*os.File); ok && ro.Terminal() && ro.Format != render.FormatText {
		if term, err := terminal.Open(out, out); err == nil {
			return &watchScreen{out: out, size: term.Size, ro: ro, table: table, last: map[string]nodeChange{}, gone: map[string]fleet.Node{}}, nil
		}
	}
	return &watchLines{env: env}, nil
}

// watchLines prints one line a change.
type watchLines struct {
	env  *cli.Env
	json bool
}

func (w *watchLines) begin(nodes int, poll time.Duration) {
	w.env.Note("ssmdeck: watching %s, every %s", cli.Plural(nodes, "node"), poll)
}

func (w *watchLines) trouble(err error) {
	w.env.Note("ssmdeck: note: the list could not be read, and will be again: %s", cli.FirstLine(err))
}

func (w *watchLines) update(_ []fleet.Node, changes []nodeChange) error {
	for _, c := range changes {
		line := fmt.Appendf(nil, "%s\t%s\t%s\t%s", render.Timestamp(c.Time), c.ID, render.Visible(c.Name), render.Visible(c.String()))
		if w.json {
			var err error
			if line, err = json.Marshal(c); err != nil {
				return err
			}
		}
		if _, err := w.env.Out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// watchScreen draws the table over the last one. What changed comes first, so
// that it is seen where the list is longer than the screen.
type watchScreen struct {
	out   io.Writer
	size  func() (cols, rows int, err error)
	ro    render.Options
	table func(render.Options) render.Table[fleet.Node]
	poll  time.Duration

	drawn int
	last  map[string]nodeChange // by node
	gone  map[string]fleet.Node
	note  string
}

func (w *watchScreen) begin(_ int, poll time.Duration) { w.poll = poll }

func (w *watchScreen) trouble(err error) {
	w.note = cli.FirstLine(err)
	_ = w.draw(time.Now(), nil)
}

func (w *watchScreen) update(nodes []fleet.Node, changes []nodeChange) error {
	now := time.Now()
	w.note = ""
	for _, c := range changes {
		w.last[c.ID] = c
		delete(w.gone, c.ID)
		if c.Field == "node" && c.To == "" {
			w.gone[c.ID] = fleet.Node{ID: c.ID, Name: c.Name}
		}
	}
	for id := range w.gone {
		if now.Sub(w.last[id].Time) > goneFor {
			delete(w.gone, id)
			delete(w.last, id)
		}
	}
	for _, n := range w.gone {
		nodes = append(nodes, n)
	}
	return w.draw(now, nodes)
}

// draw writes a picture; no nodes at all leave the last one and say the note.
func (w *watchScreen) draw(now time.Time, nodes []fleet.Node) error {
	cols, rows, err := w.size()
	if err != nil || cols <= 0 || rows <= 0 {
		cols, rows = 80, 24
	}
	if nodes == nil {
		_, err := fmt.Fprintf(w.out, "%s\x1b[K\r\n", render.Visible(w.note))
		w.drawn = 0
		return err
	}
	lines := w.lines(now, nodes, cols, rows)
	err = cli.Repaint(w.out, w.drawn, lines)
	w.drawn = len(lines)
	return err
}

// lines are the table and a line of sums, at most as many as the screen has.
func (w *watchScreen) lines(now time.Time, nodes []fleet.Node, cols, rows int) []string {
	nodes = slices.Clone(nodes)
	slices.SortStableFunc(nodes, func(a, b fleet.Node) int { return w.last[b.ID].Time.Compare(w.last[a.ID].Time) })
	online := 0
	for _, n := range nodes {
		if n.Online() {
			online++
		}
	}
	room := max(rows-4, 1)
	shown := nodes[:min(len(nodes), room)]
	ro := w.ro
	ro.Width, ro.Now, ro.Notes, ro.SortBy, ro.Limit = cols, now, nil, "", 0
	t := w.table(ro)
	mark := nodechoice.Column{
		Name: "CHANGED",
		Text: func(n fleet.Node) string {
			c, ok := w.last[n.ID]
			if !ok {
				return ""
			}
			return c.String() + ", " + render.Ago(now, c.Time)
		},
	}
	t.Columns = slices.Insert(slices.Clone(t.Columns), min(1, len(t.Columns)), mark)
	if len(ro.Columns) > 0 {
		ro.Columns = append([]string{"changed"}, ro.Columns...)
	}
	var b bytes.Buffer
	_ = t.Write(&b, ro, func(yield func(fleet.Node, error) bool) {
		for _, n := range shown {
			if !yield(n, nil) {
				return
			}
		}
	})
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	sums := fmt.Sprintf("%s, %d online", cli.Plural(len(nodes)-len(w.gone), "node"), online)
	if more := len(nodes) - len(shown); more > 0 {
		sums += fmt.Sprintf(", %d not shown", more)
	}
	return append(lines, "", w.ro.Styles.Dim.Render(fmt.Sprintf("%s; %s, every %s; Ctrl-C ends", sums, now.Local().Format(time.TimeOnly), w.poll)))
}
