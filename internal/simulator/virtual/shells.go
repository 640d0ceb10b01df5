package virtual

import (
	"context"
	"io"
	"path"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// shellPrograms are those that start shells or run programs as another user.
func (m *Machine) shellPrograms() map[string]program.Func {
	return map[string]program.Func{
		"sh": m.sh, "bash": m.sh, "sudo": m.sudo, "su": m.su, "which": which, "man": man,
	}
}

// call turns the program back into a call, for nested.
func call(p *program.Proc) *posix.Call {
	p.Flush()
	c := p.Call
	c.Args, c.Stdin, c.Stdout, c.Stderr = p.Args, p.Stdin, p.Stdout, p.Stderr
	return c
}

// sh is sh and bash.
func (m *Machine) sh(ctx context.Context, p *program.Proc) int {
	n := nestedShell{name: p.Name()}
	args := p.Args[1:]
	command := false
	for len(args) > 0 && len(args[0]) > 1 && (args[0][0] == '-' || args[0][0] == '+') {
		a := args[0]
		args = args[1:]
		switch {
		case a == "--":
		case a == "--version":
			p.Printf("GNU bash, version 5.2.15(1)-release (x86_64-amazon-linux-gnu)\n")
			return 0
		case a == "--login" || a == "--norc" || a == "--noprofile" || a == "--posix":
			continue
		case strings.HasPrefix(a, "--"):
			p.Errorf("%s: invalid option", a)
			return 2
		case a == "-o" && len(args) > 0:
			n.options = append(n.options, "-o", args[0])
			args = args[1:]
			continue
		default:
			flags := strings.Map(func(r rune) rune {
				switch r {
				case 'c':
					command = true
					return -1
				case 'l', 's', 'i':
					return -1
				}
				return r
			}, a)
			if len(flags) > 1 {
				n.options = append(n.options, flags)
			}
			if strings.ContainsRune(flags[1:], 'o') && len(args) > 0 {
				n.options, args = append(n.options, args[0]), args[1:]
			}
			continue
		}
		break
	}
	switch {
	case command:
		if len(args) == 0 {
			p.Errorf("-c: option requires an argument")
			return 2
		}
		n.script, n.hasScript, args = args[0], true, args[1:]
		if len(args) > 0 {
			n.name, args = args[0], args[1:]
		}
	case len(args) > 0:
		data, err := p.Shell.FS().ReadFile(p.Shell.Cred(), p.Shell.Abs(args[0]))
		if err != nil {
			p.FileError(args[0], err)
			return 127
		}
		n.script, n.hasScript, n.name, args = string(data), true, args[0], args[1:]
	}
	n.args = args
	p.Flush()
	return m.nested(ctx, call(p), n)
}

// sudo runs a program as root; ssm-user may without a password, as the SSM
// agent sets it up.
func (m *Machine) sudo(ctx context.Context, p *program.Proc) int {
	f, args, st := p.LeadingFlags("isnEHSklvbu:g:p:h login=i shell=s user=u: non-interactive=n preserve-env=: list=l")
	if st >= 0 {
		return st
	}
	user := f.Value("u", rootUser)
	if user != rootUser && m.home(user) == "" {
		p.Errorf("unknown user %s", user)
		return 1
	}
	if f.Has("l") {
		p.Printf("User %s may run the following commands on %s:\n    (ALL) NOPASSWD: ALL\n", p.Shell.Cred().User, m.spec.Hostname)
		return 0
	}
	if f.Has("k") || f.Has("v") {
		return 0
	}
	if len(args) == 0 {
		if !f.Has("i") && !f.Has("s") {
			p.Errorf("usage: sudo [-isnEH] [-u user] [VAR=value] command")
			return 1
		}
		return m.nested(ctx, call(p), nestedShell{name: "sh", user: user, login: f.Has("i")})
	}
	if args[0] == "su" { // sudo su, sudo su -, sudo su - user
		return m.suTo(ctx, p, args[1:])
	}
	var env []string
	for len(args) > 0 && strings.Contains(args[0], "=") && !strings.HasPrefix(args[0], "=") {
		env, args = append(env, args[0]), args[1:]
	}
	if len(args) == 0 {
		return 0
	}
	if f.Has("E") {
		env = append(p.Shell.Environ(), env...)
	}
	return m.runAs(ctx, p, user, f.Has("i"), args, env)
}

// runAs runs one program as another user.
func (m *Machine) runAs(ctx context.Context, p *program.Proc, user string, login bool, args, env []string) int {
	cfg := p.Shell.Config()
	cfg.Depth, cfg.PPID = p.Shell.Depth()+1, p.Shell.PID()
	cfg.Dir, cfg.Env = p.Shell.Dir(), p.Shell.Environ()
	cfg.Stdin, cfg.Stdout, cfg.Stderr = p.Shell.Terminals(p.Stdin, p.Stdout, p.Stderr)
	cfg.Interactive = false
	cfg.Name = "sudo"
	invoker := cfg.Cred.User
	m.become(&cfg, user, login)
	cfg.Env = append(cfg.Env, "SUDO_USER="+invoker, "SUDO_COMMAND="+strings.Join(args, " "))
	sh := posix.New(cfg)
	sh.SetPID(p.Shell.PID())
	if posix.IsBuiltin(args[0]) {
		if _, err := m.lookup(sh, args[0]); err != nil {
			p.Errorf("%s: command not found", args[0])
			return 1
		}
	}
	if where, err := m.lookup(sh, args[0]); err != nil {
		if strings.Contains(args[0], "/") {
			p.Errorf("%s: %v", args[0], err)
		} else {
			p.Errorf("%s: command not found", args[0])
		}
		return 1
	} else if isShell(path.Base(where)) && len(args) == 1 {
		return m.nested(ctx, call(p), nestedShell{name: args[0], user: user})
	}
	p.Flush()
	return sh.Spawn(ctx, posix.Spawn{Args: args, Env: env, From: p.Shell, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr})
}

func (m *Machine) su(ctx context.Context, p *program.Proc) int {
	if p.Shell.Cred().User != rootUser {
		p.Errorf("Authentication failure (accounts of this node have no password; use sudo)")
		return 1
	}
	return m.suTo(ctx, p, p.Args[1:])
}

func (m *Machine) suTo(ctx context.Context, p *program.Proc, args []string) int {
	n := nestedShell{name: "sh", user: rootUser}
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		switch a {
		case "-", "-l", "--login":
			n.login = true
		case "-c", "--command":
			if len(args) > 0 {
				n.script, n.hasScript, args = args[0], true, args[1:]
			}
		case "-s":
			if len(args) > 0 {
				args = args[1:]
			}
		default:
			n.user = a
		}
	}
	if n.user != rootUser && m.home(n.user) == "" {
		p.Errorf("user %s does not exist or the user entry does not contain all the required fields", n.user)
		return 1
	}
	return m.nested(ctx, call(p), n)
}

