package pagesessions

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

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

// facts are the details of a row of the section.
func (p *Page) facts(row int) widget.Details {
	if p.section == tunnels {
		return p.tunnelFacts(p.tunnels[row])
	}
	return p.sessionFacts(p.sessions[p.section][row])
}

func (p *Page) sessionFacts(e entry) (d widget.Details) {
	v := e.Value
	d.Add("Session", v.ID)
	d.Level("Status", levels.Session(v.Status), v.Status)
	d.Add("Who", v.OwnerName())
	d.Add("Principal", v.Owner)
	d.Add("Node", strings.TrimSpace(e.node+" "+v.Target))
	d.Add("Started", p.when(v.Started))
	if v.Ended != nil {
		d.Add("Ended", p.when(*v.Ended))
	}
	if long, ok := e.length(p.deck.Now); ok {
		d.Add("Length", render.Duration(long))
	}
	if v.MaxDuration != "" && v.MaxDuration != "0" {
		d.Add("Longest", v.MaxDuration+" min")
	}
	d.Add("Document", v.Document)
	d.Add("Reason", v.Reason)
	d.Add("Log in S3", v.OutputS3)
	d.Add("Log group", v.OutputCloudWatch)
	if v.Over() && e.log() == "" {
		d.Add("Log", "the service names no place; L looks where the settings say")
	}
	if p.deck.Several() {
		d.Add("Region", e.Place.Region)
		d.Add("Account", e.Place.Account)
	}
	return d
}

func (p *Page) tunnelFacts(t tunnel) (d widget.Details) {
	d.Add("Forward", t.name)
	d.Level("State", t.level(), t.state())
	remote := t.remote()
	for i, local := range t.local() {
		end := ""
		if i < len(remote) {
			end = " " + p.deck.Styles.Glyphs.Arrow + " " + remote[i]
		}
		d.Add("Local", local+end)
	}
	via := p.via(t)
	if via != t.node() {
		via += " (" + t.node() + ")"
	}
	d.Add("Via", via)
	if t.known() {
		p.traffic(&d, t)
	}
	if f := t.fault(); f != "" {
		d.Level("Error", theme.Bad, f)
	}
	if t.runs() {
		d.Add("Process", fmt.Sprintf("%d, %s", t.proc.PID, t.where()))
		d.Add("Since", p.when(t.proc.Started))
	}
	saved(&d, t)
	return d
}

// where is the process that runs a forward.
func (t tunnel) where() string {
	switch {
	case t.here:
		return "in this dashboard"
	case t.proc.Background:
		return "behind the shell"
	}
	return "in a terminal"
}

// openNow counts the connections of a forward in words.
func openNow(c portforward.Counters) string {
	if c.Open == 1 && c.Half == 0 {
		return "1 connection open"
	}
	return c.Now() + " connections open"
}

// traffic is what goes through a forward, as its process counts it.
func (p *Page) traffic(d *widget.Details, t tunnel) {
	r := t.row
	d.Add("Connections", fmt.Sprintf("%s open, %d in all", r.Now(), r.Total))
	d.Add("Sessions", strconv.Itoa(r.Lanes))
	d.Add("In", fmt.Sprintf("%s (%s)", t.rate(inRate), render.Bytes(r.In)))
	d.Add("Out", fmt.Sprintf("%s (%s)", t.rate(outRate), render.Bytes(r.Out)))
	if !r.Retry.IsZero() && r.State == forwards.Failed {
		d.Add("Again", render.Ago(p.deck.Now, r.Retry))
	}
	if r.Exposed {
		d.Level("Exposed", theme.Warn, "other machines may be able to connect")
	}
}

// saved is what the file says of a forward.
func saved(d *widget.Details, t tunnel) {
	e := t.saved
	switch {
	case t.typed():
		d.Add("Profile", t.proc.Profile)
		d.Add("Region", t.proc.Region)
		d.Add("Saved", "no, gone when it ends; n saves it")
		return
	case e == nil:
		d.Add("Saved", "in no file any more")
		return
	}
	d.Add("Description", e.Description)
	d.Add("Groups", strings.Join(e.Groups, ", "))
	d.Add("Profile", e.Profile)
	d.Add("Region", e.Region)
	d.Add("Reason", e.Reason)
	if e.Idle > 0 {
		d.Add("Closes", "a session unused for "+render.Duration(e.Idle))
	}
	d.Add("File", fmt.Sprintf("%s:%d", e.File, e.Line))
}
