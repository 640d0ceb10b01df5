// Package render turns answers into what people and machines read. Every
// command prints through it, so that all of them keep one contract:
//
// Standard output carries only what was asked for. On a terminal a list is a
// table that fits the window: a header, ids cut in the middle and text at the
// end, times relative to now, glyph and word for states. In a pipe the same
// list is tab-separated: no header, nothing cut, times in RFC 3339 and UTC, and
// never an escape byte. The other formats are the same wherever they go:
//
//	json   an array, indented, `[]` when empty; fields as documented, only ever added to
//	jsonl  one object per line, written as rows arrive
//	yaml   the fields and order of json; a text that looks like a number stays a text
//	csv    header and records (RFC 4180, lines end in LF), all columns
//	text   tab-separated, also on a terminal
//	name   bare ids, one a line, made for xargs and for --target -
//	wide   all columns, not cut; in a pipe tab-separated like text
//
// --query (JMESPath) is applied to the value json would print, before printing;
// in text its strings are unquoted.
//
// What nodes and people typed may hold control characters. They are made
// visible (`\x1b`) in every format for reading, so that no tag can move the
// cursor or paint a terminal; json and yaml carry them exactly, in their own
// escaped notation, and csv keeps line breaks and tabs, which its quotes
// protect.
//
// The package does no I/O but on the writers it is given, reads neither clock
// nor environment, except that Progress ticks, and keeps no state.
package render

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Format is the value of -o. The zero Format is a table on a terminal and text
// in a pipe.
type Format string

// The formats; the package comment says what each is.
const (
	FormatAuto  Format = ""
	FormatTable Format = "table" // as FormatAuto
	FormatWide  Format = "wide"
	FormatJSON  Format = "json"
	FormatJSONL Format = "jsonl"
	FormatYAML  Format = "yaml"
	FormatCSV   Format = "csv"
	FormatText  Format = "text"
	FormatName  Format = "name"

	// FormatJUnit is for checks, which know how to print it; lists refuse it.
	FormatJUnit Format = "junit"

	// FormatHTML and FormatMarkdown are for reports, which know how to write them;
	// lists refuse them.
	FormatHTML     Format = "html"
	FormatMarkdown Format = "markdown"
)

// special are the formats that only some commands know, and which do.
var special = map[Format]string{
	FormatJUnit:    "-o junit is for checks, such as `ssmdeck doctor`, and for reports",
	FormatHTML:     "-o html is for reports: `ssmdeck patch report`",
	FormatMarkdown: "-o markdown is for reports: `ssmdeck patch report`",
}

// Formats returns the names ParseFormat takes, in the order help shows them.
func Formats() []string {
	return []string{"table", "wide", "json", "jsonl", "yaml", "csv", "text", "name"}
}

// ParseFormat reads the value of -o; "" is FormatAuto. Anything else is a Usage
// error that lists the names and suggests the nearest.
func ParseFormat(s string) (Format, error) {
	if s == "" || slices.Contains(Formats(), s) || special[Format(s)] != "" {
		return Format(s), nil
	}
	err := fault.Usagef("unknown output format %q: use %s", s, strings.Join(Formats(), ", "))
	if near := fault.Nearest(s, Formats()); near != "" {
		return "", err.WithHint("use `-o %s`", near)
	}
	return "", err
}

// Options say how one answer is printed. The zero value prints tab-separated
// text without colour, as into a pipe.
type Options struct {
	Format    Format
	Query     string   // JMESPath; empty: the whole answer
	Columns   []string // keys of the columns wanted, in order; empty: the usual ones
	SortBy    string   // key of a column; with a leading "-" descending
	NoHeaders bool
	Limit     int // stop after so many rows; 0: all
	// Width is that of the terminal standard output is, in cells; 0 means that
	// it is not a terminal.
	Width    int
	Styles   *theme.Styles  // nil: plain
	Now      time.Time      // for relative times
	Location *time.Location // for local times; nil: time.Local
	Notes    io.Writer      // standard error, for "nothing found"; nil: not said
}

// Terminal reports whether the answer goes to a terminal, hence to a person.
func (o Options) Terminal() bool { return o.Width > 0 }

// effective resolves the formats that depend on where the answer goes.
func (o Options) effective() Format {
	switch o.Format {
	case FormatAuto, FormatTable:
		if o.Terminal() {
			return FormatTable
		}
		return FormatText
	case FormatWide:
		if !o.Terminal() {
			return FormatText
		}
	}
	return o.Format
}

// wide reports whether the columns marked Wide are wanted.
func (o Options) wide() bool { return o.Format == FormatWide || o.Format == FormatCSV }

// columnar reports whether columns can be chosen in the format.
func (o Options) columnar() bool {
	switch o.effective() {
	case FormatTable, FormatWide, FormatText, FormatCSV:
		return true
	}
	return false
}

func (o Options) styles() *theme.Styles {
	if o.Styles == nil {
		return theme.New(theme.Plain, false, false)
	}
	return o.Styles
}

// color reports whether escape sequences may be written.
func (o Options) color() bool { return o.Terminal() && o.Styles != nil && o.Styles.Color }

// IsBrokenPipe reports whether err says that the reader of our output has gone,
// as `head -1` does. That is no failure: a command ends silently with 0. (For
// the write to return at all, the process must ignore SIGPIPE.)
func IsBrokenPipe(err error) bool {
	if errors.Is(err, io.ErrClosedPipe) {
		return true
	}
	for _, e := range brokenPipeErrors() {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
