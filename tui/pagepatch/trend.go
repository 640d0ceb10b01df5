package pagepatch

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// trend is how the share of compliant nodes went, as far as this machine has looked.
type trend struct {
	points []point
	kept   map[grid.Place]time.Time // when a look was kept last, or tried to
}

// keepEvery is how often a look is kept while the dashboard is open: often enough for
// a trend, and few records.
const keepEvery = time.Hour

// lookKept says that looks were kept, or why not.
type lookKept struct{ err error }

// keepLooks keeps what was counted now, when all of it is known and the last look at
// a place is old enough.
func (p *Page) keepLooks() tea.Cmd {
	s := p.svc.Looks.State()
	if p.svc.Keep == nil || s.Empty() || len(s.Failures) > 0 || p.set.Patches.State().Partial() || p.fleet.undecided > 0 {
		return nil
	}
	last := map[grid.Place]time.Time{}
	for _, r := range p.svc.Looks.Rows() {
		l := r.Value
		if at := (grid.Place{Account: l.Account, Region: l.Region}); l.Scope == history.Everything && l.Time.After(last[at]) {
			last[at] = l.Time
		}
	}
	var due []placeCount
	for _, c := range p.fleet.places {
		kept := last[grid.Place{Account: c.at.Account, Region: c.at.Region}]
		if c.at.Account != "" && p.fleet.made.Sub(kept) >= keepEvery && p.fleet.made.Sub(p.trend.kept[c.at]) >= keepEvery {
			due = append(due, c)
			p.trend.kept[c.at] = p.fleet.made
		}
	}
	if len(due) == 0 {
		return nil
	}
	made := p.fleet.made
	return p.desk.Go(func(context.Context) tea.Msg {
		for _, c := range due {
			if err := p.svc.Keep(c.at, c.Counts, made); err != nil {
				return lookKept{err}
			}
		}
		return lookKept{}
	})
}

// point is what looks at all places together have counted by some time.
type point struct {
	at    time.Time
	sum   history.Look
	share float64
}

// countTrend puts the looks at whole places together: from the time on at which each
// place has been looked at once, the newest of each counts.
func (p *Page) countTrend() {
	p.trend.points = nil
	places := map[[2]string]bool{}
	for _, c := range p.fleet.places {
		places[[2]string{c.at.Account, c.at.Region}] = true
	}
	newest := map[[2]string]history.Look{}
	var looks []history.Look
	for _, r := range p.svc.Looks.Rows() {
		if l := r.Value; l.Scope == history.Everything && places[[2]string{l.Account, l.Region}] {
			looks = append(looks, l)
		}
	}
	slices.SortStableFunc(looks, func(a, b history.Look) int { return a.Time.Compare(b.Time) })
	for _, l := range looks {
		newest[[2]string{l.Account, l.Region}] = l
		if len(newest) < len(places) {
			continue
		}
		pt := point{at: l.Time}
		for _, n := range newest {
			addLook(&pt.sum, n)
		}
		if share, any := pt.sum.Share(); any {
			pt.share = share
			p.trend.points = append(p.trend.points, pt)
		}
	}
}

func addLook(sum *history.Look, l history.Look) {
	sum.Nodes += l.Nodes
	sum.Compliant += l.Compliant
	sum.NonCompliant += l.NonCompliant
	sum.Critical += l.Critical
	sum.Security += l.Security
	sum.Missing += l.Missing
	sum.Failed += l.Failed
	sum.PendingReboot += l.PendingReboot
	sum.NeverScanned += l.NeverScanned
	sum.Unknown += l.Unknown
}

// tenths is a share in percent, rounded down to a tenth: 100 means all.
func tenths(share float64) float64 { return math.Floor(1000*share+1e-9) / 10 }

// line says in one line how it went; "" where there is too little to say.
func (t *trend) line(width int, loc *time.Location, spark []string) string {
	if len(t.points) < 2 {
		return ""
	}
	first, last := t.points[0], t.points[len(t.points)-1]
	shares := make([]float64, len(t.points))
	for i, pt := range t.points {
		shares[i] = pt.share
	}
	words := fmt.Sprintf("  %.1f %% on %s, %.1f %% on %s: %+.1f points, %d looks", tenths(first.share), first.at.In(loc).Format(time.DateOnly),
		tenths(last.share), last.at.In(loc).Format(time.DateOnly), tenths(last.share)-tenths(first.share), len(t.points))
	room := width - len("trend ") - render.Width(words)
	if room < 4 {
		words = fmt.Sprintf("  %.1f %% to %.1f %%", tenths(first.share), tenths(last.share))
		room = width - len("trend ") - render.Width(words)
	}
	return "trend " + render.Sparkline(shares, min(room, 40), spark) + words
}

// showTrend opens the looks one by one.
func (p *Page) showTrend() tea.Cmd {
	var b strings.Builder
	switch {
	case len(p.trend.points) == 0 && p.svc.Keep == nil:
		b.WriteString("No look is kept: this is a demo, or history is off.\n")
	case len(p.trend.points) == 0:
		b.WriteString("No look at all nodes of these places is kept yet. The dashboard keeps one an hour,\n`ssmdeck patch status` and `ssmdeck patch report` one each time, on this machine alone.\n")
	default:
		if l := p.trend.line(76, p.deck.Location, p.deck.Styles.Glyphs.Spark); l != "" {
			b.WriteString(l + "\n\n")
		}
		fmt.Fprintf(&b, "%-17s %7s %9s %9s %9s %7s %7s %6s\n", "TIME", "NODES", "COMPLIANT", "CRITICAL", "SECURITY", "FAILED", "REBOOT", "NEVER")
		for _, pt := range slices.Backward(p.trend.points) {
			s := pt.sum
			fmt.Fprintf(&b, "%-17s %7d %7.1f %% %9d %9d %7d %7d %6d\n", pt.at.In(p.deck.Location).Format("2006-01-02 15:04"), s.Nodes, tenths(pt.share),
				s.Critical, s.Security, s.Failed, s.PendingReboot, s.NeverScanned)
		}
		b.WriteString("\nNumbers behind COMPLIANT are nodes. The same: `ssmdeck patch history`.\n")
	}
	return deck.Ask(deck.Show{Title: "Trend of patch compliance", Text: b.String()})
}
