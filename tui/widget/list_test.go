package widget

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

var now = time.Date(2026, 11, 27, 14, 2, 31, 0, time.UTC)

// server is a row of the lists under test.
type server struct {
	id, name, state, version string
	patches                  int
	seen                     time.Time
}

type fleet struct {
	rows []server
	*List
}

func newFleet(rows ...server) *fleet {
	f := &fleet{rows: rows}
	row := func(get func(*server) string) func(int) string { return func(i int) string { return get(&f.rows[i]) } }
	f.List = NewList(Options{
		Columns: []Column{
			{ID: "state", Title: "STATE", Text: row(func(s *server) string { return s.state }), Flash: true, Level: func(i int) theme.Level {
				if f.rows[i].state == "online" {
					return theme.Good
				}
				return theme.Bad
			}},
			{ID: "name", Title: "NAME", Text: row(func(s *server) string { return s.name }), Loose: true, Rank: 0},
			{ID: "id", Title: "ID", Text: row(func(s *server) string { return s.id }), Middle: true, Min: 10, Rank: 1},
			{ID: "agent", Title: "AGENT", Text: row(func(s *server) string { return s.version }), Sort: terms.Version, Rank: 2},
			{ID: "missing", Title: "MISSING", Text: row(func(s *server) string {
				if s.patches < 0 {
					return "unknown"
				}
				return Grouped(s.patches)
			}), Sort: terms.Number, Right: true, Rank: 3, Also: func(i int) string { return "hidden-" + f.rows[i].id }},
			{ID: "seen", Title: "SEEN", Text: row(func(s *server) string {
				if s.seen.IsZero() {
					return ""
				}
				return now.Sub(s.seen).String()
			}), Sort: terms.Moment, At: func(i int) time.Time { return f.rows[i].seen }, Off: true, Rank: 4},
		},
		Key:   func(i int) string { return f.rows[i].id },
		Sort:  "name",
		Marks: true,
		None:  func() string { return "no server fits" },
		Dim:   func(i int) bool { return f.rows[i].state == "gone" },
	})
	f.SetStyles(theme.New(theme.Dark, false, false))
	f.SetNow(now, false)
	f.SetSize(70, 6)
	f.Reset(len(rows))
	return f
}

// many are n servers of which every tenth is lost.
func many(n int) []server {
	rows := make([]server, n)
	for i := range rows {
		rows[i] = server{
			id: fmt.Sprintf("i-%017x", i), name: fmt.Sprintf("web-%05d", (i*7919)%n), state: "online", version: fmt.Sprintf("3.%d.1", i%40),
			patches: i % 50, seen: now.Add(-time.Duration(i) * time.Second),
		}
		if i%10 == 0 {
			rows[i].state = "lost"
		}
	}
	return rows
}

func (f *fleet) names() string {
	var out []string
	for _, i := range f.Shown() {
		out = append(out, f.rows[i].name)
	}
	return strings.Join(out, " ")
}

func (f *fleet) current() string {
	i, ok := f.Current()
	if !ok {
		return ""
	}
	return f.rows[i].name
}

func (f *fleet) press(keys ...string) {
	for _, k := range keys {
		code := []rune(k)[0]
		msg := tea.KeyPressMsg{Code: code, Text: k}
		switch k {
		case "space":
			msg = tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
		case "ctrl+space":
			msg = tea.KeyPressMsg{Code: tea.KeySpace, Mod: tea.ModCtrl}
		case "shift+down":
			msg = tea.KeyPressMsg{Code: tea.KeyDown, Mod: tea.ModShift}
		case "pgdown":
			msg = tea.KeyPressMsg{Code: tea.KeyPgDown}
		}
		f.Update(msg)
	}
}

var four = []server{
	{"i-1", "web-prod", "online", "3.10.0", 1204, now.Add(-time.Minute)},
	{"i-2", "db-prod", "lost", "3.9.0", -1, time.Time{}},
	{"i-3", "cache", "online", "", 7, now.Add(-48 * time.Hour)},
	{"i-4", "api", "gone", "3.9", 70, now.Add(-time.Hour)},
}

