package commands

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// documentCommand is a command that runs a document, whose parameters it takes as
// flags. It has a flag --param of its own, NAME=VALUE, which those flags fill.
type documentCommand struct {
	path    string // of the command, without ssmdeck
	flag    string // that names the document; "" = the first argument does
	version string // the flag that names its version
	kind    string // the type of document it runs
}

var documentCommands = []documentCommand{
	{path: "run", flag: "document", version: "doc-version", kind: "Command"},
	{path: "automation start", version: "doc-version", kind: "Automation"},
}

// documentParams are the flags for one document.
type documentParams struct {
	command documentCommand
	doc     document.Document
	taken   []document.Parameter // no flag: the name is one of ours
}

// flagAnnotation marks a flag that is a document's parameter.
const flagAnnotation = "ssmdeck document parameter"

func isDocumentFlag(f *pflag.Flag) bool { return f.Annotations[flagAnnotation] != nil }

// documentFlags looks through the arguments, before they are parsed, for flags that
// are parameters of the document they name. Only then is the document asked for. It
// returns the arguments as the parser wants them, and the parameters, nil without any.
func documentFlags(ctx context.Context, env *cli.Env, args []string) ([]string, *documentParams, error) {
	words, completing := args, false
	if len(args) > 1 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		words, completing = args[1:len(args)-1], true
	}
	if !mentionsDocumentCommand(words) {
		return args, nil, nil
	}
	scan, err := scanArguments(env, words)
	switch {
	case completing && err != nil, err == nil && scan.document == "":
		return args, nil, nil
	case err != nil:
		return nil, nil, err
	}
	if completing {
		if doc, ok := docnames.CachedDocument(ctx, env, scan.document, scan.version); ok && doc.Type == scan.command.kind {
			return args, &documentParams{command: scan.command, doc: doc}, nil
		}
		return args, nil, nil
	}
	if len(scan.unknown) == 0 && !scan.help {
		return args, nil, nil
	}
	doc, err := documentFor(ctx, env, scan)
	switch {
	case err != nil && scan.help:
		env.Note("ssmdeck: the parameters of %s are not shown: %v", scan.document, err)
		return args, nil, nil
	case err != nil:
		return nil, nil, err
	}
	params := &documentParams{command: scan.command, doc: doc}
	root := newTree(env, params)
	cmd, _, err := root.Find(strings.Fields(scan.command.path))
	if err != nil {
		return nil, nil, err
	}
	if err := params.checkNames(cmd, scan.unknown); err != nil && !scan.help {
		return nil, nil, err
	}
	params.warn(env, cmd, scan)
	return joinSwitches(cmd, args), params, nil
}

// mentionsDocumentCommand is a first look, so that other commands pay nothing.
func mentionsDocumentCommand(words []string) bool {
	return slices.Contains(words, "run") || slices.Contains(words, "start")
}

// argScan is what a first look at the arguments finds.
type argScan struct {
	command           documentCommand
	document, version string
	unknown           []string // long flags that the command does not have
	given             map[string]bool
	help              bool
}

// scanArguments reads the arguments with a command tree of its own, which leaves the global
// flags where Scope finds them. Without a document there is nothing to be done;
// the error is that of a flag with a bad value.
func scanArguments(env *cli.Env, words []string) (s argScan, err error) {
	root := newRootCmd(env)
	cmd, rest, err := root.Find(longFlags(root.PersistentFlags(), words))
	if err != nil {
		return s, nil //nolint:nilerr // the real parser says what is wrong
	}
	i := slices.IndexFunc(documentCommands, func(c documentCommand) bool { return cmd.CommandPath() == "ssmdeck "+c.path })
	if i < 0 {
		return s, nil
	}
	s.command = documentCommands[i]
	cmd.InitDefaultHelpFlag()
	cmd.FParseErrWhitelist.UnknownFlags = true
	if err := cmd.ParseFlags(rest); err != nil {
		return s, cli.FlagError(cmd, err)
	}
	first := ""
	s.unknown, first = walk(cmd.Flags(), rest)
	s.help, _ = cmd.Flags().GetBool("help")
	if typed, _ := cmd.Flags().GetString(s.command.version); typed != "" {
		ref, err := document.ParseRef(typed)
		if err != nil {
			return s, err
		}
		s.version = ref.Number
	}
	s.given = map[string]bool{}
	cmd.Flags().Visit(func(f *pflag.Flag) { s.given[f.Name] = true })
	if s.document = first; s.command.flag != "" {
		s.document, _ = cmd.Flags().GetString(s.command.flag)
	} else if first == "" && len(s.unknown) > 0 {
		return s, fault.Usagef("%s: --%s stands before the document it may belong to", cmd.CommandPath(), s.unknown[0]).
			WithHint("name the document first: %s", cli.UsageLine(cmd))
	}
	return s, nil
}

