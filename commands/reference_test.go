package commands

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/api"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
)

//go:generate go test -run ^TestReferenceIsCurrent$ -write-reference .

var writeReference = flag.Bool("write-reference", false, "write docs/reference instead of comparing it")

func TestReferenceIsCurrent(t *testing.T) {
	dir := filepath.Join("..", "docs", "reference")
	pages := reference()
	if *writeReference {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range pages {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := pages[e.Name()]; !ok {
			t.Errorf("docs/reference/%s is of no command: run `go generate ./commands`", e.Name())
		}
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != want {
			t.Errorf("docs/reference/%s is not what the commands say: run `go generate ./commands` (%v)", name, err)
		}
	}
}

// reference returns the pages of docs/reference by file name, made of the command
// tree: an index with the table of operations, and a page for each command of the
// first level. The 154 commands of `api` are lines of a table on its page.
func reference() map[string]string {
	root := newRootCmd(&cli.Env{Lookup: func(string) (string, bool) { return "", false }})
	pages := map[string]string{"README.md": referenceIndex(root)}
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			pages[c.Name()+".md"] = referencePage(c)
		}
	}
	return pages
}

// referenceHead says where the pages come from.
const referenceHead = "<!-- Made from the command tree by `go generate ./commands`: change the commands, not this file. -->\n\n"

func referenceIndex(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(referenceHead + "# Commands\n\nThe help of every command (`ssmdeck <command> --help`), and which command calls which operation of the API.\n")
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| Command | |\n|---|---|\n", g.Title)
		for _, c := range root.Commands() {
			if c.GroupID == g.ID && c.IsAvailableCommand() {
				fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", c.Name(), c.Name(), cell(c.Short))
			}
		}
	}
	b.WriteString("\n## Global flags\n\n" + flagTable(root.PersistentFlags()))
	b.WriteString("\n## Operations of the API\n\nEvery operation can be called with `ssmdeck api OPERATION` (see [api](api.md)).\n\n| Operation | Access | Commands |\n|---|---|---|\n")
	for _, op := range rawapi.Operations() {
		row := api.NewRow(op)
		links := make([]string, len(row.Commands))
		for i, path := range row.Commands {
			page, _, _ := strings.Cut(path, " ")
			links[i] = fmt.Sprintf("[%s](%s.md)", path, page)
		}
		fmt.Fprintf(&b, "| [%s](%s) | %s | %s |\n", op.Name, op.Page(), row.Access, strings.Join(links, ", "))
	}
	return b.String()
}

func referencePage(c *cobra.Command) string {
	var b strings.Builder
	b.WriteString(referenceHead)
	referenceCommand(&b, c, 1)
	return b.String()
}

// referenceCommand writes a command and those below it.
func referenceCommand(b *strings.Builder, c *cobra.Command, level int) {
	fmt.Fprintf(b, "%s %s\n\n%s\n\n", strings.Repeat("#", min(level, 4)), c.CommandPath(), c.Short)
	if c.Long != "" {
		fmt.Fprintf(b, "```text\n%s\n```\n\n", strings.TrimSpace(c.Long))
	}
	fmt.Fprintf(b, "Usage: `%s`\n", cli.UsageLine(c))
	if len(c.Aliases) > 0 {
		fmt.Fprintf(b, "\nAlso: %s\n", strings.Join(c.Aliases, ", "))
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```console\n%s\n```\n", unindent(c.Example))
	}
	if table := flagTable(c.LocalNonPersistentFlags()); table != "" {
		b.WriteString("\n" + table)
	}
	operations := false
	for _, sub := range c.Commands() {
		switch {
		case !sub.IsAvailableCommand():
		case sub.GroupID == api.Operations:
			operations = true
		default:
			b.WriteString("\n")
			referenceCommand(b, sub, level+1)
		}
	}
	if operations {
		referenceOperations(b)
	}
}

// referenceOperations is the table of `ssmdeck api OPERATION`.
func referenceOperations(b *strings.Builder) {
	b.WriteString("\n## ssmdeck api OPERATION\n\nFlags of every operation beside those of its fields:\n\n")
	op, err := rawapi.Find("DescribeInstanceInformation") // it has pages
	if err != nil {
		panic(cli.FmtErr(err)) // our bug
	}
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	fs.AddFlagSet(api.NewOperationCmd(&cli.Env{}, op).Flags())
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	fs.VisitAll(func(f *pflag.Flag) {
		if op.Field(f.Name) == nil {
			own.AddFlag(f)
		}
	})
	b.WriteString(flagTable(own))
	b.WriteString("\nThe fields; required ones in bold.\n\n| Operation | Flags |\n|---|---|\n")
	for _, op := range rawapi.Operations() {
		flags := make([]string, len(op.Fields))
		for i, f := range op.Fields {
			flags[i] = "`--" + f.Flag + "`"
			if f.Required {
				flags[i] = "**" + flags[i] + "**"
			}
		}
		fmt.Fprintf(b, "| %s | %s |\n", op.Kebab, strings.Join(flags, " "))
	}
}

// flagTable is empty when there are none to show.
func flagTable(fs *pflag.FlagSet) string {
	var b strings.Builder
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		arg, usage := pflag.UnquoteUsage(f)
		left := "--" + f.Name
		if f.Shorthand != "" {
			left = "-" + f.Shorthand + ", " + left
		}
		if arg != "" {
			left += " <" + arg + ">"
		}
		if d := f.DefValue; d != "" && !slices.Contains([]string{"false", "0", "[]", "0s"}, d) {
			usage += " (default " + d + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", left, cell(usage))
	})
	if b.Len() == 0 {
		return ""
	}
	return "| Flag | |\n|---|---|\n" + b.String()
}

// cell makes a text fit a table of Markdown.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", `\<`, "*", `\*`).Replace(s)
}

// unindent takes two spaces off every line.
func unindent(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
