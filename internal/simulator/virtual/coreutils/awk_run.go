package coreutils

import (
	"context"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// awkValue is a string that may also be a number.
type awkValue struct {
	s     string
	n     float64
	isNum bool
}

func awkStr(s string) awkValue { return awkValue{s: s, n: leadingNumber(s)} }

func awkFloat(n float64) awkValue { return awkValue{s: awkNumText(n), n: n, isNum: true} }

// awkInput is a value read from outside: a number if it looks like one.
func awkInput(s string) awkValue {
	v := awkStr(s)
	_, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	v.isNum = err == nil
	return v
}

func awkNumText(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1e16 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatFloat(n, 'g', 6, 64)
}

func (v awkValue) truth() bool {
	if v.isNum {
		return v.n != 0
	}
	return v.s != ""
}

// Bounds of what a script may collect.
const (
	maxAwkElems = 1 << 20
	maxAwkText  = 16 << 20
)

type awkRun struct {
	ctx    context.Context
	p      *program.Proc
	vars   map[string]awkValue
	arrays map[string]map[string]awkValue
	line   string
	fields []string
	res    map[string]*regexp.Regexp
	jump   string
	status int
}

func newAwkRun(p *program.Proc, ctx context.Context) *awkRun {
	return &awkRun{
		ctx: ctx, p: p, vars: map[string]awkValue{"OFS": awkStr(" "), "ORS": awkStr("\n"), "SUBSEP": awkStr("\x1c")},
		arrays: map[string]map[string]awkValue{}, res: map[string]*regexp.Regexp{},
	}
}

func (r *awkRun) run(rules []awkRule, files []string) (status int) {
	defer func() {
		if x := recover(); x != nil {
			fail, ok := x.(awkError)
			if !ok {
				panic(x)
			}
			r.p.Errorf("%s", string(fail))
			status = 2
		}
	}()
	lines := false
	for _, rule := range rules {
		lines = lines || rule.kind != "BEGIN"
	}
	r.apply(rules, "BEGIN")
	if lines && r.jump != "exit" {
		nr := 0.0
		status = r.p.EachFile(r.ctx, files, func(name string, in io.Reader) error {
			fnr := 0.0
			r.vars["FILENAME"] = awkStr(name)
			return r.p.EachLine(in, func(line []byte, _ bool) bool {
				nr, fnr = nr+1, fnr+1
				r.vars["NR"], r.vars["FNR"] = awkFloat(nr), awkFloat(fnr)
				r.setLine(string(line))
				r.apply(rules, "")
				return r.jump != "exit" && r.ctx.Err() == nil
			})
		})
		if status != 0 {
			status = 2
		}
	}
	if r.jump == "exit" {
		r.jump = ""
	}
	if r.ctx.Err() == nil {
		r.apply(rules, "END")
	}
	return max(status, r.status)
}

func (r *awkRun) apply(rules []awkRule, kind string) {
	for _, rule := range rules {
		if rule.kind != kind {
			continue
		}
		if rule.pattern != nil && !r.eval(rule.pattern).truth() {
			continue
		}
		if rule.none {
			r.p.Printf("%s\n", r.line)
			continue
		}
		r.exec(rule.body)
		if r.jump != "" {
			break
		}
	}
	if r.jump == "next" {
		r.jump = ""
	}
}

func (r *awkRun) setLine(line string) {
	r.line = line
	r.fields = r.split(line, r.vars["FS"].s)
	r.vars["NF"] = awkFloat(float64(len(r.fields)))
}

func (r *awkRun) split(text, sep string) []string {
	switch {
	case text == "":
		return nil
	case sep == " ":
		return strings.Fields(text)
	case len(sep) == 1:
		return strings.Split(text, sep)
	}
	return r.regex(sep).Split(text, -1)
}

func (r *awkRun) regex(expr string) *regexp.Regexp {
	re, ok := r.res[expr]
	if !ok {
		var err error
		if re, err = regexp.Compile(extendedRegexp(expr)); err != nil {
			awkFail("invalid regular expression: %s", expr)
		}
		r.res[expr] = re
	}
	return re
}

func (r *awkRun) exec(list []awkStmt) {
	for _, s := range list {
		switch s := s.(type) {
		case awkEval:
			r.eval(s.x)
		case awkPrint:
			r.print(s)
		case awkIf:
			if r.eval(s.cond).truth() {
				r.exec(s.yes)
			} else {
				r.exec(s.othe)
			}
		case awkForIn:
			keys := make([]string, 0, len(r.arrays[s.name]))
			for k := range r.arrays[s.name] {
				keys = append(keys, k)
			}
			slices.Sort(keys) // any order is right; a fixed one is repeatable
			for _, k := range keys {
				r.vars[s.key] = awkInput(k)
				if r.exec(s.body); r.jump != "" {
					return
				}
			}
		case awkDelete:
			delete(r.arrays[s.elem.name], r.key(s.elem.key))
		case awkJump:
			r.jump = s.kind
			if s.x != nil {
				r.status = int(r.eval(s.x).n) & 0xff
			}
		}
		if r.jump != "" {
			return
		}
	}
}

func (r *awkRun) print(s awkPrint) {
	if s.format {
		args := s.args
		if list := flattenAwk(args[0]); len(args) == 1 {
			args = list
		}
		r.p.Printf("%s", r.sprintf(args))
		return
	}
	if len(s.args) == 0 {
		r.p.Printf("%s%s", r.line, r.vars["ORS"].s)
		return
	}
	args := s.args
	if len(args) == 1 {
		args = flattenAwk(args[0])
	}
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = r.eval(a).s
	}
	r.p.Printf("%s%s", strings.Join(parts, r.vars["OFS"].s), r.vars["ORS"].s)
}

