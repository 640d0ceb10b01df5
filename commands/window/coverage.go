package window

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// coverageOptions are the flags of `window coverage`.
type coverageOptions struct {
	spanFlags
	choice       nodechoice.Choice
	patch        bool
	only, failOn []string
	changedDays  bool
}

func newCoverageCmd(env *cli.Env) *cobra.Command {
	o := coverageOptions{spanFlags: spanFlags{days: 30}}
	cmd := &cobra.Command{
		Use:   "coverage [target]...",
		Short: "Nodes in no window or in two at once, windows that do nothing",
		Long: `Find what maintenance windows leave out, and where they are in each other's way:

  uncovered      a node to which no enabled window does anything
  unknown        a node of which that cannot be told: its tags or a group cannot be read
  overlap        two windows that are open on the same nodes at the same time
  unreadable     a window whose schedule is not understood
  ended          a window that does not open any more
  disabled       a window that is switched off
  no-task        a window without a task
  no-target      a window whose tasks need a target, without one
  no-node        a window whose targets match no managed node
  no-time        a window whose cutoff leaves no time for a task
  idle-task      a task whose targets match no managed node
  unassociated   a task with nodes in no target of a window that wants them in one
  unused-target  a target that no task names

A node counts as covered when a task of an enabled window that will open means it: by
a target of the window or by its own. With --patch only tasks that install patches
count, so that what is left are the nodes that no window ever patches.

The targets of all windows and the fleet are read, a few calls whatever the number of
nodes. Without a target all nodes are looked at, offline ones too. With --fail-on the
exit code is 6 when there is a finding of one of the kinds; uncovered means unknown,
too.`,
		Example: `  $ ssmdeck window coverage
  $ ssmdeck window coverage --patch --tag env=prod --fail-on uncovered
  $ ssmdeck window coverage --only uncovered -o name
  $ ssmdeck window coverage --days 90 --only overlap -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.changedDays = cmd.Flags().Changed("days")
			return windowCoverage(cmd, env, o, args)
		},
	}
	o.choice.Bind(env, cmd)
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "look from this `time` on instead of now")
	f.IntVar(&o.days, "days", 30, "`number` of days in which overlaps are looked for")
	f.StringVar(&o.until, "until", "", "look up to this `time` instead of --days")
	o.zone.bind(cmd, "show and read times in this IANA `zone`, such as Europe/Berlin")
	f.BoolVar(&o.patch, "patch", false, "only tasks that install patches count")
	f.StringSliceVar(&o.only, "only", nil, "list only these `kinds` of findings")
	f.StringSliceVar(&o.failOn, "fail-on", nil, "exit with 6 when there is a finding of these `kinds`; any is every kind")
	kinds := func() []string { return findingWords() }
	cli.CompleteFlag(cmd, "only", kinds)
	cli.CompleteFlag(cmd, "fail-on", func() []string { return append(kinds(), "any") })
	return cli.Spans(cmd)
}

func findingWords() []string {
	var words []string
	for _, k := range agenda.Kinds() {
		words = append(words, string(k))
	}
	return words
}

// parseKinds reads the value of a flag that names kinds of findings.
func parseKinds(flag string, words []string, all bool) ([]agenda.Kind, error) {
	var kinds []agenda.Kind
	for _, word := range words {
		word = strings.TrimSpace(word)
		if all && word == "any" {
			return agenda.Kinds(), nil
		}
		if !slices.Contains(findingWords(), word) {
			err := fault.Usagef("--%s: there is no finding %q", flag, word)
			if near := fault.Nearest(word, findingWords()); near != "" {
				return nil, err.WithHint("did you mean %s?", near)
			}
			return nil, err.WithHint("the kinds are %s", strings.Join(findingWords(), ", "))
		}
		kinds = append(kinds, agenda.Kind(word))
	}
	return kinds, nil
}

func windowCoverage(cmd *cobra.Command, env *cli.Env, o coverageOptions, args []string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	span, zone, err := o.span(ro.Now, o.changedDays)
	if err != nil {
		return err
	}
	only, err := parseKinds("only", o.only, false)
	if err != nil {
		return err
	}
	failOn, err := parseKinds("fail-on", o.failOn, true)
	if err != nil {
		return err
	}
	c := coverage{span: span, patch: o.patch}
	if len(args)+len(o.choice.Targets)+len(o.choice.Tags) > 0 {
		if c.targets, c.filter, err = o.choice.Parse(cmd.CommandPath(), args); err != nil {
			return err
		}
	} else if c.filter, err = fleet.ParseFilter(o.choice.Filter); err != nil {
		return err
	}
	table := coverageTable(zone)
	if err := cli.CheckGridTable(env, table, ro); err != nil {
		return err
	}
	var failing atomic.Int64 // scopes are looked at side by side
	err = cli.WriteGrid(cmd.Context(), env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[agenda.Finding, error], error) {
		found, err := c.find(ctx, env)
		if err != nil {
			return nil, err
		}
		noteCoverage(env, found, o.patch)
		for _, f := range found.Findings {
			// What cannot be told may be so: a gate does not pass for want of a permission.
			if slices.Contains(failOn, f.Kind) || f.Kind == agenda.Unknown && slices.Contains(failOn, agenda.Uncovered) {
				failing.Add(1)
			}
		}
		return cli.Each(slices.DeleteFunc(found.Findings, func(f agenda.Finding) bool { return len(only) > 0 && !slices.Contains(only, f.Kind) })), nil
	})
	if err != nil {
		return err
	}
	if n := failing.Load(); n > 0 {
		return fault.New(fault.RemoteFailed, "coverage of maintenance windows", "%s of --fail-on %s", cli.Plural(int(n), "finding"), strings.Join(o.failOn, ","))
	}
	return nil
}

// coverage is the question of `window coverage`.
type coverage struct {
	span    agenda.Span
	patch   bool
	targets []fleet.Target // none: all nodes
	filter  fleet.Filter
}

func (c *coverage) find(ctx context.Context, env *cli.Env) (agenda.Coverage, error) {
	none := agenda.Coverage{}
	svc, err := openWindows(ctx, env)
	if err != nil {
		return none, err
	}
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return none, err
	}
	windows, err := namedWindows(ctx, svc, nil)
	if err != nil {
		return none, err
	}
	if windows, err = datedWindows(ctx, svc, windows); err != nil {
		return none, err
	}
	entries, err := wholeEntries(ctx, svc, windows, window.Read{Targets: true, Tasks: true})
	if err != nil {
		return none, err
	}
	var counts func(window.Task) bool
	if c.patch {
		if counts, err = installing(ctx, svc, entries); err != nil {
			return none, err
		}
	}
	reach, err := reachOf(ctx, env, nodes, entries)
	if err != nil {
		return none, err
	}
	var among agenda.Set
	switch {
	case len(c.targets) > 0:
		chosen, err := nodechoice.Members(ctx, nodes, c.targets, c.filter)
		if err != nil {
			return none, err
		}
		among = reach.Only(chosen)
	case !c.filter.Empty():
		chosen, _, err := nodes.Table(ctx, fleet.Query{Filter: c.filter}, 0)
		if err != nil {
			return none, err
		}
		among = reach.Only(chosen)
	}
	return agenda.Cover(entries, reach, among, c.span, counts), nil
}

// installing reads the patching tasks of windows, one call for each, and returns what
// says of a task whether it installs patches.
func installing(ctx context.Context, svc *window.Service, entries []agenda.Entry) (func(window.Task) bool, error) {
	installs := map[string]bool{}
	for _, e := range entries {
		for _, t := range e.Tasks {
			if !agenda.IsPatching(t) {
				continue
			}
			whole, err := svc.Details(ctx, e.ID, t.ID)
			if err != nil {
				return nil, err
			}
			if p, ok := agenda.PatchingOf(whole); ok && p.Installs() {
				installs[t.ID] = true
			}
		}
	}
	return func(t window.Task) bool { return installs[t.ID] }, nil
}

// noteCoverage sums up.
func noteCoverage(env *cli.Env, c agenda.Coverage, patch bool) {
	what := "in a window"
	if patch {
		what = "patched by a window"
	}
	rest := fmt.Sprintf("%d not", c.Nodes-c.Covered-c.Unknown)
	if c.Unknown > 0 {
		rest += fmt.Sprintf(", of %d it is unknown", c.Unknown)
	}
	env.Note("%s: %d %s, %s; %s will do so", cli.Plural(c.Nodes, "node"), c.Covered, what, rest, cli.Plural(c.Windows, "window"))
}

func coverageTable(zone *time.Location) func(render.Options) render.Table[agenda.Finding] {
	return func(o render.Options) render.Table[agenda.Finding] {
		when := func(name string, get func(agenda.Finding) time.Time) render.Column[agenda.Finding] {
			return render.Column[agenda.Finding]{
				Name: name, Wide: true, Text: func(f agenda.Finding) string { return render.Timestamp(get(f)) },
				Human: func(f agenda.Finding) string { return localMoment(get(f), zone) },
				Less:  func(a, b agenda.Finding) bool { return get(a).Before(get(b)) },
			}
		}
		return render.Table[agenda.Finding]{
			ID: func(f agenda.Finding) string {
				if f.NodeID != "" {
					return f.NodeID
				}
				return f.WindowID
			},
			Empty: "nothing is left out, and nothing is in the way",
			Columns: []render.Column[agenda.Finding]{
				{
					Name: "FINDING", Text: func(f agenda.Finding) string { return string(f.Kind) },
					Human: func(f agenda.Finding) string { return o.Styles.Status(levels.Finding(f.Kind), string(f.Kind)) },
				},
				{
					// One column for both, so that the message has room on a terminal.
					Name: "SUBJECT", Text: func(f agenda.Finding) string {
						if f.NodeID != "" {
							return f.NodeID
						}
						return f.Subject()
					},
					Human: func(f agenda.Finding) string {
						if f.NodeID != "" && f.Node != "" && f.Node != f.NodeID {
							return render.Visible(f.Node) + o.Styles.Dim.Render(" ("+render.Visible(f.NodeID)+")")
						}
						return render.Visible(f.Subject())
					},
				},
				{Name: "NODE ID", Wide: true, ID: true, Text: func(f agenda.Finding) string { return f.NodeID }},
				{Name: "NODE", Wide: true, Text: func(f agenda.Finding) string { return f.Node }},
				{Name: "WINDOW", Wide: true, Text: func(f agenda.Finding) string { return f.Window }},
				{Name: "OTHER", Wide: true, Text: func(f agenda.Finding) string { return f.Other }},
				when("FROM", func(f agenda.Finding) time.Time { return f.From }),
				when("TO", func(f agenda.Finding) time.Time { return f.To }),
				{Name: "NODES", Wide: true, Right: true, Text: func(f agenda.Finding) string {
					if f.Kind != agenda.Overlapping {
						return ""
					}
					return strconv.Itoa(len(f.NodeIDs))
				}},
				{Name: "WINDOW ID", Wide: true, ID: true, Text: func(f agenda.Finding) string { return f.WindowID }},
				{
					Name: "MESSAGE", Text: func(f agenda.Finding) string { return f.Message },
					Human: func(f agenda.Finding) string {
						text := render.Visible(f.Message)
						if !f.From.IsZero() {
							text += ", first " + localMoment(f.From, zone)
						}
						return text
					},
				},
			},
		}
	}
}
