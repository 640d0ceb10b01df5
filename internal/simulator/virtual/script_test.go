package virtual

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// run runs a script as ssm-user and returns its output and exit status.
func run(t *testing.T, m *Machine, script string) (output string, status int) {
	t.Helper()
	return runWith(t, m, shell.Command{Script: script}, "")
}

// sudo is run as root.
func sudo(t *testing.T, m *Machine, script string) (output string, status int) {
	t.Helper()
	return runWith(t, m, shell.Command{Script: script, Elevated: true}, "")
}

func runWith(t *testing.T, m *Machine, c shell.Command, stdin string) (output string, status int) {
	t.Helper()
	var out bytes.Buffer
	status, err := m.Run(context.Background(), c, shell.IO{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &out})
	if err != nil {
		t.Fatalf("run %q: %v", c.Script, err)
	}
	return out.String(), status
}

// expect fails unless a script prints want and exits with status 0.
func expect(t *testing.T, m *Machine, script, want string) {
	t.Helper()
	if got, status := run(t, m, script); got != want || status != 0 {
		t.Errorf("%s\n got %q (%d)\nwant %q (0)", script, got, status, want)
	}
}

// TestScriptsDoWhatBashDoes runs testdata/scripts.txt, whose expectations come
// from bash and the GNU tools.
func TestScriptsDoWhatBashDoes(t *testing.T) {
	data, err := os.ReadFile("testdata/scripts.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(string(data), "=== script\n")[1:]
	if len(cases) < 100 {
		t.Fatalf("only %d scripts", len(cases))
	}
	for _, c := range cases {
		script, rest, ok := strings.Cut(c, "\n=== status ")
		head, want, ok2 := strings.Cut(rest, "\n")
		status, err := strconv.Atoi(head)
		if !ok || !ok2 || err != nil {
			t.Fatalf("malformed case: %q", c)
		}
		want = strings.TrimSuffix(want, "\\ no newline\n")
		name, _, _ := strings.Cut(script, "\n")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, gotStatus := runWith(t, New(Spec{}), shell.Command{Script: script}, "in1\nin2\n")
			if got != want || gotStatus != status {
				t.Errorf("%s\n got (%d):\n%s\nwant (%d):\n%s", script, gotStatus, got, status, want)
			}
		})
	}
}

func TestZeroSpecIsAWorkingNode(t *testing.T) {
	m := New(Spec{})
	expect(t, m, "hostname; whoami; pwd; cat /etc/system-release; uname -sm", "ip-10-0-1-23\nssm-user\n/home/ssm-user\nAmazon Linux 2023\nLinux x86_64\n")
	expect(t, m, "systemctl is-active nginx amazon-ssm-agent", "active\nactive\n")
}

func TestSpecDecidesWhatANodeIs(t *testing.T) {
	m := New(Spec{
		Hostname: "db-1", NodeID: "i-0aa", Distro: "Ubuntu 22.04", IP: "10.9.8.7", Services: map[string]string{"postgresql": Running, "billing": Failed},
		Files: map[string]string{"/opt/app/run.sh": "#!/bin/sh\necho started $1\n", "/home/ssm-user/notes": "mine\n"}, Packages: map[string]string{"acme": "1.2"},
	})
	expect(t, m, "hostname -I; . /etc/os-release; echo $ID $VERSION_ID; uname -r", "10.9.8.7\nubuntu 22.04\n6.8.0-1018-aws\n")
	expect(t, m, "/opt/app/run.sh now; stat -c %U notes; dpkg -l acme | grep -c acme; which apt; which yum || true", "started now\nssm-user\n1\n/usr/bin/apt\nwhich: no yum in (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)\n")
	expect(t, m, "systemctl is-active billing; systemctl is-active postgresql", "failed\nactive\n")
}

func TestEqualSpecsGiveEqualNodes(t *testing.T) {
	clock := fixedClock()
	script := "ps aux; df; free; uptime; journalctl; ls -lR /etc /var/log; head -c 16 /dev/urandom | md5sum; dmesg"
	a, _ := sudo(t, New(Spec{NodeID: "i-1", Clock: clock}), script)
	b, _ := sudo(t, New(Spec{NodeID: "i-1", Clock: clock}), script)
	if a != b {
		t.Error("two nodes of the same spec differ")
	}
	c, _ := sudo(t, New(Spec{NodeID: "i-2", Clock: clock}), script)
	if a == c {
		t.Error("nodes with different ids are the same in everything")
	}
}

func TestUsersHaveTheirRights(t *testing.T) {
	m := New(Spec{})
	tests := []struct {
		name, script, want string
		status             int
	}{
		{"a user cannot write to /etc", "echo x > /etc/motd", "sh: line 1: /etc/motd: Permission denied\n", 1},
		{"a user cannot read shadow", "cat /etc/shadow", "cat: /etc/shadow: Permission denied\n", 1},
		{"a user cannot look into /root", "ls /root", "ls: cannot open directory '/root': Permission denied\n", 2},
		{"a user cannot kill services", "kill 1", "sh: line 1: kill: (1) - Operation not permitted\n", 1},
		{"sudo makes root", "sudo id -un; sudo sh -c 'echo $HOME; echo x > /etc/motd'; cat /etc/motd", "root\n/root\nx\n", 0},
		{"sudo -u changes the user", "sudo -u ec2-user whoami", "ec2-user\n", 0},
		{"su is refused politely", "su -", "su: Authentication failure (accounts of this node have no password; use sudo)\n", 1},
		{"others' files in /tmp are safe", "sudo touch /tmp/r; rm -f /tmp/r", "rm: cannot remove '/tmp/r': Permission denied\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, status := run(t, m, tt.script)
			if got != tt.want || status != tt.status {
				t.Errorf("got %q (%d), want %q (%d)", got, status, tt.want, tt.status)
			}
		})
	}
}
