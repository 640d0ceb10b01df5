package patch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// scanView shows a scan.
type scanView struct {
	board    run.Board
	states   map[string]*fleet.PatchState
	names    map[string]string
	progress *render.Progress
}

func (v *scanView) event(e run.Event) {
	v.board.Apply(e)
	switch e.Kind {
	case run.Planned:
		for _, n := range e.Plan.Nodes {
			v.names[n.ID] = n.Name
		}
		if e.Plan.Note != "" {
			v.progress.Println("ssmdeck: " + e.Plan.Note)
		}
	case run.Changed:
		if i := e.Invocation; i.State.Bad() {
			v.progress.Event(runview.NodeLabel(v.names[i.NodeID], i.NodeID)+" "+render.Visible(runview.StateWords(*i)), i)
		}
	case run.Noticed:
		if n := e.Notice; n.Kind != run.Throttled && n.Kind != run.Retrying && n.Kind != run.Shortened {
			v.progress.Println("ssmdeck: " + render.Visible(n.Text))
		}
	case run.WasSent, run.Progressed, run.Printed, run.Logged, run.Done:
	}
	v.show()
}

// seen takes what a node found.
func (v *scanView) seen(id string, s *fleet.PatchState) {
	v.states[id] = s
	v.progress.Event(fmt.Sprintf("%s %s", runview.NodeLabel(v.names[id], id), counts(s)), scanRow{ID: id, Name: v.names[id]}.with(s))
	v.show()
}

