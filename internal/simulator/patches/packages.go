package patches

import (
	"fmt"
	"strings"
	"sync"
)

// Package is what is patched by newer releases of itself: a package of a Linux
// system, a stream of Windows updates in which each replaces the one before, or a
// single update.
type Package struct {
	Product *Product
	Name    string
	// Essential packages are on every node, others on some.
	Essential bool
	// Needs is a package that must not be older, empty without one.
	Needs string

	source   string
	weeks    int
	epoch    int
	version  string
	section  string
	priority int
	noarch   bool
	boot     bool   // in use until the next start of the system
	set      string // Windows: OS, APPLICATION
	product  string // Windows: of applications
	title    string // Windows: a format for year, month and system
	number   int    // Windows: of the stream

	once     sync.Once
	releases []*Patch
}

// software is a package as Linux systems have it; deb is its name on Debian's kin
// when it is another.
type software struct {
	source, rpm, deb string
	weeks            int
	version          string
	section          string
	flags            string // e: essential, b: needs a boot, n: noarch
	needs            string
	epoch            int
}

var linux = []software{
	{"kernel", "kernel", "linux-image-generic", 3, "6.1.%d", "kernel", "eb", "", 0},
	{"openssl", "openssl", "openssl", 9, "3.0.8", "utils", "e", "openssl-libs", 1},
	{"openssl", "openssl-libs", "libssl3", 9, "3.0.8", "libs", "eb", "", 1},
	{"glibc", "glibc", "libc6", 14, "2.34", "libs", "eb", "", 0},
	{"systemd", "systemd", "systemd", 12, "252.%d", "admin", "eb", "", 0},
	{"curl", "curl", "curl", 8, "8.5.0", "web", "e", "libcurl", 0},
	{"curl", "libcurl", "libcurl4", 8, "8.5.0", "libs", "e", "", 0},
	{"sudo", "sudo", "sudo", 20, "1.9.15", "admin", "e", "", 0},
	{"openssh", "openssh", "openssh-client", 13, "8.7p1", "net", "e", "", 0},
	{"openssh", "openssh-server", "openssh-server", 13, "8.7p1", "net", "e", "openssh", 0},
	{"python", "python3", "python3", 7, "3.9.%d", "python", "e", "", 0},
	{"expat", "expat", "libexpat1", 15, "2.5.0", "libs", "e", "", 0},
	{"libxml2", "libxml2", "libxml2", 11, "2.10.4", "libs", "e", "", 0},
	{"krb5", "krb5-libs", "libkrb5-3", 16, "1.20.1", "libs", "e", "", 0},
	{"gnutls", "gnutls", "libgnutls30", 13, "3.8.0", "libs", "", "", 0},
	{"zlib", "zlib", "zlib1g", 30, "1.2.11", "libs", "e", "", 0},
	{"xz", "xz", "xz-utils", 26, "5.2.5", "utils", "e", "", 0},
	{"bash", "bash", "bash", 30, "5.2.15", "shells", "e", "", 0},
	{"bind", "bind-utils", "bind9-dnsutils", 8, "9.18.%d", "net", "", "", 32},
	{"vim", "vim-minimal", "vim-tiny", 5, "9.0.%d", "editors", "e", "", 2},
	{"less", "less", "less", 36, "608", "text", "e", "", 0},
	{"rsync", "rsync", "rsync", 26, "3.2.6", "net", "", "", 0},
	{"tar", "tar", "tar", 32, "1.34", "utils", "e", "", 2},
	{"ncurses", "ncurses-libs", "libtinfo6", 22, "6.2", "libs", "e", "", 0},
	{"sqlite", "sqlite-libs", "libsqlite3-0", 17, "3.40.0", "libs", "e", "", 0},
	{"pcre2", "pcre2", "libpcre2-8-0", 28, "10.40", "libs", "e", "", 0},
	{"glib", "glib2", "libglib2.0-0", 14, "2.74.7", "libs", "e", "", 0},
	{"libarchive", "libarchive", "libarchive13", 16, "3.5.3", "libs", "", "", 0},
	{"nss", "nss", "libnss3", 10, "3.90.0", "libs", "", "", 0},
	{"ca-certificates", "ca-certificates", "ca-certificates", 20, "2023.2.%d", "misc", "en", "", 0},
	{"tzdata", "tzdata", "tzdata", 9, "2024%d", "localization", "en", "", 0},
	{"cloud-init", "cloud-init", "cloud-init", 18, "22.2.2", "admin", "en", "", 0},
	{"dbus", "dbus", "dbus", 24, "1.12.28", "admin", "eb", "", 1},
	{"polkit", "polkit", "policykit-1", 30, "121", "admin", "", "", 0},
	{"git", "git", "git", 10, "2.40.1", "vcs", "", "", 0},
	{"perl", "perl-libs", "perl-base", 15, "5.32.1", "perl", "", "", 4},
	{"nginx", "nginx", "nginx", 12, "1.24.0", "httpd", "", "", 1},
	{"java", "java-17-amazon-corretto", "openjdk-17-jre-headless", 13, "17.0.%d", "java", "", "", 1},
	{"postgresql", "postgresql15", "postgresql-14", 13, "15.%d", "database", "", "", 0},
	{"docker", "docker", "docker.io", 9, "25.0.%d", "admin", "", "", 0},
	{"containerd", "containerd", "containerd", 9, "1.7.%d", "admin", "", "", 0},
	{"microcode", "microcode_ctl", "intel-microcode", 13, "2.1", "kernel", "eb", "", 2},
	{"chrony", "chrony", "chrony", 28, "4.3", "net", "", "", 0},
}

