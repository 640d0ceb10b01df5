package powershell

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of a script.
const (
	maxScript  = 1 << 20 // bytes
	maxNesting = 200     // brackets and blocks inside each other
)

// parseError is a mistake in a script, or a construct we do not know.
type parseError struct {
	pos        int
	text       string
	incomplete bool
}

func (e *parseError) Error() string { return e.text }

// Incomplete reports whether err may be cured by more lines.
func Incomplete(err error) bool {
	e, ok := err.(*parseError)
	return ok && e.incomplete
}

type parser struct {
	src   string
	pos   int
	depth int
}

// Script is a parsed script.
type Script struct{ body []node }

// Parse reads a script.
func Parse(src string) (s *Script, err error) {
	if len(src) > maxScript {
		return nil, &parseError{text: "The script is too long for the simulated PowerShell."}
	}
	p := &parser{src: strings.ReplaceAll(src, "\r\n", "\n")}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*parseError)
			if !ok {
				panic(r)
			}
			s, err = nil, e
		}
	}()
	body := p.statements("")
	return &Script{body}, nil
}

func (p *parser) fail(format string, args ...any) {
	panic(&parseError{pos: p.pos, text: fmt.Sprintf(format, args...)})
}

func (p *parser) missing(what string) {
	panic(&parseError{pos: p.pos, text: "Missing " + what + ".", incomplete: p.pos >= len(p.src)})
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		p.fail("The script is nested too deeply for the simulated PowerShell.")
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

func (p *parser) at(text string) bool { return strings.HasPrefix(p.src[p.pos:], text) }

func (p *parser) accept(text string) bool {
	if p.at(text) {
		p.pos += len(text)
		return true
	}
	return false
}

// blanks skips spaces, comments and continued lines; lines also newlines.
func (p *parser) blanks(lines bool) {
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == ' ' || c == '\t' || c == '\r':
			p.pos++
		case c == '\n' && lines:
			p.pos++
		case c == '`' && p.pos+1 < len(p.src) && p.src[p.pos+1] == '\n':
			p.pos += 2
		case c == '#':
			for p.pos < len(p.src) && p.src[p.pos] != '\n' {
				p.pos++
			}
		case strings.HasPrefix(p.src[p.pos:], "<#"):
			end := strings.Index(p.src[p.pos:], "#>")
			if end < 0 {
				p.pos = len(p.src)
				p.missing("closing '#>'")
			}
			p.pos += end + 2
		default:
			return
		}
	}
}

// statements reads up to the closing bracket, or to the end for "".
func (p *parser) statements(until string) []node {
	p.enter()
	defer p.leave()
	var body []node
	for {
		p.blanks(true)
		switch {
		case p.accept(";"):
		case until != "" && p.accept(until):
			return body
		case p.pos >= len(p.src):
			if until != "" {
				p.missing("closing '" + until + "'")
			}
			return body
		case strings.IndexByte(")}", p.peek()) >= 0:
			p.fail("Unexpected token '%c' in expression or statement.", p.peek())
		default:
			start := p.pos
			body = append(body, p.statement())
			p.blanks(false)
			if p.pos == start {
				p.fail("Unexpected token '%c' in expression or statement.", p.peek())
			}
			if c := p.peek(); c != 0 && c != ';' && c != '\n' && (until == "" || !p.at(until)) && !p.endedBlock(start) {
				p.fail("Unexpected token '%s' in expression or statement.", p.word())
			}
		}
	}
}

// endedBlock reports whether the statement that began at start ended with }.
func (p *parser) endedBlock(start int) bool {
	text := strings.TrimRight(p.src[start:p.pos], " \t")
	return strings.HasSuffix(text, "}")
}

// word returns the word at the position, for messages and keywords.
func (p *parser) word() string {
	end := p.pos
	for end < len(p.src) && strings.IndexByte(" \t\r\n;|(){}'\",", p.src[end]) < 0 {
		end++
	}
	if end == p.pos && end < len(p.src) {
		end++
	}
	return p.src[p.pos:end]
}

