// Package feed brings data to the dashboard. A Source holds what is known of one
// kind of thing in all accounts and Regions, with its age and what failed; a Desk
// decides when sources are loaded, so that the calls stay within a budget; Events
// carries what happens to a screen that may be busy.
//
// Everything but Events belongs to the update loop and needs no lock: a load runs
// in a tea.Cmd and comes back as a message.
package feed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// Load reads all rows of one cell. It may call emit, from its own goroutine, with
// what it has so far: each time all rows, which are shown until more is known. It
// must not change a slice that it has handed out.
type Load[T any] func(ctx context.Context, in grid.Cell, emit func(rows []T)) ([]T, error)

// Partly is the error of a load whose rows are all there, and of which something is
// not known: nodes whose tags may not be read. The rows are shown, and the error.
type Partly struct{ Err error }

// IsPartly reports whether an error is a Partly.
func IsPartly(err error) bool {
	var p *Partly
	return errors.As(err, &p)
}

// rank orders failures: the worst have the lowest.
func rank(err error) int {
	if IsPartly(err) {
		return 1
	}
	return 0
}

func (p *Partly) Error() string { return p.Err.Error() }
func (p *Partly) Unwrap() error { return p.Err }

// Changed tells the pages that the rows or the state of a source have changed.
type Changed struct{ Feed string }

// Feed is a source, whatever its rows are.
type Feed interface {
	Name() string
	// State says how old the rows are and what failed.
	State() State

	core() *core
}

// State is how a source stands.
type State struct {
	Places  int  // accounts and Regions that are asked
	Loaded  int  // those that have answered at least once
	Whole   int  // those of which all rows have come, once
	Loading int  // those that are being asked
	Local   bool // what is on this machine, which says nothing of any place
	// Oldest is when the oldest rows of all were read; zero: none yet.
	Oldest time.Time
	// Failures are the places whose last load failed; what they had stays.
	Failures []grid.Failure
	// Begun is how many of the failed places have rows of a first load that broke off:
	// they are shown, and something of them, or some of them, is missing.
	Begun int
	// Kept is when the rows were read that the first of the failed places still has;
	// zero: it has none, or they are new and not known in full.
	Kept time.Time
}

// Empty reports whether nothing is known yet, not even that there is nothing.
func (s State) Empty() bool { return s.Loaded == 0 }

// Partial reports whether some places have not answered in full, or not this time.
func (s State) Partial() bool { return s.Whole < s.Places || len(s.Failures) > 0 }

// Reach is what is said behind "there is none" while not all places have answered in
// full: where there is none.
func (s State) Reach() string {
	switch {
	case s.Whole >= s.Places:
		return ""
	case s.Places == 1:
		return " in what has been read so far"
	}
	return fmt.Sprintf(" in the %d of %d places that have been read", s.Whole, s.Places)
}

// Filling reports whether some places are still to answer for the first time.
func (s State) Filling() bool { return s.Loaded+len(s.Failures) < s.Places }

// Progress says how far the first load has come: "loading 2/6 places".
func (s State) Progress() string {
	if s.Places > 1 {
		return fmt.Sprintf("loading %d/%d places", s.Loaded, s.Places)
	}
	return "loading"
}

// Source holds the rows of one kind. Its zero value is of no use; see NewSource.
type Source[T any] struct {
	c      core
	merged []grid.Row[T]
	gen    uint64 // of merged
}

// NewSource makes a source. Names are unique: "nodes".
func NewSource[T any](name string, load Load[T]) *Source[T] {
	return &Source[T]{c: core{
		name: name, parts: map[grid.Place]*part{},
		load: func(ctx context.Context, in grid.Cell, emit func(any)) (any, error) {
			rows, err := load(ctx, in, func(rows []T) { emit(rows) })
			if err != nil && !IsPartly(err) { // no rows, which is not to have none
				return nil, err
			}
			return rows, err
		},
	}}
}

// NewLocal makes a source of what is on this machine. Its only place is the zero one.
func NewLocal[T any](name string, load func(ctx context.Context) ([]T, error)) *Source[T] {
	s := NewSource(name, func(ctx context.Context, _ grid.Cell, _ func([]T)) ([]T, error) { return load(ctx) })
	s.c.local = true
	return s
}

// Name returns the name.
func (s *Source[T]) Name() string { return s.c.name }

// State says how the source stands.
func (s *Source[T]) State() State { return s.c.state() }

// Gen changes whenever Rows does.
func (s *Source[T]) Gen() uint64 { return s.c.gen }

// Rows are those of all places, by place. They are shared: nobody changes them.
func (s *Source[T]) Rows() []grid.Row[T] {
	if s.gen == s.c.gen {
		return s.merged
	}
	s.merged = make([]grid.Row[T], 0, s.Len())
	for p, r := range s.All() {
		s.merged = append(s.merged, grid.Row[T]{Place: p, Value: *r})
	}
	s.gen = s.c.gen
	return s.merged
}

// All goes over the rows of all places, by place, as Rows does, and makes no copy of
// them. They are shared: nobody changes them.
func (s *Source[T]) All() iter.Seq2[grid.Place, *T] {
	return func(yield func(grid.Place, *T) bool) {
		for _, p := range s.c.order {
			rows, _ := s.c.parts[p].rows.([]T)
			for i := range rows {
				if !yield(p, &rows[i]) {
					return
				}
			}
		}
	}
}

