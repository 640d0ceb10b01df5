package run

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The platforms Quote tells apart, as fleet.Node writes them. macOS quotes as
// Linux does.
const (
	linux   = "linux"
	windows = "windows"
	macos   = "macos"
)

// Quote turns what follows -- on the command line into a line of script for a
// node of that platform.
//
// The rule is: one argument is a script and passes verbatim, so that
//
//	-- 'systemctl stop app && rm -f /run/app.pid'
//
// means what it says. Several arguments are a command: the remote shell sees
// exactly these arguments, none of them expanded. Words of safe characters stay
// as typed, everything else is quoted:
//
//	-- systemctl restart nginx     systemctl restart nginx
//	-- grep -c 'a b' /var/log/x    grep -c 'a b' /var/log/x
//	-- echo '$HOME' '*'            echo '$HOME' '*'
//
// (ssh joins several arguments with spaces and lets the remote shell expand
// them; kubectl exec runs no shell at all. This is kubectl's meaning for
// several arguments and a shell's for one.)
//
// On Windows PowerShell 5.1 drops empty arguments and mangles double quotes
// when it calls a native program; a script is the way around.
func Quote(argv []string, platform string) string {
	if len(argv) == 1 {
		return argv[0]
	}
	quote, bare := posixQuote, posixBare
	if platform == windows {
		quote, bare = powerShellQuote, powerShellBare
	}
	words := make([]string, len(argv))
	for i, arg := range argv {
		words[i] = arg
		if !bare(arg, i == 0) {
			words[i] = quote(arg)
		}
	}
	if platform == windows && words[0] != argv[0] {
		return "& " + strings.Join(words, " ") // a quoted word alone would be printed, not run
	}
	return strings.Join(words, " ")
}

// checkText refuses what a script cannot carry: the API takes JSON, hence UTF-8,
// and a shell ends a word at a NUL.
func checkText(what, s string) error {
	if strings.ContainsRune(s, 0) || strings.ToValidUTF8(s, "") != s {
		return fault.Usagef("%s holds bytes that are not text in UTF-8", what)
	}
	return nil
}

// posixWords are words that mean something as the first of a command unless
// quoted (POSIX shell, section 2.4 Reserved Words; the rest are of bash).
const posixWords = " if then else elif fi do done case esac while until for in function select time coproc ! { } [[ ]] "

func posixBare(arg string, first bool) bool {
	if arg == "" || first && (strings.Contains(arg, "=") || strings.Contains(posixWords, " "+arg+" ")) {
		return false
	}
	return onlySafe(arg, "_@%+=:,./-")
}

// posixQuote uses single quotes, inside which nothing is special; a single
// quote itself leaves them, is escaped, and enters again.
func posixQuote(arg string) string {
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// powerShellBare: parameters (-Name, -Name:value) must stay bare to be seen as
// such; with a dot in the name, -a.b would be taken for two words. A first word must
// look like a command name, or it is an expression. Numbers are quoted, or 007, 0x10
// and 1kb would arrive as 7, 16 and 1024 (about_Parsing, about_Numeric_Literals).
func powerShellBare(arg string, first bool) bool {
	if arg == "" || number().MatchString(arg) {
		return false
	}
	if name, _, _ := strings.Cut(arg, ":"); strings.HasPrefix(arg, "-") && strings.Contains(name, ".") {
		return false
	}
	if first && (!letter(arg[0]) && arg[0] != '.' || strings.Contains(arg, "=") || powerShellWord(arg)) {
		return false
	}
	return onlySafe(arg, `_=:./\-`)
}

// number is how what PowerShell may read as a number begins.
var number = pattern.Lazy(`^[-+]?\.?[0-9]`)

// powerShellQuote: PowerShell takes the typographic single quotes for the plain
// one, so all of them are doubled (about_Quoting_Rules).
func powerShellQuote(arg string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range arg {
		b.WriteRune(r)
		if strings.ContainsRune("'\u2018\u2019\u201a\u201b", r) {
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// powerShellWord reports whether s is a reserved word of PowerShell
// (about_Reserved_Words); case does not matter there.
func powerShellWord(s string) bool {
	const words = " assembly base begin break catch class command configuration continue data define do dynamicparam" +
		" else elseif end enum exit filter finally for foreach from function hidden if in inlinescript interface" +
		" module namespace parallel param private process public return sequence static switch throw trap try type" +
		" until using var while workflow "
	return strings.Contains(words, " "+strings.ToLower(s)+" ")
}

func onlySafe(s, marks string) bool {
	for i := range len(s) {
		if c := s[i]; !letter(c) && (c < '0' || c > '9') && strings.IndexByte(marks, c) < 0 {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
