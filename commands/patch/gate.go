package patch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/patch"
)

// patchGate is --fail-on: what must not be, for a pipeline that is to stop then.
type patchGate struct {
	kinds []string
	flag  *pflag.Flag

	mu   sync.Mutex // scopes are counted side by side
	sum  patch.Counts
	open bool // something was counted
}

// gateKinds are what a gate can look for, with the number of nodes that have it.
var gateKinds = []struct {
	name, what string
	count      func(patch.Counts) int
}{
	{"critical", "critical", func(c patch.Counts) int { return c.WithCritical }},
	{"security", "with security patches", func(c patch.Counts) int { return c.WithSecurity }},
	{"missing", "with missing patches", func(c patch.Counts) int { return c.WithMissing }},
	{"failed", "with failed patches", func(c patch.Counts) int { return c.WithFailed }},
	{"pending-reboot", "waiting for a reboot", func(c patch.Counts) int { return c.WithPendingReboot }},
	{"noncompliant", "non-compliant", func(c patch.Counts) int { return c.NonCompliant }},
	{"never-scanned", "never scanned", func(c patch.Counts) int { return c.NeverScanned }},
	{"stale", "with a stale scan", func(c patch.Counts) int { return c.Stale }},
}

func gateNames() (names []string) {
	for _, k := range gateKinds {
		names = append(names, k.name)
	}
	return names
}

func (g *patchGate) bind(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&g.kinds, "fail-on", nil, "exit with 6 when a node is so: `kinds` among "+strings.Join(gateNames(), ", "))
	g.flag = cmd.Flags().Lookup("fail-on")
	cli.CompleteFlag(cmd, "fail-on", gateNames)
}

// check refuses what is no kind. allowed narrows them; nil: all.
func (g *patchGate) check(allowed ...string) error {
	for i, kind := range g.kinds {
		g.kinds[i] = strings.TrimSpace(kind)
	}
	if g.flag.Changed && len(g.kinds) == 0 || slices.Contains(g.kinds, "") { // such as of a variable that is not set
		return fault.Usagef("--fail-on names nothing").WithHint("use: %s", strings.Join(gateNames(), ", "))
	}
	for _, kind := range g.kinds {
		if !slices.Contains(gateNames(), kind) {
			err := fault.Usagef("--fail-on: %q is none", kind)
			if near := fault.Nearest(kind, gateNames()); near != "" {
				return err.WithHint("did you mean %s?", near)
			}
			return err.WithHint("use: %s", strings.Join(gateNames(), ", "))
		}
		if len(allowed) > 0 && !slices.Contains(allowed, kind) {
			return fault.Usagef("--fail-on %s does not go with patches that are chosen", kind).
				WithHint("the baselines' levels and the states of nodes count all patches, as `ssmdeck patch status` does; here there are: %s", strings.Join(allowed, ", "))
		}
	}
	return nil
}

// add counts the nodes of a scope.
func (g *patchGate) add(c patch.Counts) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sum.Merge(c)
	g.open = true
}

// end is the error of a command that has counted and ended with err: that of a gate
// that is shut comes first. Nodes of which nothing is known shut it, too: nobody can
// say that they are well. A gate that has looked at no node at all is not open either:
// the name or tag that was meant may have another spelling.
func (g *patchGate) end(env *cli.Env, command string, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kinds) == 0 || !g.open {
		return err
	}
	op := command + " --fail-on " + strings.Join(g.kinds, ",")
	var found []string
	for _, k := range gateKinds {
		if n := k.count(g.sum); n > 0 && slices.Contains(g.kinds, k.name) {
			found = append(found, fmt.Sprintf("%d %s", n, k.what))
		}
	}
	if g.sum.Unknown > 0 {
		found = append(found, fmt.Sprintf("%d of which the state could not be read", g.sum.Unknown))
	}
	if slices.Contains(g.kinds, "critical") && g.sum.WithCritical == 0 && g.sum.NonCompliant > 0 {
		env.Note("ssmdeck: note: critical is what rules of baselines call so (level=CRITICAL), and those of AWS call nothing so: `patch status --severity critical --fail-on missing,failed` goes by the patches themselves")
	}
	var verdict error
	switch {
	case g.sum.Nodes == 0:
		verdict = fault.New(fault.NotFound, op, "there is no node to look at").WithHint("`ssmdeck ls` shows what there is")
	case len(found) > 0:
		verdict = fault.New(fault.RemoteFailed, op, "of %s: %s", cli.Plural(g.sum.Nodes, "node"), strings.Join(found, ", "))
	default:
		return err
	}
	if err == nil {
		return verdict
	}
	return errors.Join(verdict, err)
}
