package widget

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func TestBar(t *testing.T) {
	s := theme.New(theme.Dark, false, false)
	for _, tt := range []struct {
		part, whole, width int
		want               string
	}{
		{0, 10, 4, "    "},
		{10, 10, 4, "████"},
		{5, 10, 4, "██  "},
		{1, 1000, 4, "▏   "},
		{999, 1000, 4, "███▉"},
		{3, 8, 1, "▍"},
		{7, 0, 3, "   "},
		{20, 10, 2, "██"},
		{-1, 10, 2, "  "},
		{1, 2, 0, ""},
	} {
		if got := Bar(s, tt.part, tt.whole, tt.width); got != tt.want {
			t.Errorf("%d of %d in %d: %q, want %q", tt.part, tt.whole, tt.width, got, tt.want)
		}
	}
	if got := Progress(theme.New(theme.Plain, false, true), 999, 1000, 4); got != "###." {
		t.Errorf("%q", got)
	}
}

func TestStackBar(t *testing.T) {
	s := theme.New(theme.Dark, false, false)
	for _, tt := range []struct {
		shares []Share
		width  int
		want   string
	}{
		{[]Share{{theme.Good, 1180}, {theme.Bad, 14}, {theme.Idle, 10}}, 10, "●●●●●●●●✗○"},
		{[]Share{{theme.Good, 1}, {theme.Warn, 1}, {theme.Bad, 1}}, 8, "●●●▲▲▲✗✗"},
		{[]Share{{theme.Good, 0}, {theme.Bad, 3}}, 4, "✗✗✗✗"},
		{[]Share{{theme.Bad, 1}, {theme.Warn, 1}, {theme.Good, 100}}, 2, "✗▲"},
		{[]Share{{theme.Good, 0}}, 4, ""},
		{nil, 4, ""},
		{[]Share{{theme.Good, 1}}, 0, ""},
	} {
		if got := StackBar(s, tt.shares, tt.width); got != tt.want {
			t.Errorf("%v in %d: %q, want %q", tt.shares, tt.width, got, tt.want)
		}
	}
}

// FuzzApportion: cells are given out to the last, and nobody who is there goes
// without while there are enough.
func FuzzApportion(f *testing.F) {
	f.Add(1, 2, 3, 4, 10)
	f.Add(0, 100000, 1, 1, 3)
	f.Fuzz(func(t *testing.T, a, b, c, d, width int) {
		if width < 0 || width > 300 {
			return
		}
		shares, total, there := []Share{}, 0, 0
		for _, n := range []int{a, b, c, d} {
			if n < 0 || n > 1e6 {
				return
			}
			shares = append(shares, Share{theme.Good, n})
			if total += n; n > 0 {
				there++
			}
		}
		sum := 0
		for i, n := range apportion(shares, width) {
			if sum += n; n < 0 || n > 0 && shares[i].N == 0 || n == 0 && shares[i].N > 0 && there <= width {
				t.Fatalf("%v in %d: share %d has %d cells", shares, width, i, n)
			}
		}
		if total > 0 && sum != width {
			t.Fatalf("%v: %d cells of %d", shares, sum, width)
		}
	})
}

func TestSparkline(t *testing.T) {
	s := theme.New(theme.Dark, false, false)
	if got := Sparkline(s, []float64{0, 1, math.NaN(), 0.5, 1}, 10); got != "▁█·▅█" {
		t.Errorf("%q", got)
	}
	if got := Sparkline(s, []float64{0, 0, math.NaN(), 1, math.NaN(), math.NaN()}, 3); got != "▁█·" {
		t.Errorf("%q: not the means", got)
	}
	if Sparkline(s, nil, 5) != "" || Sparkline(s, []float64{math.NaN()}, 5) != "·" {
		t.Error("nothing is drawn as something")
	}
}

