package posix

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// testClause evaluates [[ ]] and returns its exit status.
func (s *Shell) testClause(ctx context.Context, x syntax.TestExpr) int {
	switch x := x.(type) {
	case *syntax.Word:
		text, ok := s.literal(x)
		if !ok {
			return 1
		}
		return oneIf(text == "")
	case *syntax.ParenTest:
		return s.testClause(ctx, x.X)
	case *syntax.UnaryTest:
		if x.Op == syntax.TsNot {
			return oneIf(s.testClause(ctx, x.X) == 0)
		}
		w, isWord := x.X.(*syntax.Word)
		if !isWord {
			return 2
		}
		text, ok := s.literal(w)
		if !ok {
			return 1
		}
		return oneIf(!s.unary(x.Op.String(), text))
	case *syntax.BinaryTest:
		return s.binaryClause(ctx, x)
	}
	return 2
}

func (s *Shell) binaryClause(ctx context.Context, x *syntax.BinaryTest) int {
	switch x.Op {
	case syntax.AndTest:
		if st := s.testClause(ctx, x.X); st != 0 {
			return st
		}
		return s.testClause(ctx, x.Y)
	case syntax.OrTest:
		if s.testClause(ctx, x.X) == 0 {
			return 0
		}
		return s.testClause(ctx, x.Y)
	}
	xw, okX := x.X.(*syntax.Word)
	yw, okY := x.Y.(*syntax.Word)
	if !okX || !okY {
		return 2
	}
	left, ok := s.literal(xw)
	if !ok {
		return 1
	}
	switch x.Op {
	case syntax.TsMatch, syntax.TsMatchShort, syntax.TsNoMatch:
		pat, ok := s.expandWord(expand.Pattern, yw)
		return oneIf(!ok || match(pat, left) == (x.Op == syntax.TsNoMatch))
	}
	right, ok := s.literal(yw)
	if !ok {
		return 1
	}
	switch x.Op {
	case syntax.TsReMatch:
		return s.regexMatch(left, right)
	case syntax.TsBefore:
		return oneIf(left >= right)
	case syntax.TsAfter:
		return oneIf(left <= right)
	}
	yes, err := s.compare(x.Op.String(), left, right, true)
	if err != nil {
		s.errf("%v", err)
		return 2
	}
	return oneIf(!yes)
}

func (s *Shell) regexMatch(text, expr string) int {
	re, err := regexp.Compile(expr)
	if err != nil {
		return 2
	}
	m := re.FindStringSubmatch(text)
	if m == nil {
		return 1
	}
	if err := s.set("BASH_REMATCH", expand.Variable{Set: true, Kind: expand.Indexed, List: m}); err != nil {
		return 2
	}
	return 0
}

// builtinTest is test and [.
func builtinTest(s *Shell, _ context.Context, args []string) int {
	name, args := args[0], args[1:]
	if name == "[" {
		if len(args) == 0 || args[len(args)-1] != "]" {
			s.errf("[: missing `]'")
			return 2
		}
		args = args[:len(args)-1]
	}
	p := testParser{s: s, rest: args}
	if len(args) == 0 {
		return 1
	}
	yes := p.or()
	if p.err == nil && len(p.rest) > 0 {
		p.err = fmt.Errorf("too many arguments")
	}
	if p.err != nil {
		s.errf("%s: %v", name, p.err)
		return 2
	}
	return oneIf(!yes)
}

// testParser reads the arguments of test by the grammar
// or = and [-o or]; and = not [-a and]; not = ! not | primary.
type testParser struct {
	s    *Shell
	rest []string
	err  error
}

func (p *testParser) next() string {
	if len(p.rest) == 0 {
		if p.err == nil {
			p.err = fmt.Errorf("argument expected")
		}
		return ""
	}
	w := p.rest[0]
	p.rest = p.rest[1:]
	return w
}

func (p *testParser) peek(i int) string {
	if i < len(p.rest) {
		return p.rest[i]
	}
	return ""
}

func (p *testParser) or() bool {
	yes := p.and()
	for p.err == nil && p.peek(0) == "-o" {
		p.next()
		right := p.and()
		yes = yes || right
	}
	return yes
}

func (p *testParser) and() bool {
	yes := p.not()
	for p.err == nil && p.peek(0) == "-a" {
		p.next()
		right := p.not()
		yes = yes && right
	}
	return yes
}

func (p *testParser) not() bool {
	// With three arguments a binary operator in the middle wins.
	if p.peek(0) == "!" && len(p.rest) > 1 && !(len(p.rest) == 3 && isBinaryTest(p.rest[1])) {
		p.next()
		return !p.not()
	}
	return p.primary()
}

