package textdiff

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnified(t *testing.T) {
	for name, c := range map[string]struct{ a, b, want string }{
		"the same":          {"x\ny\n", "x\ny\n", ""},
		"nothing":           {"", "", ""},
		"one line":          {"a\nb\nc\n", "a\nB\nc\n", "--- old|+++ new|@@ -1,3 +1,3 @@| a|-b|+B| c"},
		"from nothing":      {"", "a\n", "--- old|+++ new|@@ -0,0 +1 @@|+a"},
		"to nothing":        {"a\nb\n", "", "--- old|+++ new|@@ -1,2 +0,0 @@|-a|-b"},
		"no final break":    {"a\nb", "a\nb\n", `--- old|+++ new|@@ -1,2 +1,2 @@| a|-b|\ No newline at end of file|+b`},
		"deleted first":     {"a\nb\n", "c\nd\n", "--- old|+++ new|@@ -1,2 +1,2 @@|-a|-b|+c|+d"},
		"two far places":    {"a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n", "--- old|+++ new|@@ -1,4 +1,4 @@|-a|+A| 1| 2| 3|@@ -6,4 +6,4 @@| 5| 6| 7|-b|+B"},
		"two near places":   {"a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n", "--- old|+++ new|@@ -1,8 +1,8 @@|-a|+A| 1| 2| 3| 4| 5| 6|-b|+B"},
		"a line moved away": {"a\nb\nc\nd\n", "b\nc\nd\na\n", "--- old|+++ new|@@ -1,4 +1,4 @@|-a| b| c| d|+a"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(Unified("old", "new", c.a, c.b), "|"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// apply gives back both texts of a difference.
func apply(lines []Line) (a, b []string) {
	for _, l := range lines {
		if l.Kind != Insert {
			a = append(a, l.Text)
		}
		if l.Kind != Delete {
			b = append(b, l.Text)
		}
	}
	return a, b
}

func TestADifferenceHoldsBothTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(n, alphabet int) []string {
		lines := make([]string, n)
		for i := range lines {
			lines[i] = string(rune('a' + r.IntN(alphabet)))
		}
		return lines
	}
	for range 3000 {
		a, b := text(r.IntN(12), 1+r.IntN(4)), text(r.IntN(12), 1+r.IntN(4))
		lines := Compare(a, b)
		gotA, gotB := apply(lines)
		if fmt.Sprint(gotA) != fmt.Sprint(a) || fmt.Sprint(gotB) != fmt.Sprint(b) {
			t.Fatalf("%v and %v became %v and %v", a, b, gotA, gotB)
		}
		changes := 0
		for _, l := range lines {
			if l.Kind != Equal {
				changes++
			}
		}
		if want := len(a) + len(b) - 2*common(a, b); changes != want {
			t.Fatalf("%v and %v differ in %d lines, shortest is %d", a, b, changes, want)
		}
	}
}

// common is the length of the longest common subsequence, by the plain table.
func common(a, b []string) int {
	t := make([][]int, len(a)+1)
	for i := range t {
		t[i] = make([]int, len(b)+1)
	}
	for i := range a {
		for j := range b {
			if a[i] == b[j] {
				t[i+1][j+1] = t[i][j] + 1
			} else {
				t[i+1][j+1] = max(t[i][j+1], t[i+1][j])
			}
		}
	}
	return t[len(a)][len(b)]
}

func TestTextsWithNothingInCommonAreReplaced(t *testing.T) {
	var a, b []string
	for i := range 2 * effort {
		a, b = append(a, fmt.Sprint("a", i)), append(b, fmt.Sprint("b", i))
	}
	lines := Compare(a, b)
	gotA, gotB := apply(lines)
	if len(gotA) != len(a) || len(gotB) != len(b) || lines[0].Kind != Delete {
		t.Errorf("%d and %d lines", len(gotA), len(gotB))
	}
}

func TestPatchReadsUnified(t *testing.T) {
	patch, err := exec.LookPath("patch")
	if err != nil {
		t.Skip("patch is not installed")
	}
	a := "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten"
	b := "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\n8\nnine\nten\neleven\n"
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte(a), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(patch, "-s", file)
	cmd.Stdin = strings.NewReader(strings.Join(Unified("file", "file", a, b), "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != b {
		t.Errorf("%v: %q", err, got)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("a\nb\n", "b\nc")
	f.Fuzz(func(t *testing.T, a, b string) {
		la, lb := Lines(a), Lines(b)
		gotA, gotB := apply(Compare(la, lb))
		if strings.Join(gotA, "\x00") != strings.Join(la, "\x00") || strings.Join(gotB, "\x00") != strings.Join(lb, "\x00") {
			t.Errorf("%q and %q became %q and %q", la, lb, gotA, gotB)
		}
		if (len(Unified("a", "b", a, b)) == 0) != (a == b) {
			t.Errorf("%q and %q are compared wrongly", a, b)
		}
	})
}

func BenchmarkUnified(b *testing.B) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	old := text.String()
	changed := strings.ReplaceAll(old, "7\n", "seven\n")
	for b.Loop() {
		Unified("old", "new", old, changed)
	}
}
