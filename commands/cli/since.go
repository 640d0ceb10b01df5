package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// SinceFlag is --since of a command: what is older is left out.
type SinceFlag string

// Bind adds the flag; what are the rows in the words of its help.
func (s *SinceFlag) Bind(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar((*string)(s), "since", "", "only "+what+" since `time`: 24h or 7d ago, 2026-03-01, 2026-03-01T08:00:00Z")
	CompleteFlag(cmd, "since", func() []string { return []string{"1h", "24h", "7d"} })
}

// Time returns the moment that is meant, the zero time without the flag. A day is
// its first moment here.
func (s SinceFlag) Time(now time.Time) (time.Time, error) {
	text := string(s)
	if text == "" {
		return time.Time{}, nil
	}
	if n, ok := Days(text); ok {
		return now.AddDate(0, 0, -n), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		at, err := time.ParseInLocation(layout, text, now.Location())
		switch {
		case err != nil:
		case at.After(now):
			return time.Time{}, fault.Usagef("--since %s has not come yet", text)
		default:
			return at, nil
		}
	}
	return time.Time{}, fault.Usagef("--since %q is no time that has passed", text).
		WithHint("write 10m, 24h or 7d for so long ago, a day as 2026-03-01, or a time as 2026-03-01T08:00:00Z")
}

// Days reads a number of days, 7d.
func Days(text string) (n int, ok bool) {
	number, ok := strings.CutSuffix(text, "d")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(number)
	return n, err == nil && n > 0 && n < 100_000
}

// ParseAge reads an age: 90m, 36h, 7d; 0 is none.
func ParseAge(flag, text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	if n, ok := Days(text); ok {
		return time.Duration(n) * 24 * time.Hour, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, fault.Usagef("--%s %q is not an age", flag, text).WithHint("write 36h or 7d")
}
