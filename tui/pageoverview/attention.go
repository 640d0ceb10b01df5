package pageoverview

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// longOpen is after how long a session is worth a look: nobody works that long.
const longOpen = 12 * time.Hour

// mostNamed is how many things of a kind are told by name; more are a number.
const mostNamed = 2

func (p *Page) attentionPanel() panel {
	out := panel{title: "Needs attention"}
	for _, rule := range []func() []line{
		p.firstSteps, p.failedReads, p.nodesAway, p.patchesMissing, p.approvals, p.failedRuns, p.strangeStates, p.expiries, p.windowFindings, p.forwardFailures,
		p.longSessions, p.agentsBehind, p.unread,
	} {
		out.lines = append(out.lines, rule()...)
	}
	slices.SortStableFunc(out.lines, func(a, b line) int { return urgency(a.level) - urgency(b.level) })
	if len(out.lines) == 0 {
		out.say = "nothing"
	}
	return out
}

// urgency orders levels: what is bad, what is worth a look, what is not known.
func urgency(l theme.Level) int {
	return slices.Index([]theme.Level{theme.Bad, theme.Warn, theme.Busy, theme.Idle, theme.Good, theme.Unknown}, l)
}

// about is a line about a number of things; none when there is nothing.
func about(key string, level theme.Level, n int, text string, page, filter string, words ...string) []line {
	if n == 0 {
		return nil
	}
	return []line{{key: key, level: level, text: text, open: deck.Open{Page: page, Filter: filter, Clear: true}, rows: n, words: words}}
}

func (p *Page) nodesAway() []line {
	if p.set.Nodes.State().Empty() {
		return nil
	}
	c := p.nodes.value
	return slices.Concat(
		about("lost", lostLevel(c), c.lost, widget.Count(c.lost, "node")+" connection lost"+stoppedNote(c), "fleet", "ping=lost", "ls", "--filter", "ping=lost"),
		about("inactive", theme.Warn, c.inactive, widget.Count(c.inactive, "node")+" inactive", "fleet", "ping=inactive", "ls", "--filter", "ping=inactive"),
	)
}

// lostLevel is how nodes look whose connection is lost: those of instances that were
// stopped are missed by nobody.
func lostLevel(c nodeCount) theme.Level {
	if c.lost > c.stopped {
		return theme.Bad
	}
	return theme.Idle
}

// stoppedNote says how many of the nodes that are lost are instances that do not run.
func stoppedNote(c nodeCount) string {
	switch c.stopped {
	case 0:
		return ""
	case c.lost:
		return ", stopped"
	}
	return fmt.Sprintf(", %s of them stopped", widget.Grouped(c.stopped))
}

func (p *Page) agentsBehind() []line {
	c := p.nodes.value
	if p.set.Nodes.State().Empty() {
		return nil
	}
	text, filter := " with an agent that is behind", c.agents.Filter(true)
	if newest := c.agents.Only(); newest != "" {
		text = " with an agent before " + newest
	}
	return about("agents", theme.Warn, c.behind, widget.Count(c.behind, "node")+text, "fleet", filter, "ls", "--filter", filter)
}

func (p *Page) patchesMissing() []line {
	if p.set.Patches.State().Empty() {
		return nil
	}
	t := p.patches.value.total
	verb := func(n int, one, many string) string {
		if n == 1 {
			return one
		}
		return many
	}
	return slices.Concat(
		about("critical", levels.Critical, t.WithCritical, widget.Count(t.WithCritical, "node")+verb(t.WithCritical, " misses", " miss")+" critical patches", "patch", "critical>0", patchWords("critical>0")...),
		about("failed", levels.FailedPatch, t.WithFailed, widget.Count(t.WithFailed, "node")+" with patches that failed to install", "patch", "failed>0", patchWords("failed>0")...),
		about("security", levels.Security, t.WithSecurity, widget.Count(t.WithSecurity, "node")+verb(t.WithSecurity, " misses", " miss")+" security patches", "patch", "security>0", patchWords("security>0")...),
		about("reboot", levels.PendingReboot, t.WithPendingReboot, widget.Grouped(t.WithPendingReboot)+" patched, reboot pending", "patch", "reboot>0", patchWords("pending_reboot>0")...),
		about("unscanned", levels.NeverScanned, t.NeverScanned, widget.Count(t.NeverScanned, "node")+" never scanned for patches", "patch", neverScanned, "patch", "status", "--never-scanned"),
		about("stale", levels.Stale, t.Stale, widget.Count(t.Stale, "node")+" not scanned for a week", "patch", "stale=yes"),
		p.failedAttempts(),
		about("unknown", levels.Unread, t.Unknown, widget.Count(t.Unknown, "node")+" whose patches cannot be read", "patch", "status="+string(patch.Unknown)),
	)
}

