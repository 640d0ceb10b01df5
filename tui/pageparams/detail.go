package pageparams

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/advice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// masked stands for a value that is not shown.
const masked = "(hidden)"

// oldSecret is the age from which a secret that was not changed is pointed out, as
// `param advise` does.
const oldSecret = 90 * 24 * time.Hour

// facts are the details of a row.
func (p *Page) facts(r row) (d widget.Details) {
	if r.param == nil {
		d.Add("Path", r.path)
		if r.below > 0 {
			d.Add("Below", widget.Count(r.below, "parameter"))
		}
		return d
	}
	v := *r.param
	d.Add("Name", v.Name)
	d.Add("Type", v.Type)
	p.valueFacts(&d, r)
	d.Add("Version", strconv.FormatInt(v.Version, 10))
	d.Add("Modified", p.when(v.Modified))
	d.Add("By", v.ModifiedBy)
	p.dueFacts(&d, v)
	d.Add("Description", v.Description)
	d.Add("Tier", v.Tier)
	d.Add("Key", v.KeyID)
	d.Add("Pattern", v.AllowedPattern)
	d.Add("Data type", v.DataType)
	if r.below > 0 {
		d.Add("Below", widget.Count(r.below, "parameter"))
	}
	p.tagFacts(&d, r)
	if p.deck.Several() {
		d.Add("Region", r.at.Region)
		d.Add("Account", r.at.Account)
	}
	p.advise(&d, v)
	return d
}

// tagFacts are the tags, which are read once the parameter is opened.
func (p *Page) tagFacts(d *widget.Details, r row) {
	tags, _, err, _ := p.tags.Get(r.version())
	if err != nil {
		d.Level("Tags", theme.Bad, fault.Explain(err))
		return
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		d.Add("Tag", key+"="+tags[key])
	}
}

// advise says what speaks for keeping a secret elsewhere, as far as its name, tier and
// age tell.
func (p *Page) advise(d *widget.Details, v parameter.Parameter) {
	a, ok := advice.Of(v, advice.Facts{}, advice.Options{Now: p.deck.Now, MaxAge: oldSecret})
	if !ok || a.Urgency == advice.Never {
		return
	}
	for _, reason := range a.Reasons {
		d.Level("Advice", theme.Warn, reason.Text)
	}
}

// valueFacts are the value, or why it is not there.
func (p *Page) valueFacts(d *widget.Details, r row) {
	if r.param.Secure() {
		p.secretFacts(d, r)
		return
	}
	v, at, err, loading := p.values.Get(r.version())
	switch {
	case err != nil:
		d.Level("Value", theme.Bad, fault.Explain(err))
	case at.IsZero() && loading:
		d.Add("Value", "reading")
	case at.IsZero():
		d.Add("Value", "not read")
	case r.param.Type == parameter.StringList:
		d.Add("Value", strings.ReplaceAll(v, ",", "\n"))
	default:
		d.Add("Value", v)
	}
}

func (p *Page) secretFacts(d *widget.Details, r row) {
	if p.secret.key != r.key {
		d.Add("Value", masked+" v shows it")
		return
	}
	v, known, err := p.secret.read()
	switch {
	case err != nil:
		d.Level("Value", theme.Bad, fault.Explain(err))
	case !known:
		d.Add("Value", "decrypting")
	default:
		left := max(p.secret.until.Sub(p.deck.Now), 0).Round(time.Second)
		d.Add("Value", v.value)
		d.Level("Hidden", theme.Warn, "in "+render.Duration(left)+", or with v")
	}
}

// dueFacts are what the policies will do.
func (p *Page) dueFacts(d *widget.Details, v parameter.Parameter) {
	due, unread := parameter.DueOf(v, p.deck.Now)
	for _, e := range due {
		name, text := "Notice", p.when(e.At)
		if e.Event == parameter.Expires {
			name = "Expires"
		}
		if e.Late {
			text += ", which is late"
		}
		if e.Event == parameter.Expires && e.At.Sub(p.deck.Now) < soon {
			d.Level(name, theme.Warn, text)
		} else {
			d.Add(name, text)
		}
	}
	for _, u := range unread {
		d.Add("Policy", u.Type+", which is not understood")
	}
}

func (p *Page) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return render.Local(t, p.deck.Location) + ", " + render.Ago(p.deck.Now, t)
}
