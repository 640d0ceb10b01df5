package pagepatch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/waves"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// install asks how, then shows what would be installed, then asks.
func (p *Page) install() tea.Cmd {
	nodes := p.chosen()
	scanFirst := "no"
	for _, n := range nodes {
		if n.Stale || n.Status == patch.NeverScanned {
			scanFirst = "yes" // the plan would be made of what is long gone
		}
	}
	return deck.Ask(deck.Form{
		Title: "Install patches on " + widget.Count(len(nodes), "node") + ": " + names(nodes),
		Fields: []deck.Field{
			{
				Name: "reboot", Label: "Reboot", Help: "if-needed: a node reboots when anything was installed", Only: true,
				Choices: func(string) []string { return patching.Reboots() }, Check: func(v string) error { _, err := patching.ParseReboot(v); return err },
			},
			{
				Name: "scan-first", Label: "Scan before", Value: scanFirst, Only: true, Help: "yes: what is missing is looked up anew before anything is installed",
				Choices: func(string) []string { return []string{"no", "yes"} },
			},
			{Name: "waves", Label: "Waves", Value: "1,10%,50%,100%", Help: "how far each wave goes", Check: func(v string) error { _, err := waves.ParseSizes(v); return err }},
			{Name: "max-errors", Label: "Stop when more have failed than", Value: "0", Check: func(v string) error { _, err := waves.ParseLimit(v); return err }},
			{Name: "concurrency", Label: "Nodes at a time", Help: "a number or a percentage; 50 where nothing is said", Check: optional(func(v string) error { _, err := run.ParseConcurrency(v); return err })},
			{Name: "pause", Label: "Pause between waves", Help: "a duration such as 10m", Check: optional(duration)},
			{Name: "health", Label: "Health check", Help: "a script that must succeed on each node after its wave"},
			{Name: "calendar", Label: "Only while this calendar is open", Help: "the name or ARN of a change calendar"},
		},
		Done: func(v map[string]string) tea.Cmd { return p.installLines(nodes, v) },
	})
}

// optional is a check of a field that may be left empty.
func optional(check func(string) error) func(string) error {
	return func(v string) error {
		if v = strings.TrimSpace(v); v == "" {
			return nil
		}
		return check(v)
	}
}

func duration(v string) error {
	if d, err := time.ParseDuration(v); err != nil || d < 0 {
		return fault.Usagef("%q is not a duration", v).WithHint("write a number with a unit, such as 30s, 5m or 24h")
	}
	return nil
}

// installLines ask for an installation with a line for each place.
func (p *Page) installLines(nodes []*node, v map[string]string) tea.Cmd {
	var flags []string
	for _, name := range []string{"reboot", "waves", "max-errors", "concurrency", "pause", "health", "calendar"} {
		if value := strings.TrimSpace(v[name]); value != "" {
			flags = append(flags, "--"+name, value)
		}
	}
	reboot := "nodes reboot when anything was installed"
	if r, err := patching.ParseReboot(v["reboot"]); err == nil && r == patching.Never {
		reboot = "no node reboots, and what was installed may not be in effect until one does"
	}
	places, of := byPlace(nodes)
	p.hurry = p.deck.Now.Add(hurryFor)
	var cmds []tea.Cmd
	for _, at := range places {
		nodes := of[at]
		missing, pending := 0, 0
		for _, n := range nodes {
			missing += n.Missing + n.Failed
			pending += n.PendingReboot
		}
		facts := append(p.nodeFacts(nodes),
			deck.Fact{Name: "patches", Value: fmt.Sprintf("%d missing or failed, %d wait for a reboot, by the last scans", missing, pending)},
			deck.Fact{Name: "reboot", Value: reboot})
		named, input := targets(nodes)
		words := slices.Concat([]string{"patch", "install"}, named, flags)
		// Without a scan, which would be sent; and the columns that a box has room for.
		preview := append(slices.Clone(words), "--dry-run", "--columns", "status,wave,name,missing,reboot,patches")
		if missing := p.missing(nodes); missing != "" {
			facts = append(facts, deck.Fact{Name: "missing", Value: missing})
		}
		if v["scan-first"] == "yes" {
			words = append(words, "--scan-first")
			facts = append(facts, deck.Fact{Name: "before", Value: "the nodes are scanned, and what is missing then is installed"})
		}
		cmds = append(cmds, deck.Ask(deck.Line{
			Words: words, Preview: preview, At: at, Input: input,
			What: "install patches on " + widget.Count(len(nodes), "node"), Facts: facts, Level: deck.Disruptive, How: deck.InPane, Refresh: refresh(),
		}))
	}
	return tea.Batch(cmds...)
}

// missing are the patches that nodes lack, the worst of each node first, as far as they have been read; "" where
// they have not.
func (p *Page) missing(nodes []*node) string {
	var lacked []string
	for _, n := range nodes {
		found, at, _, _ := p.detail.Get(p.detailKey(n))
		if at.IsZero() && n.Missing+n.Failed > 0 {
			return ""
		}
		for _, f := range found {
			if id := render.Visible(f.ID); (f.State == patch.Missing || f.State == patch.Failed) && !slices.Contains(lacked, id) {
				lacked = append(lacked, id)
			}
		}
	}
	return strings.Join(lacked, ", ")
}
