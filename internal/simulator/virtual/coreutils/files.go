package coreutils

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// operands reports a missing operand.
func operands(p *program.Proc, args []string, atLeast int) bool {
	switch {
	case len(args) >= atLeast:
		return true
	case len(args) == 0:
		p.Errorf("missing operand\nTry '%s --help' for more information.", p.Name())
	default:
		p.Errorf("missing destination file operand after '%s'", args[len(args)-1])
	}
	return false
}

func mkdir(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("pvm: parents=p verbose=v mode=m:")
	if st >= 0 || !operands(p, args, 1) {
		return max(st, oneIf(st < 0))
	}
	perm := fs.FileMode(0o777 &^ p.Shell.Umask())
	if f.Has("m") {
		m, ok := parseMode(f.Value("m", ""), fs.ModeDir|0o777)
		if !ok {
			p.Errorf("invalid mode '%s'", f.Value("m", ""))
			return 1
		}
		perm = m
	}
	status := 0
	for _, name := range args {
		var err error
		if f.Has("p") {
			err = p.Shell.FS().MkdirAll(p.Shell.Cred(), p.Shell.Abs(name), perm)
		} else {
			err = p.Shell.FS().Mkdir(p.Shell.Cred(), p.Shell.Abs(name), perm)
		}
		if err != nil {
			p.Errorf("cannot create directory '%s': %s", name, memfs.Reason(err))
			status = 1
		} else if f.Has("v") {
			p.Printf("mkdir: created directory '%s'\n", name)
		}
	}
	return status
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

func rmdir(_ context.Context, p *program.Proc) int {
	_, args, st := p.Flags("pv")
	if st >= 0 || !operands(p, args, 1) {
		return max(st, oneIf(st < 0))
	}
	status := 0
	for _, name := range args {
		info, err := p.Lstat(name)
		if err == nil && !info.IsDir() {
			err = memfs.ErrNotDir
		}
		if err == nil {
			err = p.Shell.FS().Remove(p.Shell.Cred(), p.Shell.Abs(name))
		}
		if err != nil {
			p.Errorf("failed to remove '%s': %s", name, memfs.Reason(err))
			status = 1
		}
	}
	return status
}

func rm(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("rRfvdi recursive=r force=f verbose=v dir=d no-preserve-root=x")
	if st >= 0 {
		return st
	}
	if len(args) == 0 && f.Has("f") {
		return 0
	}
	if !operands(p, args, 1) {
		return 1
	}
	status := 0
	for _, name := range args {
		full := p.Shell.Abs(name)
		info, err := p.Lstat(name)
		switch {
		case err != nil:
			if f.Has("f") && errors.Is(err, fs.ErrNotExist) {
				continue
			}
		case full == "/":
			p.Errorf("it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe")
			status = 1
			continue
		case path.Base(name) == "." || path.Base(name) == "..":
			p.Errorf("refusing to remove '.' or '..' directory: skipping '%s'", name)
			status = 1
			continue
		case info.IsDir() && !f.Has("r") && !f.Has("R"):
			err = memfs.ErrIsDir
			if f.Has("d") {
				err = p.Shell.FS().Remove(p.Shell.Cred(), full)
			}
		default:
			err = p.Shell.FS().RemoveAll(p.Shell.Cred(), full)
		}
		if err != nil {
			p.Errorf("cannot remove '%s': %s", name, memfs.Reason(err))
			status = 1
		} else if f.Has("v") {
			p.Printf("removed '%s'\n", name)
		}
	}
	return status
}

func touch(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("acmd:t:r: no-create=c date=d: reference=r:")
	if st >= 0 || !operands(p, args, 1) {
		return max(st, oneIf(st < 0))
	}
	when := p.Shell.Now()
	if d := f.Value("d", ""); d != "" {
		t, ok := parseDate(d, when)
		if !ok {
			p.Errorf("invalid date format '%s'", d)
			return 1
		}
		when = t
	}
	if stamp := f.Value("t", ""); stamp != "" {
		t, ok := parseStamp(stamp, when)
		if !ok {
			p.Errorf("invalid date format '%s'", stamp)
			return 1
		}
		when = t
	}
	if ref := f.Value("r", ""); ref != "" {
		info, err := p.Stat(ref)
		if err != nil {
			p.Errorf("failed to get attributes of '%s': %s", ref, memfs.Reason(err))
			return 1
		}
		when = info.ModTime()
	}
	status := 0
	for _, name := range args {
		_, err := p.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			if f.Has("c") {
				continue
			}
			var w io.Closer
			if w, err = p.Shell.Open(name, os.O_WRONLY|os.O_CREATE, 0o666); err == nil {
				w.Close()
			}
		}
		if err == nil {
			err = p.Shell.FS().Chtimes(p.Shell.Cred(), p.Shell.Abs(name), when)
		}
		if err != nil {
			p.Errorf("cannot touch '%s': %s", name, memfs.Reason(err))
			status = 1
		}
	}
	return status
}

