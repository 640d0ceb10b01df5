package patchreport

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Markdown writes the report for a ticket or a wiki: tables of GitHub's flavour.
func (r *Report) Markdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n", md(r.Title))
	fmt.Fprintf(&b, "- Made %s by %s\n- Nodes meant: %s\n", stamp(r.Made), md(r.Program), md(r.Targets))
	for _, p := range r.Places {
		fmt.Fprintf(&b, "- Account %s in %s: %s\n", md(p.Account), md(p.Region), nodes(p.Total.Nodes))
	}
	fmt.Fprintf(&b, "- %s %s\n\n", r.scans(), overwrites)
	if faults := r.faults(); len(faults) > 0 {
		b.WriteString("> **This report is incomplete.** What follows counts only what could be read.\n")
		for _, f := range faults {
			fmt.Fprintf(&b, "> - %s\n", md(f))
		}
		b.WriteByte('\n')
	}
	tiles := r.tiles()
	heads, values := make([]string, len(tiles)), make([]string, len(tiles))
	for i, t := range tiles {
		heads[i], values[i] = t.label, t.value
	}
	mdTable(&b, heads, [][]string{values})
	r.mdSlices(&b, "Patch groups", "Group", "no group", r.Groups)
	r.mdSlices(&b, "Operating systems", "System", "unknown", r.Platforms)
	r.mdSlices(&b, "Age of the scans", "Scan", "", r.Ages)
	r.mdPatches(&b)
	for _, s := range r.sections() {
		fmt.Fprintf(&b, "## %s: %s\n\n", s.title, nodes(len(s.nodes)))
		r.mdNodes(&b, s)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Report) mdSlices(b *bytes.Buffer, title, what, none string, all []patch.Slice) {
	if len(all) == 0 || len(all) == 1 && all[0].Key == "" {
		return
	}
	fmt.Fprintf(b, "## %s\n\n", title)
	var rows [][]string
	for _, s := range all {
		percent := "unknown"
		if p, known := s.Percent(); known {
			percent = percentText(p)
		}
		rows = append(rows, append([]string{cmp.Or(s.Key, none)}, append(numbers(s.Nodes), append([]string{percent},
			append(numbers(s.NonCompliant, s.WithCritical, s.WithFailed, s.WithPendingReboot, s.NeverScanned), stamp(s.Oldest))...)...)...))
	}
	mdTable(b, []string{what, "Nodes", "Compliant", "Non-compliant", "Lack critical", "Failed", "Reboot", "Never scanned", "Oldest scan"}, rows)
}

func (r *Report) mdPatches(b *bytes.Buffer) {
	if r.By == "" {
		return
	}
	fmt.Fprintf(b, "## %s\n\n", r.patchTitle())
	var rows [][]string
	for _, t := range r.Patches {
		row := []string{cmp.Or(t.Key, "none"), t.Title, t.Severity}
		rows = append(rows, append(row, append(numbers(t.Nodes, t.Missing, t.Failed, t.PendingReboot, t.Rejected), stamp(t.Oldest))...))
	}
	mdTable(b, []string{string(r.By), "Title", "Severity", "Nodes", "Missing", "Failed", "Reboot", "Rejected", "Oldest scan"}, rows)
}

func (r *Report) mdNodes(b *bytes.Buffer, s section) {
	scanned := s.status == patch.NonCompliant || s.status == patch.Compliant
	heads := []string{"Node", "Id"}
	if r.several() {
		heads = append(heads, "Account", "Region")
	}
	heads = append(heads, "Group", "System")
	if scanned {
		heads = append(heads, "Critical", "Security", "Missing", "Failed", "Reboot", "Rejected", "Scanned")
	}
	var rows [][]string
	for _, n := range s.nodes {
		row := []string{cmp.Or(n.Name, n.ID), n.ID}
		if r.several() {
			row = append(row, n.Account, n.Region)
		}
		row = append(row, n.Group, n.System)
		if scanned {
			at := stamp(n.Scanned)
			if n.Stale {
				at += " (stale)"
			}
			row = append(row, append(numbers(n.Critical, n.Security, n.Missing, n.Failed, n.PendingReboot, n.Rejected), at)...)
		}
		rows = append(rows, row)
	}
	mdTable(b, heads, rows)
}

func numbers(list ...int) []string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = fmt.Sprint(n)
	}
	return out
}

func mdTable(b *bytes.Buffer, heads []string, rows [][]string) {
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + md(c) + " ")
		}
		b.WriteString("|\n")
	}
	line(heads)
	b.WriteString(strings.Repeat("|---", len(heads)) + "|\n")
	for _, r := range rows {
		line(r)
	}
	b.WriteByte('\n')
}

// mdMarks are the characters that mean something within a line of Markdown; with a
// backslash they do not.
const mdMarks = "\\`*_[]|~"

// md writes a text so that it is text in Markdown, and in HTML made of it.
func md(s string) string {
	var b strings.Builder
	for _, r := range render.Visible(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune(mdMarks, r):
			b.WriteString("\\" + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
