package posix

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// builtinFunc runs a builtin; args[0] is its name.
type builtinFunc func(s *Shell, ctx context.Context, args []string) int

// builtin returns the builtin of a name, or nil.
func builtin(name string) builtinFunc {
	switch name {
	case ":", "true", "bind", "complete", "compopt", "enable":
		return func(*Shell, context.Context, []string) int { return 0 }
	case "false":
		return func(*Shell, context.Context, []string) int { return 1 }
	case ".", "source":
		return builtinSource
	case "[", "test":
		return builtinTest
	case "alias":
		return builtinAlias
	case "bg", "fg", "jobs", "disown", "wait":
		return jobBuiltin(name)
	case "break", "continue":
		return builtinBreak
	case "builtin", "command":
		return builtinCommand
	case "cd":
		return builtinCd
	case "dirs", "pushd", "popd":
		return builtinDirs
	case "echo":
		return builtinEcho
	case "eval":
		return builtinEval
	case "exec":
		return builtinExec
	case "exit", "logout":
		return builtinExit
	case "getopts":
		return builtinGetopts
	case "hash":
		return builtinHash
	case "help":
		return builtinHelp
	case "history", "fc":
		return builtinHistory
	case "kill":
		return builtinKill
	case "let":
		return builtinLet
	case "mapfile", "readarray":
		return builtinMapfile
	case "printf":
		return builtinPrintf
	case "pwd":
		return builtinPwd
	case "read":
		return builtinRead
	case "return":
		return builtinReturn
	case "set":
		return builtinSet
	case "shift":
		return builtinShift
	case "shopt":
		return builtinShopt
	case "times":
		return func(s *Shell, _ context.Context, _ []string) int {
			s.out("0m0.004s 0m0.002s\n0m0.012s 0m0.008s\n")
			return 0
		}
	case "trap":
		return builtinTrap
	case "type":
		return builtinType
	case "ulimit":
		return builtinUlimit
	case "umask":
		return builtinUmask
	case "unalias":
		return func(s *Shell, _ context.Context, args []string) int {
			for _, a := range args[1:] {
				if a == "-a" {
					clear(s.alias)
				}
				delete(s.alias, a)
			}
			return 0
		}
	case "unset":
		return builtinUnset
	}
	return nil
}

// Builtins returns the names of the builtins and keywords, for completion.
func Builtins() []string {
	return strings.Fields("alias bg break builtin case cd command continue declare dirs disown do done echo elif else esac eval exec exit export false fg fi for function getopts hash help history if in jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source test then time times trap true type typeset ulimit umask unalias unset until wait while")
}

// IsBuiltin reports whether name is a builtin or a keyword of the shell.
func IsBuiltin(name string) bool { return builtin(name) != nil || slices.Contains(Builtins(), name) }

// leaveWith is the status that `exit` and `return`, here called name, leave with.
func leaveWith(s *Shell, name string, args []string) int {
	if len(args) < 2 {
		return s.status
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		s.errf("%s: %s: numeric argument required", name, args[1])
		return 2
	}
	return n
}

func builtinExit(s *Shell, _ context.Context, args []string) int {
	s.exit(leaveWith(s, "exit", args))
	return s.status
}

func builtinReturn(s *Shell, _ context.Context, args []string) int {
	if s.inFunc == 0 && s.inSource == 0 {
		s.errf("return: can only `return' from a function or sourced script")
		return 1
	}
	s.flow = flowReturn
	return leaveWith(s, "return", args)
}

func builtinBreak(s *Shell, _ context.Context, args []string) int {
	if s.loops == 0 {
		s.errf("%s: only meaningful in a `for', `while', or `until' loop", args[0])
		return 0
	}
	n := 1
	if len(args) > 1 {
		if n = atoi(args[1]); n < 1 {
			s.errf("%s: %s: loop count out of range", args[0], args[1])
			n = 1
		}
	}
	s.flow, s.flowN = flowBreak, min(n, s.loops)
	if args[0] == "continue" {
		s.flow = flowContinue
	}
	return 0
}

func builtinEval(s *Shell, ctx context.Context, args []string) int {
	if s.tooDeep(s.depth + 1) {
		return 1
	}
	s.depth++
	defer func() { s.depth-- }()
	s.status = 0
	line := s.line
	s.script(ctx, strings.Join(args[1:], " "))
	s.line = line
	return s.status
}

