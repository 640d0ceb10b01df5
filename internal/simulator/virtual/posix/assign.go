package posix

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// assign makes one assignment. assoc says that an array value without keys is
// still associative. It reports whether it succeeded, having told why not.
func (s *Shell) assign(as *syntax.Assign, assoc bool) bool {
	name := as.Name.Value
	v := s.lookup(name)
	if target, _ := v.Resolve(environ{s}); target != "" {
		name, v = target, s.lookup(target)
	}
	if as.Naked {
		return true
	}
	ok := false
	switch {
	case as.Array != nil:
		v, ok = s.arrayValue(v, as, assoc || (v.Kind == expand.Associative))
	case as.Index != nil:
		v, ok = s.elementValue(v, as)
	default:
		v, ok = s.scalarValue(v, as)
	}
	if !ok {
		return false
	}
	v.Set = true
	if err := s.set(name, v); err != nil {
		s.errf("%v", err)
		s.status = 1
		if !s.cfg.Interactive {
			s.flow = flowExit
		}
		return false
	}
	return true
}

func (s *Shell) scalarValue(v expand.Variable, as *syntax.Assign) (expand.Variable, bool) {
	text, ok := s.literal(as.Value)
	if !ok {
		return v, false
	}
	switch {
	case v.Kind == expand.Indexed:
		if as.Append {
			old, _ := element(v, 0)
			text = old + text
		}
		return withElement(v, 0, text), true
	case as.Append:
		text = v.Str + text
	}
	v.Kind, v.Str = expand.String, text
	return v, true
}

// elementValue returns v with name[index]=value done.
func (s *Shell) elementValue(v expand.Variable, as *syntax.Assign) (expand.Variable, bool) {
	text, ok := s.literal(as.Value)
	if !ok {
		return v, false
	}
	if v.Kind == expand.Associative {
		key, ok := s.key(as.Index)
		if !ok {
			return v, false
		}
		m := maps.Clone(v.Map)
		if m == nil {
			m = map[string]string{}
		}
		if as.Append {
			text = m[key] + text
		}
		m[key] = text
		v.Map = m
		return v, true
	}
	i, ok := s.arithm(as.Index)
	if !ok {
		return v, false
	}
	if v.Kind == expand.String && v.Set {
		v = expand.Variable{Kind: expand.Indexed, List: []string{v.Str}, Exported: v.Exported}
	}
	if i < 0 {
		i += lastIndex(v) + 1
	}
	if i < 0 {
		s.errf("%s[%d]: bad array subscript", as.Name.Value, i)
		s.status = 1
		return v, false
	}
	if as.Append {
		old, _ := element(v, i)
		text = old + text
	}
	return withElement(v, i, text), true
}

// key returns the key of an associative array.
func (s *Shell) key(x syntax.ArithmExpr) (string, bool) {
	if w, ok := x.(*syntax.Word); ok {
		return s.literal(w)
	}
	n, ok := s.arithm(x)
	return strconv.Itoa(n), ok
}

func (s *Shell) arrayValue(v expand.Variable, as *syntax.Assign, assoc bool) (expand.Variable, bool) {
	if assoc {
		return s.assocValue(v, as)
	}
	base := expand.Variable{Kind: expand.Indexed, List: []string{}, Exported: v.Exported, Local: v.Local}
	if as.Append {
		switch {
		case v.Kind == expand.Indexed:
			base.List, base.Indexes = slices.Clone(v.List), slices.Clone(v.Indexes)
		case v.Kind == expand.String && v.Set:
			base.List = []string{v.Str}
		}
	}
	next := lastIndex(base) + 1
	for _, e := range as.Array.Elems {
		if e.Index == nil {
			list, ok := s.fields(e.Value)
			if !ok {
				return v, false
			}
			for _, text := range list {
				base = withElement(base, next, text)
				next++
			}
			continue
		}
		i, ok := s.arithm(e.Index)
		text, ok2 := s.literal(e.Value)
		if !ok || !ok2 || i < 0 {
			return v, false
		}
		base = withElement(base, i, text)
		next = i + 1
	}
	return base, true
}

