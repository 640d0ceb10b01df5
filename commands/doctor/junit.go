package doctor

import (
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/junit"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
)

// writeJUnit prints checks as JUnit's XML. A warning passes, with its text as
// output.
func writeJUnit(w io.Writer, checks []doctor.Check) error {
	all := junit.Suites{Suites: []junit.Suite{}}
	for _, c := range checks {
		n := len(all.Suites)
		if n == 0 || all.Suites[n-1].Name != c.Target {
			all.Suites = append(all.Suites, junit.Suite{Name: c.Target})
			n++
		}
		s := &all.Suites[n-1]
		k := junit.Case{Class: c.Group, Name: c.ID}
		s.Tests++
		switch c.Status {
		case doctor.Fail:
			s.Failures++
			k.Failure = &junit.Message{Message: c.Evidence, Type: c.Cause, Text: strings.Join(c.Fix, "\n")}
		case doctor.Skip:
			s.Skipped++
			k.Skipped = &junit.Message{Message: c.Evidence}
		default:
			k.Out = c.Evidence
			if c.Cause != "" {
				k.Out = c.Cause + ": " + c.Evidence
			}
		}
		s.Cases = append(s.Cases, k)
	}
	return all.Write(w)
}
