package posix

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

func (s *Shell) cmd(ctx context.Context, cm syntax.Command) {
	switch cm := cm.(type) {
	case *syntax.CallExpr:
		s.simple(ctx, cm)
	case *syntax.Block:
		s.stmts(ctx, cm.Stmts)
	case *syntax.Subshell:
		s.inSubshell(ctx, cm.Stmts)
	case *syntax.BinaryCmd:
		s.binary(ctx, cm)
	case *syntax.IfClause:
		s.ifClause(ctx, cm)
	case *syntax.WhileClause:
		s.while(ctx, cm)
	case *syntax.ForClause:
		s.forClause(ctx, cm)
	case *syntax.CaseClause:
		s.caseClause(ctx, cm)
	case *syntax.FuncDecl:
		if cm.Name == nil {
			s.errf("unsupported function declaration")
			s.status = 2
			return
		}
		s.funcs[cm.Name.Value] = cm.Body
		s.status = 0
	case *syntax.ArithmCmd:
		if n, ok := s.arithm(cm.X); ok {
			s.status = oneIf(n == 0)
		}
	case *syntax.LetClause:
		for _, x := range cm.Exprs {
			n, ok := s.arithm(x)
			if !ok {
				return
			}
			s.status = oneIf(n == 0)
		}
	case *syntax.TestClause:
		s.status = s.testClause(ctx, cm.X)
	case *syntax.DeclClause:
		s.declare(cm)
	case *syntax.TimeClause:
		s.timed(ctx, cm)
	default:
		s.errf("unsupported construct")
		s.status = 2
	}
}

// inSubshell runs statements in a copy of the shell, on this goroutine.
func (s *Shell) inSubshell(ctx context.Context, list []*syntax.Stmt) {
	sub := s.subshell()
	if s.tooDeep(sub.depth) {
		return
	}
	sub.stmts(ctx, list)
	sub.finish(ctx)
	s.status = sub.status
}

// tooDeep reports and acts on runaway recursion.
func (s *Shell) tooDeep(depth int) bool {
	if depth <= maxDepth {
		return false
	}
	s.errf("maximum nesting level exceeded (%d)", maxDepth)
	s.exit(1)
	return true
}

// quietly runs fn with errexit and the ERR trap off, as conditions are.
func (s *Shell) quietly(fn func()) {
	s.noErrExit++
	fn()
	s.noErrExit--
}

func (s *Shell) binary(ctx context.Context, b *syntax.BinaryCmd) {
	if b.Op == syntax.Pipe || b.Op == syntax.PipeAll {
		s.pipeline(ctx, b)
		return
	}
	s.quietly(func() { s.stmt(ctx, b.X) })
	if s.flow == flowNone && (s.status == 0) == (b.Op == syntax.AndStmt) {
		s.stmt(ctx, b.Y)
	}
}

func (s *Shell) ifClause(ctx context.Context, c *syntax.IfClause) {
	for ; c != nil; c = c.Else {
		if len(c.Cond) == 0 { // else
			s.stmts(ctx, c.Then)
			return
		}
		s.quietly(func() { s.stmts(ctx, c.Cond) })
		if s.flow != flowNone {
			return
		}
		if s.status == 0 {
			s.stmts(ctx, c.Then)
			return
		}
	}
	s.status = 0
}

func (s *Shell) while(ctx context.Context, c *syntax.WhileClause) {
	status := 0
	for !s.stopping(ctx) {
		s.quietly(func() { s.stmts(ctx, c.Cond) })
		if s.flow != flowNone && !s.loopFlow() {
			return
		}
		if (s.status == 0) == c.Until {
			break
		}
		if s.body(ctx, c.Do) {
			status = s.status
			break
		}
		status = s.status
	}
	if s.flow == flowNone {
		s.status = status
	}
}

// body runs the body of a loop once and reports whether the loop is over.
func (s *Shell) body(ctx context.Context, list []*syntax.Stmt) (over bool) {
	s.loops++
	s.stmts(ctx, list)
	s.loops--
	if s.flow == flowNone {
		return false
	}
	return s.loopFlow()
}

// loopFlow consumes one level of break or continue and reports whether the
// loop is over.
func (s *Shell) loopFlow() (over bool) {
	switch s.flow {
	case flowBreak, flowContinue:
		if s.flowN--; s.flowN > 0 {
			return true // an outer loop is meant
		}
		over = s.flow == flowBreak
		s.flow = flowNone
		return over
	}
	return s.flow != flowNone
}

