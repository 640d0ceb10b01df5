package powershell

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

// host is a machine with two services.
type host struct{ status map[string]string }

func (h host) Services() []Service {
	return []Service{{"Spooler", "Print Spooler", h.status["Spooler"], "Automatic"}, {"W3SVC", "Web Server", h.status["W3SVC"], "Manual"}}
}

func (h host) SetService(name, action string) error {
	if name == "W3SVC" {
		return errors.New("It is broken.")
	}
	h.status[name] = map[string]string{"start": "Running", "restart": "Running", "stop": "Stopped"}[action]
	return nil
}

func (h host) Processes() []Process {
	return []Process{{"lsass", 680, 900, 12000, 3.5}, {"svchost", 700, 300, 8000, 1}}
}
func (h host) StopProcess(int) error                 { return nil }
func (h host) Connect(context.Context, string) error { return errors.New("refused") }
func (h host) Info() Info {
	return Info{Hostname: "WIN-1", IP: "10.0.0.5", OS: "Windows Server", Version: "10.0.20348", Memory: 4096}
}

func newShell(out, errs *bytes.Buffer) *Shell {
	files := memfs.New(memfs.Options{FoldCase: true})
	files.MkdirAll(memfs.Cred{}, "/C:/Windows/system32", 0o755)
	files.WriteFile("/C:/data/a.txt", "one\r\ntwo\r\nthree\r\n", 0o644, memfs.Cred{})
	return New(Config{
		Host: host{map[string]string{"Spooler": "Running", "W3SVC": "Stopped"}}, FS: files, User: `WIN-1\eve`, Home: `C:\Users\eve`, Elevated: true,
		Env: []string{"NAME=value"}, Stdout: out, Stderr: errs, Now: func() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC) },
	})
}

