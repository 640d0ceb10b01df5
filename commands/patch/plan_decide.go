package patch

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// planner works out what a baseline in the place of another would change.
type planner struct {
	env           *cli.Env
	svc           *baseline.Service
	before, after baseline.Baseline
	now           time.Time

	nodes   []plannedNode
	patches []plannedPatch
	// How many patches start and stop, of how many too little is known to tell, and
	// how many nodes were never scanned.
	starts, stops, unknown, never int
	stale                         int   // nodes whose last scan is old
	failed                        error // of nodes that could not be read
	// older are the patches of nodes that are missing in a version that stops, while an
	// older one starts.
	older map[string]bool
}

// choose keeps the nodes that go by the baseline. named: they were named by hand, and
// those that are left out are said.
func (p *planner) choose(ctx context.Context, nodes []fleet.Node, named bool) error {
	assigned, err := p.svc.Assignment(ctx)
	if err != nil {
		return err
	}
	var others []string
	for _, n := range nodes {
		os := nodeOS(n)
		x := assigned.Of(os, n.Tags)
		if os != p.before.OS || !baseline.SameID(x.Baseline.ID, p.before.ID) {
			others = append(others, cmp.Or(n.Name, n.ID))
			continue
		}
		p.nodes = append(p.nodes, plannedNode{
			Node: n.ID, Name: n.Name, OS: os, Product: baseline.NodeProduct(os, n.PlatformName, n.PlatformVersion), Group: x.Group,
			Start: []string{}, Stop: []string{}, From: "catalogue", node: n,
		})
	}
	if named && len(others) > 0 {
		p.env.Note("ssmdeck: %s of those that are named go by other baselines: %s", cli.Plural(len(others), "node"), render.Visible(render.Fold(others)))
	}
	return nil
}

// decide compares by product, and puts what concerns them to the nodes.
func (p *planner) decide(ctx context.Context, catalogueOnly bool) error {
	byProduct := map[string][]int{}
	for i, n := range p.nodes {
		byProduct[n.Product] = append(byProduct[n.Product], i)
	}
	have := map[string]baseline.OnNode{}
	if !catalogueOnly && len(p.nodes) <= planReadNodes {
		if err := p.readNodes(ctx, have); err != nil {
			return err
		}
	}
	rows := map[string]*plannedPatch{}
	for _, product := range slices.Sorted(maps.Keys(byProduct)) {
		catalogue, err := p.catalogue(ctx, product)
		if err != nil {
			return err
		}
		changes, unknown := baseline.Compare(&p.before, &p.after, catalogue, p.now)
		p.unknown += unknown
		all := newest(changes)
		byID := map[string][]baseline.Patch{}
		for _, c := range catalogue {
			byID[c.ID] = append(byID[c.ID], c)
		}
		others, err := p.others(ctx, product, byProduct[product], have, byID)
		if err != nil {
			return err
		}
		for _, i := range byProduct[product] {
			n := &p.nodes[i]
			if on, ok := have[n.Node]; ok {
				n.From = "node"
				p.put(n, newest(p.concerning(n, on, changes, byID, others)), rows)
				continue
			}
			p.put(n, all, rows)
		}
	}
	p.finish(rows)
	return nil
}

// catalogue is what there is for a product.
func (p *planner) catalogue(ctx context.Context, product string) ([]baseline.Patch, error) {
	if product == "" {
		p.env.Note("ssmdeck: warning: of some nodes the product is not known; for them all patches of %s are looked at", p.before.OS)
		return p.svc.Catalogue(ctx, p.before.OS, nil, nil)
	}
	listed, err := p.svc.CatalogueProduct(ctx, p.before.OS, product)
	if err != nil {
		return nil, err
	}
	list, err := p.svc.Catalogue(ctx, p.before.OS, []string{listed}, nil)
	if list = baseline.Of(product, list); err == nil && len(list) == 0 {
		p.env.Note("ssmdeck: warning: the service has no catalogue for %s: only what scans have listed is compared, without release dates", product)
	}
	return list, err
}

