package virtual

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

// sorted returns list in order.
func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// boot sets services, packages and processes up as of the boot time.
func (m *Machine) boot() {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.spec.Boot
	m.addProcess(process{pid: 1, user: rootUser, command: "/usr/lib/systemd/systemd --switched-root --system --deserialize=32", start: at, rss: 16800})
	for i, name := range []string{"kthreadd", "rcu_gp", "kworker/0:0H-events_highpri", "ksoftirqd/0", "migration/0"} {
		ppid := 2
		if i == 0 {
			ppid = 0
		}
		m.addProcess(process{pid: 2 + i*3, ppid: ppid, user: rootUser, command: "[" + name + "]", start: at})
	}
	m.nextPID = 1000 + m.spec.vary("pid", 800)
	for i, line := range m.kernelLog() {
		m.logAt(at.Add(time.Duration(i)*90*time.Millisecond), "", "kernel", 0, line)
	}
	m.bootServices(at.Add(4 * time.Second))
	if m.spec.OS == Linux {
		m.bootPackages()
	}
	m.nextPID += 20000 + m.spec.vary("pids", 5000)
}

func (m *Machine) bootServices(at time.Time) {
	states := map[string]string{}
	switch {
	case m.spec.OS == Windows:
		for name := range windowsServices {
			states[name] = Running
		}
		states["wuauserv"], states["Spooler"] = Stopped, Running
	case m.spec.OS == MacOS:
		states["amazon-ssm-agent"], states["sshd"] = Running, Running
	case m.spec.debian():
		for _, name := range []string{"systemd-journald", "amazon-ssm-agent", "ssh", "cron", "chronyd"} {
			states[name] = Running
		}
	default:
		for _, name := range []string{"systemd-journald", "amazon-ssm-agent", "sshd", "crond", "chronyd"} {
			states[name] = Running
		}
	}
	maps.Copy(states, m.spec.Services)
	for i, name := range slices.Sorted(maps.Keys(states)) {
		s := m.newService(strings.TrimSuffix(name, ".service"), states[name])
		m.services[s.name] = s
		if states[name] != Stopped {
			m.start(s, at.Add(time.Duration(i)*300*time.Millisecond))
		}
	}
}

func (m *Machine) bootPackages() {
	base := []string{"bash", "coreutils", "curl", "kernel", "openssl", "openssh-server", "sudo", "systemd", "amazon-ssm-agent", "python3"}
	for _, name := range base {
		if v := m.version(catalogue[name]); v != "" {
			m.packages[name] = m.fullVersion(v)
		}
	}
	for pkg, svc := range provides {
		if _, ok := m.services[svc]; ok && m.version(catalogue[pkg]) != "" {
			m.packages[pkg] = m.fullVersion(m.version(catalogue[pkg]))
		}
	}
	maps.Copy(m.packages, m.spec.Packages)
}

// buildUnix writes the file system of a Linux or macOS node.
func (m *Machine) buildUnix() {
	b := builder{m.fs}
	m.buildPrograms(b)
	m.buildAccounts(b)
	m.buildEtc(b)
	m.buildDevices(b)
	m.buildLogs(b)
	for _, dir := range []string{"/boot", "/mnt", "/media", "/opt", "/run", "/srv", "/usr/local/bin", "/usr/local/sbin", "/usr/share", "/var/cache", "/var/lib/amazon/ssm", "/var/spool", "/var/tmp", "/var/www/html"} {
		b.dir(dir, 0o755)
	}
	b.mode("/var/tmp", 0o777|os.ModeSticky)
	b.dir("/tmp", 0o777|os.ModeSticky)
	b.mode("/tmp", 0o777|os.ModeSticky)
	b.file("/usr/share/nginx/html/index.html", nginxPage, 0o644)
	for name, content := range m.spec.Files {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		owner := memfs.Cred{}
		if rest, ok := strings.CutPrefix(name, m.homeBase()); ok {
			owner.User, _, _ = strings.Cut(rest, "/")
		}
		// A path that cannot be made, "" say, is the scenario's mistake; it is
		// seen as a missing file.
		_ = m.fs.WriteFile(name, content, mode, owner)
		_ = m.fs.Chtimes(memfs.Cred{}, name, m.spec.Boot)
	}
}

