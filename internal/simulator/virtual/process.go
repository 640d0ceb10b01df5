package virtual

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// process is an entry of the process table.
type process struct {
	pid, ppid int
	user, tty string
	command   string
	start     time.Time
	group     *posix.Group // who a signal goes to; nil for services and the kernel
	service   string
	rss       int // KiB
}

// maxPID is where process ids start over, as on Linux.
const maxPID = 32768

// addProcess adds an entry. The lock must be held.
func (m *Machine) addProcess(p process) *process {
	if p.pid == 0 {
		for m.nextPID++; m.procs[m.nextPID] != nil; m.nextPID++ {
			if m.nextPID > maxPID {
				m.nextPID = 300
			}
		}
		p.pid = m.nextPID
	}
	if p.start.IsZero() {
		p.start = m.now()
	}
	m.procs[p.pid] = &p
	return &p
}

// registrar returns the posix.Config.Register of a user's shells.
func (m *Machine) registrar(user, tty string) func(int, []string, *posix.Group) (int, func()) {
	return func(ppid int, args []string, g *posix.Group) (int, func()) {
		m.mu.Lock()
		defer m.mu.Unlock()
		p := m.addProcess(process{ppid: ppid, user: user, tty: tty, command: strings.Join(args, " "), group: g, rss: 3200})
		return p.pid, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.procs, p.pid)
		}
	}
}

// agentPID is the process id of the SSM agent, parent of everything we start.
func (m *Machine) agentPID() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.services["amazon-ssm-agent"]; s != nil && s.pid != 0 {
		return s.pid
	}
	return 1
}

// kill delivers a signal for the shell s.
func (m *Machine) kill(s *posix.Shell, pid int, sig posix.Signal) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.procs[pid]
	user := s.Cred().User
	switch {
	case p == nil:
		return errNoProcess
	case user != rootUser && user != p.user:
		return errNotPermitted
	case sig == 0 || pid == 1:
		return nil
	case p.group != nil:
		p.group.Signal(sig)
	case p.service != "":
		m.signalService(m.services[p.service], sig)
	}
	return nil
}

type procError string

func (e procError) Error() string { return string(e) }

const (
	errNoProcess    = procError("No such process")
	errNotPermitted = procError("Operation not permitted")
)

// processes returns the table in order of process id.
func (m *Machine) processes() []process {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []process
	for _, pid := range slices.Sorted(maps.Keys(m.procs)) {
		list = append(list, *m.procs[pid])
	}
	return list
}

func (m *Machine) processPrograms() map[string]program.Func {
	return map[string]program.Func{
		"ps": m.ps, "top": m.top, "pgrep": m.pgrep, "pkill": m.pgrep, "pidof": m.pidof, "killall": m.pgrep,
	}
}

// usage returns plausible, fixed percentages of cpu and memory of a process.
func (m *Machine) usage(p process) (cpu, mem float64) {
	cpu = float64(m.spec.vary("cpu"+p.command, 12)) / 10
	if p.pid < 50 || p.group != nil {
		cpu = 0
	}
	return cpu, float64(p.rss) * 100 / float64(m.memTotal())
}

func (m *Machine) ps(_ context.Context, p *program.Proc) int {
	args := strings.Join(p.Args[1:], " ")
	list := m.processes()
	tty := ttyName(ptrTo(p.Shell.Config()))
	switch bare := strings.TrimLeft(args, "-"); {
	case args == "":
		p.Printf("%7s %-8s %8s %s\n", "PID", "TTY", "TIME", "CMD")
		for _, x := range list {
			if x.tty == tty && x.group != nil {
				p.Printf("%7d %-8s %8s %s\n", x.pid, orQuestion(x.tty), "00:00:00", commandName(x.command))
			}
		}
	case strings.HasPrefix(bare, "aux") || bare == "au" || bare == "axu":
		m.psAux(p, list)
	case bare == "ef" || bare == "e" || bare == "A" || bare == "ax" || bare == "eF":
		p.Printf("%-8s %7s %7s %2s %s %-8s %8s %s\n", "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD")
		for _, x := range list {
			p.Printf("%-8s %7d %7d %2d %s %-8s %8s %s\n", x.user, x.pid, x.ppid, 0, m.startText(x.start), orQuestion(x.tty), "00:00:00", x.command)
		}
	case strings.HasPrefix(args, "-p ") || strings.HasPrefix(args, "-o ") || strings.HasPrefix(args, "-eo ") || strings.HasPrefix(args, "-C "):
		return m.psSelect(p, list)
	default:
		p.Errorf("the simulated ps knows aux, -ef, -p PID, -C NAME and -o LIST")
		return 1
	}
	return 0
}

func ptrTo[T any](v T) *T { return &v }

