package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

const (
	// escapeWait is how long an ESC may be alone before it is the key Esc.
	escapeWait = 50 * time.Millisecond
	// answerWait is how long the terminal may be silent before it says what it was asked,
	// or goes on saying it. Slow lines take more than a second.
	answerWait = 4 * time.Second
	// brokenOff is how long a sequence that nobody has asked for may stand still.
	brokenOff = time.Second
	// loneWait is how long behind an ESC that was taken for the key a [ may be the rest of
	// its sequence.
	loneWait = 2 * time.Second
	// pasteWait is how long a paste may stand still.
	pasteWait = 10 * time.Second
	// driftWait is how long keys must have stopped, when those that were meant for
	// somebody else are thrown away, and driftMost how long they have for that.
	driftWait = 30 * time.Millisecond
	driftMost = time.Second
	// busyWait is how often it is looked whether a key has been dealt with, while an
	// answer is waited for, too.
	busyWait = 20 * time.Millisecond
	// dealtWait is how long the dashboard may say nothing of a key before the next is handed
	// on all the same: it must not be deaf for good.
	dealtWait = 5 * time.Second
	// cutWait is how long the rest of what has begun is waited for before somebody else
	// has the terminal.
	cutWait = 100 * time.Millisecond
	// cutPasteWait is that of a paste: a shell would run its lines.
	cutPasteWait = 2 * time.Second
)

// keyboard is the terminal as Bubble Tea reads from it.
//
// What comes is handed on in whole pieces, so that no part of an answer, however late and
// in whatever pieces it comes, is taken for keys. One key is handed on at a time: the next
// is not even read before the dashboard has dealt with it, so that what was typed behind
// the key that opens a shell, or another context, goes there. And it knows whether the
// terminal still owes an answer: whatever is asked, a question that every terminal answers
// is put behind it (see asking).
//
// For Bubble Tea it is a terminal and no file, so that it is read from as it is. A file it
// would wait for with descriptors of its own, which it does not close when it lends the
// terminal to somebody.
type keyboard struct {
	in   *os.File
	gone func() // the terminal is

	reading sync.Mutex // held by Read

	mu     sync.Mutex
	change sync.Cond // of what follows
	keys   *terminal.Reader
	aside  bool // somebody else has the terminal
	split  terminal.Splitter
	last   time.Time // when a byte of what is not whole came
	lone   time.Time // when an ESC was taken for the key
	tail   bool      // a [ came behind it, and nothing yet behind that

	out    []byte           // what is handed on now
	mark   bool             // the mark follows it
	busy   bool             // the dashboard has not dealt with the key before
	deaf   *time.Timer      // ends that after dealtWait
	ending bool             // nor will it: what is typed is for whoever is next
	ahead  []terminal.Piece // typed, not handed on

	owed  int       // answers
	until time.Time // when they are given up
	mute  bool      // it has not answered, ever
}

func newKeyboard(in *os.File, gone func()) *keyboard {
	k := &keyboard{in: in, gone: gone, aside: true}
	k.change.L = &k.mu
	return k
}

// Fd makes it a terminal to Bubble Tea.
func (k *keyboard) Fd() uintptr { return k.in.Fd() }

// Write and Close belong to what Bubble Tea takes for a terminal.
func (k *keyboard) Write(p []byte) (int, error) { return k.in.Write(p) }

// Close does nothing: the terminal is not ours.
func (k *keyboard) Close() error { return nil }

// What is said by us to ourselves, behind each key: a report of a mode that no terminal
// has (DECRPM), which Bubble Tea hands on as a message.
const (
	markMode ansi.DECMode = 59173
	markSent              = "\x1b[?59173;1$y"
)

// theMark reports whether a message is the mark behind a key.
func theMark(msg tea.Msg) bool {
	report, ok := msg.(tea.ModeReportMsg)
	return ok && report.Mode == markMode
}

// next lets the next key come, once the one before is dealt with. Without free the
// terminal is about to be somebody else's, and so is what is typed.
func (k *keyboard) next(free bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy, k.ending = !free, !free
	k.heard()
	k.change.Broadcast()
}

// Read hands on what has come. It ends, as if the terminal did, when that is put aside.
func (k *keyboard) Read(p []byte) (int, error) {
	k.reading.Lock()
	defer k.reading.Unlock()
	for {
		n, keys, wait := k.ready(p)
		switch {
		case n > 0:
			return n, nil
		case keys == nil:
			return 0, io.EOF
		}
		if err := k.take(keys, wait); err != nil && !errors.Is(err, terminal.ErrCanceled) {
			k.mu.Lock()
			k.owed = 0
			k.mu.Unlock()
			k.gone()
			return 0, io.EOF
		}
	}
}

