package dash

import (
	"context"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/pageautomation"
)

func (w *wiring) automation() deck.Page {
	return pageautomation.New(w.deck, w.desk, w.set, pageautomation.Services{
		Read: w.readAutomation,
		Runbooks: func(ctx context.Context, at grid.Place) ([]document.Summary, error) {
			s, err := w.scope(at)
			if err != nil {
				return nil, err
			}
			return awsapi.Collect(document.New(s.SSM()).List(ctx, document.Filter{Types: []string{"Automation"}}))
		},
		Runbook: func(ctx context.Context, at grid.Place, name string) (document.Document, error) {
			s, err := w.scope(at)
			if err != nil {
				return document.Document{}, err
			}
			return document.New(s.SSM()).Describe(ctx, name, "")
		},
	})
}

// readAutomation reads an execution with its steps, and with the executions that it
// has started where it can have started any.
func (w *wiring) readAutomation(ctx context.Context, at grid.Place, id string) (out pageautomation.Whole, err error) {
	s, err := w.scope(at)
	if err != nil {
		return out, err
	}
	svc := automation.New(s.SSM())
	if out.Execution, err = svc.Get(ctx, id); err != nil {
		return out, err
	}
	if out.Steps, err = svc.Steps(ctx, id); err != nil {
		return out, err
	}
	parent := out.Counts != nil || len(out.Targets) > 0
	for _, step := range out.Steps {
		parent = parent || step.Action == "aws:executeAutomation"
	}
	if parent {
		out.Children, err = awsapi.Collect(svc.List(ctx, automation.Filter{Parent: id}))
	}
	return out, err
}
