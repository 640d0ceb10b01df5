package powershell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

// Bounds of a running script.
const (
	maxCalls  = 100     // functions and blocks inside each other
	maxItems  = 1 << 20 // values held by one pipeline
	maxString = 16 << 20
)

// Host is the machine a shell runs on.
type Host interface {
	// Services returns the services in order of name.
	Services() []Service
	// SetService starts, stops or restarts a service.
	SetService(name, action string) error
	// Processes returns the processes in order of name.
	Processes() []Process
	// StopProcess ends a process.
	StopProcess(pid int) error
	// Connect tries to reach host:port.
	Connect(ctx context.Context, addr string) error
	// Info returns what the machine says about itself.
	Info() Info
}

// Service is a Windows service.
type Service struct {
	Name, DisplayName, Status, StartType string
}

// Process is a running program.
type Process struct {
	Name    string
	ID      int
	Handles int
	Memory  int // KiB
	CPU     float64
}

// Info is what a machine says about itself.
type Info struct {
	Hostname, IP, OS, Version, InstanceType string
	Boot                                    time.Time
	Memory                                  int // MiB
}

// Config is what a shell runs on.
type Config struct {
	Host Host
	FS   *memfs.FS
	// User is the account with its domain, Home its directory.
	User, Home string
	Dir        string // "" is C:\Windows\system32
	Elevated   bool
	Env        []string
	Stdin      io.Reader
	Stdout     io.Writer
	Stderr     io.Writer
	Now        func() time.Time
	History    func() []string
	// Clear clears the screen; nil when there is none.
	Clear func()
}

// Shell is a running PowerShell. One goroutine owns it.
type Shell struct {
	cfg    Config
	vars   []map[string]any // scopes, innermost last
	env    map[string]string
	funcs  map[string]*function
	cmds   map[string]cmdlet
	dir    string
	ok     bool // $?
	status int
	depth  int
	tries  int // try blocks with a catch around the current statement
	exited bool
	ctx    context.Context
}

// New returns a shell on cfg.
func New(cfg Config) *Shell {
	if cfg.Dir == "" {
		cfg.Dir = `C:\Windows\system32`
	}
	s := &Shell{cfg: cfg, vars: []map[string]any{{}}, env: map[string]string{}, funcs: map[string]*function{}, cmds: cmdlets(), dir: cfg.Dir, ok: true}
	for _, kv := range cfg.Env {
		if name, value, found := strings.Cut(kv, "="); found {
			s.env[strings.ToUpper(name)] = value
		}
	}
	return s
}

// Dir returns the current location.
func (s *Shell) Dir() string { return s.dir }

// Prompt returns the prompt.
func (s *Shell) Prompt() string { return "PS " + s.dir + "> " }

// Exited reports whether the shell was left with exit.
func (s *Shell) Exited() bool { return s.exited }

// thrown is a terminating error.
type thrown struct {
	text  string
	id    string
	at    string // the text of the command, for the message
	fatal bool   // it ends the script, not just the statement
}

func (t *thrown) Error() string { return t.text }

// flow is break, continue, return or exit on its way.
type flow struct {
	kind   string
	status int
}

func (f *flow) Error() string { return f.kind }

// Run runs a script and returns its exit status: that of exit, else 1 when the
// script failed to parse, ended with an error or its last command failed.
func (s *Shell) Run(ctx context.Context, script string) int {
	s.ctx = ctx
	parsed, err := Parse(script)
	if err != nil {
		s.writeError(&thrown{text: err.Error(), id: "ParserError"})
		return 1
	}
	return s.RunParsed(ctx, parsed)
}

// RunParsed runs a parsed script, in an interactive shell one line of it.
func (s *Shell) RunParsed(ctx context.Context, script *Script) int {
	s.ctx, s.ok = ctx, true
	err := s.body(script.body, s.show)
	var f *flow
	var t *thrown
	switch {
	case errors.As(err, &f) && f.kind == "exit":
		s.exited = true
		return f.status
	case errors.As(err, &t):
		s.writeError(t)
		s.ok = false
	}
	if !s.ok {
		return 1
	}
	return s.status
}

// show is where the output of statements ends: on the screen.
func (s *Shell) show(v any) error {
	_, err := io.WriteString(s.cfg.Stdout, formatAll([]any{v}))
	return err
}

func (s *Shell) writeError(t *thrown) {
	var b strings.Builder
	if t.at != "" {
		b.WriteString(t.at + " : ")
	}
	b.WriteString(t.text + "\n")
	if t.at != "" {
		b.WriteString("At line:1 char:1\n+ " + t.at + "\n+ " + strings.Repeat("~", len(t.at)) + "\n")
	}
	fmt.Fprintf(&b, "    + CategoryInfo          : %s: (%s:String) [], RuntimeException\n    + FullyQualifiedErrorId : %s\n\n", category(t.id), t.at, t.id)
	io.WriteString(s.cfg.Stderr, b.String())
}

