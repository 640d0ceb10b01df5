package world

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"
)

// WindowSpec is a maintenance window of a scenario, with at most one target. What
// it says about a task beside tasks is one more, the first.
type WindowSpec struct {
	Name     string            `yaml:"name"`
	Schedule string            `yaml:"schedule"` // cron(...), rate(...), at(...)
	Timezone string            `yaml:"timezone"` // IANA name; UTC
	Offset   int               `yaml:"offset"`   // days after the time of a cron expression
	Start    string            `yaml:"start"`    // ISO 8601
	End      string            `yaml:"end"`
	Duration int               `yaml:"duration"` // hours; 3
	Cutoff   *int              `yaml:"cutoff"`   // hours before the end; 1 or 0
	Disabled bool              `yaml:"disabled"`
	Tags     map[string]string `yaml:"tags"`
	Nodes    []string          `yaml:"nodes"`   // ids of its target
	Targets  map[string]string `yaml:"targets"` // tags of its target
	Owner    string            `yaml:"owner"`   // the OwnerInformation of its target
	// AllowUnassociated lets tasks have targets that are not the window's.
	AllowUnassociated bool                `yaml:"allow_unassociated_targets"`
	Document          string              `yaml:"document"`
	Parameters        map[string][]string `yaml:"parameters"`
	Tasks             []WindowTaskSpec    `yaml:"tasks"`
	// Ran is for how long it has existed and run when the simulator starts: its
	// tasks run then, with the clock put back.
	Ran time.Duration `yaml:"ran"`
}

// WindowTaskSpec is a task of a maintenance window.
type WindowTaskSpec struct {
	Name       string              `yaml:"name"`
	Type       string              `yaml:"type"` // RUN_COMMAND (default), AUTOMATION, LAMBDA, STEP_FUNCTIONS
	Run        string              `yaml:"run"`  // document, or ARN of a function or state machine
	Parameters map[string][]string `yaml:"parameters"`
	Input      string              `yaml:"input"`      // a function's payload, a state machine's input
	Untargeted bool                `yaml:"untargeted"` // runs once, not for the window's target
	Priority   int                 `yaml:"priority"`
	// MaxConcurrency is 10% when absent, and MaxErrors 1.
	MaxConcurrency string `yaml:"max_concurrency"`
	MaxErrors      string `yaml:"max_errors"`
	Cutoff         string `yaml:"cutoff_behavior"` // CONTINUE_TASK (default), CANCEL_TASK
}

// all are the tasks of a window.
func (s WindowSpec) all() []WindowTaskSpec {
	if s.Document == "" {
		return s.Tasks
	}
	return append([]WindowTaskSpec{{
		Type: taskRunCommand, Run: s.Document, Parameters: s.Parameters, Priority: 1, MaxConcurrency: "10%", MaxErrors: "1", Cutoff: "CONTINUE_TASK",
	}}, s.Tasks...)
}

// seedWindow makes a window and returns its id.
func (w *World) seedWindow(t *Tables, s WindowSpec) string {
	id, made := NewHexID("mw-", 17), w.now().Add(-max(seedAge, s.Ran))
	r := Record{
		"WindowId": id, "Name": s.Name, "Schedule": s.Schedule, "Duration": s.Duration, "Cutoff": *s.Cutoff,
		"AllowUnassociatedTargets": s.AllowUnassociated, "Enabled": !s.Disabled, "CreatedDate": made, "ModifiedDate": made,
		tagsMember: maps.Clone(s.Tags), ranMember: s.Ran,
	}
	for name, v := range map[string]string{"ScheduleTimezone": s.Timezone, "StartDate": s.Start, "EndDate": s.End} {
		if v != "" {
			r[name] = v
		}
	}
	if s.Offset > 0 {
		r["ScheduleOffset"] = s.Offset
	}
	SetSchedule(r, made)
	t.Put(KindWindow, id, r)
	var target string
	if targets := seedTargets(s.Nodes, s.Targets); targets != nil {
		target = newUUID()
		r := Record{"WindowId": id, "WindowTargetId": target, "ResourceType": "INSTANCE", "Targets": targets}
		if s.Owner != "" {
			r["OwnerInformation"] = s.Owner
		}
		t.Put(KindWindowTarget, target, r)
	}
	for _, task := range s.all() {
		seedWindowTask(t, id, target, task)
	}
	return id
}

