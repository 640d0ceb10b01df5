package paramfile

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// assignments reads lines of KEY=value. What a shell or a library would put something
// else in the place of is a fault: nobody knows here what that is.
type assignments struct {
	*decoder
	s     string
	i     int
	line  int
	shell bool // by the rules of POSIX shells; else by what libraries for dotenv agree on
}

// malformed is why a line cannot be read.
type malformed string

func (a *assignments) read() {
	var above *note
	for a.i < len(a.s) {
		begun, line := a.i, a.line
		a.blanks()
		switch {
		case a.i >= len(a.s):
			return
		case a.peek() == '\n':
			a.next()
		case a.peek() == '\r':
			a.i++
		case a.peek() == '#':
			text := a.rest()
			if a.i == begun {
				above = readNote(text, line)
			}
			a.i += len(text)
		default:
			key, value, bad := a.assignment()
			if bad != "" {
				a.fail(a.line, "%s", string(bad))
				a.i += len(a.rest())
				continue
			}
			a.variable(line, key, value, above)
			above = nil
		}
	}
}

func (a *assignments) peek() byte {
	if a.i < len(a.s) {
		return a.s[a.i]
	}
	return 0
}

func (a *assignments) next() byte {
	c := a.s[a.i]
	a.i++
	if c == '\n' {
		a.line++
	}
	return c
}

func (a *assignments) blanks() {
	for a.peek() == ' ' || a.peek() == '\t' {
		a.i++
	}
}

// rest is the text up to the end of the line.
func (a *assignments) rest() string {
	rest := a.s[a.i:]
	if end := strings.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

func (a *assignments) assignment() (key, value string, bad malformed) {
	if rest, ok := strings.CutPrefix(a.rest(), "export"); ok && (strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, "\t")) {
		a.i += len("export")
		a.blanks()
	}
	start := a.i
	for a.i < len(a.s) && (a.peek() == '_' || alphanumeric(a.peek()) || !a.shell && (a.peek() == '.' || a.peek() == '-')) {
		a.i++
	}
	key = a.s[start:a.i]
	if !a.shell {
		a.blanks()
	}
	switch {
	case key == "" || a.shell && key[0] >= '0' && key[0] <= '9':
		return "", "", "a line must be NAME=value, or a comment"
	case a.peek() != '=':
		return "", "", malformed("there is no = behind " + key)
	}
	a.i++
	if a.shell {
		value, bad = a.word()
	} else {
		a.blanks()
		value, bad = a.library()
	}
	switch {
	case bad != "":
		return "", "", malformed(key + ": " + string(bad))
	case !utf8.ValidString(value):
		return "", "", malformed(key + ": the escapes in the value make no text")
	case strings.ContainsRune(value, 0):
		return "", "", malformed(key + ": a value cannot have a NUL character")
	}
	a.blanks()
	if a.shell && a.peek() == ';' {
		a.i++
		a.blanks()
	}
	switch rest := a.rest(); {
	case rest == "", rest == "\r":
	case rest[0] == '#':
		a.i += len(rest)
	case a.shell:
		return "", "", malformed("the value of " + key + " has a blank that is not in quotes: the rest of the line would be another command")
	default:
		return "", "", malformed("there is text behind the quotes of " + key)
	}
	return key, value, ""
}

// word reads the value of an assignment as a shell does.
func (a *assignments) word() (string, malformed) {
	var b strings.Builder
	for a.i < len(a.s) {
		switch c := a.peek(); {
		case strings.IndexByte(" \t\n;", c) >= 0, c == '\r' && (a.rest() == "\r"):
			return b.String(), ""
		case c == '\'':
			if bad := a.single(&b); bad != "" {
				return "", bad
			}
		case c == '"':
			if bad := a.double(&b); bad != "" {
				return "", bad
			}
		case c == '$' && strings.HasPrefix(a.s[a.i:], "$'"):
			if bad := a.ansi(&b); bad != "" {
				return "", bad
			}
		case c == '\\':
			a.i++
			if a.i >= len(a.s) {
				return "", "the line ends in a backslash"
			}
			if c := a.next(); c != '\n' {
				b.WriteByte(c)
			}
		case c == '$' && (a.expands() || strings.HasPrefix(a.s[a.i:], `$"`)):
			return "", "$ stands for a variable here; write the value in single quotes"
		case strings.IndexByte("`|&<>()*?[", c) >= 0, c == '~' && b.Len() == 0:
			return "", malformed("the character " + string(c) + " means something to a shell; write the value in single quotes")
		default:
			b.WriteByte(a.next())
		}
	}
	return b.String(), ""
}

