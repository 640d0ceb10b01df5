package doctor

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

type prefs = preferences.Preferences

// Examine makes all checks of a machine that are in one of groups (nil: all), and
// hands them to emit in the order in which they are shown, each as soon as it and
// those before it are made. emit is called by one goroutine at a time.
//
// Its error is that of the caller's rights when they stop every check.
func (s *Service) Examine(ctx context.Context, id string, groups []string, emit func(Check)) ([]Check, error) {
	made, err := s.examine(ctx, id, known{}, groups, emit)
	if err != nil {
		return made, err
	}
	return made, AllDenied(made)
}

// examine is Examine with facts that are there already.
func (s *Service) examine(ctx context.Context, id string, k known, groups []string, emit func(Check)) ([]Check, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := s.collect(ctx, id, k)
	defer c.group.Wait()
	defer cancel()

	todo := wanted(id, groups)
	line := newLine(len(todo), emit)
	var group wait.Group
	for i, k := range todo {
		group.Go(func() {
			c.wait(srcNode, srcConnected) // a connected agent softens findings
			c.wait(k.needs...)
			f := c.snapshot()
			line.put(i, k.run(&f))
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return line.all, err
	}
	all := line.all
	if whole(groups) {
		f := c.snapshot()
		last := conclude(&f, all)
		all = append(all, last)
		emit(last)
	}
	return all, nil
}

// whole reports whether groups are all that there is to say about a machine, so
// that something can be concluded.
func whole(groups []string) bool {
	return len(groups) == 0 || slices.Contains(groups, Agent) && slices.Contains(groups, IAM) && slices.Contains(groups, Network)
}

// wanted are the checks that are about a machine, in order.
func wanted(id string, groups []string) []check {
	var found []check
	hybrid := strings.HasPrefix(id, "mi-")
	for _, k := range slices.Concat(checks...) {
		if k.about == instances && hybrid || k.about == hybrids && !hybrid || len(groups) > 0 && !slices.Contains(groups, k.group) {
			continue
		}
		found = append(found, k)
	}
	return found
}

// line hands on checks in their order, whatever the order they are made in.
type line struct {
	emit func(Check)

	mu   sync.Mutex
	all  []Check
	here []bool
	next int
}

func newLine(n int, emit func(Check)) *line {
	return &line{emit: emit, all: make([]Check, n), here: make([]bool, n)}
}

func (l *line) put(i int, c Check) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[i], l.here[i] = c, true
	for ; l.next < len(l.all) && l.here[l.next]; l.next++ {
		l.emit(l.all[l.next])
	}
}

// AllDenied is the error of checks of which none could be made because what they
// need could not be read, for want of rights first of all; nil when one was made.
func AllDenied(checks []Check) error {
	var first error
	for _, c := range checks {
		if c.Status != Skip {
			return nil
		}
		if c.Err != nil && (first == nil || fault.KindOf(first) != fault.Auth && fault.KindOf(c.Err) == fault.Auth) {
			first = c.Err
		}
	}
	return first
}

// Failed reports whether a check failed.
func Failed(checks []Check) bool {
	return slices.ContainsFunc(checks, func(c Check) bool { return c.Status == Fail })
}
