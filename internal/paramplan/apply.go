package paramplan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// What became of an action; part of the output contract.
const (
	Done     = "done"
	FailedIt = "failed"
	NotTried = "not tried"
)

const (
	// atOnce is how many parameters are looked at together, and then written: one call
	// of GetParameters. What is older than the time that ten writes take is never
	// written over unseen.
	atOnce = 10
	// manyAtOnce is how many are made before it is looked whether all has come to a
	// stop: what is new cannot be written over.
	manyAtOnce = 100
	// nameRest is how long a name must rest between its removal and its next use (API
	// reference, DeleteParameter).
	nameRest = 30 * time.Second
)

// Applier takes the actions of a plan. Changed is told of each when it has its status;
// it may be nil, and is called by one goroutine at a time.
type Applier struct {
	Store   Store
	State   *State // nil: nothing is kept
	Changed func(Action)

	// unanswered is awsapi.Unanswered, which tests cannot make errors for.
	unanswered func(error) bool
	mu         sync.Mutex
	stopped    error // what makes all other writes useless
	full       bool  // the account has as many parameters as it can have
}

// Apply makes the parameters of a plan: first those that are new, then those that
// change, then those that are replaced, and removes others last. What fails does not
// stop the others, unless they would fail for the same reason: no credentials, no
// service, or the end of ctx; then the rest is "not tried". So is what is new in an account
// that can have no more parameters.
//
// Before ten parameters are written their versions are looked at: those that somebody
// has changed since the plan was made are not written. A write without an answer is not
// sent again before what is there says that it was not made.
//
// The error is that of the first failure; each is in its action.
func (ap *Applier) Apply(ctx context.Context, p *Plan) error {
	if ap.unanswered == nil {
		ap.unanswered = awsapi.Unanswered
	}
	if ap.State != nil { // what a journal of before has told is in it for good then
		if err := ap.State.Save(); err != nil {
			return err
		}
	}
	for _, do := range []string{DoAdopt, DoForget} { // of the state alone
		for _, a := range p.Actions {
			if a.Do == do {
				ap.settle(a, ap.remember(a))
			}
		}
	}
	for chunk := range slices.Chunk(p.with(DoCreate), manyAtOnce) {
		if ap.full && ap.stopped == nil {
			for _, a := range chunk {
				ap.skip(a, "the account cannot have more parameters")
			}
			continue
		}
		ap.write(ctx, chunk)
	}
	for chunk := range slices.Chunk(p.with(DoUpdate), atOnce) {
		ap.write(ctx, chunk)
	}
	ap.replace(ctx, p.with(DoReplace))
	deletes := p.with(DoDelete)
	if ap.stopped == nil && slices.ContainsFunc(p.Actions, func(a *Action) bool { return a.Status == FailedIt }) {
		for _, a := range deletes { // what shall stand in their place may be missing
			ap.skip(a, "something before it failed, and nothing is deleted then")
		}
		deletes = nil
	}
	for chunk := range slices.Chunk(deletes, atOnce) {
		ap.remove(ctx, chunk)
	}
	if ap.State != nil {
		if err := ap.State.Save(); err != nil {
			return err
		}
	}
	for _, a := range p.Actions {
		if a.cause != nil {
			return a.cause
		}
	}
	return ap.stopped
}

func (p *Plan) with(do string) (out []*Action) {
	for _, a := range p.Actions {
		if a.Do == do {
			out = append(out, a)
		}
	}
	return out
}

// remember takes over into the state what needs no call.
func (ap *Applier) remember(a *Action) error {
	if a.Do == DoForget {
		return ap.State.Gone(a.Name)
	}
	return ap.State.Done(a.Name, a.Version, a.want.File)
}

