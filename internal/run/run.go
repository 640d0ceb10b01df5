// Package run is Run Command: it sends a script or a document to a selection of
// nodes, follows what becomes of it, and adds the result up.
//
// One Request is one run, however many commands it takes: mixed platforms and
// more than 50 node ids are cut into several, and rate control holds over all
// of them. A command is never sent twice: an unanswered SendCommand is looked
// for by the run's id in its comment. Following costs few calls (see
// callsPerSecond), survives throttling and a lost network, and stopping to
// follow never stops a command.
//
// Service does the calls and emits events; Board adds them up. The package
// prints nothing and starts no goroutine. Parameters of commands may hold
// secrets: they appear in no event, no error and no JSON.
package run

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
)

// Service runs commands in one account and region. It keeps nothing between
// calls and may be used concurrently.
type Service struct {
	api   api
	store store
}

// New returns a Service that calls client: the *ssm.Client of an awsapi.Scope,
// which does not repeat SendCommand by itself. Outputs that the API cuts are read
// from store; with nil they stay cut.
func New(client api, from *logstore.Store) *Service {
	s := &Service{api: client}
	if from != nil {
		s.store = from
	}
	return s
}

// Start sends the request and follows it to the end. emit is called from
// Start's own goroutine, and never after it returned.
//
// The error is nil when all commands ended, however they did: ask the Board. A
// request that cannot be meant is a Usage, NotFound or Offline error before
// anything is sent. When ctx ends, the commands go on; the error is Interrupted
// (Pending for a deadline) and its hint says how to take the run up again. When
// a later one of several sends fails, what was sent is followed to its end, and
// the error comes then.
func (s *Service) Start(ctx context.Context, req Request, emit func(Event)) error {
	if err := req.Validate(); err != nil {
		return err
	}
	p, err := makePlan(req)
	if err != nil {
		return err
	}
	f := newFollower(s, emit)
	f.runID, f.failedOutputs = p.runID, req.FailedOutputs
	for _, s := range p.sends {
		f.planned += len(s.ids)
	}
	if req.Live && s.store != nil {
		f.live = newTail(s.store)
	}
	f.emit(Event{
		Kind: Planned, Time: time.Now(), RunID: p.runID,
		Plan: &Plan{Nodes: planned(req.Selection), Commands: len(p.sends), Note: req.Selection.Note},
	})
	g := &stager{plan: p}
	if req.NoWait {
		_, err = g.advance(ctx, f)
	} else {
		err = f.run(ctx, g)
	}
	if err == nil && g.failure() != nil {
		return partly(g)
	}
	return f.ending(ctx, err, g.unsent())
}

// planned is every node the user selected, each once: those that cannot be
// reached must not vanish from the result.
func planned(sel fleet.Selection) []fleet.Node {
	seen := make(map[string]bool)
	var nodes []fleet.Node
	add := func(n fleet.Node) {
		if !seen[n.ID] {
			seen[n.ID] = true
			nodes = append(nodes, n)
		}
	}
	for _, n := range sel.Nodes {
		add(n)
	}
	for _, id := range sel.InstanceIDs {
		add(fleet.Node{ID: id})
	}
	for _, n := range sel.Offline {
		add(n)
	}
	return nodes
}

// partly says what of a run was sent before a send failed.
func partly(g *stager) error {
	sent := 0
	for _, s := range g.plan.sends[:g.next] {
		sent += len(s.ids)
	}
	var cause *fault.Error
	if !errors.As(g.err, &cause) {
		return g.err
	}
	e := *cause
	e.Err = fault.New(cause.Kind, "", "%w; sent to %d nodes, not to %d", cause.Err, sent, g.unsent())
	return &e
}

// ending words the error a follower came back with.
func (f *follower) ending(ctx context.Context, err error, unsent int) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return interrupted(err, f.ref(), unsent)
	}
	var known *fault.Error
	if errors.As(err, &known) && len(f.commands) == 0 {
		return err // nothing was sent
	}
	err = awsapi.Explain("run", err)
	if errors.As(err, &known) && known.Hint == "" {
		return known.WithHint("the commands go on: run `ssmdeck run watch %s` to follow", f.ref())
	}
	return err
}

// ref is how what is followed is named on the command line.
func (f *follower) ref() string {
	if f.runID != "" && len(f.commands) > 0 {
		return f.runID
	}
	ids := make([]string, len(f.commands))
	for i, t := range f.commands {
		ids[i] = t.id
	}
	return strings.Join(ids, " ")
}
