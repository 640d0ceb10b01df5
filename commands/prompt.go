package commands

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// prompt reads command lines from a person and runs them until they leave.
func prompt(ctx context.Context, env *cli.Env, term *terminal.Terminal) error {
	lines := term.Prompt(env.Styles(env.Out).Accent.Render("ssmdeck>") + " ")
	for {
		line, err := lines.Read(ctx)
		switch {
		case errors.Is(err, io.EOF):
			fmt.Fprintln(env.Out)
			return nil
		case err != nil:
			return err
		}
		words, err := cli.SplitWords(line)
		if err != nil {
			render.Error(env.Err, env.ErrStyles(), err, false, false)
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
			fmt.Fprintf(env.Err, "%s\n", env.ErrStyles().Dim.Render(fmt.Sprintf("(exit code %d)", exit.Code)))
		}
	}
}

// promptCommand runs one command. An interrupt ends the command and not the
// prompt.
func promptCommand(ctx context.Context, env *cli.Env, words []string) error {
	if env.Interrupts == nil {
		return command(ctx, env, words)
	}
	one, done := env.Interrupts.Context(ctx)
	defer done()
	return command(one, env, words)
}
