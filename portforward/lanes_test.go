package portforward

import (
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

func TestEveryConnectionGetsALane(t *testing.T) {
	l, o, events := forwardLanes(t, "0:80", 3, destination(t, echo))
	var conns []net.Conn
	for i := range 5 {
		c := connect(t, l)
		roundTrip(t, c, fmt.Sprintf("connection %d", i))
		conns = append(conns, c)
	}
	if n := len(o.opened()); n != 3 {
		t.Errorf("%d sessions, want 3", n)
	}
	if e := events.await(t, LaneOpened, 2); e.Lanes != 3 || e.Session == "" {
		t.Errorf("lane event: %+v", e)
	}
	carried := map[string]int{}
	for i := range conns {
		carried[events.await(t, Connected, i+1).Session]++
	}
	for id, n := range carried {
		if n > 2 {
			t.Errorf("session %s carries %d of 5 connections", id, n)
		}
	}
}

func TestALaneIsUsedAgainBeforeAnotherIsOpened(t *testing.T) {
	l, o, events := forwardLanes(t, "0:80", AutoLanes, destination(t, func(c net.Conn) {
		_, _ = io.CopyN(c, c, 4)
	}))
	for i := range 5 {
		c := connect(t, l)
		roundTrip(t, c, "once")
		_ = c.Close()
		events.await(t, Closed, i+1)
	}
	if n := len(o.opened()); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

func TestTheEmptiestLaneIsBest(t *testing.T) {
	m := &muxBearer{}
	empty, left, busy := &carrier{bearer: m}, &carrier{bearer: m, users: 2, resting: 2}, &carrier{bearer: m, users: 1}
	bulk, crowded := &carrier{bearer: m, users: 1, bulk: true}, &carrier{bearer: m, users: 3, resting: 1}
	order := []*carrier{empty, busy, crowded, bulk}
	for i, c := range order {
		for j, than := range order {
			if got := c.emptier(than); got != (i < j) {
				t.Errorf("%d emptier than %d: %v", i, j, got)
			}
		}
	}
	if left.busy() || empty.busy() || !busy.busy() {
		t.Error("a lane whose local programs have left is free, one with a connection is not")
	}
	if old := (&carrier{bearer: &basicBearer{}, users: 1, resting: 1}); !old.busy() {
		t.Error("an agent that carries one connection at a time has to finish it")
	}
}

// TestAStalledConnectionStopsNoOther has one destination that does not read: its
// agent stops reading as well, and so does everything of its session.
func TestAStalledConnectionStopsNoOther(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	l, _, _ := forwardLanes(t, "0:80", 2, destination(t, func(c net.Conn) {
		b := make([]byte, 1)
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		if b[0] == 's' {
			<-release
			return
		}
		_, _ = c.Write(b)
		echo(c)
	}))
	other := connect(t, l)
	roundTrip(t, other, "e")
	stalled := connect(t, l)
	_, _ = io.WriteString(stalled, "s")
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		_, _ = stalled.Write(make([]byte, 64<<20)) // until it is closed
	}()
	for i := range 50 {
		roundTrip(t, other, fmt.Sprintf("message %d", i))
	}
	_ = stalled.Close()
	<-flooded
}

func TestFurtherLanesAreClosedWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) { return basicSession(), nil })
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lanes: 2, Idle: 10 * time.Minute}, []Spec{{Port: 80}}, []net.Listener{l})
		first, second := l.dial(t), l.dial(t)
		events.await(t, Connected, 2)
		if n := len(o.opened()); n != 2 {
			t.Fatalf("%d sessions, want 2", n)
		}
		_, _ = first.Close(), second.Close()
		events.await(t, Closed, 2)
		begin := time.Now()
		events.await(t, Ended, 1)
		if d := time.Since(begin); d < laneIdle || d > laneIdle+2*watchEvery {
			t.Errorf("the further lane was closed after %s, want %s", d, laneIdle)
		}
		events.await(t, Ended, 2)
		if d := time.Since(begin); d < 10*time.Minute-watchEvery || d > 10*time.Minute+2*watchEvery {
			t.Errorf("the last session was closed after %s, want 10 min", d)
		}
		_ = l.dial(t)
		events.await(t, Reopened, 1)
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.checkClosed(t)
	})
}