func TestOrder(t *testing.T) {
	f := newFleet(slices.Clone(four)...)
	for by, want := range map[string]string{
		"name": "api cache db-prod web-prod", "-name": "web-prod db-prod cache api",
		"agent": "cache db-prod api web-prod", "-missing": "web-prod api cache db-prod",
		"seen": "db-prod cache api web-prod", "": "web-prod db-prod cache api", "nosuch": "web-prod db-prod cache api",
		"state": "api db-prod web-prod cache",
	} {
		f.SetSort(by)
		if got := f.names(); got != want {
			t.Errorf("by %q: %s, want %s", by, got, want)
		}
	}
	f.SetSort("-missing")
	f.press(">") // seen is not shown: round to the first
	if f.SortedBy() != "state" {
		t.Errorf("by %q after the last column", f.SortedBy())
	}
	f.press("I", "<")
	if f.SortedBy() != "missing" {
		t.Errorf("by %q before the first column", f.SortedBy())
	}
}

func TestFilterOfColumns(t *testing.T) {
	f := newFleet(slices.Clone(four)...)
	for text, want := range map[string]string{
		"prod": "db-prod web-prod", "wprd": "web-prod", "state=online": "cache web-prod", "!prod": "api cache",
		"agent<3.10": "api db-prod", "missing>=70": "api web-prod", "seen<2h": "api web-prod", "hidden-i-3": "cache",
		"api | db": "api db-prod", "": "api cache db-prod web-prod", "nothing": "",
	} {
		if err := f.SetFilter(text); err != nil || f.names() != want || f.Filter() != text {
			t.Errorf("%q: %s, want %s; %v", text, f.names(), want, err)
		}
	}
	if err := f.SetFilter("prod"); err != nil {
		t.Fatal(err)
	}
	err := f.SetFilter("prod stat=x")
	if err == nil || !strings.Contains(err.Error(), "stat") || f.names() != "db-prod web-prod" || f.Filter() != "prod" {
		t.Errorf("a wrong filter: %v, and shown are %s", err, f.names())
	}
	if f.Count() != "2 of 4" {
		t.Errorf("count %q", f.Count())
	}
}

// TestFilterAsItIsTyped holds what is narrowed letter by letter against what is
// found at once.
func TestFilterAsItIsTyped(t *testing.T) {
	rows := many(300)
	typed, whole := newFleet(rows...), newFleet(rows...)
	for _, text := range []string{"web-0001 lost", "!lost w1", "state=lost,online 12 | 7", "agent<3.12 missing>4 00", "wb12"} {
		for i := range text {
			if err := typed.SetFilter(text[:i+1]); err != nil {
				continue
			}
			if err := whole.SetFilter(""); err != nil {
				t.Fatal(err)
			}
			if err := whole.SetFilter(text[:i+1]); err != nil {
				t.Fatal(err)
			}
			if typed.names() != whole.names() {
				t.Errorf("%q: %d typed, %d at once", text[:i+1], typed.Len(), whole.Len())
			}
		}
	}
}

func TestCursorStaysWithItsRow(t *testing.T) {
	f := newFleet(slices.Clone(four)...)
	f.press("j", "j")
	if f.current() != "db-prod" {
		t.Fatalf("on %s", f.current())
	}
	f.rows = append([]server{{id: "i-0", name: "aaa"}, {id: "i-9", name: "bbb"}}, four...)
	f.Reset(len(f.rows))
	if f.current() != "db-prod" {
		t.Errorf("on %s after new rows", f.current())
	}
	f.SetSort("-name")
	if f.current() != "db-prod" {
		t.Errorf("on %s in another order", f.current())
	}
	if err := f.SetFilter("prod"); err != nil || f.current() != "db-prod" {
		t.Errorf("on %s after a filter it fits", f.current())
	}
	if err := f.SetFilter("cache"); err != nil || f.current() != "cache" {
		t.Errorf("on %s after a filter it does not fit", f.current())
	}
	f.rows = nil
	f.Reset(0)
	if _, ok := f.Current(); ok || f.Select("i-1") {
		t.Error("there is a row under the cursor of an empty list")
	}
	f.press("j", "k", "G", "space", "*", "shift+down", "ctrl+space", "I", ">", "pgdown")
}

// TestRowsDoNotJump: rows that come above the screen leave what is on it.
func TestRowsDoNotJump(t *testing.T) {
	f := newFleet(many(100)...)
	f.press("pgdown", "pgdown", "pgdown", "k")
	before := f.View(true)
	f.rows = append([]server{{id: "new", name: "aaaa", state: "online"}}, f.rows...)
	f.Reset(len(f.rows))
	if after := f.View(true); after != before {
		t.Errorf("the screen moved:\n%s\nwas\n%s", after, before)
	}
}

