package recording

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Mask stands in the place of a secret, whatever its length.
const Mask = "***"

// Rule finds secrets in a line of text. The groups of its expression are the
// secret, or the whole match where it has none.
type Rule struct {
	re    *regexp.Regexp
	hints [][]byte // in lower case: without one of them a text has no match; none: may always
}

// NewRule makes a rule of a regular expression (RE2 syntax) of the user. One that
// matches the empty text is refused: it would match everywhere.
func NewRule(expr string) (Rule, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return Rule{}, err
	}
	if re.MatchString("") {
		return Rule{}, errors.New("it matches the empty text")
	}
	return Rule{re: re}, nil
}

// gap is white space within a line; value is what follows = or : in an assignment: quoted or one word.
const (
	gap   = `[ \t]*`
	value = `("[^"\n]*"?|'[^'\n]*'?|[^\s"',;&]+)`
)

func builtIn(expr string, hints ...string) Rule {
	r := Rule{re: regexp.MustCompile(expr)}
	for _, h := range hints {
		r.hints = append(r.hints, []byte(h))
	}
	return r
}

// BuiltIn returns the rules that are on by default: AWS keys and session tokens,
// bearer tokens, assignments to passwords and secrets, the user part of URLs.
// Blocks with private keys are taken out by Writer itself.
func BuiltIn() []Rule {
	return []Rule{
		// Access key ids: long-term, temporary, bearer tokens of services.
		builtIn(`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}`, "akia", "asia", "abia", "acca"),
		// What follows the words in `aws configure`, in JSON, in INI files, in shells.
		builtIn(`(?i)secret[ _-]?access[ _-]?key["']?(?: \[[^\]\n]*\])?`+gap+`[:=]`+gap+value, "secret"),
		builtIn(`(?i)token["']?`+gap+`[:=]`+gap+value, "token"),
		// Session tokens are recognised by how STS begins them.
		builtIn(`\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=_%-]{40,}`, "iqoj", "fwog", "fqog"),
		// Signed URLs.
		builtIn(`(?i)x-amz-(?:signature|security-token|credential)(?:=|:[ \t]*)([^\s&"']+)`, "x-amz-"),
		builtIn(`(?i)\bauthorization["']?[ \t]*[:=][ \t]*["']?((?:[A-Za-z0-9-]+[ \t]+)?[^\s"',]+)`, "authorization"),
		builtIn(`(?i)\bbearer[ \t]+([A-Za-z0-9._~+/=-]{8,})`, "bearer"),
		builtIn(`(?i)(?:password|passwd|passphrase|secret|api[_-]?key|private[_-]?token|client[_-]?secret)[A-Za-z0-9_]*["']?`+gap+`[=:]`+gap+value,
			"passw", "passphrase", "secret", "key", "token"),
		builtIn(`\b[A-Z_]+_PWD=`+value, "_pwd"),
		builtIn(`(?i)--?(?:password|passwd|token|secret)[ =]`+value, "-passw", "-token", "-secret"),
		// user:password@ in URLs, and tokens in that place.
		builtIn(`(?i)\b[a-z][a-z0-9+.-]*://([^\s/@"']+)@`, "://"),
		// Tokens of other services with prefixes of their own.
		builtIn(`\b(?:gh[opsur]_|github_pat_|glpat-|xox[abprs]-)[A-Za-z0-9_-]{16,}`, "gh", "glpat-", "xox"),
	}
}

// span is a part of a text.
type span struct{ from, to int }

// find returns the secrets in text, in the order of the rules.
func find(rules []Rule, text []byte) (all []span) {
	lower := bytes.ToLower(text)
	for i := range rules {
		r := &rules[i]
		if !r.hinted(lower) {
			continue
		}
		for _, m := range r.re.FindAllSubmatchIndex(text, -1) {
			if len(m) == 2 {
				all = append(all, span{m[0], m[1]})
				continue
			}
			for g := 2; g < len(m); g += 2 {
				if m[g] >= 0 && m[g] < m[g+1] {
					all = append(all, span{m[g], m[g+1]})
				}
			}
		}
	}
	return all
}

func (r *Rule) hinted(lower []byte) bool {
	for _, h := range r.hints {
		if bytes.Contains(lower, h) {
			return true
		}
	}
	return len(r.hints) == 0
}

// RedactText returns text, without control sequences, with its secrets masked.
func RedactText(rules []Rule, text string) string {
	b := []byte(text)
	hide := make([]byte, len(b))
	for _, s := range find(rules, b) {
		cover(hide, s)
	}
	return string(masked(nil, b, hide))
}

// Hiding: what happens to a byte.
const (
	keep      = iota
	hidden    // left out
	hiddenOne // left out, with Mask in its place
)

// cover hides a span. Where it overlaps another, one mask does for both.
func cover(hide []byte, s span) {
	if s.from >= s.to {
		return
	}
	first := s.from > 0 && hide[s.from-1] != keep || hide[s.from] != keep
	for i := s.from; i < s.to; i++ {
		if hide[i] == hiddenOne && i > s.from {
			hide[i] = hidden
		}
		if hide[i] == keep {
			hide[i] = hidden
		}
	}
	if !first {
		hide[s.from] = hiddenOne
	}
}

// masked appends text to dst as hide says.
func masked(dst, text, hide []byte) []byte {
	for i, c := range text {
		switch hide[i] {
		case keep:
			dst = append(dst, c)
		case hiddenOne:
			dst = append(dst, Mask...)
		}
	}
	return dst
}

// The marks of private keys, and a line between them.
var (
	keyBegin = pattern.Lazy(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`)
	keyEnd   = pattern.Lazy(`-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`)
	keyLine  = pattern.Lazy(`^[A-Za-z0-9+/=\\]*["',\s]*$|^.*[\s:|>"'][A-Za-z0-9+/=\\]{16,}["',\s]*$|^\S*(?:Proc-Type|DEK-Info|Version|Comment): `)
)

// String shows the rule's expression.
func (r Rule) String() string { return fmt.Sprint(r.re) }
