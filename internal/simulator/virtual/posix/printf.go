package posix

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// unescape replaces backslash escapes. stop says that \c was met. With octal0
// the form is that of echo and %b (\0NNN), else that of a format (\NNN).
func unescape(text string, octal0 bool) (out string, stop bool) {
	if !strings.Contains(text, `\`) {
		return text, false
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch c := text[i]; c {
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'c':
			if octal0 {
				return b.String(), true
			}
			b.WriteString(`\c`)
		case 'e', 'E':
			b.WriteByte(0x1b)
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'v':
			b.WriteByte('\v')
		case '\\':
			b.WriteByte('\\')
		case 'x':
			i += writeDigits(&b, text[i+1:], 2, 16, `\x`)
		case 'u':
			i += writeDigits(&b, text[i+1:], 4, 16, `\u`)
		case 'U':
			i += writeDigits(&b, text[i+1:], 8, 16, `\U`)
		case '0', '1', '2', '3', '4', '5', '6', '7':
			skip := 0
			if octal0 && c == '0' {
				skip = 1
			}
			i += writeDigits(&b, text[i+skip:], 3, 8, "") + skip - 1
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), false
}

// writeDigits writes the character that up to n digits name, or bare when
// there is none, and returns how many digits it used.
func writeDigits(b *strings.Builder, text string, n, base int, bare string) int {
	used := 0
	for used < n && used < len(text) {
		if _, err := strconv.ParseUint(text[used:used+1], base, 8); err != nil {
			break
		}
		used++
	}
	v, err := strconv.ParseUint(text[:used], base, 32)
	switch {
	case err != nil:
		if bare == "" {
			b.WriteByte(0)
		}
		b.WriteString(bare)
	case bare == `\u` || bare == `\U`:
		b.WriteRune(rune(v))
	default:
		b.WriteByte(byte(v))
	}
	return used
}

func builtinEcho(s *Shell, _ context.Context, args []string) int {
	newline, escapes := true, false
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, o := range args[0][1:] {
			switch o {
			case 'n':
				newline = false
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	text, stop := strings.Join(args, " "), false
	if escapes {
		text, stop = unescape(text, true)
	}
	if newline && !stop {
		text += "\n"
	}
	s.status = 0
	s.out(text)
	return s.status
}

func builtinPrintf(s *Shell, _ context.Context, args []string) int {
	args = args[1:]
	target := ""
	if len(args) > 1 && args[0] == "-v" {
		target, args = args[1], args[2:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		s.errf("printf: usage: printf [-v var] format [arguments]")
		return 2
	}
	f := formatter{args: args[1:]}
	for first := true; first || (f.used && len(f.args) > 0 && !f.stop); first = false {
		f.used = false
		f.format(args[0])
		if f.b.Len() > maxVariable {
			s.errf("printf: %v", errTooLarge)
			return 1
		}
	}
	for _, e := range f.errs {
		s.errf("printf: %s", e)
	}
	s.status = 0
	if target != "" {
		s.setString(target, f.b.String())
	} else {
		s.out(f.b.String())
	}
	return max(s.status, oneIf(len(f.errs) > 0))
}

// formatter runs a printf format once over its arguments.
type formatter struct {
	b    strings.Builder
	args []string
	used bool // the format takes arguments
	stop bool
	errs []string
}

func (f *formatter) next() string {
	f.used = true
	if len(f.args) == 0 {
		return ""
	}
	a := f.args[0]
	f.args = f.args[1:]
	return a
}

func (f *formatter) format(format string) {
	for format != "" && !f.stop {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			i = len(format)
		}
		text, _ := unescape(format[:i], false)
		f.b.WriteString(text)
		if format = format[i:]; format == "" {
			return
		}
		if strings.HasPrefix(format, "%%") {
			f.b.WriteByte('%')
			format = format[2:]
			continue
		}
		format = f.directive(format)
	}
}

// directive handles one that begins format and returns what follows.
func (f *formatter) directive(format string) string {
	spec := "%"
	i := 1
	for ; i < len(format) && strings.IndexByte("-+ #0123456789.*", format[i]) >= 0; i++ {
		if format[i] != '*' {
			spec += string(format[i])
			continue
		}
		n, _ := f.number(f.next())
		spec += strconv.Itoa(int(n))
	}
	if i == len(format) {
		f.errs = append(f.errs, fmt.Sprintf("`%s': missing format character", format))
		f.stop = true
		return ""
	}
	if width := strings.Trim(spec, "%-+ #0"); len(width) > 4 {
		f.errs = append(f.errs, "width too large")
		f.stop = true
		return ""
	}
	f.verb(spec, format[i])
	return format[i+1:]
}

func (f *formatter) verb(spec string, verb byte) {
	switch verb {
	case 's':
		fmt.Fprintf(&f.b, spec+"s", f.next())
	case 'b':
		text, stop := unescape(f.next(), true)
		fmt.Fprintf(&f.b, spec+"s", text)
		f.stop = f.stop || stop
	case 'q':
		fmt.Fprintf(&f.b, spec+"s", quote(f.next()))
	case 'c':
		a := f.next()
		_, n := utf8.DecodeRuneInString(a)
		fmt.Fprintf(&f.b, spec+"s", a[:n])
	case 'd', 'i':
		n, _ := f.number(f.next())
		fmt.Fprintf(&f.b, spec+"d", n)
	case 'u':
		n, _ := f.number(f.next())
		fmt.Fprintf(&f.b, spec+"d", uint64(n))
	case 'o', 'x', 'X':
		n, _ := f.number(f.next())
		fmt.Fprintf(&f.b, spec+string(verb), uint64(n))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		a := f.next()
		n, err := strconv.ParseFloat(strings.TrimSpace(a), 64)
		if err != nil && a != "" {
			f.errs = append(f.errs, a+": invalid number")
		}
		fmt.Fprintf(&f.b, spec+string(verb), n)
	default:
		f.errs = append(f.errs, fmt.Sprintf("`%c': invalid format character", verb))
		f.stop = true
	}
}

func (f *formatter) number(a string) (int64, error) {
	text := strings.TrimSpace(a)
	if text == "" {
		return 0, nil
	}
	if len(text) > 1 && (text[0] == '\'' || text[0] == '"') {
		r, _ := utf8.DecodeRuneInString(text[1:])
		return int64(r), nil
	}
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		f.errs = append(f.errs, a+": invalid number")
		for end := len(text); end > 0; end-- { // the leading digits count
			if n, err := strconv.ParseInt(text[:end], 0, 64); err == nil {
				return n, nil
			}
		}
	}
	return n, err
}
