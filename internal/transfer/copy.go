package transfer

import (
	"cmp"
	"context"
	"log/slog"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/fault"
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
	// MaxLanes bounds the sessions with one node, usualLanes those that are opened
	// unasked: each holds some tens of MiB while data pour in.
	MaxLanes   = 8
	usualLanes = 4
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
	Apart     bool   // what comes from a node gets a folder of its own; with several always
	Nameless  bool   // the source has no name: the destination must be one
	Lanes     int    // sessions with a node at once; 0: as many as the size is worth
	Nodes     int    // nodes at once

	most int64 // lanes of one of many nodes; 0: usualLanes
}

// lanes is how many sessions size bytes are worth.
func (r *Request) lanes(size int64) int {
	if r.Lanes > 0 {
		return r.Lanes
	}
	return int(min(cmp.Or(r.most, usualLanes), max(1, size/laneSize)))
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
	if err := distinct(trees); err != nil {
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

// distinct refuses sources that would overwrite each other.
func distinct(trees []tree) error {
	seen := map[string]string{}
	for i := range trees {
		t := &trees[i]
		if other, twice := seen[t.base]; twice && t.base != "" {
			return fault.Usagef("%s and %s would have the same name", other, t.source).WithHint("copy them one after the other, under different names")
		}
		seen[t.base] = t.source
	}
	return nil
}

// each runs f for every node, some at a time.
func (s *Service) each(ctx context.Context, nodes []Node, req *Request, w Watch, f func(context.Context, Node, *Result) error) []*Result {
	results := make([]*Result, len(nodes))
	slots := make(chan struct{}, max(1, req.Nodes))
	if len(nodes) > 1 { // memory and quotas are for all together
		req.most = max(1, MaxLanes/int64(min(len(nodes), max(1, req.Nodes))))
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
