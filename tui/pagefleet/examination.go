package pagefleet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// examAge is how long the checks of a node are good: they cost a dozen calls, and
// are made anew when somebody asks.
const examAge = 10 * time.Minute

// examination is what doctor finds of a node: why it is not online.
type examination struct {
	of       string // the key of the row it is shown for; empty: it is not shown
	fromPane bool   // it was asked for from the pane of the node
	again    bool   // make the checks anew
	cursor   int    // a check; -1: it has not been moved
	checks   *feed.Detail[[]doctor.Check]
}

// want makes the checks unless they have been made lately.
func (e *examination) want(s Services, r *row) tea.Cmd {
	age := examAge
	if e.again {
		age, e.again = 0, false
		e.checks.Leave() // one under way began before what was asked for
	}
	at, id := r.at, r.n.ID
	return e.checks.Want(r.key, age, func(ctx context.Context) ([]doctor.Check, error) { return s.Doctor(ctx, at, id) })
}

// current is the check under the cursor.
func (e *examination) current() (doctor.Check, bool) {
	checks, _, _, _ := e.checks.Get(e.of)
	if at := e.at(); at < len(checks) {
		return checks[at], true
	}
	return doctor.Check{}, false
}

// at is where the cursor is: at first on what went wrong.
func (e *examination) at() int {
	if e.cursor >= 0 {
		return e.cursor
	}
	checks, _, _, _ := e.checks.Get(e.of)
	for _, status := range []doctor.Status{doctor.Fail, doctor.Warn} {
		if i := slices.IndexFunc(checks, func(c doctor.Check) bool { return c.Status == status }); i >= 0 {
			return i
		}
	}
	return 0
}

func (e *examination) move(by int) {
	checks, _, _, _ := e.checks.Get(e.of)
	e.cursor = max(min(e.at()+by, len(checks)-1), 0)
}

// examine opens the examination of the node under the cursor.
func (p *Page) examine() tea.Cmd {
	r := p.current()
	if r == nil {
		return nil
	}
	if p.exam.of == r.key { // it is shown: look again
		p.exam.again = true
		return p.settle()
	}
	p.node.leave()
	p.exam.of, p.exam.cursor, p.exam.fromPane = r.key, -1, p.inPane
	p.inPane, p.top = true, 0
	return p.settle()
}

// verdict counts the outcomes: "12 checks: 1 failed, 2 warned, 1 skipped".
func verdict(checks []doctor.Check) string {
	count := map[doctor.Status]int{}
	for _, c := range checks {
		count[c.Status]++
	}
	return fmt.Sprintf("%s: %d failed, %d warned, %d skipped", widget.Count(len(checks), "check"), count[doctor.Fail], count[doctor.Warn], count[doctor.Skip])
}

// openCheck is what Enter does on a check: it offers the repair where there is one,
// else shows all that is known of it.
func (p *Page) openCheck() tea.Cmd {
	r := p.current()
	c, ok := p.exam.current()
	if !ok || r == nil {
		return nil
	}
	if len(c.Repairs) == 0 {
		return deck.Ask(deck.Show{Title: c.Title, Text: checkText(c)})
	}
	checks, _, _, _ := p.exam.checks.Get(p.exam.of)
	if slices.ContainsFunc(c.Repairs, doctor.Repair.Incomplete) {
		return deck.Ask(deck.Form{
			Title: "Repair " + r.label(), Fields: []deck.Field{{
				Name: "profile", Label: "Instance profile to attach", Help: "its name; its role must allow what an agent needs",
				Check: func(v string) error {
					if strings.TrimSpace(v) == "" {
						return errNoProfile
					}
					return nil
				},
			}},
			Done: func(v map[string]string) tea.Cmd {
				return p.repair(r.key, doctor.Plan(checks), strings.TrimSpace(v["profile"]))
			},
		})
	}
	return p.repair(r.key, doctor.Plan(checks), "")
}

// repaired says that a repair has ended, well or not.
type repaired struct{}

// repair asks for the repair of all that doctor can repair of a node.
func (p *Page) repair(key string, plan []doctor.Repair, profile string) tea.Cmd {
	i := slices.IndexFunc(p.rows, func(r row) bool { return r.key == key })
	if i < 0 {
		return deck.Ask(deck.Say{Text: "the node is gone"})
	}
	r := &p.rows[i]
	words := []string{"doctor", r.n.ID, "--fix"}
	if profile != "" {
		words = append(words, "--instance-profile", profile)
	}
	var facts []deck.Fact
	for _, c := range plan {
		facts = append(facts, deck.Fact{Name: "Change", Value: c.String()})
	}
	return deck.Ask(deck.Line{
		Words: words, At: r.at, What: "repair " + r.label(), Facts: facts,
		Preview: append(slices.Clone(words), "--dry-run"), Level: deck.Disruptive, How: deck.InPane,
		Done: func(deck.Result) tea.Msg { return repaired{} },
	})
}

// checkText is all that is known of a check.
func checkText(c doctor.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n\n%s\n", c.Status, c.Title, render.Visible(c.Evidence))
	if cause, ok := doctor.CauseOf(c.Cause); ok {
		fmt.Fprintf(&b, "\n%s: %s.\n%s.\n", c.Cause, cause.Means, cause.Do)
	}
	for i, f := range c.Fix {
		if i == 0 {
			b.WriteString("\nCommands that repair it:\n\n")
		}
		b.WriteString(render.Visible(f) + "\n")
	}
	return b.String()
}

// checkLines are what the pane says of a check that found something, or is under
// the cursor.
func checkLines(w *writer, c doctor.Check) {
	add := func(text string, dim bool) {
		w.lines = append(w.lines, line{value: render.Visible(text), dim: dim, in: 4})
	}
	add(c.Evidence, true)
	if cause, ok := doctor.CauseOf(c.Cause); ok {
		add(cause.Means+": "+cause.Do, false)
	}
	switch {
	case len(c.Repairs) > 0:
		add("enter repairs it, and shows the changes first", true)
	case len(c.Fix) > 0:
		add("enter shows the commands that repair it", true)
	}
}
