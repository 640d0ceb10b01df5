package window

import (
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/schedule"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// changeWeek are windows around the night in which clocks go forward in Berlin.
func changeWeek(t *testing.T, ascii bool, width int) *calendarView {
	t.Helper()
	berlin, _, err := schedule.FindZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	entry := func(name, text, zone string, duration, cutoff int, enabled bool) agenda.Entry {
		return agenda.Read(window.Whole{Window: window.Window{
			ID: "mw-" + name, Name: name, Schedule: text, Timezone: zone, Duration: duration, Cutoff: cutoff, Enabled: enabled,
		}})
	}
	entries := []agenda.Entry{
		entry("db-weekly", "cron(0 23 ? * SAT *)", "Europe/Berlin", 4, 1, true), entry("patching", "cron(30 2 ? * * *)", "Europe/Berlin", 3, 1, true),
		entry("tokyo", "cron(0 3 ? * MON *)", "Asia/Tokyo", 2, 0, true), entry("often", "cron(0/15 * ? * SUN *)", "", 1, 0, true),
		entry("off\x1b[31m", "cron(0 12 ? * SUN *)", "", 1, 0, false),
	}
	span := agenda.Span{From: time.Date(2026, 3, 28, 0, 0, 0, 0, berlin), To: time.Date(2026, 3, 31, 0, 0, 0, 0, berlin)}
	v := &calendarView{
		o: render.Options{Width: width, Styles: theme.New(theme.Plain, false, ascii), Now: span.From}, zone: berlin, span: span, entries: entries,
		openings: agenda.Openings(entries, span.From, span.To),
	}
	return v
}

func TestTheCalendarOnATerminal(t *testing.T) {
	var b strings.Builder
	v := changeWeek(t, true, 60)
	v.w = &b
	if err := v.write(); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	// A day has 14 cells: of 1 h 43 min, and of 1 h 39 min on Sunday.
	timeline := strings.Join([]string{
		`Europe/Ber~ Sat 28 Mar     *Sun 29 Mar    Mon 30 Mar     `,
		`db-weekly   |             #|##            |              `,
		`off\x1b[31m |              |       oo     |              `,
		`often       |              |##############|##            `,
		`patching    | ##=          |              | ##=          `,
		`tokyo       |              |           ## |              `,
		`# open  = after the cutoff  o disabled`,
	}, "\n")
	if !strings.HasPrefix(got, timeline+"\n") {
		t.Errorf("the timeline is\n%s\nwant\n%s", got, timeline)
	}
	for _, line := range []string{
		"* clocks go forward in Europe/Berlin: 02:00 -> 03:00",
		"! patching has no run at 02:30: clocks in Europe/Berlin j~",
		"  02:30-05:30  patching     ##=  no new task after 04:30",
		"  23:00-04:00  db-weekly    ###=  no new task after 03:00", // an hour later on the clock
		"  20:00-22:00  tokyo        ##  03:00 Asia/Tokyo",
		"times, each open 1 h",
		`  14:00-15:00  off\x1b[31m  o  disabled`,
	} {
		if !strings.Contains(got, line) {
			t.Errorf("%q is not in\n%s", line, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Errorf("a window's name reaches the terminal as it is:\n%q", got)
	}
}

func TestTheTimelineFitsTheTerminal(t *testing.T) {
	for width := 30; width <= 200; width += 7 {
		var b strings.Builder
		v := changeWeek(t, false, width)
		v.w = &b
		v.timeline(v.days())
		for line := range strings.Lines(v.b.String()) {
			if w := render.Width(strings.TrimRight(line, "\n")); w > width {
				t.Errorf("at %d a line has %d cells: %q", width, w, line)
			}
		}
	}
}
