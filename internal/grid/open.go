package grid

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Opener opens scopes.
type Opener struct {
	// Base opens the scope of a profile; "" is that of the settings.
	Base func(ctx context.Context, profile string) (*awsapi.Scope, error)
	// Note says what the user should know; it may be called by several goroutines.
	Note func(format string, args ...any)
}

// Open finds the scopes of a spec. Accounts and profiles that cannot be used are
// in Grid.Failures; an error is returned where nothing can be asked at all.
func (o Opener) Open(ctx context.Context, s Spec) (*Grid, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	accounts, failures, err := o.accounts(ctx, s)
	if err != nil {
		return nil, err
	}
	g := &Grid{Parallel: s.parallel(), Failures: failures}
	found := make([][]Cell, len(accounts))
	failed := make([]*Failure, len(accounts))
	each(len(accounts), g.Parallel, func(i int) {
		found[i], failed[i] = o.open(ctx, s, accounts[i])
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i := range accounts {
		g.Cells = append(g.Cells, found[i]...)
		if failed[i] != nil {
			g.Failures = append(g.Failures, *failed[i])
		}
	}
	o.unique(g, s.Regions)
	return g, nil
}

// account is a scope whose Regions are still to be found.
type account struct {
	Place
	scope *awsapi.Scope
	own   bool // the caller's, to whom no role is given
}

// accounts opens the scopes of profiles, or those of roles in accounts.
func (o Opener) accounts(ctx context.Context, s Spec) ([]account, []Failure, error) {
	if len(s.Profiles) > 1 {
		var all []account
		var failures []Failure
		for _, p := range s.Profiles { // in turn: one may ask for an MFA code
			scope, err := o.Base(ctx, p)
			if err != nil {
				failures = append(failures, Failure{Place{Profile: p}, err})
				continue
			}
			all = append(all, account{Place{Profile: p}, scope, true})
		}
		return all, failures, nil
	}
	base, err := o.Base(ctx, strings.Join(s.Profiles, ""))
	if err != nil {
		return nil, nil, err
	}
	if base.Endpoint() != "" && !base.Local() && (len(s.Regions) > 1 || slices.Contains(s.Regions, All)) {
		return nil, nil, fault.Usagef("the endpoint %s is that of one Region", base.Endpoint()).
			WithHint("leave out --endpoint-url, or name that Region alone with --region")
	}
	if len(s.Accounts) == 0 {
		return []account{{Place{}, base, true}}, nil, nil
	}
	self, err := base.Account(ctx)
	if err != nil {
		return nil, nil, err
	}
	ids, skipped, err := members(ctx, organizations.NewFromConfig(base.Config()), s.Accounts)
	if err != nil {
		return nil, nil, err
	}
	if len(skipped) > 0 {
		o.Note("not asked, because they are not active: %s", strings.Join(skipped, ", "))
	}
	if len(ids) == 0 {
		return nil, nil, fault.New(fault.NotFound, "choose accounts", "no active account is in %s", strings.Join(s.Accounts, ", "))
	}
	all := make([]account, len(ids))
	for i, id := range ids {
		all[i] = account{Place{Account: id}, base, true}
		if id != self {
			all[i].scope, all[i].own = base.As(s.roleIn(id, base.Region()), s.ExternalID), false
		}
	}
	return all, nil, nil
}

// open asks whose the credentials of an account are, and makes its cells.
func (o Opener) open(ctx context.Context, s Spec, a account) ([]Cell, *Failure) {
	id, err := a.scope.Account(ctx)
	if err != nil && !a.own {
		err = assuming(s.Role, err)
	}
	switch {
	case err != nil && (!a.own || len(s.Profiles) > 1 || fault.KindOf(err) == fault.Auth):
		return nil, &Failure{a.Place, err}
	case err != nil: // where STS cannot be reached, Systems Manager perhaps can
		o.Note("which account this is was not to be found out: %v", err)
	case a.Account != "" && a.Account != id:
		return nil, &Failure{a.Place, fault.New(fault.Auth, "assume the role", "it is in account %s", id).
			WithHint("give the name of a role that each account has")}
	}
	a.Account = id
	regions, err := o.regions(ctx, s, a)
	if err != nil {
		return nil, &Failure{a.Place, err}
	}
	var cells []Cell
	for _, r := range regions {
		at := a.Place
		at.Region = r
		cells = append(cells, Cell{at, a.scope.In(r)})
	}
	return cells, nil
}

// assuming words the failure of the first call made with a role: what failed is
// nearly always to get it.
func assuming(role string, err error) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	c.Op = "assume role " + role
	if c.Kind == fault.Auth {
		c.Hint = "check that the account has this role, that it trusts you, and --external-id if it wants one"
	}
	return &c
}

// regions returns those named, those the account has, or the one it is in.
func (o Opener) regions(ctx context.Context, s Spec, a account) ([]string, error) {
	switch {
	case len(s.Regions) == 0:
		return []string{a.scope.Region()}, nil
	case s.Regions[0] != All:
		return s.Regions, nil
	}
	names, err := network.New(a.scope.Config()).EnabledRegions(ctx)
	if fault.KindOf(err) != fault.Auth {
		return names, err
	}
	known := network.DefaultRegions(awsapi.Partition(a.scope.Region()))
	if len(known) == 0 || refused(err) {
		return nil, err
	}
	o.Note("%s: %v; the %d Regions that every account has are asked, and no others", a.Account, err, len(known))
	return known, nil
}

// unique leaves each account and Region once, sorted: two profiles can be the
// same account. Regions that were named stay in the order in which they were.
func (o Opener) unique(g *Grid, named []string) {
	slices.SortStableFunc(g.Cells, func(a, b Cell) int {
		return cmp.Or(
			strings.Compare(a.Account, b.Account),
			cmp.Compare(slices.Index(named, a.Region), slices.Index(named, b.Region)),
			strings.Compare(a.Region, b.Region))
	})
	said := map[string]bool{}
	g.Cells = slices.CompactFunc(g.Cells, func(a, b Cell) bool {
		same := a.Account != "" && a.Account == b.Account && a.Region == b.Region
		if same && !said[a.Account] {
			o.Note("profiles %s and %s are the same account: it is asked once", a.Profile, b.Profile)
			said[a.Account] = true
		}
		return same
	})
}

// each runs f for 0 to n-1, parallel at a time, and waits for all.
func each(n, parallel int, f func(i int)) {
	var group wait.Group
	slots := make(chan struct{}, parallel)
	for i := range n {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	group.Wait()
}
