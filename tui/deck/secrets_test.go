package deck_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

func TestParamWords(t *testing.T) {
	for _, tt := range []struct {
		name, text, words, input string
	}{
		{"none", " \n\n", "", ""},
		{"nothing secret", "a=1\n\nb=x y\n", "--param|a=1|--param|b=x y", ""},
		{"a secret", "Domain=corp\nPassword=canary", "--param|Domain=corp|--params-file|-", `{"Password":["canary"]}`},
		{"a list of secrets", "Tokens=canary-1\nTokens=canary-2", "--params-file|-", `{"Tokens":["canary-1","canary-2"]}`},
		{"a secret in a file", "Password=@/run/pw", "--param|Password=@/run/pw", ""},
		{"a secret that begins with @", "Password=@@canary", "--params-file|-", `{"Password":["@canary"]}`},
		{
			"a secret in another value", "commands=mysql -pcanary-12\nDbPassword=canary-12\ncommands=ls",
			"--params-file|-", `{"DbPassword":["canary-12"],"commands":["mysql -pcanary-12","ls"]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			words, input := deck.ParamWords(tt.text)
			if got := strings.Join(words, "|"); got != tt.words || strings.Contains(got, "canary") {
				t.Errorf("words %q, want %q", got, tt.words)
			}
			if string(input) != tt.input {
				t.Errorf("input %s, want %s", input, tt.input)
			}
		})
	}
}

// What is wrong with a line is said without what may be the secret in it.
func TestParamsFieldSaysNoSecret(t *testing.T) {
	f := deck.ParamsField("params", "")
	for _, bad := range []string{"canary", "=canary", "a=1\ncanary", `Password=["canary"]`} {
		if err := f.Check(bad); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{"", "a=1\n\nb=2", "Password=[a", `Names=["a","b"]`} {
		if err := f.Check(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	var from []int
	for _, line := range []string{"a=1", "Password=x", "api_key=", "Password", "Password=@file", "Password=@@x"} {
		from = append(from, f.Hides(line))
	}
	if want := []int{-1, 9, 8, -1, -1, 9}; !slices.Equal(from, want) {
		t.Errorf("hidden from %v, want %v", from, want)
	}
}
