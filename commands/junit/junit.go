package junit

import (
	"bytes"
	"encoding/xml"
	"io"
)

// The part of JUnit's XML that CI systems read: a suite for each thing examined,
// a case for each check.
type (
	// Suites is the whole file.
	Suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []Suite  `xml:"testsuite"`
	}
	// Suite is one thing that was examined, and its checks, counted.
	Suite struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr,omitempty"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []Case `xml:"testcase"`
	}
	// Case is one check. Failure, Error and Skipped say why it did not pass.
	Case struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Failure *Message `xml:"failure,omitempty"`
		Error   *Message `xml:"error,omitempty"`
		Skipped *Message `xml:"skipped,omitempty"`
		Out     string   `xml:"system-out,omitempty"`
	}
	// Message is why a check did not pass.
	Message struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// Write writes the file with its XML header.
func (all Suites) Write(w io.Writer) error {
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
