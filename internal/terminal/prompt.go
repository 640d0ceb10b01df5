package terminal

import (
	"context"
	"io"

	"golang.org/x/term"
)

// Prompt reads lines that a person types, with editing and history. Between two
// reads the terminal is as it was found, so that other programs can use it.
type Prompt struct {
	t      *Terminal
	editor *term.Terminal
	keys   *Reader
}

// Prompt returns a prompt that shows text before each line. text may be styled.
func (t *Terminal) Prompt(text string) *Prompt {
	p := &Prompt{t: t}
	p.editor = term.NewTerminal(promptIO{p}, text)
	return p
}

// Read reads one line, without its end. Ctrl-D on an empty line and Ctrl-C are
// io.EOF and an empty line; a done ctx is its error.
func (p *Prompt) Read(ctx context.Context) (string, error) {
	guard := p.t.Guard()
	defer guard.Close()
	defer guard.RestoreOnSignal()()
	defer guard.RestoreOnDone(ctx)()
	if err := guard.Raw(); err != nil {
		return "", err
	}
	keys, err := CancelableReader(p.t.in)
	if err != nil {
		return "", err
	}
	defer keys.Close()
	defer context.AfterFunc(ctx, keys.Cancel)()
	p.keys = keys
	if cols, rows, err := p.t.Size(); err == nil && cols > 0 {
		_ = p.editor.SetSize(cols, rows)
	}
	line, err := p.editor.ReadLine()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return line, err
}

// promptIO gives the editor the keys of the present read. Ctrl-C drops the line,
// as a shell does: for the editor that is Ctrl-U and Enter.
type promptIO struct{ p *Prompt }

func (rw promptIO) Read(b []byte) (int, error) {
	if len(b) < 2 {
		return 0, io.ErrShortBuffer
	}
	n, err := rw.p.keys.Read(b[:len(b)/2])
	out := make([]byte, 0, 2*n)
	for _, c := range b[:n] {
		if c == 0x03 {
			out = append(out, 0x15, '\r')
			continue
		}
		out = append(out, c)
	}
	return copy(b, out), err
}

func (rw promptIO) Write(b []byte) (int, error) { return rw.p.t.out.Write(b) }
