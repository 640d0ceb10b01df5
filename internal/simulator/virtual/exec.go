package virtual

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// magic begins the file of a simulated program; its name follows.
const magic = "\x7fELF\x02\x01\x01\x00simulated:"

// searchPath is PATH of every user.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// maxScript bounds what a nested shell reads as its script, in bytes.
const maxScript = 4 << 20

// shellConfig returns what a shell of user runs on. tty names its terminal.
func (m *Machine) shellConfig(user string, env []string, tty string) posix.Config {
	home := m.home(user)
	if home == "" {
		home = "/"
	}
	shellName := "/bin/sh"
	cfg := posix.Config{
		FS: m.fs, Cred: memfs.Cred{User: user}, Name: "sh", Dir: home,
		Env: append([]string{
			"HOME=" + home, "USER=" + user, "LOGNAME=" + user, "SHELL=" + shellName, "PATH=" + searchPath,
			"LANG=C.UTF-8", "HOSTNAME=" + m.spec.Hostname,
		}, env...),
		Exec: m.exec, Lookup: m.lookup, Kill: m.kill, Home: m.home, Now: m.now,
		PPID: m.agentPID(), Dial: m.devTCP,
	}
	cfg.Register = m.registrar(user, tty)
	return cfg
}

// newShell registers a shell as a process; exit ends it.
func (m *Machine) newShell(cfg posix.Config, args []string) (sh *posix.Shell, exit func()) {
	sh = posix.New(cfg)
	pid, exit := cfg.Register(cfg.PPID, args, cfg.Group)
	sh.SetPID(pid)
	return sh, exit
}

// lookupError is why a program cannot be run, with the text of a shell.
type lookupError struct {
	text string
	is   error
}

func (e lookupError) Error() string   { return e.text }
func (e lookupError) Is(t error) bool { return t == e.is }

// lookup finds a program by name or path.
func (m *Machine) lookup(s *posix.Shell, name string) (string, error) {
	if name == "" {
		return "", posix.ErrNotFound
	}
	if strings.Contains(name, "/") {
		full := s.Abs(name)
		info, err := m.fs.Stat(s.Cred(), full)
		switch {
		case err != nil:
			return "", lookupError{memfs.Reason(err), fs.ErrNotExist}
		case info.IsDir():
			return "", lookupError{"Is a directory", fs.ErrInvalid}
		case m.fs.Access(s.Cred(), full, 1) != nil:
			return "", lookupError{"Permission denied", fs.ErrPermission}
		}
		return full, nil
	}
	for dir := range strings.SplitSeq(s.Get("PATH"), ":") {
		full := s.Abs(path.Join(dir, name))
		if dir == "" {
			full = s.Abs(name)
		}
		if info, err := m.fs.Stat(s.Cred(), full); err == nil && info.Mode().IsRegular() && m.fs.Access(s.Cred(), full, 1) == nil {
			return full, nil
		}
	}
	return "", posix.ErrNotFound
}

