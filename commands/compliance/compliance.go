package compliance

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// NewCmd is `ssmdeck compliance`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compliance <command>",
		Short: "Compliance of nodes: patches, associations, types of your own",
		Long: `What nodes comply with: patches, associations of State Manager, and types of your
own, which ` + "`compliance put`" + ` reports. Each report of a node replaces the one before.`,
		Example: `  $ ssmdeck compliance summary
  $ ssmdeck compliance nodes --noncompliant --type Association
  $ ssmdeck compliance list web-1
  $ ssmdeck compliance put web-1 --type Custom:Tls --item 'id=tls,title="TLS 1.2",status=compliant,severity=high'`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newSummaryCmd, newNodesCmd, newListCmd, newPutCmd)
	return cmd
}

// openCompliance returns the service that knows what nodes comply with.
func openCompliance(ctx context.Context, env *cli.Env) (*compliance.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return compliance.New(scope.SSM()), nil
}

// complianceTypes are the types that everybody has, for completion.
func complianceTypes() []string {
	return []string{compliance.Patch, compliance.Association, compliance.Custom}
}

// complianceFilter are the flags that narrow a list of compliance.
type complianceFilter struct {
	kind, severity string
	noncompliant   bool
}

func (o *complianceFilter) bind(cmd *cobra.Command, what string) {
	f := cmd.Flags()
	f.StringVar(&o.kind, "type", "", "only "+what+" of this `type`: Patch, Association, Custom:NAME")
	f.StringVar(&o.severity, "severity", "", "only "+what+" of this `severity`: "+strings.ToLower(strings.Join(compliance.Severities, ", ")))
	f.BoolVar(&o.noncompliant, "noncompliant", false, "only "+what+" that do not comply")
	cli.CompleteFlag(cmd, "type", complianceTypes)
	cli.CompleteFlag(cmd, "severity", func() []string { return cli.LowerAll(compliance.Severities) })
}

// filter reads the flags.
func (o *complianceFilter) filter() (f compliance.Filter, err error) {
	f.Type = o.kind
	for _, known := range complianceTypes()[:2] {
		if strings.EqualFold(known, o.kind) {
			f.Type = known
		}
	}
	if f.Type != "" && f.Type != compliance.Patch && f.Type != compliance.Association && !strings.HasPrefix(f.Type, compliance.Custom) {
		err := fault.Usagef("--type %q is no type of compliance", o.kind)
		if near := fault.Nearest(o.kind, []string{compliance.Patch, compliance.Association}); near != "" {
			return f, err.WithHint("did you mean %s?", near)
		}
		return f, err.WithHint("use Patch, Association, or Custom:NAME for one of your own")
	}
	if o.severity != "" {
		f.Severity = strings.ToUpper(o.severity)
		if !slices.Contains(compliance.Severities, f.Severity) {
			err := fault.Usagef("--severity: %q is none", o.severity)
			if near := fault.Nearest(f.Severity, compliance.Severities); near != "" {
				return f, err.WithHint("did you mean %s?", strings.ToLower(near))
			}
			return f, err.WithHint("use: %s", strings.ToLower(strings.Join(compliance.Severities, ", ")))
		}
	}
	if o.noncompliant {
		f.Status = compliance.NonCompliant
	}
	return f, nil
}

// complianceGate is --fail-on of compliance: the worst that may not be.
type complianceGate struct {
	kind string

	mu    sync.Mutex // scopes are looked at side by side
	found int
	types map[string]int // of found, where nodes are counted by type
}

func gates() []string {
	return append([]string{"noncompliant"}, cli.LowerAll(compliance.Severities)...)
}

func (g *complianceGate) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&g.kind, "fail-on", "", "exit with 6 when something does not comply: `kind` noncompliant, or a severity, which means it or a worse one")
	cli.CompleteFlag(cmd, "fail-on", gates)
}

func (g *complianceGate) check() error {
	g.kind = strings.ToLower(strings.TrimSpace(g.kind))
	if g.kind == "" || slices.Contains(gates(), g.kind) {
		return nil
	}
	err := fault.Usagef("--fail-on: %q is none", g.kind)
	if near := fault.Nearest(g.kind, gates()); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err.WithHint("use: %s", strings.Join(gates(), ", "))
}

