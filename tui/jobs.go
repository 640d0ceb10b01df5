package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// What is kept of the lines that ran.
const (
	jobsKept    = 200     // in the log
	outputsKept = 20      // with their output
	outputMost  = 1 << 20 // bytes of each of its streams
	newsGap     = 100 * time.Millisecond
)

// job is a command line that runs behind the dashboard, or has run.
type job struct {
	line    deck.Line
	words   []string
	shown   string // as a shell takes it
	started time.Time
	took    time.Duration
	code    int
	ended   bool
	stopped bool // by X
	logged  bool // it stands in the command log
	screen  bool // it had the terminal

	out, err, both output
	cancel         context.CancelFunc
	over           chan struct{} // closed at its end
	wake           chan struct{} // capacity 1: there is more output
	columns        int           // of the pane that shows it; 0: none
	until          time.Time     // when a secret output is hidden again; zero: it is none, or runs
}

func (j *job) running() bool { return !j.ended }

// jobs are the lines that ran, the newest last.
type jobs struct{ list []*job }

func (js *jobs) running() (n int) {
	for _, j := range js.list {
		if j.running() {
			n++
		}
	}
	return n
}

// add puts a line into the log and forgets what is too old.
func (js *jobs) add(j *job) {
	j.logged = true
	js.list = append(js.list, j)
	for i, old := range js.list[:max(len(js.list)-outputsKept, 0)] {
		if !old.running() {
			js.list[i].forget()
		}
	}
	if len(js.list) > jobsKept {
		for i, old := range js.list {
			if !old.running() {
				js.list = append(js.list[:i:i], js.list[i+1:]...)
				break
			}
		}
	}
}

func (j *job) forget() {
	for _, o := range []*output{&j.out, &j.err, &j.both} {
		o.drop()
	}
}

// The messages of a job.
type (
	jobNews  struct{ j *job }
	jobEnded struct {
		j    *job
		code int
		took time.Duration
	}
)

func (m *Model) newJob(l deck.Line) *job {
	return &job{
		line: l, words: deck.Running(l), shown: m.o.Deck.Shown(l), started: m.now(), cancel: func() {},
		over: make(chan struct{}), wake: make(chan struct{}, 1),
	}
}

// start runs a line that has been agreed to.
func (m *Model) start(l deck.Line) tea.Cmd {
	if l.How == deck.OnScreen || l.Program {
		if m.pace.onScreen {
			return nil // its key was pressed twice: another shell must not follow the first
		}
		return m.onScreen(l)
	}
	j := m.newJob(l)
	m.jobs.add(j)
	if l.How == deck.InPane {
		if l.Done == nil { // else the page reads it
			j.columns = max(m.width-4, 0)
		}
		m.push(newJobPane(m, j))
	} else {
		m.say = deck.Say{Text: l.What + m.o.Deck.Styles.Glyphs.Ellipsis}
	}
	return m.run(j)
}

// run runs a job behind the dashboard.
func (m *Model) run(j *job) tea.Cmd {
	ctx, cancel := context.WithCancel(m.o.Desk.Context())
	j.cancel = cancel
	in := bytes.NewReader(j.line.Input)
	out, errs := j.writer(&j.out), j.writer(&j.err)
	run := m.o.Desk.Go(func(context.Context) tea.Msg {
		defer close(j.over)
		defer cancel()
		began := time.Now()
		code := m.o.Run.Run(ctx, j.words, j.line.At, in, out, errs)
		return jobEnded{j, code, time.Since(began)}
	})
	return tea.Batch(run, m.listen(j, 0))
}