func TestMarks(t *testing.T) {
	f := newFleet(slices.Clone(four)...)
	f.press("space", "j", "space") // api, db-prod
	chosen := func() string {
		var out []string
		for _, i := range f.Chosen() {
			out = append(out, f.rows[i].name)
		}
		return strings.Join(out, " ")
	}
	if chosen() != "api db-prod" || f.current() != "web-prod" {
		t.Errorf("chosen %s, on %s", chosen(), f.current())
	}
	if err := f.SetFilter("prod"); err != nil {
		t.Fatal(err)
	}
	if rows, hidden := f.Marked(); len(rows) != 2 || hidden != 1 || chosen() != "db-prod api" {
		t.Errorf("%d marked, %d hidden: %s", len(rows), hidden, chosen())
	}
	f.press("*")
	if rows, hidden := f.Marked(); len(rows) != 3 || hidden != 1 {
		t.Errorf("%d marked, %d hidden after *", len(rows), hidden)
	}
	f.press("*")
	if chosen() != "api" {
		t.Errorf("chosen %s after * again", chosen())
	}
	f.rows = f.rows[:3] // api is gone
	f.Reset(3)
	if rows, hidden := f.Marked(); len(rows) != 0 || hidden != 0 || chosen() != f.current() {
		t.Errorf("%d marked, %d hidden after its row is gone", len(rows), hidden)
	}
	if err := f.SetFilter(""); err != nil {
		t.Fatal(err)
	}
	f.press("g", "space", "g", "G", "ctrl+space")
	if chosen() != "cache db-prod web-prod" {
		t.Errorf("range %s", chosen())
	}
	if !f.ClearMarks() || f.ClearMarks() {
		t.Error("ClearMarks is wrong about what there was")
	}
	f.press("g", "shift+down")
	if chosen() != "cache db-prod" {
		t.Errorf("shift+down: %s", chosen())
	}
}

func TestMouse(t *testing.T) {
	f := newFleet(slices.Clone(four)...)
	header := strings.Split(f.View(true), "\n")[0]
	f.Update(tea.MouseClickMsg{X: strings.Index(header, "MISSING"), Y: 0})
	if f.SortedBy() != "missing" {
		t.Errorf("by %q after a click on its title", f.SortedBy())
	}
	f.Update(tea.MouseClickMsg{X: strings.Index(header, "MISSING"), Y: 0})
	if f.SortedBy() != "-missing" {
		t.Errorf("by %q after another", f.SortedBy())
	}
	f.Update(tea.MouseClickMsg{X: 5, Y: 2})
	if f.current() != "api" {
		t.Errorf("on %s after a click", f.current())
	}
	f.Update(tea.MouseClickMsg{X: 5, Y: 5}) // no row
	f.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	if f.current() != "db-prod" {
		t.Errorf("on %s after the wheel", f.current())
	}
}

func TestColumnsAndLayout(t *testing.T) {
	f := newFleet(slices.Clone(four)...)
	titles, shown := f.AllColumns()
	if len(titles) != 6 || shown[5] || !shown[0] {
		t.Fatalf("columns %v %v", titles, shown)
	}
	f.ShowColumn(5, true)
	f.MoveColumn(5, 0)
	f.ShowColumn(4, false) // agent
	f.SetSort("-id")
	data := f.Layout()

	g := newFleet(slices.Clone(four)...)
	g.SetLayout(json.RawMessage(`{"columns":["nosuch"]}`))
	g.SetLayout(json.RawMessage(`nonsense`))
	if string(g.Layout()) == string(data) {
		t.Fatal("a layout without columns was taken")
	}
	g.SetLayout(data)
	if string(g.Layout()) != string(data) || g.SortedBy() != "-id" {
		t.Errorf("layout %s, want %s", g.Layout(), data)
	}
	if header := strings.Fields(g.View(false)); header[0] != "SEEN" {
		t.Errorf("the first column is %s", header[0])
	}
	for i := range 6 {
		g.ShowColumn(i, false)
	}
	if _, shown := g.AllColumns(); !slices.Contains(shown, true) {
		t.Error("the last column can be hidden")
	}
}

