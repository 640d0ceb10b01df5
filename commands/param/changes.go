package param

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramplan"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// changes is what import, apply and promote have in common: changes to many
// parameters that are shown, asked about and made.
type changes struct {
	dryRun  bool
	show    bool
	replace bool
	only    []string
	except  []string
	// overwrite and missing are what becomes of parameters that exist; see bindExisting.
	overwrite, missing bool
	// again says how to go on after a failure.
	again string
}

func (o *changes) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.show, "show", false, "show values, secrets too")
	f.BoolVar(&o.replace, "replace", false, "delete and make again what cannot be changed in place; versions and labels are lost")
	f.StringArrayVar(&o.only, "only", nil, "only parameters whose name fits `pattern`: 'db-*', /app/prod/db")
	f.StringArrayVar(&o.except, "except", nil, "all but parameters whose name fits `pattern`")
}

// bindExisting adds the flags of import and promote.
func (o *changes) bindExisting(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.overwrite, "overwrite", false, "change parameters that exist also where nobody is asked")
	cmd.Flags().BoolVar(&o.missing, "missing-only", false, "leave parameters alone that exist")
}

func (o *changes) checkExisting() error {
	if o.overwrite && o.missing {
		return fault.Usagef("--overwrite changes parameters that exist, and --missing-only leaves them alone").WithHint("give one of them")
	}
	return nil
}

// keeps is what --only and --except leave.
func (o *changes) keeps() (func(name string) bool, error) {
	only, err := paramplan.Glob(o.only)
	if err != nil {
		return nil, fault.Usagef("--only: %w", err)
	}
	except, err := paramplan.Glob(o.except)
	if err != nil {
		return nil, fault.Usagef("--except: %w", err)
	}
	return func(name string) bool { return (len(o.only) == 0 || only(name)) && !except(name) }, nil
}

func planTable(o render.Options) render.Table[*paramplan.Action] {
	type row = *paramplan.Action
	return render.Table[row]{
		ID: func(a row) string { return a.Name }, Empty: "no changes",
		Columns: []render.Column[row]{
			{Name: "DO", Text: func(a row) string { return a.Do }},
			{Name: "NAME", ID: true, Text: func(a row) string { return a.Name }},
			{Name: "TYPE", Text: func(a row) string { return a.Type }},
			{Name: "VERSION", Text: func(a row) string { return strconv.FormatInt(a.Version, 10) }},
			{Name: "CHANGES", Text: func(a row) string { return strings.Join(fields(a), ", ") }},
			{Name: "STATUS", Wide: true, Text: func(a row) string { return a.Status }},
			{Name: "WHY", Text: func(a row) string { return a.Why + a.Error }},
			{Name: "AT", Wide: true, Text: func(a row) string { return a.At }},
		},
	}
}

func fields(a *paramplan.Action) (out []string) {
	for _, d := range a.Changes {
		out = append(out, d.Field)
	}
	return out
}

// forPeople reports whether changes are shown a line each.
func forPeople(ro render.Options) bool {
	return ro.Query == "" && len(ro.Columns) == 0 && (ro.Format == render.FormatAuto && ro.Terminal() || ro.Format == render.FormatTable)
}

// forMachines reports whether somebody has asked for data about changes that people
// have read on standard error.
func forMachines(ro render.Options) bool {
	return ro.Query != "" || len(ro.Columns) > 0 || ro.Format != render.FormatAuto && ro.Format != render.FormatTable
}

// lines are the changes of a plan for people.
func (o *changes) lines(p *paramplan.Plan, st *theme.Styles) []string {
	sign := map[string]string{
		paramplan.DoCreate: "+", paramplan.DoUpdate: "~", paramplan.DoReplace: "±", paramplan.DoDelete: "-",
		paramplan.DoAdopt: "=", paramplan.DoForget: "=", paramplan.DoKeep: ".", paramplan.DoConflict: "!",
	}
	var lines []string
	for _, a := range p.Actions {
		head := fmt.Sprintf("%s %-8s %s", sign[a.Do], a.Do, render.Visible(a.Name))
		switch a.Do {
		case paramplan.DoCreate:
			head += "  " + a.Type
		case paramplan.DoUpdate, paramplan.DoReplace:
			head += "  " + strings.Join(fields(a), ", ")
		case paramplan.DoConflict:
			head += ": " + render.Visible(a.Why)
			if a.At != "" {
				head += " (" + render.Visible(a.At) + ")"
			}
		case paramplan.DoAdopt:
			head += ": it is so already, and is managed from now on"
		case paramplan.DoForget:
			head += ": it is in no file and not there"
		case paramplan.DoKeep:
			head += ": it is in no file any more, and stays; --prune deletes it"
		}
		lines = append(lines, changeStyle(st, a.Do)(head))
		if a.Do == paramplan.DoConflict {
			continue
		}
		for _, d := range a.Changes {
			switch {
			case d.New != "" && (a.Do == paramplan.DoCreate || strings.HasPrefix(d.Field, paramplan.FieldTags)): // what another value of a tag is was not read
				lines = append(lines, fmt.Sprintf("    %s: %s", d.Field, quotedOr(d.New, "")))
			case d.Old != "" || d.New != "":
				lines = append(lines, fmt.Sprintf("    %s: %s -> %s", d.Field, quotedOr(d.Old, "nothing"), quotedOr(d.New, "nothing")))
			}
		}
		if a.Warning != "" {
			lines = append(lines, "    warning: "+render.Visible(a.Warning))
		}
	}
	return lines
}

