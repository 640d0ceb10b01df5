package param

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramfile"
	"github.com/ssmdeck/ssmdeck/internal/paramplan"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// paramImport are the flags of import.
type paramImport struct {
	changes
	format, names string
	plain         bool
	secure        bool
	secureLike    []string
	key, tier     string
	tags          []string
	prune         bool
}

func newImportCmd(env *cli.Env) *cobra.Command {
	var o paramImport
	cmd := &cobra.Command{
		Use:   "import <file> [<path>]",
		Short: "Write the parameters of a file, in any format of export",
		Long: `Write the parameters of a file below a path. What would be created and changed is
shown and asked about; parameters that are as in the file are not written. Where
nobody is asked, because of --yes, parameters that exist are changed only with
--overwrite. With --prune, what is below the path and not in the file is deleted.

Formats: json, yaml, dotenv, shell, csv, tfvars, k8s, properties; the name of the file
says which, or --format. Values are taken byte for byte. Where a file does not say
types, parameters that exist keep theirs, and new ones are Strings, or SecureStrings
with --secure or --secure-pattern. What a file does not say of descriptions, patterns,
policies, tiers and keys stays as it is.

When something fails the others go on, and what was done is told. Importing again goes
on where this ended, because what is as in the file is not written.`,
		Example: `  $ ssmdeck param import prod.env /app/prod --secure-pattern '*password*' --secure-pattern '*token*'
  $ ssmdeck param import prod.yaml /app/prod --dry-run
  $ ssmdeck param import prod.json /app/prod --prune --overwrite --yes
  $ ssmdeck param import - /app/prod --format dotenv --names kebab < .env`,
		Args: cobra.MatchAll(cli.MinArgs("file"), cobra.MaximumNArgs(2)),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveDefault // files
			}
			return completeParamPath(env, 2)(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, env, args) },
	}
	o.bind(cmd)
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "`format` of the file: "+paramfile.Words())
	f.StringVar(&o.names, "names", "keep", "what is made of keys such as DB_URL that name no parameter: `keep`, lower (db_url), kebab (db-url)")
	f.BoolVar(&o.plain, "plain", false, "read objects of JSON and YAML as paths, also those with a field \"value\"")
	f.BoolVar(&o.secure, "secure", false, "make SecureStrings where the file says no type")
	f.StringArrayVar(&o.secureLike, "secure-pattern", nil, "make a SecureString of names that fit `pattern` where the file says no type")
	f.StringVar(&o.key, "key", "", "encrypt SecureStrings with this KMS `key`: an alias, an id, an ARN")
	f.StringVar(&o.tier, "tier", "", "`tier` of all: standard, advanced, intelligent")
	cli.BindTags(f, &o.tags, "what is written")
	f.BoolVar(&o.prune, "prune", false, "delete what is below the path and not in the file")
	o.bindExisting(cmd)
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change and change nothing")
	cli.CompleteFlag(cmd, "format", func() []string { return strings.Split(paramfile.Words(), ", ") })
	cli.CompleteFlag(cmd, "names", func() []string { return []string{"keep", "lower", "kebab"} })
	cli.CompleteFlag(cmd, "tier", func() []string { return []string{"standard", "advanced", "intelligent"} })
	return cmd
}

func (o *paramImport) run(cmd *cobra.Command, env *cli.Env, args []string) error {
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
	root := ""
	if len(args) > 1 {
		root = strings.TrimSuffix(args[1], "/")
		if err := parameter.CheckPath(args[1]); err != nil {
			return err
		}
	}
	if o.prune && root == "" {
		return fault.Usagef("--prune deletes what is below a path, and none is named").WithHint("`%s %s PATH --prune`", cmd.CommandPath(), args[0])
	}
	keeps, err := o.keeps()
	if err != nil {
		return err
	}
	desired, err := o.read(env, args[0], root)
	if err != nil {
		return err
	}
	if o.prune && len(desired) == 0 { // what wrote the file has failed more likely than not
		return fault.Usagef("%s has no parameters, and --prune would delete all that is below %s", args[0], root).
			WithHint("`ssmdeck param delete --path %s --recursive` deletes them", root)
	}
	op := "import " + args[0]
	if err := cli.AllFaults(op, paramplan.CheckDesired(desired, keeps)); err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	below := ""
	if o.prune {
		below = root
	}
	live, err := paramplan.Look(ctx, svc, desired, nil, below)
	if err != nil {
		return err
	}
	o.types(desired, live)
	p := paramplan.Make(desired, live, paramplan.Options{Prune: o.prune, Below: below, Replace: o.replace, MissingOnly: o.missing, Keeps: keeps})
	o.again = "import again: it goes on where this ended"
	return o.make(ctx, env, ro, op, svc, p)
}

