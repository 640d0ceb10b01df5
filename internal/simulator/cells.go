package simulator

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/control"
	"github.com/ssmdeck/ssmdeck/internal/simulator/gateway"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// cell is one account in one Region: a world with its services. A server whose
// scenario has no other Regions and accounts is one cell.
type cell struct {
	world    *world.World
	api      *control.Handler
	gateway  *gateway.Gateway
	machines *machines
	verifier *control.Verifier
}

// place is where a cell is.
type place struct{ account, region string }

// makeCell makes the world of a scenario and what serves it. Whatever it has made
// when it fails is in the cell all the same, to be closed. ctx is for making it only.
func makeCell(ctx context.Context, sc *world.Scenario, root *world.Scenario, o Options, clock *world.Clock, base string, verifier *control.Verifier) (*cell, error) {
	c := &cell{verifier: verifier}
	scenario, err := withShell(sc, o.Shell)
	if err != nil {
		return c, err
	}
	c.machines = &machines{allowRoot: o.AllowRoot, region: scenario.Region, now: clock.Now}
	maker := o.Machine
	if maker == nil {
		maker = c.machines.make
	}
	if c.world, err = world.New(scenario, world.Config{Clock: clock, Machine: maker, Starting: ctx}); err != nil {
		return c, err
	}
	c.gateway = gateway.New(gateway.Config{
		Base: base, Verify: verifier.VerifyUpgrade, Node: c.world.Node, Keys: c.world,
		Faults: c.world.Faults(), Agent: o.Agent, Changed: c.world.SessionStatus,
		Logs: c.world.LogSession, Log: o.Logger,
		Agents: c.world.AgentConnected, Jobs: c.agentSays,
	})
	c.world.UseAgents(c.gateway)
	c.api = control.New(control.Config{World: c.world, Sessions: c.gateway, Verifier: verifier, Account: root, Base: "http" + strings.TrimPrefix(base, "ws"), Logger: o.Logger})
	return c, nil
}

// close ends the sessions of the cell. The rest is closed when nothing is served
// any more, by release.
func (c *cell) close(ctx context.Context) error {
	if c.world != nil {
		c.world.EndPolls()
	}
	if c.gateway == nil {
		return nil
	}
	return c.gateway.Close(ctx)
}

// agentSays passes on what a real agent says about a command.
func (c *cell) agentSays(node string, m gateway.JobMessage) {
	if m.Type == wire.AgentJobAck {
		c.world.JobAcknowledged(node, m.JobID, m.Status, m.Error)
		return
	}
	c.world.JobReplied(node, m.JobID, m.Content)
}

func (c *cell) release() error {
	var errs []error
	if c.world != nil {
		errs = append(errs, c.world.Close())
	}
	if c.machines != nil {
		errs = append(errs, c.machines.Close())
	}
	return errors.Join(errs...)
}

// addCells makes the cells of the other Regions and accounts of a scenario.
func (s *Server) addCells(ctx context.Context, o Options, base string) error {
	s.cells = map[place]*cell{}
	for _, sc := range o.Scenario.Worlds()[1:] {
		unsigned := control.NewCredentials(sc.Account, sc.User)
		c, err := makeCell(ctx, sc, o.Scenario, o, s.clock, base, s.verifier.In(sc.Region, unsigned))
		s.cells[place{sc.Account, sc.Region}] = c
		if err != nil {
			return err
		}
	}
	var worlds []*world.World
	for _, c := range s.all() {
		worlds = append(worlds, c.world)
	}
	for _, wd := range worlds {
		wd.SetPeers(worlds)
	}
	return nil
}

// cellOf finds whose request it is: the account by the key that signed it, the
// Region by the scope of the signature. A Region that the account does not have is
// for any of its cells to refuse.
func (s *Server) cellOf(r *http.Request) *cell {
	account, region, ok := s.verifier.Signer(r)
	if !ok {
		if c := s.cellOfMachine(r); c != nil {
			return c
		}
		return s.cell
	}
	if c := s.cells[place{account, region}]; c != nil {
		return c
	}
	for at, c := range s.cells {
		if at.account == account && account != s.world.Account() {
			return c
		}
	}
	return s.cell
}

// routed serves each request by its cell, after the trouble that the cell's
// scenario has in store.
func (s *Server) routed(handler func(*cell) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.cellOf(r)
		sc := c.world.Scenario()
		if sc.Unreachable {
			panic(http.ErrAbortHandler) // closes the connection
		}
		if sc.Delay > 0 {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(sc.Delay):
			}
		}
		handler(c).ServeHTTP(w, r)
	})
}

// all yields every cell, the first one first.
func (s *Server) all() []*cell {
	all := []*cell{}
	if s.cell != nil {
		all = append(all, s.cell)
	}
	for _, c := range s.cells {
		all = append(all, c)
	}
	return all
}

// In is the world of another Region or account of the scenario, nil when there
// is none, for tests that look at it or change it.
func (s *Server) In(account, region string) *world.World {
	if account == s.world.Account() && region == s.world.Region() {
		return s.world
	}
	if c := s.cells[place{account, region}]; c != nil {
		return c.world
	}
	return nil
}

// Stats returns the counters since the start, of all Regions and accounts
// together.
func (s *Server) Stats() Stats {
	st := Stats{Calls: map[string]int{}}
	for _, c := range s.all() {
		for op, n := range c.api.Calls() {
			st.Calls[op] += n
		}
		st.OpenSessions += c.gateway.Live()
	}
	return st
}
