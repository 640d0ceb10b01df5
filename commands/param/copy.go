package param

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// copyFlags are the flags of copy and move.
type copyFlags struct {
	recursive, overwrite, history, noTags, dryRun bool
	keys                                          []string

	move bool
}

func (f *copyFlags) bind(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.BoolVar(&f.recursive, "recursive", false, "all parameters below a path")
	fl.BoolVar(&f.overwrite, "overwrite", false, "write over what is at the target and differs, after asking")
	fl.BoolVar(&f.history, "history", false, "all versions with their labels, not only the latest; versions count anew")
	fl.BoolVar(&f.noTags, "no-tags", false, "leave the tags out")
	fl.StringArrayVar(&f.keys, "key", nil, "encrypt SecureStrings there with this KMS `key`; OLD=NEW for those encrypted with OLD; repeat for several")
	fl.BoolVar(&f.dryRun, "dry-run", false, "list what would be written, and write nothing")
}

// word is what the command does.
func (f *copyFlags) word() string { return map[bool]string{false: "copy", true: "move"}[f.move] }

func newCopyCmd(env *cli.Env) *cobra.Command {
	var f copyFlags
	cmd := &cobra.Command{
		Use: "copy <source> <target>", Aliases: []string{"cp"},
		Short: "Copy parameters to other names, Regions or accounts",
		Long: `Copy a parameter, or with --recursive all below a path, with type, tier, key,
description, allowed pattern, data type, policies and tags. A target that ends in a
slash is a path to copy into.

` + placeHelp + `

A target that is there already and differs is an error, and then nothing is written;
--overwrite gives it a new version. One that is the same is left alone: a copy that was
interrupted goes on when it is given again. --history writes all versions that the
service has kept, with their labels; they count from 1 there, and older ones have no
policies.

Keys are not the same elsewhere: --key names the one for the target, and is needed
where the source has a key by its id or ARN.`,
		Example: `  $ ssmdeck param copy /app/prod/db-url /app/test/db-url
  $ ssmdeck param copy /app/prod eu-west-1:/app/prod --recursive --key alias/app --dry-run
  $ ssmdeck param copy prod@eu-west-1:/app/prod test@:/app/test --recursive --history
  $ ssmdeck param copy /app/prod/db-url:3 /app/prod/db-url-before`,
		Args: cli.ExactArgs("the source", "the target"), ValidArgsFunction: completeParamName(env, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return paramCopy(cmd.Context(), env, &f, args[0], args[1])
		},
	}
	f.bind(cmd)
	return cmd
}

func newMoveCmd(env *cli.Env) *cobra.Command {
	f := copyFlags{move: true}
	cmd := &cobra.Command{
		Use: "move <source> <target>", Aliases: []string{"mv", "rename"},
		Short: "Move parameters to other names, Regions or accounts",
		Long: `Move a parameter, or with --recursive all below a path: copy it with all that belongs
to it (see ssmdeck param copy), read everything back, and only when all of it is there
and equal delete the source. If anything fails or changed meanwhile nothing is deleted;
given again, it goes on.

The service cannot rename: without --history the versions and labels of the source are
lost, which is asked about. Whatever reads the old name has to be told the new one.

` + placeHelp,
		Example: `  $ ssmdeck param move /app/prod/db-url /app/prod/database/url --history
  $ ssmdeck param move /app/prod eu-west-1:/app/prod --recursive --dry-run`,
		Args: cli.ExactArgs("the source", "the target"), ValidArgsFunction: completeParamName(env, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return paramCopy(cmd.Context(), env, &f, args[0], args[1])
		},
	}
	f.bind(cmd)
	return cmd
}

// parseParamKeys reads --key.
func parseParamKeys(texts []string) (k parameter.Keys, err error) {
	k.Of = map[string]string{}
	for _, text := range texts {
		from, to, mapped := strings.Cut(text, "=")
		switch {
		case !mapped && k.All != "" && k.All != text:
			return k, fault.Usagef("--key %s and --key %s both stand for all keys", k.All, text).WithHint("write OLD=NEW to say which key takes the place of which")
		case !mapped:
			k.All = text
		case from == "" || to == "":
			return k, fault.Usagef("--key %q is no OLD=NEW", text)
		default:
			k.Of[from] = to
		}
	}
	return k, nil
}

