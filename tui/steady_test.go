package tui_test

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// Two ways to count cells come to the same: what is right of a picture stands where it
// is thought to stand, whatever the terminal makes of the picture.
func TestALineIsAsWideForEveryTerminal(t *testing.T) {
	w := newWorld(t)
	for _, picture := range []string{"👩\u200d💻", "⚠\ufe0f", "☁\ufe0f", "1\ufe0f\u20e3", "👍🏽", "🇩🇪", "👨\u200d👩\u200d👧\u200d👦", "🏴\u200d☠\ufe0f", "é", "東京"} {
		w.fleet.set(w.Screen, machine{picture + "-1", picture, picture + " up"}, machine{"b", "plain", "up"})
		line := reboot(deck.Change)
		line.What = strings.Repeat(picture, 60)
		for _, size := range tuitest.Sizes {
			w.Size(size.Width, size.Height)
			for range 2 {
				for _, l := range strings.Split(w.Raw(), "\n") {
					if a, b := ansi.StringWidth(l), ansi.StringWidthWc(l); a != b || a > size.Width {
						t.Errorf("%q: %d cells, or %d, on %d: %q", picture, a, b, size.Width, l)
					}
				}
				w.Send(line)
			}
			w.Press("esc")
		}
	}
}
