package cli

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// CompletionWait bounds what completion may ask the network for: a key press
// that hangs is worse than no names.
const CompletionWait = 300 * time.Millisecond

// CompleteFlag completes a flag's value from a fixed list.
func CompleteFlag(cmd *cobra.Command, flag string, words func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	if err != nil {
		panic(FmtErr(fault.New(fault.Failed, "complete --"+flag, "%w", err))) // a flag that does not exist: our bug
	}
}

// FmtErr is what a mistake in the tree of commands panics with.
func FmtErr(err error) string { return "commands: " + err.Error() }

// ParsePairs reads NAME=VALUE flags; a repeated name makes a list.
func ParsePairs(flag string, pairs []string) (map[string][]string, error) {
	params := map[string][]string{}
	for _, p := range pairs {
		name, value, ok := CutPair(p)
		if !ok {
			return nil, fault.Usagef("%s %q is not of the form NAME=VALUE", flag, name)
		}
		params[name] = append(params[name], value)
	}
	return params, nil
}

// CutPair cuts NAME=VALUE. When it is malformed, name is a part that is safe to
// show.
func CutPair(p string) (name, value string, ok bool) {
	for i := range len(p) {
		if p[i] == '=' {
			return p[:i], p[i+1:], i > 0
		}
	}
	return p, "", false
}

// BindFile declares --file, from which the content of something is read.
func BindFile(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVarP(to, "file", "f", "", "the content, from `file`; - is standard input")
}

// The limits of tags (API reference, Tag; a resource has at most 50).
const (
	maxTagKey   = 128
	maxTagValue = 256
)

// BindTags adds --tags of a command that makes something, what.
func BindTags(f *pflag.FlagSet, into *[]string, what string) {
	f.StringSliceVar(into, "tags", nil, "put the tags `KEY=VALUE` on "+what+"; with commas, or repeated")
}

// ParseTags reads the tags of something that is made.
func ParseTags(texts []string) (map[string]string, error) {
	tags := map[string]string{}
	for _, t := range texts {
		if _, err := ParseTag(t); err != nil {
			return nil, err
		}
		key, value, _ := strings.Cut(t, "=")
		tags[key] = value
	}
	return tags, nil
}

// ParseTag reads key=value into a tag as the API takes it.
func ParseTag(text string) (any, error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return nil, fault.Usagef("%q is no tag", text).WithHint("write key=value; the value may be empty")
	}
	if _, err := TagKey(key); err != nil {
		return nil, err
	}
	if n := utf8.RuneCountInString(value); n > maxTagValue {
		return nil, fault.Usagef("the value of the tag %s has %d characters; %d are allowed", key, n, maxTagValue)
	}
	return map[string]any{"Key": key, "Value": value}, nil
}

// TagKey checks the key of a tag, and returns it as the API takes it.
func TagKey(key string) (any, error) {
	switch n := utf8.RuneCountInString(key); {
	case n == 0:
		return nil, fault.Usagef("a tag without a key")
	case n > maxTagKey:
		return nil, fault.Usagef("the key of a tag has %d characters; %d are allowed", n, maxTagKey)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return nil, fault.Usagef("the tag %s: keys that begin with aws: are for AWS alone", key)
	}
	return key, nil
}
