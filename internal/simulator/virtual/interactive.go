package virtual

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/lineedit"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Start opens an interactive program as shell.Machine says.
func (m *Machine) Start(ctx context.Context, o shell.TTYOptions) (shell.TTY, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	user := o.User
	if user == "" {
		user = ssmUser
	}
	cols, rows := 80, 24
	if m.spec.OS == Windows {
		cols, rows = 200, 60
	} else if m.home(user) == "" {
		return nil, fmt.Errorf("failed to start pty since RunAs user %s does not exist", user) // the agent's words
	}
	if o.Cols > 0 {
		cols = o.Cols
	}
	if o.Rows > 0 {
		rows = o.Rows
	}
	ctx, cancel := context.WithCancelCause(ctx)
	first := modeEdit
	if o.Command != "" {
		first = modeCooked
	}
	s := &session{t: newTerminal(m.freeName(), cols, rows, first), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		defer cancel(nil)
		s.status = m.runTTY(ctx, s.t, user, o)
		s.t.mu.Lock()
		s.t.ended = true
		s.t.changed()
		s.t.mu.Unlock()
	}()
	return s, nil
}

// runTTY runs the program of a session to its end.
func (m *Machine) runTTY(ctx context.Context, t *terminal, user string, o shell.TTYOptions) int {
	jobs := posix.NewSession(ctx)
	defer jobs.Close()
	if m.spec.OS == Windows {
		return m.interactivePowerShell(ctx, t, user, o)
	}
	env := append([]string{"TERM=xterm-256color"}, o.Env...)
	cfg := m.shellConfig(user, env, t.name)
	cfg.Session, cfg.TTY, cfg.Size = jobs, t, t.size
	cfg.Stdin, cfg.Stdout, cfg.Stderr = t, t, t
	if o.Command == "" {
		return m.interactive(ctx, cfg, t, nil)
	}
	cfg.Group = &posix.Group{}
	t.foreground(cfg.Group)
	sh, exit := m.newShell(cfg, []string{"sh", "-c", o.Command})
	defer exit()
	status := sh.Run(ctx, o.Command)
	if ctx.Err() != nil {
		return posix.KilledStatus(ctx)
	}
	return status
}

// interactive runs a shell at a prompt until exit or Ctrl-D.
func (m *Machine) interactive(ctx context.Context, cfg posix.Config, t *terminal, options []string) int {
	ed := lineedit.New(80)
	cfg.Interactive = true
	cfg.Name = "sh"
	cfg.Group = &posix.Group{}
	cfg.History = ed.History
	cfg.Stdin, cfg.Stdout, cfg.Stderr = t, t, t
	outer := t.foreground(cfg.Group)
	defer t.foreground(outer)
	defer t.setMode(modeCooked)
	sh, exit := m.newShell(cfg, []string{"sh"})
	defer exit()
	if len(options) > 0 {
		sh.SetOptions(options)
	}
	ed.Complete = func(head string) (int, []string) { return m.complete(sh, head) }
	var text construct
	for !sh.Exited() {
		prompt := sh.Prompt(text.open())
		if !text.open() {
			sh.ReportJobs(ctx)
		}
		t.setMode(modeEdit)
		sh.ForgetSignals()
		line, ev, err := m.readLine(ctx, t, ed, prompt)
		t.setMode(modeCooked)
		switch {
		case err != nil:
			return posix.KilledStatus(ctx)
		case ev == lineedit.Interrupt:
			text.reset()
			sh.SetStatus(shell.StatusInterrupted)
			continue
		case ev == lineedit.EOF && text.open():
			t.print("\r\nsh: syntax error: unexpected end of file\r\n")
			text.reset()
			sh.SetStatus(2)
			continue
		case ev == lineedit.EOF:
			t.print("exit\r\n")
			return sh.Finish(ctx)
		}
		if expanded, ok := expandHistory(line, ed.History()); ok && !text.quoted() {
			t.print(expanded + "\r\n")
			line = expanded
		}
		if f, err := text.add(line); err != nil {
			t.print("sh: " + err.Error() + "\r\n")
			sh.SetStatus(2)
		} else if f != nil {
			enter(ctx, sh, t, f)
		}
	}
	if ctx.Err() != nil {
		return posix.KilledStatus(ctx)
	}
	t.print("exit\r\n")
	return sh.Finish(ctx)
}

// readLine edits one line.
func (m *Machine) readLine(ctx context.Context, t *terminal, ed *lineedit.Editor, prompt string) (string, lineedit.Event, error) {
	cols, _ := t.size()
	ed.Resize(cols)
	t.print(ed.Begin(prompt))
	for {
		b, cols, err := t.key(ctx)
		if err != nil {
			return "", lineedit.None, err
		}
		ed.Resize(cols)
		out, ev := ed.Feed(b)
		if out != "" {
			t.print(out)
		}
		if ev != lineedit.None {
			line := ed.Text()
			if ev == lineedit.Line {
				ed.Remember(line)
			}
			return line, ev, nil
		}
	}
}

// enter runs what was typed and tells the signal that ended it.
func enter(ctx context.Context, sh *posix.Shell, t *terminal, f *syntax.File) {
	switch sig := sh.RunInteractive(ctx, f); sig {
	case 0:
	case posix.SIGINT:
		t.print("\r\n")
	default:
		t.print(sig.Text() + "\r\n")
	}
}

// expandHistory replaces !! by the line before this one, and !$ by its last
// word.
func expandHistory(text string, history []string) (string, bool) {
	if len(history) < 2 || (!strings.Contains(text, "!!") && !strings.Contains(text, "!$")) || strings.Contains(text, "'") {
		return text, false
	}
	last := history[len(history)-2]
	words := strings.Fields(last)
	return strings.NewReplacer("!!", last, "!$", words[len(words)-1]).Replace(text), true
}

// complete returns the candidates for the word at the end of head.
func (m *Machine) complete(sh *posix.Shell, head string) (start int, candidates []string) {
	start = strings.LastIndexAny(head, " \t|&;<>(=") + 1
	word := head[start:]
	before := strings.TrimRight(head[:start], " \t")
	first := before == "" || strings.ContainsAny(before[len(before)-1:], "|&;(") || before == "sudo" || strings.HasSuffix(before, " sudo")
	if first && !strings.Contains(word, "/") {
		return start, m.commands(sh, word)
	}
	dir, base := path.Split(word)
	full := sh.Abs(sh.Tilde(dir))
	if dir == "" {
		full = sh.Dir()
	}
	list, err := m.fs.ReadDir(sh.Cred(), full)
	if err != nil {
		return start, nil
	}
	for _, info := range list {
		name := info.Name()
		if !strings.HasPrefix(name, base) || (base == "" && strings.HasPrefix(name, ".")) {
			continue
		}
		target, err := m.fs.Stat(sh.Cred(), full+"/"+name)
		if err == nil && target.IsDir() {
			name += "/"
		}
		candidates = append(candidates, dir+name)
	}
	return start, candidates
}

// commands returns the names of builtins and programs with a prefix.
func (m *Machine) commands(sh *posix.Shell, prefix string) []string {
	var names []string
	for _, name := range posix.Builtins() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	for dir := range strings.SplitSeq(sh.Get("PATH"), ":") {
		list, err := m.fs.ReadDir(sh.Cred(), dir)
		if err != nil {
			continue
		}
		for _, info := range list {
			if strings.HasPrefix(info.Name(), prefix) && info.Mode()&0o111 != 0 && !info.IsDir() {
				names = append(names, info.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
