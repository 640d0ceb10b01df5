package param

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramplan"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// setFlags are the flags of set.
type setFlags struct {
	value    paramInput
	policies policyFlags

	secure                                         bool
	typ, tier, key, description, pattern, dataType string
	clearDescription, clearPattern                 bool
	overwrite, onlyIfChanged, asGiven, dryRun      bool
	wait                                           time.Duration
	ifVersion                                      int64
	tags, labels                                   []string
}

func newSetCmd(env *cli.Env) *cobra.Command {
	var f setFlags
	cmd := &cobra.Command{
		Use: "set <name> [value|-|@file]", Aliases: []string{"put"},
		Short: "Write a parameter: make it, or give it a new version",
		Long: `Write a parameter. The value is the word behind the name, the bytes of standard
input (-), or those of a file (@FILE); without any of them it is asked for, twice
and hidden. It is never trimmed, changed or fetched from anywhere. --value and
--value-file take it whatever it begins with.

A parameter that exists is an error (exit code 1) without --overwrite. With it, its
description, allowed pattern, data type, key, tier and policies stay unless a flag
says otherwise, although the service would drop some of them: they are read first.
--as-given reads nothing and sends the flags alone. A policy flag replaces the
policies of its own type; those of other types stay.

Everything the service would refuse about names, values, tiers, patterns, policies
and tags is found before anything is sent. A write without an answer is looked up.
Nothing can make the service write only if a version is still the latest:
--if-version looks before, and says afterwards when another was quicker.

The advanced tier costs 0.05 USD a month for each parameter, and none goes back. Tags
of a parameter that exists: ssmdeck tag add param//app/prod/db-url team=shop.`,
		Example: `  $ ssmdeck param set /app/prod/db-url postgres://db-1/app
  $ ssmdeck param set /app/prod/db-password --secure
  $ printf %s "$PASSWORD" | ssmdeck param set /app/prod/db-password - --secure --key alias/app --overwrite
  $ ssmdeck param set /app/prod/license @license.pem --tier advanced --expires 90d --notify-before 15d
  $ ssmdeck param set /app/prod/hosts a,b,c --type StringList --tag team=shop --label live`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cli.MinArgs("the name")(cmd, args); err != nil {
				return err
			}
			return f.value.settle(cmd, args[1:])
		},
		ValidArgsFunction: completeParamName(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("if-version") && f.ifVersion < 1 {
				return fault.Usagef("--if-version %d is no version", f.ifVersion).WithHint("versions count from 1; `ssmdeck param history %s` lists them", args[0])
			}
			return paramSet(cmd.Context(), env, &f, args[0])
		},
	}
	hideBadWords(cmd)
	f.bind(env, cmd)
	return cmd
}

func (f *setFlags) bind(_ *cli.Env, cmd *cobra.Command) {
	f.value.bind(cmd)
	fl := cmd.Flags()
	fl.BoolVar(&f.secure, "secure", false, "keep it encrypted: the type SecureString")
	fl.StringVar(&f.typ, "type", "", "the `type`: String (default for new ones), StringList, SecureString")
	fl.StringVar(&f.key, "key", "", "the KMS `key` of a SecureString: id, ARN or alias/NAME; default: the account's own for Systems Manager")
	fl.StringVar(&f.tier, "tier", "", "the `tier`: standard, advanced, intelligent (default: the account's setting)")
	fl.StringVar(&f.description, "description", "", "describe it in this `text`")
	fl.BoolVar(&f.clearDescription, "clear-description", false, "remove the description that it has")
	fl.StringVar(&f.pattern, "allowed-pattern", "", "let the service accept only values that match this regular `expression`")
	fl.BoolVar(&f.clearPattern, "clear-pattern", false, "remove the allowed pattern that it has")
	fl.StringVar(&f.dataType, "data-type", "", "the `kind` of text: text, aws:ec2:image, aws:ssm:integration")
	f.policies.bind(cmd)
	fl.BoolVar(&f.overwrite, "overwrite", false, "write a new version if the parameter exists")
	fl.BoolVar(&f.onlyIfChanged, "only-if-changed", false, "with --overwrite, write nothing when it is so already")
	fl.Int64Var(&f.ifVersion, "if-version", 0, "with --overwrite, only if this `version` is the latest")
	fl.BoolVar(&f.asGiven, "as-given", false, "with --overwrite, read nothing first: what the flags do not say may be lost")
	fl.StringArrayVar(&f.tags, "tag", nil, "put the tag `KEY=VALUE` on it; repeat for several")
	fl.StringArrayVar(&f.labels, "label", nil, "put this `label` on the version that is written; repeat for several")
	fl.DurationVar(&f.wait, "wait", 0, "with the data type aws:ec2:image, wait so `long` for the service to check the image, such as 30s")
	fl.BoolVar(&f.dryRun, "dry-run", false, "say what would be written, and write nothing")
	cli.CompleteFlag(cmd, "type", func() []string { return parameter.Types })
	cli.CompleteFlag(cmd, "tier", func() []string { return []string{"standard", "advanced", "intelligent"} })
	cli.CompleteFlag(cmd, "data-type", func() []string { return parameter.DataTypes })
}

