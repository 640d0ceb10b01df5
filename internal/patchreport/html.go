package patchreport

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"strings"

	h "github.com/ssmdeck/ssmdeck/internal/htmlpage"
	"github.com/ssmdeck/ssmdeck/internal/patch"
)

//go:embed report.css
var css string

// HTML writes the report as a page that needs nothing but itself.
func (r *Report) HTML(w io.Writer) error {
	main := h.El("main",
		r.head(), r.warning(), r.numbers(), r.trend(),
		r.slices("Patch groups", "Patch group", "no group", r.Groups, "A node belongs to the patch group that its last scan used; one that was never scanned to that of its tag."),
		h.El("div", h.Class("pair"), r.levels(), r.ages()),
		r.slices("Operating systems", "System", "unknown", r.Platforms, ""),
		r.slices("Patch baselines", "Baseline of the last scan", "none", baselineNames(r.Baselines), ""),
		r.patches(), r.nodeTables(), r.foot(),
	)
	return h.Page{Title: r.Title, CSS: css, Body: []h.Part{main}}.Write(w)
}

func (r *Report) head() h.Part {
	facts := h.El("dl")
	fact := func(name string, value ...h.Part) {
		facts.Append(h.El("div", h.El("dt", h.Text(name)), h.El("dd", value...)))
	}
	fact("Made", h.Text(stamp(r.Made)))
	fact("Nodes meant", h.El("code", h.Text(r.Targets)))
	places := make([]string, len(r.Places))
	for i, p := range r.Places {
		places[i] = fmt.Sprintf("%s in %s (%s)", p.Account, p.Region, nodes(p.Total.Nodes))
	}
	fact(map[bool]string{true: "Accounts and Regions", false: "Account and Region"}[r.several()], h.Text(strings.Join(places, ", ")))
	fact("Scans", h.Text(r.scans()))
	return h.El("header", h.El("h1", h.Text(r.Title)), facts, h.El("p", h.Class("remark"), h.Text(overwrites)))
}

func (r *Report) warning() h.Part {
	faults := r.faults()
	if len(faults) == 0 {
		return nil
	}
	list := h.El("ul")
	for _, f := range faults {
		list.Append(h.El("li", h.Text(f)))
	}
	return h.El("section", h.Class("alarm"), h.Attr("role", "alert"),
		h.El("h2", h.Text("This report is incomplete")), h.El("p", h.Text("What follows counts only what could be read.")), list)
}

func (r *Report) numbers() h.Part {
	tiles := h.El("div", h.Class("tiles"))
	for _, t := range r.tiles() {
		tiles.Append(h.El("div", h.Class("tile "+t.class),
			h.El("span", h.Class("value"), h.Text(t.value)), h.El("span", h.Class("label"), h.Text(t.label)), h.El("span", h.Class("note"), h.Text(t.note))))
	}
	return h.El("section", h.El("h2", h.Class("hidden"), h.Text("Summary")), tiles)
}

// slices is a chart and a table of parts of the nodes.
func (r *Report) slices(title, what, none string, all []patch.Slice, remark string) h.Part {
	if len(all) == 0 || len(all) == 1 && all[0].Key == "" {
		return nil
	}
	bars := make([]bar, len(all))
	body := h.El("tbody")
	for i, s := range all {
		name := cmp.Or(s.Key, none)
		bars[i] = statusBar(name, s.Counts)
		percent := "unknown"
		if p, known := s.Percent(); known {
			percent = percentText(p)
		}
		body.Append(h.El("tr", h.El("th", h.Attr("scope", "row"), h.Text(name)),
			count(s.Nodes), cell("n", percent), count(s.NonCompliant), count(s.WithCritical), count(s.WithSecurity), count(s.WithFailed),
			count(s.WithPendingReboot), count(s.NeverScanned), cell("time", stamp(s.Oldest))))
	}
	section := h.El("section", h.El("h2", h.Text(title)))
	if remark != "" {
		section.Append(h.El("p", h.Class("remark"), h.Text(remark)))
	}
	shown := bars[:min(len(bars), maxBars)]
	section.Append(barChart(title+": nodes by status", shown), statusLegend(all))
	if n := len(bars) - len(shown); n > 0 {
		section.Append(h.El("p", h.Class("remark"), h.Text(fmt.Sprintf("The chart shows the worst %d; %d more are in the table.", len(shown), n))))
	}
	return section.Append(h.El("details", h.El("summary", h.Text("Numbers")),
		table(body, what, "Nodes", "Compliant", "Non-compliant", "Lack critical", "Lack security", "Failed", "Reboot", "Never scanned", "Oldest scan")))
}