// failedAttempts are nodes whose last scan or installation has failed: what is known of
// their patches is older than that.
func (p *Page) failedAttempts() (out []line) {
	failed := p.patches.value.failed
	for _, word := range slices.Sorted(maps.Keys(failed)) {
		n := failed[word]
		text := widget.Count(n, "node") + " whose last patch " + word
		out = append(out, about(word, theme.Bad, n, text, "patch", terms.Is("state", word))...)
	}
	return out
}

func (p *Page) approvals() []line {
	n := p.autos.value.waiting
	text := widget.Count(n, "automation") + " wait for approval"
	if n == 1 {
		text = "1 automation waits for approval"
	}
	return about("approvals", theme.Warn, n, text, "automation", "waiting=yes")
}

func (p *Page) failedRuns() []line {
	failed := p.runs.value.failed
	var out []line
	for i, s := range failed {
		if i == mostNamed && len(failed) > mostNamed+1 {
			text := fmt.Sprintf("%s with failures in the last %s", widget.Count(len(failed), "command"), render.Duration(lately))
			return append(out, about("failed runs", theme.Bad, len(failed), text, "commands", "failed>0 age<6h", "command", "list")...)
		}
		name := s.note
		if name == "" {
			name = s.document
		}
		out = append(out, line{
			key: "failed " + s.id, level: theme.Bad, text: fmt.Sprintf("%s failed on %s, %s", name, widget.Count(s.errors, "node"), p.deck.Ago(s.requested)),
			open: deck.Open{Page: "commands", Filter: "id=" + s.id, Clear: true}, words: s.words(), at: &s.at,
		})
	}
	return out
}

// strangeStates are what runs or has run as AWS calls it by a word that is not known.
func (p *Page) strangeStates() []line {
	runs, autos := p.runs.value.strange, p.autos.value.strange
	return slices.Concat(
		about("strange runs", theme.Unknown, runs, widget.Count(runs, "command")+" in a state that ssmdeck does not know", "commands", `state~"^not known"`, "command", "list"),
		about("strange automations", theme.Unknown, autos, widget.Count(autos, "automation")+" in a state that ssmdeck does not know", "automation", `state~"^not known"`, "automation", "list"),
	)
}

// expiringWords list the parameters that expire soon.
var expiringWords = []string{"param", "expiring", "--within", "7d"}

func (p *Page) expiries() []line {
	due := p.expiring.value
	var out []line
	for i, d := range due {
		if i == mostNamed && len(due) > mostNamed+1 {
			return append(out, about("expiries", theme.Warn, len(due), widget.Count(len(due), "parameter")+" expire within a week", "parameters", "expires<7d", expiringWords...)...)
		}
		level, when := theme.Warn, "expires "+render.Ago(p.deck.Now, d.it.At)
		if d.it.Late {
			level, when = theme.Bad, "should have expired "+render.Ago(p.deck.Now, d.it.At)
		}
		if p.deck.Several() {
			when += " in " + d.at.String()
		}
		one := about("expires "+d.it.Name+d.at.String(), level, len(due), "parameter "+d.it.Name+" "+when, "parameters", "expires<7d", expiringWords...)
		one[0].at = &d.at
		out = append(out, one...)
	}
	return out
}

func (p *Page) windowFindings() []line {
	var out []line
	for _, f := range p.windows.value.findings {
		out = append(out, about("window "+string(f.Kind)+f.WindowID+f.OtherID, levels.Finding(f.Kind), 1, "window "+subject(f)+": "+f.Message, "windows", "id="+f.WindowID, "window", "coverage")...)
	}
	return out
}

func subject(f agenda.Finding) string {
	if f.Other != "" {
		return f.Window + " and " + f.Other
	}
	return f.Window
}

func (p *Page) longSessions() []line {
	n := 0
	for _, r := range p.set.Sessions.Rows() {
		if t := r.Value.Started; !t.IsZero() && p.deck.Now.Sub(t) > longOpen {
			n++
		}
	}
	return about("long sessions", theme.Warn, n, widget.Count(n, "session")+" open for more than "+render.Duration(longOpen), "sessions", "active: started>12h", "session", "ls")
}

