package powershell

import (
	"math"
	"slices"
	"strings"
	"time"
)

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
		case []byte:
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
	case "ticks":
		return t.UnixNano()/100 + unixEpoch
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
	if v, known, err := s.netMethod(x, name, args); known {
		return v, err
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

func (s *Shell) static(n *static) (any, error) {
	args, err := s.evalAll(n.args)
	if err != nil {
		return nil, err
	}
	first := ""
	if len(args) > 0 {
		first = text(args[0])
	}
	if v, known, err := s.dotnet(n.typ, n.name, args); known {
		return v, err
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
	case "char":
		if f, ok := numeric(v); ok {
			return string(rune(int(f))), nil
		}
		return text(v), nil
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
