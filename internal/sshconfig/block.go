// Package sshconfig writes what OpenSSH reads: the ProxyCommand that leads
// through ssmdeck, the block of a configuration file that sets it for nodes, and
// the one line that includes this block.
//
// Texts are made by pure functions. Edit is the only one that touches files.
package sshconfig

import (
	"fmt"
	"strings"
)

// Proxy is a ProxyCommand.
type Proxy struct {
	Program string   // path of ssmdeck
	Args    []string // flags of ssmdeck, taken literally
	Node    string   // "": the host that ssh was given
	Suffix  string   // taken off that host, such as ".ssm"
	PushKey bool     // a key is pushed: for the user that ssh logs in as
	GOOS    string   // whose quoting
}

// Command returns the value of ProxyCommand: words for the user's shell, in which
// ssh replaces what begins with a percent sign.
func (p Proxy) Command() string {
	words := append([]string{p.Program, "ssh-proxy"}, p.Args...)
	if p.Suffix != "" {
		words = append(words, "--suffix", p.Suffix)
	}
	command := strings.ReplaceAll(Quote(words, p.GOOS), "%", "%%")
	if p.PushKey {
		command += " --user %r"
	}
	node := "%h"
	if p.Node != "" {
		node = strings.ReplaceAll(quote(p.Node, p.GOOS), "%", "%%")
	}
	return command + " " + node + " %p"
}

// Quote joins words into a command line for a shell of the system: a POSIX one,
// which csh and fish agree with here, or that of Windows.
func Quote(words []string, goos string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w, goos)
	}
	return strings.Join(quoted, " ")
}

func quote(word, goos string) string {
	if word != "" && strings.Trim(word, plain(goos)) == "" {
		return word
	}
	if goos != "windows" {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	// Backslashes are plain but before a quote, where they must be doubled.
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for i := range len(word) {
		switch word[i] {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteByte(word[i])
	}
	b.WriteString(strings.Repeat(`\`, slashes))
	b.WriteByte('"')
	return b.String()
}

// plain are the characters that need no quotes.
func plain(goos string) string {
	const everywhere = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@"
	if goos == "windows" {
		return everywhere + `\`
	}
	return everywhere
}

// header begins every file that Block made, and is how one is known again.
const header = "# Written by `ssmdeck ssh-config install`; `ssmdeck ssh-config remove` takes it away.\n"

// Block returns the configuration for nodes by id and, with a suffix, by name:
// web-1.ssm. proxy needs neither Node nor Suffix.
func Block(proxy Proxy, suffix string) string {
	var b strings.Builder
	b.WriteString(header)
	host := func(patterns string, p Proxy) {
		fmt.Fprintf(&b, "\nHost %s\n    ProxyCommand %s\n", patterns, p.Command())
	}
	host("i-* mi-*", proxy)
	if suffix != "" {
		proxy.Suffix = suffix
		host("*"+suffix, proxy)
	}
	return b.String()
}

// IsBlock reports whether a file holds what Block made.
func IsBlock(text []byte) bool { return strings.HasPrefix(string(text), header) }
