package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// maxText is the length limit of Schedule, from the API model.
const maxText = 256

// floor is how often a schedule may run: "cron expressions that lead to rates
// faster than five minutes are not supported".
const floor = 5 * time.Minute

// form finds out which form an expression has and what stands in its brackets. The
// kind is "" after a fault.
func (p *parser) form() (Kind, word) {
	trimmed := strings.TrimSpace(p.text)
	whole := word{trimmed, strings.Index(p.text, trimmed)}
	switch {
	case trimmed == "":
		p.fault(whole, "", "write for example cron(0 2 ? * SUN *), rate(7 days) or at(2026-07-05T02:00:00)", "a schedule is missing")
		return "", whole
	case len(p.text) > maxText:
		p.fault(word{whole.text, whole.pos}, "", "", "%d characters are more than the %d that the service takes", len(p.text), maxText)
		return "", whole
	}
	open := strings.IndexByte(trimmed, '(')
	if open < 0 {
		p.fault(whole, "", bare(trimmed), "a schedule is cron(…), rate(…) or at(…)")
		return "", whole
	}
	name := whole.cut(0, open)
	kind := Kind(name.text)
	if kind != Cron && kind != Rate && kind != At {
		hint := "it is cron(…), rate(…) or at(…)"
		if near := fault.Nearest(strings.TrimSpace(name.text), []string{"cron", "rate", "at"}); near != "" {
			hint = fmt.Sprintf("write %s%s", near, trimmed[open:])
		}
		p.fault(name, "", hint, "%q is no form of a schedule", name.text)
		return "", whole
	}
	if !strings.HasSuffix(trimmed, ")") || strings.Count(trimmed, ")") != 1 || strings.Count(trimmed, "(") != 1 {
		inner := strings.TrimSpace(strings.NewReplacer("(", "", ")", "").Replace(trimmed[open:]))
		p.fault(whole.cut(open, len(trimmed)), "", fmt.Sprintf("write %s(%s)", kind, inner), "one pair of brackets belongs around it, and nothing after it")
		return "", whole
	}
	return kind, whole.cut(open+1, len(trimmed)-1)
}

// bare is the hint for text without brackets.
func bare(text string) string {
	fields := strings.Fields(text)
	if macro, ok := macros[strings.ToLower(text)]; ok {
		return "write " + macro
	}
	if len(fields) == 5 {
		if converted, ok := fromUnix(fields); ok {
			return fmt.Sprintf("five fields are Unix cron; the same here is %s", converted)
		}
	}
	if len(fields) == 6 || len(fields) == 7 {
		return fmt.Sprintf("write cron(%s)", text)
	}
	if _, err := time.Parse(atLayout, text); err == nil {
		return fmt.Sprintf("write at(%s)", text)
	}
	if words := strings.Fields(strings.TrimPrefix(strings.ToLower(text), "every ")); len(words) > 0 && len(words) <= 2 {
		n, unit := 1, words[len(words)-1]
		if len(words) == 2 {
			n, _ = strconv.Atoi(words[0])
		}
		if singular := strings.TrimSuffix(unit, "s"); n > 0 && units[singular] > 0 {
			return "write " + rateText(n, singular)
		}
	}
	return "for example cron(0 2 ? * SUN *), rate(7 days) or at(2026-07-05T02:00:00)"
}

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

func rateText(n int, singular string) string {
	if n == 1 {
		return fmt.Sprintf("rate(1 %s)", singular)
	}
	return fmt.Sprintf("rate(%d %ss)", n, singular)
}

// maxRate is far beyond use, and keeps counting in bounds.
const maxRate = 36500 // days

