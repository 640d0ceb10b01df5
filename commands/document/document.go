package document

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// NewCmd is `ssmdeck document`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "document <command>",
		Aliases: []string{"documents", "doc"},
		Short:   "Documents of every type: commands, runbooks, sessions, policies, packages",
		Long: `Documents say what Systems Manager runs and keeps: Command documents run on
nodes, Automation documents (runbooks) in the service, Session documents open
sessions, Policy documents feed State Manager, Package documents hold software.

A version is given as a number, latest, default, or by its name.`,
		Example: `  # A document from a template, into the account, and run
  $ ssmdeck document new --type Command restart.yaml
  $ ssmdeck document apply -f restart.yaml
  $ ssmdeck run --document restart --tag env=test --service-name nginx

  # What would a change do?
  $ ssmdeck document diff restart -f restart.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newListCmd, newGetCmd, newDescribeCmd, newCreateCmd,
		newUpdateCmd, newApplyCmd, newDeleteCmd, newVersionsCmd,
		newSetDefaultCmd, newDiffCmd, newValidateCmd, newNewCmd, newRenderCmd,
		newShareCmd, newDocumentReviewCmd)
	return cmd
}

// completeTypes completes types of documents.
func completeTypes(cmd *cobra.Command) {
	cli.CompleteFlag(cmd, "type", document.Types)
}

func newListCmd(env *cli.Env) *cobra.Command {
	var (
		f    document.Filter
		tags []string
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List documents",
		Long: `List the documents of the account and Region, those of AWS and those that
others share. Filters narrow; of several values of one filter any fits.`,
		Example: `  # Those of the account, then the runbooks of AWS
  $ ssmdeck document list --owner self
  $ ssmdeck document list --owner amazon --type Automation

  # By the beginning of the name, by platform, by tag
  $ ssmdeck document list --name AWS-Run --platform windows
  $ ssmdeck document list --tag team=web -o json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, t := range tags {
				key, value, ok := cli.CutPair(t)
				if !ok || value == "" {
					return fault.Usagef("--tag %q is not of the form KEY=VALUE", t)
				}
				f.Tags = append(f.Tags, document.Tag{Key: key, Value: value})
			}
			return list(cmd.Context(), env, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.Owner, "owner", "", "only documents of this `owner`: "+strings.Join(document.Owners(), ", "))
	fl.StringSliceVar(&f.Types, "type", nil, "only documents of this `type`, such as Command or Automation; repeat for more")
	fl.StringSliceVar(&f.Platforms, "platform", nil, "only documents for this `platform`: linux, windows, macos; repeat for more")
	fl.StringVar(&f.Prefix, "name", "", "only documents whose name begins with `prefix`")
	fl.StringVar(&f.Search, "search", "", "only documents in which these `words` are found")
	fl.StringVar(&f.TargetType, "target-type", "", "only documents for this `type` of resource, such as /AWS::EC2::Instance")
	fl.StringArrayVar(&tags, "tag", nil, "only documents with the tag `KEY=VALUE`; several narrow")
	cli.CompleteFlag(cmd, "owner", document.Owners)
	completeTypes(cmd)
	cli.CompleteFlag(cmd, "platform", func() []string { return []string{"linux", "windows", "macos"} })
	return cli.Spans(cmd)
}

func list(ctx context.Context, env *cli.Env, f document.Filter) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	return cli.WriteGrid(ctx, env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[document.Summary, error], error) {
		svc, err := env.Documents(ctx)
		if err != nil {
			return nil, err
		}
		return func(yield func(document.Summary, error) bool) {
			all := f.IsZero() && ro.Limit == 0
			var names []document.CachedName
			for d, err := range svc.List(ctx, f) {
				if all = all && err == nil; all {
					names = append(names, document.CachedName{Name: d.Name, Type: d.Type})
				}
				if !yield(d, err) {
					return
				}
			}
			if all {
				docnames.RememberNames(env, names)
			}
		}, nil
	})
}