func builtinSource(s *Shell, ctx context.Context, args []string) int {
	if len(args) < 2 {
		s.errf("%s: filename argument required", args[0])
		return 2
	}
	name := args[1]
	if !strings.Contains(name, "/") {
		if where, err := s.cfg.Lookup(s, name); err == nil {
			name = where
		}
	}
	data, err := s.cfg.FS.ReadFile(s.cfg.Cred, s.Abs(name))
	if err != nil {
		s.errf("%s: %s", args[1], reason(err))
		return 1
	}
	if s.tooDeep(s.depth + 1) {
		return 1
	}
	params := s.params
	if len(args) > 2 {
		s.params = args[2:]
	}
	s.depth++
	s.inSource++
	s.status = 0
	s.script(ctx, string(data))
	s.inSource--
	s.depth--
	if len(args) > 2 {
		s.params = params
	}
	if s.flow == flowReturn {
		s.flow = flowNone
	}
	return s.status
}

func builtinExec(s *Shell, ctx context.Context, args []string) int {
	if len(args) == 1 {
		s.keepFDs = true
		return 0
	}
	s.exec(ctx, args[1:])
	s.exit(s.status)
	return s.status
}

// builtinCommand is command and builtin.
func builtinCommand(s *Shell, ctx context.Context, args []string) int {
	rest := args[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		switch rest[0] {
		case "-v", "-V":
			return s.describe(rest[0] == "-V", rest[1:])
		}
		rest = rest[1:] // -p, --
	}
	if len(rest) == 0 {
		return 0
	}
	if fn := builtin(rest[0]); fn != nil {
		return fn(s, ctx, rest)
	}
	if args[0] == "builtin" {
		s.errf("builtin: %s: not a shell builtin", rest[0])
		return 1
	}
	s.exec(ctx, rest)
	return s.status
}

// describe is command -v and -V.
func (s *Shell) describe(verbose bool, names []string) int {
	status := 0
	for _, name := range names {
		kind, where := s.kind(name)
		switch {
		case kind == "":
			status = 1
			if verbose {
				s.errf("%s: not found", name)
			}
		case verbose:
			s.out(typeText(name, kind, where))
		case kind == "file":
			s.out(where + "\n")
		case kind == "alias":
			s.outf("alias %s='%s'\n", name, where)
		default:
			s.out(name + "\n")
		}
	}
	return status
}

// kind says what a command name means.
func (s *Shell) kind(name string) (kind, where string) {
	if text, ok := s.alias[name]; ok && s.cfg.Interactive {
		return "alias", text
	}
	if syntax.IsKeyword(name) {
		return "keyword", ""
	}
	if s.funcs[name] != nil {
		return "function", ""
	}
	if IsBuiltin(name) {
		return "builtin", ""
	}
	if where, err := s.cfg.Lookup(s, name); err == nil {
		return "file", where
	}
	return "", ""
}

func typeText(name, kind, where string) string {
	switch kind {
	case "file":
		return name + " is " + where + "\n"
	case "alias":
		return name + " is aliased to `" + where + "'\n"
	case "keyword":
		return name + " is a shell keyword\n"
	case "function":
		return name + " is a function\n"
	}
	return name + " is a shell builtin\n"
}

func builtinType(s *Shell, _ context.Context, args []string) int {
	opts, names := "", args[1:]
	for len(names) > 0 && strings.HasPrefix(names[0], "-") {
		opts += names[0][1:]
		names = names[1:]
	}
	status := 0
	for _, name := range names {
		kind, where := s.kind(name)
		switch {
		case kind == "":
			status = 1
			if opts == "" {
				s.errf("type: %s: not found", name)
			}
		case strings.Contains(opts, "t"):
			s.out(kind + "\n")
		case strings.ContainsAny(opts, "pP"):
			if kind == "file" {
				s.out(where + "\n")
			}
		default:
			s.out(typeText(name, kind, where))
			if kind == "function" {
				s.out(s.funcText(name))
			}
		}
	}
	return status
}

func builtinHash(s *Shell, _ context.Context, args []string) int {
	status := 0
	for _, a := range args[1:] {
		if kind, _ := s.kind(a); kind == "" && !strings.HasPrefix(a, "-") {
			s.errf("hash: %s: not found", a)
			status = 1
		}
	}
	return status
}

func builtinHelp(s *Shell, _ context.Context, _ []string) int {
	s.out("GNU bash, version 5.2.15(1)-release (simulated)\nThese shell commands are defined internally.\n\n")
	s.out(strings.Join(Builtins(), "  ") + "\n")
	return 0
}

func builtinHistory(s *Shell, _ context.Context, args []string) int {
	if s.cfg.History == nil || args[0] == "fc" {
		return 0
	}
	lines := s.cfg.History()
	first := 0
	if len(args) > 1 {
		if n := atoi(args[1]); n >= 0 {
			first = max(0, len(lines)-n)
		}
	}
	for i := first; i < len(lines); i++ {
		s.outf("%5d  %s\n", i+1, lines[i])
	}
	return 0
}

