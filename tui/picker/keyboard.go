package picker

import (
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// escapeWait is how long an ESC may be alone before it is the key Esc.
const escapeWait = 50 * time.Millisecond

// sender is the part of *tea.Program that the keyboard needs.
type sender interface{ Send(msg tea.Msg) }

// input is a *terminal.Reader.
type input interface {
	io.Reader
	Wait(d time.Duration) (ready bool, err error)
	Cancel()
}

// keyboard turns bytes into keys. It reads the next byte only when the one before has not
// ended the picker.
type keyboard struct {
	in   input
	to   sender
	over <-chan struct{} // closed when nobody takes keys any more

	split terminal.Splitter
}

// run reads until the picker is over or the input ends. At the end of the input,
// which is a terminal that has gone, it leaves the picker.
func (k *keyboard) run() {
	one := make([]byte, 1)
	for over := false; !over; {
		wait := time.Duration(-1)
		if k.split.Escape() {
			wait = escapeWait
		}
		ready, err := k.in.Wait(wait)
		if err == nil && !ready {
			over = k.hand(k.split.Flush())
			continue
		}
		if err == nil {
			_, err = k.in.Read(one)
		}
		if err != nil {
			k.press(press{key: keyInterrupt})
			return
		}
		over = k.take(one[0])
	}
}

// take takes a byte, hands over the keys that are complete with it, and reports whether the
// picker is over. In pasted text a Ctrl-C is that of somebody who does not wait for its end.
func (k *keyboard) take(b byte) (over bool) {
	if b == 0x03 && k.split.Pasting() {
		k.split.Drop()
	}
	return k.hand(k.split.Push(b))
}

// hand hands over what means something, and reports whether the picker is over.
func (k *keyboard) hand(pieces []terminal.Piece) (over bool) {
	for _, piece := range pieces {
		if p := read(piece); p.key != keyNone && k.press(p) {
			return true
		}
	}
	return false
}

// press hands a key over and reports whether the picker is over.
func (k *keyboard) press(p press) bool {
	taken := make(chan bool, 1)
	k.to.Send(pressed{p, taken}) // returns when the program has ended, too
	select {
	case over := <-taken:
		return over
	case <-k.over:
		return true
	}
}