// parseStamp reads [[CC]YY]MMDDhhmm[.ss], in the time zone of the node, which is
// UTC.
func parseStamp(stamp string, now time.Time) (time.Time, bool) {
	minutes, seconds, _ := strings.Cut(stamp, ".")
	if seconds == "" {
		seconds = "00"
	}
	switch len(minutes) {
	case 8:
		minutes = now.UTC().Format("2006") + minutes
	case 10:
		century := "20"
		if minutes[:2] >= "69" {
			century = "19"
		}
		minutes = century + minutes
	}
	t, err := time.Parse("20060102150405", minutes+seconds)
	return t, err == nil
}

// sourcesAndTarget cuts the operands of cp and mv. ok is false, and said, where
// several sources would go to something that is not a directory.
func sourcesAndTarget(p *program.Proc, args []string) (sources []string, dst string, ok bool) {
	sources, dst = args[:len(args)-1], args[len(args)-1]
	if info, err := p.Stat(dst); len(sources) > 1 && (err != nil || !info.IsDir()) {
		p.Errorf("target '%s' is not a directory", dst)
		return nil, "", false
	}
	return sources, dst, true
}

// target returns where src goes when the destination is dst.
func target(p *program.Proc, src, dst string) string {
	if info, err := p.Stat(dst); err == nil && info.IsDir() {
		return strings.TrimSuffix(dst, "/") + "/" + path.Base(path.Clean(src))
	}
	return dst
}

func cp(ctx context.Context, p *program.Proc) int {
	f, args, st := p.Flags("rRapfvidLn recursive=r archive=a preserve=: verbose=v force=f no-clobber=n")
	if st >= 0 || !operands(p, args, 2) {
		return max(st, oneIf(st < 0))
	}
	sources, dst, ok := sourcesAndTarget(p, args)
	if !ok {
		return 1
	}
	status := 0
	for _, src := range sources {
		to := target(p, src, dst)
		if _, err := p.Stat(to); err == nil && f.Has("n") {
			continue
		}
		if err := copyTree(ctx, p, src, to, f.Has("r") || f.Has("R") || f.Has("a"), f.Has("p") || f.Has("a")); err != nil {
			p.Errorf("%v", err)
			status = 1
		} else if f.Has("v") {
			p.Printf("'%s' -> '%s'\n", src, to)
		}
	}
	return status
}

