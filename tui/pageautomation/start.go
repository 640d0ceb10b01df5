package pageautomation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
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
	}
	// started is the end of a line that started an execution.
	started struct {
		at       grid.Place
		document string
		result   deck.Result
	}
)

// answer takes the page's own messages.
func (p *Page) answer(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
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
			return p.rerun(msg.o, msg.w)
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
	if len(p.desk.Cells) > 1 {
		choose := deck.Choose{Title: "start a runbook in", Done: func(i int) tea.Cmd { return p.loadBooks(p.desk.Cells[i].Place) }}
		for _, c := range p.desk.Cells {
			choose.Entries = append(choose.Entries, deck.Entry{Name: c.Place.String()})
		}
		return deck.Ask(choose)
	}
	var at grid.Place
	if len(p.desk.Cells) == 1 {
		at = p.desk.Cells[0].Place
	}
	return p.loadBooks(at)
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
		detail := safe(d.Owner)
		if d.DisplayName != "" {
			detail = safe(d.DisplayName) + ", " + detail
		}
		choose.Entries = append(choose.Entries, deck.Entry{Name: safe(d.Name), Detail: detail})
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

// The fields of the form that are no parameters have names no parameter can have.
const (
	overField        = " over"
	targetsField     = " targets"
	concurrencyField = " concurrency"
	errorsField      = " errors"
)

// form asks for the parameters. values are those typed before; wrong is what was the
// matter with them.
func (p *Page) form(at grid.Place, doc document.Document, values map[string]string, wrong string) tea.Cmd {
	if len(doc.Parameters) == 0 {
		return deck.Ask(p.line(at, automation.Request{Document: doc.Name}, nil))
	}
	title := "start " + safe(doc.Name) + " in " + placeName(at)
	if wrong != "" {
		title += ": " + wrong
	}
	f := deck.Form{Title: title, Done: func(values map[string]string) tea.Cmd { return p.startLine(at, doc, values) }}
	for _, param := range doc.Parameters {
		f.Fields = append(f.Fields, field(doc, param, values[param.Name]))
	}
	f.Fields = append(f.Fields,
		deck.Field{Name: overField, Label: "Over several targets", Value: values[overField], Help: "the parameter that takes each; empty: it runs once", Choices: starting(doc.ParameterNames())},
		deck.Field{Name: targetsField, Label: "Targets", Value: values[targetsField], Help: "ids, tag:KEY=VALUE or @group, spaces between"},
		deck.Field{Name: concurrencyField, Label: "At a time", Value: values[concurrencyField], Help: "of the targets: 10 or 25%"},
		deck.Field{Name: errorsField, Label: "Stop after failures", Value: values[errorsField], Help: "of targets: 1 or 5%"})
	return deck.Ask(f)
}

// field is what asks for one parameter.
func field(doc document.Document, param document.Parameter, value string) deck.Field {
	f := deck.Field{Name: param.Name, Label: safe(param.Name), Value: value, Secret: window.SecretParameter(param.Name), Many: param.IsList() || param.Type == document.StringMap}
	switch {
	case param.Required:
		f.Label += " (needed)"
	case param.Default != "" && !f.Secret:
		f.Help = "default " + safe(oneLine(param.Default)) + ". "
	}
	if param.IsList() {
		f.Help += "One a line. "
	}
	f.Help = strings.TrimSpace(f.Help + safe(oneLine(param.Description)))
	if len(param.AllowedValues) > 0 {
		f.Choices = starting(param.AllowedValues)
	}
	f.Check = func(text string) error {
		if values := valuesOf(param, text); len(values) > 0 {
			one := document.Document{Name: doc.Name, Parameters: []document.Parameter{param}}
			return document.CheckParams(one, map[string][]string{param.Name: values})
		}
		return nil // whether it is needed depends on the targets
	}
	return f
}

// starting offers the words that begin with, or hold, what is typed.
func starting(words []string) func(string) []string {
	return func(typed string) (fit []string) {
		typed = strings.ToLower(typed)
		for _, w := range words {
			if strings.HasPrefix(strings.ToLower(w), typed) {
				fit = append(fit, w)
			}
		}
		for _, w := range words {
			if l := strings.ToLower(w); strings.Contains(l, typed) && !strings.HasPrefix(l, typed) {
				fit = append(fit, w)
			}
		}
		return fit
	}
}

// valuesOf are the values that a field's text means; none: it was left empty.
func valuesOf(param document.Parameter, text string) []string {
	if text == "" {
		return nil
	}
	if !param.IsList() {
		return []string{text}
	}
	var values []string
	for l := range strings.SplitSeq(text, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			values = append(values, l)
		}
	}
	return values
}

