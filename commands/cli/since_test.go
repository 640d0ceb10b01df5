package cli

import (
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestSince(t *testing.T) {
	here := time.FixedZone("here", 2*60*60)
	now := time.Date(2026, 3, 15, 12, 0, 0, 0, here)
	for text, want := range map[SinceFlag]time.Time{
		"":                     {},
		"10m":                  now.Add(-10 * time.Minute),
		"1h30m":                now.Add(-90 * time.Minute),
		"7d":                   time.Date(2026, 3, 8, 12, 0, 0, 0, here),
		"2026-03-01":           time.Date(2026, 3, 1, 0, 0, 0, 0, here),
		"2026-03-01T08:00:00Z": time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
	} {
		if got, err := text.Time(now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []SinceFlag{"yesterday", "-1h", "0s", "0d", "-3d", "d", "2026-03-16", "2026-13-01", "7"} {
		if got, err := text.Time(now); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}
