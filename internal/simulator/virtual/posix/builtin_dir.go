package posix

import (
	"context"
	"os"
	"strings"
)

func builtinPwd(s *Shell, _ context.Context, args []string) int {
	dir := s.dir
	if len(args) > 1 && args[1] == "-P" {
		if real, err := s.cfg.FS.RealPath(s.cfg.Cred, dir); err == nil {
			dir = real
		}
	}
	s.out(dir + "\n")
	return 0
}

func builtinCd(s *Shell, _ context.Context, args []string) int {
	rest := args[1:]
	for len(rest) > 0 && (rest[0] == "-P" || rest[0] == "-L" || rest[0] == "--") {
		rest = rest[1:]
	}
	if len(rest) > 1 {
		s.errf("cd: too many arguments")
		return 1
	}
	to, show := s.Get("HOME"), false
	if len(rest) == 1 {
		to = rest[0]
	} else if to == "" {
		s.errf("cd: HOME not set")
		return 1
	}
	if to == "-" {
		if to = s.Get("OLDPWD"); to == "" {
			s.errf("cd: OLDPWD not set")
			return 1
		}
		show = true
	}
	if !s.chdir("cd", to) {
		return 1
	}
	if show {
		s.out(s.dir + "\n")
	}
	return 0
}

// chdir changes the directory, or says why not.
func (s *Shell) chdir(cmd, to string) bool {
	if to == "" {
		return true
	}
	full := s.Abs(to)
	info, err := s.cfg.FS.Stat(s.cfg.Cred, full)
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "chdir", Path: to, Err: errNotDir{}}
	}
	if err == nil {
		err = s.cfg.FS.Access(s.cfg.Cred, full, 1)
	}
	if err != nil {
		s.errf("%s: %s: %s", cmd, to, reason(err))
		return false
	}
	s.setString("OLDPWD", s.dir)
	s.dir = full
	s.setString("PWD", full)
	return true
}

type errNotDir struct{}

func (errNotDir) Error() string { return "Not a directory" }

func builtinDirs(s *Shell, _ context.Context, args []string) int {
	switch args[0] {
	case "pushd":
		to := ""
		switch {
		case len(args) > 1:
			to = args[1]
		case len(s.dirs) > 0:
			to = s.dirs[0]
			s.dirs = s.dirs[1:]
		default:
			s.errf("pushd: no other directory")
			return 1
		}
		old := s.dir
		if !s.chdir("pushd", to) {
			return 1
		}
		s.dirs = append([]string{old}, s.dirs...)
	case "popd":
		if len(s.dirs) == 0 {
			s.errf("popd: directory stack empty")
			return 1
		}
		if !s.chdir("popd", s.dirs[0]) {
			return 1
		}
		s.dirs = s.dirs[1:]
	}
	s.out(strings.Join(append([]string{s.dir}, s.dirs...), " ") + "\n")
	return 0
}
