package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// spec is what one field of a cron expression may hold.
type spec struct {
	name     string
	min, max int
	names    []string // of min and the following
}

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

	specSeconds = spec{name: "seconds", max: 59}
	specMinutes = spec{name: "minutes", max: 59}
	specHours   = spec{name: "hours", max: 23}
	specDay     = spec{name: "day-of-month", min: 1, max: 31}
	specMonth   = spec{name: "month", min: 1, max: 12, names: monthNames}
	specWeekday = spec{name: "day-of-week", min: 1, max: 7, names: dayNames}
	specYear    = spec{name: "year", min: 1970, max: lastYear}
)

// set is some of the values of a field, counted from its least.
type set [4]uint64

func (s *set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *set) has(i int) bool { return i >= 0 && i < 256 && s[i/64]&(1<<(i%64)) != 0 }

// values lists what a set holds.
func (s *set) values(least int) []int {
	var all []int
	for i := range 256 {
		if s.has(i) {
			all = append(all, i+least)
		}
	}
	return all
}

// fields is a cron expression that was read. The lists are sorted.
type fields struct {
	seconds, minutes, hours []int
	months                  set // from 1
	years                   set // from 1970
	days                    days

	allMonths, allYears bool
}

// cron reads what stands in cron(…).
func (p *parser) cron(inner word) *fields {
	words := inner.split()
	for _, w := range words {
		if strings.HasSuffix(w.text, ",") && len(w.text) > 1 {
			p.fault(w.cut(len(w.text)-1, len(w.text)), "", "separate fields with spaces only", "a comma ends this field")
			return nil
		}
	}
	var seconds, year word
	switch {
	case len(words) == 7:
		seconds, words, year = words[0], words[1:6], words[6]
	case len(words) == 6 && oldForm(words):
		if !p.o.Stored {
			p.fault(inner, "", "write "+fromOld(words), "this is seconds first and no year, as the service once documented it")
			return nil
		}
		seconds, words, year = words[0], words[1:6], word{"*", inner.pos + len(inner.text)}
	case len(words) == 6:
		seconds, words, year = word{"0", inner.pos}, words[:5], words[5]
	case len(words) == 5:
		texts := make([]string, 5)
		for i, w := range words {
			texts[i] = w.text
		}
		hint := "there are six: minutes hours day-of-month month day-of-week year"
		if converted, ok := fromUnix(texts); ok {
			hint = fmt.Sprintf("five fields are Unix cron; the same here is %s", converted)
		} else if strings.Contains(strings.Join(texts, " "), "?") {
			hint = fmt.Sprintf("add the year: cron(%s *)", strings.Join(texts, " "))
		}
		p.fault(word{"", inner.pos + len(inner.text)}, "year", hint, "it is missing: there are five fields")
		return nil
	default:
		p.fault(inner, "", "minutes hours day-of-month month day-of-week year; seconds may stand in front", "a cron expression has six fields, and this has %d", len(words))
		return nil
	}
	var f fields
	read := func(w word, s spec) set {
		got, _ := p.field(w, s)
		return got
	}
	second, minute, hour := read(seconds, specSeconds), read(words[0], specMinutes), read(words[1], specHours)
	f.seconds, f.minutes, f.hours = second.values(0), minute.values(0), hour.values(0)
	f.days = p.days(words[2], words[4])
	f.months, f.allMonths = p.field(words[3], specMonth)
	f.years, f.allYears = p.field(year, specYear)
	if len(p.faults) > 0 || p.o.Stored {
		return &f
	}
	if p.o.For == Association {
		p.association(&f, seconds, words)
	}
	p.often(&f, seconds, words[0])
	return &f
}

// field reads a list of values, ranges and steps. all means every value by "*".
func (p *parser) field(w word, s spec) (got set, all bool) {
	if w.text == "*" {
		for i := range s.max - s.min + 1 {
			got.add(i)
		}
		return got, true
	}
	from := 0
	for from <= len(w.text) {
		to := len(w.text)
		if comma := strings.IndexByte(w.text[from:], ','); comma >= 0 {
			to = from + comma
		}
		p.item(w.cut(from, to), s, &got)
		from = to + 1
	}
	return got, false
}

