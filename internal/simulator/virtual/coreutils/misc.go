package coreutils

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// duration reads 1.5, 10s, 2m, 1h or 1d.
func duration(text string) (time.Duration, bool) {
	if text == "infinity" || text == "inf" {
		return 1<<63 - 1, true
	}
	unit := time.Second
	if n := len(text); n > 0 {
		switch text[n-1] {
		case 's', 'm', 'h', 'd':
			unit = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[text[n-1]]
			text = text[:n-1]
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || v*float64(unit) > float64(1<<62) {
		return 0, false
	}
	return time.Duration(v * float64(unit)), true
}

func sleep(ctx context.Context, p *program.Proc) int {
	if !operands(p, p.Args[1:], 1) {
		return 1
	}
	var total time.Duration
	for _, a := range p.Args[1:] {
		d, ok := duration(a)
		if !ok {
			p.Errorf("invalid time interval '%s'\nTry 'sleep --help' for more information.", a)
			return 1
		}
		total += d
	}
	if err := shell.Sleep(ctx, total); err != nil {
		return posix.KilledStatus(ctx)
	}
	return 0
}

func timeout(ctx context.Context, p *program.Proc) int {
	f, args, st := p.LeadingFlags("s:k:v signal=s: kill-after=k: preserve-status=p foreground=f")
	if st >= 0 {
		return 125
	}
	if !operands(p, args, 2) {
		return 125
	}
	d, ok := duration(args[0])
	if !ok {
		p.Errorf("invalid time interval '%s'", args[0])
		return 125
	}
	sig, err := posix.ParseSignal(f.Value("s", "TERM"))
	if err != nil {
		p.Errorf("%v", err)
		return 125
	}
	tctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if d > 0 {
		defer shell.AfterFunc(ctx, d, func() { cancel(sig) })()
	}
	status := p.Shell.Spawn(tctx, posix.Spawn{Args: args[1:], Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr})
	if tctx.Err() != nil && ctx.Err() == nil && !f.Has("p") {
		return 124
	}
	return status
}

// runCommand is nohup, nice, stdbuf and time: they run their arguments.
func runCommand(ctx context.Context, p *program.Proc) int {
	_, args, st := p.LeadingFlags("n:i:o:e:pv adjustment=n:")
	if st >= 0 {
		return 125
	}
	if len(args) == 0 {
		if p.Name() == "nice" {
			p.Printf("0\n")
			return 0
		}
		p.Errorf("missing operand")
		return 125
	}
	start := p.Shell.Now()
	status := p.Shell.Spawn(ctx, posix.Spawn{Args: args, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr})
	if p.Name() == "time" {
		fmt.Fprintf(p.Stderr, "real %.2f\nuser 0.00\nsys 0.00\n", p.Shell.Now().Sub(start).Seconds())
	}
	return status
}

func env(ctx context.Context, p *program.Proc) int {
	f, args, st := p.LeadingFlags("iu:0 ignore-environment=i unset=u:")
	if st >= 0 {
		return 125
	}
	var set []string
	for len(args) > 0 && strings.Contains(args[0], "=") {
		set, args = append(set, args[0]), args[1:]
	}
	if len(args) > 0 {
		return p.Shell.Spawn(ctx, posix.Spawn{Args: args, Env: set, Clean: f.Has("i"), Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr})
	}
	var list []string
	if !f.Has("i") {
		list = p.Shell.Environ()
	}
	for _, kv := range append(list, set...) {
		name, _, _ := strings.Cut(kv, "=")
		if name != f.Value("u", "") {
			p.Printf("%s\n", kv)
		}
	}
	return 0
}

func printenv(_ context.Context, p *program.Proc) int {
	all := map[string]string{}
	for _, kv := range p.Shell.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		all[name] = value
		if len(p.Args) == 1 {
			p.Printf("%s\n", kv)
		}
	}
	status := 0
	for _, name := range p.Args[1:] {
		value, ok := all[name]
		if !ok {
			status = 1
			continue
		}
		p.Printf("%s\n", value)
	}
	return status
}

func xargs(ctx context.Context, p *program.Proc) int {
	f, args, st := p.LeadingFlags("n:I:0rtd:P:L: null=0 no-run-if-empty=r max-args=n: delimiter=d: max-procs=P:")
	if st >= 0 {
		return 125
	}
	if len(args) == 0 {
		args = []string{"echo"}
	}
	data, err := io.ReadAll(io.LimitReader(p.Stdin, 16<<20))
	if err != nil {
		return 1
	}
	items := xargsItems(f, string(data))
	n := len(items)
	if f.Has("n") || f.Has("L") {
		n, err = strconv.Atoi(f.Value("n", f.Value("L", "")))
		if err != nil || n < 1 {
			p.Errorf("value for -n option should be >= 1")
			return 1
		}
	}
	run := func(argv []string) int {
		if f.Has("t") {
			fmt.Fprintln(p.Stderr, strings.Join(argv, " "))
		}
		return p.Shell.Spawn(ctx, posix.Spawn{Args: argv, Stdout: p.Stdout, Stderr: p.Stderr})
	}
	status := 0
	note := func(st int) {
		switch {
		case st == 0:
		case st == 126 || st == 127:
			status = st
		default:
			status = 123
		}
	}
	if repl := f.Value("I", ""); repl != "" {
		for _, item := range items {
			argv := make([]string, len(args))
			for i, a := range args {
				argv[i] = strings.ReplaceAll(a, repl, item)
			}
			if note(run(argv)); ctx.Err() != nil {
				break
			}
		}
		return status
	}
	if len(items) == 0 {
		if f.Has("r") {
			return 0
		}
		note(run(args))
		return status
	}
	for len(items) > 0 && ctx.Err() == nil {
		k := min(n, len(items))
		note(run(append(args[:len(args):len(args)], items[:k]...)))
		items = items[k:]
	}
	return status
}

func xargsItems(f *program.Flags, text string) []string {
	switch {
	case f.Has("0"):
		return splitNonEmpty(text, "\x00")
	case f.Has("d"):
		sep := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\0`, "\x00").Replace(f.Value("d", ""))
		return splitNonEmpty(strings.TrimSuffix(text, "\n"), sep)
	case f.Has("I") || f.Has("L"):
		var items []string
		for line := range strings.SplitSeq(text, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				items = append(items, line)
			}
		}
		return items
	}
	return shellWords(text)
}

func splitNonEmpty(text, sep string) []string {
	var items []string
	for item := range strings.SplitSeq(text, sep) {
		if item != "" {
			items = append(items, item)
		}
	}
	return items
}

// shellWords splits at blanks that are not quoted or escaped.
func shellWords(text string) []string {
	var items []string
	var b strings.Builder
	quote, open := byte(0), false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				b.WriteByte(c)
			}
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
			open = true
		case c == ' ' || c == '\t' || c == '\n':
			if open {
				items = append(items, b.String())
			}
			b.Reset()
			open = false
		default:
			b.WriteByte(c)
			open = true
		}
	}
	if open {
		items = append(items, b.String())
	}
	return items
}

func clearScreen(_ context.Context, p *program.Proc) int {
	text := "\x1b[H\x1b[2J\x1b[3J"
	if p.Name() == "reset" {
		text = "\x1bc\x1b[!p\x1b[?3;4l\x1b[4l\x1b>"
	}
	p.Printf("%s", text)
	return 0
}

func tput(_ context.Context, p *program.Proc) int {
	if len(p.Args) < 2 {
		p.Errorf("usage: tput capname")
		return 2
	}
	cols, rows, ok := p.Shell.Size()
	if !ok {
		cols, rows = 80, 24
	}
	seq := map[string]string{
		"cols": strconv.Itoa(cols) + "\n", "lines": strconv.Itoa(rows) + "\n", "colors": "256\n",
		"clear": "\x1b[H\x1b[2J", "bold": "\x1b[1m", "sgr0": "\x1b(B\x1b[m", "rev": "\x1b[7m", "smul": "\x1b[4m",
		"rmul": "\x1b[24m", "civis": "\x1b[?25l", "cnorm": "\x1b[?12l\x1b[?25h", "smcup": "\x1b[?1049h",
		"rmcup": "\x1b[?1049l", "el": "\x1b[K", "home": "\x1b[H", "bel": "\a", "dim": "\x1b[2m",
	}
	name := p.Args[1]
	switch {
	case name == "setaf" && len(p.Args) > 2:
		p.Printf("\x1b[38;5;%sm", p.Args[2])
	case name == "setab" && len(p.Args) > 2:
		p.Printf("\x1b[48;5;%sm", p.Args[2])
	default:
		text, known := seq[name]
		if !known {
			p.Errorf("unknown terminfo capability '%s'", name)
			return 4
		}
		p.Printf("%s", text)
	}
	return 0
}

func ttyCmd(_ context.Context, p *program.Proc) int {
	if !p.Shell.IsTerminal(0) {
		p.Printf("not a tty\n")
		return 1
	}
	p.Printf("/dev/pts/0\n")
	return 0
}

func stty(_ context.Context, p *program.Proc) int {
	cols, rows, ok := p.Shell.Size()
	t, isTerminal := p.Shell.Terminal()
	if !ok || !isTerminal {
		p.Errorf("'standard input': Inappropriate ioctl for device")
		return 1
	}
	switch {
	case len(p.Args) < 2 || p.Args[1] == "-a":
		p.Printf("speed 38400 baud; rows %d; columns %d; line = 0;\n", rows, cols)
	case p.Args[1] == "size":
		p.Printf("%d %d\n", rows, cols)
	case p.Args[1] == "-g":
		p.Printf("500:5:bf:8a3b:3:1c:7f:15:4:0:1:0:11:13:1a:0:12:f:17:16:0:0:0:0\n")
	default:
		for _, word := range p.Args[1:] {
			switch word {
			case "raw", "-cooked":
				t.SetRaw(true)
			case "-raw", "cooked", "sane":
				t.SetRaw(false)
				t.SetEcho(true)
			case "echo", "-echo":
				t.SetEcho(word == "echo")
			} // the others change nothing that is simulated
		}
	}
	return 0
}

func expr(_ context.Context, p *program.Proc) int {
	a := p.Args[1:]
	if len(a) == 1 {
		p.Printf("%s\n", a[0])
		return oneIf(a[0] == "" || a[0] == "0")
	}
	if len(a) == 2 && a[0] == "length" {
		p.Printf("%d\n", len([]rune(a[1])))
		return oneIf(a[1] == "")
	}
	if len(a) != 3 {
		p.Errorf("syntax error: the simulated expr takes one operator")
		return 2
	}
	x, err1 := strconv.ParseInt(a[0], 10, 64)
	y, err2 := strconv.ParseInt(a[2], 10, 64)
	ints := err1 == nil && err2 == nil
	var v int64
	switch a[1] {
	case "+", "-", "*", "/", "%":
		if !ints {
			p.Errorf("non-integer argument")
			return 2
		}
		if y == 0 && (a[1] == "/" || a[1] == "%") {
			p.Errorf("division by zero")
			return 2
		}
		v = map[string]func() int64{
			"+": func() int64 { return x + y }, "-": func() int64 { return x - y }, "*": func() int64 { return x * y },
			"/": func() int64 { return x / y }, "%": func() int64 { return x % y },
		}[a[1]]()
	case "=", "!=", "<", ">", "<=", ">=":
		c := strings.Compare(a[0], a[2])
		if ints {
			c = int(min(max(x-y, -1), 1))
		}
		yes := map[string]bool{"=": c == 0, "!=": c != 0, "<": c < 0, ">": c > 0, "<=": c <= 0, ">=": c >= 0}[a[1]]
		v = int64(oneIf(yes))
	default:
		p.Errorf("syntax error: unexpected argument '%s'", a[1])
		return 2
	}
	p.Printf("%d\n", v)
	return oneIf(v == 0)
}