func TestFlash(t *testing.T) {
	f := newFleet(slices.Clone(four)...)
	f.View(true)
	f.rows[2].state = "lost" // cache
	f.SetNow(now.Add(time.Second), false)
	f.Reset(4)
	delta := f.styles.Glyphs.Changed
	line := func() string {
		for l := range strings.SplitSeq(f.View(true), "\n") {
			if strings.Contains(l, "cache") {
				return l
			}
		}
		return ""
	}
	if !strings.Contains(line(), "lost"+delta) || strings.Count(f.View(true), delta) != 1 {
		t.Errorf("not marked: %s", f.View(true))
	}
	f.SetNow(now.Add(time.Second), true)
	if strings.Contains(line(), delta) {
		t.Errorf("marked where nothing may move: %s", line())
	}
	f.SetNow(now.Add(4*time.Second), false)
	if strings.Contains(line(), delta) {
		t.Errorf("still marked after 3 s: %s", line())
	}
}

// An age in a cell changes by itself, and what becomes known has not changed.
func TestWhatOnlyAgesDoesNotFlash(t *testing.T) {
	result, age := "", 1
	l := NewList(Options{Key: func(int) string { return "one" }, Columns: []Column{{
		ID: "result", Title: "RESULT", Flash: true, Same: func(int) string { return result },
		Text: func(int) string { return fmt.Sprintf("%s, %d s ago", result, age) },
	}}})
	styles := theme.New(theme.Dark, false, false)
	l.SetStyles(styles)
	l.SetSize(40, 5)
	look := func(to string) bool {
		age++
		result = to
		l.SetNow(now.Add(time.Duration(age)*10*time.Second), false)
		l.Reset(1)
		return strings.Contains(l.View(true), styles.Glyphs.Changed)
	}
	for _, c := range []struct {
		result string
		marked bool
	}{{"", false}, {"running", false}, {"running", false}, {"failed", true}, {"failed", false}} {
		if got := look(c.result); got != c.marked {
			t.Errorf("%q at %d is marked: %v", c.result, age, got)
		}
	}
}

func TestForeignTextIsHarmless(t *testing.T) {
	f := newFleet(server{"i-1", "a\x1b[31m\u202eb\u200b\nc", "online", "\x9b2J", 1, now})
	for _, bad := range []string{"\x1b", "\u202e", "\u200b", "\x9b"} {
		if strings.Contains(f.View(true), bad) {
			t.Errorf("%q is on the screen", bad)
		}
	}
	if view := f.View(false); !strings.Contains(view, `a\x1b[31m\u202eb\u200b\nc`) || strings.Count(view, "\n") != 1 {
		t.Errorf("the name is not to be seen:\n%s", view)
	}
}

func TestWidths(t *testing.T) {
	rows := append(many(30), server{"i-0123456789abcdef0", "東京のサーバー本番環境-1", "online", "3.3.1", 1204, now}, server{id: "i-x", name: strings.Repeat("long", 40)})
	for _, color := range []bool{false, true} {
		for width := range 120 {
			f := newFleet(rows...)
			f.SetStyles(theme.New(theme.Dark, color, false))
			f.SetSize(width, 9)
			if err := f.SetFilter("!web | 1"); err != nil {
				t.Fatal(err)
			}
			f.press("*", "j")
			lines := strings.Split(f.View(true), "\n")
			if len(lines) > 9 {
				t.Errorf("%d lines of 9", len(lines))
			}
			for _, l := range lines {
				if w := ansi.StringWidth(l); w > width {
					t.Errorf("%d cells of %d: %q", w, width, ansi.Strip(l))
				}
			}
		}
	}
}

func TestPosition(t *testing.T) {
	f := newFleet(many(1204)...)
	if f.Position() != "1-5 of 1,204" || f.Count() != "1,204" {
		t.Errorf("position %q, count %q", f.Position(), f.Count())
	}
	thumb := f.styles.Glyphs.Thumb
	if lines := strings.Split(f.View(true), "\n"); !strings.HasSuffix(lines[1], thumb) || strings.HasSuffix(lines[5], thumb) {
		t.Errorf("the rail is wrong at the top:\n%s", f.View(true))
	}
	f.press("G")
	if lines := strings.Split(f.View(true), "\n"); strings.HasSuffix(lines[1], thumb) || !strings.HasSuffix(lines[5], thumb) {
		t.Errorf("the rail is wrong at the end:\n%s", f.View(true))
	}
	if err := f.SetFilter("web-00001"); err != nil || f.Position() != "" || strings.Contains(f.View(true), thumb) {
		t.Errorf("a short list has a position: %q\n%s", f.Position(), f.View(true))
	}
}

