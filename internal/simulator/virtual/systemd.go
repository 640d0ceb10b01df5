package virtual

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// service is a systemd unit, or a Windows service. Guarded by Machine.mu.
type service struct {
	name, text string
	state      string // Running, Stopped or Failed
	broken     bool   // it fails whenever it is started
	enabled    bool
	masked     bool
	pid        int
	since      time.Time
	result     string // of a failed one: exit-code, signal
	command    string
	user       string
	port       int
}

// known is what we know about services by name.
var known = map[string]service{
	"amazon-ssm-agent": {text: "amazon-ssm-agent", command: "/usr/bin/amazon-ssm-agent"},
	"sshd":             {text: "OpenSSH server daemon", command: "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", port: 22},
	"ssh":              {text: "OpenBSD Secure Shell server", command: "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", port: 22},
	"crond":            {text: "Command Scheduler", command: "/usr/sbin/crond -n"},
	"cron":             {text: "Regular background program processing daemon", command: "/usr/sbin/cron -f -P"},
	"chronyd":          {text: "NTP client/server", command: "/usr/sbin/chronyd -F 2"},
	"systemd-journald": {text: "Journal Service", command: "/usr/lib/systemd/systemd-journald"},
	"nginx":            {text: "The nginx HTTP and reverse proxy server", command: "nginx: master process /usr/sbin/nginx", port: 80},
	"httpd":            {text: "The Apache HTTP Server", command: "/usr/sbin/httpd -DFOREGROUND", port: 80},
	"apache2":          {text: "The Apache HTTP Server", command: "/usr/sbin/apache2 -k start", port: 80},
	"postgresql":       {text: "PostgreSQL database server", command: "/usr/bin/postgres -D /var/lib/pgsql/data", user: "postgres", port: 5432},
	"mysqld":           {text: "MySQL Server", command: "/usr/sbin/mysqld", user: "mysql", port: 3306},
	"redis":            {text: "Redis persistent key-value database", command: "/usr/bin/redis-server 127.0.0.1:6379", user: "redis", port: 6379},
	"docker":           {text: "Docker Application Container Engine", command: "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"},
}

// newService describes a unit in the given state at boot.
func (m *Machine) newService(name, state string) *service {
	s := known[name]
	s.name = name
	if s.text == "" {
		s.text = name + " service"
		s.command = "/usr/local/bin/" + name
		s.port = 8000 + m.spec.vary("port"+name, 900)
	}
	if s.user == "" {
		s.user = rootUser
	}
	s.enabled = state != Stopped
	s.broken = state == Failed
	s.state = Stopped
	return &s
}

// service returns a unit by name, with or without .service; nil if unknown.
// The lock must be held.
func (m *Machine) service(name string) *service {
	if s := m.services[strings.TrimSuffix(name, ".service")]; s != nil || m.spec.OS != Windows {
		return s
	}
	for key, s := range m.services {
		if strings.EqualFold(key, name) {
			return s
		}
	}
	return nil
}

// start starts a unit and reports whether it now runs. The lock must be held.
func (m *Machine) start(s *service, at time.Time) bool {
	if s.state == Running {
		return true
	}
	m.logAt(at, s.name, "systemd", 1, "Starting "+s.name+".service - "+s.text+"...")
	s.since = at
	p := m.addProcess(process{ppid: 1, user: s.user, command: s.command, start: at, service: s.name, rss: 4000 + m.spec.vary("rss"+s.name, 60000)})
	if s.broken {
		delete(m.procs, p.pid)
		s.state, s.result, s.pid = Failed, "exit-code", 0
		m.logAt(at, s.name, s.name, p.pid, "fatal: cannot bind to port "+fmt.Sprint(s.port)+": Address already in use")
		m.logAt(at, s.name, "systemd", 1, s.name+".service: Main process exited, code=exited, status=1/FAILURE")
		m.logAt(at, s.name, "systemd", 1, s.name+".service: Failed with result 'exit-code'.")
		m.logAt(at, s.name, "systemd", 1, "Failed to start "+s.name+".service - "+s.text+".")
		return false
	}
	s.state, s.result, s.pid = Running, "", p.pid
	if s.name == "nginx" {
		m.addProcess(process{ppid: p.pid, user: "nginx", command: "nginx: worker process", start: at, service: s.name, rss: 5200})
	}
	m.logAt(at, s.name, "systemd", 1, "Started "+s.name+".service - "+s.text+".")
	return true
}

