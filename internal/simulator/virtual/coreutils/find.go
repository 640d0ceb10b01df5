package coreutils

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// finding is one file that find looks at.
type finding struct {
	name  string
	info  memfs.Info
	depth int
	empty bool
}

// findTest is a test or an action; it reports whether evaluation goes on.
type findTest func(x finding) bool

// finder is one run of find.
type finder struct {
	ctx      context.Context
	p        *program.Proc
	min, max int
	tests    []findTest
	acts     bool
	prune    bool
	follow   bool   // links among the roots
	root     string // that is being visited
	depth    bool   // children first, which -delete implies
	status   int
	batch    [][]string // files for -exec ... +
	batchCmd [][]string
}

// find knows -H -printf -name -iname -path -type -size -mtime -mmin -newer -user -empty
// -perm -maxdepth -mindepth -print -print0 -delete -exec and !; not groups and -o.
func find(ctx context.Context, p *program.Proc) int {
	args := p.Args[1:]
	follow := len(args) > 0 && args[0] == "-H"
	if follow || len(args) > 0 && args[0] == "-P" {
		args = args[1:]
	}
	var roots []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "!" && args[0] != "(" {
		roots, args = append(roots, args[0]), args[1:]
	}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	f := &finder{ctx: ctx, p: p, max: 1 << 30, follow: follow}
	if err := f.parse(args); err != nil {
		p.Errorf("%v", err)
		return 1
	}
	for _, root := range roots {
		f.root = root
		f.visit(root, 0)
	}
	for i, files := range f.batch {
		if len(files) > 0 {
			f.run(append(f.batchCmd[i], files...))
		}
	}
	return f.status
}

func (f *finder) parse(args []string) error {
	for len(args) > 0 {
		op := args[0]
		args = args[1:]
		negate := false
		if op == "!" || op == "-not" {
			if len(args) == 0 {
				return fmt.Errorf("expected an expression after '%s'", op)
			}
			negate, op, args = true, args[0], args[1:]
		}
		var t findTest
		var err error
		switch op {
		case "-a", "-and":
			continue
		case "-printf":
			if len(args) == 0 {
				return fmt.Errorf("missing argument to `%s'", op)
			}
			format := args[0]
			t, args, f.acts = func(x finding) bool { f.p.Printf("%s", f.format(format, x)); return true }, args[1:], true
		case "-print", "-print0", "-delete", "-prune", "-empty", "-exec", "-ok", "-xdev", "-mount":
			t, args, err = f.action(op, args)
		default:
			if len(args) == 0 {
				return fmt.Errorf("missing argument to `%s'", op)
			}
			t, err = f.test(op, args[0])
			args = args[1:]
		}
		if err != nil {
			return err
		}
		switch {
		case t == nil:
		case negate:
			f.tests = append(f.tests, func(x finding) bool { return !t(x) })
		default:
			f.tests = append(f.tests, t)
		}
	}
	return nil
}

