package virtual

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

func (m *Machine) systemPrograms() map[string]program.Func {
	set := map[string]program.Func{
		"arch": m.uname, "df": m.df, "groups": m.id, "hostname": m.hostname, "id": m.id,
		"uname": m.uname, "uptime": m.uptime, "w": m.who, "who": m.who, "whoami": m.id, "last": m.last,
		"logger": m.logger, "dmesg": m.dmesg, "crontab": crontab,
	}
	switch m.spec.OS {
	case MacOS:
		set["sw_vers"] = m.swVers
	case Linux:
		set["free"], set["hostnamectl"], set["lscpu"] = m.free, m.hostnamectl, m.lscpu
		set["lsblk"], set["mount"], set["vmstat"], set["lsb_release"] = m.lsblk, m.mount, m.vmstat, m.lsbRelease
	}
	return set
}

// memTotal is the memory of the instance in KiB.
func (m *Machine) memTotal() int {
	gib := 4
	for size, n := range map[string]int{"nano": 1, "micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16} {
		if strings.HasSuffix(m.spec.InstanceType, "."+size) {
			gib = n
		}
	}
	return gib*1024*1024 - 131072 - m.spec.vary("mem", 40000)
}

// memory returns total, used, free and cache in KiB.
func (m *Machine) memory() (total, used, free, cache int) {
	total = m.memTotal()
	used = total/8 + m.spec.vary("used", total/5)
	cache = total/4 + m.spec.vary("cache", total/5)
	return total, used, total - used - cache, cache
}

func (m *Machine) free(_ context.Context, p *program.Proc) int {
	f, _, st := p.Flags("hmgkbtw human=h mebi=m gibi=g")
	if st >= 0 {
		return st
	}
	total, used, free, cache := m.memory()
	show := func(kib int) string {
		switch {
		case f.Has("h"):
			switch {
			case kib == 0:
				return "0B"
			case kib >= 1<<20:
				return fmt.Sprintf("%.1fGi", float64(kib)/(1<<20))
			case kib >= 1024:
				return fmt.Sprintf("%dMi", kib/1024)
			}
			return fmt.Sprintf("%dKi", kib)
		case f.Has("m"):
			return fmt.Sprint(kib / 1024)
		case f.Has("g"):
			return fmt.Sprint(kib >> 20)
		case f.Has("b"):
			return fmt.Sprint(kib * 1024)
		}
		return fmt.Sprint(kib)
	}
	p.Printf("%18s %11s %11s %11s %11s %11s\n", "total", "used", "free", "shared", "buff/cache", "available")
	p.Printf("Mem:    %10s %11s %11s %11s %11s %11s\n", show(total), show(used), show(free), show(456), show(cache), show(free+cache*9/10))
	p.Printf("Swap:   %10s %11s %11s\n", show(0), show(0), show(0))
	return 0
}

func (m *Machine) uptimeText() string {
	up := m.now().Sub(m.bootTime())
	days := int(up.Hours()) / 24
	text := fmt.Sprintf("%d min", int(up.Minutes()))
	if up >= time.Hour {
		text = fmt.Sprintf("%2d:%02d", int(up.Hours())%24, int(up.Minutes())%60)
	}
	switch {
	case days == 1:
		text = "1 day, " + text
	case days > 1:
		text = fmt.Sprintf("%d days, %s", days, text)
	}
	users := len(m.sessions())
	plural := "s"
	if users == 1 {
		plural = ""
	}
	a, b, c := m.load()
	return fmt.Sprintf("%s up %s, %2d user%s,  load average: %s, %s, %s", m.now().UTC().Format("15:04:05"), text, users, plural, a, b, c)
}

func (m *Machine) load() (a, b, c string) {
	load := func(what string) string { return fmt.Sprintf("0.%02d", m.spec.vary(what, 90)) }
	return load("l1"), load("l5"), load("l15")
}

func (m *Machine) uptime(_ context.Context, p *program.Proc) int {
	f, _, st := p.Flags("ps pretty=p since=s")
	if st >= 0 {
		return st
	}
	switch {
	case f.Has("s"):
		p.Printf("%s\n", m.bootTime().UTC().Format("2006-01-02 15:04:05"))
	case f.Has("p"):
		up := m.now().Sub(m.bootTime())
		p.Printf("up %d days, %d hours, %d minutes\n", int(up.Hours())/24, int(up.Hours())%24, int(up.Minutes())%60)
	default:
		p.Printf(" %s\n", m.uptimeText())
	}
	return 0
}

