package escapekeys

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Action is something that only the client can do, asked for by an escape.
type Action int

const (
	// Nothing is done: the keys are passed on.
	Nothing Action = iota
	// Leave ends the session at once.
	Leave
	// Reconnect drops the connection and makes a new one.
	Reconnect
	// ShowInfo shows connection, rates and limits.
	ShowInfo
	// Suspend stops this process as ^Z does.
	Suspend
	// ListEscapes shows the list of escapes.
	ListEscapes
)

// Keys are the characters after the escape character, in the order of the
// list.
var Keys = []struct {
	key  byte
	Name string
	do   Action
	Text string
}{
	{'.', ".", Leave, "leave at once, also when the far end is dead"},
	{'R', "R", Reconnect, "drop the connection and make a new one now"},
	{'#', "#", ShowInfo, "connection, rates and limits"},
	{0x1a, "^Z", Suspend, "suspend ssmdeck"},
	{'?', "?", ListEscapes, "this list"},
}

// Filter watches what is typed into a session for the ways out that only the
// client can take, as ssh does: after Enter (or at the start), the escape
// character and a key. The escape character twice is one. Everything else passes
// unchanged and in order. Pasted text, which the terminal brackets where the far
// end has asked for it, passes as it is.
type Filter struct {
	Char  byte // 0: none, all passes
	state escapeState
	paste bool // within pasted text
	mark  int  // how much of the next bracket has been seen
}

type escapeState int

const (
	lineStart escapeState = iota // the zero value: a session begins on a new line
	inLine
	afterChar
)

// The brackets around pasted text.
const (
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

// typed is what a stretch of keys means: bytes to pass on, then something to do.
type typed struct {
	Pass []byte
	Do   Action
}

// Read takes keys and returns what they mean, in order. What follows the leaving
// is dropped. keys is neither kept nor changed; the results may share its
// memory.
func (e *Filter) Read(keys []byte) []typed {
	if e.Char == 0 {
		return []typed{{Pass: keys}}
	}
	var (
		all  []typed
		pass []byte
		from int // keys[from:i] is still to be passed on
	)
	take := func(i int) {
		if pass == nil {
			pass = keys[from:i:i]
		} else {
			pass = append(pass, keys[from:i]...)
		}
	}
	for i, c := range keys {
		e.bracket(c)
		switch {
		case e.paste:
			e.state = inLine
		case e.state == afterChar:
			e.state = inLine
			do := keyAction(c)
			if c == e.Char { // one of two: the first was withheld, this one passes
				continue
			}
			if do == Nothing { // it was an ordinary character after all
				take(from)
				pass = append(pass, e.Char)
				e.enter(c)
				continue
			}
			e.state = lineStart
			take(from)
			all = append(all, typed{pass, do})
			if do == Leave {
				return all
			}
			pass, from = nil, i+1
		case e.state == lineStart && c == e.Char:
			take(i)
			from = i + 1
			e.state = afterChar
		default:
			e.enter(c)
		}
	}
	if take(len(keys)); len(pass) > 0 {
		all = append(all, typed{Pass: pass})
	}
	return all
}

// enter moves on by an ordinary key.
func (e *Filter) enter(c byte) {
	e.state = inLine
	if c == '\r' || c == '\n' {
		e.state = lineStart
	}
}

// bracket follows the brackets of pasted text.
func (e *Filter) bracket(c byte) {
	want := pasteBegin
	if e.paste {
		want = pasteEnd
	}
	switch {
	case c == want[e.mark]:
		e.mark++
	case c == want[0]:
		e.mark = 1
	default:
		e.mark = 0
	}
	if e.mark == len(want) {
		e.paste, e.mark = !e.paste, 0
	}
}

// Rest returns what is withheld when there are no more keys.
func (e *Filter) Rest() []byte {
	if e.state != afterChar {
		return nil
	}
	e.state = inLine
	return []byte{e.Char}
}

func keyAction(c byte) Action {
	for _, k := range Keys {
		if k.key == c {
			return k.do
		}
	}
	return Nothing
}

// ParseChar reads --escape-char: one ASCII character, ^X for a control
// character, or none, which is 0.
func ParseChar(s string) (byte, error) {
	wrong := func(why string) error {
		return fault.Usagef("escape character %q: %s", s, why).WithHint("give one character such as %%, a control character such as ^], or none")
	}
	var c byte
	switch {
	case s == "none":
		return 0, nil
	case len(s) == 1:
		c = s[0]
	case len(s) == 2 && s[0] == '^':
		if c = strings.ToUpper(s[1:])[0]; c < '@' || c > '_' {
			return 0, wrong("there is no such control character")
		}
		c &= 0x1f
	default:
		return 0, wrong("it is not one character")
	}
	switch {
	case c == 0 || c == '\r' || c == '\n' || c == 0x1b || c >= 0x7f:
		return 0, wrong("it cannot be typed by itself")
	case keyAction(c) != Nothing:
		return 0, wrong("it is one of the keys that follow")
	case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == ' ':
		return 0, wrong("it begins too many lines")
	}
	return c, nil
}

// Name writes an escape character for people.
func Name(c byte) string {
	if c < 0x20 {
		return "^" + string(rune(c|0x40))
	}
	return string(rune(c))
}
