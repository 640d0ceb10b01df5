package doctor

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Place is the caller's side: where it calls from, and how.
type Place struct {
	Profile string
	// API is the address of Systems Manager, Gateway that of the message gateway,
	// to which the websockets of sessions go.
	API, Gateway string
	HTTP         *http.Client // HTTP/1.1, with the proxy and CA of all calls
	// Proxy is the proxy for API, without a password; "" for none.
	Proxy    string
	Terminal Terminal
}

// Terminal is what the caller's terminal can do.
type Terminal struct {
	In, Out    bool // standard input and output are one
	Columns    int
	Dumb, UTF8 bool // it knows no control sequences; it and its locale have our signs
}

// probe is what an address said.
type probe struct {
	status int
	date   time.Time // by its clock; zero when it did not say
	at     time.Time // the same, by ours
	took   time.Duration
	err    error
}

// selfFacts are what is known of the caller's own side.
type selfFacts struct {
	region  string
	place   Place
	me      fact[caller]
	api     probe
	gateway probe
	rights  fact[rights]
}

type selfCheck struct {
	id, group, title string
	rule             func(*selfFacts) Check
}

var selfChecks = []selfCheck{
	{"region", Self, "the Region", func(f *selfFacts) Check { return pass("%s", f.region) }},
	{"reach", Self, "Systems Manager answers", selfReaches},
	{"clock", Self, "the clock is right", selfClock},
	{"credentials", Self, "AWS knows who you are", selfCredentials},
	{"websocket", Self, "the message gateway answers", selfGateway},
	{"proxy", Self, "the proxy", selfProxy},
	{"rights", Self, "everyday commands are allowed", selfRights},
	{"terminal", Self, "the terminal", selfTerminal},
}

// everyday are the actions of everyday commands.
var everyday = []struct {
	command string
	actions []string
}{
	{"ls", []string{"ssm:DescribeInstanceInformation", "ssm:DescribeInstanceProperties"}},
	{"shell", []string{"ssm:StartSession", "ssm:ResumeSession", "ssm:TerminateSession", "ssmmessages:OpenDataChannel"}},
	{"run", []string{"ssm:SendCommand", "ssm:ListCommands", "ssm:ListCommandInvocations", "ssm:GetCommandInvocation"}},
	{"session list", []string{"ssm:DescribeSessions"}},
}

// ExamineSelf checks the caller's own side, and hands each check to emit in
// order, as soon as it and those before it are made.
func (s *Service) ExamineSelf(ctx context.Context, p Place, emit func(Check)) ([]Check, error) {
	f := selfFacts{region: s.region, place: p}
	var group wait.Group
	group.Go(func() { f.api = s.probe(ctx, p.HTTP, p.API, false) })
	group.Go(func() { f.gateway = s.probe(ctx, p.HTTP, p.Gateway, true) })
	group.Go(func() {
		account, arn, err := s.identity(ctx)
		if f.me = (fact[caller]{caller{account, arn}, err}); err != nil {
			return
		}
		var actions []string
		for _, e := range everyday {
			actions = append(actions, e.actions...)
		}
		f.rights.value, f.rights.err = s.callerRights(ctx, f.me.value, actions, "")
	})
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var all []Check
	for _, k := range selfChecks {
		c := k.rule(&f)
		c.Target, c.Group, c.ID, c.Title = Self, k.group, k.id, k.title
		all = append(all, c)
		emit(c)
	}
	return all, nil
}

// probe asks an address without credentials: every answer is a good one. An
// upgrade asks for a websocket, as sessions do.
func (s *Service) probe(ctx context.Context, client *http.Client, address string, upgrade bool) probe {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return probe{err: err}
	}
	if upgrade {
		for k, v := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "c3NtZGVjayBkb2N0b3IhIQ==",
		} {
			r.Header.Set(k, v)
		}
	}
	start := s.now()
	resp, err := client.Do(r)
	if err != nil {
		return probe{err: err}
	}
	_ = resp.Body.Close() // only its head is of interest
	p := probe{status: resp.StatusCode, at: s.now()}
	p.took = p.at.Sub(start)
	p.date, _ = http.ParseTime(resp.Header.Get("Date")) // zero when it is no time
	return p
}

func selfReaches(f *selfFacts) Check {
	if f.api.err != nil {
		return f.unreachable(f.api.err, f.place.API, "endpoint-unreachable")
	}
	return pass("%s answers in %d ms", host(f.place.API), f.api.took.Milliseconds())
}

