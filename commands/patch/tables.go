package patch

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// rowTable is one line for each node.
func rowTable(o render.Options) render.Table[patch.Row] {
	known := func(r patch.Row) bool { return r.Status == patch.Compliant || r.Status == patch.NonCompliant }
	n := func(name string, wide bool, level theme.Level, of func(patch.Row) int) render.Column[patch.Row] {
		c := cli.NumberColumn(o, name, level, known, of)
		c.Wide = wide
		return c
	}
	return render.Table[patch.Row]{
		ID:    func(r patch.Row) string { return r.ID },
		Empty: "no managed nodes match",
		Columns: []render.Column[patch.Row]{
			{
				Name: "STATUS", Text: func(r patch.Row) string { return string(r.Status) },
				Human: func(r patch.Row) string { return o.Styles.Status(levels.PatchRow(&r), r.Word()) },
			},
			{Name: "NODE ID", ID: true, Text: func(r patch.Row) string { return r.ID }},
			{Name: "NAME", Text: func(r patch.Row) string { return r.Name }},
			n("CRIT", false, levels.Critical, func(r patch.Row) int { return r.Critical }),
			n("SEC", false, levels.Security, func(r patch.Row) int { return r.Security }),
			n("MISSING", false, levels.Missing, func(r patch.Row) int { return r.Missing }),
			n("FAILED", false, levels.FailedPatch, func(r patch.Row) int { return r.Failed }),
			n("REBOOT", false, levels.PendingReboot, func(r patch.Row) int { return r.PendingReboot }),
			scanColumn(o, "SCANNED", func(r patch.Row) (time.Time, bool) { return r.Scanned, r.Stale }),
			{Name: "GROUP", Wide: true, Text: func(r patch.Row) string { return r.Group }},
			n("OTHER", true, levels.OtherPatch, func(r patch.Row) int { return r.Other }),
			n("REJECTED", true, levels.Rejected, func(r patch.Row) int { return r.Rejected }),
			n("INSTALLED", true, theme.Unknown, func(r patch.Row) int { return r.Installed }),
			n("INSTALLED OTHER", true, theme.Unknown, func(r patch.Row) int { return r.InstalledOther }),
			n("NOT APPLICABLE", true, theme.Unknown, func(r patch.Row) int { return r.NotApplicable }),
			n("AVAILABLE", true, theme.Unknown, func(r patch.Row) int { return r.Available }),
			{Name: "OPERATION", Wide: true, Text: func(r patch.Row) string { return r.Operation }},
			{
				Name: "BASELINE", Wide: true, ID: true, Text: func(r patch.Row) string { return r.Baseline },
				Human: func(r patch.Row) string { return render.Visible(baseline.ShortID(r.Baseline)) },
			},
			{Name: "SYSTEM", Wide: true, Text: func(r patch.Row) string { return r.System }},
			{Name: "PING", Wide: true, Text: func(r patch.Row) string { return r.Ping }},
		},
	}
}

// shortTitle is the title of a patch beside its id: of a package its version.
func shortTitle(id, title string) string {
	return strings.TrimPrefix(strings.TrimPrefix(title, id+":"), "0:")
}

// scanColumn is when a node was scanned.
func scanColumn[T any](o render.Options, name string, at func(T) (t time.Time, stale bool)) render.Column[T] {
	return render.Column[T]{
		Name: name,
		Text: func(v T) string { t, _ := at(v); return render.Timestamp(t) },
		Human: func(v T) string {
			t, stale := at(v)
			switch {
			case t.IsZero():
				return o.Styles.Dim.Render("never")
			case stale:
				return o.Styles.Level(theme.Warn).Render(render.Ago(o.Now, t))
			}
			return render.Ago(o.Now, t)
		},
		Less: func(a, b T) bool { x, _ := at(a); y, _ := at(b); return x.Before(y) },
	}
}

