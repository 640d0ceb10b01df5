package param

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/rolling"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/paramplan"
)

// files are the flags of plan and apply: files, and the state beside them.
type files struct {
	changes
	prune bool
	drift bool
	state string
	// without leaves the values of SecureStrings alone; of plan only.
	without bool
}

func (o *files) bind(cmd *cobra.Command) {
	o.changes.bind(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.prune, "prune", false, "delete parameters that were applied and are in no file any more")
	f.BoolVar(&o.drift, "accept-drift", false, "write over what somebody else has changed, and what was never applied from here")
	f.StringVar(&o.state, "state", "", "what was last applied, in `file` (default: in .ssmdeck beside the files, one for each account and Region)")
}

// opened is a tree that was read, and compared with what is there.
type openParamFiles struct {
	store           paramplan.Store
	state           *paramplan.State
	fresh           bool // nothing was ever applied
	path            string
	account, region string
	plan            *paramplan.Plan
}

// open reads the files and compares them with the account. With lock, nobody else can
// apply until release.
func (o *files) open(ctx context.Context, env *cli.Env, op string, args []string, lock bool) (t *openParamFiles, release func(), err error) {
	release = func() {}
	keeps, err := o.keeps()
	if err != nil {
		return nil, release, err
	}
	inputs, err := paramplan.Files(args)
	if err != nil {
		return nil, release, err
	}
	root, kept, err := o.root(args)
	if err != nil {
		return nil, release, err
	}
	for i := range inputs {
		if inputs[i].Label, err = fileLabel(root, inputs[i].File); err != nil {
			return nil, release, err
		}
		if kept {
			inputs[i].InTree(root)
		}
	}
	tree, err := paramplan.Parse(inputs, env.Lookup, !o.without)
	if err != nil {
		return nil, release, err
	}
	if err := cli.AllFaults(op, paramplan.CheckDesired(tree.Desired, keeps)); err != nil {
		return nil, release, err
	}
	if tree.OpenSecrets > 0 {
		verb := map[bool]string{true: "value of %s stands", false: "values of %s stand"}[tree.OpenSecrets == 1]
		env.Note("ssmdeck: warning: the "+verb+" in these files: value_from takes secrets from elsewhere", cli.Plural(tree.OpenSecrets, "SecureString"))
	}
	t = &openParamFiles{}
	if t.account, t.region, err = env.Whereabouts(ctx); err != nil {
		return nil, release, err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return nil, release, err
	}
	t.store, t.path = svc, o.state
	if t.path == "" {
		t.path = paramplan.StatePath(root, t.account, t.region)
	}
	if lock {
		if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
			return nil, release, fault.New(fault.Failed, "keep what was applied", "%w", err)
		}
		if release, err = rolling.LockState(t.path); err != nil {
			return nil, func() {}, err
		}
	}
	if t.state, t.fresh, err = paramplan.OpenState(t.path, t.account, t.region); err != nil {
		return t, release, err
	}
	var known []string
	of := paramOf(root, args)
	for name, applied := range t.state.Parameters {
		if of(applied.File) {
			known = append(known, name)
		}
	}
	live, err := paramplan.Look(ctx, svc, tree.Desired, known, "")
	if err != nil {
		return t, release, err
	}
	t.plan = paramplan.Make(tree.Desired, live, paramplan.Options{
		State: t.state, Of: of, Prune: o.prune, AcceptDrift: o.drift, Replace: o.replace, Keeps: keeps,
	})
	if t.plan.Count(paramplan.DoConflict) == 0 {
		err = checkParamPlan(ctx, op, svc, t.plan)
	}
	if o.show {
		t.plan.Reveal()
	}
	return t, release, err
}

// root is the folder that files are known by, in which the state stands: that in or
// above the first argument which has one, as far up as the repository goes, else that
// of the first argument itself; kept says that there is a state.
func (o *files) root(args []string) (dir string, kept bool, err error) {
	first := args[0]
	if info, err := os.Stat(first); err == nil && !info.IsDir() {
		first = filepath.Dir(first)
	}
	first, err = filepath.Abs(first)
	if err != nil {
		return "", false, fault.New(fault.Failed, "", "%w", err)
	}
	for dir = first; ; dir = filepath.Dir(dir) {
		if states, _ := filepath.Glob(filepath.Join(globQuoted(dir), paramplan.StateDir, "parameters-*.json")); len(states) > 0 {
			return dir, true, nil
		}
		_, err := os.Lstat(filepath.Join(dir, ".git"))
		if err == nil || !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return first, false, nil
		}
	}
}

// globQuoted is a path in which nothing is a pattern.
func globQuoted(path string) string {
	if filepath.Separator == '\\' {
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// fileLabel is how the state knows a file.
func fileLabel(root, file string) (string, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", fault.New(fault.Failed, "", "%w", err)
	}
	rel, err := filepath.Rel(root, abs)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", fault.Usagef("%s is not below %s, where what was applied is kept", file, root).WithHint("name files of one folder, or the folder itself")
	}
	return filepath.ToSlash(rel), nil
}

// paramOf says which files of the state the arguments mean: those that are not there
// any more, too.
func paramOf(root string, args []string) func(file string) bool {
	var labels []string
	for _, arg := range args {
		if label, err := fileLabel(root, arg); err == nil {
			labels = append(labels, label)
		}
	}
	return func(file string) bool {
		for _, l := range labels {
			if l == "." || l == file || strings.HasPrefix(file, l+"/") {
				return true
			}
		}
		return false
	}
}