// unreachable tells apart why an address does not answer.
func (f *selfFacts) unreachable(err error, address, otherwise string) Check {
	var u *url.Error
	text := err.Error()
	if errors.As(err, &u) {
		text = u.Err.Error()
	}
	switch {
	case strings.Contains(text, "proxyconnect") || f.place.Proxy != "" && isStatus(text):
		return fail("proxy-refuses", "the proxy %s does not lead to %s: %s", f.place.Proxy, host(address), text)
	case strings.Contains(text, "certificate") || strings.Contains(text, "x509"):
		return fail("certificate-unknown", "%s: %s", host(address), text)
	case errors.Is(err, context.DeadlineExceeded):
		text = "no answer in 15 s"
	}
	return fail(otherwise, "%s: %s", host(address), text)
}

// isStatus reports whether text is all that a proxy's refusal leaves: the words
// of an HTTP status.
func isStatus(text string) bool {
	for status := http.StatusBadRequest; status < 600; status++ {
		if t := http.StatusText(status); t != "" && t == text {
			return true
		}
	}
	return false
}

// How far a clock may be off: AWS refuses requests signed five minutes off.
const (
	clockWrong = 5 * time.Minute
	clockOff   = time.Minute
)

func selfClock(f *selfFacts) Check {
	if f.api.date.IsZero() {
		return skip("nobody said what time it is")
	}
	off := f.api.at.Sub(f.api.date).Round(time.Second)
	way, size := "ahead", off
	if off < 0 {
		way, size = "behind", -off
	}
	switch {
	case size >= clockWrong:
		return fail("clock-wrong", "this machine's clock is %s %s; AWS accepts 5 minutes", size, way)
	case size >= clockOff:
		return warn("clock-wrong", "this machine's clock is %s %s", size, way)
	}
	return pass("within a minute of AWS's")
}

func selfCredentials(f *selfFacts) Check {
	switch err := f.me.err; {
	case err == nil:
		from := ""
		if f.place.Profile != "" {
			from = " (profile " + f.place.Profile + ")"
		}
		return pass("%s%s", f.me.value.arn, from)
	case fault.KindOf(err) == fault.Auth:
		c := fail("no-credentials", "%s", unread(err).Evidence)
		if hint := fault.HintOf(err); hint != "" {
			c.Evidence += "; " + hint
		}
		return c
	default:
		return unread(err)
	}
}

func selfGateway(f *selfFacts) Check {
	switch p := f.gateway; {
	case p.err != nil:
		return f.unreachable(p.err, f.place.Gateway, "websocket-blocked")
	case p.status == http.StatusSwitchingProtocols, p.status >= 400 && p.status <= 404:
		// Without a token it refuses; what counts is that it understood.
		return pass("%s answers the upgrade of a websocket in %d ms", host(f.place.Gateway), p.took.Milliseconds())
	default:
		return fail("websocket-blocked", "%s answers the upgrade of a websocket with HTTP %d", host(f.place.Gateway), p.status)
	}
}

func selfProxy(f *selfFacts) Check {
	if f.place.Proxy == "" {
		return skip("none is set for %s", host(f.place.API))
	}
	if f.api.err != nil {
		return skip("%s; see whether Systems Manager answers", f.place.Proxy)
	}
	return pass("%s leads to %s", f.place.Proxy, host(f.place.API))
}

func selfRights(f *selfFacts) Check {
	switch {
	case f.me.err != nil:
		return skip("who you are is not known")
	case f.rights.err != nil:
		return unread(f.rights.err)
	}
	var lacking []string
	for _, e := range everyday {
		for _, a := range e.actions {
			if r := f.rights.value.decisionOf(a).Result; r != iam.Allowed && r != iam.Perhaps {
				lacking = append(lacking, a+" ("+e.command+")")
			}
		}
	}
	if len(lacking) > 0 {
		return warn("caller-lacks-actions", "not allowed: %s", strings.Join(lacking, ", "))
	}
	return pass("allowed (%s)", f.rights.value.by)
}

func selfTerminal(f *selfFacts) Check {
	t := f.place.Terminal
	switch {
	case !t.In || !t.Out:
		return skip("standard input or output is none")
	case t.Dumb:
		return warn("no-terminal", "TERM=dumb: shells work, and nothing is drawn")
	case !t.UTF8:
		return warn("no-terminal", "its locale or TERM is without UTF-8: signs are drawn in ASCII")
	case t.Columns > 0 && t.Columns < 60:
		return warn("no-terminal", "it is %d columns wide: tables are cut", t.Columns)
	}
	return pass("%d columns, UTF-8", t.Columns)
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return cmp.Or(u.Host, address)
}

// NoScope is the check of a scope that could not be opened: nothing else can be
// looked at.
func NoScope(err error) Check {
	c := fail("no-credentials", "%s", unread(err).Evidence)
	c.Target, c.Group, c.ID, c.Title = Self, Self, "credentials", "AWS knows who you are"
	if strings.Contains(err.Error(), "no Region") {
		c.Cause, c.ID, c.Title = "no-region", "region", "the Region"
	}
	if hint := fault.HintOf(err); hint != "" {
		c.Evidence += "; " + hint
	}
	return c
}
