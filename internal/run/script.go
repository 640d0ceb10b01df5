package run

import (
	"path"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Script is a script file. Its first line may name its interpreter (#!): agents on
// Linux and macOS run it as a file, so that any interpreter of the node will do.
type Script struct {
	Name string // of the file, for errors and by its ending for what it is
	Text string
	For  Shells
}

// Shells says which nodes can run a script.
type Shells string

// The kinds of scripts.
const (
	AnyShell   Shells = ""           // nothing tells; or PowerShell with a #! line
	POSIX      Shells = "posix"      // Linux and macOS
	PowerShell Shells = "powershell" // Windows
)

// NewScript takes in a script file: a byte order mark at its beginning is left
// out, and its first line or the ending of its name say where it can run.
func NewScript(name, text string) Script {
	s := Script{Name: name, Text: strings.TrimPrefix(text, "\ufeff")}
	powerShell := false
	interpreter, ok := s.interpreter()
	if ok {
		powerShell = strings.Contains(strings.ToLower(strings.Join(interpreter, " ")), "pwsh") ||
			strings.Contains(strings.ToLower(strings.Join(interpreter, " ")), "powershell")
	}
	switch ext := strings.ToLower(path.Ext(name)); {
	case ok && !powerShell:
		s.For = POSIX
	case ok: // pwsh by the first line; to Windows that is a remark
	case ext == ".ps1":
		s.For = PowerShell
	case slices.Contains([]string{".sh", ".bash", ".ksh", ".zsh", ".dash"}, ext):
		s.For = POSIX
	}
	return s
}

// interpreter returns the words of the #! line.
func (s Script) interpreter() ([]string, bool) {
	line, _, _ := strings.Cut(s.Text, "\n")
	rest, ok := strings.CutPrefix(line, "#!")
	words := strings.Fields(rest)
	return words, ok && len(words) > 0
}

// check refuses to send a script where it cannot run.
func (s Script) check(platform string, nodes []fleet.Node) error {
	who := "some nodes"
	if len(nodes) > 0 {
		who = nodes[0].String()
		if len(nodes) > 1 {
			who += " and others"
		}
	}
	switch {
	case platform == windows && s.For == POSIX:
		return fault.Usagef("%s is no PowerShell script, and %s run Windows", s.Name, who).
			WithHint("give a second --script for them, such as one named *.ps1, or leave them out with --filter platform=linux")
	case platform != windows && s.For == PowerShell:
		return fault.Usagef("%s is a PowerShell script, and %s do not run Windows", s.Name, who).
			WithHint("give a second --script for them, leave them out with --filter platform=windows, or begin it with #!/usr/bin/env pwsh")
	case platform != windows && strings.Contains(s.Text, "\r\n"):
		return fault.Usagef("%s has line ends of Windows (CR LF), and %s do not run Windows: a shell would take each CR for a character", s.Name, who).
			WithHint("convert it, for instance with dos2unix")
	}
	return nil
}

// using must come first in a PowerShell script, which a block of script is not.
var using = pattern.Lazy(`(?im)^\s*using\s+(namespace|module|assembly)\b`)

// withArguments returns the script so that it sees args as its arguments.
//
// A shell gets them by set, so that the script stays the script; another
// interpreter needs a file. PowerShell gets a block of script: words that look like
// parameters (-Name) are, all else is a value.
func (s Script) withArguments(args []string, platform string) (string, error) {
	if len(args) == 0 {
		return s.Text, nil
	}
	if platform == windows {
		if using().MatchString(s.Text) {
			return "", fault.Usagef("%s has a using statement, and such a script cannot be given arguments", s.Name)
		}
		return "& {\n" + s.Text + "\n}" + quoted(args, powerShellQuote, powerShellBare), nil
	}
	words, ok := s.interpreter()
	if !ok {
		return "set --" + quoted(args, posixQuote, posixBare) + "\n" + s.Text, nil
	}
	line, rest, _ := strings.Cut(s.Text, "\n")
	if slices.Contains([]string{"sh", "bash", "dash", "ash", "ksh", "zsh"}, shellOf(words)) {
		return line + "\nset --" + quoted(args, posixQuote, posixBare) + "\n" + rest, nil
	}
	end := "SCRIPT_ENDS"
	for strings.Contains(s.Text, end) {
		end += "_HERE"
	}
	text := s.Text
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return "f=$(mktemp) || exit 1\ntrap 'rm -f \"$f\"' 0\ncat >\"$f\" <<'" + end + "'\n" + text + end + "\n" +
		strings.TrimPrefix(quoted(words, posixQuote, posixBare), " ") + " \"$f\"" + quoted(args, posixQuote, posixBare) + "\n", nil
}

// shellOf is the name of the interpreter, behind env too.
func shellOf(words []string) string {
	name := path.Base(words[0])
	if name == "env" {
		for _, w := range words[1:] {
			if !strings.HasPrefix(w, "-") && !strings.Contains(w, "=") {
				return path.Base(w)
			}
		}
	}
	return name
}

// quoted writes words behind a command, each with a blank before it.
func quoted(words []string, quote func(string) string, bare func(string, bool) bool) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteByte(' ')
		if bare(w, false) {
			b.WriteString(w)
		} else {
			b.WriteString(quote(w))
		}
	}
	return b.String()
}

// scriptFor returns the script for nodes of that platform.
func (r Request) scriptFor(platform string) Script {
	if r.Script != "" {
		return Script{Name: "the script", Text: r.Script}
	}
	kind := POSIX
	if platform == windows || platform == "" && r.Document == document.PowerShellScript {
		kind = PowerShell
	}
	for _, s := range r.Scripts {
		if s.For == kind {
			return s
		}
	}
	for _, s := range r.Scripts {
		if s.For == AnyShell {
			return s
		}
	}
	return r.Scripts[0]
}

// checkScripts refuses two scripts for the same nodes.
func (r Request) checkScripts() error {
	switch {
	case len(r.Scripts) > 2:
		return fault.Usagef("%d scripts are given, and one for Windows and one for all else is what can be", len(r.Scripts))
	case len(r.Scripts) == 2 && r.Scripts[0].For == r.Scripts[1].For:
		return fault.Usagef("%s and %s are for the same nodes", r.Scripts[0].Name, r.Scripts[1].Name).
			WithHint("of two scripts one must be PowerShell, by its name (*.ps1), and the other must not")
	}
	for _, s := range r.Scripts {
		if strings.TrimSpace(s.Text) == "" {
			return fault.Usagef("the script %s is empty", s.Name)
		}
	}
	return nil
}
