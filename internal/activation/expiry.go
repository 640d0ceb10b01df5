package activation

import (
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// ParseExpiry reads when an activation is to end: a time from now (7d, 36h,
// 90m), a time (2026-12-01T08:00:00Z) or a day (2026-12-01), which counts to its
// end where we are. The empty string is the service's own 24 hours.
func ParseExpiry(s string, now time.Time) (time.Time, error) {
	bad := fault.Usagef("--expires %q is not a time", s).WithHint("write 7d or 36h from now, a day such as 2026-12-01, or 2026-12-01T08:00:00Z")
	if s == "" {
		return now.Add(DefaultLife).Truncate(time.Second), nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 10_000 {
			return time.Time{}, bad
		}
		return now.Add(time.Duration(n) * 24 * time.Hour).Truncate(time.Second), nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return now.Add(d).Truncate(time.Second), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Second), nil
	}
	return time.Time{}, bad
}