// changeStyle is how a change looks.
func changeStyle(st *theme.Styles, do string) func(...string) string {
	switch do {
	case paramplan.DoCreate:
		return st.Good.Render
	case paramplan.DoUpdate:
		return st.Warn.Render
	case paramplan.DoReplace, paramplan.DoDelete, paramplan.DoConflict:
		return st.Bad.Render
	}
	return st.Dim.Render
}

func quotedOr(text, none string) string {
	if text == "" {
		return none
	}
	return render.Visible(strconv.Quote(text))
}

// paramSummary is a plan in one line.
func paramSummary(p *paramplan.Plan) string {
	var parts []string
	for _, c := range []struct{ do, word string }{
		{paramplan.DoCreate, "to create"},
		{paramplan.DoUpdate, "to update"},
		{paramplan.DoReplace, "to replace"},
		{paramplan.DoDelete, "to delete"},
		{paramplan.DoConflict, "in conflict"},
		{paramplan.DoAdopt, "to adopt"},
		{paramplan.DoKeep, "in no file any more"},
	} {
		if n := p.Count(c.do); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.word))
		}
	}
	if p.Same > 0 || len(parts) == 0 {
		parts = append(parts, fmt.Sprintf("%d as they shall be", p.Same))
	}
	return strings.Join(parts, ", ")
}

// sayParamPlan tells what a plan comes to.
func sayParamPlan(env *cli.Env, p *paramplan.Plan) {
	env.Note("%s", paramSummary(p))
	if text := parameter.AdvancedNote(p.BecomeAdvanced()); text != "" {
		env.Note("%s", text)
	}
	if p.Count(paramplan.DoReplace) > 0 {
		env.Note("what is replaced is not there for half a minute, and loses its older versions and labels")
	}
}

// conflict is the error of a plan with conflicts: nothing of it is done.
func conflict(op string, p *paramplan.Plan, hint string) error {
	n := p.Count(paramplan.DoConflict)
	if n == 0 {
		return nil
	}
	first := p.Actions[slices.IndexFunc(p.Actions, func(a *paramplan.Action) bool { return a.Do == paramplan.DoConflict })]
	text := fmt.Sprintf("%s: %s", first.Name, first.Why)
	if n > 1 {
		text = fmt.Sprintf("%s in conflict, the first is %s", cli.PluralAre(n, "parameter"), text)
	}
	return fault.New(fault.Refused, op, "%s", render.Visible(text)).WithHint("%s", hint)
}

// make shows a plan, asks, and makes it so.
func (o *changes) make(ctx context.Context, env *cli.Env, ro render.Options, op string, store paramplan.Store, p *paramplan.Plan) error {
	if p.Count(paramplan.DoConflict) == 0 {
		if err := checkParamPlan(ctx, op, store, p); err != nil {
			return err
		}
	}
	if o.show {
		p.Reveal()
	}
	for _, line := range o.lines(p, env.ErrStyles()) {
		env.Note("%s", line)
	}
	sayParamPlan(env, p)
	if err := conflict(op, p, "--replace deletes and makes again what cannot be changed in place; --except leaves parameters alone"); err != nil {
		return err
	}
	n := p.Pending()
	switch {
	case n == 0:
	case o.dryRun:
		env.Note("dry run: %s not made", cli.Plural(n, "change"))
	default:
		if changed := p.Count(paramplan.DoUpdate, paramplan.DoReplace); changed > 0 && env.Flags.Yes && !o.overwrite {
			return fault.New(fault.Conflict, op, "%s there with other content, and nothing was written", cli.PluralAre(changed, "parameter")).
				WithHint("--overwrite changes them, --missing-only leaves them alone")
		}
		if err := env.Confirm(ctx, question(p, paramSite(ctx, env))); err != nil {
			return err
		}
	}
	if n == 0 || o.dryRun {
		if forMachines(ro) {
			return cli.WriteList(env, planTable, ro, p.Actions)
		}
		return nil
	}
	return o.apply(ctx, env, ro, store, nil, p)
}

