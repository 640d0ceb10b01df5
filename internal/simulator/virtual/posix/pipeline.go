package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// pipeline runs the stages of a pipe, each in its own subshell.
func (s *Shell) pipeline(ctx context.Context, b *syntax.BinaryCmd) {
	stages, both := flattenPipe(b)
	subs := make([]*Shell, len(stages))
	var in *Pipe
	var wg sync.WaitGroup
	started := 0
	for i, st := range stages {
		sub := s.subshell()
		subs[i] = sub
		var out *Pipe
		if in != nil {
			sub.fds[0] = file{r: in}
		}
		if i < len(stages)-1 {
			out = &Pipe{}
			sub.fds[1] = file{w: out}
			if both[i] {
				sub.fds[2] = file{w: out}
			}
		}
		stdin := in
		wg.Add(1)
		run := func() {
			defer wg.Done()
			sub.stmt(ctx, st)
			sub.finish(ctx)
			if stdin != nil {
				stdin.CloseRead()
			}
			if out != nil {
				out.CloseWrite()
			}
		}
		if sub.depth > maxDepth || !s.cfg.Session.fork(run) {
			wg.Done()
			if stdin != nil {
				stdin.CloseRead()
			}
			s.errf("fork: Resource temporarily unavailable")
			sub.status = 254
			break
		}
		started++
		in = out
	}
	wg.Wait()
	s.pipeStatus, s.status = nil, 0
	for _, sub := range subs[:min(started+1, len(subs))] {
		s.pipeStatus = append(s.pipeStatus, strconv.Itoa(sub.status))
		if sub.status != 0 || !s.opts["pipefail"] {
			s.status = sub.status
		}
	}
}

// flattenPipe returns the stages of a pipe in order; both[i] says that stderr
// of stage i goes into the pipe too.
func flattenPipe(b *syntax.BinaryCmd) (stages []*syntax.Stmt, both []bool) {
	x, ok := b.X.Cmd.(*syntax.BinaryCmd)
	if ok && (x.Op == syntax.Pipe || x.Op == syntax.PipeAll) && len(b.X.Redirs) == 0 && !b.X.Negated {
		stages, both = flattenPipe(x)
	} else {
		stages = append(stages, b.X)
	}
	both = append(both, b.Op == syntax.PipeAll)
	return append(stages, b.Y), both
}

// job is a background command.
type job struct {
	id, pid int
	text    string
	group   *Group
	done    chan struct{}
	status  int  // valid once done is closed
	told    bool // the user has been told that it ended
}

func (j *job) running() bool {
	select {
	case <-j.done:
		return false
	default:
		return true
	}
}

func (j *job) state() string {
	switch {
	case j.running():
		return "Running"
	case j.status == 0:
		return "Done"
	case j.status > 128:
		return Signal(j.status - 128).Text()
	}
	return fmt.Sprintf("Exit %d", j.status)
}

// background starts a command as a job. It lives no longer than the session.
func (s *Shell) background(_ context.Context, st *syntax.Stmt) {
	j := &job{id: 1, group: &Group{}, done: make(chan struct{}), text: stmtText(st)}
	for _, other := range s.jobs {
		j.id = max(j.id, other.id+1)
	}
	sub := s.subshell()
	cfg := *s.cfg
	cfg.Group, cfg.Interactive = j.group, false
	sub.cfg, sub.gen, sub.line = &cfg, 0, s.line
	sub.setupExpand()
	if !s.hasStdin(st) {
		sub.fds[0] = file{r: empty{}}
	}
	exit := func() {}
	if s.cfg.Register != nil {
		j.pid, exit = s.cfg.Register(s.pid, strings.Fields(j.text), j.group)
	}
	ctx := s.cfg.Session.ctx
	sub.ctx = ctx
	st2 := *st
	st2.Background = false
	if s.tooDeep(sub.depth) {
		exit()
		return
	}
	if !s.cfg.Session.fork(func() {
		defer close(j.done)
		defer exit()
		sub.stmt(ctx, &st2)
		sub.finish(ctx)
		j.status = sub.status
	}) {
		exit()
		s.errf("fork: Resource temporarily unavailable")
		s.status = 254
		return
	}
	s.jobs = append(s.jobs, j)
	s.lastJob = j.pid
	s.status = 0
	if s.cfg.Interactive && !s.sub {
		s.writeTo(2, fmt.Sprintf("[%d] %d\n", j.id, j.pid))
	}
}

// hasStdin reports whether the job reads from somewhere of its own.
func (s *Shell) hasStdin(st *syntax.Stmt) bool {
	for _, r := range st.Redirs {
		if r.Op == syntax.RdrIn || r.Op == syntax.Hdoc || r.Op == syntax.WordHdoc || r.Op == syntax.DashHdoc {
			return true
		}
	}
	_, terminal := s.fds[0].r.(Terminal)
	return s.fds[0].r != nil && !terminal && s.sub
}

func stmtText(st *syntax.Stmt) string {
	var b strings.Builder
	st2 := *st
	st2.Background = false
	if err := syntax.NewPrinter(syntax.SingleLine(true)).Print(&b, &st2); err != nil {
		return "?"
	}
	return strings.TrimSpace(b.String())
}

// ReportJobs prints the jobs that have ended since the last time, as an
// interactive shell does before its prompt.
func (s *Shell) ReportJobs(ctx context.Context) {
	s.ctx = ctx
	var left []*job
	for _, j := range s.jobs {
		if j.running() {
			left = append(left, j)
			continue
		}
		if !j.told {
			s.writeTo(2, fmt.Sprintf("[%d]+  %-22s  %s\n", j.id, j.state(), j.text))
		}
	}
	s.jobs = left
}

// findJob resolves %n, %%, %+, %text and process ids of jobs.
func (s *Shell) findJob(spec string) *job {
	if len(s.jobs) == 0 {
		return nil
	}
	last := s.jobs[len(s.jobs)-1]
	if spec == "" || spec == "%%" || spec == "%+" || spec == "%" {
		return last
	}
	name, percent := strings.CutPrefix(spec, "%")
	for _, j := range s.jobs {
		n := atoi(name)
		if (percent && n == j.id) || (!percent && n == j.pid) ||
			(percent && n < 0 && strings.HasPrefix(j.text, name)) {
			return j
		}
	}
	return nil
}

// lookupStatus is 127 for a program that was not found, else 126.
func lookupStatus(err error) int {
	if errors.Is(err, fs.ErrNotExist) {
		return 127
	}
	return 126
}