func (s *Shell) assocValue(v expand.Variable, as *syntax.Assign) (expand.Variable, bool) {
	m := map[string]string{}
	if as.Append && v.Map != nil {
		m = maps.Clone(v.Map)
	}
	for _, e := range as.Array.Elems {
		if e.Index == nil {
			s.errf("%s: must use subscript when assigning associative array", as.Name.Value)
			s.status = 1
			return v, false
		}
		key, ok := s.key(e.Index)
		text, ok2 := s.literal(e.Value)
		if !ok || !ok2 {
			return v, false
		}
		m[key] = text
	}
	v.Kind, v.Map = expand.Associative, m
	return v, true
}

func lastIndex(v expand.Variable) int {
	if n := len(v.Indexes); n > 0 {
		return v.Indexes[n-1]
	}
	return len(v.List) - 1
}

func element(v expand.Variable, i int) (string, bool) {
	if v.Indexes != nil {
		if at, ok := slices.BinarySearch(v.Indexes, i); ok {
			return v.List[at], true
		}
		return "", false
	}
	if v.Kind == expand.Indexed && i < len(v.List) {
		return v.List[i], true
	}
	return "", false
}

// withElement returns v as an indexed array with element i set. Gaps make the
// array sparse, as package expand stores them.
func withElement(v expand.Variable, i int, text string) expand.Variable {
	if v.Kind != expand.Indexed {
		v = expand.Variable{Exported: v.Exported, Local: v.Local}
	}
	v.Kind, v.Set = expand.Indexed, true
	list, idx := slices.Clone(v.List), slices.Clone(v.Indexes)
	switch {
	case idx == nil && i < len(list):
		list[i] = text
	case idx == nil && i == len(list):
		list = append(list, text)
	default:
		if idx == nil {
			for k := range list {
				idx = append(idx, k)
			}
		}
		at, found := slices.BinarySearch(idx, i)
		if found {
			list[at] = text
			break
		}
		idx, list = slices.Insert(idx, at, i), slices.Insert(list, at, text)
	}
	v.List, v.Indexes = list, idx
	return v
}

// declaration is what the options of declare and its kin ask for.
type declaration struct {
	local, export, readonly, unexport bool
	assoc, array, nameref             bool
	print, functions                  bool
}

// declare runs declare, typeset, local, export and readonly.
func (s *Shell) declare(c *syntax.DeclClause) {
	s.status = 0
	d := declaration{}
	name := c.Variant.Value
	switch name {
	case "declare", "typeset":
		d.local = s.inFunc > 0
	case "local":
		if s.inFunc == 0 {
			s.errf("local: can only be used in a function")
			s.status = 1
			return
		}
		d.local = true
	case "export":
		d.export = true
	case "readonly":
		d.readonly = true
	case "nameref":
		d.nameref = true
	}
	list, ok := s.declArgs(name, &d, c.Args)
	if !ok {
		return
	}
	if len(list) == 0 || d.functions {
		s.printDeclared(name, d, list)
		return
	}
	for _, as := range list {
		if d.print {
			s.printVar(as.Name.Value)
			continue
		}
		if !s.declareOne(d, as) {
			return
		}
	}
}

// declArgs separates options from assignments, expanding dynamic arguments
// such as export "$name=value".
func (s *Shell) declArgs(cmd string, d *declaration, args []*syntax.Assign) (list []*syntax.Assign, ok bool) {
	for _, as := range args {
		if as.Name != nil {
			list = append(list, as)
			continue
		}
		words, ok := s.fields(as.Value)
		if !ok {
			return nil, false
		}
		for _, w := range words {
			if len(w) > 1 && (w[0] == '-' || w[0] == '+') {
				if !s.declOption(cmd, d, w) {
					return nil, false
				}
				continue
			}
			name, value, assigned := strings.Cut(w, "=")
			if !syntax.ValidName(name) {
				s.errf("%s: `%s': not a valid identifier", cmd, w)
				s.status = 1
				return nil, false
			}
			one := &syntax.Assign{Name: &syntax.Lit{Value: name}, Naked: !assigned}
			if assigned {
				one.Value = &syntax.Word{Parts: []syntax.WordPart{&syntax.SglQuoted{Value: value}}}
			}
			list = append(list, one)
		}
	}
	return list, true
}