// flattenAwk turns (a, b) into its parts.
func flattenAwk(x awkExpr) []awkExpr {
	if b, ok := x.(awkBinary); ok && b.op == "," {
		return append(flattenAwk(b.x), b.y)
	}
	return []awkExpr{x}
}

func (r *awkRun) sprintf(args []awkExpr) string {
	format := r.eval(args[0]).s
	words := []string{"printf", format}
	for _, a := range args[1:] {
		words = append(words, r.eval(a).s)
	}
	var b strings.Builder
	// %d of a fraction is its whole part.
	for i, v := range words[2:] {
		if n, err := strconv.ParseFloat(v, 64); err == nil && strings.Contains(nthVerb(format, i), "d") {
			words[2+i] = strconv.FormatInt(int64(n), 10)
		}
	}
	r.p.Shell.RunBuiltin(r.ctx, words, nil, &b, io.Discard)
	return b.String()
}

// nthVerb returns directive n of a format.
func nthVerb(format string, n int) string {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		j := i + 1
		for j < len(format) && strings.IndexByte("-+ #0123456789.", format[j]) >= 0 {
			j++
		}
		if j < len(format) && format[j] != '%' {
			if n == 0 {
				return format[i : j+1]
			}
			n--
		}
		i = j
	}
	return ""
}

func (r *awkRun) key(list []awkExpr) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = r.eval(x).s
	}
	return strings.Join(parts, r.vars["SUBSEP"].s)
}

