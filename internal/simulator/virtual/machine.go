// Package virtual is a simulated machine in pure Go: a shell and the usual
// programs over an in-memory file system, services, packages and processes.
//
// Nothing that runs on it can touch the machine it runs on: no file is opened,
// no process started, no environment read and no name looked up there. The
// only way out is the Dial function of the Spec. It behaves the same on every
// platform; what differs between nodes follows from their Spec.
//
// State is shared by all commands and sessions of a Machine. Background jobs
// end with the command or session that started them. Sub-packages: posix is
// the shell, powershell that of Windows nodes, memfs the file system, coreutils the
// programs that need only files, lineedit the line editor, program the frame
// around programs.
package virtual

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/coreutils"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// Users of a node.
const (
	ssmUser  = "ssm-user"
	rootUser = "root"
)

// Machine is a simulated node. It is safe for concurrent use.
type Machine struct {
	spec     Spec
	fs       *memfs.FS
	programs map[string]program.Func
	ready    atomic.Bool               // the file system is built
	booted   atomic.Pointer[time.Time] // by Restart; nil: as the spec says

	mu       sync.Mutex // guards what follows
	services map[string]*service
	packages map[string]string
	procs    map[int]*process
	nextPID  int
	nextTTY  int
	journal  []entry
	logged   chan struct{} // closed at the next journal entry; nil when nobody waits
}

var (
	_ shell.Machine   = (*Machine)(nil)
	_ shell.Patchable = (*Machine)(nil)
)

// New returns the machine that spec describes.
func New(spec Spec) *Machine {
	spec = spec.withDefaults()
	m := &Machine{}
	// Until it is ready, its files are as old as the image it was made from.
	fileTime := func() time.Time {
		if m.ready.Load() {
			return spec.Clock()
		}
		return spec.Boot.Add(-30 * 24 * time.Hour)
	}
	m.spec = spec
	m.fs = memfs.New(memfs.Options{Now: fileTime, FoldCase: spec.OS == Windows})
	m.services, m.packages, m.procs = map[string]*service{}, map[string]string{}, map[int]*process{}
	m.programs = coreutils.Programs()
	m.addPrograms()
	m.boot()
	if spec.OS == Windows {
		m.buildWindows()
	} else {
		m.buildUnix()
	}
	m.ready.Store(true)
	return m
}

// addPrograms adds those that look at the machine.
func (m *Machine) addPrograms() {
	for _, set := range []map[string]program.Func{
		m.shellPrograms(), m.systemPrograms(), m.processPrograms(), m.networkPrograms(), m.pagerPrograms(),
	} {
		for name, fn := range set {
			m.programs[name] = fn
		}
	}
	if m.spec.OS == Linux {
		for _, set := range []map[string]program.Func{m.servicePrograms(), m.packagePrograms()} {
			for name, fn := range set {
				m.programs[name] = fn
			}
		}
	}
}

// bootTime is when the system was last started.
func (m *Machine) bootTime() time.Time {
	if at := m.booted.Load(); at != nil {
		return *at
	}
	return m.spec.Boot
}

// Restart makes the system one that was started at a time. What runs goes on.
func (m *Machine) Restart(at time.Time) { m.booted.Store(&at) }

// Upgrade gives a package that is installed another version.
func (m *Machine) Upgrade(name, version string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.packages[name]; ok {
		m.packages[name] = version
	}
}

// FS returns the file system of the machine.
func (m *Machine) FS() *memfs.FS { return m.fs }

// Spec returns the description of the machine with its defaults filled in.
func (m *Machine) Spec() Spec { return m.spec }

// ServiceState returns Running, Stopped or Failed, or "" for an unknown service.
func (m *Machine) ServiceState(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.service(name); s != nil {
		return s.state
	}
	return ""
}

