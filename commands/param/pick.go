package param

import (
	"context"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/picker"
)

// pickParam lets a person choose a parameter by its name, of which the index shows at
// once what it knows. Leaving ends the command with 130.
func pickParam(ctx context.Context, env *cli.Env) ([]parameter.Ref, error) {
	s, err := env.Settings()
	if err != nil {
		return nil, err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return nil, err
	}
	o := picker.Options{Title: "parameter", Styles: env.ErrStyles()}
	names, _, ok := parameter.Index{Dir: s.CacheDir}.Load(env.CacheKey(env.Opened()), time.Now())
	for _, name := range names {
		o.Items = append(o.Items, picker.Item{ID: name})
	}
	if !ok {
		// An MFA code must be asked for before the picker has the terminal.
		if _, err := env.Opened().Config().Credentials.Retrieve(ctx); err != nil {
			_, err = svc.Find(ctx, parameter.Selection{}) // says it in words
			return nil, err
		}
	}
	o.Load = func(ctx context.Context) ([]picker.Item, error) {
		all, err := svc.Find(ctx, parameter.Selection{})
		if err != nil {
			return nil, err
		}
		rememberParams(env, env.Opened(), all)
		items := make([]picker.Item, len(all))
		for i, p := range all {
			items[i] = picker.Item{ID: p.Name, Detail: p.Type, Also: []string{p.Description}}
		}
		return items, nil
	}
	ids, err := nodechoice.Choose(ctx, env, o)
	switch {
	case err != nil:
		return nil, err
	case len(ids) == 0:
		return nil, fault.New(fault.NotFound, "choose a parameter", "there is none in this account and Region").WithHint("check --profile and --region")
	}
	env.Note("parameter: %s", render.Visible(ids[0]))
	r, err := parameter.ParseRef(ids[0])
	return []parameter.Ref{r}, err
}
