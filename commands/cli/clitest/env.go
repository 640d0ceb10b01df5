package clitest

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/cli"
)

// Quiet is an environment whose streams are buffers and in which no variable is set.
func Quiet() *cli.Env {
	return &cli.Env{In: &bytes.Buffer{}, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Lookup: func(string) (string, bool) { return "", false }}
}

// Env is an environment without terminal, network and settings.
func Env(t *testing.T, errs io.Writer) *cli.Env {
	t.Helper()
	home := t.TempDir()
	return &cli.Env{
		In: strings.NewReader(""), Out: io.Discard, Err: errs,
		Lookup: func(name string) (string, bool) {
			if name == "HOME" || name == "XDG_CONFIG_HOME" || name == "AppData" || name == "XDG_CACHE_HOME" || name == "LocalAppData" {
				return home, true
			}
			return "", false
		},
	}
}