func TestLanesAreSharedWhenNoFurtherOneCanBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := fault.New(fault.Failed, "start session", "too many sessions")
		o := opener(func(n int, _ func(sessionclient.Event)) (*fakeSession, error) {
			if n > 1 {
				return nil, limit
			}
			return basicSession(), nil
		})
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lanes: 4}, []Spec{{Port: 80}}, []net.Listener{l})
		_ = l.dial(t)
		events.await(t, Connected, 1)
		_ = l.dial(t)
		if e := events.await(t, Notice, 1); e.Lanes != 1 || e.Err == nil {
			t.Errorf("notice: %+v", e)
		}
		events.await(t, Waiting, 1) // for the first one, as its agent carries one at a time
		calls := o.calls
		_ = l.dial(t)
		synctest.Wait()
		if o.calls != calls {
			t.Error("another session was tried at once")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.checkClosed(t)
	})
}

// TestLanesThatCannotBeHadDelayNoSession has a limit that leaves room for one
// session, and that one ends.
func TestLanesThatCannotBeHadDelayNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := fault.New(fault.Failed, "start session", "too many sessions")
		only := basicSession()
		o := opener(func(n int, _ func(sessionclient.Event)) (*fakeSession, error) {
			switch {
			case n == 1:
				return only, nil
			case n <= 3:
				return nil, limit
			default:
				return basicSession(), nil
			}
		})
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lanes: 4}, []Spec{{Port: 80}}, []net.Listener{l})
		events.await(t, Ready, 1)
		time.Sleep(startWindow)
		_ = l.dial(t)
		for i := range 2 {
			time.Sleep(laneRetry + time.Second)
			_ = l.dial(t)
			events.await(t, Waiting, i+1)
		}
		only.end(sessionclient.Exit{}, nil)
		begin := time.Now()
		events.await(t, Reopened, 1)
		if d := time.Since(begin); d >= retryFirst {
			t.Errorf("the next session was opened after %s", d)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.checkClosed(t)
	})
}

func TestSeveralAttemptsAtOnceBackOffOnce(t *testing.T) {
	p, now := &pool{}, time.Now()
	for range 4 {
		p.backOff(now)
	}
	if d := p.retryAt.Sub(now); d != retryFirst {
		t.Errorf("the next attempt comes after %s, want %s", d, retryFirst)
	}
	p.backOff(p.retryAt)
	if d := p.retryAt.Sub(now); d != 3*retryFirst {
		t.Errorf("and then after %s, want %s", d, 3*retryFirst)
	}
}

func TestAConnectionDoesNotWaitLongForItsLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(n int, _ func(sessionclient.Event)) (*fakeSession, error) {
			if n > 1 {
				time.Sleep(time.Minute)
			}
			return basicSession(), nil
		})
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lanes: 2}, []Spec{{Port: 80}}, []net.Listener{l})
		_ = l.dial(t)
		events.await(t, Connected, 1)
		begin := time.Now()
		_ = l.dial(t)
		events.await(t, Waiting, 1)
		if d := time.Since(begin); d != lanePatience {
			t.Errorf("it shared a lane after %s, want %s", d, lanePatience)
		}
		events.await(t, LaneOpened, 1)
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.checkClosed(t)
	})
}

func TestLookupsAreRepeatedSparingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pool{spec: Spec{Host: "db.internal", Port: 5432}}
		var ages []time.Duration
		for range 9 {
			for age := time.Duration(0); ; age += time.Second {
				if p.relocated(&carrier{since: time.Now().Add(-age)}) {
					ages = append(ages, age)
					break
				}
			}
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 120, 120} {
			if ages[i] != want*time.Second {
				t.Errorf("look-up %d after %s, want %s", i+1, ages[i], want*time.Second)
			}
		}
		p.answered()
		if !p.relocated(&carrier{since: time.Now().Add(-lookupFresh)}) {
			t.Error("after an answer it starts anew")
		}
		for _, host := range []string{"", "10.0.0.7", "fd00::1"} {
			p.spec.Host = host
			if p.relocated(&carrier{since: time.Now().Add(-time.Hour)}) {
				t.Errorf("%q is not looked up", host)
			}
		}
	})
}

