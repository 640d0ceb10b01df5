package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	// liveEvery is how often news is asked for. FilterLogEvents is allowed 5 to 10
	// times a second in an account and Region, and GetLogEvents 10 to 25 times, for
	// all who use them there (CloudWatch Logs quotas).
	liveEvery = time.Second
	// livePerSecond and liveAtOnce bound what one run takes of that.
	livePerSecond = 6
	liveAtOnce    = 20
	// liveOverlap is how far back each look goes: events can be read some seconds
	// after they were put in. What comes later still is found at the end.
	liveOverlap = 10 * time.Second
	// byPrefixUpTo is for how many commands streams are asked for by command; with
	// more the whole group is read and sorted here.
	byPrefixUpTo = 2

	liveGrace = 15 * time.Second // for the last lines to become readable
	liveEnd   = time.Minute      // for all of them to be shown
)

// A tail shows what nodes write while they are at work, where their output goes to
// CloudWatch Logs. One call finds the streams that have news, of all nodes at
// once; these are read by themselves, each from where it was left, since only then
// every event comes once and in order. Where many nodes write much, lines come
// late, and none is lost.
//
// In the end what was shown of each node is held against what the service says
// that it wrote; where that differs, it is said.
type tail struct {
	store    store
	seed     maphash.Seed
	pacer    *pacer
	sources  []*tailSource
	commands map[string]bool
	streams  map[string]*liveStream // by name
	fresh    []*liveStream          // with news, those that wait longest first
	nodes    map[rowKey]*liveNode
	looked   time.Time
	off      bool // may not be read
}

// tailSource is one thing to ask for: the streams of a command, or of a group.
type tailSource struct {
	group, prefix string
	from          time.Time            // events before were seen, or are too late
	seen          map[string]time.Time // ids of events since from
}

// liveStream is a stream, and what was shown of it.
type liveStream struct {
	command, node, step, name string
	cursor                    *logstore.Cursor
	waits                     bool // among the fresh
	length                    int64
	hash                      maphash.Hash // of all of it
}

// liveNode is what the service says that a node wrote.
type liveNode struct {
	inv            Invocation
	group          string
	steps          []string // as streams spell them
	known          bool     // stdout and stderr are all it wrote, in one step
	stdout, stderr string
}

func newTail(s store) *tail {
	return &tail{
		store: s, seed: maphash.MakeSeed(), pacer: pacerOf(livePerSecond, liveAtOnce), commands: make(map[string]bool),
		streams: make(map[string]*liveStream), nodes: make(map[rowKey]*liveNode),
	}
}

// watch adds a command.
func (l *tail) watch(t *tracked) {
	if t.keep.group == "" || l.commands[t.id] {
		return
	}
	l.commands[t.id] = true
	from := t.since
	if !t.requested.IsZero() && t.requested.Before(from) {
		from = t.requested
	}
	from = from.Add(-time.Minute) // clocks of nodes differ
	var of []*tailSource
	for _, s := range l.sources {
		if s.group != t.keep.group {
			continue
		}
		if s.prefix == "" {
			return // the whole group is read anyway
		}
		of = append(of, s)
	}
	if len(of) < byPrefixUpTo {
		l.sources = append(l.sources, &tailSource{group: t.keep.group, prefix: t.id + "/", from: from, seen: make(map[string]time.Time)})
		return
	}
	whole := &tailSource{group: t.keep.group, from: of[0].from, seen: make(map[string]time.Time)}
	for _, s := range of {
		if s.from.Before(whole.from) {
			whole.from = s.from
		}
		for id, at := range s.seen {
			whole.seen[id] = at
		}
	}
	l.sources = append(slices.DeleteFunc(l.sources, func(s *tailSource) bool { return s.group == t.keep.group }), whole)
}

// poll looks for news and shows some of it, when it is time to.
func (l *tail) poll(ctx context.Context, f *follower) error {
	if l.off || time.Since(l.looked) < liveEvery {
		return nil
	}
	l.looked = time.Now()
	for _, t := range f.commands {
		l.watch(t)
	}
	for _, s := range l.sources {
		if err := l.look(ctx, f, s); err != nil || l.off {
			return err
		}
	}
	return l.show(ctx, f, liveAtOnce)
}

// look finds the streams that have news.
func (l *tail) look(ctx context.Context, f *follower, s *tailSource) error {
	newest := time.Time{}
	_, err := callAt(ctx, f, l.pacer, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, l.store.Recent(ctx, s.group, s.prefix, s.from, func(e logstore.Event) {
			if _, old := s.seen[e.ID]; old {
				return
			}
			s.seen[e.ID] = e.Time
			if e.Time.After(newest) {
				newest = e.Time
			}
			if command, _, _, _, ok := streamParts(e.Stream); ok && l.commands[command] {
				l.refresh(s.group, e.Stream)
			}
		})
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, logstore.ErrMissing): // agents make the group with the first line
		return nil
	case err != nil:
		l.fail(f, err)
		return nil
	}
	if from := newest.Add(-liveOverlap); from.After(s.from) {
		s.from = from
		for id, at := range s.seen {
			if at.Before(from) {
				delete(s.seen, id)
			}
		}
	}
	return nil
}

func (l *tail) fail(f *follower, err error) {
	l.off = true
	f.notice(Notice{Kind: Unlive, Text: "output is not shown while it is written: " + explainWhole(err)})
}

