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

// cancelable is an input that takes nothing more after Cancel.
type cancelable interface {
	io.Reader
	Cancel()
}

// keyboard turns bytes into keys. It asks for the next byte only when the one
// before has not ended the picker.
type keyboard struct {
	in   cancelable
	to   sender
	over <-chan struct{} // closed when nobody takes keys any more

	split terminal.Splitter
}

// run reads until the picker is over or the input ends. At the end of the input,
// which is a terminal that has gone, it leaves the picker.
func (k *keyboard) run() {
	ask, got := make(chan struct{}), make(chan byte)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(got)
		k.read(ask, got)
	}()
	defer func() { <-ended }()
	defer close(ask)
	for {
		ask <- struct{}{}
		var late <-chan time.Time
		if k.split.Escape() {
			late = time.After(escapeWait)
		}
		var b byte
		var ok bool
		select {
		case b, ok = <-got:
		case <-late:
			// Esc ends the picker, so the byte that is asked for is not ours any
			// more; if it has come already, it belongs to a slow sequence.
			k.in.Cancel()
			if b, ok = <-got; !ok {
				k.hand(k.split.Flush())
				return
			}
		}
		if !ok {
			k.press(press{key: keyInterrupt})
			return
		}
		if k.take(b) {
			return
		}
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

// read reads a byte whenever it is asked to.
func (k *keyboard) read(ask <-chan struct{}, got chan<- byte) {
	one := make([]byte, 1)
	for range ask {
		if n, err := k.in.Read(one); n != 1 || err != nil {
			return
		}
		got <- one[0]
	}
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
