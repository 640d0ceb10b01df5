package window

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// What an action does, and to what.
const (
	DoCreate  = "create"
	DoUpdate  = "update"
	DoReplace = "replace" // made anew, since its type cannot be changed
	DoDelete  = "delete"
	DoKeep    = "keep" // not in the file, and stays: without prune

	OfWindow = "window"
	OfTarget = "target"
	OfTask   = "task"
)

// Action is one step from what there is to what a file describes. Status is filled
// in by Apply.
type Action struct {
	Do      string       `json:"do"`
	What    string       `json:"what"`
	Window  string       `json:"window"`
	Name    string       `json:"name"`
	ID      string       `json:"id,omitempty"`
	Changes []Difference `json:"changes,omitempty"`
	Status  string       `json:"status,omitempty"` // done, failed, not tried
	Error   string       `json:"error,omitempty"`
}

// Plan is what lies between a file and an account.
type Plan struct {
	Actions []*Action
	Windows int // in the file
	steps   []*windowPlan
}

// Pending counts the actions that change something.
func (p Plan) Pending() int {
	n := 0
	for _, a := range p.Actions {
		if a.Do != DoKeep {
			n++
		}
	}
	return n
}

// windowPlan is the part of a plan that is about one window.
type windowPlan struct {
	want    Desired
	have    Known // zero: it is to be made
	tags    map[string]string
	window  *Action // nil: the window itself stays as it is
	targets []targetStep
	tasks   []taskStep
}

type targetStep struct {
	*Action
	want Target
	have Target
	key  string
}

type taskStep struct {
	*Action
	want DesiredTask
	have Task
}

// Plan compares windows of a file with what the account has. With prune, targets
// and tasks that are not in the file are to be deleted; windows never are. Nothing
// is changed.
func (s *Service) Plan(ctx context.Context, file []Desired, prune bool) (Plan, error) {
	p := Plan{Windows: len(file)}
	all, err := collect(s.List(ctx, Filter{}))
	if err != nil {
		return p, err
	}
	existing := make([]Window, len(file))
	var found []Window
	for i, d := range file {
		w, err := one("find maintenance window "+d.Name, "maintenance window", "", d.Name, all, func(w Window) (string, string) { return "", w.Name })
		switch {
		case err == nil:
			existing[i] = w
			found = append(found, w)
		case slices.ContainsFunc(all, func(w Window) bool { return w.Name == d.Name }):
			return p, ambiguous(d.Name, all)
		}
	}
	known, err := s.ReadAll(ctx, found, Read{Settings: true, Targets: true, Tasks: true, Details: true})
	if err != nil {
		return p, err
	}
	byID := map[string]Known{}
	for _, k := range known {
		byID[k.ID] = k
	}
	for i, d := range file {
		wp := &windowPlan{want: d, have: byID[existing[i].ID]}
		if wp.have.ID != "" && d.Tags != nil {
			if wp.tags, err = s.Tags(ctx, wp.have.ID); err != nil {
				return p, err
			}
			wp.tags = ownTags(wp.tags)
		}
		if err := wp.compare(prune); err != nil {
			return p, err
		}
		p.steps = append(p.steps, wp)
		p.Actions = append(p.Actions, wp.actions()...)
	}
	return p, nil
}

// ambiguous is the error of a name that several windows have.
func ambiguous(name string, all []Window) error {
	var ids []string
	for _, w := range all {
		if w.Name == name {
			ids = append(ids, w.ID)
		}
	}
	slices.Sort(ids)
	return fault.New(fault.NotFound, "find maintenance window "+name, "%d have this name: %s", len(ids), strings.Join(ids, ", ")).
		WithHint("a file means windows by their names: rename all but one with `ssmdeck window update ID --name NAME`")
}

func (p *windowPlan) actions() []*Action {
	var list []*Action
	if p.window != nil {
		list = append(list, p.window)
	}
	for _, t := range p.targets {
		if t.Action != nil {
			list = append(list, t.Action)
		}
	}
	for _, t := range p.tasks {
		if t.Action != nil {
			list = append(list, t.Action)
		}
	}
	return list
}

func (p *windowPlan) action(do, what, name, id string, changes []Difference) *Action {
	return &Action{Do: do, What: what, Window: p.want.Name, Name: name, ID: id, Changes: changes}
}

func (p *windowPlan) compare(prune bool) error {
	switch {
	case p.have.ID == "":
		changes := differences(nil, p.want.fields())
		p.window = p.action(DoCreate, OfWindow, p.want.Name, "", append(given(changes), p.tagChanges()...))
	default:
		changes := append(p.have.Differences(p.want.Window), p.tagChanges()...)
		if len(changes) > 0 {
			p.window = p.action(DoUpdate, OfWindow, p.want.Name, p.have.ID, changes)
		}
	}
	p.compareTargets(prune)
	return p.compareTasks(prune)
}

// given leaves out fields that are to have no value.
func given(list []Difference) []Difference {
	return slices.DeleteFunc(list, func(d Difference) bool { return d.New == "" })
}

