package document

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newShareCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "share <command>",
		Short: "Let other accounts use a document",
		Long: `See and change which accounts may use a document. all is everybody: the document
is public then.`,
		Example: `  $ ssmdeck document share list restart
  $ ssmdeck document share add restart 111122223333 444455556666
  $ ssmdeck document share remove restart all`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	cmd.AddCommand(newShareListCmd(env), newShareAddCmd(env), newShareRemoveCmd(env))
	return cmd
}

func newShareListCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:               "list <name>",
		Aliases:           []string{"ls"},
		Short:             "List the accounts a document is shared with",
		Example:           `  $ ssmdeck document share list restart`,
		Args:              cli.ExactArgs("the document's name"),
		ValidArgsFunction: docnames.CompleteDocument(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			svc, err := env.Documents(cmd.Context())
			if err != nil {
				return err
			}
			shares, err := svc.Shares(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return cli.WriteList(env, shareTable, ro, shares)
		},
	}
}

func shareTable(render.Options) render.Table[document.Share] {
	return render.Table[document.Share]{
		ID:    func(s document.Share) string { return s.Account },
		Empty: "the document is not shared",
		Columns: []render.Column[document.Share]{
			{Name: "ACCOUNT", ID: true, Text: func(s document.Share) string { return s.Account }},
			{Name: "VERSION", Text: func(s document.Share) string { return s.Version }},
		},
	}
}

// shareChange is what add and remove share.
type shareChange struct {
	version string
	dryRun  bool
}

func (o *shareChange) bind(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be done and change nothing")
}

// sharedWith are the accounts that were named.
func sharedWith(args []string) ([]string, error) {
	accounts, err := document.CheckAccounts(args)
	if err == nil && len(accounts) == 0 {
		err = fault.Usagef("no account is named").WithHint("name accounts by their twelve digits, or all")
	}
	return accounts, err
}

func newShareAddCmd(env *cli.Env) *cobra.Command {
	var o shareChange
	cmd := &cobra.Command{
		Use:   "add <name> <account>...",
		Short: "Share a document with accounts, or with everybody",
		Long: `Share a document with accounts, after asking. all makes it public: anybody can
read it then. --doc-version shares one version instead of every one.`,
		Example: `  $ ssmdeck document share add restart 111122223333
  $ ssmdeck document share add restart 111122223333 444455556666 --doc-version default
  $ ssmdeck document share add restart all --yes`,
		Args:              cli.MinArgs("the document's name"),
		ValidArgsFunction: docnames.CompleteDocument(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			accounts, err := sharedWith(args[1:])
			if err != nil {
				return err
			}
			ref, err := document.ParseRef(o.version)
			if err != nil {
				return err
			}
			if ref.Name != "" {
				return fault.Usagef("a document is shared in a version by number, latest or default, not by the name %s", ref.Name)
			}
			return o.change(cmd.Context(), env, args[0], "share", accounts, func(svc *document.Service) error {
				return svc.ShareWith(cmd.Context(), args[0], accounts, ref.Number)
			})
		},
	}
	o.bind(cmd)
	docnames.BindVersion(env, cmd, &o.version, "share only this")
	return cmd
}

func newShareRemoveCmd(env *cli.Env) *cobra.Command {
	var o shareChange
	cmd := &cobra.Command{
		Use:     "remove <name> <account>...",
		Aliases: []string{"rm"},
		Short:   "Stop sharing a document with accounts",
		Long:    "Stop sharing a document with accounts, after asking: what they run with it fails from then on.",
		Example: `  $ ssmdeck document share remove restart 111122223333
  $ ssmdeck document share remove restart all --yes`,
		Args:              cli.MinArgs("the document's name"),
		ValidArgsFunction: docnames.CompleteDocument(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			accounts, err := sharedWith(args[1:])
			if err != nil {
				return err
			}
			return o.change(cmd.Context(), env, args[0], "stop sharing", accounts, func(svc *document.Service) error {
				return svc.Unshare(cmd.Context(), args[0], accounts)
			})
		},
	}
	o.bind(cmd)
	return cmd
}