// walk finds the long flags that fs does not have, and the first argument that
// stands before them: behind one, a word may be its value.
func walk(fs *pflag.FlagSet, words []string) (unknown []string, first string) {
	takesNext := func(f *pflag.Flag) bool { return f.NoOptDefVal == "" }
	for i := 0; i < len(words) && words[i] != "--"; i++ {
		w := words[i]
		switch {
		case strings.HasPrefix(w, "--"):
			name, _, given := strings.Cut(w[2:], "=")
			f := fs.Lookup(name)
			if f == nil {
				unknown = append(unknown, name)
			} else if !given && takesNext(f) {
				i++
			}
		case len(w) > 1 && w[0] == '-':
			for j := 1; j < len(w); j++ {
				f := fs.ShorthandLookup(w[j : j+1])
				if f != nil && takesNext(f) {
					if j == len(w)-1 {
						i++
					}
					break
				}
			}
		case first == "" && len(unknown) == 0:
			first = w
		}
	}
	return unknown, first
}

// documentFor describes the document, and keeps what completion will want.
func documentFor(ctx context.Context, env *cli.Env, s argScan) (document.Document, error) {
	svc, err := env.Documents(ctx)
	if err != nil {
		return document.Document{}, err
	}
	doc, err := svc.Describe(ctx, s.document, s.version)
	if err != nil {
		return doc, err
	}
	if doc.Type != "" && doc.Type != s.command.kind {
		return doc, docnames.WrongKind(doc, s.command.kind)
	}
	docnames.RememberDocument(env, doc, s.document, s.version)
	return doc, nil
}

// documentParamsIn gives the command of params, if there are any, its flags, and
// every command that runs documents their names.
func documentParamsIn(env *cli.Env, root *cobra.Command, params *documentParams) {
	for _, c := range documentCommands {
		cmd, _, err := root.Find(strings.Fields(c.path))
		if err != nil || cmd.CommandPath() != "ssmdeck "+c.path {
			continue
		}
		if c.flag != "" {
			_ = cmd.RegisterFlagCompletionFunc(c.flag, docnames.CompleteDocuments(env, c.kind))
		}
		if params != nil && params.command == c {
			params.addTo(cmd)
		}
	}
}

// addTo declares a flag for each parameter: by its name as flags are written, and,
// not shown in help, exactly as it is. A name that the command has already stays
// the command's.
func (p *documentParams) addTo(cmd *cobra.Command) {
	param := cmd.Flags().Lookup("param")
	cmd.InitDefaultHelpFlag()
	p.taken = nil
	ours := map[string]bool{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { ours[f.Name] = true })
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) { ours[f.Name] = true })
	for _, par := range p.doc.Parameters {
		kebab := document.FlagName(par.Name)
		names := []string{kebab}
		if par.Name != kebab {
			names = append(names, par.Name)
		}
		if ours[kebab] || ours[strings.ToLower(par.Name)] { // --Wait beside our --wait would be a trap
			names = nil
		}
		shown := false
		for _, name := range names {
			if name == "" || cmd.Flags().Lookup(name) != nil { // two parameters that differ in their case
				continue
			}
			f := &pflag.Flag{
				Name: name, Usage: paramUsage(par), Value: &paramValue{name: par.Name, list: par.IsList(), to: param.Value},
				Annotations: map[string][]string{flagAnnotation: {par.Name}}, Hidden: shown,
			}
			if on, ok := par.Switch(); ok {
				f.NoOptDefVal = on
			}
			cmd.Flags().AddFlag(f)
			_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
				return par.AllowedValues, cobra.ShellCompDirectiveNoFileComp
			})
			shown = true
		}
		if !shown {
			p.taken = append(p.taken, par)
		}
	}
}

// paramValue is the value of a parameter's flag: it goes on to --param, where all
// checks are made at once.
type paramValue struct {
	name string
	list bool
	to   pflag.Value
}

func (v *paramValue) String() string { return "" }

func (v *paramValue) Type() string {
	if v.list {
		return "list"
	}
	return "string"
}

func (v *paramValue) Set(s string) error { return v.to.Set(v.name + "=" + s) }

