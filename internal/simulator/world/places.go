package world

import (
	"maps"
	"slices"
	"time"
)

// Places are the parts of a scenario that make it more than one account in one
// Region. A scenario without them is one world.
type Places struct {
	// Regions are further Regions of the account. Each is a scenario of its own,
	// without Regions and accounts.
	Regions map[string]*Scenario `yaml:"regions"`
	// Accounts are the other members of the organization, of which the account of
	// the scenario is the management account; without any there is none.
	Accounts []AccountSpec `yaml:"accounts"`
	Units    []UnitSpec    `yaml:"organizational_units"`

	// Unreachable closes every connection without an answer, as a Region does
	// that a network keeps us from.
	Unreachable bool `yaml:"unreachable"`
	// Delay is how long every answer of the control plane takes.
	Delay time.Duration `yaml:"delay"`
}

// AccountSpec is a member account. Only ID is required.
type AccountSpec struct {
	ID     string `yaml:"id"`
	Name   string `yaml:"name"`   // account-ID when empty
	Email  string `yaml:"email"`  // name@example.com when empty
	Status string `yaml:"status"` // ACTIVE (default), SUSPENDED, PENDING_CLOSURE
	Unit   string `yaml:"ou"`     // id of its organizational unit; the root when empty
	// Roles may be assumed by callers of the scenario's account; any when empty.
	Roles []string `yaml:"roles"`
	// ExternalID must be given to assume one of them.
	ExternalID string `yaml:"external_id"`
	// Regions are its Regions; the scenario's, and empty, when absent.
	Regions map[string]*Scenario `yaml:"regions"`
}

// UnitSpec is an organizational unit.
type UnitSpec struct {
	ID     string `yaml:"id"`
	Name   string `yaml:"name"`
	Parent string `yaml:"parent"` // id of a unit; the root when empty
}

// Account states of Organizations.
const (
	AccountActive    = "ACTIVE"
	AccountSuspended = "SUSPENDED"
	AccountClosing   = "PENDING_CLOSURE"
)

// RootID is the id of the root of every simulated organization.
const RootID = "r-demo"

// places checks what lies outside the scenario's own account and Region, each a
// scenario that inherits these two and the user.
func (c *checker) places() {
	sc := c.sc
	if sc.Delay < 0 {
		c.failf(at("delay"), "delay: must not be negative")
	}
	c.regions(at("regions"), sc.Account, sc.Regions, sc.Region)
	c.units()
	seen := map[string]bool{sc.Account: true}
	for i := range sc.Accounts {
		a := &sc.Accounts[i]
		p := func(key string) []any { return at("accounts", i, key) }
		c.match(p("id"), a.ID, `[0-9]{12}`)
		if seen[a.ID] {
			c.failf(p("id"), "id: %s is there twice", a.ID)
		}
		seen[a.ID] = true
		fill(&a.Name, "account-"+a.ID)
		fill(&a.Email, a.Name+"@example.com")
		fill(&a.Status, AccountActive)
		fill(&a.Unit, RootID)
		c.oneOf(p("status"), a.Status, AccountActive, AccountSuspended, AccountClosing)
		if a.Unit != RootID && !slices.ContainsFunc(sc.Units, func(u UnitSpec) bool { return u.ID == a.Unit }) {
			c.failf(p("ou"), "ou: there is no unit %s", a.Unit)
		}
		if len(a.Regions) == 0 {
			a.Regions = map[string]*Scenario{sc.Region: nil}
		}
		c.regions(p("regions"), a.ID, a.Regions, "")
	}
}

func (c *checker) units() {
	known := map[string]bool{RootID: true}
	for i := range c.sc.Units {
		u := &c.sc.Units[i]
		c.match(at("organizational_units", i, "id"), u.ID, `ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}`)
		fill(&u.Name, u.ID)
		fill(&u.Parent, RootID)
		if !known[u.Parent] { // parents first, so that no unit is its own ancestor
			c.failf(at("organizational_units", i, "parent"), "parent: there is no unit %s above this one", u.Parent)
		}
		known[u.ID] = true
	}
}

// regions checks the Regions of an account; taken is one that it must not name.
func (c *checker) regions(path []any, account string, regions map[string]*Scenario, taken string) {
	for _, name := range slices.Sorted(maps.Keys(regions)) {
		at := append(slices.Clone(path), name)
		sub := regions[name]
		if sub == nil {
			sub = &Scenario{}
			regions[name] = sub
		}
		switch {
		case name == taken:
			c.failf(at, "regions: %s is the Region of the scenario itself", name)
		case len(sub.Regions)+len(sub.Accounts)+len(sub.Units) > 0:
			c.failf(at, "regions: %s has Regions or accounts of its own", name)
		case sub.Clock != (ClockSpec{}):
			c.failf(at, "regions: %s has the clock of the scenario around it", name)
		case sub.Account != "" || sub.Region != "" || sub.User != "":
			c.failf(at, "regions: %s takes account, region and user from the scenario around it", name)
		}
		sub.Account, sub.Region, sub.User = account, name, c.sc.User
		inner := checker{sc: sub, form: c.form}
		inner.all()
		if inner.err != nil {
			c.failf(append(at, inner.path...), "%w", inner.err)
		}
	}
}

// Worlds returns the scenario and those of its other Regions and accounts, in a
// fixed order. Accounts that are not active have none.
func (sc *Scenario) Worlds() []*Scenario {
	all := []*Scenario{sc}
	add := func(regions map[string]*Scenario) {
		for _, name := range slices.Sorted(maps.Keys(regions)) {
			all = append(all, regions[name])
		}
	}
	add(sc.Regions)
	for _, a := range sc.Accounts {
		if a.Status == AccountActive {
			add(a.Regions)
		}
	}
	return all
}

// Member returns the account with the given id, the scenario's own included.
func (sc *Scenario) Member(id string) (AccountSpec, bool) {
	for _, a := range sc.Members() {
		if a.ID == id {
			return a, true
		}
	}
	return AccountSpec{}, false
}

// Members returns all accounts, the scenario's own first.
func (sc *Scenario) Members() []AccountSpec {
	own := AccountSpec{ID: sc.Account, Name: "management", Email: "management@example.com", Status: AccountActive, Unit: RootID}
	return append([]AccountSpec{own}, sc.Accounts...)
}

// EnabledRegions returns the Regions that an account of the scenario has, sorted.
func (sc *Scenario) EnabledRegions(account string) []string {
	var names []string
	if account == sc.Account {
		names = append(slices.Collect(maps.Keys(sc.Regions)), sc.Region)
	} else if a, ok := sc.Member(account); ok {
		names = slices.Collect(maps.Keys(a.Regions))
	}
	slices.Sort(names)
	return names
}
