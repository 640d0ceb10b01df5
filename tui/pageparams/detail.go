package pageparams

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/advice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/textdiff"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// masked stands for a value that is not shown.
const masked = "(hidden)"

// facts are the details of the row under the cursor.
func (p *Page) facts() []fact {
	r, ok := p.current()
	switch {
	case !ok:
		return nil
	case r.param == nil:
		return []fact{{name: "Path", value: r.path}, {name: "Below", value: count(r.below, "parameter")}}
	}
	v := *r.param
	out := append([]fact{{name: "Name", value: v.Name}, {name: "Type", value: v.Type}}, p.valueFacts(r)...)
	out = append(out, fact{name: "Version", value: strconv.FormatInt(v.Version, 10)}, fact{name: "Modified", value: p.when(v.Modified)}, fact{name: "By", value: v.ModifiedBy})
	out = append(out, p.dueFacts(v)...)
	out = append(
		out, fact{name: "Description", value: v.Description}, fact{name: "Tier", value: v.Tier}, fact{name: "Key", value: v.KeyID},
		fact{name: "Pattern", value: v.AllowedPattern}, fact{name: "Data type", value: v.DataType},
	)
	if r.below > 0 {
		out = append(out, fact{name: "Below", value: count(r.below, "parameter")})
	}
	if a, ok := advice.Of(v, advice.Facts{}, advice.Options{Now: p.deck.Now, MaxAge: 90 * 24 * time.Hour}); ok && a.Urgency != advice.Never {
		for _, reason := range a.Reasons {
			out = append(out, fact{name: "Advice", value: reason.Text, level: theme.Warn})
		}
	}
	if p.deck.Several() {
		out = append(out, fact{name: "Region", value: r.at.Region}, fact{name: "Account", value: r.at.Account})
	}
	return filled(out)
}

// valueFacts are the value, or why it is not there.
func (p *Page) valueFacts(r row) []fact {
	if r.param.Secure() {
		return p.secretFacts(r)
	}
	v, at, err, loading := p.values.Get(r.version())
	switch {
	case err != nil:
		return []fact{{name: "Value", value: explain(err), level: theme.Bad}}
	case at.IsZero() && loading:
		return []fact{{name: "Value", value: "reading"}}
	case at.IsZero():
		return []fact{{name: "Value", value: "not read"}}
	case r.param.Type == parameter.StringList:
		return []fact{{name: "Value", value: strings.ReplaceAll(v, ",", "\n")}}
	}
	return []fact{{name: "Value", value: v}}
}

func (p *Page) secretFacts(r row) []fact {
	if p.secret.key != r.key {
		return []fact{{name: "Value", value: masked + " v shows it"}}
	}
	v, known, err := p.secret.read()
	switch {
	case err != nil:
		return []fact{{name: "Value", value: explain(err), level: theme.Bad}}
	case !known:
		return []fact{{name: "Value", value: "decrypting"}}
	}
	left := max(p.secret.until.Sub(p.deck.Now), 0).Round(time.Second)
	return []fact{{name: "Value", value: v.value, level: theme.Warn}, {name: "Hidden", value: "in " + render.Duration(left) + ", or with v"}}
}

func (p *Page) dueFacts(v parameter.Parameter) (out []fact) {
	due, unread := parameter.DueOf(v, p.deck.Now)
	for _, d := range due {
		f := fact{name: map[string]string{parameter.Expires: "Expires", parameter.ExpiryNotice: "Notice", parameter.UnchangedNotice: "Notice"}[d.Event], value: p.when(d.At)}
		if d.Late {
			f.value += ", which is late"
		}
		if d.Event == parameter.Expires && d.At.Sub(p.deck.Now) < soon {
			f.level, f.value = theme.Warn, p.deck.Styles.Glyphs.Warn+" "+f.value
		}
		out = append(out, f)
	}
	for _, u := range unread {
		out = append(out, fact{name: "Policy", value: u.Type + ", which is not understood"})
	}
	return out
}

func filled(facts []fact) []fact {
	out := facts[:0]
	for _, f := range facts {
		if f.value != "" {
			out = append(out, f)
		}
	}
	return out
}

// explain is an error with its hint.
func explain(err error) string {
	text := err.Error()
	if hint := fault.HintOf(err); hint != "" {
		text += ": " + hint
	}
	return text
}

