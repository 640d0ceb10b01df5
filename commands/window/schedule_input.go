package window

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/schedule"
)

// scheduleFault makes a usage error of what is wrong with a schedule that somebody
// gave: each fault with its flag, and marks under the place. what is the flag or
// argument of the expression, such as --schedule.
func scheduleFault(what string, err error) error {
	var e *schedule.Error
	if !errors.As(err, &e) {
		return err
	}
	flags := map[schedule.Input]string{
		schedule.Expression: what, schedule.Zone: "--timezone", schedule.Offset: "--schedule-offset", schedule.Period: "--start and --end",
	}
	of := func(f schedule.Fault) string {
		if f.Input == schedule.Expression {
			return f.String()
		}
		return f.Message
	}
	var marks, beside []string
	for _, f := range e.Faults {
		switch mark := e.Mark(f); {
		case mark == "":
			beside = append(beside, flags[f.Input]+": "+of(f))
		case len(e.Faults) == 1:
			marks = append(marks, mark)
		default:
			marks = append(marks, mark+" "+of(f))
		}
	}
	var b strings.Builder
	switch {
	case len(e.Faults) == 1:
		fmt.Fprintf(&b, "%s: %s", flags[e.Faults[0].Input], of(e.Faults[0]))
	case len(marks) == 0:
		b.WriteString(strings.Join(beside, "; "))
	default:
		fmt.Fprintf(&b, "%s: %s", what, cli.Plural(len(e.Faults), "fault"))
		for _, line := range beside {
			b.WriteString("\n" + line)
		}
	}
	if len(marks) > 0 {
		// The bar keeps the marks in their columns where lines are indented anew.
		b.WriteString("\n| " + e.Text)
		for _, mark := range marks {
			b.WriteString("\n| " + mark)
		}
	}
	usage := fault.Usagef("%s", b.String())
	if hint := e.Hint(); hint != "" {
		usage = usage.WithHint("%s", hint)
	}
	return usage
}

// zoneFlag is --timezone of a command that shows times: the zone that they are
// shown and read in.
type zoneFlag string

func (z *zoneFlag) bind(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar((*string)(z), "timezone", "", usage)
	cli.CompleteFlag(cmd, "timezone", schedule.Zones)
}

// location is the zone; the machine's own without the flag.
func (z zoneFlag) location() (*time.Location, error) {
	if z == "" || z == "local" {
		return time.Local, nil
	}
	zone, _, err := schedule.FindZone(string(z))
	if err != nil {
		return nil, scheduleFault("", err)
	}
	return zone, nil
}

// momentFlag reads the moment of a flag in a zone; none without a text.
func momentFlag(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := schedule.ParseMoment(text, now)
	var bad *schedule.MomentError
	if errors.As(err, &bad) {
		return t, fault.Usagef("--%s: %s", flag, bad.Message).WithHint("%s", bad.Hint)
	}
	return t, err
}

// localMoment is a moment for people: day, time and zone in a place.
func localMoment(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	if t.Second() != 0 {
		return t.In(zone).Format("Mon 2006-01-02 15:04:05 MST")
	}
	return t.In(zone).Format("Mon 2006-01-02 15:04 MST")
}

// zoneName is the zone of the flag for people: the machine's own has no name.
func zoneName(zone *time.Location) string {
	if zone == time.Local {
		return "local time"
	}
	return render.Visible(zone.String())
}
