// Package posix interprets shell scripts on a simulated machine.
//
// It evaluates the syntax trees of mvdan.cc/sh with the semantics of bash run
// as sh. The interpreter that comes with that library is not used, because it
// works on the real machine: it looks for commands and directories with the
// functions of package os, makes real pipes and FIFOs, needs an *os.File for
// standard input, and shows the real process id. Here everything a script can
// see or change goes through the Config: an in-memory file system, in-memory
// pipes, simulated process ids and signals. Nothing in this package opens a
// file, starts a process or reads the environment.
package posix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

// Bounds that keep a script from exhausting the machine it is simulated on.
const (
	maxDepth    = 500      // nested functions, evals, subshells and shells
	maxForks    = 400      // subshells running at a time in a session
	maxVariable = 16 << 20 // bytes of one variable or command substitution
	maxFields   = 1 << 20  // words of one command
	maxNesting  = 20_000   // opening brackets in one script
)

// Call is one run of a program that is not part of the shell.
type Call struct {
	Path string // where the program was found
	Args []string
	// Shell is the one that runs the program; a nested shell takes directory,
	// environment, credentials and session from it.
	Shell          *Shell
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Base is the context without the signals of the shell's group, for a
	// program that handles signals itself; it then sets Handled, and its exit
	// status is kept.
	Base    context.Context
	Handled bool
}

// Config is what a shell runs on. FS, Session and Exec must be set.
type Config struct {
	FS   *memfs.FS
	Cred memfs.Cred
	// Name is $0 and begins every message; Args are the positional parameters.
	Name string
	Args []string
	Dir  string
	Env  []string

	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Session owns the background jobs; Group receives the signals.
	Session *Session
	Group   *Group
	// Exec runs a program that Lookup has found.
	Exec func(ctx context.Context, c *Call) int
	// Lookup finds a program by name or path.
	Lookup func(s *Shell, name string) (string, error)
	// Register notes a process in the process table and returns its id.
	Register func(ppid int, args []string, g *Group) (pid int, exit func())
	// Kill delivers a signal to a process by id.
	Kill func(s *Shell, pid int, sig Signal) error
	// Users returns the home directory of an account, "" if there is none.
	Home func(user string) string
	// Dial connects to host:port for /dev/tcp; nil means no network.
	Dial func(ctx context.Context, addr string) (io.ReadWriteCloser, error)
	// Size returns the size of the terminal; nil when there is none.
	Size func() (cols, rows int)
	// TTY is the terminal itself, for programs that take it over.
	TTY any
	// History returns the lines typed so far; nil when there is none.
	History func() []string
	Now     func() time.Time

	Interactive, Login bool
	PPID, Depth        int
}

// Session owns the goroutines of a program started on a machine: pipelines and
// background jobs end with it at the latest.
type Session struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	forks  atomic.Int64
}

// NewSession returns a session that ends with ctx, or when it is closed.
func NewSession(ctx context.Context) *Session {
	s := &Session{}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s
}

// Close kills the background jobs and waits for them.
func (s *Session) Close() {
	s.cancel()
	s.wg.Wait()
}

// fork runs fn in a goroutine of the session, or reports that there are too many.
func (s *Session) fork(fn func()) bool {
	if s.forks.Add(1) > maxForks {
		s.forks.Add(-1)
		return false
	}
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		defer s.forks.Add(-1)
		fn()
	}()
	return true
}

// file is what a descriptor refers to.
type file struct {
	r io.Reader
	w io.Writer
}

// flow says why statements are being left.
type flow int

const (
	flowNone flow = iota
	flowBreak
	flowContinue
	flowReturn
	flowExit
	flowAbort // back to the prompt
)

// Shell is a running shell. One goroutine owns it.
type Shell struct {
	cfg    *Config
	ecfg   *expand.Config
	ctx    context.Context // of the Run under way, for expansions
	pid    int
	vars   *scope
	funcs  map[string]*syntax.Stmt
	alias  map[string]string
	params []string
	dir    string
	fds    map[int]file
	opts   map[string]bool
	traps  map[string]string
	jobs   []*job
	dirs   []string // pushd stack, without the current directory
	umask  uint32

	status      int // $?
	pipeStatus  []string
	lastJob     int  // $!
	substStatus int  // of the last command substitution
	substRan    bool // one ran while expanding the current command
	line        uint
	flow        flow
	flowN       int
	sub         bool // a subshell
	inFunc      int
	inSource    int
	loops       int
	noErrExit   int
	inTrap      bool
	keepFDs     bool // exec made the redirections permanent
	caught      Signal
	gen         int // generation of the group's last signal acted on
	depth       int
	random      uint32
	started     time.Time
	optPos      int // getopts: byte within the current argument
	procSubsts  []func()
}

