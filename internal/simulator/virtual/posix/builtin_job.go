package posix

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

func jobBuiltin(name string) builtinFunc {
	switch name {
	case "jobs":
		return builtinJobs
	case "wait":
		return builtinWait
	case "disown":
		return func(s *Shell, _ context.Context, args []string) int {
			if len(args) == 1 {
				args = append(args, "%%")
			}
			for _, spec := range args[1:] {
				if j := s.findJob(spec); j != nil {
					s.jobs = slices.DeleteFunc(s.jobs, func(o *job) bool { return o == j })
				}
			}
			return 0
		}
	}
	return builtinForeground
}

func builtinJobs(s *Shell, _ context.Context, args []string) int {
	for i, j := range s.jobs {
		mark := " "
		switch i {
		case len(s.jobs) - 1:
			mark = "+"
		case len(s.jobs) - 2:
			mark = "-"
		}
		if !j.running() {
			j.told = true
		}
		switch {
		case len(args) > 1 && args[1] == "-p":
			s.outf("%d\n", j.pid)
		case j.running():
			s.outf("[%d]%s  %-22s  %s &\n", j.id, mark, j.state(), j.text)
		default:
			s.outf("[%d]%s  %-22s  %s\n", j.id, mark, j.state(), j.text)
		}
	}
	return 0
}

// builtinForeground is fg and bg. Jobs cannot be stopped here, so bg has
// nothing to do for one that runs.
func builtinForeground(s *Shell, ctx context.Context, args []string) int {
	spec := ""
	if len(args) > 1 {
		spec = args[1]
	}
	j := s.findJob(spec)
	if j == nil {
		s.errf("%s: %s: no such job", args[0], orElse(spec, "current"))
		return 1
	}
	if args[0] == "bg" {
		s.errf("bg: job %d already in background", j.id)
		return 0
	}
	s.out(j.text + "\n")
	j.told = true
	return s.await(ctx, j, true)
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// await waits for a job. With forward, a signal to the shell goes to the job.
func (s *Shell) await(ctx context.Context, j *job, forward bool) int {
	rctx, done := s.signalled(ctx)
	defer done()
	select {
	case <-j.done:
		return j.status
	case <-rctx.Done():
	}
	sig, isSignal := context.Cause(rctx).(Signal)
	if !forward || !isSignal {
		return KilledStatus(rctx)
	}
	j.group.Signal(sig)
	select {
	case <-j.done:
		return j.status
	case <-ctx.Done():
		return KilledStatus(ctx)
	}
}

func builtinWait(s *Shell, ctx context.Context, args []string) int {
	var list []*job
	status := 0
	for _, spec := range args[1:] {
		if strings.HasPrefix(spec, "-") {
			continue
		}
		j := s.findJob(spec)
		if j == nil {
			s.errf("wait: pid %s is not a child of this shell", spec)
			status = 127
			continue
		}
		list = append(list, j)
	}
	all := len(args) == 1
	if all {
		list = slices.Clone(s.jobs)
	}
	for _, j := range list {
		status = s.await(ctx, j, false)
		if s.stopping(ctx) {
			return s.status
		}
		j.told = true
	}
	if all {
		s.jobs, status = nil, 0
	}
	return status
}

func builtinKill(s *Shell, _ context.Context, args []string) int {
	sig, rest := SIGTERM, args[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") && len(rest[0]) > 1 {
		opt := rest[0]
		rest = rest[1:]
		switch {
		case opt == "--":
		case opt == "-l" || opt == "-L":
			return s.listSignals(rest)
		case (opt == "-s" || opt == "-n") && len(rest) > 0:
			opt, rest = "-"+rest[0], rest[1:]
			fallthrough
		default:
			var err error
			if sig, err = ParseSignal(opt[1:]); err != nil {
				s.errf("kill: %v", err)
				return 1
			}
			continue
		}
		break
	}
	if len(rest) == 0 {
		return s.usageError("kill", "[-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]")
	}
	status := 0
	for _, target := range rest {
		if err := s.killOne(target, sig); err != nil {
			s.errf("kill: %s%v", killTarget(target), err)
			status = 1
		}
	}
	return status
}

func killTarget(target string) string {
	if atoi(target) < 0 {
		return target + ": "
	}
	return "(" + target + ") - "
}

func (s *Shell) killOne(target string, sig Signal) error {
	if j := s.findJob(target); j != nil && (strings.HasPrefix(target, "%") || atoi(target) == j.pid) {
		j.group.Signal(sig)
		return nil
	}
	pid := atoi(target)
	switch {
	case strings.HasPrefix(target, "%"):
		return fmt.Errorf("no such job")
	case pid < 0:
		return fmt.Errorf("arguments must be process or job IDs")
	case pid == s.pid:
		s.cfg.Group.Signal(sig)
		return nil
	case s.cfg.Kill == nil:
		return fmt.Errorf("No such process")
	}
	return s.cfg.Kill(s, pid, sig)
}

func (s *Shell) listSignals(args []string) int {
	if len(args) > 0 {
		for _, a := range args {
			n := atoi(a)
			if n > 128 {
				n -= 128
			}
			if n > 0 {
				s.out(Signal(n).String() + "\n")
			} else if sig, err := ParseSignal(a); err == nil {
				s.outf("%d\n", int(sig))
			}
		}
		return 0
	}
	for i, name := range strings.Fields(signalNames) {
		sep := "\t"
		if (i+1)%5 == 0 {
			sep = "\n"
		}
		s.outf("%2d) SIG%s%s", i+1, name, sep)
	}
	s.out("\n")
	return 0
}

func builtinTrap(s *Shell, _ context.Context, args []string) int {
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "-l" {
		return s.listSignals(nil)
	}
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 || rest[0] == "-p" {
		for _, name := range slices.Sorted(maps.Keys(s.traps)) {
			shown := name
			if name != "EXIT" && name != "ERR" {
				shown = "SIG" + name
			}
			s.outf("trap -- '%s' %s\n", strings.ReplaceAll(s.traps[name], "'", `'\''`), shown)
		}
		return 0
	}
	action := rest[0]
	if len(rest) > 1 {
		rest = rest[1:]
	} else {
		action = "-"
	}
	status := 0
	for _, spec := range rest {
		name, sig, err := trapName(spec)
		if err != nil {
			s.errf("trap: %v", err)
			status = 1
			continue
		}
		if action == "-" {
			delete(s.traps, name)
		} else {
			s.traps[name] = action
		}
		if sig != 0 {
			s.cfg.Group.Ignore(sig, action == "")
		}
	}
	return status
}

func trapName(spec string) (string, Signal, error) {
	switch up := strings.ToUpper(spec); up {
	case "EXIT", "0":
		return "EXIT", 0, nil
	case "ERR", "DEBUG", "RETURN":
		return up, 0, nil
	}
	sig, err := ParseSignal(spec)
	return sig.String(), sig, err
}
