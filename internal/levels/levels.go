// Package levels says what states of the services mean to the reader, so that the
// command line and the dashboard give a state the same sign and colour. Services know
// nothing of either.
package levels

import (
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Automation is the level of an execution or of a step.
func Automation(s automation.State) theme.Level {
	switch {
	case s.Bad():
		return theme.Bad
	case s.Final(), s == "Approved":
		return theme.Good
	case s.Waits(), s == "Cancelling":
		return theme.Warn
	case s == "InProgress", s == "RunbookInProgress":
		return theme.Busy
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

// Forward is the level of a forward that runs; Idle for any other state.
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
	default:
		return theme.Idle
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
	default:
		return theme.Idle
	}
}
