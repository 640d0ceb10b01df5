package tui

import (
	"context"
	"errors"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// errNoChoice is what is wrong with a text that had to be one of several.
var errNoChoice = errors.New("choose one of those listed")

// cancelled says that the program is to end: its context has.
type cancelled struct{}

// written says how writing a file went.
type written struct {
	text string
	err  error
}

// interrupt is Ctrl-C: the first says what a second one does.
func (m *Model) interrupt() tea.Cmd {
	if m.leaving || m.ending {
		return m.leave()
	}
	m.leaving = true
	if d := m.top(); d != nil {
		if c, ok := d.(*confirm); ok {
			c.leave()
		} else {
			m.close(d)
		}
	}
	m.say = deck.Say{Text: "press ctrl+c again to leave"}
	return nil
}

// quit leaves, and asks first when that ends something.
func (m *Model) quit() tea.Cmd { return m.quitFor("") }

// quitFor leaves for a dashboard of another context; empty: for good.
func (m *Model) quitFor(other string) tea.Cmd { return m.quitWith(Outcome{Context: other}) }

// quitWith leaves for what an outcome says.
func (m *Model) quitWith(o Outcome) tea.Cmd {
	leave := func() tea.Cmd {
		m.outcome = o
		return m.leave()
	}
	var busy []string
	for _, j := range m.jobs.list {
		if j.running() {
			busy = append(busy, j.shown)
		}
	}
	if m.o.Busy != nil {
		busy = append(busy, m.o.Busy()...)
	}
	if len(busy) == 0 {
		return leave()
	}
	d := &menu{m: m, head: "Leave? " + widget.Count(len(busy), "thing") + " started here would end", prompt: ">"}
	d.entries = append(d.entries,
		entry{name: "stay", detail: "go on here"},
		entry{name: "leave", detail: "end what runs, and leave", do: leave})
	for _, b := range busy {
		d.entries = append(d.entries, entry{name: b, off: "runs"})
	}
	d.fit()
	m.push(d)
	return nil
}

// leave ends the program. Pressed once more it does not wait for the terminal. The last
// picture has no secrets: where there is no alternate screen it stays.
func (m *Model) leave() tea.Cmd {
	m.stale = true
	m.conceal(true)
	if m.stage == nil || m.ending {
		return tea.Quit
	}
	if m.ending = true; m.stage.keys.owes() {
		m.say = deck.Say{Text: "leaving, as soon as the terminal has answered; ctrl+c does not wait for it"}
	}
	return m.parting(tea.Quit)
}

// crashed ends the program when something behind it has panicked; false: it is no
// such message.
func (m *Model) crashed(msg tea.Msg) (tea.Cmd, bool) {
	c, ok := msg.(feed.Crashed)
	if !ok {
		return nil, false
	}
	m.crash = &c
	return tea.Quit, true
}

// Broken is the panic that ended the dashboard; nil: none did.
func (m *Model) Broken() *feed.Crashed { return m.crash }

// copy puts a text on the clipboard. The terminal does that, and does not say whether
// it did.
func (m *Model) copy(c deck.Copy) tea.Cmd {
	m.stale = true
	what := c.What
	if what == "" {
		what = "the text"
	}
	m.say = deck.Say{Text: what + " is on the clipboard, if the terminal allows it (OSC 52)"}
	return tea.SetClipboard(c.Text)
}

// browse opens a page of the console, or shows its address.
func (m *Model) browse(url string) tea.Cmd {
	if m.o.Browse == nil {
		m.push(newShow(m, "Address of the console page", url+"\n"))
		return nil
	}
	m.say = deck.Say{Text: "opening " + url}
	return m.o.Desk.Go(func(ctx context.Context) tea.Msg {
		if err := m.o.Browse(ctx, url); err != nil {
			return unopened{url: url, err: err}
		}
		return nil
	})
}

// unopened is a page of the console for which there was no browser.
type unopened struct {
	url string
	err error
}

// showAddress shows the address of a page that could not be opened, to be opened elsewhere.
func (m *Model) showAddress(u unopened) {
	m.say, m.stale = deck.Say{}, true
	m.push(newShow(m, "No browser could be opened: "+firstLine(u.err.Error()), u.url+"\n"))
}

// writeForm asks where to write a text.
func (m *Model) writeForm(text, name string) dialog {
	return newForm(m, deck.Form{
		Title: "Write to a file",
		Fields: []deck.Field{{Name: "path", Label: "File", Value: name, Help: "a new file", Check: func(v string) error {
			if strings.TrimSpace(v) == "" {
				return errors.New("the name of a new file is needed")
			}
			return nil
		}}},
		Done: func(v map[string]string) tea.Cmd {
			path := strings.TrimSpace(v["path"])
			return m.o.Desk.Go(func(context.Context) tea.Msg {
				if err := writeNew(path, text); err != nil {
					return written{err: err}
				}
				return written{text: "written to " + path}
			})
		},
	})
}

// writeNew writes a file that is not there yet, for its owner alone.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		if errors.Is(err, os.ErrExist) {
			return fault.New(fault.Conflict, "write "+path, "it is there already").WithHint("choose another name")
		}
		return fault.New(fault.Failed, "write "+path, "%w", err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fault.New(fault.Failed, "write "+path, "%w", err)
	}
	return nil
}
