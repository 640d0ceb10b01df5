package run

import (
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestParseRates(t *testing.T) {
	tests := []struct {
		in                  string
		concurrency, errors bool // legal as
	}{
		{"", true, true},
		{"1", true, true},
		{"50", true, true},
		{"1234567", true, true},
		{"12345678", false, false}, // more than 7 characters
		{"1%", true, true},
		{"10%", true, true},
		{"100%", true, true},
		{"0", false, true},
		{"0%", false, true},
		{"101%", false, false},
		{"00", false, false},
		{"01", false, false},
		{"-1", false, false},
		{"1.5", false, false},
		{"10 %", false, false},
		{"%", false, false},
		{"ten", false, false},
		{"10\n", false, false},
	}
	for _, tt := range tests {
		for name, p := range map[string]struct {
			parse func(string) (RateControl, error)
			legal bool
		}{"concurrency": {ParseConcurrency, tt.concurrency}, "max errors": {ParseMaxErrors, tt.errors}} {
			r, err := p.parse(tt.in)
			if p.legal {
				if err != nil || r.String() != tt.in {
					t.Errorf("%s %q: got %q, %v", name, tt.in, r, err)
				}
				continue
			}
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), "such as 10%") || !strings.Contains(err.Error(), "a number of nodes") {
				t.Errorf("%s %q: got %v, want a Usage error that shows both forms", name, tt.in, err)
			}
		}
	}
}

func TestRateControlOf(t *testing.T) {
	for in, want := range map[string]int{"": 7, "3": 3, "10%": 12, "100%": 120, "1%": 1} {
		r, err := ParseConcurrency(in)
		if got := r.Of(120, 7); err != nil || got != want {
			t.Errorf("%q of 120: got %d, %v; want %d", in, got, err, want)
		}
	}
}

func TestParseTimes(t *testing.T) {
	legal := map[string]time.Duration{
		"": 0, "30": 30 * time.Second, "30s": 30 * time.Second, "1h30m": 90 * time.Minute,
		"30d": 30 * 24 * time.Hour, "1d12h": 36 * time.Hour,
	}
	for in, want := range legal {
		if got, err := ParseTimeout(in); err != nil || got != want {
			t.Errorf("%q: got %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"29s", "30d1s", "31d", "soon", "-1m", "1x", "d", "1d30", "99999999999999999999"} {
		if _, err := ParseTimeout(in); fault.KindOf(err) != fault.Usage {
			t.Errorf("timeout %q: got %v, want a Usage error", in, err)
		}
	}
	for in, ok := range map[string]bool{"1s": true, "48h": true, "2d": true, "500ms": false, "48h1s": false, "0": false} {
		if _, err := ParseExecTimeout(in); (err == nil) != ok {
			t.Errorf("exec timeout %q: got %v", in, err)
		}
	}
	if _, err := ParseTimeout("10s"); err.Error() != "timeout 10s: from 30s to 30d is possible" {
		t.Errorf("got %q", err)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1s", time.Minute: "1m", time.Hour: "1h", 90 * time.Minute: "1h30m", 48 * time.Hour: "2d", 10 * time.Second: "10s",
	} {
		if got := short(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
