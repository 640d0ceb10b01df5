package coreutils

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// awk runs a subset of awk: patterns (also BEGIN, END and ranges of none),
// print, printf, assignments, arrays, if, for-in, next, exit and the string
// functions length, substr, index, toupper, tolower, sub, gsub, split, int.
// Loops, user functions and getline are refused.
func awk(ctx context.Context, p *program.Proc) int {
	f, args, st := p.LeadingFlags("F:v:f: field-separator=F: assign=v:")
	if st >= 0 {
		return max(st, 0)
	}
	script := ""
	if name := f.Value("f", ""); name != "" {
		r, err := p.Open(ctx, name)
		if err != nil {
			p.FileError(name, err)
			return 2
		}
		text, err := io.ReadAll(io.LimitReader(r, 1<<20))
		r.Close()
		if err != nil {
			p.FileError(name, err)
			return 2
		}
		script = string(text)
	} else {
		if len(args) == 0 {
			p.Errorf("usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]")
			return 2
		}
		script, args = args[0], args[1:]
	}
	rules, err := parseAwk(script)
	if err != nil {
		p.Errorf("%v", err)
		return 2
	}
	r := newAwkRun(p, ctx)
	r.vars["FS"] = awkStr(unescapeAwk(f.Value("F", " ")))
	for _, v := range f.Values("v") {
		name, value, _ := strings.Cut(v, "=")
		r.vars[name] = awkInput(unescapeAwk(value))
	}
	return r.run(rules, args)
}

// awkRule is pattern { action }.
type awkRule struct {
	kind    string // "BEGIN", "END" or ""
	pattern awkExpr
	body    []awkStmt
	none    bool // no action: print the line
}

type (
	awkExpr interface{}
	awkStmt interface{}

	awkNum    float64
	awkStrLit string
	awkRegex  string
	awkField  struct{ x awkExpr }
	awkVar    struct{ name string }
	awkElem   struct {
		name string
		key  []awkExpr
	}
	awkUnary struct {
		op string
		x  awkExpr
	}
	awkBinary struct {
		op   string
		x, y awkExpr
	}
	awkAssign struct {
		op   string
		x, y awkExpr
	}
	awkIncr struct {
		x    awkExpr
		by   float64
		post bool
	}
	awkCond struct{ c, x, y awkExpr }
	awkCall struct {
		name string
		args []awkExpr
	}
	awkIn struct {
		x    awkExpr
		name string
	}

	awkPrint struct {
		args   []awkExpr
		format bool
	}
	awkIf struct {
		cond      awkExpr
		yes, othe []awkStmt
	}
	awkForIn struct {
		key, name string
		body      []awkStmt
	}
	awkDelete struct{ elem awkElem }
	awkJump   struct {
		kind string // next, exit
		x    awkExpr
	}
	awkEval struct{ x awkExpr }
)

// awkToken is one token: kind is num, str, regex, name, op or nl.
type awkToken struct{ kind, text string }

type awkParser struct {
	toks []awkToken
	at   int
}

const maxAwk = 64 << 10 // bytes of a script

func parseAwk(script string) (rules []awkRule, err error) {
	if len(script) > maxAwk {
		return nil, fmt.Errorf("program too long")
	}
	toks, err := lexAwk(script)
	if err != nil {
		return nil, err
	}
	p := &awkParser{toks: toks}
	defer func() {
		if r := recover(); r != nil {
			fail, ok := r.(awkError)
			if !ok {
				panic(r)
			}
			err = fail
		}
	}()
	for {
		p.skip("nl", ";")
		if p.peek().kind == "eof" {
			return rules, nil
		}
		rules = append(rules, p.rule())
	}
}

// awkError is thrown inside the parser and the interpreter.
type awkError string

func (e awkError) Error() string { return string(e) }

func awkFail(format string, args ...any) { panic(awkError(fmt.Sprintf(format, args...))) }

