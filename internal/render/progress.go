package render

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// ProgressMode is the value of --progress.
type ProgressMode string

// The modes.
const (
	ProgressAuto  ProgressMode = "auto"  // bar on a terminal, else plain
	ProgressBar   ProgressMode = "bar"   // one line, rewritten
	ProgressPlain ProgressMode = "plain" // a line per event, and the counts every 10 s
	ProgressJSON  ProgressMode = "json"  // a JSON object per event and per change
	ProgressNone  ProgressMode = "none"
)

// ParseProgressMode reads the value of --progress; "" is ProgressAuto. Anything
// else is a Usage error that lists the values.
func ParseProgressMode(s string) (ProgressMode, error) {
	switch m := ProgressMode(s); m {
	case "":
		return ProgressAuto, nil
	case ProgressAuto, ProgressBar, ProgressPlain, ProgressJSON, ProgressNone:
		return m, nil
	}
	return "", fault.Usagef("unknown progress mode %q: use auto, bar, plain, json or none", s)
}

// Status is how far a long operation is.
type Status struct {
	Label       string // what is going on: "run on 40 nodes"
	Done, Total int64  // Total 0: not known
	Bytes       bool   // Done and Total count bytes
	Note        string // more counts: "2 failed"; may be styled
}

// ProgressOptions say where and how progress is shown.
type ProgressOptions struct {
	Mode  ProgressMode
	Quiet bool // -q: show none
	// Terminal says that the writer is a terminal which can rewrite a line: not
	// one with TERM=dumb.
	Terminal bool
	Width    func() int       // of the terminal, asked at each drawing; nil: 80
	Styles   *theme.Styles    // nil: plain
	Now      func() time.Time // nil: time.Now
}

// Progress shows how far a long operation is, on standard error. As a bar it is
// one line that is rewritten at most ten times a second and removed by Close;
// nothing is drawn in the first tenth of a second. Its methods may be called
// from several goroutines, and never fail: what is asked for is on standard
// output, not here.
type Progress struct {
	o    ProgressOptions
	quit chan struct{}
	done chan struct{} // nil: no goroutine

	mu      sync.Mutex
	w       io.Writer
	status  Status
	known   bool // a status was set
	changed bool // since it was last shown
	start   time.Time
	frame   int
	shown   bool // the line has been drawn once, so there is one to take away
	held    bool // other output stands in the middle of a line: no line is drawn
}

// effective resolves the mode: a bar needs a line that can be rewritten.
func (o ProgressOptions) effective() ProgressMode {
	switch {
	case o.Quiet:
		return ProgressNone
	case o.Mode == ProgressPlain || o.Mode == ProgressJSON || o.Mode == ProgressNone:
		return o.Mode
	case o.Terminal:
		return ProgressBar
	default:
		return ProgressPlain
	}
}

// interval is how often the status is shown.
func (o ProgressOptions) interval() time.Duration {
	switch o.Mode {
	case ProgressBar:
		return 100 * time.Millisecond
	case ProgressPlain:
		return 10 * time.Second
	case ProgressJSON:
		return time.Second
	default:
		return 0
	}
}

// NewProgress starts showing progress on w. Close must be called.
func NewProgress(w io.Writer, o ProgressOptions) *Progress {
	o.Mode = o.effective()
	if o.Width == nil {
		o.Width = func() int { return 80 }
	}
	if o.Styles == nil {
		o.Styles = theme.New(theme.Plain, false, false)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Progress{o: o, w: w, start: o.Now(), quit: make(chan struct{})}
	if every := o.interval(); every > 0 {
		p.done = make(chan struct{})
		go p.tick(every)
	}
	return p
}

func (p *Progress) tick(every time.Duration) {
	defer close(p.done)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-t.C:
			p.mu.Lock()
			p.show()
			p.mu.Unlock()
		}
	}
}

// Set says how far the operation is. It costs little and may be called often.
func (p *Progress) Set(s Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed = p.changed || !p.known || s != p.status
	p.status, p.known = s, true
}

// Event reports one change of state: plain prints text with the time, json
// prints fields as one object (nil: the text and the time), a bar shows
// nothing, because its counts say it.
func (p *Progress) Event(text string, fields any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.o.Mode {
	case ProgressPlain:
		p.write(Timestamp(p.o.Now()) + " " + Visible(text) + "\n")
	case ProgressJSON:
		if fields == nil {
			fields = progressJSON{Type: "event", Time: Timestamp(p.o.Now()), Message: text}
		}
		p.writeJSON(fields)
	}
}

// Println prints a line of other output, such as a warning, above the progress
// line; in every mode, also when progress is not shown.
func (p *Progress) Println(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held {
		p.write("\n")
		p.held = false
	} else {
		p.clear()
	}
	p.write(line + "\n")
	p.draw()
}

// Over returns a writer to w, typically standard output on the same terminal,
// that takes the progress line away while it writes. A line not yet finished
// keeps the progress line away.
func (p *Progress) Over(w io.Writer) io.Writer { return &overWriter{p, w} }

type overWriter struct {
	p *Progress
	w io.Writer
}