func TestAgesLoseTheirLastWordFirst(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{
		{"3 min ago", 9, "3 min ago"},
		{"3 min ago", 8, "3 min   "},
		{"3 min ago", 4, "3 m…"},
		{"long ago in Chicago", 9, "long ago…"},
	} {
		if got := fit(tt.text, tt.width, &Column{}, "…"); got != tt.want {
			t.Errorf("%q in %d cells: got %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

// An order by a column for which there is no room would be seen nowhere.
func TestTheOrderGoesThroughTheColumnsOnTheScreen(t *testing.T) {
	f := newFleet(slices.Clone(four)...)
	f.SetSize(26, 8)
	for range 6 {
		f.press("<")
		if header, _, _ := strings.Cut(f.View(true), "\n"); !strings.Contains(header, "↑") {
			t.Errorf("the header does not show the order: %q", header)
		}
	}
}

// On a narrow screen the Region stays, which tells rows of one name apart, and the only
// account there is goes.
func TestPlacesOnANarrowScreen(t *testing.T) {
	word := func(s string) func(int) string { return func(int) string { return s } }
	regions := []string{"eu-west-1", "us-east-1"}
	list := NewList(Options{
		Key: func(i int) string { return regions[i] },
		Columns: []Column{
			{ID: "name", Title: "NAME", Text: word("health-check")},
			{ID: "state", Title: "STATE", Text: word("enabled"), Rank: 2},
			{ID: "result", Title: "RESULT", Text: word("success, 2 min ago"), Rank: 3},
			{ID: "account", Title: "ACCOUNT", Text: word("123456789012"), Rank: 4, Off: true},
			{ID: "region", Title: "REGION", Text: func(i int) string { return regions[i] }, Rank: 5, Off: true},
		},
	})
	list.SetStyles(theme.New(theme.Dark, false, false))
	list.SetSize(42, 4)
	list.Reset(len(regions))
	list.ShowPlaces(true, 1, 2)
	if view := ansi.Strip(list.View(true)); !strings.Contains(view, "us-east-1") || strings.Contains(view, "123456") || !strings.Contains(view, "enabled") {
		t.Errorf("one account, two Regions:\n%s", view)
	}
	list.ShowPlaces(true, 2, 1)
	if view := ansi.Strip(list.View(true)); !strings.Contains(view, "123456789012") || strings.Contains(view, "us-east-1") {
		t.Errorf("two accounts, one Region:\n%s", view)
	}
	list.SetSize(90, 4)
	if view := ansi.Strip(list.View(true)); !strings.Contains(view, "123456789012") || !strings.Contains(view, "us-east-1") {
		t.Errorf("room for all:\n%s", view)
	}
}

// While rows come for the first time, the cursor is on the first of them, unless somebody
// has put it elsewhere; later it goes with its row.
func TestTheCursorStaysOnTopWhileRowsComeForTheFirstTime(t *testing.T) {
	begin := func() *fleet {
		f := newFleet()
		f.Filling(true)
		f.rows = []server{{id: "i-9", name: "web-9"}}
		f.Reset(1)
		return f
	}
	current := func(f *fleet) string { i, _ := f.Current(); return f.rows[i].name }

	f := begin()
	f.rows = append(many(40), f.rows...)
	f.Filling(false) // these are the last
	f.Reset(len(f.rows))
	first := f.rows[f.Shown()[0]].name
	if current(f) != first || !strings.Contains(ansi.Strip(f.View(true)), first) {
		t.Errorf("the cursor is on %s, not on %s", current(f), first)
	}
	f.rows = append(f.rows, server{id: "i-0", name: "a-1"})
	f.Filling(false)
	f.Reset(len(f.rows))
	if current(f) != first {
		t.Errorf("a new row has moved the cursor from %s to %s", first, current(f))
	}

	f = begin()
	f.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
	f.rows = append(many(40), f.rows...)
	f.Filling(false)
	f.Reset(len(f.rows))
	if current(f) != "web-9" {
		t.Errorf("the cursor was put on web-9, and is on %s", current(f))
	}
}
