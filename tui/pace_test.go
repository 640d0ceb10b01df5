package tui_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// counted is a dashboard whose loads are counted.
func counted(t *testing.T) (s *tuitest.Screen, p *page, loads func() int) {
	t.Helper()
	n := 0
	s = tuitest.New(t, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		desk.Cells = []grid.Cell{{Place: tuitest.Place}}
		p = newPage(d, "fleet")
		p.source = feed.NewSource("fleet", func(context.Context, grid.Cell, func([]machine)) ([]machine, error) {
			n++
			return machines, nil
		})
		return []deck.Page{p}
	})
	return s, p, func() int { now := n; n = 0; return now }
}

// pass lets seconds pass, tick by tick.
func pass(s *tuitest.Screen, seconds int) {
	for range seconds {
		s.Wait(time.Second)
	}
}

// Loads come every 10 s while somebody works, every 30 s when nobody does, and not at
// all when nobody looks.
func TestCheap(t *testing.T) {
	s, p, loads := counted(t)
	pass(s, 59)
	if n := loads(); n < 5 || n > 7 {
		t.Errorf("%d loads in the first minute, want one each 10 s", n)
	}
	pass(s, 120)
	if n := loads(); n < 3 || n > 5 {
		t.Errorf("%d loads in two minutes without a key, want one each 30 s", n)
	}
	pass(s, 8*60)
	loads()
	s.Has("paused: press a key")
	heard := len(p.heard)
	pass(s, 120)
	if n := loads(); n != 0 {
		t.Errorf("%d loads after ten minutes without a key", n)
	}
	if len(p.heard) != heard {
		t.Error("the page was told to count while nobody looked")
	}
	s.Press("j")
	s.Lacks("paused")
	if n := loads(); n != 1 {
		t.Errorf("%d loads at the first key after a pause, want 1", n)
	}
	s.Send(tea.BlurMsg{})
	s.Has("paused: not in focus")
	pass(s, 60)
	if n := loads(); n != 0 {
		t.Errorf("%d loads while the window is not in focus", n)
	}
	s.Send(tea.FocusMsg{})
	if n := loads(); n != 1 {
		t.Errorf("%d loads when the window is in focus again, want 1", n)
	}
}

func TestThrottlesSlowDown(t *testing.T) {
	s, _, loads := counted(t)
	c := feed.Calls{Throttled: 1}
	s.Desk.Count = func() feed.Calls { return c }
	loads()
	pass(s, 50)
	if n := loads(); n > 3 {
		t.Errorf("%d loads in 50 s while calls are turned away, want one each 20 s", n)
	}
}

func TestCtrlRReadsAtOnce(t *testing.T) {
	s, _, loads := counted(t)
	loads()
	s.Press("ctrl+r")
	if n := loads(); n != 1 {
		t.Errorf("%d loads, want 1", n)
	}
}

func TestLayoutIsKept(t *testing.T) {
	var kept []tui.Layout
	fails := errors.New("the disk is full")
	w := newWorld(t, func(o *tui.Options) {
		o.SaveLayout = func(l tui.Layout) error {
			kept = append(kept, l)
			if len(kept) == 2 {
				return fails
			}
			return nil
		}
	})
	w.Press(":")
	w.Type("patch")
	w.Press("enter", ">")
	w.Wait(time.Second)
	if len(kept) != 0 {
		t.Fatal("kept before it has rested")
	}
	w.Wait(2 * time.Second)
	w.Wait(2 * time.Second)
	if len(kept) != 1 {
		t.Fatalf("kept %d times, want once", len(kept))
	}
	l := kept[0]
	if l.Page != "patch" || !reflect.DeepEqual(l.Typed, []string{"patch"}) || len(l.Pages["patch"]) == 0 {
		t.Errorf("kept %+v", l)
	}
	w.Press("2")
	w.Wait(3 * time.Second)
	w.Has("the disk is full")

	again := newWorld(t, func(o *tui.Options) { o.Layout, o.Start = l, "" })
	again.Has("3▸Patch")
	again.Press(":", "up")
	again.Has(": patch")
}

func TestAnOldLayoutIsNoHarm(t *testing.T) {
	w := newWorld(t, func(o *tui.Options) {
		o.Layout = tui.Layout{Page: "gone", Pages: map[string]json.RawMessage{"fleet": json.RawMessage(`{"columns":["gone"]}`), "gone": nil}}
	})
	w.Has("web-1")
}

// Whatever says something by colour says it by a glyph and a word as well: without
// colour the frame has the same text.
func TestNothingByColourAlone(t *testing.T) {
	w := newWorld(t)
	w.Deck.Where.Protected, w.Deck.ReadOnly = true, true
	w.Press("space")
	colour, plain := theme.New(theme.Dark, true, false), theme.New(theme.Dark, false, false)
	for _, keys := range [][]string{nil, {"?"}, {":"}} {
		w.Press(keys...)
		w.Deck.Styles = plain
		w.Send(tui.Redraw{})
		want := w.Frame()
		w.Deck.Styles = colour
		w.Send(tui.Redraw{})
		// The page shown is marked by colour, or by a sign between its number and its name.
		got := w.Frame()
		for _, frame := range []*string{&want, &got} {
			*frame = withoutPointer(*frame)
		}
		if got != want {
			t.Errorf("with colour:\n%s\nwithout:\n%s", got, want)
		}
		w.Press("esc")
	}
}

