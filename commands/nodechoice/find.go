package nodechoice

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// FindNode resolves expr to the one node that it names.
func FindNode(ctx context.Context, env *cli.Env, expr string) (fleet.Node, error) {
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return fleet.Node{}, err
	}
	return Settle(ctx, env, expr, nodes.Find)
}

// FindNodeHere is FindNode for a list that may be of several scopes.
func FindNodeHere(ctx context.Context, env *cli.Env, expr string) (fleet.Node, error) {
	n, err := FindNode(ctx, env, expr)
	var several *fleet.Ambiguous
	if fault.KindOf(err) == fault.NotFound && !errors.As(err, &several) {
		return n, cli.PerhapsElsewhere(err)
	}
	return n, err
}

// ShowFound prints the one thing that find finds, in one account and Region or in
// any of several. details writes it for people. Found in several places, it is
// ambiguous; in none, the error is that of looking.
func ShowFound[T any](ctx context.Context, env *cli.Env, o render.Options, expr string, details func(*render.Detail, render.Options, T), find func(context.Context, *cli.Env) (T, error)) error {
	spec, err := env.GridSpec()
	if err != nil {
		return err
	}
	if !spec.Several() {
		v, err := find(ctx, env)
		if err != nil {
			return cli.WhereItIs(err)
		}
		return render.Object(env.Out, o, v, func(d *render.Detail) { details(d, o, v) })
	}
	g, err := env.OpenGrid(ctx, spec)
	if err != nil {
		return err
	}
	var found []grid.Row[T]
	var failures []grid.Failure
	for r, err := range cli.Gather(ctx, env, g, render.Options{}, func(ctx context.Context, env *cli.Env) (iter.Seq2[T, error], error) {
		v, err := find(ctx, env)
		return cli.Each([]T{v}), err
	}) {
		var failure *grid.Failure
		switch {
		case errors.As(err, &failure):
			failures = append(failures, *failure)
		case err != nil:
			return err
		default:
			found = append(found, r)
		}
	}
	switch incomplete := g.Fault(failures); {
	case len(found) == 0:
		return incomplete
	case len(found) > 1:
		places := make([]string, len(found))
		for i, r := range found {
			places[i] = r.Place.String()
		}
		slices.Sort(places)
		return fault.New(fault.NotFound, "find "+expr, "it is in several places: %s", strings.Join(places, ", ")).
			WithHint("choose one with --region and --profile, or name an id")
	default:
		r := found[0]
		err := render.Object(env.Out, o, r, func(d *render.Detail) {
			d.Field("Account", r.Account)
			d.Field("Region", r.Region)
			details(d, o, r.Value)
		})
		return errors.Join(err, incomplete)
	}
}
