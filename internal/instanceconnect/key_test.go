package instanceconnect

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestNewKeyIsOneThatSSHReads(t *testing.T) {
	private, public := NewKey("a comment")
	if err := checkKey(public); err != nil {
		t.Error(err)
	}
	again, _ := NewKey("a comment")
	if string(again) == string(private) {
		t.Error("the same key twice")
	}
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen here")
	}
	for _, comment := range []string{"", "a", "ab", "a comment", "1234567"} { // all paddings
		private, public := NewKey(comment)
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, private, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(keygen, "-y", "-P", "", "-f", path).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != strings.TrimSpace(public) {
			t.Errorf("ssh-keygen says %s (%v), want %s", out, err, public)
		}
	}
}

func TestReadKey(t *testing.T) {
	dir := t.TempDir()
	private, public := NewKey("me")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("pair.pub", public+"\n")
	write("both.pub", string(private))
	tests := []struct {
		name, path, text string // text of the error
	}{
		{"a public key", write("a.pub", "\n# mine\n"+public+"\r\n"), ""},
		{"a private key stands for its public half", write("pair", string(private)), ""},
		{"a private key alone", write("alone", string(private)), "no public one beside it"},
		{"two private keys", write("both", string(private)), "no public one beside it"},
		{"an empty file", write("empty", "\n"), "no key in it"},
		{"another type", write("ecdsa.pub", "ecdsa-sha2-nistp256 AAAA me"), "ssh-ed25519 and ssh-rsa"},
		{"damaged", write("damaged.pub", "ssh-ed25519 AAAA me"), "damaged"},
		{"no key", write("text", "hello"), "ssh-ed25519 and ssh-rsa"},
		{"too long a comment", write("long.pub", public+strings.Repeat("x", maxKey)), "longer"},
		{"a huge file", write("huge", strings.Repeat("x", maxKeyFile+1)), "too large"},
		{"missing", filepath.Join(dir, "none"), "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadKey(tt.path)
			switch {
			case tt.text == "" && (err != nil || got != public):
				t.Errorf("got %q, %v", got, err)
			case tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text) && !strings.Contains(err.Error(), "cannot find")):
				t.Errorf("got %v", err)
			case tt.text != "" && (fault.KindOf(err) != fault.Usage || strings.Contains(err.Error(), "PRIVATE")):
				t.Errorf("got %s %v", fault.KindOf(err), err)
			}
		})
	}
}

func TestDefaultKey(t *testing.T) {
	home := t.TempDir()
	if _, err := DefaultKey(home); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"id_rsa.pub", "id_ed25519.pub"} {
		path := filepath.Join(home, ".ssh", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := DefaultKey(home); err != nil || got != path {
			t.Errorf("got %s, %v", got, err)
		}
	}
}
