package patchreport

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/history"
	h "github.com/ssmdeck/ssmdeck/internal/htmlpage"
	"github.com/ssmdeck/ssmdeck/internal/patch"
)

// Sizes of the charts, in units of their view boxes; a page shows them as wide as
// it has room for.
const (
	maxBars    = 20
	barHeight  = 22
	barGap     = 8
	labelWidth = 244
	noteWidth  = 176
	chartWidth = 900
	barWidth   = chartWidth - labelWidth - noteWidth

	trendHeight = 240
	trendLeft   = 56
	trendRight  = 20
	trendTop    = 14
	trendBottom = 34
	maxLines    = 6
	maxLooks    = 400 // of a line
)

// bar is a line of a bar chart.
type bar struct {
	name, note string
	pieces     []piece
}

type piece struct {
	n           int
	class, what string
}

// statusBar is the bar of some nodes by their status.
func statusBar(name string, c patch.Counts) bar {
	note := nodes(c.Nodes)
	if p, known := c.Percent(); known {
		note = percentText(p) + " of " + nodes(c.Nodes-c.Unknown)
	}
	return bar{name, note, []piece{
		{c.Compliant, "good", "compliant"}, {c.NonCompliant, "bad", "non-compliant"}, {c.NeverScanned, "warn", "never scanned"}, {c.Unknown, "dark", "could not be read"},
	}}
}

// barChart draws bars, the longest of which is as wide as there is room for.
func barChart(title string, bars []bar) h.Part {
	most := 1
	for _, b := range bars {
		sum := 0
		for _, p := range b.pieces {
			sum += p.n
		}
		most = max(most, sum)
	}
	height := len(bars)*(barHeight+barGap) + barGap
	svg := drawing(title, chartWidth, height)
	for i, b := range bars {
		y := barGap + i*(barHeight+barGap)
		base := y + barHeight - 6
		svg.Append(label(labelWidth-10, base, "end", clip(b.name, 28)))
		x := float64(labelWidth)
		for _, p := range b.pieces {
			if p.n == 0 {
				continue
			}
			width := float64(p.n) / float64(most) * barWidth
			if width < 1.5 {
				width = 1.5 // one in ten thousand is still to be seen
			}
			svg.Append(h.El("rect", h.Class(p.class), at("x", x), at("y", float64(y)), at("width", width), at("height", barHeight),
				h.El("title", h.Text(fmt.Sprintf("%s: %d %s", b.name, p.n, p.what)))))
			x += width
		}
		svg.Append(label(int(x)+8, base, "start", b.note))
	}
	return svg
}

func drawing(title string, width, height int) *h.Element {
	return h.El("svg", h.Attr("viewBox", fmt.Sprintf("0 0 %d %d", width, height)), h.Attr("role", "img"), h.Attr("aria-label", title), h.El("title", h.Text(title)))
}

func label(x, y int, anchor, s string) h.Part {
	return h.El("text", at("x", float64(x)), at("y", float64(y)), h.Attr("text-anchor", anchor), h.Text(s))
}

// at is an attribute that is a length.
func at(name string, v float64) h.Part {
	return h.Attr(name, strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 1, 64), "0"), "."))
}

// clip cuts a name that has no room; the whole of it is in the table below.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// line is the trend of one place.
type line struct {
	name  string
	looks []history.Look
}

// lines are the trends of the places that have at least two looks.
func (r *Report) lines() (all []line) {
	for _, p := range r.Places {
		looks := history.Latest(p.Looks, maxLooks, func(l history.Look) bool { _, any := l.Share(); return any })
		if len(looks) > 1 && len(all) < maxLines {
			all = append(all, line{p.String(), looks})
		}
	}
	return all
}

// trend draws how the share of compliant nodes has changed.
func (r *Report) trend() h.Part {
	all := r.lines()
	if len(all) == 0 {
		return nil
	}
	first, last := all[0].looks[0].Time, all[0].looks[0].Time
	looks := 0
	for _, l := range all {
		looks += len(l.looks)
		if t := l.looks[0].Time; t.Before(first) {
			first = t
		}
		if t := l.looks[len(l.looks)-1].Time; t.After(last) {
			last = t
		}
	}
	width, height := float64(chartWidth-trendLeft-trendRight), float64(trendHeight-trendTop-trendBottom)
	x := func(t time.Time) float64 {
		return trendLeft + width*float64(t.Sub(first))/float64(cmp.Or(last.Sub(first), time.Second))
	}
	y := func(share float64) float64 { return trendTop + height*(1-share) }
	svg := drawing("Compliant nodes over time, in percent", chartWidth, trendHeight)
	for _, share := range []float64{0, 0.25, 0.5, 0.75, 1} {
		svg.Append(h.El("line", h.Class("grid"), at("x1", trendLeft), at("x2", trendLeft+width), at("y1", y(share)), at("y2", y(share))),
			label(trendLeft-8, int(y(share))+4, "end", percentText(100*share)))
	}
	svg.Append(label(trendLeft, trendHeight-10, "start", stamp(first)), label(trendLeft+int(width), trendHeight-10, "end", stamp(last)))
	for i, l := range all {
		class := fmt.Sprintf("line l%d", i)
		var path strings.Builder
		var dots []h.Part
		for k, look := range l.looks {
			share, _ := look.Share()
			fmt.Fprintf(&path, "%s%.1f %.1f", map[bool]string{true: "M", false: " L"}[k == 0], x(look.Time), y(share))
			dots = append(dots, h.El("circle", h.Class(fmt.Sprintf("dot l%d", i)), at("cx", x(look.Time)), at("cy", y(share)), at("r", 2.5),
				h.El("title", h.Text(fmt.Sprintf("%s: %d of %s compliant", stamp(look.Time), look.Compliant, nodes(look.Nodes-look.Unknown))))))
		}
		svg.Append(h.El("path", h.Class(class), h.Attr("d", path.String())), h.Parts(dots...))
	}
	section := h.El("section", h.El("h2", h.Text("Trend")),
		h.El("p", h.Class("remark"), h.Text(fmt.Sprintf("Share of compliant nodes, as %d looks from this machine have counted it.", looks))), svg)
	if len(all) > 1 {
		legend := h.El("p", h.Class("legend"))
		for i, l := range all {
			legend.Append(h.El("span", h.El("i", h.Class(fmt.Sprintf("swatch l%d", i))), h.Text(l.name)))
		}
		section.Append(legend)
	}
	return section
}