// With z nothing is loaded by itself, whatever is pressed, until z is pressed again; what
// is asked for by hand is.
func TestPauseKey(t *testing.T) {
	s, _, loads := counted(t)
	pass(s, 5)
	loads()
	s.Press("z")
	pass(s, 60)
	s.Has("paused: z resumes")
	s.Has("1 min ago") // the age goes on
	s.Press("j", "k")
	s.Send(tea.BlurMsg{})
	s.Send(tea.FocusMsg{})
	if n := loads(); n != 0 {
		t.Errorf("%d loads while it was paused", n)
	}
	s.Press("ctrl+r")
	if n := loads(); n != 1 {
		t.Errorf("%d loads for ctrl+r, want 1", n)
	}
	pass(s, 60)
	if n := loads(); n != 0 {
		t.Errorf("%d loads behind that one", n)
	}
	s.Press("z")
	s.Lacks("paused")
	if n := loads(); n != 1 {
		t.Errorf("%d loads when it goes on, want 1", n)
	}
	pass(s, 30)
	if n := loads(); n < 2 {
		t.Errorf("%d loads in 30 s after that", n)
	}
	s.Press("?")
	s.Type("nothing is loaded")
	s.Has("pause: nothing is loaded by itself")
}

// The mouse is kept as the palette has it; what a flag says is for once.
func TestTheMouseIsKept(t *testing.T) {
	var kept tui.Layout
	keeping := func(o *tui.Options) {
		o.SaveLayout = func(l tui.Layout) error { kept = l; return nil }
	}
	entry := func(w *world, want string) {
		t.Helper()
		w.Press(":")
		w.Type("mouse")
		w.Has(want)
	}
	w := newWorld(t, keeping, func(o *tui.Options) { o.NoMouse = true })
	entry(w, "mouse on")
	w.Press("esc", "3")
	w.Wait(3 * time.Second)
	if kept.Page != "patch" || kept.NoMouse {
		t.Errorf("a flag was kept: %+v", kept)
	}
	w = newWorld(t, keeping)
	entry(w, "mouse off")
	w.Press("enter")
	w.Wait(3 * time.Second)
	if !kept.NoMouse {
		t.Errorf("that it is off was not kept: %+v", kept)
	}
	w = newWorld(t, keeping, func(o *tui.Options) { o.Layout = kept })
	entry(w, "mouse on")
	w.Press("enter")
	w.Wait(3 * time.Second)
	if kept.NoMouse {
		t.Errorf("that it is on was not kept: %+v", kept)
	}
}

// loop runs a dashboard in the time of a synctest bubble.
type loop struct {
	m    *tui.Model
	msgs chan tea.Msg
}

func (l *loop) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch m := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range m {
				l.run(c)
			}
		default:
			l.msgs <- m
		}
	}()
}

// pass takes what comes for a while, after some messages.
func (l *loop) pass(d time.Duration, first ...tea.Msg) {
	for _, m := range first {
		_, cmd := l.m.Update(m)
		l.run(cmd)
	}
	over := time.After(d)
	for {
		select {
		case m := <-l.msgs:
			_, cmd := l.m.Update(m)
			l.run(cmd)
		case <-over:
			return
		}
	}
}

// A load that is read by itself over minutes stands still while nobody looks.
func TestALoadStandsStillWhileNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deck.Deck{Styles: theme.New(theme.Dark, false, false), Now: time.Now(), Location: time.UTC, Still: true}
		desk := feed.NewDesk([]grid.Cell{{Place: tuitest.Place}}, nil)
		p := newPage(d, "fleet")
		var loads, calls atomic.Int64
		p.source = feed.NewSource("fleet", func(ctx context.Context, _ grid.Cell, _ func([]machine)) ([]machine, error) {
			for more := loads.Add(1) > 1; more; calls.Add(1) { // a first load is asked for
				sent, err := awsapi.PassGate(ctx)
				if err != nil {
					return nil, err
				}
				sent()
				time.Sleep(time.Second)
			}
			return machines, nil
		})
		l := &loop{tui.New(tui.Options{Deck: d, Desk: desk, Pages: []deck.Page{p}, Glance: 1}), make(chan tea.Msg, 1000)}
		l.run(l.m.Init())
		key := tuitest.Key
		l.pass(20*time.Second, tea.WindowSizeMsg{Width: 80, Height: 24})
		for _, c := range []struct {
			name       string
			stop, goOn tea.Msg
			quiet      time.Duration // until it is idle
		}{
			{"z", key("z"), key("z"), 0}, {"not in focus", tea.BlurMsg{}, tea.FocusMsg{}, 0}, {"ten minutes without a key", key("j"), key("j"), 10 * time.Minute},
		} {
			before := calls.Load()
			l.pass(30*time.Second, key("k"))
			if calls.Load() == before {
				t.Fatalf("%s: nothing is read before it", c.name)
			}
			l.pass(c.quiet+2*time.Second, c.stop)
			before = calls.Load()
			l.pass(5 * time.Minute)
			if n := calls.Load() - before; n > 0 {
				t.Errorf("%s: %d calls while nobody looks", c.name, n)
			}
			l.pass(time.Second, c.goOn)
		}
		desk.Close()
	})
}
