package posix

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
)

// scope holds variables. Functions see those of their callers.
type scope struct {
	vars   map[string]expand.Variable
	parent *scope
}

// find returns the innermost scope that declares name, or nil.
func (sc *scope) find(name string) *scope {
	for ; sc != nil; sc = sc.parent {
		if _, ok := sc.vars[name]; ok {
			return sc
		}
	}
	return nil
}

func (sc *scope) global() *scope {
	for sc.parent != nil {
		sc = sc.parent
	}
	return sc
}

// flatten returns one scope with all that is visible. Values are copied, for
// the copy may be used by another goroutine.
func (sc *scope) flatten() *scope {
	all := map[string]expand.Variable{}
	var fill func(*scope)
	fill = func(sc *scope) {
		if sc == nil {
			return
		}
		fill(sc.parent)
		for name, v := range sc.vars {
			v.List, v.Indexes = slices.Clone(v.List), slices.Clone(v.Indexes)
			v.Map = maps.Clone(v.Map)
			all[name] = v
		}
	}
	fill(sc)
	return &scope{vars: all}
}

func stringVar(value string) expand.Variable {
	return expand.Variable{Set: true, Kind: expand.String, Str: value}
}

func (s *Shell) initVars() {
	g := s.vars.vars
	for _, kv := range s.cfg.Env {
		if name, value, ok := strings.Cut(kv, "="); ok && name != "" {
			g[name] = expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
		}
	}
	uid := "1001"
	if s.cfg.Cred.User == "" || s.cfg.Cred.User == "root" {
		uid = "0"
	}
	g["UID"], g["EUID"] = stringVar(uid), stringVar(uid)
	g["IFS"] = stringVar(" \t\n")
	g["OPTIND"] = stringVar("1")
	g["BASH_VERSION"] = stringVar("5.2.15(1)-release")
	g["PS4"] = stringVar("+ ")
	g["PPID"] = stringVar(strconv.Itoa(s.cfg.PPID))
	level, _ := strconv.Atoi(g["SHLVL"].Str)
	g["SHLVL"] = exported(strconv.Itoa(level + 1))
	g["PWD"] = exported(s.dir)
	if s.cfg.Interactive {
		g["PS1"], g["PS2"] = stringVar(`\s-\v\$ `), stringVar("> ")
	}
}

func exported(value string) expand.Variable {
	v := stringVar(value)
	v.Exported = true
	return v
}

// environ is how package expand sees the variables.
type environ struct{ s *Shell }

var _ expand.WriteEnviron = environ{}

func (e environ) Get(name string) expand.Variable { return e.s.lookup(name) }

func (e environ) Set(name string, v expand.Variable) error { return e.s.set(name, v) }

func (e environ) Each(fn func(string, expand.Variable) bool) {
	for name, v := range e.s.vars.flatten().vars {
		if !fn(name, v) {
			return
		}
	}
}

// lookup returns a variable or a special parameter.
func (s *Shell) lookup(name string) expand.Variable {
	if user, ok := strings.CutPrefix(name, "HOME "); ok {
		// Asked for ~user. It must always be set: otherwise the library would
		// look the user up on the real machine.
		if home := s.cfg.Home; home != nil && home(user) != "" {
			return stringVar(home(user))
		}
		return stringVar("~" + user)
	}
	if v, ok := s.special(name); ok {
		return v
	}
	if sc := s.vars.find(name); sc != nil {
		return sc.vars[name]
	}
	return expand.Variable{}
}

func (s *Shell) special(name string) (expand.Variable, bool) {
	switch name {
	case "#":
		return stringVar(strconv.Itoa(len(s.params))), true
	case "@", "*":
		list := s.params
		if list == nil {
			list = []string{}
		}
		return expand.Variable{Set: true, Kind: expand.Indexed, List: list}, true
	case "?":
		return stringVar(strconv.Itoa(s.status)), true
	case "$":
		return stringVar(strconv.Itoa(s.pid)), true
	case "!":
		if s.lastJob == 0 {
			return expand.Variable{}, true
		}
		return stringVar(strconv.Itoa(s.lastJob)), true
	case "-":
		return stringVar(s.optionFlags()), true
	case "0":
		return stringVar(s.cfg.Name), true
	case "RANDOM":
		s.random = s.random*1103515245 + 12345
		return stringVar(strconv.Itoa(int(s.random >> 16 & 0x7fff))), true
	case "SECONDS":
		return stringVar(strconv.Itoa(int(s.cfg.Now().Sub(s.started).Seconds()))), true
	case "EPOCHSECONDS":
		return stringVar(strconv.FormatInt(s.cfg.Now().Unix(), 10)), true
	case "PIPESTATUS":
		return expand.Variable{Set: true, Kind: expand.Indexed, List: s.pipeStatus}, true
	case "COLUMNS", "LINES":
		if s.cfg.Size == nil || !s.cfg.Interactive {
			return expand.Variable{}, false
		}
		cols, rows := s.cfg.Size()
		if name == "LINES" {
			cols = rows
		}
		return stringVar(strconv.Itoa(cols)), true
	}
	if n, err := strconv.Atoi(name); err == nil && n > 0 {
		if n > len(s.params) {
			return expand.Variable{}, true
		}
		return stringVar(s.params[n-1]), true
	}
	return expand.Variable{}, false
}

// Get returns the value of a variable, "" when it is not set.
func (s *Shell) Get(name string) string { return s.lookup(name).String() }

var errTooLarge = errors.New("cannot allocate memory")

// set assigns a variable where it is declared, else globally. An unset v
// removes it. Attributes of an existing variable are kept.
func (s *Shell) set(name string, v expand.Variable) error {
	sc := s.vars.find(name)
	if sc == nil {
		sc = s.vars.global()
	}
	return s.setIn(sc, name, v)
}

func (s *Shell) setIn(sc *scope, name string, v expand.Variable) error {
	prev := sc.vars[name]
	switch {
	case v.Kind == expand.KeepValue:
		v.Kind, v.Str, v.List, v.Map, v.Indexes, v.Set = prev.Kind, prev.Str, prev.List, prev.Map, prev.Indexes, prev.Set
	case prev.ReadOnly:
		return fmt.Errorf("%s: readonly variable", name)
	case len(v.Str) > maxVariable:
		return errTooLarge
	case !v.Declared():
		if sc.parent == nil {
			delete(sc.vars, name)
		} else {
			sc.vars[name] = expand.Variable{Local: true}
		}
		return nil
	}
	v.Exported = v.Exported || prev.Exported || s.opts["allexport"]
	v.Local = v.Local || prev.Local
	v.ReadOnly = v.ReadOnly || prev.ReadOnly
	sc.vars[name] = v
	if name == "RANDOM" {
		s.random = uint32(atoi(v.Str))
	}
	return nil
}

// setString assigns text to name and reports a failure.
func (s *Shell) setString(name, value string) {
	if err := s.set(name, stringVar(value)); err != nil {
		s.errf("%v", err)
		s.status = 1
	}
}

// Environ returns the exported variables as KEY=VALUE, in order of name.
func (s *Shell) Environ() []string {
	var list []string
	for name, v := range s.vars.flatten().vars {
		if v.Exported && v.Set && v.Kind == expand.String {
			list = append(list, name+"="+v.Str)
		}
	}
	slices.Sort(list)
	return list
}

func atoi(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return -1
	}
	return n
}