// statusLegend names the colours that are there.
func statusLegend(all []patch.Slice) h.Part {
	var t patch.Counts
	for _, s := range all {
		t.Merge(s.Counts)
	}
	list := h.El("p", h.Class("legend"))
	for _, b := range statusBar("", t).pieces {
		if b.n > 0 {
			list.Append(h.El("span", h.El("i", h.Class("swatch "+b.class)), h.Text(b.what)))
		}
	}
	return list
}

func (r *Report) levels() h.Part {
	bars := make([]bar, len(r.Levels))
	for i, l := range r.Levels {
		class := map[string]string{"critical": "bad", "security": "warn"}[l.Level]
		bars[i] = bar{name: l.Level, note: fmt.Sprintf("%d on %s", l.Patches, nodes(l.Nodes)), pieces: []piece{{l.Patches, cmp.Or(class, "other"), l.Level}}}
	}
	return h.El("section", h.El("h2", h.Text("Patches that are not as they should be")),
		h.El("p", h.Class("remark"), h.Text("By what the baseline says of them: compliance level critical, classification security, all others.")),
		barChart("Patches by level", bars))
}

func (r *Report) ages() h.Part {
	bars := make([]bar, len(r.Ages))
	for i, a := range r.Ages {
		class := map[string]string{"under 1 day": "good", "1 to 7 days": "good", "7 to 30 days": "warn"}[a.Key]
		bars[i] = bar{name: a.Key, note: nodes(a.Nodes), pieces: []piece{{a.Nodes, cmp.Or(class, "bad"), a.Key}}}
	}
	return h.El("section", h.El("h2", h.Text("Age of the scans")),
		h.El("p", h.Class("remark"), h.Text("A number is as old as the scan that found it.")), barChart("Nodes by the age of their scan", bars))
}

// patches are the single patches, put together by what was asked for.
func (r *Report) patches() h.Part {
	if r.By == "" {
		return nil
	}
	section := h.El("section", h.El("h2", h.Text(r.patchTitle())))
	if len(r.Patches) == 0 {
		return section.Append(h.El("p", h.Text("No patch is missing, failed, rejected or waits for a reboot.")))
	}
	bars := make([]bar, len(r.Patches))
	body := h.El("tbody")
	for i, t := range r.Patches {
		name := cmp.Or(t.Key, "none")
		bars[i] = bar{name: name, note: nodes(t.Nodes), pieces: []piece{{t.Nodes, severityClass(t.Severity, t.Key), "nodes"}}}
		row := h.El("tr", h.El("th", h.Attr("scope", "row"), h.Text(name)))
		if r.By == patch.ByPatch {
			row.Append(cell("", t.Title), cell("word", t.Classification), cell("", strings.Join(t.CVEs, " ")))
		}
		if r.By == patch.ByPatch || r.By == patch.ByCVE {
			row.Append(cell("word", t.Severity))
		}
		row.Append(count(t.Nodes), count(t.Patches), count(t.Missing), marked(t.Failed, "bad"), marked(t.PendingReboot, "warn"), count(t.Rejected), cell("time", stamp(t.Oldest)))
		body.Append(row)
	}
	heads := []string{string(r.By)}
	if r.By == patch.ByPatch {
		heads = append(heads, "Title", "Classification", "CVEs")
	}
	if r.By == patch.ByPatch || r.By == patch.ByCVE {
		heads = append(heads, "Severity")
	}
	heads = append(heads, "Nodes", "Patches", "Missing", "Failed", "Reboot", "Rejected", "Oldest scan")
	section.Append(barChart(r.patchTitle()+": nodes", bars[:min(len(bars), maxBars)]))
	return section.Append(h.El("details", h.Attr("open", "open"), h.El("summary", h.Text(fmt.Sprintf("All %d", len(r.Patches)))), table(body, heads...)))
}

