package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/escapekeys"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// redrawPause is how long the window is a line shorter when a full-screen
// program is made to draw itself anew: long enough to be noticed by it.
const redrawPause = 150 * time.Millisecond

// console joins the terminal of a person and a session: keys go in, output and
// the window's size go their ways, escapes are obeyed, trouble is shown.
type console struct {
	env     *cli.Env
	term    *terminal.Terminal
	session *sessions.Session
	node    fleet.Node
	escape  byte
	record  *recorder // may be nil

	guard  *terminal.Guard
	screen *screen
	bar    *statusBar
	typing *typist
	begun  time.Time
	rates  rates
	resize chan bool // asks for the size to be sent; true: and a redraw
	warned bool      // of the coming end
}

// NewConsole joins the terminal and the session. Events of status go to the
// console from now on.
func NewConsole(env *cli.Env, term *terminal.Terminal, s *sessions.Session, node fleet.Node, escape byte, status *LinkStatus, record *recorder) *console {
	c := &console{
		env: env, term: term, session: s, node: node, escape: escape, record: record,
		guard: term.Guard(), begun: time.Now(), resize: make(chan bool, 1),
	}
	c.screen = &screen{out: c.guard.Output(env.Out), size: c.size, styles: env.ErrStyles(), plain: theme.Dumb(env.Lookup) || !cli.IsTerminal(env.Out)}
	c.guard.Alternate(c.screen.alternate.Load)
	c.guard.OnStop(c.aside)
	name := ""
	if escape != 0 {
		name = escapekeys.Name(escape)
	}
	c.typing = &typist{esc: escapekeys.Filter{Char: escape}, session: s, act: c.act, passing: c.passing}
	c.bar = &statusBar{
		screen: c.screen, quiet: env.Flags.Quiet, typed: c.typing.typed, tick: c.tick, redraw: func() { c.sendSize(true) },
		trouble: trouble{escape: name}, news: make(chan struct{}, 1),
		plain: &LinkStatus{
			env: env, styles: env.ErrStyles(), raw: true, live: true, escape: name,
			Say: func(text string) { c.screen.lines(c.screen.styles.Warn.Render("ssmdeck: " + text)) },
		},
	}
	if record != nil {
		record.tell = c.bar.say
	}
	status.handOver(c.bar.event)
	return c
}

// size is the window's, or nothing when it is not known.
func (c *console) size() (cols, rows int) {
	cols, rows, err := c.term.Size()
	if err != nil {
		return 0, 0
	}
	return cols, rows
}

