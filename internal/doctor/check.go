package doctor

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Which machines a check is about.
type about int

const (
	anyMachine about = iota
	instances        // of EC2
	hybrids
)

// check is one thing to look at. Its rule is pure: it reads the facts of the
// sources in needs, and no others.
type check struct {
	id, group, title string
	about            about
	needs            []source
	rule             func(*facts) Check
	// kept says that the finding stays what it is when the agent is connected all
	// the same.
	kept bool
}

// checks are all checks of a machine in the order in which they are shown. That
// of the agent itself (conclude) comes last and is not among them.
var checks = [][]check{agentChecks, iamChecks, networkChecks}

// run applies the rule to facts, of which those of needs are there.
func (k check) run(f *facts) Check {
	c := named(f.id, k, k.rule(f))
	if c.Status == Fail && k.group != Agent && !k.kept && f.works() {
		c.Status = Warn
		c.Evidence += "; the agent is connected all the same"
	}
	return c
}

func pass(format string, args ...any) Check {
	return Check{Status: Pass, Evidence: fmt.Sprintf(format, args...)}
}

func warn(cause, format string, args ...any) Check {
	return Check{Status: Warn, Cause: cause, Evidence: fmt.Sprintf(format, args...)}
}

func fail(cause, format string, args ...any) Check {
	return Check{Status: Fail, Cause: cause, Evidence: fmt.Sprintf(format, args...)}
}

// skip is a check that there is no need or no way to make.
func skip(format string, args ...any) Check {
	return Check{Status: Skip, Evidence: fmt.Sprintf(format, args...)}
}

// unread is a check that was skipped because something could not be read.
func unread(err error) Check {
	text := err.Error()
	var e *fault.Error
	if errors.As(err, &e) && e.Err != nil {
		text = e.Err.Error()
	}
	return Check{Status: Skip, Evidence: text, Err: err}
}

// fix adds commands that repair what was found.
func (c Check) fix(commands ...string) Check {
	c.Fix = append(c.Fix, commands...)
	return c
}

// repair adds what --fix can do, and the same as commands.
func (c Check) repair(repairs ...Repair) Check {
	for _, r := range repairs {
		if slices.ContainsFunc(c.Repairs, func(had Repair) bool { return had.key() == r.key() }) {
			continue
		}
		c.Fix = append(c.Fix, r.Commands()...)
		c.Repairs = append(c.Repairs, r)
	}
	return c
}