// keyword accepts a keyword, whatever its case.
func (p *parser) keyword(name string) bool {
	if w := p.word(); strings.EqualFold(w, name) {
		p.pos += len(w)
		return true
	}
	return false
}

func (p *parser) statement() node {
	switch strings.ToLower(p.word()) {
	case "if":
		return p.ifStmt()
	case "foreach":
		if save := p.pos; p.keyword("foreach") {
			p.blanks(false)
			if p.peek() == '(' {
				return p.foreach()
			}
			p.pos = save
		}
	case "for":
		return p.forStmt()
	case "while":
		p.keyword("while")
		return &whileStmt{cond: p.condition(), body: p.braces()}
	case "do":
		return p.doStmt()
	case "try":
		return p.tryStmt()
	case "function":
		return p.function()
	case "throw", "exit", "return", "break", "continue":
		return p.flow()
	case "param", "switch", "class", "enum", "trap", "workflow", "configuration", "data", "filter", "using", "begin", "process", "end":
		p.fail("'%s' is not supported by the simulated PowerShell.", p.word())
	}
	return p.assignment()
}

func (p *parser) condition() node {
	p.blanks(true)
	if !p.accept("(") {
		p.missing("'('")
	}
	return &sub{p.statements(")")}
}

func (p *parser) braces() []node {
	p.blanks(true)
	if !p.accept("{") {
		p.missing("statement block")
	}
	return p.statements("}")
}

func (p *parser) ifStmt() node {
	p.keyword("if")
	s := &ifStmt{conds: []node{p.condition()}, bodies: [][]node{p.braces()}}
	for {
		save := p.pos
		p.blanks(true)
		switch {
		case p.keyword("elseif"):
			s.conds = append(s.conds, p.condition())
			s.bodies = append(s.bodies, p.braces())
		case p.keyword("else"):
			s.other = p.braces()
			return s
		default:
			p.pos = save
			return s
		}
	}
}

func (p *parser) foreach() node {
	p.accept("(")
	p.blanks(true)
	v, ok := p.primary().(*variable)
	p.blanks(true)
	if !ok || !p.keyword("in") {
		p.fail("Missing 'in' after variable in foreach loop.")
	}
	in := &sub{p.statements(")")}
	return &foreachStmt{v.name, in, p.braces()}
}

func (p *parser) forStmt() node {
	p.keyword("for")
	p.blanks(true)
	if !p.accept("(") {
		p.missing("'('")
	}
	s := &forStmt{}
	for i, part := range []*node{&s.init, &s.cond, &s.step} {
		p.blanks(true)
		if c := p.peek(); c != ';' && c != ')' {
			*part = p.assignment()
		}
		p.blanks(true)
		if i < 2 && !p.accept(";") {
			p.missing("';'")
		}
	}
	if !p.accept(")") {
		p.missing("closing ')'")
	}
	s.body = p.braces()
	return s
}

func (p *parser) doStmt() node {
	p.keyword("do")
	s := &whileStmt{first: true, body: p.braces()}
	p.blanks(true)
	switch {
	case p.keyword("while"):
	case p.keyword("until"):
		s.until = true
	default:
		p.missing("while or until keyword in do loop")
	}
	s.cond = p.condition()
	return s
}

func (p *parser) tryStmt() node {
	p.keyword("try")
	s := &tryStmt{body: p.braces()}
	for {
		save := p.pos
		p.blanks(true)
		switch {
		case p.keyword("catch"):
			p.blanks(true)
			if p.peek() == '[' {
				p.fail("catch by type is not supported by the simulated PowerShell.")
			}
			s.catch, s.catches = p.braces(), true
		case p.keyword("finally"):
			s.finally = p.braces()
		default:
			p.pos = save
			if !s.catches && s.finally == nil {
				p.missing("catch or finally block")
			}
			return s
		}
	}
}

func (p *parser) function() node {
	p.keyword("function")
	p.blanks(false)
	f := &function{name: p.word()}
	p.pos += len(f.name)
	p.blanks(true)
	if p.accept("(") {
		f.params = p.params()
	}
	p.blanks(true)
	if !p.accept("{") {
		p.missing("function body")
	}
	if params := p.paramBlock(); params != nil {
		f.params = params
	}
	f.body = p.statements("}")
	return f
}

