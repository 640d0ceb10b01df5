package recording

import (
	"bytes"

	"github.com/ssmdeck/ssmdeck/internal/vt"
)

// How much is kept undecided. A secret that is longer than keepTail within one
// line of more than maxLine may lose its mask in the middle; no usual one is.
const (
	maxLine  = 32 << 10
	keepTail = 8 << 10
	maxRaw   = 256 << 10
)

// track is one of the two streams of a recording while it is decided what of it
// may be written. Secrets are looked for in what a person sees: colours and the
// like between two characters do not hide one. Whatever moves the cursor ends a
// line. A line is decided when it has ended.
type track struct {
	rules []Rule
	keys  bool // it is what was typed: each control sequence is a key by itself

	scan vt.Scanner
	raw  []byte
	hide []byte // for each byte of raw
	text []byte // what is seen of raw, with \n where a line ends
	pos  []int  // where in raw each byte of text is
	seq  int    // where in raw the present control sequence began

	parts   []part // to whom raw belongs, in order
	block   bool   // within a private key
	swallow bool   // within a secret that is longer than what is kept
}

// part is a stretch of raw that came with one event.
type part struct {
	e    *entry
	size int
}

// add takes p, which came with e. It returns how much of text ends with a line.
func (t *track) add(e *entry, p []byte) (whole int) {
	e.left, e.size = e.left+len(p), e.size+len(p)
	t.parts = append(t.parts, part{e, len(p)})
	for _, c := range p {
		began := t.scan.Ground()
		at := len(t.raw)
		t.raw, t.hide = append(t.raw, c), append(t.hide, keep)
		if began {
			t.seq = at
		}
		switch t.scan.Step(c) {
		case vt.Text:
			if t.swallow = t.swallow && tokenByte(c); t.swallow {
				t.hide[at] = hidden
				continue
			}
			t.see(c, at)
		case vt.Control:
			switch c {
			case '\a', '\b', 0:
			case '\t':
				t.see(c, at)
			case '\r':
				t.see(t.carriageReturn(), at)
			default:
				t.see('\n', at)
			}
		case vt.End:
			t.sequence(at)
		}
	}
	return bytes.LastIndexByte(t.text, '\n') + 1
}

func (t *track) see(c byte, at int) {
	t.text, t.pos = append(t.text, c), append(t.pos, at)
}

// carriageReturn says what a carriage return is in text: the end of a line, or \r
// where an editor such as zsh's may have gone on in the next row of the screen.
// It writes a blank into the first column there to have the terminal wrap, and the
// first character twice: " \rx\rxyz".
func (t *track) carriageReturn() byte {
	n := len(t.text)
	if !t.keys && (n > 0 && t.text[n-1] == ' ' || n > 1 && t.text[n-2] == '\r') {
		return '\r'
	}
	return '\n'
}

// find returns the secrets in text, which lines that go on in the next row do not
// hide. Whether they do is not certain, so both is looked at.
func (t *track) find(text []byte) []span {
	if bytes.IndexByte(text, '\r') < 0 {
		return find(t.rules, text)
	}
	all := find(t.rules, bytes.ReplaceAll(text, []byte("\r"), []byte("\n")))
	whole, at := unwrap(text)
	for _, s := range find(t.rules, whole) {
		all = append(all, span{at[s.from], at[s.to-1] + 1})
	}
	return all
}

// unwrap returns text without what an editor adds where it goes on in the next
// row, and where each byte of the rest was.
func unwrap(text []byte) (whole []byte, at []int) {
	for i := 0; i < len(text); i++ {
		switch rest := text[i:]; {
		case len(rest) > 2 && rest[0] == ' ' && rest[1] == '\r' && rest[2] != '\n':
			i++
			if len(rest) > 3 && rest[3] == '\r' && rest[2] != ' ' {
				i += 2
			}
		default:
			whole, at = append(whole, text[i]), append(at, i)
		}
	}
	return whole, at
}

// tokenByte reports whether c may be in the middle of a secret.
func tokenByte(c byte) bool { return c > ' ' && c != '"' && c != '\'' }

