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
		"=ls":            `"=ls"`,
		"a=b":            "a=b",
		"web\u200d-1":    `$'web\342\200\215-1'`,
		"👩\u200d💻":       `$'👩\342\200\215💻'`,
		"⚠\ufe0f":        `$'⚠\357\270\217'`,
		"e\u0301":        "\"e\u0301\"",
		"\u0301x":        `$'\314\201x'`,
	} {
		if got := ShellWord(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
