// Package levels says what states of the services mean to the reader, so that the
// command line and the dashboard give a state the same sign and colour. Services know
// nothing of either.
//
// What was cancelled, is being cancelled or was left out has not failed, and has not
// done what it was to do: it is worth a look, whatever service says so.
package levels

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// Automation is the level of an execution or of a step.
func Automation(s automation.State) theme.Level {
	switch {
	case s == "Cancelled", s == "Cancelling", s.Waits():
		return theme.Warn
	case s.Bad():
		return theme.Bad
	case s.Final(), s == "Approved":
		return theme.Good
	case s == "InProgress", s == "RunbookInProgress":
		return theme.Busy
	case !s.Known():
		return theme.Unknown
	}
	return theme.Idle
}

// Check is the level of a check of doctor.
func Check(s doctor.Status) theme.Level {
	switch s {
	case doctor.Pass:
		return theme.Good
	case doctor.Warn:
		return theme.Warn
	case doctor.Fail:
		return theme.Bad
	default:
		return theme.Idle
	}
}

// Forward is the level of a forward.
func Forward(s forwards.State) theme.Level {
	switch s {
	case forwards.Open:
		return theme.Good
	case forwards.Opening, forwards.Reconnecting:
		return theme.Busy
	case forwards.Stalled, forwards.Mute:
		return theme.Warn
	case forwards.Failed:
		return theme.Bad
	case forwards.Idle, forwards.Closed:
		return theme.Idle
	default:
		return theme.Unknown
	}
}

// Session is the level of a session's status, as the service writes it.
func Session(status string) theme.Level {
	switch status {
	case "Connected":
		return theme.Good
	case "Connecting", "Terminating":
		return theme.Busy
	case "Disconnected":
		return theme.Warn
	case "Failed":
		return theme.Bad
	case "Terminated":
		return theme.Idle
	default:
		return theme.Unknown
	}
}

// Run is the level of a run, of a command, and of a command on a node.
func Run(s run.State) theme.Level {
	switch s {
	case run.Success:
		return theme.Good
	case run.Cancelled, run.Cancelling, run.Skipped, run.NotSent, run.Delayed:
		return theme.Warn
	case run.Failed, run.TimedOut, run.Lost:
		return theme.Bad
	case run.Running:
		return theme.Busy
	case run.Waiting, run.Pending:
		return theme.Idle
	default:
		return theme.Unknown
	}
}

// Window is the level of an execution of a maintenance window, of its tasks, and of
// what those have called.
func Window(s window.State) theme.Level {
	switch s {
	case window.Success:
		return theme.Good
	case window.Cancelled, window.Cancelling, window.Skipped:
		return theme.Warn
	case window.Failed, window.TimedOut:
		return theme.Bad
	case window.InProgress:
		return theme.Busy
	case window.Pending:
		return theme.Idle
	default:
		return theme.Unknown
	}
}

// Enabled is the level of what somebody switches on and off.
func Enabled(on bool) theme.Level {
	if on {
		return theme.Good
	}
	return theme.Idle
}

// Finding is the level of what is the matter with maintenance windows.
func Finding(k agenda.Kind) theme.Level {
	switch k {
	case agenda.Uncovered, agenda.Unreadable, agenda.NoNode, agenda.NoTarget, agenda.NoTime, agenda.Unassociated:
		return theme.Bad
	case agenda.Overlapping, agenda.NoTask, agenda.IdleTask, agenda.UnusedTarget:
		return theme.Warn
	case agenda.Ended, agenda.Disabled:
		return theme.Idle
	default:
		return theme.Unknown
	}
}

// Ping is the level of whether a node can be reached.
func Ping(ping string) theme.Level {
	switch ping {
	case fleet.Online:
		return theme.Good
	case fleet.Lost:
		return theme.Bad
	case fleet.Inactive:
		return theme.Idle
	default:
		return theme.Unknown
	}
}

// Association is the level of the associations of a node as its agent reports them.
func Association(status string) theme.Level {
	switch strings.ToLower(status) {
	case "success":
		return theme.Good
	case "failed", "timedout":
		return theme.Bad
	case "pending", "inprogress", "associated":
		return theme.Busy
	case "skipped":
		return theme.Idle
	default:
		return theme.Unknown
	}
}

// Compliance is the level of an item or a node that complies or does not.
func Compliance(status string) theme.Level {
	switch status {
	case compliance.Compliant:
		return theme.Good
	case compliance.NonCompliant:
		return theme.Bad
	default:
		return theme.Unknown
	}
}