// paramBlock reads param(...) at the beginning of a block, nil without one.
func (p *parser) paramBlock() []string {
	p.blanks(true)
	if !p.keyword("param") {
		return nil
	}
	p.blanks(true)
	if !p.accept("(") {
		p.missing("'('")
	}
	return p.params()
}

// params reads $a, [type]$b up to the closing bracket.
func (p *parser) params() (names []string) {
	for {
		p.blanks(true)
		switch {
		case p.accept(")"):
			return names
		case p.accept(","):
		case p.peek() == '[':
			for p.pos < len(p.src) && p.peek() != ']' {
				p.pos++
			}
			p.accept("]")
		case p.peek() == '$':
			v, ok := p.dollar().(*variable)
			if !ok {
				p.fail("parameter expected")
			}
			names = append(names, v.name)
			p.blanks(true)
			if p.peek() == '=' {
				p.fail("default values of parameters are not supported by the simulated PowerShell.")
			}
		default:
			p.missing("')' in parameter list")
		}
	}
}

func (p *parser) flow() node {
	w := p.word()
	p.pos += len(w)
	s := &flowStmt{kind: strings.ToLower(w)}
	p.blanks(false)
	if c := p.peek(); c != 0 && c != ';' && c != '\n' && c != '}' && c != ')' && s.kind != "break" && s.kind != "continue" {
		s.value = p.pipeline()
	}
	return s
}

// assignment reads x = pipeline, x += pipeline, x++ or a pipeline.
func (p *parser) assignment() node {
	save := p.pos
	if c := p.peek(); c == '$' || c == '[' {
		if target := p.tryTarget(); target != nil {
			p.blanks(false)
			switch {
			case p.accept("++"):
				return &increment{target, 1}
			case p.accept("--"):
				return &increment{target, -1}
			}
			for _, op := range []string{"+=", "-=", "*=", "/=", "="} {
				if p.at(op) && !(op == "=" && p.at("==")) {
					p.pos += len(op)
					p.blanks(true)
					return &assign{target, op, p.statement()}
				}
			}
		}
		p.pos = save
	}
	return p.pipeline()
}

// tryTarget reads what may stand left of =, or returns nil.
func (p *parser) tryTarget() (target node) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(*parseError); !ok {
				panic(r)
			}
			target = nil
		}
	}()
	x := p.postfix()
	if c, ok := x.(*cast); ok {
		x = c.x // [int]$x = 1: the type is not kept
	}
	switch x.(type) {
	case *variable, *member, *index:
		return x
	}
	return nil
}

func (p *parser) pipeline() node {
	pl := &pipeline{}
	for {
		p.blanks(len(pl.stages) > 0)
		pl.stages = append(pl.stages, p.stage(len(pl.stages) == 0))
		p.blanks(false)
		if p.at("||") || p.at("&&") {
			p.fail("The token '%s' is not a valid statement separator in this version.", p.src[p.pos:p.pos+2])
		}
		if !p.accept("|") {
			break
		}
	}
	if len(pl.stages) == 1 {
		return pl.stages[0]
	}
	return pl
}

// stage reads an expression (only first in a pipeline) or a command.
func (p *parser) stage(first bool) node {
	c := p.peek()
	number := c >= '0' && c <= '9' || (c == '-' || c == '.') && p.pos+1 < len(p.src) && p.src[p.pos+1] >= '0' && p.src[p.pos+1] <= '9'
	switch {
	case c == '&':
		p.pos++
		p.blanks(false)
		return p.command(true)
	case c == '.' && p.at(". "):
		p.pos += 2
		p.blanks(false)
		return p.command(true)
	case strings.IndexByte("$\"'(@[!{", c) >= 0 && c != 0, number, strings.HasPrefix(p.src[p.pos:], "-not"), c == ',':
		if !first {
			p.fail("Expressions are only allowed as the first element of a pipeline.")
		}
		return p.expression()
	}
	return p.command(false)
}

