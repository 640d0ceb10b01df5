package palette

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// view is a page of which nothing but its name matters.
type view struct {
	deck.Page
	id, title, filter, why string
	status                 deck.Status
}

func (v *view) ID() string          { return v.id }
func (v *view) Title() string       { return v.title }
func (v *view) Filter() string      { return v.filter }
func (v *view) Status() deck.Status { return v.status }
func (v *view) Placeless() string   { return v.why }

// things finds names in places.
type things map[string]grid.Place

func (f things) Find(typed string, in func(grid.Place) bool, _ bool) (a Answer) {
	for name, at := range f {
		if typed != "" && strings.Contains(name, typed) && (in == nil || in(at)) {
			a.Entries = append(a.Entries, Entry{Name: name, Detail: "node", Worth: 300, Do: func() tea.Cmd { return nil }})
		}
	}
	return a
}

var (
	prodEU  = grid.Place{Profile: "prod", Account: "111111111111", Region: "eu-west-1"}
	prodUS  = grid.Place{Profile: "prod", Account: "111111111111", Region: "us-east-1"}
	stageEU = grid.Place{Profile: "stage", Account: "222222222222", Region: "eu-west-1"}
)

func testPalette(t *testing.T, places ...grid.Place) *Palette {
	t.Helper()
	desk := feed.NewDesk(nil, nil)
	t.Cleanup(desk.Close)
	var cells []grid.Cell
	for _, p := range places {
		cells = append(cells, grid.Cell{Place: p})
	}
	desk.Open(cells, nil)
	return &Palette{
		Deck: &deck.Deck{Where: deck.Where{Account: "111111111111", Context: "live", Region: "eu-west-1", Scopes: len(places)}}, Desk: desk,
		Pages: []deck.Page{
			&view{id: "overview", title: "Overview", why: "the overview counts all places together"},
			&view{id: "fleet", title: "Fleet", filter: "ping=lost | web"},
			&view{id: "parameters", title: "Params"},
		},
		Page: 1,
		Find: things{"web-1": prodEU, "web-2": stageEU},
	}
}

// said are the entries as lines: where each leads, or why it does not.
func said(a Answer) (out []string) {
	for _, e := range a.Entries {
		if e.Off != "" {
			out = append(out, fmt.Sprintf("%s (%s)", e.Name, e.Off))
			continue
		}
		line := e.Name
		if cmd := e.Do(); cmd != nil {
			switch m := cmd().(type) {
			case deck.Open:
				line += strings.TrimRight(" -> "+m.Page+" "+m.Filter, " ")
			case deck.Say:
				line += " -> " + m.Text
			}
		}
		out = append(out, line)
	}
	return out
}

