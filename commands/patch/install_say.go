package patch

import (
	"context"
	"fmt"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/rolling"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

// sayPlan tells what a plan comes to, before the question.
func (o *installOptions) sayPlan(env *cli.Env, ro render.Options, p *patching.Plan) {
	online := len(p.Nodes) - p.Offline
	if online > p.Unknown {
		env.Note("ssmdeck: %s to install on %d of %s, by scans of %s", cli.Plural(p.Patches, "patch"), p.Install, cli.Plural(online, "node"), ages(ro.Now, p.Oldest, p.Newest))
	}
	if unnamed := countNodes(p, func(n patching.Planned) bool { return n.Status == patching.ToInstall && !n.Named }); o.dryRun && unnamed > 0 {
		why := "they could not be read"
		if p.Install > patching.NamedUpTo {
			why = fmt.Sprintf("names are read for up to %d nodes, or for all", patching.NamedUpTo)
		}
		env.Note("ssmdeck: the patches of %s are counted and not named: %s", cli.Plural(unnamed, "node"), why)
	}
	if p.Unknown > 0 {
		env.Note("ssmdeck: %s never scanned: what would be installed there is not known (--scan-first scans)", cli.PluralWere(p.Unknown, "node"))
	}
	if !p.Oldest.IsZero() && ro.Now.Sub(p.Oldest) > patch.StaleAfter {
		env.Note("ssmdeck: the oldest scan is more than a week old: --scan-first scans before the plan is made")
	}
	if o.patching.OverrideList != "" || o.patching.BaselineOverride != "" {
		env.Note("ssmdeck: the last scans knew nothing of the override: what will be installed may differ")
	}
	switch p.Options.Reboot {
	case patching.IfNeeded:
		env.Note("ssmdeck: every node on which something is installed reboots: by the last scans %s", cli.Plural(p.Reboots, "node"))
	case patching.Never:
		text := "no node reboots: what is installed may not be in effect until somebody reboots it"
		if needed := countNodes(p, func(n patching.Planned) bool { return n.Reboot == patching.LeftFor }); needed > 0 {
			text += fmt.Sprintf("; by the names of the patches, %s will need it", cli.Plural(needed, "node"))
		}
		env.Note("ssmdeck: %s", text)
	}
	if p.Offline > 0 {
		env.Note("ssmdeck: %s offline and cannot be patched: %s", cli.PluralAre(p.Offline, "node"), offlineNames(p))
	}
}

func countNodes(p *patching.Plan, fits func(patching.Planned) bool) int {
	n := 0
	for _, node := range p.Nodes {
		if fits(node) {
			n++
		}
	}
	return n
}

func offlineNames(p *patching.Plan) string {
	var nodes []fleet.Node
	for _, n := range p.Nodes {
		if n.Status == patching.IsOffline {
			nodes = append(nodes, fleet.Node{ID: n.ID, Name: n.Name})
		}
	}
	return render.Visible(cli.SomeNames(nodes))
}

// saySchedules tells what else there is to know before the question: maintenance
// windows of the nodes, and what else patches them. Not to be allowed to know is no
// obstacle, and is said.
func (o *installOptions) saySchedules(ctx context.Context, env *cli.Env, ro render.Options, s *patching.Schedules, nodes []fleet.Node) {
	var ids []string
	for _, n := range nodes {
		ids = append(ids, n.ID)
	}
	windows, all, err := s.Windows(ctx, ids)
	of := ""
	if !all {
		of = " (of the first 500)"
	}
	switch {
	case err != nil:
		env.Note("ssmdeck: the maintenance windows of these nodes are not known: %s", err)
	case len(windows) == 0:
		env.Note("ssmdeck: no maintenance window is registered for these nodes%s", of)
	default:
		env.Note("ssmdeck: maintenance windows of these nodes%s: %s", of, windowWords(ro, windows))
	}
	if found, err := s.Associations(ctx, nodes); err == nil && len(found) > 0 {
		env.Note("ssmdeck: also scanned or patched by %s", associationWords(found))
	}
	if at, err := s.AtWork(ctx, nodes); err == nil && len(at) > 0 {
		env.Note("ssmdeck: being scanned or patched right now by %s: agents do one after the other", cli.SomeOf(at, 3))
	}
}

// windowWords names a few windows with their next runs.
func windowWords(o render.Options, windows []patching.Window) string {
	var words []string
	for _, w := range windows {
		next := "no further run"
		switch {
		case !w.Enabled:
			next = "disabled"
		case !w.Next.IsZero():
			next = "next " + render.Local(w.Next, o.Location) + ", in " + render.Duration(w.Next.Sub(o.Now).Round(time.Minute))
		}
		words = append(words, fmt.Sprintf("%s (%s)", render.Visible(w.Name), next))
	}
	return cli.SomeOf(words, 4)
}

// sayFailures says of the first nodes that failed why, in their own words: a table on
// a terminal has no room for these.
func sayFailures(env *cli.Env, st *patching.State) {
	const most, lines = 10, 3
	said := 0
	for id, r := range rolling.Nodes(st.Waves) {
		if r.Status != waves.Failed {
			continue
		}
		if said++; said > most {
			continue
		}
		env.Note("ssmdeck: %s: %s", runview.NodeLabel(st.Nodes[id].Name, id), render.Visible(r.Detail))
		if result := st.Nodes[id].Result; result != nil {
			for _, line := range result.Words[:min(len(result.Words), lines)] {
				env.Note("    %s", render.Visible(line))
			}
		}
	}
	if said > most {
		env.Note("ssmdeck: and %d more have failed", said-most)
	}
}
