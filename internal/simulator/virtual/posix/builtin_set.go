package posix

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
)

// Flags of set and their long names.
var setOptions = []struct {
	flag byte
	name string
}{
	{'a', "allexport"},
	{'e', "errexit"},
	{'f', "noglob"},
	{'n', "noexec"},
	{'u', "nounset"},
	{'v', "verbose"},
	{'x', "xtrace"},
	{'C', "noclobber"},
	{0, "pipefail"},
	{0, "posix"},
}

func (s *Shell) optionFlags() string {
	var b strings.Builder
	for _, o := range setOptions {
		if o.flag != 0 && s.opts[o.name] {
			b.WriteByte(o.flag)
		}
	}
	if s.cfg.Interactive {
		b.WriteString("i")
	}
	return b.String()
}

func builtinSet(s *Shell, _ context.Context, args []string) int {
	if len(args) == 1 {
		all := s.vars.flatten().vars
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if v := all[name]; v.Set && v.Kind == expand.String {
				s.out(name + "=" + quote(v.Str) + "\n")
			}
		}
		return 0
	}
	args = args[1:]
	for len(args) > 0 {
		a := args[0]
		if a == "--" {
			s.params = args[1:]
			break
		}
		if len(a) < 2 || (a[0] != '-' && a[0] != '+') {
			s.params = args
			break
		}
		args = args[1:]
		on := a[0] == '-'
		if a[1:] == "o" {
			if len(args) == 0 {
				s.printOptions()
				return 0
			}
			if !s.setOption(args[0], 0, on) {
				return 2
			}
			args = args[1:]
			continue
		}
		for i := 1; i < len(a); i++ {
			if a[i] == 'o' && len(args) > 0 { // set -eo pipefail
				if !s.setOption(args[0], 0, on) {
					return 2
				}
				args = args[1:]
				continue
			}
			if !s.setOption("", a[i], on) {
				return 2
			}
		}
	}
	s.applyOptions()
	return 0
}

func (s *Shell) setOption(name string, flag byte, on bool) bool {
	for _, o := range setOptions {
		if (name != "" && o.name == name) || (name == "" && o.flag == flag) {
			s.opts[o.name] = on
			s.applyOptions()
			return true
		}
	}
	switch {
	case name == "" && strings.IndexByte("bhkmptBEHPT", flag) >= 0:
		return true // without effect here
	case name == "":
		s.errf("set: -%c: invalid option", flag)
	default:
		s.errf("set: %s: invalid option name", name)
	}
	return false
}

func (s *Shell) printOptions() {
	for _, o := range setOptions {
		state := "off"
		if s.opts[o.name] {
			state = "on"
		}
		s.outf("%-15s\t%s\n", o.name, state)
	}
}

func builtinShopt(s *Shell, _ context.Context, args []string) int {
	mode, status := "", 0
	for _, a := range args[1:] {
		switch a {
		case "-s", "-u", "-q", "-p":
			mode = a
			continue
		case "-o":
			continue
		}
		switch mode {
		case "-s", "-u":
			s.opts[a] = mode == "-s"
		default:
			status = oneIf(!s.opts[a])
			if mode != "-q" {
				state := "off"
				if s.opts[a] {
					state = "on"
				}
				s.outf("%-15s\t%s\n", a, state)
			}
		}
	}
	s.applyOptions()
	return status
}

func builtinUmask(s *Shell, _ context.Context, args []string) int {
	switch {
	case len(args) == 1:
		s.outf("%04o\n", s.umask)
	case args[1] == "-S":
		m := 0o777 &^ s.umask
		s.outf("u=%s,g=%s,o=%s\n", rwx(m>>6), rwx(m>>3), rwx(m))
	default:
		n, err := strconv.ParseUint(args[1], 8, 32)
		if err != nil || n > 0o777 {
			s.errf("umask: %s: octal number out of range", args[1])
			return 1
		}
		s.umask = uint32(n)
	}
	return 0
}

func rwx(bits uint32) string {
	text := ""
	for i, c := range "rwx" {
		if bits&(4>>i) != 0 {
			text += string(c)
		}
	}
	return text
}

// limits is what ulimit shows: those of an Amazon Linux instance.
var limits = []struct{ flag, text, unit, value string }{
	{"c", "core file size", "blocks", "unlimited"},
	{"d", "data seg size", "kbytes", "unlimited"},
	{"f", "file size", "blocks", "unlimited"},
	{"l", "max locked memory", "kbytes", "8192"},
	{"n", "open files", "", "65535"},
	{"s", "stack size", "kbytes", "8192"},
	{"t", "cpu time", "seconds", "unlimited"},
	{"u", "max user processes", "", "30446"},
	{"v", "virtual memory", "kbytes", "unlimited"},
}

func builtinUlimit(s *Shell, _ context.Context, args []string) int {
	want := "f"
	for _, a := range args[1:] {
		if flag := strings.TrimLeft(a, "-HS"); strings.HasPrefix(a, "-") && flag != "" {
			want = flag
		} else if !strings.HasPrefix(a, "-") {
			return 0 // a limit is accepted; the simulator has its own
		}
	}
	for _, l := range limits {
		switch want {
		case "a":
			unit := "(-" + l.flag + ") "
			if l.unit != "" {
				unit = "(" + l.unit + ", -" + l.flag + ") "
			}
			s.outf("%-24s%s%s\n", l.text, unit, l.value)
		case l.flag:
			s.out(l.value + "\n")
			return 0
		}
	}
	if want != "a" {
		s.errf("ulimit: -%s: invalid option", want)
		return 2
	}
	return 0
}
