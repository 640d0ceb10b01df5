package window

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/schedule"
)

func TestFaultsOfSchedulesNameTheFlagAndThePlace(t *testing.T) {
	tests := []struct {
		name, text string
		o          schedule.Options
		want, hint string
	}{
		{"one in the expression", "cron(0 25 ? * SUN *)", schedule.Options{}, "--schedule: hours: 25 is not 0 to 23\n| cron(0 25 ? * SUN *)\n|        ^^", ""},
		{"one beside it", "rate(7 days)", schedule.Options{Offset: 9}, "--schedule-offset: 9 is not 1 to 6 days", ""},
		{
			"both", "rate(1 hours)",
			schedule.Options{Zone: "PST"},
			"--schedule: 2 faults\n--timezone: \"PST\" is no IANA time zone\n| rate(1 hours)\n|        ^^^^^ the unit is singular for 1, and plural for more", "write America/Los_Angeles",
		},
		{"what has control characters is not shown", "cron(0 2\x1b ? * SUN *)", schedule.Options{}, "--schedule: hours: \"2\\x1b\" is no value of it", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := schedule.Parse(tt.text, tt.o)
			err = scheduleFault("--schedule", err)
			if err == nil || err.Error() != tt.want || fault.KindOf(err) != fault.Usage {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
			if got := fault.HintOf(err); got != tt.hint {
				t.Errorf("the hint is %q, want %q", got, tt.hint)
			}
		})
	}
}
