package widget

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func TestProgress(t *testing.T) {
	s := theme.New(theme.Dark, false, false)
	for _, tt := range []struct {
		done, whole, width int
		want               string
	}{
		{0, 10, 4, "░░░░"},
		{10, 10, 4, "████"},
		{5, 10, 4, "██░░"},
		{1, 1000, 4, "▏░░░"},
		{999, 1000, 4, "███▉"},
		{3, 8, 1, "▍"},
		{7, 0, 3, "░░░"},
		{20, 10, 2, "██"},
		{-1, 10, 2, "░░"},
		{1, 2, 0, ""},
	} {
		if got := Progress(s, tt.done, tt.whole, tt.width); got != tt.want {
			t.Errorf("%d of %d in %d: %q, want %q", tt.done, tt.whole, tt.width, got, tt.want)
		}
	}
	if got := Progress(theme.New(theme.Plain, false, true), 999, 1000, 4); got != "###." {
		t.Errorf("%q", got)
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
			Progress(s, 812, 1100, width/2),
			Split{Beside: 60, Above: 4, Share: 40}.Arrange(width, 5).Draw(s, "left\n東京サーバー", "right", "output"),
		}, "\n")
	})
}

// Ids and names are broken at no hyphen: half of one is another one to whoever copies it.
func TestIdsAreNotBrokenAtHyphens(t *testing.T) {
	var d Details
	d.Add("Node", "the command runs on i-0123456789abcdef0 and on mi-0123456789abcdef0")
	d.Note("see AWS-ConfigureAWSPackage of 123456789012")
	for width := 30; width < 60; width++ {
		text := d.View(theme.New(theme.Plain, false, true), width)
		for _, id := range []string{"i-0123456789abcdef0", "mi-0123456789abcdef0", "AWS-ConfigureAWSPackage"} {
			if !strings.Contains(text, id) {
				t.Errorf("%d cells: %s is broken:\n%s", width, id, text)
			}
		}
	}
	if got := Wrap("\uE02D i-0 i-1", 6); strings.Join(got, "|") != "\uE02D i-0|i-1" {
		t.Errorf("got %q", got)
	}
}
