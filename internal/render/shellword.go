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
	// A word that begins with = is the path of a program in zsh.
	bare := s != "" && s[0] != '=' && !strings.ContainsFunc(s, func(r rune) bool {
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
func unseen(s string) bool { return strings.ContainsFunc(s, joinsUnseen) || Visible(s) != s }

// joinsUnseen reports whether r changes what is around it, and is no sign itself: on a
// screen that stands for letters and pictures of people, in a word for a shell it must
// be seen.
func joinsUnseen(r rune) bool { return isJoiner(r) || isVariant(r) }

func escapedWord(s string) string {
	var b strings.Builder
	var t reader
	b.WriteString("$'")
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		raw := s[i : i+n]
		text := raw
		switch {
		case r == '\n':
			text = `\n`
		case r == '\t':
			text = `\t`
		case r == '\\' || r == '\'':
			text = `\` + raw
		case r < ' ' || r == 0x7f || r == utf8.RuneError && n == 1 || joinsUnseen(r) || t.unseen(r, s[i+n:]):
			text = octal(raw)
		}
		if text != raw {
			t.wrote(text)
		}
		b.WriteString(text)
		i += n
	}
	b.WriteByte('\'')
	return b.String()
}

// octal are bytes as escapes of three digits each: what follows is none of them.
func octal(raw string) string {
	var b strings.Builder
	for _, c := range []byte(raw) {
		fmt.Fprintf(&b, `\%03o`, c)
	}
	return b.String()
}