// New returns a shell on cfg, which must not be changed afterwards.
func New(cfg Config) *Shell {
	if cfg.Name == "" {
		cfg.Name = "sh"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Group == nil {
		cfg.Group = &Group{}
	}
	s := &Shell{
		cfg: &cfg, vars: &scope{vars: map[string]expand.Variable{}},
		funcs: map[string]*syntax.Stmt{}, alias: map[string]string{}, traps: map[string]string{},
		params: cfg.Args, dir: cfg.Dir, opts: map[string]bool{}, umask: 0o022,
		depth: cfg.Depth, started: cfg.Now(), random: 1,
		fds: map[int]file{0: {r: cfg.Stdin}, 1: {w: cfg.Stdout}, 2: {w: cfg.Stderr}},
	}
	s.pid = 1
	s.initVars()
	s.setupExpand()
	return s
}

// SetPID tells the shell its process id.
func (s *Shell) SetPID(pid int) { s.pid = pid }

// PID returns the process id, which subshells share.
func (s *Shell) PID() int { return s.pid }

// Config returns what the shell runs on.
func (s *Shell) Config() Config { return *s.cfg }

// Dir returns the working directory.
func (s *Shell) Dir() string { return s.dir }

// Depth returns how deeply the shell is nested.
func (s *Shell) Depth() int { return s.depth }

// Status returns $?.
func (s *Shell) Status() int { return s.status }

// Exited reports whether the last Run left the shell.
func (s *Shell) Exited() bool { return s.flow == flowExit }

// Umask returns the bits that new files do not get.
func (s *Shell) Umask() uint32 { return s.umask }

// IsTerminal reports whether a descriptor is a terminal.
func (s *Shell) IsTerminal(fd int) bool {
	f := s.fds[fd]
	if t, ok := f.r.(Terminal); ok && t != nil {
		return true
	}
	t, ok := f.w.(Terminal)
	return ok && t != nil
}

// Open opens a file for a program of this shell. Paths may be relative, and
// /dev/fd, /dev/stdin and so on are its own descriptors.
func (s *Shell) Open(name string, flag int, perm uint32) (io.ReadWriteCloser, error) {
	full := s.Abs(name)
	switch full {
	case "/dev/stdin":
		full = "/dev/fd/0"
	case "/dev/stdout":
		full = "/dev/fd/1"
	case "/dev/stderr":
		full = "/dev/fd/2"
	}
	if dir, fd := path.Split(full); dir == "/dev/fd/" || dir == "/proc/self/fd/" {
		return s.openFD(name, fd)
	}
	if addr, ok := strings.CutPrefix(full, "/dev/tcp/"); ok && s.cfg.Dial != nil {
		return s.cfg.Dial(s.ctx, strings.Replace(addr, "/", ":", 1))
	}
	h, err := s.cfg.FS.Open(s.cfg.Cred, full, flag, fsMode(perm&^s.umask))
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (s *Shell) openFD(name, fd string) (io.ReadWriteCloser, error) {
	f, ok := s.fds[atoi(fd)]
	if !ok {
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
	}
	return dup{reader: bindReader(s.ctx, f.r), writer: bindWriter(s.ctx, f.w)}, nil
}

// dup is a descriptor opened again; closing it leaves the original open.
type dup struct {
	reader io.Reader
	writer io.Writer
}

func (d dup) Read(p []byte) (int, error)  { return d.reader.Read(p) }
func (d dup) Write(p []byte) (int, error) { return d.writer.Write(p) }
func (d dup) Close() error                { return nil }

// Abs returns name as an absolute path.
func (s *Shell) Abs(name string) string {
	if name == "" {
		return ""
	}
	if !strings.HasPrefix(name, "/") {
		name = s.dir + "/" + name
	}
	return path.Clean(name)
}

// subshell returns a copy whose changes stay its own.
func (s *Shell) subshell() *Shell {
	n := *s
	n.vars = s.vars.flatten()
	n.funcs = maps.Clone(s.funcs)
	n.alias = maps.Clone(s.alias)
	n.opts = maps.Clone(s.opts)
	n.fds = maps.Clone(s.fds)
	n.dirs = slices.Clone(s.dirs)
	n.traps = map[string]string{}
	for name, action := range s.traps {
		if action == "" { // only ignored signals are inherited
			n.traps[name] = ""
		}
	}
	n.jobs, n.procSubsts = nil, nil
	n.flow, n.loops, n.sub = flowNone, 0, true
	n.depth++
	n.setupExpand()
	return &n
}

// errf prints a message as the shell itself does.
func (s *Shell) errf(format string, args ...any) {
	prefix := s.cfg.Name + ": "
	if !s.cfg.Interactive && s.line > 0 {
		prefix += fmt.Sprintf("line %d: ", s.line)
	}
	s.writeTo(2, prefix+fmt.Sprintf(format, args...)+"\n")
}

func (s *Shell) out(text string) { s.writeTo(1, text) }

func (s *Shell) outf(format string, args ...any) { s.writeTo(1, fmt.Sprintf(format, args...)) }

// writeTo writes to a descriptor of the shell. A broken pipe ends it.
func (s *Shell) writeTo(fd int, text string) {
	if text == "" {
		return
	}
	ctx, done := s.signalled(s.ctx)
	defer done()
	_, err := io.WriteString(bindWriter(ctx, s.fds[fd].w), text)
	if err == nil || ctx.Err() != nil || s.flow == flowExit {
		return
	}
	if errors.Is(err, ErrBrokenPipe) || errors.Is(err, io.ErrClosedPipe) {
		s.exit(128 + int(SIGPIPE))
	} else {
		s.status = 1
	}
}

func (s *Shell) exit(status int) {
	s.status = status & 0xff
	s.flow = flowExit
}

// FS returns the file system the shell works on.
func (s *Shell) FS() *memfs.FS { return s.cfg.FS }

// Cred returns who the shell runs as.
func (s *Shell) Cred() memfs.Cred { return s.cfg.Cred }

// Now returns the time of the machine.
func (s *Shell) Now() time.Time { return s.cfg.Now() }

// Spawn is a program to run as a child, not a function or builtin.
type Spawn struct {
	Args []string
	// Env is added to the exported variables, which Clean leaves out.
	Env            []string
	Clean          bool
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// From is the shell whose terminal is also that of the program, if its
	// streams come from there; nil is the one that spawns.
	From *Shell
}

// Spawn runs a program and returns its exit status.
func (s *Shell) Spawn(ctx context.Context, p Spawn) int {
	if p.From == nil {
		p.From = s
	}
	sub := s.subshell()
	sub.cfg = ptr(*s.cfg)
	sub.cfg.Interactive = false
	sub.line = 0
	sub.ctx = ctx
	if p.Stdin != nil {
		p.Stdin = keepTerminal(p.Stdin, p.From.fds[0].r)
	}
	sub.fds[0], sub.fds[1], sub.fds[2] = file{r: p.Stdin}, file{w: keepTerminalW(p.Stdout, p.From.fds[1].w)}, file{w: p.Stderr}
	if p.Clean {
		for name, v := range sub.vars.vars {
			if v.Exported && name != "PATH" { // a program is still found
				delete(sub.vars.vars, name)
			}
		}
		if v, ok := sub.vars.vars["PATH"]; ok {
			v.Exported = false
			sub.vars.vars["PATH"] = v
		}
	}
	for _, kv := range p.Env {
		if name, value, ok := strings.Cut(kv, "="); ok {
			sub.vars.vars[name] = exported(value)
		}
	}
	sub.exec(ctx, p.Args)
	return sub.status
}

// Terminals replaces those of the streams of a program of this shell that stand
// for its terminal by the terminal itself.
func (s *Shell) Terminals(in io.Reader, out, errw io.Writer) (io.Reader, io.Writer, io.Writer) {
	return keepTerminal(in, s.fds[0].r), keepTerminalW(out, s.fds[1].w), keepTerminalW(errw, s.fds[2].w)
}

// keepTerminal returns the terminal that r was derived from, if it was.
func keepTerminal(r, original io.Reader) io.Reader {
	if t, ok := original.(Terminal); ok && t != nil {
		return original
	}
	return r
}

func keepTerminalW(w, original io.Writer) io.Writer {
	if t, ok := original.(Terminal); ok && t != nil {
		return original
	}
	return w
}

func ptr[T any](v T) *T { return &v }

// RunBuiltin runs a builtin as the program of the same name in /usr/bin does.
func (s *Shell) RunBuiltin(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	fn := builtin(args[0])
	if fn == nil {
		return 127
	}
	sub := s.subshell()
	sub.cfg = ptr(*s.cfg)
	sub.ctx, sub.line, sub.cfg.Name = ctx, 0, args[0]
	sub.fds[0], sub.fds[1], sub.fds[2] = file{r: in}, file{w: out}, file{w: errw}
	return fn(sub, ctx, args)
}

// Terminal returns the terminal that descriptor 0 is, if it is one.
func (s *Shell) Terminal() (Terminal, bool) {
	t, ok := s.fds[0].r.(Terminal)
	return t, ok && t != nil
}

// Size returns the size of the terminal the shell runs on, if there is one.
func (s *Shell) Size() (cols, rows int, ok bool) {
	if s.cfg.Size == nil {
		return 0, 0, false
	}
	cols, rows = s.cfg.Size()
	return cols, rows, true
}

// SetOptions applies words such as -e or -o pipefail, as set does.
func (s *Shell) SetOptions(words []string) {
	s.ctx = context.Background()
	builtinSet(s, s.ctx, append([]string{"set"}, words...))
}