func builtinAlias(s *Shell, _ context.Context, args []string) int {
	if len(args) == 1 {
		for _, name := range slices.Sorted(maps.Keys(s.alias)) {
			s.outf("alias %s='%s'\n", name, s.alias[name])
		}
	}
	status := 0
	for _, a := range args[1:] {
		name, text, ok := strings.Cut(a, "=")
		if ok {
			s.alias[name] = text
			continue
		}
		if text, ok = s.alias[name]; !ok {
			s.errf("alias: %s: not found", name)
			status = 1
			continue
		}
		s.outf("alias %s='%s'\n", name, text)
	}
	return status
}

func builtinShift(s *Shell, _ context.Context, args []string) int {
	n := 1
	if len(args) > 1 {
		n = atoi(args[1])
	}
	if n < 0 || n > len(s.params) {
		return 1
	}
	s.params = s.params[n:]
	return 0
}

func builtinUnset(s *Shell, _ context.Context, args []string) int {
	functions, status := false, 0
	for _, a := range args[1:] {
		switch {
		case a == "-f":
			functions = true
		case a == "-v" || a == "-n":
			functions = false
		case functions:
			delete(s.funcs, a)
		case strings.HasSuffix(a, "]"):
			s.unsetElement(a)
		default:
			if s.vars.find(a) == nil {
				delete(s.funcs, a)
			} else if err := s.set(a, expand.Variable{}); err != nil {
				s.errf("unset: %v", err)
				status = 1
			}
		}
	}
	return status
}

func (s *Shell) unsetElement(spec string) {
	name, key, ok := strings.Cut(strings.TrimSuffix(spec, "]"), "[")
	sc := s.vars.find(name)
	if !ok || sc == nil {
		return
	}
	v := sc.vars[name]
	if v.Kind == expand.Associative {
		v.Map = maps.Clone(v.Map)
		delete(v.Map, strings.Trim(key, `'"`))
		sc.vars[name] = v
		return
	}
	n, old := atoi(key), v
	v.List, v.Indexes = []string{}, []int{}
	for i, e := range old.List {
		if old.Indexes != nil {
			i = old.Indexes[i]
		}
		if i != n {
			v.List, v.Indexes = append(v.List, e), append(v.Indexes, i)
		}
	}
	sc.vars[name] = v
}

func builtinLet(s *Shell, ctx context.Context, args []string) int {
	last := 1
	for _, a := range args[1:] {
		s.status = 0
		s.script(ctx, "(( "+a+" ))")
		last = s.status
	}
	return last
}

func builtinGetopts(s *Shell, _ context.Context, args []string) int {
	if len(args) < 3 {
		s.errf("getopts: usage: getopts optstring name [arg ...]")
		return 2
	}
	spec, name, list := args[1], args[2], args[3:]
	if len(list) == 0 {
		list = s.params
	}
	silent := strings.HasPrefix(spec, ":")
	ind := max(atoi(s.Get("OPTIND")), 1)
	if s.optPos == 0 || ind > len(list) {
		s.optPos = 1
	}
	if ind > len(list) || len(list[ind-1]) < 2 || list[ind-1][0] != '-' || list[ind-1] == "--" {
		if ind <= len(list) && list[ind-1] == "--" {
			s.setString("OPTIND", strconv.Itoa(ind+1))
		}
		s.setString(name, "?")
		s.optPos = 0
		return 1
	}
	word := list[ind-1]
	if s.optPos >= len(word) {
		s.optPos = 1
	}
	opt := word[s.optPos]
	s.optPos++
	arg, value := "", string(opt)
	at := strings.IndexByte(strings.TrimPrefix(spec, ":"), opt)
	takes := at >= 0 && strings.HasPrefix(strings.TrimPrefix(spec, ":")[at+1:], ":")
	end := s.optPos >= len(word)
	switch {
	case at < 0 || opt == ':':
		value = "?"
		if arg = string(opt); !silent {
			s.errf("illegal option -- %c", opt)
			arg = ""
		}
	case takes && !end:
		arg, end = word[s.optPos:], true
	case takes && ind < len(list):
		arg = list[ind]
		ind++
	case takes:
		value = "?"
		if silent {
			value, arg = ":", string(opt)
		} else {
			s.errf("option requires an argument -- %c", opt)
		}
	}
	if end {
		ind++
		s.optPos = 0
	}
	s.setString("OPTIND", strconv.Itoa(ind))
	s.setString("OPTARG", arg)
	s.setString(name, value)
	return 0
}

// usageError reports how a builtin is called.
func (s *Shell) usageError(cmd, text string) int {
	s.errf("%s: usage: %s", cmd, fmt.Sprintf("%s %s", cmd, text))
	return 2
}
