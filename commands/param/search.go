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
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// paramSearch is what is looked for, and where.
type paramSearch struct {
	matcher           parameter.Matcher
	secret            bool // what is searched must not be shown
	values, decrypt   bool
	regex, ignoreCase bool
	matches, unread   atomic.Int64
}

func newSearchCmd(env *cli.Env) *cobra.Command {
	var o paramSearch
	cmd := &cobra.Command{
		Use:     "search <text | -> [path]",
		Aliases: []string{"grep"},
		Short:   "Find parameters by name, description or value",
		Long: `Find the parameters in which a text stands: in the name, the description, and with
--values in the value; in SecureStrings with --decrypt. With --regex it is a regular
expression. The match is shown with what stands around it; of one in a SecureString it
is only said that it is there.

With - the text is read from standard input, without the line break at its end. So a
leaked key gets into no history and no list of processes, and it is not shown either.

When nothing matches it ends with 3.`,
		Example: `  $ ssmdeck param search db-old.internal --values --all-regions
  $ pbpaste | ssmdeck param search - --values --decrypt --accounts org
  $ ssmdeck param search 'v[0-9]+$' /app --regex --values
  $ ssmdeck param search token --ignore-case -o name`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.ExactArgs("the text to look for")(cmd, args)
			}
			return cobra.MaximumNArgs(2)(cmd, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeParamPath(env, 1)(cmd, args[1:], typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if err := cli.CheckGridTable(env, foundTable, ro); err != nil {
				return err
			}
			sel, err := o.prepare(env, args)
			if err != nil {
				return err
			}
			err = cli.WriteGridSorted(cmd.Context(), env, foundTable, ro, func(a, b parameter.Found) int { return cmp.Compare(a.Name, b.Name) },
				func(ctx context.Context, env *cli.Env) (iter.Seq2[parameter.Found, error], error) {
					return o.search(ctx, env, sel)
				})
			return o.verdict(env, err)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.values, "values", false, "look into the values, too")
	f.BoolVar(&o.decrypt, "decrypt", false, "look into the values of SecureStrings; with --values")
	f.BoolVar(&o.regex, "regex", false, "the text is a regular expression")
	f.BoolVar(&o.ignoreCase, "ignore-case", false, "take capitals and small letters as the same")
	return cli.Spans(cmd)
}

// prepare reads what is looked for, which may be on standard input.
func (o *paramSearch) prepare(env *cli.Env, args []string) (sel parameter.Selection, err error) {
	var faults faultList
	if o.decrypt && !o.values {
		faults = append(faults, fault.Usagef("param search: --decrypt is about values, and none are looked into").WithHint("add --values"))
	}
	sel, err = parameter.Select(strings.Join(args[1:], ""))
	faults.add(err)
	if len(faults) > 0 {
		return sel, cli.AllFaults("param search", faults)
	}
	text := args[0]
	if text == "-" {
		data, err := cli.ReadBounded("standard input", env.In)
		if err != nil {
			return sel, err
		}
		text, o.secret = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), true
	}
	if text == "" {
		return sel, fault.Usagef("param search: there is nothing to look for").WithHint("every parameter is in `ssmdeck param list`")
	}
	o.matcher, err = parameter.NewMatcher(text, o.regex, o.ignoreCase)
	if err != nil {
		if o.secret {
			return sel, fault.Usagef("param search: what standard input holds is no regular expression")
		}
		return sel, fault.Usagef("param search: %w", err).WithHint("without --regex the text is taken as it is")
	}
	return sel, nil
}

// search looks at the parameters of one scope.
func (o *paramSearch) search(ctx context.Context, env *cli.Env, sel parameter.Selection) (iter.Seq2[parameter.Found, error], error) {
	svc, err := openParameters(ctx, env)
	if err != nil {
		return nil, err
	}
	list, err := findParams(ctx, env, svc, sel, o.values, o.decrypt)
	var found []parameter.Found
	for _, p := range list {
		if f, ok := o.matcher.Find(p, o.secret); ok {
			found = append(found, f)
		}
		if o.values && !o.decrypt && p.Secure() {
			o.unread.Add(1)
		}
	}
	o.matches.Add(int64(len(found)))
	return cli.WithPartial(found, err), nil
}

// verdict is the error of a search that found nothing, and says what was not looked
// into.
func (o *paramSearch) verdict(env *cli.Env, err error) error {
	unread := int(o.unread.Load())
	note := ""
	if unread > 0 {
		note = cli.Plural(unread, parameter.SecureString) + " not looked into: add --decrypt"
	}
	if err != nil || o.matches.Load() > 0 {
		if note != "" {
			env.Note("ssmdeck: note: %s", note)
		}
		return err
	}
	nothing := fault.New(fault.NotFound, "", "no parameter matches")
	switch {
	case note != "":
		return nothing.WithHint("%s", note)
	case !o.values:
		return nothing.WithHint("names and descriptions were looked at; add --values to look into values")
	}
	return nothing
}

// foundMark is what stands for a match that is not shown.
const foundMark = "(secret)"

func foundTable(o render.Options) render.Table[parameter.Found] {
	type row = parameter.Found
	return render.Table[row]{
		ID: func(f row) string { return f.Name },
		Columns: []render.Column[row]{
			{
				Name: "NAME", ID: true, Text: func(f row) string { return f.Name },
				Human: func(f row) string {
					if m, ok := f.In(parameter.InName); ok {
						return marked(o, m)
					}
					return render.Visible(f.Name)
				},
			},
			{Name: "TYPE", Text: func(f row) string { return f.Type }},
			{Name: "IN", Text: row.Places},
			{
				Name: "MATCH", Text: func(f row) string { return excerpts(f, plainMatch) },
				Human: func(f row) string { return excerpts(f, func(m parameter.Match) string { return marked(o, m) }) },
			},
			{
				Name: "VERSION", Wide: true, Right: true, Text: func(f row) string { return strconv.FormatInt(f.Version, 10) },
				Less: func(a, b row) bool { return a.Version < b.Version },
			},
			wideColumn(cli.AgoColumn(o, "MODIFIED", func(f row) time.Time { return f.Modified })),
			{Name: "MODIFIED BY", Wide: true, Text: func(f row) string { return f.ModifiedBy }},
			{Name: "DESCRIPTION", Wide: true, Text: func(f row) string { return f.Description }},
		},
	}
}

func wideColumn[T any](c render.Column[T]) render.Column[T] {
	c.Wide = true
	return c
}

// excerpts are the matches that are not in the name.
func excerpts(f parameter.Found, show func(parameter.Match) string) string {
	var words []string
	for _, m := range f.Matches {
		switch {
		case m.In == parameter.InName:
		case m.Secret:
			words = append(words, foundMark)
		default:
			words = append(words, show(m))
		}
	}
	return strings.Join(words, "; ")
}

func plainMatch(m parameter.Match) string { return m.Before + m.Text + m.After }

// marked is a match for people; without colours it stands in brackets.
func marked(o render.Options, m parameter.Match) string {
	text := render.Visible(m.Text)
	if o.Styles != nil && o.Styles.Color {
		text = o.Styles.Match.Render(text)
	} else {
		text = "[" + text + "]"
	}
	return render.Visible(m.Before) + text + render.Visible(m.After)
}
