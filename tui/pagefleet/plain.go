package pagefleet

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// Plain is the page as text: a sentence a node.
func (p *Page) Plain() deck.Plain {
	p.reload()
	var out deck.Plain
	if p.list.Len() == 0 {
		for _, l := range p.notice() {
			if text := strings.TrimSpace(l.head + l.key + " " + l.value); text != "" {
				out.Summary = append(out.Summary, text)
			}
		}
	} else {
		out.Summary = append(out.Summary, p.summary())
		if n := p.blind(); n > 0 {
			out.Summary = append(out.Summary, "Of "+widget.Count(n, "node")+" it is not known whether they fit the filter.")
		}
	}
	for _, i := range p.list.Shown() {
		r := p.rows[i]
		out.Items = append(out.Items, deck.Item{
			Text: p.sentence(&r), Detail: p.plainDetail(&r), Key: r.key,
			Choose: func() bool { return p.choose(r.key) },
		})
	}
	return out
}

// choose puts the cursor on a node; false: it is not shown any more.
func (p *Page) choose(key string) bool {
	if !p.list.Select(key) {
		return false
	}
	p.node.of = key
	return true
}

// summary counts the nodes that are shown by state.
func (p *Page) summary() string {
	count := map[string]int{}
	var order []string
	for _, i := range p.list.Shown() {
		word, _ := p.rows[i].state()
		if count[word]++; count[word] == 1 {
			order = append(order, word)
		}
	}
	parts := make([]string, len(order))
	for i, word := range order {
		parts[i] = fmt.Sprintf("%d %s", count[word], word)
	}
	return widget.Count(p.list.Len(), "node") + ": " + strings.Join(parts, ", ")
}

// sentence is a row as one sentence.
func (p *Page) sentence(r *row) string {
	word, _ := r.state()
	parts := []string{word}
	if r.managed {
		parts = append(parts, r.heard(p.deck.Now))
	}
	agent, _ := r.agent()
	patches, _ := r.patches()
	for _, s := range []string{platform(r), "agent " + agent, patchWords(patches)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if p.deck.Several() {
		parts = append(parts, r.at.String())
	}
	return render.Visible(r.n.String() + ": " + strings.Join(parts, ", "))
}

func patchWords(words string) string {
	if words == "" {
		return ""
	}
	return "patches " + words
}

// plainDetail is the pane as text, as far as it is known: the node, or what its
// examination has found.
func (p *Page) plainDetail(r *row) []string {
	var out []string
	lines := p.nodeLines(r)
	if p.exam.of == r.key {
		lines, _ = p.examLines(r)
	}
	for _, l := range lines {
		switch {
		case strings.HasSuffix(l.head, "?"):
			out = append(out, l.head)
		case l.head != "":
			out = append(out, l.head+":")
		case l.key != "":
			out = append(out, l.key+": "+withNote(l))
		case l.value != "":
			out = append(out, withNote(l))
		}
	}
	return out
}

func withNote(l line) string {
	if l.note == "" {
		return l.value
	}
	return l.value + "; " + l.note
}