func (s *Shell) declOption(cmd string, d *declaration, w string) bool {
	if w == "--" {
		return true
	}
	for _, o := range w[1:] {
		switch o {
		case 'x':
			d.export = w[0] == '-'
			d.unexport = w[0] == '+'
		case 'n':
			d.nameref = cmd != "export"
			d.unexport = cmd == "export"
		case 'r':
			d.readonly = true
		case 'A':
			d.assoc = true
		case 'a':
			d.array = true
		case 'g':
			d.local = false
		case 'p':
			d.print = true
		case 'f', 'F':
			d.functions = true
		case 'i', 'l', 'u', 't': // accepted without effect
		default:
			s.errf("%s: -%c: invalid option", cmd, o)
			s.status = 2
			return false
		}
	}
	return true
}

func (s *Shell) declareOne(d declaration, as *syntax.Assign) bool {
	name := as.Name.Value
	if d.local {
		if _, here := s.vars.vars[name]; !here {
			s.vars.vars[name] = expand.Variable{Local: true}
		}
	}
	if !as.Naked && !s.assign(as, d.assoc) {
		return false
	}
	sc := s.vars.find(name)
	if sc == nil {
		sc = s.vars.global()
	}
	v := sc.vars[name]
	switch {
	case d.assoc && v.Kind != expand.Associative:
		v.Kind = expand.Associative
	case d.array && v.Kind == expand.Unknown:
		v.Kind = expand.Indexed
	case d.nameref:
		v.Kind = expand.NameRef
	}
	v.Exported = (v.Exported || d.export) && !d.unexport
	v.ReadOnly = v.ReadOnly || d.readonly
	if v.Declared() {
		sc.vars[name] = v
	}
	return true
}

func (s *Shell) printDeclared(cmd string, d declaration, list []*syntax.Assign) {
	if d.functions {
		for _, as := range list {
			if s.funcs[as.Name.Value] == nil {
				s.status = 1
			} else {
				s.out(s.funcText(as.Name.Value))
			}
		}
		return
	}
	all := s.vars.flatten().vars
	for _, name := range slices.Sorted(maps.Keys(all)) {
		v := all[name]
		if (cmd == "export" && !v.Exported) || (cmd == "readonly" && !v.ReadOnly) || !v.Declared() {
			continue
		}
		s.printVar(name)
	}
}

func (s *Shell) funcText(name string) string {
	var b strings.Builder
	if err := syntax.NewPrinter(syntax.Indent(4)).Print(&b, s.funcs[name]); err != nil {
		return name + " ()\n"
	}
	return name + " ()\n" + b.String() + "\n"
}

// printVar prints a variable as the command that would set it.
func (s *Shell) printVar(name string) {
	v := s.lookup(name)
	if !v.Declared() {
		s.errf("declare: %s: not found", name)
		s.status = 1
		return
	}
	flags := v.Flags()
	if flags == "" {
		flags = "-"
	}
	text := "declare -" + flags + " " + name
	switch {
	case !v.Set:
	case v.Kind == expand.Indexed:
		var parts []string
		for i, e := range v.List {
			if v.Indexes != nil {
				i = v.Indexes[i]
			}
			parts = append(parts, fmt.Sprintf("[%d]=%s", i, dquote(e)))
		}
		text += "=(" + strings.Join(parts, " ") + ")"
	case v.Kind == expand.Associative:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v.Map)) {
			parts = append(parts, fmt.Sprintf("[%s]=%s", k, dquote(v.Map[k])))
		}
		text += "=(" + strings.Join(parts, " ") + " )"
	default:
		text += "=" + dquote(v.Str)
	}
	s.out(text + "\n")
}

// dquote puts text in double quotes.
func dquote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(text) + `"`
}
