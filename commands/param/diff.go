package param

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/paramdiff"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramfile"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/textdiff"
)

// paramDiff are the flags of `param diff`.
type paramDiff struct {
	values         valueFlags
	without        bool
	metadata       bool
	only, ignore   []string
	format         string
	ignorePatterns []parameter.Pattern
}

func newDiffCmd(env *cli.Env) *cobra.Command {
	var o paramDiff
	cmd := &cobra.Command{
		Use:   "diff <place | @file> <place | @file>",
		Short: "Compare two paths, Regions, accounts or files",
		Long: `Compare the parameters below two paths by their names relative to them: what the
second has more (added), or less (removed), and what is not the same (changed).

` + placeHelp + ` @FILE is a file that ` + "`param export`" + ` wrote, or another
one of its formats. Two parameters, or versions of one, are compared by their values.

Types and values are compared, with --metadata also tiers, keys, descriptions,
patterns, policies and tags. Values are shown with --show only. SecureStrings are
compared with --decrypt; without it they are unknown, which does not count as equal.
The status is 0 when all is the same, and 6 when it is not.`,
		Example: `  $ ssmdeck param diff /app/staging /app/prod
  $ ssmdeck param diff /app/prod eu-west-1:/app/prod --decrypt
  $ ssmdeck param diff test@:/app prod@:/app --only removed --ignore 'db-*' -o name
  $ ssmdeck param diff @prod.json /app/prod --decrypt --show
  $ ssmdeck param diff /app/prod/db-url:3 /app/prod/db-url --show`,
		Args:              cli.ExactArgs("a place or @file", "another place or @file"),
		ValidArgsFunction: completeParamPath(env, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args)
		},
	}
	o.values.bind(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.without, "no-secrets", false, "do not compare SecureStrings")
	f.BoolVar(&o.metadata, "metadata", false, "compare tiers, keys, descriptions, patterns, policies and tags, too")
	f.StringSliceVar(&o.only, "only", nil, "show only these `changes`: "+strings.Join(paramdiff.Changes, ", "))
	f.StringArrayVar(&o.ignore, "ignore", nil, "leave out names that match `pattern`")
	f.StringVar(&o.format, "format", "", "`format` of files whose name does not say it: "+paramfile.Words())
	cli.CompleteFlag(cmd, "only", func() []string { return paramdiff.Changes })
	cli.CompleteFlag(cmd, "format", formatWords)
	return cmd
}

// diffSide is one side as it was typed, and what is there.
type diffSide struct {
	text   string
	file   string // of a file: its path
	format paramfile.Format
	place  paramPlace
	open   paramSide

	list   []parameter.Parameter
	root   string
	single bool
}

// parse reads what was typed: a place, or a file.
func (s *diffSide) parse(text, format string) (err error) {
	s.text = text
	file, at := strings.CutPrefix(text, "@")
	if !at && !strings.HasPrefix(text, "./") && !strings.HasPrefix(text, "../") {
		s.place, err = parseParamPlace(text)
		switch {
		case err != nil:
			return err
		case parameter.IsPattern(s.place.path):
			return fault.Usagef("%q is a pattern: a side is a path, a name or @FILE", text).WithHint("--ignore leaves names out")
		case text == s.place.path && isParamFile(text):
			return fault.Usagef("%q is a file, and here the name of a parameter", text).
				WithHint("write @%s for the file; a parameter of this name has its Region in front: REGION:%s", text, text)
		}
		return nil
	}
	if file == "" {
		return fault.Usagef("%q names no file", text)
	}
	s.file = file
	if format != "" {
		s.format, err = paramfile.ParseFormat(format)
	} else {
		s.format, err = paramfile.Guess(file)
	}
	return err
}

