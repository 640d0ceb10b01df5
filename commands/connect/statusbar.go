package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// backShown is how long the end of an outage stays on the status line.
const backShown = 3 * time.Second

// trouble is what a person has to know about a session's connection. It is pure:
// events and the time come from outside.
type trouble struct {
	escape string // the escape character, "" for none

	lost   time.Time // since when there is no connection; zero: there is one
	silent time.Time // since when the node has not answered; zero: it does
	next   time.Time // when the next attempt is made; zero: one is under way
	why    error
	typed  int64 // bytes typed before it began

	asked     bool   // a new connection was asked for
	back      string // what to say after it
	backUntil time.Time
}

// see takes an event. typed is how many bytes were typed so far.
func (t *trouble) see(e sessionclient.Event, now time.Time, typed int64) {
	switch e.Kind {
	case sessionclient.Lost:
		if t.lost.IsZero() && t.silent.IsZero() {
			t.typed = typed
		}
		if t.lost.IsZero() {
			t.lost = now
		}
		t.silent = time.Time{}
		t.next, t.why = time.Time{}, e.Err
	case sessionclient.Retrying:
		if t.lost.IsZero() || e.Outage > now.Sub(t.lost) {
			t.lost = now.Add(-e.Outage)
		}
		t.next, t.why = now.Add(e.Wait), e.Err
	case sessionclient.Resumed:
		if !t.lost.IsZero() {
			t.over(max(e.Outage, now.Sub(t.lost)), now, "connected again after %s")
		}
	case sessionclient.AgentSilent:
		t.silent, t.typed = now.Add(-e.Outage), typed
	case sessionclient.AgentBack:
		if !t.silent.IsZero() {
			t.over(now.Sub(t.silent), now, "the node answers again after %s")
		}
	default:
	}
}

// ask notes that the person has asked for a new connection.
func (t *trouble) ask(now time.Time) {
	t.asked, t.back, t.backUntil = true, "connecting again", now.Add(backShown)
}

func (t *trouble) over(lasted time.Duration, now time.Time, text string) {
	t.lost, t.silent, t.next, t.why = time.Time{}, time.Time{}, time.Time{}, nil
	if t.back = ""; lasted >= QuietOutage || t.asked {
		t.back, t.backUntil = fmt.Sprintf(text, seconds(lasted)), now.Add(backShown)
	}
	t.asked = false
}

// text is the status line in at most width cells, "" when there is nothing to
// say. typed is how many bytes were typed so far. Where there is no room for all
// of it, what can be done is left out first: the reason is news.
func (t *trouble) text(now time.Time, typed int64, width int) string {
	var head, why, tail, keys string
	switch {
	case !t.lost.IsZero() && now.Sub(t.lost) >= QuietOutage:
		head = "no connection for " + seconds(now.Sub(t.lost))
		if t.why != nil {
			why = reason(t.why)
		}
		tail = "; trying now"
		if left := t.next.Sub(now); !t.next.IsZero() && left > 0 {
			tail = "; trying again in " + seconds(left+time.Second-1)
		}
	case !t.silent.IsZero():
		head = "the node has not answered for " + seconds(now.Sub(t.silent))
	case t.back != "" && now.Before(t.backUntil):
		return t.back
	default:
		return ""
	}
	switch n := typed - t.typed; {
	case n == 1:
		tail += "; 1 byte typed is kept"
	case n > 1:
		tail += fmt.Sprintf("; %d bytes typed are kept", n)
	}
	if t.escape != "" {
		keys = fmt.Sprintf("; %[1]s. leaves %[1]sR now", t.escape)
	}
	if why == "" {
		return render.CutEnd(head+tail+keys, width, "...")
	}
	const brackets, least = len(" ()"), 24
	room := width - len(head) - len(tail) - brackets
	if r := room - len(keys); r >= min(least, render.Width(why)) {
		room = r
	} else {
		keys = ""
	}
	return render.CutEnd(head+" ("+render.CutMiddle(why, max(room, least), "...")+")"+tail+keys, width, "...")
}

// seconds is a duration that is counted by the second.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return render.Duration(d.Truncate(time.Second))
}

// reason is an error in few words: without what was attempted, and with what to
// do when credentials are the matter.
func reason(err error) string {
	var known *fault.Error
	if !errors.As(err, &known) || known.Err == nil {
		return cli.FirstLine(err)
	}
	text := cli.FirstLine(known.Err)
	if known.Kind == fault.Auth && known.Hint != "" {
		text = render.Visible(known.Hint) + ": " + text
	}
	return strings.ReplaceAll(text, "`", "")
}

// statusBar shows the trouble of one session on a screen.
type statusBar struct {
	screen *screen
	quiet  bool
	typed  func() int64        // bytes typed so far
	tick   func(now time.Time) // is called about once a second
	redraw func()              // makes a full-screen program draw itself anew

	mu      sync.Mutex
	trouble trouble
	lines   []string // to be printed
	lasted  time.Duration
	ended   time.Time // of the latest outage

	plain *LinkStatus // where there is no room for a status line
	news  chan struct{}
}

// event is given to the session; it never waits for the terminal where a status
// line can be drawn.
func (b *statusBar) event(e sessionclient.Event) {
	now, typed := time.Now(), b.typed()
	b.mu.Lock()
	if e.Kind == sessionclient.Resumed {
		b.lasted, b.ended = e.Outage, now
	}
	b.trouble.see(e, now, typed)
	b.mu.Unlock()
	switch {
	case !b.screen.canStatus():
		b.plain.Event(e)
		return
	case e.Kind == sessionclient.Message:
		b.say(render.Visible(e.Text))
	case e.Kind == sessionclient.Unsigned:
		b.say("the session's connection could not be signed: " + cli.FirstLine(e.Err))
	}
	b.poke()
}

// say prints a line as soon as it can.
func (b *statusBar) say(line string) {
	b.mu.Lock()
	b.lines = append(b.lines, "ssmdeck: "+line)
	b.mu.Unlock()
	b.poke()
}

// reconnecting says that a new connection was asked for, and later that it stands.
func (b *statusBar) reconnecting() {
	if !b.screen.canStatus() {
		b.screen.lines("connecting again")
		return
	}
	b.mu.Lock()
	b.trouble.ask(time.Now())
	b.mu.Unlock()
	b.poke()
}

func (b *statusBar) poke() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// run draws until ctx is done.
func (b *statusBar) run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			b.tick(now)
		case <-b.news:
		}
		b.draw(time.Now())
	}
}

func (b *statusBar) draw(now time.Time) {
	cols, _ := b.screen.size()
	typed := b.typed()
	b.mu.Lock()
	lines := b.lines
	b.lines = nil
	text := b.trouble.text(now, typed, cols-1)
	troubled := !b.trouble.lost.IsZero() || !b.trouble.silent.IsZero()
	b.mu.Unlock()
	if len(lines) > 0 && !b.quiet {
		b.screen.lines(lines...)
	}
	if b.screen.canStatus() && !b.quiet {
		b.screen.status(text)
	}
	if !troubled && b.screen.uncover() {
		b.redraw()
	}
}

// latest returns how long the latest outage lasted and when it ended.
func (b *statusBar) latest() (lasted time.Duration, ended time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lasted, b.ended
}
