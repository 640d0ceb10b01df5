package virtual

import (
	"context"
	"fmt"
	"io"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// pagerPrograms are less, more and the editors that we do not simulate.
func (m *Machine) pagerPrograms() map[string]program.Func {
	return map[string]program.Func{"less": m.less, "more": m.less, "vi": noEditor, "vim": noEditor, "nano": noEditor}
}

func noEditor(_ context.Context, p *program.Proc) int {
	p.Errorf("full-screen programs are not simulated on a virtual node; use cat, sed -i or tee, or start the simulator with --shell host")
	return 1
}

// less shows a page at a time: space and Enter go on, q ends. Without a
// terminal it is cat.
func (m *Machine) less(ctx context.Context, p *program.Proc) int {
	_, files, st := p.Flags("RFXSnNier")
	if st >= 0 {
		return st
	}
	t, _ := p.Shell.Config().TTY.(*terminal)
	if t == nil || !p.Shell.IsTerminal(1) {
		return p.EachFile(ctx, files, func(_ string, r io.Reader) error { return p.Copy(r) })
	}
	quit := false
	return p.EachFile(ctx, files, func(_ string, r io.Reader) error {
		_, rows := t.size()
		left := rows - 1
		return p.EachLine(r, func(line []byte, _ bool) bool {
			if left <= 0 {
				left, quit = m.morePrompt(ctx, p, t)
			}
			if quit {
				return false
			}
			left--
			return p.Printf("%s\n", line)
		})
	})
}

// morePrompt asks what to do at the end of a page: how many more lines, or to
// quit.
func (m *Machine) morePrompt(ctx context.Context, p *program.Proc, t *terminal) (lines int, quit bool) {
	p.Flush()
	fmt.Fprint(p.Stdout, "\x1b[7m--More--\x1b[m")
	t.setRaw(true)
	defer t.setRaw(false)
	defer fmt.Fprint(p.Stdout, "\r\x1b[K")
	var b [1]byte
	for {
		n, err := t.ReadContext(ctx, b[:])
		if err != nil || n == 0 {
			return 0, true
		}
		_, rows := t.size()
		switch b[0] {
		case 'q', 'Q', ctrlC:
			return 0, true
		case ' ', 'f':
			return rows - 1, false
		case '\r', '\n', 'j':
			return 1, false
		}
	}
}