// Run executes a script as shell.Machine says.
func (m *Machine) Run(ctx context.Context, c shell.Command, sio shell.IO) (int, error) {
	if err := ctx.Err(); err != nil {
		return shell.StatusKilled, err
	}
	session := posix.NewSession(ctx)
	defer session.Close()
	group := &posix.Group{}
	stop := c.OnInterrupt(func() { group.Signal(posix.SIGINT) })
	defer stop()

	user := ssmUser
	if c.Elevated {
		user = rootUser
	}
	stdout, stderr := lockWriters(sio.Stdout, sio.Stderr)
	stdin := newSource(sio.Stdin)
	var status int
	if m.spec.OS == Windows {
		status = m.runPowerShell(ctx, c, user, group, stdin, stdout, stderr)
	} else {
		cfg := m.shellConfig(user, c.Env, "")
		cfg.Session, cfg.Group = session, group
		cfg.Stdin, cfg.Stdout, cfg.Stderr = stdin, stdout, stderr
		if c.Dir != "" {
			if info, err := m.fs.Stat(cfg.Cred, c.Dir); err != nil || !info.IsDir() {
				return 1, fmt.Errorf("working directory %s does not exist on the node", c.Dir)
			}
			cfg.Dir = c.Dir
		}
		sh, exit := m.newShell(cfg, []string{"sh"})
		defer exit()
		status = sh.Run(ctx, c.Script)
	}
	if err := ctx.Err(); err != nil {
		return shell.StatusKilled, err
	}
	return status, nil
}

// lockedWriter serialises the writes of the processes that share it.
type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.w.Write(p)
	if err != nil {
		// Whatever broke, nobody takes the output any more.
		err = fmt.Errorf("%w: %w", posix.ErrBrokenPipe, err)
	}
	return n, err
}

// lockWriters makes both writers safe for concurrent use; the same writer
// given twice gets one lock.
func lockWriters(stdout, stderr io.Writer) (io.Writer, io.Writer) {
	if stdout == nil {
		stdout = io.Discard
	}
	if stderr == nil {
		stderr = io.Discard
	}
	o := lockedWriter{&sync.Mutex{}, stdout}
	e := lockedWriter{&sync.Mutex{}, stderr}
	if same(stdout, stderr) {
		e.mu = o.mu
	}
	return o, e
}

// same compares writers, of which some types cannot be compared.
func same(a, b io.Writer) (equal bool) {
	defer func() {
		if recover() != nil {
			equal = false
		}
	}()
	return a == b
}

// source reads from the caller's standard input only when asked, and lets a
// reader that is cancelled leave a Read behind.
type source struct {
	r    io.Reader
	mu   chan struct{} // a lock that can be given up: it holds one token
	rest []byte        // read and not yet given out; guarded by the token
	got  chan result   // result of the Read under way, nil when there is none
}

type result struct {
	data []byte
	err  error
}

// newSource returns nil for a nil reader.
func newSource(r io.Reader) io.Reader {
	if r == nil {
		return nil
	}
	s := &source{r: r, mu: make(chan struct{}, 1)}
	s.mu <- struct{}{}
	return s
}

// Read is ReadContext without a way out.
func (s *source) Read(p []byte) (int, error) { return s.ReadContext(context.Background(), p) }

// ReadContext implements posix.ContextReader.
func (s *source) ReadContext(ctx context.Context, p []byte) (int, error) {
	select {
	case <-s.mu:
		defer func() { s.mu <- struct{}{} }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if len(s.rest) == 0 && len(p) > 0 {
		if s.got == nil {
			s.got = make(chan result, 1)
			got, buf := s.got, make([]byte, max(min(len(p), 64<<10), 512))
			go func() {
				n, err := s.r.Read(buf)
				got <- result{buf[:n], err}
			}()
		}
		select {
		case r := <-s.got:
			s.got = nil
			s.rest = r.data
			if r.err != nil && len(r.data) == 0 {
				if errors.Is(r.err, io.EOF) {
					return 0, io.EOF
				}
				return 0, r.err
			}
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// now returns the time of the machine.
func (m *Machine) now() time.Time { return m.spec.Clock() }

// home returns the home directory of a user as /etc/passwd has it, "" if there
// is no such user.
func (m *Machine) home(user string) string {
	data, err := m.fs.ReadFile(memfs.Cred{}, "/etc/passwd")
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(data), "\n") {
		if f := strings.Split(line, ":"); len(f) > 5 && f[0] == user {
			return f[5]
		}
	}
	return ""
}
