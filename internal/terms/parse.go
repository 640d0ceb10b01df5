package terms

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Parse reads a filter. Its errors are Usage faults.
func (g *Grammar) Parse(text string) (Expr, error) {
	words, err := cut(text, true)
	if err != nil {
		return Expr{}, err.WithHint("%s", g.Form)
	}
	var e Expr
	var group []Term
	p := parser{g: g, where: len(words) > 1}
	for i, w := range words {
		if !w.or {
			t, err := p.term(w)
			if err != nil {
				return Expr{}, err
			}
			group = append(group, t)
			if i < len(words)-1 {
				continue
			}
		} else if i == len(words)-1 {
			group = nil
		}
		if len(group) == 0 {
			return Expr{}, fault.Usagef("the filter has no term on one side of the | at column %d", p.or(words, i)).WithHint("%s", g.Form)
		}
		e.groups, group = append(e.groups, group), nil
	}
	return e, nil
}

type parser struct {
	g     *Grammar
	where bool // say at which column: there are several words
}

// or is the column of the | at or before a word.
func (p *parser) or(words []word, i int) int {
	for ; i > 0 && !words[i].or; i-- {
	}
	return words[i].column
}

// at says in which column a fault is, if that is a question.
func (p *parser) at(w word) string {
	if !p.where {
		return ""
	}
	return " at column " + strconv.Itoa(w.column)
}

func (p *parser) term(w word) (Term, error) {
	i := strings.IndexAny(w.text, operators)
	if i < 0 {
		return p.bare(w)
	}
	o := op(w.text[i : i+1])
	if len(w.text) > i+1 && w.text[i+1] == '=' && o != equal && o != matches {
		o += "="
	}
	key, value := w.text[:i], w.text[i+len(o):]
	switch {
	case o == "!":
		return Term{}, fault.Usagef("the filter term %q%s has no operator", w.text, p.at(w)).WithHint("write %s!=VALUE for not equal", key)
	case key == "" || value == "":
		return Term{}, fault.Usagef("the filter term %q%s is incomplete", w.text, p.at(w)).WithHint("%s", p.g.Form)
	}
	k, at, err := p.key(key, w)
	if err != nil {
		return Term{}, err
	}
	t := Term{Key: k.Name, At: at, Not: w.not, op: o, kind: k.Kind, values: []string{value}}
	switch o {
	case equal, different:
		t.values = strings.Split(strings.ToLower(value), ",")
		if slices.Contains(t.values, "") {
			return Term{}, fault.Usagef("the filter term %q%s has an empty value", w.text, p.at(w))
		}
		t.exact = exactly(k.Kind, t.values)
	case matches:
		if t.plain, err = plainOf(value); err != nil {
			return Term{}, fault.Usagef("the filter term %q%s is no regular expression: %v", w.text, p.at(w), err)
		} else if !t.plain.ok {
			t.like = regexp.MustCompile("(?i)" + value) // plainOf has compiled it
		}
	}
	return t, p.ordered(&t, value, w)
}

// bare is a word without an operator.
func (p *parser) bare(w word) (Term, error) {
	if !p.g.Words || w.text == "" {
		return Term{}, fault.Usagef("the filter term %q%s has no operator", w.text, p.at(w)).WithHint("%s", p.g.Form)
	}
	return Term{At: -1, Not: w.not, word: strings.Map(unicode.ToLower, w.text)}, nil
}

func (p *parser) key(name string, w word) (Key, int, error) {
	for i, k := range p.g.Keys {
		if k.Name == name {
			return k, i, nil
		}
	}
	if p.g.Open != nil {
		if k, ok, err := p.g.Open(name); ok || err != nil {
			return k, -1, err
		}
	}
	names := make([]string, len(p.g.Keys))
	for i, k := range p.g.Keys {
		names[i] = k.Name
	}
	e := fault.Usagef("there is no filter key %q%s", name, p.at(w))
	if near := fault.Closest(name, names, 1); len(near) > 0 {
		return Key{}, -1, e.WithHint("did you mean %s", near[0])
	}
	return Key{}, -1, e.WithHint("use one of: %s", strings.Join(names, ", "))
}