func (s *Shell) forClause(ctx context.Context, c *syntax.ForClause) {
	switch loop := c.Loop.(type) {
	case *syntax.WordIter:
		items := s.params
		if loop.InPos.IsValid() {
			var ok bool
			if items, ok = s.fields(loop.Items...); !ok {
				return
			}
		}
		if c.Select {
			s.selectMenu(ctx, loop.Name.Value, items, c.Do)
			return
		}
		s.status = 0
		for _, item := range items {
			s.setString(loop.Name.Value, item)
			if s.body(ctx, c.Do) || s.stopping(ctx) {
				return
			}
		}
	case *syntax.CStyleLoop:
		s.cStyle(ctx, loop, c.Do)
	}
}

func (s *Shell) cStyle(ctx context.Context, loop *syntax.CStyleLoop, do []*syntax.Stmt) {
	eval := func(x syntax.ArithmExpr, empty int) (int, bool) {
		if x == nil {
			return empty, true
		}
		return s.arithm(x)
	}
	s.status = 0
	if _, ok := eval(loop.Init, 0); !ok {
		return
	}
	for !s.stopping(ctx) {
		n, ok := eval(loop.Cond, 1)
		if !ok || n == 0 || s.body(ctx, do) {
			return
		}
		if _, ok := eval(loop.Post, 0); !ok {
			return
		}
	}
}

// selectMenu is the select loop of bash.
func (s *Shell) selectMenu(ctx context.Context, name string, items []string, do []*syntax.Stmt) {
	show := true
	for !s.stopping(ctx) {
		if show {
			for i, item := range items {
				s.writeTo(2, fmt.Sprintf("%d) %s\n", i+1, item))
			}
		}
		prompt := s.Get("PS3")
		if prompt == "" {
			prompt = "#? "
		}
		s.writeTo(2, prompt)
		line, err := s.readLine(ctx, readOptions{raw: true, delim: '\n'})
		if err != nil && line == "" {
			s.writeTo(2, "\n")
			s.status = 1
			return
		}
		if show = line == ""; show {
			continue
		}
		s.setString("REPLY", line)
		choice := ""
		if n := atoi(line); n > 0 && n <= len(items) {
			choice = items[n-1]
		}
		s.setString(name, choice)
		if s.body(ctx, do) {
			return
		}
	}
}

func (s *Shell) caseClause(ctx context.Context, c *syntax.CaseClause) {
	text, ok := s.literal(c.Word)
	if !ok {
		return
	}
	s.status = 0
	fall := false
	for _, item := range c.Items {
		if !fall && !s.caseMatches(item, text) {
			continue
		}
		if s.stmts(ctx, item.Stmts); s.flow != flowNone {
			return
		}
		switch item.Op {
		case syntax.Fallthrough:
			fall = true
		case syntax.Resume, syntax.ResumeKorn:
			fall = false
		default:
			return
		}
	}
}

func (s *Shell) caseMatches(item *syntax.CaseItem, text string) bool {
	for _, w := range item.Patterns {
		if pat, ok := s.expandWord(expand.Pattern, w); ok && match(pat, text) {
			return true
		}
	}
	return false
}

func (s *Shell) timed(ctx context.Context, c *syntax.TimeClause) {
	start := s.cfg.Now()
	s.status = 0
	if c.Stmt != nil {
		s.stmt(ctx, c.Stmt)
	}
	took := s.cfg.Now().Sub(start)
	format := func(d time.Duration) string {
		if c.PosixFormat {
			return fmt.Sprintf(" %.2f\n", d.Seconds())
		}
		return fmt.Sprintf("\t%dm%.3fs\n", int(d.Minutes()), (d % time.Minute).Seconds())
	}
	head := "\n"
	if c.PosixFormat {
		head = ""
	}
	s.writeTo(2, head+"real"+format(took)+"user"+format(0)+"sys"+format(0))
}

// simple runs a simple command: assignments, then a function, a builtin or a
// program.
func (s *Shell) simple(ctx context.Context, c *syntax.CallExpr) {
	s.substRan = false
	args, ok := s.fields(s.unalias(c.Args)...)
	if !ok {
		return
	}
	if len(args) == 0 {
		for _, as := range c.Assigns {
			if !s.assign(as, false) {
				return
			}
			s.traceAssign(as.Name.Value)
		}
		s.status = 0
		if s.substRan {
			s.status = s.substStatus
		}
		return
	}
	restore, ok := s.tempAssigns(c.Assigns)
	if ok {
		s.trace(args)
		s.call(ctx, args)
	}
	restore()
}

