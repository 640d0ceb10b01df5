package dash_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// lineCollector goes through what actions ask for to the lines behind it.
type lineCollector struct {
	t     *testing.T
	page  deck.Page
	lines map[string]deck.Line // by their words
}

// samples are what is typed where nothing stands and nothing is offered.
var samples = []string{"web-1", "5", "10m", "8080:80", "report.json", "env=prod", "/app/new", "CVE-2024-3094", "tag:env=prod"}

func (c *lineCollector) take(cmd tea.Cmd, depth int) {
	for _, msg := range asks(c.page, cmd) {
		switch m := msg.(type) {
		case deck.Line:
			c.lines[strings.Join(m.Words, "\x00")] = m
		case deck.Form:
			if depth > 0 {
				c.take(m.Done(c.filled(m, false)), depth-1)
				c.take(m.Done(c.filled(m, true)), depth-1)
			}
		case deck.Choose:
			for i := range min(len(m.Entries), 4) {
				if depth > 0 && m.Entries[i].Off == "" {
					c.take(m.Done(i), depth-1)
				}
			}
		}
	}
}

// filled are values that the form takes: those that stand there, or others where that
// is possible.
func (c *lineCollector) filled(f deck.Form, others bool) map[string]string {
	values := map[string]string{}
	for _, field := range f.Fields {
		var try []string
		if field.Choices != nil {
			try = field.Choices("")
			if others {
				slices.Reverse(try)
			}
		}
		if others {
			try = slices.Concat(try, samples, []string{field.Value})
		} else {
			try = slices.Concat([]string{field.Value}, try, samples)
		}
		for _, v := range try {
			if field.Check != nil && field.Check(v) != nil || field.Only && field.Choices != nil && !slices.Contains(field.Choices(v), v) {
				continue
			}
			values[field.Name] = v
			break
		}
	}
	return values
}

// Every line that any page makes, about any sort of row, is one that ssmdeck takes: the
// command is there, and so are its flags, and those that lead to its place; what is
// agreed to in the box is agreed to for the command, and nothing else is.
func TestEveryLineIsOneThatSsmdeckTakes(t *testing.T) {
	f := allLoaded(t)
	total := 0
	for _, p := range f.pages {
		c := &lineCollector{t: t, page: p, lines: map[string]deck.Line{}}
		for _, keys := range [][]string{{}, {"j"}, {"j"}, {"j", "space"}, {"j", "space"}, {"esc", "tab"}, {"j"}} {
			for _, k := range keys {
				p.Update(tuitest.Key(k))
			}
			for _, a := range p.Actions() {
				if a.Off == "" && a.Do != nil {
					c.take(a.Do(), 3)
				}
			}
		}
		for _, l := range c.lines {
			total++
			for _, words := range [][]string{deck.Running(l), l.Preview} {
				if words == nil {
					continue
				}
				if code, out := f.takes(words, f.opts.Deck.Flags(l.At)); code != 0 {
					t.Errorf("%s: ssmdeck %s: exit %d\n%s", p.ID(), strings.Join(words, " "), code, out)
				}
			}
			if yes := slices.Contains(deck.Running(l), "--yes"); yes != (l.Level >= deck.Change) {
				t.Errorf("%s: %q at level %d runs as %q", p.ID(), l.Words, l.Level, deck.Running(l))
			}
			if slices.Contains(l.Preview, "--yes") {
				t.Errorf("%s: the preview %q agrees to something", p.ID(), l.Preview)
			}
			if l.Preview != nil && !slices.Contains(l.Preview, "--dry-run") {
				t.Errorf("%s: the preview %q does not say that nothing is to be done", p.ID(), l.Preview)
			}
		}
		t.Logf("%s: %d lines", p.ID(), len(c.lines))
	}
	if total < 60 {
		t.Errorf("only %d lines were seen", total)
	}
}

// takes asks the command of a line for its help, with all flags of the line.
func (f *flow) takes(words, flags []string) (code int, out string) {
	at := slices.Index(words, "--")
	if words[0] == "ssh" { // the rest is for ssh
		at = 1
	}
	if at < 0 {
		at = len(words)
	}
	env := f.env(flowOptions{})
	var b bytes.Buffer
	env.Args, env.Out, env.Err = slices.Concat(words[:at], flags, []string{"--help"}), io.Discard, &b
	return commands.Run(context.Background(), env), b.String()
}