// ordered checks what the term compares.
func (p *parser) ordered(t *Term, value string, w word) error {
	var ok bool
	switch {
	case t.kind == Moment:
		if !t.op.orders() {
			return fault.Usagef("%s%s is a time: %s has no meaning for it", t.Key, p.at(w), t.op).
				WithHint("compare its age, like %s>30d or %s<2h", t.Key, t.Key)
		}
		if t.age, ok = parseAge(value); !ok {
			return fault.Usagef("%q in the filter%s is not an age", value, p.at(w)).WithHint("write a number with a unit, like 30s, 5m, 2h or 30d")
		}
	case !t.op.orders():
	case t.kind == Text:
		return fault.Usagef("%s%s is not a version: %s has no meaning for it", t.Key, p.at(w), t.op).WithHint("use =, != or ~")
	case t.kind == Number:
		if t.number, ok = exactNumber(value); !ok {
			return fault.Usagef("%q in the filter%s is not a number", value, p.at(w)).WithHint("write one like %s>0", t.Key)
		}
	default:
		if t.want, ok = ParseVersion(value); !ok {
			return fault.Usagef("%q in the filter%s is not a version", value, p.at(w)).WithHint("write numbers with dots, like %s<3.3.40", t.Key)
		}
	}
	return nil
}

// exactly reads the values of = once, for keys that do not compare as texts.
func exactly(k Kind, values []string) []exact {
	if k == Text {
		return nil
	}
	out := make([]exact, len(values))
	for i, v := range values {
		switch k {
		case Version:
			out[i].version, out[i].ok = ParseVersion(v)
		case Number:
			out[i].number, out[i].ok = exactNumber(v)
		}
	}
	return out
}

// parseAge reads a duration of Go, or one in days.
func parseAge(s string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= 0
}

func exactNumber(s string) (float64, bool) {
	if strings.Trim(s, "-.0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

const operators = "=!~<>"

// word is what stands between spaces, without its quotes.
type word struct {
	text   string
	column int  // where it begins, from 1
	not    bool // a ! in front
	or     bool // it is a |
}

// cutter cuts a text into words.
type cutter struct {
	words  []word
	b      strings.Builder
	begun  bool
	not    bool
	column int
}

func (c *cutter) end() {
	if c.begun || c.not {
		c.words = append(c.words, word{text: c.b.String(), column: c.column, not: c.not})
	}
	c.b.Reset()
	c.begun, c.not = false, false
}

// cut cuts a text at spaces outside of '…' and "…". signs tells whether ! in front
// of a word and | outside of a value have a meaning.
func cut(text string, signs bool) ([]word, *fault.Error) {
	var c cutter
	var quote rune
	opened, column := 0, 0
	for _, r := range text {
		column++
		if !c.begun && !c.not {
			c.column = column
		}
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			c.b.WriteRune(r)
		case r == '"' || r == '\'':
			quote, opened, c.begun = r, column, true
		case unicode.IsSpace(r):
			c.end()
		case signs && r == '!' && !c.begun && !c.not:
			c.not = true
		case signs && r == '|' && !strings.ContainsAny(c.b.String(), operators):
			c.end()
			c.words = append(c.words, word{or: true, column: column})
		default:
			c.b.WriteRune(r)
			c.begun = true
		}
	}
	if quote != 0 {
		return nil, fault.Usagef("a %c in the filter is not closed: it stands at column %d", quote, opened)
	}
	c.end()
	return c.words, nil
}

// SplitWords cuts a text at spaces outside of '…' and "…", which go.
func SplitWords(text string) ([]string, error) {
	words, err := cut(text, false)
	if err != nil {
		return nil, err.WithHint("write the other one, too")
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w.text
	}
	return out, nil
}

// QuoteWord writes a text so that SplitWords and Parse read it as one word.
func QuoteWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'" }

// Is writes the term that holds where a key has a value, whatever that is made of.
func Is(key, value string) string {
	switch {
	case strings.Contains(value, ","): // behind =, it stands between values
		return key + "~" + QuoteWord("^"+regexp.QuoteMeta(value)+"$")
	case strings.ContainsFunc(value, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`'"|`, r) }):
		value = QuoteWord(value)
	}
	return key + "=" + value
}

// ascii reports whether s is plain ASCII.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
