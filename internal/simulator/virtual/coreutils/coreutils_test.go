package coreutils

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestStrftime(t *testing.T) {
	at := time.Date(2024, 2, 3, 4, 5, 6, 7_000_000, time.UTC)
	for format, want := range map[string]string{
		"%F %T": "2024-02-03 04:05:06", "%s": "1706933106", "%j %u %V": "034 6 05", "%e|%-d|%d": " 3|3|03", "%N %3N": "007000000 007",
		"%%": "%", "%Q": "%Q", "%": "%", "%Y%m%dT%H%M%SZ": "20240203T040506Z", "%a %b": "Sat Feb",
	} {
		if got := strftime(format, at); got != want {
			t.Errorf("%q: got %q, want %q", format, got, want)
		}
	}
}

func TestParseDate(t *testing.T) {
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"yesterday": "2024-02-29T12:00:00Z", "2 hours ago": "2024-03-01T10:00:00Z", "+1 week": "2024-03-08T12:00:00Z", "@0": "1970-01-01T00:00:00Z",
		"2023-01-02": "2023-01-02T00:00:00Z", "10 days": "2024-03-11T12:00:00Z", "1 month ago": "2024-02-01T12:00:00Z",
	} {
		if got, ok := parseDate(text, now); !ok || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q: got %v, %v, want %s", text, got, ok, want)
		}
	}
	if _, ok := parseDate("soon", now); ok {
		t.Error("soon is a date")
	}
}

func TestParseMode(t *testing.T) {
	tests := []struct {
		spec string
		old  fs.FileMode
		want fs.FileMode
		ok   bool
	}{
		{"640", 0o777, 0o640, true},
		{"u+x", 0o644, 0o744, true},
		{"+x", 0o644, 0o755, true},
		{"go-rw", 0o666, 0o600, true},
		{"u=rw,go=r", 0o777, 0o644, true},
		{"a+X", fs.ModeDir | 0o600, fs.ModeDir | 0o711, true},
		{"a+X", 0o600, 0o600, true},
		{"1777", 0, 0o777 | fs.ModeSticky, true},
		{"u+q", 0o644, 0, false},
		{"x", 0o644, 0, false},
		{"9", 0o644, 0, false},
	}
	for _, tt := range tests {
		if got, ok := parseMode(tt.spec, tt.old); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s on %v: got %v, %v, want %v", tt.spec, tt.old, got, ok, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	for text, want := range map[string]int64{"5": 5, "2k": 2048, "1M": 1 << 20, "3b": 1536, "1kB": 1000, "-7": -7} {
		if got, err := count(text); got != want || err != nil {
			t.Errorf("count(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "1Q", "99999999999G", "1.5"} {
		if got, err := count(text); err == nil {
			t.Errorf("count(%q) = %d without an error", text, got)
		}
	}
}

func TestBasicRegexp(t *testing.T) {
	tests := []struct {
		expr, text string
		want       bool
	}{
		{`a+`, "a+", true},
		{`a+`, "aa", false},
		{`a\+$`, "aaa", true},
		{`\(ab\)*c`, "ababc", true},
		{`(x)`, "(x)", true},
		{`a\{2\}$`, "baa", true},
		{`a{2}`, "a{2}", true},
		{`*a`, "*a", true},
		{`[]x]`, "]", true},
		{`[+(]`, "(", true},
		{`\<word\>`, "a word here", true},
		{`x\|y`, "y", true},
	}
	for _, tt := range tests {
		re, err := regexp.Compile("^(?:" + basicRegexp(tt.expr) + ")$|" + basicRegexp(tt.expr))
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
			continue
		}
		if got := re.MatchString(tt.text); got != tt.want {
			t.Errorf("%s on %q: %v", tt.expr, tt.text, got)
		}
	}
}

func TestGridFillsColumnsDown(t *testing.T) {
	names := strings.Fields("alpha b c delta e")
	if got, want := grid(names, 20), "alpha  c      e\nb      delta\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := grid(names, 3); strings.Count(got, "\n") != 5 {
		t.Errorf("too narrow for columns: %q", got)
	}
}

func FuzzParseScripts(f *testing.F) {
	f.Add(`{print $1; s += $2} END {print s, NR}`)
	f.Add(`BEGIN{printf "%d\n", x["a"]++} /re/ && $1 ~ "b" {next}`)
	f.Add(`s/a\(b\)/\1&/g;2,$d;y/ab/cd/`)
	f.Add(`u=rw,g+x`)
	f.Fuzz(func(t *testing.T, script string) {
		parseAwk(script)
		(&sedRun{}).parse(script)
		parseMode(script, 0o644)
		parseRanges(script)
		trSet(script)
		count(script)
		if re, err := regexp.Compile(basicRegexp(script)); err == nil {
			re.MatchString(script)
		}
	})
}
