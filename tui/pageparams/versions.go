package pageparams

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/textdiff"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

func (p *Page) newVersions() *widget.List {
	at := func(i int) parameter.Parameter { return p.history[i] }
	columns := []widget.Column{
		{ID: "version", Title: "VERSION", Text: func(i int) string { return strconv.FormatInt(at(i).Version, 10) }, Compare: func(a, b int) int { return cmp.Compare(at(a).Version, at(b).Version) }, Right: true},
		{ID: "labels", Title: "LABELS", Text: func(i int) string { return strings.Join(at(i).Labels, " ") }, Rank: 1, Max: 32},
		{ID: "modified", Title: "MODIFIED", Text: func(i int) string { return p.deck.Ago(at(i).Modified) }, Compare: func(a, b int) int { return at(a).Modified.Compare(at(b).Modified) }, Right: true, Rank: 2},
		{ID: "by", Title: "BY", Text: func(i int) string { return who(at(i).ModifiedBy) }, Rank: 3, Max: 20},
		{ID: "changed", Title: "CHANGED", Text: func(i int) string { return p.changed(i) }, Rank: 4},
	}
	return widget.NewList(widget.Options{Columns: columns, Key: func(i int) string { return strconv.FormatInt(at(i).Version, 10) }, None: p.noVersions})
}

func (p *Page) noVersions() string {
	r, ok := p.current()
	if !ok || r.param == nil {
		return "a folder has no versions"
	}
	switch _, at, err, _ := p.histories.Get(r.version()); {
	case err != nil:
		return "not known: " + fault.Explain(err)
	case at.IsZero():
		return "reading the versions"
	}
	return "no versions"
}

// pickHistory takes the versions of the row under the cursor: decrypted ones where
// they are shown.
func (p *Page) pickHistory() {
	p.history = nil
	if r, ok := p.current(); ok && r.param != nil {
		p.history, _, _, _ = p.histories.Get(r.version())
		if v, known, _ := p.secret.read(); known && p.secret.key == r.key && v.versions != nil {
			p.history = v.versions
		}
	}
	p.versions.Reset(len(p.history))
}

// change is what a version changed against the one before it; false: it is the first
// that is kept.
func (p *Page) change(i int) (parameter.Step, bool) {
	if i+1 >= len(p.history) {
		return parameter.Step{}, false
	}
	return parameter.Compare(p.history[i+1], p.history[i], !p.decrypted()), true
}

// decrypted reports whether the versions on the screen have their secrets.
func (p *Page) decrypted() bool {
	v, known, _ := p.secret.read()
	return known && v.versions != nil
}

// changed are the fields that a version changed.
func (p *Page) changed(i int) string {
	step, ok := p.change(i)
	if !ok {
		return ""
	}
	var words []string
	for _, c := range step.Changes {
		word := strings.ReplaceAll(c.Field, "_", " ")
		if c.Unknown {
			word += "?"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// difference is how the version under the cursor differs from the one before it, line
// by line, drawn at a width.
func (p *Page) difference(width int) string {
	i, ok := p.versions.Current()
	if !ok {
		return ""
	}
	st := p.deck.Styles
	step, ok := p.change(i)
	if !ok {
		return paint(st.Dim, "", "the first version that is kept", width)
	}
	lines := []string{paint(st.Dim, "", fmt.Sprintf("version %d to %d", step.From, step.To), width)}
	if len(step.Changes) == 0 {
		lines = append(lines, paint(st.Unknown, "", "nothing but the version", width))
	}
	for _, c := range step.Changes {
		field := strings.ReplaceAll(c.Field, "_", " ")
		switch {
		case c.Unknown:
			lines = append(lines, paint(st.Unknown, "", field+": not compared, for it is secret; v shows it", width))
			continue
		case c.Secret:
			lines = append(lines, paint(st.Unknown, "", field+": changed; it is secret", width))
			continue
		}
		lines = append(lines, paint(st.Strong, "", field, width))
		for _, l := range textdiff.Compare(textdiff.Lines(c.Before), textdiff.Lines(c.After)) {
			style := map[textdiff.Kind]lipgloss.Style{textdiff.Insert: st.Good, textdiff.Delete: st.Bad, textdiff.Equal: st.Unknown}[l.Kind]
			lines = append(lines, paint(style, string(rune(l.Kind))+" ", ending(l.Text), width))
		}
	}
	return strings.Join(lines, "\n")
}

// ending takes off a line what only says that a text does not end in a line break.
func ending(line string) string {
	text, _, _ := strings.Cut(line, "\n")
	return text
}

// paint draws a foreign text of one line, made harmless, over as many lines as it
// takes.
func paint(style lipgloss.Style, prefix, text string, width int) string {
	text = render.Visible(strings.ReplaceAll(strings.TrimSuffix(text, "\r"), "\t", "    "))
	lines := strings.Split(ansi.Wrap(text, max(width-len(prefix), 4), "/:-.,="), "\n")
	for i, l := range lines {
		lines[i] = style.Render(prefix + l)
	}
	return strings.Join(lines, "\n")
}
