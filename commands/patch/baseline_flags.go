package patch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// baselineFlags are what create and update say of a baseline.
type baselineFlags struct {
	name, description           string
	rules, Globals, sources     []string
	approve, reject             []string
	approveLevel, rejectAction  string
	securityUpdates             string
	nonSecurity                 bool
	after                       string
	addRules                    []string
	addApprove, dropApprove     []string
	addReject, dropReject       []string
	noValidate, dryRun, replace bool
	set                         *pflag.FlagSet
}

const ruleHelp = `A rule is written as KEY=VALUE pairs: filters (product, classification, severity;
for Windows msrc-severity, product-family, patch-set; for Ubuntu and Debian priority,
section), all of which must match, with alternatives after commas; then after=7d or
until=2026-01-31, level=critical|high|medium|low|informational, and for Linux
non-security, which takes what no security notice speaks of as well.`

func (o *baselineFlags) bind(cmd *cobra.Command, update bool) {
	f := cmd.Flags()
	o.set = f
	f.StringVar(&o.description, "description", "", "`text` that says what it is for")
	f.StringArrayVar(&o.rules, "rule", nil, "approval `rule`, such as 'classification=Security severity=Critical after=7d level=high'; repeat for more")
	f.StringArrayVar(&o.Globals, "global-filter", nil, "`filter` that every patch must match, such as product=AmazonLinux2023; repeat for more")
	f.StringSliceVar(&o.approve, "approve", nil, "`patches` that are approved: KB5034127, openssl*, CVE-2026-1234; with commas, or repeated")
	f.StringVar(&o.approveLevel, "approve-level", "", "compliance `level` of those")
	f.BoolVar(&o.nonSecurity, "approve-non-security", false, "approve of those also what is no security update (Linux)")
	f.StringSliceVar(&o.reject, "reject", nil, "`patches` that are rejected; with commas, or repeated")
	f.StringVar(&o.rejectAction, "reject-action", "", "what is done with those: `allow-as-dependency` or block")
	f.StringVar(&o.securityUpdates, "security-updates", "", "nodes with security updates that are not approved are `compliant` or non-compliant (Windows)")
	f.StringArrayVar(&o.sources, "source", nil, "`repository` instead of the node's: 'name=main products=AmazonLinux2023 file=main.repo'; repeat for more (Linux)")
	f.StringVar(&o.after, "after", "", "change the delay of all rules to so many `days`, such as 14d")
	f.BoolVar(&o.noValidate, "no-validate", false, "take products, classifications and severities that are not documented")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be sent and send nothing")
	if update {
		f.StringVar(&o.name, "name", "", "change its `name`")
		f.StringArrayVar(&o.addRules, "add-rule", nil, "add a `rule` to those it has")
		f.StringSliceVar(&o.addApprove, "add-approve", nil, "add `patches` to the list of approved ones")
		f.StringSliceVar(&o.dropApprove, "drop-approve", nil, "take `patches` off the list of approved ones")
		f.StringSliceVar(&o.addReject, "add-reject", nil, "add `patches` to the list of rejected ones")
		f.StringSliceVar(&o.dropReject, "drop-reject", nil, "take `patches` off the list of rejected ones")
		f.BoolVar(&o.replace, "replace", false, "set everything that no flag names back to nothing")
	}
	level := func() []string {
		var words []string
		for _, l := range baseline.Levels {
			words = append(words, strings.ToLower(l))
		}
		return words
	}
	cli.CompleteFlag(cmd, "approve-level", level)
	cli.CompleteFlag(cmd, "reject-action", func() []string { return []string{"allow-as-dependency", "block"} })
	cli.CompleteFlag(cmd, "security-updates", func() []string { return []string{"compliant", "non-compliant"} })
}

// parsed is what the flags say, read before any call.
type parsedBaseline struct {
	rules, addRules []baseline.Rule
	Globals         []baseline.Filter
	sources         []baseline.Source
	after           *int
	problems        []baseline.Problem
}

