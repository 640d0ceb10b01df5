package param

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramplan"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// promote are the flags of promote.
type promote struct {
	changes
	rules    []string
	ruleFile string
	key      string
	rekeyed  []string // names at the target, of SecureStrings whose key does not go along
}

func newPromoteCmd(env *cli.Env) *cobra.Command {
	var o promote
	cmd := &cobra.Command{
		Use:   "promote <from> <to>",
		Short: "Take parameters from one environment to another",
		Long: `Make the parameters below one path as those below another are: types, values, data
types, and the descriptions and allowed patterns that there are. What would be created
and changed is shown and asked about; where nobody is asked, because of --yes,
parameters that exist are changed only with --overwrite. Nothing is deleted, and tags,
policies, tiers and keys of the target stay. Values that mention the environment that they come from are
told of.

` + placeHelp + `

--map changes names: OLD=NEW one name, old/=new/ all below a path, 's/EXPR/NEW/' what
a regular expression finds. Names are those below FROM; the first rule that fits is
taken.`,
		Example: `  $ ssmdeck param promote /app/dev /app/prod --missing-only
  $ ssmdeck param promote dev@:/app prod@:/app --map 's/dev/prod/' --key alias/app-prod
  $ ssmdeck param promote /app/prod eu-west-1:/app/prod --except 'local/*' --overwrite --yes`,
		Args: cli.ExactArgs("from", "to"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, env, args) },
	}
	o.bind(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.rules, "map", nil, "change names by `rule`: OLD=NEW, old/=new/, 's/EXPR/NEW/'")
	f.StringVar(&o.ruleFile, "map-file", "", "change names by the rules in `file`, one a line")
	f.StringVar(&o.key, "key", "", "encrypt SecureStrings with this KMS `key` of the target")
	o.bindExisting(cmd)
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change and change nothing")
	return cmd
}

// renames are the rules of --map and --map-file.
func (o *promote) renames(env *cli.Env) (rules paramplan.Renames, err error) {
	add := func(text, where string) error {
		r, err := paramplan.ParseRename(text)
		if err != nil {
			return fault.Usagef("%s: %w", where, err).WithHint("%s", fault.HintOf(err))
		}
		rules = append(rules, r...)
		return nil
	}
	for _, text := range o.rules {
		if err := add(text, "--map"); err != nil {
			return nil, err
		}
	}
	if o.ruleFile == "" {
		return rules, nil
	}
	data, err := env.ReadInput()(o.ruleFile)
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(string(data), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := add(line, fmt.Sprintf("%s:%d", o.ruleFile, i+1)); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

func (o *promote) run(cmd *cobra.Command, env *cli.Env, args []string) error {
	ctx := cmd.Context()
	ro, err := cli.ListOptions(env, planTable)
	if err != nil {
		return err
	}
	if err := o.checkExisting(); err != nil {
		return err
	}
	if err := env.RefuseChange("PutParameter", o.dryRun); err != nil {
		return err
	}
	var places [2]paramPlace
	for i, arg := range args {
		if places[i], err = parseParamPlace(arg); err != nil {
			return err
		}
		if err := parameter.CheckPath(places[i].path); err != nil {
			return err
		}
		places[i].path = path.Clean(places[i].path)
	}
	if places[0] == places[1] {
		return fault.Usagef("both are %s", places[0])
	}
	rules, err := o.renames(env)
	if err != nil {
		return err
	}
	keeps, err := o.keeps()
	if err != nil {
		return err
	}
	sides, err := openParamPlaces(ctx, env, places[:]...)
	if err != nil {
		return err
	}
	from, to := sides[0], sides[1]
	source, err := awsapi.Collect(from.svc.Read(ctx, parameter.Query{Path: from.path}, true))
	if err != nil {
		return err
	}
	if len(source) == 0 {
		return fault.New(fault.NotFound, "", "there is no parameter below %s", places[0]).WithHint("`ssmdeck param list` lists what there is")
	}
	desired, err := o.desired(source, from.path, to.path, rules, keeps)
	if err != nil {
		return err
	}
	live, err := paramplan.Look(ctx, to.svc, desired, nil, "")
	if err != nil {
		return err
	}
	p := paramplan.Make(desired, live, paramplan.Options{Replace: o.replace, MissingOnly: o.missing})
	p.Warn(mentionsOf(from.path, to.path))
	made := slices.DeleteFunc(o.rekeyed, func(name string) bool { _, there := live.Parameters[name]; return there })
	if len(made) > 0 {
		env.Note("note: %s under a key of somebody's own at the source, and made here under the account's own, alias/aws/ssm; --key names another", cli.PluralAre(len(made), parameter.SecureString))
	}
	o.again = "promote again: it goes on where this ended"
	target := *to.env
	return o.make(ctx, &target, ro, fmt.Sprintf("promote %s to %s", places[0], places[1]), to.svc, p)
}

// desired is what the source wants of the target.
func (o *promote) desired(source []parameter.Parameter, from, to string, rules paramplan.Renames, keeps func(string) bool) ([]paramplan.Desired, error) {
	slices.SortFunc(source, func(a, b parameter.Parameter) int { return strings.Compare(a.Name, b.Name) })
	var list []paramplan.Desired
	made := map[string]string{}
	var faults []error
	for _, p := range source {
		if !keeps(p.Name) {
			continue
		}
		name := strings.TrimSuffix(to, "/") + "/" + rules.Apply(strings.TrimPrefix(p.Name, strings.TrimSuffix(from, "/")+"/"))
		if first := made[name]; first != "" {
			faults = append(faults, fault.Usagef("%s and %s would both be %s", render.Visible(first), render.Visible(p.Name), render.Visible(name)).WithHint("change --map, or leave one out with --except"))
			continue
		}
		made[name] = p.Name
		d := paramplan.Desired{Name: name, Type: p.Type, Value: &p.Value, DataType: p.DataType}
		if p.Description != "" { // what has none takes none away
			d.Description = &p.Description
		}
		if p.AllowedPattern != "" {
			d.AllowedPattern = &p.AllowedPattern
		}
		if len(p.Value) > parameter.StandardBytes {
			d.Tier = parameter.Advanced // no other holds it
		}
		if p.Secure() {
			if d.KeyID = o.key; o.key == "" && !parameter.OwnKey(p.KeyID) {
				o.rekeyed = append(o.rekeyed, name)
			}
		}
		list = append(list, d)
	}
	if len(list) == 0 && len(faults) == 0 {
		return nil, fault.New(fault.NotFound, "", "--only and --except leave nothing of %s", cli.Plural(len(source), "parameter"))
	}
	return list, cli.AllFaults("promote", faults)
}

// mentionsOf are the words that tell of the environment that values come from: its
// path, and the parts of it that the other one has not.
func mentionsOf(from, to string) []string {
	words := []string{}
	if from != to && from != "/" {
		words = append(words, from)
	}
	other := strings.Split(to, "/")
	for _, part := range strings.Split(from, "/") {
		if part != "" && !slices.Contains(other, part) {
			words = append(words, part)
		}
	}
	return words
}