// startLine makes the command line out of what was typed, and asks again where
// something is wrong.
func (p *Page) startLine(at grid.Place, doc document.Document, values map[string]string) tea.Cmd {
	params := map[string][]string{}
	for _, param := range doc.Parameters {
		if v := valuesOf(param, values[param.Name]); len(v) > 0 {
			params[param.Name] = v
		}
	}
	r := automation.Request{
		Document: doc.Name, Parameters: params, TargetParameter: strings.TrimSpace(values[overField]),
		Concurrency: strings.TrimSpace(values[concurrencyField]), MaxErrors: strings.TrimSpace(values[errorsField]),
	}
	targets := strings.Fields(values[targetsField])
	if err := checkStart(doc, r, targets); err != nil {
		return p.form(at, doc, values, safe(oneLine(err.Error())))
	}
	return deck.Ask(p.line(at, r, targets))
}

func checkStart(doc document.Document, r automation.Request, targets []string) error {
	var provided []string
	switch {
	case r.TargetParameter == "" && (len(targets) > 0 || r.Concurrency+r.MaxErrors != ""):
		return fault.Usagef("targets need the parameter that takes each")
	case r.TargetParameter != "" && len(targets) == 0:
		return fault.Usagef("no targets are given for %s", r.TargetParameter)
	case r.TargetParameter != "":
		if _, ok := doc.Parameter(r.TargetParameter); !ok {
			return fault.Usagef("there is no parameter %s", r.TargetParameter)
		}
		provided = append(provided, r.TargetParameter)
	}
	_, err := document.MergeParams(doc, r.Parameters, nil, provided...)
	return err
}

// line is the command line that starts an execution. Secrets, and what the flags
// cannot say, go through its standard input.
func (p *Page) line(at grid.Place, r automation.Request, targets []string) deck.Line {
	words := []string{"automation", "start", r.Document}
	if r.DocumentVersion != "" {
		words = append(words, "--doc-version", r.DocumentVersion)
	}
	l := deck.Line{At: at, What: "start " + safe(r.Document), Level: deck.Change, How: deck.Quietly, Refresh: []string{sources.Executions}}
	aside := map[string][]string{}
	for _, name := range sorted(r.Parameters) {
		values := r.Parameters[name]
		if window.SecretParameter(name) || slices.ContainsFunc(values, unsayable) || len(values) == 0 {
			aside[name] = values
			l.Facts = append(l.Facts, deck.Fact{Name: safe(name), Value: "(not shown)"})
			continue
		}
		for _, v := range values {
			if strings.HasPrefix(v, "@") { // else it would be a file
				v = "@" + v
			}
			words = append(words, "--param", name+"="+v)
		}
		l.Facts = append(l.Facts, deck.Fact{Name: safe(name), Value: safe(oneLine(strings.Join(values, ", ")))})
	}
	if len(aside) > 0 {
		words = append(words, "--params-file", "-")
		l.Input, _ = json.Marshal(aside) // texts alone: cannot fail
	}
	if r.TargetParameter != "" {
		l.Level = deck.Disruptive
		l.What += " for each of several targets"
		words = append(words, "--target-param", r.TargetParameter)
		for _, t := range targets {
			words = append(words, "--target", t)
		}
		l.Facts = append(l.Facts, deck.Fact{Name: "Targets", Value: safe(strings.Join(targets, ", "))})
	}
	if r.Concurrency != "" {
		words = append(words, "--concurrency", r.Concurrency)
	}
	if r.MaxErrors != "" {
		words = append(words, "--max-errors", r.MaxErrors)
	}
	if r.Interactive {
		words = append(words, "--interactive")
	}
	l.Words = words
	if l.Input == nil {
		l.Preview = append(slices.Clone(words), "--dry-run")
	}
	l.Done = func(res deck.Result) tea.Msg { return started{at, r.Document, res} }
	return l
}

// unsayable reports whether a value would mean something else as a flag.
func unsayable(v string) bool {
	return strings.HasPrefix(v, "file://") || strings.HasPrefix(strings.TrimSpace(v), "[")
}

func sorted(m map[string][]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// masked are values without those that may be secrets.
func masked(values map[string][]string) map[string][]string {
	if values == nil {
		return nil
	}
	out := make(map[string][]string, len(values))
	for name, v := range values {
		if window.SecretParameter(name) {
			v = []string{mask}
		}
		out[name] = v
	}
	return out
}

// again starts the execution once more, which takes its parameters.
func (p *Page) again() tea.Cmd {
	o, _, ok := p.chosen()
	if !ok {
		return nil
	}
	if w, read, _ := p.whole(o); read {
		return p.rerun(o, w)
	}
	p.asked++
	asked := p.asked
	return tea.Batch(deck.Ask(deck.Say{Text: "reading the parameters of " + short(o.id)}), p.desk.Go(func(ctx context.Context) tea.Msg {
		w, err := p.svc.Read(ctx, o.at, o.id)
		return gotWhole{asked, o, w, err}
	}))
}

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

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