// listen is the command that tells when a job has written something.
func (m *Model) listen(j *job, pause time.Duration) tea.Cmd {
	return m.o.Desk.Go(func(ctx context.Context) tea.Msg {
		if pause > 0 {
			select {
			case <-time.After(pause):
			case <-j.over:
				return nil
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-j.wake:
			return jobNews{j}
		case <-j.over:
		case <-ctx.Done():
		}
		return nil
	})
}

// worked takes what comes from lines, from the layout and from crashes.
func (m *Model) worked(msg tea.Msg) (tea.Cmd, bool) {
	switch msg := msg.(type) {
	case jobNews:
		m.stale = true
		return m.listen(msg.j, newsGap), true
	case jobEnded:
		msg.j.code, msg.j.took, msg.j.ended = msg.code, msg.took, true
		if msg.j.line.Secret {
			msg.j.until = m.now().Add(deck.Revealed)
		}
		return m.finished(msg.j), true
	case screenEnded:
		return m.screenOver(msg), true
	case stopped:
		return m.aside(msg.pause), true
	case kept:
		m.savedLayout(msg.err)
	case unopened:
		m.showAddress(msg)
	case written:
		m.say = deck.Say{Text: msg.text, Err: msg.err}
	case cancelled: // at once: the terminal may have been given back already
		m.conceal(true)
		return tea.Quit, true
	case terminalGone:
		m.gone = true
		return tea.Quit, true
	default:
		return m.crashed(msg)
	}
	m.stale = true
	return nil, true
}

// finished says how a job ended and passes it on.
func (m *Model) finished(j *job) tea.Cmd {
	m.stale = true
	if !j.logged { // a preview: its box shows it
		return nil
	}
	if !m.watched(j) {
		m.say = m.verdict(j)
	}
	var cmds []tea.Cmd
	if len(j.line.Refresh) > 0 {
		cmds = append(cmds, m.refresh(j.line.Refresh...))
	}
	if j.line.Done != nil {
		r := deck.Result{Words: j.words, Code: j.code, Out: j.out.bytes(), Err: j.err.bytes()}
		cmds = append(cmds, deck.Ask(j.line.Done(r)))
	}
	return tea.Batch(cmds...)
}

// watched reports whether the pane of a job is on top.
func (m *Model) watched(j *job) bool {
	p, ok := m.top().(*jobPane)
	return ok && p.j == j
}

// verdict is how a job ended, in a line.
func (m *Model) verdict(j *job) deck.Say {
	what := j.line.What
	if what == "" {
		what = j.shown
	}
	switch {
	case j.stopped && j.code != 0:
		return deck.Say{Text: what + ": stopped"}
	case j.code == 0:
		return deck.Say{Text: what + ": done " + spent(j.took)}
	}
	err := lastWords(j.err.text())
	if err == nil {
		err = errors.New("no reason was given")
	}
	f := fault.New(fault.Failed, what+fmt.Sprintf(": exit %d", j.code), "%w", err)
	return deck.Say{Err: f}
}

// lastWords reads what a command said on standard error at its end: the error and
// its hint.
func lastWords(text string) error {
	var said, hint string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(ansi.Strip(line), "\r\n")
		line = render.Visible(line[strings.LastIndexByte(line, '\r')+1:]) // what was overwritten is not said
		switch rest, ours := strings.CutPrefix(line, "ssmdeck: "); {
		case ours && strings.HasPrefix(rest, "hint: "):
			hint = strings.TrimPrefix(rest, "hint: ")
		case ours:
			said, hint = strings.TrimPrefix(rest, "error: "), ""
		case strings.TrimSpace(line) != "" && said == "":
			said = strings.TrimSpace(line)
		}
	}
	if said == "" {
		return nil
	}
	return &fault.Error{Err: errors.New(said), Hint: hint}
}

// output is a stream of a job: its beginning, and that it was cut when it was.
type output struct {
	mu    sync.Mutex
	buf   []byte
	cut   bool
	gone  bool
	total int
}

func (o *output) add(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.total += len(p)
	if room := outputMost - len(o.buf); room < len(p) {
		p, o.cut = p[:max(room, 0)], true
	}
	o.buf = append(o.buf, p...)
}

func (o *output) bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.buf)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.gone:
		return fmt.Sprintf("(the output of %s is not kept any more)\n", render.Bytes(int64(o.total)))
	case o.cut:
		return string(o.buf) + fmt.Sprintf("\n(cut here: %s of %s are kept)\n", render.Bytes(int64(len(o.buf))), render.Bytes(int64(o.total)))
	}
	return string(o.buf)
}

// cutOff reports whether the text is not what was written, but less.
func (o *output) cutOff() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cut || o.gone
}

// size changes whenever the text does.
func (o *output) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.buf) + map[bool]int{true: 1}[o.cut] - map[bool]int{true: 1}[o.gone]
}

func (o *output) drop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.buf) > 0 {
		o.buf, o.gone = nil, true
	}
}

// pipe writes to one stream of a job, and to both together.
type pipe struct {
	j  *job
	to *output
}

// Columns is how wide the pane is in which the output is read; 0: it is in none. A
// command prints tables for people then, as on a terminal.
func (p pipe) Columns() int { return p.j.columns }

func (j *job) writer(to *output) pipe { return pipe{j, to} }

func (p pipe) Write(b []byte) (int, error) {
	p.to.add(b)
	p.j.both.add(b)
	select {
	case p.j.wake <- struct{}{}:
	default:
	}
	return len(b), nil
}
