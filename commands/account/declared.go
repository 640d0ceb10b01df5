package account

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/accountdata"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// declared is a command that is one call of the API, written down as data: which
// words fill which fields of its input, and which fields of the answer are shown.
// Limits, types and enumerations are those of the fields; a command that writes
// has --dry-run.
type declared struct {
	use, short, long, example string
	aliases                   []string
	operation                 string // "DeleteResourceDataSync"

	args  []declaredInput // in order; a Rest one comes last
	flags []declaredInput
	fixed map[string]any // fields that are always sent, as Go values

	columns []declaredColumn // none: nothing is printed
	items   string           // the list in the answer, for operations without pages
	item    string           // the one thing in the answer; empty: the answer itself
	id      string           // the field that -o name prints
	empty   string           // said when the list has nothing

	// before may fill what has to be read first, warn, or end the command with an
	// error; errNoChange ends it as done. What it returns is asked instead of confirm.
	before func(ctx context.Context, env *cli.Env, svc *rawapi.Service, r *rawapi.Request, args []string) (ask string, err error)
	// confirm says what is asked before sending: "delete the sync %s", with the
	// arguments. Empty: nothing is asked.
	confirm string
	done    string // a note when it is done, with the arguments
	about   string // what an error of the call is about, with the arguments; empty: the operation
}

// declaredInput is an argument or a flag.
type declaredInput struct {
	name  string // the word in the usage line, or the flag
	field string // what it fills: "SyncName"; empty: before does that, and value only looks at it
	usage string // of a flag
	// value makes what is sent of the text; nil: the text itself, in all forms of
	// `ssmdeck api`.
	value    func(text string) (any, error)
	words    func() []string // completion; nil: the field's enumeration
	rest     bool            // an argument that takes all that follow
	optional bool            // an argument that may be left out
}

// declaredColumn is a column of a list, or a line of one thing.
type declaredColumn struct {
	name           string // "LAST SYNC"; in JSON last_sync
	path           string // in the answer: "S3Destination.BucketName"
	wide, id, time bool
}

// errNoChange ends a command that found nothing to do.
var errNoChange = &fault.Exit{Code: 0}

// command makes the cobra command.
func (d declared) command(env *cli.Env) *cobra.Command {
	op, err := rawapi.Find(d.operation)
	if err != nil {
		panic(cli.FmtErr(err)) // our bug
	}
	dryRun := false
	cmd := &cobra.Command{
		Use: d.use, Aliases: d.aliases, Short: d.short, Long: d.long, Example: d.example,
		Args:              d.checkArgs,
		ValidArgsFunction: d.completeArgs(op),
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.run(cmd, env, op, args, dryRun)
		},
	}
	for _, in := range d.flags {
		bindInput(cmd, op, in)
	}
	if op.Writes {
		cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be sent, and send nothing")
	}
	return cmd
}

// bindInput declares the flag of a field.
func bindInput(cmd *cobra.Command, op *rawapi.Operation, in declaredInput) {
	f := op.Field(in.field)
	if f == nil {
		panic(cli.FmtErr(fault.Usagef("%s has no field %s", op.Name, in.field))) // our bug
	}
	if f.Shape == rawapi.Bool {
		cmd.Flags().Bool(in.name, false, in.usage)
		return
	}
	if in.name == "tags" {
		cli.BindTags(cmd.Flags(), new([]string), in.usage)
		return
	}
	cmd.Flags().StringArray(in.name, nil, in.usage)
	words := in.words
	if words == nil {
		words = func() []string { return f.Enum }
	}
	cli.CompleteFlag(cmd, in.name, words)
}

func (d *declared) checkArgs(cmd *cobra.Command, args []string) error {
	var names []string
	most := len(d.args)
	for _, in := range d.args {
		if !in.optional {
			names = append(names, "the "+in.name)
		}
		if in.rest {
			most = max(len(args), len(d.args))
		}
	}
	if len(args) < len(names) || len(args) > most {
		return cli.ExactArgs(names...)(cmd, args)
	}
	return nil
}

