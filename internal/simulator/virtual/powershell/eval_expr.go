package powershell

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// eval returns the value of an expression.
func (s *Shell) eval(n node) (any, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case nil:
		return nil, nil
	case *literal:
		return n.value, nil
	case *interpolated:
		var b strings.Builder
		for _, part := range n.parts {
			v, err := s.eval(part)
			if err != nil {
				return nil, err
			}
			b.WriteString(text(v))
		}
		return b.String(), nil
	case *variable:
		return s.variable(n)
	case *block:
		return n, nil
	case *list:
		vals, err := s.evalAll(n.items)
		return vals, err
	case *array:
		vals, err := s.collect(func(out emit) error { return s.body(n.body, out) })
		if vals == nil {
			vals = []any{}
		}
		return vals, err
	case *sub:
		vals, err := s.collect(func(out emit) error { return s.body(n.body, out) })
		return collapse(vals), err
	case *table:
		o := &Object{Type: "Hashtable"}
		for i := range n.keys {
			k, err := s.eval(n.keys[i])
			if err != nil {
				return nil, err
			}
			v, err := s.evalStatement(n.values[i])
			if err != nil {
				return nil, err
			}
			o.Set(text(k), v)
		}
		return o, nil
	case *member:
		x, err := s.eval(n.x)
		if err != nil {
			return nil, err
		}
		return s.member(x, n.name)
	case *method:
		x, err := s.eval(n.x)
		if err != nil {
			return nil, err
		}
		args, err := s.evalAll(n.args)
		if err != nil {
			return nil, err
		}
		return s.method(x, n.name, args)
	case *index:
		return s.index(n)
	case *static:
		return s.static(n)
	case *cast:
		v, err := s.eval(n.x)
		if err != nil {
			return nil, err
		}
		return s.cast(n.typ, v)
	case *unary:
		return s.unary(n)
	case *binary:
		return s.binary(n)
	}
	return s.evalStatement(n)
}

func (s *Shell) evalAll(list []node) ([]any, error) {
	vals := make([]any, 0, len(list))
	for _, x := range list {
		v, err := s.eval(x)
		if err != nil {
			return nil, err
		}
		vals = append(vals, v)
	}
	return vals, nil
}

func (s *Shell) variable(n *variable) (any, error) {
	switch n.scope {
	case "env":
		if v, ok := s.env[strings.ToUpper(n.name)]; ok {
			return v, nil
		}
		return nil, nil
	case "", "global", "script", "local":
	default:
		return nil, s.throw("DriveNotFound", "Cannot find drive. A drive with the name '%s' does not exist.", n.scope)
	}
	if v, ok := s.get(n.name); ok {
		return v, nil
	}
	switch strings.ToLower(n.name) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "?":
		return s.ok, nil
	case "lastexitcode":
		return int64(s.status), nil
	case "pid":
		return int64(4242), nil
	case "pwd":
		return s.dir, nil
	case "home":
		return s.cfg.Home, nil
	case "psversiontable":
		return NewObject("Hashtable", "PSVersion", version(), "PSEdition", "Desktop", "BuildVersion", "10.0.20348.2849", "CLRVersion", "4.0.30319.42000", "WSManStackVersion", "3.0"), nil
	case "psscriptroot":
		return "", nil
	case "host":
		return NewObject("InternalHost", "Name", "ConsoleHost", "Version", version()), nil
	}
	return nil, nil
}

// version is that of the PowerShell we look like.
func version() *Object {
	o := NewObject("Version", "Major", int64(5), "Minor", int64(1), "Build", int64(20348), "Revision", int64(2849))
	return o
}

