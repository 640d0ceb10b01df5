package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// runView shows a run: progress on standard error while it goes on, the result
// on standard output. What is counted is counted by the board.
type runView struct {
	env      *Env
	options  render.Options
	board    run.Board
	progress *render.Progress
	full     bool
	names    map[string]string // of the selected nodes: the service knows computer names only
	events   *json.Encoder     // -o jsonl: every event as it comes
	err      error             // of writing events
}

func newRunView(env *Env, full bool) (*runView, error) {
	o, err := env.renderOptions()
	if err != nil {
		return nil, err
	}
	v := &runView{env: env, options: o, full: full}
	if err := v.check(); err != nil {
		return nil, err
	}
	if v.progress, err = env.progress(); err != nil {
		return nil, err
	}
	if o.Format == render.FormatJSONL {
		v.events = json.NewEncoder(env.Out)
		v.events.SetEscapeHTML(false)
	}
	return v, nil
}

// check refuses what the result could not be printed with: once a command is
// sent, it is too late to complain.
func (v *runView) check() error {
	o := v.options
	o.Notes = nil
	if o.Format == render.FormatJSONL && o.Query != "" {
		return fault.Usagef("--query does not go with -o jsonl: events have no common shape").WithHint("use -o json")
	}
	if v.object() {
		return render.Object(io.Discard, o, v.answer(), func(*render.Detail) {})
	}
	return rowTable(o).Check(o)
}

// object reports whether the result is one value rather than a list of nodes.
func (v *runView) object() bool {
	return v.options.Format == render.FormatJSON || v.options.Format == render.FormatYAML || v.options.Query != ""
}

// people reports whether the result is for reading: folded outputs.
func (v *runView) people() bool {
	switch v.options.Format {
	case render.FormatTable, render.FormatWide:
		return v.options.Query == ""
	case render.FormatAuto:
		return v.options.Query == "" && (v.options.Terminal() || v.full)
	default:
		return false
	}
}

// event takes one event of the service.
func (v *runView) event(e run.Event) {
	v.board.Apply(e)
	if v.events != nil {
		if err := v.events.Encode(e); err != nil && v.err == nil {
			v.err = err
		}
	}
	switch e.Kind {
	case run.Planned:
		v.planned(e.Plan)
	case run.Noticed:
		if e.Notice != nil {
			v.say(render.Visible(e.Notice.Text))
		}
	case run.Changed:
		if i := e.Invocation; i != nil && i.State.Final() {
			name := v.names[i.NodeID]
			if name == "" {
				name = i.NodeName
			}
			v.progress.Event(nodeLabel(name, i.NodeID)+" "+render.Visible(stateWords(*i)), i)
		}
	case run.WasSent, run.Progressed, run.Printed, run.Done:
	}
	v.progress.Set(render.Status{
		Label: "run", Done: int64(v.board.Finished()), Total: int64(v.board.Total()), Note: v.counts(),
	})
}

func (v *runView) planned(p *run.Plan) {
	if p == nil {
		return
	}
	v.names = make(map[string]string, len(p.Nodes))
	for _, n := range p.Nodes {
		v.names[n.ID] = n.Name
	}
	if p.Note != "" {
		v.say(p.Note)
	}
}

// say prints a remark above the progress.
func (v *runView) say(text string) {
	if !v.env.flags.quiet {
		v.progress.Println("ssmdeck: " + text)
	}
}

// counts is the summary behind the bar: "3 failed · 2 running".
func (v *runView) counts() string {
	var parts []string
	if n := v.board.Failures(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n))
	}
	for _, s := range []run.State{run.Running, run.Pending, run.Delayed, run.Cancelling, run.Waiting} {
		if n := v.board.Count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, " · ")
}

// result prints what the format asks for.
func (v *runView) result() error {
	switch {
	case v.events != nil:
		return v.err
	case v.people():
		if err := v.print(v.env.Out); err != nil {
			return err
		}
		v.summary()
		return nil
	case v.object():
		return render.Object(v.env.Out, v.options, v.answer(), func(*render.Detail) {})
	default:
		return writeList(v.env, rowTable, v.options, v.board.FailuresFirst())
	}
}

