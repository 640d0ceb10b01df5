package commands

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/doctor"
)

// The part of JUnit's XML that CI systems read: a suite for each thing examined,
// a case for each check.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr,omitempty"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitMessage `xml:"failure,omitempty"`
		Error   *junitMessage `xml:"error,omitempty"`
		Skipped *junitMessage `xml:"skipped,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit prints checks as JUnit's XML. A warning passes, with its text as
// output.
func writeJUnit(w io.Writer, checks []doctor.Check) error {
	all := junitSuites{Suites: []junitSuite{}}
	for _, c := range checks {
		n := len(all.Suites)
		if n == 0 || all.Suites[n-1].Name != c.Target {
			all.Suites = append(all.Suites, junitSuite{Name: c.Target})
			n++
		}
		s := &all.Suites[n-1]
		k := junitCase{Class: c.Group, Name: c.ID}
		s.Tests++
		switch c.Status {
		case doctor.Fail:
			s.Failures++
			k.Failure = &junitMessage{Message: c.Evidence, Type: c.Cause, Text: strings.Join(c.Fix, "\n")}
		case doctor.Skip:
			s.Skipped++
			k.Skipped = &junitMessage{Message: c.Evidence}
		default:
			k.Out = c.Evidence
			if c.Cause != "" {
				k.Out = c.Cause + ": " + c.Evidence
			}
		}
		s.Cases = append(s.Cases, k)
	}
	return all.write(w)
}

func (all junitSuites) write(w io.Writer) error {
	var buf bytes.Buffer
	buf.WriteString(xml.Header)
	enc := xml.NewEncoder(&buf)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	buf.WriteByte('\n')
	_, err := w.Write(buf.Bytes())
	return err
}
