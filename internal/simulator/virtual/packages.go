package virtual

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// catalogue is what the repositories of a virtual node offer: name to version
// on Red Hat style and on Debian style systems.
var catalogue = map[string][2]string{
	"bash": {"5.2.15-1", "5.1-6ubuntu1.1"}, "coreutils": {"8.32-30", "8.32-4.1ubuntu1"}, "curl": {"8.5.0-1", "7.81.0-1ubuntu1.20"},
	"docker": {"25.0.6-1", "24.0.7-0ubuntu4"}, "git": {"2.40.1-1", "1:2.34.1-1ubuntu1.11"}, "htop": {"3.2.1-87", "3.0.5-7build2"},
	"httpd": {"2.4.62-1", ""}, "apache2": {"", "2.4.52-1ubuntu4.12"}, "jq": {"1.7.1-49", "1.6-2.1ubuntu3"},
	"kernel": {"6.1.115-126.197", ""}, "nginx": {"1:1.26.2-1", "1.18.0-6ubuntu14.5"}, "openssl": {"1:3.0.8-1", "3.0.2-0ubuntu1.18"},
	"openssh-server": {"8.7p1-8", "1:8.9p1-3ubuntu0.10"}, "postgresql15": {"15.8-1", ""}, "postgresql": {"", "14+238"},
	"python3": {"3.9.16-1", "3.10.6-1~22.04.1"}, "redis6": {"6.2.14-1", ""}, "redis-server": {"", "5:6.0.16-1ubuntu1"},
	"sudo": {"1.9.15-1", "1.9.9-1ubuntu2.4"}, "systemd": {"252.23-2", "249.11-0ubuntu3.12"}, "telnet": {"1:0.17-83", "0.17-44build1"},
	"tmux": {"3.2a-3", "3.2a-4ubuntu0.2"}, "tree": {"1.8.0-6", "2.0.2-1"}, "vim": {"2:9.1.785-1", "2:8.2.3995-1ubuntu2.21"},
	"wget": {"1.21.3-1", "1.21.2-2ubuntu1.1"}, "amazon-ssm-agent": {"3.3.1345.0-1", "3.3.1345.0-1"},
}

// updates are the packages for which a newer version is offered.
var updates = map[string][2]string{
	"curl":    {"8.5.0-1.2", "7.81.0-1ubuntu1.21"},
	"openssl": {"1:3.0.8-1.3", "3.0.2-0ubuntu1.19"},
}

// provides are services that come with packages.
var provides = map[string]string{
	"nginx": "nginx", "httpd": "httpd", "apache2": "apache2", "docker": "docker", "postgresql15": "postgresql",
	"postgresql": "postgresql", "redis6": "redis", "redis-server": "redis",
}

func (m *Machine) packagePrograms() map[string]program.Func {
	if m.spec.debian() {
		return map[string]program.Func{"apt": m.apt, "apt-get": m.apt, "dpkg": m.dpkg, "apt-cache": m.aptCache}
	}
	return map[string]program.Func{"yum": m.dnf, "dnf": m.dnf, "rpm": m.rpm}
}

// version returns the version of a catalogue entry on this node.
func (m *Machine) version(v [2]string) string { return v[boolInt(m.spec.debian())] }

// release is what the distribution appends to versions.
func (m *Machine) release() string {
	switch {
	case strings.Contains(m.spec.Distro, "2023"):
		return ".amzn2023.0.1"
	case strings.HasPrefix(m.spec.Distro, "Amazon Linux 2"):
		return ".amzn2"
	}
	return ".el9"
}

// fullVersion adds the release where the distribution has one.
func (m *Machine) fullVersion(v string) string {
	if m.spec.debian() || strings.Contains(v, ".amzn") || strings.Contains(v, ".el") {
		return v
	}
	return v + m.release()
}

