package document

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func newDeleteCmd(env *cli.Env) *cobra.Command {
	var (
		version       string
		force, dryRun bool
	)
	cmd := &cobra.Command{
		Use:     "delete <name>...",
		Aliases: []string{"rm"},
		Short:   "Delete documents, or one version of a document",
		Long: `Delete documents with all their versions, after asking; there is no way back.
--doc-version deletes one version, which must not be the default one.

A document that is shared has to be unshared first. --force is for types that
the service deletes only so, such as ApplicationConfigurationSchema.`,
		Example: `  $ ssmdeck document delete restart
  $ ssmdeck document delete restart --doc-version 2 --yes
  $ ssmdeck document delete restart stop-all --dry-run`,
		Args:              cli.MinArgs("the document's name"),
		ValidArgsFunction: docnames.CompleteDocuments(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if version != "" && len(args) > 1 {
				return fault.Usagef("document delete: --doc-version is for one document, and %d are named", len(args))
			}
			ref, err := document.ParseRef(version)
			if err != nil {
				return err
			}
			if version != "" && ref.Number == document.Default {
				return fault.Usagef("the default version of a document cannot be deleted").
					WithHint("choose another first: `ssmdeck document set-default %s VERSION`", args[0])
			}
			return documentDelete(cmd.Context(), env, args, ref, force, dryRun)
		},
	}
	docnames.BindVersion(env, cmd, &version, "delete only this")
	cmd.Flags().BoolVar(&force, "force", false, "delete also what the service deletes only by force")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be deleted and delete nothing")
	return cmd
}

func documentDelete(ctx context.Context, env *cli.Env, names []string, ref document.Ref, force, dryRun bool) error {
	svc, err := env.Documents(ctx)
	if err != nil {
		return err
	}
	var what []string
	for _, name := range names {
		line, err := deletable(ctx, svc, name, &ref)
		if err != nil {
			return err
		}
		what = append(what, line)
	}
	if dryRun {
		env.Note("would delete %s; nothing was deleted", strings.Join(what, ", "))
		return nil
	}
	if err := env.Confirm(ctx, "delete "+strings.Join(what, ", ")); err != nil {
		return err
	}
	var faults []error
	for i, name := range names {
		if err := svc.Delete(ctx, name, ref, force); err != nil {
			faults = append(faults, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		env.Note("deleted %s", what[i])
	}
	return cli.MoreThanOne("delete documents", faults, len(names))
}

// deletable says what would be deleted, or why it cannot be. A version is looked
// up, so that what is asked about is what is deleted.
func deletable(ctx context.Context, svc *document.Service, name string, ref *document.Ref) (string, error) {
	in, err := svc.Inspect(ctx, name, *ref)
	if err != nil {
		return "", err
	}
	if *ref != (document.Ref{}) {
		if in.Version == in.DefaultVersion {
			return "", fault.New(fault.Usage, "delete version "+in.Version+" of document "+name, "it is the default version").
				WithHint("choose another first: `ssmdeck document set-default %s VERSION`", name)
		}
		*ref = document.Ref{Number: in.Version}
		return fmt.Sprintf("version %s of %s", in.Version, name), nil
	}
	shares, err := svc.Shares(ctx, name)
	switch {
	case fault.KindOf(err) == fault.Auth: // the service knows
	case err != nil:
		return "", err
	case len(shares) > 0:
		var accounts []string
		for _, s := range shares {
			accounts = append(accounts, s.Account)
		}
		return "", fault.New(fault.Failed, "delete document "+name, "it is shared with %s", cli.SomeOf(accounts, 5)).
			WithHint("end that first: `ssmdeck document share remove %s %s`", name, strings.Join(accounts, " "))
	}
	n := 0
	for _, err := range svc.Versions(ctx, name) {
		switch {
		case fault.KindOf(err) == fault.Auth:
			return fmt.Sprintf("%s (%s) with all its versions", name, in.Type), nil
		case err != nil:
			return "", err
		}
		n++
	}
	return fmt.Sprintf("%s (%s) with %s", name, in.Type, cli.Plural(n, "version")), nil
}