// sessions returns the processes that have a terminal of their own: one each.
func (m *Machine) sessions() []process {
	var list []process
	seen := map[string]bool{}
	for _, x := range m.processes() {
		if x.tty != "" && !seen[x.tty] {
			seen[x.tty] = true
			list = append(list, x)
		}
	}
	return list
}

// who is also w.
func (m *Machine) who(_ context.Context, p *program.Proc) int {
	if p.Name() == "w" {
		p.Printf(" %s\nUSER     TTY        LOGIN@   IDLE   JCPU   PCPU  WHAT\n", m.uptimeText())
	}
	for _, x := range m.sessions() {
		if p.Name() == "w" {
			p.Printf("%-8s %-9s %7s    0.00s  0.02s  0.00s %s\n", x.user, x.tty, x.start.UTC().Format("15:04"), x.command)
		} else {
			p.Printf("%-8s %-12s %s\n", x.user, x.tty, x.start.UTC().Format("2006-01-02 15:04"))
		}
	}
	return 0
}

func (m *Machine) last(_ context.Context, p *program.Proc) int {
	for _, x := range m.sessions() {
		p.Printf("%-8s %-12s %-16s %s   still logged in\n", x.user, x.tty, "", x.start.UTC().Format("Mon Jan _2 15:04"))
	}
	p.Printf("reboot   system boot  %-16.16s %s   still running\n\nwtmp begins %s\n", m.spec.Kernel,
		m.bootTime().UTC().Format("Mon Jan _2 15:04"), m.bootTime().UTC().Format("Mon Jan _2 15:04:05 2006"))
	return 0
}

// numbers returns uid and gid of an account.
func numbers(user string) (uid, gid int) {
	switch user {
	case "", rootUser:
		return 0, 0
	case "ec2-user", "ubuntu", "admin":
		return 1000, 1000
	case "nginx", "www-data":
		return 990, 990
	case "nobody":
		return 65534, 65534
	}
	return 1001, 1001
}

// id is also whoami and groups.
func (m *Machine) id(_ context.Context, p *program.Proc) int {
	user := p.Shell.Cred().User
	f, args, st := p.Flags("unGgr user=u name=n group=g groups=G")
	if st >= 0 {
		return st
	}
	if len(args) > 0 {
		user = args[0]
		if m.home(user) == "" {
			p.Errorf("'%s': no such user", user)
			return 1
		}
	}
	if user == "" {
		user = rootUser
	}
	uid, gid := numbers(user)
	switch {
	case p.Name() == "whoami", p.Name() == "groups", f.Has("n"):
		p.Printf("%s\n", user)
	case f.Has("u"):
		p.Printf("%d\n", uid)
	case f.Has("g"), f.Has("G"):
		p.Printf("%d\n", gid)
	default:
		p.Printf("uid=%d(%s) gid=%d(%s) groups=%d(%s)\n", uid, user, gid, user, gid, user)
	}
	return 0
}

func (m *Machine) hostname(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("fIids fqdn=f long=f all-ip-addresses=I ip-address=i short=s domain=d")
	switch {
	case st >= 0:
		return st
	case len(args) > 0:
		p.Errorf("you must be root to change the host name")
		return 1
	case f.Has("I"), f.Has("i"):
		p.Printf("%s\n", m.spec.IP)
	case f.Has("d"):
		p.Printf("%s\n", m.domain())
	case f.Has("f"):
		p.Printf("%s.%s\n", m.spec.Hostname, m.domain())
	default:
		p.Printf("%s\n", m.spec.Hostname)
	}
	return 0
}

func (m *Machine) domain() string {
	if m.spec.Region == "us-east-1" {
		return "ec2.internal"
	}
	return m.spec.Region + ".compute.internal"
}

func (m *Machine) hostnamectl(_ context.Context, p *program.Proc) int {
	p.Printf(" Static hostname: %s\n       Icon name: computer-vm\n         Chassis: vm\n      Machine ID: ec2%029x\n", m.spec.Hostname, m.spec.vary("machine", 1<<30))
	p.Printf("  Virtualization: amazon\nOperating System: %s\n          Kernel: Linux %s\n    Architecture: x86-64\n Hardware Vendor: Amazon EC2\n  Hardware Model: %s\n",
		m.spec.Distro, m.spec.Kernel, m.spec.InstanceType)
	return 0
}