// change is what the flags say; every fault of theirs is in faults.
func (f *setFlags) change(name string, now time.Time) (c parameter.Change, policies []parameter.Terms, faults []error) {
	c = parameter.Change{
		Name: name, Type: f.typ, Tier: parameterTier(f.tier), KeyID: f.key, Description: f.description, AllowedPattern: f.pattern,
		DataType: f.dataType, Overwrite: f.overwrite, ClearDescription: f.clearDescription, ClearPattern: f.clearPattern,
	}
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fault.Usagef(format, args...))
		}
	}
	for _, t := range parameter.Types { // stringlist is what people type
		if strings.EqualFold(t, c.Type) {
			c.Type = t
		}
	}
	add(f.secure && c.Type != "" && c.Type != parameter.SecureString, "--secure and --type %s are two types", c.Type)
	add(f.clearDescription && f.description != "", "--description and --clear-description together")
	add(f.clearPattern && f.pattern != "", "--allowed-pattern and --clear-pattern together")
	add(f.onlyIfChanged && !f.overwrite, "--only-if-changed is for --overwrite")
	add(f.ifVersion > 0 && !f.overwrite, "--if-version is for --overwrite")
	add(f.asGiven && !f.overwrite, "--as-given is for --overwrite")
	add(f.asGiven && (f.onlyIfChanged || f.ifVersion > 0), "--as-given reads nothing, which --only-if-changed and --if-version need")
	if f.secure && c.Type == "" || f.key != "" && c.Type == "" && !f.overwrite {
		c.Type = parameter.SecureString
	}
	policies, wrong := f.policies.parse(now)
	faults = append(faults, wrong...)
	if len(wrong) == 0 {
		c.Policies = f.policies.text(policies, nil)
	}
	tags, err := cli.ParseTags(f.tags)
	if err != nil {
		faults = append(faults, err)
	}
	c.Tags = tags
	return c, policies, append(faults, parameter.CheckLabels(f.labels)...)
}

// parameterTier is the service's word for a tier; what is none stays, to be told of.
func parameterTier(word string) string {
	if tier, err := paramplan.ParseTier(word); err == nil {
		return tier
	}
	return word
}

// paramOutcome is what a write did, or would do.
type paramOutcome struct {
	Result  string            `json:"result"` // created, updated, unchanged; would_create, would_update
	Name    string            `json:"name"`
	Type    string            `json:"type,omitempty"`
	Version int64             `json:"version,omitempty"`
	Tier    string            `json:"tier,omitempty"`
	KeyID   string            `json:"key_id,omitempty"`
	Labels  []string          `json:"labels,omitempty"` // put on this version
	Tags    map[string]string `json:"tags,omitempty"`   // set by this write
}

func writeParamOutcome(env *cli.Env, ro render.Options, r paramOutcome) error {
	return render.Object(env.Out, ro, r, func(d *render.Detail) {
		d.ID(r.Name)
		d.Field("Result", strings.ReplaceAll(r.Result, "_", " "))
		d.Field("Name", r.Name)
		for _, f := range [][2]string{{"Type", r.Type}, {"Tier", r.Tier}, {"Key", r.KeyID}, {"Labels", strings.Join(r.Labels, ", ")}, {"Tags", tagWords(r.Tags)}} {
			if f[1] != "" {
				d.Field(f[0], f[1])
			}
			if f[0] == "Type" && r.Version > 0 {
				d.Field("Version", itoa(r.Version))
			}
		}
	})
}

func tagWords(tags map[string]string) string {
	words := make([]string, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, k+"="+tags[k])
	}
	return strings.Join(words, ", ")
}

