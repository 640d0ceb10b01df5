package window

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

// Source reads what a file keeps elsewhere: the files and variables of secrets.
type Source struct {
	File func(path string) ([]byte, error)
	Env  func(name string) (string, bool)
}

// ParseFile reads a file of windows. Everything that is wrong with it is returned at
// once, each with its line, in a Usage error. now is the time that schedules are
// read at.
func ParseFile(path string, data []byte, from Source, now time.Time) ([]Desired, error) {
	p := &fileParser{File: strictyaml.File{Path: path}, from: from, now: now}
	root, err := p.Load(data)
	switch {
	case err != nil:
	case root == nil:
		err = fmt.Errorf("%s: there is nothing in it", path)
	default:
		p.Mapping(root, "the file", []string{"windows"}, func(_ string, v *yaml.Node) { p.each(v, "windows", p.window) })
		err = p.Err()
	}
	if err != nil {
		return nil, &fault.Error{Kind: fault.Usage, Err: err, Hint: "`ssmdeck window export` shows what a file looks like"}
	}
	return p.windows, nil
}

type fileParser struct {
	strictyaml.File
	from    Source
	now     time.Time
	windows []Desired
}

// each calls do with the elements of a list.
func (p *fileParser) each(n *yaml.Node, key string, do func(*yaml.Node)) {
	if strictyaml.IsNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.Fail(n, "%s must be a list", key)
		return
	}
	for _, e := range n.Content {
		do(e)
	}
}

func (p *fileParser) text(n *yaml.Node, key string) string {
	if n.Kind != yaml.ScalarNode || strictyaml.IsNull(n) {
		p.Fail(n, "%s must be a single value", key)
		return ""
	}
	return n.Value
}

func (p *fileParser) number(n *yaml.Node, key string) int {
	text := p.text(n, key)
	v, err := strconv.Atoi(text)
	if err != nil && text != "" {
		p.Fail(n, "%s %q is not a number", key, text)
	}
	return v
}

func (p *fileParser) truth(n *yaml.Node, key string) bool {
	v, err := strconv.ParseBool(p.text(n, key))
	if err != nil && n.Kind == yaml.ScalarNode {
		p.Fail(n, "%s must be true or false", key)
	}
	return v
}

// texts are one value or a list of them.
func (p *fileParser) texts(n *yaml.Node, key string) []string {
	if n.Kind != yaml.SequenceNode {
		return []string{p.text(n, key)}
	}
	list := []string{}
	for _, e := range n.Content {
		list = append(list, p.text(e, key))
	}
	return list
}

// places remembers where the fields of one thing stand, for faults about them.
type places map[string]*yaml.Node

func (p *fileParser) tell(at *yaml.Node, where places, who string, list []Fault) {
	for _, f := range list {
		n := where[f.Field]
		if n == nil {
			n = at
		}
		p.Fail(n, "%s: %s: %s", who, f.Field, f.Line())
	}
}

var windowKeys = []string{
	"name", "description", "enabled", "schedule", "timezone", "schedule_offset", "start", "end", "duration", "cutoff", "allow_unassociated_targets", "tags", "targets", "tasks",
}

func (p *fileParser) window(n *yaml.Node) {
	w := Desired{Window: Window{Enabled: true, AllowUnassociated: new(bool)}, Line: n.Line}
	at := places{}
	p.Mapping(n, "a window", windowKeys, func(key string, v *yaml.Node) {
		at[key] = v
		switch key {
		case "name":
			w.Name = p.text(v, key)
		case "description":
			w.Description = p.text(v, key)
		case "enabled":
			w.Enabled = p.truth(v, key)
		case "schedule":
			w.Schedule = p.text(v, key)
		case "timezone":
			w.Timezone = p.text(v, key)
		case "schedule_offset":
			w.Offset = p.number(v, key)
		case "start":
			w.Start = p.text(v, key)
		case "end":
			w.End = p.text(v, key)
		case "duration":
			w.Duration = p.number(v, key)
		case "cutoff":
			w.Cutoff = p.number(v, key)
		case "allow_unassociated_targets":
			*w.AllowUnassociated = p.truth(v, key)
		case "tags":
			w.Tags = map[string]string{}
			p.Mapping(v, "tags", nil, func(k string, v *yaml.Node) {
				if w.Tags[k] = p.text(v, k); strings.HasPrefix(strings.ToLower(k), "aws:") {
					p.Fail(v, "tag %s: keys that begin with aws: are for AWS alone", k)
				}
			})
		case "targets":
			p.each(v, key, func(n *yaml.Node) { p.target(&w, n) })
		case "tasks":
			p.each(v, key, func(n *yaml.Node) { p.task(&w, n) })
		}
	})
	who := "window " + w.Name
	for _, key := range []string{"schedule", "duration", "cutoff"} {
		if at[key] == nil {
			p.Fail(n, "%s has no %s", who, key)
		}
	}
	if at["schedule"] != nil && at["duration"] != nil && at["cutoff"] != nil {
		p.tell(n, at, who, w.Check(p.now))
	}
	if slices.ContainsFunc(p.windows, func(other Desired) bool { return other.Name == w.Name }) {
		p.Fail(n, "two windows are called %s", w.Name)
	}
	p.link(&w, n)
	p.windows = append(p.windows, w)
}