func seedWindowTask(t *Tables, window, target string, s WindowTaskSpec) {
	id := newUUID()
	r := Record{
		"WindowId": window, "WindowTaskId": id, "TaskArn": s.Run, "TaskType": s.Type, "Type": s.Type, "Priority": s.Priority,
		"CutoffBehavior": s.Cutoff, "TaskInvocationParameters": s.invocationParameters(),
	}
	if s.Name != "" {
		r["Name"] = s.Name
	}
	if target != "" && !s.Untargeted {
		r["Targets"] = []any{Record{"Key": "WindowTargetIds", "Values": []any{target}}}
		r["MaxConcurrency"], r["MaxErrors"] = s.MaxConcurrency, s.MaxErrors
	}
	t.Put(KindWindowTask, id, r)
}

func (s WindowTaskSpec) invocationParameters() Record {
	parameters := Record{}
	for name, values := range s.Parameters {
		parameters[name] = anyList(values)
	}
	in := Record{}
	if len(parameters) > 0 {
		in["Parameters"] = parameters
	}
	switch s.Type {
	case taskAutomation:
		return Record{"Automation": in}
	case taskLambda:
		return Record{"Lambda": Record{"Payload": base64.StdEncoding.EncodeToString([]byte(s.Input))}}
	case taskStepFunctions:
		return Record{"StepFunctions": Record{"Input": s.Input}}
	}
	return Record{"RunCommand": in}
}

// longestPast bounds how much a simulator has to do before it starts.
const longestPast = 90 * 24 * time.Hour

// windows checks the maintenance windows.
func (c *checker) windows() {
	for i := range c.sc.Windows {
		s := &c.sc.Windows[i]
		p := func(key string) []any { return at("maintenance_windows", i, key) }
		if s.Duration == 0 {
			s.Duration = 3
		}
		if s.Cutoff == nil {
			s.Cutoff = ptr(min(1, s.Duration-1))
		}
		c.match(p("name"), s.Name, `[a-zA-Z0-9_.-]{3,128}`)
		if s.Duration < 1 || s.Duration > 24 || *s.Cutoff < 0 || *s.Cutoff >= s.Duration {
			c.failf(p("duration"), "duration: 1 to 24 hours, and more than the cutoff of %d", *s.Cutoff)
		}
		if s.Ran < 0 || s.Ran > longestPast {
			c.failf(p("ran"), "ran: %v is not from 0 to %v", s.Ran, longestPast)
		}
		if s.Offset < 0 || s.Offset > 6 || s.Offset > 0 && !strings.HasPrefix(s.Schedule, "cron(") {
			c.failf(p("offset"), "offset: 1 to 6 days, for cron expressions")
		}
		for key, text := range map[string]string{"start": s.Start, "end": s.End} {
			if _, err := ParseISOTime(text); text != "" && err != nil {
				c.failf(p(key), "%s: %q is not an ISO 8601 date and time", key, text)
			}
		}
		start, errStart := ParseISOTime(s.Start)
		end, errEnd := ParseISOTime(s.End)
		if errStart == nil && errEnd == nil && !start.Before(end) {
			c.failf(p("end"), "end: %s is not after the start", s.End)
		}
		if err := CheckWindowSchedule(s.Schedule, s.Timezone); err != nil {
			c.failf(p("schedule"), "schedule: %v", err)
		}
		for j := range s.Tasks {
			c.windowTask(append(p("tasks"), j), &s.Tasks[j], s)
		}
		if s.Document != "" && len(s.Nodes)+len(s.Targets) == 0 {
			c.failf(p("document"), "document: a window with a command needs nodes or targets")
		}
	}
	for i := range c.sc.Functions {
		f := &c.sc.Functions[i]
		if f.Takes == 0 {
			f.Takes = functionTakes
		}
		if f.ARN == "" || f.Takes < 0 {
			c.failf(at("functions", i), "a function needs an arn, and takes some time")
		}
	}
}

func (c *checker) windowTask(path []any, t *WindowTaskSpec, s *WindowSpec) {
	fill(&t.Type, taskRunCommand)
	fill(&t.MaxConcurrency, "10%")
	fill(&t.MaxErrors, "1")
	fill(&t.Cutoff, "CONTINUE_TASK")
	in := func(key string) []any { return append(slices.Clone(path), key) }
	c.oneOf(in("type"), t.Type, taskRunCommand, taskAutomation, taskLambda, taskStepFunctions)
	c.oneOf(in("cutoff_behavior"), t.Cutoff, "CONTINUE_TASK", "CANCEL_TASK")
	c.match(in("max_concurrency"), t.MaxConcurrency, `[1-9][0-9]*%?`)
	c.match(in("max_errors"), t.MaxErrors, `[0-9]+%?`)
	if t.Run == "" || t.Priority < 0 {
		c.failf(path, "a task needs a document or function to run, and a priority of 0 or more")
	}
	if t.Type == taskRunCommand && (t.Untargeted || len(s.Nodes)+len(s.Targets) == 0) {
		c.failf(path, "a task of type RUN_COMMAND needs the target of its window")
	}
}
