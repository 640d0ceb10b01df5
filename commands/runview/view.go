package runview

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// ViewOptions say how a run is shown.
type ViewOptions struct {
	full   bool
	diff   bool
	OutDir string
	Follow bool
}

// Bind declares --full, --diff and --out-dir.
func (o *ViewOptions) Bind(f *pflag.FlagSet) {
	f.BoolVar(&o.full, "full", false, "show the output of every node by itself, not folded")
	f.BoolVar(&o.diff, "diff", false, "show the output most nodes have, and of the others how it differs")
	f.StringVar(&o.OutDir, "out-dir", "", "write all output to files in the new or empty `folder`, and a summary.json")
}

// BindFollow declares --follow.
func (o *ViewOptions) BindFollow(f *pflag.FlagSet) {
	f.BoolVar(&o.Follow, "follow", false, "show the output while it is written, where it goes to CloudWatch Logs")
}

// View shows a run: progress on standard error while it goes on, the result
// on standard output. What is counted is counted by the board.
type View struct {
	ViewOptions
	Env      *cli.Env
	Options  render.Options
	Board    run.Board
	Progress *render.Progress
	Names    map[string]string      // of nodes: the service knows computer names only
	Events   *json.Encoder          // -o jsonl: every event as it comes
	lines    *nodeLines             // nil: output is not shown while it is written
	Dir      *outputDir             // nil: none is written
	Keep     run.Command            // where the full output goes
	kept     map[string]run.Command // the same of commands that were sent before, by id
	past     bool                   // a look at what was: its events are no news
	Err      error                  // of writing events or lines
}

// NewView checks the options and the output format, before anything is sent.
func NewView(env *cli.Env, vo ViewOptions) (*View, error) {
	o, err := env.RenderOptions()
	if err != nil {
		return nil, err
	}
	v := &View{ViewOptions: vo, Env: env, Options: o, Names: map[string]string{}}
	if err := v.check(); err != nil {
		return nil, err
	}
	if v.Progress, err = env.Progress(); err != nil {
		return nil, err
	}
	if o.Format == render.FormatJSONL {
		v.Events = json.NewEncoder(env.Out)
		v.Events.SetEscapeHTML(false)
	}
	return v, nil
}

// Close gives up the progress line.
func (v *View) Close() { v.Progress.Close() }

// Prepare makes what the result needs, before anything is sent.
func (v *View) Prepare() (err error) {
	if v.OutDir != "" {
		v.Dir, err = newOutputDir(v.OutDir)
	}
	return err
}

// Learn asks for the names of the nodes, which the service of commands does not
// know. Without them ids will do.
func (v *View) Learn(ctx context.Context) {
	nodes, err := v.Env.Fleet(ctx)
	if err != nil {
		return
	}
	for n, err := range nodes.List(ctx, fleet.Query{}) {
		if err != nil {
			return
		}
		v.Names[n.ID] = n.Name
	}
}

