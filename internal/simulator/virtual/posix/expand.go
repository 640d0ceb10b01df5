package posix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// setupExpand makes the configuration for package expand. Everything it can
// reach is ours; it reads no file and looks up no user by itself.
func (s *Shell) setupExpand() {
	s.ecfg = &expand.Config{
		Env:      environ{s},
		CmdSubst: s.cmdSubst,
		ProcSubst: func(ps *syntax.ProcSubst) (string, error) {
			return s.procSubst(ps)
		},
	}
	s.applyOptions()
}

// applyOptions carries the options that matter to expansions over.
func (s *Shell) applyOptions() {
	c := s.ecfg
	c.NoUnset, c.ExtGlob, c.GlobStar = s.opts["nounset"], s.opts["extglob"], s.opts["globstar"]
	c.NullGlob, c.DotGlob, c.NoCaseGlob = s.opts["nullglob"], s.opts["dotglob"], s.opts["nocaseglob"]
	c.ReadDir2 = s.readDir
	if s.opts["noglob"] {
		c.ReadDir2 = nil
	}
}

func (s *Shell) readDir(name string) ([]fs.DirEntry, error) {
	infos, err := s.cfg.FS.ReadDir(s.cfg.Cred, s.Abs(filepath.ToSlash(name)))
	if err != nil {
		return nil, err
	}
	list := make([]fs.DirEntry, len(infos))
	for i, info := range infos {
		list[i] = fs.FileInfoToDirEntry(info)
	}
	return list, nil
}

// guard turns a panic of the parser or of package expand, which user input
// must not be able to crash us with, into an error.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("internal error: %v", r)
	}
}

// fields expands words to the arguments of a command. ok is false when that
// failed; the failure has been reported.
func (s *Shell) fields(words ...*syntax.Word) (list []string, ok bool) {
	for _, w := range words {
		got, err := s.wordFields(w)
		if err == nil && len(list)+len(got) > maxFields {
			err = errors.New("argument list too long")
		}
		if err != nil {
			s.expandFailed(err)
			return nil, false
		}
		list = append(list, got...)
	}
	return list, true
}

func (s *Shell) wordFields(w *syntax.Word) (list []string, err error) {
	defer guard(&err)
	fix := func(f string) string { return f }
	if filepath.Separator != '/' {
		fix = s.slashGlobs(w)
		defer s.applyOptions()
	}
	for f, err := range expand.FieldsSeq(s.ecfg, w) {
		if err != nil {
			return nil, err
		}
		if list = append(list, fix(f)); len(list) > maxFields {
			return nil, errors.New("argument list too long")
		}
	}
	return list, nil
}

// slashGlobs makes globbing work where the real machine has other path
// separators (Windows): package expand joins matches with those, and takes a
// leading slash for a relative path. The function returned repairs a field.
func (s *Shell) slashGlobs(w *syntax.Word) func(string) string {
	if s.ecfg.ReadDir2 == nil {
		return func(f string) string { return f }
	}
	abs := false
	if len(w.Parts) > 0 {
		if lit, ok := w.Parts[0].(*syntax.Lit); ok {
			abs = strings.HasPrefix(lit.Value, "/")
		}
	}
	globbed := false
	s.ecfg.ReadDir2 = func(name string) ([]fs.DirEntry, error) {
		globbed = true
		name = filepath.ToSlash(name)
		if abs {
			name = "/" + strings.TrimPrefix(strings.TrimPrefix(name, s.dir), "/")
		}
		return s.readDir(name)
	}
	return func(f string) string {
		if !globbed {
			return f
		}
		if f = filepath.ToSlash(f); abs && !strings.HasPrefix(f, "/") {
			f = "/" + f
		}
		return f
	}
}

// literal expands a word to one string.
func (s *Shell) literal(w *syntax.Word) (string, bool) {
	return s.expandWord(expand.Literal, w)
}

func (s *Shell) expandWord(fn func(*expand.Config, *syntax.Word) (string, error), w *syntax.Word) (text string, ok bool) {
	text, err := func() (_ string, err error) {
		defer guard(&err)
		return fn(s.ecfg, w)
	}()
	if err != nil {
		s.expandFailed(err)
		return "", false
	}
	return text, true
}

func (s *Shell) arithm(x syntax.ArithmExpr) (int, bool) {
	n, err := func() (_ int, err error) {
		defer guard(&err)
		return expand.Arithm(s.ecfg, x)
	}()
	if err != nil {
		s.expandFailed(err)
		return 0, false
	}
	return n, true
}

