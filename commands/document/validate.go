package document

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/document/lint"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

type validateOptions struct {
	kind   string
	name   string
	failOn string
	sarif  bool
}

func newValidateCmd(env *cli.Env) *cobra.Command {
	o := validateOptions{failOn: "warning"}
	cmd := &cobra.Command{
		Use:     "validate <file>...",
		Aliases: []string{"lint"},
		Short:   "Check documents offline, with line and column",
		Long: `Check documents, JSON or YAML, without a call to AWS: schema, parameters,
references, the way from step to step, platforms, and values that could become
commands. All faults are told at once, each with its place and its rule.

A directory stands for the .json, .yaml and .yml files in and under it, - for
standard input. The type is guessed from the content; --type says it.

The exit code is 6 when something of --fail-on or worse was found, 2 when a file
is neither JSON nor YAML; the other files are checked all the same.`,
		Example: `  $ ssmdeck document validate restart.yaml
  $ ssmdeck document validate documents/ --fail-on error

  # For code scanning, and for a program
  $ ssmdeck document validate documents/ --sarif > findings.sarif
  $ ssmdeck document validate restart.yaml -o json --query '[].rule'`,
		Args: cli.MinArgs("the file"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, args) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.kind, "type", "", "`type` of the documents: Command, Automation, Session, Policy, Package")
	fs.StringVar(&o.name, "name", "", "check this `name` as well")
	fs.StringVar(&o.failOn, "fail-on", o.failOn, "`severity` from which findings make the exit code 6: error, warning, info")
	fs.BoolVar(&o.sarif, "sarif", false, "write SARIF 2.1.0, for code scanning")
	cli.CompleteFlag(cmd, "type", func() []string { return []string{"Command", "Automation", "Session", "Policy", "Package"} })
	cli.CompleteFlag(cmd, "fail-on", func() []string { return []string{"error", "warning", "info"} })
	return cmd
}

// finding is one row of the answer.
type finding struct {
	File string `json:"file"`
	lint.Finding
}

// line is the finding in one line, as people read it.
func (f finding) line(severity string) string {
	return render.Visible(f.place()) + severity + ": " + render.Visible(f.Message) + " [" + f.Rule + "]"
}

func (f finding) place() string {
	at := f.File + ":" + strconv.Itoa(f.Line)
	if f.Column > 0 {
		at += ":" + strconv.Itoa(f.Column)
	}
	return at
}

// severities in falling order.
var severities = []lint.Severity{lint.Error, lint.Warning, lint.Info}

func (o *validateOptions) run(ctx context.Context, env *cli.Env, args []string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	limit := slices.Index(severities, lint.Severity(o.failOn))
	if limit < 0 {
		return fault.Usagef("--fail-on %q is no severity: use error, warning or info", o.failOn)
	}
	if o.sarif && ro.Format != render.FormatAuto {
		return fault.Usagef("--sarif is a format of its own: leave out -o")
	}
	paths, err := documentFiles(args, true)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fault.New(fault.NotFound, "", "no .json, .yaml or .yml file is there")
	}
	var files []lint.File
	var rows []finding
	var unread []error
	counts := map[lint.Severity]int{}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		content, err := readDocument(env, path)
		if err != nil {
			unread = append(unread, err)
			continue
		}
		r, err := lint.Check(content, lint.Options{Type: o.kind, Name: o.name})
		if err != nil {
			unread = append(unread, notADocument(path, err))
			continue
		}
		files = append(files, lint.File{Path: path, Report: r})
		for _, f := range r.Findings {
			counts[f.Severity]++
			rows = append(rows, finding{path, f})
		}
	}
	if len(files) > 0 {
		if err := o.write(env, ro, files, rows); err != nil {
			return err
		}
	}
	failed := 0
	for _, s := range severities[:limit+1] {
		failed += counts[s]
	}
	summary := fmt.Sprintf("%s, %s, %d info in %s", cli.Plural(counts[lint.Error], "error"), cli.Plural(counts[lint.Warning], "warning"), counts[lint.Info], cli.Plural(len(files), "file"))
	switch {
	case len(unread) == 1 && len(paths) == 1:
		return unread[0]
	case len(unread) > 0:
		return fault.Usagef("%s could not be read; in the others there are %s:\n  %s", cli.Plural(len(unread), "file"), summary, cli.JoinLines(unread))
	case failed > 0:
		return fault.New(fault.RemoteFailed, "", "%s", summary).WithHint("docs/document-lint.md describes the rules")
	}
	env.Note("%s", summary)
	return nil
}

func (o *validateOptions) write(env *cli.Env, ro render.Options, files []lint.File, rows []finding) error {
	switch {
	case o.sarif:
		return lint.WriteSARIF(env.Out, env.Build.Version, files)
	case ro.Format == render.FormatAuto && ro.Query == "" && len(ro.Columns) == 0:
		w := bufio.NewWriter(env.Out)
		for _, f := range rows {
			word := string(f.Severity)
			if ro.Terminal() {
				word = ro.Styles.Status(severityLevel(f.Severity), word)
			}
			fmt.Fprintln(w, f.line(": "+word))
			if f.Hint != "" {
				fmt.Fprintf(w, "    %s\n", render.Visible(f.Hint))
			}
		}
		return w.Flush()
	default:
		return cli.WriteList(env, findingTable, ro, rows)
	}
}

func severityLevel(s lint.Severity) theme.Level {
	switch s {
	case lint.Error:
		return theme.Bad
	case lint.Warning:
		return theme.Warn
	default:
		return theme.Idle
	}
}

func findingTable(o render.Options) render.Table[finding] {
	return render.Table[finding]{
		ID:    finding.place,
		Empty: "nothing to complain about",
		Columns: []render.Column[finding]{
			{Name: "PLACE", ID: true, Text: finding.place},
			{
				Name: "SEVERITY", Text: func(f finding) string { return string(f.Severity) },
				Human: func(f finding) string { return o.Styles.Status(severityLevel(f.Severity), string(f.Severity)) },
			},
			{Name: "RULE", Text: func(f finding) string { return f.Rule }},
			{Name: "MESSAGE", Text: func(f finding) string { return f.Message }},
			{Name: "HINT", Wide: true, Text: func(f finding) string { return f.Hint }},
			{Name: "PATH", Wide: true, Text: func(f finding) string { return f.Path }},
		},
	}
}

// maxDocumentFile is where reading a file stops: 64 KB is the limit of the
// service, and a file may be over it and still be told so.
const maxDocumentFile = 4 << 20

// readDocument reads a file, or standard input for "-".
func readDocument(env *cli.Env, path string) ([]byte, error) {
	in := env.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fault.New(fault.Usage, "read "+path, "%w", cli.PlainPathError(err))
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxDocumentFile+1))
	if err != nil {
		return nil, fault.New(fault.Usage, "read "+path, "%w", cli.PlainPathError(err))
	}
	return b, nil
}

// notADocument is the error about a file that cannot be parsed.
func notADocument(path string, err error) error {
	var syntax *lint.SyntaxError
	if errors.As(err, &syntax) {
		at := fmt.Sprintf("%s:%d", path, syntax.Line)
		if syntax.Column > 0 {
			at += fmt.Sprintf(":%d", syntax.Column)
		}
		return fault.Usagef("%s: %s", at, syntax.Message)
	}
	return fault.Usagef("%s: %v", path, err)
}
