package commands

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
)

// everyCommand returns the commands that people see.
func everyCommand(parent *cobra.Command) (all []*cobra.Command) {
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			all = append(append(all, c), everyCommand(c)...)
		}
	}
	return all
}

// checkLine reports what is wrong with a line that somebody may paste: a command,
// flag or argument that there is not.
func checkLine(line string) error {
	words, err := cli.SplitWords(strings.TrimSpace(line))
	if err != nil {
		return err
	}
	for i, w := range words { // the shell takes over
		if slices.Contains([]string{"|", "||", "&&", "&", ">", "<", "#"}, w) {
			words = words[:i]
			break
		}
		if before, closed := strings.CutSuffix(w, ")"); closed {
			words = append(words[:i:i], before)
			break
		}
	}
	env := clitest.Quiet()
	env.Args = words[1:]
	root := newRootCmd(env)
	cmd, rest, err := root.Find(longFlags(root.PersistentFlags(), words[1:]))
	switch {
	case err != nil:
		return err
	case strings.HasSuffix(cmd.Use, "<command>") && len(rest) > 0: // it only holds others
		return cli.RunGroup(cmd, rest)
	case cmd.DisableFlagParsing:
		return nil
	}
	for _, c := range documentCommands { // parameters of the document are flags, too
		named := c.flag == "" || slices.Contains(rest, "--"+c.flag)
		cmd.FParseErrWhitelist.UnknownFlags = cmd.FParseErrWhitelist.UnknownFlags || named && cmd.CommandPath() == "ssmdeck "+c.path
	}
	if err := cmd.ParseFlags(rest); err != nil && !errors.Is(err, pflag.ErrHelp) {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

func TestEveryCommandHasExamplesThatParse(t *testing.T) {
	commands := everyCommand(newRootCmd(clitest.Quiet()))
	if len(commands) < 40 {
		t.Fatalf("only %d commands", len(commands))
	}
	for _, c := range commands {
		lines := 0
		for line := range strings.SplitSeq(c.Example, "\n") {
			before, command, ok := strings.Cut(line, "ssmdeck ")
			if strings.Contains(before, "#") || !ok {
				continue
			}
			lines++
			if strings.Contains(before, "'") { // within a line of another program
				continue
			}
			if err := checkLine("ssmdeck " + command); err != nil {
				t.Errorf("%s: %s: %v", c.CommandPath(), line, err)
			}
		}
		if lines == 0 {
			t.Errorf("%s has no example", c.CommandPath())
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: %q is no short description", c.CommandPath(), c.Short)
		}
	}
}

func TestLinesOfTheDocumentationParse(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatal(pages, err)
	}
	lines := 0
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			if !strings.HasPrefix(line, "    ssmdeck ") || strings.ContainsAny(line, "<[") { // a form
				continue
			}
			lines++
			if err := checkLine(line); err != nil {
				t.Errorf("%s: %s: %v", filepath.Base(page), strings.TrimSpace(line), err)
			}
		}
	}
	if lines < 50 {
		t.Errorf("only %d lines", lines)
	}
}

func TestShorthandsBeforeTheCommand(t *testing.T) {
	for in, want := range map[string]string{
		"-r eu-west-1 cp -r a n:b":    "--region eu-west-1 cp -r a n:b",
		"-reu-west-1 cp a n:b":        "--region=eu-west-1 cp a n:b",
		"-r=eu-west-1 cp a n:b":       "--region=eu-west-1 cp a n:b",
		"-qr x cp -r a n:b":           "-q --region x cp -r a n:b",
		"-qrx cp -r a n:b":            "-q --region=x cp -r a n:b",
		"-qy -p dev cp -r a n:b":      "-qy --profile dev cp -r a n:b",
		"--profile -r -r x cp":        "--profile -r --region x cp",
		"--output=json -r x cp -r":    "--output=json --region x cp -r",
		"-q --read-only -r x ls -r y": "-q --read-only --region x ls -r y",
		"cp -r a n:b":                 "cp -r a n:b",
		"-r":                          "--region",
		"-x -r y":                     "-x --region y",
		"-- -r":                       "-- -r",
	} {
		words := strings.Fields(in)
		before := slices.Clone(words)
		if got := strings.Join(longFlags(newRootCmd(clitest.Quiet()).PersistentFlags(), words), " "); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
		if !slices.Equal(words, before) {
			t.Errorf("%s: the arguments were changed", in)
		}
	}
}
