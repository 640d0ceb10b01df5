package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// viewOptions say how a run is shown.
type viewOptions struct {
	full   bool
	diff   bool
	outDir string
	follow bool
}

func (o *viewOptions) bind(f *pflag.FlagSet) {
	f.BoolVar(&o.full, "full", false, "show the output of every node by itself, not folded")
	f.BoolVar(&o.diff, "diff", false, "show the output most nodes have, and of the others how it differs")
	f.StringVar(&o.outDir, "out-dir", "", "write all output to files in the new or empty `folder`, and a summary.json")
}

func (o *viewOptions) bindFollow(f *pflag.FlagSet) {
	f.BoolVar(&o.follow, "follow", false, "show the output while it is written, where it goes to CloudWatch Logs")
}

// runView shows a run: progress on standard error while it goes on, the result
// on standard output. What is counted is counted by the board.
type runView struct {
	viewOptions
	env      *Env
	options  render.Options
	board    run.Board
	progress *render.Progress
	names    map[string]string      // of nodes: the service knows computer names only
	events   *json.Encoder          // -o jsonl: every event as it comes
	lines    *nodeLines             // nil: output is not shown while it is written
	dir      *outputDir             // nil: none is written
	keep     run.Command            // where the full output goes
	kept     map[string]run.Command // the same of commands that were sent before, by id
	past     bool                   // a look at what was: its events are no news
	err      error                  // of writing events or lines
}

func newRunView(env *Env, vo viewOptions) (*runView, error) {
	o, err := env.renderOptions()
	if err != nil {
		return nil, err
	}
	v := &runView{viewOptions: vo, env: env, options: o, names: map[string]string{}}
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

// close gives up the progress line.
func (v *runView) close() { v.progress.Close() }

// prepare makes what the result needs, before anything is sent.
func (v *runView) prepare() (err error) {
	if v.outDir != "" {
		v.dir, err = newOutputDir(v.outDir)
	}
	return err
}

// learn asks for the names of the nodes, which the service of commands does not
// know. Without them ids will do.
func (v *runView) learn(ctx context.Context) {
	nodes, err := v.env.Fleet(ctx)
	if err != nil {
		return
	}
	for n, err := range nodes.List(ctx, fleet.Query{}) {
		if err != nil {
			return
		}
		v.names[n.ID] = n.Name
	}
}

// check refuses what the result could not be printed with: once a command is
// sent, it is too late to complain.
func (v *runView) check() error {
	o := v.options
	o.Notes = nil
	switch {
	case v.full && v.diff:
		return fault.Usagef("--full and --diff exclude each other")
	case v.diff && !v.people():
		return fault.Usagef("--diff is for people: it goes with -o table, or with no format")
	case v.follow && v.object():
		return fault.Usagef("--follow does not go with one answer at the end").WithHint("use -o jsonl for events as they come")
	}
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
		return v.options.Query == "" && (v.options.Terminal() || v.full || v.diff)
	default:
		return false
	}
}

// event takes one event of the service.
func (v *runView) event(e run.Event) {
	if i := e.Invocation; i != nil && v.names[i.NodeID] != "" {
		named := *i
		named.NodeName = v.names[i.NodeID]
		e.Invocation = &named
	}
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
			v.notice(*e.Notice)
		}
	case run.Logged:
		if v.lines != nil && v.err == nil {
			v.err = v.lines.write(v.names[e.Log.NodeID], *e.Log)
		}
	case run.Changed:
		if i := e.Invocation; i != nil && i.State.Final() && !v.past {
			v.progress.Event(nodeLabel(i.NodeName, i.NodeID)+" "+render.Visible(stateWords(*i)), i)
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
	for _, n := range p.Nodes {
		v.names[n.ID] = n.Name
	}
	if p.Note != "" {
		v.say(p.Note)
	}
	if n := len(p.Nodes); p.Commands > 1 && n > 50 {
		v.say(fmt.Sprintf("%s for %s, because the service takes 50 ids in one; tags alone take one", plural(p.Commands, "command"), plural(n, "node")))
	}
}

