package commands

import (
	"slices"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/cli"
)

func TestSplitWords(t *testing.T) {
	tests := []struct {
		name, line string
		want       []string
		fails      bool
	}{
		{"plain words", "ls  --tag env=prod ", []string{"ls", "--tag", "env=prod"}, false},
		{"nothing", "   ", nil, false},
		{"single quotes keep everything", `exec web-1 -- 'a "b" \ $c'`, []string{"exec", "web-1", "--", `a "b" \ $c`}, false},
		{"double quotes with a backslash", `"a \"b\""`, []string{`a "b"`}, false},
		{"quotes inside a word", `--query='[].id'`, []string{"--query=[].id"}, false},
		{"an empty word", `a '' b`, []string{"a", "", "b"}, false},
		{"a backslash keeps a space", `a\ b`, []string{"a b"}, false},
		{"an open quote", `a 'b`, nil, true},
		{"a backslash at the end", `a\`, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := cli.SplitWords(tt.line)
			if (err != nil) != tt.fails || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %v; want %q, failure %t", got, err, tt.want, tt.fails)
			}
		})
	}
}
