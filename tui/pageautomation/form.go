package pageautomation

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

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
	title := "start " + render.Visible(doc.Name) + " in " + placeName(at)
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
	f := deck.Field{Name: param.Name, Label: render.Visible(param.Name), Value: value, Secret: window.SecretParameter(param.Name), Many: param.IsList() || param.Type == document.StringMap}
	switch {
	case param.Required:
		f.Label += " (needed)"
	case param.Default != "" && !f.Secret:
		f.Help = "default " + render.OneLine(param.Default) + ". "
	}
	if param.IsList() {
		f.Help += "One a line. "
	}
	f.Help = strings.TrimSpace(f.Help + render.OneLine(param.Description))
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
		return p.form(at, doc, values, render.OneLine(err.Error()))
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
