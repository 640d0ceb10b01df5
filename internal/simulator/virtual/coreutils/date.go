package coreutils

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

func date(_ context.Context, p *program.Proc) int {
	f, args, st := p.Flags("uRId:r:s: utc=u universal=u date=d: iso-8601=: rfc-3339=3: rfc-email=R reference=r:")
	if st >= 0 {
		return st
	}
	now := p.Shell.Now().UTC() // nodes run on UTC
	if d := f.Value("d", ""); d != "" {
		t, ok := parseDate(d, now)
		if !ok {
			p.Errorf("invalid date '%s'", d)
			return 1
		}
		now = t.UTC()
	}
	if f.Has("s") {
		p.Errorf("cannot set date: Operation not permitted")
		return 1
	}
	if ref := f.Value("r", ""); ref != "" {
		info, err := p.Stat(ref)
		if err != nil {
			return p.FileError(ref, err)
		}
		now = info.ModTime().UTC()
	}
	format := "%a %b %e %H:%M:%S %Z %Y"
	switch {
	case f.Has("I"), f.Has("iso-8601"):
		format = "%Y-%m-%d"
		switch f.Value("iso-8601", "") {
		case "seconds", "s":
			format = "%Y-%m-%dT%H:%M:%S+00:00"
		}
	case f.Has("3"):
		format = "%Y-%m-%d %H:%M:%S+00:00"
	case f.Has("R"):
		format = "%a, %d %b %Y %H:%M:%S +0000"
	}
	if len(args) > 0 {
		if !strings.HasPrefix(args[0], "+") {
			p.Errorf("invalid date '%s'", args[0])
			return 1
		}
		format = args[0][1:]
	}
	p.Printf("%s\n", strftime(format, now))
	return 0
}

// strftime formats t; unknown directives stay as they are.
func strftime(format string, t time.Time) string {
	layouts := map[byte]string{
		'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan", 'd': "02", 'e': "_2", 'm': "01",
		'y': "06", 'Y': "2006", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'Z': "MST", 'z': "-0700",
		'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04", 'D': "01/02/06", 'r': "03:04:05 PM",
		'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05",
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		if (format[i] == '-' || format[i] == '3') && i+1 < len(format) { // %-d, %3N
			one := strftime("%"+format[i+1:i+2], t)
			if format[i] == '-' {
				one = strings.TrimLeft(one, "0 ")
				if one == "" {
					one = "0"
				}
			} else {
				one = one[:min(3, len(one))]
			}
			b.WriteString(one)
			i++
			continue
		}
		switch c := format[i]; c {
		case 's':
			b.WriteString(strconv.FormatInt(t.Unix(), 10))
		case 'N':
			fmt.Fprintf(&b, "%09d", t.Nanosecond())
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'u':
			b.WriteString(strconv.Itoa((int(t.Weekday())+6)%7 + 1))
		case 'w':
			b.WriteString(strconv.Itoa(int(t.Weekday())))
		case 'V':
			_, week := t.ISOWeek()
			fmt.Fprintf(&b, "%02d", week)
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '%':
			b.WriteByte('%')
		default:
			if layout, ok := layouts[c]; ok {
				b.WriteString(t.Format(layout))
			} else {
				b.WriteByte('%')
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}

// parseDate knows now, today, yesterday, tomorrow, @seconds, the usual ISO
// forms, and "N units ago" or "+N units".
func parseDate(text string, now time.Time) (time.Time, bool) {
	switch text {
	case "now", "today":
		return now, true
	case "yesterday":
		return now.AddDate(0, 0, -1), true
	case "tomorrow":
		return now.AddDate(0, 0, 1), true
	}
	if sec, ok := strings.CutPrefix(text, "@"); ok {
		n, err := strconv.ParseInt(sec, 10, 64)
		return time.Unix(n, 0), err == nil
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
		"Mon Jan _2 15:04:05 MST 2006", "20060102", time.RFC1123Z,
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	words := strings.Fields(strings.TrimPrefix(text, "+"))
	if len(words) < 2 {
		return now, false
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || n > 1e6 || n < -1e6 {
		return now, false
	}
	if len(words) == 3 && words[2] == "ago" {
		n = -n
	}
	switch strings.TrimSuffix(words[1], "s") {
	case "second", "sec":
		return now.Add(time.Duration(n) * time.Second), true
	case "minute", "min":
		return now.Add(time.Duration(n) * time.Minute), true
	case "hour":
		return now.Add(time.Duration(n) * time.Hour), true
	case "day":
		return now.AddDate(0, 0, n), true
	case "week":
		return now.AddDate(0, 0, 7*n), true
	case "month":
		return now.AddDate(0, n, 0), true
	case "year":
		return now.AddDate(n, 0, 0), true
	}
	return now, false
}
