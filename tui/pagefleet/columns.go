package pagefleet

import (
	"cmp"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// columns are all there are of the list; those a screen has no room for give way by
// their rank.
func (p *Page) columns() []widget.Column {
	return []widget.Column{
		p.state("state", "STATE", (*row).state, byAttention),
		p.text("name", "NAME", 1, func(r *row) string { return r.n.Name }, widget.Column{Min: 8, Max: 26}),
		p.text("id", "NODE ID", 5, func(r *row) string { return r.n.ID }, widget.Column{Min: 10, Max: 20, Middle: true}),
		p.text("platform", "PLATFORM", 6, platform, widget.Column{Max: 30}),
		p.with(p.state("agent", "AGENT", (*row).agent, func(a, b *row) int { return fleet.CompareAgents(*a.n, *b.n) }), 3),
		p.text("ip", "IP", 7, func(r *row) string { return r.n.IP }, widget.Column{}),
		p.with(p.state("patches", "PATCHES", (*row).patches, comparePatches), 2),
		p.with(p.state("association", "ASSOCIATIONS", (*row).association, nil), 9),
		p.age("ping", "LAST PING", 4, func(r *row) time.Time { return r.n.LastPing }),
		p.off(p.text("account", "ACCOUNT", 8, func(r *row) string { return r.at.Who() }, widget.Column{}), true),
		p.off(p.text("region", "REGION", 2, func(r *row) string { return r.at.Region }, widget.Column{}), true),
		p.text("tags", "TAGS", 10, p.tags, widget.Column{Min: 12, Max: 60}),
		p.off(p.text("computer", "COMPUTER NAME", 11, func(r *row) string { return r.n.ComputerName }, widget.Column{Max: 32}), true),
		p.off(p.text("instance_type", "INSTANCE TYPE", 11, func(r *row) string { return r.n.InstanceType }, widget.Column{}), true),
		p.off(p.ec2("instance", "INSTANCE", func(n *fleet.Node) string { return n.State }), true),
		p.off(p.ec2("az", "ZONE", func(n *fleet.Node) string { return n.AZ }), true),
		p.off(p.ec2("vpc", "VPC", func(n *fleet.Node) string { return n.VPC }), true),
		p.off(p.ec2("subnet", "SUBNET", func(n *fleet.Node) string { return n.Subnet }), true),
		p.off(p.ec2("image", "IMAGE", func(n *fleet.Node) string { return n.Image }), true),
		p.off(p.text("role", "ROLE", 11, func(r *row) string { return r.n.IAMRole }, widget.Column{Max: 32}), true),
		p.off(p.text("type", "TYPE", 11, func(r *row) string { return r.n.ResourceType }, widget.Column{}), true),
		p.off(p.text("activation", "ACTIVATION", 11, func(r *row) string { return r.n.ActivationID }, widget.Column{}), true),
		p.off(p.age("registered", "REGISTERED", 11, func(r *row) time.Time { return r.n.Registered }), true),
		p.off(p.age("launched", "LAUNCHED", 11, func(r *row) time.Time { return r.n.Launched }), true),
	}
}

func (p *Page) text(id, title string, rank int, of func(*row) string, c widget.Column) widget.Column {
	c.ID, c.Title, c.Rank = id, title, rank
	c.Text = func(i int) string { return of(&p.rows[i]) }
	return c
}

// state is a column whose cell is a word with a level. Its changes flash.
func (p *Page) state(id, title string, of func(*row) (string, theme.Level), compare func(a, b *row) int) widget.Column {
	c := widget.Column{
		ID: id, Title: title, Flash: true, Max: 22,
		Text:  func(i int) string { word, _ := of(&p.rows[i]); return word },
		Level: func(i int) theme.Level { _, level := of(&p.rows[i]); return level },
		Same: func(i int) string {
			word, level := of(&p.rows[i])
			if level == theme.Unknown {
				return "" // not read yet
			}
			return word
		},
	}
	if compare != nil {
		c.Compare = func(a, b int) int { return compare(&p.rows[a], &p.rows[b]) }
	}
	return c
}

func (*Page) with(c widget.Column, rank int) widget.Column {
	c.Rank = rank
	return c
}

func (*Page) off(c widget.Column, off bool) widget.Column {
	c.Off = off
	return c
}

// age is a column of a moment. The youngest come first.
func (p *Page) age(id, title string, rank int, of func(*row) time.Time) widget.Column {
	c := p.text(id, title, rank, func(r *row) string { return p.deck.Ago(of(r)) }, widget.Column{})
	c.Compare = func(a, b int) int { return of(&p.rows[b]).Compare(of(&p.rows[a])) }
	return c
}

// ec2 is a column of what EC2 knows: unknown where it was not to be asked.
func (p *Page) ec2(id, title string, of func(*fleet.Node) string) widget.Column {
	return p.text(id, title, 11, func(r *row) string {
		switch {
		case r.n.Lacks(fleet.PartEC2):
			return "unknown"
		case !r.joined():
			return "not read yet"
		}
		return of(r.n)
	}, widget.Column{})
}

func platform(r *row) string {
	return cmp.Or(strings.TrimSpace(r.n.PlatformName+" "+r.n.PlatformVersion), r.n.Platform)
}

func (*Page) tags(r *row) string {
	switch {
	case lacksTags(r.n):
		return "unknown"
	case !r.joined():
		return "not read yet"
	}
	return tagText(r.n.Tags)
}

// joined reports whether what other services know of the node has been read, or been
// refused: nodes are listed before that.
func (r *row) joined() bool {
	if r.n.Instance() {
		return r.n.State != "" || r.n.Lacks(fleet.PartEC2)
	}
	return r.n.Tags != nil || r.n.Lacks(fleet.PartTags)
}

// lacksTags reports whether the tags could not be read; those of instances come with
// what EC2 knows.
func lacksTags(n *fleet.Node) bool {
	return n.Lacks(fleet.PartTags) || n.Instance() && n.Lacks(fleet.PartEC2)
}

// byAttention orders rows by what needs somebody first, then by name.
func byAttention(a, b *row) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.n.Name, b.n.Name), strings.Compare(a.n.ID, b.n.ID))
}
