package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// gridFlags are the flags that only commands for several accounts and Regions
// take. Of --profile and --region the others take one.
var gridFlags = []string{"regions", "all-regions", "accounts", "role", "external-id", "parallel"}

// SpansGrid is the annotation of commands that work in several accounts and Regions.
const SpansGrid = "ssmdeck.grid"

// Spans marks a command that works in several accounts and Regions at once.
func Spans(cmd *cobra.Command) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[SpansGrid] = "yes"
	return cmd
}

// CheckGrid refuses, before anything is sent, flags for several accounts and
// Regions where one is meant, and flags that contradict each other.
func (e *Env) CheckGrid(cmd *cobra.Command) error {
	spanning := cmd.Annotations[SpansGrid] != ""
	global := cmd.Root().PersistentFlags()
	for _, name := range gridFlags {
		if !global.Changed(name) {
			continue
		}
		if !spanning {
			return fault.Usagef("%s works in one account and Region, and does not take --%s", cmd.CommandPath(), name).WithHint("%s", OneScopeHint)
		}
	}
	switch {
	case spanning:
		if global.Changed("regions") {
			if err := (grid.Spec{Regions: e.Flags.typedRegions()}).Check(); err != nil {
				return err
			}
		}
		_, err := e.GridSpec()
		return err
	case len(e.Flags.profiles) > 1:
		return fault.Usagef("%s works with one profile, and --profile is given twice: %s", cmd.CommandPath(), strings.Join(e.Flags.profiles, ", ")).
			WithHint("%s", OneScopeHint)
	case len(e.Flags.typedRegions()) > 1, len(e.Flags.regions) == 1 && e.Flags.regions[0] == grid.All:
		return fault.Usagef("%s works in one Region, and --region says %s", cmd.CommandPath(), strings.Join(e.Flags.regions, ", ")).
			WithHint("%s", OneScopeHint)
	}
	return nil
}

// OneScopeHint says how to come from several accounts and Regions to one.
const OneScopeHint = "find the account and Region with `ssmdeck ls --all-regions`, then choose one with --region and --profile"

// oneScope is the error when settings name several accounts or Regions and the
// command works in one.
func (e *Env) oneScope() error {
	s, err := e.Settings()
	if err != nil {
		return err
	}
	key, what := config.Regions, "several Regions"
	if s.Accounts != "" {
		key, what = config.Accounts, "other accounts"
	}
	return fault.Usagef("this works in one account and Region, and %s (%s) means %s", key, s.Origin(key), what).
		WithHint("choose with --region, or a --context or --profile of one account; only lists go to several")
}

// GridSpec is which accounts and Regions the flags and settings mean. A Region
// from a stronger source than the Regions replaces them, a profile the accounts.
func (e *Env) GridSpec() (grid.Spec, error) {
	if e.spec != nil {
		return *e.spec, nil
	}
	s, err := e.Settings()
	if err != nil {
		return grid.Spec{}, err
	}
	spec := grid.Spec{
		Profiles: e.Flags.profiles, Regions: grid.Words(s.Regions), Accounts: grid.Words(s.Accounts),
		Role: s.Role, ExternalID: s.ExternalID, Parallel: e.Flags.parallel,
	}
	if s.Region != "" && s.Origin(config.Region).Source > s.Origin(config.Regions).Source {
		spec.Regions = nil
	}
	if s.Origin(config.Profile).Source > s.Origin(config.Accounts).Source {
		spec.Accounts = nil // a profile that is named means its own account
	}
	typed := e.Flags.Typed()
	if len(spec.Profiles) > 1 && typed[config.Accounts] == "" {
		spec.Accounts, spec.Role = nil, typed[config.Role]
	}
	if typed[config.Role] == "" && len(spec.Accounts) == 0 {
		spec.Role, spec.ExternalID = "", typed[config.ExternalID] // a default waits for accounts
	}
	if e.Flags.parallel == 0 && e.Flags.Set != nil && e.Flags.Set.Changed("parallel") {
		spec.Parallel = -1
	}
	if e.Local != nil && len(spec.Profiles) > 1 {
		return spec, fault.Usagef("the demo has one caller, and no profiles")
	}
	if err := spec.Check(); err != nil {
		return spec, err
	}
	e.spec = &spec
	return spec, nil
}

