package commands

// escapes watches what is typed into a session for the ways out that only the
// client can take, as ssh does: after Enter (or at the start), ~. leaves and ~~
// is one tilde. Everything else passes unchanged, in order.
type escapes struct {
	state escapeState
}

type escapeState int

const (
	lineStart escapeState = iota // the zero value: a session begins on a new line
	inLine
	afterTilde
)

// filter returns what of p goes to the session and whether the user leaves. p is
// not kept and not changed; the result may share its memory.
func (e *escapes) filter(p []byte) (pass []byte, leave bool) {
	from := 0 // p[from:i] is still to be passed on
	for i, c := range p {
		switch e.state {
		case afterTilde:
			switch c {
			case '.':
				return append(pass, p[from:max(from, i-1)]...), true
			case '~': // ~~ is one tilde: the first was withheld, this one passes
			default:
				pass = append(pass, '~') // it was an ordinary tilde after all
			}
			e.state = inLine
			if isEnter(c) {
				e.state = lineStart
			}
		case lineStart:
			if c == '~' {
				pass = append(pass, p[from:i]...)
				from = i + 1
				e.state = afterTilde
				continue
			}
			fallthrough
		default:
			e.state = inLine
			if isEnter(c) {
				e.state = lineStart
			}
		}
	}
	if pass == nil {
		return p[from:], false
	}
	return append(pass, p[from:]...), false
}

func isEnter(c byte) bool { return c == '\r' || c == '\n' }
