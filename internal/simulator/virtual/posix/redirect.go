package posix

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

func fsMode(perm uint32) fs.FileMode { return fs.FileMode(perm) & fs.ModePerm }

func reason(err error) string { return memfs.Reason(err) }

// redirect applies redirections to a copy of the descriptors. ok is false when
// one failed, which has been reported.
func (s *Shell) redirect(ctx context.Context, list []*syntax.Redirect) (closers []func(), ok bool) {
	s.fds = maps.Clone(s.fds)
	s.ctx = ctx
	for _, rd := range list {
		c, ok := s.redirectOne(rd)
		if c != nil {
			closers = append(closers, c)
		}
		if !ok {
			return closers, false
		}
	}
	return closers, true
}

func (s *Shell) redirectOne(rd *syntax.Redirect) (closer func(), ok bool) {
	fd := 1
	switch rd.Op {
	case syntax.RdrIn, syntax.RdrInOut, syntax.DplIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
		fd = 0
	}
	if rd.N != nil {
		if fd = atoi(rd.N.Value); fd < 0 || fd > 255 {
			s.errf("%s: unsupported file descriptor", rd.N.Value)
			return nil, false
		}
	}
	switch rd.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		text, ok := s.hereDoc(rd)
		s.fds[fd] = file{r: strings.NewReader(text)}
		return nil, ok
	}
	arg, ok := s.literal(rd.Word)
	if !ok {
		return nil, false
	}
	switch rd.Op {
	case syntax.WordHdoc:
		s.fds[fd] = file{r: strings.NewReader(arg + "\n")}
		return nil, true
	case syntax.DplIn, syntax.DplOut:
		return s.duplicate(rd, fd, arg)
	}
	return s.openRedirect(rd.Op, fd, arg)
}

func (s *Shell) duplicate(rd *syntax.Redirect, fd int, arg string) (closer func(), ok bool) {
	if arg == "-" {
		delete(s.fds, fd)
		return nil, true
	}
	src := atoi(arg)
	if src < 0 && rd.Op == syntax.DplOut && rd.N == nil { // >&file
		return s.openRedirect(syntax.RdrAll, 1, arg)
	}
	f, exists := s.fds[src]
	if !exists {
		s.errf("%s: Bad file descriptor", arg)
		return nil, false
	}
	s.fds[fd] = f
	return nil, true
}

func (s *Shell) openRedirect(op syntax.RedirOperator, fd int, name string) (closer func(), ok bool) {
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	switch op {
	case syntax.RdrIn:
		flag = os.O_RDONLY
	case syntax.RdrInOut:
		flag = os.O_RDWR | os.O_CREATE
	case syntax.AppOut, syntax.AppAll:
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	if name == "" {
		s.errf("%s: No such file or directory", name)
		return nil, false
	}
	if op == syntax.RdrOut && s.opts["noclobber"] {
		if info, err := s.cfg.FS.Stat(s.cfg.Cred, s.Abs(name)); err == nil && info.Mode().IsRegular() {
			s.errf("%s: cannot overwrite existing file", name)
			return nil, false
		}
	}
	f, err := s.Open(name, flag, 0o666)
	if err == nil && flag == os.O_RDONLY {
		if info, serr := s.cfg.FS.Stat(s.cfg.Cred, s.Abs(name)); serr == nil && info.IsDir() {
			err = memfs.ErrIsDir
		}
	}
	if err != nil {
		s.errf("%s: %s", name, reason(err))
		return nil, false
	}
	end := file{w: f}
	switch op {
	case syntax.RdrIn:
		end = file{r: f}
	case syntax.RdrInOut:
		end = file{r: f, w: f}
	case syntax.RdrAll, syntax.RdrAllClob, syntax.AppAll:
		s.fds[2] = end
		fd = 1
	}
	s.fds[fd] = end
	return func() { f.Close() }, true
}

// hereDoc returns the text of a here-document.
func (s *Shell) hereDoc(rd *syntax.Redirect) (string, bool) {
	if rd.Hdoc == nil {
		return "", true
	}
	var text string
	if lit := rd.Hdoc.Lit(); lit != "" && quotedDelimiter(rd.Word) {
		text = lit
	} else {
		var ok bool
		if text, ok = s.expandWord(expand.Document, rd.Hdoc); !ok {
			return "", false
		}
	}
	if rd.Op == syntax.DashHdoc {
		lines := strings.Split(text, "\n")
		for i := range lines {
			lines[i] = strings.TrimLeft(lines[i], "\t")
		}
		text = strings.Join(lines, "\n")
	}
	return text, true
}

func quotedDelimiter(w *syntax.Word) bool {
	for _, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.SglQuoted, *syntax.DblQuoted:
			return true
		case *syntax.Lit:
			if strings.Contains(p.Value, `\`) {
				return true
			}
		}
	}
	return false
}

// errNotFound is fs.ErrNotExist with the text of a shell.
type errNotFound struct{}

func (errNotFound) Error() string   { return "command not found" }
func (errNotFound) Is(t error) bool { return t == fs.ErrNotExist }

// ErrNotFound is what Lookup returns for a name that is in no directory of
// PATH. It is fs.ErrNotExist.
var ErrNotFound error = errNotFound{}
