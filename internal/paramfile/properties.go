package paramfile

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// encodeProperties writes what java.util.Properties loads from bytes and from text: all
// beyond ASCII is escaped.
func encodeProperties(b *bufio.Writer, list []item, o Options) error {
	for _, it := range list {
		o.writeNote(b, it)
		b.WriteString(it.key + "=")
		for i, r := range it.Value {
			switch {
			case r == '\\', r == ' ' && i == 0:
				b.WriteByte('\\')
				b.WriteRune(r)
			case r == '\n':
				b.WriteString(`\n`)
			case r == '\r':
				b.WriteString(`\r`)
			case r == '\t':
				b.WriteString(`\t`)
			case r >= ' ' && r < 0x7f:
				b.WriteRune(r)
			default:
				for _, unit := range utf16.Encode([]rune{r}) {
					fmt.Fprintf(b, `\u%04x`, unit)
				}
			}
		}
		b.WriteByte('\n')
	}
	return nil
}

// decodeProperties reads lines as java.util.Properties does (its documentation, method
// load).
func decodeProperties(d *decoder, data []byte) {
	s := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(s, "\n")
	var above *note
	for i := 0; i < len(lines); i++ {
		line := i + 1
		text := strings.TrimLeft(lines[i], " \t\f")
		if text == "" {
			continue
		}
		if text[0] == '#' || text[0] == '!' {
			above = readNote(lines[i], line)
			continue
		}
		for continues(text) {
			text = text[:len(text)-1]
			if i++; i == len(lines) {
				break
			}
			text += strings.TrimLeft(lines[i], " \t\f")
		}
		end := 0
		for end < len(text) && strings.IndexByte("=: \t\f", text[end]) < 0 {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(text))
		rest := strings.TrimLeft(text[end:], " \t\f")
		if rest != "" && (rest[0] == '=' || rest[0] == ':') {
			rest = strings.TrimLeft(rest[1:], " \t\f")
		}
		key, ok1 := unescapeProperty(text[:end])
		value, ok2 := unescapeProperty(rest)
		switch {
		case !ok1 || !ok2:
			d.fail(line, "a \\u escape is not right")
		case key == "":
			d.fail(line, "there is no key")
		default:
			d.variable(line, key, value, above)
		}
		above = nil
	}
}

// continues reports whether a line goes on in the next: it ends in an odd number of
// backslashes.
func continues(s string) bool {
	return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
}

func unescapeProperty(s string) (string, bool) {
	if !strings.Contains(s, `\`) {
		return s, true
	}
	var b strings.Builder
	var units []uint16
	flush := func() bool {
		for i := 0; i < len(units); i++ {
			r := rune(units[i])
			if utf16.IsSurrogate(r) {
				if i+1 == len(units) {
					return false
				}
				if r = utf16.DecodeRune(r, rune(units[i+1])); r == utf8.RuneError {
					return false
				}
				i++
			}
			b.WriteRune(r)
		}
		units = units[:0]
		return true
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == 'u' {
			if i+6 > len(s) {
				return "", false
			}
			v, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
			if err != nil {
				return "", false
			}
			units = append(units, uint16(v))
			i += 5
			continue
		}
		if !flush() {
			return "", false
		}
		c := s[i]
		if c == '\\' {
			if i++; i == len(s) {
				break
			}
			switch c = s[i]; c {
			case 't':
				c = '\t'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 'f':
				c = '\f'
			}
		}
		b.WriteByte(c)
	}
	ok := flush()
	return b.String(), ok
}