// sequence takes a control sequence that ends at raw[at].
func (t *track) sequence(at int) {
	seq := t.raw[t.seq : at+1]
	switch {
	case t.keys:
		t.see('\n', at)
	case len(seq) < 3:
		if len(seq) == 2 && bytes.IndexByte([]byte("78DEMc"), seq[1]) >= 0 {
			t.see('\n', at)
		}
	case seq[1] == '[':
		if bytes.IndexByte([]byte("ABCDEFGHIZ`abdefjkSTLMrsu"), seq[len(seq)-1]) >= 0 {
			t.see('\n', at)
		}
	case clipboard(seq):
		for i := range seq {
			t.hide[t.seq+i] = hidden
		}
	default: // a title, say
		for _, s := range find(t.rules, seq) {
			cover(t.hide[t.seq:at+1], s)
		}
	}
}

// clipboard reports whether seq writes or reads the clipboard (OSC 52).
func clipboard(seq []byte) bool { return bytes.HasPrefix(seq, []byte("\x1b]52;")) }

// full reports whether too much is undecided.
func (t *track) full() bool { return len(t.text) > maxLine || len(t.raw) > maxRaw }

// decide settles the first n bytes of text, which end with a line, and hides the
// secrets in them.
func (t *track) decide(n int) {
	if n == 0 {
		return
	}
	t.search(n)
	t.release(n, t.pos[n-1]+1)
}

// drop settles the first n bytes of text by leaving out what is seen of them.
func (t *track) drop(n int) {
	if n == 0 {
		return
	}
	for i, c := range t.text[:n] {
		if c != '\n' {
			t.hide[t.pos[i]] = hidden
		}
	}
	t.release(n, t.pos[n-1]+1)
}

// flush settles everything.
func (t *track) flush() {
	t.search(len(t.text))
	t.release(len(t.text), len(t.raw))
}

// squeeze settles most of a line without end: what may still become a secret
// stays, unless it is too long for that.
func (t *track) squeeze() {
	if len(t.text) <= maxLine { // all else but text: images
		t.flush()
		return
	}
	n := len(t.text) - keepTail
	for _, s := range t.find(t.text) {
		switch {
		case s.from >= n || s.to <= n:
		case s.to < len(t.text):
			n = s.to
		default:
			t.swallow = true
			t.flush()
			return
		}
	}
	t.decide(n)
}

// search hides the secrets in the first n bytes of text.
func (t *track) search(n int) {
	hide := make([]byte, n)
	for at := 0; at < n; {
		end := at + len(line(t.text[at:n]))
		t.keyBlock(hide[at:end], t.text[at:end])
		at = end + 1
	}
	for _, s := range t.find(t.text[:n]) {
		cover(hide, s)
	}
	for i, h := range hide {
		if h != keep && t.text[i] != '\n' && t.text[i] != '\r' {
			t.hide[t.pos[i]] = h
		}
	}
}

// line is the first line of text, without its end.
func line(text []byte) []byte {
	l, _, _ := bytes.Cut(text, []byte("\n"))
	return l
}

// keyBlock hides what of a line belongs to a private key.
func (t *track) keyBlock(hide, text []byte) {
	from := 0
	if !t.block {
		m := keyBegin().FindIndex(text)
		if m == nil {
			return
		}
		t.block, from = true, m[0]
		cover(hide, span{from, len(text)})
	}
	if m := keyEnd().FindIndex(text[from:]); m != nil {
		t.block = false
		clear(hide[from+m[1]:])
		cover(hide, span{from, from + m[1]})
		return
	}
	if from == 0 && !keyBegin().Match(text) {
		if t.block = keyLine().Match(text); t.block {
			cover(hide, span{0, len(text)})
		}
	}
}

// release gives the first end bytes of raw, n of text, to their events.
func (t *track) release(n, end int) {
	at := 0
	for at < end {
		p := &t.parts[0]
		size := min(p.size, end-at)
		p.e.out = masked(p.e.out, t.raw[at:at+size], t.hide[at:at+size])
		p.e.left -= size
		at += size
		if p.size -= size; p.size == 0 {
			t.parts = t.parts[1:]
		}
	}
	t.raw = append(t.raw[:0], t.raw[end:]...)
	t.hide = append(t.hide[:0], t.hide[end:]...)
	t.text = append(t.text[:0], t.text[n:]...)
	t.pos = append(t.pos[:0], t.pos[n:]...)
	for i := range t.pos {
		t.pos[i] -= end
	}
	t.seq = max(0, t.seq-end)
}
