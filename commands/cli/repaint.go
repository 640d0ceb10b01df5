package cli

import (
	"fmt"
	"io"
	"strings"
)

// Repaint writes lines over the last picture, which had drawn lines and left the
// cursor below them, in one write.
func Repaint(out io.Writer, drawn int, lines []string) error {
	var b strings.Builder
	b.WriteByte('\r')
	if drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", drawn)
	}
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\r\n")
	}
	b.WriteString("\x1b[J")
	_, err := io.WriteString(out, b.String())
	return err
}
