package runview

import (
	"context"
	"errors"
	"fmt"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// AlwaysAsk is from how many nodes on a run is confirmed even by scripts.
const AlwaysAsk = 50

// ConfirmNodes asks before something is done on nodes that were chosen with all, as a
// group whose members the service looks up, or that are many. verb is what is done.
func ConfirmNodes(ctx context.Context, env *cli.Env, verb string, nodes []fleet.Node, all, group bool) error {
	n := len(nodes)
	unknown := group && n == 0 // how many it hits is for the service to find out
	if n <= 1 && !all && !group || !env.CanAsk() && !all && !unknown && n < AlwaysAsk {
		return nil
	}
	what := verb + " on every member of the group"
	if n > 0 {
		what = fmt.Sprintf("%s on %s: %s", verb, cli.Plural(n, "node"), cli.SomeNames(nodes))
	}
	return env.Confirm(ctx, what)
}

// Wide reports whether targets say all, or name a group by itself.
func Wide(targets []fleet.Target) (all, group bool) {
	for _, t := range targets {
		all = all || t.Has(fleet.KindAll)
		group = group || t.Kind == fleet.KindGroup
	}
	return all, group
}

// NotSent says how many nodes a run that was left had not been sent to.
func NotSent(err error) string {
	var left *run.Left
	if !errors.As(err, &left) || left.Unsent == 0 {
		return ""
	}
	return fmt.Sprintf("; it was not sent to %s", cli.Plural(left.Unsent, "node"))
}

// TakeUp says how to see or stop commands that go on.
func TakeUp(ref string) string {
	return fmt.Sprintf("follow with `ssmdeck run watch %s`, stop with `ssmdeck run cancel %s`", ref, ref)
}
