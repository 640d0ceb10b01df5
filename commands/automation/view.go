package automation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// automationProgress shows an automation while it runs: a line for each step that
// changes its state, on standard error; with -o jsonl an object for each change, on
// standard output.
type automationProgress struct {
	env      *cli.Env
	ro       render.Options
	progress *render.Progress
	id       string
	steps    map[string]automation.Step // by id
	err      error                      // of standard output: what follows is not written
}

func (v *automationProgress) event(ev automation.Event) {
	if v.ro.Format == render.FormatJSONL && v.err == nil {
		line, err := json.Marshal(ev)
		if err == nil {
			_, err = fmt.Fprintf(v.env.Out, "%s\n", line)
		}
		v.err = err
	}
	switch {
	case ev.Step != nil:
		v.steps[ev.Step.ID] = *ev.Step
		v.say(v.stepLine(*ev.Step), "step "+ev.Step.Name+": "+stepWords(*ev.Step), ev)
		v.status("step " + ev.Step.Name + " " + string(ev.Step.State))
	case ev.Execution != nil:
		e := ev.Execution
		text := "automation " + e.ID + ": " + string(e.State)
		if c := e.Counts; c != nil {
			text += fmt.Sprintf(" (%d of %d targets well, %d failed)", c.Success, c.Total, c.Failed)
		}
		if !e.State.Known() {
			text += ", which ssmdeck does not know: its end is waited for"
		}
		if e.State.Waits() {
			text += fmt.Sprintf(", for a decision: `ssmdeck automation approve %s` or `reject`", e.ID)
		}
		styled := v.env.ErrStyles().Status(levels.Automation(e.State), string(e.State)) + strings.TrimPrefix(cli.VisibleLine(text), "automation "+e.ID+": "+string(e.State))
		v.say(styled, text, ev)
		v.status("automation " + string(e.State))
	}
}

// say shows one change: above the bar on a terminal, as an event elsewhere.
func (v *automationProgress) say(styled, text string, fields any) {
	mode, _ := render.ParseProgressMode(v.env.Flags.Progress)
	onTerminal := cli.IsTerminal(v.env.Err) && slices.Contains([]render.ProgressMode{render.ProgressAuto, render.ProgressBar}, mode)
	if onTerminal && !v.env.Flags.Quiet {
		v.progress.Println(styled)
		return
	}
	v.progress.Event(text, fields)
}

func (v *automationProgress) status(note string) {
	done := 0
	for _, s := range v.steps {
		if s.State.Final() {
			done++
		}
	}
	v.progress.Set(render.Status{Label: "automation " + v.id, Done: int64(done), Note: render.Visible(note)})
}

func (v *automationProgress) stepLine(s automation.Step) string {
	words := strings.TrimPrefix(stepWords(s), string(s.State))
	return v.env.ErrStyles().Status(levels.Automation(s.State), render.Visible(string(s.State))) + "  " + render.Visible(s.Name) + cli.VisibleLine(words)
}