// copyNames are the checked words of a copy.
type copyNames struct {
	source, target paramPlace
	version        paramVersion // of a single source
	into           bool         // target is a path
}

func (f *copyFlags) names(source, target string) (n copyNames, faults faultList) {
	var err error
	n.source, err = parseParamPlace(source)
	faults.add(err)
	n.target, err = parseParamPlace(target)
	faults.add(err)
	if len(faults) > 0 {
		return n, faults
	}
	n.into = strings.HasSuffix(n.target.path, "/")
	switch {
	case f.recursive:
		faults.add(parameter.CheckPath(n.source.path))
		faults.add(parameter.CheckPath(n.target.path))
	default:
		n.version, err = parseParamVersion(n.source.path)
		faults.add(err)
		if n.into {
			faults.add(parameter.CheckPath(n.target.path))
		} else {
			faults.add(parameter.CheckName(n.target.path))
		}
	}
	selects := n.version.version > 0 || n.version.label != ""
	if selects && (f.history || f.move) {
		faults.add(fault.Usagef("%s is one version, and --history and move take them all", source).WithHint("name the parameter without the version"))
	}
	return n, faults
}

// name is the name at the target.
func (n copyNames) name(source string, recursive bool) string {
	switch {
	case recursive:
		rest := source
		if n.source.path != "/" {
			rest = strings.TrimPrefix(source, strings.TrimSuffix(n.source.path, "/"))
		}
		return strings.TrimSuffix(n.target.path, "/") + "/" + strings.TrimPrefix(rest, "/")
	case n.into:
		return n.target.path + source[strings.LastIndex(source, "/")+1:]
	}
	return n.target.path
}

func paramCopy(ctx context.Context, env *cli.Env, f *copyFlags, source, target string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	table := copiedTable()
	if err := table.Check(ro); err != nil {
		return err
	}
	n, faults := f.names(source, target)
	keys, err := parseParamKeys(f.keys)
	if err != nil {
		faults = append(faults, err)
	}
	if err := cli.AllFaults(f.word()+" parameters", faults); err != nil {
		return err
	}
	if err := env.RefuseChange("PutParameter", f.dryRun); err != nil {
		return err
	}
	sides, err := openParamPlaces(ctx, env, n.source, n.target)
	if err != nil {
		return err
	}
	from, to := sides[0], sides[1]
	sources, err := paramSources(ctx, f, n, from.svc)
	if err != nil {
		return err
	}
	here := from.env.Opened() == to.env.Opened()
	if err := checkCopy(f, n, sources, keys, here); err != nil {
		return err
	}
	list, err := parameter.PlanCopy(ctx, from.svc, to.svc, sources, parameter.CopyOptions{
		Keys: keys, History: f.history, Tags: !f.noTags, Target: func(name string) string { return n.name(name, f.recursive) },
	})
	if err != nil {
		return err
	}
	if err := checkCopying(f, list); err != nil {
		return err
	}
	advanced := 0
	for i := range list {
		if list[i].BecomesAdvanced() {
			advanced++
		}
	}
	if text := parameter.AdvancedNote(advanced); text != "" {
		env.Note("%s", text)
	}
	if f.dryRun {
		env.Note("dry run: nothing was written")
		return table.Write(env.Out, ro, cli.Each(copiedRows(list, nil, nil, "would_")))
	}
	if err := confirmCopy(ctx, env, f, from, to, list); err != nil {
		return err
	}
	return copyThese(ctx, env, ro, f, from, to, list)
}