// outdated returns the installed packages with an update, in order.
func (m *Machine) outdated() []string {
	var names []string
	for name, v := range updates {
		if have, ok := m.packages[name]; ok && m.version(v) != "" && have != m.fullVersion(m.version(v)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// addPackage installs a package with its service and program. The lock must be
// held.
func (m *Machine) addPackage(name, version string) {
	m.packages[name] = version
	if svc := provides[name]; svc != "" && m.services[svc] == nil {
		m.services[svc] = m.newService(svc, Stopped)
	}
	bin := "/usr/bin/" + name
	if name == "nginx" {
		bin = "/usr/sbin/nginx"
	}
	if _, err := m.fs.Lstat(memfs.Cred{}, bin); err != nil {
		// Cannot fail: the directory exists and we are root.
		_ = m.fs.WriteFile(bin, magic+name+"\n", 0o755, memfs.Cred{})
	}
}

// removePackage is the opposite. The lock must be held.
func (m *Machine) removePackage(name string) {
	delete(m.packages, name)
	if svc := provides[name]; svc != "" && m.services[svc] != nil {
		m.stop(m.services[svc])
		delete(m.services, svc)
	}
	_ = m.fs.Remove(memfs.Cred{}, "/usr/bin/"+name) // not every package has one
	_ = m.fs.Remove(memfs.Cred{}, "/usr/sbin/"+name)
}

// confirm asks before a change unless yes was given.
func confirm(p *program.Proc, yes bool, question string) bool {
	if yes {
		return true
	}
	p.Printf("%s", question)
	p.Flush()
	answer := ""
	p.EachLine(p.Stdin, func(line []byte, _ bool) bool {
		answer = strings.ToLower(strings.TrimSpace(string(line)))
		return false
	})
	return answer == "y" || answer == "yes"
}

// resolve splits names into those to install and those that do not exist.
func (m *Machine) resolve(names []string) (add []string, unknown []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		_, have := m.packages[name]
		switch {
		case have:
		case m.version(catalogue[name]) != "":
			add = append(add, name)
		default:
			unknown = append(unknown, name)
		}
	}
	return add, unknown
}

func (m *Machine) dnf(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("yqvC assumeyes=y quiet=q releasever=R: refresh=r security=s installed=I available=V enablerepo=E:")
	if st >= 0 {
		return st
	}
	if len(args) == 0 {
		p.Errorf("usage: %s [options] COMMAND", p.Name())
		return 1
	}
	verb, args := args[0], args[1:]
	switch verb {
	case "list":
		return m.dnfList(p, f, args)
	case "check-update", "check-upgrade":
		return m.dnfCheck(p)
	case "info":
		return m.dnfInfo(p, args)
	case "repolist":
		p.Printf("repo id                repo name\namazonlinux            %s repository\n", m.spec.Distro)
		return 0
	case "clean", "makecache":
		p.Printf("Metadata cache created.\n")
		return 0
	case "search":
		return m.searchPackages(p, args)
	case "install", "update", "upgrade", "remove", "erase", "reinstall":
		if rootOnly(p, "Error: This command has to be run with superuser privileges (under the root user on most systems).") {
			return 1
		}
		return m.dnfChange(p, f, verb, args)
	}
	fmt.Fprintf(p.Stderr, "No such command: %s. Please use /usr/bin/%s --help\n", verb, p.Name())
	return 1
}

func (m *Machine) dnfList(p *program.Proc, f *program.Flags, args []string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	installed, available := true, true
	if len(args) > 0 {
		switch args[0] {
		case "installed":
			available, args = false, args[1:]
		case "available":
			installed, args = false, args[1:]
		case "updates":
			return m.printUpdates(p)
		}
	}
	installed, available = installed && !f.Has("V"), available && !f.Has("I")
	match := func(name string) bool { return len(args) == 0 || slices.Contains(args, name) }
	n := 0
	row := func(name, version, repo string) {
		n++
		p.Printf("%-40s %-34s %s\n", name+".x86_64", version, repo)
	}
	if installed {
		p.Printf("Installed Packages\n")
		for _, name := range slices.Sorted(maps.Keys(m.packages)) {
			if match(name) {
				row(name, m.packages[name], "@System")
			}
		}
	}
	if available {
		p.Printf("Available Packages\n")
		for _, name := range slices.Sorted(maps.Keys(catalogue)) {
			if _, have := m.packages[name]; !have && match(name) && m.version(catalogue[name]) != "" {
				row(name, m.fullVersion(m.version(catalogue[name])), "amazonlinux")
			}
		}
	}
	if n == 0 {
		p.Later("Error: No matching Packages to list")
		return 1
	}
	return 0
}

// printUpdates lists what is outdated. The lock must be held.
func (m *Machine) printUpdates(p *program.Proc) int {
	for _, name := range m.outdated() {
		p.Printf("%-40s %-34s amazonlinux\n", name+".x86_64", m.fullVersion(m.version(updates[name])))
	}
	return 0
}

func (m *Machine) dnfCheck(p *program.Proc) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.outdated()) == 0 {
		return 0
	}
	p.Printf("\n")
	m.printUpdates(p)
	return 100
}

func (m *Machine) dnfInfo(p *program.Proc, args []string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range args {
		version, title := m.packages[name], "Installed Packages"
		if version == "" {
			version, title = m.fullVersion(m.version(catalogue[name])), "Available Packages"
		}
		if version == "" || m.version(catalogue[name]) == "" && m.packages[name] == "" {
			p.Later("Error: No matching Packages to list")
			return 1
		}
		v, rel, _ := strings.Cut(version, "-")
		p.Printf("%s\nName         : %s\nVersion      : %s\nRelease      : %s\nArchitecture : x86_64\nRepository   : amazonlinux\n", title, name, v, rel)
	}
	return 0
}

