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
	// times a second in an account and Region, for all who use it there.
	liveEvery = time.Second
	// liveOverlap is how far back each look goes: events can be read some seconds
	// after they were put in. What comes later still is found at the end.
	liveOverlap = 10 * time.Second
	// byPrefixUpTo is for how many commands streams are asked for by command; with
	// more the whole group is read and sorted here.
	byPrefixUpTo = 2

	liveGrace  = 10 * time.Second // for the last lines to become readable
	liveChecks = 200              // streams that are read once more at the end
)

// A tail shows what nodes write while they are at work, where their output goes to
// CloudWatch Logs. New events are looked for over all streams at once. In the end
// each node is held against what the service says that it wrote, and its streams
// are read once more from the beginning where that differs: so every line is shown
// once, and what could not be shown is said.
type tail struct {
	store    store
	seed     maphash.Seed
	sources  []*tailSource
	commands map[string]bool
	streams  map[string]*liveStream // by name
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

// liveStream is what was shown of one stream.
type liveStream struct {
	last   time.Time
	length int64
	hash   maphash.Hash // of all of it
	broken bool         // an event came too late: the rest is shown at the end
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
		store: s, seed: maphash.MakeSeed(), commands: make(map[string]bool),
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

// poll looks for news, when it is time to.
func (l *tail) poll(ctx context.Context, f *follower) error {
	if l.off || time.Since(l.looked) < liveEvery {
		return nil
	}
	l.looked = time.Now()
	for _, t := range f.commands {
		l.watch(t)
	}
	for _, s := range l.sources {
		newest := time.Time{}
		_, err := call(ctx, f, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, l.store.Recent(ctx, s.group, s.prefix, s.from, func(e logstore.Event) {
				if _, old := s.seen[e.ID]; old {
					return
				}
				s.seen[e.ID] = e.Time
				if e.Time.After(newest) {
					newest = e.Time
				}
				l.show(f, e)
			})
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, logstore.ErrMissing): // agents make the group with the first line
			continue
		case err != nil:
			l.off = true
			f.notice(Notice{Kind: Unlive, Text: "output is not shown while it is written: " + explainWhole(err)})
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
	}
	return nil
}

// show passes an event on, unless it comes after younger ones of its stream.
func (l *tail) show(f *follower, e logstore.Event) {
	command, node, step, stream, ok := streamParts(e.Stream)
	if !ok || !l.commands[command] {
		return
	}
	s := l.stream(e.Stream)
	if s.broken || e.Time.Before(s.last) {
		s.broken = true
		return
	}
	s.last = e.Time
	l.emit(f, command, Log{NodeID: node, Step: step, Stream: stream, Time: e.Time, Text: lines(e.Message)}, s)
}

func (l *tail) emit(f *follower, command string, log Log, s *liveStream) {
	log.Offset = s.length
	s.length += int64(len(log.Text))
	_, _ = s.hash.WriteString(log.Text)
	f.emit(Event{Kind: Logged, Time: time.Now(), RunID: f.runID, CommandID: command, Log: &log})
}

func (l *tail) stream(name string) *liveStream {
	s := l.streams[name]
	if s == nil {
		s = &liveStream{}
		s.hash.SetSeed(l.seed)
		l.streams[name] = s
	}
	return s
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

// finish shows the last lines, and makes sure that they were the last.
func (l *tail) finish(ctx context.Context, f *follower) error {
	var open []*liveNode
	for end := time.Now().Add(liveGrace); ; {
		l.looked = time.Time{}
		if err := l.poll(ctx, f); err != nil {
			return err
		}
		if l.off {
			return nil
		}
		open = open[:0]
		for _, n := range l.nodes {
			if n.group != "" && ran(n.inv.State, n.inv.Detail) && !l.shown(n) {
				open = append(open, n)
			}
		}
		if len(open) == 0 {
			return nil
		}
		if time.Now().After(end) {
			break
		}
		if err := wait.Sleep(ctx, liveEvery); err != nil {
			return err
		}
	}
	slices.SortFunc(open, func(x, y *liveNode) int { return cmp.Compare(x.inv.NodeID, y.inv.NodeID) })
	gaps := 0
	for i, n := range open {
		if i*2 >= liveChecks {
			gaps += len(open) - i
			break
		}
		whole, err := l.again(ctx, f, n)
		if err != nil {
			return err
		}
		if !whole {
			gaps++
		}
	}
	if gaps > 0 {
		f.notice(Notice{Kind: Unlive, Count: gaps, Text: fmt.Sprintf("the lines shown of %d nodes may not be all; the result has them", gaps)})
	}
	return nil
}

// shown reports whether what was shown of a node is what it wrote.
func (l *tail) shown(n *liveNode) bool {
	if !n.known {
		return false
	}
	for stream, text := range map[string]string{"stdout": n.stdout, "stderr": n.stderr} {
		shown := int64(0)
		same := false
		for _, name := range l.names(n, stream) {
			if s := l.streams[name]; s != nil && s.length > 0 {
				shown += s.length
				same = !s.broken && s.length == int64(len(lines(text))) && s.hash.Sum64() == maphash.String(l.seed, lines(text))
			}
		}
		if text == "" && shown > 0 || text != "" && !same {
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

// again reads the streams of a node from their beginnings and shows what is
// missing. whole is false when that cannot be put behind what was shown.
func (l *tail) again(ctx context.Context, f *follower, n *liveNode) (whole bool, err error) {
	whole = true
	for _, stream := range []string{"stdout", "stderr"} {
		for _, name := range l.names(n, stream) {
			text := &bounded{room: maxWhole}
			_, err := call(ctx, f, func(ctx context.Context) (struct{}, error) {
				text.Reset()
				long := time.Now().Add(-arrival) // it was waited for already
				return struct{}{}, copyStream(ctx, l.store.Open(logstore.Stream{Group: n.group, Name: name}, time.Time{}), &long, func(b []byte) error {
					_, err := text.Write(b)
					return err
				})
			})
			switch {
			case ctx.Err() != nil:
				return false, ctx.Err()
			case errors.Is(err, logstore.ErrMissing):
				continue
			case err != nil:
				whole = false
				continue
			}
			whole = l.rest(f, n.inv.CommandID, name, text.String()) && whole
		}
	}
	return whole, nil
}

// rest shows what follows in a stream, all of which is text.
func (l *tail) rest(f *follower, command, name, text string) bool {
	s := l.stream(name)
	if s.length > int64(len(text)) || maphash.String(l.seed, text[:s.length]) != s.hash.Sum64() {
		return false
	}
	s.broken = false
	if more := text[s.length:]; more != "" {
		_, node, step, stream, _ := streamParts(name)
		l.emit(f, command, Log{NodeID: node, Step: step, Stream: stream, Time: time.Now(), Text: more}, s)
	}
	return true
}