// check refuses what the result could not be printed with: once a command is
// sent, it is too late to complain.
func (v *View) check() error {
	o := v.Options
	o.Notes = nil
	switch {
	case v.full && v.diff:
		return fault.Usagef("--full and --diff exclude each other")
	case v.diff && !v.People():
		return fault.Usagef("--diff is for people: it goes with -o table, or with no format")
	case v.Follow && v.object():
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
func (v *View) object() bool {
	return v.Options.Format == render.FormatJSON || v.Options.Format == render.FormatYAML || v.Options.Query != ""
}

// People reports whether the result is for reading: folded outputs.
func (v *View) People() bool {
	switch v.Options.Format {
	case render.FormatTable, render.FormatWide:
		return v.Options.Query == ""
	case render.FormatAuto:
		return v.Options.Query == "" && (v.Options.Terminal() || v.full || v.diff)
	default:
		return false
	}
}

// Event takes one event of the service.
func (v *View) Event(e run.Event) {
	if i := e.Invocation; i != nil && v.Names[i.NodeID] != "" {
		named := *i
		named.NodeName = v.Names[i.NodeID]
		e.Invocation = &named
	}
	v.Board.Apply(e)
	if v.Events != nil {
		if err := v.Events.Encode(e); err != nil && v.Err == nil {
			v.Err = err
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
		if v.lines != nil && v.Err == nil {
			v.Err = v.lines.write(v.Names[e.Log.NodeID], *e.Log)
		}
	case run.Changed:
		if i := e.Invocation; i != nil && i.State.Final() && !v.past {
			v.Progress.Event(NodeLabel(i.NodeName, i.NodeID)+" "+render.Visible(StateWords(*i)), i)
		}
	case run.WasSent, run.Progressed, run.Printed, run.Done:
	}
	v.Progress.Set(render.Status{
		Label: "run", Done: int64(v.Board.Finished()), Total: int64(v.Board.Total()), Note: v.counts(),
	})
}

func (v *View) planned(p *run.Plan) {
	if p == nil {
		return
	}
	for _, n := range p.Nodes {
		v.Names[n.ID] = n.Name
	}
	if p.Note != "" {
		v.say(p.Note)
	}
	if n := len(p.Nodes); p.Commands > 1 && n > 50 {
		v.say(fmt.Sprintf("%s for %s, because the service takes 50 ids in one; tags alone take one", cli.Plural(p.Commands, "command"), cli.Plural(n, "node")))
	}
}

// notice tells what is to be known about the following.
func (v *View) notice(n run.Notice) {
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
			text += fmt.Sprintf(" (%s)", cli.Plural(n.Count, "node"))
		}
	case run.Unknown, run.Untold, run.Disagree, run.OneByOne:
	}
	v.say(render.Visible(text))
}

// say prints a remark above the progress.
func (v *View) say(text string) {
	if !v.Env.Flags.Quiet {
		v.Progress.Println("ssmdeck: " + text)
	}
}

// counts is the summary behind the bar: "3 failed · 2 running".
func (v *View) counts() string {
	var parts []string
	if n := v.Board.Failures(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n))
	}
	for _, s := range []run.State{run.Running, run.Pending, run.Delayed, run.Cancelling, run.Strange, run.Waiting} {
		if n := v.Board.Count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.Called("")))
		}
	}
	return strings.Join(parts, " · ")
}

// Result prints what the format asks for. svc gets what of long outputs is to be
// written to files.
func (v *View) Result(ctx context.Context, svc *run.Service) error {
	if v.Dir != nil {
		if err := v.Save(ctx, svc); err != nil {
			return err
		}
	}
	switch {
	case v.Err != nil, v.Events != nil:
		return v.Err
	case v.lines != nil && !v.lines.gaps: // everything was shown
		if err := v.Print(v.Env.Err, false); err != nil {
			return err
		}
		v.summary()
		return nil
	case v.People():
		if err := v.Print(v.Env.Out, true); err != nil {
			return err
		}
		v.summary()
		return nil
	case v.object():
		return render.Object(v.Env.Out, v.Options, v.answer(), func(*render.Detail) {})
	default:
		return cli.WriteList(v.Env, rowTable, v.Options, v.Board.FailuresFirst())
	}
}

// Sent prints the ids of commands that go on without us.
func (v *View) Sent(ids []string) error {
	if v.Events != nil {
		return v.Err
	}
	v.Env.Note("ssmdeck: sent; %s", TakeUp(v.Board.Ref()))
	if v.object() {
		return render.Object(v.Env.Out, v.Options, v.answer(), func(*render.Detail) {})
	}
	_, err := fmt.Fprintln(v.Env.Out, strings.Join(ids, "\n"))
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
	Nodes      []row    `json:"nodes"`
}

