package agenda

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// utcForm is a moment in UTC as iCalendar writes it (RFC 5545, 3.3.5).
const utcForm = "20060102T150405Z"

// WriteICal writes openings as a calendar that others can read (RFC 5545). Each is
// an event of its own at an instant in UTC, so that it is right over every change of
// clocks, and has a UID that is the same at each export. Disabled windows are left
// out. now is the time of the export.
func WriteICal(w io.Writer, openings []Opening, now time.Time) error {
	out := bufio.NewWriter(w)
	line := func(name, value string) { fold(out, name+":"+value) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//ssmdeck//maintenance windows//EN")
	line("CALSCALE", "GREGORIAN")
	line("METHOD", "PUBLISH")
	line("X-WR-CALNAME", "Maintenance windows")
	for _, o := range openings {
		if !o.Enabled {
			continue
		}
		line("BEGIN", "VEVENT")
		line("UID", fmt.Sprintf("%s-%s@ssmdeck", escape(o.WindowID), o.Start.UTC().Format(utcForm)))
		line("DTSTAMP", now.UTC().Format(utcForm))
		line("DTSTART", o.Start.UTC().Format(utcForm))
		line("DTEND", o.End.UTC().Format(utcForm))
		line("SUMMARY", escape(o.Window))
		about := fmt.Sprintf("%s %s (%s)\nNo task begins after %s.", o.Schedule, o.Zone, o.WindowID, o.Cutoff.UTC().Format(time.RFC3339))
		for _, s := range o.Shared {
			about += fmt.Sprintf("\n%s is open on the same %s.", s.Window, counted(s.Nodes, "node"))
		}
		line("DESCRIPTION", escape(about))
		line("CATEGORIES", "MAINTENANCE")
		line("TRANSP", "TRANSPARENT")
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	return out.Flush()
}

// escape writes a text value (RFC 5545, 3.3.11). Control characters have no place
// in one.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\\' || r == ';' || r == ',':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// fold writes a content line of at most 75 octets each, cut between characters (RFC
// 5545, 3.1).
func fold(w *bufio.Writer, text string) {
	room := 75
	for _, r := range text {
		n := utf8.RuneLen(r)
		if n < 0 {
			continue
		}
		if n > room {
			_, _ = w.WriteString("\r\n ")
			room = 74
		}
		_, _ = w.WriteRune(r)
		room -= n
	}
	_, _ = w.WriteString("\r\n")
}
