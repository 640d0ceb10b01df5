package powershell

import (
	"strings"
)

// Operators by precedence, lowest first.
var levels = [][]string{
	{"-and", "-or", "-xor"},
	{"-eq", "-ne", "-gt", "-ge", "-lt", "-le", "-ceq", "-ieq", "-like", "-notlike", "-match", "-notmatch", "-contains", "-notcontains", "-in", "-notin", "-replace", "-split", "-join", "-is", "-f"},
	{"+", "-"},
	{"*", "/", "%"},
	{".."},
}

func (p *parser) expression() node {
	p.enter()
	defer p.leave()
	return p.level(0)
}

func (p *parser) level(i int) node {
	if i == len(levels) {
		return p.comma()
	}
	x := p.level(i + 1)
	for {
		save := p.pos
		p.blanks(false)
		op := p.operator(levels[i])
		if op == "" {
			p.pos = save
			return x
		}
		p.blanks(true)
		x = &binary{op, x, p.level(i + 1)}
	}
}

// operator accepts one of the operators. Those of letters need an end.
func (p *parser) operator(ops []string) string {
	for _, op := range ops {
		n := len(op)
		if p.pos+n > len(p.src) || !strings.EqualFold(p.src[p.pos:p.pos+n], op) {
			continue
		}
		if len(op) > 2 || op == "-f" {
			if p.pos+n < len(p.src) && isLetter(p.src[p.pos+n]) {
				continue
			}
		}
		if (op == "-" || op == "+") && (p.at("-=") || p.at("+=") || p.at("++") || p.at("--") || op == "-" && p.pos+1 < len(p.src) && isLetter(p.src[p.pos+1])) {
			continue
		}
		p.pos += n
		return op
	}
	return ""
}

// comma reads a, b, c, which binds tighter than the operators.
func (p *parser) comma() node {
	if p.peek() == ',' {
		p.pos++
		p.blanks(true)
		return &list{items: []node{p.unary()}}
	}
	return p.listOf(p.unary)
}

// listOf reads what item reads, once or several times with commas between.
func (p *parser) listOf(item func() node) node {
	x := item()
	save := p.pos
	p.blanks(false)
	if p.peek() != ',' {
		p.pos = save
		return x
	}
	l := &list{items: []node{x}}
	for p.accept(",") {
		p.blanks(true)
		l.items = append(l.items, item())
		save = p.pos
		p.blanks(false)
	}
	p.pos = save
	return l
}

func (p *parser) unary() node {
	p.enter()
	defer p.leave()
	switch {
	case p.accept("!"):
		p.blanks(false)
		return &unary{"!", p.unary()}
	case p.operator([]string{"-not"}) != "":
		p.blanks(false)
		return &unary{"!", p.unary()}
	case p.peek() == '-' && p.pos+1 < len(p.src) && !isLetter(p.src[p.pos+1]):
		p.pos++
		return &unary{"-", p.unary()}
	}
	if op := p.operator([]string{"-join", "-split"}); op != "" {
		p.blanks(false)
		return &unary{op, p.unary()}
	}
	return p.postfix()
}

// postfix reads a primary and what follows without a blank: .x [i] .f()
func (p *parser) postfix() node {
	x := p.primary()
	for {
		switch {
		case p.at("::"):
			p.fail("static members are only supported on [type] literals by the simulated PowerShell.")
		case p.peek() == '.' && p.pos+1 < len(p.src) && (isLetter(p.src[p.pos+1]) || p.src[p.pos+1] == '\'' || p.src[p.pos+1] == '"'):
			p.pos++
			name := ""
			if c := p.peek(); c == '\'' || c == '"' {
				lit, ok := p.primary().(*literal)
				if !ok {
					p.fail("member name expected")
				}
				name = text(lit.value)
			} else {
				name = p.name()
			}
			if p.accept("(") {
				x = &method{x, name, p.callArgs()}
			} else {
				x = &member{x, name}
			}
		case p.peek() == '[':
			p.pos++
			p.blanks(true)
			i := p.expression()
			p.blanks(true)
			if !p.accept("]") {
				p.missing("']'")
			}
			x = &index{x, i}
		default:
			return x
		}
	}
}

