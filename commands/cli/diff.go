package cli

import (
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

// WriteDiff prints a difference in unified form, in colour on a terminal.
func WriteDiff(env *Env, ro render.Options, lines []string) error {
	var b strings.Builder
	for i, l := range lines {
		text := l
		if IsTerminal(env.Out) {
			text = VisibleLine(l)
		}
		switch {
		case !ro.Styles.Color:
		case i < 2:
			text = ro.Styles.Strong.Render(text)
		case strings.HasPrefix(l, "+"):
			text = ro.Styles.Good.Render(text)
		case strings.HasPrefix(l, "-"):
			text = ro.Styles.Bad.Render(text)
		case strings.HasPrefix(l, "@@"):
			text = ro.Styles.Accent.Render(text)
		}
		b.WriteString(text)
		b.WriteByte('\n')
	}
	_, err := io.WriteString(env.Out, b.String())
	return err
}