// onePlace makes remarks of scopes that are asked at the same time: each on a line
// of its own that says where.
type onePlace struct {
	grid.Place
	writing *sync.Mutex // shared by all
}

func (p *onePlace) note(w io.Writer, format string, args ...any) {
	p.writing.Lock()
	defer p.writing.Unlock()
	fmt.Fprintf(w, "%s: %s\n", p.Place, fmt.Sprintf(format, args...))
}

// within is the environment of one scope of a grid: services that it builds work
// there, and nobody is asked anything.
func (e *Env) within(c grid.Cell, writing *sync.Mutex) *Env {
	one := *e
	one.scope, one.documents, one.place = c.Scope, nil, &onePlace{c.Place, writing}
	return &one
}

// Placed is where the environment of one scope of several works, nil in any other.
func (e *Env) Placed() *grid.Place {
	if e.place == nil {
		return nil
	}
	return &e.place.Place
}

// OpenGrid finds the scopes of a spec.
func (e *Env) OpenGrid(ctx context.Context, spec grid.Spec) (*grid.Grid, error) {
	return e.openGrid(ctx, spec, e.openScope, e.Note)
}

// OpenGridLater gets the credentials of a spec's profiles, in turn, because one may
// ask for an MFA code, and returns what finds the scopes without asking anybody. It
// may run while something else has the terminal; remarks go to note.
func (e *Env) OpenGridLater(ctx context.Context, spec grid.Spec, note func(format string, args ...any)) (open func(context.Context) (*grid.Grid, error), err error) {
	profiles := spec.Profiles
	if len(profiles) == 0 {
		profiles = []string{""}
	}
	opened := map[string]func() (*awsapi.Scope, error){}
	for _, p := range profiles {
		scope, err := e.openScope(ctx, p)
		if err == nil {
			err = scope.Login(ctx)
		}
		if err != nil && len(profiles) == 1 {
			return nil, err
		}
		opened[p] = func() (*awsapi.Scope, error) { return scope, err }
	}
	base := func(_ context.Context, profile string) (*awsapi.Scope, error) { return opened[profile]() }
	return func(ctx context.Context) (*grid.Grid, error) { return e.openGrid(ctx, spec, base, note) }, nil
}

func (e *Env) openGrid(ctx context.Context, spec grid.Spec, base func(context.Context, string) (*awsapi.Scope, error), note func(string, ...any)) (*grid.Grid, error) {
	if _, err := e.Log(); err != nil { // shared by the scopes
		return nil, err
	}
	var one sync.Mutex
	o := grid.Opener{
		Base: base,
		Note: func(format string, args ...any) {
			one.Lock()
			defer one.Unlock()
			note("%s", render.Visible(fmt.Sprintf(format, args...)))
		},
	}
	return o.Open(ctx, spec)
}

// listIn makes the list of one scope, whose environment it gets.
type listIn[T any] func(ctx context.Context, env *Env) (iter.Seq2[T, error], error)

// WriteGrid prints a list of one account and Region as WriteSeq does, and that of
// several with columns and fields that say where a row is from. Scopes that failed
// are in the error, behind the rows of the others. The command must be marked with Spans.
func WriteGrid[T any](ctx context.Context, env *Env, table func(render.Options) render.Table[T], o render.Options, list listIn[T]) error {
	return WriteGridSorted(ctx, env, table, o, nil, list)
}

// WriteGridSorted is WriteGrid for lists that are in an order, which the list of all
// scopes has, too; nil: the rows of each scope come when it has answered.
func WriteGridSorted[T any](ctx context.Context, env *Env, table func(render.Options) render.Table[T], o render.Options,
	compare func(a, b T) int, list listIn[T],
) error {
	var order func(a, b any) int
	if compare != nil {
		order = func(a, b any) int { return compare(a.(T), b.(T)) }
	}
	return env.writeRows(ctx, table(o).Any(), o, order, func(ctx context.Context, env *Env) (iter.Seq2[any, error], error) {
		rows, err := list(ctx, env)
		if err != nil {
			return nil, err
		}
		return render.Rows(rows), nil
	})
}