func (p *parser) callArgs() (args []node) {
	p.enter()
	defer p.leave()
	for {
		p.blanks(true)
		switch {
		case p.accept(")"):
			return args
		case p.accept(","):
		case p.pos >= len(p.src):
			p.missing("')' in method call")
		default:
			args = append(args, p.level1())
		}
	}
}

// level1 is an expression in which a comma separates arguments.
func (p *parser) level1() node {
	x := p.unary()
	for {
		save := p.pos
		p.blanks(false)
		op := p.operator([]string{"+", "-", "*", "/", "-f", ".."})
		if op == "" {
			p.pos = save
			return x
		}
		p.blanks(true)
		x = &binary{op, x, p.unary()}
	}
}

func (p *parser) name() string {
	start := p.pos
	for p.pos < len(p.src) && (isLetter(p.peek()) || p.peek() >= '0' && p.peek() <= '9') {
		p.pos++
	}
	return p.src[start:p.pos]
}

func (p *parser) primary() node {
	p.enter()
	defer p.leave()
	switch c := p.peek(); {
	case c == '$':
		return p.dollar()
	case c == '"':
		return p.doubleQuoted()
	case c == '\'':
		return p.singleQuoted()
	case p.at("@\"\n") || p.at("@'\n"):
		return p.hereString()
	case c == '(':
		p.pos++
		return &sub{p.statements(")")}
	case p.at("@("):
		p.pos += 2
		return &array{p.statements(")")}
	case p.at("@{"):
		p.pos += 2
		return p.hashtable()
	case c == '{':
		p.pos++
		return &block{p.paramBlock(), p.statements("}")}
	case c == '[':
		return p.typed()
	case c >= '0' && c <= '9' || c == '.':
		start := p.pos
		for p.pos < len(p.src) && (isLetter(p.peek()) || p.peek() >= '0' && p.peek() <= '9' || p.peek() == '.' && !p.at("..")) {
			p.pos++
		}
		n, ok := number(p.src[start:p.pos])
		if !ok {
			p.fail("Unexpected token '%s' in expression or statement.", p.src[start:p.pos])
		}
		return &literal{n}
	case c == 0:
		p.missing("expression")
	}
	p.fail("Unexpected token '%s' in expression or statement.", p.word())
	return nil
}

// dollar reads $x, $env:x, ${x}, $( ... ) and the special variables.
func (p *parser) dollar() node {
	p.pos++
	switch {
	case p.accept("("):
		return &sub{p.statements(")")}
	case p.accept("{"):
		end := strings.IndexByte(p.src[p.pos:], '}')
		if end < 0 {
			p.missing("closing '}' in variable name")
		}
		name := p.src[p.pos : p.pos+end]
		p.pos += end + 1
		scope, rest, ok := strings.Cut(name, ":")
		if ok {
			return &variable{strings.ToLower(scope), rest}
		}
		return &variable{"", name}
	case p.accept("_"):
		return &variable{"", "_" + p.name()}
	case p.accept("?"):
		return &variable{"", "?"}
	}
	name := p.name()
	if name == "" {
		p.fail("Unexpected token '$' in expression or statement.")
	}
	if p.peek() == ':' && p.pos+1 < len(p.src) && isLetter(p.src[p.pos+1]) {
		p.pos++
		return &variable{strings.ToLower(name), p.name()}
	}
	return &variable{"", name}
}

func (p *parser) singleQuoted() node {
	var b strings.Builder
	for p.pos++; p.pos < len(p.src); p.pos++ {
		if p.src[p.pos] != '\'' {
			b.WriteByte(p.src[p.pos])
			continue
		}
		if p.pos++; p.peek() != '\'' {
			return &literal{b.String()}
		}
		b.WriteByte('\'')
	}
	p.missing("the terminator: '")
	return nil
}

