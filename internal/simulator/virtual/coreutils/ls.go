package coreutils

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// fileReason is "name: No such file or directory".
func fileReason(name string, err error) string { return name + ": " + memfs.Reason(err) }

// modeText returns drwxr-xr-x and the like.
func modeText(m fs.FileMode) string {
	b := []byte("-rwxrwxrwx")
	switch {
	case m.IsDir():
		b[0] = 'd'
	case m&fs.ModeSymlink != 0:
		b[0] = 'l'
	case m&fs.ModeCharDevice != 0:
		b[0] = 'c'
	}
	for i := range 9 {
		if m&(1<<(8-i)) == 0 {
			b[1+i] = '-'
		}
	}
	special := func(at int, bit fs.FileMode, lower, upper byte) {
		if m&bit == 0 {
			return
		}
		if b[at] == 'x' {
			b[at] = lower
		} else {
			b[at] = upper
		}
	}
	special(3, fs.ModeSetuid, 's', 'S')
	special(6, fs.ModeSetgid, 's', 'S')
	special(9, fs.ModeSticky, 't', 'T')
	return string(b)
}

// human prints a size as ls -h does.
func human(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10)
	}
	v, unit := float64(n), 0
	for v >= 1024 && unit < 5 {
		v /= 1024
		unit++
	}
	if v < 10 {
		return fmt.Sprintf("%.1f%c", v, "KMGTP"[unit-1])
	}
	return fmt.Sprintf("%.0f%c", v, "KMGTP"[unit-1])
}

type lister struct {
	p       *program.Proc
	f       *program.Flags
	columns int // 0 is one name a line
	status  int
	shown   bool // something was printed before
}

func ls(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("laA1dhtrSRFinGopQ all=a almost-all=A directory=d human-readable=h reverse=r recursive=R color=: time-style=ts:")
	if st > 0 {
		return 2
	}
	if st == 0 {
		return 0
	}
	l := &lister{p: p, f: f}
	if cols, _, ok := p.Shell.Size(); ok && p.Shell.IsTerminal(1) && !f.Has("1") {
		l.columns = cols
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	var files []memfs.Info
	var names, dirs []string
	for _, a := range args {
		info, err := p.Lstat(a)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 && !f.Has("l") && !f.Has("d") {
			if target, err := p.Stat(a); err == nil {
				info = target
			}
		}
		switch {
		case err != nil:
			p.Errorf("cannot access '%s': %s", a, memfs.Reason(err))
			l.status = 2
		case info.IsDir() && !f.Has("d"):
			dirs = append(dirs, a)
		default:
			files, names = append(files, info), append(names, a)
		}
	}
	if len(files) > 0 {
		l.print(files, names)
		l.shown = true
	}
	for _, d := range dirs {
		l.dir(d, len(args) > 1 || f.Has("R"))
	}
	return l.status
}

func (l *lister) dir(name string, title bool) {
	list, err := l.p.Shell.FS().ReadDir(l.p.Shell.Cred(), l.p.Shell.Abs(name))
	if err != nil {
		l.p.Errorf("cannot open directory '%s': %s", name, memfs.Reason(err))
		l.status = 2
		return
	}
	if title {
		if l.shown {
			l.p.Printf("\n")
		}
		l.p.Printf("%s:\n", name)
	}
	l.shown = true
	var infos []memfs.Info
	var names []string
	add := func(info memfs.Info, as string) { infos, names = append(infos, info), append(names, as) }
	if l.f.Has("a") {
		for _, dots := range []string{".", ".."} {
			if info, err := l.p.Stat(name + "/" + dots); err == nil {
				add(info, dots)
			}
		}
	}
	for _, info := range list {
		if !strings.HasPrefix(info.Name(), ".") || l.f.Has("a") || l.f.Has("A") {
			add(info, info.Name())
		}
	}
	if l.f.Has("l") {
		blocks := int64(0)
		for _, info := range infos {
			blocks += (info.Size() + 4095) / 4096 * 4
		}
		l.p.Printf("total %d\n", blocks)
	}
	l.print(infos, names)
	if l.f.Has("R") {
		for _, info := range list {
			if info.IsDir() && (!strings.HasPrefix(info.Name(), ".") || l.f.Has("a")) {
				l.dir(strings.TrimSuffix(name, "/")+"/"+info.Name(), true)
			}
		}
	}
}

// print lists entries under the given names.
func (l *lister) print(infos []memfs.Info, names []string) {
	order := make([]int, len(infos))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		c := 0
		switch {
		case l.f.Has("t"):
			c = infos[b].ModTime().Compare(infos[a].ModTime())
		case l.f.Has("S"):
			c = int(infos[b].Size() - infos[a].Size())
		}
		if c == 0 {
			c = strings.Compare(names[a], names[b])
		}
		if l.f.Has("r") {
			return -c
		}
		return c
	})
	var rows []string
	widths := l.widths(infos)
	for _, i := range order {
		name := names[i]
		if l.f.Has("F") || l.f.Has("p") {
			name += suffix(infos[i].Mode(), l.f.Has("F"))
		}
		if l.f.Has("l") || l.f.Has("n") || l.f.Has("o") {
			name = l.long(infos[i], name, widths)
		}
		if l.f.Has("i") {
			name = fmt.Sprintf("%d %s", 100000+infos[i].Inode, name)
		}
		rows = append(rows, name)
	}
	if l.columns == 0 || l.f.Has("l") {
		for _, r := range rows {
			l.p.Printf("%s\n", r)
		}
		return
	}
	l.p.Printf("%s", grid(rows, l.columns))
}