func which(_ context.Context, p *program.Proc) int {
	f, names, st := p.Flags("as")
	if st >= 0 {
		return st
	}
	status := 0
	for _, name := range names {
		found := false
		for dir := range strings.SplitSeq(p.Shell.Get("PATH"), ":") {
			full := path.Join(dir, name)
			if strings.Contains(name, "/") {
				full = p.Shell.Abs(name)
			}
			info, err := p.Stat(full)
			if err != nil || !info.Mode().IsRegular() || p.Shell.FS().Access(p.Shell.Cred(), full, 1) != nil {
				continue
			}
			if found = true; !f.Has("s") {
				p.Printf("%s\n", full)
			}
			if !f.Has("a") {
				break
			}
		}
		if !found {
			status = 1
			p.Errorf("no %s in (%s)", name, p.Shell.Get("PATH"))
		}
	}
	return status
}

func man(_ context.Context, p *program.Proc) int {
	if len(p.Args) < 2 {
		io.WriteString(p.Stderr, "What manual page do you want?\nFor example, try 'man man'.\n")
		return 1
	}
	p.Flush()
	io.WriteString(p.Stderr, "No manual entry for "+p.Args[len(p.Args)-1]+"\n")
	return 16
}

// rootOnly reports whether the caller is not root, having said so.
func rootOnly(p *program.Proc, message string) bool {
	if u := p.Shell.Cred(); u == (memfs.Cred{}) || u.User == rootUser {
		return false
	}
	p.Flush()
	io.WriteString(p.Stderr, message+"\n")
	return true
}
