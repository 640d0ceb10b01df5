package schedule

import (
	"fmt"
	"slices"
)

// association refuses what State Manager does not take: it runs every ½, 1, 2, 4, 8
// or 12 hours, daily, weekly, or on the n-th or last of a day of the week.
func (p *parser) association(f *fields, seconds word, words []word) {
	minutes, hours, month, week := words[0], words[1], words[3], words[4]
	if !slices.Equal(f.seconds, []int{0}) {
		p.fault(seconds, specSeconds.name, "write 0, or leave the field out", "of an association it can only be 0")
	}
	if !f.allMonths {
		p.fault(month, specMonth.name, "write *", "associations cannot choose months")
	}
	if !f.allYears && len(f.years.values(0)) > 0 {
		p.warn("the service does not say that associations can choose years")
	}
	const which = "associations run every 1/2, 1, 2, 4, 8 or 12 hours, or once on a day"
	halfHourly := len(f.minutes) == 2 && f.minutes[1]-f.minutes[0] == 30
	switch {
	case len(f.minutes) == 1:
	case halfHourly && len(f.hours) == 24:
	default:
		p.fault(minutes, specMinutes.name, which, "an association cannot run at %d minutes of an hour", len(f.minutes))
	}
	often := len(f.hours) > 1
	if often {
		if step := evenly(f.hours, 24); !slices.Contains([]int{1, 2, 4, 8, 12}, step) {
			p.fault(hours, specHours.name, which, "these hours are not every 1, 2, 4, 8 or 12")
		}
	}
	switch d := f.days; {
	case d.monthly != 0 || d.last || d.lastWork || d.nearest > 0:
		p.fault(words[2], specDay.name, "write ?, and the day of the week", "associations cannot choose days of the month")
	case often && !d.every:
		p.fault(week, specWeekday.name, "write *, or one hour", "what runs several times a day runs on every day")
	case !d.every && d.nth == 0 && len(weekdays(d.weekly)) > 1:
		p.fault(week, specWeekday.name, fmt.Sprintf("choose one day, such as %s, or * for every day", dayNames[weekdays(d.weekly)[0]]), "an association runs on one day of the week, or on all")
	}
}

// evenly is the step of values that stand all around a circle at the same distance;
// 0 when they do not.
func evenly(values []int, circle int) int {
	if circle%len(values) != 0 {
		return 0
	}
	step := circle / len(values)
	for i, v := range values {
		if v != values[0]+i*step {
			return 0
		}
	}
	return step
}

// weekdays lists the days of a set of days of the week, Sunday first.
func weekdays(set uint8) []int {
	var all []int
	for day := range 7 {
		if set&(1<<day) != 0 {
			all = append(all, day)
		}
	}
	return all
}