type row struct {
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

func (v *View) answer() runAnswer {
	a := runAnswer{
		RunID: v.Board.RunID(), CommandIDs: v.Board.CommandIDs(), Total: v.Board.Total(),
		Succeeded: v.Board.Count(run.Success), Failed: v.Board.Failures(), Unlisted: v.Board.Unlisted(), Nodes: []row{},
	}
	for r := range v.Board.Rows() {
		a.Nodes = append(a.Nodes, rowOf(r))
	}
	return a
}

func rowOf(r run.Row) row {
	return row{
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
				Human: func(r run.Row) string { return StateCell(o, r.State, r.Detail) },
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

// Print writes the outputs for people: folded, node by node with --full, or as
// differences with --diff; without texts only who ended how.
func (v *View) Print(w io.Writer, texts bool) error {
	p := &OutputPrinter{W: w, O: v.Options, heads: !texts}
	if !texts {
		p.O.Styles = v.Env.ErrStyles()
	}
	switch {
	case v.full && texts:
		for _, r := range v.Board.FailuresFirst() {
			if r.State.Final() {
				p.block(run.Group{
					State: r.State, Reason: r.Reason, ExitCode: r.ExitCode, Stdout: r.Stdout, Stderr: r.Stderr,
					Truncated: r.Truncated, Preview: r.Preview, More: r.More, Nodes: []run.GroupNode{{ID: r.NodeID, Name: r.NodeName}},
				})
			}
		}
	case v.diff && texts:
		p.differences(v.Board.Groups())
	case !texts:
		for _, g := range endings(v.Board.Groups()) {
			p.head(g)
		}
	default:
		for _, g := range v.Board.Groups() {
			p.block(g)
		}
	}
	p.pending(v.Board.Rows())
	return p.Err
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
func (v *View) summary() {
	ok, total := v.Board.Count(run.Success), v.Board.Total()
	text := fmt.Sprintf("%d of %s ok", ok, cli.Plural(total, "node"))
	if n := v.Board.Failures(); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	if d := v.Board.Elapsed(time.Now()); d > 0 {
		text += " in " + render.Duration(d)
	}
	v.Env.Note("%s", v.Env.ErrStyles().Dim.Render(text))
}

// OutputPrinter writes blocks of output; the first error stays.
type OutputPrinter struct {
	W     io.Writer
	O     render.Options
	heads bool // no texts
	Some  bool
	Err   error
}

// Printf writes, until a write fails; the error is kept.
func (p *OutputPrinter) Printf(format string, args ...any) {
	if p.Err == nil {
		_, p.Err = fmt.Fprintf(p.W, format, args...)
	}
}

// block is one group: who, how it ended, and what they all printed.
func (p *OutputPrinter) block(g run.Group) {
	p.head(g)
	p.text(g.Stdout)
	p.text(g.Stderr)
	p.cut(g)
}

// head is the first line of a block.
func (p *OutputPrinter) head(g run.Group) {
	if p.Some && !p.heads {
		p.Printf("\n")
	}
	p.Some = true
	words := StateWords(run.Invocation{State: g.State, Reason: g.Reason, ExitCode: g.ExitCode})
	p.Printf("%s  %s\n", p.O.Styles.Status(levels.Run(g.State), render.Visible(words)), p.Nodes(g.Nodes))
}

// cut says that a text is not all, and where the rest is.
func (p *OutputPrinter) cut(g run.Group) {
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
	p.Printf("  %s\n", p.O.Styles.Dim.Render("("+render.Visible(text)+")"))
}

// text writes foreign output, line by line, unable to do anything to the
// terminal.
func (p *OutputPrinter) text(s string) {
	for line := range strings.Lines(s) {
		p.Printf("  %s\n", cli.VisibleLine(line))
	}
}

// plainName are names that mean themselves as a target.
var plainName = pattern.Lazy(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// Nodes names a group's nodes, folded: what stands there can be given as a target.
func (p *OutputPrinter) Nodes(nodes []run.GroupNode) string {
	if len(nodes) == 1 {
		return p.O.Styles.Strong.Render(NodeLabel(nodes[0].Name, nodes[0].ID))
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
	return p.O.Styles.Strong.Render(cli.Plural(len(nodes), "node")+": ") + render.Fold(names)
}

// pending names what has not ended.
func (p *OutputPrinter) pending(rows func(func(run.Row) bool)) {
	by := map[run.State]map[string][]run.GroupNode{}
	for r := range rows {
		if r.State.Final() {
			continue
		}
		if by[r.State] == nil {
			by[r.State] = map[string][]run.GroupNode{}
		}
		text := stateText(r.State, r.Detail)
		by[r.State][text] = append(by[r.State][text], run.GroupNode{ID: r.NodeID, Name: r.NodeName})
	}
	for _, s := range run.States() {
		for _, text := range slices.Sorted(maps.Keys(by[s])) {
			if p.Some {
				p.Printf("\n")
			}
			p.Some = true
			p.Printf("%s  %s\n", p.O.Styles.Status(levels.Run(s), text), p.Nodes(by[s][text]))
		}
	}
}

// StateCell is a state for people, in the colour of its level.
func StateCell(o render.Options, s run.State, detail string) string {
	return o.Styles.Status(levels.Run(s), stateText(s, detail))
}

// stateText is a state for people: one that is not known comes with the service's word.
func stateText(s run.State, detail string) string {
	if s == run.Strange || s == run.Success {
		return render.Visible(s.Called(detail))
	}
	return string(s)
}

// StateWords is how an invocation ended, in words.
func StateWords(i run.Invocation) string {
	words := strings.ReplaceAll(string(i.State), "_", " ")
	if i.State != run.Success && i.ExitCode > 0 {
		words += fmt.Sprintf(", exit %d", i.ExitCode)
	}
	if i.Reason != "" {
		words += ": " + i.Reason
	}
	return words
}

// NodeLabel is a node's name and id, safe to show.
func NodeLabel(name, id string) string {
	return render.Visible(fleet.Node{ID: id, Name: name}.String())
}