// read reads the file and makes of it what is wanted; types that it does not say are
// empty.
func (o *paramImport) read(env *cli.Env, file, root string) ([]paramplan.Desired, error) {
	format, err := o.formatOf(file)
	if err != nil {
		return nil, err
	}
	options := paramfile.Options{Root: root, File: file, Plain: o.plain}
	switch o.names {
	case "keep":
	case "lower":
		options.Names = paramfile.NamesLower
	case "kebab":
		options.Names = paramfile.NamesKebab
	default:
		return nil, fault.Usagef("--names %s is not keep, lower or kebab", o.names)
	}
	tier := ""
	if o.tier != "" {
		if tier, err = paramplan.ParseTier(o.tier); err != nil {
			return nil, err
		}
	}
	tags, err := cli.ParseTags(o.tags)
	if err != nil {
		return nil, err
	}
	secure, err := paramplan.Glob(o.secureLike)
	if err != nil {
		return nil, fault.Usagef("--secure-pattern: %w", err)
	}
	if file == "-" {
		options.File = "standard input"
	}
	data, err := env.ReadInput()(file)
	if err != nil {
		return nil, err
	}
	entries, err := paramfile.DecodeEntries(data, format, options)
	if err != nil {
		return nil, err
	}
	if !o.plain && forApply(entries, root) {
		return nil, fault.Usagef("%s looks like a file for apply: its parameters would be below %s/parameters", options.File, root).
			WithHint("`ssmdeck param apply %s` makes what it says; --plain imports it as it stands", render.ShellWord(file))
	}
	var list []paramplan.Desired
	for _, e := range entries {
		d := paramplan.Desired{
			Name: e.Name, Type: e.Type, Value: &e.Value, Tier: e.Tier, KeyID: e.KeyID, DataType: e.DataType, Tags: e.Tags,
			At: fmt.Sprintf("%s:%d", options.File, e.Line),
		}
		if e.Description != "" {
			d.Description = &e.Description
		}
		if e.AllowedPattern != "" {
			d.AllowedPattern = &e.AllowedPattern
		}
		if policies := parameter.PoliciesOf(e.Policies); policies != "" {
			d.Policies = &policies
		}
		if tier != "" {
			d.Tier = tier
		}
		if d.Type == "" && (o.secure || secure(e.Name)) {
			d.Type = parameter.SecureString
		}
		if o.key != "" {
			d.KeyID = o.key // of those that are none it is taken off later
		}
		for k, v := range tags {
			if d.Tags == nil {
				d.Tags = map[string]string{}
			}
			d.Tags[k] = v
		}
		list = append(list, d)
	}
	return list, nil
}

// forApply reports whether what was read has the fields of a file for plan and apply in
// the place of names.
func forApply(entries []paramfile.Entry, root string) bool {
	below := false
	for _, e := range entries {
		first, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(e.Name, root), "/"), "/")
		if !slices.Contains([]string{"path", "defaults", "parameters"}, first) {
			return false
		}
		below = below || first == "parameters" && rest != ""
	}
	return below
}

func (o *paramImport) formatOf(file string) (paramfile.Format, error) {
	if o.format != "" {
		return paramfile.ParseFormat(o.format)
	}
	if file == "-" {
		return "", fault.Usagef("standard input has no name that says its format").WithHint("add --format: %s", paramfile.Words())
	}
	return paramfile.Guess(file)
}

// types takes types that the file does not say from the parameters that are there, and
// keys off what is not encrypted.
func (o *paramImport) types(desired []paramplan.Desired, live paramplan.Live) {
	for i := range desired {
		d := &desired[i]
		if d.Type == "" {
			d.Type = live.Parameters[d.Name].Type
		}
		if d.Type != parameter.SecureString {
			d.KeyID = ""
		}
	}
}

func newScaffoldCmd(env *cli.Env) *cobra.Command {
	var (
		out            string
		force, decrypt bool
	)
	cmd := &cobra.Command{
		Use:   "scaffold <path>",
		Short: "Write a file for plan and apply of parameters that are there",
		Long: `Write the parameters below a path as a file that plan and apply read. SecureStrings
are written as value_from: {live: true}: their values stay in Parameter Store, whatever
they are, and are not read. With --decrypt they are written into the file.`,
		Example: `  $ ssmdeck param scaffold /app/prod --out params/app/prod.yaml
  $ ssmdeck param scaffold /app/prod > prod.yaml`,
		Args:              cli.ExactArgs("path"),
		ValidArgsFunction: completeParamPath(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := parameter.CheckPath(args[0]); err != nil {
				return err
			}
			file := cli.OutputFile{Flag: "out", Path: out, Force: force, Mode: 0o644}
			if decrypt {
				file.Mode = 0o600
			}
			switch {
			case out != "":
				if err := file.Check(); err != nil {
					return err
				}
			case decrypt && cli.IsTerminal(env.Out):
				return fault.Usagef("the file would have secrets in it, and this is a terminal").WithHint("add --out FILE")
			}
			svc, err := openParameters(cmd.Context(), env)
			if err != nil {
				return err
			}
			list, err := awsapi.Collect(svc.Read(cmd.Context(), parameter.Query{Path: args[0]}, decrypt))
			if err != nil {
				return err
			}
			if len(list) == 0 {
				return fault.New(fault.NotFound, "", "there is no parameter below %s", args[0]).WithHint("`ssmdeck param list` lists what there is")
			}
			data, err := paramplan.Encode(args[0], list, decrypt)
			if err != nil {
				return err
			}
			if out == "" {
				_, err = env.Out.Write(data)
			} else if err = file.Write(data); err == nil {
				env.Note("%s in %s; `ssmdeck param apply %s` manages them from now on", cli.Plural(len(list), "parameter"), out, render.ShellWord(out))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "write to a new `file`")
	f.BoolVar(&force, "force", false, "replace the file of --out")
	f.BoolVar(&decrypt, "decrypt", false, "write the values of SecureStrings into the file")
	return cmd
}
