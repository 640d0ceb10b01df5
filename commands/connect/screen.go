package connect

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/vt"
)

// holdBack is how much of a control sequence is kept until it is whole. Longer
// ones are strings (images, the clipboard) and pass as they come.
const holdBack = 4096

// screen is the one writer to the terminal while a session has it: it passes on
// what the far end writes, and draws what we have to say in between. A sequence
// or character of the far end that has begun is held back until it is whole, so
// that nothing is ever drawn into its middle.
//
// A status line is drawn on the bottom row, and wiped before the far end writes
// again. Where the cursor is down there the screen first moves up by a line, so
// that nothing is covered; a full-screen program, which would not stand that, is
// made to draw itself anew afterwards. The cursor is saved and restored with the
// terminal's one memory for that, which a program at the far end may use as
// well: this much cannot be kept apart.
type screen struct {
	out    io.Writer               // the terminal
	size   func() (cols, rows int) // 0, 0: not known
	styles *theme.Styles
	plain  bool // the terminal understands no sequences: messages are lines

	alternate atomic.Bool // the program at the far end uses the alternate screen

	overlay atomic.Bool // a full-screen program is under lines that stay until the next key

	mu      sync.Mutex
	scan    vt.Scanner
	modes   vt.Modes
	seq     []byte // the present control sequence, up to holdBack bytes
	held    []byte // what is not whole yet
	row     int    // of the status line; 0: there is none
	cols    int    // of the window when it was drawn
	shown   string
	covered bool // a full-screen program was drawn over
}

// Write takes output of the far end.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	whole := 0
	for i, c := range p {
		switch s.scan.Step(c) {
		case vt.Sequence:
			if len(s.seq) <= holdBack {
				if c == 0x1b { // it begins anew, whatever there was
					s.seq = s.seq[:0]
				}
				s.seq = append(s.seq, c)
			}
		case vt.End:
			rows := 0
			if c == 'r' { // margins
				_, rows = s.size()
			}
			s.modes.See(append(s.seq, c), rows)
			if s.modes.Alternate() { // that it is left is noted once the terminal knows
				s.alternate.Store(true)
			}
			s.seq = s.seq[:0]
		default:
		}
		if s.scan.Ground() || len(s.seq) > holdBack {
			whole = i + 1
		}
	}
	ready := p[:whole]
	if whole > 0 && len(s.held) > 0 {
		ready = append(s.held, ready...)
		s.held = nil
	}
	s.held = append(s.held, p[whole:]...)
	if len(ready) == 0 {
		return len(p), nil
	}
	s.wipe()
	if _, err := s.out.Write(ready); err != nil {
		return 0, err
	}
	s.alternate.Store(s.modes.Alternate())
	return len(p), nil
}

// drawable reports whether what was passed on ends between two things.
func (s *screen) drawable() bool { return len(s.seq) <= holdBack }

// end passes on what is held back, for nothing will make it whole any more, and
// wipes the status line.
func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	_, _ = s.out.Write(s.held)
	s.held = nil
}

// canStatus reports whether there is room for a status line.
func (s *screen) canStatus() bool {
	cols, rows := s.size()
	return !s.plain && rows >= 3 && cols >= 20
}

// status shows text on the bottom row, or takes it away when it is empty.
func (s *screen) status(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text == "" {
		s.wipe()
		return
	}
	cols, rows := s.size()
	text = render.CutEnd(text, cols-1, s.styles.Glyphs.Ellipsis)
	if !s.drawable() || rows < 3 || text == s.shown && s.row == rows && s.cols == cols {
		return
	}
	var b strings.Builder
	switch {
	case s.row > 0 && (s.row != rows || s.cols != cols):
		s.wipe()
		fallthrough
	case s.row == 0:
		if !s.modes.FullScreen() {
			b.WriteString("\n\x1b[A")
		}
	}
	s.covered = s.covered || s.modes.FullScreen()
	pad := strings.Repeat(" ", max(0, cols-1-render.Width(text)))
	fmt.Fprintf(&b, "\x1b7\x1b[%d;1H\x1b(B\x0f\x1b[0;7m%s%s\x1b[0m\x1b8", rows, text, pad)
	_, _ = io.WriteString(s.out, b.String()) // a terminal that is gone is noticed by whoever reads it
	s.row, s.cols, s.shown = rows, cols, text
}

// wipe takes the status line away. It is called with mu held.
func (s *screen) wipe() {
	if s.row == 0 {
		return
	}
	if cols, rows := s.size(); (s.row != rows || s.cols != cols) && !s.modes.FullScreen() {
		// In a window of another size the line is in another row, or in two, or
		// gone: only the terminal knows. It is below the cursor.
		_, _ = io.WriteString(s.out, "\n\x1b[A\x1b7\x1b[B\r\x1b[0m\x1b[J\x1b8")
	} else {
		_, _ = fmt.Fprintf(s.out, "\x1b7\x1b[%d;1H\x1b[0m\x1b[2K\x1b8", s.row)
	}
	s.row, s.shown = 0, ""
}

// lines prints lines of ours: where the cursor is, or over the top of a
// full-screen program.
func (s *screen) lines(lines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.drawable() {
		return
	}
	s.wipe()
	var b strings.Builder
	if s.modes.FullScreen() && !s.plain {
		s.overlay.Store(true)
		b.WriteString("\x1b7\x1b(B\x0f\x1b[0m")
		cols, rows := s.size()
		for i, l := range append(lines, "the next key goes back to the program") {
			if i == rows {
				break
			}
			if cols > 0 {
				l = render.CutEnd(l, cols, s.styles.Glyphs.Ellipsis)
			}
			fmt.Fprintf(&b, "\x1b[%d;1H\x1b[2K%s", i+1, s.styles.Dim.Render(l))
		}
		b.WriteString("\x1b8")
	} else {
		b.WriteString("\r\n")
		for _, l := range lines {
			b.WriteString(s.styles.Dim.Render(l) + "\r\n")
		}
	}
	_, _ = io.WriteString(s.out, b.String())
}

// fullScreen reports whether the program at the far end has the screen to itself.
func (s *screen) fullScreen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.modes.FullScreen()
}

// uncover reports, once, whether a full-screen program was drawn over and has to
// draw itself anew. A status line that is still there covers it still.
func (s *screen) uncover() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.covered && s.row == 0 && !s.overlay.Load()
	if was {
		s.covered = false
	}
	return was
}

// key notes that a key was typed, which ends the time of lines over a
// full-screen program; it reports whether there were any.
// It does not wait for a terminal that takes nothing: there may be none, and the
// key may be on the way to leaving.
func (s *screen) key() bool {
	if !s.overlay.CompareAndSwap(true, false) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.covered = true
	return true
}

// away gives the terminal to somebody else while do runs: nothing is written,
// and the modes of the program at the far end are off. It reports whether that
// program has the screen to itself.
func (s *screen) away(do func()) (fullScreen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	if !s.plain {
		_, _ = io.WriteString(s.out, s.modes.Off())
	}
	do()
	if !s.plain {
		_, _ = io.WriteString(s.out, s.modes.On())
	}
	return s.modes.FullScreen()
}