// spanColumns are when the oldest and the newest of several scans were. On a terminal
// they are one.
func spanColumns[T any](o render.Options, span func(T) (oldest, newest time.Time)) []render.Column[T] {
	scanned := render.Column[T]{
		Name: "SCANNED",
		Text: func(v T) string { from, _ := span(v); return render.Timestamp(from) },
		Human: func(v T) string {
			from, to := span(v)
			if from.IsZero() {
				return o.Styles.Dim.Render("never")
			}
			return ages(o.Now, from, to)
		},
		Less: func(a, b T) bool { x, _ := span(a); y, _ := span(b); return x.Before(y) },
	}
	newest := scanColumn(o, "NEWEST SCAN", func(v T) (time.Time, bool) { _, to := span(v); return to, false })
	newest.Wide = true
	return []render.Column[T]{scanned, newest}
}

// keyColumn is what rows are put together by.
func keyColumn[T any](o render.Options, by patch.Dimension, key func(T) string) render.Column[T] {
	return render.Column[T]{
		Name: strings.ToUpper(string(by)), ID: by == patch.ByBaseline, Text: key,
		Human: func(v T) string {
			if k := key(v); by == patch.ByBaseline {
				return render.Visible(baseline.ShortID(k))
			} else if k != "" {
				return render.Visible(k)
			}
			return o.Styles.Dim.Render("(none)")
		},
	}
}

// sliceTable is one line for each group, baseline, platform or age.
func sliceTable(o render.Options, by patch.Dimension) render.Table[patch.Slice] {
	n := func(name string, level theme.Level, of func(patch.Slice) int) render.Column[patch.Slice] {
		return cli.NumberColumn(o, name, level, nil, of)
	}
	wide := func(c render.Column[patch.Slice]) render.Column[patch.Slice] { c.Wide = true; return c }
	percent := func(s patch.Slice) string {
		if p, known := s.Percent(); known {
			return fmt.Sprintf("%.1f%%", p)
		}
		return ""
	}
	cols := []render.Column[patch.Slice]{
		keyColumn(o, by, func(s patch.Slice) string { return s.Key }),
		n("NODES", theme.Unknown, func(s patch.Slice) int { return s.Nodes }),
		{Name: "COMPLIANT", Right: true, Text: percent, Human: func(s patch.Slice) string {
			return cmp.Or(percent(s), o.Styles.Dim.Render("-"))
		}, Less: func(a, b patch.Slice) bool { x, _ := a.Percent(); y, _ := b.Percent(); return x < y }},
		n("NONCOMPLIANT", levels.NonCompliant, func(s patch.Slice) int { return s.NonCompliant }),
		n("CRIT", levels.Critical, func(s patch.Slice) int { return s.WithCritical }),
		n("SEC", levels.Security, func(s patch.Slice) int { return s.WithSecurity }),
		n("REBOOT", levels.PendingReboot, func(s patch.Slice) int { return s.WithPendingReboot }),
		n("NEVER", levels.NeverScanned, func(s patch.Slice) int { return s.NeverScanned }),
		wide(n("UNKNOWN", levels.Unread, func(s patch.Slice) int { return s.Unknown })),
		wide(n("STALE", levels.Stale, func(s patch.Slice) int { return s.Stale })),
		wide(n("FAILED", levels.FailedPatch, func(s patch.Slice) int { return s.WithFailed })),
		wide(n("MISSING PATCHES", levels.Missing, func(s patch.Slice) int { return s.Patches.Missing })),
		wide(n("FAILED PATCHES", levels.FailedPatch, func(s patch.Slice) int { return s.Patches.Failed })),
	}
	cols = append(cols, spanColumns(o, func(s patch.Slice) (time.Time, time.Time) { return s.Oldest, s.Newest })...)
	return render.Table[patch.Slice]{ID: func(s patch.Slice) string { return s.Key }, Empty: "no managed nodes match", Columns: cols}
}