// uname is also arch.
func (m *Machine) uname(_ context.Context, p *program.Proc) int {
	f, _, st := p.Flags("asnrvmpio all=a kernel-name=s nodename=n kernel-release=r kernel-version=v machine=m operating-system=o")
	if st >= 0 {
		return st
	}
	kernel, version, machine, system := "Linux", "#1 SMP PREEMPT_DYNAMIC", "x86_64", "GNU/Linux"
	if m.spec.OS == MacOS {
		kernel, version, machine, system = "Darwin", "Darwin Kernel Version "+m.spec.Kernel, "arm64", "Darwin"
	}
	if p.Name() == "arch" {
		p.Printf("%s\n", machine)
		return 0
	}
	var parts []string
	add := func(flag, value string) {
		if f.Has(flag) || f.Has("a") {
			parts = append(parts, value)
		}
	}
	add("s", kernel)
	add("n", m.spec.Hostname)
	add("r", m.spec.Kernel)
	add("v", version)
	add("m", machine)
	add("p", machine)
	add("i", machine)
	add("o", system)
	if len(parts) == 0 {
		parts = []string{kernel}
	}
	p.Printf("%s\n", strings.Join(parts, " "))
	return 0
}

func (m *Machine) swVers(_ context.Context, p *program.Proc) int {
	_, version, _ := strings.Cut(m.spec.Distro, " ")
	p.Printf("ProductName:\t\tmacOS\nProductVersion:\t\t%s\nBuildVersion:\t\t23H124\n", version)
	return 0
}

func (m *Machine) lsbRelease(_ context.Context, p *program.Proc) int {
	name, version, _ := strings.Cut(m.spec.Distro, " ")
	p.Printf("Distributor ID:\t%s\nDescription:\t%s\nRelease:\t%s\n", name, m.spec.Distro, version)
	return 0
}

// disk returns the size and use of the root disk in KiB. The use includes what
// was written on the node, so that filling it shows.
func (m *Machine) disk() (size, used int64) {
	size = 8 << 20
	if m.spec.vary("disk", 2) == 1 {
		size = 20 << 20
	}
	bytes, _ := m.fs.Usage()
	return size, size/5 + int64(m.spec.vary("diskuse", int(size/2))) + bytes/1024
}

func (m *Machine) df(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("hTkmiaPt:x: human-readable=h print-type=T portability=P")
	if st >= 0 {
		return st
	}
	for _, a := range args {
		if _, err := p.Stat(a); err != nil {
			return p.FileError(a, err)
		}
	}
	size, used := m.disk()
	total := int64(m.memTotal())
	rows := []struct {
		dev, kind, at string
		size, used    int64
	}{
		{"devtmpfs", "devtmpfs", "/dev", 4096, 0},
		{"tmpfs", "tmpfs", "/dev/shm", total / 2, 0},
		{"tmpfs", "tmpfs", "/run", total / 5, 456},
		{"/dev/nvme0n1p1", "xfs", "/", size, used},
		{"tmpfs", "tmpfs", "/tmp", total / 2, 0},
	}
	title, width := "1K-blocks", 10
	if f.Has("h") {
		title, width = "Size", 5
	}
	show := func(kib int64) string {
		if !f.Has("h") {
			return fmt.Sprint(kib)
		}
		v, unit := float64(kib), 0
		for v >= 1024 && unit < 3 {
			v /= 1024
			unit++
		}
		switch {
		case kib == 0:
			return "0"
		case v < 10:
			return fmt.Sprintf("%.1f%c", v, "KMGT"[unit])
		}
		return fmt.Sprintf("%.0f%c", v, "KMGT"[unit])
	}
	kind := func(k string) string {
		if f.Has("T") {
			return fmt.Sprintf(" %-8s", k)
		}
		return ""
	}
	p.Printf("%-14s%s %*s %*s %*s Use%% Mounted on\n", "Filesystem", kind("Type"), width, title, width, "Used", width+1, "Avail")
	for _, r := range rows {
		if len(args) > 0 && r.at != "/" {
			continue
		}
		p.Printf("%-14s%s %*s %*s %*s %3d%% %s\n", r.dev, kind(r.kind), width, show(r.size), width, show(r.used), width+1, show(max(r.size-r.used, 0)),
			min(100, (r.used*100+r.size-1)/max(r.size, 1)), r.at)
	}
	return 0
}

