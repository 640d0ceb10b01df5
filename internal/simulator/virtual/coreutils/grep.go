package coreutils

import (
	"bytes"
	"context"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// basicRegexp turns a POSIX basic regular expression into Go's syntax: there
// the plain + ? | ( ) { } are characters and the escaped ones operators.
func basicRegexp(expr string) string {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case inClass:
			inClass = c != ']' || (i > 0 && expr[i-1] == '[')
			b.WriteByte(c)
		case c == '[':
			inClass = true
			b.WriteByte(c)
		case c == '\\' && i+1 < len(expr):
			i++
			switch expr[i] {
			case '+', '?', '|', '(', ')', '{', '}':
				b.WriteByte(expr[i])
			case '<', '>':
				b.WriteString(`\b`)
			default:
				b.WriteByte('\\')
				b.WriteByte(expr[i])
			}
		case strings.IndexByte("+?|(){}", c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '*' && (i == 0 || strings.HasSuffix(expr[:i], `\(`) || expr[:i] == "^"):
			b.WriteString(`\*`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// extendedRegexp adapts what differs between POSIX extended and Go.
func extendedRegexp(expr string) string {
	return strings.NewReplacer(`\<`, `\b`, `\>`, `\b`).Replace(expr)
}

// grepper is one run of grep.
type grepper struct {
	p       *program.Proc
	f       *program.Flags
	re      *regexp.Regexp
	names   bool
	max     int
	before  int
	after   int
	matched bool
}

const grepFlags = "EFGPivcnlLqrRsowxhHIaUe:m:A:B:C: extended-regexp=E fixed-strings=F ignore-case=i invert-match=v count=c line-number=n files-with-matches=l quiet=q silent=q recursive=r no-messages=s only-matching=o word-regexp=w line-regexp=x no-filename=h with-filename=H regexp=e: max-count=m: after-context=A: before-context=B: context=C: color=: include=inc:"

func grep(ctx context.Context, p *program.Proc) int {
	f, args, st := p.Flags(grepFlags)
	if st > 0 {
		return 2
	}
	if st == 0 {
		return 0
	}
	patterns := f.Values("e")
	if len(patterns) == 0 {
		if len(args) == 0 {
			p.Errorf("usage: grep [OPTION]... PATTERNS [FILE]...")
			return 2
		}
		patterns, args = []string{args[0]}, args[1:]
	}
	g := &grepper{p: p, f: f, max: -1}
	var err error
	if g.re, err = g.compile(patterns); err != nil {
		p.Errorf("Invalid regular expression")
		return 2
	}
	for name, dst := range map[string]*int{"m": &g.max, "A": &g.after, "B": &g.before, "C": nil} {
		if !f.Has(name) {
			continue
		}
		n, err := strconv.Atoi(f.Value(name, ""))
		if err != nil || n < 0 {
			p.Errorf("%s: invalid context length argument", f.Value(name, ""))
			return 2
		}
		if dst == nil {
			g.before, g.after = n, n
		} else {
			*dst = n
		}
	}
	return g.run(ctx, args)
}

func (g *grepper) compile(patterns []string) (*regexp.Regexp, error) {
	var alts []string
	for _, lines := range patterns {
		for e := range strings.SplitSeq(lines, "\n") {
			switch {
			case g.f.Has("F") || g.p.Name() == "fgrep":
				e = regexp.QuoteMeta(e)
			case g.f.Has("E") || g.f.Has("P") || g.p.Name() == "egrep":
				e = extendedRegexp(e)
			default:
				e = basicRegexp(e)
			}
			alts = append(alts, "(?:"+e+")")
		}
	}
	expr := strings.Join(alts, "|")
	switch {
	case g.f.Has("x"):
		expr = "^(?:" + expr + ")$"
	case g.f.Has("w"):
		expr = `\b(?:` + expr + `)\b`
	}
	if g.f.Has("i") {
		expr = "(?i)" + expr
	}
	return regexp.Compile(expr)
}

func (g *grepper) run(ctx context.Context, files []string) int {
	recursive := g.f.Has("r") || g.f.Has("R")
	if recursive && len(files) == 0 {
		files = []string{"."}
	}
	failed := false
	if recursive {
		var all []string
		for _, name := range files {
			all = append(all, g.walk(name, 0)...)
		}
		g.names = true
		files = all
		if len(files) == 0 {
			return 1
		}
	} else {
		g.names = len(files) > 1
	}
	g.names = (g.names || g.f.Has("H")) && !g.f.Has("h")
	if len(files) == 0 {
		files = []string{"-"}
	}
	for _, name := range files {
		if g.file(ctx, name) != nil {
			failed = true
		}
		if ctx.Err() != nil || (g.matched && g.f.Has("q")) {
			break
		}
	}
	switch {
	case g.matched && (!failed || g.f.Has("q")):
		return 0
	case failed:
		return 2
	}
	return 1
}

// walk returns the regular files at and below name.
func (g *grepper) walk(name string, depth int) []string {
	info, err := g.p.Lstat(name)
	if depth == 0 {
		info, err = g.p.Stat(name)
	}
	if err != nil {
		if depth == 0 {
			return []string{name} // reported when it is opened
		}
		return nil
	}
	if !info.IsDir() {
		ok := info.Mode().IsRegular()
		if inc := g.f.Value("inc", ""); ok && inc != "" {
			ok, _ = path.Match(inc, path.Base(name))
		}
		if !ok {
			return nil
		}
		return []string{name}
	}
	list, err := g.p.Shell.FS().ReadDir(g.p.Shell.Cred(), g.p.Shell.Abs(name))
	if err != nil {
		if !g.f.Has("s") {
			g.p.FileError(name, err)
		}
		return nil
	}
	var all []string
	for _, child := range list {
		all = append(all, g.walk(strings.TrimSuffix(name, "/")+"/"+child.Name(), depth+1)...)
	}
	return all
}

func (g *grepper) file(ctx context.Context, name string) error {
	r, err := g.p.Open(ctx, name)
	if err == nil {
		if info, serr := g.p.Stat(name); name != "-" && serr == nil && info.IsDir() {
			r.Close()
			g.p.Errorf("%s: Is a directory", name)
			return nil
		}
		err = g.search(name, r)
		r.Close()
	}
	if err != nil && !g.f.Has("s") {
		g.p.FileError(name, err)
	}
	return err
}

// search looks through one file.
func (g *grepper) search(name string, r io.Reader) error {
	if name == "-" {
		name = "(standard input)"
	}
	hits, n, last, trail := 0, 0, 0, 0
	var lead [][]byte
	f := g.f
	quiet := f.Has("q") || f.Has("c") || f.Has("l") || f.Has("L")
	err := g.p.EachLine(r, func(line []byte, _ bool) bool {
		n++
		if g.re.Match(line) == f.Has("v") {
			switch {
			case quiet:
			case trail > 0:
				trail--
				last = n
				g.print(name, n, line, '-')
			case g.before > 0:
				if lead = append(lead, bytes.Clone(line)); len(lead) > g.before {
					lead = lead[1:]
				}
			}
			return true
		}
		hits++
		g.matched = true
		if !quiet {
			if (g.before > 0 || g.after > 0) && last > 0 && n-len(lead) > last+1 {
				g.p.Printf("--\n")
			}
			for i, l := range lead {
				g.print(name, n-len(lead)+i, l, '-')
			}
			lead, trail, last = nil, g.after, n
			g.printMatch(name, n, line)
		}
		return !f.Has("q") && !f.Has("l") && (g.max < 0 || hits < g.max)
	})
	switch {
	case f.Has("c"):
		if g.names {
			g.p.Printf("%s:", name)
		}
		g.p.Printf("%d\n", hits)
	case (f.Has("l") && hits > 0) || (f.Has("L") && hits == 0):
		g.p.Printf("%s\n", name)
	}
	return err
}

func (g *grepper) printMatch(name string, n int, line []byte) {
	if !g.f.Has("o") {
		g.print(name, n, line, ':')
		return
	}
	for _, m := range g.re.FindAll(line, -1) {
		if len(m) > 0 {
			g.print(name, n, m, ':')
		}
	}
}

func (g *grepper) print(name string, n int, line []byte, sep byte) {
	if g.names {
		g.p.Printf("%s%c", name, sep)
	}
	if g.f.Has("n") {
		g.p.Printf("%d%c", n, sep)
	}
	g.p.Out().Write(line)
	g.p.Out().WriteByte('\n')
}
