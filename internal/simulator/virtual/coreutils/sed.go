package coreutils

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// sedAddr selects lines: by number, the last one, or a match.
type sedAddr struct {
	line int
	last bool
	re   *regexp.Regexp
}

// sedCmd is one command of a script.
type sedCmd struct {
	addr   []sedAddr
	negate bool
	verb   byte
	re     *regexp.Regexp
	text   string // replacement, or text of a, i and c; characters of y
	to     string
	global bool
	print  bool
	nth    int

	active bool // within a range
}

// sed knows the commands s p d q = a i c y n, with addresses; not hold space,
// branches and groups.
func sed(ctx context.Context, p *program.Proc) int {
	f, args, st := p.Flags("nEriz e:s quiet=n silent=n regexp-extended=E expression=e: in-place=:")
	if st >= 0 {
		return st
	}
	scripts := f.Values("e")
	if len(scripts) == 0 {
		if len(args) == 0 {
			p.Errorf("no script specified")
			return 1
		}
		scripts, args = args[:1], args[1:]
	}
	s := &sedRun{p: p, quiet: f.Has("n"), extended: f.Has("E") || f.Has("r")}
	for _, script := range scripts {
		if err := s.parse(script); err != nil {
			p.Errorf("-e expression #1: %v", err)
			return 1
		}
	}
	if f.Has("i") || f.Has("in-place") {
		return s.inPlace(ctx, args)
	}
	var all []io.Reader
	status := 0
	if len(args) == 0 {
		args = []string{"-"}
	}
	for _, name := range args {
		r, err := p.Open(ctx, name)
		if err != nil {
			p.Errorf("can't read %s", fileReason(name, err))
			status = 2
			continue
		}
		defer r.Close()
		all = append(all, r)
	}
	if err := s.run(io.MultiReader(all...), p.Out()); err != nil {
		return p.FileError(args[0], err)
	}
	return max(status, s.status)
}

type sedRun struct {
	p        *program.Proc
	cmds     []*sedCmd
	quiet    bool
	extended bool
	status   int
}

func (s *sedRun) inPlace(ctx context.Context, files []string) int {
	if len(files) == 0 {
		s.p.Errorf("no input files")
		return 1
	}
	return s.p.EachFile(ctx, files, func(name string, r io.Reader) error {
		var out strings.Builder
		if err := s.run(r, &out); err != nil {
			return err
		}
		w, err := s.p.Shell.Open(name, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return err
		}
		defer w.Close()
		_, err = io.WriteString(w, out.String())
		return err
	})
}

// parse reads a script. Commands are separated by ; or newlines.
func (s *sedRun) parse(script string) error {
	rest := script
	for {
		rest = strings.TrimLeft(rest, " \t\n;")
		if rest == "" {
			return nil
		}
		c := &sedCmd{}
		var err error
		if rest, err = s.addresses(c, rest); err != nil {
			return err
		}
		if rest == "" {
			return fmt.Errorf("missing command")
		}
		c.verb, rest = rest[0], rest[1:]
		switch c.verb {
		case 's', 'y':
			rest, err = s.substitution(c, rest)
		case 'a', 'i', 'c':
			text, after, _ := strings.Cut(strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(rest, " "), "\\"), " \n"), "\n")
			c.text, rest = text, after
		case 'p', 'd', 'q', '=', 'n':
			if c.verb == 'q' {
				digits := strings.TrimLeft(rest, " ")
				end := len(digits) - len(strings.TrimLeft(digits, "0123456789"))
				c.nth, _ = strconv.Atoi(digits[:end])
				rest = digits[end:]
			}
			rest = strings.TrimLeft(rest, " ")
			if rest != "" && rest[0] != ';' && rest[0] != '\n' {
				err = fmt.Errorf("extra characters after command")
			}
		case '#':
			_, rest, _ = strings.Cut(rest, "\n")
			continue
		default:
			err = fmt.Errorf("command `%c' is not supported by the simulated sed", c.verb)
		}
		if err != nil {
			return err
		}
		s.cmds = append(s.cmds, c)
	}
}

func (s *sedRun) addresses(c *sedCmd, rest string) (string, error) {
	for len(c.addr) < 2 {
		var a sedAddr
		switch {
		case rest == "":
			return rest, nil
		case rest[0] >= '0' && rest[0] <= '9':
			end := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
			a.line, _ = strconv.Atoi(rest[:end])
			rest = rest[end:]
		case rest[0] == '$':
			a.last, rest = true, rest[1:]
		case rest[0] == '/':
			expr, after, ok := untilDelimiter(rest[1:], '/')
			if !ok {
				return "", fmt.Errorf("unterminated address regex")
			}
			var err error
			if a.re, err = s.compile(expr, false); err != nil {
				return "", err
			}
			rest = after
		default:
			if len(c.addr) == 1 {
				return "", fmt.Errorf("unexpected `,'")
			}
		}
		if a != (sedAddr{}) {
			c.addr = append(c.addr, a)
		}
		rest = strings.TrimLeft(rest, " ")
		if len(c.addr) != 1 || !strings.HasPrefix(rest, ",") {
			break
		}
		rest = strings.TrimLeft(rest[1:], " ")
	}
	if strings.HasPrefix(rest, "!") {
		c.negate, rest = true, strings.TrimLeft(rest[1:], " ")
	}
	return rest, nil
}

// untilDelimiter cuts text at the first delimiter that is not escaped.
func untilDelimiter(text string, delim byte) (before, after string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			if text[i] != delim {
				b.WriteByte('\\')
			}
			b.WriteByte(text[i])
		case text[i] == delim:
			return b.String(), text[i+1:], true
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", false
}

