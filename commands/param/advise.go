package param

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/advice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// adviseOptions are those of `param advise`.
type adviseOptions struct {
	decrypt, sharing bool
	maxAge           string
	alsoIn           []string
	failOn           []string
	move             paramMove

	age time.Duration
}

// adviceGates are what --fail-on can look for.
var adviceGates = []string{advice.Plain, advice.Old}

func newAdviseCmd(env *cli.Env) *cobra.Command {
	var o adviseOptions
	cmd := &cobra.Command{
		Use:   "advise [path | name | pattern]...",
		Short: "Where secrets belong: Parameter Store or Secrets Manager",
		Long: `Weigh every SecureString, and every String that looks like a secret: does it belong into
Parameter Store or into Secrets Manager, why, what do both cost in a month, and what is
to be typed. The most urgent come first. USD is what a parameter costs in a month, SECRET what
it would cost in Secrets Manager; -o wide shows every reason and the command in full.

Names, tiers and ages say a good part of it. With --decrypt the values are looked at,
too: keys and passwords are known by their form, and sizes count. A value, or a part of
one, is never shown.

What counts: database passwords and pairs of user and password (Secrets Manager changes
them on a schedule), values near 8 KB (secrets hold 64 KB), several values in one JSON,
many versions, secrets shared with other accounts (--sharing looks, with one call for
each advanced parameter) or kept in other Regions too (--also-in), and age (--max-age).

--to-secret moves parameters that are named: it makes the secret, with the value byte for
byte, the description, the tags, and the key of a customer managed key, reads it back, and
shows the name under which Parameter Store gives it out from then on. Run again, it goes on
where it was. A secret with another value is never overwritten. The parameter stays; with
--delete it is deleted when the secret has been read back, after one more question. Labels,
policies and older versions are not moved.`,
		Example: `  $ ssmdeck param advise /app/prod
  $ ssmdeck param advise --decrypt --fail-on plain-secret
  $ ssmdeck param advise /app/prod --also-in eu-west-1 -o json
  $ ssmdeck param advise /app/prod/db-password --to-secret --dry-run
  $ ssmdeck param advise /app/prod/db-password --to-secret=app/prod/db --delete`,
		ValidArgsFunction: completeParamPath(env, 10),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.move.wanted = cmd.Flags().Changed("to-secret"); o.move.wanted {
				return o.moveTo(cmd, env, args)
			}
			for _, name := range []string{"delete", "dry-run"} {
				if cmd.Flags().Changed(name) {
					return fault.Usagef("--%s goes with --to-secret", name)
				}
			}
			return o.run(cmd.Context(), env, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.decrypt, "decrypt", false, "look at the values, too; none is shown")
	f.BoolVar(&o.sharing, "sharing", false, "see with how many accounts advanced parameters are shared: one call each")
	f.StringVar(&o.maxAge, "max-age", "90d", "a secret that has not been changed for this `age` is old; 0: none is")
	f.StringSliceVar(&o.alsoIn, "also-in", nil, "`Regions` whose parameters of the same names count as copies")
	f.StringSliceVar(&o.failOn, "fail-on", nil, "exit with 6 when there is one: `kinds` among "+strings.Join(adviceGates, ", "))
	cli.CompleteFlag(cmd, "fail-on", func() []string { return adviceGates })
	o.move.bind(cmd)
	return cmd
}

func (o *adviseOptions) check(args []string) (sels []parameter.Selection, err error) {
	var faults faultList
	o.age, err = cli.ParseAge("max-age", o.maxAge)
	faults.add(err)
	o.failOn, err = knownWords("--fail-on", o.failOn, adviceGates)
	faults.add(err)
	if len(o.alsoIn) > 0 {
		faults.add((grid.Spec{Regions: o.alsoIn}).Check())
	}
	if len(args) == 0 {
		args = []string{""}
	}
	for _, arg := range args {
		s, err := parameter.Select(arg)
		faults.add(err)
		sels = append(sels, s)
	}
	return sels, cli.AllFaults("advise", faults)
}

func (o *adviseOptions) run(ctx context.Context, env *cli.Env, args []string) error {
	ro, err := cli.ListOptions(env, adviceTable)
	if err != nil {
		return err
	}
	sels, err := o.check(args)
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	list, total, err := o.weigh(ctx, env, svc, sels, args, ro.Now)
	if err != nil {
		return err
	}
	if err := cli.WriteList(env, adviceTable, ro, list); err != nil {
		return err
	}
	o.sum(env, list, total)
	return o.verdict(list)
}

// weigh reads what is meant, and weighs it.
func (o *adviseOptions) weigh(ctx context.Context, env *cli.Env, svc *parameter.Service, sels []parameter.Selection, args []string, now time.Time) (list []advice.Advice, total int, err error) {
	seen := map[string]bool{}
	var all []parameter.Parameter
	for i, sel := range sels {
		found, err := findParams(ctx, env, svc, sel, o.decrypt, o.decrypt)
		if o.decrypt && fault.KindOf(err) == fault.Auth {
			return nil, 0, fault.New(fault.Auth, "", "%w", err).WithHint("without --decrypt names, tiers and ages are weighed; or name parameters whose values you may read")
		}
		if err != nil {
			return nil, 0, err
		}
		if len(found) == 0 && len(args) > i {
			return nil, 0, fault.New(fault.NotFound, "", "there is no parameter %s, and none below it", render.Visible(args[i])).WithHint("list them with `ssmdeck param list`")
		}
		for _, p := range found {
			if !seen[p.Name] {
				seen[p.Name] = true
				all = append(all, p)
			}
		}
	}
	facts, err := o.facts(ctx, env, sels, all)
	if err != nil {
		return nil, 0, err
	}
	list = []advice.Advice{}
	for _, p := range all {
		a, ok := advice.Of(p, facts[p.Name], advice.Options{Now: now, MaxAge: o.age})
		if !ok {
			continue
		}
		a.Command = adviceCommand(a)
		list = append(list, a)
	}
	slices.SortFunc(list, advice.Compare)
	return list, len(all), nil
}

// facts finds out what is not said by the parameters themselves.
func (o *adviseOptions) facts(ctx context.Context, env *cli.Env, sels []parameter.Selection, all []parameter.Parameter) (map[string]advice.Facts, error) {
	facts := map[string]advice.Facts{}
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	for _, region := range o.alsoIn {
		svc := parameter.New(scope.In(region).SSM())
		for _, sel := range sels {
			found, err := svc.Find(ctx, sel)
			if err != nil {
				return nil, fault.New(fault.KindOf(err), "look into "+region, "%w", err)
			}
			for _, p := range found {
				f := facts[p.Name]
				if !slices.Contains(f.Regions, region) {
					f.Regions = append(f.Regions, region)
				}
				facts[p.Name] = f
			}
		}
	}
	if !o.sharing {
		return facts, nil
	}
	shares, err := sharesOf(ctx, env, all)
	for _, s := range shares {
		f := facts[s.Name]
		f.Accounts = len(s.With)
		facts[s.Name] = f
	}
	return facts, err
}

// adviceCommand is what to type to follow an advice.
func adviceCommand(a advice.Advice) string {
	switch {
	case a.Verdict == advice.Move:
		return "ssmdeck param advise " + a.Name + " --to-secret"
	case a.Verdict == advice.Secure: // the type of a parameter cannot be changed
		return "ssmdeck param get " + a.Name + " | ssmdeck param set " + a.Name + "-secure - --secure"
	case a.Has(advice.Old):
		return "ssmdeck param set " + a.Name + " --overwrite"
	}
	return ""
}

// sum says what it comes to.
func (o *adviseOptions) sum(env *cli.Env, list []advice.Advice, total int) {
	var now, then parameter.USD
	moving := 0
	for _, a := range list {
		now += a.Now
		if a.Verdict == advice.Move {
			moving++
			then += a.Then
		} else {
			then += a.Now
		}
	}
	env.Note("ssmdeck: %s of %s: %v a month now, %v and %v for each %s calls with %d in Secrets Manager (%s)",
		cli.Plural(len(list), "secret"), cli.Plural(total, "parameter"), now, then, parameter.SecretCalls, thousands(parameter.CallsUnit), moving, parameter.PricesOf)
	if !o.decrypt && total > 0 {
		env.Note("ssmdeck: note: only names, tiers and ages were looked at; --decrypt looks at the values, and shows none")
	}
}

// thousands writes a number of up to six digits with a comma.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	rest := strconv.Itoa(n%1000 + 1000)
	return strconv.Itoa(n/1000) + "," + rest[1:]
}