// test returns a test with one argument.
func (f *finder) test(op, arg string) (findTest, error) {
	now := f.p.Shell.Now()
	switch op {
	case "-name", "-iname":
		return func(x finding) bool {
			pat, name := arg, path.Base(x.name)
			if op == "-iname" {
				pat, name = strings.ToLower(pat), strings.ToLower(name)
			}
			ok, _ := path.Match(pat, name)
			return ok
		}, nil
	case "-path", "-wholename":
		return func(x finding) bool {
			ok, _ := path.Match(strings.ReplaceAll(arg, "/", "\x01"), strings.ReplaceAll(x.name, "/", "\x01"))
			return ok
		}, nil
	case "-type":
		return func(x finding) bool {
			m := x.info.Mode()
			for t := range strings.SplitSeq(arg, ",") {
				if t == "d" && m.IsDir() || t == "f" && m.IsRegular() || t == "l" && m&fs.ModeSymlink != 0 || t == "c" && m&fs.ModeCharDevice != 0 {
					return true
				}
			}
			return false
		}, nil
	case "-maxdepth", "-mindepth":
		n, err := strconv.Atoi(arg)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("Expected a positive decimal integer argument to %s, but got '%s'", op, arg)
		}
		if op == "-maxdepth" {
			f.max = n
		} else {
			f.min = n
		}
		return nil, nil
	case "-size":
		unit := int64(512)
		digits := strings.TrimRight(arg, "ckMGbw")
		if suffix := arg[len(digits):]; suffix != "" {
			unit = map[string]int64{"c": 1, "w": 2, "b": 512, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}[suffix]
		}
		return numeric(op, digits, func(x finding) int64 { return (x.info.Size() + unit - 1) / max(unit, 1) })
	case "-mtime":
		return numeric(op, arg, func(x finding) int64 { return int64(now.Sub(x.info.ModTime()) / (24 * time.Hour)) })
	case "-mmin":
		return numeric(op, arg, func(x finding) int64 { return int64(now.Sub(x.info.ModTime()) / time.Minute) })
	case "-newer":
		ref, err := f.p.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("'%s': %s", arg, memfs.Reason(err))
		}
		return func(x finding) bool { return x.info.ModTime().After(ref.ModTime()) }, nil
	case "-user":
		return func(x finding) bool { return x.info.User == arg }, nil
	case "-group":
		return func(x finding) bool { return x.info.Group == arg }, nil
	case "-perm":
		n, err := strconv.ParseUint(strings.TrimLeft(arg, "-/"), 8, 32)
		if err != nil {
			return nil, fmt.Errorf("invalid mode '%s'", arg)
		}
		want := uint32(n)
		return func(x finding) bool {
			m := unixMode(x.info.Mode())
			switch arg[0] {
			case '-':
				return m&want == want
			case '/':
				return m&want != 0 || want == 0
			}
			return m == want
		}, nil
	}
	return nil, fmt.Errorf("unknown predicate `%s' (not supported by the simulated find)", op)
}

