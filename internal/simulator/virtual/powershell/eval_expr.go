package powershell

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
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

// member returns a property; of a list those of its elements.
func (s *Shell) member(x any, name string) (any, error) {
	switch strings.ToLower(name) {
	case "length", "count":
		switch x := x.(type) {
		case string:
			if strings.EqualFold(name, "length") {
				return int64(len([]rune(x))), nil
			}
			return int64(1), nil
		case []any:
			return int64(len(x)), nil
		case nil:
			return int64(0), nil
		case *Object:
			if v, ok := x.Get(name); ok {
				return v, nil
			}
			if x.Type == "Hashtable" {
				return int64(len(x.Names)), nil
			}
		}
		return int64(1), nil
	}
	switch x := x.(type) {
	case *Object:
		v, ok := x.Get(name)
		if !ok && x.Type == "Hashtable" {
			switch strings.ToLower(name) {
			case "keys":
				return anys(x.Names), nil
			case "values":
				return slices.Clone(x.Values), nil
			}
		}
		return v, nil
	case time.Time:
		return timeMember(x, name), nil
	case []any:
		var vals []any
		for _, e := range x {
			v, err := s.member(e, name)
			if err != nil {
				return nil, err
			}
			vals = append(vals, items(v)...)
		}
		return collapse(vals), nil
	}
	return nil, nil
}

func anys(list []string) []any {
	vals := make([]any, len(list))
	for i, x := range list {
		vals[i] = x
	}
	return vals
}

func timeMember(t time.Time, name string) any {
	t = t.UTC()
	switch strings.ToLower(name) {
	case "year":
		return int64(t.Year())
	case "month":
		return int64(t.Month())
	case "day":
		return int64(t.Day())
	case "hour":
		return int64(t.Hour())
	case "minute":
		return int64(t.Minute())
	case "second":
		return int64(t.Second())
	case "dayofweek":
		return t.Weekday().String()
	case "date":
		return t.Truncate(24 * time.Hour)
	}
	return nil
}

func (s *Shell) method(x any, name string, args []any) (any, error) {
	arg := func(i int) string {
		if i < len(args) {
			return text(args[i])
		}
		return ""
	}
	num := func(i int) int {
		if i < len(args) {
			f, _ := numeric(args[i])
			return int(min(max(f, -1<<31), 1<<31))
		}
		return 0
	}
	switch strings.ToLower(name) {
	case "tostring":
		if t, ok := x.(time.Time); ok && len(args) > 0 {
			return formatTime(t, arg(0)), nil
		}
		return text(x), nil
	case "gettype":
		return NewObject("RuntimeType", "Name", typeName(x), "FullName", "System."+typeName(x)), nil
	case "equals":
		return len(args) > 0 && equal(x, args[0]), nil
	}
	if t, ok := x.(time.Time); ok {
		return s.timeMethod(t, name, args)
	}
	if o, ok := x.(*Object); ok && o.Type == "Hashtable" {
		switch strings.ToLower(name) {
		case "containskey", "contains":
			_, has := o.Get(arg(0))
			return has, nil
		case "add":
			if len(args) == 2 {
				o.Set(arg(0), args[1])
				return nil, nil
			}
		}
	}
	if list, ok := x.([]any); ok && strings.EqualFold(name, "contains") {
		return slices.ContainsFunc(list, func(e any) bool { return len(args) > 0 && equal(e, args[0]) }), nil
	}
	str, ok := x.(string)
	if !ok {
		return nil, s.throw("MethodNotFound", "Method invocation failed because [%s] does not contain a method named '%s' in the simulated PowerShell.", typeName(x), name)
	}
	switch strings.ToLower(name) {
	case "toupper":
		return strings.ToUpper(str), nil
	case "tolower":
		return strings.ToLower(str), nil
	case "trim":
		if len(args) > 0 {
			return strings.Trim(str, arg(0)), nil
		}
		return strings.TrimSpace(str), nil
	case "trimstart":
		return strings.TrimLeft(str, orBlanks(arg(0))), nil
	case "trimend":
		return strings.TrimRight(str, orBlanks(arg(0))), nil
	case "startswith":
		return strings.HasPrefix(str, arg(0)), nil
	case "endswith":
		return strings.HasSuffix(str, arg(0)), nil
	case "contains":
		return strings.Contains(str, arg(0)), nil
	case "indexof":
		return int64(strings.Index(str, arg(0))), nil
	case "replace":
		out := strings.ReplaceAll(str, arg(0), arg(1))
		if arg(0) == "" || len(out) > maxString {
			return nil, s.throw("ArgumentException", "String cannot be of zero length.")
		}
		return out, nil
	case "split":
		return anys(strings.FieldsFunc(str, func(r rune) bool { return strings.ContainsRune(orBlanks(arg(0)), r) })), nil
	case "substring":
		rs := []rune(str)
		from, to := num(0), len(rs)
		if len(args) > 1 {
			to = from + num(1)
		}
		if from < 0 || to < from || to > len(rs) {
			return nil, s.throw("ArgumentOutOfRangeException", "startIndex cannot be larger than length of string.")
		}
		return string(rs[from:to]), nil
	case "padleft", "padright":
		n := num(0) - len([]rune(str))
		if n <= 0 || n > 1<<16 {
			return str, nil
		}
		if strings.EqualFold(name, "padleft") {
			return strings.Repeat(" ", n) + str, nil
		}
		return str + strings.Repeat(" ", n), nil
	}
	return nil, s.throw("MethodNotFound", "Method invocation failed because [System.String] does not contain a method named '%s' in the simulated PowerShell.", name)
}