func (s *sedRun) compile(expr string, fold bool) (*regexp.Regexp, error) {
	if s.extended {
		expr = extendedRegexp(expr)
	} else {
		expr = basicRegexp(expr)
	}
	if fold {
		expr = "(?i)" + expr
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression")
	}
	return re, nil
}

func (s *sedRun) substitution(c *sedCmd, rest string) (string, error) {
	if rest == "" {
		return "", fmt.Errorf("unterminated `%c' command", c.verb)
	}
	delim := rest[0]
	expr, rest, ok := untilDelimiter(rest[1:], delim)
	repl, rest, ok2 := untilDelimiter(rest, delim)
	if !ok || !ok2 {
		return "", fmt.Errorf("unterminated `%c' command", c.verb)
	}
	if c.verb == 'y' {
		c.text, c.to = expr, repl
		if len([]rune(expr)) != len([]rune(repl)) {
			return "", fmt.Errorf("strings for `y' command are different lengths")
		}
		return rest, nil
	}
	fold := false
	for rest != "" && rest[0] != ';' && rest[0] != '\n' && rest[0] != ' ' {
		switch o := rest[0]; {
		case o == 'g':
			c.global = true
		case o == 'p':
			c.print = true
		case o == 'i' || o == 'I':
			fold = true
		case o >= '1' && o <= '9':
			c.nth = int(o - '0')
		default:
			return "", fmt.Errorf("unknown option to `s'")
		}
		rest = rest[1:]
	}
	var err error
	c.re, err = s.compile(expr, fold)
	c.text = repl
	return rest, err
}

// run edits all lines of r.
func (s *sedRun) run(r io.Reader, out io.Writer) error {
	br := s.p.Lines(r)
	line, err := br.ReadString('\n')
	for n := 1; line != ""; n++ {
		if err != nil && err != io.EOF {
			return err
		}
		next, nextErr := "", err
		if err == nil {
			next, nextErr = br.ReadString('\n')
		}
		if quit := s.edit(out, line, n, next == ""); quit {
			return nil
		}
		line, err = next, nextErr
	}
	if err != nil && err != io.EOF {
		return err
	}
	return nil
}

// edit runs the script on one line and reports whether it said to quit.
func (s *sedRun) edit(out io.Writer, line string, n int, last bool) (quit bool) {
	text, full := strings.CutSuffix(line, "\n")
	end := ""
	if full {
		end = "\n"
	}
	var after []string
	deleted := false
loop:
	for _, c := range s.cmds {
		if !c.selects(text, n, last) {
			continue
		}
		switch c.verb {
		case 's':
			var hit bool
			if text, hit = c.replace(text); hit && c.print {
				io.WriteString(out, text+"\n")
			}
		case 'y':
			text = c.transliterate(text)
		case 'p':
			io.WriteString(out, text+"\n")
		case '=':
			fmt.Fprintf(out, "%d\n", n)
		case 'a':
			after = append(after, c.text)
		case 'i':
			io.WriteString(out, c.text+"\n")
		case 'c':
			text, end = c.text, "\n"
		case 'd':
			deleted = true
			break loop
		case 'q':
			quit = true
			s.status = c.nth
			break loop
		}
	}
	if !deleted && !s.quiet {
		if _, err := io.WriteString(out, text+end); err != nil {
			return true
		}
	}
	for _, a := range after {
		io.WriteString(out, a+"\n")
	}
	return quit
}

func (a sedAddr) hits(text string, n int, last bool) bool {
	return a.line == n && n > 0 || a.last && last || a.re != nil && a.re.MatchString(text)
}

func (c *sedCmd) selects(text string, n int, last bool) bool {
	var yes bool
	switch len(c.addr) {
	case 0:
		yes = true
	case 1:
		yes = c.addr[0].hits(text, n, last)
	default:
		to := c.addr[1]
		switch {
		case c.active:
			yes = true
			c.active = !to.hits(text, n, last) && (to.line == 0 || n < to.line)
		case c.addr[0].hits(text, n, last):
			yes = true
			c.active = to.line == 0 || to.line > n
		}
	}
	return yes != c.negate
}

func (c *sedCmd) replace(text string) (string, bool) {
	var b strings.Builder
	at, count, hit := 0, 0, false
	for _, m := range c.re.FindAllStringSubmatchIndex(text, -1) {
		count++
		if c.nth > 0 && count < c.nth {
			continue
		}
		b.WriteString(text[at:m[0]])
		b.WriteString(sedExpand(c.text, text, m))
		at, hit = m[1], true
		if !c.global {
			break
		}
	}
	return b.String() + text[at:], hit
}

// sedExpand fills & and \N of a replacement.
func sedExpand(repl, text string, m []int) string {
	var b strings.Builder
	for i := 0; i < len(repl); i++ {
		c := repl[i]
		switch {
		case c == '&':
			b.WriteString(text[m[0]:m[1]])
		case c == '\\' && i+1 < len(repl):
			i++
			switch d := repl[i]; {
			case d >= '0' && d <= '9':
				if k := int(d-'0') * 2; k+1 < len(m) && m[k] >= 0 {
					b.WriteString(text[m[k]:m[k+1]])
				}
			case d == 'n':
				b.WriteByte('\n')
			case d == 't':
				b.WriteByte('\t')
			default:
				b.WriteByte(d)
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (c *sedCmd) transliterate(text string) string {
	from, to := []rune(c.text), []rune(c.to)
	return strings.Map(func(r rune) rune {
		for i, f := range from {
			if f == r {
				return to[i]
			}
		}
		return r
	}, text)
}
