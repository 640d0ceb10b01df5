package schedule

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Input is the field of the API that a fault is in.
type Input string

// The inputs.
const (
	Expression Input = "schedule"
	Zone       Input = "timezone"
	Offset     Input = "schedule-offset"
	Period     Input = "start and end"
)

// Fault is one thing that is wrong.
type Fault struct {
	Input Input
	Field string // of a cron expression: minutes, hours, day-of-month, …; may be ""
	// Pos and Len are the place in Error.Text, or in Error.Zone, in bytes. Len is 0
	// where something is missing.
	Pos, Len int
	Message  string
	Hint     string // what to write instead; may be ""
}

// String is the fault in one line without its hint.
func (f Fault) String() string {
	switch {
	case f.Field != "":
		return f.Field + ": " + f.Message
	case f.Input == Expression:
		return f.Message
	}
	return string(f.Input) + ": " + f.Message
}

// Error is a schedule that was not understood, or that the service would refuse.
type Error struct {
	Text   string // the expression as it was given
	Zone   string
	Faults []Fault // at least one, in the order in which they were found
}

// Error returns all faults in one line.
func (e *Error) Error() string {
	all := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		all[i] = f.String()
	}
	return strings.Join(all, "; ")
}

// Hint returns the first hint of the faults, or "".
func (e *Error) Hint() string {
	for _, f := range e.Faults {
		if f.Hint != "" {
			return f.Hint
		}
	}
	return ""
}

// Caret shows where the faults of the expression are: the expression, and under it
// for each faulty place a line with marks and what is wrong. It is "" when none of
// the faults has a place in it, and when the expression cannot stand on one line.
func (e *Error) Caret() string {
	lines := []string{e.Text}
	for _, f := range e.Faults {
		if mark := e.Mark(f); mark != "" {
			lines = append(lines, mark+" "+f.String())
		}
	}
	if len(lines) == 1 {
		return ""
	}
	return strings.Join(lines, "\n")
}

// Mark is the line of marks that belongs under the expression for a fault, "" when
// there is none.
func (e *Error) Mark(f Fault) string {
	odd := func(r rune) bool { return r < ' ' || r == utf8.RuneError || r == 0x7f }
	if f.Input != Expression || len(e.Text) > maxText || strings.ContainsFunc(e.Text, odd) {
		return ""
	}
	pos := min(max(f.Pos, 0), len(e.Text))
	end := min(max(pos+f.Len, pos), len(e.Text))
	return strings.Repeat(" ", utf8.RuneCountInString(e.Text[:pos])) + strings.Repeat("^", max(1, utf8.RuneCountInString(e.Text[pos:end])))
}

// parser reads one expression and collects what is wrong with it.
type parser struct {
	text     string
	o        Options
	faults   []Fault
	warnings []string
}

// word is a piece of the text and where it stands.
type word struct {
	text string
	pos  int
}

func (p *parser) fault(w word, field, hint, format string, args ...any) {
	p.faults = append(p.faults, Fault{
		Input: Expression, Field: field, Pos: w.pos, Len: len(w.text), Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

func (p *parser) warn(format string, args ...any) {
	p.warnings = append(p.warnings, fmt.Sprintf(format, args...))
}

// split cuts a word at white space.
func (w word) split() []word {
	var all []word
	begin := -1
	for i := 0; i <= len(w.text); i++ {
		switch space := i == len(w.text) || strings.ContainsRune(" \t\r\n", rune(w.text[i])); {
		case space && begin >= 0:
			all = append(all, word{w.text[begin:i], w.pos + begin})
			begin = -1
		case !space && begin < 0:
			begin = i
		}
	}
	return all
}

// cut is the part of a word between two places in it.
func (w word) cut(from, to int) word { return word{w.text[from:to], w.pos + from} }