func (o *adviseOptions) verdict(list []advice.Advice) error {
	var found []string
	for _, kind := range o.failOn {
		n := 0
		for _, a := range list {
			if a.Has(kind) {
				n++
			}
		}
		if n > 0 {
			found = append(found, strconv.Itoa(n)+" "+kind)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return fault.New(fault.RemoteFailed, "", "--fail-on: %s", strings.Join(found, ", "))
}

func adviceTable(o render.Options) render.Table[advice.Advice] {
	type row = advice.Advice
	urgency := func(a row) string {
		level := map[string]theme.Level{advice.Now: theme.Bad, advice.Soon: theme.Warn, advice.Later: theme.Idle}
		if l, ok := level[a.Urgency]; ok {
			return o.Styles.Status(l, a.Urgency)
		}
		return o.Styles.Status(theme.Good, a.Urgency)
	}
	verdicts := map[string]string{advice.Move: "move", advice.Keep: "keep", advice.Secure: "encrypt"}
	why := func(a row) string {
		var texts []string
		for _, r := range a.Reasons {
			texts = append(texts, r.Text)
		}
		return strings.Join(texts, "; ")
	}
	order := []string{advice.Now, advice.Soon, advice.Later, advice.Never}
	return render.Table[row]{
		ID: func(a row) string { return a.Name }, Empty: "no secrets among the parameters",
		Columns: []render.Column[row]{
			{Name: "NAME", ID: true, Text: func(a row) string { return a.Name }},
			{Name: "URGENCY", Text: func(a row) string { return a.Urgency }, Human: urgency, Less: func(a, b row) bool {
				return slices.Index(order, a.Urgency) < slices.Index(order, b.Urgency)
			}},
			{Name: "ADVICE", Text: func(a row) string { return a.Verdict }, Human: func(a row) string { return verdicts[a.Verdict] }},
			{Name: "USD", Right: true, Text: func(a row) string { return usd(a.Now) }, Less: func(a, b row) bool { return a.Now < b.Now }},
			{Name: "SECRET", Right: true, Text: func(a row) string { return usd(a.Then) }, Less: func(a, b row) bool { return a.Then < b.Then }},
			{Name: "WHY", Text: why},
			{Name: "TYPE", Wide: true, Text: func(a row) string { return a.Type }},
			{Name: "TIER", Wide: true, Text: func(a row) string { return a.Tier }},
			{Name: "VERSIONS", Wide: true, Right: true, Text: func(a row) string { return strconv.FormatInt(a.Versions, 10) }},
			{Name: "AGE DAYS", Wide: true, Right: true, Text: func(a row) string { return strconv.Itoa(a.AgeDays) }},
			{Name: "COMMAND", Wide: true, Text: func(a row) string { return a.Command }},
		},
	}
}

// usd is an amount of dollars a month in a table.
func usd(u parameter.USD) string { return strconv.FormatFloat(float64(u), 'f', 2, 64) }
