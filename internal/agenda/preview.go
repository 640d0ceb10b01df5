package agenda

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// Work is what one task will do in an opening of its window; a window without tasks
// has one Work that has none. The JSON names are part of the output contract.
type Work struct {
	WindowID string    `json:"window_id"`
	Window   string    `json:"window"`
	Enabled  bool      `json:"enabled"`
	Start    time.Time `json:"start"`
	Cutoff   time.Time `json:"cutoff"` // no task begins from here on
	End      time.Time `json:"end"`
	Zone     string    `json:"schedule_timezone"`
	Shared   []Shared  `json:"overlaps,omitempty"`

	TaskID      string `json:"task_id,omitempty"`
	Task        string `json:"task,omitempty"`
	Step        int    `json:"step,omitempty"` // from 1; tasks of the same step run at the same time
	Priority    *int   `json:"priority,omitempty"`
	Type        string `json:"type,omitempty"`
	Run         string `json:"run,omitempty"` // document, runbook, function or state machine
	Version     string `json:"document_version,omitempty"`
	AtCutoff    string `json:"cutoff_behavior,omitempty"`
	Concurrency string `json:"max_concurrency,omitempty"`
	MaxErrors   string `json:"max_errors,omitempty"`
	// ParameterNames are those that the task gives; Parameters their values, where they
	// are shown: they may be secrets.
	ParameterNames []string            `json:"parameter_names,omitempty"`
	Parameters     map[string][]string `json:"parameters,omitempty"`

	// NodeIDs are the nodes that the task means as things are now, Offline those of them
	// that are not connected, MayReboot those that an installation of patches may reboot.
	NodeIDs   []string `json:"node_ids"`
	Offline   []string `json:"offline_node_ids"`
	MayReboot []string `json:"may_reboot_node_ids"`
	// Unassociated are nodes that the task names, and that are in no target of a window
	// which wants them to be: nothing runs on them. NodeIDs is without them.
	Unassociated []string `json:"unassociated_node_ids,omitempty"`
	Targeted     bool     `json:"targeted"`             // whether the task has targets at all
	Unsure       bool     `json:"incomplete,omitempty"` // tags or groups could not be read
	Patching     string   `json:"patch_operation,omitempty"`
	Reboot       string   `json:"reboot_option,omitempty"`
}

// Label is what people call the task.
func (w Work) Label() string { return cmp.Or(w.Task, Document(w.Run)) }

// safeParameters are values of patching documents that are no secrets and say what
// will happen.
var safeParameters = []string{"Operation", "RebootOption", "SnapshotId", "BaselineOverride", "InstallOverrideList", "Action", "AllowReboot"}

// PreviewOptions say what a preview shows.
type PreviewOptions struct {
	Among  Set  // only tasks that mean one of these nodes, and only them; nil: all
	Values bool // the values of parameters too
}

// Preview says what the tasks of a window will do in an opening, in the order in
// which they begin.
func (e *Entry) Preview(o Opening, r *Reach, po PreviewOptions) []Work {
	head := Work{
		WindowID: e.ID, Window: e.Name, Enabled: e.Enabled, Start: o.Start, Cutoff: o.Cutoff, End: o.End, Zone: o.Zone, Shared: o.Shared,
		NodeIDs: []string{}, Offline: []string{}, MayReboot: []string{},
	}
	tasks := slices.Clone(e.Tasks)
	slices.SortStableFunc(tasks, func(a, b window.Task) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), strings.Compare(a.Name, b.Name))
	})
	var all []Work
	step := 0
	for i, t := range tasks {
		if i == 0 || t.Priority != tasks[i-1].Priority {
			step++
		}
		nodes, strays := r.Task(t.ID), r.Strays(t.ID)
		if po.Among != nil {
			nodes, strays = nodes.Shared(po.Among), strays.Shared(po.Among)
			if nodes.Len()+strays.Len() == 0 {
				continue
			}
		}
		w := head
		w.TaskID, w.Task, w.Step, w.Priority, w.Type, w.Run = t.ID, t.Name, step, &tasks[i].Priority, string(t.Type), t.Run
		w.Version, w.AtCutoff, w.Concurrency, w.MaxErrors = t.DocumentVersion, t.Cutoff, t.Concurrency, t.MaxErrors
		w.parameters(t, po.Values)
		w.Targeted = len(t.Selectors) > 0
		w.Unsure = w.Targeted && (r.Blind.Len() > 0 || len(r.Groups) > 0)
		w.NodeIDs, w.Offline = ids(r.Of(nodes)), ids(r.Offline(nodes))
		if strays.Len() > 0 {
			w.Unassociated = ids(r.Of(strays))
		}
		if p, ok := PatchingOf(t); ok {
			w.Patching, w.Reboot = p.Operation, p.Reboot
			if !p.Installs() {
				w.Reboot = ""
			}
			if p.MayReboot() {
				w.MayReboot = ids(r.MayReboot(nodes))
			}
		}
		all = append(all, w)
	}
	if len(tasks) == 0 && po.Among == nil {
		return []Work{head}
	}
	return all
}

func (w *Work) parameters(t window.Task, values bool) {
	_, patching := PatchingOf(t)
	for name, v := range t.Parameters {
		w.ParameterNames = append(w.ParameterNames, name)
		if values || patching && slices.Contains(safeParameters, name) {
			if w.Parameters == nil {
				w.Parameters = map[string][]string{}
			}
			w.Parameters[name] = v
		}
	}
	slices.Sort(w.ParameterNames)
}

func ids(nodes []fleet.Node) []string {
	all := []string{}
	for _, n := range nodes {
		all = append(all, n.ID)
	}
	return all
}
