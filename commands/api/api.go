package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// NewCmd is `ssmdeck api`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "api <command>",
		Short: "Call any operation of the API by its name",
		Long: `Call any operation of Systems Manager's API: ssmdeck api OPERATION, spelled as in
the AWS CLI (send-command) or in the API (SendCommand), with a flag for every field
of its input. What ` + "`aws ssm`" + ` takes behind the operation, this takes too.

Values are plain text; lists are repeated, separated by commas or written one
behind the other; structures are JSON, YAML or the AWS CLI's shorthand
(Key=tag:env,Values=prod). file://PATH and - (standard input) stand for what they
hold. The input is checked before anything is sent. The answer is JSON, with all
pages of a list in it; -o table shows the list.

ssmdeck api list names the operations, ssmdeck api describe OPERATION the fields.`,
		Example: `  $ ssmdeck api describe-instance-information --filters Key=PingStatus,Values=Online
  $ ssmdeck api GetParameter --name /app/url --query Parameter.Value -o text
  $ ssmdeck api send-command --generate-cli-skeleton > input.json
  $ ssmdeck api send-command --cli-input-json file://input.json --dry-run`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			_, err := rawapi.Find(args[0])
			return err
		},
	}
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if c == cmd && c.Flags().NArg() > 0 { // the flags of an operation that there is not
			if _, unknown := rawapi.Find(c.Flags().Arg(0)); unknown != nil {
				return unknown
			}
		}
		return cli.FlagError(c, err)
	})
	cmd.AddGroup(&cobra.Group{ID: tools, Title: "Commands"}, &cobra.Group{ID: Operations, Title: "Operations"})
	for _, c := range []*cobra.Command{newListCmd(env), newDescribeCmd(env)} {
		c.GroupID = tools
		cmd.AddCommand(c)
	}
	for _, op := range rawapi.Operations() {
		cmd.AddCommand(NewOperationCmd(env, op))
	}
	return cmd
}

// The groups of sub-commands in the help of `api`.
const (
	tools      = "tools"
	Operations = "operations"
)

// options are those of `ssmdeck api OPERATION`.
type options struct {
	op     *rawapi.Operation
	fields []*fieldFlag

	inputJSON, inputYAML string
	skeleton             string
	dryRun, noLimits     bool

	all, noPaginate bool
	maxItems, size  int
	start           string
}