// apply makes the changes of a plan that was shown and confirmed, and tells how it
// went. state may be nil.
func (o *changes) apply(ctx context.Context, env *cli.Env, ro render.Options, store paramplan.Store, state *paramplan.State, p *paramplan.Plan) error {
	progress, err := env.Progress()
	if err != nil {
		return err
	}
	defer progress.Close()
	done, failed, total := 0, 0, int64(p.Pending())
	status := func() {
		note := ""
		if failed > 0 {
			note = fmt.Sprintf("%d failed", failed)
		}
		progress.Set(render.Status{Label: "write parameters", Done: int64(done + failed), Total: total, Note: note})
	}
	status()
	ap := paramplan.Applier{Store: store, State: state, Changed: func(a paramplan.Action) {
		if a.Do == paramplan.DoAdopt || a.Do == paramplan.DoForget {
			return
		}
		line := fmt.Sprintf("%s: %s %s", a.Status, a.Do, a.Name)
		switch a.Status {
		case paramplan.Done:
			done++
		case paramplan.FailedIt:
			failed++
		}
		status()
		switch {
		case a.Status == paramplan.FailedIt:
			progress.Println(render.Visible(line + ": " + a.Error))
		case a.Note != "":
			progress.Println(render.Visible(line + ": " + a.Note))
		case a.Status == paramplan.NotTried && a.Error == "": // the failure that ended all is told once
		default:
			progress.Event(line, nil)
		}
	}}
	failure := ap.Apply(ctx, p)
	progress.Close()
	if o.show {
		p.Reveal()
	}
	if forMachines(ro) {
		if err := cli.WriteList(env, planTable, ro, p.Actions); err != nil {
			return err
		}
	}
	if failure == nil {
		if total > 0 {
			env.Note("done: %s made", cli.Plural(done, "change"))
		}
		return collided(p)
	}
	return o.partly(done, int(total), failure)
}

// collided is the error of writes that came over what nobody has seen.
func collided(p *paramplan.Plan) error {
	var names []string
	for _, a := range p.Actions {
		if a.Collided() {
			names = append(names, a.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fault.New(fault.RemoteFailed, "", "all is written, but somebody else wrote %s at the same moment, and this is above it", cli.SomeOf(names, 5)).
		WithHint("`ssmdeck param history %s` shows what they wrote", names[0])
}

// partly is the error of what was begun: nothing of it is undone.
func (o *changes) partly(done, total int, failure error) error {
	kind, hint := fault.KindOf(failure), o.again
	if first := fault.HintOf(failure); kind == fault.Auth && first != "" {
		hint = first + "; then " + hint
	}
	if kind != fault.Interrupted && done > 0 {
		kind = fault.RemoteFailed
	}
	return fault.New(kind, "", "%d of %s made: %w", done, cli.Plural(total, "change"), failure).WithHint("%s", hint)
}

// checkParamPlan is everything that the service would refuse about a plan, before
// anything is written.
func checkParamPlan(ctx context.Context, op string, store paramplan.Store, p *paramplan.Plan) error {
	if p.Pending() == 0 {
		return nil
	}
	if err := p.Complete(ctx, store); err != nil {
		return err
	}
	return cli.AllFaults(op, p.Check())
}

// paramSite is the account and Region for a question; what is not known is said.
func paramSite(ctx context.Context, env *cli.Env) string {
	account, region, err := env.Whereabouts(ctx)
	if err != nil || account == "" {
		account = "(unknown)"
	}
	return fmt.Sprintf("account %s in %s", account, region)
}

// siteAsked is the account and Region in brackets behind what a person is asked about;
// where nobody is asked it is empty, and takes no call.
func siteAsked(ctx context.Context, env *cli.Env) string {
	if env.Flags.Yes || !env.CanAsk() {
		return ""
	}
	return " (" + paramSite(ctx, env) + ")"
}

// question is what is asked before a plan is made so.
func question(p *paramplan.Plan, site string) string {
	text := "make " + cli.Plural(p.Pending(), "change") + " to parameters of " + site
	if n := p.Count(paramplan.DoDelete, paramplan.DoReplace); n > 0 {
		text += fmt.Sprintf(", %d of them deletions", n)
	}
	return text
}