// library reads the value of an assignment as libraries for dotenv do.
func (a *assignments) library() (string, malformed) {
	switch a.peek() {
	case '\'', '"':
		var b strings.Builder
		for {
			var bad malformed
			switch c := a.peek(); {
			case c == '\'':
				bad = a.single(&b)
			case c == '"':
				bad = a.double(&b)
			case strings.HasPrefix(a.s[a.i:], `\'`) && b.Len() > 0: // 'it'\''s', as shells need it
				b.WriteByte('\'')
				a.i += 2
			default:
				return b.String(), ""
			}
			if bad != "" {
				return "", bad
			}
		}
	case '`':
		return "", "a value in backticks is read differently everywhere; write it in single quotes"
	case '#':
		return "", "is this value a comment? write it in single quotes"
	}
	text := a.rest()
	cut := text
	for i := 1; i < len(text); i++ {
		if text[i] == '#' && (text[i-1] == ' ' || text[i-1] == '\t') {
			cut = text[:i-1]
			break
		}
	}
	for i := range cut {
		if cut[i] == '$' && i+1 < len(cut) && nameStart(cut[i+1]) {
			return "", "some put a variable in the place of $ and a name, others do not; write the value in single quotes"
		}
	}
	a.i += len(text)
	return strings.Trim(cut, " \t\r"), ""
}

func (a *assignments) single(b *strings.Builder) malformed {
	end := strings.IndexByte(a.s[a.i+1:], '\'')
	if end < 0 {
		return "a quote does not end"
	}
	text := a.s[a.i+1 : a.i+1+end]
	b.WriteString(text)
	a.line += strings.Count(text, "\n")
	a.i += end + 2
	return ""
}

func (a *assignments) double(b *strings.Builder) malformed {
	begun := a.line
	a.i++
	for a.i < len(a.s) {
		switch c := a.next(); {
		case c == '"':
			return ""
		case c == '$' && (a.shell && a.at(a.expands) || !a.shell && nameStart(a.peek())):
			return `$ stands for a variable here; write \$, or the value in single quotes`
		case c == '`' && a.shell:
			return "a backtick begins a command here; write the value in single quotes"
		case c != '\\' || a.i >= len(a.s):
			b.WriteByte(c)
		default:
			switch e := a.next(); {
			case strings.IndexByte("\\\"$`", e) >= 0:
				b.WriteByte(e)
			case e == '\n' && a.shell:
			case e == 'n' && !a.shell:
				b.WriteByte('\n')
			case e == 'r' && !a.shell:
				b.WriteByte('\r')
			case e == 't' && !a.shell:
				b.WriteByte('\t')
			default:
				b.WriteByte('\\')
				b.WriteByte(e)
			}
		}
	}
	a.line = begun
	return "a quote does not end"
}

// at asks expands about the $ that was read.
func (a *assignments) at(expands func() bool) bool {
	a.i--
	defer func() { a.i++ }()
	return expands()
}

// expands reports whether a shell puts something in the place of the $ here.
func (a *assignments) expands() bool {
	if a.i+1 >= len(a.s) {
		return false
	}
	c := a.s[a.i+1]
	return nameStart(c) || c >= '0' && c <= '9' || strings.IndexByte("@*#?-$!", c) >= 0
}

// nameStart reports whether c behind a $ begins a variable or a command.
func nameStart(c byte) bool {
	return c == '_' || c == '{' || c == '(' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

var ansiEscapes = map[byte]byte{'a': 7, 'b': 8, 'e': 27, 'E': 27, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11, '\\': '\\', '\'': '\'', '"': '"', '?': '?'}

// ansi reads $'...', as bash and zsh print what is not plain.
func (a *assignments) ansi(b *strings.Builder) malformed {
	a.i += 2
	for a.i < len(a.s) {
		c := a.next()
		if c == '\'' {
			return ""
		}
		if c != '\\' || a.i >= len(a.s) {
			b.WriteByte(c)
			continue
		}
		e := a.next()
		if v, ok := ansiEscapes[e]; ok {
			b.WriteByte(v)
			continue
		}
		digits, base, most := "0123456789abcdefABCDEF", 16, map[byte]int{'x': 2, 'u': 4, 'U': 8}[e]
		if e >= '0' && e <= '7' {
			digits, base, most = "01234567", 8, 3
			a.i--
		}
		n := 0
		for n < most && a.i+n < len(a.s) && strings.IndexByte(digits, a.s[a.i+n]) >= 0 {
			n++
		}
		v, err := strconv.ParseUint(a.s[a.i:a.i+n], base, 32)
		if err != nil {
			return "an escape in $'...' is not known"
		}
		a.i += n
		if e == 'u' || e == 'U' {
			b.WriteRune(rune(v))
		} else {
			b.WriteByte(byte(v))
		}
	}
	return "a quote does not end"
}
