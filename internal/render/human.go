package render

import (
	"fmt"
	"strconv"
	"time"
)

// Timestamp is t for machines: RFC 3339 in UTC, to the second. The zero time is
// "".
func Timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Local is t for people: date, time and zone in loc (nil: time.Local). The zero
// time is "".
func Local(t time.Time, loc *time.Location) string {
	if t.IsZero() {
		return ""
	}
	if loc == nil {
		loc = time.Local
	}
	return t.In(loc).Format("2006-01-02 15:04:05 MST")
}

// Ago is t relative to now, in one unit, rounded down: "just now", "40 s ago",
// "3 min ago", "2 h ago", "in 5 d". The zero time is "".
func Ago(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := now.Sub(t)
	switch {
	case d > -time.Second && d < 5*time.Second: // a clock that ticks once a second is a little behind
		return "just now"
	case d < 0:
		return "in " + coarse(-d)
	default:
		return coarse(d) + " ago"
	}
}

// aheadBy is how far a clock may be ahead of ours before it is told: AWS itself turns
// away who is off by more.
const aheadBy = 5 * time.Minute

// Since is Ago of what has happened: a clock that is a little ahead of ours does not
// put it into the future. One that is far ahead does, and nothing is said to be new
// because of it.
func Since(now, t time.Time) string {
	if t.After(now) && t.Sub(now) <= aheadBy {
		t = now
	}
	return Ago(now, t)
}

const (
	day   = 24 * time.Hour
	month = 30 * day // for ages, near enough
	year  = 365 * day
)

func coarse(d time.Duration) string {
	in := func(unit time.Duration, name string) string { return strconv.FormatInt(int64(d/unit), 10) + " " + name }
	switch {
	case d < time.Minute:
		return in(time.Second, "s")
	case d < time.Hour:
		return in(time.Minute, "min")
	case d < 2*day:
		return in(time.Hour, "h")
	case d < 2*month:
		return in(day, "d")
	case d < 2*year:
		return in(month, "months")
	default:
		return in(year, "years")
	}
}

// Duration is d for people, in at most two units: "450 ms", "1.2 s", "42 s",
// "3 min 5 s", "2 h 10 min", "3 d 4 h". A negative d has a minus sign.
func Duration(d time.Duration) string {
	if d < 0 {
		if d == -1<<63 {
			d++ // its negative does not exist
		}
		return "-" + Duration(-d)
	}
	two := func(big, small time.Duration, bigName, smallName string) string {
		s := fmt.Sprintf("%d %s", d/big, bigName)
		if rest := d % big / small; rest > 0 {
			s += fmt.Sprintf(" %d %s", rest, smallName)
		}
		return s
	}
	switch {
	case d < time.Millisecond && d > 0:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%d.%d s", d/time.Second, d%time.Second/(100*time.Millisecond))
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return two(time.Minute, time.Second, "min", "s")
	case d < day:
		return two(time.Hour, time.Minute, "h", "min")
	default:
		return two(day, time.Hour, "d", "h")
	}
}

// Bytes is n for people, in binary units: "512 B", "1.5 KiB", "230 MiB". A
// negative n has a minus sign.
func Bytes(n int64) string {
	if n < 0 {
		if n == -1<<63 {
			n++
		}
		return "-" + Bytes(-n)
	}
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v := float64(n)
	for _, unit := range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		// 1023.5 and more would be shown as 1024 of this unit.
		if v /= 1024; v < 1023.5 {
			return size(v) + " " + unit
		}
	}
	return size(v/1024) + " EiB"
}

func size(v float64) string {
	if v < 99.95 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
