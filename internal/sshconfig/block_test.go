package sshconfig

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

func TestProxyCommand(t *testing.T) {
	tests := []struct {
		name  string
		proxy Proxy
		want  string
	}{
		{"plain", Proxy{Program: "/usr/bin/ssmdeck", GOOS: "linux"}, `/usr/bin/ssmdeck ssh-proxy %h %p`},
		{"a node", Proxy{Program: "ssmdeck", Node: "i-1", GOOS: "linux"}, `ssmdeck ssh-proxy i-1 %p`},
		{"a suffix", Proxy{Program: "ssmdeck", Suffix: ".ssm", GOOS: "linux"}, `ssmdeck ssh-proxy --suffix .ssm %h %p`},
		{"a key", Proxy{Program: "ssmdeck", Args: []string{"--push-key"}, PushKey: true, GOOS: "linux"}, `ssmdeck ssh-proxy --push-key --user %r %h %p`},
		{"spaces and quotes", Proxy{Program: "/home/o'brien/my apps/ssmdeck", GOOS: "darwin"}, `'/home/o'\''brien/my apps/ssmdeck' ssh-proxy %h %p`},
		{"what ssh and the shell would replace", Proxy{Program: "ssmdeck", Args: []string{"--profile", "50% $HOME"}, GOOS: "linux"}, `ssmdeck ssh-proxy --profile '50%% $HOME' %h %p`},
		{"an empty word", Proxy{Program: "ssmdeck", Args: []string{""}, GOOS: "linux"}, `ssmdeck ssh-proxy '' %h %p`},
		{"Windows", Proxy{Program: `C:\Program Files\ssmdeck\ssmdeck.exe`, GOOS: "windows"}, `"C:\Program Files\ssmdeck\ssmdeck.exe" ssh-proxy %h %p`},
		{"Windows, a quote and a slash at the end", Proxy{Program: `C:\x.exe`, Args: []string{`a "b\`}, GOOS: "windows"}, `C:\x.exe ssh-proxy "a \"b\\" %h %p`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.proxy.Command(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestQuoteMeansTheSameToAShell asks a real one.
func TestQuoteMeansTheSameToAShell(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no POSIX shell here")
	}
	words := []string{"a b", "it's", `"x"`, "$HOME", "`id`", `back\slash`, "", "*", "~", "new\nline", "!", "#c", "a=b;c&d|e"}
	out, err := exec.Command("/bin/sh", "-c", "printf '%s\\0' "+Quote(words, runtime.GOOS)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Join(words, "\x00") + "\x00"; string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestBlock(t *testing.T) {
	got := Block(Proxy{Program: "/usr/bin/ssmdeck", Args: []string{"--profile", "prod"}, GOOS: "linux"}, ".ssm")
	want := header + `
Host i-* mi-*
    ProxyCommand /usr/bin/ssmdeck ssh-proxy --profile prod %h %p

Host *.ssm
    ProxyCommand /usr/bin/ssmdeck ssh-proxy --profile prod --suffix .ssm %h %p
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(Block(Proxy{Program: "x"}, ""), "--suffix") {
		t.Error("names without a suffix")
	}
	if !IsBlock([]byte(got)) || IsBlock([]byte("Host i-*\n")) || IsBlock(nil) {
		t.Error("a block is not known again")
	}
}