func (r *awkRun) eval(x awkExpr) awkValue {
	switch x := x.(type) {
	case awkNum:
		return awkFloat(float64(x))
	case awkStrLit:
		return awkStr(string(x))
	case awkRegex:
		return awkBool(r.regex(string(x)).MatchString(r.line))
	case awkVar:
		return r.vars[x.name]
	case awkElem:
		k := r.key(x.key)
		v, ok := r.arrays[x.name][k]
		if !ok {
			r.assign(x, v) // looking at an element makes it
		}
		return v
	case awkField:
		return r.field(int(r.eval(x.x).n))
	case awkIn:
		_, ok := r.arrays[x.name][r.eval(x.x).s]
		return awkBool(ok)
	case awkUnary:
		v := r.eval(x.x)
		switch x.op {
		case "!":
			return awkBool(!v.truth())
		case "-":
			return awkFloat(-v.n)
		}
		return awkFloat(v.n)
	case awkCond:
		if r.eval(x.c).truth() {
			return r.eval(x.x)
		}
		return r.eval(x.y)
	case awkAssign:
		v := r.eval(x.y)
		if x.op != "=" {
			v = r.binary(x.op[:1], r.eval(x.x), v)
		}
		r.assign(x.x, v)
		return v
	case awkIncr:
		old := r.eval(x.x).n
		r.assign(x.x, awkFloat(old+x.by))
		if x.post {
			return awkFloat(old)
		}
		return awkFloat(old + x.by)
	case awkBinary:
		return r.evalBinary(x)
	case awkCall:
		return r.call(x)
	}
	awkFail("internal error: unknown expression")
	return awkValue{}
}

func awkBool(b bool) awkValue { return awkFloat(float64(oneIf(b))) }

func (r *awkRun) field(i int) awkValue {
	switch {
	case i == 0:
		return awkInput(r.line)
	case i < 0:
		awkFail("attempt to access field %d", i)
	case i > len(r.fields):
		return awkValue{}
	}
	return awkInput(r.fields[i-1])
}

func (r *awkRun) assign(x awkExpr, v awkValue) {
	if len(v.s) > maxAwkText {
		awkFail("string too long")
	}
	switch x := x.(type) {
	case awkVar:
		r.vars[x.name] = v
	case awkElem:
		a := r.arrays[x.name]
		if a == nil {
			a = map[string]awkValue{}
			r.arrays[x.name] = a
		}
		if len(a) >= maxAwkElems {
			awkFail("array %s is too large", x.name)
		}
		a[r.key(x.key)] = v
	case awkField:
		i := int(r.eval(x.x).n)
		if i == 0 {
			r.setLine(v.s)
			return
		}
		if i < 0 || i > 10000 {
			awkFail("attempt to assign field %d", i)
		}
		for len(r.fields) < i {
			r.fields = append(r.fields, "")
		}
		r.fields[i-1] = v.s
		r.line = strings.Join(r.fields, r.vars["OFS"].s)
		r.vars["NF"] = awkFloat(float64(len(r.fields)))
	}
}

func (r *awkRun) evalBinary(x awkBinary) awkValue {
	switch x.op {
	case "&&":
		return awkBool(r.eval(x.x).truth() && r.eval(x.y).truth())
	case "||":
		return awkBool(r.eval(x.x).truth() || r.eval(x.y).truth())
	case "~", "!~":
		expr := ""
		if lit, ok := x.y.(awkRegex); ok {
			expr = string(lit)
		} else {
			expr = r.eval(x.y).s
		}
		return awkBool(r.regex(expr).MatchString(r.eval(x.x).s) == (x.op == "~"))
	case ",":
		return awkStr(r.eval(x.x).s + r.vars["SUBSEP"].s + r.eval(x.y).s)
	}
	return r.binary(x.op, r.eval(x.x), r.eval(x.y))
}

func (r *awkRun) binary(op string, a, b awkValue) awkValue {
	switch op {
	case " ":
		return awkStr(a.s + b.s)
	case "+":
		return awkFloat(a.n + b.n)
	case "-":
		return awkFloat(a.n - b.n)
	case "*":
		return awkFloat(a.n * b.n)
	case "^":
		return awkFloat(math.Pow(a.n, b.n))
	case "/", "%":
		if b.n == 0 {
			awkFail("division by zero")
		}
		if op == "/" {
			return awkFloat(a.n / b.n)
		}
		return awkFloat(math.Mod(a.n, b.n))
	}
	c := strings.Compare(a.s, b.s)
	// A variable that was never set compares as both "" and 0.
	if (a.isNum || a == awkValue{}) && (b.isNum || b == awkValue{}) {
		c = 0
		if a.n != b.n {
			c = 1 - 2*oneIf(a.n < b.n)
		}
	}
	switch op {
	case "==":
		return awkBool(c == 0)
	case "!=":
		return awkBool(c != 0)
	case "<":
		return awkBool(c < 0)
	case "<=":
		return awkBool(c <= 0)
	case ">":
		return awkBool(c > 0)
	}
	return awkBool(c >= 0)
}

