package virtual

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

func TestWindowsNodeRunsPowerShell(t *testing.T) {
	m := New(Spec{OS: Windows, Hostname: "WIN-1", Files: map[string]string{`C:\app\app.log`: "one\r\ntwo\r\n"}, Clock: fixedClock()})
	tests := []struct {
		name, script, stdout, stderr string
		status                       int
	}{
		{"lines end in CR LF", "hostname; Write-Output a b", "WIN-1\r\na\r\nb\r\n", "", 0},
		{"exit status", "exit 3", "", "", 3},
		{"files of the scenario", `Get-Content C:\APP\app.log | Select-Object -Last 1`, "two\r\n", "", 0},
		{"a service", "(Get-Service W3SVC).Status; Restart-Service W3SVC; Stop-Service Spooler; (Get-Service spooler).Status", "Running\r\nStopped\r\n", "", 0},
		{"files are written", `Set-Content C:\Users\ssm-user\x.txt hello; Get-Content ~\x.txt; Test-Path C:\nope`, "hello\r\nFalse\r\n", "", 0},
		{"no way out", `Get-Content /etc/passwd -ErrorAction SilentlyContinue; Test-Path C:\etc`, "False\r\n", "", 0},
		{"the environment is the node's", "$env:COMPUTERNAME; $env:HOME", "WIN-1\r\n", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			status, err := m.Run(t.Context(), shell.Command{Script: tt.script}, shell.IO{Stdout: &out, Stderr: &errs})
			if err != nil || status != tt.status || out.String() != tt.stdout || errs.String() != tt.stderr {
				t.Errorf("got %d, %v, stdout %q, stderr %q\nwant %d, stdout %q, stderr %q", status, err, out.String(), errs.String(), tt.status, tt.stdout, tt.stderr)
			}
		})
	}
	if got := m.ServiceState("spooler"); got != Stopped {
		t.Errorf("the service is %q", got)
	}
}

func TestUnknownPowerShellCommand(t *testing.T) {
	var errs bytes.Buffer
	status, err := New(Spec{OS: Windows}).Run(t.Context(), shell.Command{Script: "uptime"}, shell.IO{Stderr: &errs})
	if err != nil || status != 1 || !strings.HasPrefix(errs.String(), "uptime : The term 'uptime' is not recognized as the name of a cmdlet") || strings.Contains(errs.String(), "\x1b") {
		t.Errorf("got %d, %v, %q", status, err, errs.String())
	}
}

func TestPowerShellSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := open(t, New(Spec{OS: Windows, Hostname: "WIN-1"}), shell.TTYOptions{})
		const ps = `PS C:\Windows\system32> `
		if got := u.shown(); !strings.HasSuffix(got, "\r\n"+ps) {
			t.Errorf("first output %q", got)
		}
		steps := []struct{ keys, want string }{
			{"hostname\r", "hostname\r\nWIN-1\r\n" + ps},
			{"$x = 'y'\r", "$x = 'y'\r\n" + ps},
			{"\"<$x>\"\r", "\"<$x>\"\r\n<y>\r\n" + ps},
			{"if ($true) {\r", "if ($true) {\r\n>> "},
			{"'yes' }\r", "'yes' }\r\nyes\r\n" + ps},
			{"Start-Sleep -Seconds 100\r", "Start-Sleep -Seconds 100\r\n"},
			{"\x03", "^C\r\n" + ps},
			{"while ($true) { Start-Sleep 1 }\r", "while ($true) { Start-Sleep 1 }\r\n"},
			{"\x03", "^C\r\n" + ps},
			{"cd \\Users\r", "cd \\Users\r\nPS C:\\Users> "},
			{"Read-Host Name\r", "Read-Host Name\r\nName: "},
			{"bob\r", "bob\r\nbob\r\nPS C:\\Users> "},
			{"Get-Hos\x7f\x7f\x7fHotF\t | Measure-Object -Line\r", "Get-Hos\r" + `PS C:\Users> Get-Ho` + "\x1b[J"},
			{"exit 5\r", "exit 5\r\n"},
		}
		for _, s := range steps {
			got := u.typing(s.keys)
			if strings.Contains(s.keys, "\x7f") {
				got = got[:min(len(got), len(s.want))]
			}
			if got != s.want {
				t.Errorf("typing %q\n got %q\nwant %q", s.keys, got, s.want)
			}
		}
		if got := u.end(); got != 5 {
			t.Errorf("exit status %d, want 5", got)
		}
	})
}

func TestPowerShellIsCancelled(t *testing.T) {
	for _, script := range []string{"Start-Sleep 1000", "while ($true) { }", "while ($true) { 'x' }", "1..100000 | ForEach-Object { Start-Sleep 1 }", `Get-Content C:\Windows\win.ini -Wait`} {
		t.Run(script, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					status, err := New(Spec{OS: Windows}).Run(ctx, shell.Command{Script: script}, shell.IO{Stdout: io.Discard})
					if status != shell.StatusKilled || !errors.Is(err, context.Canceled) {
						t.Errorf("got %d, %v", status, err)
					}
				}()
				cancelAfter(cancel)
				<-done
			})
		})
	}
}

func TestPowerShellIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan struct{})
		start := time.Now()
		time.AfterFunc(3*time.Second, func() { close(ch) })
		status, err := New(Spec{OS: Windows}).Run(t.Context(), shell.Command{Script: "Start-Sleep 1000; 'no'", Interrupt: ch}, shell.IO{})
		if status != shell.StatusInterrupted || err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("got %d, %v after %v", status, err, time.Since(start))
		}
	})
}

func TestMacNode(t *testing.T) {
	m := New(Spec{OS: MacOS})
	expect(t, m, "uname -s; pwd; sw_vers | head -1", "Darwin\n/Users/ssm-user\nProductName:\t\tmacOS\n")
	if _, status := run(t, m, "systemctl status"); status != 127 {
		t.Errorf("systemctl on macOS: %d", status)
	}
}
