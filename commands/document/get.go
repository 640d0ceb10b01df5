package document

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newGetCmd(env *cli.Env) *cobra.Command {
	var (
		version, format string
		raw             bool
	)
	cmd := &cobra.Command{
		Use:   "get <name>",
		Short: "Print a document's content",
		Long: `Print the content of a document: YAML as it was written, JSON laid out for
people. --raw prints the bytes as they are stored. --format asks the service for
the other format.

-o json and -o yaml print an object with the name, the version and the content.`,
		Example: `  $ ssmdeck document get AWS-RunShellScript
  $ ssmdeck document get restart --doc-version 3 > restart.yaml
  $ ssmdeck document get AWS-UpdateSSMAgent --format yaml
  $ ssmdeck document get restart --raw | sha256sum`,
		Args:              cli.ExactArgs("the document's name"),
		ValidArgsFunction: docnames.CompleteDocument(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if raw && format != "" {
				return fault.Usagef("document get: --raw and --format exclude each other")
			}
			return get(cmd.Context(), env, args[0], version, format, raw)
		},
	}
	docnames.BindVersion(env, cmd, &version, "print this")
	cmd.Flags().StringVar(&format, "format", "", "print the content in this `format`: yaml, json")
	cmd.Flags().BoolVar(&raw, "raw", false, "print the bytes as they are stored")
	cli.CompleteFlag(cmd, "format", func() []string { return []string{"yaml", "json"} })
	return cmd
}

func get(ctx context.Context, env *cli.Env, name, version, format string, raw bool) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	ref, err := document.ParseRef(version)
	if err != nil {
		return err
	}
	if format, err = document.ParseFormat(format); err != nil {
		return err
	}
	svc, err := env.Documents(ctx)
	if err != nil {
		return err
	}
	c, err := svc.Content(ctx, name, ref, format)
	if err != nil {
		return err
	}
	if ro.Query == "" {
		switch ro.Format {
		case render.FormatAuto, render.FormatTable, render.FormatWide, render.FormatText: // the content itself
			return writeContent(env, c, raw)
		}
	}
	return render.Object(env.Out, ro, c, func(d *render.Detail) {
		d.ID(c.Name)
		d.Field("Name", c.Name)
		d.Field("Type", c.Type)
		d.Field("Version", c.Version)
		d.Field("Version name", c.VersionName)
		d.Field("Format", c.Format)
		d.Block("Content", c.Text)
	})
}

func writeContent(env *cli.Env, c document.Content, raw bool) error {
	text := c.Text
	if !raw {
		if c.Format == document.FormatJSON {
			text = document.Indented(text)
		}
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
	}
	_, err := io.WriteString(env.Out, cli.ForStream(env.Out, text))
	return err
}

func newDescribeCmd(env *cli.Env) *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:     "describe <name>",
		Aliases: []string{"show"},
		Short:   "Show everything about a document but its content",
		Long: `Show what a document is: type, versions, platforms, state, hash, tags,
attachments, and its parameters with what they accept.`,
		Example: `  $ ssmdeck document describe AWS-RunPatchBaseline
  $ ssmdeck document describe restart --doc-version latest -o json`,
		Args:              cli.ExactArgs("the document's name"),
		ValidArgsFunction: docnames.CompleteDocument(env, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			return describe(cmd.Context(), env, args[0], version)
		},
	}
	docnames.BindVersion(env, cmd, &version, "describe this")
	return cmd
}

func describe(ctx context.Context, env *cli.Env, name, version string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
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
	if len(in.Parameters) > 0 { // what they accept is in the content only
		doc, err := svc.Describe(ctx, name, in.Version)
		if err != nil {
			return err
		}
		in.Parameters, in.Unchecked = doc.Parameters, doc.Unchecked
	}
	return render.Object(env.Out, ro, in, func(d *render.Detail) { details(d, ro, in) })
}

func details(d *render.Detail, o render.Options, in document.Info) {
	d.ID(in.Name)
	d.Field("Name", in.Name)
	d.Field("Display name", in.DisplayName)
	d.Field("Type", in.Type)
	d.Field("Description", in.Description)
	d.Field("Owner", in.Owner)
	d.Field("Author", in.Author)
	d.Human("Status", in.Status, o.Styles.Status(level(in.Status), render.Visible(in.Status)))
	d.Field("Reason", in.StatusInfo)
	d.Field("Version", in.Version)
	d.Field("Version name", in.VersionName)
	d.Field("Default version", in.DefaultVersion)
	d.Field("Latest version", in.LatestVersion)
	cli.Moment(d, o, "Created", in.Created)
	d.Field("Format", in.Format)
	d.Field("Schema", in.SchemaVersion)
	d.Field("Platforms", strings.Join(in.Platforms, ", "))
	d.Field("Target type", in.TargetType)
	d.Field("Hash", strings.TrimSpace(in.HashType+" "+in.Hash))
	d.Field("Review", in.Review)
	d.Field("Approved version", in.Approved)
	d.Field("Under review", in.Pending)
	d.Field("Tags", documentTags(in.Tags))
	var requires, attachments []string
	for _, r := range in.Requires {
		requires = append(requires, strings.TrimSuffix(r.Name+":"+r.Version, ":"))
	}
	for _, a := range in.Attachments {
		attachments = append(attachments, a.Name)
	}
	d.Field("Requires", strings.Join(requires, ", "))
	d.Field("Attachments", strings.Join(attachments, ", "))
	width := 0
	for _, p := range in.Parameters {
		width = max(width, len(p.Name))
	}
	var lines []string
	for _, p := range in.Parameters {
		lines = append(lines, cli.Pad(p.Name, width)+"  "+parameterWords(p))
	}
	d.Block("Parameters", strings.Join(lines, "\n"))
}

// parameterWords says what a parameter takes, in one line.
func parameterWords(p document.Parameter) string {
	words := []string{string(p.Type)}
	if p.Required {
		words = append(words, "required")
	} else {
		words = append(words, fmt.Sprintf("default %q", p.Default))
	}
	if len(p.AllowedValues) > 0 {
		words = append(words, "one of "+strings.Join(p.AllowedValues, ", "))
	}
	if p.AllowedPattern != "" {
		words = append(words, "pattern "+p.AllowedPattern)
	}
	if p.Description != "" {
		words = append(words, strings.Join(strings.Fields(p.Description), " "))
	}
	return strings.Join(words, "; ")
}