// item reads a value, a range, or one of them with a step.
func (p *parser) item(w word, s spec, got *set) {
	text := w.text
	step, hasStep := 1, false
	if slash := strings.IndexByte(text, '/'); slash >= 0 {
		hasStep = true
		by := w.cut(slash+1, len(text))
		n, err := strconv.Atoi(by.text)
		switch {
		case err != nil || !digitsOnly(by.text) || n < 1:
			p.fault(by, s.name, "", "the step %q is no number of 1 or more", by.text)
			return
		case n > s.max && !p.o.Stored:
			p.fault(by, s.name, "", "a step is 1 to %d", s.max)
			return
		case n > s.max-s.min:
			p.warn("%s: a step of %d is longer than the field, which goes from %d to %d: only the first value counts", s.name, n, s.min, s.max)
		}
		step, w = n, w.cut(0, slash)
		text = w.text
		if text == "" && p.o.Stored {
			text = "*"
		}
	}
	low, high := s.min, s.max
	switch dash := strings.IndexByte(text, '-'); {
	case text == "*":
	case dash > 0:
		var ok, ok2 bool
		low, ok = p.value(w.cut(0, dash), s)
		high, ok2 = p.value(w.cut(dash+1, len(text)), s)
		if !ok || !ok2 {
			return
		}
		if low > high {
			if !p.o.Stored {
				p.fault(w, s.name, fmt.Sprintf("write %s-%s,%s-%s", s.show(low), s.show(s.max), s.show(s.min), s.show(high)), "a range goes upwards, and %s is after %s", s.show(low), s.show(high))
				return
			}
			high += s.max - s.min + 1
		}
	default:
		v, ok := p.value(w, s)
		if !ok {
			return
		}
		low = v
		if !hasStep {
			high = v
		}
	}
	for v := low; v <= high; v += step {
		got.add((v - s.min) % (s.max - s.min + 1))
	}
}

// show is a value as it is written.
func (s spec) show(v int) string {
	if s.names != nil {
		return s.names[v-s.min]
	}
	return strconv.Itoa(v)
}

// value reads one value.
func (p *parser) value(w word, s spec) (int, bool) {
	if i := slices.Index(s.names, strings.ToUpper(w.text)); i >= 0 {
		return s.min + i, true
	}
	if digitsOnly(w.text) && len(w.text) <= 4 {
		v, _ := strconv.Atoi(w.text)
		switch {
		case v >= s.min && v <= s.max:
			return v, true
		case v == 0 && s.name == specWeekday.name:
			p.fault(w, s.name, "write SUN: days are 1 (SUN) to 7 (SAT) here", "there is no day 0")
		default:
			p.fault(w, s.name, "", "%s is not %d to %d", w.text, s.min, s.max)
		}
		return 0, false
	}
	hint := ""
	switch upper := strings.ToUpper(w.text); {
	case w.text == "?":
		hint = "only day-of-month or day-of-week may be ?"
	case len(s.names) > 0 && len(upper) > 3 && slices.Contains(s.names, upper[:3]):
		hint = "write " + upper[:3]
	case len(s.names) > 0:
		hint = fmt.Sprintf("%d to %d or %s to %s", s.min, s.max, s.names[0], s.names[len(s.names)-1])
		if near := fault.Nearest(w.text, s.names); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
	}
	switch {
	case w.text == "":
		p.fault(w, s.name, hint, "a value is missing")
	default:
		p.fault(w, s.name, hint, "%q is no value of it", w.text)
	}
	return 0, false
}

// often refuses what runs more often than every five minutes.
func (p *parser) often(f *fields, seconds, minutes word) {
	if len(p.faults) > 0 {
		return
	}
	where, field := minutes, specMinutes.name
	if len(f.seconds) > 1 {
		where, field = seconds, specSeconds.name
	}
	first, last := -1, -1
	for _, h := range f.hours {
		for _, m := range f.minutes {
			for _, s := range f.seconds {
				at := h*3600 + m*60 + s
				if first < 0 {
					first = at
				}
				if last >= 0 && at-last < int(floor/time.Second) {
					p.fault(where, field, "for example 0/5", "it would run %s apart, and the service takes 5 minutes or more", time.Duration(at-last)*time.Second)
					return
				}
				last = at
			}
		}
	}
	if gap := 86400 - last + first; first >= 0 && gap < int(floor/time.Second) && f.days.adjacent() {
		p.fault(where, field, "", "over midnight it would run %s apart, and the service takes 5 minutes or more", time.Duration(gap)*time.Second)
	}
}

// runs refuses what never runs, and warns of months without the day.
func (p *parser) runs(s *Schedule) {
	endless := *s
	endless.options = Options{}
	if _, ok := endless.nextCron(time.Unix(0, 0).AddDate(0, 0, -1)); !ok {
		p.fault(word{s.text, strings.Index(p.text, s.text)}, "", "", "no day is all that these fields say: it would never run")
		return
	}
	switch d := s.fields.days; {
	case d.nth == 5:
		p.warn("months with four %ss have no run", d.weekday)
	case d.nearest > 28:
		p.warn("the service does not say what %dW is in months without such a day; it is read as the last weekday", d.nearest)
	case d.monthly != 0 && d.monthly&(1<<29-1) == 0 && s.fields.shortMonths():
		p.warn("months without such a day have no run; L is the last day of every month")
	}
}

// shortMonths reports whether a month is meant that has none of the days.
func (f *fields) shortMonths() bool {
	for month := time.January; month <= time.December; month++ {
		if f.months.has(int(month)-1) && f.days.of(2025, month) == 0 {
			return true
		}
	}
	return false
}