func TestScripts(t *testing.T) {
	tests := []struct {
		name, script, want string
		status             int
	}{
		{"strings", `"a` + "`t" + `b"; 'it''s $x'; "say ""hi"""`, "a\tb\nit's $x\nsay \"hi\"\n", 0},
		{"interpolation", `$x = 'w'; "$x ${x}y $($x.Length + 1) $env:NAME ` + "`$x" + `"`, "w wy 2 value $x\n", 0},
		{"numbers", "1 + 2 * 3; 7 / 2; 10 % 4; 2 - 5; 1KB; 0x10; -3", "7\n3.5\n2\n-3\n1024\n16\n-3\n", 0},
		{"comparison", "3 -gt 2; 'a' -eq 'A'; 'abc' -like 'a*'; 'abc' -match 'b(.)'; $Matches[1]; -not $true; 1,2,3 -contains 2", "True\nTrue\nTrue\nTrue\nc\nFalse\nTrue\n", 0},
		{"logic binds weakest", "1 -eq 1 -and 2 -gt 1; $true -and -not $false; !$true -or $true", "True\nTrue\nTrue\n", 0},
		{"arrays", "$a = 1,2,3; $a[0]; $a[-1]; $a.Count; $a += 4; $a -join '-'; @().Count; (1..4)[1..2]", "1\n3\n3\n1-2-3-4\n0\n2\n3\n", 0},
		{"hash tables", "$h = @{ a = 1; 'b c' = 2 }; $h.a; $h['b c']; $h.d = 5; $h.Count; $h.ContainsKey('d')", "1\n2\n3\nTrue\n", 0},
		{"methods", `' Abc '.Trim().ToUpper(); 'a,b'.Split(',')[1]; 'hello'.Substring(1,3); 'x'.PadLeft(3) + '|'; 'abc'.Replace('b','-')`, "ABC\nb\nell\n  x|\na-c\n", 0},
		{"format", `'{0:N2} {1,4}|{2}' -f 1234.5, 'x', $true`, "1,234.50    x|True\n", 0},
		{"replace and split", `'a1b22' -replace '\d+', '#'; 'a b c' -split ' '`, "a#b#\na\nb\nc\n", 0},
		{"if", "$n = 5; if ($n -lt 3) { 'low' } elseif ($n -lt 9) { 'mid' } else { 'high' }", "mid\n", 0},
		{"loops", "foreach ($i in 1..3) { if ($i -eq 2) { continue }; $i }; for ($i = 0; $i -lt 2; $i++) { $i }; $k = 0; while ($true) { $k++; if ($k -gt 2) { break } }; $k; do { $k-- } until ($k -le 0); $k", "1\n3\n0\n1\n3\n0\n", 0},
		{"pipeline", "1..5 | Where-Object { $_ % 2 } | ForEach-Object { $_ * 10 } | Sort-Object -Descending", "50\n30\n10\n", 0},
		{"where by property", "Get-Service | Where-Object Status -eq Running | Select-Object -ExpandProperty Name", "Spooler\n", 0},
		{"select", "1..9 | select -First 2; 1..9 | select -Last 1; 'a','b','a' | select -Unique", "1\n2\n9\na\nb\n", 0},
		{"measure", "(1..4 | Measure-Object -Sum).Sum; (1,2,3 | measure).Count", "10\n3\n", 0},
		{"blocks with arguments", "& { param($n, $m)\n\"$n and $m\" } 'a b' -m c; & { \"$args\" } x y", "a b and c\nx y\n", 0},
		{"functions", "function Add($a, $b) { return $a + $b; 'no' }; Add 1 2; Add -b 5 -a 2; function Hi { param($n) \"hi $n\" }; Hi you", "3\n7\nhi you\n", 0},
		{"scopes", "$x = 1; function f { $x = 2; $x }; f; $x; & { $x = 3 }; $x", "2\n1\n1\n", 0},
		{"try and catch", "try { throw 'bad' } catch { \"caught $_\" } finally { 'done' }; try { nosuch } catch { 'not found' }", "caught bad\ndone\nnot found\n", 0},
		{"a service that is stopped", "Stop-Service Spooler; (Get-Service spooler).Status; Get-Service Spooler | Start-Service -PassThru | % Status", "Stopped\nRunning\n", 0},
		{"files", `cd C:\data; Get-Content a.txt -Tail 1; (cat .\a.txt).Count; Set-Content b.txt 'x','y'; Get-Content b.txt; dir -Name; Remove-Item b.txt; Test-Path b.txt`, "three\n3\nx\ny\na.txt\nb.txt\nFalse\n", 0},
		{"redirection", `cd C:\data; 'hi' | Out-File o.txt; echo more >> o.txt; gc o.txt; nosuch 2>$null; echo gone > $null`, "hi\nmore\n", 0},
		{"select-string", `Select-String t C:\data\a.txt | ForEach-Object { $_.Line }`, "two\nthree\n", 0},
		{"dates", "Get-Date -Format 'yyyy-MM-dd HH:mm'; (Get-Date).Year; (Get-Date).AddDays(1).ToString('dd')", "2024-05-06 07:08\n2024\n07\n", 0},
		{"json", "@{ a = 1; b = 'x', 'y' } | ConvertTo-Json -Compress", `{"a":1,"b":["x","y"]}` + "\n", 0},
		{"calculated properties", "Get-Process lsass | Select-Object @{n='P';e={$_.Name + '!'}} | % P", "lsass!\n", 0},
		{"version", "$PSVersionTable.PSVersion.Major; [Environment]::MachineName; [math]::Round(2.567, 1); [int]'42' + 1", "5\nWIN-1\n2.6\n43\n", 0},
		{"exit", "'a'; exit 9; 'b'", "a\n", 9},
		{"the last command decides", "nosuch; 'ok'", "ok\n", 0},
		{"a failed last command", "'ok'; nosuch", "ok\n", 1},
		{"throw ends the script", "'a'; throw 'bad'; 'b'", "a\n", 1},
		{"a syntax error runs nothing", "'a'; if (", "", 1},
		{"error action stop", "$ErrorActionPreference = 'Stop'; 'a'; Get-Content C:\\nope; 'b'", "a\n", 1},
		{"here-strings", "@\"\nline $(1+1)\nend\n\"@\n@'\n$raw\n'@", "line 2\nend\n$raw\n", 0},
		{"comments", "# no\n'a' # b\n<# c\nd #> 'e'", "a\ne\n", 0},
		{"backticks continue lines", "Write-Output `\n  a `\n  b", "a\nb\n", 0},
		{"files as bytes", `$f = 'C:\data\b [1].bin'; $s = [IO.File]::Open($f, 'OpenOrCreate'); $b = [Convert]::FromBase64String('AAECAwQF'); $s.Write($b, 0, $b.Length); $null = $s.Seek(1, 'Begin'); $c = New-Object byte[] 9; $n = $s.Read($c, 0, 9); $s.Close(); "$n"; [Convert]::ToBase64String($c, 0, $n); (New-Object IO.FileInfo $f).Length; [BitConverter]::ToString($b, 4, 2)`, "5\nAQIDBAU=\n6\n04-05\n", 0},
		{"checksums", `$h = [Security.Cryptography.SHA256]::Create(); [BitConverter]::ToString($h.ComputeHash([Text.Encoding]::UTF8.GetBytes('abc'))).Replace('-', '').ToLower()`, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n", 0},
		{"folders and moves", `[IO.Directory]::CreateDirectory('C:\data\x\y') | Out-Null; [IO.File]::Move('C:\data\a.txt', 'C:\data\x\y\a.txt'); [IO.Directory]::Move('C:\data\x', 'C:\data\z'); [IO.Directory]::GetFileSystemEntries('C:\data\z\y'); [IO.File]::Exists('C:\data\a.txt'); [IO.Directory]::Exists('C:\data\z'); [IO.File]::GetAttributes('C:\data\z'); [IO.Directory]::Delete('C:\data\z', $true); [IO.Directory]::Exists('C:\data\z')`, "C:\\data\\z\\y\\a.txt\nFalse\nTrue\nDirectory\nFalse\n", 0},
		{"times of files", `[IO.File]::SetLastWriteTimeUtc('C:\data\a.txt', '2001-02-03T04:05:06Z'); [Math]::Floor(([IO.File]::GetLastWriteTimeUtc('C:\data\a.txt').Ticks - 621355968000000000) / 10000000)`, "981173106\n", 0},
		{"exceptions of .NET", `try { [IO.File]::Open('C:\nope', 'Open') } catch { $_.Exception.Message }`, "Exception calling \"Open\" with \"1\" argument(s): \"Could not find file 'C:\\nope'.\"\n", 0},
		{"$? and $null", "nosuch 2>$null; $?; $null -eq $undefined; [string]::IsNullOrEmpty('')", "False\nTrue\nTrue\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			status := newShell(&out, &errs).Run(t.Context(), tt.script)
			if out.String() != tt.want || status != tt.status {
				t.Errorf("%s\n got %q (%d), errors %q\nwant %q (%d)", tt.script, out.String(), status, errs.String(), tt.want, tt.status)
			}
		})
	}
}

