package fleet

import (
	"net/netip"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// The operators of an expression. Left to right, each works on everything that
// stands before it.
const (
	opFirst   = 0
	opUnion   = '|' // also written as a comma
	opWithin  = '&'
	opWithout = '!'
)

// Operand is one term of an expression, with the operator in front of it: 0 for
// the first, else | & or !.
type Operand struct {
	Op     rune
	Target Target
}

// special are the characters that a backslash makes ordinary in a name.
const special = `&!|,[]\`

const setForm = `put a backslash before a character that belongs to a name, as in name:R\&D`

// parseSet reads an expression of several terms. ok is false for a single term.
func parseSet(t Target) (_ Target, ok bool, err error) {
	pieces := cutOperators(t.Expr)
	if len(pieces) == 1 {
		return t, false, nil
	}
	t.Kind = KindSet
	for i, p := range pieces {
		switch {
		case p.text == "" && i == 0 && p.next == opWithout:
			return t, true, fault.Usagef("%q says which nodes to leave out, and not of which", t.Expr).WithHint("write all%s, or name others before the !", t.Expr)
		case p.text == "" && i == 0:
			return t, true, fault.Usagef("%q begins with an operator", t.Expr).WithHint("%s", setForm)
		case p.text == "":
			return t, true, fault.Usagef("in %q a term is missing after %c", t.Expr, p.op).WithHint("%s", setForm)
		}
		leaf, err := parseLeaf(Target{Expr: p.text, Value: p.text})
		if err != nil {
			return t, true, err
		}
		if leaf.Kind == KindECS {
			return t, true, fault.Usagef("the container %s cannot be part of an expression", leaf.Expr).WithHint("name it alone")
		}
		t.Set = append(t.Set, Operand{Op: p.op, Target: leaf})
	}
	return t, true, nil
}

// piece is a term as it is written, between two operators.
type piece struct {
	op, next rune
	text     string
}

// cutOperators cuts s at its operators. Commas inside of [ ] belong to a range,
// those of tag: to its values, those of name: to the name; file: takes all that
// follows.
func cutOperators(s string) []piece {
	var out []piece
	op, start, depth, escaped := rune(opFirst), 0, 0, false
	cut := func(at int, next rune) {
		out = append(out, piece{op: op, next: next, text: strings.TrimSpace(s[start:at])})
		op, start, depth = next, at+1, 0
	}
	for i, r := range s {
		term := strings.TrimLeft(s[start:], " ")
		if strings.HasPrefix(term, "file:") {
			break
		}
		literal := strings.HasPrefix(term, "name:") || strings.HasPrefix(term, "tag:")
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '[' && !literal:
			depth++
		case r == ']' && depth > 0:
			depth--
		case r == ',' && depth == 0 && !literal:
			cut(i, opUnion)
		case r == opUnion || r == opWithin || r == opWithout:
			cut(i, r)
		}
	}
	return append(out, piece{op: op, text: strings.TrimSpace(s[start:])})
}

// NameExpr is the expression that means the node of this name and nothing else,
// whatever the name looks like: all, i-dead, R&D. ok is false when there is none,
// as for a name with a * in it.
func NameExpr(name string) (expr string, ok bool) {
	means := func(expr string) bool {
		t, err := ParseTarget(expr)
		return err == nil && t.Kind == KindName && t.Value == name
	}
	if means(name) {
		return name, true
	}
	var b strings.Builder
	b.WriteString("name:")
	for _, r := range name {
		if r != ',' && r != '[' && r != ']' && strings.ContainsRune(special, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String(), means(b.String())
}

// unescape removes the backslashes before special characters.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	escaped := false
	for _, r := range s {
		switch {
		case escaped && strings.ContainsRune(special, r):
			b.WriteRune(r)
			escaped = false
			continue
		case escaped:
			b.WriteRune('\\')
			escaped = false
		}
		if r == '\\' {
			escaped = true
			continue
		}
		b.WriteRune(r)
	}
	if escaped {
		b.WriteRune('\\')
	}
	return b.String()
}

// parseAddress reads the ADDRESS or BLOCK of ip:.
func parseAddress(t Target, s string) (Target, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		t.Kind, t.Value, t.Block = KindCIDR, s, netip.PrefixFrom(a, a.BitLen())
		return t, nil
	}
	block, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return t, fault.Usagef("%q is neither an address nor a block of addresses", t.Expr).WithHint("write 10.0.1.10 or 10.0.0.0/16")
	case block != block.Masked():
		return t, fault.Usagef("%q is not a block: its address has bits set behind the first %d", t.Expr, block.Bits()).
			WithHint("for the block write %s, for the node %s", block.Masked(), block.Addr())
	}
	t.Kind, t.Value, t.Block = KindCIDR, s, block
	return t, nil
}