func orQuestion(s string) string {
	if s == "" {
		return "?"
	}
	return s
}

func (m *Machine) psAux(p *program.Proc, list []process) {
	p.Printf("USER         PID %%CPU %%MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n")
	for _, x := range list {
		cpu, mem := m.usage(x)
		stat := "Ss"
		switch {
		case strings.HasPrefix(x.command, "["):
			stat = "I<"
		case x.group != nil:
			stat = "S+"
		}
		if x.command == strings.Join(p.Args, " ") {
			stat = "R+"
		}
		p.Printf("%-10s %5d %4.1f %4.1f %6d %5d %-8s %-4s %s %6s %s\n", x.user, x.pid, cpu, mem, x.rss*12, x.rss,
			orQuestion(x.tty), stat, m.startText(x.start), "0:00", x.command)
	}
}

// psSelect is ps -p, -C and -o.
func (m *Machine) psSelect(p *program.Proc, list []process) int {
	f, _, st := p.Flags("p:o:C:eAf")
	if st >= 0 {
		return st
	}
	cols := []string{"pid", "tty", "time", "comm"}
	if o := f.Value("o", ""); o != "" {
		cols = strings.Split(o, ",")
	}
	titles := map[string]string{"pid": "PID", "ppid": "PPID", "user": "USER", "comm": "COMMAND", "cmd": "CMD", "args": "COMMAND", "tty": "TTY", "time": "TIME", "rss": "RSS", "%cpu": "%CPU", "pcpu": "%CPU", "%mem": "%MEM", "pmem": "%MEM", "stat": "STAT", "etime": "ELAPSED"}
	width := func(c string) int {
		switch c {
		case "comm", "cmd", "args":
			return 0
		case "user", "tty", "time", "etime":
			return -8
		}
		return 7
	}
	var head []string
	silent := true
	for i, c := range cols {
		name, title, custom := strings.Cut(c, "=")
		cols[i] = name
		if titles[name] == "" {
			p.Errorf("error: unknown user-defined format specifier %q", name)
			return 1
		}
		if !custom {
			title = titles[name]
		}
		silent = silent && title == ""
		head = append(head, fmt.Sprintf("%*s", width(name), title))
	}
	if !silent {
		p.Printf("%s\n", strings.Join(head, " "))
	}
	found := false
	for _, x := range list {
		if f.Has("p") && !slices.Contains(strings.Split(f.Value("p", ""), ","), strconv.Itoa(x.pid)) {
			continue
		}
		if f.Has("C") && commandName(x.command) != f.Value("C", "") {
			continue
		}
		found = true
		cpu, mem := m.usage(x)
		value := map[string]string{
			"pid": strconv.Itoa(x.pid), "ppid": strconv.Itoa(x.ppid), "user": x.user, "comm": commandName(x.command),
			"cmd": x.command, "args": x.command, "tty": orQuestion(x.tty), "time": "00:00:00", "rss": strconv.Itoa(x.rss), "stat": "S",
			"%cpu": fmt.Sprintf("%.1f", cpu), "pcpu": fmt.Sprintf("%.1f", cpu), "%mem": fmt.Sprintf("%.1f", mem), "pmem": fmt.Sprintf("%.1f", mem),
			"etime": m.now().Sub(x.start).Truncate(time.Second).String(),
		}
		var row []string
		for _, c := range cols {
			row = append(row, fmt.Sprintf("%*s", width(c), value[c]))
		}
		p.Printf("%s\n", strings.Join(row, " "))
	}
	if !found {
		return 1
	}
	return 0
}

// commandName is the name of the program of a command line.
func commandName(command string) string {
	word, _, _ := strings.Cut(command, " ")
	word = strings.TrimSuffix(word, ":")
	return word[strings.LastIndexByte(word, '/')+1:]
}

// startText is the time of day for a process of today, else the date.
func (m *Machine) startText(t time.Time) string {
	if m.now().Sub(t) < 24*time.Hour {
		return t.UTC().Format("15:04")
	}
	return t.UTC().Format("Jan02")
}

func (m *Machine) pidof(_ context.Context, p *program.Proc) int {
	var pids []string
	for _, x := range m.processes() {
		if slices.Contains(p.Args[1:], commandName(x.command)) {
			pids = append([]string{strconv.Itoa(x.pid)}, pids...)
		}
	}
	if len(pids) == 0 {
		return 1
	}
	p.Printf("%s\n", strings.Join(pids, " "))
	return 0
}

