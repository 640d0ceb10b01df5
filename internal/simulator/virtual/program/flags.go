package program

import (
	"strings"
)

// Flags are the options of a program.
type Flags struct{ values map[string][]string }

// Has reports whether option name, one letter or a long name, was given.
func (f *Flags) Has(name string) bool { return len(f.values[name]) > 0 }

// Value returns the last argument of an option, or other when not given.
func (f *Flags) Value(name, other string) string {
	if v := f.values[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return other
}

// Values returns all arguments of an option in order.
func (f *Flags) Values(name string) []string { return f.values[name] }

// option is one that a program takes.
type option struct {
	name string // under which it is stored
	arg  bool
}

// parseSpec reads words such as "n:" (a letter with an argument), "qv" (two
// letters without), "lines=n:" (a long name for n) and "color=:" (a long name
// with an optional argument after =).
func parseSpec(spec string) (short, long map[string]option, optional map[string]bool) {
	short, long, optional = map[string]option{}, map[string]option{}, map[string]bool{}
	for word := range strings.FieldsSeq(spec) {
		name, rest, isLong := strings.Cut(word, "=")
		if isLong {
			target, arg := strings.CutSuffix(rest, ":")
			if target == "" {
				target, optional[name] = name, arg
				arg = false
			}
			long[name] = option{target, arg}
			continue
		}
		for i := range len(word) {
			if word[i] == ':' {
				continue
			}
			arg := i+1 < len(word) && word[i+1] == ':'
			short[word[i:i+1]] = option{word[i : i+1], arg}
		}
	}
	return short, long, optional
}

// Flags reads the options in front of and between the operands. When status is
// not negative the program returns it: an option was wrong, or it was --help.
func (p *Proc) Flags(spec string) (f *Flags, rest []string, status int) {
	return p.parseFlags(spec, false)
}

// LeadingFlags is Flags that stops at the first operand, as programs do that
// take a command line.
func (p *Proc) LeadingFlags(spec string) (f *Flags, rest []string, status int) {
	return p.parseFlags(spec, true)
}

func (p *Proc) parseFlags(spec string, leading bool) (f *Flags, rest []string, status int) {
	short, long, optional := parseSpec(spec)
	f = &Flags{values: map[string][]string{}}
	args := p.Args[1:]
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		switch {
		case a == "--":
			return f, append(rest, args...), -1
		case strings.HasPrefix(a, "--"):
			name, value, given := strings.Cut(a[2:], "=")
			o, known := long[name]
			switch {
			case !known && name == "help":
				p.Printf("Usage: %s [OPTION]... [FILE]...\nThis is the simulated %s of a virtual node.\n", p.Name(), p.Name())
				return f, nil, 0
			case !known && name == "version":
				p.Printf("%s (simulated)\n", p.Name())
				return f, nil, 0
			case !known:
				p.Errorf("unrecognized option '%s'\nTry '%s --help' for more information.", a, p.Name())
				return f, nil, 1
			case o.arg && !given && len(args) == 0:
				p.Errorf("option '%s' requires an argument", a)
				return f, nil, 1
			case o.arg && !given:
				value, args = args[0], args[1:]
			case given && !o.arg && !optional[name]:
				p.Errorf("option '--%s' doesn't allow an argument", name)
				return f, nil, 1
			}
			f.values[o.name] = append(f.values[o.name], value)
		case len(a) > 1 && a[0] == '-':
			var ok bool
			if args, ok = p.letters(f, short, a[1:], args); !ok {
				return f, nil, 1
			}
		default:
			rest = append(rest, a)
			if leading {
				return f, append(rest, args...), -1
			}
		}
	}
	return f, rest, -1
}

// letters reads a word of one-letter options.
func (p *Proc) letters(f *Flags, short map[string]option, word string, args []string) ([]string, bool) {
	for i := range len(word) {
		o, known := short[word[i:i+1]]
		if !known {
			p.Errorf("invalid option -- '%c'\nTry '%s --help' for more information.", word[i], p.Name())
			return args, false
		}
		value := ""
		if o.arg {
			if value = word[i+1:]; value == "" {
				if len(args) == 0 {
					p.Errorf("option requires an argument -- '%c'", word[i])
					return args, false
				}
				value, args = args[0], args[1:]
			}
		}
		f.values[o.name] = append(f.values[o.name], value)
		if o.arg {
			break
		}
	}
	return args, true
}
