package transfer

import (
	"cmp"
	"context"
	"log/slog"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// Limits and sizes.
const (
	// unit is what readers count offsets in; dd seeks in blocks.
	unit = 64 << 10
	// seekUnit is that of workers, which take smaller blocks as well.
	seekUnit = 8 << 10
	// blockSize is what a worker takes at once, and what resuming compares.
	blockSize = 4 << 20
	// smallFile is up to where files travel in bundles.
	smallFile = 1 << 20
	// laneSize is how much data makes another session worth its start.
	laneSize = 16 << 20
	// MaxLanes bounds the sessions of one copy.
	MaxLanes = 8
)

// Node is a node as this package needs it.
type Node struct {
	ID, Name string
	Platform string // linux, macos, windows; "": taken for linux
}

func (n Node) String() string {
	if n.Name == "" {
		return n.ID
	}
	return n.Name + " (" + n.ID + ")"
}

// label is what a node's folder is called.
func (n Node) label() string { return cmp.Or(n.Name, n.ID) }

// opener is what this package needs of *sessions.Service.
type opener interface {
	Exec(ctx context.Context, req sessions.ExecRequest, opts ...sessionclient.Option) (*sessions.Exec, error)
}

// Options are the details of a Service.
type Options struct {
	Reason string // for the sessions' history
	// Session returns the options of the sessions with a node; may be nil.
	Session func(Node) []sessionclient.Option
	Log     *slog.Logger // nil: none
}

// Service copies. It is safe for concurrent use.
type Service struct {
	sessions opener
	opts     Options
}

// New returns a Service that opens its sessions with s.
func New(s *sessions.Service, o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{sessions: s, opts: o}
}

func (s *Service) options(n Node) []sessionclient.Option {
	if s.opts.Session == nil {
		return nil
	}
	return s.opts.Session(n)
}

func (s *Service) debug(msg string, args ...any) { s.opts.Log.Debug("copy: "+msg, args...) }

// Request says what to copy and how.
type Request struct {
	Dest      string // the path of the destination
	Recursive bool   // folders too
	NoClobber bool   // leave what is there alone
	Resume    bool   // keep and use what an interrupted copy has brought
	Compress  bool   // where it pays
	Lanes     int    // sessions with a node at once; 0: as many as the size is worth
	Nodes     int    // nodes at once

	most int64 // lanes of one of many nodes; 0: MaxLanes
}

// lanes is how many sessions size bytes are worth.
func (r *Request) lanes(size int64) int {
	if r.Lanes > 0 {
		return r.Lanes
	}
	return int(min(cmp.Or(r.most, MaxLanes), max(1, size/laneSize)))
}

// Watch is told how a copy goes on. Its functions are called from several
// goroutines.
type Watch struct {
	Total func(bytes int64) // more is to be copied
	Add   func(bytes int64) // more has been
	Done  func(*Result)
}

// Upload copies sources of this machine to all nodes and returns a result for
// each, in their order. The error is about the sources: nothing was copied then.
func (s *Service) Upload(ctx context.Context, sources []string, nodes []Node, req Request, w Watch) ([]*Result, error) {
	trees, left, err := s.Scan(ctx, sources, req.Recursive)
	if err != nil {
		return nil, err
	}
	var size int64
	for i := range trees {
		size += trees[i].size()
	}
	w.Total(size * int64(len(nodes)))
	return s.each(ctx, nodes, &req, w, func(ctx context.Context, n Node, res *Result) error {
		if n == nodes[0] { // said once
			res.Files = append(res.Files, left...)
		}
		return s.upload(ctx, n, &req, trees, w.Add, res)
	}), nil
}

// each runs f for every node, some at a time.
func (s *Service) each(ctx context.Context, nodes []Node, req *Request, w Watch, f func(context.Context, Node, *Result) error) []*Result {
	results := make([]*Result, len(nodes))
	slots := make(chan struct{}, max(1, req.Nodes))
	if len(nodes) > 1 { // memory and quotas are for all together
		req.most = max(1, 2*MaxLanes/int64(min(len(nodes), max(1, req.Nodes))))
	}
	var wg sync.WaitGroup
	for i, n := range nodes {
		results[i] = &Result{Node: n}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			err := ctx.Err()
			if err == nil {
				err = f(ctx, n, results[i])
			}
			if err != nil {
				results[i].Err = err
				results[i].drop()
			}
			w.Done(results[i])
		})
	}
	wg.Wait()
	return results
}

// Scan looks at sources of this machine. left are things below them that cannot
// be copied.
func (s *Service) Scan(ctx context.Context, sources []string, recursive bool) (trees []tree, left []File, err error) {
	trees, err = scan(ctx, sources, recursive, func(name string, err error) {
		left = append(left, File{Source: name, State: Failed, Error: err.Error()})
	})
	return trees, left, err
}
