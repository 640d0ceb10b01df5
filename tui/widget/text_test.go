package widget

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newText(width, height int, text string) *Text {
	t := NewText()
	t.SetStyles(theme.New(theme.Dark, false, false))
	t.SetSize(width, height)
	t.SetText(text)
	return t
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i+1)
	}
	return b.String()
}

func press(t *Text, keys ...string) {
	for _, k := range keys {
		msg := tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
		if k == "pgdown" {
			msg = tea.KeyPressMsg{Code: tea.KeyPgDown}
		}
		t.Update(msg)
	}
}

func TestTextScrolls(t *testing.T) {
	v := newText(20, 3, numbered(1204))
	if v.Position() != "1-3 of 1,204" || v.View() != "line 1\nline 2\nline 3" {
		t.Errorf("%s at %q", v.View(), v.Position())
	}
	press(v, "pgdown", "j")
	if v.View() != "line 4\nline 5\nline 6" {
		t.Errorf("after a page and a line: %s", v.View())
	}
	press(v, "G", "j")
	if !strings.HasSuffix(v.View(), "line 1204") || v.Position() != "1,202-1,204 of 1,204" {
		t.Errorf("at the end: %s at %q", v.View(), v.Position())
	}
	v.Update(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	if !strings.HasPrefix(v.View(), "line 1199") {
		t.Errorf("after the wheel: %s", v.View())
	}
	v.SetSize(20, 2000)
	if v.Position() != "" || v.Len() != 1204 {
		t.Errorf("position %q of %d lines", v.Position(), v.Len())
	}
	if v.Update(tea.KeyPressMsg{Code: 'x', Text: "x"}) || v.Update(tea.FocusMsg{}) {
		t.Error("takes what is not its own")
	}
}

// A node can write a million tabs: each costs what it takes, not what the line takes, or it
// goes on for many minutes.
func TestALineOfTabsIsDrawnAtOnce(t *testing.T) {
	if got := Expanded("a\tbc\t\t東\tx"); got != "a       bc              東      x" {
		t.Errorf("got %q", got)
	}
	text := NewText()
	text.SetSize(80, 10)
	began := time.Now()
	text.SetText(strings.Repeat("x\t", 200_000))
	if took := time.Since(began); took > 5*time.Minute {
		t.Errorf("it took %v", took)
	}
}

func TestTextFollows(t *testing.T) {
	v := newText(20, 2, "")
	v.Follow(true)
	v.Append(numbered(5))
	v.Append("li")
	v.Append("ne 6\nline 7")
	if v.View() != "line 6\nline 7" {
		t.Errorf("does not follow, or pieces are not one line:\n%s", v.View())
	}
	press(v, "k")
	v.Append("\nline 8\n")
	if v.View() != "line 5\nline 6" || v.Following() {
		t.Errorf("follows after moving up:\n%s", v.View())
	}
	v.Keep(numbered(20))
	if v.View() != "line 5\nline 6" {
		t.Errorf("a newer state moved the screen:\n%s", v.View())
	}
}

func TestTextIsHarmless(t *testing.T) {
	v := newText(60, 10, "a\x1b[1;31mred\x1b[m\tb\r\n\x1b]0;title\x07 \u202e\x9b2J\x1b[2J")
	if want := "ared    b\n" + `\x1b]0;title\x07 \u202e\x9b2J\x1b[2J`; v.View() != want {
		t.Errorf("%q, want %q", v.View(), want)
	}
	v = newText(60, 10, "")
	v.Append("\x1b[3")
	v.Append("1mtoo \xe6\x9d")
	v.Append("\xb1\n")
	if v.View() != "too 東" {
		t.Errorf("what comes in pieces: %q", v.View())
	}
}

func TestTextWraps(t *testing.T) {
	v := newText(7, 10, "東京サーバー and more\nshort")
	for l := range strings.SplitSeq(v.View(), "\n") {
		if ansi.StringWidth(l) > 7 {
			t.Errorf("%q is too wide", l)
		}
	}
	if got := strings.ReplaceAll(v.View(), "\n", ""); got != "東京サーバー and moreshort" {
		t.Errorf("something is lost: %q", got)
	}
	v.SetSize(40, 10)
	if v.Len() != 2 {
		t.Errorf("%d lines when there is room for two", v.Len())
	}
}

func TestTextSearches(t *testing.T) {
	v := newText(30, 3, numbered(50))
	if n := v.Search("LINE 4"); n != 11 {
		t.Fatalf("%d lines found", n)
	}
	hit := v.styles.Glyphs.Hit
	if at, of := v.Found(); at != 1 || of != 11 || !strings.Contains(v.View(), "line 4 "+hit) {
		t.Errorf("%d of %d:\n%s", at, of, v.View())
	}
	press(v, "n")
	if !strings.Contains(v.View(), "line 40 "+hit) {
		t.Errorf("the next:\n%s", v.View())
	}
	press(v, "N", "N")
	if !strings.Contains(v.View(), "line 49 "+hit) {
		t.Errorf("round to the last:\n%s", v.View())
	}
	v.Append("line 4 again\n")
	if _, of := v.Found(); of != 12 {
		t.Errorf("%d found after another line", of)
	}
	if v.Search("nothing") != 0 || v.Next(1) || strings.Contains(v.View(), hit) {
		t.Error("something is found of nothing")
	}
	v.Search("")
	color := newText(30, 3, "one Two two")
	color.SetStyles(theme.New(theme.Dark, true, false))
	color.Search("e T")
	color.hit = 5 // another line is the one
	if got := color.View(); ansi.Strip(got) != "one Two two" || !strings.Contains(got, color.styles.Match.Render("e T")) {
		t.Errorf("%q", got)
	}
}

func TestTextOfDrawnLines(t *testing.T) {
	s := theme.New(theme.Dark, true, false)
	v := newText(6, 2, "")
	v.SetStyles(s)
	v.SetDrawn(s.Bad.Render("too long for it") + "\nb\nc")
	press(v, "j")
	v.SetDrawn(s.Bad.Render("too long for it") + "\nb\nd")
	if got := ansi.Strip(v.View()); got != "b\nd" {
		t.Errorf("%q: the screen moved", got)
	}
	press(v, "k")
	if got := ansi.Strip(v.View()); got != "too lo\nb" {
		t.Errorf("%q", got)
	}
}
