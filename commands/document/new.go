package document

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func newNewCmd(env *cli.Env) *cobra.Command {
	var (
		docType string
		force   bool
	)
	cmd := &cobra.Command{
		Use:   "new <file>",
		Short: "Write a new document from a template",
		Long: `Write a document that is complete and explained by comments, as a start for one
of your own. - writes to standard output. A file that exists is left alone unless
--force is given.

There are templates for ` + strings.Join(document.Templates(), ", ") + `.`,
		Example: `  $ ssmdeck document new restart.yaml
  $ ssmdeck document new --type Automation runbook.yaml
  $ ssmdeck document new --type Session - | less`,
		Args: cli.ExactArgs("the file"),
		RunE: func(_ *cobra.Command, args []string) error {
			kind, err := document.ParseType(docType)
			if err != nil {
				return err
			}
			text, format, err := document.Template(kind)
			if err != nil {
				return err
			}
			if args[0] == "-" {
				_, err := io.WriteString(env.Out, text)
				return err
			}
			if strings.HasSuffix(strings.ToLower(args[0]), ".json") && format != document.FormatJSON {
				return fault.Usagef("the template for %s is written in %s, and %s is named as JSON", kind, format, args[0])
			}
			if err := newFile(args[0], text, force); err != nil {
				return err
			}
			env.Note("wrote %s: a document of type %s", args[0], kind)
			return nil
		},
	}
	cmd.Flags().StringVar(&docType, "type", "Command", "`type` of document")
	cmd.Flags().BoolVar(&force, "force", false, "replace the file if it exists")
	cli.CompleteFlag(cmd, "type", document.Templates)
	return cmd
}

// newFile writes a file that must not exist yet, unless replace is set.
func newFile(path, text string, replace bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if replace {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Refused, "write "+path, "the file exists").WithHint("add --force to replace it")
	}
	if err == nil {
		_, err = io.WriteString(f, text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fault.New(fault.Failed, "write "+path, "%w", cli.PlainPathError(err))
	}
	return nil
}

func newRenderCmd(env *cli.Env) *cobra.Command {
	var (
		file, version, format string
		params                docnames.Params
	)
	cmd := &cobra.Command{
		Use:   "render [name]",
		Short: "Show what would run: a document with its parameters filled in",
		Long: `Fill parameters and defaults into a document where it names them, and print it:
what agents or the service would run. With -f nothing is sent. What only the
service or a running step can fill in ({{ global:DATE }}, {{ ssm:name }},
{{ step.Output }}) stays, and is listed on standard error.

Values are checked against what the parameters accept.`,
		Example: `  $ ssmdeck document render -f restart.yaml --param ServiceName=nginx
  $ ssmdeck document render AWS-RunShellScript --param commands='uptime; df -h' --param executionTimeout=60`,
		Args: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == cmd.Flags().Changed("file") || len(args) > 1 {
				return fault.Usagef("%s: either the name of a document or -f with a file", cmd.CommandPath()).WithHint("usage: %s", cli.UsageLine(cmd))
			}
			return nil
		},
		ValidArgsFunction: docnames.CompleteDocument(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return documentRender(cmd.Context(), env, name, version, file, format, params)
		},
	}
	cli.BindFile(cmd, &file)
	docnames.BindVersion(env, cmd, &version, "render this")
	cmd.Flags().StringVar(&format, "format", "yaml", "`format` of what is printed: yaml, json")
	params.Bind(cmd)
	cli.CompleteFlag(cmd, "format", func() []string { return []string{"yaml", "json"} })
	_ = cmd.RegisterFlagCompletionFunc("param", func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		doc, _ := docnames.CachedDocument(cmd.Context(), env, args[0], version)
		return docnames.ParamWords(doc, typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	return cmd
}

func documentRender(ctx context.Context, env *cli.Env, name, version, file, format string, params docnames.Params) error {
	format, err := document.ParseFormat(format)
	if err != nil {
		return err
	}
	if err := params.OneInput("the document", file == "-"); err != nil {
		return err
	}
	src, err := renderSource(ctx, env, name, version, file)
	if err != nil {
		return err
	}
	if name == "" {
		name = src.Name()
	}
	doc, err := src.Document(name)
	if err != nil {
		return err
	}
	given, err := params.Checked(env, doc)
	if err != nil {
		return err
	}
	text, open, err := src.Fill(doc, given)
	if err != nil {
		return err
	}
	if format == document.FormatJSON {
		filled, err := document.ReadSource(src.Path, []byte(text), document.FormatYAML)
		if err != nil {
			return err
		}
		if filled, err = filled.AsJSON(); err != nil {
			return err
		}
		text = filled.Text
	}
	if len(open) > 0 {
		env.Note("left to the service: %s", strings.Join(open, ", "))
	}
	_, err = io.WriteString(env.Out, cli.ForStream(env.Out, text))
	return err
}

// renderSource is the document's text, from a file or from the service.
func renderSource(ctx context.Context, env *cli.Env, name, version, file string) (document.Source, error) {
	if file != "" {
		data, err := env.ReadFile(file)
		if err != nil {
			return document.Source{}, err
		}
		return document.ReadSource(file, data, "")
	}
	ref, err := document.ParseRef(version)
	if err != nil {
		return document.Source{}, err
	}
	svc, err := env.Documents(ctx)
	if err != nil {
		return document.Source{}, err
	}
	c, err := svc.Content(ctx, name, ref, "")
	if err != nil {
		return document.Source{}, err
	}
	return document.ReadSource("document "+name, []byte(c.Text), c.Format)
}
