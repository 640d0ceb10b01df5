package patch

import (
	"context"
	"errors"
	"iter"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// placed is what was found in one account and Region.
type placed[T any] struct {
	account, region string
	value           T
	// failure is why it is not all, or nothing: then value is nothing.
	failure error
	nothing bool
}

// everyPlace asks in the account and Region that is meant, or in all of several,
// and returns what each answered. read returns what was found, and why it is not
// all. Scopes that know none of the nodes that are named are left out as long as
// one knows them. The error is that of an answer that is not whole; when nobody
// answered, there is nothing else.
func everyPlace[T any](ctx context.Context, env *cli.Env, read func(ctx context.Context, env *cli.Env) (v T, partial, err error)) ([]placed[T], error) {
	spec, err := env.GridSpec()
	if err != nil {
		return nil, err
	}
	if !spec.Several() {
		v, partial, err := read(ctx, env)
		if err != nil {
			return nil, cli.WhereItIs(err)
		}
		account, region, err := env.Whereabouts(ctx)
		if err != nil {
			account = "(unknown account)"
		}
		return []placed[T]{{account: account, region: region, value: v, failure: partial}}, partial
	}
	g, err := env.OpenGrid(ctx, spec)
	if err != nil {
		return nil, err
	}
	type answer struct {
		v       T
		partial error
	}
	var out []placed[T]
	var failures []grid.Failure
	for r, err := range cli.Gather(ctx, env, g, render.Options{}, func(ctx context.Context, env *cli.Env) (iter.Seq2[answer, error], error) {
		v, partial, err := read(ctx, env)
		return cli.Each([]answer{{v, partial}}), err
	}) {
		var failure *grid.Failure
		switch {
		case errors.As(err, &failure):
			failures = append(failures, *failure)
			out = append(out, placed[T]{account: failure.Account, region: failure.Region, failure: failure.Err, nothing: true})
		case err != nil:
			return nil, err
		default:
			out = append(out, placed[T]{account: r.Account, region: r.Region, value: r.Value.v, failure: r.Value.partial})
			if r.Value.partial != nil {
				failures = append(failures, grid.Failure{Place: r.Place, Err: r.Value.partial})
			}
		}
	}
	err = g.Fault(failures)
	if len(failures) > 0 {
		answered := false
		for _, p := range out {
			answered = answered || !p.nothing
		}
		if !answered {
			return nil, err
		}
	}
	return out, err
}
