package run

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// RateControl is a limit of Run Command: a number of nodes, or a percentage of
// them. The zero value means "as the service does by default".
type RateControl struct {
	N       int
	Percent bool
	set     bool
}

// Patterns and the length of 7 characters: API model, types MaxConcurrency and
// MaxErrors.
var (
	concurrencyPattern = pattern.Lazy(`^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$`)
	errorsPattern      = pattern.Lazy(`^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$`)
)

const rateLength = 7

// ParseConcurrency reads how many nodes may run at a time: "10" or "10%".
// Anything else is a Usage error that shows both forms; "" is the zero value.
func ParseConcurrency(s string) (RateControl, error) {
	if s != "" && (len(s) > rateLength || !concurrencyPattern().MatchString(s)) {
		return RateControl{}, fault.Usagef("concurrency %q: give a number of nodes such as 10, or a percentage such as 10%% (1%% to 100%%)", s)
	}
	return rateControl(s), nil
}

// ParseMaxErrors reads how many nodes may fail before no more are started: "0",
// "10" or "10%". Anything else is a Usage error that shows both forms; "" is the
// zero value.
func ParseMaxErrors(s string) (RateControl, error) {
	if s != "" && (len(s) > rateLength || !errorsPattern().MatchString(s)) {
		return RateControl{}, fault.Usagef("max errors %q: give a number of nodes such as 0 or 10, or a percentage such as 10%% (0%% to 100%%)", s)
	}
	return rateControl(s), nil
}

func rateControl(s string) RateControl {
	number, percent := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(number)
	if err != nil {
		return RateControl{} // "": the patterns leave nothing else
	}
	return RateControl{N: n, Percent: percent, set: true}
}

// String returns the form the API takes, or "" for the zero value.
func (r RateControl) String() string {
	switch {
	case !r.set:
		return ""
	case r.Percent:
		return strconv.Itoa(r.N) + "%"
	default:
		return strconv.Itoa(r.N)
	}
}

// Of returns the limit as a number of nodes out of total, rounded down. The
// zero value gives otherwise.
func (r RateControl) Of(total, otherwise int) int {
	switch {
	case !r.set:
		return otherwise
	case r.Percent:
		return total * r.N / 100
	default:
		return r.N
	}
}

// The ranges of the two times a command has.
const (
	minDelivery  = 30 * time.Second    // API model: TimeoutSeconds 30…
	maxDelivery  = 30 * 24 * time.Hour // …2,592,000
	minExecution = time.Second
	maxExecution = 48 * time.Hour // AWS-RunShellScript, executionTimeout: at most 172800
)

// ParseTimeout reads how long a command may wait for a node to take it: 30s to
// 30d. Days (d) are known besides the units of Go; a bare number is seconds.
// Anything else is a Usage error; "" is 0, the service's default.
func ParseTimeout(s string) (time.Duration, error) {
	return parseRange("timeout", s, minDelivery, maxDelivery)
}

// ParseExecTimeout reads how long the script may run on a node: 1s to 48h, in
// the forms of ParseTimeout.
func ParseExecTimeout(s string) (time.Duration, error) {
	return parseRange("exec-timeout", s, minExecution, maxExecution)
}

func parseRange(name, s string, low, high time.Duration) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, ok := parseDuration(s)
	if !ok {
		return 0, fault.Usagef("%s %q: give a time such as 90s, 10m, 2h or 1d", name, s)
	}
	return d, checkRange(name, d, low, high)
}

func checkRange(name string, d, low, high time.Duration) error {
	if d < low || d > high {
		return fault.Usagef("%s %s: from %s to %s is possible", name, short(d), short(low), short(high))
	}
	return nil
}

// parseDuration adds days and bare seconds to time.ParseDuration.
func parseDuration(s string) (time.Duration, bool) {
	var days time.Duration
	rest := s
	if number, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return 0, false
		}
		days, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest == "" {
		return days, s != ""
	}
	if n, err := strconv.ParseUint(rest, 10, 32); err == nil {
		return days + time.Duration(n)*time.Second, rest == s
	}
	d, err := time.ParseDuration(rest)
	return days + d, err == nil && d >= 0
}

// short writes whole days as days and drops the zero parts Go writes.
func short(d time.Duration) string {
	if d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if trimmed, ok := strings.CutSuffix(s, zero); ok {
			s = trimmed + zero[:1]
		}
	}
	return s
}

// seconds rounds up: a limit is never made shorter than asked.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