func category(id string) string {
	switch id {
	case "CommandNotFoundException", "PathNotFound", "NoServiceFoundForGivenName":
		return "ObjectNotFound"
	case "ParserError":
		return "ParserError"
	}
	return "OperationStopped"
}

// emit takes the values a statement gives, one by one.
type emit func(v any) error

// body runs statements, giving their output to out. Objects that follow each
// other are given together, so that they make one table.
func (s *Shell) body(list []node, out emit) error {
	for _, n := range list {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		err := s.statement(n, out)
		var t *thrown
		if errors.As(err, &t) && !t.fatal && s.tries == 0 && !s.stops() {
			s.writeError(t)
			s.ok = false
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stops reports whether $ErrorActionPreference is Stop.
func (s *Shell) stops() bool {
	v, _ := s.get("ErrorActionPreference")
	return strings.EqualFold(text(v), "Stop")
}

func (s *Shell) statement(n node, out emit) error {
	switch n := n.(type) {
	case *assign:
		return s.assign(n)
	case *increment:
		old, err := s.eval(n.target)
		if err != nil {
			return err
		}
		f, ok := numeric(old)
		if !ok {
			return s.throw("InvalidOperation", "The '++' operator works only on numbers. The operand is a '%s'.", typeName(old))
		}
		return s.store(n.target, whole(f+float64(n.by)))
	case *ifStmt:
		for i, c := range n.conds {
			v, err := s.eval(c)
			if err != nil {
				return err
			}
			if truth(v) {
				return s.body(n.bodies[i], out)
			}
		}
		return s.body(n.other, out)
	case *foreachStmt:
		return s.foreach(n, out)
	case *forStmt:
		return s.forLoop(n, out)
	case *whileStmt:
		return s.while(n, out)
	case *tryStmt:
		return s.try(n, out)
	case *flowStmt:
		return s.flow(n, out)
	case *function:
		s.funcs[strings.ToLower(n.name)] = n
		return nil
	case *pipeline:
		return s.pipe(n.stages, out)
	case *command:
		return s.pipe([]node{n}, out)
	}
	v, err := s.eval(n)
	if err != nil {
		return err
	}
	s.ok = true
	return s.emitAll(v, out)
}

func (s *Shell) emitAll(v any, out emit) error {
	if objects(v) {
		return out(v)
	}
	for _, x := range items(v) {
		if err := out(x); err != nil {
			return err
		}
	}
	return nil
}

// objects reports whether v is a list of objects, which are shown together.
func objects(v any) bool {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return false
	}
	_, ok = list[0].(*Object)
	return ok
}

// loop runs the body of a loop once; stop says that the loop is over.
func (s *Shell) loop(body []node, out emit) (stop bool, err error) {
	err = s.body(body, out)
	var f *flow
	if errors.As(err, &f) {
		switch f.kind {
		case "break":
			return true, nil
		case "continue":
			return false, nil
		}
	}
	return err != nil, err
}

func (s *Shell) foreach(n *foreachStmt, out emit) error {
	v, err := s.eval(n.in)
	if err != nil {
		return err
	}
	for _, x := range items(v) {
		s.set(n.name, x)
		if stop, err := s.loop(n.body, out); stop {
			return err
		}
	}
	return nil
}

func (s *Shell) forLoop(n *forStmt, out emit) error {
	drop := func(any) error { return nil }
	if n.init != nil {
		if err := s.statement(n.init, drop); err != nil {
			return err
		}
	}
	for s.ctx.Err() == nil {
		if n.cond != nil {
			v, err := s.eval(n.cond)
			if err != nil || !truth(v) {
				return err
			}
		}
		if stop, err := s.loop(n.body, out); stop {
			return err
		}
		if n.step != nil {
			if err := s.statement(n.step, drop); err != nil {
				return err
			}
		}
	}
	return s.ctx.Err()
}

func (s *Shell) while(n *whileStmt, out emit) error {
	for first := n.first; s.ctx.Err() == nil; first = false {
		if !first {
			v, err := s.eval(n.cond)
			if err != nil || truth(v) == n.until {
				return err
			}
		}
		if stop, err := s.loop(n.body, out); stop {
			return err
		}
	}
	return s.ctx.Err()
}

func (s *Shell) try(n *tryStmt, out emit) error {
	if n.catches {
		s.tries++
	}
	err := s.body(n.body, out)
	if n.catches {
		s.tries--
	}
	var t *thrown
	if errors.As(err, &t) && n.catches {
		s.set("_", NewObject("ErrorRecord", "Exception", NewObject("Exception", "Message", t.text), "FullyQualifiedErrorId", t.id))
		rec, _ := s.get("_")
		rec.(*Object).Text = t.text
		s.ok = true
		err = s.body(n.catch, out)
	}
	if ferr := s.body(n.finally, out); ferr != nil {
		return ferr
	}
	return err
}

func (s *Shell) flow(n *flowStmt, out emit) error {
	var v any
	if n.value != nil {
		var err error
		if v, err = s.evalStatement(n.value); err != nil {
			return err
		}
	}
	switch n.kind {
	case "exit":
		f, ok := numeric(v)
		if !ok {
			f = 0
		}
		return &flow{kind: "exit", status: int(int64(f)) & 0xff}
	case "throw":
		msg := text(v)
		if n.value == nil {
			msg = "ScriptHalted"
		}
		return &thrown{text: msg, id: msg, fatal: true}
	case "return":
		if err := s.emitAll(v, out); err != nil {
			return err
		}
	}
	return &flow{kind: n.kind}
}

func (s *Shell) throw(id, format string, args ...any) error {
	return &thrown{text: fmt.Sprintf(format, args...), id: id}
}

// evalStatement runs a statement and returns its output as a value.
func (s *Shell) evalStatement(n node) (any, error) {
	list, err := s.collect(func(out emit) error { return s.statement(n, out) })
	return collapse(list), err
}

// collect gathers what run gives.
func (s *Shell) collect(run func(out emit) error) (list []any, err error) {
	err = run(func(v any) error {
		list = append(list, items(v)...)
		if len(list) > maxItems {
			return s.throw("OutOfMemory", "The pipeline holds more values than the simulated PowerShell allows.")
		}
		return nil
	})
	return list, err
}

func (s *Shell) assign(n *assign) error {
	v, err := s.evalStatement(n.value)
	if err != nil {
		return err
	}
	if n.op != "=" {
		old, err := s.eval(n.target)
		if err != nil {
			return err
		}
		if v, err = s.arith(n.op[:1], old, v); err != nil {
			return err
		}
	}
	return s.store(n.target, v)
}

// store puts a value into a variable, a property or an element.
func (s *Shell) store(target node, v any) error {
	switch t := target.(type) {
	case *variable:
		switch {
		case t.scope == "env":
			s.env[strings.ToUpper(t.name)] = text(v)
		case t.scope == "global" || t.scope == "script":
			s.vars[0][strings.ToLower(t.name)] = v
		case t.scope != "":
			return s.throw("DriveNotFound", "Cannot find drive. A drive with the name '%s' does not exist.", t.scope)
		default:
			s.set(t.name, v)
		}
		return nil
	case *member:
		x, err := s.eval(t.x)
		if err != nil {
			return err
		}
		o, ok := x.(*Object)
		if !ok {
			return s.throw("PropertyNotFound", "The property '%s' cannot be found on this object.", t.name)
		}
		o.Set(t.name, v)
		return nil
	case *index:
		x, err := s.eval(t.x)
		if err != nil {
			return err
		}
		i, err := s.eval(t.i)
		if err != nil {
			return err
		}
		if o, ok := x.(*Object); ok {
			o.Set(text(i), v)
			return nil
		}
		list, ok := x.([]any)
		k, isNum := numeric(i)
		if !ok || !isNum || int(k) < 0 || int(k) >= len(list) {
			return s.throw("IndexOutOfRange", "Index was outside the bounds of the array.")
		}
		list[int(k)] = v
	}
	return nil
}

// get looks a variable up in all scopes.
func (s *Shell) get(name string) (any, bool) {
	key := strings.ToLower(name)
	for i := len(s.vars) - 1; i >= 0; i-- {
		if v, ok := s.vars[i][key]; ok {
			return v, true
		}
	}
	return nil, false
}

func (s *Shell) set(name string, v any) { s.vars[len(s.vars)-1][strings.ToLower(name)] = v }

// call runs a function or block in a scope of its own.
func (s *Shell) call(body []node, bind map[string]any, out emit) error {
	if s.depth++; s.depth > maxCalls {
		s.depth--
		return s.throw("CallDepthOverflow", "The script failed due to call depth overflow.")
	}
	s.vars = append(s.vars, bind)
	err := s.body(body, out)
	s.vars = s.vars[:len(s.vars)-1]
	s.depth--
	var f *flow
	if errors.As(err, &f) && f.kind == "return" {
		return nil
	}
	return err
}

// pipe runs the stages of a pipeline.
func (s *Shell) pipe(stages []node, out emit) error {
	var in []any
	for i, st := range stages {
		last := i == len(stages)-1
		run := func(out emit) error {
			if c, ok := st.(*command); ok {
				return s.command(c, in, i > 0, out)
			}
			v, err := s.eval(st)
			if err != nil {
				return err
			}
			s.ok = true
			return s.emitAll(v, out)
		}
		if last {
			return run(out)
		}
		list, err := s.collect(run)
		if err != nil {
			return err
		}
		in = list
	}
	return nil
}
