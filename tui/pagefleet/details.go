package pagefleet

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// facts are what the services say of one node.
type facts struct {
	node fleet.Node
	gaps []fleet.Gap // parts that could not be read
}

// databases are what can be forwarded to in a place.
type databases struct {
	found []database.Database
	errs  []error // of what could not be listed
}

// details are the parts of what is known of one node. Each is read, ages and fails
// by itself.
type details struct {
	of           string // the key of the row they are shown for
	again        bool   // the facts have been changed: read them anew
	facts        *feed.Detail[facts]
	commands     *feed.Detail[[]run.Command]
	associations *feed.Detail[[]compliance.Item]
	inventory    *feed.Detail[map[string]inventory.Coverage]
	sessions     *feed.Detail[[]sessions.Entry]
}

// kept is of how many nodes the details are kept.
const kept = 50

// How old the parts may become while they are shown: what changes by what people do
// is read often, what agents report by the hour is not.
const (
	factsAge       = time.Minute
	commandsAge    = 15 * time.Second
	sessionsAge    = 15 * time.Second
	associationAge = 2 * time.Minute
	inventoryAge   = 10 * time.Minute
	databasesAge   = 5 * time.Minute
)

func newDetails(desk *feed.Desk) details {
	return details{
		facts: feed.NewDetail[facts](desk, kept), commands: feed.NewDetail[[]run.Command](desk, kept),
		associations: feed.NewDetail[[]compliance.Item](desk, kept),
		inventory:    feed.NewDetail[map[string]inventory.Coverage](desk, kept),
		sessions:     feed.NewDetail[[]sessions.Entry](desk, kept),
	}
}

// want loads what is missing or too old of a node.
func (d *details) want(s Services, r *row) tea.Cmd {
	at, id, age := r.at, r.n.ID, factsAge
	if d.again {
		age, d.again = 0, false
		d.facts.Leave()
	}
	return tea.Batch(
		d.facts.Want(r.key, age, func(ctx context.Context) (facts, error) {
			n, gaps, err := s.Facts(ctx, at, id)
			return facts{n, gaps}, err
		}),
		d.commands.Want(r.key, commandsAge, of(s.Commands, at, id)),
		d.sessions.Want(r.key, sessionsAge, of(s.Sessions, at, id)),
		d.associations.Want(r.key, associationAge, of(s.Associations, at, id)),
		d.inventory.Want(r.key, inventoryAge, of(s.Inventory, at, id)),
	)
}

func of[V any](read func(context.Context, grid.Place, string) (V, error), at grid.Place, id string) func(context.Context) (V, error) {
	return func(ctx context.Context) (V, error) { return read(ctx, at, id) }
}

// leave cancels what is being read: nobody looks at it any more.
func (d *details) leave() {
	d.of = ""
	d.facts.Leave()
	d.commands.Leave()
	d.sessions.Leave()
	d.associations.Leave()
	d.inventory.Leave()
}

// take puts in what has been read; false when it is something else.
func (d *details) take(msg tea.Msg) bool {
	switch msg := msg.(type) {
	case feed.Got[facts]:
		return d.facts.Take(msg)
	case feed.Got[[]run.Command]:
		return d.commands.Take(msg)
	case feed.Got[[]compliance.Item]:
		return d.associations.Take(msg)
	case feed.Got[map[string]inventory.Coverage]:
		return d.inventory.Take(msg)
	case feed.Got[[]sessions.Entry]:
		return d.sessions.Take(msg)
	}
	return false
}
