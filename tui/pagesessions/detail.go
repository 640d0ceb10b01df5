package pagesessions

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// fact is a line of the details: what it is, and how it stands. A fact without a name
// is a heading.
type fact struct {
	name, value string
	level       theme.Level
}

// title is what the details are of.
func (p *Page) title() string {
	if t, ok := p.tunnel(); ok {
		return t.name
	}
	if e, ok := p.current(); ok {
		return e.Value.ID
	}
	return ""
}

// facts are the details of the row under the cursor.
func (p *Page) facts() []fact {
	if t, ok := p.tunnel(); ok {
		return p.tunnelFacts(t)
	}
	if e, ok := p.current(); ok {
		return p.sessionFacts(e)
	}
	return nil
}

func (p *Page) sessionFacts(e entry) []fact {
	v := e.Value
	moment := func(f string, name string) fact { return fact{name: name, value: f} }
	out := []fact{
		{name: "Session", value: v.ID},
		{name: "Status", value: v.Status, level: level(v.Status)},
		{name: "Who", value: v.OwnerName()},
		{name: "Principal", value: v.Owner},
		{name: "Node", value: strings.TrimSpace(e.node + " " + v.Target)},
	}
	out = append(out, moment(p.when(v.Started), "Started"))
	if v.Ended != nil {
		out = append(out, moment(p.when(*v.Ended), "Ended"))
	}
	if d, ok := e.length(p.deck.Now); ok {
		out = append(out, fact{name: "Length", value: render.Duration(d)})
	}
	if v.MaxDuration != "" && v.MaxDuration != "0" {
		out = append(out, fact{name: "Longest", value: v.MaxDuration + " min"})
	}
	out = append(
		out, fact{name: "Document", value: v.Document}, fact{name: "Reason", value: v.Reason},
		fact{name: "Log in S3", value: v.OutputS3}, fact{name: "Log group", value: v.OutputCloudWatch},
	)
	if v.Over() && e.log() == "" {
		out = append(out, fact{name: "Log", value: "the service names no place; L looks where the settings say"})
	}
	if p.deck.Several() {
		out = append(out, fact{name: "Region", value: e.Place.Region}, fact{name: "Account", value: e.Place.Account})
	}
	return filled(out)
}

func (p *Page) tunnelFacts(t tunnel) []fact {
	out := []fact{{name: "Forward", value: t.name}, {name: "State", value: t.state(), level: t.level()}}
	remote := t.remote()
	for i, local := range t.local() {
		end := ""
		if i < len(remote) {
			end = " " + p.deck.Styles.Glyphs.Arrow + " " + remote[i]
		}
		out = append(out, fact{name: "Local", value: local + end})
	}
	out = append(out, fact{name: "Via", value: t.node()})
	if t.known() {
		r := t.row
		out = append(
			out, fact{name: "Connections", value: fmt.Sprintf("%d open, %d in all", r.Open, r.Total)},
			fact{name: "Sessions", value: fmt.Sprint(r.Lanes)},
			fact{name: "In", value: fmt.Sprintf("%s (%s)", t.rate(inRate), render.Bytes(r.In))},
			fact{name: "Out", value: fmt.Sprintf("%s (%s)", t.rate(outRate), render.Bytes(r.Out))},
		)
		if !r.Retry.IsZero() && r.State == forwards.Failed {
			out = append(out, fact{name: "Again", value: render.Ago(p.deck.Now, r.Retry)})
		}
		if r.Exposed {
			out = append(out, fact{name: "Exposed", value: "other machines may be able to connect", level: theme.Warn})
		}
	}
	if f := t.fault(); f != "" {
		out = append(out, fact{name: "Error", value: f, level: theme.Bad})
	}
	if t.runs() {
		where := "in a terminal"
		if t.proc.Background {
			where = "behind the shell"
		}
		out = append(out, fact{name: "Process", value: fmt.Sprintf("%d, %s, since %s", t.proc.PID, where, render.Local(t.proc.Started, p.deck.Location))})
	}
	return filled(append(out, savedFacts(t)...))
}

// savedFacts are what the file says of a forward.
func savedFacts(t tunnel) []fact {
	e := t.saved
	if e == nil {
		return []fact{{name: "Saved", value: "in no file any more"}}
	}
	out := []fact{
		{name: "Description", value: e.Description},
		{name: "Groups", value: strings.Join(e.Groups, ", ")},
		{name: "Profile", value: e.Profile},
		{name: "Region", value: e.Region},
		{name: "Reason", value: e.Reason},
	}
	if e.Idle > 0 {
		out = append(out, fact{name: "Closes", value: "a session unused for " + render.Duration(e.Idle)})
	}
	return append(out, fact{name: "File", value: fmt.Sprintf("%s:%d", e.File, e.Line)})
}

// filled are the facts that have a value.
func filled(facts []fact) []fact {
	out := facts[:0]
	for _, f := range facts {
		if f.value != "" {
			out = append(out, f)
		}
	}
	return out
}
