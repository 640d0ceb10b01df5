package dash_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// asks are what the commands of an action ask the root for. Messages of the page's own,
// such as what it had to load first, are given to it.
func asks(p deck.Page, cmd tea.Cmd) (all []tea.Msg) {
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			all = append(all, asks(p, c)...)
		}
	default:
		if reflect.TypeOf(msg).PkgPath() != reflect.TypeFor[deck.Line]().PkgPath() {
			return asks(p, p.Update(msg))
		}
		all = append(all, msg)
	}
	return all
}

// Whatever changes something goes through a command line that exists, with flags that
// it has, and is asked for; nothing is done behind the back of whoever looks.
func TestEveryActionShowsItsOneLiner(t *testing.T) {
	f := allLoaded(t)
	lines := 0
	for _, p := range f.pages {
		for _, a := range p.Actions() {
			if a.Off != "" || a.Do == nil || !a.Writes {
				continue
			}
			for _, msg := range asks(p, a.Do()) {
				switch m := msg.(type) {
				case deck.Line:
					lines++
					checkLine(t, f, p.ID()+" "+a.Key+" "+a.Name, m)
				case deck.Form, deck.Choose, deck.Say, deck.Open, deck.Show: // a line comes after it
				default:
					t.Errorf("%s: %s (%s) asks for %T, which shows no line", p.ID(), a.Name, a.Key, msg)
				}
			}
		}
	}
	if lines < 3 {
		t.Errorf("only %d lines were seen on all views", lines)
	}
}

func checkLine(t *testing.T, f *flow, who string, l deck.Line) {
	t.Helper()
	if l.Level == deck.Read && l.How != deck.OnScreen {
		t.Errorf("%s: %q writes and is not asked for", who, l.Words)
	}
	if l.What == "" {
		t.Errorf("%s: %q does not say what it is", who, l.Words)
	}
	if l.Level >= deck.Destructive && l.Type == "" {
		t.Errorf("%s: %q cannot be undone, and nothing must be typed for it", who, l.Words)
	}
	if code, out := f.help(l.Words); code != 0 {
		t.Errorf("%s: there is no such line: ssmdeck %s\n%s", who, strings.Join(l.Words, " "), out)
	}
	if l.Preview != nil {
		if code, out := f.help(l.Preview); code != 0 {
			t.Errorf("%s: there is no such line: ssmdeck %s\n%s", who, strings.Join(l.Preview, " "), out)
		}
	}
}

// help asks the command of a line for its help, which fails when there is no such
// command or one of the flags is not its own.
func (f *flow) help(words []string) (code int, out string) {
	at := slices.Index(words, "--")
	if at < 0 {
		at = len(words)
	}
	env := f.env(flowOptions{})
	var b bytes.Buffer
	env.Args, env.Out, env.Err = slices.Concat(words[:at], []string{"--help"}), io.Discard, &b
	return commands.Run(context.Background(), env), b.String()
}

// Every view reads the same without colour, and without any sign that is not ASCII.
func TestNothingByColourAlone(t *testing.T) {
	f := allLoaded(t)
	d := f.opts.Deck
	for _, p := range f.pages {
		for _, size := range [][2]int{{40, 6}, {80, 19}, {140, 35}} {
			views := map[string]string{}
			styles := map[string]*theme.Styles{"none": theme.New(theme.Dark, false, false)}
			for _, v := range theme.Variants() {
				styles[v] = theme.New(theme.Variant(v), true, false)
			}
			for name, s := range styles {
				d.Styles = s
				p.SetSize(size[0], size[1])
				views[name] = ansi.Strip(trimmed(p.View()))
			}
			for name, view := range views {
				if view != views["none"] {
					t.Errorf("%s at %dx%d says as %s\n%s\nand without colour\n%s", p.ID(), size[0], size[1], name, view, views["none"])
				}
			}
			d.Styles = theme.New(theme.Plain, false, true)
			p.SetSize(size[0], size[1])
			for _, r := range p.View() {
				if r > 126 {
					t.Errorf("%s at %dx%d has %q in ASCII:\n%s", p.ID(), size[0], size[1], r, p.View())
					break
				}
			}
		}
	}
}

// trimmed is a view without spaces at the ends of lines, and without the brackets that
// mark what is chosen where no colour does.
func trimmed(view string) string {
	lines := strings.Split(ansi.Strip(view), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.NewReplacer("[", " ", "]", " ").Replace(l), " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// allLoaded is a dashboard that has shown every view until its data were there, and
// was left then: its pages are the test's.
func allLoaded(t *testing.T) *flow {
	f := startFlow(t, flowOptions{dash: dashAll})
	for i, p := range f.pages {
		f.press(fmt.Sprint(i + 1))
		f.waitUntil("waiting for data of "+p.Title(), func() bool {
			s := f.screen()
			return strings.Contains(s, fmt.Sprintf("%d▸%s", i+1, p.Title()[:5])) && strings.Contains(s, "⟳") && !strings.Contains(s, "loading")
		})
	}
	f.prog.Quit()
	<-f.ended
	return f
}

var dashAll = dash.Options{View: "overview", Calls: 1000}