func (o *shareChange) change(ctx context.Context, env *cli.Env, name, verb string, accounts []string, do func(*document.Service) error) error {
	svc, err := env.Documents(ctx)
	if err != nil {
		return err
	}
	with := cli.SomeOf(accounts, 5)
	if accounts[0] == document.Everybody {
		with = "every AWS account in the world"
	}
	what := fmt.Sprintf("%s document %s with %s", verb, name, with)
	if o.dryRun {
		if _, err := svc.Inspect(ctx, name, document.Ref{}); err != nil {
			return err
		}
		env.Note("would %s; nothing was changed", what)
		return nil
	}
	if err := env.Confirm(ctx, what); err != nil {
		return err
	}
	if err := do(svc); err != nil {
		return err
	}
	env.Note("done: %s", what)
	return nil
}

func newDocumentReviewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "review <command>",
		Short: "Reviews of documents that need approval",
		Long: `Change templates (documents of type Automation.ChangeTemplate) are used only after
a review. These commands show reviews, ask for one, and answer. The feature is
part of Change Manager, which AWS no longer offers to new customers.`,
		Example: `  $ ssmdeck document review list my-template
  $ ssmdeck document review submit my-template --comment 'for the release'
  $ ssmdeck document review approve my-template`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	cmd.AddCommand(newReviewListCmd(env))
	for _, r := range []struct{ action, short string }{
		{"submit", "Ask for a review of a document"},
		{"comment", "Comment on a document under review"},
		{"approve", "Approve a document under review"},
		{"reject", "Reject a document under review"},
	} {
		cmd.AddCommand(newReviewCmd(env, r.action, r.short))
	}
	return cmd
}

func newReviewListCmd(env *cli.Env) *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:               "list <name>",
		Aliases:           []string{"ls"},
		Short:             "List the reviews of a document",
		Example:           `  $ ssmdeck document review list my-template --doc-version 2`,
		Args:              cli.ExactArgs("the document's name"),
		ValidArgsFunction: docnames.CompleteDocument(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			ref, err := reviewRef(version)
			if err != nil {
				return err
			}
			svc, err := env.Documents(cmd.Context())
			if err != nil {
				return err
			}
			reviews, err := svc.Reviews(cmd.Context(), args[0], ref)
			if err != nil {
				return err
			}
			return cli.WriteList(env, reviewTable, ro, reviews)
		},
	}
	docnames.BindVersion(env, cmd, &version, "reviews of this")
	return cmd
}

// reviewRef reads a version for the calls about reviews, which know no names.
func reviewRef(version string) (string, error) {
	ref, err := document.ParseRef(version)
	if err == nil && ref.Name != "" {
		err = fault.Usagef("reviews belong to versions by number, latest or default, not by the name %s", ref.Name)
	}
	return ref.Number, err
}

func reviewTable(o render.Options) render.Table[document.Review] {
	return render.Table[document.Review]{
		ID:    func(r document.Review) string { return r.Reviewer },
		Empty: "there are no reviews",
		Columns: []render.Column[document.Review]{
			{Name: "STATUS", Text: func(r document.Review) string { return r.Status }},
			{Name: "REVIEWER", ID: true, Text: func(r document.Review) string { return r.Reviewer }},
			cli.AgoColumn(o, "UPDATED", func(r document.Review) time.Time { return r.Updated }),
			{Name: "COMMENT", Text: func(r document.Review) string { return r.Comment }},
		},
	}
}

func newReviewCmd(env *cli.Env, action, short string) *cobra.Command {
	var version, comment string
	cmd := &cobra.Command{
		Use:               action + " <name>",
		Short:             short,
		Example:           fmt.Sprintf("  $ ssmdeck document review %s my-template --comment 'seen'", action),
		Args:              cli.ExactArgs("the document's name"),
		ValidArgsFunction: docnames.CompleteDocument(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := reviewRef(version)
			if err != nil {
				return err
			}
			if action == "comment" && strings.TrimSpace(comment) == "" {
				return fault.Usagef("document review comment: missing the --comment")
			}
			svc, err := env.Documents(cmd.Context())
			if err != nil {
				return err
			}
			if action == "approve" || action == "reject" {
				if err := env.Confirm(cmd.Context(), action+" document "+args[0]); err != nil {
					return err
				}
			}
			if err := svc.Review(cmd.Context(), args[0], ref, action, comment); err != nil {
				return err
			}
			env.Note("done: %s %s", action, args[0])
			return nil
		},
	}
	docnames.BindVersion(env, cmd, &version, "this")
	cmd.Flags().StringVar(&comment, "comment", "", "`text` for the others")
	return cmd
}