// pgrep is also pkill and killall.
func (m *Machine) pgrep(_ context.Context, p *program.Proc) int {
	sig := posix.SIGTERM
	if len(p.Args) > 1 && len(p.Args[1]) > 1 && p.Args[1][0] == '-' && p.Name() != "pgrep" {
		if s, err := posix.ParseSignal(p.Args[1][1:]); err == nil {
			sig = s
			p.Args = append(p.Args[:1:1], p.Args[2:]...)
		}
	}
	f, args, st := p.Flags("flxacu: full=f")
	if st >= 0 {
		return max(st, 2)
	}
	if len(args) != 1 && !f.Has("u") {
		p.Errorf("only one pattern can be provided")
		return 2
	}
	n, denied := 0, false
	for _, x := range m.processes() {
		text := commandName(x.command)
		if f.Has("f") {
			text = x.command
		}
		hit := len(args) == 0 || strings.Contains(text, args[0])
		if f.Has("x") || p.Name() == "killall" {
			hit = text == args[0]
		}
		if !hit || x.command == strings.Join(p.Args, " ") || (f.Has("u") && x.user != f.Value("u", "")) {
			continue
		}
		n++
		switch {
		case p.Name() != "pgrep":
			if err := m.kill(p.Shell, x.pid, sig); err != nil {
				p.Errorf("killing pid %d failed: %v", x.pid, err)
				denied = true
			}
		case f.Has("c"):
		case f.Has("l"):
			p.Printf("%d %s\n", x.pid, text)
		case f.Has("a"):
			p.Printf("%d %s\n", x.pid, x.command)
		default:
			p.Printf("%d\n", x.pid)
		}
	}
	if f.Has("c") && p.Name() == "pgrep" {
		p.Printf("%d\n", n)
	}
	if n == 0 && p.Name() == "killall" {
		io.WriteString(p.Stderr, args[0]+": no process found\n")
	}
	if n == 0 || denied {
		return 1
	}
	return 0
}

func (m *Machine) top(ctx context.Context, p *program.Proc) int {
	f, _, st := p.Flags("bn:d:o:cHu:p:")
	if st >= 0 {
		return st
	}
	if !f.Has("b") && p.Shell.IsTerminal(1) {
		return m.topScreen(ctx, p)
	}
	m.topPage(p, "\n", 1<<30)
	return 0
}

// topPage prints one picture of top with at most rows processes.
func (m *Machine) topPage(p *program.Proc, end string, rows int) {
	list := m.processes()
	total, used, free, cache := m.memory()
	p.Printf("top - %s%s", m.uptimeText(), end)
	p.Printf("Tasks: %3d total,   1 running, %3d sleeping,   0 stopped,   0 zombie%s", len(list), len(list)-1, end)
	p.Printf("%%Cpu(s):  1.3 us,  0.7 sy,  0.0 ni, 97.7 id,  0.0 wa,  0.0 hi,  0.3 si,  0.0 st%s", end)
	p.Printf("MiB Mem : %8.1f total, %8.1f free, %8.1f used, %8.1f buff/cache%s", mib(total), mib(free), mib(used), mib(cache), end)
	p.Printf("MiB Swap:      0.0 total,      0.0 free,      0.0 used. %8.1f avail Mem%s%s", mib(total-used), end, end)
	p.Printf("    PID USER      PR  NI    VIRT    RES    SHR S  %%CPU  %%MEM     TIME+ COMMAND%s", end)
	slices.SortStableFunc(list, func(a, b process) int {
		ca, _ := m.usage(a)
		cb, _ := m.usage(b)
		return int(cb*10) - int(ca*10)
	})
	for _, x := range list[:min(len(list), max(rows, 0))] {
		cpu, mem := m.usage(x)
		p.Printf("%7d %-8s  20   0 %7d %6d %6d S %5.1f %5.1f   0:0%d.%02d %s%s", x.pid, x.user, x.rss*12, x.rss, x.rss/2,
			cpu, mem, m.spec.vary("t"+x.command, 9), m.spec.vary("h"+x.command, 99), commandName(x.command), end)
	}
}

func mib(kib int) float64 { return float64(kib) / 1024 }

// topScreen redraws until q or Ctrl-C.
func (m *Machine) topScreen(ctx context.Context, p *program.Proc) int {
	t, ok := p.Shell.Config().TTY.(*terminal)
	if !ok {
		m.topPage(p, "\n", 20)
		return 0
	}
	t.setRaw(true)
	defer t.setRaw(false)
	for ctx.Err() == nil {
		_, rows := t.size()
		p.Printf("\x1b[H\x1b[2J")
		m.topPage(p, "\n", rows-8)
		p.Flush()
		key, cancel := context.WithTimeout(ctx, 3*time.Second)
		var b [1]byte
		n, _ := t.ReadContext(key, b[:])
		cancel()
		if n == 1 && (b[0] == 'q' || b[0] == 0x03) {
			p.Printf("\n")
			return 0
		}
	}
	return posix.KilledStatus(ctx)
}