func (r *Report) patchTitle() string {
	return map[patch.Dimension]string{
		patch.ByPatch: "Missing and failed patches", patch.ByCVE: "CVEs that are open", patch.BySeverity: "Patches by severity", patch.ByClassification: "Patches by classification",
	}[r.By]
}

// severityClass is the colour of a severity, in the words of any system.
func severityClass(severity, key string) string {
	switch strings.ToLower(cmp.Or(severity, key)) {
	case "critical":
		return "bad"
	case "important", "high":
		return "warn"
	}
	return "other"
}

// nodeTables are all nodes by their status.
func (r *Report) nodeTables() h.Part {
	all := h.El("section", h.El("h2", h.Text("Nodes, from the worst on")))
	for _, s := range r.sections() {
		d := h.El("details")
		if s.open {
			d.Append(h.Attr("open", "open"))
		}
		d.Append(h.El("summary", h.Text(fmt.Sprintf("%s: %s", s.title, nodes(len(s.nodes))))))
		body := h.El("tbody")
		for _, n := range s.nodes {
			body.Append(r.nodeRow(n, s.status))
		}
		heads := []string{"Node", "Id"}
		if r.several() {
			heads = append(heads, "Account", "Region")
		}
		heads = append(heads, "Group", "System")
		if s.status == patch.NonCompliant || s.status == patch.Compliant {
			heads = append(heads, "Critical", "Security", "Missing", "Failed", "Reboot", "Rejected", "Scanned")
		}
		d.Append(table(body, heads...))
		all.Append(d)
	}
	if len(r.Nodes) == 0 {
		all.Append(h.El("p", h.Text("There is no node.")))
	}
	return all
}

func (r *Report) nodeRow(n Node, status patch.Status) h.Part {
	row := h.El("tr", h.El("th", h.Attr("scope", "row"), h.Text(cmp.Or(n.Name, n.ID))), h.El("td", h.El("code", h.Text(n.ID))))
	if r.several() {
		row.Append(cell("", n.Account), cell("", n.Region))
	}
	row.Append(cell("", n.Group), cell("", n.System))
	if status != patch.NonCompliant && status != patch.Compliant {
		return row
	}
	scanned := cell("time", stamp(n.Scanned))
	if n.Stale {
		scanned = h.El("td", h.Class("time stale"), h.Text(stamp(n.Scanned)+" (stale)"))
	}
	row.Append(marked(n.Critical, "bad"), marked(n.Security, "warn"), count(n.Missing), marked(n.Failed, "bad"), marked(n.PendingReboot, "warn"), count(n.Rejected), scanned)
	return row
}

func (r *Report) foot() h.Part {
	return h.El("footer", h.El("p", h.Text("Made by "+r.Program+" from AWS Systems Manager Patch Manager.")))
}

func table(body h.Part, heads ...string) h.Part {
	row := h.El("tr")
	for _, name := range heads {
		row.Append(h.El("th", h.Attr("scope", "col"), h.Text(name)))
	}
	return h.El("div", h.Class("wide"), h.El("table", h.El("thead", row), body))
}

func cell(class, s string) h.Part {
	if class == "" {
		return h.El("td", h.Text(s))
	}
	return h.El("td", h.Class(class), h.Text(s))
}

func count(n int) h.Part { return marked(n, "") }

// marked is a number that is worth a colour when it is not zero.
func marked(n int, class string) h.Part {
	if n == 0 {
		return cell("n zero", "0")
	}
	return cell(strings.TrimSpace("n "+class), fmt.Sprint(n))
}
