package pagepatch

import (
	"cmp"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// makePatches makes the list of a node's patches, the worst first.
func (p *Page) makePatches() {
	at := func(row int) *Found { return &p.found[row] }
	text := func(id, title string, rank int, of func(*Found) string) widget.Column {
		return widget.Column{ID: id, Title: title, Rank: rank, Text: func(row int) string { return of(at(row)) }}
	}
	state := text("state", "STATE", 1, func(f *Found) string { _, w := stateWord(f.State); return w })
	state.Level = func(row int) theme.Level { l, _ := stateWord(at(row).State); return l }
	state.Compare = func(a, b int) int { return at(a).Compare(at(b).Patch) }
	id := text("patch", "PATCH", 0, func(f *Found) string { return f.ID })
	id.Min, id.Max = 10, 34
	severity := text("severity", "SEVERITY", 2, func(f *Found) string { return f.Severity })
	severity.Compare = func(a, b int) int { return patch.CompareSeverities(at(a).Severity, at(b).Severity) }
	released := text("days", "DAYS", 3, func(f *Found) string { return days(p.deck.Now, f.Released) })
	released.Right = true
	released.Compare = func(a, b int) int { return at(b).Released.Compare(at(a).Released) }
	p.list = widget.NewList(widget.Options{
		Key: func(row int) string { return at(row).ID + "\x00" + at(row).Title }, None: p.noPatches,
		Columns: []widget.Column{
			state, id, severity, released,
			text("class", "CLASS", 5, func(f *Found) string { return f.Classification }),
			text("cves", "CVES", 4, func(f *Found) string { return strings.Join(f.CVEs, " ") }),
			text("title", "TITLE", 6, func(f *Found) string { return shortTitle(f.ID, f.Title) }),
		},
	})
}

// days is how many days ago a patch was released; "-" where nobody tells.
func days(now, released time.Time) string {
	if released.IsZero() {
		return "-"
	}
	return itoa(int(now.Sub(released) / (24 * time.Hour)))
}

// showPatches takes the patches of the node under the cursor.
func (p *Page) showPatches() {
	key := ""
	var found []Found
	var at time.Time
	if n := p.current(); n != nil && p.view == viewNodes {
		key = p.detailKey(n)
		found, at, _, _ = p.detail.Get(key)
	}
	if key == p.of && at.Equal(p.ofAt) {
		return
	}
	p.of, p.ofAt, p.found = key, at, found
	p.list.Reset(len(p.found))
}

// noPatches says why no patch is shown.
func (p *Page) noPatches() string {
	n := p.current()
	if n == nil {
		return ""
	}
	_, at, err, loading := p.detail.Get(p.detailKey(n))
	switch {
	case n.Status == patch.NeverScanned:
		return "never scanned: nothing is known; p scans"
	case n.Status == patch.Unknown && n.Scanned.IsZero():
		return "its state could not be read"
	case n.NonCompliant()+n.Available == 0:
		return "the last scan found nothing missing"
	case loading:
		return "reading the patches"
	case err != nil:
		return "not read: " + err.Error()
	case at.IsZero():
		return "not read yet"
	case p.list.Filter() != "":
		return "no patch fits the filter; esc clears it"
	}
	return "the patches have changed since the counts were read"
}

// facts are what is known of a node beside its patches, as lines.
func (p *Page) facts(n *node) []fact {
	_, state := n.state()
	_, scanned := n.scanned(p.deck.Now)
	stale := ""
	if n.Stale {
		stale = ", stale"
	}
	out := []fact{{"Node", n.ID}, {"State", state}, {"System", cmp.Or(n.System, n.Platform)}, {"Agent", n.Ping}}
	if !n.Scanned.IsZero() {
		out = append(out, fact{"Scanned", p.deck.Ago(n.Scanned) + stale + ", " + n.Scanned.In(p.deck.Location).Format("2006-01-02 15:04") + " (" + strings.ToLower(n.Operation) + ")"})
	} else {
		out = append(out, fact{"Scanned", scanned})
	}
	if a := n.attempt; a != nil {
		what := strings.ToLower(a.Operation) + " failed " + age(p.deck.Now, a.At) + " ago"
		if a.Running() {
			what = strings.ToLower(a.Operation) + " under way since " + age(p.deck.Now, a.At)
		}
		if a.Reason != "" {
			what += ": " + a.Reason
		}
		out = append(out, fact{"Last run", what})
	}
	out = append(out, fact{"Group", cmp.Or(n.Group, "(none)")})
	if b := p.baselineName(n); b != "" {
		out = append(out, fact{"Baseline", b})
	}
	return out
}

// fact is something known, in words.
type fact struct{ name, value string }