func (m *Machine) lsblk(_ context.Context, p *program.Proc) int {
	size, _ := m.disk()
	p.Printf("NAME          MAJ:MIN RM SIZE RO TYPE MOUNTPOINTS\nnvme0n1       259:0    0 %3dG  0 disk \n├─nvme0n1p1   259:1    0 %3dG  0 part /\n└─nvme0n1p128 259:2    0  10M  0 part /boot/efi\n", size>>20, size>>20)
	return 0
}

func (m *Machine) mount(_ context.Context, p *program.Proc) int {
	if len(p.Args) > 1 {
		p.Errorf("only root can do that, and not on a virtual node")
		return 1
	}
	p.Printf("proc on /proc type proc (rw,nosuid,nodev,noexec,relatime)\n/dev/nvme0n1p1 on / type xfs (rw,noatime,seclabel,attr2,inode64)\ntmpfs on /tmp type tmpfs (rw,nosuid,nodev)\n")
	return 0
}

func (m *Machine) lscpu(_ context.Context, p *program.Proc) int {
	p.Printf("Architecture:            x86_64\nCPU(s):                  2\nThread(s) per core:      2\nModel name:              Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz\nHypervisor vendor:       KVM\n")
	return 0
}

func (m *Machine) vmstat(_ context.Context, p *program.Proc) int {
	_, _, free, cache := m.memory()
	p.Printf("procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st\n")
	p.Printf(" 1  0      0 %6d   2088 %6d    0    0     3     9   41   77  1  1 98  0  0\n", free, cache)
	return 0
}

func (m *Machine) dmesg(_ context.Context, p *program.Proc) int {
	f, _, st := p.Flags("THxwkn: ctime=T human=H level=l:")
	if st >= 0 {
		return st
	}
	for i, line := range m.kernelLog() {
		at := time.Duration(i*i) * 7919 * time.Microsecond
		if f.Has("T") {
			p.Printf("[%s] %s\n", m.spec.Boot.Add(at).UTC().Format("Mon Jan _2 15:04:05 2006"), line)
		} else {
			p.Printf("[%12.6f] %s\n", at.Seconds(), line)
		}
	}
	return 0
}

func (m *Machine) kernelLog() []string {
	return []string{
		"Linux version " + m.spec.Kernel + " (mockbuild@ip-10-0-53-6) (gcc 11.4.1) #1 SMP PREEMPT_DYNAMIC",
		"Command line: BOOT_IMAGE=(hd0,gpt1)/boot/vmlinuz-" + m.spec.Kernel + " root=UUID=a1b2c3d4 ro console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295",
		"x86/fpu: Supporting XSAVE feature 0x001: 'x87 floating point registers'",
		"DMI: Amazon EC2 " + m.spec.InstanceType + "/, BIOS 1.0 10/16/2017",
		"Hypervisor detected: KVM",
		"tsc: Detected 2499.998 MHz processor",
		fmt.Sprintf("Memory: %dK/%dK available", m.memTotal()-90000, m.memTotal()),
		"nvme nvme0: pci function 0000:00:04.0",
		"ena 0000:00:05.0: Elastic Network Adapter (ENA) found at mem c0514000",
		"XFS (nvme0n1p1): Mounting V5 Filesystem",
		"systemd[1]: Detected virtualization amazon.",
		"systemd[1]: Hostname set to <" + m.spec.Hostname + ">.",
	}
}

func crontab(_ context.Context, p *program.Proc) int {
	user := p.Shell.Cred().User
	if user == "" {
		user = rootUser
	}
	if len(p.Args) == 2 && p.Args[1] == "-l" {
		p.Errorf("no crontab for %s", user)
		return 1
	}
	p.Errorf("the simulated crontab knows only -l")
	return 1
}

func (m *Machine) logger(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("t:p:is tag=t: priority=p:")
	if st >= 0 {
		return st
	}
	m.log("", f.Value("t", p.Shell.Cred().User), p.Shell.PID(), strings.Join(args, " "))
	return 0
}