// doubleQuoted finds the end of a string and parses its expansions.
func (p *parser) doubleQuoted() node {
	start := p.pos + 1
	depth := 0
	for p.pos++; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; {
		case c == '`':
			p.pos++
		case p.at("$("):
			depth++
			p.pos++
		case c == '(' && depth > 0:
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == '"' && depth == 0:
			if p.pos+1 < len(p.src) && p.src[p.pos+1] == '"' {
				p.pos++
				continue
			}
			raw := p.src[start:p.pos]
			p.pos++
			return p.interpolate(raw)
		}
	}
	p.pos = len(p.src)
	p.missing("the terminator: \"")
	return nil
}

func (p *parser) hereString() node {
	quote := p.src[p.pos+1]
	p.pos += 3
	end := strings.Index(p.src[p.pos-1:], "\n"+string(quote)+"@")
	if end < 0 {
		p.pos = len(p.src)
		p.missing("the terminator of the here-string")
	}
	raw := ""
	if end > 0 {
		raw = p.src[p.pos : p.pos-1+end]
	}
	p.pos += end - 1 + 3
	if quote == '\'' {
		return &literal{raw}
	}
	return p.interpolate(raw)
}

// escapes of a double-quoted string.
var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '0': 0, 'a': '\a', 'b': '\b', 'e': 0x1b}

// interpolate parses the content of a double-quoted string.
func (p *parser) interpolate(raw string) node {
	in := &parser{src: raw, depth: p.depth + 1}
	in.enter()
	var parts []node
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			parts = append(parts, &literal{b.String()})
			b.Reset()
		}
	}
	for in.pos < len(raw) {
		c := raw[in.pos]
		switch {
		case c == '`' && in.pos+1 < len(raw):
			in.pos++
			e, ok := escapes[raw[in.pos]]
			if !ok {
				e = raw[in.pos]
			}
			b.WriteByte(e)
			in.pos++
		case c == '"' && in.pos+1 < len(raw) && raw[in.pos+1] == '"':
			b.WriteByte('"')
			in.pos += 2
		case c == '$' && in.pos+1 < len(raw) && (isLetter(raw[in.pos+1]) || strings.IndexByte("({?", raw[in.pos+1]) >= 0):
			flush()
			parts = append(parts, in.dollar())
		default:
			b.WriteByte(c)
			in.pos++
		}
	}
	flush()
	switch len(parts) {
	case 0:
		return &literal{""}
	case 1:
		if lit, ok := parts[0].(*literal); ok {
			return lit
		}
	}
	return &interpolated{parts}
}

func (p *parser) hashtable() node {
	t := &table{}
	for {
		p.blanks(true)
		switch {
		case p.accept("}"):
			return t
		case p.accept(";"):
			continue
		case p.pos >= len(p.src):
			p.missing("closing '}' in hash literal")
		}
		var key node
		if c := p.peek(); c == '"' || c == '\'' || c == '$' {
			key = p.primary()
		} else {
			name := p.name()
			if name == "" {
				p.fail("Missing key in hash literal.")
			}
			key = &literal{name}
		}
		p.blanks(true)
		if !p.accept("=") {
			p.missing("'=' operator after key in hash literal")
		}
		p.blanks(true)
		t.keys, t.values = append(t.keys, key), append(t.values, p.statement())
	}
}

// typed reads [type]x and [Type]::Member.
func (p *parser) typed() node {
	end := strings.IndexByte(p.src[p.pos:], ']')
	if end < 0 {
		p.missing("']' at end of type token")
	}
	typ := strings.ToLower(strings.TrimPrefix(strings.ToLower(p.src[p.pos+1:p.pos+end]), "system."))
	p.pos += end + 1
	if p.accept("::") {
		s := &static{typ: typ, name: p.name()}
		if p.accept("(") {
			s.call, s.args = true, p.callArgs()
		}
		return s
	}
	p.blanks(false)
	if strings.IndexByte("$\"'(@[{", p.peek()) < 0 && !(p.peek() >= '0' && p.peek() <= '9') || p.pos >= len(p.src) {
		return &literal{"[" + typ + "]"}
	}
	return &cast{typ, p.unary()}
}
