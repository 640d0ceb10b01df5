package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// What a hidden line can fail with.
var (
	// ErrInterrupted: the person pressed Ctrl-C.
	ErrInterrupted = errors.New("interrupted")
	// ErrSeveralLines: more than one line was pasted. All of it was taken from the
	// terminal, so that no shell runs the rest.
	ErrSeveralLines = errors.New("several lines were pasted")
	// ErrControl: a control character was typed or pasted, an arrow key for instance.
	ErrControl = errors.New("it has a control character")
)

// Hidden reads one line of which nothing is shown, without its end. Backspace takes
// back a character, Ctrl-U all. Nothing else is changed: what cannot be part of a line
// is an error and not left out. Ctrl-D on an empty line is io.EOF, a done ctx its error.
func (t *Terminal) Hidden(ctx context.Context, prompt string) (string, error) {
	guard := t.Guard()
	defer guard.Close()
	defer guard.RestoreOnSignal()()
	defer guard.RestoreOnDone(ctx)()
	if err := guard.Raw(); err != nil {
		return "", err
	}
	keys, err := CancelableReader(t.in)
	if err != nil {
		return "", err
	}
	defer keys.Close()
	defer context.AfterFunc(ctx, keys.Cancel)()
	fmt.Fprint(t.out, prompt)
	defer fmt.Fprint(t.out, "\r\n")
	line, err := hiddenLine(keys)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return line, err
}

// hiddenLine reads a line, key by key, from a terminal in raw mode.
func hiddenLine(keys io.Reader) (string, error) {
	var line []byte
	var bad error
	chunk := make([]byte, 4096)
	for {
		n, err := keys.Read(chunk)
		for i, c := range chunk[:n] {
			switch {
			case c == '\r' || c == '\n':
				switch rest := string(chunk[i+1 : n]); {
				case bad != nil:
					return "", bad
				case rest != "" && rest != "\n":
					return "", ErrSeveralLines
				}
				return string(line), nil
			case c == 0x03:
				return "", ErrInterrupted
			case c == 0x04 && len(line) == 0:
				return "", io.EOF
			case c == 0x7f || c == 0x08:
				_, size := utf8.DecodeLastRune(line)
				line = line[:len(line)-size]
			case c == 0x15:
				line, bad = line[:0], nil
			case c < ' ' && c != '\t':
				bad = ErrControl
			default:
				line = append(line, c)
			}
		}
		if err != nil {
			return "", err
		}
	}
}