func (d *declared) completeArgs(op *rawapi.Operation) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= len(d.args) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		in := d.args[len(args)]
		if in.words != nil {
			words, how := in.words(), cobra.ShellCompDirectiveNoFileComp
			if len(words) > 0 && strings.HasSuffix(words[0], "/") { // the id follows
				how |= cobra.ShellCompDirectiveNoSpace
			}
			return words, how
		}
		if f := op.Field(in.field); f != nil {
			return f.Enum, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// request fills the operation's input from the command line.
func (d *declared) request(cmd *cobra.Command, env *cli.Env, op *rawapi.Operation, args []string) (*rawapi.Request, error) {
	r := op.NewRequest(env.ReadInput())
	for field, v := range d.fixed {
		r.Set(field, v)
	}
	for i, in := range d.args {
		texts := args[min(i, len(args)):min(i+1, len(args))]
		if in.rest {
			texts = args[min(i, len(args)):]
		}
		if err := in.fill(r, texts); err != nil {
			return nil, err
		}
	}
	for _, in := range d.flags {
		flag := cmd.Flags().Lookup(in.name)
		if !flag.Changed {
			continue
		}
		texts := []string{flag.Value.String()}
		if many, ok := flag.Value.(pflag.SliceValue); ok {
			texts = many.GetSlice()
		}
		if err := in.fill(r, texts); err != nil {
			return nil, err
		}
	}
	return r, r.CheckGiven()
}

func (in *declaredInput) fill(r *rawapi.Request, texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	if in.value == nil {
		r.SetTexts(in.field, texts...)
		return nil
	}
	var values []any
	for _, text := range texts {
		v, err := in.value(text)
		if err != nil {
			return err
		}
		values = append(values, v)
	}
	if in.field == "" { // before fills several of it
		return nil
	}
	if f := r.Operation.Field(in.field); f != nil && f.Shape == rawapi.List {
		r.Set(in.field, values)
		return nil
	}
	if len(values) > 1 {
		return fault.Usagef("--%s: given %d times", in.name, len(values))
	}
	r.Set(in.field, values[0])
	return nil
}

func (d *declared) run(cmd *cobra.Command, env *cli.Env, op *rawapi.Operation, args []string, dryRun bool) error {
	ctx := cmd.Context()
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	list := d.items != "" || op.Paged()
	if list {
		if err := d.table(ro).Check(ro); err != nil {
			return err
		}
	}
	r, err := d.request(cmd, env, op, args)
	if err != nil {
		return err
	}
	if err := env.RefuseWrite(op, dryRun); err != nil {
		return err
	}
	svc, err := env.API(ctx)
	if err != nil {
		return err
	}
	ask := sayArgs(d.confirm, args)
	if d.before != nil {
		instead, err := d.before(ctx, env, svc, r, args)
		if err != nil {
			return err
		}
		ask = cmp.Or(instead, ask)
	}
	if err := r.Check(); err != nil {
		return err
	}
	if dryRun {
		return env.ShowRequest(ro, r)
	}
	if ask != "" {
		if err := env.Confirm(ctx, ask); err != nil {
			return err
		}
	}
	if list {
		rows, err := d.fetch(ctx, svc, r, ro.Limit)
		err = d.failed(err, args)
		if err != nil && len(rows) == 0 {
			return err
		}
		if werr := cli.WriteList(env, d.table, ro, rows); werr != nil {
			return werr
		}
		return err
	}
	answer, err := svc.Call(ctx, r)
	if err != nil {
		return d.failed(err, args)
	}
	if d.done != "" {
		env.Note("%s", sayArgs(d.done, args))
	}
	return d.show(env, ro, answer)
}

// failed says what the error of a call is about, in the command's words.
func (d *declared) failed(err error, args []string) error {
	if err == nil || d.about == "" {
		return err
	}
	return accountdata.About(sayArgs(d.about, args), err)
}

// sayArgs puts the arguments into a sentence.
func sayArgs(form string, args []string) string {
	for _, arg := range args {
		form = strings.Replace(form, "%s", render.Visible(arg), 1)
	}
	return form
}

// fetch returns the rows of a list. With an error, they are those that came before.
func (d *declared) fetch(ctx context.Context, svc *rawapi.Service, r *rawapi.Request, limit int) ([]record, error) {
	var answer json.RawMessage
	var err error
	if r.Operation.Paged() {
		var res rawapi.Result
		res, err = svc.All(ctx, r, rawapi.Paging{Max: limit})
		answer = r.Operation.ItemsOf(res.Answer)
	} else if answer, err = svc.Call(ctx, r); err == nil {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(answer, &fields); err != nil {
			return nil, fault.New(fault.Failed, r.Operation.Kebab, "%w", err)
		}
		answer = fields[d.items]
	}
	var items []json.RawMessage
	if len(answer) > 0 {
		if uerr := json.Unmarshal(answer, &items); uerr != nil {
			return nil, fault.New(fault.Failed, r.Operation.Kebab, "%w", uerr)
		}
	}
	rows := make([]record, 0, len(items))
	for _, item := range items {
		row, rerr := newRecord(d.columns, item)
		if rerr != nil {
			return nil, fault.New(fault.Failed, r.Operation.Kebab, "%w", rerr)
		}
		rows = append(rows, row)
	}
	return rows, err
}

// table is how the rows of a list look.
func (d *declared) table(o render.Options) render.Table[record] {
	t := render.Table[record]{Empty: d.empty}
	if d.id != "" {
		t.ID = func(r record) string { return r.text(d.id) }
	}
	for _, c := range d.columns {
		col := render.Column[record]{Name: c.name, Wide: c.wide, ID: c.id, Text: func(r record) string { return r.text(c.path) }}
		if c.time {
			col.Human = func(r record) string { return render.Ago(o.Now, r.time(c.path)) }
			col.Less = func(a, b record) bool { return a.time(c.path).Before(b.time(c.path)) }
		}
		t.Columns = append(t.Columns, col)
	}
	return t
}

// show prints one thing.
func (d *declared) show(env *cli.Env, ro render.Options, answer json.RawMessage) error {
	if len(d.columns) == 0 {
		return nil
	}
	if d.item != "" {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(answer, &fields); err != nil {
			return fault.New(fault.Failed, d.operation, "%w", err)
		}
		if answer = fields[d.item]; len(answer) == 0 {
			return fault.New(fault.Failed, d.operation, "the service answered without %s", d.item)
		}
	}
	row, err := newRecord(d.columns, answer)
	if err != nil {
		return fault.New(fault.Failed, d.operation, "%w", err)
	}
	return render.Object(env.Out, ro, row, func(v *render.Detail) {
		if d.id != "" {
			v.ID(row.text(d.id))
		}
		for _, c := range d.columns {
			human := ""
			if t := row.time(c.path); c.time && !t.IsZero() {
				human = fmt.Sprintf("%s (%s)", render.Local(t, ro.Location), render.Ago(ro.Now, t))
			}
			v.Human(strings.ToLower(c.name), row.text(c.path), human)
		}
	})
}

// record is one item of an answer, seen through columns.
type record struct {
	columns []declaredColumn
	fields  map[string]any
}

func newRecord(columns []declaredColumn, item json.RawMessage) (record, error) {
	r := record{columns: columns}
	dec := json.NewDecoder(bytes.NewReader(item))
	dec.UseNumber()
	return r, dec.Decode(&r.fields)
}

// at returns the value at a path, nil when it is not there.
func (r record) at(path string) any {
	var v any = r.fields
	for name := range strings.SplitSeq(path, ".") {
		fields, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = fields[name]
	}
	return v
}

// text returns the value at a path for a cell: a scalar bare, anything else as JSON.
func (r record) text(path string) string {
	switch v := r.at(path).(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		data, err := json.Marshal(v)
		if err != nil {
			return "" // what was decoded can be encoded
		}
		return string(data)
	}
}

func (r record) time(path string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, r.text(path))
	if err != nil {
		return time.Time{}
	}
	return t
}

// MarshalJSON writes the columns in their order.
func (r record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, c := range r.columns {
		v := r.at(c.path)
		if v == nil {
			continue
		}
		data, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", strings.ToLower(strings.ReplaceAll(c.name, " ", "_")), data)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