// parse reads the flags that have a form of their own; faults are collected.
func (o *baselineFlags) parse(env *cli.Env) (p parsedBaseline) {
	under := func(flag string, i int, problems []baseline.Problem) {
		for _, x := range problems {
			where := fmt.Sprintf("--%s %d", flag, i+1)
			if x.Field != "" {
				where += ": " + x.Field
			}
			x.Field = where
			p.problems = append(p.problems, x)
		}
	}
	for i, text := range o.rules {
		r, problems := baseline.ParseRule(text)
		p.rules = append(p.rules, r)
		under("rule", i, problems)
	}
	for i, text := range o.addRules {
		r, problems := baseline.ParseRule(text)
		p.addRules = append(p.addRules, r)
		under("add-rule", i, problems)
	}
	for i, text := range o.Globals {
		filters, problems := baseline.ParseFilters(text)
		p.Globals = append(p.Globals, filters...)
		under("global-filter", i, problems)
	}
	read := env.ReadInput()
	for i, text := range o.sources {
		s, problems := baseline.ParseSource(text, read)
		p.sources = append(p.sources, s)
		under("source", i, problems)
	}
	if o.after != "" {
		days, err := baseline.ParseDays(o.after)
		if err != nil {
			p.problems = append(p.problems, baseline.Problem{Field: "--after", Text: err.Error(), Hint: "write 14 or 14d"})
		}
		p.after = &days
	}
	return p
}

// apply changes b to what the flags say. Each flag replaces what it names; those
// with add and drop change lists.
func (o *baselineFlags) apply(b *baseline.Baseline, p parsedBaseline) {
	given := o.set.Changed
	text := func(flag string, to *string, value string) {
		if given(flag) {
			*to = value
		}
	}
	word := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "_")) }
	text("name", &b.Name, o.name)
	text("description", &b.Description, o.description)
	text("approve-level", &b.ApproveLevel, word(o.approveLevel))
	text("reject-action", &b.RejectAction, word(o.rejectAction))
	text("security-updates", &b.SecurityUpdates, strings.Replace(word(o.securityUpdates), "NONCOMPLIANT", "NON_COMPLIANT", 1))
	if given("approve-non-security") {
		b.ApproveNonSecurity = o.nonSecurity
	}
	if given("rule") {
		b.Rules = p.rules
	}
	b.Rules = append(slices.Clip(b.Rules), p.addRules...)
	if p.after != nil {
		b.Rules = slices.Clone(b.Rules)
		for i := range b.Rules {
			b.Rules[i].After, b.Rules[i].Until = baseline.Days(*p.after), ""
		}
	}
	if given("global-filter") {
		b.GlobalFilters = p.Globals
	}
	if given("source") {
		b.Sources = p.sources
	}
	if given("approve") {
		b.Approve = withoutEmpty(o.approve)
	}
	if given("reject") {
		b.Reject = withoutEmpty(o.reject)
	}
	b.Approve = changedList(b.Approve, o.addApprove, o.dropApprove)
	b.Reject = changedList(b.Reject, o.addReject, o.dropReject)
}

// dropped reports what --drop-… names and the lists do not have.
func (o *baselineFlags) dropped(b baseline.Baseline) error {
	for _, list := range []struct {
		flag       string
		drop, have []string
	}{{"drop-approve", o.dropApprove, b.Approve}, {"drop-reject", o.dropReject, b.Reject}} {
		for _, entry := range list.drop {
			if !slices.Contains(list.have, entry) {
				return fault.Usagef("--%s %s: the list does not have it", list.flag, entry).WithHint("`ssmdeck patch baseline get %s` shows the lists", baseline.ShortID(b.ID))
			}
		}
	}
	return nil
}

func withoutEmpty(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
}

// changedList adds what is not there yet, and takes away.
func changedList(list, add, drop []string) []string {
	if len(add)+len(drop) == 0 {
		return list
	}
	var out []string
	for _, e := range slices.Concat(list, add) {
		if !slices.Contains(drop, e) && !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// check is the offline check of a baseline as flags make it.
func (o *baselineFlags) check(env *cli.Env, b *baseline.Baseline, p parsedBaseline) error {
	if err := baseline.Fault("the baseline", slices.Concat(p.problems, b.Check(o.noValidate))); err != nil {
		return err
	}
	warnBaseline(env, b)
	return nil
}

func warnBaseline(env *cli.Env, b *baseline.Baseline) {
	for _, w := range b.Warnings() {
		env.Note("ssmdeck: warning: %s", w)
	}
}