func (s *Shell) index(n *index) (any, error) {
	x, err := s.eval(n.x)
	if err != nil {
		return nil, err
	}
	i, err := s.eval(n.i)
	if err != nil {
		return nil, err
	}
	if o, ok := x.(*Object); ok && o.Type == "Hashtable" {
		v, _ := o.Get(text(i))
		return v, nil
	}
	list, ok := x.([]any)
	if str, isString := x.(string); isString {
		for _, r := range str {
			list = append(list, string(r))
		}
	} else if !ok {
		list = items(x)
	}
	at := func(i any) any {
		f, isNum := numeric(i)
		k := int(min(max(f, -1<<31), 1<<31))
		if k < 0 {
			k += len(list)
		}
		if !isNum || k < 0 || k >= len(list) {
			return nil
		}
		return list[k]
	}
	if several, ok := i.([]any); ok {
		var vals []any
		for _, one := range several {
			vals = append(vals, at(one))
		}
		return vals, nil
	}
	return at(i), nil
}

func (s *Shell) unary(n *unary) (any, error) {
	v, err := s.eval(n.x)
	if err != nil {
		return nil, err
	}
	switch n.op {
	case "!":
		return !truth(v), nil
	case "-join":
		return text(joined(v, "")), nil
	case "-split":
		return anys(strings.Fields(text(v))), nil
	}
	f, ok := numeric(v)
	if !ok {
		return nil, s.throw("InvalidCast", "Cannot convert value \"%s\" to a number.", text(v))
	}
	return whole(-f), nil
}

func joined(v any, sep string) string {
	var parts []string
	for _, x := range items(v) {
		parts = append(parts, text(x))
	}
	return strings.Join(parts, sep)
}

func (s *Shell) binary(n *binary) (any, error) {
	a, err := s.eval(n.x)
	if err != nil {
		return nil, err
	}
	switch n.op {
	case "-and":
		if !truth(a) {
			return false, nil
		}
	case "-or":
		if truth(a) {
			return true, nil
		}
	}
	b, err := s.eval(n.y)
	if err != nil {
		return nil, err
	}
	switch n.op {
	case "-and", "-or":
		return truth(b), nil
	case "-xor":
		return truth(a) != truth(b), nil
	case "..":
		return s.rangeOf(a, b)
	case "+", "-", "*", "/", "%":
		return s.arith(n.op, a, b)
	case "-f":
		return s.format(text(a), items(b))
	case "-join":
		return joined(a, text(b)), nil
	case "-split", "-replace":
		return s.regexOp(n.op, a, b)
	}
	if list, ok := a.([]any); ok && !strings.Contains(n.op, "contains") && n.op != "-in" && n.op != "-notin" {
		var vals []any // a comparison of a list filters it
		for _, x := range list {
			yes, err := s.test(n.op, x, b)
			if err != nil {
				return nil, err
			}
			if yes {
				vals = append(vals, x)
			}
		}
		return vals, nil
	}
	return s.test(n.op, a, b)
}

func (s *Shell) rangeOf(a, b any) (any, error) {
	from, ok1 := numeric(a)
	to, ok2 := numeric(b)
	if !ok1 || !ok2 || math.Abs(to-from) >= maxItems {
		return nil, s.throw("InvalidRange", "The range is not valid, or too large for the simulated PowerShell.")
	}
	vals := []any{}
	step := int64(1)
	if to < from {
		step = -1
	}
	for i := int64(from); ; i += step {
		vals = append(vals, i)
		if i == int64(to) {
			return vals, nil
		}
	}
}