// ready is what is there to be handed on, or else where to read more and how long to wait
// for it; without keys the terminal is put aside.
func (k *keyboard) ready(p []byte) (n int, keys *terminal.Reader, wait time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		k.expire()
		switch {
		case k.aside:
			return 0, nil, 0
		case len(k.out) > 0:
			n = copy(p, k.out)
			if k.out = k.out[n:]; len(k.out) == 0 && k.mark {
				k.out, k.mark = []byte(markSent), false
				return n, nil, 0
			}
			return n, nil, 0
		case len(k.ahead) > 0 && !k.busy:
			k.hand(k.ahead[0])
			k.ahead = k.ahead[1:]
		case k.busy && k.owed == 0 && !k.split.Pasting():
			k.change.Wait()
		default:
			return 0, k.keys, k.patience()
		}
	}
}

// hand hands a piece on.
func (k *keyboard) hand(p terminal.Piece) {
	data := p.Data
	switch {
	case p.Kind == terminal.KindPaste:
		data = []byte(ansi.BracketedPasteStart + plainText(data) + ansi.BracketedPasteEnd)
	case string(data) == "\x1b":
		data = []byte("\x1b[27u") // which is that key and nothing else
	}
	k.out = append(k.out, data...)
	k.mark, k.busy = true, true
	k.heard()
	k.deaf = time.AfterFunc(dealtWait, k.giveUp)
}

// back says that the terminal is the dashboard's again. A word about a key of before may have
// come late, when the terminal was still lent: then the keys would wait for nothing.
func (k *keyboard) back() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ending = false
	if k.deaf == nil { // no key has been handed on since
		k.busy = false
	}
	k.change.Broadcast()
}

// giveUp lets the next key come although the dashboard has said nothing.
func (k *keyboard) giveUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy = false
	k.change.Broadcast()
}

// heard is called when the dashboard has said something, or nothing is waited for.
func (k *keyboard) heard() {
	if k.deaf != nil {
		k.deaf.Stop()
		k.deaf = nil
	}
}

// plainText is pasted text without what would be a sequence in it.
func plainText(b []byte) string {
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, bytes.ToValidUTF8(b, nil)))
}

// patience is how long to wait for the next byte; below 0: as long as it takes.
func (k *keyboard) patience() time.Duration {
	if at := k.limit(); !at.IsZero() {
		return max(time.Until(at), 0)
	}
	if k.busy { // what is typed may be handed on any moment
		return busyWait
	}
	if k.owed > 0 {
		return max(time.Until(k.until), 0)
	}
	return -1
}

// limit is when what is not whole is not waited for any more; zero: there is nothing.
func (k *keyboard) limit() time.Time {
	switch {
	case !k.split.Partial():
		return time.Time{}
	case k.split.Pasting():
		return k.last.Add(pasteWait)
	case k.owed > 0:
		return k.last.Add(answerWait)
	case k.split.Escape():
		return k.last.Add(escapeWait)
	}
	return k.last.Add(brokenOff)
}

// expire gives up what has not come in time. Where nobody has looked for a while, on a busy
// machine or because the process was stopped, it may have come all the same.
func (k *keyboard) expire() {
	now, at := time.Now(), k.limit()
	late, silent := !at.IsZero() && !now.Before(at), k.owed > 0 && !now.Before(k.until)
	if (late || silent) && k.keys != nil {
		if come, err := k.keys.Wait(0); come && err == nil {
			return
		}
	}
	if late {
		if k.split.Escape() {
			k.lone = now
		}
		k.sort(k.split.Flush())
		if k.tail { // it was the key
			k.tail = false
			k.sort([]terminal.Piece{{Kind: terminal.KindKey, Data: []byte{'['}}})
		}
	}
	if silent {
		k.mute, k.owed = true, 0
		k.change.Broadcast()
	}
}

// take waits for bytes and cuts them into pieces.
func (k *keyboard) take(keys *terminal.Reader, wait time.Duration) error {
	ready, err := keys.Wait(wait)
	if err != nil || !ready {
		return err
	}
	k.mu.Lock()
	buf := make([]byte, k.split.Ahead())
	k.mu.Unlock()
	n, err := keys.Read(buf)
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, b := range buf[:n] {
		k.push(b)
	}
	return err
}

