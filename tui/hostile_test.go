package tui_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// hostile is what a name can be made of to change what a terminal shows.
const hostile = "A\x1b]0;pwned\x07B\u202eC\rD\u009b2JE\x7f"

// Nothing that comes from elsewhere reaches the terminal as anything but letters,
// whatever it is part of.
func TestNothingForeignReachesTheTerminalAsItIs(t *testing.T) {
	line := reboot(deck.Change)
	line.What, line.Facts = hostile, []deck.Fact{{Name: hostile, Value: hostile}}
	line.Words, line.Preview = []string{"run", hostile}, []string{"run", "--dry-run"}
	destroy := line
	destroy.Level, destroy.Type = deck.Destructive, hostile
	quiet, pane := line, line
	quiet.Level, quiet.How = deck.Read, deck.Quietly
	pane.Level, pane.How = deck.Read, deck.InPane
	open := func(msgs ...tea.Msg) func(w *world) {
		return func(w *world) {
			for _, m := range msgs {
				w.Send(m)
			}
		}
	}
	for name, do := range map[string]func(w *world){
		"a box":              open(line),
		"a destructive box":  open(destroy),
		"a line, quietly":    open(quiet),
		"a line in its pane": open(pane),
		"the command log":    func(w *world) { w.Send(quiet); w.Press("@") },
		"a message":          open(deck.Say{Text: hostile}),
		"an error":           open(deck.Say{Err: fault.New(fault.Failed, hostile, "%s", hostile).WithHint("%s", hostile)}),
		"a copy":             open(deck.Copy{Text: hostile, What: hostile}),
		"a text":             open(deck.Show{Title: hostile, Text: hostile}),
		"a choice":           open(deck.Choose{Title: hostile, Entries: []deck.Entry{{Name: hostile, Detail: hostile}, {Name: "b", Off: hostile}}}),
		"a form": open(deck.Form{Title: hostile, Fields: []deck.Field{
			{Name: "a", Label: hostile, Value: hostile, Choices: func(string) []string { return []string{hostile, "b"} }, Check: func(string) error { return errors.New(hostile) }},
			{Name: "b", Label: "b", Help: hostile, Many: true},
		}}),
		"a wrong field": func(w *world) {
			w.Send(deck.Form{Title: "x", Fields: []deck.Field{{Name: "a", Label: "a", Check: func(string) error { return errors.New(hostile) }}}})
			w.Press("enter")
		},
		"a filter":  func(w *world) { w.Press("/"); w.Paste(hostile) },
		"a palette": func(w *world) { w.Press(":"); w.Paste(hostile) },
		"a row":     func(w *world) { w.fleet.set(w.Screen, machine{hostile, hostile, hostile}) },
		"a crumb": func(w *world) {
			w.fleet.set(w.Screen, machine{hostile, hostile, hostile})
			w.Press("enter")
		},
		"an action": func(w *world) {
			w.fleet.actions = []deck.Action{{Key: "s", Name: hostile, Help: hostile, Footer: true, Off: hostile}}
			w.Press("s", "?")
		},
		"the account": func(w *world) { w.Deck.Where.Alias, w.Deck.Where.Context = hostile, hostile; w.Send(tui.Redraw{}) },
	} {
		for _, size := range tuitest.Sizes {
			w := newWorld(t)
			w.Answer = func(_ []string, _ io.Reader, out, errs io.Writer) int {
				fmt.Fprintln(out, hostile)
				fmt.Fprintln(errs, "ssmdeck: error: "+hostile)
				return 1
			}
			w.Size(size.Width, size.Height)
			do(w)
			raw := w.Raw()
			if at := strings.IndexFunc(raw, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e }); at >= 0 {
				t.Errorf("%s at %d: %q reaches the terminal: %q", name, size.Width, raw[at], raw[max(at-30, 0):min(at+30, len(raw))])
			}
		}
	}
}