const nginxPage = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>
</body>
</html>
`

func (m *Machine) homeBase() string {
	if m.spec.OS == MacOS {
		return "/Users/"
	}
	return "/home/"
}

// builder writes to a new file system, where nothing can fail but a path we
// wrote wrongly ourselves; tests look at the result.
type builder struct{ fs *memfs.FS }

func (b builder) dir(name string, mode os.FileMode) { _ = b.fs.MkdirAll(memfs.Cred{}, name, mode) }

func (b builder) mode(name string, mode os.FileMode) { _ = b.fs.Chmod(memfs.Cred{}, name, mode) }

func (b builder) file(name, content string, mode os.FileMode) {
	_ = b.fs.WriteFile(name, content, mode, memfs.Cred{})
}

func (b builder) link(target, name string) { _ = b.fs.Symlink(memfs.Cred{}, target, name) }

func (m *Machine) buildPrograms(b builder) {
	b.dir("/usr/bin", 0o755)
	b.dir("/usr/sbin", 0o755)
	b.dir("/usr/lib/systemd/system", 0o755)
	for _, dir := range []string{"bin", "sbin", "lib"} {
		b.link("usr/"+dir, "/"+dir)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	sbin := " nginx service ip ifconfig "
	for name := range m.programs {
		if name == "nginx" && m.services["nginx"] == nil {
			continue // not installed
		}
		dir := "/usr/bin/"
		if strings.Contains(sbin, " "+name+" ") {
			dir = "/usr/sbin/"
		}
		b.file(dir+name, magic+name+"\n", 0o755)
	}
	b.file("/usr/bin/amazon-ssm-agent", magic+"amazon-ssm-agent\n", 0o755)
	b.mode("/usr/bin/sudo", 0o755|os.ModeSetuid)
	for pkg := range m.packages {
		if pkg != "python3" && pkg != "kernel" && catalogue[pkg] == ([2]string{}) {
			b.file("/usr/bin/"+pkg, magic+pkg+"\n", 0o755)
		}
	}
}

func (m *Machine) buildAccounts(b builder) {
	admin := "ec2-user"
	switch {
	case strings.HasPrefix(m.spec.Distro, "Ubuntu"):
		admin = "ubuntu"
	case strings.HasPrefix(m.spec.Distro, "Debian"):
		admin = "admin"
	}
	base := m.homeBase()
	var passwd, group, shadow strings.Builder
	accounts := []struct {
		name, text, home, shell string
		id                      int
	}{
		{"root", "root", m.rootHome(), "/bin/bash", 0},
		{"bin", "bin", "/bin", "/sbin/nologin", 1},
		{"daemon", "daemon", "/sbin", "/sbin/nologin", 2},
		{"mail", "mail", "/var/spool/mail", "/sbin/nologin", 8},
		{"nobody", "Kernel Overflow User", "/", "/sbin/nologin", 65534},
		{"sshd", "Privilege-separated SSH", "/usr/share/empty.sshd", "/sbin/nologin", 74},
		{"nginx", "Nginx web server", "/var/lib/nginx", "/sbin/nologin", 990},
		{admin, "EC2 Default User", base + admin, "/bin/bash", 1000},
		{"ssm-user", "", base + "ssm-user", "/bin/sh", 1001},
	}
	for _, a := range accounts {
		fmt.Fprintf(&passwd, "%s:x:%d:%d:%s:%s:%s\n", a.name, a.id, a.id, a.text, a.home, a.shell)
		fmt.Fprintf(&group, "%s:x:%d:\n", a.name, a.id)
		fmt.Fprintf(&shadow, "%s:!!:19700::::::\n", a.name)
	}
	b.file("/etc/passwd", passwd.String(), 0o644)
	b.file("/etc/group", group.String(), 0o644)
	b.file("/etc/shadow", shadow.String(), 0)
	b.file("/etc/sudoers.d/ssm-agent-users", "# User rules for ssm-user\nssm-user ALL=(ALL) NOPASSWD:ALL\n", 0o440)
	b.dir(m.rootHome(), 0o700)
	b.mode(m.rootHome(), 0o700)
	for _, user := range []string{admin, "ssm-user"} {
		home := base + user
		b.dir(home, 0o755)
		for name, content := range map[string]string{
			".bashrc":       "# .bashrc\nexport PATH=$HOME/.local/bin:$HOME/bin:$PATH\n",
			".bash_profile": "# .bash_profile\nif [ -f ~/.bashrc ]; then\n\t. ~/.bashrc\nfi\n",
		} {
			_ = b.fs.WriteFile(home+"/"+name, content, 0o644, memfs.Cred{User: user})
		}
		b.mode(home, 0o700)
		_ = b.fs.Chown(memfs.Cred{}, home, user, user)
	}
}

func (m *Machine) rootHome() string {
	if m.spec.OS == MacOS {
		return "/var/root"
	}
	return "/root"
}

func (m *Machine) buildEtc(b builder) {
	b.file("/etc/hostname", m.spec.Hostname+"\n", 0o644)
	b.file("/etc/hosts", "127.0.0.1   localhost localhost.localdomain localhost4\n::1         localhost6 localhost6.localdomain6\n"+
		m.spec.IP+"   "+m.spec.Hostname+"."+m.domain()+" "+m.spec.Hostname+"\n", 0o644)
	b.file("/etc/resolv.conf", "search "+m.domain()+"\nnameserver 10.0.0.2\n", 0o644)
	b.file("/etc/fstab", "UUID=a1b2c3d4     /           xfs    defaults,noatime  1   1\n", 0o644)
	b.file("/etc/shells", "/bin/sh\n/bin/bash\n/usr/bin/sh\n/usr/bin/bash\n", 0o644)
	b.file("/etc/motd", "", 0o644)
	b.file("/etc/profile", "# /etc/profile\numask 022\n", 0o644)
	b.file("/etc/environment", "", 0o644)
	b.file("/etc/ssh/sshd_config", "# OpenSSH server configuration\nPermitRootLogin no\nPasswordAuthentication no\n", 0o600)
	b.file("/etc/amazon/ssm/seelog.xml.template", "<seelog type=\"adaptive\"/>\n", 0o644)
	b.file("/etc/nginx/nginx.conf", nginxConf, 0o644)
	name, version, _ := strings.Cut(m.spec.Distro, " ")
	if i := strings.LastIndexByte(m.spec.Distro, ' '); i > 0 {
		name, version = m.spec.Distro[:i], m.spec.Distro[i+1:]
	}
	id := map[string]string{"Amazon Linux": "amzn", "Ubuntu": "ubuntu", "Debian": "debian", "Red Hat Enterprise Linux": "rhel", "Rocky Linux": "rocky"}[name]
	if id == "" {
		id = strings.ToLower(strings.Fields(name + " x")[0])
	}
	b.file("/etc/os-release", fmt.Sprintf("NAME=%q\nVERSION=%q\nID=%q\nVERSION_ID=%q\nPRETTY_NAME=%q\n", name, version, id, version, m.spec.Distro), 0o644)
	if !m.spec.debian() {
		b.file("/etc/system-release", m.spec.Distro+"\n", 0o644)
	}
}

const nginxConf = `user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;

