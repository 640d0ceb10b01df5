package theme

import "charm.land/lipgloss/v2"

// Role is one thing that can look different from the rest.
type Role struct {
	Name string // as files of themes have it
	Doc  string // one line, lower case, no full stop

	style func(*Styles) *lipgloss.Style
}

// Sources is the role that has several looks: see Styles.Source.
const Sources = "sources"

// Roles are all of them but Sources, in the order of the documentation.
func Roles() []Role {
	return []Role{
		{"title", "names of pages, panes and boxes", func(s *Styles) *lipgloss.Style { return &s.Title }},
		{"header", "heads of columns", func(s *Styles) *lipgloss.Style { return &s.Header }},
		{"key", "labels of details", func(s *Styles) *lipgloss.Style { return &s.Key }},
		{"dim", "what matters less: hints, units, data that are too old", func(s *Styles) *lipgloss.Style { return &s.Dim }},
		{"accent", "what the eye should find: keys, names, command lines", func(s *Styles) *lipgloss.Style { return &s.Accent }},
		{"strong", "emphasis inside text", func(s *Styles) *lipgloss.Style { return &s.Strong }},
		{"good", "done, online, compliant", func(s *Styles) *lipgloss.Style { return &s.Good }},
		{"busy", "under way", func(s *Styles) *lipgloss.Style { return &s.Busy }},
		{"warn", "works, but needs a look", func(s *Styles) *lipgloss.Style { return &s.Warn }},
		{"bad", "failed, lost, not compliant; errors", func(s *Styles) *lipgloss.Style { return &s.Bad }},
		{"idle", "not started, or stopped on purpose", func(s *Styles) *lipgloss.Style { return &s.Idle }},
		{"unknown", "states that are not known", func(s *Styles) *lipgloss.Style { return &s.Unknown }},
		{"selected", "the row under the cursor, the tab of this view", func(s *Styles) *lipgloss.Style { return &s.Selected }},
		{"match", "what a search has found", func(s *Styles) *lipgloss.Style { return &s.Match }},
		{"changed", "a value that has just changed", func(s *Styles) *lipgloss.Style { return &s.Changed }},
		{"border", "lines around and between panes", func(s *Styles) *lipgloss.Style { return &s.Border }},
		{"protected", "the sign of a protected context", func(s *Styles) *lipgloss.Style { return &s.Protected }},
		{"bar", "the filled part of bars", func(s *Styles) *lipgloss.Style { return &s.Bar }},
	}
}

// roleNames are the names that a file of a theme may give a look.
func roleNames() []string {
	names := make([]string, 0, 20)
	for _, r := range Roles() {
		names = append(names, r.Name)
	}
	return append(names, Sources)
}
