package param

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// typedFrom is how many parameters it takes until the question wants their number
// typed, which no habit answers.
const typedFrom = 10

func newDeleteCmd(env *cli.Env) *cobra.Command {
	var (
		path                             string
		recursive, ignoreMissing, dryRun bool
	)
	cmd := &cobra.Command{
		Use: "delete <name>...", Aliases: []string{"rm"},
		Short: "Delete parameters with all their versions",
		Long: `Delete parameters with all their versions and labels, after asking; there is no way
back. They are named, or --path means those directly in a path, with --recursive all
below it. What would go is listed first; for more than 10 their number has to be
typed.

A name that is not there is an error, and then nothing is deleted; --ignore-missing
passes over it. The service takes a name again only 30 seconds after its deletion.`,
		Example: `  $ ssmdeck param delete /app/test/db-url
  $ ssmdeck param delete --path /app/review-17 --recursive
  $ ssmdeck param delete /app/a /app/b --ignore-missing --yes`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case path == "" && len(args) == 0:
				return cli.MinArgs("the name")(cmd, args)
			case path != "" && len(args) > 0:
				return fault.Usagef("%s: names and --path together", cmd.CommandPath()).WithHint("delete them one after the other")
			case recursive && path == "":
				return fault.Usagef("%s: --recursive is for --path", cmd.CommandPath()).WithHint("add --path PATH to delete what is below it")
			}
			return nil
		},
		ValidArgsFunction: completeParamName(env, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return paramDelete(cmd.Context(), env, args, path, recursive, ignoreMissing, dryRun)
		},
	}
	f := cmd.Flags()
	f.StringVar(&path, "path", "", "delete the parameters directly in this `path`")
	f.BoolVar(&recursive, "recursive", false, "with --path, all below it")
	f.BoolVar(&ignoreMissing, "ignore-missing", false, "pass over names that are not there")
	f.BoolVar(&dryRun, "dry-run", false, "list what would be deleted and delete nothing")
	_ = cmd.RegisterFlagCompletionFunc("path", completeParamPath(env, 0))
	return cmd
}

// deletedParam is a parameter that was deleted, or would be.
type deletedParam struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Version int64  `json:"version"` // the latest
	Tier    string `json:"tier"`
	Result  string `json:"result"` // deleted, would_delete
}

func deletedTable() render.Table[deletedParam] {
	type row = deletedParam
	return render.Table[row]{
		ID: func(p row) string { return p.Name }, Empty: "no parameters",
		Columns: []render.Column[row]{
			{Name: "NAME", ID: true, Text: func(p row) string { return p.Name }},
			{Name: "TYPE", Text: func(p row) string { return p.Type }},
			{Name: "VERSION", Text: func(p row) string { return itoa(p.Version) }},
			{Name: "TIER", Text: func(p row) string { return p.Tier }},
			{Name: "RESULT", Text: func(p row) string { return strings.ReplaceAll(p.Result, "_", " ") }},
		},
	}
}

func deletedRows(list []parameter.Parameter, result string, keep func(name string) bool) (rows []deletedParam) {
	for _, p := range list {
		if keep(p.Name) {
			rows = append(rows, deletedParam{p.Name, p.Type, p.Version, p.Tier, result})
		}
	}
	return rows
}

func paramDelete(ctx context.Context, env *cli.Env, names []string, path string, recursive, ignoreMissing, dryRun bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	table := deletedTable()
	if err := table.Check(ro); err != nil {
		return err
	}
	var faults []error
	for _, name := range names {
		if err := parameter.CheckName(name); err != nil {
			faults = append(faults, err)
		}
	}
	if path != "" {
		if err := parameter.CheckPath(path); err != nil {
			faults = append(faults, err)
		}
	}
	if err := cli.AllFaults("delete parameters", faults); err != nil {
		return err
	}
	if err := env.RefuseChange("DeleteParameters", dryRun); err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	list, err := paramsToDelete(ctx, env, svc, names, path, recursive, ignoreMissing)
	if err != nil {
		return err
	}
	all := func(string) bool { return true }
	switch {
	case len(list) == 0:
		return table.Write(env.Out, ro, cli.Each([]deletedParam(nil)))
	case dryRun:
		env.Note("dry run: %s would be deleted; nothing was", countedParams(list))
		return table.Write(env.Out, ro, cli.Each(deletedRows(list, "would_delete", all)))
	}
	where := ""
	if path != "" {
		where = map[bool]string{false: " directly in ", true: " below "}[recursive] + render.Visible(path)
	}
	sayParams(ctx, env, svc, list)
	if err := confirmMany(ctx, env, "delete "+countedParams(list)+where+", with all versions"+siteAsked(ctx, env), len(list)); err != nil {
		return err
	}
	return deleteThese(ctx, env, ro, table, svc, list)
}

