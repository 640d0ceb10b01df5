package virtual

import (
	"bytes"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
)

// longConstruct is the size in bytes from which on a construct is no longer
// parsed at every line.
const longConstruct = 4 << 10

// construct collects the lines typed at a prompt until they are complete: a
// loop to its done, a here-document to its delimiter.
//
// Parsing all of it at every line would take quadratic time for a pasted
// here-document. A line that cannot be the last one is therefore not parsed,
// unless it could hold a mistake that must be told at once.
type construct struct {
	text   []byte
	last   int    // where in text the line begins that is being typed
	parsed int    // length of text when it was parsed last
	awaits string // no line without it completes text; "" when it is not known
	opaque bool   // text ends in a quote or a here-document
	here   bool   // text ends in a here-document
	long   int    // longConstruct, less in tests
}

// open reports whether more lines belong to what was typed.
func (c *construct) open() bool { return len(c.text) > 0 }

// quoted reports whether an apostrophe was typed before the line being typed.
func (c *construct) quoted() bool { return bytes.IndexByte(c.text, '\'') >= 0 }

// reset forgets what was typed.
func (c *construct) reset() { *c = construct{text: c.text[:0], long: c.long} }

// add takes a line and returns the script when it is complete, or what is
// wrong with it. Neither means that there was nothing in it or more must come.
func (c *construct) add(line string) (*syntax.File, error) {
	c.text = append(c.text, line...)
	if len(bytes.TrimSpace(c.text)) == 0 {
		c.reset()
		return nil, nil
	}
	if c.joins(line) {
		c.text = c.text[:len(c.text)-1]
		return nil, nil
	}
	if c.goesOn() {
		c.text = append(c.text, '\n')
		c.last = len(c.text)
		return nil, nil
	}
	c.text = append(c.text, '\n')
	f, incomplete, err := posix.Parse(string(c.text))
	if !incomplete {
		c.reset()
		return f, err
	}
	c.last, c.parsed = len(c.text), len(c.text)
	c.awaits, c.opaque, c.here = posix.Awaits(err)
	return nil, nil
}

// joins reports whether the line being typed ends in a backslash that joins the
// next one to it. In a quote or a here-document, what it means is for the parser
// to say.
func (c *construct) joins(line string) bool {
	n := len(c.text) - len(bytes.TrimRight(c.text, `\`))
	if n%2 == 0 || c.opaque {
		return false
	}
	if !strings.Contains(line, "'") {
		return true
	}
	_, incomplete, err := posix.Parse(string(c.text[:len(c.text)-1]) + "\n")
	if !incomplete {
		return true
	}
	token, opaque, _ := posix.Awaits(err)
	return !opaque || !strings.HasSuffix(token, "'")
}

// goesOn reports whether the line being typed cannot complete the text, as far
// as that can be told without parsing.
func (c *construct) goesOn() bool {
	if c.awaits == "" {
		return false
	}
	long := c.long
	if long == 0 {
		long = longConstruct
	}
	if !c.opaque && (len(c.text) < long || len(c.text) > c.parsed+c.parsed/8) {
		return false
	}
	line := c.text[c.last:]
	if c.here {
		return !bytes.HasPrefix(bytes.TrimLeft(line, "\t"), []byte(c.awaits))
	}
	return !bytes.Contains(line, []byte(c.awaits))
}
