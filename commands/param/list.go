package param

import (
	"cmp"
	"context"
	"iter"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newListCmd(env *cli.Env) *cobra.Command {
	var (
		choice paramSelect
		flags  valueFlags
		values bool
	)
	cmd := &cobra.Command{
		Use:     "list [path | name | pattern]",
		Aliases: []string{"ls"},
		Short:   "List parameters",
		Long: `List parameters by name: all, those below a path, or those that a pattern means. In
a pattern * is any text within one part of the hierarchy, ? one character, and ** any
number of parts; a pattern without a slash is held against the last part of names.

No value is read without --values. With it, String and StringList are shown, and
SecureStrings with --decrypt; on a terminal they stay hidden without --show.

/aws/service holds what AWS itself publishes: ids of AMIs, Regions, endpoints.`,
		Example: `  $ ssmdeck param list /app/prod
  $ ssmdeck param list '/app/*/db-*' --values
  $ ssmdeck param list '*password*' --type string
  $ ssmdeck param list --since 7d --by alice -o wide
  $ ssmdeck param list --all-regions --tier advanced
  $ ssmdeck param list /aws/service/ami-amazon-linux-latest --values`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeParamPath(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			sel, err := choice.selection(strings.Join(args, ""), ro.Now)
			if err != nil {
				return err
			}
			if err := flags.check(values); err != nil {
				return err
			}
			table := paramTable(values)
			if err := cli.CheckGridTable(env, table, ro); err != nil {
				return err
			}
			var unread secretCount
			err = cli.WriteGridSorted(cmd.Context(), env, table, ro, byParamName, func(ctx context.Context, env *cli.Env) (iter.Seq2[parameter.Parameter, error], error) {
				return listParams(ctx, env, sel, &flags, values, &unread)
			})
			unread.say(env, &flags)
			return err
		},
	}
	choice.bind(cmd)
	flags.bind(cmd)
	cmd.Flags().BoolVar(&values, "values", false, "show the values, too")
	return cli.Spans(cmd)
}

// listParams are the parameters of one scope, sorted, and behind them what went wrong.
func listParams(ctx context.Context, env *cli.Env, sel parameter.Selection, flags *valueFlags, values bool, unread *secretCount) (iter.Seq2[parameter.Parameter, error], error) {
	svc, err := openParameters(ctx, env)
	if err != nil {
		return nil, err
	}
	if !values {
		list, err := findParams(ctx, env, svc, sel, false, false)
		if err == nil && sel.All() {
			rememberParams(env, env.Opened(), list)
		}
		return cli.WithPartial(list, err), nil
	}
	list, err := findParams(ctx, env, svc, sel, true, flags.reads())
	for i, p := range list {
		unread.see(p, flags.masks(env))
		list[i] = flags.hidden(env, p)
	}
	return cli.WithPartial(list, err), nil
}

func byParamName(a, b parameter.Parameter) int { return cmp.Compare(a.Name, b.Name) }

// secretCount counts the SecureStrings that a person does not see.
type secretCount struct{ unread, hidden atomic.Int64 }

func (c *secretCount) see(p parameter.Parameter, masks bool) {
	switch {
	case !p.Secure():
	case p.Value == "":
		c.unread.Add(1)
	case masks:
		c.hidden.Add(1)
	}
}

// say notes what was not shown, so that nobody takes it for all.
func (c *secretCount) say(env *cli.Env, flags *valueFlags) {
	if n := int(c.unread.Load()); n > 0 && !flags.reads() {
		env.Note("ssmdeck: note: %s without the value: add --decrypt", cli.Plural(n, parameter.SecureString))
	}
	if n := int(c.hidden.Load()); n > 0 {
		env.Note("ssmdeck: note: the value of %s is hidden on a terminal: add --show", cli.Plural(n, parameter.SecureString))
	}
}

// paramTable is the list of parameters, with a column of their values or without.
func paramTable(values bool) func(render.Options) render.Table[parameter.Parameter] {
	type row = parameter.Parameter
	return func(o render.Options) render.Table[row] {
		cols := []render.Column[row]{
			{Name: "NAME", ID: true, Text: func(p row) string { return p.Name }},
			{Name: "TYPE", Text: func(p row) string { return p.Type }},
		}
		if values {
			cols = append(cols, valueColumn(o))
		}
		return render.Table[row]{
			ID: func(p row) string { return p.Name }, Empty: "no parameters",
			Columns: append(
				cols,
				render.Column[row]{
					Name: "VERSION", Right: true, Wide: values, Text: func(p row) string { return strconv.FormatInt(p.Version, 10) },
					Less: func(a, b row) bool { return a.Version < b.Version },
				},
				cli.AgoColumn(o, "MODIFIED", func(p row) time.Time { return p.Modified }),
				render.Column[row]{Name: "TIER", Wide: true, Text: func(p row) string { return p.Tier }},
				render.Column[row]{Name: "KEY", Wide: true, Text: func(p row) string { return p.KeyID }},
				render.Column[row]{Name: "DATA TYPE", Wide: true, Text: func(p row) string { return p.DataType }},
				render.Column[row]{Name: "POLICIES", Wide: true, Text: func(p row) string { return policyTypes(p.Policies) }},
				modifiedByColumn(true),
				render.Column[row]{Name: "DESCRIPTION", Wide: true, Text: func(p row) string { return p.Description }},
			),
		}
	}
}

// valueColumn shows values; a secret that was not read is no empty one.
func valueColumn(o render.Options) render.Column[parameter.Parameter] {
	return render.Column[parameter.Parameter]{
		Name: "VALUE", Text: func(p parameter.Parameter) string { return p.Value },
		Human: func(p parameter.Parameter) string {
			if p.Secure() && (p.Value == "" || p.Value == maskedValue) {
				return dim(o, maskedValue)
			}
			return render.Visible(p.Value)
		},
	}
}

func modifiedByColumn(wide bool) render.Column[parameter.Parameter] {
	return render.Column[parameter.Parameter]{
		Name: "MODIFIED BY", Wide: wide, Text: func(p parameter.Parameter) string { return p.ModifiedBy },
		Human: func(p parameter.Parameter) string { return render.Visible(shortARN(p.ModifiedBy)) },
	}
}

// dim is text that matters less.
func dim(o render.Options, text string) string {
	if o.Styles == nil {
		return text
	}
	return o.Styles.Dim.Render(text)
}

func policyTypes(list []parameter.Policy) string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Type
	}
	return strings.Join(names, ",")
}

// shortARN is what a person looks for in the ARN of a caller: user/alice,
// role-name/session.
func shortARN(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return arn
	}
	return strings.TrimPrefix(parts[5], "assumed-role/")
}
