package dash

import (
	"context"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/pageparams"
)

func (w *wiring) parameters() deck.Page {
	return pageparams.New(w.deck, w.desk, w.set, pageparams.Services{Value: w.parameterValue, History: w.parameterHistory, Tags: w.parameterTags})
}

// parameterValue reads one parameter; a secret one only with decrypt.
func (w *wiring) parameterValue(ctx context.Context, at grid.Place, name string, decrypt bool) (parameter.Parameter, error) {
	s, err := w.scope(at)
	if err != nil {
		return parameter.Parameter{}, err
	}
	found, _, err := parameter.New(s.SSM()).Get(ctx, []string{name}, decrypt)
	if err != nil {
		return parameter.Parameter{}, err
	}
	if len(found) == 0 {
		return parameter.Parameter{}, fault.New(fault.NotFound, "read parameter "+name, "it was deleted").WithHint("ctrl+r reads the list again")
	}
	return found[0], nil
}

// parameterHistory reads the versions of a parameter, the newest first.
func (w *wiring) parameterHistory(ctx context.Context, at grid.Place, name string, decrypt bool) ([]parameter.Parameter, error) {
	s, err := w.scope(at)
	if err != nil {
		return nil, err
	}
	all, err := awsapi.Collect(parameter.New(s.SSM()).History(ctx, name, decrypt))
	slices.SortFunc(all, func(a, b parameter.Parameter) int { return int(b.Version - a.Version) })
	return all, err
}

// parameterTags reads the tags of a parameter.
func (w *wiring) parameterTags(ctx context.Context, at grid.Place, name string) (map[string]string, error) {
	s, err := w.scope(at)
	if err != nil {
		return nil, err
	}
	return parameter.New(s.SSM()).Tags(ctx, name)
}
