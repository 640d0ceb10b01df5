package posix

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// readOptions are those of read.
type readOptions struct {
	raw, silent bool
	array       string
	prompt      string
	delim       byte
	count       int // characters; 0 is a whole line
	timeout     time.Duration
	fd          int
}

var errTimeout = errors.New("timed out")

// readLine reads up to a delimiter, one byte at a time, so that what follows
// is left for others. A backslash joins lines unless raw.
func (s *Shell) readLine(ctx context.Context, o readOptions) (string, error) {
	rctx, done := s.signalled(ctx)
	defer done()
	if o.timeout > 0 {
		var cancel context.CancelFunc
		rctx, cancel = context.WithTimeoutCause(rctx, o.timeout, errTimeout)
		defer cancel()
	}
	src := s.fds[o.fd].r
	if t, ok := src.(Terminal); ok && o.silent {
		t.SetEcho(false)
		defer t.SetEcho(true)
	}
	r := bindReader(rctx, src)
	var line []byte
	var buf [1]byte
	for {
		n, err := r.Read(buf[:])
		if err != nil {
			return string(line), err
		}
		if n == 0 {
			continue
		}
		c := buf[0]
		escaped := !o.raw && len(line) > 0 && line[len(line)-1] == '\\' && oddBackslashes(line)
		switch {
		case c == o.delim && escaped && c == '\n':
			line = line[:len(line)-1]
			continue
		case c == o.delim && !escaped:
			return string(line), nil
		case c == 0:
			continue
		}
		if line = append(line, c); len(line) > maxVariable {
			return string(line), errTooLarge
		}
		if o.count > 0 && len(line) >= o.count {
			return string(line), nil
		}
	}
}

func oddBackslashes(line []byte) bool {
	n := 0
	for n < len(line) && line[len(line)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

func builtinRead(s *Shell, ctx context.Context, args []string) int {
	o := readOptions{delim: '\n'}
	names, msg := o.parse(args[1:])
	if msg != "" {
		s.errf("read: %s", msg)
		return 2
	}
	for _, n := range names {
		if !syntax.ValidName(n) {
			s.errf("read: `%s': not a valid identifier", n)
			return 1
		}
	}
	if o.prompt != "" && s.IsTerminal(o.fd) {
		s.writeTo(2, o.prompt)
	}
	line, err := s.readLine(ctx, o)
	if s.ctx.Err() != nil {
		return 1
	}
	s.assignRead(o, names, line)
	switch {
	case errors.Is(err, errTimeout):
		return 128 + 14
	case err != nil:
		return 1
	}
	return 0
}

// parse reads the options and returns the names that follow.
func (o *readOptions) parse(args []string) (names []string, msg string) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0][1:]
		args = args[1:]
		if word == "-" {
			break
		}
		for i := 0; i < len(word); i++ {
			switch c := word[i]; c {
			case 'r':
				o.raw = true
			case 's':
				o.silent = true
			case 'e':
			default:
				if strings.IndexByte("pdntNua", c) < 0 {
					return nil, "-" + string(c) + ": invalid option"
				}
				value := word[i+1:]
				if value == "" {
					if len(args) == 0 {
						return nil, "-" + string(c) + ": option requires an argument"
					}
					value, args = args[0], args[1:]
				}
				if msg := o.value(c, value); msg != "" {
					return nil, msg
				}
				i = len(word)
			}
		}
	}
	return args, ""
}

func (o *readOptions) value(c byte, value string) (msg string) {
	switch c {
	case 'p':
		o.prompt = value
	case 'a':
		o.array = value
	case 'd':
		o.delim = 0
		if value != "" {
			o.delim = value[0]
		}
	case 'n', 'N':
		if o.count = atoi(value); o.count < 0 {
			return value + ": invalid number"
		}
	case 'u':
		if o.fd = atoi(value); o.fd < 0 {
			return value + ": invalid file descriptor specification"
		}
	case 't':
		sec, err := strconv.ParseFloat(value, 64)
		if err != nil || sec < 0 || sec > 1e9 {
			return value + ": invalid timeout specification"
		}
		o.timeout = max(time.Duration(sec*float64(time.Second)), time.Nanosecond)
	}
	return ""
}

func (s *Shell) assignRead(o readOptions, names []string, line string) {
	if o.array != "" {
		v := expand.Variable{Set: true, Kind: expand.Indexed, List: expand.ReadFields(s.ecfg, line, -1, o.raw)}
		if err := s.set(o.array, v); err != nil {
			s.errf("read: %v", err)
		}
		return
	}
	if len(names) == 0 {
		if !o.raw {
			line = strings.ReplaceAll(strings.ReplaceAll(line, `\\`, "\x00"), `\`, "")
			line = strings.ReplaceAll(line, "\x00", `\`)
		}
		s.setString("REPLY", line)
		return
	}
	values := expand.ReadFields(s.ecfg, line, len(names), o.raw)
	for i, n := range names {
		value := ""
		if i < len(values) {
			value = values[i]
		}
		s.setString(n, value)
	}
}

func builtinMapfile(s *Shell, ctx context.Context, args []string) int {
	name, trim, delim := "MAPFILE", false, byte('\n')
	for i := 1; i < len(args); i++ {
		switch {
		case args[i] == "-t":
			trim = true
		case args[i] == "-d" && i+1 < len(args):
			i++
			delim = 0
			if args[i] != "" {
				delim = args[i][0]
			}
		case strings.HasPrefix(args[i], "-"):
			s.errf("%s: %s: invalid option", args[0], args[i])
			return 2
		default:
			name = args[i]
		}
	}
	rctx, done := s.signalled(ctx)
	defer done()
	data, err := io.ReadAll(io.LimitReader(bindReader(rctx, s.fds[0].r), maxVariable))
	if err != nil {
		return 1
	}
	v := expand.Variable{Set: true, Kind: expand.Indexed, List: []string{}}
	for line := range strings.SplitAfterSeq(string(data), string(delim)) {
		if trim {
			line = strings.TrimSuffix(line, string(delim))
		}
		if line != "" || trim {
			v.List = append(v.List, line)
		}
	}
	if n := len(v.List); trim && n > 0 && v.List[n-1] == "" {
		v.List = v.List[:n-1]
	}
	if err := s.set(name, v); err != nil {
		s.errf("%s: %v", args[0], err)
		return 1
	}
	return 0
}