func (r *awkRun) call(x awkCall) awkValue {
	arg := func(i int) awkValue {
		if i < len(x.args) {
			return r.eval(x.args[i])
		}
		return awkValue{}
	}
	need := map[string]int{"substr": 2, "index": 2, "toupper": 1, "tolower": 1, "sub": 2, "gsub": 2, "split": 2, "int": 1, "sprintf": 1}[x.name]
	if len(x.args) < need {
		awkFail("%s: not enough arguments", x.name)
	}
	switch x.name {
	case "length":
		if len(x.args) == 0 {
			return awkFloat(float64(len([]rune(r.line))))
		}
		if v, ok := x.args[0].(awkVar); ok && r.arrays[v.name] != nil {
			return awkFloat(float64(len(r.arrays[v.name])))
		}
		return awkFloat(float64(len([]rune(arg(0).s))))
	case "substr":
		rs := []rune(arg(0).s)
		from := int(math.Round(arg(1).n)) - 1
		to := len(rs)
		if len(x.args) > 2 {
			to = min(to, from+int(math.Round(arg(2).n)))
		}
		if from = max(from, 0); from >= to {
			return awkStr("")
		}
		return awkStr(string(rs[from:to]))
	case "index":
		i := strings.Index(arg(0).s, arg(1).s)
		if i >= 0 {
			i = len([]rune(arg(0).s[:i]))
		}
		return awkFloat(float64(i + 1))
	case "toupper":
		return awkStr(strings.ToUpper(arg(0).s))
	case "tolower":
		return awkStr(strings.ToLower(arg(0).s))
	case "int":
		return awkFloat(math.Trunc(arg(0).n))
	case "sprintf":
		return awkStr(r.sprintf(x.args))
	case "split":
		return r.splitCall(x)
	}
	return r.substitute(x)
}

func (r *awkRun) splitCall(x awkCall) awkValue {
	v, ok := x.args[1].(awkVar)
	if !ok {
		awkFail("split: second argument is not an array")
	}
	sep := r.vars["FS"].s
	if len(x.args) > 2 {
		if lit, ok := x.args[2].(awkRegex); ok {
			sep = string(lit)
		} else {
			sep = r.eval(x.args[2]).s
		}
	}
	parts := r.split(r.eval(x.args[0]).s, sep)
	a := map[string]awkValue{}
	for i, part := range parts {
		a[strconv.Itoa(i+1)] = awkInput(part)
	}
	r.arrays[v.name] = a
	return awkFloat(float64(len(parts)))
}

// substitute is sub and gsub.
func (r *awkRun) substitute(x awkCall) awkValue {
	expr := ""
	if lit, ok := x.args[0].(awkRegex); ok {
		expr = string(lit)
	} else {
		expr = r.eval(x.args[0]).s
	}
	var dst awkExpr = awkField{awkNum(0)}
	if len(x.args) > 2 {
		dst = x.args[2]
	}
	text, repl := r.eval(dst).s, r.eval(x.args[1]).s
	n, at := 0, 0
	var b strings.Builder
	for _, m := range r.regex(expr).FindAllStringIndex(text, -1) {
		b.WriteString(text[at:m[0]])
		b.WriteString(awkReplacement(repl, text[m[0]:m[1]]))
		at = m[1]
		n++
		if x.name == "sub" {
			break
		}
	}
	if n > 0 {
		r.assign(dst, awkStr(b.String()+text[at:]))
	}
	return awkFloat(float64(n))
}

func awkReplacement(repl, match string) string {
	const mark = "\x00"
	repl = strings.ReplaceAll(repl, `\&`, mark)
	repl = strings.ReplaceAll(repl, "&", match)
	return strings.ReplaceAll(repl, mark, "&")
}
