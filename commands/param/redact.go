package param

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/redact"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// redactGrace is how long a filter reads on after Ctrl-C: what writes into it has got
// the same and may have something to say.
const redactGrace = 2 * time.Second

// redactOptions are the flags of param redact.
type redactOptions struct {
	all, short, only bool
	file             string
	ro               render.Options
}

func newRedactCmd(env *cli.Env) *cobra.Command {
	var o redactOptions
	cmd := &cobra.Command{
		Use:   "redact <path>|<name>... [-- <command>...]",
		Short: "Replace secrets in a log by the names of their parameters",
		Long: `Copy standard input to standard output with the values of SecureStrings
replaced by [NAME]. With a command behind --, it is run and what it writes to
standard output and standard error is filtered; its exit status is ours.

` + argumentsHelp + `

Values are found as they are, also over several lines, and in the forms that
they take in JSON, URLs, base64 and hexadecimal digits; so are the long lines
of a value of several lines, the passwords in URLs, and what JSON has under keys
such as password. Those of fewer than ` + strconv.Itoa(redact.MinLength) + ` bytes are parts of
ordinary words: they stay, which standard error says, without --short.

Lines pass as they come: only what may be the beginning of a secret is held
back. --check writes nothing through and lists what was found; its exit status
is 6 then.`,
		Example: `  $ tail -f app.log | ssmdeck param redact /app/prod
  $ ssmdeck param redact /app/prod -- ./migrate --verbose

  # A gate for what a pipeline publishes
  $ ssmdeck param redact /app/prod --check -f build.log`,
		Args:              cobra.ArbitraryArgs, // what stands before -- is checked below
		ValidArgsFunction: completeParamName(env, 0),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			words, command, err := cli.CutCommand(cmd, args, "a path or a name")
			if err != nil {
				return err
			}
			switch {
			case len(command) > 0 && (o.only || o.file != ""):
				return fault.Usagef("--check and --file read a log, and take no command")
			case !o.only && env.Flags.Set != nil && (env.Flags.Set.Changed("output") || env.Flags.Query != ""):
				return fault.Usagef("redact writes what it reads, and takes no other format").WithHint("--check lists what was found, in all formats")
			}
			if o.ro, err = cli.ListOptions(env, redactTable); err != nil && o.only {
				return err
			}
			return o.run(cmd.Context(), env, words, command)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.all, "all", false, "replace the values of all parameters, not of SecureStrings alone")
	f.BoolVar(&o.short, "short", false, "replace short values, too")
	f.BoolVar(&o.only, "check", false, "list the secrets that were found, and write nothing through")
	f.StringVarP(&o.file, "file", "f", "", "read this `file` in place of standard input")
	return cmd
}

func redactTable(render.Options) render.Table[redact.Count] {
	type row = redact.Count
	return render.Table[row]{
		ID: func(c row) string { return c.Name }, Empty: "no secrets",
		Columns: []render.Column[row]{
			{Name: "NAME", ID: true, Text: func(c row) string { return c.Name }},
			{Name: "COUNT", Right: true, Text: func(c row) string { return strconv.Itoa(c.Count) }, Less: func(a, b row) bool { return a.Count < b.Count }},
			{Name: "LINE", Right: true, Text: func(c row) string { return strconv.Itoa(c.Line) }, Less: func(a, b row) bool { return a.Line < b.Line }},
		},
	}
}

func (o *redactOptions) run(ctx context.Context, env *cli.Env, words, command []string) error {
	sources, err := parseParamArguments(words)
	if err != nil {
		return err
	}
	var program *connect.Child
	if len(command) > 0 {
		if program, err = connect.NewChild(env, command); err != nil {
			return err
		}
	}
	in := io.Reader(nil)
	if o.file != "" && o.file != "-" {
		f, err := openLog(ctx, o.file)
		if err != nil {
			return err
		}
		defer f.Close()
		defer context.AfterFunc(ctx, func() { _ = f.Close() })()
		in = f
	}
	m, err := o.matcher(ctx, env, sources)
	if err != nil {
		return err
	}
	if program != nil {
		return redactChild(env, m, program, command)
	}
	to := env.Out
	if o.only {
		to = io.Discard
	}
	w := m.NewWriter(to)
	if err := redactInput(ctx, env, w, in); err != nil {
		return err
	}
	if !o.only {
		return nil
	}
	found := w.Found()
	if err := cli.WriteList(env, redactTable, o.ro, found); err != nil || len(found) == 0 {
		return err
	}
	return fault.New(fault.RemoteFailed, "", "%s found", cli.PluralWere(len(found), "secret"))
}

// openLog opens a file. A named pipe that nobody writes to makes that wait, which Ctrl-C
// ends; the goroutine that is left behind goes with the process, or with a writer.
func openLog(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(path)
		done <- opened{f, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case o := <-done:
		if o.err == nil {
			if info, err := o.f.Stat(); err == nil && info.IsDir() {
				o.f.Close()
				return nil, fault.Usagef("--file %s: it is a folder", path)
			}
			return o.f, nil
		}
		return nil, fault.Usagef("--file %s: %w", path, cli.PlainPathError(o.err))
	}
}

// matcher reads the values that are looked for.
func (o *redactOptions) matcher(ctx context.Context, env *cli.Env, sources []argument) (*redact.Matcher, error) {
	svc, err := openParameters(ctx, env)
	if err != nil {
		return nil, err
	}
	reading := paramReading{values: true, decrypt: true, both: true}
	if !o.all {
		reading.types = []string{parameter.SecureString}
	}
	found, err := reading.read(ctx, svc, sources)
	if err != nil {
		return nil, err
	}
	var secrets []redact.Secret
	for _, p := range found {
		secrets = append(secrets, redact.Secret{Name: p.asked, Value: p.Value})
	}
	m, skipped, err := redact.New(secrets, o.short)
	if err != nil {
		return nil, err
	}
	if len(skipped) > 0 && len(skipped) == len(secrets) {
		return nil, fault.Usagef("there is nothing to look for: all values have fewer than %d bytes: %s", redact.MinLength, strings.Join(skipped, ", ")).
			WithHint("--short replaces them wherever they stand, also within words")
	}
	if len(skipped) > 0 {
		env.Note("ssmdeck: warning: values of fewer than %d bytes stay in the text: %s; --short replaces them", redact.MinLength, strings.Join(skipped, ", "))
	}
	return m, nil
}

// redactInput passes a stream through until it ends. The first Ctrl-C leaves it a
// moment to do so: in a pipeline, the program in front has got it, too.
func redactInput(ctx context.Context, env *cli.Env, w *redact.Writer, in io.Reader) error {
	if in == nil {
		stdin, release := env.Input()
		defer release()
		defer context.AfterFunc(ctx, func() { time.AfterFunc(redactGrace, release) })()
		in = stdin
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{in}, make([]byte, 64<<10))
	err = errors.Join(err, w.Close())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// redactChild runs a program with both of its outputs filtered.
func redactChild(env *cli.Env, m *redact.Matcher, c *connect.Child, argv []string) error {
	stdout, stderr := m.NewWriter(env.Out), m.NewWriter(env.Err)
	err := waitChild(env, &exec.Cmd{Path: c.Path, Args: argv, Stdin: env.In, Stdout: stdout, Stderr: stderr}, argv[0])
	if closed := errors.Join(stdout.Close(), stderr.Close()); err == nil {
		err = closed
	}
	return err
}