func paramSet(ctx context.Context, env *cli.Env, f *setFlags, name string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckObject(ro, paramOutcome{}); err != nil {
		return err
	}
	op := "write parameter " + render.Visible(name)
	c, policies, faults := f.change(name, time.Now())
	early := func() parameter.Change { // what can be checked before the parameter is read
		c := withoutTags(c)
		if c.Overwrite && !f.asGiven && !f.policies.whole(policies) {
			c.Policies = ""
		}
		return c
	}
	faults = append(faults, parameter.CheckFields(early(), parameter.Unknown)...)
	if len(faults) == 0 {
		faults = parameter.CheckTags(c.Tags)
	}
	if err := cli.AllFaults(op, faults); err != nil {
		return err
	}
	if err := env.RefuseChange("PutParameter", f.dryRun); err != nil {
		return err
	}
	if !f.value.asked() {
		if c.Value, err = f.value.read(ctx, env); err != nil {
			return err
		}
		if err := cli.AllFaults(op, parameter.CheckChange(early(), parameter.Unknown)); err != nil {
			return err
		}
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	current, err := paramBefore(ctx, f, svc, &c)
	if err != nil {
		return err
	}
	if current != nil && current != parameter.Unknown {
		if f.policies.given() {
			c.Policies = f.policies.text(policies, current.Policies)
		}
	}
	if f.value.asked() {
		if err := cli.AllFaults(op, parameter.CheckFields(withoutTags(c), current)); err != nil {
			return err
		}
		if c.Value, err = askParamValue(ctx, env, name); err != nil {
			return err
		}
	}
	if err := cli.AllFaults(op, parameter.CheckChange(withoutTags(c), current)); err != nil {
		return err
	}
	sayParamWrite(env, f, c, current)
	if f.onlyIfChanged && current != nil {
		same, err := paramUnchanged(ctx, svc, c, *current)
		if err != nil {
			return err
		}
		if same {
			return finish(ctx, env, ro, f, svc, c, paramOutcome{
				Result: "unchanged", Name: name, Type: current.Type, Version: current.Version, Tier: current.Tier, KeyID: current.KeyID,
			})
		}
	}
	return put(ctx, env, ro, f, svc, c, current)
}

// withoutTags is c as it is checked and sent when the parameter exists: its tags go on
// their own.
func withoutTags(c parameter.Change) parameter.Change {
	if c.Overwrite {
		c.Tags = nil
	}
	return c
}

// paramBefore reads the parameter that is overwritten, and completes c by what it has.
// It is nil when there is none, and Unknown when it was not to be looked at.
func paramBefore(ctx context.Context, f *setFlags, svc *parameter.Service, c *parameter.Change) (*parameter.Parameter, error) {
	if f.asGiven {
		return parameter.Unknown, nil
	}
	if !c.Overwrite {
		if c.Type == "" {
			c.Type = parameter.String
		}
		return nil, nil
	}
	p, err := svc.Exists(ctx, c.Name)
	switch {
	case fault.KindOf(err) == fault.NotFound && f.ifVersion == 0:
		c.Overwrite = false // it is new, and may have its tags at once
		if c.Type == "" {
			c.Type = parameter.String
			if c.KeyID != "" {
				c.Type = parameter.SecureString
			}
		}
		return nil, nil
	case fault.KindOf(err) == fault.Auth:
		return nil, fault.New(fault.Auth, "write parameter "+c.Name, "what it has now, and would lose, cannot be read: %w", err).
			WithHint("allow ssm:DescribeParameters, or add --as-given to send what the flags say and nothing else")
	case err != nil:
		return nil, err
	case f.ifVersion > 0 && p.Version != f.ifVersion:
		return nil, fault.New(fault.Conflict, "write parameter "+c.Name, "version %d is the latest, not %d; nothing was written", p.Version, f.ifVersion).
			WithHint("see `ssmdeck param history %s`", c.Name)
	}
	*c = c.Keeping(p)
	return &p, nil
}

// paramUnchanged reports whether c would make a version like the present one. Values are
// compared here; they are not shown.
func paramUnchanged(ctx context.Context, svc *parameter.Service, c parameter.Change, current parameter.Parameter) (bool, error) {
	if c.Description != current.Description || c.AllowedPattern != current.AllowedPattern || current.Secure() && !parameter.SameKey(c.KeyID, current.KeyID) ||
		parameter.TierFor(c, &current) != current.Tier || c.DataType != current.DataType ||
		c.Policies != "" && !parameter.SamePolicies(c.Policies, current.Policies) {
		return false, nil
	}
	found, _, err := svc.Get(ctx, []string{c.Name}, true)
	if err != nil {
		return false, err
	}
	return len(found) == 1 && found[0].Value == c.Value && found[0].Version == current.Version, nil
}

// sayParamWrite tells what costs money, and what is easily overlooked.
func sayParamWrite(env *cli.Env, f *setFlags, c parameter.Change, current *parameter.Parameter) {
	typ := c.Type
	sayParamValue(env, c, &f.value, typ == parameter.SecureString)
	for _, doubt := range parameter.Doubts(c, current) {
		env.Note("note: %s", doubt)
	}
	if f.typ == "" && current == nil && typ == parameter.String && looksSecret(c.Name) {
		env.Note("note: %s is written as a String, which anyone can read who may read parameters; --secure encrypts", c.Name)
	}
	if current != parameter.Unknown && parameter.TierFor(c, current) == parameter.Advanced && (current == nil || current.Tier != parameter.Advanced) {
		env.Note("note: the advanced tier costs %s a month for this parameter, and it cannot go back to the standard tier", parameter.AdvancedMonth)
	}
}
