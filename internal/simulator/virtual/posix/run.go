package posix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Parse reads a script. incomplete says that more lines could make a failed
// one correct: an open quote, a loop without its done.
func Parse(script string) (f *syntax.File, incomplete bool, err error) {
	if tooNested(script) {
		return nil, false, errors.New("script is nested too deeply")
	}
	defer guard(&err)
	p := syntax.NewParser()
	f, err = p.Parse(strings.NewReader(script), "")
	if err != nil {
		// The parser does not call an open here-document incomplete when its
		// delimiter is quoted.
		err, incomplete = syntaxError(err), syntax.IsIncomplete(err)
		_, _, hereDoc := Awaits(err)
		return nil, incomplete || hereDoc, err
	}
	return f, false, nil
}

// Awaits returns what a later line must hold for a script that Parse found
// incomplete with err to become complete; "" when that is not known. In opaque
// text, that of a here-document or a quote, nothing else can happen before. A
// line that ends a here-document begins with the token, after tabs.
//
// The parser tells it in the text of its errors only; one that it words in
// another way is not known.
func Awaits(err error) (token string, opaque, hereDoc bool) {
	text := strings.TrimPrefix(err.Error(), "syntax error: ")
	delimiter, hereDoc := strings.CutPrefix(text, "unclosed here-document ")
	opaque = hereDoc || strings.Contains(text, " without closing quote ")
	switch {
	case hereDoc: // the delimiter may hold blanks
		text = delimiter
	case opaque, strings.Contains(text, " statement must end with "):
		text = text[strings.LastIndexByte(text, ' ')+1:]
	default:
		return "", false, false
	}
	token, err = strconv.Unquote(text)
	if err != nil {
		return "", false, false
	}
	return token, opaque, hereDoc
}

func tooNested(script string) bool {
	return strings.Count(script, "(")+strings.Count(script, "{")+strings.Count(script, "`") > maxNesting
}

func syntaxError(err error) error {
	var pe syntax.ParseError
	if errors.As(err, &pe) {
		return fmt.Errorf("syntax error: %s", pe.Text)
	}
	return err
}

// Run runs a script statement by statement, so that what stands before a
// syntax error is run, and returns the exit status of the shell.
func (s *Shell) Run(ctx context.Context, script string) int {
	s.begin(ctx)
	s.script(ctx, script)
	s.finish(ctx)
	return s.status
}

// RunInteractive runs what was typed at a prompt and returns the signal that
// ended it, or 0. The shell goes on unless Exited reports otherwise; Finish
// ends it.
func (s *Shell) RunInteractive(ctx context.Context, f *syntax.File) Signal {
	s.begin(ctx)
	s.caught = 0
	s.stmts(ctx, f.Stmts)
	if s.flow != flowExit {
		s.flow = flowNone
	}
	s.ForgetSignals()
	return s.caught
}

// Finish ends an interactive shell: its EXIT trap runs.
func (s *Shell) Finish(ctx context.Context) int {
	s.begin(ctx)
	s.finish(ctx)
	return s.status
}

// Source runs a script in this shell, as the dot command does.
func (s *Shell) Source(ctx context.Context, script string) {
	s.begin(ctx)
	s.script(ctx, script)
	if s.flow == flowReturn {
		s.flow = flowNone
	}
}

func (s *Shell) begin(ctx context.Context) {
	s.ctx = ctx
	if s.flow != flowExit {
		s.flow = flowNone
	}
}

// script parses and runs text in the shell as it is.
func (s *Shell) script(ctx context.Context, text string) {
	if tooNested(text) {
		s.errf("script is nested too deeply")
		s.status = 2
		return
	}
	err := func() (err error) {
		defer guard(&err)
		p := syntax.NewParser()
		for st, err := range p.StmtsSeq(bytes.NewReader([]byte(text))) {
			if err != nil {
				return err
			}
			if s.stmt(ctx, st); s.flow != flowNone {
				break
			}
		}
		return nil
	}()
	if err == nil || s.flow != flowNone {
		return
	}
	var pe syntax.ParseError
	if errors.As(err, &pe) {
		s.line = pe.Pos.Line()
	}
	s.errf("%v", syntaxError(err))
	s.status = 2
	if !s.cfg.Interactive && s.inSource == 0 {
		s.flow = flowExit
	}
}

