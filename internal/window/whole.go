package window

import (
	"cmp"
	"context"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Read says what is read of each window beside what the list has.
type Read struct {
	Settings bool // AllowUnassociated and the dates
	Targets  bool
	Tasks    bool
	// Allowed is whether tasks may run on nodes that are in no target, where a task
	// names nodes by id: one call for each such window.
	Allowed bool
	Details bool // what tasks hand over; one call for each task
	Last    bool // the newest execution
	Tags    bool
	// Lenient goes on without the newest execution and the tags where they may not be
	// read; Known.Denied then has the error.
	Lenient bool
}

// Known is a window with what was read of it.
type Known struct {
	Whole
	Last *Execution        `json:"last_execution,omitempty"` // the newest; nil: none, or not asked for
	Tags map[string]string `json:"tags,omitempty"`
	// Denied is why the newest execution or the tags were not read; see Read.Lenient.
	Denied error `json:"-"`
}

// ReadAll reads parts of many windows, a few at a time, in their order. The first
// error ends it.
func (s *Service) ReadAll(ctx context.Context, windows []Window, what Read) ([]Known, error) {
	all := make([]Known, len(windows))
	err := awsapi.Parallel(ctx, len(windows), func(ctx context.Context, i int) (err error) {
		all[i], err = s.read(ctx, windows[i], what)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (s *Service) read(ctx context.Context, w Window, what Read) (Known, error) {
	k := Known{Whole: Whole{Window: w, Targets: []Target{}, Tasks: []Task{}}}
	var err error
	if what.Settings {
		if k.Window, err = s.Get(ctx, w.ID); err != nil {
			return k, err
		}
	}
	if what.Targets {
		if k.Targets, err = s.Targets(ctx, w.ID); err != nil {
			return k, err
		}
	}
	if what.Tasks {
		if k.Tasks, err = s.Tasks(ctx, w.ID); err != nil {
			return k, err
		}
		slices.SortStableFunc(k.Tasks, func(a, b Task) int { return a.Priority - b.Priority })
	}
	if what.Allowed && k.AllowUnassociated == nil && slices.ContainsFunc(k.Tasks, Task.namesNodes) {
		whole, err := s.Get(ctx, w.ID)
		if err != nil {
			return k, err
		}
		k.AllowUnassociated = whole.AllowUnassociated
	}
	if what.Details {
		for i, t := range k.Tasks {
			if k.Tasks[i], err = s.Details(ctx, w.ID, t.ID); err != nil {
				return k, err
			}
		}
	}
	if what.Last {
		if k.Last, err = s.Newest(ctx, w.ID); err != nil && !k.without(what, err) {
			return k, err
		}
	}
	if what.Tags {
		if k.Tags, err = s.Tags(ctx, w.ID); err != nil && !k.without(what, err) {
			return k, err
		}
	}
	return k, nil
}

// without notes what may not be read, where that is to be no obstacle.
func (k *Known) without(what Read, err error) bool {
	if !what.Lenient || fault.KindOf(err) != fault.Auth {
		return false
	}
	k.Denied = cmp.Or(k.Denied, err)
	return true
}
