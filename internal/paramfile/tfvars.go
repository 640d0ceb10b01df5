package paramfile

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// encodeTfvars writes HCL attributes. Terraform changes texts to Unicode's form NFC
// when it reads them; values that are in another form come to it changed.
func encodeTfvars(b printer, list []item, o Options) error {
	for _, it := range list {
		o.writeNote(b, it)
		b.str(it.key + " = ")
		writeHCLString(b, it.Value)
		b.char('\n')
	}
	return nil
}

func writeHCLString(b printer, s string) {
	b.char('"')
	for i, r := range s {
		switch {
		case writeEscape(b, r):
		case r == '$' || r == '%':
			// ${ is written $${, but a $ in front of it would be taken for part of that.
			rest := strings.TrimLeft(s[i:], string(r))
			switch run := len(s) - i - len(rest); {
			case !strings.HasPrefix(rest, "{"):
				b.char(r)
			case run == 1 && (i == 0 || s[i-1] != byte(r)):
				b.char(r)
				b.char(r)
			default:
				b.printf(`\u%04x`, r)
			}
		case r < 0x10000 && (invisible(r) || !unicode.IsPrint(r) && r != ' '):
			b.printf(`\u%04x`, r)
		case !unicode.IsPrint(r):
			b.printf(`\U%08x`, r)
		default:
			b.char(r)
		}
	}
	b.char('"')
}

// decodeTfvars reads attributes whose values are texts, numbers, truth values, and
// lists of them, which are StringLists. Objects are levels of a path.
func decodeTfvars(d *decoder, data []byte) {
	h := hcl{decoder: d, s: string(data), line: 1}
	var above *note
	for {
		if n := h.space(true); n != nil {
			above = n
		}
		if h.i >= len(h.s) {
			return
		}
		line := h.line
		key := h.key()
		if h.space(false); key == "" || h.peek() != '=' {
			d.fail(h.line, "a line must be name = value")
			return
		}
		h.i++
		h.space(false)
		v, bad := h.value(0)
		if bad != "" {
			d.fail(h.line, "%s: %s", key, bad)
			return
		}
		h.space(false)
		if c := h.peek(); h.i < len(h.s) && c != '\n' && c != '\r' && c != '#' && !strings.HasPrefix(h.s[h.i:], "//") {
			d.fail(h.line, "there is text behind the value of %s", key)
			return
		}
		switch v.kind {
		case scalar:
			d.variable(line, key, v.text, above)
		case nothing:
			d.fail(line, "%s has no value; Parameter Store keeps no empty values", key)
		case object:
			d.level(d.Names.rename(key)+"/", v, 1)
		default:
			var p parameter.Parameter
			if d.value(key, v, &p) {
				d.add(line, d.Names.rename(key), p)
			}
		}
		above = nil
	}
}

// hcl reads the part of HCL that files of variables need.
type hcl struct {
	*decoder
	s    string
	i    int
	line int
}

func (h *hcl) peek() byte {
	if h.i < len(h.s) {
		return h.s[h.i]
	}
	return 0
}

// space skips blanks, and with lines also ends of lines and comments, of which it
// returns the last that is a note.
func (h *hcl) space(lines bool) (n *note) {
	for h.i < len(h.s) {
		rest := h.s[h.i:]
		switch c := rest[0]; {
		case c == ' ' || c == '\t' || c == '\r':
			h.i++
		case c == '\n' && lines:
			h.i++
			h.line++
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				end = len(rest) - 2
			}
			h.line += strings.Count(rest[:end], "\n")
			h.i += end + 2
		case (c == '#' || strings.HasPrefix(rest, "//")) && lines:
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				rest = rest[:end]
			}
			if m := readNote(rest, h.line); m != nil {
				n = m
			}
			h.i += len(rest)
		default:
			return n
		}
	}
	return n
}

func (h *hcl) key() string {
	if h.peek() == '"' {
		v, bad := h.quoted()
		if bad != "" {
			return ""
		}
		return v
	}
	start := h.i
	for c := h.peek(); h.i < len(h.s) && (c == '_' || c == '-' || c >= utf8.RuneSelf || alphanumeric(c)); c = h.peek() {
		h.i++
	}
	return h.s[start:h.i]
}

func (h *hcl) value(depth int) (*node, string) {
	n := &node{line: h.line}
	c := h.peek()
	switch {
	case depth > deepest:
		return nil, "nested too deeply"
	case c == '"':
		text, bad := h.quoted()
		n.kind, n.text = scalar, text
		return n, bad
	case strings.HasPrefix(h.s[h.i:], "<<"):
		text, bad := h.heredoc()
		n.kind, n.text = scalar, text
		return n, bad
	case c == '[' || c == '{':
		return h.several(n, depth)
	}
	word := h.key()
	if c := h.peek(); c == '.' || c == '+' { // 1.5, 1e+3
		start := h.i - len(word)
		for strings.IndexByte(".+-", h.peek()) >= 0 || alphanumeric(h.peek()) {
			if h.i++; h.i >= len(h.s) {
				break
			}
		}
		word = h.s[start:h.i]
	}
	_, err := strconv.ParseFloat(word, 64)
	switch {
	case word == "null":
		return n, ""
	case word == "true" || word == "false" || err == nil && strings.Trim(word, "0123456789.eE+-") == "":
		n.kind, n.text = scalar, word
		return n, ""
	default:
		return nil, "the value must be a text in double quotes, a number, true, false, or a list of them"
	}
}