// levelTable is one line for each level of the baselines.
func levelTable(o render.Options) render.Table[patch.Level] {
	cols := []render.Column[patch.Level]{
		{Name: "LEVEL", Text: func(l patch.Level) string { return l.Level }},
		cli.NumberColumn(o, "NODES", theme.Bad, nil, func(l patch.Level) int { return l.Nodes }),
		cli.NumberColumn(o, "PATCHES", theme.Bad, nil, func(l patch.Level) int { return l.Patches }),
	}
	cols = append(cols, spanColumns(o, func(l patch.Level) (time.Time, time.Time) { return l.Oldest, l.Newest })...)
	return render.Table[patch.Level]{ID: func(l patch.Level) string { return l.Level }, Columns: cols}
}

// tallyTable is one line for each patch, CVE, severity, or whatever patches are put
// together by.
func tallyTable(o render.Options, by patch.Dimension) render.Table[patch.Tally] {
	known := func(t patch.Tally) bool { return t.Status != patch.NeverScanned && t.Status != patch.Unknown }
	n := func(name string, level theme.Level, of func(patch.Tally) int) render.Column[patch.Tally] {
		return cli.NumberColumn(o, name, level, known, of)
	}
	text := func(name string, of func(patch.Tally) string) render.Column[patch.Tally] {
		return render.Column[patch.Tally]{Name: name, Text: of}
	}
	key := keyColumn(o, by, func(t patch.Tally) string { return t.Key })
	var cols []render.Column[patch.Tally]
	switch by {
	case patch.ByNode:
		key.Name, key.ID = "NODE ID", true
		status := text("STATUS", func(t patch.Tally) string { return string(t.Status) })
		status.Human = func(t patch.Tally) string { return o.Styles.Status(levels.PatchStatus(t.Status), string(t.Status)) }
		cols = append(cols, status, key, text("NAME", func(t patch.Tally) string { return t.Name }))
	case patch.ByPatch:
		class := text("CLASSIFICATION", func(t patch.Tally) string { return t.Classification })
		class.Wide = true
		cols = append(cols, key, text("SEVERITY", func(t patch.Tally) string { return t.Severity }), class)
	case patch.ByCVE:
		cols = append(cols, key, text("SEVERITY", func(t patch.Tally) string { return t.Severity }))
	default:
		cols = append(cols, key)
	}
	if by != patch.ByNode {
		cols = append(cols, n("NODES", theme.Unknown, func(t patch.Tally) int { return t.Nodes }))
	}
	if by != patch.ByPatch {
		cols = append(cols, n("PATCHES", theme.Unknown, func(t patch.Tally) int { return t.Patches }))
	}
	cols = append(cols,
		n("MISSING", levels.Missing, func(t patch.Tally) int { return t.Missing }),
		n("FAILED", levels.FailedPatch, func(t patch.Tally) int { return t.Failed }),
		n("REBOOT", levels.PendingReboot, func(t patch.Tally) int { return t.PendingReboot }),
	)
	rejected := n("REJECTED", levels.Rejected, func(t patch.Tally) int { return t.Rejected })
	rejected.Wide = true
	cols = append(cols, rejected)
	cols = append(cols, spanColumns(o, func(t patch.Tally) (time.Time, time.Time) { return t.Oldest, t.Newest })...)
	if by == patch.ByPatch {
		title := text("TITLE", func(t patch.Tally) string { return t.Title })
		title.Human = func(t patch.Tally) string { return render.Visible(shortTitle(t.Key, t.Title)) }
		cols = append(cols, title)
		cves := text("CVES", func(t patch.Tally) string { return strings.Join(t.CVEs, ",") })
		cves.Wide = true
		cols = append(cols, cves)
	}
	return render.Table[patch.Tally]{ID: func(t patch.Tally) string { return t.Key }, Empty: "no patch is missing, failed, rejected or waits for a reboot", Columns: cols}
}