func (p *testParser) primary() bool {
	switch {
	case len(p.rest) >= 3 && isBinaryTest(p.rest[1]):
		x, op, y := p.next(), p.next(), p.next()
		yes, err := p.s.compare(op, x, y, false)
		if p.err == nil {
			p.err = err
		}
		return yes
	case p.peek(0) == "(" && len(p.rest) > 2:
		p.next()
		yes := p.or()
		if p.next() != ")" && p.err == nil {
			p.err = fmt.Errorf("`)' expected")
		}
		return yes
	case len(p.rest) >= 2 && isUnaryTest(p.rest[0]):
		op := p.next()
		return p.s.unary(op, p.next())
	case len(p.rest) == 2:
		p.err = fmt.Errorf("%s: unary operator expected", p.rest[0])
		return false
	}
	return p.next() != ""
}

func isUnaryTest(op string) bool {
	if len(op) != 2 || op[0] != '-' {
		return false
	}
	switch op[1] {
	case 'e', 'a', 'f', 'd', 'c', 'b', 'p', 'S', 'L', 'h', 'k', 'g', 'u', 'G', 'O', 'N', 'r', 'w', 'x', 's', 't', 'z', 'n', 'o', 'v', 'R':
		return true
	}
	return false
}

func isBinaryTest(op string) bool {
	switch op {
	case "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef":
		return true
	}
	return false
}

// compare evaluates a binary operator. arith allows expressions as numbers.
func (s *Shell) compare(op, x, y string, arith bool) (bool, error) {
	switch op {
	case "=", "==":
		return x == y, nil
	case "!=":
		return x != y, nil
	case "<":
		return x < y, nil
	case ">":
		return x > y, nil
	case "-nt", "-ot", "-ef":
		return s.compareFiles(op, x, y), nil
	}
	a, err := s.number(x, arith)
	if err != nil {
		return false, err
	}
	b, err := s.number(y, arith)
	if err != nil {
		return false, err
	}
	switch op {
	case "-eq":
		return a == b, nil
	case "-ne":
		return a != b, nil
	case "-lt":
		return a < b, nil
	case "-le":
		return a <= b, nil
	case "-gt":
		return a > b, nil
	case "-ge":
		return a >= b, nil
	}
	return false, fmt.Errorf("%s: binary operator expected", op)
}

func (s *Shell) number(text string, arith bool) (int, error) {
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		return n, nil
	}
	if arith {
		if text == "" {
			return 0, nil
		}
		if syntax.ValidName(text) {
			return max(atoi(s.Get(text)), 0), nil
		}
	}
	return 0, fmt.Errorf("%s: integer expression expected", text)
}

func (s *Shell) compareFiles(op, x, y string) bool {
	a, errA := s.cfg.FS.Stat(s.cfg.Cred, s.Abs(x))
	b, errB := s.cfg.FS.Stat(s.cfg.Cred, s.Abs(y))
	switch op {
	case "-ef":
		return errA == nil && errB == nil && a.Inode == b.Inode
	case "-ot":
		a, b, errA, errB = b, a, errB, errA
	}
	return errA == nil && (errB != nil || a.ModTime().After(b.ModTime()))
}

// unary evaluates a unary operator.
func (s *Shell) unary(op, arg string) bool {
	switch op {
	case "-z":
		return arg == ""
	case "-n":
		return arg != ""
	case "-t":
		return s.IsTerminal(atoi(arg))
	case "-o":
		return s.opts[arg]
	case "-v":
		return s.lookup(arg).IsSet()
	case "-R":
		return s.lookup(arg).Kind == expand.NameRef
	case "-r", "-w", "-x":
		bit := map[string]fs.FileMode{"-r": 4, "-w": 2, "-x": 1}[op]
		return arg != "" && s.cfg.FS.Access(s.cfg.Cred, s.Abs(arg), bit) == nil
	case "-L", "-h":
		info, err := s.cfg.FS.Lstat(s.cfg.Cred, s.Abs(arg))
		return arg != "" && err == nil && info.Mode()&fs.ModeSymlink != 0
	}
	info, err := s.cfg.FS.Stat(s.cfg.Cred, s.Abs(arg))
	if err != nil || arg == "" {
		return false
	}
	mode := info.Mode()
	switch op {
	case "-f":
		return mode.IsRegular()
	case "-d":
		return mode.IsDir()
	case "-c":
		return mode&fs.ModeCharDevice != 0
	case "-b", "-p", "-S":
		return false // no such files here
	case "-k":
		return mode&fs.ModeSticky != 0
	case "-g":
		return mode&fs.ModeSetgid != 0
	case "-u":
		return mode&fs.ModeSetuid != 0
	case "-s":
		return info.Size() > 0
	case "-O", "-G":
		user := s.cfg.Cred.User
		return info.User == user || (user == "" && info.User == "root")
	case "-N":
		return false
	}
	return true // -e, -a
}