// rate reads what stands in rate(…).
func (p *parser) rate(inner word) time.Duration {
	words := inner.split()
	if len(words) != 2 {
		hint := "for example rate(7 days)"
		if len(words) == 1 {
			digits := strings.TrimRight(words[0].text, "abcdefghijklmnopqrstuvwxyz")
			long := map[string]string{"m": "minute", "min": "minute", "h": "hour", "d": "day", "": "day"}
			unit := strings.TrimSuffix(strings.TrimPrefix(words[0].text, digits), "s")
			if full, ok := long[unit]; ok {
				unit = full
			}
			if n, err := strconv.Atoi(digits); err == nil && n > 0 && units[unit] > 0 {
				hint = "write " + rateText(n, unit)
			}
		}
		p.fault(inner, "", hint, "a rate is a number and a unit")
		return 0
	}
	number, unit := words[0], words[1]
	singular := strings.TrimSuffix(unit.text, "s")
	length, known := units[singular]
	if !known {
		hint := "units are minute, hour and day, with an s unless the number is 1"
		n, err := strconv.Atoi(number.text)
		switch near := fault.Nearest(strings.TrimSuffix(strings.ToLower(unit.text), "s"), []string{"minute", "hour", "day"}); {
		case err == nil && n > 0 && strings.EqualFold(strings.TrimSuffix(strings.ToLower(unit.text), "s"), "week"):
			hint = "write " + rateText(7*n, "day")
		case err == nil && n > 0 && near != "":
			hint = "write " + rateText(n, near)
		}
		p.fault(unit, "", hint, "%q is no unit of a rate", unit.text)
	}
	n, err := strconv.Atoi(number.text)
	if err != nil || n < 1 || !digitsOnly(number.text) {
		p.fault(number, "", "", "%q is no number of 1 or more", number.text)
		return 0
	}
	if !known {
		return 0
	}
	if n > maxRate {
		p.fault(number, "", "", "%d %ss are more than a schedule can wait", n, singular)
		return 0
	}
	if plural := singular != unit.text; plural == (n == 1) {
		p.fault(unit, "", "write "+rateText(n, singular), "the unit is singular for 1, and plural for more")
	}
	every := time.Duration(n) * length
	if p.o.Stored {
		return every
	}
	switch {
	case p.o.For == Association && every < 30*time.Minute:
		p.fault(inner, "", "write rate(30 minutes) or longer", "an association runs at most every 30 minutes")
	case p.o.For == Association && every >= 31*24*time.Hour:
		p.fault(inner, "", "write rate(30 days) or less", "an association runs at least every 30 days")
	case every < floor:
		p.fault(inner, "", "write rate(5 minutes) or longer", "a window runs at most every 5 minutes")
	}
	return every
}

// atLayout is the form of the time in at(…).
const atLayout = "2006-01-02T15:04:05"

// at reads what stands in at(…).
func (p *parser) at(inner word, zone *time.Location) time.Time {
	text := strings.TrimSpace(inner.text)
	t, err := time.ParseInLocation(atLayout, text, time.UTC)
	if err != nil || len(text) != len(atLayout) {
		hint := "for example at(2026-07-05T02:00:00)"
		if full, err := time.Parse(time.RFC3339, text); err == nil {
			hint = fmt.Sprintf("it is in UTC and takes no zone: write at(%s)", full.UTC().Format(atLayout))
		} else {
			for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
				if near, err := time.Parse(layout, text); err == nil {
					hint = fmt.Sprintf("write at(%s)", near.Format(atLayout))
				}
			}
		}
		p.fault(inner, "", hint, "%q is no time of the form yyyy-mm-ddThh:mm:ss", text)
		return time.Time{}
	}
	if zone != time.UTC {
		p.warn("at(…) is a time in UTC, whatever the time zone: it runs at %s", t.In(zone).Format("2006-01-02 15:04 MST"))
	}
	return t
}

// rest checks what stands beside the expression.
func (p *parser) rest(kind Kind) {
	add := func(in Input, hint, format string, args ...any) {
		p.faults = append(p.faults, Fault{Input: in, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	o := p.o
	switch {
	case o.Offset < 0 || o.Offset > MaxOffset:
		add(Offset, "", "%d is not 1 to %d days", o.Offset, MaxOffset)
	case o.Offset > 0 && (kind == Rate || kind == At):
		add(Offset, "leave the offset out, or write a cron(…) schedule", "only cron schedules take an offset, and this is %s(…)", kind)
	}
	if !o.Stored && !o.Start.IsZero() && !o.End.IsZero() && !o.End.After(o.Start) {
		add(Period, "", "the end %s is not after the start %s", o.End.Format(time.RFC3339), o.Start.Format(time.RFC3339))
	}
	if o.For == Association && o.Zone != "" && o.Zone != "UTC" {
		add(Zone, "write the times in UTC", "associations run in UTC and take no time zone")
	}
}

func digitsOnly(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