// settle gives an action its end.
func (ap *Applier) settle(a *Action, err error) {
	ap.mu.Lock()
	defer ap.mu.Unlock()
	a.Status = Done
	if err != nil {
		a.Status, a.Error, a.cause = FailedIt, err.Error(), err
		ap.full = ap.full || hasCode(err, "ParameterLimitExceeded")
		switch fault.KindOf(err) {
		case fault.Auth, fault.Refused, fault.Interrupted:
			// Of one parameter, or its key, the caller may be denied to write it; others may be allowed.
			if !hasCode(err, "AccessDeniedException") && ap.stopped == nil {
				ap.stopped = err
			}
		}
	}
	if ap.Changed != nil {
		ap.Changed(*a)
	}
}

// hasCode reports whether the service gave an error this code.
func hasCode(err error, code string) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == code
}

func (ap *Applier) skip(a *Action, why string) {
	ap.mu.Lock()
	defer ap.mu.Unlock()
	a.Status, a.Error = NotTried, why
	if ap.Changed != nil {
		ap.Changed(*a)
	}
}

// going returns those of a chunk that can be written still: none after what stops all,
// and of those that are there the ones that are as they were when the plan was made.
func (ap *Applier) going(ctx context.Context, chunk []*Action) []*Action {
	if ap.stopped == nil && ctx.Err() != nil {
		ap.stopped = fault.New(fault.Interrupted, "write parameters", "%w", context.Cause(ctx))
	}
	if ap.stopped != nil {
		for _, a := range chunk {
			ap.skip(a, "")
		}
		return nil
	}
	var names []string
	for _, a := range chunk {
		if a.Version > 0 {
			names = append(names, a.Name)
		}
	}
	if len(names) == 0 {
		return chunk
	}
	found, _, err := ap.Store.Get(ctx, names, false)
	if err != nil {
		for _, a := range chunk {
			ap.settle(a, err)
		}
		return nil
	}
	now := map[string]int64{}
	for _, v := range found {
		now[v.Name] = v.Version
	}
	return slices.DeleteFunc(slices.Clone(chunk), func(a *Action) bool {
		switch {
		case a.Version == now[a.Name], a.Version == 0:
			return false
		case now[a.Name] == 0 && a.Do == DoDelete:
			a.Note = "it was gone already"
			ap.settle(a, ap.State.Gone(a.Name))
		case now[a.Name] == 0:
			ap.settle(a, moved(a, "has been deleted since it was looked at"))
		default:
			ap.settle(a, moved(a, fmt.Sprintf("was at version %d when it was looked at, and is at %d now", a.Version, now[a.Name])))
		}
		return true
	})
}

func moved(a *Action, what string) error {
	return fault.New(fault.Conflict, a.Do+" parameter "+a.Name, "it %s: somebody else is writing it", what).WithHint("plan again: what they wrote is shown")
}

// write makes or changes some parameters, side by side under the service's pace.
func (ap *Applier) write(ctx context.Context, chunk []*Action) {
	chunk = ap.going(ctx, chunk)
	// What is under way is let come to its end: its answer says whether it was done.
	_ = awsapi.Parallel(ctx, len(chunk), func(ctx context.Context, i int) error {
		ap.settle(chunk[i], ap.one(ctx, chunk[i]))
		return nil
	})
	for _, a := range chunk {
		if a.Status == "" {
			ap.skip(a, "")
		}
	}
}

// one writes one parameter: its version first, then its tags.
func (ap *Applier) one(ctx context.Context, a *Action) error {
	version := a.Version
	if a.change != nil {
		before, known := ap.State.applied(a.Name)
		if err := ap.State.Begin(a.Name, a.Version, a.want.File); err != nil {
			return err
		}
		w, err := ap.put(ctx, a)
		if err != nil {
			if ctx.Err() != nil || ap.unanswered(err) { // the journal goes on saying that it may be so
				if parameter.NotThere(err) {
					return err
				}
				return fault.New(fault.KindOf(err), "", "nobody knows whether it was written: %w", err).WithHint("plan again: what is there is looked at")
			}
			return also(err, ap.State.undone(a.Name, before, known))
		}
		version = w.Version
		a.Written = w.Version
		if a.Collided() {
			a.Note = fmt.Sprintf("version %d was expected and %d was made: somebody else wrote at the same moment, and this is above it", a.Version+1, version)
		}
	}
	if len(a.tags) > 0 {
		if err := ap.Store.Tag(ctx, a.Name, a.tags); err != nil {
			return also(err, ap.State.Done(a.Name, version, a.want.File))
		}
	}
	return ap.State.Done(a.Name, version, a.want.File)
}

