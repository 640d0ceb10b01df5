package picker

import (
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
)

// late is an input whose bytes are there when they are looked for, but which takes longer to
// be read than an ESC is waited for, as on a busy machine.
type late struct{ text string }

func (l *late) Wait(time.Duration) (bool, error) { return l.text != "", nil }

func (l *late) Read(p []byte) (int, error) {
	if l.text == "" {
		return 0, io.EOF
	}
	time.Sleep(2 * escapeWait)
	n := copy(p, l.text[:1])
	l.text = l.text[1:]
	return n, nil
}

func (l *late) Cancel() { l.text = "" }

// heard is a program that keeps the keys.
type heard struct{ keys []press }

func (h *heard) Send(msg tea.Msg) {
	p := msg.(pressed)
	h.keys = append(h.keys, p.press)
	p.taken <- p.key == keyEscape
}

// An arrow is no Esc, however slowly it is read.
func TestWhatHasComeIsNotGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		k := keyboard{in: &late{"\x1b[A\x1bOB\x1b"}, to: &h}
		k.run()
		if want := []press{{key: keyUp}, {key: keyDown}, {key: keyEscape}}; !slices.Equal(h.keys, want) {
			t.Errorf("%v were pressed, want %v", h.keys, want)
		}
	})
}