// lexAwk splits a script into tokens.
func lexAwk(s string) ([]awkToken, error) {
	var toks []awkToken
	add := func(kind, text string) { toks = append(toks, awkToken{kind, text}) }
	operand := func() bool { // may a / divide here?
		if len(toks) == 0 {
			return false
		}
		t := toks[len(toks)-1]
		return t.kind == "num" || t.kind == "str" || t.kind == "name" || t.text == ")" || t.text == "]"
	}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '\\' && i+1 < len(s) && s[i+1] == '\n':
			i += 2
		case c == '\n':
			add("nl", "\n")
			i++
		case c == '#':
			for i < len(s) && s[i] != '\n' {
				i++
			}
		case c == '"':
			text, after, ok := untilQuote(s[i+1:], '"')
			if !ok {
				return nil, fmt.Errorf("unterminated string")
			}
			add("str", unescapeAwk(text))
			i = len(s) - len(after)
		case c == '/' && !operand():
			text, after, ok := untilQuote(s[i+1:], '/')
			if !ok {
				return nil, fmt.Errorf("unterminated regexp")
			}
			add("regex", strings.ReplaceAll(text, `\/`, "/"))
			i = len(s) - len(after)
		case c >= '0' && c <= '9' || c == '.' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			j := i
			for j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] == '.') {
				j++
			}
			add("num", s[i:j])
			i = j
		case isAwkName(c):
			j := i
			for j < len(s) && (isAwkName(s[j]) || s[j] >= '0' && s[j] <= '9') {
				j++
			}
			add("name", s[i:j])
			i = j
		default:
			op := s[i : i+1]
			if i+1 < len(s) && strings.Contains(" == != <= >= && || ++ -- += -= *= /= %= !~ ", " "+s[i:i+2]+" ") {
				op = s[i : i+2]
			}
			if !strings.Contains("{}()[];,+-*/%<>!~=$?:&|^", op[:1]) {
				return nil, fmt.Errorf("syntax error at source line 1 near %q", op)
			}
			add("op", op)
			i += len(op)
		}
	}
	return append(toks, awkToken{"eof", ""}), nil
}

func isAwkName(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// untilQuote cuts text at the closing quote, keeping escapes.
func untilQuote(text string, quote byte) (before, after string, ok bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			return text[:i], text[i+1:], true
		}
	}
	return "", "", false
}

