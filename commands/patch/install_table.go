package patch

import (
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/rolling"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// installRow is one node of an installation.
type installRow struct {
	Status string `json:"status"` // waiting, begun, ok, failed, offline
	ID     string `json:"id"`
	Name   string `json:"name"`
	Wave   int    `json:"wave,omitempty"`
	// What the node reported afterwards; absent when it did not.
	Installed     *int      `json:"installed,omitempty"` // that were missing or had failed before, and are not any more
	Failed        *int      `json:"failed,omitempty"`
	Missing       *int      `json:"missing,omitempty"`
	PendingReboot *int      `json:"pending_reboot,omitempty"`
	Reported      time.Time `json:"reported,omitzero"`

	Rebooted      *bool     `json:"rebooted,omitempty"` // absent: not known
	Started       time.Time `json:"started,omitzero"`
	Ended         time.Time `json:"ended,omitzero"`
	Seconds       float64   `json:"seconds,omitempty"`
	CommandID     string    `json:"command_id,omitempty"`
	ExitCode      *int      `json:"exit_code,omitempty"`
	Reason        string    `json:"reason,omitempty"`
	FailedPatches []string  `json:"failed_patches,omitempty"`
	Words         []string  `json:"words,omitempty"` // of the node's own output
}

func installRows(st *patching.State) []installRow {
	var rows []installRow
	for id, r := range rolling.Nodes(st.Waves) {
		row := installRow{Status: string(r.Status), ID: id, Name: st.Nodes[id].Name, Wave: r.Wave, Reason: r.Detail}
		rows = append(rows, row.with(st.Nodes[id]))
	}
	for _, id := range st.Offline {
		rows = append(rows, installRow{Status: "offline", ID: id, Name: st.Nodes[id].Name})
	}
	return rows
}

func (row installRow) with(n *patching.Node) installRow {
	r := n.Result
	if r == nil {
		return row
	}
	row.CommandID, row.Rebooted, row.FailedPatches, row.Words = r.CommandID, r.Rebooted, r.FailedPatches, r.Words
	if r.ExitCode != run.NoExit {
		row.ExitCode = &r.ExitCode
	}
	if r.Started != nil {
		row.Started = *r.Started
	}
	if r.Ended != nil {
		row.Ended = *r.Ended
	}
	row.Seconds = r.Took().Seconds()
	a := r.After
	if a == nil {
		return row
	}
	row.Failed, row.Missing, row.PendingReboot, row.Reported = &a.Failed, &a.Missing, &a.PendingReboot, a.At
	if b := n.Before; b != nil {
		done := max(0, b.Missing+b.Failed-a.Missing-a.Failed)
		row.Installed = &done
	}
	return row
}

func installTable(o render.Options) render.Table[installRow] {
	// How many wait for a reboot; to people also that one was made.
	reboot := countColumn(o, "REBOOT", levels.PendingReboot, func(r installRow) *int { return r.PendingReboot })
	count := reboot.Human
	reboot.Human = func(r installRow) string {
		switch {
		case r.PendingReboot != nil && *r.PendingReboot > 0:
			return o.Styles.Level(theme.Warn).Render(strconv.Itoa(*r.PendingReboot) + " wait")
		case r.Rebooted != nil && *r.Rebooted:
			return "done"
		}
		return count(r)
	}
	return render.Table[installRow]{
		ID: func(r installRow) string { return r.ID },
		Columns: []render.Column[installRow]{
			{
				Name: "STATUS", Text: func(r installRow) string { return r.Status },
				Human: func(r installRow) string { return o.Styles.Status(rolling.Levels()[r.Status], r.Status) },
			},
			{Name: "WAVE", Right: true, Text: func(r installRow) string { return rolling.Word(r.Wave) }},
			{Name: "NODE ID", ID: true, Text: func(r installRow) string { return r.ID }},
			{Name: "NAME", Text: func(r installRow) string { return r.Name }},
			countColumn(o, "NEW", theme.Good, func(r installRow) *int { return r.Installed }),
			countColumn(o, "FAILED", levels.FailedPatch, func(r installRow) *int { return r.Failed }),
			countColumn(o, "MISSING", levels.Missing, func(r installRow) *int { return r.Missing }),
			reboot,
			{Name: "REASON", Text: func(r installRow) string { return withWords(r.Reason, r.Words) }},
			{Name: "REBOOTED", Wide: true, Text: func(r installRow) string {
				switch {
				case r.Rebooted == nil:
					return ""
				case *r.Rebooted:
					return "yes"
				}
				return "no"
			}},
			{
				Name: "TOOK", Wide: true, Right: true, Text: func(r installRow) string { return durationWord(time.Duration(r.Seconds * float64(time.Second))) },
				Less: func(a, b installRow) bool { return a.Seconds < b.Seconds },
			},
			{Name: "COMMAND", Wide: true, ID: true, Text: func(r installRow) string { return r.CommandID }},
		},
	}
}

// planTable is what --dry-run shows.
func planTable(o render.Options) render.Table[patching.Planned] {
	status := map[string]theme.Level{
		patching.ToInstall: theme.Busy, patching.Nothing: theme.Good, patching.NeverScanned: theme.Warn, patching.IsOffline: theme.Warn,
	}
	number := func(name string, level theme.Level, of func(patching.Planned) int) render.Column[patching.Planned] {
		return cli.NumberColumn(o, name, level, func(r patching.Planned) bool { return r.Known }, of)
	}
	patches := func(r patching.Planned, most int) string {
		var ids []string
		for _, p := range r.Patches {
			ids = append(ids, p.ID)
		}
		return cli.SomeOf(ids, most)
	}
	reboot := func(r patching.Planned) string {
		if r.Why == "" {
			return string(r.Reboot)
		}
		return string(r.Reboot) + ": " + r.Why
	}
	return render.Table[patching.Planned]{
		ID: func(r patching.Planned) string { return r.ID },
		Columns: []render.Column[patching.Planned]{
			{
				Name: "STATUS", Text: func(r patching.Planned) string { return r.Status },
				Human: func(r patching.Planned) string {
					return o.Styles.Status(status[r.Status], strings.ReplaceAll(r.Status, "_", " "))
				},
			},
			{Name: "WAVE", Right: true, Text: func(r patching.Planned) string { return rolling.Word(r.Wave) }},
			{Name: "NODE ID", ID: true, Text: func(r patching.Planned) string { return r.ID }},
			{Name: "NAME", Text: func(r patching.Planned) string { return r.Name }},
			{Name: "SYSTEM", Wide: true, Text: func(r patching.Planned) string { return r.System }},
			number("MISSING", levels.Missing, func(r patching.Planned) int { return r.Missing }),
			number("FAILED", levels.FailedPatch, func(r patching.Planned) int { return r.Failed }),
			number("PENDING", levels.PendingReboot, func(r patching.Planned) int { return r.PendingReboot }),
			{
				Name: "REBOOT", Text: func(r patching.Planned) string { return string(r.Reboot) },
				Human: func(r patching.Planned) string { return render.Visible(reboot(r)) },
			},
			scanColumn(o, "SCANNED", func(r patching.Planned) (time.Time, bool) { return r.Scanned, o.Now.Sub(r.Scanned) > patch.StaleAfter }),
			{Name: "BASELINE", Wide: true, ID: true, Text: func(r patching.Planned) string { return r.Baseline }},
			{Name: "GROUP", Wide: true, Text: func(r patching.Planned) string { return r.Group }},
			{
				Name: "PATCHES", Text: func(r patching.Planned) string { return patches(r, len(r.Patches)) },
				Human: func(r patching.Planned) string { return render.Visible(patches(r, 3)) },
			},
		},
	}
}