// NewOperationCmd makes the command of one operation. Flags and long texts are
// made for the one that was typed only, so that the other 153 cost nothing.
func NewOperationCmd(env *cli.Env, op *rawapi.Operation) *cobra.Command {
	o := &options{op: op}
	cmd := &cobra.Command{
		Use: op.Kebab + " [flags]", Aliases: []string{op.Name}, Short: short(op), GroupID: Operations,
		Args:              cli.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	if env.Args != nil && !slices.Contains(env.Args, op.Kebab) && !slices.Contains(env.Args, op.Name) {
		return cmd
	}
	cmd.Long, cmd.Example = long(op), example(op)
	o.bind(env, cmd)
	return cmd
}

// short says in one line what kind of call it is.
func short(op *rawapi.Operation) string {
	what := "reads"
	switch {
	case op.Destructive:
		what = "writes, asks first"
	case op.Writes:
		what = "writes"
	}
	if len(op.Commands) > 0 {
		return fmt.Sprintf("%s (%s); see also ssmdeck %s", what, op.Family, op.Commands[0])
	}
	return fmt.Sprintf("%s (%s)", what, op.Family)
}

func long(op *rawapi.Operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Call %s of the API: it %s.\n", op.Name, short(op))
	if op.Note != "" {
		fmt.Fprintf(&b, "\nWorth knowing: %s.\n", op.Note)
	}
	fmt.Fprintf(&b, "\nIt needs the IAM action %s. `ssmdeck api describe %s` shows the fields with\ntheir limits and forms; AWS describes it at\n%s", op.IAMAction(), op.Kebab, op.Page())
	return b.String()
}

// example shows the required fields with values of the right kind.
func example(op *rawapi.Operation) string {
	line := "  $ ssmdeck api " + op.Kebab
	for _, f := range op.Fields {
		if f.Required {
			line += " --" + f.Flag + sample(&f)
		}
	}
	return line + "\n  $ ssmdeck api " + op.Kebab + " --generate-cli-skeleton > input.json"
}

func sample(f *rawapi.Field) string {
	switch {
	case len(f.Enum) > 0:
		return " " + f.Enum[0]
	case f.Secret && f.Shape == rawapi.Text:
		return " -"
	case f.Shape == rawapi.Bool:
		return ""
	case f.Shape == rawapi.Number:
		if f.Min != nil {
			return fmt.Sprintf(" %d", *f.Min)
		}
		return " 1"
	case f.Shape == rawapi.Time:
		return " 2026-01-02T15:04:05Z"
	case f.Form() != "":
		return " file://" + f.Flag + ".json"
	default:
		return " " + strings.ToUpper(strings.ReplaceAll(f.Flag, "-", "_"))
	}
}

// fieldFlag is the flag of one input field: the texts that were given.
type fieldFlag struct {
	field *rawapi.Field
	texts []string
}

func (f *fieldFlag) String() string        { return "" }
func (f *fieldFlag) Set(text string) error { f.texts = append(f.texts, text); return nil }

func (f *fieldFlag) Type() string {
	switch f.field.Shape {
	case rawapi.List:
		return "list"
	case rawapi.Bool:
		return "bool"
	case rawapi.Number:
		return "number"
	default:
		return "text"
	}
}

// negation is --no-x of a field that is true or false.
type negation struct{ of *fieldFlag }

func (n *negation) String() string { return "" }
func (n *negation) Type() string   { return "bool" }
func (n *negation) Set(text string) error {
	n.of.texts = append(n.of.texts, map[string]string{"true": "false", "false": "true"}[text])
	return nil
}

// showRequestFlag prints the request where the API itself has a --dry-run.
const showRequestFlag = "show-request"

func (o *options) bind(env *cli.Env, cmd *cobra.Command) {
	fs := cmd.Flags()
	for i := range o.op.Fields {
		f := &o.op.Fields[i]
		value := &fieldFlag{field: f}
		o.fields = append(o.fields, value)
		flag := fs.VarPF(value, f.Flag, "", usage(f))
		if f.Shape == rawapi.Bool {
			flag.NoOptDefVal = "true"
			no := fs.VarPF(&negation{value}, "no-"+f.Flag, "", "the opposite of --"+f.Flag)
			no.NoOptDefVal, no.Hidden = "true", true
		}
		o.complete(env, cmd, f)
	}
	fs.StringVar(&o.inputJSON, "cli-input-json", "", "take the input from `JSON`, file://PATH or -; flags come on top")
	fs.StringVar(&o.inputYAML, "cli-input-yaml", "", "take the input from `YAML`, file://PATH or -; flags come on top")
	fs.StringVar(&o.skeleton, "generate-cli-skeleton", "", "print an example of the `input`, yaml-input or output, and send nothing")
	fs.Lookup("generate-cli-skeleton").NoOptDefVal = "input"
	cli.CompleteFlag(cmd, "generate-cli-skeleton", func() []string { return skeletons })
	dryRun := "dry-run"
	if fs.Lookup(dryRun) != nil {
		dryRun = showRequestFlag
	}
	fs.BoolVar(&o.dryRun, dryRun, false, "print the request, without secrets, and send nothing")
	fs.BoolVar(&o.noLimits, "no-validate", false, "leave lengths, ranges, patterns and enumerations for the service to judge")
	fs.Bool("no-cli-pager", false, "") // command lines of the AWS CLI have it; there is no pager here
	_ = fs.MarkHidden("no-cli-pager")
	if o.op.Paged() {
		fs.BoolVar(&o.all, "all", false, "fetch all pages, also when --max-results or --next-token are given")
		fs.BoolVar(&o.noPaginate, "no-paginate", false, "fetch one page only")
		fs.IntVar(&o.maxItems, "max-items", 0, "stop after `n` items; NextToken in the answer says where to go on")
		fs.IntVar(&o.size, "page-size", 0, "fetch `n` items at once, as far as the operation lets")
		fs.StringVar(&o.start, "starting-token", "", "go on at a `token` that an answer held")
	}
}

var skeletons = []string{"input", "yaml-input", "output"}

// usage describes a field in one line.
func usage(f *rawapi.Field) string {
	parts := []string{f.Type}
	if f.Required {
		parts = append(parts, "required")
	}
	if f.Secret {
		parts = append(parts, "secret: give it as file:// or -")
	}
	limits := f.Limits()
	if i := strings.Index(limits, "pattern "); i >= 0 { // describe has it
		limits = strings.TrimRight(limits[:i], "; ")
	}
	if limits != "" {
		parts = append(parts, render.CutEnd(limits, 100, "…"))
	}
	return strings.Join(parts, "; ")
}

// complete completes a flag's values: enumerations, truth values, node ids.
func (o *options) complete(env *cli.Env, cmd *cobra.Command, f *rawapi.Field) {
	_ = cmd.RegisterFlagCompletionFunc(f.Flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		switch {
		case len(f.Enum) > 0:
			return f.Enum, cobra.ShellCompDirectiveNoFileComp
		case f.Shape == rawapi.Bool:
			return []string{"true", "false"}, cobra.ShellCompDirectiveNoFileComp
		case f.Name == "InstanceId" || f.Name == "InstanceIds":
			return nodeIDs(cmd.Context(), env), cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	})
}

// nodeIDs are the ids of the nodes for completion, with their names.
func nodeIDs(ctx context.Context, env *cli.Env) []string {
	nodes := nodechoice.CachedNodes(ctx, env)
	words := make([]string, len(nodes))
	for i, n := range nodes {
		words[i] = n.ID + "\t" + n.Name
	}
	return words
}

func (o *options) run(ctx context.Context, env *cli.Env) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := o.checkOutput(ro); err != nil {
		return err
	}
	if ro.Format == render.FormatAuto {
		ro.Format = render.FormatJSON
	}
	if o.skeleton != "" {
		return o.printSkeleton(env, ro)
	}
	r, err := o.request(env)
	if err != nil {
		return err
	}
	if err := env.RefuseWrite(o.op, o.dryRun); err != nil {
		return err
	}
	paged := o.paged(r)
	if paged {
		r.Page(o.paging(ro))
	}
	if o.dryRun {
		return env.ShowRequest(ro, r)
	}
	svc, err := env.API(ctx)
	if err != nil {
		return err
	}
	if o.op.Destructive {
		if err := confirmCall(ctx, env, r); err != nil {
			return err
		}
	}
	if paged {
		return o.list(ctx, env, ro, svc, r)
	}
	answer, err := svc.Call(ctx, r)
	if err != nil {
		return err
	}
	return o.print(env, ro, answer)
}