// sent prints the ids of commands that go on without us.
func (v *runView) sent(ids []string) error {
	if v.events != nil {
		return v.err
	}
	v.env.note("ssmdeck: sent; %s", takeUp(ids))
	if v.object() {
		return render.Object(v.env.Out, v.options, v.answer(), func(*render.Detail) {})
	}
	_, err := fmt.Fprintln(v.env.Out, strings.Join(ids, "\n"))
	return err
}

// runAnswer is `run -o json`.
type runAnswer struct {
	RunID      string   `json:"run_id,omitempty"`
	CommandIDs []string `json:"command_ids"`
	Total      int      `json:"total"`
	Succeeded  int      `json:"succeeded"`
	Failed     int      `json:"failed"`
	Nodes      []runRow `json:"nodes"`
}

type runRow struct {
	NodeID    string     `json:"node_id"`
	Name      string     `json:"name,omitempty"`
	CommandID string     `json:"command_id,omitempty"`
	State     run.State  `json:"state"`
	Detail    string     `json:"detail,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	ExitCode  int        `json:"exit_code"`
	Started   *time.Time `json:"started,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	Stdout    string     `json:"stdout"`
	Stderr    string     `json:"stderr"`
	Truncated bool       `json:"truncated"`
}

func (v *runView) answer() runAnswer {
	a := runAnswer{
		RunID: v.board.RunID(), CommandIDs: v.board.CommandIDs(), Total: v.board.Total(),
		Succeeded: v.board.Count(run.Success), Failed: v.board.Failures(), Nodes: []runRow{},
	}
	for r := range v.board.Rows() {
		a.Nodes = append(a.Nodes, runRow{
			NodeID: r.NodeID, Name: r.NodeName, CommandID: r.CommandID, State: r.State, Detail: r.Detail, Reason: r.Reason,
			ExitCode: r.ExitCode, Started: r.Started, Ended: r.Ended, Stdout: r.Stdout, Stderr: r.Stderr, Truncated: r.Truncated,
		})
	}
	return a
}

func rowTable(o render.Options) render.Table[run.Row] {
	return render.Table[run.Row]{
		ID: func(r run.Row) string { return r.NodeID },
		Columns: []render.Column[run.Row]{
			{Name: "NODE ID", ID: true, Text: func(r run.Row) string { return r.NodeID }},
			{
				Name: "STATE", Text: func(r run.Row) string { return string(r.State) },
				Human: func(r run.Row) string { return o.Styles.Status(stateLevel(r.State), string(r.State)) },
			},
			{Name: "EXIT", Right: true, Text: func(r run.Row) string {
				if r.ExitCode == run.NoExit {
					return ""
				}
				return fmt.Sprint(r.ExitCode)
			}},
			{Name: "NAME", Text: func(r run.Row) string { return r.NodeName }},
			{Name: "REASON", Wide: true, Text: func(r run.Row) string { return r.Reason }},
			{Name: "COMMAND ID", Wide: true, ID: true, Text: func(r run.Row) string { return r.CommandID }},
			{Name: "STDOUT", Wide: true, Text: func(r run.Row) string { return r.Stdout }},
			{Name: "STDERR", Wide: true, Text: func(r run.Row) string { return r.Stderr }},
		},
	}
}

// print writes the outputs for people: folded, or node by node with --full.
func (v *runView) print(w io.Writer) error {
	p := &outputPrinter{w: w, o: v.options}
	if v.full {
		for _, r := range v.board.FailuresFirst() {
			if r.State.Final() {
				p.block(run.Group{
					State: r.State, Reason: r.Reason, ExitCode: r.ExitCode, Stdout: r.Stdout, Stderr: r.Stderr,
					Truncated: r.Truncated, Nodes: []run.GroupNode{{ID: r.NodeID, Name: r.NodeName}},
				})
			}
		}
	} else {
		for _, g := range v.board.Groups() {
			p.block(g)
		}
	}
	p.pending(v.board.Rows())
	return p.err
}

