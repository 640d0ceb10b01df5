package param

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/textdiff"
)

func newRollbackCmd(env *cli.Env) *cobra.Command {
	var (
		f    setFlags
		show bool
	)
	cmd := &cobra.Command{
		Use:   "rollback <name> [version|label]",
		Short: "Write an earlier version of a parameter as the latest",
		Long: `Write an earlier version of a parameter again, as a new version: by default that
before the latest, or the one with this number or label. Value, description, allowed
pattern, data type and key are those of then. Policies stay as they are now, so that
no old expiration deletes it, and tags, which belong to no version, too.

What would change is told and asked about, values themselves only with --show. The
service keeps 100 versions.`,
		Example: `  $ ssmdeck param rollback /app/prod/db-url
  $ ssmdeck param rollback /app/prod/db-url 12 --label live
  $ ssmdeck param rollback /app/prod/db-url last-good --dry-run`,
		Args: func(cmd *cobra.Command, args []string) error {
			return cli.ExactArgs(append([]string{"the name"}, args[min(1, len(args)):min(2, len(args))]...)...)(cmd, args)
		},
		ValidArgsFunction: completeParamName(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			word := ""
			if len(args) > 1 {
				word = args[1]
			}
			return rollback(cmd.Context(), env, &f, args[0], word, show)
		},
	}
	cmd.Flags().StringArrayVar(&f.labels, "label", nil, "put this `label` on the new version; repeat for several")
	cmd.Flags().BoolVar(&show, "show", false, "show how the values differ")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would change, and write nothing")
	return cmd
}

func rollback(ctx context.Context, env *cli.Env, f *setFlags, name, word string, show bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckObject(ro, paramOutcome{}); err != nil {
		return err
	}
	at, err := parseParamVersion(name)
	faults := parameter.CheckLabels(f.labels)
	if err == nil && word != "" {
		if name != at.name {
			err = fault.Usagef("the version is given twice: %s and %s", name, render.Visible(word))
		} else {
			err = at.choose(strings.TrimPrefix(word, ":"))
		}
	}
	if err != nil {
		faults = append([]error{err}, faults...)
	}
	if err := cli.AllFaults("roll back a parameter", faults); err != nil {
		return err
	}
	if err := env.RefuseChange("PutParameter", f.dryRun); err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	history, err := paramHistory(ctx, svc, at.name, true)
	if err != nil {
		return err
	}
	old, err := rollbackTo(at, history)
	if err != nil {
		return err
	}
	latest := history[len(history)-1]
	c := rollbackChange(old, latest)
	op := "roll back parameter " + at.name
	if err := cli.AllFaults(op, parameter.CheckChange(c, &latest)); err != nil {
		return err
	}
	lines := difference(latest, old, show)
	if len(lines) == 0 {
		env.Note("no change: version %d is like the latest, %d", old.Version, latest.Version)
		return finish(ctx, env, ro, f, svc, c, paramOutcome{
			Result: "unchanged", Name: at.name, Type: latest.Type, Version: latest.Version, Tier: latest.Tier, KeyID: latest.KeyID,
		})
	}
	env.Note("version %d (latest) of %s, and what version %d of %s has:", latest.Version, at.name, old.Version, render.Timestamp(old.Modified))
	for _, l := range lines {
		env.Note("  %s", render.Visible(l))
	}
	if !f.dryRun {
		if err := env.Confirm(ctx, "write version "+itoa(old.Version)+" of "+at.name+" again, as version "+itoa(latest.Version+1)+siteAsked(ctx, env)); err != nil {
			return err
		}
	}
	return put(ctx, env, ro, f, svc, c, &latest)
}

// rollbackTo is the version that is meant; by default the one before the latest.
func rollbackTo(at paramVersion, history []parameter.Parameter) (old parameter.Parameter, err error) {
	if at.version > 0 || at.label != "" {
		return at.of(history)
	}
	if len(history) < 2 {
		return old, fault.New(fault.NotFound, "roll back parameter "+at.name, "there is no version before the latest")
	}
	return history[len(history)-2], nil
}

// rollbackChange is what makes the latest version like an old one.
func rollbackChange(old, latest parameter.Parameter) parameter.Change {
	c := parameter.Change{
		Name: latest.Name, Value: old.Value, Type: latest.Type, KeyID: old.KeyID, Description: old.Description,
		AllowedPattern: old.AllowedPattern, DataType: old.DataType, Overwrite: true, Replaces: latest.Version,
		ClearDescription: old.Description == "", ClearPattern: old.AllowedPattern == "",
	}
	if latest.Tier == parameter.Advanced {
		c.Tier = parameter.Advanced
	}
	return c
}

// difference says how two versions differ; values only with values.
func difference(from, to parameter.Parameter, values bool) (lines []string) {
	for _, f := range []struct{ name, from, to string }{
		{"description", from.Description, to.Description},
		{"allowed pattern", from.AllowedPattern, to.AllowedPattern},
		{"data type", from.DataType, to.DataType},
		{"key", from.KeyID, to.KeyID},
	} {
		if f.from != f.to {
			lines = append(lines, f.name+": "+cli.OrNone(f.from)+" -> "+cli.OrNone(f.to))
		}
	}
	switch {
	case from.Value == to.Value:
	case !values:
		lines = append(lines, "value: "+maskedValue+" -> "+maskedValue+" (another one)")
	default:
		lines = append(append(lines, "value:"), valueDifference(from.Value, to.Value)...)
	}
	return lines
}

// valueDifference is how two values differ, line by line. Most have no line end, which
// is told only where it is the difference.
func valueDifference(from, to string) (lines []string) {
	if !strings.HasSuffix(from, "\n") && !strings.HasSuffix(to, "\n") {
		from, to = from+"\n", to+"\n"
	}
	for _, l := range textdiff.Compare(textdiff.Lines(from), textdiff.Lines(to)) {
		text, _, bare := strings.Cut(l.Text, "\n")
		if bare {
			text += "  (no line end)"
		}
		lines = append(lines, string(rune(l.Kind))+" "+text)
	}
	return lines
}