func (p *Page) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return render.Local(t, p.deck.Location) + ", " + render.Ago(p.deck.Now, t)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (p *Page) newVersions() *widget.List {
	at := func(i int) parameter.Parameter { return p.history[i] }
	columns := []widget.Column{
		{ID: "version", Title: "VERSION", Text: func(i int) string { return strconv.FormatInt(at(i).Version, 10) }, Compare: func(a, b int) int { return cmp.Compare(at(a).Version, at(b).Version) }, Right: true},
		{ID: "labels", Title: "LABELS", Text: func(i int) string { return strings.Join(at(i).Labels, " ") }, Rank: 1, Max: 32},
		{ID: "modified", Title: "MODIFIED", Text: func(i int) string { return render.Ago(p.deck.Now, at(i).Modified) }, Compare: func(a, b int) int { return at(a).Modified.Compare(at(b).Modified) }, Right: true, Rank: 2},
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
		return "not known: " + explain(err)
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

// step is what a version changed against the one before it; false: it is the first
// that is kept.
func (p *Page) step(i int) (parameter.Step, bool) {
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
	step, ok := p.step(i)
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

// diffFacts are how the version under the cursor differs from the one before it.
func (p *Page) diffFacts() (out []fact) {
	i, ok := p.versions.Current()
	if !ok {
		return nil
	}
	step, ok := p.step(i)
	if !ok {
		return []fact{{value: "the first version that is kept", dim: true}}
	}
	out = append(out, fact{value: fmt.Sprintf("version %d to %d", step.From, step.To), dim: true})
	if len(step.Changes) == 0 {
		return append(out, fact{value: "nothing but the version"})
	}
	for _, c := range step.Changes {
		field := strings.ReplaceAll(c.Field, "_", " ")
		switch {
		case c.Unknown:
			out = append(out, fact{value: field + ": not compared, for it is secret; v shows it"})
			continue
		case c.Secret:
			out = append(out, fact{value: field + ": changed; it is secret"})
			continue
		}
		out = append(out, fact{value: field})
		for _, l := range textdiff.Compare(textdiff.Lines(c.Before), textdiff.Lines(c.After)) {
			if strings.HasPrefix(l.Text, `\`) {
				continue
			}
			out = append(out, fact{value: strings.TrimSuffix(l.Text, "\n"), kind: l.Kind})
		}
	}
	return out
}

// Plain is the page as text. A value that is hidden is hidden here, too.
func (p *Page) Plain() deck.Plain {
	out := deck.Plain{Summary: []string{p.summary()}}
	l, rows := p.now(), p.visibleRows()
	before, _ := p.current()
	for _, i := range l.Shown() {
		r := rows[i]
		item := deck.Item{Text: visible(p.sentence(r)), Choose: func() { l.Select(r.key) }}
		l.Select(r.key)
		for _, f := range p.facts() {
			item.Detail = append(item.Detail, f.name+": "+visible(f.value))
		}
		out.Items = append(out.Items, item)
	}
	l.Select(before.key)
	return out
}

func (p *Page) summary() string {
	switch {
	case p.now().Len() == 0:
		return p.none()
	case p.folded():
		return fmt.Sprintf("%s, as folders; enter opens one, T shows a list.", count(len(p.rows), "parameter"))
	}
	return fmt.Sprintf("%d shown of %s; T shows folders.", p.list.Len(), count(len(p.rows), "parameter"))
}

func (p *Page) sentence(r row) string {
	if r.param == nil {
		return "folder " + r.path + ", " + count(r.below, "parameter")
	}
	text := fmt.Sprintf("%s, %s, version %d, modified %s", r.path, r.param.Type, r.param.Version, render.Ago(p.deck.Now, r.param.Modified))
	if !r.expires.IsZero() {
		text += ", expires " + render.Ago(p.deck.Now, r.expires)
	}
	return text
}

// none is what stands in place of rows.
func (p *Page) none() string {
	s := p.set.Parameters.State()
	switch {
	case s.Empty() && len(s.Failures) > 0:
		return "not known: " + visible(explain(s.Failures[0].Err))
	case s.Empty() && s.Places > 1:
		return fmt.Sprintf("loading %d/%d places", s.Loaded, s.Places)
	case s.Empty():
		return "loading"
	case p.filter != "":
		return "no parameter fits the filter"
	}
	return "there are no parameters: n makes one"
}
