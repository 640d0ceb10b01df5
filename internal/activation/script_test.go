package activation

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// hostile holds what no service has made yet and quoting must survive.
var hostile = Created{
	Activation: Activation{ID: testID, Limit: 10, Expires: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)},
	Code:       `a'b"$(x)` + "`y`" + `\z`,
}

func TestScriptsAreWhole(t *testing.T) {
	for _, platform := range Platforms() {
		text, err := Script(platform, "eu-central-1", hostile)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "@ID") || strings.Contains(text, "@CODE") || strings.Contains(text, "@REGION") || strings.Contains(text, "@DOMAIN") {
			t.Errorf("%s: something is not filled in:\n%s", platform, text)
		}
		for _, want := range []string{testID, "up to 10 machines", "2026-12-01T00:00:00Z", "amazonaws.com"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s is missing", platform, want)
			}
		}
	}
	if _, err := Script("beos", "eu-central-1", hostile); fault.KindOf(err) != fault.Usage {
		t.Errorf("an unknown platform: %v", err)
	}
	if got := quotePowerShell("a'b\u2019c$d"); got != "'a''b\u2019\u2019c$d'" {
		t.Errorf("for PowerShell it is %s", got)
	}
	if text, _ := Script("linux", "cn-north-1", hostile); !strings.Contains(text, ".amazonaws.com.cn\"") {
		t.Error("China has a domain of its own")
	}
}

func TestScriptsAreShell(t *testing.T) {
	for _, shell := range []string{"sh", "dash", "bash"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		for _, platform := range []string{"linux", "macos", "raspbian"} {
			text, err := Script(platform, "eu-central-1", hostile)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path, "-n")
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s for %s: %v\n%s", shell, platform, err, out)
			}
		}
	}
}

// TestLinuxScriptRuns runs it with stand-ins for what it calls.
func TestLinuxScriptRuns(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("no POSIX shell")
	}
	text, err := Script("linux", "eu-central-1", hostile)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		machine, dpkg, uid, env string
		want, fails             string
	}{
		"Red Hat on x86":            {machine: "x86_64", want: "latest/linux_amd64/ssm-setup-cli"},
		"Debian on Arm":             {machine: "aarch64", dpkg: "arm64", want: "latest/debian_arm64/ssm-setup-cli"},
		"a 32-bit system on 64-bit": {machine: "aarch64", dpkg: "armhf", want: "latest/debian_arm/ssm-setup-cli"},
		"again":                     {machine: "x86_64", env: "REREGISTER=1", want: "-override"},
		"not as root":               {machine: "x86_64", uid: "1000", fails: "run this as root"},
		"a strange machine":         {machine: "riscv64", fails: "there is no SSM Agent for riscv64"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log := filepath.Join(dir, "log")
			stub := func(name, body string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("#!"+sh+"\n"+body+"\n"), 0o700); err != nil { //nolint:gosec // it is to be run
					t.Fatal(err)
				}
			}
			if tt.uid == "" {
				tt.uid = "0"
			}
			stub("uname", `case $1 in -s) echo Linux ;; *) echo `+tt.machine+` ;; esac`)
			stub("id", "echo "+tt.uid)
			stub("curl", `for a; do case $last in -o) out=$a ;; esac; last=$a; done
echo "$last" >> "`+log+`"
printf '#!%s\nfor a; do printf "%%s\\n" "$a"; done >> "%s"\n' `+sh+` "`+log+`" > "$out"`)
			for _, tool := range []string{"mktemp", "rm", "chmod", "cat"} {
				if path, err := exec.LookPath(tool); err == nil {
					_ = os.Symlink(path, filepath.Join(dir, tool))
				}
			}
			if tt.dpkg != "" {
				stub("dpkg", "echo "+tt.dpkg)
			}
			cmd := exec.Command(sh, "-s")
			cmd.Stdin = strings.NewReader(text)
			cmd.Env = []string{"PATH=" + dir, "TMPDIR=" + dir, tt.env}
			out, err := cmd.CombinedOutput()
			calls, _ := os.ReadFile(log)
			if tt.fails != "" {
				if err == nil || !strings.Contains(string(out), tt.fails) || len(calls) > 0 {
					t.Errorf("it ends with %v, %s; calls %s", err, out, calls)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			lines := strings.Split(string(calls), "\n")
			if !strings.Contains(string(calls), tt.want) || !strings.HasPrefix(lines[0], "https://amazon-ssm-eu-central-1.s3.eu-central-1.amazonaws.com/latest/") {
				t.Errorf("calls are %s", calls)
			}
			if !strings.Contains(string(calls), "-activation-code\n"+hostile.Code+"\n-activation-id\n"+testID+"\n-region\neu-central-1\n") {
				t.Errorf("the code does not arrive as it is: %s", calls)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "tmp.*")); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
}