// stop stops a unit. The lock must be held.
func (m *Machine) stop(s *service) {
	if s.state != Running {
		s.state = Stopped
		return
	}
	m.logAt(m.now(), s.name, "systemd", 1, "Stopping "+s.name+".service - "+s.text+"...")
	m.ended(s)
	s.state = Stopped
	m.logAt(m.now(), s.name, "systemd", 1, s.name+".service: Deactivated successfully.")
	m.logAt(m.now(), s.name, "systemd", 1, "Stopped "+s.name+".service - "+s.text+".")
}

// ended removes the processes of a unit. The lock must be held.
func (m *Machine) ended(s *service) {
	for pid, p := range m.procs {
		if p.service == s.name {
			delete(m.procs, pid)
		}
	}
	s.pid, s.since = 0, m.now()
}

// signalService is what a signal does to a unit. The lock must be held.
func (m *Machine) signalService(s *service, sig posix.Signal) {
	switch sig {
	case posix.SIGHUP:
		m.logAt(m.now(), s.name, s.name, s.pid, "signal 1 (SIGHUP) received, reconfiguring")
	case posix.SIGKILL:
		m.ended(s)
		s.state, s.result = Failed, "signal"
		m.logAt(m.now(), s.name, "systemd", 1, s.name+".service: Main process exited, code=killed, status=9/KILL")
		m.logAt(m.now(), s.name, "systemd", 1, s.name+".service: Failed with result 'signal'.")
	case posix.SIGTERM, posix.SIGQUIT, posix.SIGINT:
		m.ended(s)
		s.state = Stopped
		m.logAt(m.now(), s.name, "systemd", 1, s.name+".service: Deactivated successfully.")
	}
}

func (m *Machine) servicePrograms() map[string]program.Func {
	return map[string]program.Func{"systemctl": m.systemctl, "service": m.serviceCmd, "journalctl": m.journalctl, "nginx": m.nginx}
}

// serviceCmd is the old way around: service NAME ACTION.
func (m *Machine) serviceCmd(ctx context.Context, p *program.Proc) int {
	if len(p.Args) == 2 && p.Args[1] == "--status-all" {
		for _, name := range m.serviceNames() {
			mark := "-"
			if m.ServiceState(name) == Running {
				mark = "+"
			}
			p.Printf(" [ %s ]  %s\n", mark, name)
		}
		return 0
	}
	if len(p.Args) < 3 {
		p.Errorf("usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]")
		return 1
	}
	fmt.Fprintf(p.Stderr, "Redirecting to /bin/systemctl %s %s.service\n", p.Args[2], p.Args[1])
	p.Args = []string{"systemctl", p.Args[2], p.Args[1]}
	return m.systemctl(ctx, p)
}

func (m *Machine) serviceNames() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.services))
}

func (m *Machine) systemctl(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("qt:p:aln:Hf no-pager=P type=t: state=s: failed=F quiet=q property=p: all=a full=l lines=n: now=N value=V no-legend=L plain=X")
	if st >= 0 {
		return st
	}
	verb := "list-units"
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "list-units":
		return m.listUnits(p, f)
	case "list-unit-files":
		return m.listUnitFiles(p)
	case "daemon-reload", "daemon-reexec", "reset-failed", "is-system-running":
		return m.manage(p, verb, args)
	case "status":
		if len(args) == 0 {
			p.Printf("● %s\n    State: %s\n     Jobs: 0 queued\n   Failed: %d units\n    Since: %s\n", m.spec.Hostname, m.systemState(), m.countFailed(), m.bootTime().UTC().Format("Mon 2006-01-02 15:04:05 MST"))
			return 0
		}
	case "start", "stop", "restart", "reload", "try-restart", "reload-or-restart", "enable", "disable", "mask", "unmask", "kill",
		"is-active", "is-enabled", "is-failed", "show", "cat":
	default:
		p.Errorf("Unknown command verb '%s', or not supported by the simulated systemctl.", verb)
		return 1
	}
	if len(args) == 0 {
		p.Errorf("Too few arguments.")
		return 1
	}
	status := 0
	for _, name := range args {
		if s := m.unitVerb(p, f, verb, name); s != 0 {
			status = s
		}
	}
	if verb == "is-active" && status != 0 && len(args) > 1 {
		for _, name := range args { // one that is active is enough
			if m.ServiceState(name) == Running {
				return 0
			}
		}
	}
	return status
}

