package pageparams

import (
	"cmp"
	"strconv"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// never is behind everything that expires.
const never = 1 << 60

// number is the version of a row; a folder has none.
func (r row) number() int64 {
	if r.param == nil {
		return 0
	}
	return r.param.Version
}

// changed is when the latest version was written; zero for a folder.
func (r row) changed() (t time.Time) {
	if r.param != nil {
		t = r.param.Modified
	}
	return t
}

// order puts rows in the order in which they expire.
func (r row) order() int64 {
	if r.expires.IsZero() {
		return never
	}
	return r.expires.Unix()
}

// left is as long ago as it is until the row expires, so that expires<7d means those
// that do within a week.
func (r row) left(now time.Time) (t time.Time) {
	if !r.expires.IsZero() {
		t = now.Add(-r.expires.Sub(now))
	}
	return t
}

// newList makes the tree or the list: both have the same columns, of other rows.
func (p *Page) newList(rows func() []row, label func(row) string, sort string) *widget.List {
	text := func(get func(v *parameter.Parameter) string) func(int) string {
		return func(i int) string {
			if v := rows()[i].param; v != nil {
				return get(v)
			}
			return ""
		}
	}
	by := func(get func(r row) int64) func(a, b int) int {
		return func(a, b int) int { return cmp.Compare(get(rows()[a]), get(rows()[b])) }
	}
	columns := []widget.Column{
		{ID: "name", Title: "NAME", Text: func(i int) string { return label(rows()[i]) }, Max: 64, Loose: true},
		{ID: "type", Title: "TYPE", Text: text(func(v *parameter.Parameter) string { return v.Type }), Rank: 1},
		{ID: "version", Title: "VERSION", Text: text(func(v *parameter.Parameter) string { return strconv.FormatInt(v.Version, 10) }), Sort: terms.Number, Compare: by(row.number), Right: true, Rank: 3, Flash: true},
		{
			ID: "modified", Title: "MODIFIED", Text: text(func(v *parameter.Parameter) string { return p.deck.Ago(v.Modified) }), Sort: terms.Moment,
			At: func(i int) time.Time { return rows()[i].changed() }, Compare: by(func(r row) int64 { return r.changed().Unix() }), Right: true, Rank: 2,
		},
		{ID: "by", Title: "BY", Text: text(func(v *parameter.Parameter) string { return who(v.ModifiedBy) }), Rank: 4, Max: 20},
		{
			ID: "expires", Title: "EXPIRES", Text: func(i int) string { return p.expiry(rows()[i]) }, Sort: terms.Moment,
			At: func(i int) time.Time { return rows()[i].left(p.deck.Now) }, Compare: by(row.order), Rank: 1,
		},
		{ID: "tier", Title: "TIER", Text: text(func(v *parameter.Parameter) string { return v.Tier }), Rank: 5},
		{ID: "description", Title: "DESCRIPTION", Text: text(func(v *parameter.Parameter) string { return v.Description }), Rank: 6, Max: 48},
		{ID: "key", Title: "KEY", Text: text(func(v *parameter.Parameter) string { return v.KeyID }), Middle: true, Rank: 7, Off: true},
		{ID: "data", Title: "DATA TYPE", Text: text(func(v *parameter.Parameter) string { return v.DataType }), Rank: 8, Off: true},
		{ID: "region", Title: "REGION", Text: func(i int) string { return rows()[i].at.Region }, Rank: 3, Off: true},
		{ID: "account", Title: "ACCOUNT", Text: func(i int) string { return rows()[i].at.Who() }, Rank: 4, Off: true},
	}
	return widget.NewList(widget.Options{
		Columns: columns, Key: func(i int) string { return rows()[i].key }, Marks: true, Sort: sort, None: p.none,
	})
}
