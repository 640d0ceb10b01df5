// Package plain is the dashboard for screen readers and for scripts: the same pages
// as text, line by line. Nothing is drawn, nothing moves, and nothing is printed but
// as an answer to a line that was typed.
//
// It is a root of its own beside package tui and keeps what pages are promised:
// everything of theirs is called from one goroutine, what takes time runs as a
// tea.Cmd, and what changes something is asked for first, with the command line that
// does it.
package plain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/palette"
)

// Runner runs ssmdeck command lines in this process.
type Runner interface {
	// Run runs the words, without ssmdeck, in a place and returns the exit code.
	Run(ctx context.Context, words []string, at grid.Place, in io.Reader, out, err io.Writer) int
}

// Options are what the dashboard is made of.
type Options struct {
	Deck     *deck.Deck // shared with the pages
	Desk     *feed.Desk
	Pages    []deck.Page
	Start    string // the page shown at first; empty: the first
	Filter   string // of that page, to begin with
	Run      Runner
	Programs deck.Programs // nil: there are no lines of other programs
	// Own are the user's own actions; nil: there are none.
	Own deck.Own

	// Begin is run first; Take gets each message before anybody else and is true for
	// its own. Both may be nil.
	Begin tea.Cmd
	Take  func(msg tea.Msg) (cmd tea.Cmd, taken bool)
	// Secret reads a line of which nothing is shown; nil: it is read as any other,
	// as from a script.
	Secret func(ctx context.Context, prompt string) (string, error)
	// Stoppable makes the context of a line that runs and of a question: an interrupt
	// (Ctrl-C) ends it and not the dashboard. Nil: there are none.
	Stoppable func(ctx context.Context) (one context.Context, done func())
	// Echo prints each line that is read: where no terminal does.
	Echo bool
	// Operations are the API calls so far; nil: not known.
	Operations func() []feed.Operation
	// Find is what the palette knows beside views and actions; nil: nothing.
	Find palette.Finder
	// Contexts are those of the configuration; choosing one ends the dashboard with
	// Outcome.Context. Empty: there is no choice.
	Contexts []string
	// Ahead reads from where the lines come from, and may have read more than the
	// dashboard before has taken; nil: nothing was read yet.
	Ahead *bufio.Reader
	// Browse opens an address in the browser; nil: it is printed.
	Browse func(ctx context.Context, url string) error
	// CrashFile makes the file that the trace of a panic goes to.
	CrashFile func() (io.WriteCloser, string, error)
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Outcome is why the dashboard ended.
type Outcome struct {
	Context string // to go on with another context; empty: it was left
	Again   bool   // to try again: no place could be opened
}

// The size that pages are told: room for all panes, so that they load what belongs
// into them.
const wide, high = 200, 60

// How long answers are waited for before what is known is printed.
const (
	loadPatience   = 60 * time.Second // for the first rows of a view
	detailPatience = 5 * time.Second  // for what is known of one item
)

// screen is a reader at the dashboard.
type screen struct {
	o    Options
	ctx  context.Context
	in   *bufio.Reader
	raw  io.Reader
	out  io.Writer
	errs io.Writer

	page    int
	history []int // pages before
	from    int   // the first item on the list that was printed last
	plain   deck.Plain

	msgs    chan message
	asked   []tea.Msg // what pages ask for, in order
	pending int       // commands that an answer waits for
	typed   chan typed
	reading bool
	notes   int // of the desk, printed so far
	left    bool
	outcome Outcome
	ran     []ran
	stopped bool // the line that ran last, by an interrupt
}

// message is what a command brought.
type message struct {
	msg     tea.Msg
	counted bool
}

// typed is a line from the reader.
type typed struct {
	line string
	err  error
}

var (
	errLeft  = errors.New("left")  // ends the dashboard: the input is at its end
	errAsked = errors.New("asked") // a page has asked for something meanwhile
	// errDropped leaves a question and all that it was about: Ctrl-C.
	errDropped = errors.New("dropped")
)

// Show shows the dashboard until it is left, its input ends, or ctx does.
func Show(ctx context.Context, in io.Reader, out, errOut io.Writer, o Options) (Outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &screen{
		o: o, ctx: ctx, raw: in, in: o.Ahead, out: out, errs: errOut,
		msgs: make(chan message, 64), typed: make(chan typed),
	}
	if s.in == nil {
		s.in = bufio.NewReader(in)
	}
	if o.Now == nil {
		s.o.Now = time.Now
	}
	for i, p := range o.Pages {
		p.SetSize(wide, high)
		if p.ID() == o.Start {
			s.page = i
		}
	}
	if o.Filter != "" {
		if err := s.current().SetFilter(o.Filter); err != nil {
			return Outcome{}, err
		}
	}
	err := s.loop()
	if errors.Is(err, errLeft) {
		err = nil
	}
	return s.outcome, err
}

func (s *screen) current() deck.Page { return s.o.Pages[s.page] }

// loop reads lines and answers them.
func (s *screen) loop() error {
	s.say("ssmdeck dashboard in plain text. Type h for help, q to leave.")
	s.start(s.o.Begin, true)
	if err := s.load(); err != nil {
		return err
	}
	s.list()
	for {
		if err := s.dropped(s.answer()); err != nil {
			return err
		}
		if s.left {
			return nil
		}
		line, err := s.read(s.ctx, "> ", true)
		if errors.Is(err, errAsked) {
			s.say("")
			continue
		}
		if err != nil {
			return err
		}
		s.tick()
		if err := s.dropped(s.command(strings.TrimSpace(line))); err != nil {
			return err
		}
	}
}

// dropped goes on after a question that was left, with all that was still to be asked.
func (s *screen) dropped(err error) error {
	if !errors.Is(err, errDropped) {
		return err
	}
	s.asked = nil
	s.say("Left: nothing happens. q leaves the dashboard.")
	return nil
}

// tick moves the clock on: ages are those of the line that is answered.
func (s *screen) tick() { s.o.Deck.Now = s.o.Now() }

// say prints a line. Whatever is foreign in it is made visible.
func (s *screen) say(format string, args ...any) {
	fmt.Fprintln(s.out, render.Visible(fmt.Sprintf(format, args...)))
}

// fail prints an error and its hint.
func (s *screen) fail(err error) {
	s.say("Error: %s", err)
	if h := fault.HintOf(err); h != "" {
		s.say("Hint: %s", h)
	}
}

// start runs a command. counted ones are waited for by answers.
func (s *screen) start(cmd tea.Cmd, counted bool) {
	if cmd == nil {
		return
	}
	if counted {
		s.pending++
	}
	go func() {
		select {
		case s.msgs <- message{cmd(), counted}:
		case <-s.ctx.Done():
		}
	}()
}

// take takes what a command brought.
func (s *screen) take(m message) error {
	if m.counted {
		s.pending--
	}
	switch msg := m.msg.(type) {
	case nil:
		return nil
	case tea.BatchMsg:
		for _, c := range msg {
			s.start(c, m.counted)
		}
		return nil
	case tea.QuitMsg:
		s.left = true
		return nil
	case then:
		if err := s.take(message{msg: msg.msg}); err != nil {
			return err
		}
		s.start(inOrder(msg.rest), m.counted)
		return nil
	case feed.Crashed:
		return msg.Report(s.o.CrashFile)
	}
	if cmds := sequence(m.msg); cmds != nil {
		s.start(inOrder(cmds), m.counted)
		return nil
	}
	s.deliver(m.msg, m.counted)
	return nil
}

// deliver gives a message to whom it is for.
func (s *screen) deliver(msg tea.Msg, counted bool) {
	if s.o.Take != nil {
		if cmd, taken := s.o.Take(msg); taken {
			s.start(cmd, false)
			s.want()
			return
		}
	}
	if changed, cmd, mine := s.o.Desk.Update(msg); mine {
		s.start(cmd, false)
		if changed != "" {
			s.tell(feed.Changed{Feed: changed}, counted)
		}
		return
	}
	switch msg.(type) {
	case deck.Open, deck.Line, deck.Form, deck.Choose, deck.Show, deck.Columns, deck.Say, deck.Copy, deck.Browse, deck.Refresh:
		s.asked = append(s.asked, msg)
	default:
		s.tell(msg, counted)
	}
}

// tell gives a message to all pages.
func (s *screen) tell(msg tea.Msg, counted bool) {
	for _, p := range s.o.Pages {
		s.start(p.Update(msg), counted)
	}
}

// sequence are the commands of a tea.Sequence, whose message has no name.
func sequence(msg tea.Msg) []tea.Cmd {
	v := reflect.ValueOf(msg)
	if v.Kind() != reflect.Slice || v.Type().Elem() != reflect.TypeFor[tea.Cmd]() {
		return nil
	}
	cmds := make([]tea.Cmd, v.Len())
	for i := range cmds {
		cmds[i], _ = v.Index(i).Interface().(tea.Cmd)
	}
	return cmds
}

// then is a message and the commands that are to run once it has been taken.
type then struct {
	msg  tea.Msg
	rest []tea.Cmd
}

// inOrder runs commands one after the other.
func inOrder(cmds []tea.Cmd) tea.Cmd {
	for i, c := range cmds {
		if c != nil {
			return func() tea.Msg { return then{c(), cmds[i+1:]} }
		}
	}
	return nil
}

// wait takes messages until done, or patience is at its end; then it is false.
func (s *screen) wait(done func() bool, patience time.Duration) (bool, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for !done() {
		select {
		case m := <-s.msgs:
			if err := s.take(m); err != nil {
				return false, err
			}
		case <-timer.C:
			return false, nil
		case <-s.ctx.Done():
			return false, context.Cause(s.ctx)
		}
	}
	return true, nil
}

// settle waits for what was started to answer.
func (s *screen) settle(patience time.Duration) error {
	_, err := s.wait(func() bool { return s.pending <= 0 || s.left || len(s.asked) > 0 }, patience)
	return err
}

// ask asks a question and reads the line that answers it. What comes meanwhile is taken.
// Ctrl-C leaves the question with errDropped. At the end of the input nobody has answered.
func (s *screen) ask(prompt string) (string, error) {
	ctx, done := s.ctx, func() {}
	if s.o.Stoppable != nil {
		ctx, done = s.o.Stoppable(s.ctx)
	}
	defer done()
	line, err := s.read(ctx, prompt, false)
	switch {
	case errors.Is(err, errLeft):
		s.say("The input is at its end: nothing happens.")
	case err != nil && ctx.Err() != nil && s.ctx.Err() == nil:
		s.say("")
		return "", errDropped
	}
	return line, err
}

// read prints a prompt and reads a line. It ends with errAsked when asked is set and a
// page asks for something meanwhile; the line is read by the next one then.
func (s *screen) read(ctx context.Context, prompt string, asked bool) (string, error) {
	fmt.Fprint(s.out, prompt)
	if !s.reading {
		s.reading = true
		go func() {
			line, err := s.in.ReadString('\n')
			select {
			case s.typed <- typed{line, err}:
			case <-s.ctx.Done():
			}
		}()
	}
	for {
		select {
		case t := <-s.typed:
			s.reading = false
			if t.err != nil && t.line == "" {
				fmt.Fprintln(s.out)
				if errors.Is(t.err, io.EOF) {
					return "", errLeft
				}
				return "", fault.New(fault.Failed, "read what is typed", "%w", t.err)
			}
			line := strings.TrimRight(t.line, "\r\n")
			if s.o.Echo {
				s.say("%s", line)
			}
			return line, nil
		case m := <-s.msgs:
			if err := s.take(m); err != nil {
				return "", err
			}
			if asked && (len(s.asked) > 0 || s.left) {
				return "", errAsked
			}
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}