// summary closes a run on standard error.
func (v *runView) summary() {
	ok, total := v.board.Count(run.Success), v.board.Total()
	text := fmt.Sprintf("%d of %s ok", ok, plural(total, "node"))
	if n := v.board.Failures(); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	if d := v.board.Elapsed(time.Now()); d > 0 {
		text += " in " + render.Duration(d)
	}
	v.env.note("%s", v.env.errStyles().Dim.Render(text))
}

// outputPrinter writes blocks of output; the first error stays.
type outputPrinter struct {
	w    io.Writer
	o    render.Options
	some bool
	err  error
}

func (p *outputPrinter) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// block is one group: who, how it ended, and what they all printed.
func (p *outputPrinter) block(g run.Group) {
	if p.some {
		p.printf("\n")
	}
	p.some = true
	words := stateWords(run.Invocation{State: g.State, Reason: g.Reason, ExitCode: g.ExitCode})
	p.printf("%s  %s\n", p.o.Styles.Status(stateLevel(g.State), render.Visible(words)), p.nodes(g.Nodes))
	p.text(g.Stdout)
	p.text(g.Stderr)
	if g.Truncated {
		p.printf("  %s\n", p.o.Styles.Dim.Render("(the service kept no more)"))
	}
}

// text writes foreign output, line by line, unable to do anything to the
// terminal.
func (p *outputPrinter) text(s string) {
	for line := range strings.Lines(s) {
		p.printf("  %s\n", visibleLine(line))
	}
}

// visibleLine makes a line of foreign output safe for a terminal, without its
// end. Tabs stay.
func visibleLine(line string) string {
	parts := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
	for i := range parts {
		parts[i] = render.Visible(parts[i])
	}
	return strings.Join(parts, "\t")
}

// forStream returns foreign output as it may be written to a stream: to a
// terminal line by line and harmless, into a pipe as it is.
func forStream(stream any, text string) string {
	if !isTerminal(stream) {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(visibleLine(line))
		b.WriteByte('\n')
	}
	return b.String()
}

// nodes names a group's nodes, folded.
func (p *outputPrinter) nodes(nodes []run.GroupNode) string {
	if len(nodes) == 1 {
		return p.o.Styles.Strong.Render(nodeLabel(nodes[0].Name, nodes[0].ID))
	}
	seen := map[string]int{}
	for _, n := range nodes {
		seen[n.Name]++
	}
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = render.Visible(n.Name)
		if n.Name == "" || seen[n.Name] > 1 { // two of one name are two nodes
			names[i] = n.ID
		}
	}
	return p.o.Styles.Strong.Render(plural(len(nodes), "node")+": ") + render.Fold(names)
}

// pending names what has not ended.
func (p *outputPrinter) pending(rows func(func(run.Row) bool)) {
	by := map[run.State][]run.GroupNode{}
	for r := range rows {
		if !r.State.Final() {
			by[r.State] = append(by[r.State], run.GroupNode{ID: r.NodeID, Name: r.NodeName})
		}
	}
	for _, s := range run.States() {
		if len(by[s]) > 0 {
			if p.some {
				p.printf("\n")
			}
			p.some = true
			p.printf("%s  %s\n", p.o.Styles.Status(stateLevel(s), string(s)), p.nodes(by[s]))
		}
	}
}

// stateWords is how an invocation ended, in words.
func stateWords(i run.Invocation) string {
	words := strings.ReplaceAll(string(i.State), "_", " ")
	if i.State != run.Success && i.ExitCode > 0 {
		words += fmt.Sprintf(", exit %d", i.ExitCode)
	}
	if i.Reason != "" {
		words += ": " + i.Reason
	}
	return words
}

func nodeLabel(name, id string) string {
	return render.Visible(fleet.Node{ID: id, Name: name}.String())
}
