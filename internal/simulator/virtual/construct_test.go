package virtual

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
)

// checkConstruct types script line by line and checks that a line is only left
// unparsed when parsing would have asked for more lines, too.
func checkConstruct(t *testing.T, script string) {
	t.Helper()
	c := construct{long: 1}
	for line := range strings.SplitSeq(script, "\n") {
		whole := string(c.text) + line + "\n"
		parsed := c.parsed
		f, err := c.add(line)
		if f != nil || err != nil || !c.open() || c.parsed != parsed || string(c.text) != whole {
			continue // parsed, blank, or continued by a backslash
		}
		if f, incomplete, _ := posix.Parse(whole); f != nil && !incomplete {
			t.Errorf("%q is complete, but more lines are asked for", whole)
			return
		}
	}
}

var constructs = []string{
	"cat <<E\nE x\n\tE\nE\necho", "cat <<-'E F'\n$(\n\tE F\n", "cat <<A <<B\nB\nA\nA\nB\n", "x=$(cat <<E\nE)\nE\n)", "echo `cat <<E\nx\nE`\nE\n`",
	"echo 'a\n\"\n'b", "echo \"a\n$(echo 'x\n')\n\"", "echo \"\n\\\"\n`\n`\"", "for i in 1\ndo\nif x\nthen\n:\nfi\ndone", "while :\ndo do\\\nne\ndone",
	"if :; then\ncase x in\nesac\nelif y\nthen z\nfi", "f() {\n'\n}\n'\n}", "(\n)\n", "cat <<''\nx\n\n", "echo $'\n'\n", "cat <<`\n`\n", "select x in y\ndo\ndone", "x=(\n'\n')\n",
	"cat <<E\n\\\nE\nE", "cat <<\"E`\"\nE\nE`\n",
}

func TestALineIsLeftUnparsedOnlyWithinAConstruct(t *testing.T) {
	for _, script := range constructs {
		checkConstruct(t, script)
	}
}

func FuzzConstruct(f *testing.F) {
	for _, script := range constructs {
		f.Add(script)
	}
	f.Fuzz(checkConstruct)
}

// TestTypingAheadTakesTimeInProportion pastes what would take minutes if every
// line cost as much as all lines before or after it.
func TestTypingAheadTakesTimeInProportion(t *testing.T) {
	const lines = 20_000
	numbered := func(format string) string {
		var b strings.Builder
		for i := range lines {
			fmt.Fprintf(&b, format+"\n", i)
		}
		return b.String()
	}
	tests := []struct{ name, paste, want string }{
		{"commands", numbered("echo %d") + "echo e\"nd\"\n", "\r\n19999\r\n" + prompt + "echo e\"nd\"\r\nend\r\n"},
		{"a here-document", "cat <<E >/tmp/f\n" + numbered("%d E done") + "E\nwc -l /tmp/f\n", "\r\n20000 /tmp/f\r\n"},
		{"a quote", "x='\n" + numbered("%d") + "'\necho ${#x}\n", "\r\n108891\r\n"},
		{"a loop", "for i in 1; do\n" + numbered(": %d") + "done\necho e\"nd\"\n", "\r\nend\r\n"},
		{"input of a program", "cat >/tmp/f\n" + numbered("%d") + "\x04wc -l /tmp/f\n", "\r\n20000 /tmp/f\r\n"},
		{"input of one program after the other", "while read x; do :; done\n" + numbered("%d") + "\x04echo e\"nd\"\n", "\r\nend\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tty, err := New(Spec{}).Start(t.Context(), shell.TTYOptions{})
			if err != nil {
				t.Fatal(err)
			}
			written := make(chan error, 1)
			go func() {
				_, err := tty.Write([]byte(tt.paste + "exit\n"))
				written <- err
			}()
			var out strings.Builder
			buf := make([]byte, 4096)
			for {
				n, err := tty.Read(buf)
				out.Write(buf[:n])
				if err != nil {
					break
				}
			}
			if err := <-written; err != nil {
				t.Error(err)
			}
			if got := out.String(); !strings.Contains(got, tt.want) {
				t.Errorf("%q is not in the output, which ends with %q", tt.want, got[max(0, len(got)-200):])
			}
			if got := tty.Wait(); got != 0 {
				t.Errorf("exit status %d, want 0", got)
			}
			tty.Close()
		})
	}
}