func (s *Shell) arith(op string, a, b any) (any, error) {
	if op == "+" {
		switch x := a.(type) {
		case string:
			if len(x)+len(text(b)) > maxString {
				return nil, s.throw("OutOfMemory", "The string is too long for the simulated PowerShell.")
			}
			return x + text(b), nil
		case []any:
			if len(x) > maxItems {
				return nil, s.throw("OutOfMemory", "The array is too large for the simulated PowerShell.")
			}
			return append(slices.Clone(x), items(b)...), nil
		case nil:
			return b, nil
		}
	}
	if str, ok := a.(string); ok && op == "*" {
		n, isNum := numeric(b)
		if !isNum || n < 0 || n*float64(len(str)) > maxString {
			return nil, s.throw("OutOfMemory", "The string is too long for the simulated PowerShell.")
		}
		return strings.Repeat(str, int(n)), nil
	}
	x, ok1 := numeric(a)
	y, ok2 := numeric(b)
	if !ok1 || !ok2 {
		return nil, s.throw("InvalidCast", "Cannot convert value \"%s\" to type \"System.Int32\". Error: \"Input string was not in a correct format.\"", text(map[bool]any{true: b, false: a}[ok1]))
	}
	switch op {
	case "+":
		return whole(x + y), nil
	case "-":
		return whole(x - y), nil
	case "*":
		return whole(x * y), nil
	}
	if y == 0 {
		return nil, s.throw("RuntimeException", "Attempted to divide by zero.")
	}
	if op == "/" {
		return whole(x / y), nil
	}
	return whole(math.Mod(x, y)), nil
}

// test evaluates a comparison.
func (s *Shell) test(op string, a, b any) (bool, error) {
	switch op {
	case "-eq", "-ieq":
		return equal(a, b), nil
	case "-ceq":
		return text(a) == text(b), nil
	case "-ne":
		return !equal(a, b), nil
	case "-gt":
		return compare(a, b) > 0, nil
	case "-ge":
		return compare(a, b) >= 0, nil
	case "-lt":
		return compare(a, b) < 0, nil
	case "-le":
		return compare(a, b) <= 0, nil
	case "-like", "-notlike":
		return wildcard(text(b), text(a)) == (op == "-like"), nil
	case "-match", "-notmatch":
		re, err := s.regex(text(b))
		if err != nil {
			return false, err
		}
		m := re.FindStringSubmatch(text(a))
		if m != nil && op == "-match" {
			t := &Object{Type: "Hashtable"}
			for i, g := range m {
				t.Set(fmt.Sprint(i), g)
			}
			s.set("Matches", t)
		}
		return (m != nil) == (op == "-match"), nil
	case "-contains", "-notcontains":
		has := slices.ContainsFunc(items(a), func(x any) bool { return equal(x, b) })
		return has == (op == "-contains"), nil
	case "-in", "-notin":
		has := slices.ContainsFunc(items(b), func(x any) bool { return equal(x, a) })
		return has == (op == "-in"), nil
	case "-is":
		want := strings.Trim(strings.ToLower(text(b)), "[]")
		have := strings.ToLower(typeName(a))
		return want == have || want == "int" && have == "int32" || want == "bool" && have == "boolean" || want == "array" && have == "object[]", nil
	}
	return false, s.throw("OperatorNotSupported", "The operator '%s' is not supported by the simulated PowerShell.", op)
}

func (s *Shell) regex(expr string) (*regexp.Regexp, error) {
	re, err := regexp.Compile("(?i)" + expr)
	if err != nil {
		return nil, s.throw("InvalidRegularExpression", "The regular expression pattern %s is not valid.", expr)
	}
	return re, nil
}

// wildcard matches * and ? without case.
func wildcard(pat, name string) bool {
	re, err := regexp.Compile("(?is)^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pat)) + "$")
	return err == nil && re.MatchString(name)
}

func (s *Shell) regexOp(op string, a, b any) (any, error) {
	args := items(b)
	if len(args) == 0 {
		args = []any{""}
	}
	re, err := s.regex(text(args[0]))
	if err != nil {
		return nil, err
	}
	if op == "-split" {
		var vals []any
		for _, x := range items(a) {
			vals = append(vals, anys(re.Split(text(x), -1))...)
		}
		return vals, nil
	}
	with := ""
	if len(args) > 1 {
		with = text(args[1])
	}
	with = regexp.MustCompile(`\$(\d+)`).ReplaceAllString(with, "$${$1}")
	var vals []any
	for _, x := range items(a) {
		vals = append(vals, re.ReplaceAllString(text(x), with))
	}
	return collapse(vals), nil
}
