package commands

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Patches returns the service that reads what Patch Manager found.
func (e *Env) Patches(ctx context.Context) (*patch.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return patch.New(scope.SSM()), nil
}

// patchNodes are the nodes of a command about patches: those that are chosen, or all
// that are managed, online or not.
type patchNodes struct {
	choice nodeChoice
	stale  string
	// noHistory says that what was counted is not kept.
	noHistory bool

	targets []fleet.Target
	query   fleet.Query
	old     time.Duration // of stale
}

func (o *patchNodes) bind(env *Env, cmd *cobra.Command) {
	o.choice.bind(env, cmd)
	cmd.Flags().StringVar(&o.stale, "stale", "7d", "scans older than this `age` are stale, and said to be; 0 for none")
}

// parse reads the flags without a call.
func (o *patchNodes) parse(args []string) (err error) {
	named := len(args)+len(o.choice.targets) > 0
	if named {
		o.targets, o.query.Filter, err = o.choice.parse("", args)
	} else {
		o.query, err = nodeQuery(o.choice.tags, o.choice.filter)
	}
	if err != nil {
		return err
	}
	if o.old, err = parseAge("stale", o.stale); err != nil {
		return err
	}
	return nil
}

// whole reports whether the nodes are all of the account and Region.
func (o *patchNodes) whole() bool {
	return len(o.targets) == 0 && len(o.query.Tags) == 0 && o.query.Filter.Empty()
}

// look is what was found of patching in one account and Region.
type look struct {
	report patch.Report
	// partial is why not everything that was asked for is known; nil: it is.
	partial error
}

// read reads the nodes and the states of their patches, and says what there is to
// say of them. Where no state at all may be read, that is the error.
func (o *patchNodes) read(ctx context.Context, env *Env, parts fleet.Part) (look, error) {
	nodes, gaps, err := o.find(ctx, env, parts|fleet.PartPatch)
	if err != nil {
		return look{}, err
	}
	l := look{report: patch.NewReport(nodes, time.Now(), o.old, strictBaselines(ctx, env, nodes))}
	var others []fleet.Gap
	for _, g := range gaps {
		switch {
		case g.Part != fleet.PartPatch:
			others = append(others, g)
		case l.report.Total.Unknown == len(nodes):
			return look{}, g.Err
		default:
			l.partial = fault.New(fault.RemoteFailed, "read the states of patching", "%d of %s not known: %w", g.Nodes, pluralAre(len(nodes), "node"), g.Err)
		}
	}
	noteGaps(env, others)
	return l, nil
}

// strictBaselines asks the baselines of nodes what they say of security updates that
// are available and not approved, where that decides whether the nodes are compliant.
// One that may not be read is said.
func strictBaselines(ctx context.Context, env *Env, nodes []fleet.Node) patch.Strict {
	of := map[string]int{}
	for _, n := range nodes {
		if patch.Undecided(n) {
			of[n.Patch.Baseline]++
		}
	}
	if len(of) == 0 {
		return nil
	}
	strict := patch.Strict{}
	svc, err := env.Baselines(ctx)
	for _, id := range slices.Sorted(maps.Keys(of)) {
		var b baseline.Baseline
		if err == nil {
			b, err = svc.Get(ctx, id)
		}
		if err != nil {
			env.note("ssmdeck: warning: security updates are available on %s that count as compliant; whether their baselines call that so is not known: %s", plural(sum(of), "node"), render.Visible(err.Error()))
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

// find reads the nodes, joined with parts. A name that nobody has here may be known
// elsewhere.
func (o *patchNodes) find(ctx context.Context, env *Env, parts fleet.Part) (nodes []fleet.Node, gaps []fleet.Gap, err error) {
	svc, err := env.Fleet(ctx)
	if err != nil {
		return nil, nil, err
	}
	nodes, gaps, err = joinedNodes(ctx, svc, o.targets, o.query, parts)
	var several *fleet.Ambiguous
	if fault.KindOf(err) == fault.NotFound && !errors.As(err, &several) {
		err = perhapsElsewhere(err)
	}
	return nodes, gaps, err
}

// noteReport says on standard error what the numbers are worth: how many nodes are
// as they should be, and how old the scans are.
func noteReport(env *Env, r patch.Report) {
	t := r.Total
	if t.Nodes == 0 {
		return
	}
	text := t.String()
	if !t.Oldest.IsZero() {
		text += "; scanned " + ages(r.Made, t.Oldest, t.Newest)
	}
	env.note("ssmdeck: %s", text)
	const apart = 3 * 24 * time.Hour
	switch {
	case t.Stale > 0:
		env.note("ssmdeck: warning: the last scan of %s is older than %s, so that what is shown of them may have changed: `ssmdeck patch scan` looks again",
			plural(t.Stale, "node"), render.Duration(r.StaleAfter))
	case t.Newest.Sub(t.Oldest) > apart:
		env.note("ssmdeck: note: the scans are up to %s apart", render.Duration(t.Newest.Sub(t.Oldest).Truncate(time.Hour)))
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

// counted shows how much of some work is done, which may be told out of order. Where
// several scopes are read it tells nothing: there is one bar on the screen. end takes
// the bar away.
func (e *Env) counted(label string) (told func(done, total int), end func(), err error) {
	if e.placed() != nil {
		return nil, func() {}, nil
	}
	progress, err := e.progress()
	if err != nil {
		return nil, nil, err
	}
	var mu sync.Mutex
	most, of := 0, 0
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if total != of { // another part of the work
			most, of = 0, total
		}
		most = max(most, done)
		progress.Set(render.Status{Label: label, Done: int64(most), Total: int64(total)})
	}, progress.Close, nil
}

// patchReading reads the patches of the nodes that are not as they should be. What
// could not be read is the second error; the first ends the command.
func patchReading(ctx context.Context, env *Env, rows []patch.Row, w patch.Wanted) (nodes []patch.NodePatches, partial, err error) {
	svc, err := env.Patches(ctx)
	if err != nil {
		return nil, nil, err
	}
	seen, end, err := env.counted("read the patches of nodes")
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
		env.note("ssmdeck: note: %s scanned while this was read", pluralWere(read.Changed, "node"))
	}
	for _, r := range rows { // in their order
		if failed := read.Failed[r.ID]; failed != nil {
			partial = fault.New(fault.RemoteFailed, "read the patches", "%d of %s not read; the first: %s: %w",
				len(read.Failed), pluralAre(len(rows), "node"), r.ID, failed)
			break
		}
	}
	return read.Nodes, partial, nil
}
