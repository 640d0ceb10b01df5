package schedule

import (
	"strconv"
	"strings"
	"time"
)

// days is which days of a month are meant. One of its forms is set.
type days struct {
	every    bool   // * in one field, ? in the other
	monthly  uint32 // bit n: day n of the month
	weekly   uint8  // bit n: day n of the week, Sunday is 0
	last     bool   // the last day of the month, back days before it
	back     int
	nearest  int  // the weekday nearest to this day of the month
	lastWork bool // the last weekday of the month
	nth      int  // the nth of a day of the week; -1 the last
	weekday  time.Weekday
}

// days reads the two fields for days. One of them is "?".
func (p *parser) days(month, week word) days {
	switch m, w := month.text == "?", week.text == "?"; {
	case m && w:
		p.fault(week, specWeekday.name, "write * in one of them", "both fields for days are ?, and one must say which")
		return days{}
	case !m && !w:
		where, field, hint := week, specWeekday.name, "write ? in day-of-week"
		switch {
		case week.text != "*" && month.text == "*":
			where, field, hint = month, specDay.name, "write ? in day-of-month"
		case week.text != "*":
			hint = "write ? in one of them; two windows can do both"
		}
		p.fault(where, field, hint, "one of the two fields for days must be ?")
		// What else is wrong in them is worth knowing in the same breath.
		p.weekdays(week)
		p.monthdays(month)
		return days{}
	case m:
		return p.weekdays(week)
	}
	return p.monthdays(month)
}

func (p *parser) monthdays(w word) days {
	text := p.special(w, specDay.name)
	switch {
	case text == "*":
		return days{every: true}
	case text == "L":
		return days{last: true}
	case (text == "LW" || strings.HasPrefix(text, "L-")) && !p.o.Stored:
		p.fault(w, specDay.name, "L is the last day, and 15W the weekday nearest to the 15th", "the service does not document %s", w.text)
		return days{}
	case text == "LW":
		return days{lastWork: true}
	case strings.HasPrefix(text, "L-"):
		back, err := strconv.Atoi(text[2:])
		if err != nil || !digitsOnly(text[2:]) || back < 1 || back > 30 {
			p.fault(w, specDay.name, "L-3 is three days before the last", "%q is not L- and 1 to 30 days", w.text)
			return days{}
		}
		return days{last: true, back: back}
	case strings.HasSuffix(text, "W") && digitsOnly(text[:len(text)-1]):
		day, ok := p.value(w.cut(0, len(text)-1), specDay)
		if !ok {
			return days{}
		}
		return days{nearest: day}
	case strings.ContainsAny(text, "LW"):
		p.fault(w, specDay.name, "L and 15W stand alone in the field", "%q mixes L or W with something else", w.text)
		return days{}
	}
	got, _ := p.field(w, specDay)
	var d days
	for _, v := range got.values(1) {
		d.monthly |= 1 << v
	}
	return d
}

// special is a field for days in capitals. L and W are documented as such only.
func (p *parser) special(w word, field string) string {
	text := strings.ToUpper(w.text)
	if p.o.Stored || text == w.text {
		return text
	}
	if last := w.text[len(w.text)-1]; last == 'l' || last == 'w' || strings.HasPrefix(w.text, "l-") || strings.HasPrefix(w.text, "lw") {
		p.fault(w, field, "write "+text, "L and W are written in capitals")
	}
	return text
}

func (p *parser) weekdays(w word) days {
	text := p.special(w, specWeekday.name)
	switch hash := strings.IndexByte(text, '#'); {
	case text == "*":
		return days{every: true}
	case text == "L": // the last day of the week
		return days{weekly: 1 << time.Saturday}
	case hash >= 0 && strings.ContainsAny(text, ",") || strings.Count(text, "#") > 1:
		p.fault(w, specWeekday.name, "use two windows, or a list without #", "# takes one day only")
		return days{}
	case hash >= 0:
		day, ok := p.value(w.cut(0, hash), specWeekday)
		n, err := strconv.Atoi(text[hash+1:])
		if err != nil || !digitsOnly(text[hash+1:]) || n < 1 || n > 5 {
			p.fault(w.cut(hash+1, len(text)), specWeekday.name, "THU#3 is the third Thursday of a month", "%q is not 1 to 5", w.text[hash+1:])
			return days{}
		}
		if !ok {
			return days{}
		}
		p.number(w, day)
		return days{nth: n, weekday: time.Weekday(day - 1)}
	case strings.HasSuffix(text, "L") && !strings.ContainsAny(text, ",-/"):
		day, ok := p.value(w.cut(0, len(text)-1), specWeekday)
		if !ok {
			return days{}
		}
		p.number(w, day)
		return days{nth: -1, weekday: time.Weekday(day - 1)}
	}
	got, _ := p.field(w, specWeekday)
	var d days
	for _, v := range got.values(0) {
		d.weekly |= 1 << v
	}
	if day := got.values(1); len(day) == 1 {
		p.number(w, day[0])
	}
	return d
}

// number warns of a day that is written as a number: other dialects count others.
func (p *parser) number(w word, day int) {
	if w.text[0] >= '0' && w.text[0] <= '9' {
		p.warn("day-of-week %s means %s: days are 1 (SUN) to 7 (SAT); write %s to be sure", w.text, time.Weekday(day-1), dayNames[day-1])
	}
}

// of returns the days of a month that are meant, bit n for day n.
func (d *days) of(year int, month time.Month) uint32 {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	length := first.AddDate(0, 1, -1).Day()
	all := uint32(1)<<(length+1) - 2
	begins := first.Weekday() // day n is the weekday (begins+n-1)%7
	on := func(day int) time.Weekday { return (begins + time.Weekday(day-1)) % 7 }
	bit := func(day int) uint32 {
		if day < 1 || day > length {
			return 0
		}
		return 1 << day
	}
	switch {
	case d.every:
		return all
	case d.last:
		return bit(length - d.back)
	case d.lastWork:
		day := length
		for on(day) == time.Saturday || on(day) == time.Sunday {
			day--
		}
		return bit(day)
	case d.nearest > 0:
		day := min(d.nearest, length)
		return bit(nearestWorkday(day, length, on(day)))
	case d.nth > 0:
		return bit(1 + int((d.weekday-begins+7)%7) + 7*(d.nth-1))
	case d.nth < 0:
		return bit(length - int((on(length)-d.weekday+7)%7))
	case d.weekly != 0:
		var some uint32
		for day := 1; day <= length; day++ {
			if d.weekly&(1<<on(day)) != 0 {
				some |= 1 << day
			}
		}
		return some
	}
	return d.monthly & all
}

// nearestWorkday is the day from Monday to Friday that is nearest to a day, within
// its month.
func nearestWorkday(day, length int, on time.Weekday) int {
	switch {
	case on == time.Saturday && day == 1:
		return 3
	case on == time.Saturday:
		return day - 1
	case on == time.Sunday && day == length:
		return day - 2
	case on == time.Sunday:
		return day + 1
	}
	return day
}

// adjacent reports whether two days that follow each other can both be meant.
func (d *days) adjacent() bool {
	week := uint16(d.weekly) | uint16(d.weekly&1)<<7
	month := d.monthly
	if month&(1<<28|1<<29|1<<30|1<<31) != 0 && month&(1<<1) != 0 {
		return true
	}
	return d.every || week&(week>>1) != 0 || month&(month>>1) != 0
}
