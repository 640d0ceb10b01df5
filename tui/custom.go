package tui

// customEntries are what the palette offers of the user's own: saved views, and
// command lines for the row that the page is about.
func (m *Model) customEntries(string) []entry { return nil }
