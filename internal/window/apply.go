package window

import (
	"cmp"
	"context"
	"slices"
)

// Apply takes the actions of a plan, one window after the other. What fails ends the
// work on its window; the other windows go on, and report tells of every action
// when it has its status. The error is that of the first failure.
//
// Nothing is undone. Since what is there is found by its name, planning and applying
// again goes on where this ended.
func (s *Service) Apply(ctx context.Context, p Plan, report func(Action)) error {
	var first error
	for _, w := range p.steps {
		if err := ctx.Err(); err != nil {
			first = cmp.Or(first, err)
		} else if err := s.applyWindow(ctx, w, report); err != nil && first == nil {
			first = err
		}
		for _, a := range w.actions() {
			if a.Status == "" && a.Do != DoKeep {
				a.Status = "not tried"
				report(*a)
			}
		}
	}
	return first
}

func (s *Service) applyWindow(ctx context.Context, p *windowPlan, report func(Action)) error {
	do := func(a *Action, f func() (id string, err error)) error {
		id, err := f()
		a.Status, a.ID = "done", cmp.Or(id, a.ID)
		if err != nil {
			a.Status, a.Error = "failed", err.Error()
		}
		report(*a)
		return err
	}
	w := p.have.Window
	if p.window != nil {
		if err := do(p.window, func() (string, error) { return s.applySettings(ctx, p) }); err != nil {
			return err
		}
		w = p.want.Window
		w.ID = p.window.ID
	}
	ids := map[string]string{} // of targets, by key
	for _, t := range p.targets {
		ids[t.key] = t.have.ID
		if t.Action == nil || t.Do == DoDelete || t.Do == DoKeep {
			continue
		}
		err := do(t.Action, func() (string, error) {
			if t.Do == DoUpdate {
				next := t.want
				next.ID = t.have.ID
				return "", s.UpdateTarget(ctx, w, next)
			}
			return s.AddTarget(ctx, w, t.want)
		})
		if err != nil {
			return err
		}
		ids[t.key] = t.ID
	}
	for _, t := range p.tasks {
		if t.Action == nil || t.Do == DoKeep {
			continue
		}
		if err := do(t.Action, func() (string, error) { return s.applyTask(ctx, w, t, ids) }); err != nil {
			return err
		}
	}
	for _, t := range p.targets {
		switch {
		case t.Action == nil:
		case t.Do == DoDelete:
			if err := do(t.Action, func() (string, error) { return "", s.RemoveTarget(ctx, w, t.have, false) }); err != nil {
				return err
			}
		case t.Do == DoReplace:
			if err := s.RemoveTarget(ctx, w, t.have, false); err != nil {
				t.Status, t.Error = "failed", err.Error()
				report(*t.Action)
				return err
			}
		}
	}
	return nil
}

// applySettings makes or changes the window itself.
func (s *Service) applySettings(ctx context.Context, p *windowPlan) (id string, err error) {
	if p.have.ID == "" {
		return s.Create(ctx, p.want.Window, p.want.Tags)
	}
	if len(p.have.Differences(p.want.Window)) > 0 {
		if err := s.Update(ctx, p.have.Window, p.want.Window); err != nil {
			return "", err
		}
	}
	if p.want.Tags == nil {
		return "", nil
	}
	return "", s.retag(ctx, p.have.Window, p.tags, p.want.Tags)
}

func (s *Service) applyTask(ctx context.Context, w Window, t taskStep, ids map[string]string) (string, error) {
	if t.Do == DoDelete {
		return "", s.RemoveTask(ctx, w, t.have)
	}
	next := t.want.Task
	if len(t.want.Refs) > 0 {
		s := Selector{Key: ByWindowTarget}
		for _, ref := range t.want.Refs {
			s.Values = append(s.Values, ids[ref])
		}
		next.Selectors = append(slices.Clone(next.Selectors), s)
	}
	if t.Do == DoUpdate {
		return "", s.UpdateTask(ctx, w, t.have, next)
	}
	id, err := s.AddTask(ctx, w, next)
	if err == nil && t.Do == DoReplace {
		err = s.RemoveTask(ctx, w, t.have)
	}
	return id, err
}
