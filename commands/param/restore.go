package param

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parambackup"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramfile"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// restore are the flags of `param restore`.
type restore struct {
	path    string
	history bool
	prune   bool
	keys    []string
	dryRun  bool
	only    []string
}

func newRestoreCmd(env *cli.Env) *cobra.Command {
	var o restore
	cmd := &cobra.Command{
		Use:   "restore <file>",
		Short: "Bring back the parameters of a backup",
		Long: `Bring back the parameters of a backup with everything that belongs to them. What would
be created and changed is shown and asked about; what is as in the backup is left
alone, so that a restoration that was interrupted goes on when it is given again.
Nothing is deleted without --prune, which deletes what is below the path and not in
the backup.

Without --history the latest version of each parameter is written, over another value
as a new version. With --history all versions are written in their order, with their
labels: where there is no such parameter, or one with the first of these versions.

What cannot be brought back: version numbers, which begin with 1, dates, and who wrote.
Expirations that have passed are left out. In another account or Region keys are not
the same: --key says which one to use.`,
		Example: `  $ ssmdeck param restore prod.backup --dry-run
  $ ssmdeck param restore prod.backup --history --only '/app/prod/db-*'
  $ ssmdeck param restore prod.backup --path /app/test --key alias/test --yes`,
		Args: cli.ExactArgs("a file that `param backup` wrote"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.path, "path", "", "restore below this `path` instead of the one that was backed up")
	f.BoolVar(&o.history, "history", false, "all versions with their labels, too")
	f.BoolVar(&o.prune, "prune", false, "delete what is below the path and not in the backup")
	f.StringArrayVar(&o.keys, "key", nil, "encrypt SecureStrings with this KMS `key`; OLD=NEW for those encrypted with OLD; repeat for several")
	f.StringArrayVar(&o.only, "only", nil, "only parameters whose name in the backup fits `pattern`")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change and change nothing")
	return cmd
}

// restoring is a restoration that was read and checked.
type restoring struct {
	backup *parambackup.Backup
	keys   parameter.Keys
	target func(name string) string
	site   string // the account and Region, for a question
	list   []parameter.Copying
	extra  []string // what --prune deletes
}

func (o *restore) run(ctx context.Context, env *cli.Env, file string) error {
	ro, err := cli.ListOptions(env, restoreTable)
	if err != nil {
		return err
	}
	if err := env.RefuseChange("PutParameter", o.dryRun); err != nil {
		return err
	}
	r, err := o.read(ctx, env, file)
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	if err := o.plan(ctx, env, svc, r); err != nil {
		return err
	}
	return o.make(ctx, env, ro, svc, r, file)
}

// read reads the file, and checks it and the flags.
func (o *restore) read(ctx context.Context, env *cli.Env, file string) (*restoring, error) {
	var faults faultList
	r := &restoring{}
	var err error
	r.keys, err = parseParamKeys(o.keys)
	faults.add(err)
	if o.path != "" {
		faults.add(parameter.CheckPath(o.path))
	}
	var only []parameter.Pattern
	for _, w := range o.only {
		p, err := parameter.ParsePattern(w)
		faults.add(err)
		only = append(only, p)
	}
	if o.prune && len(o.only) > 0 {
		faults.add(fault.Usagef("--prune deletes what is not in the backup, and --only takes a part of it").WithHint("leave one of them out"))
	}
	if err := cli.AllFaults("restore parameters", faults); err != nil {
		return nil, err
	}
	data, err := fileBytes(env, file)
	if err != nil {
		return nil, err
	}
	if data, err = unsealed(ctx, env, data); err != nil {
		return nil, err
	}
	if r.backup, err = parambackup.Decode(data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if o.history && !r.backup.Header.History {
		return nil, fault.Usagef("%s has no versions: it was written without --history", file).WithHint("leave --history out: the latest versions are in it")
	}
	if (o.prune || o.path != "") && r.backup.Path == "" {
		return nil, fault.Usagef("%s is of no one path, which --path and --prune need", file)
	}
	if o.prune && r.backup.One {
		return nil, fault.Usagef("%s is of one parameter, and --prune would delete all that stands beside it", file).WithHint("leave --prune out")
	}
	r.target = func(name string) string { return name }
	if o.path != "" {
		r.target = func(name string) string {
			rest, err := paramfile.Relative(r.backup.Path, name)
			if err != nil {
				rest = name
			}
			return strings.TrimSuffix(o.path, "/") + "/" + strings.TrimPrefix(rest, "/")
		}
	}
	if len(only) > 0 {
		r.backup.Keep(func(name string) bool {
			return slices.ContainsFunc(only, func(p parameter.Pattern) bool { return p.Match(name) })
		})
		if len(r.backup.Records) == 0 {
			return nil, fault.New(fault.NotFound, "restore "+file, "no parameter of it fits --only")
		}
	}
	return r, nil
}

// unsealed is a backup in plain; one that is sealed is opened with its key.
func unsealed(ctx context.Context, env *cli.Env, data []byte) ([]byte, error) {
	seal := parambackup.Sealed(data)
	if seal == nil {
		return data, nil
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	key, err := scope.OpenStorageKey(ctx, seal.Key, parambackup.Context)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return parambackup.Open(data, key)
}

// plan compares the backup with what is there, and checks all that is to be written.
func (o *restore) plan(ctx context.Context, env *cli.Env, svc *parameter.Service, r *restoring) error {
	account, region, err := env.Whereabouts(ctx)
	if err != nil {
		return err
	}
	r.site = fmt.Sprintf("account %s in %s", account, region)
	sources := r.backup.Latest()
	var faults []error
	for i := range sources {
		p := &sources[i]
		if p.Policies, err = withoutPast(p.Policies, time.Now()); err != nil {
			env.Note("ssmdeck: warning: %s: %s", render.Visible(p.Name), err)
		}
		if r.backup.Account != account || r.backup.Region != region {
			if err := r.keys.Check(*p); err != nil {
				faults = append(faults, err)
			}
		}
		if err := parameter.CheckName(r.target(p.Name)); err != nil {
			faults = append(faults, err)
		}
	}
	if err := cli.AllFaults("restore parameters", faults); err != nil {
		return err
	}
	r.list, err = parameter.PlanCopy(ctx, r.backup, svc, sources, parameter.CopyOptions{Keys: r.keys, History: o.history, Tags: true, Target: r.target})
	if fault.KindOf(err) == fault.Conflict {
		return fault.New(fault.Conflict, "restore parameters", "%w", err).WithHint("delete it first, or restore without --history: that writes the latest version over it")
	}
	if err != nil {
		return err
	}
	for i := range r.list {
		c := &r.list[i]
		if o.history && len(c.Versions) > 0 { // the history has the policies that have passed
			c.Changes[len(c.Changes)-1].Policies = parameter.PoliciesOf(c.Source.Policies)
		}
		if !c.Same() {
			faults = append(faults, c.Check()...)
		}
	}
	if err := cli.AllFaults("restore parameters", faults); err != nil {
		return err
	}
	if o.prune {
		return o.findExtra(ctx, svc, r)
	}
	return nil
}

// findExtra finds what is below the path and not in the backup.
func (o *restore) findExtra(ctx context.Context, svc *parameter.Service, r *restoring) error {
	root := r.backup.Path
	if o.path != "" {
		root = o.path
	}
	kept := map[string]bool{}
	for _, c := range r.list {
		kept[c.Target] = true
	}
	for p, err := range svc.List(ctx, parameter.Query{Path: root}) {
		if err != nil {
			return err
		}
		if kept[p.Name] || r.backup.LeftOut > 0 && p.Secure() {
			continue // those that were left out are not unwanted
		}
		r.extra = append(r.extra, p.Name)
	}
	slices.Sort(r.extra)
	return nil
}

// withoutPast leaves out policies whose moment has passed: the service would remove the
// parameter at once. The error says that there were some.
func withoutPast(list []parameter.Policy, now time.Time) (kept []parameter.Policy, err error) {
	for _, p := range list {
		t, bad := p.Parse()
		if bad == nil && t.Type == "Expiration" && t.At.Before(now) {
			err = fmt.Errorf("it had to expire at %s, which has passed; that is not restored", render.Timestamp(t.At))
			break
		}
	}
	if err == nil {
		return list, nil
	}
	for _, p := range list {
		if !strings.HasPrefix(p.Type, "Expiration") { // a notification needs the expiration
			kept = append(kept, p)
		}
	}
	return kept, err
}
