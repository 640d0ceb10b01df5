package run

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// maxIDs is how many node ids one SendCommand takes (API model).
const maxIDs = 50

// defaultConcurrency is the service's MaxConcurrency when none is given (API
// model); that of MaxErrors is 0.
const defaultConcurrency = 50

// A plan is a run cut into commands.
type plan struct {
	runID string
	sends []send
	// concurrency and errors are the run's limits in nodes; they matter when
	// there are several sends, since the service knows the limits of each only.
	concurrency, errors int
}

// A send is one SendCommand.
type send struct {
	request  Request // for everything the sends have in common
	document string
	version  string // of the document
	params   map[string][]string
	timeout  int      // seconds for delivery; 0 is that of the request
	ids      []string // or:
	targets  []fleet.APITarget
	known    []string // the ids, or those that the targets stood for when looked up

	number, of int
}

// name is the send in error messages.
func (s send) name() string {
	if s.of == 1 {
		return "send " + s.document
	}
	return fmt.Sprintf("send %s (%d of %d)", s.document, s.number, s.of)
}

// makePlan cuts a valid request into sends. Nothing to send to is an error:
// Offline when all selected nodes are, NotFound otherwise.
func makePlan(r Request) (plan, error) {
	sel := r.Selection
	if len(sel.InstanceIDs) == 0 && len(sel.Targets) == 0 {
		return plan{}, nothingSelected(sel)
	}
	p := plan{runID: cmp.Or(r.RunID, NewRunID())}
	if len(r.Again) > 0 {
		return p.again(r)
	}
	groups, err := r.platforms()
	if err != nil {
		return plan{}, err
	}
	for _, platform := range []string{"", linux, windows} {
		nodes, ok := groups[platform]
		if !ok {
			continue
		}
		s := send{request: r, document: r.documentFor(platform), version: r.DocumentVersion}
		if s.params, err = r.params(platform, nodes); err != nil {
			return plan{}, err
		}
		if len(sel.Targets) > 0 && len(groups) == 1 {
			s.targets, s.known = sel.Targets, sendable(nodes)
			p.sends = append(p.sends, s)
			continue
		}
		p.byID(s, nodes)
	}
	return p.numbered(r)
}

// byID adds as many sends as the ids of the nodes need.
func (p *plan) byID(s send, nodes []fleet.Node) {
	for ids := range slices.Chunk(sendable(nodes), maxIDs) {
		s.ids, s.known = ids, ids
		p.sends = append(p.sends, s)
	}
}

// numbered counts the sends through and shares out the limits.
func (p plan) numbered(r Request) (plan, error) {
	if len(p.sends) == 0 {
		return plan{}, nothingSelected(r.Selection)
	}
	if err := p.fits(); err != nil {
		return plan{}, err
	}
	total := 0
	for i := range p.sends {
		p.sends[i].number, p.sends[i].of = i+1, len(p.sends)
		total += len(p.sends[i].ids)
	}
	return p.limit(r, total)
}

// limit turns the limits into numbers of nodes.
func (p plan) limit(r Request, total int) (plan, error) {
	concurrency, err := ParseConcurrency(r.Concurrency)
	if err != nil {
		return plan{}, err
	}
	errors, err := ParseMaxErrors(r.MaxErrors)
	if err != nil {
		return plan{}, err
	}
	p.concurrency = max(1, concurrency.Of(total, defaultConcurrency))
	p.errors = errors.Of(total, 0)
	if r.NoWait && len(p.sends) > 1 && p.concurrency < len(p.sends) {
		return plan{}, fault.Usagef("the run needs %d commands, and a concurrency of %d over all of them needs ssmdeck to wait", len(p.sends), p.concurrency).
			WithHint("leave out --no-wait, or allow %d nodes at a time", len(p.sends))
	}
	return p, nil
}

// recipients are the nodes a selection is for: those of its ids, each once,
// whether more is known of them or not; all its nodes when it has targets.
func recipients(sel fleet.Selection) []fleet.Node {
	if len(sel.InstanceIDs) == 0 {
		return sel.Nodes
	}
	byID := make(map[string]fleet.Node, len(sel.Nodes))
	for _, n := range sel.Nodes {
		byID[n.ID] = n
	}
	seen := make(map[string]bool, len(sel.InstanceIDs))
	var nodes []fleet.Node
	for _, id := range sel.InstanceIDs {
		if seen[id] {
			continue
		}
		seen[id] = true
		n, ok := byID[id]
		if !ok {
			n = fleet.Node{ID: id}
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// sendable are the ids of nodes that a command may name: the service refuses
// all of it when one node is not connected.
func sendable(nodes []fleet.Node) []string {
	var ids []string
	for _, n := range nodes {
		if !n.Offline() {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

func nothingSelected(sel fleet.Selection) error {
	if n := len(sel.Offline); n > 0 {
		return fault.New(fault.Offline, "run", "all selected nodes are offline (%d), and nothing was sent", n).
			WithHint("run `ssmdeck node get %s` to see its last ping", sel.Offline[0].ID)
	}
	return fault.New(fault.NotFound, "run", "no node is selected, and nothing was sent").
		WithHint("name nodes with --target, and see `ssmdeck ls`")
}

// The run's id stands at the end of the comment of each of its commands, as in
// "nightly restart [ssmdeck k3v9q2m1zt.2/5]": the second of five. By it a command
// can be found whose SendCommand went unanswered, the commands of one run be told
// from others, and be seen that some were never sent.
const (
	runIDLength = 10 // 50 random bits
	tagLength   = len(" [ssmdeck ") + runIDLength + len(".1000/1000]")

	// MaxComment is how many characters a user's comment may have; the service
	// takes 100 (API model).
	MaxComment = 100 - tagLength
)

// NewRunID makes the id of a run; see Request.RunID.
func NewRunID() string { return strings.ToLower(rand.Text()[:runIDLength]) }

func commentTag(runID string, number, of int) string {
	return fmt.Sprintf("[ssmdeck %s.%d/%d]", runID, number, of)
}

var (
	runIDPattern = pattern.Lazy(`^[a-z2-7]{10}$`)
	tagPattern   = pattern.Lazy(`^(.*)\[ssmdeck ([a-z2-7]{10})\.([0-9]{1,4})(?:/([0-9]{1,4}))?\]$`)
)

// splitComment takes a comment apart into the user's text and the run's id, the
// number of the command in it and how many there are; 0 when that is not said.
func splitComment(comment string) (text, runID string, number, of int) {
	m := tagPattern().FindStringSubmatch(comment)
	if m == nil {
		return comment, "", 0, 0
	}
	number, _ = strconv.Atoi(m[3])
	of, _ = strconv.Atoi(m[4])
	return strings.TrimSpace(m[1]), m[2], number, of
}