// Packages returns the packages of a product.
func (p *Product) Packages() []*Package {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.packages != nil {
		return p.packages
	}
	switch p.style() {
	case kb:
		p.packages = p.windows()
	case mac:
		for _, s := range []software{
			{"macos", "macOS", "", 6, p.version + ".%d", "", "eb", "", 0},
			{"safari", "Safari", "", 5, "18.%d", "", "e", "", 0},
			{"xprotect", "XProtectPlistConfigData", "", 2, "21%d", "", "e", "", 0},
			{"mrt", "GatekeeperConfigData", "", 6, "18%d", "", "e", "", 0},
			{"curl", "curl", "", 8, "8.5.0", "", "e", "", 0},
			{"clt", "CommandLineTools", "", 16, "15.%d", "", "", "", 0},
			{"git", "git", "", 10, "2.40.1", "", "", "", 0},
			{"openssl", "openssl@3", "", 9, "3.0.8", "", "", "", 0},
		} {
			p.packages = append(p.packages, p.linuxPackage(s))
		}
	default:
		for _, s := range linux {
			p.packages = append(p.packages, p.linuxPackage(s))
		}
	}
	return p.packages
}

// Package finds a package by its name.
func (p *Product) Package(name string) (*Package, bool) {
	for _, q := range p.Packages() {
		if q.Name == name {
			return q, true
		}
	}
	return nil, false
}

func (p *Product) linuxPackage(s software) *Package {
	q := &Package{
		Product: p, Name: s.rpm, source: s.source, weeks: s.weeks, epoch: s.epoch, version: s.version, section: s.section,
		Essential: strings.Contains(s.flags, "e"), boot: strings.Contains(s.flags, "b"), noarch: strings.Contains(s.flags, "n"),
		priority: hash("priority", s.source) % 5, Needs: s.needs,
	}
	if p.style() == deb {
		q.Name, q.epoch = s.deb, 0
		for _, n := range linux {
			if n.rpm == s.needs && s.needs != "" {
				q.Needs = n.deb
			}
		}
	}
	return q
}

// Extra returns a package beyond those of Packages, for nodes that are said to
// have more: the same for the same number, from 0 on.
func (p *Product) Extra(i int) *Package {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.extra) <= i {
		p.extra = append(p.extra, p.extraPackage(len(p.extra)))
	}
	return p.extra[i]
}

func (p *Product) extraPackage(i int) *Package {
	if p.style() == kb {
		return p.singleUpdate(i + 40)
	}
	words := []string{"yaml", "six", "requests", "urllib3", "jinja2", "idna", "attrs", "babel", "chardet", "dateutil", "lxml", "netaddr", "ply", "pytz", "rpm", "setuptools"}
	prefixes := []string{"python3-", "perl-", "libX11-", "texlive-", "golang-"}
	name := prefixes[i/len(words)%len(prefixes)] + words[i%len(words)]
	if n := i / len(words) / len(prefixes); n > 0 {
		name = fmt.Sprintf("%s%d", name, n+1)
	}
	return p.linuxPackage(software{source: name, rpm: name, deb: name, weeks: 8 + i%17, version: fmt.Sprintf("%d.%d.0", 1+i%4, i%10), section: "libs"})
}