func (p *Page) forwardFailures() []line {
	var out []line
	for _, r := range p.set.Forwards.Rows() {
		for _, f := range r.Value.Rows {
			if f.Error != "" {
				out = append(out, line{
					key: "forward " + f.Name, level: theme.Bad, text: "forward " + f.Name + ": " + f.Error,
					open: deck.Open{Page: "sessions", Filter: "forwards:", Clear: true}, words: []string{"forward", "ls"},
				})
			}
		}
	}
	return out
}

// feeds are all feeds of the page with what they are of.
func (p *Page) feeds() []feed.Feed {
	s := p.set
	return []feed.Feed{s.Nodes, s.Patches, s.Attempts, s.Commands, s.Executions, s.Windows, s.Parameters, s.Sessions, s.Forwards}
}

// failedReads are the feeds that could not be read everywhere: what is counted is
// not all there is. One Region that is down fails them all: many of a kind are one
// line, so that they do not push what is wrong with the fleet off the screen.
func (p *Page) failedReads() (out []line) {
	for _, kind := range []struct {
		level theme.Level
		what  string
	}{
		{theme.Bad, "cannot be read"},
		{theme.Bad, "not read in full"}, // their rows are shown
		{theme.Warn, "known in part"},
	} {
		var some []feed.Feed
		for _, f := range p.feeds() {
			if readFault(f.State()) == kind.what {
				some = append(some, f)
			}
		}
		if len(some) > mostNamed {
			out = append(out, failedTogether(some, kind.level, kind.what))
			continue
		}
		for _, f := range some {
			s := f.State()
			what := f.Name() + " " + kind.what
			out = append(out, line{
				key: "read " + f.Name(), level: kind.level, text: what + inPlaces(len(s.Failures), s.Places) + ": " + s.Failures[0].Err.Error(),
				show: deck.Show{Title: what, Text: failureText(s)},
			})
		}
	}
	return out
}

// failedTogether is the line about several feeds with the same fault; behind it
// stands what each failed with.
func failedTogether(feeds []feed.Feed, level theme.Level, what string) line {
	var names []string
	var text strings.Builder
	places, most := map[string]bool{}, 0
	for _, f := range feeds {
		s := f.State()
		names = append(names, f.Name())
		most = max(most, s.Places)
		for _, at := range s.Failures {
			places[at.Place.String()] = true
		}
		fmt.Fprintf(&text, "%s%s\n", f.Name(), inPlaces(len(s.Failures), s.Places))
		for l := range strings.Lines(failureText(s)) {
			text.WriteString("  " + l)
		}
	}
	title := widget.Count(len(feeds), "list") + " " + what
	return line{
		key: "read " + what, level: level, text: title + inPlaces(len(places), most) + ": " + strings.Join(names, ", "),
		show: deck.Show{Title: title, Text: text.String()},
	}
}

// readFault says in what way a feed could not be read, or nothing.
func readFault(s feed.State) string {
	unread := 0
	for _, at := range s.Failures {
		if !feed.IsPartly(at.Err) {
			unread++
		}
	}
	switch {
	case len(s.Failures) == 0:
		return ""
	case unread == 0:
		return "known in part"
	case unread == s.Begun:
		return "not read in full"
	}
	return "cannot be read"
}

// inPlaces says in how many places of several.
func inPlaces(n, of int) string {
	if of < 2 {
		return ""
	}
	return fmt.Sprintf(" in %d of %s", n, widget.Count(of, "place"))
}

// failureText is what a feed failed with, everywhere, and what to do.
func failureText(s feed.State) string {
	var text strings.Builder
	for _, at := range s.Failures {
		fmt.Fprintf(&text, "%s: %s\n", at.Place, render.Visible(at.Err.Error()))
		if hint := fault.HintOf(at.Err); hint != "" {
			fmt.Fprintf(&text, "  %s\n", render.Visible(hint))
		}
	}
	return text.String()
}

// unread are the feeds of which nothing is known yet, or not all, so that nobody takes silence
// for health.
func (p *Page) unread() []line {
	var names, parts []string
	for _, f := range p.feeds() {
		switch s := f.State(); {
		case len(s.Failures) > 0: // said by itself
		case s.Empty():
			names = append(names, f.Name())
		case s.Whole < s.Places:
			parts = append(parts, f.Name())
		}
	}
	var texts []string
	if len(names) > 0 {
		texts = append(texts, "not read yet: "+strings.Join(names, ", "))
	}
	if len(parts) > 0 {
		texts = append(texts, "not read in full yet: "+strings.Join(parts, ", "))
	}
	if len(texts) == 0 {
		return nil
	}
	text := strings.Join(texts, "; ")
	return []line{{key: "unread", level: theme.Unknown, text: text, show: deck.Show{Title: "Not read yet", Text: text + "\n"}}}
}
