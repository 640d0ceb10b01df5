package nodechoice

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/picker"
)

// CanPick reports whether a person can choose a node from a list: both ends are a
// terminal, nobody said not to ask, and what is printed is not for a program.
func CanPick(env *cli.Env) bool {
	if env.Placed() != nil || !env.CanAsk() || theme.Dumb(env.Lookup) {
		return false
	}
	s, err := env.Settings()
	if err != nil {
		return false
	}
	switch render.Format(s.Output) {
	case render.FormatJSON, render.FormatJSONL, render.FormatYAML, render.FormatCSV, render.FormatName:
		return false
	}
	spec, err := env.GridSpec()
	return err == nil && !spec.Several()
}

// Pickable is check for a command to which the picker gives the node that is
// missing.
func Pickable(env *cli.Env, check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && CanPick(env) {
			return nil
		}
		return check(cmd, args)
	}
}

// OrPick returns words, or, when there are none and a person can choose, the node
// that is chosen.
func OrPick(ctx context.Context, env *cli.Env, words []string) ([]string, error) {
	if len(words) > 0 || !CanPick(env) {
		return words, nil
	}
	return Pick(ctx, env, nil, false)
}

// OrPickMany is OrPick for a command that takes several nodes.
func OrPickMany(ctx context.Context, env *cli.Env, words []string) ([]string, error) {
	if len(words) > 0 || !CanPick(env) {
		return words, nil
	}
	return Pick(ctx, env, nil, true)
}

// Settle finds a node by its expression; when several fit and a person can choose,
// the picker shows those.
func Settle(ctx context.Context, env *cli.Env, expr string, find func(context.Context, string) (fleet.Node, error)) (fleet.Node, error) {
	n, err := find(ctx, expr)
	var several *fleet.Ambiguous
	if !errors.As(err, &several) || !CanPick(env) {
		return n, err
	}
	env.Note("%s fits %s", render.Visible(expr), cli.Plural(len(several.Nodes), "node"))
	ids, err := Pick(ctx, env, several.Nodes, false)
	if err != nil {
		return fleet.Node{}, err
	}
	return find(ctx, ids[0])
}

// Pick lets a person choose nodes: among those given, or among all, of which the
// index shows at once what it knows. What was chosen is an id, and looked up by
// whoever uses it. Leaving ends the command with 130.
func Pick(ctx context.Context, env *cli.Env, among []fleet.Node, many bool) ([]string, error) {
	o := picker.Options{Title: "node", Many: many, Styles: env.ErrStyles()}
	if many {
		o.Title = "nodes"
	}
	if among != nil {
		for _, n := range among {
			o.Items = append(o.Items, item(n))
		}
	} else if err := pickAll(ctx, env, &o); err != nil {
		return nil, err
	}
	names := map[string]string{}
	note := func(items []picker.Item) {
		for _, it := range items {
			names[it.ID] = it.Name
		}
	}
	note(o.Items)
	if load := o.Load; load != nil {
		o.Load = func(ctx context.Context) ([]picker.Item, error) {
			items, err := load(ctx)
			note(items) // nobody reads names before the picker has waited for this
			return items, err
		}
	}
	ids, err := Choose(ctx, env, o)
	switch {
	case err != nil:
		return nil, err
	case len(ids) == 0:
		return nil, fault.New(fault.NotFound, "choose a node", "Systems Manager knows no node in this account and Region").
			WithHint("check --profile and --region; `ssmdeck doctor --unmanaged` says why instances are not managed")
	}
	for _, id := range ids {
		env.Note("node: %s", render.Visible(fleet.Node{ID: id, Name: names[id]}.String()))
	}
	return ids, nil
}

// Choose runs a picker on the terminal that CanPick has found. Leaving it ends the command
// with 130; nothing to choose from is no id.
func Choose(ctx context.Context, env *cli.Env, o picker.Options) (ids []string, err error) {
	done := env.Busy()
	defer done()
	ids, err = picker.Run(ctx, env.In.(*os.File), env.Err.(*os.File), o)
	if errors.Is(err, picker.ErrLeft) {
		return nil, &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	return ids, err
}

// pickAll makes the picker show all nodes.
func pickAll(ctx context.Context, env *cli.Env, o *picker.Options) error {
	s, err := env.Settings()
	if err != nil {
		return err
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	nodes, _, ok := fleet.Index{Dir: s.CacheDir}.Load(env.CacheKey(scope), time.Now())
	for _, n := range nodes {
		o.Items = append(o.Items, indexItem(n))
	}
	if !ok {
		// An MFA code must be asked for before the picker has the terminal. With an
		// index the list is just not refreshed, and the code asked for later.
		if _, err := scope.Config().Credentials.Retrieve(ctx); err != nil {
			return explainPick(ctx, svc, err)
		}
	}
	o.Load = func(ctx context.Context) ([]picker.Item, error) {
		nodes, err := fleet.All(svc.List(ctx, fleet.Query{}))
		if err != nil {
			return nil, err
		}
		fleet.Sort(nodes)
		Remember(env, s, nodes)
		items := make([]picker.Item, len(nodes))
		for i, n := range nodes {
			items[i] = item(n)
		}
		return items, nil
	}
	return nil
}

// explainPick words an error of credentials as the list itself would.
func explainPick(ctx context.Context, svc *fleet.Service, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, explained := fleet.All(svc.List(ctx, fleet.Query{})); explained != nil {
		return explained
	}
	return err
}

func item(n fleet.Node) picker.Item {
	it := picker.Item{
		ID: n.ID, Name: n.Name, State: n.Ping, Level: levels.Ping(n.Ping), Address: n.IP,
		Detail: joined(n.PlatformName, n.PlatformVersion), Also: []string{n.ComputerName, n.Platform},
	}
	for k, v := range n.Tags {
		it.Also = append(it.Also, k+"="+v)
	}
	slices.Sort(it.Also[2:])
	return it
}

func indexItem(n fleet.IndexedNode) picker.Item {
	return picker.Item{
		ID: n.ID, Name: n.Name, State: n.Ping, Level: levels.Ping(n.Ping), Address: n.IP,
		Detail: n.PlatformName, Also: append([]string{n.ComputerName, n.Platform}, n.Tags...),
	}
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}