// link gives targets and tasks their keys, and checks that tasks name targets that
// are there.
func (p *fileParser) link(w *Desired, n *yaml.Node) {
	var legal []string
	for i, key := range keys(w.Targets, func(t DesiredTarget) string { return targetLabel(t.Target) }) {
		w.Targets[i].Key = key
		legal = append(legal, key)
	}
	for i, key := range keys(w.Tasks, func(t DesiredTask) string { return taskLabel(t.Task) }) {
		t := &w.Tasks[i]
		t.Key = key
		for _, ref := range t.Refs {
			if !slices.Contains(legal, ref) {
				hint := ""
				if near := fault.Nearest(ref, legal); near != "" {
					hint = fmt.Sprintf(" (did you mean %q?)", near)
				}
				p.Fail(n, "task %s of window %s is for the target %q, which the window has not%s", key, w.Name, ref, hint)
			}
		}
		slices.Sort(t.Refs)
	}
}

func (p *fileParser) target(w *Desired, n *yaml.Node) {
	t := Target{ResourceType: Nodes}
	at := places{}
	p.Mapping(n, "a target", []string{"name", "description", "owner_information", "resource_type", "select"}, func(key string, v *yaml.Node) {
		at[key] = v
		switch key {
		case "name":
			t.Name = p.text(v, key)
		case "description":
			t.Description = p.text(v, key)
		case "owner_information":
			t.Owner = p.text(v, key)
		case "resource_type":
			t.ResourceType = strings.ToUpper(p.text(v, key))
		case "select":
			t.Selectors = p.selectors(v)
		}
	})
	if at["resource_type"] == nil && slices.ContainsFunc(t.Selectors, func(s Selector) bool { return strings.HasPrefix(s.Key, "resource-groups:") }) {
		t.ResourceType = Groups
	}
	p.tell(n, at, "target "+targetLabel(t), t.Check())
	w.Targets = append(w.Targets, DesiredTarget{Target: t})
}

// selectors are keys with their values; a list of such where a key comes twice.
func (p *fileParser) selectors(n *yaml.Node) []Selector {
	var list []Selector
	one := func(n *yaml.Node) {
		p.Mapping(n, "select", nil, func(key string, v *yaml.Node) {
			list = append(list, Selector{Key: key, Values: p.texts(v, key)})
		})
	}
	if n.Kind == yaml.SequenceNode {
		p.each(n, "select", one)
	} else {
		one(n)
	}
	return list
}

// secret is a value, {file: PATH}, {env: NAME} or {keep: true}.
func (p *fileParser) secret(n *yaml.Node, key string) (text string, keep bool) {
	if n.Kind != yaml.MappingNode {
		return p.text(n, key), false
	}
	found := 0
	p.Mapping(n, key, []string{"file", "env", "keep"}, func(how string, v *yaml.Node) {
		found++
		var err error
		switch how {
		case "file":
			var data []byte
			data, err = p.from.File(p.text(v, how))
			text = string(data)
		case "env":
			name, ok := p.text(v, how), false
			if text, ok = p.from.Env(name); !ok {
				err = fmt.Errorf("the variable %s is not set (with {keep: true} a task that is there keeps what it has)", name)
			}
		case "keep":
			if keep = p.truth(v, how); !keep {
				err = errors.New("keep is true, or is left out")
			}
		}
		if err != nil {
			p.Fail(v, "%s: %v", key, err)
		}
	})
	if found != 1 {
		p.Fail(n, "%s is a text, or one of file, env and keep", key)
	}
	return text, keep
}