// Values are the rows of All without their places.
func (s *Source[T]) Values() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, r := range s.All() {
			if !yield(r) {
				return
			}
		}
	}
}

// Len is the number of rows of all places.
func (s *Source[T]) Len() (n int) {
	for _, p := range s.c.order {
		rows, _ := s.c.parts[p].rows.([]T)
		n += len(rows)
	}
	return n
}

// Places are those that rows can come from, in their order.
func (s *Source[T]) Places() []grid.Place { return s.c.order }

// At are the rows of one place, and when they were read.
func (s *Source[T]) At(p grid.Place) (rows []T, at time.Time) {
	part := s.c.parts[p]
	if part == nil {
		return nil, time.Time{}
	}
	rows, _ = part.rows.([]T)
	return rows, part.at
}

// WholeAt reports whether all rows of a place have come, once: those that come while a
// first load goes on may lack what is read last.
func (s *Source[T]) WholeAt(p grid.Place) bool { return s.c.parts[p] != nil && s.c.parts[p].whole }

// Set puts the rows of a place in, read at a time: for tests, and for what is known
// without a load.
func (s *Source[T]) Set(p grid.Place, rows []T, at time.Time) {
	s.c.part(p).set(rows, at)
	s.c.gen++
}

// Begin is Set for the rows that a first load has brought so far.
func (s *Source[T]) Begin(p grid.Place, rows []T, at time.Time) {
	part := s.c.part(p)
	part.rows, part.at = rows, at
	s.c.gen++
}

// Fail notes that a place could not be read; its rows stay.
func (s *Source[T]) Fail(p grid.Place, err error) {
	s.c.part(p).err = err
	s.c.gen++
}

func (s *Source[T]) core() *core { return &s.c }

// core is a source without the type of its rows: a generic type is compiled once
// for each, and everything that can be done without it is done here.
type core struct {
	name  string
	local bool // of this machine
	load  func(ctx context.Context, in grid.Cell, emit func(any)) (any, error)
	parts map[grid.Place]*part
	order []grid.Place
	gen   uint64
}

// part is what is known of one place.
type part struct {
	rows   any
	at     time.Time // of rows; zero: none yet
	whole  bool      // a load has ended well once
	err    error     // of the last load
	ended  time.Time // of the last load, good or bad; zero: another is asked for
	dear   time.Time // until then none is begun by itself: one was cancelled half read
	again  bool      // the load under way is not new enough
	cancel func()
	job    *job // under way
}

func (p *part) set(rows any, at time.Time) { p.rows, p.at, p.err, p.whole = rows, at, nil, true }

func (c *core) part(p grid.Place) *part {
	if c.parts[p] == nil {
		c.parts[p] = &part{}
		c.order = append(c.order, p)
		slices.SortStableFunc(c.order, comparePlaces)
	}
	return c.parts[p]
}

// outdate makes a load of all places due, the next time that the feed is wanted. One that
// waits for the budget is not waited for.
func (c *core) outdate() {
	for _, p := range c.parts {
		if p.job == nil {
			p.ended = time.Time{}
			continue
		}
		p.again = true
		if p.job.turn != nil {
			p.cancel()
		}
	}
}

func (c *core) state() State {
	s := State{Places: len(c.order), Local: c.local}
	for _, p := range c.order {
		part := c.parts[p]
		if part.job != nil {
			s.Loading++
		}
		if !part.at.IsZero() {
			s.Loaded++
			s.Oldest = Earlier(s.Oldest, part.at)
		}
		if part.whole {
			s.Whole++
		}
		if part.err != nil {
			s.Failures = append(s.Failures, grid.Failure{Place: p, Err: part.err})
			if !part.whole && !part.at.IsZero() {
				s.Begun++
			}
		}
	}
	// What is missing stands before what is known in part.
	slices.SortStableFunc(s.Failures, func(a, b grid.Failure) int { return rank(a.Err) - rank(b.Err) })
	if len(s.Failures) > 0 && !IsPartly(s.Failures[0].Err) {
		s.Kept = c.parts[s.Failures[0].Place].at
	}
	return s
}

// Oldest is when the oldest rows of feeds were read; zero: none yet. What is on this
// machine counts only where nothing else is wanted: it is always new, and would have
// rows look new that have not come.
func Oldest(wants []Want) time.Time {
	var oldest, local time.Time
	remote := false
	for _, w := range wants {
		if s := w.Feed.State(); s.Local {
			local = Earlier(local, s.Oldest)
		} else {
			remote = true
			oldest = Earlier(oldest, s.Oldest)
		}
	}
	if !remote || !oldest.IsZero() {
		oldest = Earlier(oldest, local)
	}
	return oldest
}

// Earlier is the earlier of two times; one that is zero is none.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// job is one load under way. What it emits waits here until the update loop takes
// it; a newer state of the rows replaces an older one.
type job struct {
	feed *core
	in   grid.Cell
	wake chan struct{} // capacity 1: there is something to take
	turn *turn         // nil: it was asked for, and waits for nothing

	mu    sync.Mutex
	rows  any
	fresh bool
	done  bool
	err   error
}

func (j *job) put(rows any, done bool, err error) {
	j.mu.Lock()
	if rows != nil {
		j.rows, j.fresh = rows, true
	}
	j.done, j.err = done, err
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *job) take() (rows any, fresh, done bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	rows, fresh = j.rows, j.fresh
	j.fresh = false
	return rows, fresh, j.done, j.err
}
