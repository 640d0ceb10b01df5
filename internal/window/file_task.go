package window

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

var taskKeysLegal = []string{
	"name", "description", "type", "run", "targets", "select", "priority", "concurrency", "max_errors", "service_role", "cutoff_behavior", "alarms",
	"ignore_alarm_failure", "parameters", "document_version", "comment", "timeout", "output_s3", "log_output", "log_group", "notification_arn", "notify_on",
	"notification_type", "command_role", "document_hash", "document_hash_type", "payload", "client_context", "qualifier", "input", "execution_name",
}

func (p *fileParser) task(w *Desired, n *yaml.Node) {
	t := DesiredTask{Task: DefaultTask("")}
	at := places{}
	texts := map[string]*string{
		"name": &t.Name, "description": &t.Description, "run": &t.Run, "concurrency": &t.Concurrency, "max_errors": &t.MaxErrors,
		"service_role": &t.ServiceRole, "document_version": &t.DocumentVersion, "comment": &t.Comment, "log_group": &t.LogGroup,
		"notification_arn": &t.NotificationARN, "notification_type": &t.NotificationType, "command_role": &t.CommandRole,
		"document_hash": &t.DocumentHash, "document_hash_type": &t.DocumentHashType, "qualifier": &t.Qualifier, "execution_name": &t.ExecutionName,
	}
	p.Mapping(n, "a task", taskKeysLegal, func(key string, v *yaml.Node) {
		at[key] = v
		if into := texts[key]; into != nil {
			*into = p.text(v, key)
			return
		}
		p.taskField(&t, key, v)
	})
	if at["type"] == nil {
		p.Fail(n, "task %s has no type: one of %s", t.Name, strings.Join(Types(), ", "))
	}
	if at["log_group"] != nil && at["log_output"] == nil {
		t.LogOutput = true
	}
	if t.Type == RunCommand && t.NotificationARN != "" {
		t.notified()
	}
	// What it is for is known when the window is: until then a name stands for it.
	checked := t.Task
	if len(t.Refs) > 0 {
		checked.Selectors = append(slices.Clone(checked.Selectors), Selector{Key: ByWindowTarget, Values: t.Refs})
	}
	checked = checked.Rated()
	t.Concurrency, t.MaxErrors = checked.Concurrency, checked.MaxErrors
	if t.Type != "" {
		p.tell(n, at, "task "+taskLabel(t.Task), checked.Check())
	}
	w.Tasks = append(w.Tasks, t)
}

// notified fills in what a notification is about.
func (t *Task) notified() {
	if len(t.NotifyOn) == 0 {
		t.NotifyOn = []string{"All"}
	}
	if t.NotificationType == "" {
		t.NotificationType = "Command"
	}
}

func (p *fileParser) taskField(t *DesiredTask, key string, v *yaml.Node) {
	secret := func() string {
		text, keep := p.secret(v, key)
		if keep {
			t.Keep = append(t.Keep, key)
		}
		return text
	}
	switch key {
	case "type":
		var err error
		if t.Type, err = ParseType(p.text(v, key)); err != nil {
			p.Fail(v, "%v (%s)", err, fault.HintOf(err))
		}
	case "targets":
		t.Refs = p.texts(v, key)
	case "select":
		t.Selectors = p.selectors(v)
	case "priority":
		t.Priority = p.number(v, key)
	case "cutoff_behavior":
		t.Cutoff = CutoffBehavior(p.text(v, key))
	case "alarms":
		t.Alarms = p.texts(v, key)
	case "ignore_alarm_failure":
		t.IgnoreAlarmFailure = p.truth(v, key)
	case "log_output":
		t.LogOutput = p.truth(v, key)
	case "notify_on":
		t.NotifyOn = p.texts(v, key)
	case "output_s3":
		t.OutputBucket, t.OutputPrefix, _ = strings.Cut(strings.TrimPrefix(p.text(v, key), "s3://"), "/")
	case "timeout":
		d, err := time.ParseDuration(p.text(v, key))
		if err != nil || d%time.Second != 0 {
			p.Fail(v, "timeout: write a time such as 90s, 10m or 2h")
		}
		t.Timeout = d
	case "parameters":
		t.Parameters = p.parameters(v)
	case "payload":
		if text := secret(); text != "" {
			t.Payload = []byte(text)
		}
	case "client_context":
		t.ClientContext = secret()
	case "input":
		t.Input = secret()
	}
}

// CutoffBehavior is the API's word for continue and cancel, and any other as it is.
func CutoffBehavior(word string) string {
	switch strings.ToLower(word) {
	case "continue":
		return ContinueTask
	case "cancel":
		return CancelTask
	}
	return word
}

// parameters have a value, a list of them, or one that is kept elsewhere.
func (p *fileParser) parameters(n *yaml.Node) map[string][]string {
	params := map[string][]string{}
	p.Mapping(n, "parameters", nil, func(name string, v *yaml.Node) {
		values := []*yaml.Node{v}
		if v.Kind == yaml.SequenceNode {
			values = v.Content
		}
		list := []string{}
		for _, v := range values {
			text, keep := p.secret(v, "parameter "+name)
			if keep {
				p.Fail(v, "parameter %s: a parameter is in a file or a variable", name)
			}
			list = append(list, text)
		}
		params[name] = list
	})
	return params
}
