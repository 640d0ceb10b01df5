package doctor

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// options say what to examine, and whether to repair it.
type options struct {
	node      string
	vpc       string
	unmanaged bool
	checks    []string
	fix       bool
	dryRun    bool
	profile   string // instance profile to attach
}

// NewCmd is `ssmdeck doctor`.
func NewCmd(env *cli.Env) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "doctor [node]",
		Short: "Find out why a machine is not managed, or not reachable",
		Long: `Find out why a machine is not managed, or not reachable: check what Systems
Manager needs of it (agent, IAM, network) and say for each finding its cause, the
evidence, and the commands that repair it.

Without a node it checks your own side: Region, clock, credentials, proxy, the
way to the service and to the message gateway, and what you are allowed to do.
--vpc checks what a VPC lacks for agents in it; --unmanaged lists the running
instances that Systems Manager does not know, by cause.

A node is named by id, name or address, and need not be known to Systems
Manager: EC2 is asked too. What you are not allowed to read is a check that is
skipped, and says which action is missing. What the configuration says against
an agent that is connected is a warning.

--fix shows the changes that take causes away, asks once, makes them and checks
again. It attaches an instance profile or AmazonSSMManagedInstanceCore, creates
endpoints, opens port 443 and enables DNS; it changes no route, no access list
and nothing on the machine.

The status is 0 when nothing failed, 6 when something did, and 4 when you may
read nothing at all. The causes are explained in docs/doctor.md.`,
		Example: `  # Why can I not reach this one?
  $ ssmdeck doctor web-1
  $ ssmdeck doctor i-0123456789abcdef0 --checks network

  # My own side
  $ ssmdeck doctor

  # What does this VPC lack, and make it so
  $ ssmdeck doctor --vpc vpc-0f1e2d3c4b5a69780
  $ ssmdeck doctor --vpc vpc-0f1e2d3c4b5a69780 --fix --dry-run

  # All instances that are not managed, and why
  $ ssmdeck doctor --unmanaged
  $ ssmdeck doctor --unmanaged -o json --query "[?cause=='no-instance-profile'].id"

  # In CI
  $ ssmdeck doctor web-1 -o junit > doctor.xml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.ExactArgs("the node")(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.node = args[0]
			}
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(cmd.Context(), env)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.vpc, "vpc", "", "check what the `VPC` lacks for agents in it")
	f.BoolVar(&o.unmanaged, "unmanaged", false, "list running instances that Systems Manager does not know, by cause")
	f.StringSliceVar(&o.checks, "checks", nil, "only these `groups` of checks: agent, iam, network")
	f.BoolVar(&o.fix, "fix", false, "show the changes that repair what was found, ask, and make them")
	f.BoolVar(&o.dryRun, "dry-run", false, "with --fix: show the changes and make none")
	f.StringVar(&o.profile, "instance-profile", "", "`name` of the instance profile that --fix attaches where there is none")
	cli.CompleteFlag(cmd, "checks", func() []string { return []string{doctor.Agent, doctor.IAM, doctor.Network} })
	cli.CompleteFlag(cmd, "vpc", func() []string { return nil })
	cli.CompleteFlag(cmd, "instance-profile", func() []string { return nil })
	return cmd
}

// validate finds flags that do not go together.
func (o *options) validate() error {
	subjects := 0
	for _, given := range []bool{o.node != "", o.vpc != "", o.unmanaged} {
		if given {
			subjects++
		}
	}
	switch {
	case subjects > 1:
		return fault.Usagef("a node, --vpc and --unmanaged exclude each other").WithHint("run doctor once for each")
	case o.vpc != "" && !strings.HasPrefix(o.vpc, "vpc-"):
		return fault.Usagef("--vpc %q is not the id of a VPC", o.vpc).WithHint("it looks like vpc-0f1e2d3c4b5a69780")
	case o.fix && subjects == 0:
		return fault.Usagef("--fix needs a node, --vpc or --unmanaged: your own side is not for it to repair")
	case o.dryRun && !o.fix:
		return fault.Usagef("--dry-run goes with --fix").WithHint("without --fix nothing is changed anyway")
	case o.profile != "" && !o.fix:
		return fault.Usagef("--instance-profile goes with --fix")
	case len(o.checks) > 0 && o.node == "":
		return fault.Usagef("--checks chooses among the checks of a node").WithHint("name the node")
	}
	groups := []string{doctor.Agent, doctor.IAM, doctor.Network}
	for _, g := range o.checks {
		if !slices.Contains(groups, g) {
			err := fault.Usagef("there is no group of checks %q: use agent, iam or network", g)
			if near := fault.Nearest(g, groups); near != "" {
				return err.WithHint("did you mean %s?", near)
			}
			return err
		}
	}
	return nil
}

func (o *options) run(ctx context.Context, env *cli.Env) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	s, err := env.Settings()
	if err != nil {
		return err
	}
	if o.fix && !o.dryRun && s.ReadOnly {
		return fault.New(fault.Refused, "", "--fix changes something, and this is read-only").
			WithHint("add --dry-run to see what it would do")
	}
	v := &checkView{env: env, o: ro, subject: o.node}
	if o.vpc != "" {
		v.subject = "--vpc " + o.vpc
	}
	if o.fix {
		v.subject = "" // it has been repaired, or is about to be
	}
	if err := v.check(o.unmanaged); err != nil {
		return err
	}
	if o.profile != "" {
		d, err := openDoctor(ctx, env, o.profile)
		if err != nil {
			return err
		}
		if err := d.CheckProfile(ctx); err != nil {
			return err
		}
	}
	switch {
	case o.unmanaged:
		return o.runUnmanaged(ctx, env, ro)
	case o.node == "" && o.vpc == "":
		return self(ctx, env, v)
	}
	examine, id, err := o.subject(ctx, env)
	if err != nil {
		return err
	}
	if !o.fix {
		return v.verdict(v.show(ctx, id, examine))
	}
	v.quiet = !v.live() // a program reads the last report alone
	checks, err := v.show(ctx, id, examine)
	if err != nil {
		return err
	}
	changed, err := o.repair(ctx, env, doctor.Plan(checks), checks)
	if err != nil {
		return err
	}
	if !changed {
		v.quiet = false
		if !v.live() {
			return v.verdict(checks, v.write(checks))
		}
		return v.verdict(checks, nil)
	}
	v.quiet = false
	env.Note("checking again")
	return v.verdict(v.show(ctx, id, examine))
}

// examination makes the checks of one thing anew, and hands them out as they are
// made.
type examination func(ctx context.Context, emit func(doctor.Check)) ([]doctor.Check, error)

// subject finds what is to be examined.
func (o *options) subject(ctx context.Context, env *cli.Env) (examination, string, error) {
	if o.vpc != "" {
		return func(ctx context.Context, emit func(doctor.Check)) ([]doctor.Check, error) {
			d, err := openDoctor(ctx, env, o.profile)
			if err != nil {
				return nil, err
			}
			checks, err := d.VPC(ctx, o.vpc)
			for _, c := range checks {
				emit(c)
			}
			return checks, err
		}, o.vpc, nil
	}
	d, err := openDoctor(ctx, env, o.profile)
	if err != nil {
		return nil, "", err
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, "", err
	}
	id, err := d.Locate(ctx, o.node, func(ctx context.Context, region, id string) (bool, error) {
		return knownThere(ctx, scope.In(region), id)
	})
	if err != nil {
		return nil, "", err
	}
	return func(ctx context.Context, emit func(doctor.Check)) ([]doctor.Check, error) {
		d, err := openDoctor(ctx, env, o.profile)
		if err != nil {
			return nil, err
		}
		return d.Examine(ctx, id, o.checks, emit)
	}, id, nil
}

// knownThere reports whether a scope, of another Region, knows a machine.
func knownThere(ctx context.Context, scope *awsapi.Scope, id string) (bool, error) {
	if strings.HasPrefix(id, "i-") {
		if _, ok, err := network.New(scope.Config()).Machine(ctx, id); ok || err != nil {
			return ok, err
		}
	}
	_, err := fleet.New(scope.SSM(), nil).Get(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// openDoctor returns the service that examines machines. It has read nothing yet.
// profile is the instance profile that it may attach.
func openDoctor(ctx context.Context, env *cli.Env, profile string) (*doctor.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return cli.NewDoctor(scope, profile), nil
}

// repair shows the plan, asks, and carries it out. changed is false when there
// was nothing to do, or when nothing is to be done.
func (o *options) repair(ctx context.Context, env *cli.Env, plan []doctor.Repair, checks []doctor.Check) (changed bool, err error) {
	if missesProfile(checks) {
		env.Note("name an instance profile for --fix to attach with --instance-profile")
	}
	if len(plan) == 0 {
		env.Note("there is nothing that --fix can do")
		return false, nil
	}
	env.Note("%s:", cli.Plural(len(plan), "change"))
	for _, r := range plan {
		env.Note("  %s  (%s)", render.Visible(r.String()), strings.Join(r.Calls(), ", "))
	}
	if o.dryRun {
		return false, nil
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return false, err
	}
	account, err := scope.Account(ctx)
	if err != nil {
		return false, err
	}
	if err := env.Confirm(ctx, fmt.Sprintf("make %s in account %s, %s", cli.Plural(len(plan), "change"), account, scope.Region())); err != nil {
		return false, err
	}
	d, err := openDoctor(ctx, env, o.profile)
	if err != nil {
		return false, err
	}
	made := 0
	err = d.Apply(ctx, plan, func(r doctor.Repair) {
		made++
		env.Note("done: %s", render.Visible(r.String()))
	})
	if err != nil && made > 0 {
		env.Note("%d of %d changes were made", made, len(plan))
	}
	if err == nil {
		env.Note("agents notice within minutes; endpoints take some to come up")
	}
	return true, err
}

// missesProfile reports whether an instance profile would help and none is known.
func missesProfile(checks []doctor.Check) bool {
	return slices.ContainsFunc(checks, func(c doctor.Check) bool { return slices.ContainsFunc(c.Repairs, doctor.Repair.Incomplete) })
}

// self checks the caller's own side.
func self(ctx context.Context, env *cli.Env, v *checkView) error {
	scope, err := env.Scope(ctx)
	if err != nil {
		return v.verdict(v.show(ctx, doctor.Self, func(_ context.Context, emit func(doctor.Check)) ([]doctor.Check, error) {
			c := doctor.NoScope(err)
			emit(c)
			return []doctor.Check{c}, nil
		}))
	}
	p := doctor.Place{Profile: scope.Profile(), HTTP: scope.HTTPClient()}
	if p.API, p.Gateway, err = scope.Addresses(ctx); err != nil {
		return err
	}
	p.Proxy = scope.Proxy(p.API)
	p.Terminal = doctor.Terminal{
		In: cli.IsTerminal(env.In), Out: cli.IsTerminal(env.Out), Columns: env.Width(),
		Dumb: theme.Dumb(env.Lookup), UTF8: !theme.UseASCII(false, env.Lookup),
	}
	d, err := openDoctor(ctx, env, "")
	if err != nil {
		return err
	}
	return v.verdict(v.show(ctx, doctor.Self, func(ctx context.Context, emit func(doctor.Check)) ([]doctor.Check, error) {
		return d.ExamineSelf(ctx, p, emit)
	}))
}

// checkView shows checks: on a terminal line by line as they are made, else as a
// list in the wanted format.
type checkView struct {
	env   *cli.Env
	o     render.Options
	quiet bool // make the checks, and show none
	// subject is what to give doctor with --fix; "" when that is no advice.
	subject string
}

// live reports whether checks are for a person.
func (v *checkView) live() bool {
	return v.o.Terminal() && (v.o.Format == render.FormatAuto || v.o.Format == render.FormatTable || v.o.Format == render.FormatWide) &&
		v.o.Query == "" && len(v.o.Columns) == 0 && v.o.SortBy == "" && v.o.Limit == 0
}

// check finds options that the list can not follow, before anything is asked.
func (v *checkView) check(unmanaged bool) error {
	o := v.o
	o.Notes = nil
	switch {
	case o.Format != render.FormatJUnit && unmanaged:
		return unmanagedCauses(o).Check(o)
	case o.Format != render.FormatJUnit:
		return checkTable(o).Check(o)
	case v.o.Query != "" || len(v.o.Columns) > 0:
		return fault.Usagef("-o junit takes neither --query nor --columns")
	}
	return nil
}

// show makes the checks and shows them.
func (v *checkView) show(ctx context.Context, what string, examine examination) ([]doctor.Check, error) {
	p, err := v.env.Progress()
	if err != nil {
		return nil, err
	}
	defer p.Close()
	person := &checkPrinter{w: p.Over(v.env.Out), o: v.o}
	made := 0
	p.Set(render.Status{Label: "examining " + what})
	checks, err := examine(ctx, func(c doctor.Check) {
		made++
		p.Set(render.Status{Label: "examining " + what, Done: int64(made)})
		if v.live() && !v.quiet {
			person.print(c)
		}
	})
	p.Close()
	if err != nil || v.quiet {
		return checks, err
	}
	if v.live() {
		return checks, person.err
	}
	return checks, v.write(checks)
}

// write prints checks for programs.
func (v *checkView) write(checks []doctor.Check) error {
	if v.o.Format == render.FormatJUnit {
		return writeJUnit(v.env.Out, checks)
	}
	return cli.WriteList(v.env, checkTable, v.o, checks)
}

// verdict says how many checks failed, and makes that the exit status.
func (v *checkView) verdict(checks []doctor.Check, err error) error {
	if err != nil {
		return err
	}
	count := map[doctor.Status]int{}
	for _, c := range checks {
		count[c.Status]++
	}
	v.env.Note("%s: %d failed, %d warned, %d skipped", cli.Plural(len(checks), "check"), count[doctor.Fail], count[doctor.Warn], count[doctor.Skip])
	if plan := doctor.Plan(checks); v.subject != "" && (len(plan) > 0 || missesProfile(checks)) {
		v.env.Note("`ssmdeck doctor %s --fix` shows what it can repair, and asks", v.subject)
	}
	if doctor.Failed(checks) {
		return &fault.Exit{Code: fault.RemoteFailed.ExitCode()}
	}
	return nil
}

func checkTable(o render.Options) render.Table[doctor.Check] {
	return render.Table[doctor.Check]{
		ID:    func(c doctor.Check) string { return c.ID },
		Empty: "no checks",
		Columns: []render.Column[doctor.Check]{
			{
				Name: "STATUS", Text: func(c doctor.Check) string { return string(c.Status) },
				Human: func(c doctor.Check) string { return o.Styles.Status(levels.Check(c.Status), string(c.Status)) },
			},
			{Name: "GROUP", Text: func(c doctor.Check) string { return c.Group }},
			{Name: "CHECK", Text: func(c doctor.Check) string { return c.ID }},
			{Name: "CAUSE", Text: func(c doctor.Check) string { return c.Cause }},
			{Name: "EVIDENCE", Text: func(c doctor.Check) string { return c.Evidence }},
			{Name: "FIX", Wide: true, Text: func(c doctor.Check) string { return strings.Join(c.Fix, "; ") }},
			{Name: "TARGET", Wide: true, ID: true, Text: func(c doctor.Check) string { return c.Target }},
		},
	}
}

// checkPrinter writes checks for a person, under the headings of their groups.
type checkPrinter struct {
	w     io.Writer
	o     render.Options
	group string
	err   error // the first of writing
}

func (p *checkPrinter) print(c doctor.Check) {
	st := p.o.Styles
	if c.Group != p.group {
		p.group = c.Group
		p.line("%s", st.Title.Render(c.Group))
	}
	p.line("  %s  %s  %s", st.Status(levels.Check(c.Status), string(c.Status)), cli.Pad(c.Title, 42), st.Dim.Render(render.Visible(c.Evidence)))
	if cause, ok := doctor.CauseOf(c.Cause); ok {
		p.line("          %s: %s; %s", c.Cause, cause.Means, cause.Do)
	}
	for _, f := range c.Fix {
		if !strings.HasPrefix(f, "#") {
			f = "$ " + f
		}
		p.line("          %s", render.Visible(f))
	}
}

func (p *checkPrinter) line(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, format+"\n", args...); err != nil && p.err == nil {
		p.err = err
	}
}
