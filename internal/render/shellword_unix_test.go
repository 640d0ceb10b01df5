//go:build unix

package render

import (
	"os/exec"
	"strings"
	"testing"
)

// What is pasted into a shell is one word, and the very text.
func TestShellWordIsTheTextInAShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	for _, text := range []string{
		"a b", "it's", `\n$(id)"!`, "a\nb\n", "tab\there", "\x1b[2J7", "\u202egpj", "東京", "-x", "*", "~", "a'b\\\nc", "\x7f1",
		"web\u200d-1", "👩\u200d💻", "\u0301x\u200b", "e" + strings.Repeat("\u0301", 40), "x\U000e0041y", "1\ufe0f\u20e3",
	} {
		word := ShellWord(text)
		out, err := exec.CommandContext(t.Context(), bash, "-c", "printf %s "+word).Output()
		if text == "-x" {
			out, err = exec.CommandContext(t.Context(), bash, "-c", "printf -- "+word).Output()
		}
		if err != nil || string(out) != text {
			t.Errorf("%q as %s is %q: %v", text, word, out, err)
		}
		if Visible(word) != word {
			t.Errorf("%q has something hidden in it", word)
		}
	}
}
