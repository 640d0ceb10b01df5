package pattern

import "testing"

func TestJavaOnly(t *testing.T) {
	for src, want := range map[string]string{
		`^\d+$`: "", `[a-z(?=)]`: "", `a(?=b)`: "lookahead", `(?<!a)b`: "lookbehind", `(?>a)`: "an atomic group", `a++`: "a possessive quantifier",
		`(a)\1`: "a back-reference", `\\1`: "", `\R`: "an escape of Java's", `\p{Alpha}`: "a character class of Java's", `\p{L}`: "",
	} {
		if got := JavaOnly(src); got != want {
			t.Errorf("JavaOnly(%q) = %q, not %q", src, got, want)
		}
	}
	for src, want := range map[string]bool{`[a[b]]`: true, `[a&&b]`: true, `[a&b]`: false, `[]a]`: false, `\[[a]`: false} {
		if _, got := NestedClass(src); got != want {
			t.Errorf("NestedClass(%q) = %v, not %v", src, got, want)
		}
	}
}
