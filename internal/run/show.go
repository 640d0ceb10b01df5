package run

import (
	"context"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Show reports a run as it stands, as Follow would, and does not wait for its end.
// Done comes when all its commands have ended.
func (s *Service) Show(ctx context.Context, r Run, emit func(Event)) error {
	f := newFollower(s, emit)
	f.take(r)
	over := true
	for i, t := range f.commands {
		f.counted(t, r.Commands[i].progress())
		over = over && t.over()
		// A command just sent may be listed before its invocations are.
		_, err := await(ctx, func() (bool, error) {
			_, err := f.walk(ctx, t)
			return !t.stale && (len(t.nodes) > 0 || t.progress.Targets == 0), err
		})
		if err != nil {
			return f.ending(ctx, awsapi.Explain("read command "+t.id, err), 0)
		}
		if t.over() {
			t.endedAt = time.Time{} // no waiting for invocations that lag
			f.settle(t)
		}
	}
	if err := f.drain(ctx); err != nil {
		return f.ending(ctx, err, 0)
	}
	if over {
		f.emit(Event{Kind: Done, Time: time.Now(), RunID: f.runID})
	}
	return nil
}

// Follow takes up a run that was sent before, by this program or another, and
// reports it as Start does. With live set, what nodes write is reported while they
// are at work, where the run puts it into CloudWatch Logs.
func (s *Service) Follow(ctx context.Context, r Run, live bool, emit func(Event)) error {
	return s.takeUp(ctx, r, live, newFollower(s, emit))
}

// Watch is Follow for a screen that shows every node: in a run on more than a
// thousand, whose states Follow reads at the end, they are read bit by bit while it
// goes on.
func (s *Service) Watch(ctx context.Context, r Run, live bool, emit func(Event)) error {
	f := newFollower(s, emit)
	f.strolls = true
	return s.takeUp(ctx, r, live, f)
}

func (s *Service) takeUp(ctx context.Context, r Run, live bool, f *follower) error {
	if live {
		f.live = newTail(s.store)
	}
	f.take(r)
	return f.ending(ctx, f.run(ctx, &stager{}), 0)
}

// take follows the commands of a run.
func (f *follower) take(r Run) {
	f.runID = r.ID
	for i, c := range r.Commands {
		f.follow(c, keepingOf(c), c.InstanceIDs, len(c.InstanceIDs), 0)
		f.emit(Event{
			Kind: WasSent, Time: c.Requested, RunID: r.ID, CommandID: c.ID,
			Sent: &Sent{Document: c.Document, Nodes: len(c.InstanceIDs), Number: i + 1, Of: len(r.Commands)},
		})
	}
}

func (c Command) progress() Progress {
	return Progress{
		State: c.State, Detail: c.Detail,
		Targets: c.Targets, Completed: c.Completed, Errors: c.Errors, DeliveryTimedOut: c.DeliveryTimedOut,
	}
}

// FindAll is Find for several ids, as one run. It has an id of its own when they
// are one run.
func (s *Service) FindAll(ctx context.Context, refs []string) (Run, error) {
	for _, ref := range refs {
		if !idPattern().MatchString(ref) && !runIDPattern().MatchString(ref) {
			return Run{}, noRef(ref)
		}
	}
	if len(refs) == 1 {
		return s.Find(ctx, refs[0])
	}
	var all Run
	seen := make(map[string]bool)
	for _, ref := range refs {
		r, err := s.Find(ctx, ref)
		if err != nil {
			return Run{}, err
		}
		for _, c := range r.Commands {
			if !seen[c.ID] {
				seen[c.ID] = true
				all.Commands = append(all.Commands, c)
			}
		}
	}
	if len(all.Commands) == 0 {
		return Run{}, fault.Usagef("no run is named")
	}
	return all.sum(), nil
}
