package patch

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/configrules"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// configOptions are those of `patch config`.
type configOptions struct {
	nodes  nodechoice.Scanned
	rule   string
	differ bool
}

func newConfigCmd(env *cli.Env) *cobra.Command {
	var o configOptions
	cmd := &cobra.Command{
		Use:   "config [<target>...]",
		Short: "What AWS Config says of patch compliance, beside Systems Manager",
		Long: `Show what the managed rule ` + configrules.Identifier + `
of AWS Config says of each node, beside what Systems Manager itself says; nodes where the
two differ come first. Without a target that is every managed node.

AWS Config records what Systems Manager reports after a scan, and evaluates the rule
then: for a while it may still have what was before. It says nothing of nodes that were
never scanned, nor where its recorder leaves out ` + configrules.Resource + `.

` + "`ssmdeck patch alarm create NAME --via config`" + ` makes the rule.`,
		Example: `  $ ssmdeck patch config
  $ ssmdeck patch config --differing
  $ ssmdeck patch config --rule patch-compliance --all-regions -o csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.nodes.Parse(args); err != nil {
				return err
			}
			return o.run(cmd.Context(), env)
		},
	}
	o.nodes.Bind(env, cmd)
	f := cmd.Flags()
	f.StringVar(&o.rule, "rule", "", "only the rule of this `name`, where there are several")
	f.BoolVar(&o.differ, "differing", false, "only nodes where the two differ")
	return cli.Spans(cmd)
}

// configView is a node as the two services have it. The JSON names are part of the
// output contract.
type configView struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	Rule     string       `json:"rule"`
	Agree    string       `json:"agree"` // yes, no, unknown
	SSM      patch.Status `json:"ssm"`
	Config   string       `json:"config"` // compliant, noncompliant, not-evaluated, not-applicable, insufficient-data
	Group    string       `json:"group,omitempty"`
	Wrong    int          `json:"noncompliant_patches"`
	Scanned  time.Time    `json:"scanned,omitzero"`
	Recorded time.Time    `json:"recorded,omitzero"` // by Config
	Why      string       `json:"why,omitempty"`     // a difference, in a few words
}

const notEvaluated = "not-evaluated"

// compareConfig holds a verdict, which may be missing, against the state of a node.
func compareConfig(r patch.Row, rule string, v *configrules.Verdict) configView {
	c := configView{ID: r.ID, Name: r.Name, Rule: rule, SSM: r.Status, Group: r.Group, Wrong: r.NonCompliant(), Scanned: r.Scanned, Config: notEvaluated, Agree: "no"}
	if v != nil {
		c.Config, c.Recorded = strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(v.Type, "NON_", "NON"), "_", "-")), v.Recorded
	}
	switch {
	case r.Status == patch.Unknown || c.Config == "insufficient-data":
		c.Agree = "unknown"
	case string(r.Status) == c.Config, r.Status == patch.NeverScanned && v == nil:
		c.Agree = "yes"
	case v == nil:
		c.Why = "Config has not evaluated the node"
	case !r.Scanned.IsZero() && v.Recorded.Before(r.Scanned):
		c.Why = "Config has what was before the last scan"
	case r.Status == patch.NeverScanned:
		c.Why = "Config still has a scan that Systems Manager does not"
	default:
		c.Why = "the two differ on the same scan"
	}
	return c
}

// agreeOrder puts differences first.
var agreeOrder = map[string]int{"no": 0, "unknown": 1, "yes": 2}

func compareViews(a, b configView) int {
	return cmp.Or(cmp.Compare(agreeOrder[a.Agree], agreeOrder[b.Agree]), cmp.Compare(b.Wrong, a.Wrong), render.NaturalCompare(a.Name, b.Name), strings.Compare(a.ID, b.ID), strings.Compare(a.Rule, b.Rule))
}

func (o *configOptions) run(ctx context.Context, env *cli.Env) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if o.rule != "" {
		if err := configrules.CheckName(o.rule); err != nil {
			return err
		}
	}
	if err := cli.CheckGridTable(env, configViewTable, ro); err != nil {
		return err
	}
	return cli.WriteGridSorted(ctx, env, configViewTable, ro, compareViews, func(ctx context.Context, env *cli.Env) (iter.Seq2[configView, error], error) {
		rules, verdicts, err := o.verdicts(ctx, env)
		if err != nil {
			return nil, err
		}
		l, err := read(ctx, &o.nodes, env, 0)
		if err != nil {
			return nil, err
		}
		noteReport(env, l.report)
		var rows []configView
		differ := 0
		for i, rule := range rules {
			for _, r := range l.report.Nodes {
				view := compareConfig(r, rule.Name, verdicts[i][r.ID])
				if view.Agree == "no" {
					differ++
				} else if o.differ {
					continue
				}
				rows = append(rows, view)
			}
		}
		slices.SortFunc(rows, compareViews)
		if differ > 0 {
			env.Note("ssmdeck: AWS Config and Systems Manager differ on %s", cli.Plural(differ, "node"))
		}
		return cli.WithPartial(rows, l.partial), nil
	})
}

// verdicts reads the rules, and what each says of the nodes.
func (o *configOptions) verdicts(ctx context.Context, env *cli.Env) (rules []configrules.Rule, verdicts []map[string]*configrules.Verdict, err error) {
	svc, err := openConfigRules(ctx, env)
	if err != nil {
		return nil, nil, err
	}
	if rules, err = svc.Rules(ctx); err != nil {
		return nil, nil, err
	}
	const op = "read what AWS Config says"
	if o.rule != "" {
		rules = slices.DeleteFunc(rules, func(r configrules.Rule) bool { return r.Name != o.rule })
		if len(rules) == 0 {
			return nil, nil, fault.New(fault.NotFound, op, "there is no rule %s about patch compliance", o.rule).WithHint("`ssmdeck patch alarm list --via config` shows them")
		}
	}
	if len(rules) == 0 {
		return nil, nil, fault.New(fault.NotFound, op, "there is no rule %s", configrules.Identifier).
			WithHint("`ssmdeck patch alarm create patch-compliance --via config` makes it")
	}
	for _, r := range rules {
		list, err := svc.Verdicts(ctx, r.Name)
		if err != nil {
			return nil, nil, err
		}
		of := map[string]*configrules.Verdict{}
		for i := range list {
			of[list[i].Node] = &list[i]
		}
		verdicts = append(verdicts, of)
	}
	return rules, verdicts, nil
}

var configLevels = map[string]theme.Level{"compliant": theme.Good, "noncompliant": theme.Bad, notEvaluated: theme.Warn}

func configViewTable(ro render.Options) render.Table[configView] {
	agree := map[string]theme.Level{"yes": theme.Good, "no": theme.Bad, "unknown": theme.Unknown}
	text := func(name string, of func(configView) string) render.Column[configView] {
		return render.Column[configView]{Name: name, Text: of}
	}
	status := func(name string, of func(configView) string, level func(configView) theme.Level) render.Column[configView] {
		return render.Column[configView]{Name: name, Text: of, Human: func(v configView) string { return ro.Styles.Status(level(v), of(v)) }}
	}
	wide := func(c render.Column[configView]) render.Column[configView] { c.Wide = true; return c }
	scan := func(name string, of func(configView) time.Time) render.Column[configView] {
		return scanColumn(ro, name, func(v configView) (time.Time, bool) { return of(v), false })
	}
	id := text("NODE ID", func(v configView) string { return v.ID })
	id.ID = true
	return render.Table[configView]{
		ID: func(v configView) string { return v.ID }, Empty: "no managed nodes match",
		Columns: []render.Column[configView]{
			status("AGREE", func(v configView) string { return v.Agree }, func(v configView) theme.Level { return agree[v.Agree] }),
			id,
			text("NAME", func(v configView) string { return v.Name }),
			status("SSM", func(v configView) string { return string(v.SSM) }, func(v configView) theme.Level { return levels.PatchStatus(v.SSM) }),
			status("CONFIG", func(v configView) string { return v.Config }, func(v configView) theme.Level {
				if level, known := configLevels[v.Config]; known {
					return level
				}
				return theme.Unknown
			}),
			scan("SCANNED", func(v configView) time.Time { return v.Scanned }),
			scan("RECORDED", func(v configView) time.Time { return v.Recorded }),
			text("WHY", func(v configView) string { return v.Why }),
			wide(text("GROUP", func(v configView) string { return v.Group })),
			wide(text("RULE", func(v configView) string { return v.Rule })),
		},
	}
}
