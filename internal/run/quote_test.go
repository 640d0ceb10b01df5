package run

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

func TestQuote(t *testing.T) {
	tests := []struct {
		name           string
		argv           []string
		posix, windows string
	}{
		{"one argument is a script", []string{"a && b | c > $X"}, "a && b | c > $X", "a && b | c > $X"},
		{"even when it is a word", []string{"uptime"}, "uptime", "uptime"},
		{"plain words stay plain", []string{"systemctl", "restart", "nginx"}, "systemctl restart nginx", "systemctl restart nginx"},
		{"paths and options", []string{"tail", "-n", "50", "/var/log/x.log"}, "tail -n 50 /var/log/x.log", "tail -n '50' /var/log/x.log"},
		{"blanks", []string{"echo", "a b"}, "echo 'a b'", "echo 'a b'"},
		{"nothing is expanded", []string{"echo", "$HOME", "*", "`id`"}, "echo '$HOME' '*' '`id`'", "echo '$HOME' '*' '`id`'"},
		{"operators", []string{"a", "&&", "b"}, "a '&&' b", "a '&&' b"},
		{"single quotes", []string{"echo", "it's"}, `echo 'it'\''s'`, "echo 'it''s'"},
		{"typographic quotes", []string{"echo", "it’s"}, "echo 'it’s'", "echo 'it’’s'"},
		{"empty arguments", []string{"echo", ""}, "echo ''", "echo ''"},
		{"a first word that is an assignment", []string{"A=1", "b"}, "'A=1' b", "& 'A=1' b"},
		{"an assignment elsewhere", []string{"env", "A=1"}, "env A=1", "env A=1"},
		{"a reserved word", []string{"if", "x"}, "'if' x", "& 'if' x"},
		{"a Windows path", []string{`C:\Program Files\x.exe`, "-a"}, `'C:\Program Files\x.exe' -a`, `& 'C:\Program Files\x.exe' -a`},
		{"a parameter with a value", []string{"Get-Service", "-Name:w3svc"}, "Get-Service -Name:w3svc", "Get-Service -Name:w3svc"},
		{"arrays and splats", []string{"Do-It", "a,b", "@c"}, "Do-It a,b @c", "Do-It 'a,b' '@c'"},
		{"numbers", []string{"x", "007", "-5", "0x10", "1kb", ".5", "a1"}, "x 007 -5 0x10 1kb .5 a1", "x '007' '-5' '0x10' '1kb' '.5' a1"},
		{"a dot in an option", []string{"mvn", "-Da.b=c", "-a:b.c", "x.y"}, "mvn -Da.b=c -a:b.c x.y", "mvn '-Da.b=c' -a:b.c x.y"},
		{"a number as the command", []string{"7z", "x"}, "7z x", "& '7z' x"},
		{"lines", []string{"printf", "a\nb"}, "printf 'a\nb'", "printf 'a\nb'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, platform := range []string{linux, macos} {
				if got := Quote(tt.argv, platform); got != tt.posix {
					t.Errorf("%s: got %q, want %q", platform, got, tt.posix)
				}
			}
			if got := Quote(tt.argv, windows); got != tt.windows {
				t.Errorf("windows: got %q, want %q", got, tt.windows)
			}
		})
	}
}

// shellArgs reads a line as a shell does and returns the words of its one
// command, expanded.
func shellArgs(t *testing.T, line string) []string {
	t.Helper()
	// To this parser bash's builtins let and declare are syntax, and get the
	// same arguments all the same.
	first, _, _ := strings.Cut(line, " ")
	builtin := slices.Contains([]string{"let", "declare", "typeset", "local", "export", "readonly", "nameref"}, first)
	if _, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(line), ""); err != nil && !builtin {
		t.Fatalf("%q does not parse as bash: %v", line, err)
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(line), "")
	if err != nil {
		t.Fatalf("%q does not parse: %v", line, err)
	}
	if len(file.Stmts) != 1 {
		t.Fatalf("%q is %d statements", line, len(file.Stmts))
	}
	call, ok := file.Stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(call.Assigns) > 0 || len(file.Stmts[0].Redirs) > 0 || file.Stmts[0].Background {
		var b bytes.Buffer
		_ = syntax.NewPrinter().Print(&b, file)
		t.Fatalf("%q is no plain command: %s", line, b.String())
	}
	words, err := expand.Fields(&expand.Config{Env: expand.ListEnviron("HOME=/root")}, call.Args...)
	if err != nil {
		t.Fatalf("%q does not expand: %v", line, err)
	}
	return words
}

