package run

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestWhereAScriptCanRun(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Shells
	}{
		{"a", "echo", AnyShell},
		{"the script", "#!/bin/sh\necho", POSIX},
		{"a.sh", "echo", POSIX},
		{"dir.ps1/a", "echo", AnyShell},
		{"A.PS1", "echo", PowerShell},
		{"a.ps1", "#!/usr/bin/env pwsh\necho", AnyShell},
		{"a.py", "#!/usr/bin/env python3\nprint()", POSIX},
		{"a.ps1", "#! \necho", PowerShell},
	} {
		if got := NewScript(tt.name, "\ufeff"+tt.text); got.For != tt.want || got.Text != tt.text {
			t.Errorf("%s %q: got %+v", tt.name, tt.text, got)
		}
	}
}

func TestScriptsAreCheckedAgainstTheirNodes(t *testing.T) {
	sh, ps, any := NewScript("a.sh", "echo $1"), NewScript("a.ps1", "$args"), NewScript("a", "hostname")
	both := selected(nodes(1, "linux"), nodes(1, "windows"))
	for _, tt := range []struct {
		name string
		req  Request
		want string // commands sent, or the error
	}{
		{"one for all", Request{Selection: both, Scripts: []Script{any}}, "hostname|hostname"},
		{"one of each", Request{Selection: both, Scripts: []Script{ps, sh}}, "echo $1|$args"},
		{
			"with arguments",
			Request{Selection: both, Scripts: []Script{ps, sh}, ScriptArgs: []string{"a b", "-n"}},
			"set -- 'a b' -n\necho $1|& {\n$args\n} 'a b' -n",
		},
		{"no shell script on Windows", Request{Selection: both, Scripts: []Script{sh}}, "a.sh is no PowerShell script, and windows-0"},
		{"no PowerShell on Linux", Request{Selection: both, Scripts: []Script{ps}}, "a.ps1 is a PowerShell script, and linux-0"},
		{
			"unless by a document",
			Request{Selection: selected(nodes(1, "linux")), Document: document.PowerShellScript, Scripts: []Script{ps}, ScriptArgs: []string{"it's"}},
			"& {\n$args\n} 'it''s'",
		},
		{"line ends of Windows", Request{Selection: selected(nodes(1, "linux")), Scripts: []Script{NewScript("a", "x\r\ny\r\n")}}, "CR LF"},
		{"which are fine there", Request{Selection: selected(nodes(1, "windows")), Scripts: []Script{NewScript("a", "x\r\ny\r\n")}}, "x\r\ny\r\n"},
		{"two for the same", Request{Selection: both, Scripts: []Script{sh, sh}}, "are for the same nodes"},
		{"an empty one", Request{Selection: both, Scripts: []Script{NewScript("e.sh", " \n")}}, "the script e.sh is empty"},
		{"using", Request{Selection: selected(nodes(1, "windows")), Scripts: []Script{NewScript("a.ps1", "# x\nusing namespace System\n")}, ScriptArgs: []string{"x"}}, "using statement"},
		{"too long with its quotes", Request{Selection: selected(nodes(1, "linux")), Scripts: []Script{NewScript("a", strings.Repeat("\"", 33<<10))}}, "the script has"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tt.req.Commands(); err != nil {
				wantKind(t, err, fault.Usage, tt.want)
				return
			}
			p, err := makePlan(tt.req)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range p.sends {
				got = append(got, s.params[paramCommands]...)
			}
			if strings.Join(got, "|") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// shells are the interpreters of this machine that scripts are tried with.
func shells(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, name := range []string{"sh", "bash", "dash", "python3", "perl"} {
		if path, err := exec.LookPath(name); err == nil {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		t.Skip("no shell here")
	}
	return found
}

// asAgents runs a script as agents do: as a file, which the kernel starts with the
// interpreter of its first line, or a shell without one.
func asAgents(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", `f=$(mktemp) && cat >"$f" && chmod 700 "$f" && { "$f"; s=$?; rm -f "$f"; exit $s; }`)
	cmd.Stdin = strings.NewReader(script)
	cmd.Dir = t.TempDir()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, errs.String(), script)
	}
	return out.String()
}

// TestArgumentsArriveInRealInterpreters sends random arguments through each of the
// interpreters here and expects them back.
func TestArgumentsArriveInRealInterpreters(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"a", " ", "'", `"`, "$HOME", "`id`", "\\", "*", "\n", ";", "&", "é", "-n", "", "!", "#", "{{ x }}", "\t", "SCRIPT_ENDS", "~", "=", "%"}
	for _, path := range shells(t) {
		body := "#!" + path + "\n"
		switch {
		case strings.HasSuffix(path, "python3"):
			body += "import sys\nfor a in sys.argv[1:]:\n    sys.stdout.write(a + '\\0')\n# SCRIPT_ENDS"
		case strings.HasSuffix(path, "perl"):
			body += "print map { \"$_\\0\" } @ARGV;\n__END__\nSCRIPT_ENDS\n"
		default:
			body += "for a in \"$@\"; do printf '%s\\0' \"$a\"; done"
		}
		scripts := []string{body, strings.Replace(body, path, "/usr/bin/env "+path, 1)}
		if strings.HasSuffix(path, "/sh") {
			_, plain, _ := strings.Cut(body, "\n")
			scripts = append(scripts, plain)
		}
		for range 6 {
			var args []string
			for range 1 + rng.IntN(20) {
				var b strings.Builder
				for range rng.IntN(5) {
					b.WriteString(pieces[rng.IntN(len(pieces))])
				}
				args = append(args, b.String())
			}
			script, err := NewScript("x", scripts[rng.IntN(len(scripts))]).withArguments(args, linux)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := asAgents(t, script), strings.Join(args, "\x00")+"\x00"; got != want {
				t.Fatalf("%s: got %q, want %q of\n%s", path, got, want, script)
			}
		}
	}
}

// TestWordsArriveInARealShell is FuzzQuotePOSIX with the shell of this machine.
func TestWordsArriveInARealShell(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell here")
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		argv := []string{"printf", `%s\0`, "x"}
		for range rng.IntN(4) {
			b := make([]rune, rng.IntN(8))
			for i := range b {
				b[i] = []rune("ab '\"$`\\*?;&|<>()[]{}~#!=%\n\té")[rng.IntN(27)]
			}
			argv = append(argv, string(b))
		}
		if got, want := asAgents(t, Quote(argv, linux)), strings.Join(argv[2:], "\x00")+"\x00"; got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}