// also is an error, and a second one if there is one.
func also(err, second error) error {
	if second == nil {
		return err
	}
	return errors.Join(err, second)
}

// put sends the change. After an answer that was lost it looks what is there: the new
// value at the next version is the answer, the old version means that nothing was done,
// and then it is sent once more.
func (ap *Applier) put(ctx context.Context, a *Action) (parameter.Written, error) {
	base := a.Version
	if a.Do == DoReplace {
		base = 0 // it was removed
	}
	w, err := ap.Store.Put(ctx, *a.change)
	if err == nil || !ap.unanswered(err) || ctx.Err() != nil {
		return w, err
	}
	found, _, lookErr := ap.Store.Get(ctx, []string{a.Name}, true)
	if lookErr != nil {
		return w, err
	}
	var now parameter.Parameter
	if len(found) > 0 {
		now = found[0]
	}
	switch {
	case now.Version == base+1 && now.Value == a.change.Value && now.Type == a.change.Type:
		return parameter.Written{Version: now.Version}, nil
	case now.Version == base:
		return ap.Store.Put(ctx, *a.change)
	default:
		return w, moved(a, fmt.Sprintf("is at version %d, with another value than was sent", now.Version))
	}
}

// replace removes parameters and makes them again. Their names rest in between, as the
// service asks for.
func (ap *Applier) replace(ctx context.Context, list []*Action) {
	var removed []*Action
	for chunk := range slices.Chunk(list, atOnce) {
		for _, a := range ap.going(ctx, chunk) {
			if err := ap.State.Begin(a.Name, a.Version, a.want.File); err != nil {
				ap.settle(a, err)
				continue
			}
			if _, _, err := ap.Store.Delete(ctx, []string{a.Name}); err != nil {
				ap.settle(a, err)
				continue
			}
			if err := ap.State.Gone(a.Name); err != nil {
				ap.settle(a, err)
				continue
			}
			removed = append(removed, a)
		}
	}
	if len(removed) == 0 {
		return
	}
	if err := wait.Sleep(ctx, nameRest); err != nil {
		for _, a := range removed {
			ap.settle(a, fault.New(fault.Interrupted, "replace parameter "+a.Name, "it was removed, and not made again: %w", err).WithHint("apply again: it is made then"))
		}
		return
	}
	_ = awsapi.Parallel(ctx, len(removed), func(ctx context.Context, i int) error {
		a := removed[i]
		w, err := ap.put(ctx, a)
		if err == nil {
			a.Written = w.Version
			err = ap.State.Done(a.Name, w.Version, a.want.File)
		} else {
			err = fault.New(fault.KindOf(err), "replace parameter "+a.Name, "it was removed, and not made again: %w", err).WithHint("apply again: it is made then")
		}
		ap.settle(a, err)
		return nil
	})
	for _, a := range removed {
		if a.Status == "" {
			ap.settle(a, fault.New(fault.Interrupted, "replace parameter "+a.Name, "it was removed, and not made again").WithHint("apply again: it is made then"))
		}
	}
}

// remove deletes up to ten parameters in one call.
func (ap *Applier) remove(ctx context.Context, chunk []*Action) {
	chunk = ap.going(ctx, chunk)
	if len(chunk) == 0 {
		return
	}
	names := make([]string, len(chunk))
	for i, a := range chunk {
		names[i] = a.Name
	}
	deleted, _, err := ap.Store.Delete(ctx, names)
	for _, a := range chunk {
		switch {
		case err != nil && !slices.Contains(deleted, a.Name):
			ap.settle(a, err)
		default:
			if !slices.Contains(deleted, a.Name) {
				a.Note = "it was gone already"
			}
			ap.settle(a, ap.State.Gone(a.Name))
		}
	}
}