// isParamFile reports whether there is a file of parameters, by its name.
func isParamFile(name string) bool {
	if _, err := paramfile.Guess(name); err != nil {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// check reads the flags and arguments; all that is wrong is said.
func (o *paramDiff) check(args []string) (sides [2]diffSide, err error) {
	var faults []error
	for i := range sides {
		if err := sides[i].parse(args[i], o.format); err != nil {
			faults = append(faults, err)
		}
	}
	for _, s := range sides {
		if o.metadata && strings.Contains(s.place.path, ":") {
			faults = append(faults, fault.Usagef("%s: --metadata is that of the latest versions of this account's own parameters", s.text).
				WithHint("how versions differ is in `ssmdeck param history NAME --diff`"))
		}
	}
	for _, w := range o.only {
		if !slices.Contains(paramdiff.Changes, w) {
			faults = append(faults, fault.Usagef("--only %q is none of %s", w, strings.Join(paramdiff.Changes, ", ")))
		}
	}
	for _, w := range o.ignore {
		if strings.Contains(w, "/") && !strings.HasPrefix(w, "/") {
			w = "/" + w
		}
		p, err := parameter.ParsePattern(w)
		if err != nil {
			faults = append(faults, err)
		}
		o.ignorePatterns = append(o.ignorePatterns, p)
	}
	switch {
	case o.without && o.values.decrypt:
		faults = append(faults, fault.Usagef("--no-secrets and --decrypt exclude each other"))
	case o.format != "" && sides[0].file == "" && sides[1].file == "" && len(faults) == 0:
		faults = append(faults, fault.Usagef("--format is about a file, and none is named").WithHint("write @FILE for a side that is a file"))
	case sides[0].file == "-" && sides[1].file == "-":
		faults = append(faults, fault.Usagef("standard input cannot be both sides"))
	}
	return sides, cli.AllFaults("compare parameters", faults)
}

func (o *paramDiff) run(ctx context.Context, env *cli.Env, args []string) error {
	ro, err := cli.ListOptions(env, o.table)
	if err != nil {
		return err
	}
	sides, err := o.check(args)
	if err != nil {
		return err
	}
	if err := o.read(ctx, env, &sides); err != nil {
		return err
	}
	a, b, err := pairSides(&sides[0], &sides[1])
	if err != nil {
		return err
	}
	var rows []paramdiff.Difference
	unequal, unknown, same := 0, 0, 0
	for _, d := range paramdiff.Compare(a, b, o.metadata) {
		if o.ignored(d) {
			continue
		}
		switch d.Change {
		case paramdiff.Same:
			same++
		case paramdiff.Unknown:
			unknown++
		default:
			unequal++
		}
		if wanted := o.only; len(wanted) == 0 && d.Change != paramdiff.Same || slices.Contains(wanted, d.Change) {
			rows = append(rows, o.shown(d))
		}
	}
	if err := o.write(env, ro, rows); err != nil {
		return err
	}
	env.Note("%s to %s: %s, %d the same", args[0], args[1], cli.Plural(unequal, "difference"), same)
	if unknown > 0 {
		env.Note("ssmdeck: warning: %s not compared: add --decrypt", cli.Plural(unknown, parameter.SecureString))
	}
	if unequal+unknown > 0 {
		return &fault.Exit{Code: fault.RemoteFailed.ExitCode()}
	}
	return nil
}

// read reads both sides, those of the account at the same time.
func (o *paramDiff) read(ctx context.Context, env *cli.Env, sides *[2]diffSide) error {
	var places []paramPlace
	var live []*diffSide
	for i := range sides {
		if s := &sides[i]; s.file == "" {
			places, live = append(places, s.place), append(live, s)
		}
	}
	open, err := openParamPlaces(ctx, env, places...)
	if err != nil {
		return err
	}
	for i, s := range live {
		s.open = open[i]
	}
	for i := range sides {
		if s := &sides[i]; s.file != "" {
			if err := s.decode(env, sides[1-i].place.path); err != nil {
				return err
			}
		}
	}
	err = awsapi.Parallel(ctx, len(live), func(ctx context.Context, i int) error {
		err := o.readLive(ctx, live[i])
		if err != nil && live[i].text != live[i].place.path { // which account or Region it was
			err = fmt.Errorf("%s: %w", live[i].text, err)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case len(sides[0].list)+len(sides[1].list) == 0:
		return nothingBelow(sides[0].text + " or " + sides[1].text)
	}
	for _, s := range sides {
		if len(s.list) == 0 {
			env.Note("ssmdeck: warning: there are no parameters at %s", s.text)
		}
	}
	return nil
}

// decode reads a file. Whole names in it are below the path of the other side.
func (s *diffSide) decode(env *cli.Env, other string) error {
	data, err := fileBytes(env, s.file)
	if err != nil {
		return err
	}
	o := paramfile.Options{File: s.file}
	if strings.HasPrefix(other, "/") && !strings.Contains(other, ":") {
		o.Root = other
	}
	s.root = o.Root
	s.list, err = paramfile.Decode(data, s.format, o)
	return err
}

// decrypts reports whether SecureStrings are compared; --show alone means them, too.
func (o *paramDiff) decrypts() bool { return o.values.reads() && !o.without }

func (o *paramDiff) readLive(ctx context.Context, s *diffSide) (err error) {
	where := s.place.path
	if strings.Contains(where, ":") { // a version, a label, an ARN
		found, missing, err := s.open.svc.Get(ctx, []string{where}, o.decrypts())
		if err == nil && len(missing) > 0 {
			err = nothingBelow(s.text)
		}
		s.list, s.single = found, true
		return err
	}
	sel, err := parameter.Select(where)
	if err != nil {
		return err
	}
	sel.ValuesOnly = !o.metadata
	if s.list, err = s.open.svc.FindValues(ctx, sel, o.decrypts()); err != nil {
		return err
	}
	s.root = paramRoot(where, sel, s.list)
	s.single = len(s.list) == 1 && s.list[0].Name == where
	switch {
	case !o.metadata:
		return nil
	case onlyValues(s.list):
		return fault.New(fault.Auth, "compare parameters", "only values could be read, and --metadata is about what belongs to them").
			WithHint("allow ssm:DescribeParameters, or leave --metadata out")
	}
	s.list, err = withTags(ctx, s.open.env, s.open.svc, s.list)
	return err
}

// pairSides names the parameters of both sides alike. Two single parameters are one
// pair, whatever they are called.
func pairSides(a, b *diffSide) (from, to paramdiff.Side, err error) {
	if a.single && b.single {
		name := path.Base(a.list[0].Name)
		if a.list[0].Name == b.list[0].Name {
			name = a.list[0].Name
		}
		side := func(s *diffSide) paramdiff.Side {
			return paramdiff.Side{Parameters: map[string]parameter.Parameter{name: s.list[0]}}
		}
		return side(a), side(b), nil
	}
	var out [2]paramdiff.Side
	for i, s := range []*diffSide{a, b} {
		out[i] = paramdiff.Side{Parameters: make(map[string]parameter.Parameter, len(s.list)), File: s.file != ""}
		for _, p := range s.list {
			name, err := paramfile.Relative(s.root, p.Name)
			if err != nil {
				return from, to, fault.Usagef("%s: %w", s.text, err)
			}
			out[i].Parameters[name] = p
		}
	}
	return out[0], out[1], nil
}

func (o *paramDiff) ignored(d paramdiff.Difference) bool {
	secret := d.From != nil && d.From.Secure() || d.To != nil && d.To.Secure()
	return o.without && secret || slices.ContainsFunc(o.ignorePatterns, func(p parameter.Pattern) bool {
		return p.Match("/" + strings.TrimPrefix(d.Name, "/"))
	})
}

// shown is a difference as it may be written: values with --show only.
func (o *paramDiff) shown(d paramdiff.Difference) paramdiff.Difference {
	if !o.values.show {
		for _, p := range []**parameter.Parameter{&d.From, &d.To} {
			if *p != nil {
				bare := **p
				bare.Value = ""
				*p = &bare
			}
		}
		return d
	}
	if d.From != nil && d.To != nil && d.From.Value != d.To.Value {
		d.Diff = strings.Join(textdiff.Unified(d.From.Name, d.To.Name, d.From.Value, d.To.Value), "\n")
	}
	return d
}

func (o *paramDiff) table(ro render.Options) render.Table[paramdiff.Difference] {
	type row = paramdiff.Difference
	of := func(p *parameter.Parameter, field func(*parameter.Parameter) string) string {
		if p == nil {
			return ""
		}
		return field(p)
	}
	version := func(p *parameter.Parameter) string {
		if p.Version == 0 {
			return ""
		}
		return strconv.FormatInt(p.Version, 10)
	}
	modified := func(p *parameter.Parameter) string { return render.Timestamp(p.Modified) }
	value := func(p *parameter.Parameter) string { return render.Visible(p.Value) }
	t := render.Table[row]{
		ID: func(d row) string { return d.Name },
		Columns: []render.Column[row]{
			{Name: "CHANGE", Text: func(d row) string { return d.Change }},
			{Name: "NAME", ID: true, Text: func(d row) string { return d.Name }},
			{Name: "TYPE", Text: row.Type},
			{Name: "DIFFERS", Text: func(d row) string { return strings.Join(d.Fields, ", ") }},
			{Name: "VERSION", Wide: true, Text: func(d row) string { return of(d.From, version) }},
			{Name: "TO VERSION", Wide: true, Text: func(d row) string { return of(d.To, version) }},
			{Name: "MODIFIED", Wide: true, Text: func(d row) string { return of(d.From, modified) }},
			{Name: "TO MODIFIED", Wide: true, Text: func(d row) string { return of(d.To, modified) }},
		},
	}
	if o.values.show {
		t.Columns = append(t.Columns,
			render.Column[row]{Name: "VALUE", Text: func(d row) string { return of(d.From, value) }},
			render.Column[row]{Name: "TO VALUE", Text: func(d row) string { return of(d.To, value) }},
		)
	}
	return t
}

// write prints the differences: for people with values as lines that are taken away
// and added, in the order of a patch.
func (o *paramDiff) write(env *cli.Env, ro render.Options, rows []paramdiff.Difference) error {
	people := ro.Query == "" && (ro.Format == render.FormatAuto && ro.Terminal() || ro.Format == render.FormatTable) && len(ro.Columns) == 0 && ro.SortBy == ""
	if !o.values.show || !people || len(rows) == 0 {
		return cli.WriteList(env, o.table, ro, rows)
	}
	for _, d := range rows {
		value := func(p *parameter.Parameter) string {
			if p == nil {
				return ""
			}
			return p.Value
		}
		from, to := value(d.From), value(d.To)
		if (from == "" || !strings.HasSuffix(from, "\n")) && (to == "" || !strings.HasSuffix(to, "\n")) {
			from, to = lineEnded(from), lineEnded(to) // no value has an end of line: not worth a remark each
		}
		head := d.Name + " (" + d.Change
		if len(d.Fields) > 0 {
			head += ": " + strings.Join(d.Fields, ", ")
		}
		lines := textdiff.Unified(d.Name, head+")", from, to)
		if len(lines) == 0 {
			lines = []string{"--- " + d.Name, "+++ " + head + ")"}
		}
		if err := cli.WriteDiff(env, ro, lines); err != nil {
			return err
		}
	}
	return nil
}

// lineEnded is a value with an end of line; nothing stays nothing.
func lineEnded(v string) string {
	if v == "" {
		return v
	}
	return v + "\n"
}

// fileBytes reads a file of parameters; - is standard input.
func fileBytes(env *cli.Env, file string) ([]byte, error) { return env.ReadInput()(file) }
