package document

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newDiffCmd(env *cli.Env) *cobra.Command {
	var (
		file, version string
		raw           bool
	)
	cmd := &cobra.Command{
		Use:   "diff <name> [version [version]]",
		Short: "Compare versions of a document, or a document with a file",
		Long: `Compare two versions of a document: those named, one with the latest, or without
any the default with the latest. With -f a version (the latest, or --doc-version)
is compared with a file.

What is compared is the meaning: layout, comments and the order of keys do not
count, and YAML is compared with JSON. --raw compares byte for byte. The status
is 6 when something differs.`,
		Example: `  $ ssmdeck document diff restart
  $ ssmdeck document diff restart 3 4
  $ ssmdeck document diff restart -f restart.yaml
  $ ssmdeck document diff restart -f restart.yaml --doc-version default || ssmdeck document apply -f restart.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 3 || len(args) < 1 {
				return cli.ExactArgs("the document's name", "a version", "the other version")(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			switch {
			case len(args) == 0:
				return docnames.CompleteDocument(env, "")(cmd, args, typed)
			case len(args) < 3:
				return docnames.VersionWords(cmd.Context(), env, args[0]), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if file != "" && len(args) > 1 {
				return fault.Usagef("document diff: with -f the version is given by --doc-version")
			}
			if file == "" && version != "" {
				return fault.Usagef("document diff: --doc-version goes with -f").WithHint("versions are arguments: `ssmdeck document diff %s %s`", args[0], version)
			}
			old, other := document.Default, document.Latest
			switch {
			case file != "":
				old = document.Latest
				if version != "" {
					old = version
				}
			case len(args) > 1:
				old = args[1]
				if len(args) > 2 {
					other = args[2]
				}
			}
			return diff(cmd.Context(), env, args[0], old, other, file, raw)
		},
	}
	cli.BindFile(cmd, &file)
	docnames.BindVersion(env, cmd, &version, "compare the file with this")
	cmd.Flags().BoolVar(&raw, "raw", false, "compare byte for byte")
	return cmd
}

// difference is the answer of `document diff` for machines.
type difference struct {
	Document string `json:"document"`
	From     string `json:"from"`
	To       string `json:"to"`
	Same     bool   `json:"same"`
	Diff     string `json:"diff,omitempty"`
}

func diff(ctx context.Context, env *cli.Env, name, old, other, file string, raw bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	var src document.Source
	if file != "" {
		data, err := env.ReadFile(file)
		if err != nil {
			return err
		}
		if src, err = document.ReadSource(file, data, ""); err != nil {
			return err
		}
	}
	var refs [2]document.Ref
	for i, v := range []string{old, other} {
		if refs[i], err = document.ParseRef(v); err != nil {
			return err
		}
	}
	svc, err := env.Documents(ctx)
	if err != nil {
		return err
	}
	a, err := svc.Content(ctx, name, refs[0], "")
	if err != nil {
		return err
	}
	from, to := a.Side(name+" version "+a.Version), src.Side(file)
	if file == "" {
		b, err := svc.Content(ctx, name, refs[1], "")
		if err != nil {
			return err
		}
		to = b.Side(name + " version " + b.Version)
	}
	lines := document.Diff(from, to)
	if raw {
		lines = document.DiffBytes(from, to)
	}
	d := difference{Document: name, From: from.Label, To: to.Label, Same: len(lines) == 0, Diff: strings.Join(lines, "\n")}
	switch {
	case ro.Query == "" && (ro.Format == render.FormatAuto || ro.Format == render.FormatTable || ro.Format == render.FormatText):
		err = cli.WriteDiff(env, ro, lines)
	default:
		err = render.Object(env.Out, ro, d, func(v *render.Detail) {
			v.ID(name)
			v.Field("From", d.From)
			v.Field("To", d.To)
			v.Block("Diff", d.Diff)
		})
	}
	switch {
	case err != nil:
		return err
	case !d.Same:
		return &fault.Exit{Code: fault.RemoteFailed.ExitCode()}
	case from.Text != to.Text:
		env.Note("no difference in meaning; the texts differ, as --raw shows")
	default:
		env.Note("no difference")
	}
	return nil
}