func orBlanks(set string) string {
	if set == "" {
		return " \t\r\n"
	}
	return set
}

func (s *Shell) timeMethod(t time.Time, name string, args []any) (any, error) {
	f := 0.0
	if len(args) > 0 {
		f, _ = numeric(args[0])
	}
	f = min(max(f, -1e6), 1e6)
	switch strings.ToLower(name) {
	case "adddays":
		return t.Add(time.Duration(f * 24 * float64(time.Hour))), nil
	case "addhours":
		return t.Add(time.Duration(f * float64(time.Hour))), nil
	case "addminutes":
		return t.Add(time.Duration(f * float64(time.Minute))), nil
	case "addseconds":
		return t.Add(time.Duration(f * float64(time.Second))), nil
	case "touniversaltime", "tolocaltime":
		return t, nil
	}
	return nil, s.throw("MethodNotFound", "Method invocation failed because [System.DateTime] does not contain a method named '%s' in the simulated PowerShell.", name)
}

// formatTime formats with a .NET pattern.
func formatTime(t time.Time, pattern string) string {
	switch pattern {
	case "o":
		return t.UTC().Format("2006-01-02T15:04:05.0000000Z")
	case "s":
		return t.UTC().Format("2006-01-02T15:04:05")
	case "u":
		return t.UTC().Format("2006-01-02 15:04:05Z")
	}
	return t.UTC().Format(strings.NewReplacer("yyyy", "2006", "yy", "06", "MMMM", "January", "MMM", "Jan", "MM", "01", "dddd", "Monday",
		"ddd", "Mon", "dd", "02", "HH", "15", "hh", "03", "mm", "04", "ss", "05", "fff", "000", "tt", "PM", "zzz", "-07:00", "M", "1", "d", "2").Replace(pattern))
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

func (s *Shell) static(n *static) (any, error) {
	args, err := s.evalAll(n.args)
	if err != nil {
		return nil, err
	}
	first := ""
	if len(args) > 0 {
		first = text(args[0])
	}
	info := s.cfg.Host.Info()
	switch n.typ + "::" + strings.ToLower(n.name) {
	case "environment::machinename":
		return info.Hostname, nil
	case "environment::osversion":
		return "Microsoft Windows NT " + info.Version + ".0", nil
	case "environment::username":
		return s.cfg.User[strings.LastIndexByte(s.cfg.User, '\\')+1:], nil
	case "environment::newline":
		return "\r\n", nil
	case "environment::getenvironmentvariable":
		return s.env[strings.ToUpper(first)], nil
	case "datetime::now", "datetime::utcnow":
		return s.cfg.Now(), nil
	case "string::isnullorempty":
		return first == "", nil
	case "string::join":
		if len(args) > 1 {
			var parts []string
			for _, x := range items(args[1]) {
				parts = append(parts, text(x))
			}
			return strings.Join(parts, first), nil
		}
	case "math::round", "math::floor", "math::ceiling", "math::abs", "math::sqrt":
		f, ok := numeric(collapse(args[:min(1, len(args))]))
		if ok {
			digits := 0.0
			if len(args) > 1 {
				digits, _ = numeric(args[1])
			}
			return whole(roundings[strings.ToLower(n.name)](f, math.Pow(10, min(max(digits, 0), 15)))), nil
		}
	}
	return nil, s.throw("TypeNotFound", "[%s]::%s is not supported by the simulated PowerShell.", n.typ, n.name)
}

var roundings = map[string]func(f, unit float64) float64{
	"round":   func(f, unit float64) float64 { return math.RoundToEven(f*unit) / unit },
	"floor":   func(f, _ float64) float64 { return math.Floor(f) },
	"ceiling": func(f, _ float64) float64 { return math.Ceil(f) },
	"abs":     func(f, _ float64) float64 { return math.Abs(f) },
	"sqrt":    func(f, _ float64) float64 { return math.Sqrt(f) },
}

func (s *Shell) cast(typ string, v any) (any, error) {
	switch typ {
	case "int", "int32", "int64", "long":
		f, ok := numeric(v)
		if !ok {
			return nil, s.throw("InvalidCastFromStringToInteger", "Cannot convert value \"%s\" to type \"System.Int32\". Error: \"Input string was not in a correct format.\"", text(v))
		}
		return int64(math.RoundToEven(f)), nil
	case "double", "float", "decimal", "single":
		f, ok := numeric(v)
		if !ok {
			return nil, s.throw("InvalidCast", "Cannot convert value \"%s\" to type \"System.Double\".", text(v))
		}
		return f, nil
	case "string":
		return text(v), nil
	case "bool", "boolean", "switch":
		return truth(v), nil
	case "array", "object[]", "string[]", "int[":
		return items(v), nil
	case "void":
		return nil, nil
	case "pscustomobject", "psobject", "ordered":
		if o, ok := v.(*Object); ok {
			custom := *o
			if typ != "ordered" {
				custom.Type = ""
			}
			return &custom, nil
		}
		return v, nil
	case "datetime":
		for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02", "01/02/2006", "01/02/2006 15:04:05"} {
			if t, err := time.Parse(layout, text(v)); err == nil {
				return t, nil
			}
		}
	}
	return nil, s.throw("InvalidCast", "Cannot convert to [%s] in the simulated PowerShell.", typ)
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

// format is the -f operator: {0}, {1:N2}, {0,10}.
func (s *Shell) format(pattern string, args []any) (any, error) {
	re := regexp.MustCompile(`\{(\d+)(?:,(-?\d+))?(?::([^}]*))?\}|\{\{|\}\}`)
	var failed error
	out := re.ReplaceAllStringFunc(pattern, func(m string) string {
		if m == "{{" || m == "}}" {
			return m[:1]
		}
		g := re.FindStringSubmatch(m)
		i, width := atoi(g[1]), atoi(g[2])
		if i >= len(args) {
			failed = s.throw("FormatError", "Error formatting a string: Index (zero based) must be greater than or equal to zero and less than the size of the argument list.")
			return ""
		}
		v := formatValue(args[i], g[3])
		if width > 1000 || width < -1000 {
			width = 0
		}
		return fmt.Sprintf("%*s", width, v)
	})
	return out, failed
}

// atoi reads the digits of text, up to a sane bound.
func atoi(text string) int {
	n, neg := 0, strings.HasPrefix(text, "-")
	for _, c := range text {
		if c >= '0' && c <= '9' {
			n = min(n*10+int(c-'0'), 1<<20)
		}
	}
	if neg {
		return -n
	}
	return n
}

func formatValue(v any, spec string) string {
	if t, ok := v.(time.Time); ok && spec != "" {
		return formatTime(t, spec)
	}
	f, isNum := numeric(v)
	if spec == "" || !isNum {
		return text(v)
	}
	digits := min(max(atoi(spec[1:]), 0), 20)
	switch spec[0] &^ 0x20 {
	case 'N':
		if spec == "N" {
			digits = 2
		}
		return thousands(fmt.Sprintf("%.*f", digits, f))
	case 'F':
		if len(spec) == 1 {
			digits = 2
		}
		return fmt.Sprintf("%.*f", digits, f)
	case 'D':
		return fmt.Sprintf("%0*d", digits, int64(f))
	case 'X':
		return fmt.Sprintf("%0*X", digits, int64(f))
	case 'P':
		return fmt.Sprintf("%.2f %%", f*100)
	}
	return text(v)
}

// thousands puts commas into a number.
func thousands(s string) string {
	intPart, frac, hasFrac := strings.Cut(s, ".")
	neg := strings.HasPrefix(intPart, "-")
	intPart = strings.TrimPrefix(intPart, "-")
	for i := len(intPart) - 3; i > 0; i -= 3 {
		intPart = intPart[:i] + "," + intPart[i:]
	}
	if hasFrac {
		intPart += "." + frac
	}
	if neg {
		return "-" + intPart
	}
	return intPart
}
