package window

import (
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func fields(list []Fault) string {
	var words []string
	for _, f := range list {
		words = append(words, f.Field)
	}
	return strings.Join(words, " ")
}

func TestWindowsThatTheServiceWouldRefuse(t *testing.T) {
	good := Window{Name: "weekly", Schedule: "cron(0 2 ? * SUN *)", Duration: 3, Cutoff: 1, Timezone: "Europe/Berlin"}
	tests := []struct {
		name   string
		change func(*Window)
		want   string // fields with faults
	}{
		{"a good one", func(*Window) {}, ""},
		{"a short name", func(w *Window) { w.Name = "ab" }, "name"},
		{"a name with a blank", func(w *Window) { w.Name = "a b c" }, "name"},
		{"too long", func(w *Window) { w.Duration = 25 }, "duration"},
		{"a cutoff as long as the window", func(w *Window) { w.Cutoff = 3 }, "cutoff"},
		{"a cutoff below nothing", func(w *Window) { w.Cutoff = -1 }, "cutoff"},
		{"no zone of that name", func(w *Window) { w.Timezone = "Europe/Berln" }, "timezone"},
		{"both days", func(w *Window) { w.Schedule = "cron(0 2 1 * SUN *)" }, "schedule"},
		{"a rate in the plural", func(w *Window) { w.Schedule = "rate(1 hours)" }, "schedule"},
		{"faster than the service goes", func(w *Window) { w.Schedule = "cron(*/2 * * * ? *)" }, "schedule"},
		{"an offset with a rate", func(w *Window) { w.Schedule, w.Offset = "rate(1 day)", 2 }, "schedule_offset"},
		{"an offset of a week", func(w *Window) { w.Offset = 7 }, "schedule_offset"},
		{"no schedule", func(w *Window) { w.Schedule = "" }, "schedule"},
		{"a start that is no time", func(w *Window) { w.Start = "soon" }, "start"},
		{"an end before the start", func(w *Window) { w.Start, w.End = "2026-04-02T00:00:00Z", "2026-04-01T00:00:00Z" }, "end"},
		{"several at once", func(w *Window) { w.Name, w.Duration, w.Schedule = "x", 0, "daily" }, "name duration schedule"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := good
			tt.change(&w)
			if got := fields(w.Check(now)); got != tt.want {
				t.Errorf("faults of %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheMarkIsUnderTheWrongField(t *testing.T) {
	list := Window{Name: "weekly", Schedule: "cron(0 2 1 * SUN *)", Duration: 3, Cutoff: 1}.Check(now)
	lines := strings.Split(list[0].Text, "\n")
	if len(lines) != 3 || strings.Index(lines[1], "SUN") != strings.Index(lines[2], "^^^") {
		t.Errorf("marks are elsewhere:\n%s", list[0].Text)
	}
}

func TestTargetsThatTheServiceWouldRefuse(t *testing.T) {
	tests := []struct {
		name string
		t    Target
		want string
	}{
		{"tags", Target{ResourceType: Nodes, Selectors: []Selector{{"tag:env", []string{"prod"}}, {"tag-key", []string{"role"}}}}, ""},
		{"a group", Target{ResourceType: Groups, Selectors: []Selector{{"resource-groups:Name", []string{"web"}}}}, ""},
		{"nothing", Target{ResourceType: Nodes}, "select"},
		{"a group as nodes", Target{ResourceType: Nodes, Selectors: []Selector{{"resource-groups:Name", []string{"web"}}}}, "select"},
		{"six keys", Target{ResourceType: Nodes, Selectors: []Selector{
			{"tag:a", []string{"1"}}, {"tag:b", []string{"1"}}, {"tag:c", []string{"1"}}, {"tag:d", []string{"1"}}, {"tag:e", []string{"1"}}, {"tag:f", []string{"1"}},
		}}, "select"},
		{"51 nodes", Target{ResourceType: Nodes, Selectors: []Selector{{"InstanceIds", strings.Split(strings.Repeat("i-0123456789abcdef0 ", 50)+"i-0123456789abcdef0", " ")}}}, "select"},
		{"a name for an id", Target{ResourceType: Nodes, Selectors: []Selector{{"InstanceIds", []string{"web-1"}}}}, "select"},
		{"a key of nobody", Target{ResourceType: Nodes, Selectors: []Selector{{"env", []string{"prod"}}}}, "select"},
		{"a target of a target", Target{ResourceType: Nodes, Selectors: []Selector{{ByWindowTarget, []string{"x"}}}}, "select"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fields(tt.t.Check()); got != tt.want {
				t.Errorf("faults of %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTasksThatTheServiceWouldRefuse(t *testing.T) {
	on := []Selector{{ByWindowTarget, []string{"web"}}}
	command := func(change func(*Task)) Task {
		t := Task{Type: RunCommand, Run: "AWS-RunShellScript", Selectors: on, Concurrency: "10", MaxErrors: "1", Priority: 1}
		change(&t)
		return t
	}
	tests := []struct {
		name string
		t    Task
		want string
	}{
		{"a command", command(func(*Task) {}), ""},
		{"a command for nobody", command(func(t *Task) { t.Selectors = nil }), "targets"},
		{"a function for nobody", Task{Type: Lambda, Run: "notify"}, ""},
		{"rates for nobody", Task{Type: Lambda, Run: "notify", Concurrency: "1"}, "concurrency"},
		{"wrong rates", command(func(t *Task) { t.Concurrency, t.MaxErrors = "0", "101%" }), "concurrency max_errors"},
		{"tags in a task", command(func(t *Task) { t.Selectors = []Selector{{"tag:env", []string{"prod"}}} }), "select"},
		{"a role that is none", command(func(t *Task) { t.ServiceRole = "admin" }), "service_role"},
		{"a cutoff behavior of nobody", command(func(t *Task) { t.Cutoff = "stop" }), "cutoff_behavior"},
		{"two alarms", command(func(t *Task) { t.Alarms = []string{"a", "b"} }), "alarms"},
		{"a payload for a command", command(func(t *Task) { t.Payload = []byte("{}") }), "payload"},
		{"parameters for a function", Task{Type: Lambda, Run: "notify", Parameters: map[string][]string{"a": {"b"}}}, "parameters"},
		{"a payload that is no JSON", Task{Type: Lambda, Run: "notify", Payload: []byte("{")}, "payload"},
		{"a payload that is too big", Task{Type: Lambda, Run: "notify", Payload: []byte(`"` + strings.Repeat("x", 4096) + `"`)}, "payload"},
		{"a state machine by its name", Task{Type: StepFunctions, Run: "drain"}, "run"},
		{"an input that is no JSON", Task{Type: StepFunctions, Run: "arn:aws:states:eu-west-1:123456789012:stateMachine:drain", Input: "x"}, "input"},
		{"a time that is too short", command(func(t *Task) { t.Timeout = time.Second }), "timeout"},
		{"a topic without a role", command(func(t *Task) { t.NotificationARN = "arn:aws:sns:eu-west-1:123456789012:ops" }), "command_role"},
		{"nothing to run", command(func(t *Task) { t.Run = "" }), "run"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fields(tt.t.Check()); got != tt.want {
				t.Errorf("faults of %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNoFaultShowsAPayload(t *testing.T) {
	secret := `{"password":"hunter2"`
	for _, task := range []Task{{Type: Lambda, Run: "notify", Payload: []byte(secret)}, {Type: StepFunctions, Run: "arn:aws:states:eu-west-1:123456789012:stateMachine:drain", Input: secret}} {
		for _, f := range task.Check() {
			if strings.Contains(f.Text+f.Hint, "hunter2") {
				t.Errorf("%s: %s", f.Field, f.Text)
			}
		}
	}
}