// see counts n things of a severity that do not comply, of a type where one node may
// be in several.
func (g *complianceGate) see(kind, severity string, n int) {
	rank := slices.Index(gates(), strings.ToLower(severity))
	if limit := slices.Index(gates(), g.kind); limit > 0 && rank > limit {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.found += n
	if kind != "" && n > 0 {
		if g.types == nil {
			g.types = map[string]int{}
		}
		g.types[kind] += n
	}
}

func (g *complianceGate) verdict(what string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.kind == "" || g.found == 0 {
		return nil
	}
	parts := []string{cli.Plural(g.found, what)}
	if len(g.types) > 0 {
		parts = parts[:0]
		for _, kind := range slices.Sorted(maps.Keys(g.types)) {
			parts = append(parts, cli.Plural(g.types[kind], what)+" with "+render.Visible(kind))
		}
	}
	return fault.New(fault.RemoteFailed, "compliance --fail-on "+g.kind, "not compliant: %s", strings.Join(parts, ", "))
}

func newSummaryCmd(env *cli.Env) *cobra.Command {
	var gate complianceGate
	cmd := &cobra.Command{
		Use:   "summary",
		Short: "Count the nodes that comply and do not, by type and severity",
		Long: `Count nodes by type of compliance: those that comply, and those that do not, by the
worst severity of what they do not comply with. Nodes that have reported nothing are
in no number.`,
		Example: `  $ ssmdeck compliance summary
  $ ssmdeck compliance summary --accounts org --all-regions
  $ ssmdeck compliance summary --fail-on critical`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := gate.check(); err != nil {
				return err
			}
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if err := cli.CheckGridTable(env, typeTable, ro); err != nil {
				return err
			}
			err = cli.WriteGrid(cmd.Context(), env, typeTable, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[compliance.TypeSummary, error], error) {
				svc, err := openCompliance(ctx, env)
				if err != nil {
					return nil, err
				}
				return func(yield func(compliance.TypeSummary, error) bool) {
					for t, err := range svc.Types(ctx) {
						if err == nil {
							gate.seeCounts(t.Type, t.Severities)
						}
						if !yield(t, err) {
							return
						}
					}
				}, nil
			})
			if err != nil {
				return err
			}
			return gate.verdict("node")
		},
	}
	gate.bind(cmd)
	return cli.Spans(cmd)
}

func (g *complianceGate) seeCounts(kind string, c compliance.Counts) {
	for i, n := range []int{c.Critical, c.High, c.Medium, c.Low, c.Informational, c.Unspecified} {
		g.see(kind, compliance.Severities[i], n)
	}
}

// severityColumns are numbers by severity.
func severityColumns[T any](o render.Options, counts func(T) compliance.Counts) []render.Column[T] {
	n := func(name string, level theme.Level, wide bool, of func(compliance.Counts) int) render.Column[T] {
		c := cli.NumberColumn(o, name, level, nil, func(v T) int { return of(counts(v)) })
		c.Wide = wide
		return c
	}
	return []render.Column[T]{
		n("CRITICAL", theme.Bad, false, func(c compliance.Counts) int { return c.Critical }),
		n("HIGH", theme.Bad, false, func(c compliance.Counts) int { return c.High }),
		n("MEDIUM", theme.Warn, false, func(c compliance.Counts) int { return c.Medium }),
		n("LOW", theme.Warn, false, func(c compliance.Counts) int { return c.Low }),
		n("INFORMATIONAL", theme.Unknown, true, func(c compliance.Counts) int { return c.Informational }),
		n("UNSPECIFIED", theme.Unknown, true, func(c compliance.Counts) int { return c.Unspecified }),
	}
}

func typeTable(o render.Options) render.Table[compliance.TypeSummary] {
	type row = compliance.TypeSummary
	cols := []render.Column[row]{
		{Name: "TYPE", Text: func(t row) string { return t.Type }},
		cli.NumberColumn(o, "COMPLIANT", theme.Unknown, nil, func(t row) int { return t.Compliant }),
		cli.NumberColumn(o, "NONCOMPLIANT", theme.Bad, nil, func(t row) int { return t.NonCompliant }),
	}
	return render.Table[row]{
		ID: func(t row) string { return t.Type }, Empty: "no node has reported compliance",
		Columns: append(cols, severityColumns(o, func(t row) compliance.Counts { return t.Severities })...),
	}
}

// complianceStatus is the column of a status.
func complianceStatus[T any](o render.Options, status func(T) string) render.Column[T] {
	return render.Column[T]{
		Name: "STATUS", Text: status,
		Human: func(v T) string {
			s := status(v)
			return o.Styles.Status(levels.Compliance(s), render.Visible(strings.ToLower(strings.ReplaceAll(s, "_", ""))))
		},
	}
}

// count is a number of things that are alike.
type count struct {
	Key          string `json:"key"`
	Compliant    int    `json:"compliant"`
	NonCompliant int    `json:"noncompliant"`
}

// countTable is one line for each value that is counted by.
func countTable(o render.Options, by string) render.Table[count] {
	return render.Table[count]{
		ID: func(c count) string { return c.Key }, Empty: "nothing to count",
		Columns: []render.Column[count]{
			{Name: strings.ToUpper(by), Text: func(c count) string { return c.Key }},
			cli.NumberColumn(o, "COMPLIANT", theme.Unknown, nil, func(c count) int { return c.Compliant }),
			cli.NumberColumn(o, "NONCOMPLIANT", theme.Bad, nil, func(c count) int { return c.NonCompliant }),
		},
	}
}

// countCompliance counts things by a key: severities from the worst on, all else from
// what most do not comply with.
func countCompliance[T any](list []T, key func(T) string, status func(T) string) []count {
	at := map[string]int{}
	out := []count{}
	for _, v := range list {
		k := key(v)
		i, seen := at[k]
		if !seen {
			i = len(out)
			at[k] = i
			out = append(out, count{Key: k})
		}
		switch status(v) {
		case compliance.Compliant:
			out[i].Compliant++
		case compliance.NonCompliant:
			out[i].NonCompliant++
		}
	}
	slices.SortFunc(out, func(a, b count) int {
		return cmp.Or(slices.Index(compliance.Severities, a.Key)-slices.Index(compliance.Severities, b.Key),
			b.NonCompliant-a.NonCompliant, strings.Compare(a.Key, b.Key))
	})
	return out
}
