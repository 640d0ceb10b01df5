package window

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Desired is a window as a file describes it.
type Desired struct {
	Window
	Tags    map[string]string // nil: the file says nothing about tags
	Targets []DesiredTarget
	Tasks   []DesiredTask
	Line    int // in the file
}

// DesiredTarget is a target of a file. Key is what tasks call it: its name, or what
// it selects.
type DesiredTarget struct {
	Target
	Key string
}

// DesiredTask is a task of a file. Key is its name, or what it runs; Refs are the
// keys of the targets that it is for, beside its selectors.
type DesiredTask struct {
	Task
	Key  string
	Refs []string
	// Keep are the secrets that stay as they are: payload, client_context, input.
	Keep []string
}

// keys gives each of a list a key of its own: its label, and #2 behind the second
// of one label. Names cannot have that character in them.
func keys[T any](list []T, label func(T) string) []string {
	seen := map[string]int{}
	all := make([]string, len(list))
	for i, v := range list {
		l := label(v)
		if seen[l]++; seen[l] > 1 {
			l = fmt.Sprintf("%s#%d", l, seen[l])
		}
		all[i] = l
	}
	return all
}

func targetLabel(t Target) string { return cmp.Or(t.Name, spelled(t.Selectors)) }

func taskLabel(t Task) string { return cmp.Or(t.Name, t.Type.Word()+" "+t.Run) }

// Describe is a window as a file would describe it, and what could not be: targets
// that tasks name and that are gone.
func Describe(k Known) (Desired, []string) {
	d := Desired{Window: k.Window, Tags: k.Tags}
	var lost []string
	targets := slices.SortedFunc(slices.Values(k.Targets), func(a, b Target) int {
		return cmp.Or(strings.Compare(targetLabel(a), targetLabel(b)), strings.Compare(a.ID, b.ID))
	})
	byID := map[string]string{}
	for i, key := range keys(targets, targetLabel) {
		d.Targets = append(d.Targets, DesiredTarget{Target: targets[i], Key: key})
		byID[targets[i].ID] = key
	}
	tasks := slices.SortedFunc(slices.Values(k.Tasks), func(a, b Task) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), strings.Compare(taskLabel(a), taskLabel(b)), strings.Compare(a.ID, b.ID))
	})
	for i, key := range keys(tasks, taskLabel) {
		t := DesiredTask{Task: tasks[i].normal(), Key: key}
		t.Selectors = nil
		for _, s := range tasks[i].Selectors {
			if s.Key != ByWindowTarget {
				t.Selectors = append(t.Selectors, s)
				continue
			}
			for _, id := range s.Values {
				if ref, ok := byID[id]; ok {
					t.Refs = append(t.Refs, ref)
				} else {
					lost = append(lost, fmt.Sprintf("task %s of %s is for the target %s, which is gone", key, k.Name, id))
				}
			}
		}
		slices.Sort(t.Refs)
		d.Tasks = append(d.Tasks, t)
	}
	return d, lost
}