// push takes a byte.
func (k *keyboard) push(b byte) {
	now := time.Now()
	if b == 0x03 && k.split.Pasting() && now.Sub(k.last) >= brokenOff {
		k.split.Drop() // its end has not come: this is the way out
	}
	k.last, k.tail = now, false
	if b == '[' && !k.split.Partial() && now.Sub(k.lone) < loneWait {
		k.split.Push(0x1b) // the network has cut a sequence behind its ESC
		k.tail = true
	}
	k.lone = time.Time{}
	pieces := k.split.Push(b)
	if k.owed > 0 && k.split.Partial() {
		k.until = now.Add(answerWait) // it goes on
	}
	k.sort(pieces)
}

// sort puts pieces where they belong: reports are handed on at once.
func (k *keyboard) sort(pieces []terminal.Piece) {
	for _, p := range pieces {
		switch {
		case p.Kind == terminal.KindNone:
		case p.Kind == terminal.KindReport && answersLast(p.Data):
			k.answered()
		case p.Kind == terminal.KindReport:
			k.out = append(k.out, p.Data...)
		case k.ending && string(p.Data) == "\x03":
			k.hand(p) // whoever does not want to wait
		default:
			k.ahead = append(k.ahead, p)
		}
	}
}

// lastQuestion is what is asked behind all else: every terminal says what it is (DA1),
// and answers in the order in which it is asked.
const lastQuestion = ansi.RequestPrimaryDeviceAttributes

// answersLast reports whether a report is the answer to it.
func answersLast(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\x1b[?")) && b[len(b)-1] == 'c'
}

// questions are what Bubble Tea asks.
var questions = [][]byte{
	[]byte(ansi.RequestModeSynchronizedOutput), []byte(ansi.RequestModeUnicodeCore), []byte(ansi.RequestBackgroundColor),
}

// unused is a question whose answer nobody wants to know: what the keyboard can.
var unused = []byte(ansi.RequestKittyKeyboard)

// asking is what is written to the terminal, with the last question behind what it asks.
// When nobody is there to read the answer it asks nothing.
func (k *keyboard) asking(p []byte) []byte {
	if bytes.Contains(p, unused) {
		p = bytes.ReplaceAll(p, unused, nil)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	asked := false
	for _, q := range questions {
		if !bytes.Contains(p, q) {
			continue
		}
		if asked = !k.aside; !asked {
			p = bytes.ReplaceAll(p, q, nil)
		}
	}
	if !asked {
		return p
	}
	if k.until = time.Now().Add(answerWait); !k.mute {
		k.owed++
	}
	return append(bytes.Clone(p), lastQuestion...)
}

func (k *keyboard) answered() {
	k.mute = false
	if k.owed > 0 {
		k.owed--
	}
	k.change.Broadcast()
}

// owes reports whether the terminal has still to answer.
func (k *keyboard) owes() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.owed > 0 && time.Now().Before(k.until)
}

// settle waits until the terminal owes no answer, or does not give it.
func (k *keyboard) settle(ctx context.Context) {
	for k.owes() && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
}

// resume begins to read. What was typed before is thrown away with fresh: it was meant for
// whoever had the terminal.
func (k *keyboard) resume(fresh bool) error {
	keys, err := terminal.CancelableReader(k.in)
	if err != nil {
		return err
	}
	if fresh {
		k.drain(keys)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys, k.aside = keys, false
	k.busy, k.ending = false, false
	return nil
}

// drain throws keys away until none come any more. What goes wrong is the next reader's.
func (k *keyboard) drain(keys *terminal.Reader) {
	end := time.Now().Add(driftMost)
	for time.Now().Before(end) {
		if ready, err := keys.Wait(driftWait); !ready || err != nil {
			break
		}
		if k.take(keys, 0) != nil {
			break
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ahead = nil
}

// pause stops reading: when it returns, no byte is taken any more. What has begun comes to
// its end first, as far as it comes at all.
func (k *keyboard) pause() {
	began := time.Now()
	for {
		k.mu.Lock()
		whole := !k.split.Partial() || k.aside
		most := cutWait
		if k.split.Pasting() {
			most = cutPasteWait
		}
		k.mu.Unlock()
		if whole || time.Since(began) > most {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	k.mu.Lock()
	keys := k.keys
	k.aside, k.keys = true, nil
	k.split.Drop()
	k.out, k.mark = nil, false
	k.change.Broadcast()
	k.mu.Unlock()
	if keys == nil {
		return
	}
	keys.Cancel()
	k.reading.Lock() // Read has returned
	defer k.reading.Unlock()
	_ = keys.Close()
}