func (m *Machine) searchPackages(p *program.Proc, args []string) int {
	for _, name := range slices.Sorted(maps.Keys(catalogue)) {
		if len(args) > 0 && strings.Contains(name, args[0]) && m.version(catalogue[name]) != "" {
			p.Printf("%s.x86_64 : %s (simulated)\n", name, name)
		}
	}
	return 0
}

func (m *Machine) dnfChange(p *program.Proc, f *program.Flags, verb string, args []string) int {
	add, unknown := m.resolve(args)
	m.mu.Lock()
	old := m.outdated()
	m.mu.Unlock()
	title := "Installing:"
	switch verb {
	case "update", "upgrade":
		title, unknown, add = "Upgrading:", nil, nil
		for _, name := range old {
			if len(args) == 0 || slices.Contains(args, name) {
				add = append(add, name)
			}
		}
	case "remove", "erase":
		title, add = "Removing:", nil
		for _, name := range args {
			if !slices.Contains(unknown, name) && m.hasPackage(name) {
				add = append(add, name)
			}
		}
		unknown = nil
	}
	for _, name := range unknown {
		fmt.Fprintf(p.Stderr, "No match for argument: %s\n", name)
	}
	if len(unknown) > 0 {
		io.WriteString(p.Stderr, "Error: Unable to find a match: "+strings.Join(unknown, " ")+"\n")
		return 1
	}
	if len(add) == 0 {
		p.Printf("Dependencies resolved.\nNothing to do.\nComplete!\n")
		return 0
	}
	p.Printf("Dependencies resolved.\n%s\n Package              Arch    Version                        Repository\n%s\n%s\n", strings.Repeat("=", 80), strings.Repeat("=", 80), title)
	for _, name := range add {
		p.Printf(" %-20s x86_64  %-30s amazonlinux\n", name, m.candidate(name))
	}
	p.Printf("\nTransaction Summary\n%s\n%d Package(s)\n\n", strings.Repeat("=", 80), len(add))
	if !confirm(p, f.Has("y"), "Is this ok [y/N]: ") {
		p.Printf("Operation aborted.\n")
		return 1
	}
	m.apply(title == "Removing:", add)
	past := map[string]string{"Installing:": "Installed:", "Upgrading:": "Upgraded:", "Removing:": "Removed:"}[title]
	p.Printf("Running transaction\n%s\n  %s\n\nComplete!\n", past, strings.Join(add, "\n  "))
	return 0
}

func (m *Machine) hasPackage(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.packages[name]
	return ok
}

// candidate is the version an installation or update would bring.
func (m *Machine) candidate(name string) string {
	if v := m.version(updates[name]); v != "" {
		return m.fullVersion(v)
	}
	return m.fullVersion(m.version(catalogue[name]))
}

func (m *Machine) apply(remove bool, names []string) {
	for _, name := range names {
		version := m.candidate(name)
		m.mu.Lock()
		if remove {
			m.removePackage(name)
		} else {
			m.addPackage(name, version)
		}
		m.mu.Unlock()
	}
}

func (m *Machine) rpm(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("qaivlfeUh query=q all=a info=i")
	if st >= 0 {
		return st
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case f.Has("q") && f.Has("a"):
		for _, name := range slices.Sorted(maps.Keys(m.packages)) {
			if len(args) == 0 || strings.Contains(name, strings.Trim(args[0], "*")) {
				p.Printf("%s-%s.x86_64\n", name, noEpoch(m.packages[name]))
			}
		}
	case f.Has("q"):
		status := 0
		for _, name := range args {
			v, ok := m.packages[name]
			if !ok {
				p.Printf("package %s is not installed\n", name)
				status = 1
				continue
			}
			p.Printf("%s-%s.x86_64\n", name, noEpoch(v))
		}
		return status
	default:
		p.Later("rpm: the simulated rpm knows -qa and -q NAME; use dnf to change packages")
		return 1
	}
	return 0
}

func noEpoch(version string) string {
	if _, v, ok := strings.Cut(version, ":"); ok {
		return v
	}
	return version
}