func suffix(m fs.FileMode, all bool) string {
	switch {
	case m.IsDir():
		return "/"
	case !all:
		return ""
	case m&fs.ModeSymlink != 0:
		return "@"
	case m&0o111 != 0 && m.IsRegular():
		return "*"
	}
	return ""
}

func (l *lister) size(info memfs.Info) string {
	if info.Mode()&fs.ModeCharDevice != 0 {
		return "1,   3"
	}
	if l.f.Has("h") {
		return human(info.Size())
	}
	return strconv.FormatInt(info.Size(), 10)
}

// widths returns those of links, owner, group and size.
func (l *lister) widths(infos []memfs.Info) (w [4]int) {
	for _, i := range infos {
		w[0] = max(w[0], len(strconv.Itoa(i.Links)))
		w[1] = max(w[1], len(i.User))
		w[2] = max(w[2], len(i.Group))
		w[3] = max(w[3], len(l.size(i)))
	}
	return w
}

func (l *lister) long(info memfs.Info, name string, w [4]int) string {
	if info.Mode()&fs.ModeSymlink != 0 {
		name += " -> " + info.Target
	}
	return fmt.Sprintf("%s %*d %-*s %-*s %*s %s %s", modeText(info.Mode()), w[0], info.Links,
		w[1], info.User, w[2], info.Group, w[3], l.size(info), l.when(info.ModTime()), name)
}

func (l *lister) when(t time.Time) string {
	if l.f.Value("ts", "") == "full-iso" {
		return t.UTC().Format("2006-01-02 15:04:05.000000000 -0700")
	}
	now := l.p.Shell.Now()
	if age := now.Sub(t); age > 182*24*time.Hour || age < -time.Hour {
		return t.UTC().Format("Jan _2  2006")
	}
	return t.UTC().Format("Jan _2 15:04")
}

