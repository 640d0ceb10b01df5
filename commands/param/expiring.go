package param

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// expiringOptions are those of `param expiring`.
type expiringOptions struct {
	within    string
	all       bool
	failOnAny bool

	span time.Duration
	seen atomic.Int64 // scopes are asked side by side
}

func newExpiringCmd(env *cli.Env) *cobra.Command {
	var o expiringOptions
	cmd := &cobra.Command{
		Use:   "expiring [path | name | pattern]",
		Short: "Parameters that expire soon, and notices that are due",
		Long: `List what the policies of advanced parameters will do within a time, the next first: a
parameter expires and is deleted, a notice of its expiration is sent, a notice that it has
not been changed is sent. What should have happened and has not is late, and listed first.
Notices that have been sent are not listed.`,
		Example: `  $ ssmdeck param expiring
  $ ssmdeck param expiring /app/prod --within 7d --fail-on-any
  $ ssmdeck param expiring --all --all-regions -o json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeParamPath(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.within, "within", "30d", "what happens in the next `time`: 12h, 7d")
	f.BoolVar(&o.all, "all", false, "whenever it happens")
	f.BoolVar(&o.failOnAny, "fail-on-any", false, "exit with 6 when there is one")
	return cli.Spans(cmd)
}

func (o *expiringOptions) run(ctx context.Context, env *cli.Env, args []string) (err error) {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckGridTable(env, dueTable, ro); err != nil {
		return err
	}
	if o.span, err = cli.ParseAge("within", o.within); err != nil {
		return err
	}
	where := ""
	if len(args) > 0 {
		where = args[0]
	}
	sel, err := parameter.Select(where)
	if err != nil {
		return err
	}
	err = cli.WriteGridSorted(ctx, env, dueTable, ro, parameter.CompareDue, func(ctx context.Context, env *cli.Env) (iter.Seq2[parameter.Due, error], error) {
		return o.list(ctx, env, sel, ro.Now)
	})
	if n := int(o.seen.Load()); err == nil && o.failOnAny && n > 0 {
		return fault.New(fault.RemoteFailed, "", "--fail-on-any: %s", cli.Plural(n, "event"))
	}
	return err
}

func (o *expiringOptions) list(ctx context.Context, env *cli.Env, sel parameter.Selection, now time.Time) (iter.Seq2[parameter.Due, error], error) {
	svc, err := openParameters(ctx, env)
	if err != nil {
		return nil, err
	}
	sel.Tiers = []string{parameter.Advanced} // only these have policies
	found, err := findParams(ctx, env, svc, sel, false, false)
	rows := []parameter.Due{}
	for _, p := range found {
		due, unread := parameter.DueOf(p, now)
		for _, d := range due {
			if o.all || !d.At.After(now.Add(o.span)) {
				rows = append(rows, d)
			}
		}
		for _, policy := range unread {
			env.Note("ssmdeck: warning: %s has a policy %s that is not understood, and not listed", p.Name, render.Visible(policy.Type))
		}
	}
	o.seen.Add(int64(len(rows)))
	return cli.WithPartial(rows, err), nil
}

func dueTable(o render.Options) render.Table[parameter.Due] {
	type row = parameter.Due
	in := func(d row) string {
		level := theme.Idle
		switch {
		case d.Late:
			return o.Styles.Status(theme.Bad, render.Ago(o.Now, d.At)+", late")
		case d.Event == parameter.Expires:
			level = theme.Warn
		}
		return o.Styles.Status(level, render.Ago(o.Now, d.At))
	}
	return render.Table[row]{
		ID: func(d row) string { return d.Name }, Empty: "nothing expires, and no notice is due",
		Columns: []render.Column[row]{
			{Name: "NAME", ID: true, Text: func(d row) string { return d.Name }},
			{Name: "EVENT", Text: func(d row) string { return d.Event }},
			{Name: "AT", Text: func(d row) string { return render.Timestamp(d.At) }, Human: in, Less: func(a, b row) bool { return a.At.Before(b.At) }},
			{Name: "TYPE", Text: func(d row) string { return d.Type }},
			{Name: "STATUS", Wide: true, Text: func(d row) string { return d.Status }},
			{Name: "TIER", Wide: true, Text: func(d row) string { return d.Tier }},
		},
	}
}
