package terms

import (
	"slices"
	"strings"
)

// Narrow writes a filter that holds where both text and all terms hold, each as Is
// writes it. They stand in every alternative of text, in place of what is said
// there of their keys with =. The error is what is wrong with the quotes of text.
func Narrow(text string, narrowing ...string) (string, error) {
	words, err := cut(text, true)
	if err != nil {
		return "", err.WithHint("write the other one, too")
	}
	keys := make([]string, len(narrowing))
	for i, t := range narrowing {
		keys[i] = t[:strings.IndexAny(t, operators)] + "="
	}
	runes := []rune(text)
	var out []string
	for i, w := range words {
		switch {
		case w.or:
			out = append(append(out, narrowing...), "|")
			continue
		case slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(w.text, k) }):
			continue
		}
		end := len(runes)
		if i < len(words)-1 {
			end = words[i+1].column - 1
		}
		out = append(out, strings.TrimSpace(string(runes[w.column-1:end]))) // as it was written, with its quotes
	}
	return strings.Join(append(out, narrowing...), " "), nil
}
