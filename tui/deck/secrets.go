package deck

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/redact"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// Secrets finds the values of parameters whose names say that they are secrets; nil:
// there are none.
func Secrets(params ...map[string][]string) *redact.Matcher {
	var list []redact.Secret
	for _, values := range params {
		for name, all := range values {
			if !window.SecretParameter(name) {
				continue
			}
			for _, v := range all {
				list = append(list, redact.Secret{Name: name, Value: v})
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	m, _, err := redact.New(list, false)
	if err != nil { // too many: those of parameters that say so are hidden by name still
		return nil
	}
	return m
}

// Redacted is a text without secrets.
func Redacted(secrets *redact.Matcher, text string) string {
	if secrets == nil || text == "" {
		return text
	}
	var b strings.Builder
	out := secrets.NewWriter(&b)
	_, _ = out.Write([]byte(text)) // a strings.Builder takes all
	_ = out.Close()
	return b.String()
}

// HiddenParams tells which parameters must not stand on a command line: those whose
// names say that they are secrets, and those in whose values such a one is written
// out, as in a command that has a password in it.
func HiddenParams(params map[string][]string) (hidden func(name string) bool) {
	secrets := Secrets(params)
	return func(name string) bool {
		return window.SecretParameter(name) ||
			slices.ContainsFunc(params[name], func(v string) bool { return Redacted(secrets, v) != v })
	}
}

// ParamsFile are the words that read parameters from standard input, and what is to
// be read there.
func ParamsFile(params map[string][]string) (words []string, input []byte) {
	if len(params) == 0 {
		return nil, nil
	}
	input, _ = json.Marshal(params) // texts alone: cannot fail
	return []string{"--params-file", "-"}, input
}

// ParamsField asks for the parameters of a document, one a line, as --param takes
// them. What may be a secret is not seen while it is typed.
func ParamsField(name, help string) Field {
	return Field{Name: name, Label: "Parameters", Help: help, Many: true, Check: checkParams, Hides: secretFrom}
}

func checkParams(text string) error {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case strings.TrimSpace(line) == "":
		case !ok || name == "": // it may be a value that lost its name: not shown
			return fault.Usagef("a line is not NAME=VALUE")
		case window.SecretParameter(name) && strings.HasPrefix(value, "[") && json.Valid([]byte(value)):
			return fault.Usagef("%s: write each value of the list on a line of its own", name)
		}
	}
	return nil
}

// secretFrom is where on a line of parameters what may be a secret begins; -1: nowhere.
func secretFrom(line string) int {
	name, value, ok := strings.Cut(line, "=")
	if !ok || !window.SecretParameter(name) || fromFile(value) {
		return -1
	}
	return len([]rune(name)) + 1
}

func fromFile(value string) bool {
	return strings.HasPrefix(value, "file://") || strings.HasPrefix(value, "@") && !strings.HasPrefix(value, "@@")
}

// ParamWords are the words for the text of a ParamsField, and what they read from
// standard input: everything that may be a secret.
func ParamWords(text string) (words []string, input []byte) {
	params := map[string][]string{}
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
			if name, value, _ := strings.Cut(line, "="); !fromFile(value) {
				params[name] = append(params[name], strings.TrimPrefix(value, "@"))
			}
		}
	}
	hidden, aside := HiddenParams(params), map[string][]string{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		if hidden(name) && !fromFile(value) {
			aside[name] = params[name]
			continue
		}
		words = append(words, "--param", line)
	}
	more, input := ParamsFile(aside)
	return append(words, more...), input
}
