package param

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// paramInput is where a value comes from. It is bytes: nothing is trimmed, added or
// fetched from anywhere.
type paramInput struct {
	text, file string
	typed      bool // --value was given
}

func (v *paramInput) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&v.text, "value", "", "the `text` of the value as it is, also when it begins with - or @")
	cmd.Flags().StringVar(&v.file, "value-file", "", "take the bytes of this `file` as the value; - is standard input")
}

// settle finds out from where the value comes; words are those behind the name. No
// error shows a word: it may be a part of a secret.
func (v *paramInput) settle(cmd *cobra.Command, words []string) error {
	v.typed = cmd.Flags().Changed("value")
	sources := len(words)
	for _, flag := range []string{"value", "value-file"} {
		if cmd.Flags().Changed(flag) {
			sources++
		}
	}
	switch {
	case len(words) > 1:
		return fault.Usagef("%s: %d words behind the name, and a value is one", cmd.CommandPath(), len(words)).
			WithHint("put a value with spaces in quotes, or give it on standard input: ssmdeck param set NAME -")
	case sources > 1:
		return fault.Usagef("%s: the value is given twice", cmd.CommandPath()).WithHint("give it as a word, with --value or with --value-file")
	case cmd.Flags().Changed("value-file") && v.file == "":
		return fault.Usagef("--value-file without a file")
	case len(words) == 0:
	case words[0] == "-":
		v.file = "-"
	case strings.HasPrefix(words[0], "@") && len(words[0]) > 1:
		v.file = words[0][1:]
	default:
		v.text, v.typed = words[0], true
	}
	return nil
}

// asked reports whether the value has to be asked for.
func (v *paramInput) asked() bool { return !v.typed && v.file == "" }

// read returns the value of a source other than a person.
func (v *paramInput) read(ctx context.Context, env *cli.Env) (string, error) {
	if v.file == "" {
		return v.text, nil
	}
	var in io.Reader
	what := v.file
	if v.file == "-" {
		cancelable, release := env.Input()
		defer release()
		defer context.AfterFunc(ctx, release)()
		in, what = cancelable, "standard input"
		if cli.IsTerminal(env.In) {
			env.Note("the value is read from the terminal, where it is shown; Ctrl-D on an empty line ends it")
		}
	} else {
		f, err := os.Open(v.file)
		if err != nil {
			e := fault.Usagef("%s: %w", v.file, cli.PlainPathError(err))
			return "", e.WithHint("for a value that begins with @ write --value '@...'")
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, parameter.AdvancedBytes+1))
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", fault.Usagef("%s: %w", what, cli.PlainPathError(err))
	case len(data) > parameter.AdvancedBytes:
		return "", fault.Usagef("%s has more than %d bytes, which is what the advanced tier holds", what, parameter.AdvancedBytes).
			WithHint("keep it in Secrets Manager (64 KB) or S3, and its name here")
	}
	return string(data), nil
}

// askParamValue asks a person for a value, twice, without showing it.
func askParamValue(ctx context.Context, env *cli.Env, name string) (string, error) {
	f, _ := env.In.(*os.File)
	out, _ := env.Err.(*os.File)
	if !env.CanAsk() || f == nil || out == nil {
		return "", fault.Usagef("there is no value for %s, and nobody to ask for one", name).
			WithHint("write - behind the name to read it from standard input, or @FILE")
	}
	term, err := terminal.Open(f, out)
	if err != nil {
		return "", fault.New(fault.Failed, "ask for the value", "%w", err)
	}
	var lines [2]string
	for i, prompt := range []string{"Value of " + name + " (hidden): ", "The same again: "} {
		lines[i], err = term.Hidden(ctx, prompt)
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case errors.Is(err, terminal.ErrInterrupted), errors.Is(err, io.EOF):
			return "", fault.New(fault.Interrupted, "", "no value was given; nothing was written")
		case errors.Is(err, terminal.ErrSeveralLines):
			return "", fault.Usagef("several lines were pasted, and one can be typed here").WithHint("write - behind the name and paste into standard input, or use `ssmdeck param edit %s`", name)
		case errors.Is(err, terminal.ErrControl):
			return "", fault.Usagef("the value has a control character, which cannot be typed here").WithHint("write - behind the name to read it from standard input, or @FILE")
		case err != nil:
			return "", fault.New(fault.Failed, "ask for the value", "%w", err)
		}
	}
	if lines[0] != lines[1] {
		return "", fault.Usagef("the two values are not the same; nothing was written")
	}
	return lines[0], nil
}

// sayParamValue tells what is easily overlooked about a value, and never the value.
func sayParamValue(env *cli.Env, c parameter.Change, v *paramInput, secret bool) {
	if v.typed && secret {
		env.Note("note: a secret on the command line is in your shell's history and in the list of processes; leave it out to be asked, or write -")
	}
	if v.file == "-" && strings.HasSuffix(c.Value, "\n") {
		env.Note("note: the value ends with a line end, which is kept (printf writes none)")
	}
	for _, scheme := range []string{"file://", "fileb://"} {
		if v.typed && strings.HasPrefix(c.Value, scheme) {
			env.Note("note: the value is the text itself; no file is read: @FILE would")
			break
		}
	}
}

// looksSecret is what names of secrets have in them.
func looksSecret(name string) bool {
	last := strings.ToLower(name[strings.LastIndex(name, "/")+1:])
	for _, word := range []string{"password", "passwd", "secret", "token", "apikey", "api-key", "api_key", "private-key", "private_key", "credential"} {
		if strings.Contains(last, word) {
			return true
		}
	}
	return false
}
