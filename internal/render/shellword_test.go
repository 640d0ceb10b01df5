package render

import "testing"

func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{
		"/app/prod.yaml": "/app/prod.yaml",
		"":               `""`,
		"my state.json":  `"my state.json"`,
		"db-*":           `"db-*"`,
		"$(x)`y`\"":      "'$(x)`y`\"'",
		"it's":           `"it's"`,
		"$(id)":          `'$(id)'`,
		"`id`":           "'`id`'",
		`a"b'c`:          `'a"b'\''c'`,
		"état":           `"état"`,
		"a\nb\tc":        `$'a\nb\tc'`,
		"it's\\\n":       `$'it\'s\\\n'`,
		"\x1b[2J0":       `$'\033[2J0'`,
		"\u202egpj":      `$'\342\200\256gpj'`,
		"\xff":           `$'\377'`,
	} {
		if got := ShellWord(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