// several reads a list or an object.
func (h *hcl) several(n *node, depth int) (*node, string) {
	n.kind = list
	end := byte(']')
	if h.peek() == '{' {
		n.kind, end = object, '}'
	}
	h.i++
	for {
		h.space(true)
		switch {
		case h.i >= len(h.s):
			return nil, "a bracket does not end"
		case h.peek() == end:
			h.i++
			return n, ""
		}
		m := member{line: h.line}
		if n.kind == object {
			m.key = h.key()
			h.space(false)
			if c := h.peek(); m.key == "" || c != '=' && c != ':' {
				return nil, "in an object there must be name = value"
			}
			h.i++
			h.space(false)
		}
		v, bad := h.value(depth + 1)
		if bad != "" {
			return nil, bad
		}
		if m.value = v; n.kind == object {
			n.members = append(n.members, m)
		} else {
			n.items = append(n.items, v)
		}
		before := h.line
		h.space(true)
		switch c := h.peek(); {
		case c == ',':
			h.i++
		case c == end, n.kind == object && h.line > before: // a new line ends an attribute
		default:
			return nil, "there must be a comma between the elements"
		}
	}
}

// quoted reads a text in double quotes.
func (h *hcl) quoted() (string, string) {
	var b strings.Builder
	h.i++
	for h.i < len(h.s) {
		rest := h.s[h.i:]
		switch c := rest[0]; {
		case c == '"':
			h.i++
			return b.String(), ""
		case c == '\n':
			return "", "a text in double quotes does not end on its line"
		case strings.HasPrefix(rest, "$${") || strings.HasPrefix(rest, "%%{"):
			b.WriteString(rest[1:3])
			h.i += 3
		case strings.HasPrefix(rest, "${") || strings.HasPrefix(rest, "%{"):
			return "", "files of variables have no expressions; a text with " + rest[:2] + " is written " + rest[:1] + rest[:2]
		case c == '\\':
			text, n := hclEscape(rest)
			if n == 0 {
				return "", "an escape is not known to HCL"
			}
			b.WriteString(text)
			h.i += n
		default:
			b.WriteByte(c)
			h.i++
		}
	}
	return "", "a text in double quotes does not end"
}

// hclEscape is the text of the escape that s begins with, and its length; 0 when there
// is no such.
func hclEscape(s string) (string, int) {
	if len(s) < 2 {
		return "", 0
	}
	switch s[1] {
	case 'n':
		return "\n", 2
	case 'r':
		return "\r", 2
	case 't':
		return "\t", 2
	case '"', '\\':
		return s[1:2], 2
	case 'u', 'U':
		n := 6
		if s[1] == 'U' {
			n = 10
		}
		if len(s) < n {
			return "", 0
		}
		v, err := strconv.ParseUint(s[2:n], 16, 32)
		if err != nil || !utf8.ValidRune(rune(v)) {
			return "", 0
		}
		return string(rune(v)), n
	}
	return "", 0
}

// heredoc reads <<WORD and its lines; <<-WORD takes away the blanks that all have.
func (h *hcl) heredoc() (string, string) {
	h.i += 2
	indented := h.peek() == '-'
	if indented {
		h.i++
	}
	word := h.key()
	head, rest, ok := strings.Cut(h.s[h.i:], "\n")
	if word == "" || !ok || strings.TrimSpace(head) != "" {
		return "", "a heredoc must begin with <<WORD at the end of a line"
	}
	h.i += len(head) + 1
	h.line++
	var lines []string
	for rest != "" {
		line, after, more := strings.Cut(rest, "\n")
		if strings.TrimSpace(line) == word {
			h.i += len(line)
			return outdent(lines, indented)
		}
		if strings.Contains(line, "${") || strings.Contains(line, "%{") {
			return "", "heredocs with ${ or %{ are not read; write a text in double quotes"
		}
		lines = append(lines, line+"\n")
		h.i += len(line)
		if more {
			h.i++
			h.line++
		}
		rest = after
	}
	return "", "the heredoc does not end"
}

func outdent(lines []string, indented bool) (string, string) {
	if indented {
		least := -1
		for _, l := range lines {
			if n := len(l) - len(strings.TrimLeft(l, " ")); strings.TrimSpace(l) != "" && (least < 0 || n < least) {
				least = n
			}
		}
		for i, l := range lines {
			lines[i] = l[min(max(least, 0), len(l)-len(strings.TrimLeft(l, " "))):]
		}
	}
	return strings.Join(lines, ""), ""
}