// counts says what a node lacks: "12 missing, 1 failed, 2 pending reboot".
func counts(s *fleet.PatchState) string {
	var words []string
	for _, c := range []struct {
		n    int
		what string
	}{{s.Missing, "missing"}, {s.Failed, "failed"}, {s.PendingReboot, "pending reboot"}, {s.Rejected, "rejected"}} {
		if c.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return cmp.Or(strings.Join(words, ", "), "nothing missing")
}

func (v *scanView) show() {
	var sum fleet.PatchState
	lacking := 0
	for _, s := range v.states {
		sum.Missing += s.Missing
		sum.Failed += s.Failed
		sum.PendingReboot += s.PendingReboot
		if s.NonCompliant() > 0 {
			lacking++
		}
	}
	note := ""
	if len(v.states) > 0 {
		note = fmt.Sprintf("%s lacking something: %s", cli.Plural(lacking, "node"), counts(&sum))
	}
	if n := v.board.Failures(); n > 0 {
		note = strings.TrimPrefix(note+fmt.Sprintf(" · %d failed", n), " · ")
	}
	v.progress.Set(render.Status{Label: "scan", Done: int64(v.board.Finished()), Total: int64(v.board.Total()), Note: note})
}

// err is how the scan ended, as an error.
func (v *scanView) err() error {
	var e *fault.Error
	if err := v.board.Err(); !errors.As(err, &e) {
		return err
	}
	out := *e
	out.Op = "scan for patches"
	if out.Kind == fault.RemoteFailed && out.Hint == "" {
		out.Hint = fmt.Sprintf("`ssmdeck run show %s` has all that the nodes printed", v.board.Ref())
	}
	return &out
}

// scanRow is one node of a scan.
type scanRow struct {
	Status        string        `json:"status"` // ok, unreported, failed, timed_out, cancelled, skipped, not_sent, running, …
	ID            string        `json:"id"`
	Name          string        `json:"name"`
	Critical      *int          `json:"critical,omitempty"` // these are absent when nothing was reported
	Security      *int          `json:"security,omitempty"`
	Missing       *int          `json:"missing,omitempty"`
	Failed        *int          `json:"failed,omitempty"`
	PendingReboot *int          `json:"pending_reboot,omitempty"`
	Installed     *int          `json:"installed,omitempty"`
	Scanned       time.Time     `json:"scanned,omitzero"`
	Baseline      string        `json:"baseline,omitempty"`
	Group         string        `json:"group,omitempty"`
	CommandID     string        `json:"command_id,omitempty"`
	Seconds       float64       `json:"seconds,omitempty"` // that it took on the node
	Reason        string        `json:"reason,omitempty"`  // why it did not succeed
	Words         []string      `json:"words,omitempty"`   // of the node itself, when it did not
	took          time.Duration // Seconds
}

// unreported is the state of a node whose scan succeeded and left no result.
const unreported = "unreported"

func (r scanRow) with(s *fleet.PatchState) scanRow {
	if s == nil {
		return r
	}
	r.Critical, r.Security, r.Missing, r.Failed = &s.Critical, &s.Security, &s.Missing, &s.Failed
	r.PendingReboot, r.Installed = &s.PendingReboot, &s.Installed
	r.Scanned, r.Baseline, r.Group = s.Ended, s.Baseline, s.Group
	return r
}

// rows are the nodes, the worst first: those on which the scan did not succeed, then
// by how many patches they lack, critical ones first.
func (v *scanView) rows() []scanRow {
	var rows []scanRow
	for row := range v.board.Rows() {
		s := v.states[row.NodeID]
		r := scanRow{Status: string(row.State), ID: row.NodeID, Name: cmp.Or(v.names[row.NodeID], row.NodeName), CommandID: row.CommandID}
		switch {
		case row.State == run.Success && s == nil && v.board.Done():
			r.Status, r.Reason = unreported, "it succeeded, and the node reported no patch state"
		case row.State.Bad():
			r.Reason = runview.StateWords(row.Invocation)
			r.Words = patching.Words(row.Stdout, row.Stderr)
		}
		if row.Started != nil && row.Ended != nil {
			r.took = row.Ended.Sub(*row.Started)
			r.Seconds = r.took.Seconds()
		}
		rows = append(rows, r.with(s))
	}
	slices.SortStableFunc(rows, func(a, b scanRow) int {
		number := func(n *int) int {
			if n == nil {
				return -1
			}
			return *n
		}
		return cmp.Or(
			cmp.Compare(trouble(b.Status), trouble(a.Status)),
			number(b.Critical)-number(a.Critical), number(b.Security)-number(a.Security), number(b.Failed)-number(a.Failed),
			number(b.Missing)-number(a.Missing), number(b.PendingReboot)-number(a.PendingReboot),
			render.NaturalCompare(a.Name, b.Name), strings.Compare(a.ID, b.ID),
		)
	})
	return rows
}

// trouble orders the states of a scan: those without a result first.
func trouble(status string) int {
	switch status {
	case string(run.Success):
		return 0
	case unreported:
		return 1
	}
	if run.State(status).Bad() {
		return 2
	}
	return 1
}

func scanTable(o render.Options) render.Table[scanRow] {
	number := func(name string, level theme.Level, of func(scanRow) *int) render.Column[scanRow] {
		return countColumn(o, name, level, of)
	}
	installed := number("INSTALLED", theme.Unknown, func(r scanRow) *int { return r.Installed })
	scanned := scanColumn(o, "SCANNED", func(r scanRow) (time.Time, bool) { return r.Scanned, false })
	installed.Wide, scanned.Wide = true, true
	return render.Table[scanRow]{
		ID: func(r scanRow) string { return r.ID },
		Columns: []render.Column[scanRow]{
			{
				Name: "STATUS", Text: func(r scanRow) string { return r.Status },
				Human: func(r scanRow) string {
					level := levels.Run(run.State(r.Status))
					if r.Status == unreported {
						level = levels.Run(run.Failed)
					}
					return o.Styles.Status(level, r.Status)
				},
			},
			{Name: "NODE ID", ID: true, Text: func(r scanRow) string { return r.ID }},
			{Name: "NAME", Text: func(r scanRow) string { return r.Name }},
			number("CRIT", levels.Critical, func(r scanRow) *int { return r.Critical }),
			number("SEC", levels.Security, func(r scanRow) *int { return r.Security }),
			number("MISSING", levels.Missing, func(r scanRow) *int { return r.Missing }),
			number("FAILED", levels.FailedPatch, func(r scanRow) *int { return r.Failed }),
			number("REBOOT", levels.PendingReboot, func(r scanRow) *int { return r.PendingReboot }),
			{Name: "REASON", Text: func(r scanRow) string { return withWords(r.Reason, r.Words) }},
			installed,
			scanned,
			{Name: "BASELINE", Wide: true, ID: true, Text: func(r scanRow) string { return r.Baseline }},
			{Name: "GROUP", Wide: true, Text: func(r scanRow) string { return r.Group }},
			{Name: "TOOK", Wide: true, Text: func(r scanRow) string { return durationWord(r.took) }},
		},
	}
}

// countColumn is a count that may not be known, with a level where it is not 0.
func countColumn[T any](o render.Options, name string, level theme.Level, of func(T) *int) render.Column[T] {
	value := func(v T) int {
		if n := of(v); n != nil {
			return *n
		}
		return -1
	}
	return cli.NumberColumn(o, name, level, func(v T) bool { return of(v) != nil }, value)
}

// withWords is a reason with the first of a node's own words.
func withWords(reason string, words []string) string {
	if len(words) == 0 {
		return reason
	}
	return strings.TrimPrefix(reason+": "+logPrefix().ReplaceAllString(words[0], ""), ": ")
}

// logPrefix is what the document's scripts begin their lines with on Linux:
// "11/26/2026 19:02:20 root [ERROR]: ".
var logPrefix = pattern.Lazy(`^\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2} \S+ \[[A-Z]+\]: `)

// durationWord is a time that something took; none is not shown.
func durationWord(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return render.Duration(d)
}
