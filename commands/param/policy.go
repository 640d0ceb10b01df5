package param

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// policyFlags are the policies of a parameter: by flags of their own, or as JSON.
type policyFlags struct {
	expires, before, unchanged string
	raw                        []string
	none                       bool
}

func (f *policyFlags) bind(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.expires, "expires", "", "let the service delete the parameter at this `time`: 90d or 36h from now, 2030-01-31, 2030-01-31T12:00:00Z")
	fl.StringVar(&f.before, "notify-before", "", "send an event this `long` before it expires: 15d, 12h")
	fl.StringVar(&f.unchanged, "notify-unchanged", "", "send an event when it was not changed for so `long`: 20d, 12h")
	fl.StringArrayVar(&f.raw, "policy", nil, "add a policy as a `JSON` object; repeat for several")
	fl.BoolVar(&f.none, "no-policies", false, "remove the policies that it has")
	cli.CompleteFlag(cmd, "expires", func() []string { return []string{"30d", "90d", "365d"} })
}

// given reports whether policies are changed.
func (f *policyFlags) given() bool {
	return f.none || f.expires != "" || f.before != "" || f.unchanged != "" || len(f.raw) > 0
}

// parse reads the flags; every fault of theirs is in faults.
func (f *policyFlags) parse(now time.Time) (list []parameter.Terms, faults []error) {
	if f.expires != "" {
		at, err := parseExpiry(f.expires, now)
		if err != nil {
			faults = append(faults, err)
		}
		list = append(list, parameter.Terms{Type: parameter.Expiration, At: at})
	}
	for _, notice := range []struct{ flag, text, kind string }{
		{"notify-before", f.before, parameter.ExpirationNotification}, {"notify-unchanged", f.unchanged, parameter.NoChangeNotification},
	} {
		if notice.text == "" {
			continue
		}
		t, err := parseNotice(notice.flag, notice.text)
		if err != nil {
			faults = append(faults, err)
		}
		t.Type = notice.kind
		list = append(list, t)
	}
	for _, text := range f.raw {
		some, err := parameter.ParsePolicies("[" + strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "["), "]") + "]")
		if err != nil || len(some) == 0 {
			faults = append(faults, fault.Usagef("--policy: %s", firstFault(err)).WithHint("%s", fault.HintOf(err)))
		}
		list = append(list, some...)
	}
	return list, faults
}

// whole reports whether the policies of the flags can stand alone: a notice of an
// expiration may be of one that the parameter has.
func (f *policyFlags) whole(list []parameter.Terms) bool {
	of := func(kind string) bool {
		return slices.ContainsFunc(list, func(t parameter.Terms) bool { return t.Type == kind })
	}
	return f.none || of(parameter.Expiration) || !of(parameter.ExpirationNotification)
}

// text is what is sent: the policies of the flags in place of those of the same type.
// The service replaces all policies by those it is sent, so the others go with them.
func (f *policyFlags) text(list []parameter.Terms, current []parameter.Policy) string {
	if !f.given() {
		return ""
	}
	if !f.none {
		for _, p := range current {
			same := func(t parameter.Terms) bool { return t.Type == p.Type }
			if t, err := p.Parse(); err == nil && !slices.ContainsFunc(list, same) {
				list = append(list, t)
			}
		}
	}
	return parameter.PoliciesText(list)
}

// parseExpiry reads the moment at which a parameter is to expire.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if n, ok := cli.Days(text); ok {
		return now.AddDate(0, 0, n), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fault.Usagef("--expires %q is no time to come", text).
		WithHint("write 90d or 36h from now, a day as 2030-01-31, or a time as 2030-01-31T12:00:00Z")
}

// parseNotice reads a span as the service has it: whole days, or whole hours.
func parseNotice(flag, text string) (parameter.Terms, error) {
	if n, ok := cli.Days(text); ok {
		return parameter.Terms{Amount: n, Unit: "Days"}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= time.Hour && d%time.Hour == 0 {
		return parameter.Terms{Amount: int(d / time.Hour), Unit: "Hours"}, nil
	}
	return parameter.Terms{}, fault.Usagef("--%s %q is no whole number of days or hours", flag, text).WithHint("write 15d or 12h")
}

func firstFault(err error) string {
	if err == nil {
		return "{} is no policy"
	}
	return cli.FirstLine(err)
}
