package virtual

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

func TestServicesChangeState(t *testing.T) {
	m := New(Spec{Services: map[string]string{"nginx": Running, "billing": Failed, "redis": Stopped}})
	before, _ := run(t, m, "pidof nginx")
	if got, status := sudo(t, m, "systemctl restart nginx"); got != "" || status != 0 {
		t.Errorf("restart: %q (%d)", got, status)
	}
	if after, _ := run(t, m, "pidof nginx"); after == before || after == "" {
		t.Errorf("main process %q after the restart, %q before", after, before)
	}
	tests := []struct {
		name, script, want string
		status             int
	}{
		{"stop", "systemctl stop nginx; systemctl is-active nginx; curl -s localhost; echo $?; pidof nginx", "inactive\n7\n", 1},
		{"start again", "systemctl start nginx && curl -s localhost | grep -c Welcome", "2\n", 0},
		{"a failed one stays failed", "systemctl is-failed billing; systemctl start billing; systemctl is-active billing", "failed\nJob for billing.service failed because the control process exited with error code.\nSee \"systemctl status billing.service\" and \"journalctl -xeu billing.service\" for details.\nfailed\n", 3},
		{"its journal says why", "journalctl -u billing --no-pager | grep -c 'Failed with result'", "2\n", 0},
		{"an unknown one", "systemctl restart nope", "Failed to restart nope.service: Unit nope.service not found.\n", 5},
		{"status of an unknown one", "systemctl status nope", "Unit nope.service could not be found.\n", 4},
		{"enable and disable", "systemctl is-enabled redis; systemctl enable --now redis; systemctl is-enabled redis; systemctl is-active redis", "disabled\nCreated symlink /etc/systemd/system/multi-user.target.wants/redis.service → /usr/lib/systemd/system/redis.service.\nenabled\nactive\n", 0},
		{"the old command", "service nginx status > /dev/null; echo $?", "Redirecting to /bin/systemctl status nginx.service\n0\n", 0},
		{"properties", "systemctl show -p ActiveState,SubState nginx; systemctl show -p ActiveState --value billing", "ActiveState=active\nSubState=running\nfailed\n", 0},
		{"the list of failed ones", "systemctl list-units --failed --no-legend | awk '{print $2}'; systemctl is-system-running", "billing.service\ndegraded\n", 1},
		{"kill -9 makes it fail", "kill -9 $(pidof nginx | awk '{print $NF}'); systemctl is-failed nginx; journalctl -u nginx -n 1 -o cat", "failed\nnginx.service: Failed with result 'signal'.\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, status := sudo(t, m, tt.script); got != tt.want || status != tt.status {
				t.Errorf("got %q (%d), want %q (%d)", got, status, tt.want, tt.status)
			}
		})
	}
	if got := m.ServiceState("nginx"); got != Failed {
		t.Errorf("ServiceState: %q", got)
	}
}

func TestUsersMayNotChangeServices(t *testing.T) {
	m := New(Spec{})
	got, status := run(t, m, "systemctl restart nginx")
	if want := "Failed to restart nginx.service: Interactive authentication required.\nSee system logs and 'systemctl status nginx.service' for details.\n"; got != want || status != 1 {
		t.Errorf("got %q (%d)", got, status)
	}
	expect(t, m, "sudo systemctl restart nginx && systemctl is-active nginx", "active\n")
}

func TestStatusShowsTheService(t *testing.T) {
	got, status := run(t, New(Spec{Clock: fixedClock()}), "systemctl status nginx")
	for _, want := range []string{"● nginx.service - The nginx HTTP and reverse proxy server\n", "Active: active (running) since ", "Main PID: ", "\n\n", "systemd[1]: Started nginx.service"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestJournalFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Spec{})
		u := open(t, m, shell.TTYOptions{Command: "journalctl -f -n 0 -o cat -u nginx"})
		u.shown()
		sudo(t, m, "systemctl stop nginx; logger unrelated")
		if got, want := u.shown(), "Stopping nginx.service - The nginx HTTP and reverse proxy server...\r\nnginx.service: Deactivated successfully.\r\nStopped nginx.service - The nginx HTTP and reverse proxy server.\r\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		u.typing("\x03")
		u.end()
	})
}

func TestFilesAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Spec{})
		u := open(t, m, shell.TTYOptions{Command: "tail -n 0 -f /var/log/nginx/access.log | grep --color=auto curl"})
		u.shown()
		run(t, m, "curl -s localhost/missing > /dev/null")
		if got := u.shown(); !strings.Contains(got, "\"GET /missing HTTP/1.1\" 404 ") {
			t.Errorf("got %q", got)
		}
		u.typing("\x03")
		u.end()
	})
}

func TestPackages(t *testing.T) {
	tests := []struct {
		name, distro, script, want string
		status                     int
	}{
		{"yum needs root", "", "sudo -u ssm-user yum install -y jq", "Error: This command has to be run with superuser privileges (under the root user on most systems).\n", 1},
		{"install", "", "yum install -y jq > /dev/null; rpm -q jq; which jq; jq .", "jq-1.7.1-49.amzn2023.0.1.x86_64\n/usr/bin/jq\njq: installed, but not simulated on this virtual node\n", 1},
		{"install a service", "", "systemctl is-active httpd; dnf -y install httpd > /dev/null; systemctl is-active httpd; systemctl start httpd && systemctl is-active httpd", "inactive\ninactive\nactive\n", 0},
		{"install asks", "", "echo n | yum install jq | tail -1; rpm -q jq", "Is this ok [y/N]: Operation aborted.\npackage jq is not installed\n", 1},
		{"no such package", "", "yum install -y nosuch", "No match for argument: nosuch\nError: Unable to find a match: nosuch\n", 1},
		{"updates are offered, and go away", "", "yum check-update > /dev/null; echo $?; yum update -y > /dev/null; yum check-update; echo $?", "100\n0\n", 0},
		{"remove", "", "yum remove -y nginx > /dev/null; rpm -q nginx; systemctl status nginx", "package nginx is not installed\nUnit nginx.service could not be found.\n", 4},
		{"there is no apt", "", "apt-get update", "sh: line 1: apt-get: command not found\n", 127},
		{"apt", "Ubuntu 22.04", "apt-get update | tail -1; apt-get install -y tree | tail -1; dpkg -l tree | tail -1", "2 packages can be upgraded. Run 'apt list --upgradable' to see them.\nSetting up tree (2.0.2-1) ...\nii  tree                     2.0.2-1                        amd64        tree\n", 0},
		{"no such package in apt", "Ubuntu 22.04", "apt-get -qq install -y nosuch | tail -0; apt install nosuch > /dev/null", "E: Unable to locate package nosuch\nE: Unable to locate package nosuch\n", 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, status := sudo(t, New(Spec{Distro: tt.distro}), tt.script); got != tt.want || status != tt.status {
				t.Errorf("got %q (%d), want %q (%d)", got, status, tt.want, tt.status)
			}
		})
	}
}
