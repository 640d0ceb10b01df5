package paramfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

func TestShellOwnTellsOfVariablesThatShellsUse(t *testing.T) {
	list := []parameter.Parameter{{Name: "/a/path", Value: "x"}, {Name: "/a/db/path", Value: "x"}, {Name: "/a/uid", Value: "x"}, {Name: "/a/ld-preload", Value: "x"}}
	for _, tt := range []struct {
		format Format
		keys   Keys
		want   []string
	}{
		{Shell, KeysAuto, []string{"PATH", "UID", "LD_PRELOAD"}},
		{Dotenv, KeysAuto, []string{"PATH", "UID", "LD_PRELOAD"}},
		{Shell, KeysKeep, []string{"path"}}, // of zsh
		{JSON, KeysAuto, nil},
	} {
		if got := ShellOwn(tt.format, list, Options{Root: "/a", Keys: tt.keys}); !slices.Equal(got, tt.want) {
			t.Errorf("%s, keys %q: %q, want %q", tt.format, tt.keys, got, tt.want)
		}
	}
}

// Real shells read what is written for them, and print the variables' bytes.
func TestShellsReadTheValuesToTheByte(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	var list []parameter.Parameter
	for i, v := range values {
		list = append(list, parameter.Parameter{Name: fmt.Sprintf("/app/v-%d", i), Type: parameter.SecureString, Value: v})
	}
	for i := range 300 {
		list = append(list, parameter.Parameter{Name: fmt.Sprintf("/app/r-%d", i), Type: parameter.String, Value: text(r, false)})
	}
	ran := false
	for _, shell := range [][]string{{"dash"}, {"bash"}, {"bash", "--posix"}, {"zsh"}, {"ksh"}, {"busybox", "sh"}} {
		path, err := exec.LookPath(shell[0])
		if err != nil {
			continue
		}
		ran = true
		for _, f := range []Format{Shell, Dotenv} {
			file := filepath.Join(t.TempDir(), "vars")
			var b, script, want bytes.Buffer
			if err := Encode(&b, f, list, Options{Root: "/app"}); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&script, "set -e\n. %s\n", quotedSingle(file))
			for _, p := range list {
				fmt.Fprintf(&script, "printf '%%s\\000' \"$%s\"\n", EnvName(p.Name[len("/app/"):]))
				want.WriteString(p.Value + "\x00")
			}
			cmd := exec.Command(path, shell[1:]...)
			cmd.Stdin = &script
			cmd.Env = []string{"LC_ALL=C.UTF-8"}
			got, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v, format %s: %v", shell, f, err)
			}
			a, c := bytes.Split(got, []byte{0}), bytes.Split(want.Bytes(), []byte{0})
			if len(a) != len(c) {
				t.Fatalf("%v, format %s: %d values, want %d", shell, f, len(a), len(c))
			}
			for i := range c {
				if !bytes.Equal(a[i], c[i]) {
					t.Errorf("%v, format %s: %q became %q", shell, f, c[i], a[i])
				}
			}
		}
	}
	if !ran {
		t.Skip("there is no shell here")
	}
}
