package session

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
)

func newRunAsDocumentCmd(env *cli.Env) *cobra.Command {
	var (
		document string
		users    []string
	)
	cmd := &cobra.Command{
		Use:   "create-run-as-document --allow <user>...",
		Short: "Make the Session document that `shell --user` needs",
		Long: `Make, or renew, a Session document for shells as one of several users of the
nodes. ` + "`ssmdeck shell --user NAME`" + ` starts sessions with it. It takes over the
account's settings as they are now; run this again after changing those.

The service lets nobody choose a user freely: without such a document every shell
runs as the user of the settings (run-as), or as the one in the tag
SSMSessionRunAs of the caller's IAM user or role. That tag also wins over the
document. Who may use the document, and so become these users, is decided by
ssm:StartSession on it.`,
		Example: `  $ ssmdeck session prefs create-run-as-document --allow deploy --allow postgres
  $ ssmdeck shell web-1 --user deploy`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(users) == 0 {
				return fault.Usagef("%s: missing --allow", cmd.CommandPath()).WithHint("usage: %s", cli.UsageLine(cmd))
			}
			return createRunAs(cmd.Context(), env, document, users)
		},
	}
	cmd.Flags().StringVar(&document, "document", preferences.RunAsDocument, "`name` of the document")
	cmd.Flags().StringArrayVar(&users, "allow", nil, "`user` whom shells may run as; repeat for several")
	return cmd
}

func createRunAs(ctx context.Context, env *cli.Env, document string, users []string) error {
	svc, err := env.Preferences(ctx)
	if err != nil {
		return err
	}
	doc, err := svc.RunAs(ctx, document, users)
	if err != nil {
		return err
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("write document %s in %s, with which shells run as %s", document, scope.Region(), strings.Join(users, ", "))
	if err := env.Confirm(ctx, what); err != nil {
		return err
	}
	r, err := svc.Apply(ctx, doc)
	if err != nil {
		return err
	}
	switch {
	case r.Same:
		env.Note("no change: the document is so already")
	case r.Created:
		env.Note("made document %s", document)
	default:
		env.Note("%s is now at version %s", document, r.Version)
	}
	return nil
}