// paramSources reads what is copied, with its values.
func paramSources(ctx context.Context, f *copyFlags, n copyNames, svc *parameter.Service) ([]parameter.Parameter, error) {
	op := f.word() + " " + render.Visible(n.source.String())
	if f.recursive {
		list, err := awsapi.Collect(svc.Read(ctx, parameter.Query{Path: n.source.path}, true))
		if err == nil && len(list) == 0 {
			return nil, fault.New(fault.NotFound, op, "there is nothing below this path").WithHint("list paths with `ssmdeck param tree`")
		}
		return list, err
	}
	list, err := awsapi.Collect(svc.Read(ctx, parameter.Query{Names: []string{n.version.name}}, true))
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		e := fault.New(fault.NotFound, op, "there is no such parameter")
		for p, err := range svc.List(ctx, parameter.Query{Path: n.version.name}) {
			if err == nil && strings.HasPrefix(p.Name, "/") {
				return nil, e.WithHint("it is a path: add --recursive")
			}
			break
		}
		return nil, e.WithHint("list them with `ssmdeck param list`")
	case n.version.version == 0 && n.version.label == "":
		return list, nil
	}
	history, err := paramHistory(ctx, svc, n.version.name, true)
	if err != nil {
		return nil, err
	}
	old, err := n.version.of(history)
	old.Labels, old.Policies = nil, list[0].Policies // those of then may have passed
	return []parameter.Parameter{old}, err
}

// checkCopy refuses names that the target cannot have, and keys that it does not know.
func checkCopy(f *copyFlags, n copyNames, sources []parameter.Parameter, keys parameter.Keys, here bool) error {
	var faults []error
	isSource := map[string]bool{}
	for _, p := range sources {
		isSource[parameter.Place(p.Name)] = true
	}
	for _, p := range sources {
		name := n.name(p.Name, f.recursive)
		if err := parameter.CheckName(name); err != nil {
			faults = append(faults, err)
		}
		if here && isSource[parameter.Place(name)] && (f.move || parameter.Place(name) == parameter.Place(p.Name)) && (n.version.version == 0 && n.version.label == "") {
			faults = append(faults, fault.Usagef("%s would be written over itself, or over another that is to be read", name).WithHint("choose a target that is not in the source"))
		}
		if !here {
			if err := keys.Check(p); err != nil {
				faults = append(faults, err)
			}
		}
	}
	return cli.AllFaults(f.word()+" parameters", faults)
}

// checkCopying refuses what the service would refuse, and to write over what is there.
func checkCopying(f *copyFlags, list []parameter.Copying) error {
	var faults []error
	var taken []string
	for i := range list {
		c := &list[i]
		if c.Same() {
			continue
		}
		faults = append(faults, c.Check()...)
		if !c.New() && !f.overwrite && !c.Begun {
			taken = append(taken, c.Target)
		}
	}
	if err := cli.AllFaults(f.word()+" parameters", faults); err != nil || len(taken) == 0 {
		return err
	}
	return fault.New(fault.Conflict, f.word()+" parameters", "%d of %d are there already and differ: %s; nothing was written", len(taken), len(list), cli.SomeOf(taken, 5)).
		WithHint("`ssmdeck param diff` compares them; --overwrite gives them a new version")
}

// confirmCopy asks about what cannot be undone.
func confirmCopy(ctx context.Context, env *cli.Env, f *copyFlags, from, to paramSide, list []parameter.Copying) error {
	overwritten := 0
	for i := range list {
		c := &list[i]
		if c.Same() {
			continue
		}
		if !c.New() && !c.Begun {
			overwritten++
		}
	}
	var what []string
	if overwritten > 0 {
		what = append(what, "write new versions of "+cli.Plural(overwritten, "parameter")+" at the target"+siteAsked(ctx, to.env))
	}
	if f.move {
		without := ", with the versions and labels that they had,"
		if f.history {
			without = ""
		}
		what = append(what, "delete "+cli.Plural(len(list), "source parameter")+without+" once all are copied"+siteAsked(ctx, from.env))
	}
	if len(what) == 0 {
		return nil
	}
	return confirmMany(ctx, env, strings.Join(what, " and "), max(overwritten, map[bool]int{true: len(list)}[f.move]))
}