func (p *windowPlan) tagChanges() []Difference {
	if p.want.Tags == nil {
		return nil
	}
	var old, next []field
	for _, k := range slices.Sorted(maps.Keys(p.tags)) {
		old = append(old, field{name: "tags." + k, text: p.tags[k]})
	}
	for _, k := range slices.Sorted(maps.Keys(p.want.Tags)) {
		next = append(next, field{name: "tags." + k, text: p.want.Tags[k]})
	}
	return differences(old, next)
}

func (p *windowPlan) compareTargets(prune bool) {
	found, left := pair(p.want.Targets, func(d DesiredTarget) string { return targetLabel(d.Target) }, p.have.Targets, targetLabel,
		func(t Target) string { return t.ID },
		func(d DesiredTarget, t Target) bool { return len(t.Differences(d.Target)) == 0 })
	for i, d := range p.want.Targets {
		have := byID(p.have.Targets, found[i], func(t Target) string { return t.ID })
		step := targetStep{want: d.Target, have: have, key: d.Key}
		switch {
		case have.ID == "":
			step.Action = p.action(DoCreate, OfTarget, d.Key, "", given(differences(nil, d.fields())))
		case have.ResourceType != d.ResourceType:
			step.Action = p.action(DoReplace, OfTarget, d.Key, have.ID, have.Differences(d.Target))
		default:
			if changes := have.Differences(d.Target); len(changes) > 0 {
				step.Action = p.action(DoUpdate, OfTarget, d.Key, have.ID, changes)
			}
		}
		p.targets = append(p.targets, step)
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		p.targets = append(p.targets, targetStep{have: left[key], key: key, Action: p.action(leftover(prune), OfTarget, key, left[key].ID, nil)})
	}
}

// byID is the thing of an id; the zero value without one.
func byID[T any](list []T, id string, of func(T) string) (v T) {
	if i := slices.IndexFunc(list, func(t T) bool { return of(t) == id }); i >= 0 {
		v = list[i]
	}
	return v
}

func leftover(prune bool) string {
	if prune {
		return DoDelete
	}
	return DoKeep
}

func (p *windowPlan) compareTasks(prune bool) error {
	// Both sides are compared by the keys of targets, which stand for ids that may
	// not be known yet.
	names := map[string]string{}
	for _, t := range p.targets {
		names[t.have.ID] = t.key
	}
	found, left := pair(p.want.Tasks, func(d DesiredTask) string { return taskLabel(d.Task) }, p.have.Tasks, taskLabel, func(t Task) string { return t.ID },
		func(d DesiredTask, t Task) bool { return t.Type == d.Type && len(t.Differences(d.next(t), names)) == 0 })
	for i, d := range p.want.Tasks {
		have := byID(p.have.Tasks, found[i], func(t Task) string { return t.ID })
		if len(d.Keep) > 0 && have.ID == "" {
			return fault.New(fault.Usage, "task "+d.Key+" of maintenance window "+p.want.Name, "%s is to stay as it is, and there is no such task yet", d.Keep[0]).
				WithHint("give it as {file: PATH} or {env: NAME}")
		}
		d.kept(have)
		next := d.next(have)
		step := taskStep{want: d, have: have}
		switch {
		case have.ID == "":
			step.Action = p.action(DoCreate, OfTask, d.Key, "", given(differences(nil, next.fields(nil))))
		case have.Type != d.Type:
			step.Action = p.action(DoReplace, OfTask, d.Key, have.ID, append([]Difference{{"type", have.Type.Word(), d.Type.Word()}}, have.Differences(next, names)...))
		default:
			if changes := have.Differences(next, names); len(changes) > 0 {
				step.Action = p.action(DoUpdate, OfTask, d.Key, have.ID, changes)
			} else if p.moved(d.Refs) {
				step.Action = p.action(DoUpdate, OfTask, d.Key, have.ID, []Difference{{Field: "targets", Old: "the replaced target", New: "the new one"}})
			}
		}
		p.tasks = append(p.tasks, step)
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		p.tasks = append(p.tasks, taskStep{have: left[key], Action: p.action(leftover(prune), OfTask, key, left[key].ID, nil)})
	}
	return nil
}

// moved reports whether one of the targets gets another id.
func (p *windowPlan) moved(refs []string) bool {
	return slices.ContainsFunc(p.targets, func(t targetStep) bool {
		return t.Action != nil && t.Do == DoReplace && slices.Contains(refs, t.key)
	})
}

// next is what the task is to be, with the keys of targets for their ids, and with
// what it keeps of the one that is there.
func (d DesiredTask) next(have Task) Task {
	d.kept(have)
	if len(d.Refs) > 0 {
		d.Selectors = append(slices.Clone(d.Selectors), Selector{Key: ByWindowTarget, Values: d.Refs})
	}
	return d.Task
}

// kept takes over the secrets that are to stay.
func (d *DesiredTask) kept(have Task) {
	for _, secret := range d.Keep {
		switch secret {
		case "payload":
			d.Payload = have.Payload
		case "client_context":
			d.ClientContext = have.ClientContext
		case "input":
			d.Input = have.Input
		}
	}
}