// checkOutput refuses options that answers of unknown shape cannot follow.
func (o *options) checkOutput(ro render.Options) error {
	switch {
	case len(ro.Columns) > 0 || ro.SortBy != "":
		return fault.Usagef("--columns and --sort-by are for commands with columns of their own").
			WithHint("choose fields with --query, such as --query 'Parameters[].[Name,Type]'")
	case ro.Format == render.FormatName && ro.Query == "":
		return fault.Usagef("-o name: the API does not say which field is the name").WithHint("choose it with --query, such as --query 'Parameters[].Name'")
	case ro.Limit > 0 && !o.op.Paged():
		return fault.Usagef("%s has no pages for --limit to end", o.op.Kebab)
	case o.maxItems < 0 || o.size < 0:
		return fault.Usagef("--max-items and --page-size are numbers of items")
	case o.inputJSON != "" && o.inputYAML != "":
		return fault.Usagef("--cli-input-json and --cli-input-yaml are one or the other")
	case o.noPaginate && (o.all || o.maxItems > 0 || o.size > 0 || o.start != "" || ro.Limit > 0):
		return fault.Usagef("--no-paginate fetches one page as it is: leave out the other flags of paging")
	}
	return nil
}

func (o *options) printSkeleton(env *cli.Env, ro render.Options) error {
	data := o.op.Skeleton()
	switch o.skeleton {
	case "input":
	case "yaml-input":
		ro.Format = render.FormatYAML
	case "output":
		data = o.op.OutputSkeleton()
	default:
		return fault.Usagef("--generate-cli-skeleton %q is none of %s", o.skeleton, strings.Join(skeletons, ", "))
	}
	return render.JSON(env.Out, ro, data)
}

// request fills the operation's input: the file first, then the flags.
func (o *options) request(env *cli.Env) (*rawapi.Request, error) {
	read := env.ReadInput()
	r := o.op.NewRequest(read)
	r.NoLimits = o.noLimits
	for _, in := range []struct {
		flag, text string
		set        func([]byte)
	}{{"--cli-input-json", o.inputJSON, r.SetJSON}, {"--cli-input-yaml", o.inputYAML, r.SetYAML}} {
		if in.text == "" {
			continue
		}
		content, err := untyped.Content(in.text, read)
		if err != nil {
			return nil, fault.New(fault.Usage, in.flag, "%w", err)
		}
		in.set([]byte(content))
	}
	for _, f := range o.fields {
		if len(f.texts) > 0 {
			r.SetTexts(f.field.Name, f.texts...)
		}
	}
	return r, r.Check()
}

