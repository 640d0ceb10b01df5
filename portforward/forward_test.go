package portforward

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// opener makes an Opener whose nth session, or error, is what f returns.
func opener(f func(n int, events func(sessionclient.Event)) (*fakeSession, error)) *fakeOpener {
	return &fakeOpener{open: func(n int, _ Spec, events func(sessionclient.Event)) (*fakeSession, error) {
		return f(n, events)
	}}
}

func basicSession() *fakeSession { return newFake("s", oldAgent, wire.LocalPortForwarding) }

// runToEnd runs a Forward that ends by itself.
func runToEnd(t *testing.T, f *Forward, l net.Listener) (*log, error) {
	t.Helper()
	events := newLog()
	return events, f.Run(t.Context(), []Spec{{Local: 80, Port: 80}}, []net.Listener{l}, events.emit)
}

func TestFirstSessionMustOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := fault.New(fault.Offline, "start session", "agent is not connected")
		o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) { return nil, want })
		events, err := runToEnd(t, &Forward{Opener: o, Lanes: 1}, newMemListener())
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
		if events.types()[0] != Listening || events.count(Ready) > 0 {
			t.Errorf("events %v, want listening first and no ready", events.types())
		}
	})
}

func TestReadyWaitsForTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("s", newAgent, wire.LocalPortForwarding)
		acknowledged := make(chan struct{})
		f.flush = func() error {
			if f.Stats().SentBytes == 0 {
				t.Error("there is nothing to acknowledge yet")
			}
			<-acknowledged
			return nil
		}
		o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) { return f, nil })
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lanes: 1}, []Spec{{Port: 80}}, []net.Listener{l})
		synctest.Wait()
		if events.count(Ready) > 0 {
			t.Error("it is ready though the agent has acknowledged nothing")
		}
		close(acknowledged)
		events.await(t, Ready, 1)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestFirstSessionMustBecomeReady has a first session that ends without a word
// before the agent has acknowledged anything: nobody would ever be told.
func TestFirstSessionMustBecomeReady(t *testing.T) {
	for name, end := range map[string]error{"closed": nil, "lost": errors.New("no network")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) {
					f := newFake("s", newAgent, wire.LocalPortForwarding)
					f.flush = func() error {
						f.end(sessionclient.Exit{}, end)
						return errFakeOver
					}
					return f, nil
				})
				events, err := runToEnd(t, &Forward{Opener: o, Lanes: 1}, newMemListener())
				if err == nil || !errors.Is(err, end) && end != nil {
					t.Errorf("got %v", err)
				}
				if n := events.count(Ready) + events.count(Reopened); n > 0 {
					t.Errorf("events %v", events.types())
				}
				o.checkClosed(t)
			})
		})
	}
}

func TestSessionThatEndsAtOnceWithAReasonIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) {
			f := basicSession()
			time.AfterFunc(11*time.Second, func() {
				f.end(sessionclient.Exit{Reason: "lookup nodb: no such host"}, nil)
			})
			return f, nil
		})
		_, err := runToEnd(t, &Forward{Opener: o, Lanes: 1}, newMemListener())
		if err == nil || !strings.Contains(err.Error(), "no such host") || fault.KindOf(err) != fault.Failed {
			t.Errorf("got %v, want the reason", err)
		}
		o.checkClosed(t)
	})
}

func TestIdleSessionThatEndsIsOpenedAgainOnDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) { return basicSession(), nil })
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lanes: 1}, []Spec{{Port: 80}}, []net.Listener{l})
		events.await(t, Ready, 1)
		time.Sleep(20 * time.Minute)
		o.opened()[0].end(sessionclient.Exit{Reason: "idle for 20 minutes"}, nil)
		if e := events.await(t, Ended, 1); e.Text != "idle for 20 minutes" || e.Duration != 20*time.Minute {
			t.Errorf("ended event: %+v", e)
		}
		time.Sleep(time.Hour)
		if n := len(o.opened()); n != 1 {
			t.Errorf("%d sessions while nobody connects, want 1", n)
		}
		c := l.dial(t)
		events.await(t, Reopened, 1)
		_, _ = io.WriteString(c, "hello")
		if got := string(<-o.opened()[1].input); got != "hello" {
			t.Errorf("agent got %q", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.checkClosed(t)
	})
}

func TestReopeningBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(n int, _ func(sessionclient.Event)) (*fakeSession, error) {
			if n == 1 || n >= 5 {
				return basicSession(), nil
			}
			return nil, fault.New(fault.Failed, "start session", "no network")
		})
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lanes: 1}, []Spec{{Port: 80}}, []net.Listener{l})
		events.await(t, Ready, 1)
		time.Sleep(time.Minute)
		o.opened()[0].end(sessionclient.Exit{}, errors.New("lost"))
		events.await(t, Ended, 1)
		c := l.dial(t)
		events.await(t, Reopened, 1)
		var waits []time.Duration
		for i := 2; i < len(o.times); i++ {
			waits = append(waits, o.times[i].Sub(o.times[i-1]))
		}
		if want := []time.Duration{retryFirst, 2 * retryFirst, 4 * retryFirst}; !slices.Equal(waits, want) {
			t.Errorf("waits %v, want %v", waits, want)
		}
		if e := events.await(t, Failed, 2); e.Wait != 2*retryFirst || e.Err == nil {
			t.Errorf("failed event: %+v", e)
		}
		_, _ = io.WriteString(c, "patience")
		if got := string(<-o.opened()[1].input); got != "patience" {
			t.Errorf("agent got %q", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.checkClosed(t)
	})
}

func TestConnectionIsResetWhenNoSessionComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) {
			return nil, fault.New(fault.Offline, "start session", "agent is not connected")
		})
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lazy: true, Lanes: 1}, []Spec{{Port: 80}}, []net.Listener{l})
		begin := time.Now()
		c := l.dial(t)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, errReset) {
			t.Errorf("read: %v, want a reset", err)
		}
		if got := time.Since(begin); got != openPatience {
			t.Errorf("gave up after %s, want %s", got, openPatience)
		}
		synctest.Wait()
		events.mu.Lock()
		last := events.events[len(events.events)-1]
		events.mu.Unlock()
		if last.Type != Failed || last.Connection != 1 || fault.KindOf(last.Err) != fault.Offline {
			t.Errorf("last event: %+v, want why connection 1 failed", last)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestPermanentErrorEndsRun(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Auth, fault.NotFound} {
		synctest.Test(t, func(t *testing.T) {
			want := fault.New(kind, "start session", "no")
			o := opener(func(n int, _ func(sessionclient.Event)) (*fakeSession, error) {
				if n == 1 {
					return basicSession(), nil
				}
				return nil, want
			})
			l := newMemListener()
			events, stop := start(t, &Forward{Opener: o, Lanes: 1}, []Spec{{Port: 80}}, []net.Listener{l})
			events.await(t, Ready, 1)
			time.Sleep(time.Hour)
			o.opened()[0].end(sessionclient.Exit{}, nil)
			events.await(t, Ended, 1)
			_ = l.dial(t)
			<-l.done // Run ends by itself
			if err := stop(); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			o.checkClosed(t)
		})
	}
}

func TestLazyOpensOnTheFirstConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) { return basicSession(), nil })
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lazy: true, Lanes: 1}, []Spec{{Port: 80}}, []net.Listener{l})
		synctest.Wait()
		if n := len(o.opened()); n != 0 {
			t.Errorf("%d sessions before anybody connects", n)
		}
		_ = l.dial(t)
		events.await(t, Ready, 1)
		events.await(t, Connected, 1)
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.checkClosed(t)
	})
}

func TestStalledSessionIsPassedBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(n int, _ func(sessionclient.Event)) (*fakeSession, error) {
			f := basicSession()
			if n == 1 {
				f.input = make(chan []byte) // takes nothing
			}
			return f, nil
		})
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lanes: 1}, []Spec{{Port: 80}}, []net.Listener{l})
		events.await(t, Ready, 1)
		first := l.dial(t)
		_, _ = io.WriteString(first, "stuck")
		events.await(t, Stalled, 1)
		second := l.dial(t)
		_, _ = io.WriteString(second, "flows")
		events.await(t, Reopened, 1)
		if got := string(<-o.opened()[1].input); got != "flows" {
			t.Errorf("agent got %q", got)
		}
		if got := string(<-o.opened()[0].input); got != "stuck" {
			t.Errorf("the stalled session got %q", got)
		}
		events.await(t, Recovered, 1)
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.checkClosed(t)
	})
}

func TestConnectionEventsOfTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tell func(sessionclient.Event)
		o := opener(func(_ int, events func(sessionclient.Event)) (*fakeSession, error) {
			tell = events
			return basicSession(), nil
		})
		events, stop := start(t, &Forward{Opener: o, Node: "i-1"}, []Spec{{Port: 80}}, []net.Listener{newMemListener()})
		events.await(t, Ready, 1)
		lost := errors.New("reset by peer")
		tell(sessionclient.Event{Kind: sessionclient.Lost, Err: lost})
		tell(sessionclient.Event{Kind: sessionclient.Retrying, Attempt: 2, Wait: time.Second, Err: lost})
		tell(sessionclient.Event{Kind: sessionclient.Resumed, Outage: 3 * time.Second})
		tell(sessionclient.Event{Kind: sessionclient.AgentSilent, Outage: 30 * time.Second})
		tell(sessionclient.Event{Kind: sessionclient.AgentBack})
		tell(sessionclient.Event{Kind: sessionclient.Message, Text: "encrypted"})
		events.await(t, Notice, 1)
		if err := stop(); err != nil {
			t.Error(err)
		}
		want := []EventType{Listening, Ready, Reconnecting, Reconnecting, Reconnected, Silent, Recovered, Notice, Ended}
		if got := events.types(); !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		if e := events.await(t, Reconnecting, 2); e.Session != "s" || e.Node != "i-1" || e.Attempt != 2 || e.Wait != time.Second {
			t.Errorf("reconnecting event: %+v", e)
		}
	})
}

func TestRunWantsAListenerPerSpec(t *testing.T) {
	err := (&Forward{}).Run(context.Background(), []Spec{{Port: 80}}, nil, func(Event) {})
	if fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v, want a usage error", err)
	}
}

func TestOtherSessionTypesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) {
			f := basicSession()
			f.info.Kind = wire.StandardStream
			return f, nil
		})
		_, err := runToEnd(t, &Forward{Opener: o, Lanes: 1}, newMemListener())
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), "Standard_Stream") {
			t.Errorf("got %v, want a usage error that names the type", err)
		}
		o.checkClosed(t)
	})
}

func TestEventJSON(t *testing.T) {
	e := Event{
		Type: Closed, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Local: "127.0.0.1:80", Remote: "db:81", Node: "i-1",
		Session: "s", Connection: 7, Out: 5, Duration: 1500 * time.Millisecond, Err: errors.New("cut"),
	}
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"type":"closed","time":"2026-01-02T03:04:05Z","local":"127.0.0.1:80","remote":"db:81","node":"i-1",` +
		`"session_id":"s","connection":7,"bytes_in":0,"bytes_out":5,"duration_ms":1500,"error":"cut"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