// deleteThese deletes, and says what is gone also when that is not all.
func deleteThese(ctx context.Context, env *cli.Env, ro render.Options, table render.Table[deletedParam], svc *parameter.Service, list []parameter.Parameter) error {
	gone, failure := deleteParams(ctx, env, svc, list)
	if failure != nil && len(gone) == 0 {
		return failure
	}
	if err := table.Write(env.Out, ro, cli.Each(deletedRows(list, "deleted", func(name string) bool { return gone[name] }))); err != nil {
		return err
	}
	if failure == nil {
		return nil
	}
	return fault.New(fault.RemoteFailed, "delete parameters", "%d of %d are deleted, the others are still there: %w", len(gone), len(list), failure).
		WithHint("run it again, with --ignore-missing when names are given")
}

// deleteParams deletes parameters ten a call; gone are those that are not there any more.
func deleteParams(ctx context.Context, env *cli.Env, svc *parameter.Service, list []parameter.Parameter) (gone map[string]bool, err error) {
	told, end, err := env.Counted("delete parameters")
	if err != nil {
		return nil, err
	}
	defer end()
	gone = map[string]bool{}
	for batch := range slices.Chunk(list, 10) {
		names := make([]string, len(batch))
		for i, p := range batch {
			names[i] = p.Name
		}
		deleted, missing, err := svc.Delete(ctx, names)
		for _, name := range slices.Concat(deleted, missing) { // missing: somebody else was quicker
			gone[name] = true
		}
		if err != nil {
			return gone, err
		}
		if told != nil {
			told(len(gone), len(list))
		}
	}
	return gone, nil
}

// paramsToDelete looks up what is meant, so that what is asked about is what goes.
func paramsToDelete(ctx context.Context, env *cli.Env, svc *parameter.Service, names []string, path string, recursive, ignoreMissing bool) ([]parameter.Parameter, error) {
	if path != "" {
		list, err := awsapi.Collect(svc.List(ctx, parameter.Query{Path: path, OneLevel: !recursive}))
		if err == nil && len(list) == 0 && !recursive {
			env.Note("nothing is directly in %s; --recursive would take what is below it", render.Visible(path))
		}
		return list, err
	}
	list, missing, err := svc.Describe(ctx, uniquePlaces(names))
	if err != nil || len(missing) == 0 || ignoreMissing {
		return list, err
	}
	e := fault.New(fault.NotFound, "delete parameters", "there is no %s; nothing was deleted", cli.SomeOf(missing, 5))
	for p, err := range svc.List(ctx, parameter.Query{Path: missing[0]}) {
		if err == nil && strings.HasPrefix(p.Name, missing[0]+"/") {
			return nil, e.WithHint("%s is a path: --path %s --recursive deletes what is below it", missing[0], missing[0])
		}
		break
	}
	return nil, e.WithHint("--ignore-missing deletes the others")
}

// uniquePlaces are names, each parameter once, also when it is at the root with its slash
// and without it.
func uniquePlaces(names []string) []string {
	unique := slices.Clone(names)
	slices.SortFunc(unique, func(a, b string) int { return strings.Compare(parameter.Place(a), parameter.Place(b)) })
	return slices.CompactFunc(unique, func(a, b string) bool { return parameter.Place(a) == parameter.Place(b) })
}

// countedParams is "12 parameters (3 SecureStrings, 1 advanced)".
func countedParams(list []parameter.Parameter) string {
	secure, advanced := 0, 0
	for _, p := range list {
		if p.Secure() {
			secure++
		}
		if p.Tier == parameter.Advanced {
			advanced++
		}
	}
	var of []string
	if secure > 0 {
		of = append(of, cli.Plural(secure, parameter.SecureString))
	}
	if advanced > 0 {
		of = append(of, fmt.Sprintf("%d advanced", advanced))
	}
	text := cli.Plural(len(list), "parameter")
	if len(list) == 1 {
		text = render.Visible(list[0].Name)
	}
	if len(of) > 0 {
		text += " (" + strings.Join(of, ", ") + ")"
	}
	return text
}

// lookedInto is how many parameters are looked into one by one before they go.
const lookedInto = 10

// sayParams lists what is about to go, with labels where a look costs little.
func sayParams(ctx context.Context, env *cli.Env, svc *parameter.Service, list []parameter.Parameter) {
	const most = 20
	for i, p := range list {
		if i == most {
			env.Note("  and %d more; --dry-run lists them all", len(list)-most)
			break
		}
		extra := ""
		if len(list) <= lookedInto {
			if history, err := paramHistory(ctx, svc, p.Name, false); err == nil { // for people only
				var labels []string
				for _, v := range history {
					labels = append(labels, v.Labels...)
				}
				extra = ", " + cli.Plural(len(history), "version")
				if len(labels) > 0 {
					extra += ", labels " + strings.Join(labels, " ")
				}
			}
		}
		env.Note("  %s  %s%s", render.Visible(p.Name), p.Type, extra)
	}
}

// confirmMany asks as env.Confirm does, and for the number when there are many.
func confirmMany(ctx context.Context, env *cli.Env, what string, n int) error {
	if n <= typedFrom || env.Flags.Yes || !env.CanAsk() {
		return env.Confirm(ctx, what)
	}
	answer, err := env.Ask(ctx, fmt.Sprintf("%s? type %d to confirm: ", what, n))
	switch {
	case err != nil:
		return err
	case answer != itoa(int64(n)):
		return fault.New(fault.Refused, "", "not confirmed; nothing was changed")
	}
	return nil
}
