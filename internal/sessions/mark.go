package sessions

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A mark is how the exit status travels within the output: a control character
// that text does not hold, 24 hexadecimal digits that nobody can guess, a colon,
// the status, and the control character again.
const (
	markByte     = 0x1e
	statusDigits = 10 // at most
)

// newMark returns the unguessable part, so that output cannot fake it.
func newMark() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return hex.EncodeToString(b[:])
}

// wrap makes a POSIX shell print the mark with the exit status after the command
// has run, and exit with it. The command runs in a subshell, so that its own
// exit does not skip that, and through eval, so that whatever it consists of
// (comments, here-documents, unbalanced quotes) ends where it ends.
func wrap(command, mark string) string {
	if strings.HasPrefix(command, "-") {
		command = " " + command // else eval of some shells takes it for an option
	}
	quoted := "'" + strings.ReplaceAll(command, "'", `'\''`) + "'"
	return fmt.Sprintf(`(eval %s); rc=$?; printf '\036%s:%%d\036' "$rc"; exit "$rc"`, quoted, mark)
}

// markWriter passes output on, but for the mark and its status, wherever they
// are: processes left in the background may write after the command has ended.
type markWriter struct {
	w      io.Writer
	mark   []byte // up to the colon; empty: everything is passed on
	held   []byte // what may become a mark
	found  bool
	status int
}

func newMarkWriter(w io.Writer, mark string) *markWriter {
	m := &markWriter{w: w}
	if mark != "" {
		m.mark = fmt.Appendf(nil, "%c%s:", markByte, mark)
	}
	return m
}

func (m *markWriter) Write(p []byte) (int, error) {
	if len(m.mark) == 0 {
		return m.w.Write(p)
	}
	data := p
	if len(m.held) > 0 {
		data = append(m.held, p...)
		m.held = nil
	}
	for pos := 0; pos < len(data); {
		i := bytes.IndexByte(data[pos:], markByte)
		if i < 0 {
			break
		}
		pos += i
		n, whole := m.match(data[pos:])
		switch {
		case n == 0: // any other use of the character
			pos++
		case whole:
			if err := m.pass(data[:pos]); err != nil {
				return 0, err
			}
			data, pos = data[pos+n:], 0
		default:
			m.held = bytes.Clone(data[pos:])
			data = data[:pos]
		}
	}
	if err := m.pass(data); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (m *markWriter) pass(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := m.w.Write(b)
	return err
}

// match looks for a mark at the beginning of b and notes its status. n is how
// much of b belongs to it; it is whole, or may become so with more input.
func (m *markWriter) match(b []byte) (n int, whole bool) {
	k := min(len(b), len(m.mark))
	if !bytes.Equal(b[:k], m.mark[:k]) {
		return 0, false
	}
	if k < len(m.mark) {
		return k, false
	}
	digits := b[k:]
	end := bytes.IndexByte(digits[:min(len(digits), statusDigits+1)], markByte)
	if end < 0 {
		if len(digits) > statusDigits || !isNumber(digits) {
			return 0, false
		}
		return len(b), false
	}
	status, err := strconv.Atoi(string(digits[:end]))
	if err != nil || !isNumber(digits[:end]) {
		return 0, false
	}
	m.found, m.status = true, status
	return k + end + 1, true
}

func isNumber(b []byte) bool {
	return len(bytes.Trim(b, "0123456789")) == 0
}

// flush passes on what did not become a mark.
func (m *markWriter) flush() error {
	held := m.held
	m.held = nil
	return m.pass(held)
}
