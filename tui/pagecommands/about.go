package pagecommands

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// about is what is known of the run under the cursor of the list.
func (p *Page) about(width int) string {
	i, ok := p.list.Current()
	if !ok || width < 1 {
		return ""
	}
	return p.known(p.items[i]).View(p.deck.Styles, width)
}

// known are the facts about a run that the list has: they cost no call.
func (p *Page) known(it item) *widget.Details {
	r := it.Value
	var d widget.Details
	state := r.State.Called(r.Detail)
	if r.State != run.Strange && r.Detail != "" && !strings.EqualFold(r.Detail, state) && r.Detail != "Success" {
		state += " (" + r.Detail + ")"
	}
	d.Level("State", levels.Run(r.State), state)
	d.Add("Run", r.ID)
	d.Add("Document", strings.Join(r.Documents, ", "))
	d.Add("Comment", r.Comment)
	d.Add("Targets", targets(r))
	d.Add("Nodes", fmt.Sprintf("%s, %s done, %s failed", widget.Grouped(r.Targets), widget.Grouped(r.Completed), widget.Grouped(failed(r))))
	d.Add("Sent", render.Local(r.Requested, p.deck.Location)+", "+p.deck.Ago(r.Requested))
	d.Add("Place", it.Place.String())
	if n := r.Unsent(); n > 0 {
		d.Add("Not sent", fmt.Sprintf("%d of %d commands", n, r.Of))
	}
	if len(r.Commands) > 0 {
		addLimits(&d, r.Commands[0])
	}
	if len(r.Commands) == 1 && r.Commands[0].ID != r.ID {
		d.Add("Command", r.Commands[0].ID)
	}
	if len(r.Commands) > 1 {
		addCommands(&d, r.Commands)
	}
	if slices.ContainsFunc(r.Commands, func(c run.Command) bool { return len(c.Params) > 0 }) {
		d.Note("parameters are hidden: v shows them")
	}
	return &d
}

// addCommands adds how far each command of a run is.
func addCommands(d *widget.Details, commands []run.Command) {
	d.Section("Commands")
	const most = 20
	for _, c := range commands[:min(len(commands), most)] {
		id, _, _ := strings.Cut(c.ID, "-")
		d.Level(id, levels.Run(c.State), fmt.Sprintf("%s, %d of %s done", c.State.Called(c.Detail), c.Completed, widget.Count(c.Targets, "node")))
	}
	if more := len(commands) - most; more > 0 {
		d.Note(fmt.Sprintf("%d more", more))
	}
}

// addLimits adds how a command is limited and where its output goes.
func addLimits(d *widget.Details, c run.Command) {
	d.Add("Version", c.DocumentVersion)
	d.Add("At a time", limit(c.MaxConcurrency))
	d.Add("Failures", stops(c.MaxErrors))
	switch {
	case c.S3Bucket != "":
		d.Add("Output", "s3://"+c.S3Bucket+"/"+c.S3Prefix)
	case c.LogGroup != "":
		d.Add("Output", "CloudWatch Logs "+c.LogGroup)
	}
	d.Add("Reason", c.Reason)
}
