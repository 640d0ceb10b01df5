package paramfile

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// printer is what formats write to. What goes wrong is told at its end, by Encode.
type printer struct{ w *bufio.Writer }

func (p printer) str(s string)                      { _, _ = p.w.WriteString(s) }
func (p printer) char(r rune)                       { _, _ = p.w.WriteRune(r) }
func (p printer) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.w, format, args...) }

// printed is what write prints.
func printed(write func(b printer)) string {
	var s strings.Builder
	_ = printTo(&s, func(b printer) error { write(b); return nil })
	return s.String()
}

func printTo(w io.Writer, write func(b printer) error) error {
	b := bufio.NewWriter(w)
	if err := write(printer{b}); err != nil {
		return err
	}
	return b.Flush()
}