// notice tells what is to be known about the following.
func (v *runView) notice(n run.Notice) {
	text := n.Text
	switch n.Kind {
	case run.Throttled, run.Retrying: // every time anew; once is enough
		if n.Count > 1 {
			return
		}
	case run.Unlive:
		if v.lines != nil {
			v.lines.gaps = true
		}
	case run.Shortened, run.Held, run.Unsettled:
		if n.Count > 0 {
			text += fmt.Sprintf(" (%s)", plural(n.Count, "node"))
		}
	case run.Unknown, run.Disagree, run.OneByOne:
	}
	v.say(render.Visible(text))
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

// result prints what the format asks for. svc gets what of long outputs is to be
// written to files.
func (v *runView) result(ctx context.Context, svc *run.Service) error {
	if v.dir != nil {
		if err := v.save(ctx, svc); err != nil {
			return err
		}
	}
	switch {
	case v.err != nil, v.events != nil:
		return v.err
	case v.lines != nil && !v.lines.gaps: // everything was shown
		if err := v.print(v.env.Err, false); err != nil {
			return err
		}
		v.summary()
		return nil
	case v.people():
		if err := v.print(v.env.Out, true); err != nil {
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
	v.env.note("ssmdeck: sent; %s", takeUp(v.board.Ref()))
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
	Unlisted   int      `json:"unlisted,omitempty"` // counted by the service, and not listed
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
	Preview   bool       `json:"preview,omitempty"` // the form of 2,500 characters; there may be more
	More      string     `json:"more,omitempty"`    // where the rest is
}

func (v *runView) answer() runAnswer {
	a := runAnswer{
		RunID: v.board.RunID(), CommandIDs: v.board.CommandIDs(), Total: v.board.Total(),
		Succeeded: v.board.Count(run.Success), Failed: v.board.Failures(), Unlisted: v.board.Unlisted(), Nodes: []runRow{},
	}
	for r := range v.board.Rows() {
		a.Nodes = append(a.Nodes, rowOf(r))
	}
	return a
}

func rowOf(r run.Row) runRow {
	return runRow{
		NodeID: r.NodeID, Name: r.NodeName, CommandID: r.CommandID, State: r.State, Detail: r.Detail, Reason: r.Reason,
		ExitCode: r.ExitCode, Started: r.Started, Ended: r.Ended, Stdout: r.Stdout, Stderr: r.Stderr, Truncated: r.Truncated,
		Preview: r.Preview, More: r.More,
	}
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

// print writes the outputs for people: folded, node by node with --full, or as
// differences with --diff; without texts only who ended how.
func (v *runView) print(w io.Writer, texts bool) error {
	p := &outputPrinter{w: w, o: v.options, heads: !texts}
	if !texts {
		p.o.Styles = v.env.errStyles()
	}
	switch {
	case v.full && texts:
		for _, r := range v.board.FailuresFirst() {
			if r.State.Final() {
				p.block(run.Group{
					State: r.State, Reason: r.Reason, ExitCode: r.ExitCode, Stdout: r.Stdout, Stderr: r.Stderr,
					Truncated: r.Truncated, Preview: r.Preview, More: r.More, Nodes: []run.GroupNode{{ID: r.NodeID, Name: r.NodeName}},
				})
			}
		}
	case v.diff && texts:
		p.differences(v.board.Groups())
	case !texts:
		for _, g := range endings(v.board.Groups()) {
			p.head(g)
		}
	default:
		for _, g := range v.board.Groups() {
			p.block(g)
		}
	}
	p.pending(v.board.Rows())
	return p.err
}

// endings puts groups together that ended alike, whatever they printed.
func endings(groups []run.Group) []run.Group {
	var out []run.Group
	for _, g := range groups {
		i := slices.IndexFunc(out, func(o run.Group) bool {
			return o.State == g.State && o.Reason == g.Reason && o.ExitCode == g.ExitCode
		})
		if i < 0 {
			out = append(out, run.Group{State: g.State, Reason: g.Reason, ExitCode: g.ExitCode, Nodes: slices.Clone(g.Nodes)})
			continue
		}
		out[i].Nodes = append(out[i].Nodes, g.Nodes...)
	}
	return out
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
	w     io.Writer
	o     render.Options
	heads bool // no texts
	some  bool
	err   error
}

func (p *outputPrinter) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// block is one group: who, how it ended, and what they all printed.
func (p *outputPrinter) block(g run.Group) {
	p.head(g)
	p.text(g.Stdout)
	p.text(g.Stderr)
	p.cut(g)
}

// head is the first line of a block.
func (p *outputPrinter) head(g run.Group) {
	if p.some && !p.heads {
		p.printf("\n")
	}
	p.some = true
	words := stateWords(run.Invocation{State: g.State, Reason: g.Reason, ExitCode: g.ExitCode})
	p.printf("%s  %s\n", p.o.Styles.Status(stateLevel(g.State), render.Visible(words)), p.nodes(g.Nodes))
}

// cut says that a text is not all, and where the rest is.
func (p *outputPrinter) cut(g run.Group) {
	var text string
	switch {
	case g.More != "":
		text = "there is more: " + g.More
	case g.Preview:
		text = "there may be more: `ssmdeck command output ID NODE` has it"
	case g.Truncated:
		text = "the service kept no more; --s3 and --logs keep all"
	default:
		return
	}
	p.printf("  %s\n", p.o.Styles.Dim.Render("("+render.Visible(text)+")"))
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

// plainName are names that mean themselves as a target.
var plainName = pattern.Lazy(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// nodes names a group's nodes, folded: what stands there can be given as a target.
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
		names[i] = n.Name
		if seen[n.Name] > 1 || n.Name == "all" || !plainName().MatchString(n.Name) { // two of one name are two nodes
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
