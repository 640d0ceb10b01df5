package window

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// namedWindows reads all windows, or those that ids and names mean. A name that none
// or several have is an error.
func namedWindows(ctx context.Context, svc *window.Service, names []string) ([]window.Window, error) {
	var all []window.Window
	for w, err := range svc.List(ctx, window.Filter{}) {
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return pickWindows(all, names)
}

// pickWindows are those of a list that ids and names mean; all without any.
func pickWindows(all []window.Window, names []string) ([]window.Window, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []window.Window
	for _, name := range names {
		w, err := window.Pick(name, all)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(chosen, func(had window.Window) bool { return had.ID == w.ID }) {
			chosen = append(chosen, w)
		}
	}
	return chosen, nil
}

// datedWindows reads when those windows were made whose runs depend on it.
func datedWindows(ctx context.Context, svc *window.Service, windows []window.Window) ([]window.Window, error) {
	all := slices.Clone(windows)
	known, err := svc.ReadAll(ctx, slices.DeleteFunc(slices.Clone(windows), func(w window.Window) bool { return !w.Dated() }), window.Read{Settings: true})
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		i := slices.IndexFunc(all, func(w window.Window) bool { return w.ID == k.ID })
		k.Next = all[i].Next // as the list has it, for all windows alike
		all[i] = k.Window
	}
	return all, nil
}

// bareEntries makes entries of windows of which only the list was read.
func bareEntries(windows []window.Window) []agenda.Entry {
	all := make([]agenda.Entry, len(windows))
	for i, w := range windows {
		all[i] = agenda.Read(window.Whole{Window: w})
	}
	return all
}

// wholeEntries reads the targets and tasks of windows.
func wholeEntries(ctx context.Context, svc *window.Service, windows []window.Window, what window.Read) ([]agenda.Entry, error) {
	what.Allowed = what.Tasks
	known, err := svc.ReadAll(ctx, windows, what)
	if err != nil {
		return nil, err
	}
	all := make([]agenda.Entry, len(known))
	for i, k := range known {
		all[i] = agenda.Read(k.Whole)
	}
	return all, nil
}

// reachOf finds the nodes that windows mean: one list of the fleet, with tags where
// windows choose by them, and a look at each resource group. What cannot be read is
// told, and is unknown in the Reach.
func reachOf(ctx context.Context, env *cli.Env, svc *fleet.Service, entries []agenda.Entry) (*agenda.Reach, error) {
	parts := fleet.Part(0)
	if agenda.NeedsTags(entries) {
		parts = fleet.PartEC2 | fleet.PartTags
	}
	nodes, gaps, err := svc.Table(ctx, fleet.Query{}, parts)
	if err != nil {
		return nil, err
	}
	nodechoice.NoteGaps(env, gaps)
	fleet.Sort(nodes)
	groups := map[string]map[string]bool{}
	for _, name := range agenda.GroupsOf(entries) {
		ids, err := svc.GroupMembers(ctx, name)
		switch kind := fault.KindOf(err); {
		case err == nil:
			groups[name] = ids
		case kind == fault.NotFound:
			groups[name] = nil // it is gone: no member
			env.Note("ssmdeck: note: there is no resource group %s, which a window names", name)
		case kind == fault.Auth || fleet.Withheld(err):
			env.Note("ssmdeck: note: the members of resource group %s are unknown: %s", name, cli.FirstLine(err))
		default:
			return nil, err
		}
	}
	return agenda.NewReach(entries, nodes, groups), nil
}

// spanFlags say which time a command looks at.
type spanFlags struct {
	from, until string
	days        int
	zone        zoneFlag
}

// maxDays is how far ahead is looked; it bounds what a window of every five minutes
// comes to.
const maxDays = 366

// span reads the flags: from now, or from the beginning of a day. changedDays says
// that --days was given.
func (s *spanFlags) span(now time.Time, changedDays bool) (agenda.Span, *time.Location, error) {
	zone, err := s.zone.location()
	if err != nil {
		return agenda.Span{}, nil, err
	}
	now = now.In(zone)
	from, err := momentFlag("from", s.from, now)
	if err != nil {
		return agenda.Span{}, nil, err
	}
	if from.IsZero() {
		from = now
	}
	until, err := momentFlag("until", s.until, now)
	if err != nil {
		return agenda.Span{}, nil, err
	}
	switch {
	case !until.IsZero() && changedDays:
		return agenda.Span{}, nil, fault.Usagef("--days and --until both say where to end").WithHint("leave one out")
	case s.days < 1 || s.days > maxDays:
		return agenda.Span{}, nil, fault.Usagef("--days %d is not 1 to %d", s.days, maxDays)
	case until.IsZero():
		until = from.AddDate(0, 0, s.days)
	case !until.After(from):
		return agenda.Span{}, nil, fault.Usagef("--until %s is not after %s", s.until, localMoment(from, zone))
	case until.Sub(from) > (maxDays+1)*24*time.Hour:
		return agenda.Span{}, nil, fault.Usagef("--until %s is more than %d days away", s.until, maxDays)
	}
	return agenda.Span{From: from, To: until}, zone, nil
}

// noteUnread tells of windows whose schedules were not understood: what follows is
// without them.
func noteUnread(env *cli.Env, entries []agenda.Entry) (unread []string) {
	for _, e := range entries {
		if e.Fault != nil {
			unread = append(unread, e.Name)
			env.Note("ssmdeck: note: the schedule of %s, %s, is not understood: %s", render.Visible(e.Name), render.Visible(e.Window.Schedule), cli.FirstLine(e.Fault))
		}
	}
	return unread
}

// incomplete is the error of an answer that lacks windows.
func incomplete(op string, unread []string) error {
	if len(unread) == 0 {
		return nil
	}
	return fault.New(fault.RemoteFailed, op, "the schedules of %s are not understood: %s", cli.Plural(len(unread), "window"), strings.Join(unread, ", ")).
		WithHint("`ssmdeck window calendar --check` shows what the service says")
}

// hours is a number of hours for people.
func hours(n int) string { return fmt.Sprintf("%d h", n) }