// unitVerb does one verb to one unit.
func (m *Machine) unitVerb(p *program.Proc, f *program.Flags, verb, name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.service(name)
	unit := strings.TrimSuffix(name, ".service") + ".service"
	switch verb {
	case "status":
		return m.unitStatus(p, s, unit)
	case "is-active", "is-failed":
		return m.isState(p, f, s, verb)
	case "is-enabled":
		if s == nil {
			p.Later("Failed to get unit file state for %s: No such file or directory", unit)
			return 1
		}
		if !f.Has("q") {
			p.Printf("%s\n", enabledText(s))
		}
		return 1 - boolInt(s.enabled && !s.masked)
	case "show":
		return m.show(p, f, s, unit)
	case "cat":
		if s == nil {
			p.Later("No files found for %s.", unit)
			return 1
		}
		p.Printf("# /usr/lib/systemd/system/%s\n[Unit]\nDescription=%s\nAfter=network-online.target\n\n[Service]\nExecStart=%s\nUser=%s\n\n[Install]\nWantedBy=multi-user.target\n",
			unit, s.text, s.command, s.user)
		return 0
	}
	if p.Shell.Cred().User != rootUser {
		what := verb
		if verb == "enable" || verb == "disable" || verb == "mask" || verb == "unmask" {
			p.Later("Failed to %s unit: Access denied", what)
		} else {
			p.Later("Failed to %s %s: Interactive authentication required.\nSee system logs and 'systemctl status %s' for details.", what, unit, unit)
		}
		return 1
	}
	if s == nil {
		if verb == "enable" || verb == "disable" {
			p.Later("Failed to %s unit: Unit file %s does not exist.", verb, unit)
			return 1
		}
		p.Later("Failed to %s %s: Unit %s not found.", verb, unit, unit)
		return 5
	}
	return m.change(p, f, s, verb)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func enabledText(s *service) string {
	switch {
	case s.masked:
		return "masked"
	case s.enabled:
		return "enabled"
	}
	return "disabled"
}

// change starts, stops and so on. The lock must be held.
func (m *Machine) change(p *program.Proc, f *program.Flags, s *service, verb string) int {
	unit := s.name + ".service"
	link := "/etc/systemd/system/multi-user.target.wants/" + unit
	switch verb {
	case "stop":
		m.stop(s)
	case "kill":
		m.signalService(s, posix.SIGTERM)
	case "reload":
		if s.state != Running {
			p.Later("%s is not active, cannot reload.", unit)
			return 1
		}
		m.logAt(m.now(), s.name, "systemd", 1, "Reloaded "+unit+" - "+s.text+".")
	case "enable":
		if !s.enabled {
			p.Later("Created symlink %s → /usr/lib/systemd/system/%s.", link, unit)
		}
		s.enabled = true
		if f.Has("N") {
			return m.change(p, f, s, "start")
		}
	case "disable":
		if s.enabled {
			p.Later("Removed \"%s\".", link)
		}
		s.enabled = false
		if f.Has("N") {
			m.stop(s)
		}
	case "mask", "unmask":
		s.masked = verb == "mask"
	case "try-restart":
		if s.state == Running {
			return m.change(p, f, s, "restart")
		}
	default: // start, restart, reload-or-restart
		if s.masked {
			p.Later("Failed to %s %s: Unit %s is masked.", verb, unit, unit)
			return 1
		}
		if verb != "start" {
			m.stop(s)
		}
		if !m.start(s, m.now()) {
			p.Later("Job for %s failed because the control process exited with error code.\nSee \"systemctl status %s\" and \"journalctl -xeu %s\" for details.", unit, unit, unit)
			return 1
		}
	}
	return 0
}

func (m *Machine) isState(p *program.Proc, f *program.Flags, s *service, verb string) int {
	text := "inactive"
	if s != nil {
		text = activeText(s)
	}
	if !f.Has("q") {
		p.Printf("%s\n", text)
	}
	switch {
	case verb == "is-failed":
		return 1 - boolInt(text == "failed")
	case text == "active":
		return 0
	}
	return 3
}

func activeText(s *service) string {
	switch s.state {
	case Running:
		return "active"
	case Failed:
		return "failed"
	}
	return "inactive"
}

func subText(s *service) string {
	switch s.state {
	case Running:
		return "running"
	case Failed:
		return "failed"
	}
	return "dead"
}

// unitStatus prints the status of a unit. The lock must be held.
func (m *Machine) unitStatus(p *program.Proc, s *service, unit string) int {
	if s == nil {
		p.Later("Unit %s could not be found.", unit)
		return 4
	}
	mark := map[string]string{Running: "●", Failed: "×", Stopped: "○"}[s.state]
	p.Printf("%s %s - %s\n", mark, unit, s.text)
	p.Printf("     Loaded: loaded (/usr/lib/systemd/system/%s; %s; preset: disabled)\n", unit, enabledText(s))
	since := ""
	if !s.since.IsZero() {
		since = fmt.Sprintf(" since %s; %s ago", s.since.UTC().Format("Mon 2006-01-02 15:04:05 MST"), ago(m.now().Sub(s.since)))
	}
	switch s.state {
	case Running:
		p.Printf("     Active: active (running)%s\n   Main PID: %d (%s)\n      Tasks: %d (limit: 4538)\n", since, s.pid, commandName(s.command), 1+m.spec.vary("tasks"+s.name, 9))
		p.Printf("     Memory: %d.%dM\n        CPU: %dms\n", 2+m.spec.vary("memory"+s.name, 90), m.spec.vary("m"+s.name, 10), 20+m.spec.vary("c"+s.name, 900))
		p.Printf("     CGroup: /system.slice/%s\n", unit)
		m.cgroup(p, s)
	case Failed:
		p.Printf("     Active: failed (Result: %s)%s\n        CPU: 8ms\n", s.result, since)
	default:
		p.Printf("     Active: inactive (dead)%s\n", since)
	}
	var lines []entry
	for _, e := range m.journal {
		if e.unit == s.name {
			lines = append(lines, e)
		}
	}
	if len(lines) > 0 {
		p.Printf("\n")
	}
	for _, e := range lines[max(0, len(lines)-10):] {
		p.Printf("%s\n", m.entryText(e, false))
	}
	if s.state == Running {
		return 0
	}
	return 3
}

func (m *Machine) cgroup(p *program.Proc, s *service) {
	var pids []int
	for _, pid := range slices.Sorted(maps.Keys(m.procs)) {
		if m.procs[pid].service == s.name {
			pids = append(pids, pid)
		}
	}
	for i, pid := range pids {
		branch := "├─"
		if i == len(pids)-1 {
			branch = "└─"
		}
		p.Printf("             %s%d %q\n", branch, pid, m.procs[pid].command)
	}
}

// ago prints a duration as systemd does.
func ago(d time.Duration) string {
	d = d.Truncate(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dmin", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh %dmin", int(d.Hours()), int(d.Minutes())%60)
	case d < 7*24*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours())/24)
	}
	return fmt.Sprintf("%d weeks %d days", int(d.Hours())/168, int(d.Hours())/24%7)
}