func table(o render.Options) render.Table[document.Summary] {
	return render.Table[document.Summary]{
		ID:    func(d document.Summary) string { return d.Name },
		Empty: "no documents match",
		Columns: []render.Column[document.Summary]{
			{Name: "NAME", ID: true, Text: func(d document.Summary) string { return d.Name }},
			{Name: "TYPE", Text: func(d document.Summary) string { return d.Type }},
			{Name: "OWNER", Text: func(d document.Summary) string { return d.Owner }},
			{Name: "PLATFORMS", Text: func(d document.Summary) string { return strings.Join(d.Platforms, ",") }},
			{Name: "DEFAULT", Text: func(d document.Summary) string { return d.Version }},
			cli.AgoColumn(o, "CREATED", func(d document.Summary) time.Time { return d.Created }),
			{Name: "FORMAT", Wide: true, Text: func(d document.Summary) string { return d.Format }},
			{Name: "SCHEMA", Wide: true, Text: func(d document.Summary) string { return d.SchemaVersion }},
			{Name: "VERSION NAME", Wide: true, Text: func(d document.Summary) string { return d.VersionName }},
			{Name: "TARGET TYPE", Wide: true, Text: func(d document.Summary) string { return d.TargetType }},
			{Name: "REVIEW", Wide: true, Text: func(d document.Summary) string { return d.Review }},
			{Name: "TAGS", Wide: true, Text: func(d document.Summary) string { return documentTags(d.Tags) }},
		},
	}
}

func documentTags(tags []document.Tag) string {
	words := make([]string, len(tags))
	for i, t := range tags {
		words[i] = t.Key + "=" + t.Value
	}
	return strings.Join(words, ",")
}

func newVersionsCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "versions <name>",
		Short: "List the versions of a document",
		Example: `  $ ssmdeck document versions restart
  $ ssmdeck document versions restart --limit 5`,
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
			return cli.WriteSeq(env, versionTable, ro, svc.Versions(cmd.Context(), args[0]))
		},
	}
}

// level is what a document's status means to the reader.
func level(status string) theme.Level {
	switch status {
	case "Active":
		return theme.Good
	case "Creating", "Updating", "Deleting":
		return theme.Busy
	case "Failed":
		return theme.Bad
	}
	return theme.Unknown
}

func versionTable(o render.Options) render.Table[document.Version] {
	return render.Table[document.Version]{
		ID:    func(v document.Version) string { return v.Number },
		Empty: "the document has no versions",
		Columns: []render.Column[document.Version]{
			{Name: "VERSION", ID: true, Text: func(v document.Version) string { return v.Number }},
			{Name: "NAME", Text: func(v document.Version) string { return v.Name }},
			{Name: "DEFAULT", Text: func(v document.Version) string {
				if v.IsDefault {
					return "default"
				}
				return ""
			}},
			{
				Name: "STATUS", Text: func(v document.Version) string { return v.Status },
				Human: func(v document.Version) string { return o.Styles.Status(level(v.Status), v.Status) },
			},
			cli.AgoColumn(o, "CREATED", func(v document.Version) time.Time { return v.Created }),
			{Name: "FORMAT", Text: func(v document.Version) string { return v.Format }},
			{Name: "REVIEW", Wide: true, Text: func(v document.Version) string { return v.Review }},
			{Name: "DETAIL", Wide: true, Text: func(v document.Version) string { return v.StatusInfo }},
		},
	}
}

func newSetDefaultCmd(env *cli.Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "set-default <name> <version>",
		Short: "Choose the version that runs use which name none",
		Long: `Choose the default version: the one that commands, automations, associations and
sessions use when they name none. It is asked about; the line that takes it back
is printed.`,
		Example: `  $ ssmdeck document set-default restart 4
  $ ssmdeck document set-default restart latest --yes`,
		Args: cli.ExactArgs("the document's name", "the version"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return docnames.VersionWords(cmd.Context(), env, args[0]), cobra.ShellCompDirectiveNoFileComp
			}
			return docnames.CompleteDocument(env, "")(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return documentSetDefault(cmd.Context(), env, args[0], args[1], dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done and change nothing")
	return cmd
}

func documentSetDefault(ctx context.Context, env *cli.Env, name, version string, dryRun bool) error {
	ref, err := document.ParseRef(version)
	if err != nil {
		return err
	}
	svc, err := env.Documents(ctx)
	if err != nil {
		return err
	}
	in, err := svc.Inspect(ctx, name, ref)
	if err != nil {
		return err
	}
	if in.Version == in.DefaultVersion {
		env.Note("no change: version %s is the default of %s", in.Version, name)
		return nil
	}
	what := fmt.Sprintf("make version %s the default of %s, in place of %s", in.Version, name, in.DefaultVersion)
	if dryRun {
		env.Note("would %s; nothing was changed", what)
		return nil
	}
	if err := env.Confirm(ctx, what); err != nil {
		return err
	}
	if err := svc.SetDefault(ctx, name, in.Version); err != nil {
		return err
	}
	env.Note("version %s is the default of %s now; back: `ssmdeck document set-default %s %s`", in.Version, name, name, in.DefaultVersion)
	return nil
}
