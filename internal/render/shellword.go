package render

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ShellWord writes a text as one word of a POSIX shell, for commands that people paste.
// A text with line breaks or with what cannot be seen is written with escapes, $'a\nb',
// as POSIX has them since 2024, and bash, zsh and ksh since long: what is seen is what
// is pasted, in one line.
func ShellWord(s string) string {
	if unseen(s) {
		return escapedWord(s)
	}
	bare := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@,+", r))
	})
	switch {
	case bare:
		return s
	case !strings.ContainsAny(s, "\"$`\\!"):
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// unseen reports whether something in a text cannot be seen as it is.
func unseen(s string) bool {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r != '\\' && Visible(s[i:i+n]) != s[i:i+n] {
			return true
		}
		i += n
	}
	return false
}

func escapedWord(s string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		raw := s[i : i+n]
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\\' || r == '\'':
			b.WriteString(`\` + raw)
		case Visible(raw) == raw:
			b.WriteString(raw)
		default:
			for _, c := range []byte(raw) {
				fmt.Fprintf(&b, `\%03o`, c) // three digits: what follows is none of it
			}
		}
		i += n
	}
	b.WriteByte('\'')
	return b.String()
}