// paged reports whether all pages are wanted. As in the AWS CLI, who gives a token
// or a page size of the API itself gets that page.
func (o *options) paged(r *rawapi.Request) bool {
	own := r.Given("NextToken") || r.Given("MaxResults")
	return o.op.Paged() && !o.noPaginate && (!own || o.all || o.maxItems > 0 || o.start != "" || o.size > 0)
}

func (o *options) paging(ro render.Options) rawapi.Paging {
	p := rawapi.Paging{Size: o.size, Max: o.maxItems, Start: o.start}
	if ro.Limit > 0 && (p.Max == 0 || ro.Limit < p.Max) {
		p.Max = ro.Limit
	}
	return p
}

// confirmCall asks before a call that overwrites, removes, stops or runs something.
func confirmCall(ctx context.Context, env *cli.Env, r *rawapi.Request) error {
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	what := strings.TrimSpace(r.Operation.Kebab + " " + render.Visible(r.Summary()))
	return env.Confirm(ctx, fmt.Sprintf("call %s in %s", what, scope.Region()))
}

// list fetches pages and prints them: line by line as they come where the format
// has lines, else together.
func (o *options) list(ctx context.Context, env *cli.Env, ro render.Options, svc *rawapi.Service, r *rawapi.Request) error {
	p := o.paging(ro)
	if ro.Format == render.FormatJSONL && ro.Query == "" {
		p.Each = func(items json.RawMessage) error { return render.JSON(env.Out, ro, items) }
	}
	res, err := svc.All(ctx, r, p)
	if res.Next != "" && (p.Each != nil || tabular(ro.Format) || ro.Query != "") { // the token is not in what is printed
		env.Note("there is more: go on with --starting-token %s", res.Next)
	}
	if len(res.Answer) == 0 {
		return err
	}
	if perr := o.print(env, ro, res.Answer); perr != nil {
		return perr
	}
	return err
}

// tabular reports whether a format has rows, so that what is around the list is not
// shown.
func tabular(f render.Format) bool {
	switch f {
	case render.FormatTable, render.FormatWide, render.FormatCSV, render.FormatText:
		return true
	}
	return false
}

// print prints an answer: whole, or in formats with rows the list in it.
func (o *options) print(env *cli.Env, ro render.Options, answer json.RawMessage) error {
	if ro.Query == "" && tabular(ro.Format) {
		answer = o.rows(answer)
	}
	return render.JSON(env.Out, ro, answer)
}

// rows returns what an answer is about: its list, or what its one field holds.
func (o *options) rows(answer json.RawMessage) json.RawMessage {
	if o.op.Paged() {
		if items := o.op.ItemsOf(answer); items != nil {
			return items
		}
		return json.RawMessage("[]")
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(answer, &fields) == nil && len(fields) == 1 {
		for _, only := range fields {
			return only
		}
	}
	return answer
}

// Args writes a command line of the AWS CLI as cobra reads it: a list's values
// one behind the other become flags of their own, as does the word behind
// --generate-cli-skeleton. Other command lines stay as they are.
func Args(root *cobra.Command, args []string) []string {
	cmd, rest, err := root.Find(args)
	if err != nil || cmd.Parent() == nil || cmd.Parent().Name() != "api" || len(rest) == 0 {
		return args
	}
	at := slices.IndexFunc(args, func(s string) bool { return s == cmd.Name() || cmd.HasAlias(s) })
	if at < 0 {
		return args
	}
	out := slices.Clone(args[:at+1])
	var list *pflag.Flag // whose values follow
	for i := at + 1; i < len(args); i++ {
		word := args[i]
		name, isFlag := strings.CutPrefix(word, "--")
		switch {
		case word == "--":
			return append(out, args[i:]...)
		case isFlag:
			list = nil
			key, _, given := strings.Cut(name, "=")
			f := cmd.Flags().Lookup(key)
			switch {
			case f == nil || given:
			case key == "generate-cli-skeleton" && i+1 < len(args) && slices.Contains(skeletons, args[i+1]):
				word += "=" + args[i+1]
				i++
			case f.Value.Type() == "list" && i+1 < len(args):
				list = f
				out = append(out, word, args[i+1])
				i++
				continue
			case f.NoOptDefVal == "" && i+1 < len(args):
				out = append(out, word, args[i+1])
				i++
				continue
			}
			out = append(out, word)
		case list != nil && !strings.HasPrefix(word, "-"):
			out = append(out, "--"+list.Name, word)
		default:
			list = nil
			out = append(out, word)
		}
	}
	return out
}
