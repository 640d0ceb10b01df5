package pagefleet

import (
	"fmt"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// problem is something of a node that wants somebody, and what to do about it.
type problem struct {
	level theme.Level
	text  string
	do    string // a key and what it does; may be empty
}

// problems are what is wrong with a node, the worst first. newest is the agent that
// others of its platform have.
func (r *row) problems(now time.Time, newest string) []problem {
	var out []problem
	add := func(level theme.Level, text, do string) { out = append(out, problem{level, text, do}) }
	switch {
	case !r.managed:
		add(theme.Warn, "it runs, and no agent of it has registered", "d says why")
	case r.n.Offline() && r.n.Stopped():
		add(theme.Idle, "the instance is "+r.n.State, "")
	case r.n.Ping == fleet.Lost:
		add(theme.Bad, "the agent does not call: "+r.heard(now), "d says why")
	case r.n.StrangePing():
		add(theme.Unknown, fmt.Sprintf("whether it can be reached is not known: AWS says %q, %s", render.Visible(r.n.Ping), r.heard(now)), "d says why")
	case r.n.Offline():
		add(theme.Idle, "not in use any more: "+r.heard(now), "d says why")
	}
	out = append(out, r.patchProblems()...)
	if word, level := r.association(); level == theme.Bad {
		add(theme.Bad, "an association has "+word, "")
	}
	if r.behind {
		text := "the agent " + r.n.AgentVersion + " is not the newest"
		if newest != "" && newest != r.n.AgentVersion {
			text = fmt.Sprintf("the agent %s is behind %s", r.n.AgentVersion, newest)
		}
		add(theme.Warn, text, "U updates")
	}
	return out
}

func (r *row) patchProblems() []problem {
	pa := r.patch
	if !r.patched || pa == nil || r.sealed {
		return nil
	}
	var out []problem
	if pa.Critical > 0 {
		out = append(out, problem{theme.Bad, widget.Count(pa.Critical, "critical patch") + " not as it should be", "P installs"})
	}
	if pa.Failed > 0 {
		out = append(out, problem{theme.Bad, widget.Count(pa.Failed, "patch") + " could not be installed", ""})
	}
	if pa.PendingReboot > 0 {
		out = append(out, problem{theme.Warn, widget.Count(pa.PendingReboot, "patch") + " in effect after a reboot only", "P reboots where needed"})
	}
	return out
}

// said is an error as it is shown in a pane: what failed and why, and what to do.
func said(err error) (text, hint string) {
	return render.Visible(oneLine(err.Error())), render.Visible(fault.HintOf(err))
}