// exec runs the program that lookup found.
func (m *Machine) exec(ctx context.Context, c *posix.Call) int {
	data, err := m.fs.ReadFile(c.Shell.Cred(), c.Path)
	if err != nil {
		fmt.Fprintf(c.Stderr, "sh: %s: %s\n", c.Args[0], memfs.Reason(err))
		return 126
	}
	if name, ok := bytes.CutPrefix(data, []byte(magic)); ok {
		fn := m.programs[strings.TrimSpace(string(name))]
		if fn == nil {
			fn = stub
		}
		return program.Run(ctx, fn, c)
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.IndexByte(first, 0) >= 0 {
		fmt.Fprintf(c.Stderr, "sh: %s: cannot execute binary file: Exec format error\n", c.Args[0])
		return 126
	}
	if line, ok := strings.CutPrefix(string(first), "#!"); ok {
		words := strings.Fields(line)
		if len(words) > 1 && path.Base(words[0]) == "env" {
			words = words[1:]
		}
		if len(words) == 0 || !isShell(path.Base(words[0])) {
			fmt.Fprintf(c.Stderr, "sh: %s: %s: bad interpreter: No such file or directory\n", c.Args[0], strings.TrimSpace(line))
			return 126
		}
	}
	return m.nested(ctx, c, nestedShell{name: c.Path, script: string(data), args: c.Args[1:], hasScript: true})
}

// stub is a package that was installed and whose program is not simulated.
func stub(_ context.Context, p *program.Proc) int {
	p.Errorf("installed, but not simulated on this virtual node")
	return 1
}

func isShell(name string) bool {
	return name == "sh" || name == "bash" || name == "dash" || name == "rbash"
}

// nestedShell is a shell started by another.
type nestedShell struct {
	name      string // $0
	script    string
	hasScript bool
	args      []string
	options   []string // for set
	user      string   // "" keeps the user
	login     bool     // start at home with a fresh environment
}

// nested runs a shell inside a shell.
func (m *Machine) nested(ctx context.Context, c *posix.Call, n nestedShell) int {
	cfg := c.Shell.Config()
	cfg.Depth, cfg.PPID = c.Shell.Depth()+1, c.Shell.PID()
	cfg.Env, cfg.Dir = c.Shell.Environ(), c.Shell.Dir()
	cfg.Stdin, cfg.Stdout, cfg.Stderr = c.Shell.Terminals(c.Stdin, c.Stdout, c.Stderr)
	cfg.Interactive, cfg.History = false, nil
	cfg.Args = n.args
	cfg.Name = n.name
	if user := n.user; user != "" {
		m.become(&cfg, user, n.login)
	}
	term, _ := cfg.TTY.(*terminal)
	if !n.hasScript && term != nil && c.Shell.IsTerminal(0) {
		return m.interactive(ctx, cfg, term, n.options)
	}
	script := n.script
	if !n.hasScript {
		data, err := io.ReadAll(io.LimitReader(c.Stdin, maxScript))
		if err != nil {
			return posix.KilledStatus(ctx)
		}
		script = string(data)
		cfg.Stdin = nil
	}
	// The shell is a process of its own: it gets the signals of the keyboard,
	// and may trap them, but killing it does not kill the one that started it.
	cfg.Group = &posix.Group{}
	stop := context.AfterFunc(ctx, func() {
		if sig, ok := context.Cause(ctx).(posix.Signal); ok {
			cfg.Group.Signal(sig)
		}
	})
	defer stop()
	c.Handled = true
	sh, exit := m.newShell(cfg, append([]string{path.Base(n.name)}, n.args...))
	defer exit()
	if len(n.options) > 0 {
		sh.SetOptions(n.options)
	}
	return sh.Run(c.Base, script)
}

// become makes cfg that of another user.
func (m *Machine) become(cfg *posix.Config, user string, login bool) {
	fresh := m.shellConfig(user, nil, "")
	cfg.Cred = fresh.Cred
	cfg.Register = m.registrar(user, ttyName(cfg))
	if login {
		cfg.Dir = fresh.Dir
	}
	keep := ""
	for _, kv := range cfg.Env {
		if strings.HasPrefix(kv, "TERM=") {
			keep = kv
		}
	}
	cfg.Env = fresh.Env
	if keep != "" {
		cfg.Env = append(cfg.Env, keep)
	}
}

func ttyName(cfg *posix.Config) string {
	if t, ok := cfg.TTY.(*terminal); ok {
		return t.name
	}
	return ""
}

// devTCP serves /dev/tcp/host/port.
func (m *Machine) devTCP(ctx context.Context, addr string) (io.ReadWriteCloser, error) {
	conn, err := m.dial(ctx, addr)
	if err != nil {
		return nil, &fs.PathError{Op: "connect", Path: addr, Err: errors.New(netReason(err))}
	}
	// Reads end with ctx: closing the connection is the only way to stop one.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	return &tiedConn{conn, stop}, nil
}

type tiedConn struct {
	net.Conn
	stop func() bool
}

func (t *tiedConn) Close() error {
	t.stop()
	return t.Conn.Close()
}