// expandFailed reports err. An unset parameter that must be set ends the shell.
func (s *Shell) expandFailed(err error) {
	if s.ctx.Err() != nil {
		return
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = fmt.Errorf("%s: %s", pe.Path, reason(err))
	}
	s.errf("%v", err)
	s.status = 1
	var unset expand.UnsetParameterError
	switch {
	case errors.As(err, &unset) && !s.cfg.Interactive:
		s.exit(1)
	case s.cfg.Interactive && !s.sub:
		s.flow = flowAbort
	}
}

// limited refuses more than maxVariable bytes.
type limited struct {
	w io.Writer
	n int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.n += len(p); l.n > maxVariable {
		return 0, ErrBrokenPipe
	}
	return l.w.Write(p)
}

func (s *Shell) cmdSubst(w io.Writer, cs *syntax.CmdSubst) error {
	sub := s.subshell()
	if sub.depth > maxDepth {
		return errors.New("maximum nesting level exceeded")
	}
	lim := &limited{w: w}
	if len(cs.Stmts) == 1 { // $(<file)
		if st := cs.Stmts[0]; st.Cmd == nil && len(st.Redirs) == 1 && st.Redirs[0].Op == syntax.RdrIn {
			return s.fileSubst(lim, st.Redirs[0].Word)
		}
	}
	sub.fds[1] = file{w: lim}
	sub.stmts(s.ctx, cs.Stmts)
	sub.finish(s.ctx)
	s.substRan, s.substStatus = true, sub.status
	if lim.n > maxVariable {
		return errTooLarge
	}
	return nil
}

func (s *Shell) fileSubst(w io.Writer, word *syntax.Word) error {
	name, ok := s.literal(word)
	if !ok {
		return nil
	}
	f, err := s.Open(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// procSubst runs <(...) or >(...) beside the command, on a pipe that the
// command opens as /dev/fd/N.
func (s *Shell) procSubst(ps *syntax.ProcSubst) (string, error) {
	if ps.Op == syntax.CmdInTemp {
		return "", errors.New("unsupported process substitution")
	}
	fd := 63
	for ; ; fd-- {
		if _, used := s.fds[fd]; !used {
			break
		}
	}
	p, done := &Pipe{}, make(chan struct{})
	sub := s.subshell()
	inner, outer := file{w: p}, file{r: p}
	closeInner, closeOuter := p.CloseWrite, p.CloseRead
	if ps.Op == syntax.CmdOut {
		inner, outer = file{r: p}, file{w: p}
		closeInner, closeOuter = p.CloseRead, p.CloseWrite
		sub.fds[0] = inner
	} else {
		sub.fds[1] = inner
	}
	ctx := s.ctx
	if !s.cfg.Session.fork(func() {
		defer close(done)
		defer closeInner()
		sub.stmts(ctx, ps.Stmts)
		sub.finish(ctx)
	}) {
		return "", errors.New("fork: Resource temporarily unavailable")
	}
	s.fds[fd] = outer
	s.procSubsts = append(s.procSubsts, func() {
		delete(s.fds, fd)
		closeOuter()
		<-done
	})
	return fmt.Sprintf("/dev/fd/%d", fd), nil
}

// endProcSubsts ends those started since there were n of them.
func (s *Shell) endProcSubsts(n int) {
	for len(s.procSubsts) > n {
		last := len(s.procSubsts) - 1
		end := s.procSubsts[last]
		s.procSubsts = s.procSubsts[:last]
		end()
	}
}

// match reports whether text matches a shell pattern as a whole.
func match(pat, text string) bool {
	expr, err := pattern.Regexp(pat, pattern.EntireString|pattern.ExtendedOperators)
	if err != nil {
		return pat == text
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return pat == text
	}
	return re.MatchString(text)
}

// Expand expands one word list as if it were typed, for completion and tests.
func (s *Shell) Expand(ctx context.Context, words ...*syntax.Word) ([]string, bool) {
	s.ctx = ctx
	return s.fields(words...)
}

// Tilde replaces a leading ~ in a path.
func (s *Shell) Tilde(name string) string {
	if name == "~" || strings.HasPrefix(name, "~/") {
		return path.Join(s.Get("HOME"), name[1:])
	}
	return name
}
