package patch

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// openPatches returns the service that reads what Patch Manager found.
func openPatches(ctx context.Context, env *cli.Env) (*patch.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return patch.New(scope.SSM()), nil
}

// look is what was found of patching in one account and Region.
type look struct {
	report patch.Report
	// partial is why not everything that was asked for is known; nil: it is.
	partial error
}

// read reads the nodes and the states of their patches, and says what there is to
// say of them. Where no state at all may be read, that is the error.
func read(ctx context.Context, o *nodechoice.Scanned, env *cli.Env, parts fleet.Part) (look, error) {
	nodes, gaps, err := o.Find(ctx, env, parts|fleet.PartPatch)
	if err != nil {
		return look{}, err
	}
	l := look{report: patch.NewReport(nodes, time.Now(), o.Old, strictBaselines(ctx, env, nodes))}
	var others []fleet.Gap
	for _, g := range gaps {
		switch {
		case g.Part != fleet.PartPatch:
			others = append(others, g)
		case l.report.Total.Unknown == len(nodes):
			return look{}, g.Err
		default:
			l.partial = fault.New(fault.RemoteFailed, "read the states of patching", "%d of %s not known: %w", g.Nodes, cli.PluralAre(len(nodes), "node"), g.Err)
		}
	}
	nodechoice.NoteGaps(env, others)
	return l, nil
}

// strictBaselines asks the baselines of nodes what they say of security updates that
// are available and not approved, where that decides whether the nodes are compliant.
// One that may not be read is said.
func strictBaselines(ctx context.Context, env *cli.Env, nodes []fleet.Node) patch.Strict {
	of := map[string]int{}
	for _, n := range nodes {
		if patch.Undecided(&n) {
			of[n.Patch.Baseline]++
		}
	}
	if len(of) == 0 {
		return nil
	}
	strict := patch.Strict{}
	svc, err := openBaselines(ctx, env)
	for _, id := range slices.Sorted(maps.Keys(of)) {
		var b baseline.Baseline
		if err == nil {
			b, err = svc.Get(ctx, id)
		}
		if err != nil {
			env.Note("ssmdeck: warning: security updates are available on %s that count as compliant; whether their baselines call that so is not known: %s", cli.Plural(sum(of), "node"), render.Visible(err.Error()))
			return strict
		}
		strict[id] = b.SecurityUpdates == baseline.NonCompliant
		delete(of, id)
	}
	return strict
}

func sum(of map[string]int) (n int) {
	for _, x := range of {
		n += x
	}
	return n
}

// noteReport says on standard error what the numbers are worth: how many nodes are
// as they should be, and how old the scans are.
func noteReport(env *cli.Env, r patch.Report) {
	t := r.Total
	if t.Nodes == 0 {
		return
	}
	text := t.String()
	if !t.Oldest.IsZero() {
		text += "; scanned " + ages(r.Made, t.Oldest, t.Newest)
	}
	env.Note("ssmdeck: %s", text)
	const apart = 3 * 24 * time.Hour
	switch {
	case t.Stale > 0:
		env.Note("ssmdeck: warning: the last scan of %s is older than %s, so that what is shown of them may have changed: `ssmdeck patch scan` looks again",
			cli.Plural(t.Stale, "node"), render.Duration(r.StaleAfter))
	case t.Newest.Sub(t.Oldest) > apart:
		env.Note("ssmdeck: note: the scans are up to %s apart", render.Duration(t.Newest.Sub(t.Oldest).Truncate(time.Hour)))
	}
}

// ages says how old scans are: "2 h ago", "2 h to 9 d ago".
func ages(now, oldest, newest time.Time) string {
	from, to := render.Ago(now, newest), render.Ago(now, oldest)
	if from == to {
		return to
	}
	return strings.TrimSuffix(from, " ago") + " to " + to
}

// reading reads the patches of the nodes that are not as they should be. What
// could not be read is the second error; the first ends the command.
func reading(ctx context.Context, env *cli.Env, rows []patch.Row, w patch.Wanted) (nodes []patch.NodePatches, partial, err error) {
	svc, err := openPatches(ctx, env)
	if err != nil {
		return nil, nil, err
	}
	seen, end, err := env.Counted("read the patches of nodes")
	if err != nil {
		return nil, nil, err
	}
	defer end()
	w.Seen = seen
	read, err := svc.OfNodes(ctx, rows, w)
	if err != nil {
		return nil, nil, err
	}
	if log, err := env.Log(); err == nil {
		log.Debug("patches of nodes", "way", read.Way, "changed", read.Changed, "failed", len(read.Failed))
	}
	if read.Changed > 0 {
		env.Note("ssmdeck: note: %s scanned while this was read", cli.PluralWere(read.Changed, "node"))
	}
	for _, r := range rows { // in their order
		if failed := read.Failed[r.ID]; failed != nil {
			partial = fault.New(fault.RemoteFailed, "read the patches", "%d of %s not read; the first: %s: %w",
				len(read.Failed), cli.PluralAre(len(rows), "node"), r.ID, failed)
			break
		}
	}
	return read.Nodes, partial, nil
}