// grid lays names out in columns, down first.
func grid(names []string, width int) string {
	if len(names) == 0 {
		return ""
	}
	rows := 1
	var widths []int
	for ; rows < len(names); rows++ {
		widths = widths[:0]
		total := 0
		for i := 0; i < len(names); i += rows {
			w := 0
			for _, n := range names[i:min(i+rows, len(names))] {
				w = max(w, len([]rune(n)))
			}
			widths = append(widths, w+2)
			total += w + 2
		}
		if total-2 <= width {
			break
		}
	}
	var b strings.Builder
	for r := range min(rows, len(names)) {
		for c := 0; c*rows+r < len(names); c++ {
			n := names[c*rows+r]
			b.WriteString(n)
			if (c+1)*rows+r < len(names) && c < len(widths) {
				b.WriteString(strings.Repeat(" ", max(1, widths[c]-len([]rune(n)))))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func stat(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("c:Lt format=c: printf=c: dereference=L")
	if st >= 0 {
		return st
	}
	status := 0
	for _, name := range args {
		info, err := p.Lstat(name)
		if f.Has("L") {
			info, err = p.Stat(name)
		}
		if err != nil {
			p.Errorf("cannot statx '%s': %s", name, memfs.Reason(err))
			status = 1
			continue
		}
		kind := "regular file"
		switch {
		case info.IsDir():
			kind = "directory"
		case info.Mode()&fs.ModeSymlink != 0:
			kind = "symbolic link"
		case info.Mode()&fs.ModeCharDevice != 0:
			kind = "character special file"
		case info.Size() == 0:
			kind = "regular empty file"
		}
		octal := fmt.Sprintf("%04o", unixMode(info.Mode()))
		stamp := info.ModTime().UTC().Format("2006-01-02 15:04:05.000000000 -0700")
		if format := f.Value("c", ""); format != "" {
			p.Printf("%s\n", strings.NewReplacer("%n", name, "%s", strconv.FormatInt(info.Size(), 10),
				"%a", strings.TrimLeft(octal, "0"), "%A", modeText(info.Mode()), "%U", info.User, "%G", info.Group,
				"%F", kind, "%y", stamp, "%Y", strconv.FormatInt(info.ModTime().Unix(), 10),
				"%h", strconv.Itoa(info.Links), "%i", strconv.FormatUint(100000+info.Inode, 10), "%%", "%").Replace(format))
			continue
		}
		p.Printf("  File: %s\n  Size: %-10d\tBlocks: %-10d IO Block: 4096   %s\n", name, info.Size(), (info.Size()+4095)/4096*8, kind)
		p.Printf("Device: 10301h/66305d\tInode: %-11d Links: %d\n", 100000+info.Inode, info.Links)
		p.Printf("Access: (%s/%s)  Uid: (%5d/%8s)   Gid: (%5d/%8s)\n", octal, modeText(info.Mode()), uid(info.User), info.User, uid(info.Group), info.Group)
		p.Printf("Access: %s\nModify: %s\nChange: %s\n Birth: -\n", stamp, stamp, stamp)
	}
	return status
}

func uid(user string) int {
	switch user {
	case "root":
		return 0
	case "ec2-user", "ubuntu":
		return 1000
	}
	return 1001
}

// unixMode returns the permission bits with setuid, setgid and sticky.
func unixMode(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for mode, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&mode != 0 {
			bits |= bit
		}
	}
	return bits
}

func basename(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("as: suffix=s: multiple=a")
	if st >= 0 {
		return st
	}
	if len(args) == 0 {
		p.Errorf("missing operand")
		return 1
	}
	suffix := f.Value("s", "")
	if len(args) == 2 && !f.Has("a") && suffix == "" {
		suffix, args = args[1], args[:1]
	}
	for _, a := range args {
		base := path.Base(a)
		if trimmed := strings.TrimSuffix(base, suffix); trimmed != "" {
			base = trimmed
		}
		p.Printf("%s\n", base)
	}
	return 0
}

func dirname(_ context.Context, p *program.Proc) int {
	if len(p.Args) < 2 {
		p.Errorf("missing operand")
		return 1
	}
	for _, a := range p.Args[1:] {
		dir := path.Dir(strings.TrimRight(a, "/"))
		if strings.HasPrefix(a, "/") && strings.Trim(a, "/") == "" {
			dir = "/"
		}
		p.Printf("%s\n", dir)
	}
	return 0
}