func TestCells(t *testing.T) {
	s := theme.New(theme.Dark, false, false)
	levels := slices.Concat(slices.Repeat([]theme.Level{theme.Good}, 7), []theme.Level{theme.Bad}, slices.Repeat([]theme.Level{theme.Idle}, 4))
	if got := Cells(s, levels, 8, 2, "nodes"); got != "●●●●●●●✗\n○○○○" {
		t.Errorf("%q", got)
	}
	got := strings.Split(Cells(s, slices.Repeat(levels, 100), 20, 5, "nodes"), "\n")
	if len(got) > 5 || got[len(got)-1] != "one cell is 15 node…" || utf8.RuneCountInString(got[0]) != 20 {
		t.Errorf("%q", got)
	}
	if !strings.Contains(got[0], "✗") || strings.Contains(got[0], "○") {
		t.Errorf("the gravest is not what is shown: %q", got[0])
	}
	if Cells(s, nil, 10, 10, "x") != "" || Cells(s, levels, 3, 1, "x") != "✗✗○" && Cells(s, levels, 3, 1, "x") != "●✗○" {
		t.Errorf("%q", Cells(s, levels, 3, 1, "x"))
	}
}

func TestSplit(t *testing.T) {
	s := theme.New(theme.Dark, false, false)
	var p Split
	for _, tt := range []struct {
		width, height int
		both, beside  bool
	}{{40, 6, false, false}, {80, 19, false, false}, {80, 20, true, false}, {140, 36, true, true}, {140, 10, true, true}} {
		panes := p.Arrange(tt.width, tt.height)
		if panes.Both() != tt.both || panes.Beside != tt.beside {
			t.Errorf("%dx%d: %+v", tt.width, tt.height, panes)
		}
		got := strings.Split(panes.Draw(s, strings.Repeat("東", 200)+"\nb", "second\x1b[31mred\x1b[m", "ti\ntle"), "\n")
		if tt.both && len(got) != tt.height {
			t.Errorf("%dx%d: %d lines", tt.width, tt.height, len(got))
		}
		for _, l := range got {
			if w := ansi.StringWidth(l); tt.beside && w > tt.width {
				t.Errorf("%dx%d: %d cells: %q", tt.width, tt.height, w, l)
			}
		}
	}
	panes := p.Arrange(140, 36)
	if pane, x, y := panes.At(panes.Second.X+4, 7); pane != 1 || x != 4 || y != 7 {
		t.Errorf("pane %d at %d, %d", pane, x, y)
	}
	if pane, _, _ := panes.At(panes.First.Width+1, 7); pane != -1 {
		t.Errorf("the rule is in pane %d", pane)
	}
	if panes := p.Arrange(80, 30); panes.First.Height+1+panes.Second.Height != 30 {
		t.Errorf("%+v", panes)
	}
}

