package ssh

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

func TestSSHArguments(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the quotes are others")
	}
	const id = "i-0123456789abcdef0"
	tests := []struct {
		name, destination string
		o                 options
		key               keyPair
		rest              []string
		want              string
	}{
		{"an id", id, options{}, keyPair{}, nil, "-o ProxyCommand=SELF ssh-proxy " + id + " %p -o HostKeyAlias=" + id + " " + id},
		{"a name stays, for ~/.ssh/config", "me@web-1", options{}, keyPair{}, []string{"-v", "uptime"}, "-o ProxyCommand=SELF ssh-proxy " + id + " %p -o HostKeyAlias=" + id + " -l me web-1 -v uptime"},
		{"a name that is no host gives way", "name:my web", options{user: "me"}, keyPair{}, nil, "-o ProxyCommand=SELF ssh-proxy " + id + " %p -o HostKeyAlias=" + id + " -l me " + id},
		{"an @ in the user", "me@corp@web-1", options{}, keyPair{}, nil, "-o ProxyCommand=SELF ssh-proxy " + id + " %p -o HostKeyAlias=" + id + " -l me@corp web-1"},
		{"a reason", "web-1", options{reason: "5% off"}, keyPair{}, nil, "-o ProxyCommand=SELF ssh-proxy --reason '5%% off' " + id + " %p -o HostKeyAlias=" + id + " web-1"},
		{
			"a key", "me@web-1",
			options{pushKey: true},
			keyPair{public: "/tmp/a b/k.pub", identity: "/tmp/a b/k%"},
			nil,
			"-i /tmp/a b/k%% -o IdentitiesOnly=yes -o ProxyCommand=SELF ssh-proxy --push-key --key '/tmp/a b/k.pub' --user %r " + id + " %p -o HostKeyAlias=" + id + " -l me web-1",
		},
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := clitest.Env(t, io.Discard)
			expr, err := tt.o.validate(env, tt.destination)
			if err != nil {
				t.Fatal(err)
			}
			args, err := tt.o.args(env, fleet.Node{ID: id, Name: "web-1"}, expr, tt.key, tt.rest)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(strings.Join(args, " "), self, "SELF"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSSHRefusesBadInput(t *testing.T) {
	for name, tt := range map[string]struct {
		o           options
		destination string
	}{
		"a user that is a flag":    {options{user: "-oProxyCommand=x"}, "web-1"},
		"two users":                {options{user: "a"}, "b@web-1"},
		"a key that is not pushed": {options{key: "x"}, "web-1"},
		"a long reason":            {options{reason: strings.Repeat("x", 257)}, "web-1"},
	} {
		if _, err := tt.o.validate(clitest.Env(t, io.Discard), tt.destination); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTemporaryKeyIsPrivateAndGoesAway(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	key, clean, err := temporaryKey()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(key.identity)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info, err)
	}
	folder, err := os.Stat(filepath.Dir(key.identity))
	if err != nil || runtime.GOOS != "windows" && folder.Mode().Perm() != 0o700 {
		t.Errorf("folder %v, %v", folder, err)
	}
	clean()
	if _, err := os.Stat(filepath.Dir(key.identity)); err == nil {
		t.Error("the key was left behind")
	}
}

func TestCutSuffixFold(t *testing.T) {
	for _, tt := range []struct{ name, suffix, want string }{
		{"web-1.ssm", ".ssm", "web-1"}, {"WEB-1.SSM", ".ssm", "WEB-1"}, {"web-1", ".ssm", "web-1"}, {".ssm", ".ssm", ".ssm"}, {"web-1", "", "web-1"},
	} {
		if got, _ := cutSuffixFold(tt.name, tt.suffix); got != tt.want {
			t.Errorf("%s without %s: %s", tt.name, tt.suffix, got)
		}
	}
}