events {
    worker_connections 1024;
}

http {
    access_log /var/log/nginx/access.log;
    server {
        listen 80;
        server_name _;
        root /usr/share/nginx/html;
    }
}
`

// zeros is /dev/zero.
type zeros struct{}

func (zeros) Read(p []byte) (int, error)  { clear(p); return len(p), nil }
func (zeros) Write(p []byte) (int, error) { return len(p), nil }

// noise is /dev/urandom: the same for every opening, which keeps simulated
// nodes repeatable. It is not random.
type noise struct{ state uint64 }

func (n *noise) Read(p []byte) (int, error) {
	for i := range p {
		n.state ^= n.state << 13
		n.state ^= n.state >> 7
		n.state ^= n.state << 17
		p[i] = byte(n.state >> 24)
	}
	return len(p), nil
}

func (n *noise) Write(p []byte) (int, error) { return len(p), nil }

// full is /dev/full.
type full struct{ zeros }

func (full) Write([]byte) (int, error) { return 0, memfs.ErrNoSpace }

func (m *Machine) buildDevices(b builder) {
	b.dir("/dev/pts", 0o755)
	for name, open := range map[string]func() memfs.Device{
		"null": func() memfs.Device { return memfs.Discard{} },
		"zero": func() memfs.Device { return zeros{} },
		"full": func() memfs.Device { return full{} },
	} {
		_ = b.fs.AddDevice("/dev/"+name, open)
	}
	for _, name := range []string{"random", "urandom"} {
		_ = b.fs.AddDevice("/dev/"+name, func() memfs.Device {
			return &noise{uint64(m.spec.vary("noise", 1<<30)) + 0x9e3779b97f4a7c15}
		})
	}
	b.link("/proc/self/fd", "/dev/fd")
	b.dir("/proc/self", 0o555)
	for name, content := range map[string]func() string{
		"/proc/uptime": func() string {
			return fmt.Sprintf("%.2f %.2f\n", m.now().Sub(m.bootTime()).Seconds(), m.now().Sub(m.bootTime()).Seconds()*1.9)
		},
		"/proc/loadavg": func() string { a, b, c := m.load(); return a + " " + b + " " + c + " 1/132 4242\n" },
		"/proc/version": func() string { return "Linux version " + m.spec.Kernel + " (mockbuild@ip-10-0-53-6)\n" },
		"/proc/meminfo": func() string {
			total, _, free, cache := m.memory()
			return fmt.Sprintf("MemTotal:       %8d kB\nMemFree:        %8d kB\nMemAvailable:   %8d kB\nCached:         %8d kB\nSwapTotal:             0 kB\n", total, free, free+cache*9/10, cache)
		},
		"/proc/cpuinfo": func() string {
			var s strings.Builder
			for i := range 2 {
				fmt.Fprintf(&s, "processor\t: %d\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz\ncpu MHz\t\t: 2499.998\n\n", i)
			}
			return s.String()
		},
		"/proc/mounts": func() string { return "/dev/nvme0n1p1 / xfs rw,noatime 0 0\nproc /proc proc rw 0 0\n" },
	} {
		_ = b.fs.AddComputed(name, 0o444, func() []byte { return []byte(content()) })
	}
	b.dir("/proc/sys/kernel/random", 0o555)
	b.file("/proc/sys/kernel/hostname", m.spec.Hostname+"\n", 0o644)
	b.file("/proc/sys/kernel/osrelease", m.spec.Kernel+"\n", 0o444)
	b.file("/sys/devices/virtual/dmi/id/sys_vendor", "Amazon EC2\n", 0o444)
	b.file("/sys/devices/virtual/dmi/id/board_asset_tag", m.spec.NodeID+"\n", 0o444)
}

func (m *Machine) buildLogs(b builder) {
	b.dir("/var/log", 0o755)
	log := "/var/log/messages"
	if m.spec.debian() {
		log = "/var/log/syslog"
	}
	_ = b.fs.AddComputed(log, 0o640, m.messages)
	at := m.spec.Boot.Add(9 * time.Second)
	b.file("/var/log/amazon/ssm/amazon-ssm-agent.log", strings.Join([]string{
		at.UTC().Format("2006-01-02 15:04:05.0000") + " INFO Proxy environment variables:",
		at.UTC().Format("2006-01-02 15:04:05.0000") + " INFO amazon-ssm-agent - v3.3.1345.0",
		at.UTC().Format("2006-01-02 15:04:05.0000") + " INFO OS: linux, Arch: amd64",
		at.Add(time.Second).UTC().Format("2006-01-02 15:04:05.0000") + " INFO [amazon-ssm-agent] using named pipe channel for IPC",
		at.Add(2*time.Second).UTC().Format("2006-01-02 15:04:05.0000") + " INFO [ssm-agent-worker] [MessageService] [MGSInteractor] Successfully opened websocket connection to: ssmmessages." + m.spec.Region + ".amazonaws.com",
	}, "\n")+"\n", 0o644)
	if m.services["nginx"] == nil {
		return
	}
	b.file("/var/log/nginx/error.log", at.UTC().Format("2006/01/02 15:04:05")+" [notice] 1234#1234: nginx/1.26.2\n", 0o644)
	var access strings.Builder
	paths := []string{"/", "/health", "/api/orders", "/api/items?page=2", "/favicon.ico", "/login"}
	for i := range 40 {
		file := paths[m.spec.vary("p"+strconv.Itoa(i), len(paths))]
		status := 200
		switch m.spec.vary("s"+strconv.Itoa(i), 12) {
		case 0:
			status = 404
		case 1:
			status = 500
		}
		fmt.Fprintf(&access, "10.0.%d.%d - - [%s] \"GET %s HTTP/1.1\" %d %d \"-\" \"ELB-HealthChecker/2.0\"\n", i%4, 10+m.spec.vary("a"+strconv.Itoa(i), 200),
			m.now().Add(-time.Duration(40-i)*37*time.Second).UTC().Format("02/Jan/2006:15:04:05 -0700"), file, status, 120+m.spec.vary("b"+strconv.Itoa(i), 4000))
	}
	b.file("/var/log/nginx/access.log", access.String(), 0o644)
}

// appendFile adds text to a file as root, making it if needed.
func (m *Machine) appendFile(name, text string) {
	h, err := m.fs.Open(memfs.Cred{}, name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return // the directory was removed, or the disk is full
	}
	_, _ = io.WriteString(h, text)
}