// readNodes reads what nodes have, a few at a time. Those that fail are told at the
// end, and go by the catalogue.
func (p *planner) readNodes(ctx context.Context, have map[string]baseline.OnNode) error {
	scope, err := p.env.Scope(ctx)
	if err != nil {
		return err
	}
	if err := p.whoWasScanned(ctx); err != nil {
		return err
	}
	svc := patch.New(scope.SSM())
	scanned := slices.DeleteFunc(slices.Clone(p.nodes), func(n plannedNode) bool { return n.node.Patch == nil }) // of the others nothing is known
	var mu sync.Mutex
	var failures []error
	err = awsapi.Parallel(ctx, len(scanned), func(ctx context.Context, i int) error {
		on, err := readNode(ctx, svc, scanned[i].Node)
		if fault.KindOf(err) == fault.Auth { // so it is of all
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failures = append(failures, err)
		} else {
			have[scanned[i].Node] = on
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(failures) > 0 {
		p.failed = fault.New(fault.RemoteFailed, "plan", "the patches of %s could not be read; for them the catalogue was used: %w", cli.Plural(len(failures), "node"), errors.Join(failures...))
	}
	return nil
}

// whoWasScanned reads the states of the nodes, 50 a call.
func (p *planner) whoWasScanned(ctx context.Context) error {
	svc, err := p.env.Fleet(ctx)
	if err != nil {
		return err
	}
	nodes := make([]fleet.Node, len(p.nodes))
	for i := range p.nodes {
		nodes[i] = p.nodes[i].node
	}
	gaps, err := svc.Join(ctx, nodes, fleet.PartPatch)
	if err != nil {
		return err
	}
	for _, g := range gaps {
		return fault.New(fault.KindOf(g.Err), "plan", "whether %s were scanned cannot be read: %w", cli.Plural(g.Nodes, "node"), g.Err).
			WithHint("--catalogue goes without")
	}
	for i := range nodes {
		p.nodes[i].node = nodes[i]
		switch state := nodes[i].Patch; {
		case state == nil:
			p.never++
		case time.Since(state.Ended) > patch.StaleAfter:
			p.stale++
		}
	}
	return nil
}

func readNode(ctx context.Context, svc *patch.Service, id string) (baseline.OnNode, error) {
	on := baseline.OnNode{}
	for x, err := range svc.OfNode(ctx, id) {
		if err != nil {
			return nil, err
		}
		on.Add(baseline.NodePatch{Patch: baseline.FromScan(x.ID, x.Title, x.Classification, x.Severity, x.CVEs), State: string(x.State)})
	}
	return on, nil
}

// others are the patches that scans of nodes have listed, not as installed, and that
// the catalogue of the product does not have: on Windows those of applications. What
// scans do not say of them is read.
func (p *planner) others(ctx context.Context, product string, nodes []int, have map[string]baseline.OnNode, catalogue map[string][]baseline.Patch) (map[string]baseline.Patch, error) {
	found := map[string]baseline.Patch{}
	for _, i := range nodes {
		for _, x := range have[p.nodes[i].Node] {
			if x.Open() && len(catalogue[x.ID]) == 0 {
				found[x.Key()] = x.Patch
			}
		}
	}
	list := make([]baseline.Patch, 0, len(found))
	for _, key := range slices.Sorted(maps.Keys(found)) {
		list = append(list, found[key])
	}
	if err := p.svc.Enrich(ctx, p.before.OS, product, list); err != nil {
		return nil, err
	}
	for _, x := range list {
		found[x.Key()] = x
	}
	return found, nil
}

// concerning keeps the changes that concern a node, and adds those of the other
// patches that its scan has listed.
func (p *planner) concerning(n *plannedNode, on baseline.OnNode, changes []baseline.Change, catalogue map[string][]baseline.Patch, others map[string]baseline.Patch) []baseline.Change {
	var rest []baseline.Patch
	since := n.node.Patch.Ended
	for _, id := range slices.Sorted(maps.Keys(on)) {
		if !on[id].Open() {
			continue
		}
		x, other := others[on[id].Key()]
		if other {
			rest = append(rest, x)
		} else if found := catalogue[id]; len(found) > 0 {
			x = found[0]
		}
		if x.Released.Before(since) { // what came later may wait behind it
			since = x.Released
		}
	}
	more, unknown := baseline.Compare(&p.before, &p.after, rest, p.now)
	p.unknown += unknown
	changes = slices.Concat(changes, more)
	stops := map[string]bool{}
	for _, c := range changes {
		if c.Stops() {
			stops[c.Key()] = true
		}
	}
	var out []baseline.Change
	for _, c := range changes {
		switch {
		case c.Concerns(n.OS, on, since):
			out = append(out, c)
		case c.Downgrades(n.OS, on) && stops[on[c.ID].Key()]:
			p.older[n.Node+" "+c.ID] = true
		}
	}
	return out
}

// newest keeps, of what starts and of what stops, the newest version of each patch:
// changes come in that order.
func newest(changes []baseline.Change) []baseline.Change {
	seen := map[string]bool{}
	var out []baseline.Change
	for _, c := range changes {
		key := wouldWord(c) + c.ID
		if !seen[key] {
			seen[key] = true
			out = append(out, c)
		}
	}
	return out
}

func wouldWord(c baseline.Change) string {
	if c.Stops() {
		return "stop"
	}
	return "start"
}

// put notes changes with their node and their patches.
func (p *planner) put(n *plannedNode, changes []baseline.Change, rows map[string]*plannedPatch) {
	for _, c := range changes {
		would := wouldWord(c)
		if would == "stop" {
			n.Stop = append(n.Stop, c.ID)
		} else {
			n.Start = append(n.Start, c.ID)
		}
		key := would + " " + c.Key() + " " + c.Product
		if rows[key] == nil {
			rows[key] = &plannedPatch{Change: c, Would: would, Nodes: []string{}}
		}
		rows[key].Nodes = append(rows[key].Nodes, n.Node)
	}
}

// finish orders the rows: nodes for which most changes first, patches that stop and
// concern most nodes first.
func (p *planner) finish(rows map[string]*plannedPatch) {
	names := map[string]string{}
	for i := range p.nodes {
		n := &p.nodes[i]
		names[n.Node] = cmp.Or(n.Name, n.Node)
	}
	for _, r := range rows {
		folded := make([]string, len(r.Nodes))
		for i, id := range r.Nodes {
			folded[i] = names[id]
		}
		r.Names = render.Fold(folded)
		if r.Would == "start" {
			p.starts++
		} else {
			p.stops++
		}
		p.patches = append(p.patches, *r)
	}
	slices.SortFunc(p.patches, func(a, b plannedPatch) int {
		return cmp.Or(strings.Compare(b.Would, a.Would), cmp.Compare(len(b.Nodes), len(a.Nodes)), b.Released.Compare(a.Released), strings.Compare(a.Key()+a.Product, b.Key()+b.Product))
	})
	slices.SortStableFunc(p.nodes, func(a, b plannedNode) int {
		return cmp.Or(cmp.Compare(len(b.Start)+len(b.Stop), len(a.Start)+len(a.Stop)), render.NaturalCompare(a.Name, b.Name), strings.Compare(a.Node, b.Node))
	})
}

// summary says the totals, and what they do not say.
func (p *planner) summary() {
	touched := 0
	for _, n := range p.nodes {
		if len(n.Start)+len(n.Stop) > 0 {
			touched++
		}
	}
	p.env.Note("ssmdeck: %s in the place of %s: %s would start being approved and %s stop, on %d of %s", p.after.Name, p.before.Label(),
		cli.Plural(p.starts, "patch"), cli.Plural(p.stops, "patch"), touched, cli.Plural(len(p.nodes), "node"))
	if p.never > 0 {
		p.env.Note("ssmdeck: %s never scanned: what they have is not known, and all of the catalogue is counted for them", cli.PluralWere(p.never, "node"))
	}
	if p.stale > 0 {
		p.env.Note("ssmdeck: warning: the last scan of %s is older than %s, so that what they have may have changed: `ssmdeck patch scan` looks again", cli.Plural(p.stale, "node"), render.Duration(patch.StaleAfter))
	}
	if p.before.ForApplications() || p.after.ForApplications() {
		p.env.Note("ssmdeck: note: of applications those updates are counted that scans of nodes have listed: what is missing, and security updates that are available")
	}
	if n := len(p.older); n > 0 {
		p.env.Note("ssmdeck: note: for %s that nodes lack an older version would be approved: whether it is asked for depends on what is installed", cli.Plural(n, "patch"))
	}
	if p.unknown > 0 {
		p.env.Note("ssmdeck: warning: of %s too little is known to decide; they are not counted", cli.Plural(p.unknown, "patch"))
	}
}