func (o *overWriter) Write(b []byte) (int, error) {
	p := o.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	n, err := o.w.Write(b)
	if n > 0 {
		p.held = p.o.Mode == ProgressBar && b[n-1] != '\n'
	}
	p.draw()
	return n, err
}

// Close removes the line and ends the progress. Calling it again does nothing.
func (p *Progress) Close() {
	p.mu.Lock()
	select {
	case <-p.quit:
		p.mu.Unlock()
		return
	default:
	}
	close(p.quit)
	p.mu.Unlock()
	if p.done != nil {
		<-p.done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.shown = false
	if p.o.Mode == ProgressJSON {
		p.show() // the last counts
	}
	p.o.Mode = ProgressNone
}

// show is called with mu held, as all below.
func (p *Progress) show() {
	if !p.known {
		return
	}
	switch p.o.Mode {
	case ProgressBar:
		p.frame++
		p.shown = true
		p.draw()
	case ProgressPlain:
		p.write(Timestamp(p.o.Now()) + " " + p.plain() + "\n")
	case ProgressJSON:
		if p.changed {
			s := p.status
			p.writeJSON(progressJSON{
				Type: "progress", Time: Timestamp(p.o.Now()),
				Label: s.Label, Done: &s.Done, Total: s.Total, Note: unstyled(s.Note),
			})
		}
	}
	p.changed = false
}

type progressJSON struct {
	Type    string `json:"type"`
	Time    string `json:"time"`
	Label   string `json:"label,omitempty"`
	Done    *int64 `json:"done,omitempty"`
	Total   int64  `json:"total,omitempty"`
	Note    string `json:"note,omitempty"`
	Message string `json:"message,omitempty"`
}

// draw puts the line on the screen, once show has done so first.
func (p *Progress) draw() {
	if p.shown && !p.held {
		// Two columns are left for the ^C that a terminal echoes.
		p.write("\r" + CutEnd(p.line(), p.o.Width()-3, p.o.Styles.Glyphs.Ellipsis) + "\x1b[K")
	}
}

// clear takes the line off the screen; draw brings it back.
func (p *Progress) clear() {
	if p.shown && !p.held {
		p.write("\r\x1b[2K")
	}
}

func (p *Progress) write(s string) {
	// Progress that cannot be shown is no reason to fail.
	_, _ = io.WriteString(p.w, s)
}

func (p *Progress) writeJSON(v any) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) == nil {
		p.write(string(escapeControls([]byte(b.String()), jsonEscape)))
	}
}

// line is the picture of the status.
func (p *Progress) line() string {
	s, st := p.status, p.o.Styles
	parts := []string{st.Glyphs.Spinner[p.frame%len(st.Glyphs.Spinner)], Visible(s.Label)}
	if s.Total > 0 {
		fraction := float64(s.Done) / float64(s.Total)
		bar := Bar(fraction, min(20, p.o.Width()/4), st.Glyphs.Bar)
		if st.Color {
			bar = st.Bar.Render(bar)
		}
		parts = append(parts, bar)
	}
	parts = append(parts, s.counts())
	if s.Total > 0 {
		parts = append(parts, fmt.Sprintf("%d%%", percent(s.Done, s.Total)))
	}
	if s.Note != "" {
		note := unstyled(s.Note)
		if st.Color {
			note = styled(s.Note, true)
		}
		parts = append(parts, st.Glyphs.Sep, note)
	}
	parts = append(parts, st.Glyphs.Sep, elapsed(p.o.Now().Sub(p.start)))
	return strings.Join(parts, " ")
}

func (p *Progress) plain() string {
	s := p.status
	text := Visible(s.Label) + " " + s.counts()
	if s.Note != "" {
		text += ", " + unstyled(s.Note)
	}
	return text + ", " + elapsed(p.o.Now().Sub(p.start))
}

// unstyled is a note for a line without colour.
func unstyled(note string) string { return Visible(ansi.Strip(note)) }

func elapsed(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return Duration(d)
}

func (s Status) counts() string {
	show := func(n int64) string { return fmt.Sprint(n) }
	if s.Bytes {
		show = Bytes
	}
	if s.Total > 0 {
		return show(s.Done) + "/" + show(s.Total)
	}
	return show(s.Done)
}

// percent is rounded down, and 100 only when all is done.
func percent(done, total int64) int {
	return int(min(100, max(0, math.Floor(100*float64(done)/float64(total)))))
}

// Bar draws a bar of width cells of which fraction (0 to 1) is filled. glyphs
// are a cell from empty to full, as in theme.Glyphs.Bar. It is full only when
// fraction is 1 or more.
func Bar(fraction float64, width int, glyphs []string) string {
	steps := len(glyphs) - 1
	if width <= 0 || steps < 1 {
		return ""
	}
	filled := 0
	if fraction > 0 { // not for NaN
		filled = int(min(fraction, 1) * float64(width*steps))
	}
	var b strings.Builder
	for i := range width {
		b.WriteString(glyphs[min(steps, max(0, filled-i*steps))])
	}
	return b.String()
}
