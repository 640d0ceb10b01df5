package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

// macros are the names that Unix cron has for common schedules.
var macros = map[string]string{
	"@hourly": "cron(0 * * * ? *)", "@daily": "cron(0 0 * * ? *)", "@midnight": "cron(0 0 * * ? *)",
	"@weekly": "cron(0 0 ? * SUN *)", "@monthly": "cron(0 0 1 * ? *)", "@yearly": "cron(0 0 1 1 ? *)", "@annually": "cron(0 0 1 1 ? *)",
}

// fromUnix writes five fields of Unix cron in this dialect. It cannot where both
// fields for days are set: Unix means either, and here one must be "?".
func fromUnix(f []string) (string, bool) {
	month, week := f[2], f[4]
	if strings.Contains(strings.Join(f, ""), "?") {
		return "", false
	}
	switch {
	case month == "*" && week == "*":
		week = "?"
	case month == "*":
		var ok bool
		if week, ok = unixWeekdays(week); !ok {
			return "", false
		}
		month = "?"
	case week == "*":
		week = "?"
	default:
		return "", false
	}
	text := fmt.Sprintf("cron(%s %s %s %s %s *)", f[0], f[1], month, f[3], week)
	if _, err := Parse(text, Options{Stored: true}); err != nil {
		return "", false
	}
	return text, true
}

// unixWeekdays writes the days 0 to 7 of Unix, where 0 and 7 are Sunday, by name.
func unixWeekdays(list string) (string, bool) {
	var out []string
	for item := range strings.SplitSeq(list, ",") {
		span, step, stepped := strings.Cut(item, "/")
		low, high, ranged := strings.Cut(span, "-")
		a, ok := unixDay(low)
		if span == "*" && stepped {
			out = append(out, item)
			continue
		}
		if !ok {
			return "", false
		}
		text := dayNames[a]
		if ranged {
			b, ok := unixDay(high)
			if !ok {
				return "", false
			}
			switch {
			case b < a && b == 0: // MON-SUN by 1-7
				text = dayNames[a] + "-SAT,SUN"
				if a == 1 && !stepped {
					return "*", true
				}
			case b < a:
				return "", false
			default:
				text = dayNames[a] + "-" + dayNames[b]
			}
		}
		if stepped {
			text += "/" + step
		}
		out = append(out, text)
	}
	return strings.Join(out, ","), true
}

func unixDay(text string) (int, bool) {
	for i, name := range dayNames {
		if strings.EqualFold(name, text) {
			return i, true
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 7 {
		return 0, false
	}
	return n % 7, true
}

// oldForm reports whether six fields are seconds minutes hours day month weekday:
// then the question mark stands where it cannot otherwise.
func oldForm(words []word) bool {
	return (words[3].text == "?" || words[5].text == "?") && words[2].text != "?" && words[4].text != "?"
}

// fromOld writes six fields of the old form in the present one.
func fromOld(words []word) string {
	texts := make([]string, 0, 7)
	for _, w := range words {
		texts = append(texts, w.text)
	}
	if texts[0] == "0" {
		texts = texts[1:]
	}
	return fmt.Sprintf("cron(%s *)", strings.Join(texts, " "))
}
