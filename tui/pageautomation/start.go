package pageautomation

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// What the services answer.
type (
	gotBooks struct {
		asked int
		at    grid.Place
		list  []document.Summary
		err   error
	}
	gotBook struct {
		asked int
		at    grid.Place
		doc   document.Document
		err   error
	}
	gotWhole struct {
		asked int
		o     opened
		w     Whole
		err   error
		do    func(opened, Whole) tea.Cmd
	}
	// started is the end of a line that started an execution.
	started struct {
		at       grid.Place
		document string
		result   deck.Result
	}
)

// StartRunbook has the page ask for the parameters of a runbook, in one of the places
// that have it.
type StartRunbook struct {
	Places []grid.Place
	Name   string
}

// answer takes the page's own messages.
func (p *Page) answer(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case StartRunbook:
		return p.where("start "+render.Visible(msg.Name)+" in", msg.Places, func(at grid.Place) tea.Cmd { return p.loadBook(at, msg.Name) })
	case lookAgain:
		if o, ok := p.target(); ok && o.key() == msg.o.key() {
			return p.detail.Want(o.key(), 0, p.reader(o))
		}
	case gotBooks:
		switch {
		case msg.asked != p.asked:
		case msg.err != nil:
			return deck.Ask(deck.Say{Err: msg.err})
		default:
			p.books[msg.at] = msg.list
			return p.chooseBook(msg.at)
		}
	case gotBook:
		switch {
		case msg.asked != p.asked:
		case msg.err != nil:
			return deck.Ask(deck.Say{Err: msg.err})
		default:
			return p.form(msg.at, msg.doc, nil, "")
		}
	case gotWhole:
		switch {
		case msg.asked != p.asked:
		case msg.err != nil:
			return deck.Ask(deck.Say{Err: msg.err})
		default:
			return msg.do(msg.o, msg.w)
		}
	case started:
		id, _, _ := strings.Cut(strings.TrimSpace(string(msg.result.Out)), "\n")
		if msg.result.Code == 0 && id != "" {
			return p.push(opened{msg.at, id, msg.document})
		}
	}
	return nil
}

func (p *Page) reader(o opened) func(context.Context) (Whole, error) {
	return func(ctx context.Context) (Whole, error) { return p.svc.Read(ctx, o.at, o.id) }
}

// start asks where, and then for the runbook.
func (p *Page) start() tea.Cmd {
	places := make([]grid.Place, len(p.desk.Cells))
	for i, c := range p.desk.Cells {
		places[i] = c.Place
	}
	return p.where("start a runbook in", places, p.loadBooks)
}

// where asks in which of several places something is done; in the only one it is done
// at once.
func (p *Page) where(title string, places []grid.Place, do func(grid.Place) tea.Cmd) tea.Cmd {
	switch len(places) {
	case 0:
		return do(grid.Place{})
	case 1:
		return do(places[0])
	}
	choose := deck.Choose{Title: title, Done: func(i int) tea.Cmd { return do(places[i]) }}
	for _, at := range places {
		choose.Entries = append(choose.Entries, deck.Entry{Name: at.String()})
	}
	return deck.Ask(choose)
}

func (p *Page) loadBooks(at grid.Place) tea.Cmd {
	p.asked++
	if p.books[at] != nil {
		return p.chooseBook(at)
	}
	asked := p.asked
	return tea.Batch(deck.Ask(deck.Say{Text: "reading the runbooks of " + placeName(at)}), p.desk.Go(func(ctx context.Context) tea.Msg {
		list, err := p.svc.Runbooks(ctx, at)
		return gotBooks{asked, at, list, err}
	}))
}

// chooseBook offers the runbooks: the account's own first.
func (p *Page) chooseBook(at grid.Place) tea.Cmd {
	list := slices.Clone(p.books[at])
	if len(list) == 0 {
		return deck.Ask(deck.Say{Text: "there is no runbook in " + placeName(at)})
	}
	amazon := func(d document.Summary) bool { return d.Owner == "Amazon" }
	slices.SortStableFunc(list, func(a, b document.Summary) int {
		if amazon(a) != amazon(b) {
			return map[bool]int{true: 1, false: -1}[amazon(a)]
		}
		return strings.Compare(a.Name, b.Name)
	})
	choose := deck.Choose{Title: "start which runbook", Done: func(i int) tea.Cmd { return p.loadBook(at, list[i].Name) }}
	for _, d := range list {
		detail := render.Visible(d.Owner)
		if d.DisplayName != "" {
			detail = render.Visible(d.DisplayName) + ", " + detail
		}
		choose.Entries = append(choose.Entries, deck.Entry{Name: render.Visible(d.Name), Detail: detail})
	}
	return deck.Ask(choose)
}

func (p *Page) loadBook(at grid.Place, name string) tea.Cmd {
	p.asked++
	asked := p.asked
	return p.desk.Go(func(ctx context.Context) tea.Msg {
		doc, err := p.svc.Runbook(ctx, at, name)
		return gotBook{asked, at, doc, err}
	})
}

// rerun starts an execution once more, with the parameters it had.
func (p *Page) rerun(o opened, w Whole) tea.Cmd {
	var flags []string
	for _, t := range w.Targets {
		switch name, isTag := strings.CutPrefix(t.Key, "tag:"); {
		case t.Key == "ParameterValues":
			flags = append(flags, t.Values...)
		case t.Key == "ResourceGroup":
			for _, v := range t.Values {
				flags = append(flags, "@"+v)
			}
		case isTag:
			flags = append(flags, "tag:"+name+"="+strings.Join(t.Values, ","))
		default:
			return deck.Ask(deck.Say{Err: fault.Usagef("automation %s was started for %s, which `ssmdeck automation start` does not know", short(o.id), t.Key)})
		}
	}
	return deck.Ask(p.line(o.at, automation.Request{
		Document: w.Document, DocumentVersion: w.DocumentVersion, Parameters: w.Parameters, Interactive: w.Mode == "Interactive",
		TargetParameter: w.TargetParameter, Concurrency: w.Concurrency, MaxErrors: w.MaxErrors,
	}, flags))
}