func copyTree(ctx context.Context, p *program.Proc, src, dst string, recursive, keep bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := p.Stat(src)
	switch {
	case err != nil:
		return fmt.Errorf("cannot stat '%s': %s", src, memfs.Reason(err))
	case !info.IsDir():
		return copyFile(p, src, dst, info, keep)
	case !recursive:
		return fmt.Errorf("-r not specified; omitting directory '%s'", src)
	case strings.HasPrefix(p.Shell.Abs(dst)+"/", p.Shell.Abs(src)+"/"):
		return fmt.Errorf("cannot copy a directory, '%s', into itself, '%s'", src, dst)
	}
	sfs, cred := p.Shell.FS(), p.Shell.Cred()
	if _, err := p.Stat(dst); err != nil {
		if err := sfs.Mkdir(cred, p.Shell.Abs(dst), info.Mode().Perm()); err != nil {
			return fmt.Errorf("cannot create directory '%s': %s", dst, memfs.Reason(err))
		}
	}
	list, err := sfs.ReadDir(cred, p.Shell.Abs(src))
	if err != nil {
		return fmt.Errorf("cannot access '%s': %s", src, memfs.Reason(err))
	}
	for _, child := range list {
		from, to := src+"/"+child.Name(), dst+"/"+child.Name()
		if child.Mode()&fs.ModeSymlink != 0 {
			err = sfs.Symlink(cred, child.Target, p.Shell.Abs(to))
		} else {
			err = copyTree(ctx, p, from, to, true, keep)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(p *program.Proc, src, dst string, info memfs.Info, keep bool) error {
	if d, err := p.Stat(dst); err == nil && d.Inode == info.Inode {
		return fmt.Errorf("'%s' and '%s' are the same file", src, dst)
	}
	r, err := p.Shell.Open(src, os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("cannot open '%s' for reading: %s", src, memfs.Reason(err))
	}
	defer r.Close()
	if info.Mode()&fs.ModeCharDevice != 0 && info.Name() != "null" {
		return fmt.Errorf("refusing to copy the endless device '%s'", src)
	}
	w, err := p.Shell.Open(dst, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, uint32(info.Mode().Perm()))
	if err != nil {
		return fmt.Errorf("cannot create regular file '%s': %s", dst, memfs.Reason(err))
	}
	defer w.Close()
	if _, err := io.CopyBuffer(w, r, make([]byte, 256<<10)); err != nil {
		return fmt.Errorf("error writing '%s': %s", dst, memfs.Reason(err))
	}
	if keep {
		sfs, cred := p.Shell.FS(), p.Shell.Cred()
		sfs.Chmod(cred, p.Shell.Abs(dst), info.Mode())
		sfs.Chown(cred, p.Shell.Abs(dst), info.User, info.Group)
		sfs.Chtimes(cred, p.Shell.Abs(dst), info.ModTime())
	}
	return nil
}

func mv(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("fivnT force=f verbose=v no-clobber=n")
	if st >= 0 || !operands(p, args, 2) {
		return max(st, oneIf(st < 0))
	}
	sources, dst, ok := sourcesAndTarget(p, args)
	if !ok {
		return 1
	}
	status := 0
	for _, src := range sources {
		to := target(p, src, dst)
		if _, err := p.Lstat(src); err != nil {
			p.Errorf("cannot stat '%s': %s", src, memfs.Reason(err))
			status = 1
			continue
		}
		if _, err := p.Stat(to); err == nil && f.Has("n") {
			continue
		}
		if err := p.Shell.FS().Rename(p.Shell.Cred(), p.Shell.Abs(src), p.Shell.Abs(to)); err != nil {
			p.Errorf("cannot move '%s' to '%s': %s", src, to, memfs.Reason(err))
			status = 1
		} else if f.Has("v") {
			p.Printf("renamed '%s' -> '%s'\n", src, to)
		}
	}
	return status
}

func ln(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("sfnvT symbolic=s force=f no-dereference=n")
	if st >= 0 || !operands(p, args, 1) {
		return max(st, oneIf(st < 0))
	}
	if !f.Has("s") {
		p.Errorf("hard links are not supported by the simulated file system; use ln -s")
		return 1
	}
	dst := path.Base(args[0])
	if len(args) > 1 {
		dst = args[1]
		if !f.Has("n") && !f.Has("T") {
			dst = target(p, args[0], args[1])
		}
	}
	if f.Has("f") {
		if info, err := p.Lstat(dst); err == nil && !info.IsDir() {
			p.Shell.FS().Remove(p.Shell.Cred(), p.Shell.Abs(dst))
		}
	}
	if err := p.Shell.FS().Symlink(p.Shell.Cred(), args[0], p.Shell.Abs(dst)); err != nil {
		p.Errorf("failed to create symbolic link '%s': %s", dst, memfs.Reason(err))
		return 1
	}
	return 0
}

// parseMode reads an octal or symbolic mode relative to old.
func parseMode(spec string, old fs.FileMode) (fs.FileMode, bool) {
	if n, err := strconv.ParseUint(spec, 8, 32); err == nil && n <= 0o7777 {
		m := fs.FileMode(n & 0o777)
		for bit, mode := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
			if n&bit != 0 {
				m |= mode
			}
		}
		return m, true
	}
	m := old
	for clause := range strings.SplitSeq(spec, ",") {
		i := strings.IndexAny(clause, "+-=")
		if i < 0 {
			return 0, false
		}
		who, op, what := clause[:i], clause[i], clause[i+1:]
		if who == "" || who == "a" {
			who = "ugo"
		}
		var bits fs.FileMode
		for _, w := range who {
			shift, ok := map[rune]uint{'u': 6, 'g': 3, 'o': 0}[w]
			if !ok {
				return 0, false
			}
			var one fs.FileMode
			for _, c := range what {
				switch c {
				case 'r':
					one |= 4
				case 'w':
					one |= 2
				case 'x':
					one |= 1
				case 'X':
					if old.IsDir() || old&0o111 != 0 {
						one |= 1
					}
				case 's', 't':
				default:
					return 0, false
				}
			}
			bits |= one << shift
			if op == '=' {
				m &^= 7 << shift
			}
		}
		if op == '-' {
			m &^= bits
		} else {
			m |= bits
		}
	}
	return m, true
}

func chmod(_ context.Context, p *program.Proc) int {
	args := p.Args[1:]
	recursive := false
	for len(args) > 0 && (args[0] == "-R" || args[0] == "-v" || args[0] == "-f" || args[0] == "--recursive") {
		recursive = recursive || args[0] == "-R" || args[0] == "--recursive"
		args = args[1:]
	}
	if !operands(p, args, 2) {
		return 1
	}
	status := 0
	for _, name := range args[1:] {
		walk(p, name, recursive, func(one string, info memfs.Info, err error) {
			m, ok := parseMode(args[0], info.Mode())
			switch {
			case err != nil:
				p.Errorf("cannot access '%s': %s", one, memfs.Reason(err))
			case !ok:
				p.Errorf("invalid mode: '%s'", args[0])
			default:
				if err = p.Shell.FS().Chmod(p.Shell.Cred(), p.Shell.Abs(one), m); err == nil {
					return
				}
				p.Errorf("changing permissions of '%s': %s", one, memfs.Reason(err))
			}
			status = 1
		})
	}
	return status
}

// chown is also chgrp.
func chown(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("Rvfh recursive=R")
	if st >= 0 || !operands(p, args, 2) {
		return max(st, oneIf(st < 0))
	}
	user, group, _ := strings.Cut(strings.Replace(args[0], ".", ":", 1), ":")
	if p.Name() == "chgrp" {
		user, group = "", args[0]
	}
	status := 0
	for _, name := range args[1:] {
		walk(p, name, f.Has("R"), func(one string, _ memfs.Info, err error) {
			if err == nil {
				err = p.Shell.FS().Chown(p.Shell.Cred(), p.Shell.Abs(one), user, group)
				if err == nil {
					return
				}
				p.Errorf("changing ownership of '%s': %s", one, memfs.Reason(err))
			} else {
				p.Errorf("cannot access '%s': %s", one, memfs.Reason(err))
			}
			status = 1
		})
	}
	return status
}

// walk calls fn for name and, if recursive, for everything below it.
func walk(p *program.Proc, name string, recursive bool, fn func(name string, info memfs.Info, err error)) {
	info, err := p.Lstat(name)
	fn(name, info, err)
	if err != nil || !recursive || !info.IsDir() {
		return
	}
	list, err := p.Shell.FS().ReadDir(p.Shell.Cred(), p.Shell.Abs(name))
	if err != nil {
		fn(name, info, err)
		return
	}
	for _, child := range list {
		walk(p, strings.TrimSuffix(name, "/")+"/"+child.Name(), true, fn)
	}
}

func install(ctx context.Context, p *program.Proc) int {
	f, args, st := p.Flags("dDm:o:g:v mode=m: directory=d owner=o: group=g:")
	if st >= 0 {
		return st
	}
	mode, ok := parseMode(f.Value("m", "755"), 0o755)
	if !ok {
		p.Errorf("invalid mode '%s'", f.Value("m", ""))
		return 1
	}
	sfs, cred := p.Shell.FS(), p.Shell.Cred()
	var made []string
	if f.Has("d") {
		for _, name := range args {
			if err := sfs.MkdirAll(cred, p.Shell.Abs(name), mode); err != nil {
				return p.FileError(name, err)
			}
		}
		made = args
	} else {
		if !operands(p, args, 2) {
			return 1
		}
		dst := target(p, args[0], args[1])
		if f.Has("D") {
			sfs.MkdirAll(cred, path.Dir(p.Shell.Abs(dst)), 0o755)
		}
		if err := copyTree(ctx, p, args[0], dst, false, false); err != nil {
			p.Errorf("%v", err)
			return 1
		}
		made = []string{dst}
	}
	for _, name := range made {
		sfs.Chmod(cred, p.Shell.Abs(name), mode)
		if f.Has("o") || f.Has("g") {
			if err := sfs.Chown(cred, p.Shell.Abs(name), f.Value("o", ""), f.Value("g", "")); err != nil {
				p.Errorf("cannot change ownership of '%s': %s", name, memfs.Reason(err))
				return 1
			}
		}
	}
	return 0
}

func mktemp(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("dp:tuq directory=d tmpdir=p:")
	if st >= 0 {
		return st
	}
	template := "tmp.XXXXXXXXXX"
	dir := f.Value("p", "/tmp")
	if len(args) > 0 {
		template = args[0]
		if !f.Has("p") && !f.Has("t") {
			dir = ""
		}
	}
	base := strings.TrimRight(template, "X")
	n := len(template) - len(base)
	if n < 3 {
		p.Errorf("too few X's in template '%s'", template)
		return 1
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for try := range 100 {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s %d %d", template, p.Shell.Now().UnixNano(), try)
		seed, name := h.Sum64(), []byte(base)
		for range n {
			name = append(name, letters[seed%62])
			seed = seed/62 ^ seed*6364136223846793005
		}
		full := path.Join(dir, string(name))
		var err error
		if f.Has("d") {
			err = p.Shell.FS().Mkdir(p.Shell.Cred(), p.Shell.Abs(full), 0o700)
		} else {
			_, err = p.Shell.FS().Open(p.Shell.Cred(), p.Shell.Abs(full), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		}
		switch {
		case err == nil:
			p.Printf("%s\n", full)
			return 0
		case !errors.Is(err, fs.ErrExist):
			p.Errorf("failed to create file via template '%s': %s", template, memfs.Reason(err))
			return 1
		}
	}
	p.Errorf("too many tries")
	return 1
}

func truncate(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("cs: size=s: no-create=c")
	if st >= 0 || !operands(p, args, 1) {
		return max(st, oneIf(st < 0))
	}
	size, err := count(f.Value("s", "x"))
	if err != nil || size < 0 {
		p.Errorf("Invalid number: '%s'", f.Value("s", ""))
		return 1
	}
	for _, name := range args {
		h, err := p.Shell.FS().Open(p.Shell.Cred(), p.Shell.Abs(name), os.O_WRONLY|os.O_CREATE, 0o644)
		if err == nil {
			err = h.Truncate(size)
		}
		if err != nil {
			p.Errorf("failed to truncate '%s' at %d bytes: %s", name, size, memfs.Reason(err))
			return 1
		}
	}
	return 0
}

func readlink(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("fenmqs canonicalize=f canonicalize-existing=e no-newline=n")
	if st >= 0 || !operands(p, args, 1) {
		return max(st, oneIf(st < 0))
	}
	status := 0
	for _, name := range args {
		text, err := p.Shell.FS().Readlink(p.Shell.Cred(), p.Shell.Abs(name))
		if f.Has("f") || f.Has("e") || f.Has("m") {
			text, err = p.Shell.FS().RealPath(p.Shell.Cred(), p.Shell.Abs(name))
			if _, serr := p.Stat(name); f.Has("e") && err == nil {
				err = serr
			}
		}
		if err != nil {
			status = 1
			continue
		}
		p.Printf("%s\n", text)
	}
	return status
}

func realpath(_ context.Context, p *program.Proc) int {
	_, args, st := p.Flags("emsq")
	if st >= 0 || !operands(p, args, 1) {
		return max(st, oneIf(st < 0))
	}
	status := 0
	for _, name := range args {
		text, err := p.Shell.FS().RealPath(p.Shell.Cred(), p.Shell.Abs(name))
		if err != nil {
			status = p.FileError(name, err)
			continue
		}
		p.Printf("%s\n", text)
	}
	return status
}

func du(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("shackxmbd: summarize=s human-readable=h all=a total=c max-depth=d:")
	if st >= 0 {
		return st
	}
	depth := -1
	if f.Has("d") {
		n, err := strconv.Atoi(f.Value("d", ""))
		if err != nil || n < 0 {
			p.Errorf("invalid maximum depth '%s'", f.Value("d", ""))
			return 1
		}
		depth = n
	}
	if f.Has("s") {
		depth = 0
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	d := &sizer{p: p, f: f, depth: depth}
	total := int64(0)
	for _, name := range args {
		total += d.visit(name, 0)
	}
	if f.Has("c") {
		d.show(total, "total")
	}
	return d.status
}

// sizer is one run of du.
type sizer struct {
	p      *program.Proc
	f      *program.Flags
	depth  int // -1 is no limit
	status int
}

func (d *sizer) show(n int64, name string) {
	text := strconv.FormatInt((n+1023)/1024, 10)
	switch {
	case d.f.Has("h"):
		text = human(n)
	case d.f.Has("b"):
		text = strconv.FormatInt(n, 10)
	case d.f.Has("m"):
		text = strconv.FormatInt((n+1<<20-1)>>20, 10)
	}
	d.p.Printf("%s\t%s\n", text, name)
}

// visit returns the size of name and of everything below it.
func (d *sizer) visit(name string, at int) int64 {
	p := d.p
	info, err := p.Lstat(name)
	if err != nil {
		p.Errorf("cannot access '%s': %s", name, memfs.Reason(err))
		d.status = 1
		return 0
	}
	size := (info.Size() + 4095) / 4096 * 4096
	if info.IsDir() {
		list, err := p.Shell.FS().ReadDir(p.Shell.Cred(), p.Shell.Abs(name))
		if err != nil {
			p.Errorf("cannot read directory '%s': %s", name, memfs.Reason(err))
			d.status = 1
		}
		for _, c := range list {
			size += d.visit(strings.TrimSuffix(name, "/")+"/"+c.Name(), at+1)
		}
	}
	if (info.IsDir() || d.f.Has("a") || at == 0) && (d.depth < 0 || at <= d.depth) {
		d.show(size, name)
	}
	return size
}
