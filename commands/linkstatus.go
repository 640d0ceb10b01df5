package commands

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

const (
	// quietOutage is how long a lost connection is nobody's business: most come
	// back before a person notices.
	quietOutage = 3 * time.Second
	// repeatOutage is how often a long one is mentioned again.
	repeatOutage = time.Minute
)

// linkStatus tells the person about a session's connection, on standard error,
// one short line at a time. A console takes over from it once it shows the
// session.
type linkStatus struct {
	env    *Env
	styles *theme.Styles
	raw    bool              // the terminal is in raw mode once the session runs: lines end in CR LF
	escape string            // the escape character, "" for none
	say    func(text string) // prints in our place; may be nil

	mu    sync.Mutex
	live  bool                      // the session runs
	heir  func(sessionclient.Event) // gets the events in our place; may be nil
	told  bool                      // the outage was mentioned
	again time.Duration
}

// handOver gives all further events to f.
func (l *linkStatus) handOver(f func(sessionclient.Event)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heir = f
}

func newLinkStatus(env *Env, raw bool) *linkStatus {
	return &linkStatus{env: env, styles: env.errStyles(), raw: raw}
}

// connecting shows that a session is being opened; the returned function takes
// the line away again.
func (l *linkStatus) connecting(node fleet.Node) (done func()) {
	if l.env.flags.quiet || !isTerminal(l.env.Err) || theme.Dumb(l.env.Lookup) {
		return func() { l.setLive() }
	}
	fmt.Fprintf(l.env.Err, "\r%s", l.styles.Dim.Render("connecting to "+render.Visible(node.String())+" "+l.styles.Glyphs.Ellipsis))
	return func() {
		fmt.Fprint(l.env.Err, "\r\x1b[K")
		l.setLive()
	}
}

func (l *linkStatus) setLive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live = true
}

// event is given to the session; it must return at once, and writing a line to
// a terminal does.
func (l *linkStatus) event(e sessionclient.Event) {
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
		if e.Outage < quietOutage || l.told && e.Outage < l.again {
			return
		}
		text := fmt.Sprintf("no connection for %s (%s); trying again", e.Outage.Round(time.Second), firstLine(e.Err))
		text += l.wayOut()
		l.told, l.again = true, e.Outage+repeatOutage
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
		l.line("the session's connection could not be signed: " + firstLine(e.Err))
	}
}

// wayOut says how to leave, where there is a way.
func (l *linkStatus) wayOut() string {
	if l.escape == "" {
		return ""
	}
	return "; Enter " + l.escape + ". leaves"
}

func (l *linkStatus) line(text string) {
	if l.env.flags.quiet {
		return
	}
	if l.say != nil {
		l.say(text)
		return
	}
	before, after := "", "\n"
	if l.raw && l.live {
		before, after = "\r\n", "\r\n"
	}
	fmt.Fprint(l.env.Err, before+l.styles.Warn.Render("ssmdeck: "+text)+after)
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(render.Visible(err.Error()), "\n")
	return s
}