func TestDetails(t *testing.T) {
	var d Details
	d.Section("Node")
	d.Add("Name", "web-1\x1b[31m")
	d.Add("Empty", "")
	d.Level("State", theme.Bad, "lost")
	d.Section("Nothing in it")
	d.Section("Tags")
	d.Note("not known: access denied")
	want := []string{"Node", `Name: web-1\x1b[31m`, "State: lost", "Tags", "not known: access denied"}
	if got := d.Plain(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFramesOfParts(t *testing.T) {
	from := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	line := Timeline{From: from, Now: from.Add(14 * time.Hour)}
	tracks := []Track{
		{"sun-patch", []Span{{from.Add(50 * time.Hour), from.Add(54 * time.Hour), theme.Idle}}},
		{"db-scan 東京", []Span{{from.Add(-2 * time.Hour), from.Add(9 * time.Hour), theme.Bad}, {from.Add(26 * time.Hour), from.Add(27 * time.Hour), theme.Idle}}},
		{"week-long maintenance of everything", []Span{{from.Add(time.Hour), from.AddDate(0, 1, 0), theme.Busy}}},
		{"never", nil},
		{"past", []Span{{from.AddDate(0, 0, -2), from, theme.Good}, {from.AddDate(0, 0, 7), from.AddDate(0, 0, 8), theme.Good}}},
	}
	var d Details
	d.Section("Node")
	d.Add("Name", "web-1")
	d.Level("State", theme.Bad, "lost")
	d.Add("Instance profile", "arn:aws:iam::123456789012:instance-profile/a-rather-long-name")
	d.Section("Tags")
	d.Add("description", "a text of many words, which goes on below\nand has a second line")
	d.Add("名前", "東京サーバー")
	d.Note("2 more could not be read")
	golden(t, "parts", []int{30, 64, 100}, func(s *theme.Styles, width int) string {
		return strings.Join([]string{
			Rule(s, "failed 3", width), line.Draw(s, tracks, width, 1), Rule(s, "", width), d.View(s, width),
			Progress(s, 812, 1100, width/2), StackBar(s, []Share{{theme.Good, 798}, {theme.Bad, 3}, {theme.Busy, 11}, {theme.Unknown, 288}}, width),
			Split{Beside: 60, Above: 4, Share: 40}.Arrange(width, 5).Draw(s, "left\n東京サーバー", "right", "output"),
		}, "\n")
	})
}

// params is a tree of parameters.
var params = []struct {
	depth int
	name  string
}{{0, "/pay"}, {1, "prod"}, {2, "key"}, {2, "url"}, {1, "dev"}, {2, "key"}, {0, "/web"}, {1, "port"}, {0, "alone"}}

func newTree() *Tree {
	tree := NewTree(TreeOptions{
		Key: func(i int) string { return string(rune('a' + i)) }, Depth: func(i int) int { return params[i].depth },
		Text: func(i int) string { return params[i].name }, Detail: func(i int) string { return "v" + string(rune('1'+i)) },
		None: func() string { return "no parameter fits" },
		Open: func(i int) bool { return i == 6 },
	})
	tree.SetStyles(theme.New(theme.Dark, false, false))
	tree.SetSize(40, 10)
	tree.Reset(len(params))
	return tree
}

func shown(tree *Tree) string {
	var out []string
	for _, i := range tree.rows {
		out = append(out, params[i].name)
	}
	return strings.Join(out, " ")
}

func TestTree(t *testing.T) {
	tree := newTree()
	press := func(keys ...string) {
		for _, k := range keys {
			tree.Update(tea.KeyPressMsg{Code: []rune(k)[0], Text: k})
		}
	}
	if shown(tree) != "/pay /web port alone" {
		t.Errorf("at first: %s", shown(tree))
	}
	press("l")
	if shown(tree) != "/pay prod dev /web port alone" {
		t.Errorf("opened: %s", shown(tree))
	}
	press("l", "l", "l") // to prod, open it, to key
	if row, _ := tree.Current(); shown(tree) != "/pay prod key url dev /web port alone" || row != 2 {
		t.Errorf("opened further: %s, on %d", shown(tree), row)
	}
	if tree.Update(tea.KeyPressMsg{Code: 'l', Text: "l"}) {
		t.Error("a leaf was opened")
	}
	press("h", "h") // to prod, close it
	if row, _ := tree.Current(); shown(tree) != "/pay prod dev /web port alone" || row != 1 {
		t.Errorf("closed: %s, on %d", shown(tree), row)
	}
	tree.SetFilter(func(i int) bool { return params[i].name == "key" })
	if shown(tree) != "/pay prod key dev key" {
		t.Errorf("filtered: %s", shown(tree))
	}
	tree.SetFilter(func(int) bool { return false })
	if !strings.Contains(tree.View(true), "no parameter fits") || tree.Len() != 0 {
		t.Errorf("empty: %s", tree.View(true))
	}
	tree.SetFilter(nil)
	if !tree.Select("f") || tree.Select("z") || shown(tree) != "/pay prod dev key /web port alone" {
		t.Errorf("selected: %s", shown(tree))
	}
	tree.Update(tea.MouseClickMsg{Y: 0})
	tree.Update(tea.MouseClickMsg{Y: 0})
	if shown(tree) != "/pay /web port alone" {
		t.Errorf("clicked twice: %s", shown(tree))
	}
}

func TestTreeFrames(t *testing.T) {
	golden(t, "tree", []int{12, 40}, func(s *theme.Styles, width int) string {
		tree := newTree()
		tree.SetStyles(s)
		tree.SetSize(width, 7)
		tree.Select("d")
		return tree.View(true)
	})
}
