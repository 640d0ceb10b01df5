package window

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Export writes windows as a file that ParseFile reads. Secrets are written only
// with secrets set; else the file names a variable of the environment for each, and
// the names are returned.
func Export(windows []Desired, secrets bool) (data []byte, variables []string, err error) {
	e := &exporter{secrets: secrets}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	seen := map[string]bool{}
	for _, w := range windows {
		if seen[w.Name] {
			return nil, nil, fault.New(fault.NotFound, "export maintenance windows", "two windows are called %s, and a file tells windows apart by their names", w.Name).
				WithHint("rename one: `ssmdeck window update %s --name NAME`", w.ID)
		}
		seen[w.Name] = true
		list.Content = append(list.Content, e.window(w))
	}
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(root, "windows", list)
	data, err = yaml.Dump(root, yaml.WithLineWidth(-1))
	if err != nil {
		return nil, nil, fault.New(fault.Failed, "export maintenance windows", "%w", err)
	}
	return data, e.variables, nil
}

type exporter struct {
	secrets   bool
	variables []string
}

func scalar(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func put(m *yaml.Node, key string, v *yaml.Node) { m.Content = append(m.Content, scalar(key), v) }

func putText(m *yaml.Node, key, text string) {
	if text != "" {
		put(m, key, scalar(text))
	}
}

func putInt(m *yaml.Node, key string, n int) {
	put(m, key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)})
}

func putTrue(m *yaml.Node, key string, v bool) {
	if v {
		putBool(m, key, v)
	}
}

func putBool(m *yaml.Node, key string, v bool) {
	put(m, key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)})
}

func putList(m *yaml.Node, key string, list []string) {
	if len(list) > 0 {
		put(m, key, flow(list))
	}
}

func flow(list []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, v := range list {
		n.Content = append(n.Content, scalar(v))
		if strings.ContainsAny(v, " \n") { // a script
			n.Style = 0
		}
	}
	return n
}

func (e *exporter) window(w Desired) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	putText(m, "name", w.Name)
	putText(m, "description", w.Description)
	if !w.Enabled {
		putBool(m, "enabled", false)
	}
	putText(m, "schedule", w.Schedule)
	putText(m, "timezone", w.Timezone)
	if w.Offset != 0 {
		putInt(m, "schedule_offset", w.Offset)
	}
	putText(m, "start", w.Start)
	putText(m, "end", w.End)
	putInt(m, "duration", w.Duration)
	putInt(m, "cutoff", w.Cutoff)
	putTrue(m, "allow_unassociated_targets", w.AllowUnassociated != nil && *w.AllowUnassociated)
	if tags := ownTags(w.Tags); len(tags) > 0 {
		t := &yaml.Node{Kind: yaml.MappingNode}
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			put(t, k, scalar(tags[k]))
		}
		put(m, "tags", t)
	}
	if len(w.Targets) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, t := range w.Targets {
			list.Content = append(list.Content, exportTarget(t.Target))
		}
		put(m, "targets", list)
	}
	if len(w.Tasks) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, t := range w.Tasks {
			list.Content = append(list.Content, e.task(w, t))
		}
		put(m, "tasks", list)
	}
	return m
}

// ownTags are those that are not AWS's own, which nobody else may write.
func ownTags(tags map[string]string) map[string]string {
	own := map[string]string{}
	for k, v := range tags {
		if !strings.HasPrefix(strings.ToLower(k), "aws:") {
			own[k] = v
		}
	}
	return own
}

func exportTarget(t Target) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	putText(m, "name", t.Name)
	putText(m, "description", t.Description)
	putText(m, "owner_information", t.Owner)
	if t.ResourceType != Nodes {
		putText(m, "resource_type", t.ResourceType)
	}
	put(m, "select", exportSelectors(t.Selectors))
	return m
}

func exportSelectors(list []Selector) *yaml.Node {
	one := &yaml.Node{Kind: yaml.MappingNode}
	each := &yaml.Node{Kind: yaml.SequenceNode}
	seen := map[string]bool{}
	twice := false
	for _, s := range list {
		twice = twice || seen[s.Key]
		seen[s.Key] = true
		put(one, s.Key, flow(s.Values))
		m := &yaml.Node{Kind: yaml.MappingNode}
		put(m, s.Key, flow(s.Values))
		each.Content = append(each.Content, m)
	}
	if twice {
		return each
	}
	return one
}

func (e *exporter) task(w Desired, t DesiredTask) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	putText(m, "name", t.Name)
	putText(m, "description", t.Description)
	putText(m, "type", t.Type.Word())
	putText(m, "run", t.Run)
	putList(m, "targets", t.Refs)
	if len(t.Selectors) > 0 {
		put(m, "select", exportSelectors(t.Selectors))
	}
	putInt(m, "priority", t.Priority)
	putText(m, "concurrency", t.Concurrency)
	putText(m, "max_errors", t.MaxErrors)
	putText(m, "service_role", t.ServiceRole)
	if t.Cutoff == CancelTask {
		putText(m, "cutoff_behavior", "cancel")
	}
	putList(m, "alarms", t.Alarms)
	putTrue(m, "ignore_alarm_failure", t.IgnoreAlarmFailure)
	if len(t.Parameters) > 0 {
		params := &yaml.Node{Kind: yaml.MappingNode}
		for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
			put(params, name, e.parameter(w, t, name))
		}
		put(m, "parameters", params)
	}
	putText(m, "document_version", t.DocumentVersion)
	putText(m, "comment", t.Comment)
	if t.Timeout > 0 {
		putText(m, "timeout", t.Timeout.String())
	}
	putText(m, "output_s3", t.outputS3())
	if t.LogOutput != (t.LogGroup != "") {
		putBool(m, "log_output", t.LogOutput)
	}
	putText(m, "log_group", t.LogGroup)
	putText(m, "notification_arn", t.NotificationARN)
	putList(m, "notify_on", t.NotifyOn)
	putText(m, "notification_type", t.NotificationType)
	putText(m, "command_role", t.CommandRole)
	putText(m, "document_hash", t.DocumentHash)
	putText(m, "document_hash_type", t.DocumentHashType)
	e.secret(m, "payload", string(t.Payload), w, t)
	e.secret(m, "client_context", t.ClientContext, w, t)
	putText(m, "qualifier", t.Qualifier)
	e.secret(m, "input", t.Input, w, t)
	putText(m, "execution_name", t.ExecutionName)
	return m
}

func (e *exporter) parameter(w Desired, t DesiredTask, name string) *yaml.Node {
	values := t.Parameters[name]
	if SecretParameter(name) && !e.secrets {
		if len(values) == 1 {
			return e.variable(w, t, name)
		}
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range values {
			list.Content = append(list.Content, e.variable(w, t, fmt.Sprintf("%s %d", name, i+1)))
		}
		return list
	}
	if len(values) == 1 {
		return scalar(values[0])
	}
	return flow(values)
}

func (e *exporter) secret(m *yaml.Node, key, text string, w Desired, t DesiredTask) {
	switch {
	case text == "":
	case e.secrets:
		put(m, key, scalar(text))
	default:
		put(m, key, e.variable(w, t, key))
	}
}

// variable is the reference that stands for a secret.
func (e *exporter) variable(w Desired, t DesiredTask, field string) *yaml.Node {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, fmt.Sprintf("%s %s %s", w.Name, t.Key, field))
	if name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	for base, n := name, 2; slices.Contains(e.variables, name); n++ {
		name = fmt.Sprintf("%s_%d", base, n) // a.b and a_b are two
	}
	e.variables = append(e.variables, name)
	m := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	put(m, "env", scalar(name))
	return m
}
