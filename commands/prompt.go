package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// prompt reads command lines from a person and runs them until they leave.
func prompt(ctx context.Context, env *Env, term *terminal.Terminal) error {
	lines := term.Prompt(env.styles(env.Out).Accent.Render("ssmdeck>") + " ")
	for {
		line, err := lines.Read(ctx)
		switch {
		case errors.Is(err, io.EOF):
			fmt.Fprintln(env.Out)
			return nil
		case err != nil:
			return err
		}
		words, err := splitWords(line)
		if err != nil {
			render.Error(env.Err, env.errStyles(), err, false, false)
			continue
		}
		if len(words) > 0 && words[0] == "ssmdeck" {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "exit", "quit":
			return nil
		case "demo", "simulator":
			fmt.Fprintln(env.Err, "ssmdeck: you are in it already")
			continue
		}
		var exit *fault.Exit
		if err := promptCommand(ctx, env, words); errors.As(err, &exit) {
			fmt.Fprintf(env.Err, "%s\n", env.errStyles().Dim.Render(fmt.Sprintf("(exit code %d)", exit.Code)))
		}
	}
}

// promptCommand runs one command. An interrupt ends the command and not the
// prompt.
func promptCommand(ctx context.Context, env *Env, words []string) error {
	if env.interrupts == nil {
		return env.command(ctx, words)
	}
	one, done := env.interrupts.context(ctx)
	defer done()
	return env.command(one, words)
}

// splitWords cuts a command line into words as a shell does, with quotes and
// backslashes and without anything else.
func splitWords(line string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		in    bool // a word has begun
		quote rune
		bare  bool // the next character stands for itself
	)
	for _, r := range line {
		switch {
		case bare:
			word.WriteRune(r)
			bare = false
		case r == '\\' && quote != '\'':
			bare, in = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ' || r == '\t':
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if quote != 0 || bare {
		return nil, fault.Usagef("the line ends inside a quote")
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}
