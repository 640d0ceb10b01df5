package pageautomation

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// line is the command line that starts an execution. Secrets, and what the flags
// cannot say, go through its standard input.
func (p *Page) line(at grid.Place, r automation.Request, targets []string) deck.Line {
	var words []string
	if r.DocumentVersion != "" {
		words = append(words, "--doc-version", r.DocumentVersion)
	}
	l := deck.Line{At: at, What: "start " + render.Visible(r.Document), Level: deck.Change, How: deck.Quietly, Refresh: []string{sources.Executions}}
	aside, hidden := map[string][]string{}, deck.HiddenParams(r.Parameters)
	for _, name := range sorted(r.Parameters) {
		values := r.Parameters[name]
		if hidden(name) || slices.ContainsFunc(values, unsayable) || len(values) == 0 {
			aside[name] = values
			l.Facts = append(l.Facts, deck.Fact{Name: render.Visible(name), Value: "(not shown)"})
			continue
		}
		for _, v := range values {
			if strings.HasPrefix(v, "@") { // else it would be a file
				v = "@" + v
			}
			words = append(words, "--param", name+"="+v)
		}
		l.Facts = append(l.Facts, deck.Fact{Name: render.Visible(name), Value: render.OneLine(strings.Join(values, ", "))})
	}
	file, input := deck.ParamsFile(aside)
	words, l.Input = append(words, file...), input
	if r.TargetParameter != "" {
		l.Level = deck.Disruptive
		l.What += " for each of several targets"
		words = append(words, "--target-param", r.TargetParameter)
		for _, t := range targets {
			words = append(words, "--target", t)
		}
		l.Facts = append(l.Facts, deck.Fact{Name: "Targets", Value: render.Visible(strings.Join(targets, ", "))})
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
	l.Words = deck.With(deck.Args([]string{"automation", "start"}, r.Document), words...)
	if l.Input == nil {
		l.Preview = deck.With(l.Words, "--dry-run")
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