// writeRows is WriteGridSorted for rows of which the type is forgotten.
func (e *Env) writeRows(ctx context.Context, table render.Table[any], o render.Options, compare func(a, b any) int, list listIn[any]) error {
	spec, err := e.GridSpec()
	if err != nil {
		return err
	}
	if !spec.Several() {
		rows, err := list(ctx, e)
		if err != nil {
			return WhereItIs(err)
		}
		return table.Write(e.Out, o, rows)
	}
	type row = grid.Row[any]
	var failures []grid.Failure
	var g *grid.Grid
	rows := func(yield func(row, error) bool) {
		var opened error
		if g, opened = e.OpenGrid(ctx, spec); opened != nil {
			yield(row{}, opened)
			return
		}
		var waiting []row
		for r, err := range Gather(ctx, e, g, o, list) {
			var failure *grid.Failure
			if errors.As(err, &failure) {
				failures = append(failures, *failure)
				continue
			}
			if compare != nil && err == nil {
				waiting = append(waiting, r)
				continue
			}
			if !yield(r, err) {
				return
			}
		}
		// With no row at all the error must come in place of an empty list.
		if err := g.Fault(failures); err != nil && !yield(row{}, err) {
			return
		}
		slices.SortStableFunc(waiting, func(a, b row) int {
			return cmp.Or(compare(a.Value, b.Value), strings.Compare(a.Place.String(), b.Place.String()))
		})
		for _, r := range waiting {
			if !yield(r, nil) {
				return
			}
		}
	}
	return gridTable(table, len(spec.Profiles) > 1).Write(e.Out, o, rows)
}

// Gather runs a list in all scopes. A node that one of them does not know is no
// failure of that scope as long as another knows it.
func Gather[T any](ctx context.Context, env *Env, g *grid.Grid, o render.Options, list listIn[T]) iter.Seq2[grid.Row[T], error] {
	most := o.Limit
	if o.SortBy != "" {
		most = 0
	}
	return func(yield func(grid.Row[T], error) bool) {
		var absent []error
		var writing sync.Mutex
		for r, err := range grid.Gather(ctx, g, most, func(ctx context.Context, c grid.Cell) (iter.Seq2[T, error], error) {
			return list(ctx, env.within(c, &writing))
		}) {
			var not *elsewhere
			if errors.As(err, &not) {
				absent = append(absent, not.error)
				continue
			}
			if !yield(r, err) {
				return
			}
		}
		// Where an account could not be opened, that is in the failures: it may know it.
		if len(absent) > 0 && len(absent) == len(g.Cells) && len(g.Failures) == 0 {
			var none grid.Row[T]
			yield(none, everywhere(absent[0], len(g.Cells)))
		}
	}
}

// elsewhere is a node that a scope does not know.
type elsewhere struct{ error }

func (e *elsewhere) Unwrap() error { return e.error }

// PerhapsElsewhere marks an error that other scopes may not have.
func PerhapsElsewhere(err error) error { return &elsewhere{err} }

// WhereItIs takes the mark off an error.
func WhereItIs(err error) error {
	var not *elsewhere
	if errors.As(err, &not) {
		return not.error
	}
	return err
}

// everywhere is the error of a node that no scope knows.
func everywhere(err error, scopes int) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	return fault.New(fault.NotFound, e.Op, "none of the %d accounts and Regions that were asked knows this node", scopes).
		WithHint("`ssmdeck ls` takes the same flags and lists what they have")
}

// CheckGridTable is Table.Check for what WriteGrid will print.
func CheckGridTable[T any](env *Env, table func(render.Options) render.Table[T], o render.Options) error {
	return env.checkRows(table(o).Any(), o)
}

func (e *Env) checkRows(table render.Table[any], o render.Options) error {
	spec, err := e.GridSpec()
	switch {
	case err != nil:
		return err
	case spec.Several():
		return gridTable(table, len(spec.Profiles) > 1).Check(o)
	}
	return table.Check(o)
}

// gridTable puts the place of a row in front.
func gridTable(t render.Table[any], profiles bool) render.Table[grid.Row[any]] {
	front := []render.Column[grid.Row[any]]{
		{Name: "ACCOUNT", Text: func(r grid.Row[any]) string { return r.Account }},
		{Name: "REGION", Text: func(r grid.Row[any]) string { return r.Region }},
	}
	if profiles {
		front = append([]render.Column[grid.Row[any]]{{Name: "PROFILE", Text: func(r grid.Row[any]) string { return r.Profile }}}, front...)
	}
	return render.Wrap(t, func(r grid.Row[any]) any { return r.Value }, front...)
}