// run serves until the session ends or the person leaves.
func (c *console) Run(ctx context.Context) error {
	defer c.session.Close()
	defer c.guard.Close()
	defer c.guard.RestoreOnSignal()()
	defer c.guard.RestoreOnDone(ctx)()
	if err := c.guard.Raw(); err != nil {
		return fault.New(fault.Failed, "prepare the terminal", "%w", err)
	}
	keys, err := terminal.CancelableReader(c.env.In.(*os.File))
	if err != nil {
		return fault.New(fault.Failed, "read the terminal", "%w", err)
	}
	defer keys.Close()
	defer context.AfterFunc(ctx, c.session.Abort)()
	defer c.env.Busy()()

	watching, unwatch := context.WithCancel(ctx)
	c.typing.keys = lasting{keys, c.session.Abort}
	c.typing.start(c.guard.RestoreOnPanic)
	var watchers sync.WaitGroup
	for _, watch := range []func(context.Context){c.sizes, c.bar.run} {
		watchers.Add(1)
		go func() {
			defer watchers.Done()
			defer c.guard.RestoreOnPanic()
			watch(watching)
		}()
	}
	out := c.record.tee(c.screen)
	exit, err := c.session.CopyOutput(out, out)
	if err != nil {
		c.guard.Lost()
	}
	unwatch()
	keys.Cancel()
	watchers.Wait()
	c.screen.end()
	left := c.typing.wait()
	_ = c.guard.Close()
	if left || err != nil {
		fmt.Fprintln(c.env.Err) // the cursor is wherever the far end left it
	}
	if left {
		c.env.Note("left session %s", c.session.Info().SessionID)
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	return shellEnd(ctx, exit, err)
}

// lasting is a terminal whose end ends the session: nobody is left who could type
// exit, also where nobody hears of SIGHUP (nohup).
type lasting struct {
	keys io.Reader
	gone func()
}

func (l lasting) Read(p []byte) (int, error) {
	n, err := l.keys.Read(p)
	if errors.Is(err, io.EOF) {
		l.gone()
	}
	return n, err
}

// passing sees what is typed into the session.
func (c *console) passing(keys []byte) {
	if c.screen.key() {
		c.bar.poke()
	}
	if c.record != nil {
		c.record.input(keys)
	}
}

// act does what an escape asks for. No key is read meanwhile.
func (c *console) act(a escapekeys.Action) {
	switch a {
	case escapekeys.Leave:
		// The terminal comes back first, whatever the far end does.
		c.guard.Lost()
		_ = c.guard.Close()
		c.session.Abort()
	case escapekeys.Reconnect:
		c.bar.reconnecting()
		c.session.Reconnect()
	case escapekeys.ShowInfo:
		c.screen.lines(c.info(time.Now())...)
	case escapekeys.Suspend:
		c.suspend()
	case escapekeys.ListEscapes:
		c.screen.lines(escapeList(c.escape)...)
	default:
	}
}

// suspend stops the process as Ctrl-Z stops others.
func (c *console) suspend() { c.aside(c.guard.Pause) }

// aside leaves the terminal as it was found while pause runs.
func (c *console) aside(pause func() error) {
	var err error
	full := c.screen.away(func() {
		fmt.Fprint(c.env.Err, "\r\n")
		err = pause()
	})
	if errors.Is(err, terminal.ErrNoSuspend) {
		c.screen.lines("cannot be suspended: " + err.Error())
	} else if err != nil {
		c.screen.lines("not suspended: " + cli.FirstLine(err))
	}
	c.sendSize(full)
}

// sendSize has the size sent, and with redraw once more a line shorter before,
// so that a full-screen program draws itself anew.
func (c *console) sendSize(redraw bool) {
	for {
		select {
		case c.resize <- redraw:
			return
		case waiting := <-c.resize: // one is on its way: it does for both
			redraw = redraw || waiting
		}
	}
}

// sizes tells the far end the window's size whenever it changes.
func (c *console) sizes(ctx context.Context) {
	sizes := c.term.Resizes(ctx)
	send := func(cols, rows int) {
		if cols > 0 && rows > 0 {
			c.session.Resize(cols, rows)
			if c.record != nil {
				c.record.resize(cols, rows)
			}
		}
	}
	send(c.size())
	for {
		select {
		case size, ok := <-sizes:
			if !ok {
				return
			}
			send(size.Cols, size.Rows)
		case redraw := <-c.resize:
			// A program that is told of a new size just when it reads a key may lose
			// the key (less does), so there is a pause before it too.
			if redraw && wait.Sleep(ctx, redrawPause) == nil && c.screen.fullScreen() {
				if cols, rows := c.size(); rows > 1 {
					c.session.Resize(cols, rows-1)
					_ = wait.Sleep(ctx, redrawPause) // the size is sent in any case
				}
			}
			send(c.size())
		}
	}
}

// tick is called about once a second.
func (c *console) tick(now time.Time) {
	st := c.session.Stats()
	c.rates.add(now, st.SentBytes, st.ReceivedBytes)
	c.warn(now)
}

// warn says once that the account's limit is about to end the session.
func (c *console) warn(now time.Time) {
	limits, ok := c.session.Limits()
	if c.warned || !ok {
		return
	}
	if text := endNotice(limits, c.session.Started(), now); text != "" {
		c.warned = true
		c.bar.say(text)
	}
}

// endNotice is what to say when the longest time of a session that was started
// at started is nearly over; "" while it is not.
func endNotice(l sessions.Limits, started, now time.Time) string {
	left := started.Add(l.Max).Sub(now)
	if l.Max == 0 || left > min(l.Max/2, endWarning) {
		return ""
	}
	return fmt.Sprintf("the account ends sessions after %s: this one ends in %s", render.Duration(l.Max), seconds(max(left, 0)))
}

// endWarning is how long before its known end a session is warned of it.
const endWarning = 2 * time.Minute

// escapeList is what ~? prints.
func escapeList(char byte) []string {
	name := escapekeys.Name(char)
	lines := []string{"After Enter:"}
	for _, k := range escapekeys.Keys {
		lines = append(lines, fmt.Sprintf("  %s%-3s %s", name, k.Name, k.Text))
	}
	return append(lines, fmt.Sprintf("  %s%-3s the character %s itself", name, name, name))
}

// info is what ~# prints.
func (c *console) info(now time.Time) []string {
	st, info := c.session.Stats(), c.session.Info()
	row := func(label, format string, args ...any) string {
		return fmt.Sprintf("  %-9s %s", label, fmt.Sprintf(format, args...))
	}
	agent := ""
	if info.AgentVersion != "" {
		agent = ", agent " + render.Visible(info.AgentVersion)
	}
	if info.Encrypted {
		agent += ", encrypted with a KMS key"
	}
	link := "no connection for " + seconds(now.Sub(st.Since))
	if st.Connected {
		link = "connected for " + seconds(now.Sub(st.Since))
		if st.RoundTrip > 0 {
			link += ", round trip " + render.Duration(st.RoundTrip)
		}
	}
	outage := "no outage"
	if lasted, ended := c.bar.latest(); !ended.IsZero() {
		outage = fmt.Sprintf("the last outage took %s and ended %s ago", render.Duration(lasted.Round(100*time.Millisecond)), seconds(now.Sub(ended)))
	}
	up, down := c.rates.now()
	return []string{
		row("session", "%s", info.SessionID),
		row("node", "%s%s", render.Visible(c.node.String()), agent),
		row("since", "%s, for %s", c.begun.Format(time.TimeOnly), seconds(now.Sub(c.begun))),
		row("link", "%s", link),
		row("", "%d reconnects; %s", st.Reconnects, outage),
		row("sent", "%s, now %s/s; %s in flight, %d resends", render.Bytes(st.SentBytes), render.Bytes(up), render.Bytes(st.InFlight), st.Resends),
		row("received", "%s, now %s/s", render.Bytes(st.ReceivedBytes), render.Bytes(down)),
		row("limits", "%s", c.limits(now)),
	}
}

// limits says what the account allows.
func (c *console) limits(now time.Time) string {
	l, ok := c.session.Limits()
	if !ok {
		return "not known (reading them takes ssm:GetDocument)"
	}
	parts := limitParts(l)
	if l.Max > 0 {
		parts = append(parts, "ends in "+seconds(max(0, c.session.Started().Add(l.Max).Sub(now))))
	}
	return strings.Join(parts, ", ")
}

// limitParts are the limits in words.
func limitParts(l sessions.Limits) []string {
	parts := []string{"idle at most " + render.Duration(l.Idle)}
	if l.Max > 0 {
		parts = append(parts, "lasts at most "+render.Duration(l.Max))
	}
	return parts
}

// rates are the speeds of the last few seconds, from counters read about once a
// second.
type rates struct {
	mu      sync.Mutex
	samples [6]struct {
		at       time.Time
		up, down int64
	}
}

func (r *rates) add(now time.Time, up, down int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	copy(r.samples[:], r.samples[1:])
	last := &r.samples[len(r.samples)-1]
	last.at, last.up, last.down = now, up, down
}

// now returns bytes a second.
func (r *rates) now() (up, down int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.samples[len(r.samples)-1]
	for _, s := range r.samples {
		if took := last.at.Sub(s.at).Seconds(); !s.at.IsZero() && took > 0 {
			return int64(float64(last.up-s.up) / took), int64(float64(last.down-s.down) / took)
		}
	}
	return 0, 0
}