// finish runs the EXIT trap, once.
func (s *Shell) finish(ctx context.Context) {
	defer s.endProcSubsts(0) // those that exec has kept
	action := s.traps["EXIT"]
	delete(s.traps, "EXIT")
	if action == "" || ctx.Err() != nil {
		return
	}
	status := s.status
	s.flow, s.ctx = flowNone, ctx
	s.script(ctx, action)
	if s.flow != flowExit { // a trap that calls exit sets the status
		s.status = status
	}
	s.flow = flowExit
}

// signalled returns a context that a signal to the shell's group cancels.
func (s *Shell) signalled(ctx context.Context) (context.Context, context.CancelFunc) {
	return s.cfg.Group.context(ctx, s.gen)
}

// stopping acts on what happened meanwhile and reports whether the shell is
// leaving the current list of statements.
func (s *Shell) stopping(ctx context.Context) bool {
	if s.flow != flowNone {
		return true
	}
	if ctx.Err() != nil {
		s.exit(KilledStatus(ctx))
		return true
	}
	sig, gen := s.cfg.Group.since(s.gen)
	if sig == 0 {
		return s.opts["noexec"] && !s.cfg.Interactive
	}
	s.gen = gen
	action, trapped := s.traps[sig.String()]
	switch {
	case trapped && sig != SIGKILL:
		s.trap(ctx, action)
	case s.cfg.Interactive && !s.sub && sig != SIGHUP && sig != SIGKILL:
		s.status = 128 + int(sig)
		s.caught = sig
		s.flow = flowAbort
	default:
		s.exit(128 + int(sig))
	}
	return s.flow != flowNone
}

// trap runs the action of a trap; $? is kept.
func (s *Shell) trap(ctx context.Context, action string) {
	if action == "" || s.inTrap {
		return
	}
	status := s.status
	s.inTrap = true
	s.script(ctx, action)
	s.inTrap = false
	if s.flow == flowNone {
		s.status = status
	}
}

func (s *Shell) stmts(ctx context.Context, list []*syntax.Stmt) {
	for _, st := range list {
		if s.stmt(ctx, st); s.flow != flowNone {
			return
		}
	}
}

func (s *Shell) stmt(ctx context.Context, st *syntax.Stmt) {
	if s.stopping(ctx) {
		return
	}
	s.line = st.Pos().Line()
	switch {
	case st.Coprocess || st.Disown:
		s.errf("unsupported command terminator")
		s.status = 2
	case st.Background:
		s.background(ctx, st)
	default:
		s.stmtSync(ctx, st)
		// A signal that ended the command is acted on here, so that the status
		// of a script that a signal ended is that of the signal.
		s.stopping(ctx)
	}
}

func (s *Shell) stmtSync(ctx context.Context, st *syntax.Stmt) {
	saved, substs := s.fds, len(s.procSubsts)
	var closers []func()
	ok := true
	if len(st.Redirs) > 0 {
		closers, ok = s.redirect(ctx, st.Redirs)
	}
	if ok {
		if st.Cmd != nil {
			s.cmd(ctx, st.Cmd)
		} else {
			s.status = 0
		}
	} else if s.flow == flowNone {
		s.status = 1
	}
	if s.keepFDs {
		s.keepFDs = false
	} else {
		s.endProcSubsts(substs)
		if len(st.Redirs) > 0 {
			for _, c := range closers {
				c()
			}
			s.fds = saved
		}
	}
	s.afterStmt(ctx, st)
}

// afterStmt applies negation, the ERR trap and errexit.
func (s *Shell) afterStmt(ctx context.Context, st *syntax.Stmt) {
	if s.flow != flowNone {
		return
	}
	if st.Negated {
		s.status = oneIf(s.status == 0)
		return
	}
	if b, ok := st.Cmd.(*syntax.BinaryCmd); ok && (b.Op == syntax.AndStmt || b.Op == syntax.OrStmt) {
		return
	}
	if s.status == 0 || s.noErrExit > 0 {
		return
	}
	if action := s.traps["ERR"]; action != "" {
		s.trap(ctx, action)
	}
	if s.opts["errexit"] && s.flow == flowNone {
		s.flow = flowExit
	}
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ForgetSignals drops a signal that arrived while no command was running.
func (s *Shell) ForgetSignals() { _, s.gen = s.cfg.Group.since(s.gen) }
