package window

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func source(env map[string]string) Source {
	return Source{
		File: func(path string) ([]byte, error) {
			if path != "payload.json" {
				return nil, errors.New("no such file")
			}
			return []byte(`{"from":"file"}`), nil
		},
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}
}

const file = `windows:
- name: weekly
  schedule: cron(0 2 ? * SUN *)
  timezone: Europe/Berlin
  duration: 3
  cutoff: 1
  targets:
  - name: web
    select: {tag:role: web}
  - select:
    - tag:env: [prod]
    - tag:env: [shop]
  tasks:
  - {name: patch, type: run-command, run: AWS-RunPatchBaseline, targets: web, parameters: {Operation: Install}}
  - {type: automation, run: Restart, targets: ['tag:env=prod tag:env=shop'], concurrency: 20%, parameters: {InstanceId: '{{RESOURCE_ID}}', Token: {env: TOKEN}}}
  - {name: notify, type: lambda, run: notify, priority: 9, payload: {file: payload.json}, cutoff_behavior: cancel}
`

func parse(t *testing.T, text string) []Desired {
	t.Helper()
	list, err := ParseFile("w.yaml", []byte(text), source(map[string]string{"TOKEN": "t0k3n"}), now)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAFileIsRead(t *testing.T) {
	w := parse(t, file)[0]
	if !w.Enabled || w.Tags != nil || len(w.Targets) != 2 || len(w.Tasks) != 3 {
		t.Fatalf("got %+v", w)
	}
	if got := w.Tasks[0]; got.Concurrency != DefaultConcurrency || got.MaxErrors != DefaultMaxErrors || got.Priority != 1 || !slices.Equal(got.Refs, []string{"web"}) {
		t.Errorf("the first task is %+v", got)
	}
	if got := w.Tasks[1]; got.Key != "automation Restart" || got.Parameters["Token"][0] != "t0k3n" || got.Concurrency != "20%" {
		t.Errorf("the second task is %+v", got)
	}
	if got := w.Tasks[2]; string(got.Payload) != `{"from":"file"}` || got.Cutoff != CancelTask || got.Concurrency != "" {
		t.Errorf("the third task is %+v", got)
	}
}

func TestWhatIsWrongInAFileIsToldAtOnceWithItsLine(t *testing.T) {
	_, err := ParseFile("w.yaml", []byte(`windows:
- name: weekly
  schedule: rate(1 hours)
  duration: 3
  cutoff: 3
  zone: UTC
  tags: {aws:x: a}
  targets:
  - {name: web, select: {env: prod}}
  tasks:
  - {name: a, type: run-comand, run: X}
  - {name: b, type: lambda, run: f, payload: {env: NOTSET}, targets: webb}
  - {name: c, type: run-command, run: X}
- name: weekly
  duration: 3
`), source(nil), now)
	if fault.KindOf(err) != fault.Usage {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"w.yaml:3: window weekly: schedule:", "w.yaml:5: window weekly: cutoff", `w.yaml:6: unknown key "zone"`, "w.yaml:7: tag aws:x", `w.yaml:9: target web: select: "env"`,
		`w.yaml:11: there are no tasks of type "run-comand"`, "w.yaml:12: payload: the variable NOTSET is not set", `is for the target "webb", which the window has not (did you mean "web"?)`,
		"w.yaml:13: task c: targets:", "w.yaml:14: window weekly has no schedule", "w.yaml:14: two windows are called weekly",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q:\n%v", want, err)
		}
	}
}

// What is exported with its secrets and read again is what was there.
func TestExportAndReadAgain(t *testing.T) {
	first := parse(t, file)
	w := &first[0]
	w.Description, w.Tags, w.Enabled, w.Start, *w.AllowUnassociated = "every \x1b Sunday: yes", map[string]string{"team": "ops", "aws:cloudformation:stack": "x"}, false, "2026-03-01T00:00:00Z", true
	w.Tasks[0].Timeout, w.Tasks[0].OutputBucket, w.Tasks[0].OutputPrefix, w.Tasks[0].LogOutput = 90*time.Second, "bucket", "a/b", true
	w.Tasks[0].Parameters["commands"] = []string{"echo 'a: b'\nls", "- x"}
	w.Tasks[0].Alarms, w.Tasks[0].IgnoreAlarmFailure = []string{"cpu"}, true
	data, variables, err := Export(first, true)
	if err != nil || len(variables) > 0 {
		t.Fatal(err, variables)
	}
	again, _, err := Export(parse(t, string(data)), true)
	if err != nil || string(again) != string(data) {
		t.Errorf("%v, first\n%s\nthen\n%s", err, data, again)
	}
	if strings.Contains(string(data), "aws:cloudformation") {
		t.Error("a tag of AWS's own is in the file")
	}
	second := parse(t, string(data))[0]
	for i, task := range w.Tasks {
		if d := task.Differences(second.Tasks[i].Task, nil); len(d) > 0 {
			t.Errorf("task %d differs: %+v", i, d)
		}
	}
	if d := w.Differences(second.Window); len(d) > 0 {
		t.Errorf("the window differs: %+v", d)
	}
}

func TestNoSecretIsExportedUnasked(t *testing.T) {
	list := parse(t, file)
	list[0].Tasks[1].Parameters["DbPasswords"] = []string{"hunter2", "hunter3"}
	data, variables, err := Export(list, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"t0k3n", "hunter", `"from"`} {
		if strings.Contains(string(data), secret) {
			t.Errorf("%s is in the file:\n%s", secret, data)
		}
	}
	want := []string{"WEEKLY_AUTOMATION_RESTART_DBPASSWORDS_1", "WEEKLY_AUTOMATION_RESTART_DBPASSWORDS_2", "WEEKLY_AUTOMATION_RESTART_TOKEN", "WEEKLY_NOTIFY_PAYLOAD"}
	if !slices.Equal(variables, want) {
		t.Errorf("variables %q, want %q", variables, want)
	}
	env := map[string]string{}
	for _, v := range variables {
		env[v] = `"` + v + `"`
	}
	again, err := ParseFile("w.yaml", data, source(env), now)
	if err != nil {
		t.Fatal(err)
	}
	if got := again[0].Tasks[1].Parameters["DbPasswords"]; !slices.Equal(got, []string{`"WEEKLY_AUTOMATION_RESTART_DBPASSWORDS_1"`, `"WEEKLY_AUTOMATION_RESTART_DBPASSWORDS_2"`}) {
		t.Errorf("got %q", got)
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add(file)
	f.Add("windows: [{name: a, select: {}}]")
	f.Add("windows:\n- tasks: [{type: lambda, payload: {keep: true}}]")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseFile("f", []byte(text), source(nil), now)
		if err != nil {
			return
		}
		data, _, err := Export(list, true)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseFile("f", data, source(nil), now)
		if err != nil {
			t.Fatalf("what was exported is not read: %v\n%s", err, data)
		}
		if second, _, err := Export(again, true); err != nil || string(second) != string(data) {
			t.Fatalf("%v: first\n%s\nthen\n%s", err, data, second)
		}
	})
}
