package plain

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// line runs a command line, once it has been agreed to.
func (s *screen) line(l deck.Line) error {
	if l.Level > deck.Read && s.o.Deck.ReadOnly {
		s.fail(deck.Refused(l.What))
		return nil
	}
	words := deck.Running(l)
	yes, err := s.agreed(l)
	if err != nil {
		return err
	}
	if !yes {
		s.say("No: nothing was done.")
		return nil
	}
	before := s.current().Status().Crumbs
	result, err := s.run(l, words)
	if err != nil {
		return err
	}
	s.verdict(l, result)
	s.ran = append(s.ran, ran{s.o.Now(), s.o.Deck.Shown(l), result.Code})
	if len(l.Refresh) > 0 {
		s.start(s.o.Desk.Force(l.Refresh...), false)
	}
	if l.Done != nil {
		s.start(deck.Ask(l.Done(result)), true)
	}
	if err := s.settle(detailPatience); err != nil || slices.Equal(before, s.current().Status().Crumbs) || len(s.asked) > 0 {
		return err
	}
	if err := s.load(); err != nil { // it has led to something, such as the nodes of a run
		return err
	}
	s.list()
	return nil
}

// agreed says what would be done and asks for it.
func (s *screen) agreed(l deck.Line) (bool, error) {
	level := s.o.Deck.Strictness(l)
	s.say("Command: %s", s.o.Deck.Shown(l))
	if level == deck.Read {
		return true, nil
	}
	s.say("Where: %s", s.o.Deck.PlaceName(l.At))
	if s.o.Deck.Where.Protected {
		s.say("This account is protected.")
	}
	for _, f := range l.Facts {
		s.say("%s: %s", f.Name, f.Value)
	}
	if l.Preview != nil {
		s.say("What would happen:")
		if _, err := s.run(deck.Line{At: l.At, Input: l.Input}, l.Preview); err != nil {
			return false, err
		}
	}
	question, must := capital(l.What)+"? y for yes, Enter for no: ", ""
	if level >= deck.Destructive {
		must = s.o.Deck.MustType(l)
		question = capital(l.What) + "? Type " + must + " for yes: "
	}
	line, err := s.ask(render.Visible(question))
	line = strings.TrimSpace(line)
	if must != "" {
		return line == must, err
	}
	return strings.EqualFold(line, "y") || strings.EqualFold(line, "yes"), err
}

func capital(s string) string {
	if s == "" {
		return "Run it"
	}
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}

// run runs a line to its end. What it prints is printed while it comes; of one that
// runs quietly nothing is.
func (s *screen) run(l deck.Line, words []string) (deck.Result, error) {
	var mu sync.Mutex
	var out, errs kept
	stdout, stderr := &shown{to: s.out, mu: &mu, kept: &out}, &shown{to: s.out, mu: &mu, kept: &errs}
	if l.How == deck.Quietly {
		stdout.to, stderr.to = io.Discard, io.Discard
	}
	run := func(ctx context.Context) int {
		return s.o.Run.Run(ctx, words, l.At, bytes.NewReader(l.Input), stdout, stderr)
	}
	if l.How == deck.OnScreen || l.Program {
		in, err := s.lineInput(l)
		if err != nil {
			return deck.Result{}, err
		}
		if l.Input != nil {
			in = bytes.NewReader(l.Input)
		}
		run = func(ctx context.Context) int { return s.o.Run.Run(ctx, words, l.At, in, s.out, s.errs) }
		if l.Program {
			l.Wait = false // nothing that was written goes away
			run = func(ctx context.Context) int { return s.o.Programs.Run(ctx, l, in, s.out, s.errs) }
		}
	}
	code, err := s.await(run)
	stdout.end()
	stderr.end()
	return deck.Result{Words: words, Code: code, Out: out.b, Err: errs.b}, err
}

// await runs run behind the dashboard, and takes messages until it has ended.
func (s *screen) await(run func(ctx context.Context) int) (code int, err error) {
	ctx, done := s.ctx, func() {}
	if s.o.Stoppable != nil {
		ctx, done = s.o.Stoppable(s.ctx)
	}
	defer done()
	over := make(chan int, 1)
	cmd := s.o.Desk.Go(func(context.Context) tea.Msg {
		over <- run(ctx)
		return nil
	})
	if cmd == nil { // the desk is closed
		return 0, errLeft
	}
	s.start(cmd, false)
	for {
		select {
		case code := <-over:
			if s.stopped = ctx.Err() != nil && s.ctx.Err() == nil; s.stopped {
				s.say("Stopped.")
			}
			return code, nil
		case m := <-s.msgs:
			if err := s.take(m); err != nil {
				return 0, err
			}
		}
	}
}

// lineInput is what a line that takes the terminal reads: its own input where it has
// some, so that what is typed next is never taken for it.
func (s *screen) lineInput(l deck.Line) (io.Reader, error) {
	if l.Input != nil {
		return bytes.NewReader(l.Input), nil
	}
	return s.input()
}

// input is what a line that takes the terminal reads from: no line is being read
// then, and what was read ahead comes first.
func (s *screen) input() (io.Reader, error) {
	if s.reading {
		if _, err := s.ask("Press Enter to go on: "); err != nil {
			return nil, err
		}
	}
	if s.in.Buffered() > 0 {
		return s.in, nil
	}
	return s.raw, nil
}

// verdict says how a line ended.
func (s *screen) verdict(l deck.Line, r deck.Result) {
	if l.How == deck.Quietly && r.Code != 0 {
		s.lines(string(r.Err))
	}
	switch {
	case r.Code != 0:
		s.say("It failed with exit code %d.", r.Code)
	case l.How == deck.OnScreen:
		s.say("Back in the dashboard.")
	case s.stopped: // that was said
	default:
		s.say("Done.")
	}
}

// outputMost is what is kept of each stream of a line.
const outputMost = 1 << 20

// kept is the beginning of what was written.
type kept struct{ b []byte }

func (k *kept) add(p []byte) { k.b = append(k.b, p[:min(len(p), outputMost-len(k.b))]...) }

// shown prints lines as they are complete, made harmless, and keeps them.
type shown struct {
	to   io.Writer
	mu   *sync.Mutex // of the streams of one line
	kept *kept
	part []byte // of a line
}

// Write takes a piece.
func (w *shown) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept.add(p)
	w.part = append(w.part, p...)
	for {
		line, rest, found := bytes.Cut(w.part, []byte("\n"))
		if !found {
			return len(p), nil
		}
		fmt.Fprintln(w.to, readable(string(line)))
		w.part = rest
	}
}

// readable is a line made harmless. A tab between columns is room, and no sign.
func readable(line string) string {
	return render.Visible(strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", "  "))
}

// end prints what is left.
func (w *shown) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.part) > 0 {
		fmt.Fprintln(w.to, readable(string(w.part)))
		w.part = nil
	}
}