func TestAnswer(t *testing.T) {
	several := []grid.Place{prodEU, prodUS, stageEU}
	tests := []struct {
		name   string
		places []grid.Place
		typed  string
		want   []string // the first entries
	}{
		{"a view", several, "fl", []string{"fleet -> fleet"}},
		{"the colon typed twice", several, ":fl", []string{"fleet -> fleet"}},
		{"a view by its digit", several, "2", []string{"fleet -> fleet"}},
		{"rows", several, "fleet ping=lost", []string{"fleet ping=lost -> fleet ping=lost"}},
		{"rows of a place", several, "fleet ping=lost @prod/eu-west-1", []string{"fleet ping=lost @prod/eu-west-1 -> fleet ping=lost account=111111111111 region=eu-west-1"}},
		{"every alternative is narrowed", several, "fleet ping=lost | web @us-east-1", []string{"fleet ping=lost | web @us-east-1 -> fleet ping=lost region=us-east-1 | web region=us-east-1"}},
		{"the place may come first", several, "@us fleet web", []string{"fleet web @us-east-1 -> fleet web region=us-east-1"}},
		{"an account by its id", several, "param @2222", []string{"parameters @stage -> parameters account=222222222222"}},
		{"an account by its alias", several, "param @live", []string{"parameters @prod -> parameters account=111111111111"}},
		{"letters in their order", several, "fleet @use1", []string{"fleet @us-east-1 -> fleet region=us-east-1"}},
		{"letters of another place", []grid.Place{prodEU, stageEU}, "fleet @us", []string{"@us (no place of this dashboard; it has prod, eu-west-1, stage)"}},
		{"several fit", several, "fleet @p/", []string{
			"fleet @prod/eu-west-1 -> fleet account=111111111111 region=eu-west-1", "fleet @prod/us-east-1 -> fleet account=111111111111 region=us-east-1",
		}},
		{"no place", several, "fleet @ap-south-1", []string{"@ap-south-1 (no place of this dashboard; it has prod, eu-west-1, us-east-1, stage)"}},
		{"the view that is shown, with the filter it has", several, "@stage", []string{
			"@stage -> fleet ping=lost account=222222222222 | web account=222222222222", "parameters @stage -> parameters account=222222222222",
		}},
		{"what has no place", several, "overview @stage", []string{"overview @stage (the overview counts all places together)"}},
		{"things of a place", several, "web @stage", []string{"web-2"}},
		{"nothing there", several, "web-1 @stage", []string{"web-1 @stage (it is neither a view nor anything known there)"}},
		{"the only place", []grid.Place{prodEU}, "fleet web @prod/eu-west-1", []string{"fleet web @prod/eu-west-1 -> fleet web"}},
		{"the only place alone", []grid.Place{prodEU}, "@eu-west-1", []string{"@eu-west-1 -> this dashboard looks at eu-west-1 alone"}},
		{"not the only place", []grid.Place{prodEU}, "fleet @us-east-1", []string{"@us-east-1 (no place of this dashboard; it has prod, eu-west-1)"}},
		{"an @ in quotes is no place", several, "fleet name='a @stage'", []string{"fleet name='a @stage' -> fleet name='a @stage'"}},
		{"an @ within a word is no place", several, "fleet who=a@stage", []string{"fleet who=a@stage -> fleet who=a@stage"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := said(testPalette(t, tt.places...).Answer(tt.typed))
			if strings.Join(got[:min(len(got), len(tt.want))], "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestPlacesThatAreNotThere(t *testing.T) {
	p := testPalette(t, prodEU)
	p.Desk.Open(p.Desk.Cells, []grid.Failure{{Place: prodUS, Err: errors.New("access denied")}})
	if got := said(p.Answer("fleet @us"))[0]; got != "fleet @us-east-1 (it could not be opened: access denied)" {
		t.Errorf("a place that could not be opened: %s", got)
	}
	if got := said(p.Answer("fleet @eu"))[0]; got != "fleet @eu-west-1 -> fleet region=eu-west-1" {
		t.Errorf("the one that could: %s", got)
	}
	desk := feed.NewDesk(nil, nil)
	t.Cleanup(desk.Close)
	p.Desk = desk
	if got := said(p.Answer("fleet @eu"))[0]; got != "@eu (the places of this dashboard are not known yet)" {
		t.Errorf("before any is known: %s", got)
	}
}

// What somebody has opened stands in the way of rows; marks are theirs.
func TestNarrowingClosesWhatIsOpened(t *testing.T) {
	p := testPalette(t, prodEU, prodUS)
	board := &view{id: "commands", title: "Commands", why: "the run that is open is in one place", status: deck.Status{Crumbs: []string{"8f2c"}}}
	p.Pages, p.Page = append(p.Pages, board), 3
	if got := said(p.Answer("@us"))[0]; got != "@us-east-1 (the run that is open is in one place)" {
		t.Errorf("alone: %s", got)
	}
	open := func() deck.Open {
		o, _ := p.Answer("commands @us").Entries[0].Do()().(deck.Open)
		return o
	}
	if o := open(); !o.Clear || o.Filter != "region=us-east-1" {
		t.Errorf("by its name: %+v", o)
	}
	if board.status.Marked = 2; open().Clear {
		t.Error("marks are dropped")
	}
}

func TestFitness(t *testing.T) {
	order := []string{"web", "web-1", "my-web", "cobweb", "w-e-b-x"} // best first
	last := 1000
	for _, name := range order {
		worth := Fitness("Web ", name)
		if worth < 0 || worth >= last {
			t.Errorf("%s: %d, after %d", name, worth, last)
		}
		last = worth
	}
	if w := Fitness("web", "bew"); w != -1 {
		t.Errorf("letters in another order fit: %d", w)
	}
	if w := Fitness("東", "x東"); w < 0 {
		t.Errorf("letters beyond ASCII: %d", w)
	}
}

func TestIndex(t *testing.T) {
	names := [][]string{{"web-1", "i-0aa"}, {}, {"Web-10", "i-0ab"}, {"db\nx", "i-0web"}, {"w-e-b", ""}}
	x := NewIndex(len(names), func(i int) []string { return names[i] })
	tests := []struct {
		typed string
		most  int
		in    func(int) bool
		want  string
	}{
		{"WEB-1", 9, nil, "[0 2]"},
		{"web", 9, nil, "[0 2 3]"}, // by letters alone the last one fits, too
		{"web", 1, nil, "[0]"},
		{"web", 9, func(i int) bool { return i > 0 }, "[2 3]"},
		{"wb", 9, nil, "[0 4 2 3]"},
		{"i-0a", 9, nil, "[0 2]"},
		{"1i", 9, nil, "[]"}, // a text goes not from one name to the next
		{"", 2, nil, "[0 2]"},
		{"nothing", 9, nil, "[]"},
	}
	for _, tt := range tests {
		got := []int{}
		for i, worth := range x.Best(tt.typed, tt.most, tt.in) {
			if got = append(got, i); worth < 0 {
				t.Errorf("%q: %d fits with %d", tt.typed, i, worth)
			}
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%q: got %v, want %s", tt.typed, got, tt.want)
		}
	}
}
