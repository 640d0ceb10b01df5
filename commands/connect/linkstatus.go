package connect

import (
	"fmt"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

const (
	// QuietOutage is how long a lost connection is nobody's business: most come
	// back before a person notices.
	QuietOutage = 3 * time.Second
	// RepeatOutage is how often a long one is mentioned again.
	RepeatOutage = time.Minute
)

// LinkStatus tells the person about a session's connection, on standard error,
// one short line at a time. A console takes over from it once it shows the
// session.
type LinkStatus struct {
	env    *cli.Env
	styles *theme.Styles
	raw    bool              // the terminal is in raw mode once the session runs: lines end in CR LF
	escape string            // the escape character, "" for none
	Say    func(text string) // prints in our place; may be nil

	mu    sync.Mutex
	live  bool                      // the session runs
	heir  func(sessionclient.Event) // gets the events in our place; may be nil
	told  bool                      // the outage was mentioned
	again time.Duration
}

// handOver gives all further events to f.
func (l *LinkStatus) handOver(f func(sessionclient.Event)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heir = f
}

// NewLinkStatus says on standard error what becomes of a connection; raw is that the terminal
// is in raw mode.
func NewLinkStatus(env *cli.Env, raw bool) *LinkStatus {
	return &LinkStatus{env: env, styles: env.ErrStyles(), raw: raw}
}

// connecting shows that a session is being opened; the returned function takes
// the line away again.
func (l *LinkStatus) connecting(node fleet.Node) (done func()) {
	if l.env.Flags.Quiet || !cli.IsTerminal(l.env.Err) || theme.Dumb(l.env.Lookup) {
		return func() { l.setLive() }
	}
	fmt.Fprintf(l.env.Err, "\r%s", l.styles.Dim.Render("connecting to "+render.Visible(node.String())+" "+l.styles.Glyphs.Ellipsis))
	return func() {
		fmt.Fprint(l.env.Err, "\r\x1b[K")
		l.setLive()
	}
}

func (l *LinkStatus) setLive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live = true
}

// Event is given to the session; it must return at once, and writing a line to
// a terminal does.
func (l *LinkStatus) Event(e sessionclient.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heir != nil {
		l.heir(e)
		return
	}
	switch e.Kind {
	case sessionclient.Lost:
		l.told, l.again = false, 0
	case sessionclient.Retrying:
		if e.Outage < QuietOutage || l.told && e.Outage < l.again {
			return
		}
		text := fmt.Sprintf("no connection for %s (%s); trying again", e.Outage.Round(time.Second), cli.FirstLine(e.Err))
		text += l.wayOut()
		l.told, l.again = true, e.Outage+RepeatOutage
		l.line(text)
	case sessionclient.Resumed:
		if l.told {
			l.line(fmt.Sprintf("connected again after %s", e.Outage.Round(time.Second)))
		}
	case sessionclient.AgentSilent:
		text := fmt.Sprintf("the node has not answered for %s", e.Outage.Round(time.Second))
		text += l.wayOut()
		l.line(text)
	case sessionclient.AgentBack:
		l.line("the node answers again")
	case sessionclient.Message:
		l.line(render.Visible(e.Text))
	case sessionclient.Unsigned:
		l.line("the session's connection could not be signed: " + cli.FirstLine(e.Err))
	}
}

// wayOut says how to leave, where there is a way.
func (l *LinkStatus) wayOut() string {
	if l.escape == "" {
		return ""
	}
	return "; Enter " + l.escape + ". leaves"
}

func (l *LinkStatus) line(text string) {
	if l.env.Flags.Quiet {
		return
	}
	if l.Say != nil {
		l.Say(text)
		return
	}
	before, after := "", "\n"
	if l.raw && l.live {
		before, after = "\r\n", "\r\n"
	}
	fmt.Fprint(l.env.Err, before+l.styles.Warn.Render("ssmdeck: "+text)+after)
}
