package virtual

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// entry is a line of the journal.
type entry struct {
	at    time.Time
	unit  string // without .service; "" for none
	ident string
	pid   int
	text  string
}

// maxJournal bounds the journal in entries; the oldest are forgotten.
const maxJournal = 5000

// log adds an entry.
func (m *Machine) log(unit, ident string, pid int, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.logAt(m.now(), unit, ident, pid, text)
}

// logAt is log with the lock held.
func (m *Machine) logAt(at time.Time, unit, ident string, pid int, text string) {
	m.journal = append(m.journal, entry{at, unit, ident, pid, text})
	if len(m.journal) > maxJournal {
		m.journal = slices.Clone(m.journal[len(m.journal)-maxJournal:])
	}
	if m.logged != nil {
		close(m.logged)
		m.logged = nil
	}
}

func (m *Machine) entryText(e entry, iso bool) string {
	stamp := e.at.UTC().Format("Jan 02 15:04:05")
	if iso {
		stamp = e.at.UTC().Format("2006-01-02T15:04:05-0700")
	}
	pid := ""
	if e.pid > 0 {
		pid = fmt.Sprintf("[%d]", e.pid)
	}
	return fmt.Sprintf("%s %s %s%s: %s", stamp, m.spec.Hostname, e.ident, pid, e.text)
}

// unitEntries returns the entries of a unit, oldest first.
func (m *Machine) unitEntries(unit string) []entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []entry
	for _, e := range m.journal {
		if unit == "" || e.unit == unit {
			list = append(list, e)
		}
	}
	return list
}

// messages is the content of /var/log/messages.
func (m *Machine) messages() []byte {
	var b strings.Builder
	for _, e := range m.unitEntries("") {
		b.WriteString(m.entryText(e, false) + "\n")
	}
	return []byte(b.String())
}

func (m *Machine) journalctl(ctx context.Context, p *program.Proc) int {
	f, _, st := p.Flags("u:n:fxerkbp:S:U:o:t:qaN no-pager=P unit=u: lines=n: follow=f reverse=r dmesg=k boot=b priority=p: since=S: until=U: output=o: identifier=t: list-boots=L disk-usage=D quiet=q")
	if st >= 0 {
		return st
	}
	switch {
	case f.Has("L"):
		p.Printf(" 0 ec2%029x %s—%s\n", m.spec.vary("bootid", 1<<30), m.bootTime().UTC().Format("Mon 2006-01-02 15:04:05 MST"), m.now().UTC().Format("Mon 2006-01-02 15:04:05 MST"))
		return 0
	case f.Has("D"):
		p.Printf("Archived and active journals take up 48.0M in the file system.\n")
		return 0
	}
	n := -1
	if v := f.Value("n", ""); v != "" && v != "all" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 0 {
			p.Errorf("Failed to parse lines '%s'", v)
			return 1
		}
	} else if f.Has("f") {
		n = 10
	}
	keep, ok := m.journalFilter(p, f, strings.TrimSuffix(f.Value("u", ""), ".service"))
	if !ok {
		return 1
	}
	list, last, logged := m.entriesAfter(entry{}, keep)
	if n >= 0 && len(list) > n {
		list = list[len(list)-n:]
	}
	if f.Has("r") {
		slices.Reverse(list)
	}
	if len(list) == 0 && !f.Has("f") && !f.Has("q") {
		p.Printf("-- No entries --\n")
	}
	m.printEntries(p, list, f.Value("o", "short"))
	for f.Has("f") && p.Flush() {
		select {
		case <-logged:
		case <-ctx.Done():
			return 0
		}
		list, last, logged = m.entriesAfter(last, keep)
		m.printEntries(p, list, f.Value("o", "short"))
	}
	return 0
}

// entriesAfter returns the entries after a given one that are to be kept, the
// last entry there is, and a channel that is closed at the next one.
func (m *Machine) entriesAfter(after entry, keep func(entry) bool) (list []entry, last entry, logged <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last = after
	for i := len(m.journal) - 1; i >= 0 && m.journal[i] != after; i-- {
		if keep(m.journal[i]) {
			list = append(list, m.journal[i])
		}
	}
	slices.Reverse(list)
	if n := len(m.journal); n > 0 {
		last = m.journal[n-1]
	}
	return list, last, m.waitLog()
}

// waitLog returns a channel closed at the next entry. The lock must be held.
func (m *Machine) waitLog() <-chan struct{} {
	if m.logged == nil {
		m.logged = make(chan struct{})
	}
	return m.logged
}

func (m *Machine) printEntries(p *program.Proc, list []entry, format string) {
	for _, e := range list {
		if format == "cat" {
			p.Printf("%s\n", e.text)
		} else {
			p.Printf("%s\n", m.entryText(e, strings.Contains(format, "iso")))
		}
	}
}

// journalFilter returns the selection that the options ask for.
func (m *Machine) journalFilter(p *program.Proc, f *program.Flags, unit string) (keep func(entry) bool, ok bool) {
	var since, until time.Time
	for name, at := range map[string]*time.Time{"S": &since, "U": &until} {
		text := f.Value(name, "")
		if text == "" {
			continue
		}
		t, ok := parseSince(text, m.now())
		if !ok {
			p.Errorf("Failed to parse timestamp: %s", text)
			return nil, false
		}
		*at = t
	}
	return func(e entry) bool {
		switch {
		case unit != "" && e.unit != unit,
			f.Has("t") && e.ident != f.Value("t", ""),
			f.Has("k") && e.ident != "kernel",
			!since.IsZero() && e.at.Before(since),
			!until.IsZero() && e.at.After(until):
			return false
		}
		return true
	}, true
}

// parseSince reads "1 hour ago", "-15min", "today" and dates.
func parseSince(text string, now time.Time) (time.Time, bool) {
	switch text {
	case "now":
		return now, true
	case "today":
		return now.UTC().Truncate(24 * time.Hour), true
	case "yesterday":
		return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -1), true
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	rest := strings.TrimSuffix(strings.TrimPrefix(text, "-"), " ago")
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	n, err := strconv.Atoi(rest[:digits])
	if err != nil || n > 1e6 {
		return now, false
	}
	unit := map[string]time.Duration{
		"s": time.Second, "sec": time.Second, "second": time.Second, "m": time.Minute, "min": time.Minute, "minute": time.Minute,
		"h": time.Hour, "hour": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour,
	}[strings.TrimSuffix(strings.TrimSpace(rest[digits:]), "s")]
	if strings.TrimSpace(rest[digits:]) == "s" {
		unit = time.Second
	}
	return now.Add(-time.Duration(n) * unit), unit > 0
}
