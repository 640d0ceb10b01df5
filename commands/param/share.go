package param

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/accountdata"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// shareOptions are those of `param share` and `param unshare`.
type shareOptions struct {
	with    []string
	history bool
	upgrade bool
	all     bool // unshare
	dryRun  bool
}

// paramShared is who reads a parameter. The JSON names are part of the output contract.
type paramShared struct {
	Name    string   `json:"name"`
	ARN     string   `json:"arn"` // under which the others read it
	With    []string `json:"with"`
	History bool     `json:"history"`
	Type    string   `json:"type"`
	Tier    string   `json:"tier"`
	Policy  string   `json:"policy,omitempty"` // of share and unshare: as it is now, or would be
	// KeyStatement is what the key's policy must have for a SecureString.
	KeyStatement string   `json:"key_statement,omitempty"`
	PolicyIDs    []string `json:"policy_ids,omitempty"`
}

func newShareCmd(env *cli.Env) *cobra.Command {
	var o shareOptions
	cmd := &cobra.Command{
		Use:   "share <name>",
		Short: "Let other accounts read a parameter",
		Long: `Let other accounts, or users and roles of theirs, read a parameter by its ARN, which is
printed. Nobody gets it by name, or may write it. Accounts that it is shared with already
stay.

The tier must be advanced: --upgrade makes it so, by a new version with the same value, and
says what that costs. A SecureString must have a customer managed key, and the policy of
the key must let the others decrypt: what it must have is printed, and changed by nobody.

A parameter that is shared like this is read by its ARN; the lists of the other account
(` + "`ssmdeck param shared --with-me`" + `) have it when its share has been promoted in AWS
Resource Access Manager.`,
		Example: `  $ ssmdeck param share /shared/url --with 111122223333
  $ ssmdeck param share /shared/url --with 111122223333,444455556666 --upgrade --dry-run
  $ ssmdeck param share /shared/url --with arn:aws:iam::111122223333:role/app --history`,
		Args:              cli.ExactArgs("the parameter"),
		ValidArgsFunction: completeParamName(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.share(cmd.Context(), env, args[0])
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.with, "with", nil, "`accounts`, or ARNs of users and roles, that may read it")
	f.BoolVar(&o.history, "history", false, "they may read older versions, too")
	f.BoolVar(&o.upgrade, "upgrade", false, "make a standard parameter advanced, which costs money")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the policy and change nothing")
	return cmd
}

func newUnshareCmd(env *cli.Env) *cobra.Command {
	var o shareOptions
	cmd := &cobra.Command{
		Use:   "unshare <name>",
		Short: "Take a parameter back from other accounts",
		Long: `Take the right to read a parameter from some accounts, or from all with whom it is
shared. Policies that do more than ` + "`param share`" + ` are not taken apart: ` + "`ssmdeck policy`" + ` shows
and changes them.`,
		Example: `  $ ssmdeck param unshare /shared/url --with 111122223333
  $ ssmdeck param unshare /shared/url --all --yes`,
		Args:              cli.ExactArgs("the parameter"),
		ValidArgsFunction: completeParamName(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.unshare(cmd.Context(), env, args[0])
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.with, "with", nil, "`accounts`, or ARNs of users and roles, that lose it")
	f.BoolVar(&o.all, "all", false, "everybody it is shared with")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would remain and change nothing")
	return cmd
}

// check refuses, before any call, what is wrong on the command line.
func (o *shareOptions) check(env *cli.Env, operation string) (ro render.Options, err error) {
	if ro, err = env.RenderOptions(); err != nil {
		return ro, err
	}
	if err := cli.CheckObject(ro, paramShared{}); err != nil {
		return ro, err
	}
	var faults []error
	for i, who := range o.with {
		o.with[i] = parameter.Principal(who)
		if err := parameter.CheckPrincipal(o.with[i]); err != nil {
			faults = append(faults, err)
		}
	}
	switch {
	case len(o.with) == 0 && !o.all:
		faults = append(faults, fault.Usagef("with whom is not said").WithHint("name accounts with --with 111122223333"))
	case len(o.with) > 0 && o.all:
		faults = append(faults, fault.Usagef("--with and --all exclude each other"))
	}
	if len(faults) > 0 {
		return ro, cli.AllFaults("share a parameter", faults)
	}
	return ro, env.RefuseChange(operation, o.dryRun)
}

func (o *shareOptions) share(ctx context.Context, env *cli.Env, name string) error {
	ro, err := o.check(env, "PutResourcePolicy")
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	p, err := svc.Exists(ctx, name)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(o.with, func(who string) bool { return who == accountOfARN(p.ARN) }) {
		return fault.Usagef("%s is the account of the parameter itself", accountOfARN(p.ARN))
	}
	if err := o.shareable(p); err != nil {
		return err
	}
	api, err := env.API(ctx)
	if err != nil {
		return err
	}
	standard := p.Tier != parameter.Advanced
	var old accountdata.Policy
	share := parameter.Share{With: o.with, History: o.history}
	if !standard { // others have no policies
		if old, share, err = o.merged(ctx, api, p.ARN); err != nil {
			return err
		}
	}
	policy, err := share.Policy(p.ARN)
	if err != nil {
		return err
	}
	shared := paramShared{Name: p.Name, ARN: p.ARN, With: share.With, History: share.History, Type: p.Type, Tier: parameter.Advanced, Policy: policy}
	if p.Secure() {
		shared.KeyStatement = parameter.KeyStatement(share.With)
	}
	show := func() error {
		return render.Object(env.Out, ro, shared, func(d *render.Detail) { sharedDetails(d, shared) })
	}
	switch {
	case accountdata.SameJSON(old.Policy, policy):
		env.Note("ssmdeck: no change: it is shared so already")
		return show()
	case o.dryRun:
		if standard {
			env.Note("ssmdeck: %s", parameter.AdvancedNote(1))
		}
		env.Note("ssmdeck: nothing was changed")
		return show()
	}
	ask := "let " + strings.Join(o.with, ", ") + " read " + p.Name
	if standard {
		ask = parameter.AdvancedNote(1) + "; make " + p.Name + " advanced, and " + ask
	}
	if err := env.Confirm(ctx, ask); err != nil {
		return err
	}
	if standard {
		if err := upgradeParam(ctx, svc, p); err != nil {
			return err
		}
		env.Note("ssmdeck: %s is advanced now", p.Name)
	}
	if err := putSharePolicy(ctx, api, p.ARN, policy, old); err != nil {
		return err
	}
	o.explain(env, p)
	return show()
}

// shareable says what the service would refuse: all of it at once.
func (o *shareOptions) shareable(p parameter.Parameter) error {
	var faults []error
	if p.Tier != parameter.Advanced && !o.upgrade {
		faults = append(faults, fault.Usagef("%s is a standard parameter, and only advanced ones can be shared", p.Name).
			WithHint("--upgrade makes it advanced, for %v a month and for good", parameter.AdvancedMonth))
	}
	if p.Secure() && parameter.OwnKey(p.KeyID) {
		faults = append(faults, fault.Usagef("%s is encrypted with AWS's own key, which cannot be shared", p.Name).
			WithHint("encrypt it with a customer managed key first: ssmdeck param get %[1]s --decrypt | ssmdeck param set %[1]s - --key alias/KEY --overwrite", p.Name))
	}
	return cli.AllFaults("share "+p.Name, faults)
}

// merged finds the policy that the share belongs into, with those who are in it already.
func (o *shareOptions) merged(ctx context.Context, api *rawapi.Service, arn string) (accountdata.Policy, parameter.Share, error) {
	share := parameter.Share{With: o.with, History: o.history}
	all, err := accountdata.PoliciesOf(ctx, api, arn)
	if err != nil {
		return accountdata.Policy{}, share, err
	}
	for _, p := range all {
		have, ok := parameter.ShareFrom(p.Policy)
		if !ok {
			continue
		}
		switch {
		case have.History && !o.history && containsAll(have.With, o.with):
			return p, have, nil // sharing takes nothing away
		case have.History && !o.history, !have.History && o.history && !containsAll(o.with, have.With):
			continue // the others keep what they have
		}
		share.With = uniqueSorted(slices.Concat(have.With, o.with))
		return p, share, nil
	}
	share.With = uniqueSorted(o.with)
	return accountdata.Policy{}, share, nil
}

func containsAll(list, all []string) bool {
	return !slices.ContainsFunc(all, func(s string) bool { return !slices.Contains(list, s) })
}

// upgradeParam makes a parameter advanced, by a version that is the same otherwise.
func upgradeParam(ctx context.Context, svc *parameter.Service, p parameter.Parameter) error {
	found, _, err := svc.Get(ctx, []string{p.Name}, true)
	switch {
	case err != nil:
		return err
	case len(found) == 0 || found[0].Version != p.Version:
		return fault.New(fault.Conflict, "make "+p.Name+" advanced", "it was changed meanwhile").WithHint("run the command again")
	}
	c := parameter.Change{Name: p.Name, Value: found[0].Value, Tier: parameter.Advanced, Overwrite: true}.Keeping(p)
	if faults := parameter.CheckChange(c, &p); len(faults) > 0 {
		return cli.AllFaults("make "+p.Name+" advanced", faults)
	}
	_, err = svc.Put(ctx, c)
	return err
}

func putSharePolicy(ctx context.Context, api *rawapi.Service, arn, policy string, old accountdata.Policy) error {
	in := map[string]any{"ResourceArn": arn, "Policy": policy}
	if old.PolicyID != "" {
		in["PolicyId"], in["PolicyHash"] = old.PolicyID, old.PolicyHash
	}
	if _, err := api.Do(ctx, "PutResourcePolicy", in); err != nil {
		return accountdata.About("share "+arn, err)
	}
	return nil
}

// explain says what is left to do for the others to read it.
func (o *shareOptions) explain(env *cli.Env, p parameter.Parameter) {
	env.Note("ssmdeck: the others read it with: ssmdeck param get %s%s", p.ARN, map[bool]string{true: " --decrypt"}[p.Secure()])
	if p.Secure() {
		env.Note("ssmdeck: the policy of the key %s must have: %s", render.Visible(p.KeyID), parameter.KeyStatement(o.with))
	}
}

func (o *shareOptions) unshare(ctx context.Context, env *cli.Env, name string) error {
	ro, err := o.check(env, "PutResourcePolicy")
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	p, err := svc.Exists(ctx, name)
	if err != nil {
		return err
	}
	api, err := env.API(ctx)
	if err != nil {
		return err
	}
	steps, rest, err := o.unshareSteps(ctx, api, p)
	if err != nil {
		return err
	}
	shared := paramShared{Name: p.Name, ARN: p.ARN, With: rest, Type: p.Type, Tier: p.Tier}
	show := func() error {
		return render.Object(env.Out, ro, shared, func(d *render.Detail) { sharedDetails(d, shared) })
	}
	if o.dryRun {
		env.Note("ssmdeck: nothing was changed")
		return show()
	}
	if err := env.Confirm(ctx, "take "+p.Name+" from "+strings.Join(o.with, ", ")); err != nil {
		return err
	}
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return show()
}

// unshareSteps are the calls that take the parameter back, and who keeps it.
func (o *shareOptions) unshareSteps(ctx context.Context, api *rawapi.Service, p parameter.Parameter) (steps []func() error, rest []string, err error) {
	rest = []string{}
	var all []accountdata.Policy
	if p.Tier == parameter.Advanced {
		if all, err = accountdata.PoliciesOf(ctx, api, p.ARN); err != nil {
			return nil, nil, err
		}
	}
	found := map[string]bool{}
	var odd []error
	for _, policy := range all {
		share, ok := parameter.ShareFrom(policy.Policy)
		keeps := slices.DeleteFunc(slices.Clone(share.With), func(who string) bool { return o.all || slices.Contains(o.with, who) })
		rest = append(rest, keeps...)
		for _, who := range share.With {
			found[who] = found[who] || !slices.Contains(keeps, who)
		}
		switch {
		case len(keeps) == len(share.With) && (ok || !o.all):
		case !ok:
			odd = append(odd, fault.New(fault.Failed, "", "the policy %s of %s does more than share it, and was not changed", policy.PolicyID, p.Name).
				WithHint("see it with `ssmdeck policy get %s`", p.ARN))
		case len(keeps) == 0:
			steps = append(steps, func() error {
				_, err := api.Do(ctx, "DeleteResourcePolicy", map[string]any{"ResourceArn": p.ARN, "PolicyId": policy.PolicyID, "PolicyHash": policy.PolicyHash})
				return err
			})
		default:
			text, err := parameter.Share{With: keeps, History: share.History}.Policy(p.ARN)
			if err != nil {
				return nil, nil, err
			}
			steps = append(steps, func() error { return putSharePolicy(ctx, api, p.ARN, text, policy) })
		}
	}
	if len(odd) > 0 {
		return nil, nil, errors.Join(odd...)
	}
	var strangers []string
	for _, who := range o.with {
		if !found[who] {
			strangers = append(strangers, who)
		}
	}
	switch {
	case len(strangers) > 0:
		return nil, nil, fault.New(fault.NotFound, "", "%s is not shared with %s", p.Name, strings.Join(strangers, ", ")).WithHint("see `ssmdeck param shared %s`", p.Name)
	case len(steps) == 0:
		return nil, nil, fault.New(fault.NotFound, "", "%s is not shared", p.Name)
	}
	if o.all {
		for who, gone := range found {
			if gone {
				o.with = append(o.with, who)
			}
		}
		slices.Sort(o.with)
	}
	return steps, rest, nil
}

func accountOfARN(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

func sharedDetails(d *render.Detail, s paramShared) {
	d.ID(s.ARN)
	d.Field("name", s.Name)
	d.Field("arn", s.ARN)
	d.Field("with", strings.Join(s.With, ", "))
	if s.History {
		d.Human("history", "true", "older versions, too")
	}
	if s.Policy != "" {
		d.Field("policy", s.Policy)
	}
	if s.KeyStatement != "" {
		d.Field("key statement", s.KeyStatement)
	}
}