// show prints properties. The lock must be held.
func (m *Machine) show(p *program.Proc, f *program.Flags, s *service, unit string) int {
	load, active, sub, text, file, pid := "not-found", "inactive", "dead", unit, "", 0
	if s != nil {
		load, active, sub, text, file, pid = "loaded", activeText(s), subText(s), s.text, enabledText(s), s.pid
	}
	props := []struct{ name, value string }{
		{"Id", unit},
		{"Description", text},
		{"LoadState", load},
		{"ActiveState", active},
		{"SubState", sub},
		{"UnitFileState", file},
		{"MainPID", fmt.Sprint(pid)},
	}
	var want []string
	for _, list := range f.Values("p") {
		want = append(want, strings.Split(list, ",")...)
	}
	for _, prop := range props {
		switch {
		case len(want) > 0 && !slices.Contains(want, prop.name):
		case f.Has("V"):
			p.Printf("%s\n", prop.value)
		default:
			p.Printf("%s=%s\n", prop.name, prop.value)
		}
	}
	return 0
}

func (m *Machine) countFailed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, s := range m.services {
		n += boolInt(s.state == Failed)
	}
	return n
}

func (m *Machine) systemState() string {
	if m.countFailed() > 0 {
		return "degraded"
	}
	return "running"
}

// manage is the verbs about the manager itself.
func (m *Machine) manage(p *program.Proc, verb string, args []string) int {
	if verb == "is-system-running" {
		state := m.systemState()
		p.Printf("%s\n", state)
		return boolInt(state != "running")
	}
	if rootOnly(p, "Failed to reload daemon: Interactive authentication required.") {
		return 1
	}
	if verb == "reset-failed" {
		m.mu.Lock()
		defer m.mu.Unlock()
		for name, s := range m.services {
			if s.state == Failed && (len(args) == 0 || slices.Contains(args, name) || slices.Contains(args, name+".service")) {
				s.state = Stopped
			}
		}
	}
	return 0
}