func TestErrorsAreHonest(t *testing.T) {
	for script, want := range map[string]string{
		"nosuch":                          "nosuch : The term 'nosuch' is not recognized as the name of a cmdlet",
		"Get-Service nope":                "Cannot find any service with service name 'nope'.",
		"Start-Service W3SVC":             "Failed to start service 'W3SVC'. It is broken.",
		`Get-Content C:\nope`:             `Cannot find path 'C:\nope' because it does not exist.`,
		"throw 'bad'":                     "bad\n",
		"Get-Date -Nope":                  "A parameter cannot be found that matches parameter name 'Nope'",
		"switch (1) { 1 { 'a' } }":        "'switch' is not supported by the simulated PowerShell.",
		"1 / 0":                           "Attempted to divide by zero.",
		"'a'.Nope()":                      "does not contain a method named 'Nope'",
		"[Net.Dns]::GetHostName()":        "is not supported by the simulated PowerShell.",
		"$x = ":                           "Missing command.",
		"'unclosed":                       "Missing the terminator: '.",
		"1..99999999":                     "too large for the simulated PowerShell",
		"function f { f }; f":             "call depth overflow",
		"'x' * 999999999":                 "too long for the simulated PowerShell",
		"dir a && dir b":                  "is not a valid statement separator in this version",
		strings.Repeat("(", 5000) + "1":   "nested too deeply",
		"Get-Item HKLM:\\Software":        "does not exist",
		"Write-Error 'my message'":        "my message",
		"Test-NetConnection localhost":    "needs -Port",
		"$list = 1; $list[0].Nope.Deep()": "does not contain a method named 'Deep'",
	} {
		var out, errs bytes.Buffer
		if status := newShell(&out, &errs).Run(t.Context(), script); status != 1 || !strings.Contains(errs.String(), want) {
			t.Errorf("%.60s\n got %q (%d)\nwant %q", script, errs.String(), status, want)
		}
	}
}

func TestTables(t *testing.T) {
	var out, errs bytes.Buffer
	newShell(&out, &errs).Run(t.Context(), "Get-Service; Get-Service w3svc | Format-List Name, Status; [pscustomobject]@{ A = 1; B = 'x' }")
	want := `
Status   Name               DisplayName                           
------   ----               -----------                           
Running  Spooler            Print Spooler                         
Stopped  W3SVC              Web Server                            




Name   : W3SVC
Status : Stopped



A B
- -
1 x


`
	if out.String() != want {
		t.Errorf("got %q\nwant %q", out.String(), want)
	}
}

func TestIncomplete(t *testing.T) {
	for script, want := range map[string]bool{
		"if ($x) {": true, "'a": true, "\"a": true, "1 +": true, "Get-Service |": true, "@{ a = 1": true, "foo(": true, "@\"\nx": true,
		"1": false, "}": false, "if ($x) { }": false, ")": false,
	} {
		_, err := Parse(script + "\n")
		if got := Incomplete(err); got != want {
			t.Errorf("%q: incomplete is %v (%v)", script, got, err)
		}
	}
}

func FuzzRun(f *testing.F) {
	for _, s := range []string{
		"Get-Service | Where-Object Status -eq Running", "$x = @{a=1}; \"$($x.a)\"", "1..3 | % { $_ * 2 }", "try { throw 1 } catch { $_ }",
		"[int]'x'; 'a'[0]; -join 1,2; @(1)[9]; 'x' -f 1", "function f($a) { f $a }; f 1", "for(;;){}", "'{0:Z9}{1}' -f 1", "ls | ft Name, @{n='x';e={1}}", "$a[1][2] = 3; ${env:x} = 1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if _, err := Parse(script); err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		var out, errs limitedBuffer
		s := newShell(new(bytes.Buffer), new(bytes.Buffer))
		s.cfg.Stdout, s.cfg.Stderr = &out, &errs
		s.Run(ctx, script)
	})
}

// limitedBuffer forgets what is written to it.
type limitedBuffer struct{}

func (*limitedBuffer) Write(p []byte) (int, error) { return len(p), nil }