// apt is apt and apt-get.
func (m *Machine) apt(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("yqs assume-yes=y yes=y quiet=q installed=I upgradable=U no-install-recommends=n purge=P")
	if st >= 0 {
		return st
	}
	if len(args) == 0 {
		p.Errorf("usage: %s [options] command", p.Name())
		return 100
	}
	verb, args := args[0], args[1:]
	switch verb {
	case "list":
		return m.aptList(p, f, args)
	case "search":
		return m.searchPackages(p, args)
	case "show", "policy":
		return m.dnfInfo(p, args)
	case "update", "install", "upgrade", "full-upgrade", "dist-upgrade", "remove", "purge", "autoremove", "clean":
	default:
		fmt.Fprintf(p.Stderr, "E: Invalid operation %s\n", verb)
		return 100
	}
	lock := "/var/lib/dpkg/lock-frontend"
	if verb == "update" {
		lock = "/var/lib/apt/lists/lock"
	}
	if rootOnly(p, "E: Could not open lock file "+lock+" - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock ("+lock+"), are you root?") {
		return 100
	}
	switch verb {
	case "update":
		m.mu.Lock()
		n := len(m.outdated())
		m.mu.Unlock()
		p.Printf("Hit:1 http://%s.ec2.archive.ubuntu.com/ubuntu jammy InRelease\nReading package lists... Done\nBuilding dependency tree... Done\n%d packages can be upgraded. Run 'apt list --upgradable' to see them.\n", m.spec.Region, n)
		return 0
	case "clean":
		return 0
	}
	return m.aptChange(p, f, verb, args)
}

func (m *Machine) aptChange(p *program.Proc, f *program.Flags, verb string, args []string) int {
	p.Printf("Reading package lists... Done\nBuilding dependency tree... Done\nReading state information... Done\n")
	var names []string
	remove := false
	switch verb {
	case "install":
		add, unknown := m.resolve(args)
		for _, name := range unknown {
			p.Flush()
			fmt.Fprintf(p.Stderr, "E: Unable to locate package %s\n", name)
		}
		if len(unknown) > 0 {
			return 100
		}
		names = add
	case "remove", "purge":
		remove = true
		for _, name := range args {
			if m.hasPackage(name) {
				names = append(names, name)
			}
		}
	case "upgrade", "full-upgrade", "dist-upgrade":
		m.mu.Lock()
		names = m.outdated()
		m.mu.Unlock()
	}
	if len(names) == 0 {
		p.Printf("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")
		return 0
	}
	word := "NEW packages will be installed"
	if remove {
		word = "packages will be REMOVED"
	} else if verb != "install" {
		word = "packages will be upgraded"
	}
	p.Printf("The following %s:\n  %s\n", word, strings.Join(names, " "))
	if !confirm(p, f.Has("y"), "Do you want to continue? [Y/n] ") {
		p.Printf("Abort.\n")
		return 1
	}
	for _, name := range names {
		if !remove {
			p.Printf("Unpacking %s (%s) ...\nSetting up %s (%s) ...\n", name, m.candidate(name), name, m.candidate(name))
		} else {
			p.Printf("Removing %s ...\n", name)
		}
	}
	m.apply(remove, names)
	return 0
}

func (m *Machine) aptList(p *program.Proc, f *program.Flags, args []string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.Printf("Listing... Done\n")
	if f.Has("U") {
		for _, name := range m.outdated() {
			p.Printf("%s/jammy-updates %s amd64 [upgradable from: %s]\n", name, m.version(updates[name]), m.packages[name])
		}
		return 0
	}
	for _, name := range slices.Sorted(maps.Keys(catalogue)) {
		v, have := m.packages[name]
		if len(args) > 0 && !slices.Contains(args, name) {
			continue
		}
		switch {
		case have:
			p.Printf("%s/jammy,now %s amd64 [installed]\n", name, v)
		case !f.Has("I") && m.version(catalogue[name]) != "":
			p.Printf("%s/jammy %s amd64\n", name, m.version(catalogue[name]))
		}
	}
	return 0
}

func (m *Machine) aptCache(_ context.Context, p *program.Proc) int {
	if len(p.Args) > 2 && p.Args[1] == "search" {
		return m.searchPackages(p, p.Args[2:])
	}
	if len(p.Args) > 2 {
		return m.dnfInfo(p, p.Args[2:])
	}
	return 0
}

func (m *Machine) dpkg(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("lsi list=l status=s")
	if st >= 0 {
		return st
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case f.Has("l"):
		p.Printf("Desired=Unknown/Install/Remove/Purge/Hold\n||/ %-24s %-30s %-12s Description\n+++-========================-==============================-============-===========\n", "Name", "Version", "Architecture")
		for _, name := range slices.Sorted(maps.Keys(m.packages)) {
			if len(args) == 0 || slices.Contains(args, name) {
				p.Printf("ii  %-24s %-30s %-12s %s\n", name, m.packages[name], "amd64", name)
			}
		}
	case f.Has("s") && len(args) > 0:
		v, ok := m.packages[args[0]]
		if !ok {
			p.Later("dpkg-query: package '%s' is not installed and no information is available", args[0])
			return 1
		}
		p.Printf("Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n", args[0], v)
	default:
		p.Later("dpkg: the simulated dpkg knows -l and -s NAME; use apt to change packages")
		return 2
	}
	return 0
}
