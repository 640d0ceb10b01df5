package powershell

import (
	"errors"
	"os"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

// cmdlet is a command. spec names its parameters: @Name may be given by
// position, [Name] is a switch, others need their name; a final * takes all
// further values.
type cmdlet struct {
	spec string
	run  func(s *Shell, c *call, out emit) error
}

// call is one run of a cmdlet.
type call struct {
	name   string
	text   string
	in     []any // from the pipeline
	piped  bool
	params map[string]any // by lower-case name; switches are true
	rest   []any
}

const commonSpec = " ErrorAction ErrorVariable OutVariable WarningAction [Verbose] [Debug] [WhatIf] [Confirm]"

// has reports whether a parameter was given.
func (c *call) has(name string) bool {
	_, ok := c.params[strings.ToLower(name)]
	return ok
}

// get returns a parameter, nil when it was not given.
func (c *call) get(name string) any { return c.params[strings.ToLower(name)] }

func (c *call) text1(name, other string) string {
	if v, ok := c.params[strings.ToLower(name)]; ok {
		return text(v)
	}
	return other
}

// strings returns a parameter as a list of strings.
func (c *call) strings(name string) []string {
	var list []string
	for _, v := range items(c.get(name)) {
		list = append(list, text(v))
	}
	return list
}

// number returns a parameter as a number, other when not given.
func (c *call) number(name string, other int) int {
	if !c.has(name) {
		return other
	}
	f, _ := numeric(c.get(name))
	return int(min(max(f, -1<<31), 1<<31))
}

// bind matches the arguments of a command with a specification.
func (s *Shell) bind(c *call, n *command, spec string) error {
	var names, positional []string
	switches := map[string]bool{}
	takesRest := false
	for w := range strings.FieldsSeq(spec + commonSpec) {
		name := strings.Trim(w, "@[]")
		switch {
		case w == "*":
			takesRest = true
			continue
		case w[0] == '@':
			positional = append(positional, name)
		case w[0] == '[':
			switches[name] = true
		}
		names = append(names, name)
	}
	var free []any
	for i := 0; i < len(n.args); i++ {
		a := n.args[i]
		if a.name == "" {
			v, err := s.eval(a.value)
			if err != nil {
				return err
			}
			free = append(free, v)
			continue
		}
		name, err := s.parameter(c, a.name, names)
		if err != nil {
			return err
		}
		value := a.value
		if value == nil && !switches[name] {
			if i+1 >= len(n.args) || n.args[i+1].name != "" {
				return &thrown{text: "Missing an argument for parameter '" + name + "'. Specify a parameter and try again.", id: "MissingArgument", at: c.name}
			}
			i++
			value = n.args[i].value
		}
		var v any = true
		if value != nil {
			if v, err = s.eval(value); err != nil {
				return err
			}
		}
		if b, isBool := v.(bool); isBool && !b && switches[name] {
			continue // -Switch:$false
		}
		c.params[strings.ToLower(name)] = v
	}
	for _, v := range free {
		for len(positional) > 0 && c.has(positional[0]) {
			positional = positional[1:]
		}
		switch {
		case len(positional) > 0:
			c.params[strings.ToLower(positional[0])] = v
			positional = positional[1:]
		case takesRest:
			c.rest = append(c.rest, v)
		default:
			return &thrown{text: "A positional parameter cannot be found that accepts argument '" + text(v) + "'.", id: "PositionalParameterNotFound", at: c.name}
		}
	}
	return nil
}

// parameter resolves a name, which may be shortened.
func (s *Shell) parameter(c *call, given string, names []string) (string, error) {
	var hits []string
	for _, name := range names {
		if strings.EqualFold(name, given) {
			return name, nil
		}
		if len(given) < len(name) && strings.EqualFold(name[:len(given)], given) {
			hits = append(hits, name)
		}
	}
	switch {
	case len(hits) > 0:
		return hits[0], nil
	case strings.EqualFold(given, "ea"):
		return "ErrorAction", nil
	}
	return "", &thrown{text: "A parameter cannot be found that matches parameter name '" + given + "' (or it is not supported by the simulated PowerShell).", id: "NamedParameterNotFound", at: c.name}
}

// command runs a command on the values from the pipeline.
func (s *Shell) command(n *command, in []any, piped bool, out emit) error {
	v, err := s.eval(n.name)
	if err != nil {
		return err
	}
	out, done, err := s.redirect(n, out)
	if err != nil {
		return err
	}
	defer done()
	if n.errNull || n.errToOut {
		old := s.cfg.Stderr
		s.cfg.Stderr = discard{}
		if n.errToOut {
			s.cfg.Stderr = s.cfg.Stdout
		}
		defer func() { s.cfg.Stderr = old }()
	}
	if b, ok := v.(*block); ok {
		if len(n.args) == 0 {
			return s.call(b.body, map[string]any{"input": in}, out)
		}
		return s.callFunction(&function{params: b.params, body: b.body}, n, in, out)
	}
	return s.named(n, text(v), in, piped, out)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// redirect handles > and >>.
func (s *Shell) redirect(n *command, out emit) (emit, func(), error) {
	if n.out == nil {
		return out, func() {}, nil
	}
	v, err := s.eval(n.out)
	if err != nil {
		return nil, nil, err
	}
	if v == nil { // > $null
		return func(any) error { return nil }, func() {}, nil
	}
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if n.appends {
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	h, err := s.cfg.FS.Open(s.cred(), s.fsPath(text(v)), flag, 0o666)
	if err != nil {
		return nil, nil, s.pathError(n.text, text(v), err)
	}
	return func(v any) error {
		_, err := h.Write([]byte(strings.ReplaceAll(formatAll(items(v)), "\n", "\r\n")))
		return err
	}, func() { h.Close() }, nil
}

// named runs a function, a cmdlet or a script.
func (s *Shell) named(n *command, name string, in []any, piped bool, out emit) error {
	key := strings.ToLower(name)
	if f := s.funcs[key]; f != nil {
		return s.callFunction(f, n, in, out)
	}
	if full, ok := aliases[key]; ok {
		key = strings.ToLower(full)
	}
	key = strings.TrimSuffix(key, ".exe")
	if cm, ok := s.cmds[key]; ok {
		c := &call{name: name, text: n.text, in: in, piped: piped, params: map[string]any{}}
		if err := s.bind(c, n, cm.spec); err != nil {
			return err
		}
		s.ok = true
		return cm.run(s, c, out)
	}
	if strings.HasSuffix(key, ".ps1") {
		return s.script(name, n.text, out)
	}
	s.ok = false
	return &thrown{
		text: "The term '" + name + "' is not recognized as the name of a cmdlet, function, script file, or operable \nprogram. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
		id:   "CommandNotFoundException", at: name,
	}
}

func (s *Shell) callFunction(f *function, n *command, in []any, out emit) error {
	c := &call{name: f.name, params: map[string]any{}}
	if err := s.bind(c, n, "@"+strings.Join(append(f.params, "input__"), " @")+" *"); err != nil {
		return err
	}
	bind := map[string]any{"input": in}
	for _, p := range f.params {
		bind[strings.ToLower(p)] = c.get(p)
	}
	var args []any
	if v := c.get("input__"); v != nil {
		args = append(args, v)
	}
	bind["args"] = append(args, c.rest...)
	s.ok = true
	return s.call(f.body, bind, out)
}

func (s *Shell) script(name, at string, out emit) error {
	data, err := s.cfg.FS.ReadFile(s.cred(), s.fsPath(name))
	if err != nil {
		return s.pathError(at, name, err)
	}
	parsed, err := Parse(string(data))
	if err != nil {
		return &thrown{text: err.Error(), id: "ParserError", at: name}
	}
	return s.call(parsed.body, map[string]any{}, out)
}

// fail reports an error that does not end the statement, unless the caller
// asked for that.
func (s *Shell) fail(c *call, id, message string) error {
	s.ok = false
	t := &thrown{text: message, id: id, at: c.name}
	switch strings.ToLower(c.text1("ErrorAction", "")) {
	case "stop":
		t.fatal = true
		return t
	case "silentlycontinue", "ignore":
		return nil
	case "":
		if s.stops() {
			t.fatal = true
			return t
		}
		if v, _ := s.get("ErrorActionPreference"); strings.EqualFold(text(v), "SilentlyContinue") {
			return nil
		}
	}
	s.writeError(t)
	return nil
}

func (s *Shell) cred() memfs.Cred {
	if s.cfg.Elevated {
		return memfs.Cred{}
	}
	return memfs.Cred{User: s.cfg.User[strings.LastIndexByte(s.cfg.User, '\\')+1:]}
}

// abs returns a full path with its drive.
func (s *Shell) abs(name string) string {
	name = strings.ReplaceAll(name, "/", `\`)
	if name == "~" || strings.HasPrefix(name, `~\`) {
		name = s.cfg.Home + name[1:]
	}
	switch {
	case len(name) >= 2 && name[1] == ':':
	case strings.HasPrefix(name, `\`):
		name = s.dir[:2] + name
	default:
		name = s.dir + `\` + name
	}
	var parts []string
	for part := range strings.SplitSeq(name[2:], `\`) {
		switch part {
		case "", ".":
		case "..":
			parts = parts[:max(0, len(parts)-1)]
		default:
			parts = append(parts, part)
		}
	}
	return strings.ToUpper(name[:2]) + `\` + strings.Join(parts, `\`)
}

// fsPath returns where a file is in the file system of the node.
func (s *Shell) fsPath(name string) string {
	return "/" + strings.ReplaceAll(s.abs(name), `\`, "/")
}

// pathError is the error for a file.
func (s *Shell) pathError(at, name string, err error) error {
	if errors.Is(err, os.ErrPermission) {
		return &thrown{text: "Access to the path '" + s.abs(name) + "' is denied.", id: "UnauthorizedAccessError", at: at}
	}
	if errors.Is(err, os.ErrNotExist) {
		return &thrown{text: "Cannot find path '" + s.abs(name) + "' because it does not exist.", id: "PathNotFound", at: at}
	}
	return &thrown{text: s.abs(name) + ": " + memfs.Reason(err), id: "IOException", at: at}
}

// FSPath returns where a path is in the file system of the node.
func (s *Shell) FSPath(name string) string { return s.fsPath(name) }