func (m *Machine) listUnits(p *program.Proc, f *program.Flags) int {
	if t := f.Value("t", "service"); t != "service" {
		io.WriteString(p.Out(), "0 loaded units listed. Pass --all to see loaded but inactive units, too.\n")
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var rows []*service
	state := f.Value("s", "")
	for _, name := range slices.Sorted(maps.Keys(m.services)) {
		s := m.services[name]
		failed := f.Has("F") || state == "failed"
		switch {
		case failed && s.state != Failed,
			(state == "running" || state == "active") && s.state != Running,
			!failed && state == "" && s.state == Stopped && !f.Has("a"):
			continue
		}
		rows = append(rows, s)
	}
	width := 10
	for _, s := range rows {
		width = max(width, len(s.name)+8)
	}
	if !f.Has("L") {
		p.Printf("  %-*s LOAD   ACTIVE   SUB     DESCRIPTION\n", width, "UNIT")
	}
	for _, s := range rows {
		mark := " "
		if s.state == Failed && !f.Has("X") {
			mark = "●"
		}
		p.Printf("%s %-*s loaded %-8s %-7s %s\n", mark, width, s.name+".service", activeText(s), subText(s), s.text)
	}
	if !f.Has("L") {
		p.Printf("\n%d loaded units listed.\n", len(rows))
	}
	return 0
}

func (m *Machine) listUnitFiles(p *program.Proc) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.Printf("%-36s STATE    PRESET\n", "UNIT FILE")
	for _, name := range slices.Sorted(maps.Keys(m.services)) {
		p.Printf("%-36s %-8s disabled\n", name+".service", enabledText(m.services[name]))
	}
	p.Printf("\n%d unit files listed.\n", len(m.services))
	return 0
}

// nginx is the program of that name: version, test and signals.
func (m *Machine) nginx(_ context.Context, p *program.Proc) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	version := m.packages["nginx"]
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "1:"), "-")
	args := strings.Join(p.Args[1:], " ")
	switch args {
	case "-v", "-V":
		p.Later("nginx version: nginx/%s", version)
	case "-t":
		p.Later("nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful")
	case "-s reload", "-s stop", "-s quit":
		s := m.service("nginx")
		if p.Shell.Cred().User != rootUser || s == nil || s.state != Running {
			p.Later("nginx: [error] open() \"/run/nginx.pid\" failed (13: Permission denied)")
			return 1
		}
		if args == "-s reload" {
			m.signalService(s, posix.SIGHUP)
		} else {
			m.signalService(s, posix.SIGQUIT)
		}
	default:
		p.Later("nginx: the simulated nginx knows -v, -t and -s reload|stop|quit; use systemctl to start it")
		return 1
	}
	return 0
}