// command reads a command name and its arguments.
func (p *parser) command(called bool) node {
	p.enter()
	defer p.leave()
	c := &command{pos: p.pos}
	start := p.pos
	if called {
		c.name = p.commandValue()
	} else {
		c.name = &literal{p.bare()}
	}
	c.text = p.src[start:p.pos]
	if c.text == "" {
		if p.pos >= len(p.src) {
			p.missing("command")
		}
		p.fail("Unexpected token '%c' in expression or statement.", p.peek())
	}
	for {
		p.blanks(false)
		switch b := p.peek(); {
		case b == 0 || b == ';' || b == '\n' || b == '|' || b == ')' || b == '}':
			return c
		case p.accept("2>&1"):
			c.errToOut = true
		case p.accept("2>$null") || p.accept("2> $null"):
			c.errNull = true
		case b == '>':
			c.appends = p.accept(">>") || !p.accept(">")
			p.blanks(false)
			c.out = p.argumentValue()
		case b == '-' && p.pos+1 < len(p.src) && isLetter(p.src[p.pos+1]):
			c.args = append(c.args, p.parameter())
		case p.at("&&"):
			return c // refused by pipeline
		case b == '&':
			p.fail("The ampersand (&) character is not allowed here by the simulated PowerShell.")
		default:
			before := p.pos
			c.args = append(c.args, argument{value: p.argumentValue()})
			if p.pos == before {
				p.fail("Unexpected token '%c' in expression or statement.", b)
			}
		}
	}
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

// parameter reads -Name, -Name value and -Name:value. Whether a parameter is a
// switch is known only to the cmdlet, so the value stays an own argument
// unless there is a colon.
func (p *parser) parameter() argument {
	p.pos++
	start := p.pos
	for p.pos < len(p.src) && (isLetter(p.peek()) || p.peek() >= '0' && p.peek() <= '9' || p.peek() == '-') {
		p.pos++
	}
	a := argument{name: p.src[start:p.pos]}
	if p.accept(":") {
		p.blanks(false)
		a.value = p.argumentValue()
	}
	return a
}

// argumentValue reads one argument, which may be a list.
func (p *parser) argumentValue() node {
	return p.listOf(p.commandValue)
}

func (p *parser) commandValue() node {
	switch c := p.peek(); {
	case c == '$', c == '"', c == '\'', c == '(', c == '{', c == '@':
		return p.postfix()
	case c == 0:
		p.missing("argument")
	}
	word := p.bare()
	if n, ok := number(word); ok {
		return &literal{n}
	}
	if strings.Contains(word, "$") {
		return p.interpolate(word)
	}
	return &literal{word}
}

// bare reads an unquoted word.
func (p *parser) bare() string {
	var b strings.Builder
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		if strings.IndexByte(" \t\r\n;|(){},'\"", c) >= 0 || c == '>' || c == '&' && b.Len() == 0 {
			break
		}
		if c == '`' && p.pos+1 < len(p.src) {
			p.pos++
			c = p.src[p.pos]
		}
		b.WriteByte(c)
		p.pos++
	}
	return b.String()
}

// number reads integers, decimals, hexadecimals and the suffixes KB, MB, GB.
func number(word string) (any, bool) {
	unit := int64(1)
	upper := strings.ToUpper(word)
	for suffix, n := range map[string]int64{"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30} {
		if rest, ok := strings.CutSuffix(upper, suffix); ok {
			upper, unit = rest, n
		}
	}
	if n, err := strconv.ParseInt(upper, 10, 64); err == nil {
		if n > (1<<62)/unit || n < -(1<<62)/unit {
			return nil, false
		}
		return n * unit, true
	}
	if hex, ok := strings.CutPrefix(upper, "0X"); ok {
		if n, err := strconv.ParseInt(hex, 16, 64); err == nil {
			return n, true
		}
	}
	if upper == "" || strings.Trim(upper, "0123456789.-") != "" {
		return nil, false
	}
	f, err := strconv.ParseFloat(upper, 64)
	return f * float64(unit), err == nil
}
