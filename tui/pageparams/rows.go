package pageparams

import (
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// soon is how long before it expires a parameter is marked.
const soon = 7 * 24 * time.Hour

// row is a parameter, or in the tree a folder, or both of one name.
type row struct {
	at    grid.Place
	key   string
	path  string
	name  string // the last part, in the tree
	depth int
	below int // parameters below it
	param *parameter.Parameter
	// expires is when a policy deletes it; zero: never, or that is not understood.
	expires time.Time
}

// version is the key of what is read of a parameter: another version is another one.
func (r row) version() string { return r.key + ":" + strconv.FormatInt(r.param.Version, 10) }

// folder is the hierarchy of one place.
type folder struct {
	at   grid.Place
	root *parameter.Branch
}

// refresh makes the rows anew when the feed has changed.
func (p *Page) refresh() {
	if p.fresh && p.gen == p.set.Parameters.Gen() {
		return
	}
	p.fresh, p.gen = true, p.set.Parameters.Gen()
	p.clock()
	p.widen()
	p.rows, p.roots = make([]row, 0, p.set.Parameters.Len()), p.roots[:0]
	for _, at := range p.set.Parameters.Places() {
		list, _ := p.set.Parameters.At(at)
		for i := range list {
			p.rows = append(p.rows, p.parameterRow(at, &list[i]))
		}
		if len(list) > 0 {
			p.roots = append(p.roots, &folder{at, parameter.Tree("/", list)})
		}
	}
	p.list.Filling(p.set.Parameters.State().Filling())
	p.list.Reset(len(p.rows))
	p.unfold()
}

func (p *Page) parameterRow(at grid.Place, v *parameter.Parameter) row {
	r := row{at: at, key: deck.Key(at, v.Name), path: v.Name, name: v.Name, param: v}
	if len(v.Policies) > 0 {
		due, _ := parameter.DueOf(*v, p.deck.Now)
		for _, d := range due {
			if d.Event == parameter.Expires {
				r.expires = d.At
			}
		}
	}
	return r
}

// unfold makes the rows of the tree: what is below folders that are open.
func (p *Page) unfold() {
	p.branches = p.branches[:0]
	for _, f := range p.roots {
		depth := 0
		if len(p.roots) > 1 {
			key := deck.Key(f.at, "/")
			p.branches = append(p.branches, row{at: f.at, key: key, path: "/", name: f.at.String(), below: f.root.Below})
			if !p.unfolded[key] {
				continue
			}
			depth = 1
		}
		p.branch(f.at, f.root.Children, depth)
	}
	p.tree.Filling(p.set.Parameters.State().Filling())
	p.tree.Reset(len(p.branches))
}

func (p *Page) branch(at grid.Place, list []*parameter.Branch, depth int) {
	for _, b := range list {
		r := row{at: at, key: deck.Key(at, b.Path)}
		if b.Parameter != nil {
			r = p.parameterRow(at, b.Parameter)
		}
		r.path, r.name, r.depth, r.below = b.Path, b.Name, depth, b.Below
		if b.Parameter != nil {
			r.path = b.Parameter.Name
		}
		p.branches = append(p.branches, r)
		if b.Below > 0 && p.unfolded[r.key] {
			p.branch(at, b.Children, depth+1)
		}
	}
}

// fold opens and closes folders; false for keys that do something else.
func (p *Page) fold(key string) bool {
	at, ok := p.tree.Current()
	if !ok {
		return false
	}
	r := p.branches[at]
	switch key {
	case "right", "l":
		if r.below > 0 {
			p.unfolded[r.key] = true
			p.unfold()
		}
	case "left", "h":
		if r.below > 0 && p.unfolded[r.key] {
			delete(p.unfolded, r.key)
			p.unfold()
			return true
		}
		for up := at - 1; up >= 0; up-- {
			if p.branches[up].depth < r.depth {
				p.tree.Select(p.branches[up].key)
				break
			}
		}
	default:
		return false
	}
	return true
}

// toggle opens or closes the folder under the cursor.
func (p *Page) toggle(r row) {
	if p.unfolded[r.key] {
		delete(p.unfolded, r.key)
	} else {
		p.unfolded[r.key] = true
	}
	p.unfold()
}

// label is the name of a row in the tree: indented, and with what is below it.
func (p *Page) label(r row) string {
	text := strings.Repeat("  ", r.depth)
	switch {
	case r.below == 0:
		return text + "  " + r.name
	case p.unfolded[r.key]:
		text += p.deck.Styles.Glyphs.Opened + " "
	default:
		text += p.deck.Styles.Glyphs.Closed + " "
	}
	return text + strings.TrimSuffix(r.name, "/") + "/ (" + widget.Grouped(r.below) + ")"
}

// expiry is when a parameter expires, with a mark when that is soon.
func (p *Page) expiry(r row) string {
	if r.expires.IsZero() {
		return ""
	}
	text := render.Ago(p.deck.Now, r.expires)
	if r.expires.Sub(p.deck.Now) < soon {
		text = p.deck.Styles.Glyphs.Warn + " " + text
	}
	return text
}

// who is what a person looks for in the ARN of a caller.
func who(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// current is the row under the cursor.
func (p *Page) current() (row, bool) {
	at, ok := p.now().Current()
	if !ok {
		return row{}, false
	}
	return p.visibleRows()[at], true
}

func (p *Page) visibleRows() []row {
	if p.folded() {
		return p.branches
	}
	return p.rows
}

// chosen are the parameters an action is about; folders are left out.
func (p *Page) chosen() (out []grid.Row[string]) {
	rows := p.visibleRows()
	for _, i := range p.now().Chosen() {
		if rows[i].param != nil {
			out = append(out, grid.Row[string]{Place: rows[i].at, Value: rows[i].param.Name})
		}
	}
	return out
}
