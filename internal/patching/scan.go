package patching

import (
	"context"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/rollout"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	// Reports of nodes that are done are read as soon as there are as many as fit into
	// one call, or this long after the last reading.
	readEvery = 2 * time.Second
	readFull  = 50
)

// Scanner scans nodes. Each scan overwrites what the last one found.
type Scanner struct {
	Run   rollout.Runner
	Fleet states
}

// Scan is one scan of many nodes.
type Scan struct {
	Selection              fleet.Selection
	Snapshot               string // see Options.Snapshot
	Concurrency, MaxErrors string // as run.Request
	Comment                string
	Timeout                time.Duration // for a node to take the command, as run.Request
	NoWait                 bool          // return when everything is sent
}

// Request is the run that the scan is.
func (s Scan) Request() run.Request {
	return run.Request{
		Selection: s.Selection, Document: Document, Params: Options{Snapshot: s.Snapshot}.params("Scan"), Comment: s.Comment,
		Concurrency: s.Concurrency, MaxErrors: s.MaxErrors, Timeout: s.Timeout, NoWait: s.NoWait, FailedOutputs: true,
	}
}

// Scan runs s and follows it to its end. emit gets the events of the run, seen the
// report of each node soon after it is done; they are never called at the same
// time, and not after Scan has returned. The states are those that the scan wrote,
// by node. The error is that of run.Service.Start, else that of reading the reports,
// with which the states are those that were read.
func (p Scanner) Scan(ctx context.Context, s Scan, emit func(run.Event), seen func(id string, state *fleet.PatchState)) (map[string]*fleet.PatchState, error) {
	req := s.Request()
	if s.NoWait {
		return nil, p.Run.Start(ctx, req, emit)
	}
	l := &live{
		reporter: reporter{fleet: p.Fleet, snapshot: s.Snapshot}, begun: time.Now(), seen: seen,
		began: map[string]time.Time{}, have: map[string]*fleet.PatchState{}, full: make(chan struct{}, 1),
	}
	readCtx, stop := context.WithCancel(ctx)
	var reading wait.Group
	reading.Go(func() { l.read(readCtx) })
	err := p.Run.Start(ctx, req, func(e run.Event) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if i := e.Invocation; e.Kind == run.Changed && i.State == run.Success {
			l.done(*i)
		}
		emit(e)
	})
	stop()
	reading.Wait()
	if err != nil {
		return l.have, err
	}
	// The rest, and those whose report was not there yet.
	all, err := l.reporter.wait(ctx, l.nodes, l.when, l.have)
	if err != nil {
		return l.have, err
	}
	for id, state := range all {
		if l.have[id] == nil {
			seen(id, state)
		}
	}
	return all, nil
}

// live reads the reports of nodes while others are still at work.
type live struct {
	reporter reporter
	begun    time.Time
	seen     func(string, *fleet.PatchState)
	full     chan struct{} // a call's worth of nodes waits

	mu    sync.Mutex
	nodes []fleet.Node // done, in order
	next  int          // of nodes, to be read
	began map[string]time.Time
	have  map[string]*fleet.PatchState
}

// done notes a node. Callers hold l.mu.
func (l *live) done(i run.Invocation) {
	if _, known := l.began[i.NodeID]; known {
		return
	}
	at := l.begun
	if i.Started != nil {
		at = *i.Started
	}
	l.began[i.NodeID] = at
	l.nodes = append(l.nodes, fleet.Node{ID: i.NodeID})
	if len(l.nodes)-l.next >= readFull {
		select {
		case l.full <- struct{}{}:
		default:
		}
	}
}

func (l *live) when(id string) time.Time { return l.began[id] }

// read reads until ctx ends. What it cannot read is read at the end, where errors
// count.
func (l *live) read(ctx context.Context) {
	for {
		tick, cancel := context.WithTimeout(ctx, readEvery)
		select {
		case <-l.full:
		case <-tick.Done():
		}
		cancel()
		if ctx.Err() != nil {
			return
		}
		l.mu.Lock()
		batch := l.nodes[l.next:]
		if full := len(batch) / readFull * readFull; full > 0 {
			batch = batch[:full]
		}
		l.next += len(batch)
		l.mu.Unlock()
		if len(batch) == 0 {
			continue
		}
		found, err := l.reporter.read(ctx, batch, func(id string) time.Time {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.began[id]
		}, false)
		if err != nil {
			if wait.Sleep(ctx, readEvery) != nil {
				return
			}
			continue
		}
		l.mu.Lock()
		for id, state := range found {
			l.have[id] = state
			l.seen(id, state)
		}
		l.mu.Unlock()
	}
}