func TestADatabaseThatEndsItsConnectionsMayHaveMoved(t *testing.T) {
	const name = "orders.cluster-x.us-east-1.rds.amazonaws.com"
	old := time.Now().Add(-time.Minute)
	for _, tt := range []struct {
		host           string
		users, resting int // beside the connection that ended
		since          time.Time
		want           bool
	}{
		{name, 0, 0, old, true},
		{"orders.x.clustercfg.use1.cache.amazonaws.com.cn.", 0, 0, old, true},
		{name, 1, 1, old, true}, // its program has left
		{name, 1, 0, old, false},
		{name, 0, 0, time.Now(), false},
		{"internal-web-1.us-east-1.elb.amazonaws.com", 0, 0, old, false}, // a web server ends connections all the time
		{"cache.example.com", 0, 0, old, false},
	} {
		p := &pool{spec: Spec{Host: tt.host, Port: 5432}}
		c := newIdleCarrier(tt.since)
		idle, used := newIdleCarrier(tt.since), newIdleCarrier(tt.since)
		c.users, c.resting, used.users = tt.users+1, tt.resting, 1
		p.live = []*carrier{idle, c, used}
		c.relays.Add(1)
		p.release(c, &connection{abandoned: true}, false)
		if c.retired != tt.want {
			t.Errorf("%+v: retired %v", tt, c.retired)
		}
		if idle.retired != tt.want || used.retired {
			t.Errorf("%+v: the look-up of a lane nobody uses is as old: retired %v; one in use: %v", tt, idle.retired, used.retired)
		}
	}
}

func newIdleCarrier(since time.Time) *carrier {
	return &carrier{
		since: since, idle: time.Now(), health: &health{}, bye: make(chan struct{}),
		bearer: &basicBearer{over: make(chan struct{})},
	}
}

// TestARefusedConnectionMeetsNoOtherOldLookup has several lanes from before a
// failover, none of them in use.
func TestARefusedConnectionMeetsNoOtherOldLookup(t *testing.T) {
	old, fresh := time.Now().Add(-time.Minute), time.Now()
	p := &pool{spec: Spec{Host: "db.internal", Port: 5432}}
	p.live = []*carrier{newIdleCarrier(old), newIdleCarrier(old), newIdleCarrier(fresh)}
	if !p.relocated(p.live[0]) {
		t.Fatal("its look-up is old")
	}
	if best := p.best(time.Now()); best != p.live[2] {
		t.Error("the next try should look the name up again")
	}
}

// TestALaneThatMovedALotIsFree has lanes whose transfers have just ended.
func TestALaneThatMovedALotIsFree(t *testing.T) {
	c := newIdleCarrier(time.Now())
	c.bulk = true
	if c.busy() {
		t.Error("nobody uses it")
	}
	c.users, c.resting = 1, 1 // its program has half-closed, and receives
	if !c.busy() {
		t.Error("somebody transfers a lot")
	}
}

// TestAnIdleDatabaseIsLookedUpAgain: nobody would have noticed a failover.
func TestAnIdleDatabaseIsLookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opener(func(n int, _ func(sessionclient.Event)) (*fakeSession, error) {
			if n == 3 {
				return nil, fault.New(fault.Failed, "start session", "no network")
			}
			return basicSession(), nil
		})
		l := newMemListener()
		spec := Spec{Host: "orders.cluster-x.us-east-1.rds.amazonaws.com", Port: 5432}
		events, stop := start(t, &Forward{Opener: o}, []Spec{spec}, []net.Listener{l})
		use := func(n int) {
			t.Helper()
			c := l.dial(t)
			events.await(t, Connected, n)
			_ = c.Close()
			events.await(t, Closed, n)
		}
		use(1)
		time.Sleep(lookupIdle / 2)
		use(2)
		if n := len(o.opened()); n != 1 {
			t.Errorf("%d sessions within a minute, want 1", n)
		}
		time.Sleep(lookupIdle)
		use(3)
		if n := len(o.opened()); n != 2 {
			t.Errorf("%d sessions after it, want 2", n)
		}
		time.Sleep(lookupIdle)
		use(4) // no other session can be had
		if n := len(o.opened()); n != 2 || o.calls != 3 {
			t.Errorf("%d sessions in %d attempts, want 2 in 3", n, o.calls)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		o.checkClosed(t)
	})
}
