package transfer

import (
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// POSIX shells must read the scripts, whatever stands in a name.
func TestScriptsAreShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	for name, script := range map[string]string{"worker": workerScript + workerLoop, "reader": readerScript, "list": listScript} {
		if out, err := exec.Command(sh, "-n", "-c", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	for _, p := range []string{"plain", "with space", "it's", `"d" $x ` + "`id` \\", "new\nline", "-n", "~x", "ü", "end\n"} {
		word := quotePath(p)
		if strings.Contains(word, "\n") {
			t.Errorf("%q is more than one line", p)
		}
		out, err := exec.Command(sh, "-c", newline+"printf %s "+word).Output()
		want := p
		if strings.HasPrefix(p, "-") {
			want = "./" + p
		}
		if err != nil || string(out) != want {
			t.Errorf("%q becomes %q, %v", p, out, err)
		}
	}
	out, err := exec.Command(sh, "-c", newline+"HOME=/h; printf %s,%s "+quotePath("~")+" "+quotePath("~/a b")).Output()
	if err != nil || string(out) != "/h,/h/a b" {
		t.Errorf("the home folder becomes %q, %v", out, err)
	}
}

// On Windows a command becomes a command line, which is short, and loses double
// quotes. Aliases go before functions, and some words are the language's own.
func TestScriptsFitWindows(t *testing.T) {
	taken := []string{"h", "r", "del", "begin", "process", "end", "cat", "cp", "mv", "rm", "ls", "ps", "sc", "si", "gc", "ni", "md", "rd", "ac", "sp", "where", "sort", "select"}
	for name, script := range map[string]string{"worker": workerScriptPS, "reader": readerScriptPS, "list": listScriptPS} {
		line := powershell(script)
		if strings.ContainsAny(line, "\"\n") {
			t.Errorf("%s has a double quote or a second line", name)
		}
		for _, m := range regexp.MustCompile(`function ([a-z]+)`).FindAllStringSubmatch(line, -1) {
			if slices.Contains(taken, m[1]) {
				t.Errorf("%s: %s means something else", name, m[1])
			}
		}
	}
	w := &worker{node: Node{Platform: "windows"}, tag: []byte(token(12)), text: &textWorker{}}
	w.text.remember(w.node, strings.Repeat("x", 300), strings.Repeat("x", 300))
	script, err := w.text.script(w, "put "+strings.Repeat("x", 600), func(out io.Writer) error {
		return sendText(out, strings.NewReader(""), windowsBlock)
	})
	if err != nil || len(script) > windowsScript {
		t.Errorf("a block makes a script of %d bytes, %v", len(script), err)
	}
	if got := quotePathPS("~/it's"); got != `(ab 'it''s')` {
		t.Errorf("got %s", got)
	}
}