// refresh notes that a stream may have news.
func (l *tail) refresh(group, name string) {
	s := l.streams[name]
	if s == nil {
		s = &liveStream{cursor: l.store.Open(logstore.Stream{Group: group, Name: name}, time.Time{})}
		s.command, s.node, s.step, s.name, _ = streamParts(name)
		s.hash.SetSeed(l.seed)
		l.streams[name] = s
	}
	if !s.waits {
		s.waits = true
		l.fresh = append(l.fresh, s)
	}
}

// show reads and shows up to n pages of streams that have news.
func (l *tail) show(ctx context.Context, f *follower, n int) error {
	for range n {
		if len(l.fresh) == 0 {
			return nil
		}
		s := l.fresh[0]
		l.fresh = l.fresh[1:]
		s.waits = false
		type page struct {
			events []logstore.Event
			end    bool
		}
		p, err := callAt(ctx, f, l.pacer, func(ctx context.Context) (p page, err error) {
			p.events, p.end, err = s.cursor.Next(ctx)
			return p, err
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, logstore.ErrMissing):
			continue
		case err != nil:
			l.fail(f, err)
			return nil
		}
		for _, e := range p.events {
			log := Log{NodeID: s.node, Step: s.step, Stream: s.name, Time: e.Time, Offset: s.length, Text: lines(e.Message)}
			s.length += int64(len(log.Text))
			_, _ = s.hash.WriteString(log.Text)
			f.emit(Event{Kind: Logged, Time: time.Now(), RunID: f.runID, CommandID: s.command, Log: &log})
		}
		if len(p.events) > 0 && !p.end && !s.waits { // there may be another page
			s.waits = true
			l.fresh = append(l.fresh, s)
		}
	}
	return nil
}

// streamParts takes the name of a stream apart: command/node/step/stdout.
func streamParts(name string) (command, node, step, stream string, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 4 || parts[3] != "stdout" && parts[3] != "stderr" {
		return "", "", "", "", false
	}
	return parts[0], parts[1], parts[2], parts[3], true
}

// ended takes note of the steps of a node that is done.
func (l *tail) ended(t *tracked, inv Invocation, plugins []types.CommandPlugin) {
	n := &liveNode{inv: inv, group: t.keep.group}
	for _, p := range plugins {
		n.steps = append(n.steps, strings.ReplaceAll(aws.ToString(p.Name), ":", "-"))
	}
	l.nodes[rowKey{inv.NodeID, inv.CommandID}] = n
}

// printed takes note of what a node wrote.
func (l *tail) printed(inv Invocation, o Output) {
	n := l.nodes[rowKey{inv.NodeID, inv.CommandID}]
	if n == nil || o.Truncated || o.Preview || len(n.steps) > 1 {
		return
	}
	n.known, n.stdout, n.stderr = true, o.Stdout, o.Stderr
}

// finish shows the last lines, and says where they cannot all be had.
func (l *tail) finish(ctx context.Context, f *follower) error {
	began := time.Now()
	for {
		l.looked = time.Time{}
		if err := l.poll(ctx, f); err != nil || l.off {
			return err
		}
		open, unread := l.open()
		waited := time.Since(began)
		switch {
		case len(open) == 0 && len(l.fresh) == 0:
			return nil
		case waited > liveEnd, waited > liveGrace && len(l.fresh) == 0:
			gaps := len(open)
			if gaps == 0 {
				gaps = unread
			}
			if gaps > 0 {
				f.notice(Notice{Kind: Unlive, Count: gaps, Text: fmt.Sprintf("the lines shown of %d nodes may not be all; the result has them", gaps)})
			}
			return nil
		}
		for _, n := range open[:min(len(open), liveAtOnce)] {
			for _, stream := range []string{"stdout", "stderr"} {
				for _, name := range l.names(n, stream) {
					l.refresh(n.group, name)
				}
			}
		}
		if err := wait.Sleep(ctx, liveEvery); err != nil {
			return err
		}
	}
}

// open are the nodes of which not everything was shown, or of which that is not
// known while lines can still come; unread counts those with unread news.
func (l *tail) open() (open []*liveNode, unread int) {
	waiting := make(map[string]bool)
	for _, s := range l.fresh {
		waiting[s.node] = true
	}
	for _, n := range l.nodes {
		if n.group == "" || !ran(n.inv.State, n.inv.Detail) {
			continue
		}
		if n.known && !l.shown(n) || !n.known && !n.late() {
			open = append(open, n)
		}
	}
	slices.SortFunc(open, func(x, y *liveNode) int { return cmp.Compare(x.inv.NodeID, y.inv.NodeID) })
	return open, len(waiting)
}

// late reports whether a node has been done for so long that no more lines come.
func (n *liveNode) late() bool {
	return n.inv.Ended == nil || time.Since(*n.inv.Ended) > liveGrace-time.Second
}

// shown reports whether what was shown of a node is what it wrote.
func (l *tail) shown(n *liveNode) bool {
	for stream, text := range map[string]string{"stdout": n.stdout, "stderr": n.stderr} {
		shown := int64(0)
		same := text == ""
		for _, name := range l.names(n, stream) {
			if s := l.streams[name]; s != nil && s.length > 0 {
				shown += s.length
				same = s.length == int64(len(lines(text))) && s.hash.Sum64() == maphash.String(l.seed, lines(text))
			}
		}
		if text == "" && shown > 0 || !same {
			return false
		}
	}
	return true
}

// names are the streams of a node, as far as their steps are known.
func (l *tail) names(n *liveNode, stream string) []string {
	steps := n.steps
	if len(steps) == 0 {
		steps = []string{"aws-runShellScript", "aws-runPowerShellScript"}
	}
	var names []string
	for _, step := range steps {
		names = append(names, n.inv.CommandID+"/"+n.inv.NodeID+"/"+step+"/"+stream)
	}
	return names
}