// paramUsage is a parameter in one line of help.
func paramUsage(p document.Parameter) string {
	var about []string
	if p.IsList() {
		about = append(about, "repeat for more")
	}
	if len(p.AllowedValues) > 0 {
		about = append(about, strings.Join(p.AllowedValues, ", "))
	}
	switch {
	case p.Required:
		about = append(about, "required")
	case p.Default != "":
		about = append(about, "default "+shortened(p.Default, 40))
	}
	text := strings.Join(strings.Fields(p.Description), " ")
	if len(about) > 0 {
		text = strings.TrimSpace(text + " (" + strings.Join(about, "; ") + ")")
	}
	return strings.ReplaceAll(text, "`", "'")
}

func shortened(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// help lists the flags of the document.
func (p *documentParams) help(h *helpPrinter, cmd *cobra.Command) {
	if p == nil || cmd.CommandPath() != "ssmdeck "+p.command.path {
		return
	}
	if len(p.doc.Parameters) == 0 {
		h.title("Parameters of " + p.doc.Name)
		h.line("  it takes none")
		return
	}
	type row struct{ left, right string }
	var rows []row
	for _, par := range p.doc.Parameters {
		left := "--param " + par.Name + "=<value>"
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if isDocumentFlag(f) && !f.Hidden && f.Annotations[flagAnnotation][0] == par.Name {
				left = "--" + f.Name + " <value>"
				if f.NoOptDefVal != "" {
					left = "--" + f.Name
				}
			}
		})
		rows = append(rows, row{left, paramUsage(par)})
	}
	width := 0
	for _, r := range rows {
		width = max(width, len(r.left))
	}
	h.title("Parameters of " + p.doc.Name)
	for _, r := range rows {
		h.line("  %s  %s", cli.Pad(r.left, width), cli.VisibleLine(r.right))
	}
	if len(p.taken) > 0 {
		h.line("  %s", h.styles.Dim.Render("--param NAME=VALUE is for those whose names are flags of "+cmd.CommandPath()))
	}
}

// checkNames returns an error for the first flag that neither the command nor the
// document has.
func (p *documentParams) checkNames(cmd *cobra.Command, unknown []string) error {
	var names []string
	visit := func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	}
	cmd.Flags().VisitAll(visit)
	cmd.InheritedFlags().VisitAll(visit)
	for _, name := range unknown {
		if cmd.Flags().Lookup(name) != nil {
			continue
		}
		if par, ok := p.takenBy(name); ok {
			return fault.Usagef("the parameter %s of document %s has no flag: --%s is one of %s", par.Name, p.doc.Name, document.FlagName(par.Name), cmd.CommandPath()).
				WithHint("write --param %s=VALUE", par.Name)
		}
		err := fault.Usagef("neither %s nor document %s has a flag --%s", cmd.CommandPath(), p.doc.Name, name)
		if near := fault.Nearest(name, names); near != "" {
			return err.WithHint("did you mean --%s?", near)
		}
		if len(p.doc.Parameters) == 0 {
			return err.WithHint("the document takes no parameters")
		}
		return err.WithHint("its parameters are %s", strings.Join(p.doc.ParameterNames(), ", "))
	}
	return nil
}

// takenBy finds the parameter without a flag of its own that name may mean.
func (p *documentParams) takenBy(name string) (document.Parameter, bool) {
	for _, par := range p.taken {
		if par.Name == name || document.FlagName(par.Name) == name {
			return par, true
		}
	}
	return document.Parameter{}, false
}

// warn says so where a flag of ours was given that the document has a parameter
// for: one of them was meant.
func (p *documentParams) warn(e *cli.Env, cmd *cobra.Command, s argScan) {
	for _, par := range p.taken {
		if name := document.FlagName(par.Name); s.given[name] {
			e.Note("ssmdeck: --%s is a flag of %s; the parameter %s of the document is given by --param %s=VALUE", name, cmd.CommandPath(), par.Name, par.Name)
		}
	}
}

// joinSwitches writes --flag true as --flag=true where the flag is a switch of the
// document: people write both.
func joinSwitches(cmd *cobra.Command, args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(out, args[i:]...)
		}
		if name, ok := strings.CutPrefix(args[i], "--"); ok && i+1 < len(args) {
			f := cmd.Flags().Lookup(name)
			next := strings.ToLower(args[i+1])
			if f != nil && isDocumentFlag(f) && f.NoOptDefVal != "" && (next == "true" || next == "false") {
				out = append(out, args[i]+"="+args[i+1])
				i++
				continue
			}
		}
		out = append(out, args[i])
	}
	return out
}
