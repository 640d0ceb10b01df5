package pagecommands

import (
	"cmp"
	"fmt"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Plain is the page as text.
func (p *Page) Plain() deck.Plain {
	p.load()
	if p.board != nil {
		return p.plainBoard()
	}
	out := deck.Plain{Summary: []string{widget.Count(len(p.items), "run") + " in the last 24 hours, " + widget.Grouped(p.running) + " under way"}}
	if p.list.Len() == 0 {
		out.Summary = []string{render.Visible(p.none())}
	}
	for _, i := range p.list.Shown() {
		r, key := p.items[i].Value, p.key(i)
		text := fmt.Sprintf("%s: %s, %s, %d of %s done, %d failed, sent %s",
			r.Ref(), r.State.Called(r.Detail), cmp.Or(documents(r), "document not known"), r.Completed, widget.Count(r.Targets, "node"), failed(r), p.deck.Once(r.Requested))
		if r.Comment != "" {
			text += ", " + r.Comment
		}
		out.Items = append(out.Items, deck.Item{Text: render.Visible(text), Detail: p.known(p.items[i]).Plain(), Choose: func() bool { return p.list.Select(key) }})
	}
	return out
}

// plainBoard is one run as text.
func (p *Page) plainBoard() deck.Plain {
	b := p.board
	out := deck.Plain{Summary: []string{
		render.Visible(fmt.Sprintf("Run %s: %s, %s", b.ref(), documents(b.run), targets(b.run))),
		fmt.Sprintf("%s of %s done", widget.Grouped(b.sum.Finished()), widget.Count(b.total(), "node")),
	}}
	counts, unread := b.counts()
	for _, s := range run.States() {
		if n := counts[s]; n > 0 {
			out.Summary = append(out.Summary, widget.Count(n, "node")+" "+word(s))
		}
	}
	if unread > 0 {
		out.Summary = append(out.Summary, widget.Count(unread, "node")+" done, and not read yet")
	}
	for _, r := range p.remarks() {
		out.Summary = append(out.Summary, ansi.Strip(r))
	}
	for _, i := range p.nodes.Shown() {
		e := p.rows[i]
		item := deck.Item{
			Text:   render.Visible(p.title(e) + ": " + ending(e.state, e.code)),
			Choose: func() bool { return p.nodes.Select(e.key) },
		}
		if e.fold() {
			item.Text += ", " + render.Visible(p.folded(e))
		}
		for _, l := range p.text(e) {
			item.Detail = append(item.Detail, l.text)
		}
		out.Items = append(out.Items, item)
	}
	return out
}
