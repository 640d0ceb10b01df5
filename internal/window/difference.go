package window

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Difference is a field that is to change. Secret ones show their sizes only; an
// empty text is a field that is not there.
type Difference struct {
	Field string `json:"field"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

// field is a value as text. What is secret is compared and not shown.
type field struct {
	name, text string
	secret     bool
	exact      string // compared too, where one text stands for several values
}

func (f field) shown() string {
	if f.secret && f.text != "" {
		return Hidden(len(f.text))
	}
	return f.text
}

// Hidden stands for a secret of n bytes.
func Hidden(n int) string { return fmt.Sprintf("(%d bytes, not shown)", n) }

// secretName are parameters whose values are not shown.
var secretName = pattern.Lazy(`(?i)(passw|passphrase|secret|token|api_?key|private_?key|credential)`)

// SecretParameter reports whether the name of a parameter says that its values are
// secrets.
func SecretParameter(name string) bool { return secretName().MatchString(name) }

func differences(old, next []field) []Difference {
	list := []Difference{}
	before := map[string]field{}
	for _, f := range old {
		before[f.name] = f
	}
	for _, f := range next {
		was := before[f.name]
		delete(before, f.name)
		if was.text == f.text && was.exact == f.exact {
			continue
		}
		d := Difference{Field: f.name, Old: was.shown(), New: f.shown()}
		switch {
		case d.Old != d.New:
		case f.secret:
			d.New = "(others, not shown)"
		default:
			d.New += " (as other values)"
		}
		list = append(list, d)
	}
	for _, f := range old {
		if _, gone := before[f.name]; gone && f.text != "" {
			list = append(list, Difference{Field: f.name, Old: f.shown()})
		}
	}
	return list
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// fields are what can be changed.
func (w Window) fields() []field {
	allow := ""
	if w.AllowUnassociated != nil {
		allow = strconv.FormatBool(*w.AllowUnassociated)
	}
	return []field{
		{name: "name", text: w.Name},
		{name: "description", text: w.Description},
		{name: "enabled", text: strconv.FormatBool(w.Enabled)},
		{name: "schedule", text: w.Schedule},
		{name: "timezone", text: w.Timezone},
		{name: "schedule_offset", text: number(w.Offset)},
		{name: "start", text: sameTime(w.Start)},
		{name: "end", text: sameTime(w.End)},
		{name: "duration", text: strconv.Itoa(w.Duration)},
		{name: "cutoff", text: strconv.Itoa(w.Cutoff)},
		{name: "allow_unassociated_targets", text: allow},
	}
}

// sameTime is one text for one time, however it is written.
func sameTime(text string) string {
	if t := ParseTime(text); !t.IsZero() {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return text
}

// Differences from a window to what it is to be.
func (w Window) Differences(next Window) []Difference { return differences(w.fields(), next.fields()) }

// Given are the fields of a window that is to be made, where they have a value.
func (w Window) Given() []Difference { return given(differences(nil, w.fields())) }

func (t Target) fields() []field {
	return []field{
		{name: "name", text: t.Name},
		{name: "description", text: t.Description},
		{name: "owner_information", text: t.Owner},
		{name: "resource_type", text: t.ResourceType},
		{name: "select", text: spelled(t.Selectors)},
	}
}

// Differences from a target to what it is to be.
func (t Target) Differences(next Target) []Difference { return differences(t.fields(), next.fields()) }

// spelled is one text for selectors that mean the same.
func spelled(list []Selector) string {
	var words []string
	for _, s := range list {
		values := slices.Sorted(slices.Values(s.Values))
		for i, v := range values {
			if strings.ContainsAny(v, `,"`) || strings.Contains(v, "=") && strings.Contains(v, " ") {
				values[i] = strconv.Quote(v) // or it would look like several
			}
		}
		words = append(words, s.Key+"="+strings.Join(values, ","))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// fields are what can be changed. names are the targets of the window, id to name.
func (t Task) fields(names map[string]string) []field {
	t = t.normal()
	var named []Selector
	var of []string
	for _, s := range t.Selectors {
		if s.Key == ByWindowTarget {
			for _, id := range s.Values {
				of = append(of, cmp.Or(names[id], id))
			}
			continue
		}
		named = append(named, s)
	}
	slices.Sort(of)
	targets := strings.TrimSpace(strings.Join(of, ", ") + " " + spelled(named))
	timeout := ""
	if t.Timeout > 0 {
		timeout = t.Timeout.String()
	}
	list := []field{
		{name: "name", text: t.Name},
		{name: "description", text: t.Description},
		{name: "run", text: t.Run},
		{name: "targets", text: targets},
		{name: "priority", text: strconv.Itoa(t.Priority)},
		{name: "concurrency", text: t.Concurrency},
		{name: "max_errors", text: t.MaxErrors},
		{name: "service_role", text: t.ServiceRole},
		{name: "cutoff_behavior", text: t.CutoffWord()},
		{name: "alarms", text: strings.Join(t.Alarms, ", ")},
		{name: "ignore_alarm_failure", text: truth(t.IgnoreAlarmFailure)},
		{name: "document_version", text: t.DocumentVersion},
	}
	for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
		list = append(list, parameterField(name, t.Parameters[name]))
	}
	return append(list,
		field{name: "comment", text: t.Comment}, field{name: "timeout", text: timeout}, field{name: "output_s3", text: t.outputS3()},
		field{name: "log_output", text: truth(t.LogOutput)}, field{name: "log_group", text: t.LogGroup},
		field{name: "notification_arn", text: t.NotificationARN}, field{name: "notify_on", text: strings.Join(t.NotifyOn, ", ")},
		field{name: "notification_type", text: t.NotificationType}, field{name: "command_role", text: t.CommandRole},
		field{name: "document_hash", text: t.DocumentHash}, field{name: "document_hash_type", text: t.DocumentHashType},
		field{name: "payload", text: string(t.Payload), secret: true}, field{name: "client_context", text: t.ClientContext, secret: true},
		field{name: "qualifier", text: t.Qualifier}, field{name: "input", text: t.Input, secret: true}, field{name: "execution_name", text: t.ExecutionName})
}

// parameterField is a parameter with its values. An empty one is not the same as
// none: it stands in the place of the document's default.
func parameterField(name string, values []string) field {
	f := field{name: "parameters." + name, text: strings.Join(values, "\n"), secret: SecretParameter(name), exact: fmt.Sprintf("%q", values)}
	if f.text == "" {
		f.text = f.exact
	}
	return f
}

// CutoffWord is what becomes of the task at the cutoff, in the words of a file.
func (t Task) CutoffWord() string {
	if t.Cutoff == CancelTask {
		return "cancel"
	}
	return "continue"
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return ""
}

func (t Task) outputS3() string {
	if t.OutputPrefix == "" {
		return t.OutputBucket
	}
	return t.OutputBucket + "/" + t.OutputPrefix
}

// normal leaves out what the service fills in by itself: the rates of a task
// without targets, which mean nothing, and what happens at the cutoff.
func (t Task) normal() Task {
	if len(t.Selectors) == 0 {
		t.Concurrency, t.MaxErrors = "", ""
	}
	t.Cutoff = cmp.Or(t.Cutoff, ContinueTask)
	return t
}

// Differences from a task to what it is to be. names are the targets of the
// window, id to name.
func (t Task) Differences(next Task, names map[string]string) []Difference {
	return differences(t.fields(names), next.fields(names))
}
