package picker

import (
	"bytes"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
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

	pasting bool // more than is taken: the rest is thrown away
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
	var buf []byte
	waiting := false // a byte is asked for
	for {
		if !waiting {
			ask <- struct{}{}
			waiting = true
		}
		var late <-chan time.Time
		if len(buf) == 1 && buf[0] == 0x1b && !k.pasting {
			late = time.After(escapeWait)
		}
		select {
		case b, ok := <-got:
			if !ok {
				k.press(press{key: keyInterrupt})
				return
			}
			buf, waiting = append(buf, b), false
		case <-late:
			// Esc ends the picker, so the byte that is asked for is not ours any
			// more; if it has come already, it belongs to a slow sequence.
			k.in.Cancel()
			b, ok := <-got
			if !ok {
				k.press(press{key: keyEscape})
				return
			}
			buf, waiting = append(buf, b), false
		}
		var over bool
		if buf, over = k.take(buf); over {
			return
		}
	}
}

// take hands over the keys that are complete, and returns the rest.
func (k *keyboard) take(buf []byte) (rest []byte, over bool) {
	for {
		if k.pasting {
			if buf = k.skip(buf); k.pasting {
				return buf, false
			}
		}
		p, n := decode(buf)
		if n == 0 {
			return buf, false
		}
		k.pasting = bytes.HasPrefix(buf, []byte(pasteStart)) && !bytes.HasSuffix(buf[:n], []byte(pasteEnd))
		buf = append(buf[:0], buf[n:]...)
		if p.key != keyNone && k.press(p) {
			return buf, true
		}
	}
}

// skip throws pasted text away, up to its end or to the Ctrl-C of somebody who does not
// wait for that.
func (k *keyboard) skip(buf []byte) []byte {
	if at := bytes.IndexByte(buf, 0x03); at >= 0 {
		k.pasting = false
		return buf[at:]
	}
	if _, rest, ended := bytes.Cut(buf, []byte(pasteEnd)); ended {
		k.pasting = false
		return rest
	}
	return buf[max(len(buf)-len(pasteEnd)+1, 0):]
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
