package commands

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// help prints a command's help: what it is, how to call it, examples first. It
// is written out by hand: a text template would keep every method of the AWS
// clients in the binary. params are those of the document that is named, if any.
func help(env *cli.Env, cmd *cobra.Command, params *documentParams) {
	h := &helpPrinter{w: cmd.OutOrStdout(), styles: env.Styles(env.Out)}
	h.about(cmd)
	h.usage(cmd)
	h.examples(cmd)
	h.commands(cmd)
	h.flags(cmd)
	params.help(h, cmd)
	h.more(cmd)
}

type helpPrinter struct {
	w      io.Writer
	styles *theme.Styles
}

func (h *helpPrinter) line(format string, args ...any) { fmt.Fprintf(h.w, format+"\n", args...) }

func (h *helpPrinter) title(s string) { h.line("\n%s", h.styles.Title.Render(s)) }

func (h *helpPrinter) about(cmd *cobra.Command) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	h.line("%s", strings.TrimSpace(text))
}

func (h *helpPrinter) usage(cmd *cobra.Command) {
	h.title("Usage")
	h.line("  %s", cli.UsageLine(cmd))
	if len(cmd.Aliases) > 0 {
		h.line("  %s", h.styles.Dim.Render("also: "+strings.Join(cmd.Aliases, ", ")))
	}
}

func (h *helpPrinter) examples(cmd *cobra.Command) {
	if cmd.Example != "" {
		h.title("Examples")
		h.line("%s", strings.TrimRight(cmd.Example, "\n"))
	}
}

// commands lists sub-commands, by group where there are groups.
func (h *helpPrinter) commands(cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	groups := cmd.Groups()
	if len(groups) == 0 {
		groups = []*cobra.Group{{Title: "Commands"}}
	}
	width := 0
	for _, c := range cmd.Commands() {
		width = max(width, len(c.Name()))
	}
	for _, g := range groups {
		h.title(g.Title)
		for _, c := range cmd.Commands() {
			if c.GroupID == g.ID && c.IsAvailableCommand() {
				h.line("  %s  %s", h.styles.Accent.Render(cli.Pad(c.Name(), width)), c.Short)
			}
		}
	}
}

func (h *helpPrinter) flags(cmd *cobra.Command) {
	h.flagSet("Flags", cmd.LocalNonPersistentFlags())
	if !cmd.HasParent() {
		h.flagSet("Global flags", cmd.PersistentFlags())
		return
	}
	h.title("Global flags")
	h.line("  -p, -r, -o, --query, -q, -y and the others: ssmdeck --help")
}

func (h *helpPrinter) flagSet(title string, fs *pflag.FlagSet) {
	type row struct{ left, right string }
	var rows []row
	width := 0
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || isDocumentFlag(f) {
			return
		}
		arg, usage := pflag.UnquoteUsage(f)
		left := "    --" + f.Name
		if f.Shorthand != "" {
			left = "-" + f.Shorthand + ", --" + f.Name
		}
		if arg != "" {
			left += " <" + arg + ">"
		}
		if d := f.DefValue; d != "" && d != "false" && d != "0" && d != "[]" && d != "0s" {
			usage += " (default " + d + ")"
		}
		rows = append(rows, row{left, usage})
		width = max(width, len(left))
	})
	if len(rows) == 0 {
		return
	}
	h.title(title)
	for _, r := range rows {
		h.line("  %s  %s", cli.Pad(r.left, width), r.right)
	}
}

func (h *helpPrinter) more(cmd *cobra.Command) {
	if cmd.HasParent() {
		return
	}
	h.title("Learn more")
	for _, t := range topics {
		h.line("  %s  %s", cli.Pad("ssmdeck help "+t.name, 26), t.short)
	}
	h.line("  %s  %s", cli.Pad("ssmdeck <command> --help", 26), "everything about a command")
}

// newHelpCmd is `ssmdeck help [command|topic]`.
func newHelpCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "help [command | topic]",
		Short: "Help about a command or a topic",
		Args:  cobra.ArbitraryArgs,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var words []string
			if len(args) == 0 {
				for _, t := range topics {
					words = append(words, t.name+"\t"+t.short)
				}
			}
			if c, _, err := cmd.Root().Find(args); err == nil {
				for _, sub := range c.Commands() {
					if sub.IsAvailableCommand() {
						words = append(words, sub.Name()+"\t"+sub.Short)
					}
				}
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				for _, t := range topics {
					if t.name == args[0] {
						_, err := io.WriteString(env.Out, t.text())
						return err
					}
				}
			}
			c, rest, err := cmd.Root().Find(args)
			if err != nil || c == nil || len(rest) > 0 {
				names := make([]string, len(topics))
				for i, t := range topics {
					names[i] = t.name
				}
				return fault.Usagef("no command or topic %q", strings.Join(args, " ")).
					WithHint("the topics are %s; `ssmdeck --help` lists the commands", strings.Join(names, ", "))
			}
			return c.Help()
		},
	}
	return cmd
}
