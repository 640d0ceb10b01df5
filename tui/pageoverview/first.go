package pageoverview

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// firstSteps are what to do where there is nothing to see yet: nothing may be read, or
// no machine is managed.
func (p *Page) firstSteps() []line {
	s := p.set.Nodes.State()
	switch {
	case s.Empty() && len(s.Failures) > 0 && fault.KindOf(s.Failures[0].Err) == fault.Auth:
		return []line{p.step("rights", theme.Bad, "what you may do, and whether you are logged in", p.whatFailed(), "doctor")}
	case s.Places == 0 || s.Whole < s.Places || len(s.Failures) > 0 || p.nodes.value.all > 0:
		return nil
	}
	return []line{
		p.step("unmanaged", theme.Warn, "why instances here are not managed", "No machine here is a managed node yet. On the Fleet view u shows EC2 instances that run and have no agent, and d on one says why.", "doctor", "--unmanaged"),
		p.step("elsewhere", theme.Warn, "the managed nodes of every Region", "This account may have its nodes in another Region.", "dash", "--all-regions"),
		p.step("register", theme.Warn, "how machines outside EC2 become nodes", "An activation registers machines of your own, or of other clouds, as managed nodes.", "activation", "create", "--help"),
		p.step("demo", theme.Warn, "a simulated fleet to look around in", "The demo needs no AWS account and touches none.", "demo"),
	}
}

// step is a command line and what it shows; Enter explains it, c copies it.
func (p *Page) step(key string, level theme.Level, shows, text string, words ...string) line {
	l := line{key: "first " + key, level: level, words: words}
	command := "ssmdeck " + strings.Join(words, " ")
	l.text = command + " shows " + shows
	l.show = deck.Show{Title: command, Text: text + "\n\n" + p.oneLiner(l) + "\n"}
	return l
}

// whatFailed are all reasons why nothing can be read, with what to do about each.
func (p *Page) whatFailed() string {
	var b strings.Builder
	for _, w := range p.Wants() {
		for _, f := range w.Feed.State().Failures {
			fmt.Fprintf(&b, "%s of %s: %s\n", w.Feed.Name(), render.Visible(f.Place.String()), render.Visible(f.Err.Error()))
			if h := fault.HintOf(f.Err); h != "" {
				fmt.Fprintf(&b, "  hint: %s\n", render.Visible(h))
			}
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
