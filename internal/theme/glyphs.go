package theme

// Glyphs are the signs ssmdeck draws with. Every glyph is one cell wide, or a
// sequence of one-cell signs, in both sets.
type Glyphs struct {
	Good, Busy, Warn, Bad, Idle, Unknown string // one per Level

	Ellipsis string   // stands for what was cut off
	Arrow    string   // "goes to": 127.0.0.1:5432 → db:5432
	Pointer  string   // the row under the cursor
	Marked   string   // a marked row
	Bullet   string   // list items
	Sep      string   // between short facts on one line
	Up, Down string   // sorted, sent, received
	Changed  string   // a value that has just changed
	Spinner  []string // frames, about ten a second
	Bar      []string // a cell filled 0/n .. n/n; n is len-1
	Spark    []string // a cell of a sparkline from low to high
	Rule     string   // a horizontal line
	Pipe     string   // a vertical line
	Tee      string   // a vertical line from which a branch goes off
	Corner   string   // the last branch
	Track    string   // what is left of a progress bar
	Hit      string   // the line a search is at
	Thumb    string   // of a scroll bar
	Opened   string   // a branch of a tree that shows what is in it
	Closed   string   // one that does not
	Fresh    string   // how old what is shown is
	Crumb    string   // between what was opened and what was opened in it

	TopLeft, TopRight, BottomLeft, BottomRight string // the corners of a box
}

// Level returns the glyph of a level.
func (g *Glyphs) Level(l Level) string {
	switch l {
	case Good:
		return g.Good
	case Busy:
		return g.Busy
	case Warn:
		return g.Warn
	case Bad:
		return g.Bad
	case Idle:
		return g.Idle
	default:
		return g.Unknown
	}
}

func utf8Glyphs() Glyphs {
	return Glyphs{
		Good: "●", Busy: "◐", Warn: "▲", Bad: "✗", Idle: "○", Unknown: "·",
		Ellipsis: "…", Arrow: "→", Pointer: "▸", Marked: "✓", Bullet: "•", Sep: "·",
		Up: "↑", Down: "↓", Changed: "Δ",
		Spinner: []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"},
		Bar:     []string{" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"},
		Spark:   []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
		Rule:    "─", Pipe: "│", Tee: "├", Corner: "└",
		Fresh: "⟳", Crumb: "›", TopLeft: "┌", TopRight: "┐", BottomLeft: "└", BottomRight: "┘",
		Track: "░", Hit: "◂", Thumb: "▐", Opened: "▾", Closed: "▹",
	}
}

func asciiGlyphs() Glyphs {
	return Glyphs{
		Good: "+", Busy: "~", Warn: "!", Bad: "x", Idle: "o", Unknown: "?",
		Ellipsis: "~", Arrow: "->", Pointer: ">", Marked: "*", Bullet: "-", Sep: "-",
		Up: "^", Down: "v", Changed: "*",
		Spinner: []string{"|", "/", "-", "\\"},
		Bar:     []string{".", "#"},
		Spark:   []string{"_", ".", "-", "=", "^"},
		Rule:    "-", Pipe: "|", Tee: "|", Corner: "`",
		Fresh: "@", Crumb: ">", TopLeft: "+", TopRight: "+", BottomLeft: "+", BottomRight: "+",
		Track: ".", Hit: "<", Thumb: "#", Opened: "-", Closed: "+",
	}
}