// numeric compares with N, +N or -N.
func numeric(op, arg string, value func(finding) int64) (findTest, error) {
	n, err := strconv.ParseInt(strings.TrimLeft(arg, "+-"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("invalid argument `%s' to `%s'", arg, op)
	}
	return func(x finding) bool {
		v := value(x)
		switch arg[0] {
		case '+':
			return v > n
		case '-':
			return v < n
		}
		return v == n
	}, nil
}

func (f *finder) action(op string, args []string) (findTest, []string, error) {
	switch op {
	case "-xdev", "-mount":
		return nil, args, nil
	case "-empty":
		return func(x finding) bool { return x.empty }, args, nil
	case "-prune":
		return func(finding) bool { f.prune = true; return true }, args, nil
	}
	f.acts = true
	switch op {
	case "-print":
		return func(x finding) bool { f.p.Printf("%s\n", x.name); return true }, args, nil
	case "-print0":
		return func(x finding) bool { f.p.Printf("%s\x00", x.name); return true }, args, nil
	case "-delete":
		f.depth = true
		return func(x finding) bool {
			if err := f.p.Shell.FS().Remove(f.p.Shell.Cred(), f.p.Shell.Abs(x.name)); err != nil {
				f.p.Errorf("cannot delete '%s': %s", x.name, memfs.Reason(err))
				f.status = 1
				return false
			}
			return true
		}, args, nil
	case "-exec":
		for i, a := range args {
			if a != ";" && (a != "+" || i == 0 || args[i-1] != "{}") {
				continue
			}
			cmd := args[:i]
			if a == "+" {
				slot := len(f.batch)
				f.batch, f.batchCmd = append(f.batch, nil), append(f.batchCmd, cmd[:i-1:i-1])
				return func(x finding) bool { f.batch[slot] = append(f.batch[slot], x.name); return true }, args[i+1:], nil
			}
			return func(x finding) bool {
				one := make([]string, len(cmd))
				for k, c := range cmd {
					one[k] = strings.ReplaceAll(c, "{}", x.name)
				}
				return len(one) > 0 && f.run(one)
			}, args[i+1:], nil
		}
		return nil, nil, fmt.Errorf("missing argument to `-exec'")
	}
	return nil, nil, fmt.Errorf("`%s' is not supported by the simulated find", op)
}

func (f *finder) run(args []string) bool {
	f.p.Flush()
	return f.p.Shell.Spawn(f.ctx, posix.Spawn{Args: args, Stdin: f.p.Stdin, Stdout: f.p.Stdout, Stderr: f.p.Stderr}) == 0
}

func (f *finder) visit(name string, depth int) {
	if f.ctx.Err() != nil {
		return
	}
	info, err := f.p.Lstat(name)
	if err == nil && f.follow && depth == 0 {
		if target, statErr := f.p.Stat(name); statErr == nil {
			info = target
		}
	}
	if err != nil {
		f.p.Errorf("'%s': %s", name, memfs.Reason(err))
		f.status = 1
		return
	}
	x := finding{name: name, info: info, depth: depth, empty: info.Size() == 0}
	var list []memfs.Info
	if info.IsDir() {
		list, err = f.p.Shell.FS().ReadDir(f.p.Shell.Cred(), f.p.Shell.Abs(name))
		x.empty = len(list) == 0 && err == nil
	}
	f.prune = false
	here := depth >= f.min && depth <= f.max
	if here && !f.depth {
		f.eval(x)
	} else if here {
		defer f.eval(x)
	}
	if f.prune || depth >= f.max {
		return
	}
	if err != nil {
		f.p.Errorf("'%s': %s", name, memfs.Reason(err))
		f.status = 1
	}
	for _, c := range list {
		f.visit(strings.TrimSuffix(name, "/")+"/"+c.Name(), depth+1)
	}
}

func (f *finder) eval(x finding) {
	for _, t := range f.tests {
		if !t(x) {
			return
		}
	}
	if !f.acts {
		f.p.Printf("%s\n", x.name)
	}
}

// format writes x as -printf does; what it does not know stays as it is.
func (f *finder) format(format string, x finding) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if (c != '%' && c != '\\') || i+1 == len(format) {
			b.WriteByte(c)
			continue
		}
		i++
		if c == '\\' {
			if at := strings.IndexByte("0nt\\", format[i]); at >= 0 {
				b.WriteByte("\x00\n\t\\"[at])
			} else {
				b.WriteString(format[i-1 : i+1])
			}
			continue
		}
		switch format[i] {
		case '%':
			b.WriteByte('%')
		case 'y':
			b.WriteByte(typeLetter(x.info.Mode()))
		case 'm':
			fmt.Fprintf(&b, "%o", unixMode(x.info.Mode()))
		case 's':
			fmt.Fprint(&b, x.info.Size())
		case 'p':
			b.WriteString(x.name)
		case 'P':
			b.WriteString(strings.TrimPrefix(strings.TrimPrefix(x.name, strings.TrimSuffix(f.root, "/")), "/"))
		case 'f':
			b.WriteString(path.Base(x.name))
		case 'l':
			if x.info.Mode()&fs.ModeSymlink != 0 {
				target, _ := f.p.Shell.FS().Readlink(f.p.Shell.Cred(), f.p.Shell.Abs(x.name))
				b.WriteString(target)
			}
		case 'T':
			if i+1 < len(format) && format[i+1] == '@' {
				i++
				fmt.Fprintf(&b, "%d.%09d0", x.info.ModTime().Unix(), x.info.ModTime().Nanosecond())
			}
		default:
			b.WriteString(format[i-1 : i+1])
		}
	}
	return b.String()
}

func typeLetter(m fs.FileMode) byte {
	switch {
	case m.IsDir():
		return 'd'
	case m&fs.ModeSymlink != 0:
		return 'l'
	case m&fs.ModeCharDevice != 0:
		return 'c'
	default:
		return 'f'
	}
}
