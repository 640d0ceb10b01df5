package tui_test

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// fuzzKeys are what a byte of the input presses. Those that leave, or read the
// clipboard of the machine, are not among them.
var fuzzKeys = []string{
	"j", "k", "g", "G", "space", "*", "enter", "esc", "tab", "shift+tab", "/", ":", "?", "@", "-", "[", "]", "1", "2", "8",
	"up", "down", "left", "right", "home", "end", "pgup", "pgdown", "backspace", "delete", "ctrl+w", "ctrl+u", "ctrl+k",
	"ctrl+r", "ctrl+s", "ctrl+y", "a", "c", "y", "w", "X", "f", "n", "N", "x", "<", ">", "I", "C", "é", "東", "=", "!", "|", "\"",
}

// FuzzKeys presses keys, opens dialogs and changes sizes in any order: nothing may
// panic, no frame may be larger than the screen.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("\x0b\x00\x06\xf0\x07"))
	f.Add([]byte{0xf1, 3, 7, 0xf2, 0xf3, 10, 0xf4, 20, 0xf5, 1, 2, 3, 4, 5, 6})
	f.Add([]byte{10, 36, 37, 6, 0xf0, 200, 1, 0xf1, 1, 1, 12, 6})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 200 {
			return
		}
		t.Chdir(t.TempDir()) // w writes files
		pressAll(t, in)
	})
}

// pressAll does what the bytes of an input say.
func pressAll(t *testing.T, in []byte) {
	t.Helper()
	w := newWorld(t)
	w.fleet.actions = actions()
	width, height := 80, 24
	for i := 0; i < len(in); i++ {
		next := func() int {
			if i++; i < len(in) {
				return int(in[i])
			}
			return 0
		}
		switch b := in[i]; {
		case b < 0xf0:
			w.Press(fuzzKeys[int(b)%len(fuzzKeys)])
		case b == 0xf0:
			width, height = next()+1, next()%60+1
			w.Size(width, height)
		case b == 0xf1:
			w.Send(form(func(map[string]string) {}))
		case b == 0xf2:
			w.Send(reboot(deck.Level(next() % 4)))
		case b == 0xf3:
			w.Send(deck.Show{Title: "東京", Text: "a\tb\n\x1b[31mred\x00\n"})
		case b == 0xf4:
			w.Send(deck.Columns{List: w.fleet.list})
		case b == 0xf5:
			w.Send(tea.MouseClickMsg{X: next(), Y: next() % 40, Button: tea.MouseLeft})
		case b == 0xf6:
			w.Paste(string(in[i:]))
		case b == 0xf7:
			w.fleet.set(w.Screen, many(next())...)
		case b == 0xf8:
			w.Wait(time.Duration(next()) * 10 * time.Second)
		case b == 0xf9:
			w.Send(deck.Line{Words: []string{"x"}, What: "東京\x1b[2J", How: deck.How(next() % 3)})
		default:
			w.Send(tea.MouseWheelMsg{X: next(), Y: next() % 40, Button: tea.MouseWheelDown})
		}
		fits(t, w.Frame(), width, height)
	}
}

// Sizes change faster than anybody reads, down to nothing.
func TestResizesAreTaken(t *testing.T) {
	w := newWorld(t)
	for _, size := range [][2]int{{1, 1}, {20, 3}, {0, 0}, {400, 200}, {3, 80}, {80, 1}, {2, 2}, {80, 24}} {
		w.Send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		fits(t, w.Frame(), max(size[0], 1), max(size[1], 1))
	}
	w.Has("web-1")
	w.Size(16, 8)
	w.Has("too small", "40x10")
}