func unescapeAwk(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\"`, `"`, `\r`, "\r", `\/`, "/").Replace(text)
}

func (p *awkParser) peek() awkToken { return p.toks[p.at] }

func (p *awkParser) next() awkToken {
	t := p.toks[p.at]
	if t.kind != "eof" {
		p.at++
	}
	return t
}

// is reports whether the next token is one of the operators or keywords.
func (p *awkParser) is(texts ...string) bool {
	t := p.peek()
	if t.kind != "op" && t.kind != "name" {
		return false
	}
	for _, text := range texts {
		if t.text == text {
			return true
		}
	}
	return false
}

func (p *awkParser) accept(text string) bool {
	if p.is(text) {
		p.at++
		return true
	}
	return false
}

func (p *awkParser) expect(text string) {
	if !p.accept(text) {
		awkFail("syntax error: expected %s near %q", text, p.peek().text)
	}
}

func (p *awkParser) skip(kinds ...string) {
	for {
		t := p.peek()
		hit := false
		for _, k := range kinds {
			hit = hit || t.kind == k || t.kind == "op" && t.text == k
		}
		if !hit {
			return
		}
		p.at++
	}
}

func (p *awkParser) rule() awkRule {
	r := awkRule{}
	switch {
	case p.is("BEGIN", "END"):
		r.kind = p.next().text
	case p.is("function", "func"):
		awkFail("functions are not supported by the simulated awk")
	case !p.is("{"):
		r.pattern = p.expr()
		if p.is(",") {
			awkFail("range patterns are not supported by the simulated awk")
		}
	}
	if !p.is("{") {
		if r.kind != "" {
			awkFail("%s requires an action", r.kind)
		}
		r.none = true
		return r
	}
	r.body = p.block()
	return r
}

// block reads { statements } or one statement.
func (p *awkParser) block() []awkStmt {
	if !p.accept("{") {
		p.skip("nl")
		s := p.stmt()
		return []awkStmt{s}
	}
	var list []awkStmt
	for {
		p.skip("nl", ";")
		if p.accept("}") {
			return list
		}
		if p.peek().kind == "eof" {
			awkFail("syntax error: unexpected end of program")
		}
		list = append(list, p.stmt())
	}
}

func (p *awkParser) stmt() awkStmt {
	t := p.peek()
	if t.kind != "name" {
		return awkEval{p.expr()}
	}
	switch t.text {
	case "print", "printf":
		p.next()
		return p.print(t.text == "printf")
	case "if":
		p.next()
		p.expect("(")
		s := awkIf{cond: p.expr()}
		p.expect(")")
		s.yes = p.block()
		mark := p.at
		p.skip("nl", ";")
		if p.accept("else") {
			s.othe = p.block()
		} else {
			p.at = mark
		}
		return s
	case "for":
		p.next()
		p.expect("(")
		key := p.next()
		if key.kind != "name" || !p.accept("in") {
			awkFail("only for (key in array) loops are supported by the simulated awk")
		}
		name := p.next().text
		p.expect(")")
		return awkForIn{key.text, name, p.block()}
	case "next", "exit":
		p.next()
		s := awkJump{kind: t.text}
		if t.text == "exit" && p.peek().kind != "nl" && p.peek().kind != "eof" && !p.is(";", "}") {
			s.x = p.expr()
		}
		return s
	case "delete":
		p.next()
		e, ok := p.primary().(awkElem)
		if !ok {
			awkFail("delete needs an array element")
		}
		return awkDelete{e}
	case "while", "do", "getline", "break", "continue", "return", "function":
		awkFail("%s is not supported by the simulated awk", t.text)
	}
	return awkEval{p.expr()}
}

func (p *awkParser) print(format bool) awkStmt {
	s := awkPrint{format: format}
	for p.peek().kind != "nl" && p.peek().kind != "eof" && !p.is(";", "}") {
		if p.is("|", ">") {
			awkFail("redirection of print is not supported by the simulated awk")
		}
		s.args = append(s.args, p.noGreater())
		if !p.accept(",") {
			break
		}
		p.skip("nl")
	}
	if p.is("|", ">") {
		awkFail("redirection of print is not supported by the simulated awk")
	}
	if format && len(s.args) == 0 {
		awkFail("printf: no format")
	}
	return s
}

// noGreater is an argument of print, in which > would be a redirection.
func (p *awkParser) noGreater() awkExpr {
	if p.is("(") { // print (a, b) and print (a > b)
		return p.expr()
	}
	return p.ternary(false)
}

func (p *awkParser) expr() awkExpr { return p.ternary(true) }

func (p *awkParser) ternary(greater bool) awkExpr {
	x := p.or(greater)
	if p.accept("?") {
		y := p.ternary(greater)
		p.expect(":")
		return awkCond{x, y, p.ternary(greater)}
	}
	if p.is("=", "+=", "-=", "*=", "/=", "%=") {
		switch x.(type) {
		case awkVar, awkElem, awkField:
		default:
			awkFail("syntax error: cannot assign")
		}
		op := p.next().text
		return awkAssign{op, x, p.ternary(greater)}
	}
	return x
}

func (p *awkParser) or(greater bool) awkExpr {
	x := p.and(greater)
	for p.accept("||") {
		p.skip("nl")
		x = awkBinary{"||", x, p.and(greater)}
	}
	return x
}

func (p *awkParser) and(greater bool) awkExpr {
	x := p.in(greater)
	for p.accept("&&") {
		p.skip("nl")
		x = awkBinary{"&&", x, p.in(greater)}
	}
	return x
}

func (p *awkParser) in(greater bool) awkExpr {
	x := p.match(greater)
	for p.accept("in") {
		x = awkIn{x, p.next().text}
	}
	return x
}

func (p *awkParser) match(greater bool) awkExpr {
	x := p.compare(greater)
	for p.is("~", "!~") {
		op := p.next().text
		x = awkBinary{op, x, p.compare(greater)}
	}
	return x
}

func (p *awkParser) compare(greater bool) awkExpr {
	x := p.concat()
	if p.is("==", "!=", "<", "<=", ">=") || greater && p.is(">") {
		op := p.next().text
		return awkBinary{op, x, p.concat()}
	}
	return x
}

func (p *awkParser) concat() awkExpr {
	x := p.sum()
	for {
		t := p.peek()
		starts := t.kind == "num" || t.kind == "str" || t.kind == "name" && t.text != "in" ||
			t.kind == "op" && (t.text == "$" || t.text == "(" || t.text == "-" || t.text == "!")
		if !starts {
			return x
		}
		x = awkBinary{" ", x, p.sum()}
	}
}

func (p *awkParser) sum() awkExpr {
	x := p.product()
	for p.is("+", "-") {
		op := p.next().text
		x = awkBinary{op, x, p.product()}
	}
	return x
}

func (p *awkParser) product() awkExpr {
	x := p.unary()
	for p.is("*", "/", "%") {
		op := p.next().text
		x = awkBinary{op, x, p.unary()}
	}
	return x
}

func (p *awkParser) unary() awkExpr {
	if p.is("!", "-", "+") {
		op := p.next().text
		return awkUnary{op, p.unary()}
	}
	x := p.postfix()
	if p.accept("^") {
		return awkBinary{"^", x, p.unary()}
	}
	return x
}

func (p *awkParser) postfix() awkExpr {
	if p.is("++", "--") {
		by := 1.0
		if p.next().text == "--" {
			by = -1
		}
		return awkIncr{p.primary(), by, false}
	}
	x := p.primary()
	switch x.(type) {
	case awkVar, awkElem, awkField:
		if p.accept("++") {
			return awkIncr{x, 1, true}
		}
		if p.accept("--") {
			return awkIncr{x, -1, true}
		}
	}
	return x
}

func (p *awkParser) primary() awkExpr {
	t := p.next()
	switch t.kind {
	case "num":
		return awkNum(leadingNumber(t.text))
	case "str":
		return awkStrLit(t.text)
	case "regex":
		return awkRegex(t.text)
	case "name":
		return p.name(t.text)
	}
	switch t.text {
	case "$":
		if p.is("++", "--") {
			awkFail("syntax error near $")
		}
		return awkField{p.primary()}
	case "(":
		x := p.expr()
		if p.is(",") { // (a, b): the list of print, joined as print would
			for p.accept(",") {
				x = awkBinary{",", x, p.expr()}
			}
		}
		p.expect(")")
		return x
	case "-":
		return awkUnary{"-", p.primary()}
	}
	awkFail("syntax error near %q", t.text)
	return nil
}

func (p *awkParser) name(name string) awkExpr {
	switch {
	case p.is("("):
		if !strings.Contains(" length substr index toupper tolower sub gsub split int sprintf ", " "+name+" ") {
			awkFail("function %s is not supported by the simulated awk", name)
		}
		p.next()
		call := awkCall{name: name}
		for !p.accept(")") {
			call.args = append(call.args, p.expr())
			if !p.is(")") {
				p.expect(",")
			}
		}
		return call
	case name == "length":
		return awkCall{name: name}
	case name == "getline":
		awkFail("getline is not supported by the simulated awk")
	case p.accept("["):
		e := awkElem{name: name}
		for !p.accept("]") {
			e.key = append(e.key, p.expr())
			if !p.is("]") {
				p.expect(",")
			}
		}
		return e
	}
	return awkVar{name}
}