// FuzzQuotePOSIX: what an independent shell reads is what was given.
func FuzzQuotePOSIX(f *testing.F) {
	for _, seed := range []string{"echo\x00a b", "if\x00x", "A=1\x00b", "x\x00~", "x\x00it's", "x\x00", "!\x00a", "a\x00{1,2}", "x\x00\r\n", "x\x00\\", "time\x00x", "let\x00x", "declare\x00a=b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, joined string) {
		argv := strings.Split(joined, "\x00") // an argument cannot hold a NUL
		if len(argv) < 2 || !utf8.ValidString(joined) || strings.Contains(joined, "\r") {
			return // this parser drops carriage returns; shells do not
		}
		line := Quote(argv, linux)
		if got := shellArgs(t, line); !slices.Equal(got, argv) {
			t.Errorf("%q became %q, which reads %q", argv, line, got)
		}
	})
}

// FuzzQuotePowerShell: outside of single quotes there are safe characters only,
// and undoing the quotes gives back what was given.
func FuzzQuotePowerShell(f *testing.F) {
	for _, seed := range []string{"echo\x00it's", "x\x00‘’‚‛", "if\x00a", "7z\x00$x", "x\x00'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, joined string) {
		argv := strings.Split(joined, "\x00")
		if len(argv) < 2 || !utf8.ValidString(joined) {
			return
		}
		line := Quote(argv, windows)
		if got := powerShellArgs(t, line); !slices.Equal(got, argv) {
			t.Errorf("%q became %q, which reads %q", argv, line, got)
		}
	})
}

// powerShellArgs reads bare words and single-quoted strings by the rules of
// about_Quoting_Rules, and fails on anything else.
func powerShellArgs(t *testing.T, line string) []string {
	t.Helper()
	rest := []rune(line)
	if strings.HasPrefix(line, "& ") {
		rest = rest[2:]
		if !isQuote(rest[0]) {
			t.Fatalf("%q calls what is not quoted", line)
		}
	} else if isQuote(rest[0]) {
		t.Fatalf("%q prints instead of running", line)
	}
	var words []string
	for len(rest) > 0 {
		var word []rune
		if isQuote(rest[0]) {
			i := 1
			for ; i < len(rest); i++ {
				if isQuote(rest[i]) {
					if i+1 == len(rest) || !isQuote(rest[i+1]) {
						break
					}
					i++
				}
				word = append(word, rest[i])
			}
			if i == len(rest) {
				t.Fatalf("%q has an open quote", line)
			}
			rest = rest[i+1:]
		} else {
			for len(rest) > 0 && rest[0] != ' ' {
				if !strings.ContainsRune(`_=:./\-`, rest[0]) && !(rest[0] < 128 && (letter(byte(rest[0])) || rest[0] >= '0' && rest[0] <= '9')) {
					t.Fatalf("%q has a bare %q", line, rest[0])
				}
				word, rest = append(word, rest[0]), rest[1:]
			}
		}
		words = append(words, string(word))
		if len(rest) > 0 {
			if rest[0] != ' ' || len(rest) == 1 {
				t.Fatalf("%q: words are not apart", line)
			}
			rest = rest[1:]
		}
	}
	return words
}

func isQuote(r rune) bool { return strings.ContainsRune("'‘’‚‛", r) }
