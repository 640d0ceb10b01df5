package levels

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// What was cancelled or left out has not failed and has done nothing: it looks the same
// whoever ran it.
func TestCancelledIsAWarningEverywhere(t *testing.T) {
	for what, level := range map[string]theme.Level{
		"run":                   Run(run.Cancelled),
		"run, cancelling":       Run(run.Cancelling),
		"run, skipped":          Run(run.Skipped),
		"run, not sent":         Run(run.NotSent),
		"window":                Window(window.Cancelled),
		"window, cancelling":    Window(window.Cancelling),
		"window, skipped":       Window(window.Skipped),
		"automation":            Automation("Cancelled"),
		"automation, cancelled": Automation("Cancelling"),
	} {
		if level != theme.Warn {
			t.Errorf("%s is level %d", what, level)
		}
	}
}

func TestHowThingsEnd(t *testing.T) {
	for what, levels := range map[string][2]theme.Level{
		"run":               {Run(run.Success), theme.Good},
		"run failed":        {Run(run.Failed), theme.Bad},
		"run timed out":     {Run(run.TimedOut), theme.Bad},
		"run lost":          {Run(run.Lost), theme.Bad},
		"run delayed":       {Run(run.Delayed), theme.Warn},
		"run goes on":       {Run(run.Running), theme.Busy},
		"run waits":         {Run(run.Waiting), theme.Idle},
		"window":            {Window(window.Success), theme.Good},
		"window failed":     {Window(window.Failed), theme.Bad},
		"window timed out":  {Window(window.TimedOut), theme.Bad},
		"window goes on":    {Window(window.InProgress), theme.Busy},
		"window waits":      {Window(window.Pending), theme.Idle},
		"automation":        {Automation(automation.Success), theme.Good},
		"automation failed": {Automation("Failed"), theme.Bad},
		"association":       {Association("Success"), theme.Good},
		"association bad":   {Association("Failed"), theme.Bad},
		"association none":  {Association(""), theme.Unknown},
		"no compliance":     {Compliance(""), theme.Unknown},
		"no such ping":      {Ping("x"), theme.Unknown},
	} {
		if levels[0] != levels[1] {
			t.Errorf("%s is level %d, want %d", what, levels[0], levels[1])
		}
	}
}

// What the services say that is not known here is neither well nor at work.
func TestWhatIsNotKnownLooksLikeThat(t *testing.T) {
	const word = "Hibernating"
	for what, level := range map[string]theme.Level{
		"run":                    Run(run.Strange),
		"a state of run":         Run(word),
		"window":                 Window(word),
		"automation":             Automation(word),
		"session":                Session(word),
		"association":            Association(word),
		"node":                   Ping("hibernating"),
		"compliance":             Compliance(word),
		"patch":                  Patch(word),
		"whether a node is well": PatchStatus(word),
		"finding":                Finding(word),
		"forward":                Forward(word),
	} {
		if level != theme.Unknown {
			t.Errorf("%s is level %d", what, level)
		}
	}
}

// A number has the level of the rows that it counts.
func TestCountsLookLikeTheWorstOfTheirRows(t *testing.T) {
	row := func(s patch.Status, n patch.Numbers) patch.Row { return patch.Row{Status: s, Numbers: n} }
	for _, r := range []patch.Row{
		row(patch.Compliant, patch.Numbers{}),
		row(patch.NeverScanned, patch.Numbers{}),
		row(patch.Unknown, patch.Numbers{}),
		row(patch.NonCompliant, patch.Numbers{Critical: 1, Missing: 1}),
		row(patch.NonCompliant, patch.Numbers{Security: 1, Missing: 1}),
		row(patch.NonCompliant, patch.Numbers{Failed: 1}),
		row(patch.NonCompliant, patch.Numbers{Missing: 1}),
		row(patch.NonCompliant, patch.Numbers{Rejected: 1}),
		row(patch.NonCompliant, patch.Numbers{PendingReboot: 1}),
	} {
		var c patch.Counts
		c.Add(&r)
		if one, all := PatchRow(&r), PatchCounts(&c); one != all {
			t.Errorf("%s is level %d, and a group of it alone %d", r.Word(), one, all)
		}
	}
	if PatchCounts(&patch.Counts{}) != theme.Unknown {
		t.Error("no node at all is not known to be well")
	}
}
