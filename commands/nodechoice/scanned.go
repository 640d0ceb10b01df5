package nodechoice

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// Scanned are the nodes of a command about patches: those that are chosen, or all
// that are managed, online or not.
type Scanned struct {
	Choice Choice
	Stale  string
	// NoHistory says that what was counted is not kept.
	NoHistory bool

	targets []fleet.Target
	query   fleet.Query
	Old     time.Duration // of stale
}

// Bind declares the flags: those that choose nodes, and --stale.
func (o *Scanned) Bind(env *cli.Env, cmd *cobra.Command) {
	o.Choice.Bind(env, cmd)
	cmd.Flags().StringVar(&o.Stale, "stale", "7d", "scans older than this `age` are stale, and said to be; 0 for none")
}

// Parse reads the flags without a call.
func (o *Scanned) Parse(args []string) (err error) {
	named := len(args)+len(o.Choice.Targets) > 0
	if named {
		o.targets, o.query.Filter, err = o.Choice.Parse("", args)
	} else {
		o.query, err = Query(o.Choice.Tags, o.Choice.Filter)
	}
	if err != nil {
		return err
	}
	if o.Old, err = cli.ParseAge("stale", o.Stale); err != nil {
		return err
	}
	return nil
}

// Whole reports whether the nodes are all of the account and Region.
func (o *Scanned) Whole() bool {
	return len(o.targets) == 0 && len(o.query.Tags) == 0 && o.query.Filter.Empty()
}

// Find reads the nodes, joined with parts. A name that nobody has here may be known
// elsewhere.
func (o *Scanned) Find(ctx context.Context, env *cli.Env, parts fleet.Part) (nodes []fleet.Node, gaps []fleet.Gap, err error) {
	svc, err := env.Fleet(ctx)
	if err != nil {
		return nil, nil, err
	}
	nodes, gaps, err = JoinedNodes(ctx, svc, o.targets, o.query, parts)
	var several *fleet.Ambiguous
	if fault.KindOf(err) == fault.NotFound && !errors.As(err, &several) {
		err = cli.PerhapsElsewhere(err)
	}
	return nodes, gaps, err
}
