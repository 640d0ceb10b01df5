package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

const (
	// MinLength is how long a value must be, in bytes, to be looked for without Short:
	// shorter ones are parts of ordinary words.
	MinLength = 6
	// minLine is how long one line of a value of several lines must be to be looked for
	// by itself, as programs that put something before each line print it.
	minLine = 16
)

// forms are the ways in which a value is looked for: as it is, its long lines, and as
// it stands in JSON (also JSON within JSON), URLs, base64 and hexadecimal digits.
func forms(value string) []string {
	seen := map[string]bool{"": true}
	var out []string
	add := func(list ...string) {
		for _, f := range list {
			if !seen[f] {
				seen[f] = true
				out = append(out, f)
			}
		}
	}
	trimmed := strings.TrimSpace(value)
	add(value)
	if len(trimmed) >= MinLength {
		add(trimmed)
	}
	add(strings.ReplaceAll(trimmed, "\n", "\r\n")) // as a terminal has it
	if strings.Contains(trimmed, "\n") {
		for line := range strings.Lines(trimmed) {
			if line = strings.TrimSpace(line); len(line) >= minLine && !strings.HasPrefix(line, "-----") {
				add(line)
			}
		}
	}
	for _, v := range []string{value, trimmed} {
		add(inJSON(v)...)
	}
	add(inURL(value)...)
	if len(value) >= MinLength {
		add(inBase64(value)...)
		digits := hex.EncodeToString([]byte(value))
		add(digits, strings.ToUpper(digits))
	}
	return out
}

// inJSON is a value as a string of JSON, without its quotes, as the common encoders
// write it.
func inJSON(value string) []string {
	plain := escapeJSON(value, func(rune) bool { return false }, "/")
	return []string{
		plain,
		escapeJSON(value, func(r rune) bool { return strings.ContainsRune("<>&\u2028\u2029", r) }, "/"), // Go
		escapeJSON(value, func(r rune) bool { return r >= utf8.RuneSelf }, "/"),                         // Python
		escapeJSON(value, func(r rune) bool { return r >= utf8.RuneSelf }, `\/`),                        // PHP
		escapeJSON(plain, func(rune) bool { return false }, "/"),                                        // a document in a document
	}
}

func escapeJSON(value string, escaped func(rune) bool, slash string) string {
	var b strings.Builder
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`, '/': slash}
	for _, r := range value {
		switch s, ok := short[r]; {
		case ok:
			b.WriteString(s)
		case r < ' ' || escaped(r):
			for _, unit := range utf16.Encode([]rune{r}) {
				b.WriteString(`\u`)
				b.WriteString(hex.EncodeToString([]byte{byte(unit >> 8), byte(unit)}))
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// inURL is a value as a part of a URL: encoded as forms, paths and JavaScript's
// encodeURIComponent do it, with digits of both cases.
func inURL(value string) (out []string) {
	query := url.QueryEscape(value)
	component := strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(query)
	for _, form := range []string{query, strings.ReplaceAll(query, "+", "%20"), component, url.PathEscape(value)} {
		out = append(out, form, lowerHex(form))
	}
	return out
}

func lowerHex(escaped string) string {
	b := []byte(escaped)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
			i += 2
		}
	}
	return string(b)
}

// inBase64 is a value within something longer that is base64: one form for each place
// where it can begin in a group of three bytes, without the digits at its ends that
// hold bits of its neighbours; and the value encoded by itself.
func inBase64(value string) (out []string) {
	skip := [...]int{0, 2, 3} // digits that hold bits of what is before
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		out = append(out, enc.EncodeToString([]byte(value)), enc.WithPadding(base64.NoPadding).EncodeToString([]byte(value)))
		for before := range 3 {
			text := enc.EncodeToString(append(make([]byte, before), value...))
			whole := (before + len(value)) * 8 / 6 // digits of its own
			out = append(out, text[skip[before]:whole])
		}
	}
	return out
}

// parts are secrets within a value that programs print alone: the passwords of URLs, as
// they stand there and as they are meant, and the texts of JSON whose keys say that they are
// secret, at any depth; by those keys.
func parts(value string) (list []Secret) {
	for _, m := range userInfo().FindAllStringSubmatch(value, -1) {
		list = append(list, Secret{"password", m[1]})
		if meant, err := url.PathUnescape(m[1]); err == nil && meant != m[1] {
			list = append(list, Secret{"password", meant})
		}
	}
	var document any
	if trimmed := strings.TrimSpace(value); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		_ = json.Unmarshal([]byte(value), &document) // else it has no keys
	}
	var look func(key string, v any)
	look = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				look(k, v[k])
			}
		case []any:
			for _, one := range v {
				look(key, one)
			}
		case string:
			if secretKey(key) {
				list = append(list, Secret{key, v})
			}
		}
	}
	look("", document)
	return list
}

// userInfo is the beginning of a URL with a password, which may have any sign but a
// space: the last @ before the path ends it.
var userInfo = pattern.Lazy(`://[^/\s:@]*:([^/\s]+)@`)

// secretKey reports whether the name of a field says that it is a secret.
func secretKey(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"pass", "pwd", "secret", "token", "key", "credential", "private", "auth"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}