// unalias replaces the first word where it is an alias; interactive shells only.
func (s *Shell) unalias(words []*syntax.Word) []*syntax.Word {
	if !s.cfg.Interactive || len(words) == 0 {
		return words
	}
	for range 8 { // an alias may begin with another, or with itself
		text, ok := s.alias[words[0].Lit()]
		if !ok {
			break
		}
		f, _, err := Parse(text)
		if err != nil || len(f.Stmts) != 1 {
			break
		}
		call, ok := f.Stmts[0].Cmd.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			break
		}
		self := call.Args[0].Lit() == words[0].Lit()
		words = append(append([]*syntax.Word{}, call.Args...), words[1:]...)
		if self {
			break
		}
	}
	return words
}

// tempAssigns makes the assignments in front of a command; restore undoes them.
func (s *Shell) tempAssigns(list []*syntax.Assign) (restore func(), ok bool) {
	if len(list) == 0 {
		return func() {}, true
	}
	saved := s.vars
	s.vars = &scope{vars: map[string]expand.Variable{}, parent: saved}
	for _, as := range list {
		if v := saved.find(as.Name.Value); v != nil && v.vars[as.Name.Value].ReadOnly {
			s.errf("%s: readonly variable", as.Name.Value)
			s.status = 1
			return func() { s.vars = saved }, false
		}
		v := s.lookup(as.Name.Value)
		v.Local, v.Exported = true, true
		s.vars.vars[as.Name.Value] = v
		if !s.assign(as, false) {
			return func() { s.vars = saved }, false
		}
	}
	return func() { s.vars = saved }, true
}

// call runs a command whose arguments are expanded.
func (s *Shell) call(ctx context.Context, args []string) {
	if body := s.funcs[args[0]]; body != nil {
		s.callFunc(ctx, body, args)
		return
	}
	if fn := builtin(args[0]); fn != nil {
		status := fn(s, ctx, args)
		if s.flow != flowExit && s.flow != flowAbort {
			s.status = status & 0xff
		}
		return
	}
	s.exec(ctx, args)
}

func (s *Shell) callFunc(ctx context.Context, body *syntax.Stmt, args []string) {
	if s.tooDeep(s.depth + 1) {
		return
	}
	params, vars, loops := s.params, s.vars, s.loops
	s.params, s.vars, s.loops = args[1:], &scope{vars: map[string]expand.Variable{}, parent: vars}, 0
	s.depth++
	s.inFunc++
	s.status = 0
	s.stmt(ctx, body)
	s.inFunc--
	s.depth--
	s.params, s.vars, s.loops = params, vars, loops
	if s.flow == flowReturn {
		s.flow = flowNone
	}
}

// exec runs a program.
func (s *Shell) exec(ctx context.Context, args []string) {
	where, err := s.cfg.Lookup(s, args[0])
	if err != nil {
		s.errf("%s: %v", args[0], err)
		s.status = lookupStatus(err)
		return
	}
	if s.tooDeep(s.depth + 1) {
		return
	}
	rctx, done := s.signalled(ctx)
	defer done()
	exit := func() {}
	if s.cfg.Register != nil {
		_, exit = s.cfg.Register(s.pid, args, s.cfg.Group)
	}
	defer exit()
	outer := s.ctx
	s.ctx = rctx // files the program opens are given up with it
	call := &Call{
		Path: where, Args: args, Shell: s, Base: ctx,
		Stdin:  bindReader(rctx, s.fds[0].r),
		Stdout: bindWriter(rctx, s.fds[1].w),
		Stderr: bindWriter(rctx, s.fds[2].w),
	}
	s.status = s.cfg.Exec(rctx, call) & 0xff
	s.ctx = outer
	if rctx.Err() != nil && !(call.Handled && ctx.Err() == nil) {
		s.status = KilledStatus(rctx)
	}
}

func (s *Shell) trace(args []string) {
	if !s.opts["xtrace"] {
		return
	}
	var b strings.Builder
	b.WriteString(s.Get("PS4"))
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(quote(a))
	}
	s.writeTo(2, b.String()+"\n")
}

func (s *Shell) traceAssign(name string) {
	if s.opts["xtrace"] {
		s.writeTo(2, s.Get("PS4")+name+"="+quote(s.Get(name))+"\n")
	}
}

// quote makes text one word for a shell.
func quote(text string) string {
	q, err := syntax.Quote(text, syntax.LangBash)
	if err != nil {
		return strconv.Quote(text)
	}
	return q
}
