package virtual

import (
	"context"
	"hash/fnv"
	"maps"
	"net"
	"strings"
	"time"
)

// Operating systems of a node.
const (
	Linux   = "linux"
	Windows = "windows"
	MacOS   = "macos"
)

// States of a service.
const (
	Running = "running"
	Stopped = "stopped"
	Failed  = "failed"
)

// DialFunc connects to an address as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// Spec describes a node. Every zero field has a default that fits the others,
// so that the zero Spec is a working Amazon Linux node.
type Spec struct {
	// Hostname defaults to ip-a-b-c-d of the address; on Windows EC2AMAZ-….
	Hostname string
	// NodeID defaults to i-0123456789abcdef0. It also decides what differs
	// between nodes without being specified: sizes, process ids, uptime.
	NodeID string
	// OS is Linux (the default), Windows or MacOS.
	OS string
	// Distro is the name in /etc/os-release, "Ubuntu 22.04" and the like. It
	// decides about the package manager.
	Distro string
	Kernel string
	IP     string
	Tags   map[string]string
	// Services are the ones that matter beside those every node has: name to
	// Running, Stopped or Failed. nil means a running nginx.
	Services map[string]string
	// Files are added to those of the operating system: path to content.
	Files map[string]string
	// Packages are installed ones beside the usual: name to version.
	Packages map[string]string
	// Clock is the time of the node; nil is time.Now.
	Clock func() time.Time
	// Boot is when it started; zero means some days before now.
	Boot time.Time
	// Dial reaches the network of the node, for curl, nc and the like. Those
	// fail when it is nil: the node then has no network but itself and the
	// instance metadata service.
	Dial DialFunc
	// Region is where the node says it is; "" means us-east-1.
	Region string
	// InstanceType defaults to t3.medium.
	InstanceType string
}

// withDefaults fills what is zero.
func (s Spec) withDefaults() Spec {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&s.NodeID, "i-0123456789abcdef0")
	set(&s.OS, Linux)
	set(&s.IP, "10.0.1.23")
	set(&s.Region, "us-east-1")
	set(&s.InstanceType, "t3.medium")
	switch s.OS {
	case Windows:
		set(&s.Distro, "Microsoft Windows Server 2022 Datacenter")
		set(&s.Kernel, "10.0.20348")
		set(&s.Hostname, "EC2AMAZ-"+strings.ToUpper(s.NodeID[max(0, len(s.NodeID)-7):]))
	case MacOS:
		set(&s.Distro, "macOS 14.7")
		set(&s.Kernel, "23.6.0")
	default:
		set(&s.Distro, "Amazon Linux 2023")
		set(&s.Kernel, defaultKernel(s.Distro))
	}
	set(&s.Hostname, "ip-"+strings.ReplaceAll(s.IP, ".", "-"))
	if s.Services == nil {
		s.Services = map[string]string{"nginx": Running}
		if s.OS == Windows {
			s.Services = map[string]string{"W3SVC": Running}
		}
	}
	s.Services, s.Packages, s.Tags = maps.Clone(s.Services), maps.Clone(s.Packages), maps.Clone(s.Tags)
	if s.Packages == nil {
		s.Packages = map[string]string{}
	}
	if s.Clock == nil {
		s.Clock = time.Now
	}
	if s.Boot.IsZero() {
		s.Boot = s.Clock().Add(-time.Duration(1+s.vary("boot", 60))*24*time.Hour - time.Duration(s.vary("hour", 1400))*time.Minute)
	}
	return s
}

func defaultKernel(distro string) string {
	switch {
	case strings.HasPrefix(distro, "Ubuntu"):
		return "6.8.0-1018-aws"
	case strings.HasPrefix(distro, "Debian"):
		return "6.1.0-27-cloud-amd64"
	case strings.HasPrefix(distro, "Amazon Linux 2") && !strings.Contains(distro, "2023"):
		return "5.10.227-219.884.amzn2.x86_64"
	case strings.HasPrefix(distro, "Red Hat"), strings.HasPrefix(distro, "Rocky"), strings.HasPrefix(distro, "CentOS"):
		return "5.14.0-503.11.1.el9_5.x86_64"
	}
	return "6.1.115-126.197.amzn2023.x86_64"
}

// debian reports whether the node uses apt.
func (s Spec) debian() bool {
	return strings.HasPrefix(s.Distro, "Ubuntu") || strings.HasPrefix(s.Distro, "Debian")
}

// vary returns a number below n that depends on the node and on what it is for.
func (s Spec) vary(what string, n int) int {
	h := fnv.New32a()
	h.Write([]byte(s.NodeID + "\x00" + what))
	return int(h.Sum32()>>1) % n
}
