package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// echoNode is a node of the demo with an echo server on echoPort.
const (
	echoNode = "i-0c3d4e5f607182930"
	echoPort = 9000
)

// house is client and simulator, joined over loopback.
type house struct {
	server *simulator.Server
	svc    *sessions.Service
}

func newHouse(tb testing.TB, faults world.Faults) *house {
	tb.Helper()
	scenario := world.Demo()
	scenario.Faults = faults
	srv, err := simulator.Start(tb.Context(), simulator.Options{Scenario: scenario})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if n := srv.Settle(patience); n != 0 {
			tb.Errorf("%d sessions are still open", n)
		}
		if err := srv.Close(); err != nil {
			tb.Error(err)
		}
	})
	creds := srv.Credentials()
	scope, err := awsapi.Open(tb.Context(), awsapi.Options{Static: &awsapi.Static{
		Endpoint: srv.URL(), Region: scenario.Region, AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey,
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return &house{server: srv, svc: sessions.New(scope, sessions.Options{})}
}

// forward opens a tunnel to a port of a node and returns its local address.
func (h *house) forward(tb testing.TB, node string, port int, opts ...sessionclient.Option) (address string, events *eventCounts) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	spec := portforward.Spec{Port: port}
	l, err := portforward.Listen(spec, portforward.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	events = &eventCounts{by: map[portforward.EventType]int{}}
	ready := make(chan struct{})
	f := &portforward.Forward{Node: node, Opener: &sessions.PortOpener{Service: h.svc, Target: node, Options: opts}}
	done := make(chan error, 1)
	go func() {
		done <- f.Run(ctx, []portforward.Spec{spec}, []net.Listener{l}, func(e portforward.Event) {
			events.add(e.Type)
			if e.Type == portforward.Ready {
				close(ready)
			}
		})
	}()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("forward: %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-done:
		done <- err
		tb.Fatalf("forward ended early: %v", err)
	}
	return l.Addr().String(), events
}

type eventCounts struct {
	mu sync.Mutex
	by map[portforward.EventType]int
}

func (c *eventCounts) add(t portforward.EventType) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[t]++
}

func (c *eventCounts) of(t portforward.EventType) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[t]
}

// echo sends size random bytes through address and wants them back. It returns
// how long that took.
func echo(address string, size int64, seed byte) (time.Duration, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	start := time.Now()
	sent, got := sha256.New(), sha256.New()
	writing := make(chan error, 1)
	go func() {
		source := io.LimitReader(rand.NewChaCha8([32]byte{seed}), size)
		_, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(conn, sent)}, source, make([]byte, 32<<10))
		writing <- err
	}()
	_, err = io.CopyBuffer(struct{ io.Writer }{got}, io.LimitReader(conn, size), make([]byte, 32<<10))
	if writeErr := <-writing; err == nil {
		err = writeErr
	}
	if err != nil {
		return 0, err
	}
	if [32]byte(sent.Sum(nil)) != [32]byte(got.Sum(nil)) {
		return 0, errors.New("what came back is not what was sent")
	}
	return time.Since(start), nil
}

// TestNothingIsLostUnderCuts is the promise of the product: transfers arrive
// whole, both ways, whatever happens to the socket.
func TestNothingIsLostUnderCuts(t *testing.T) {
	size := int64(64 << 20)
	if testing.Short() {
		size = 8 << 20
	}
	tests := []struct {
		name   string
		faults world.Faults
		opts   []sessionclient.Option
	}{
		{"cuts, duplicates and reordering", world.Faults{CutEvery: 300 * time.Millisecond, Duplicate: 0.05, Reorder: 0.05, Seed: 1}, nil},
		{"the same with other luck", world.Faults{CutEvery: 400 * time.Millisecond, Duplicate: 0.05, Reorder: 0.05, Seed: 2}, nil},
		{"polite closes with large payloads", world.Faults{ByeEvery: 250 * time.Millisecond, Duplicate: 0.05, Seed: 3}, []sessionclient.Option{sessionclient.WithPayloadSize(8 << 10)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, tt.faults)
			address, events := h.forward(t, echoNode, echoPort, tt.opts...)
			took, err := echo(address, size, byte(tt.faults.Seed))
			if err != nil {
				t.Fatal(err)
			}
			cuts := events.of(portforward.Reconnected)
			t.Logf("%d MiB each way in %s with %d reconnections", size>>20, took.Round(time.Millisecond), cuts)
			if cuts == 0 {
				t.Error("the socket was never cut: the test proves nothing")
			}
		})
	}
}

func TestManyConnectionsAtOnce(t *testing.T) {
	h := newHouse(t, world.Faults{CutEvery: 500 * time.Millisecond, Duplicate: 0.05})
	address, _ := h.forward(t, echoNode, echoPort)
	var wg sync.WaitGroup
	var failed atomic.Int32
	for i := range 20 {
		wg.Go(func() {
			if _, err := echo(address, 1<<20, byte(i)); err != nil {
				failed.Add(1)
				t.Errorf("connection %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// BenchmarkForward measures one connection through a forward on loopback: the
// echo counts the bytes once, though they travel both ways.
func BenchmarkForward(b *testing.B) {
	for _, payload := range []int{1 << 10, 8 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("echo/payload=%d", payload), func(b *testing.B) {
			h := newHouse(b, world.Faults{})
			address, _ := h.forward(b, echoNode, echoPort, sessionclient.WithPayloadSize(payload))
			const size = 32 << 20
			b.SetBytes(size)
			for b.Loop() {
				if _, err := echo(address, size, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEchoLatency measures the round trip of one byte.
func BenchmarkEchoLatency(b *testing.B) {
	h := newHouse(b, world.Faults{})
	address, _ := h.forward(b, echoNode, echoPort)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	one := []byte{1}
	for b.Loop() {
		if _, err := conn.Write(one); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, one); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAKilledAgentStopsNoNewConnection has the agent's end of a session go away
// for good in the middle of an upload: nobody tells, and the client cannot know
// whether it comes back. New connections get another session.
func TestAKilledAgentStopsNoNewConnection(t *testing.T) {
	h := newHouse(t, world.Faults{})
	address, events := h.forward(t, echoNode, echoPort, sessionclient.WithSilence(time.Second))
	stuck, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	var uploading sync.WaitGroup
	uploading.Go(func() { _, _ = io.Copy(stuck, rand.NewChaCha8([32]byte{})) }) // until it is closed
	if _, err := io.CopyN(io.Discard, stuck, 1<<20); err != nil {
		t.Fatal(err)
	}
	for _, id := range h.server.Gateway().IDs() {
		h.server.Gateway().Detach(id)
	}
	for events.of(portforward.Silent)+events.of(portforward.Stalled) == 0 {
		time.Sleep(20 * time.Millisecond) // until the silence is noticed
	}
	if _, err := echo(address, 1<<20, 9); err != nil {
		t.Errorf("a new connection: %v", err)
	}
	_ = stuck.Close()
	uploading.Wait()
}

// TestACutOfTheAgentIsSurvivedByDownloads hangs up on the agent's end while it
// sends; it comes back.
func TestACutOfTheAgentIsSurvivedByDownloads(t *testing.T) {
	h := newHouse(t, world.Faults{})
	address, _ := h.forward(t, echoNode, echoPort)
	cutting, stop := context.WithCancel(t.Context())
	var cuts sync.WaitGroup
	cuts.Go(func() {
		for cutting.Err() == nil {
			for _, id := range h.server.Gateway().IDs() {
				h.server.Gateway().CutAgent(id)
			}
			time.Sleep(300 * time.Millisecond) // how often
		}
	})
	_, err := echo(address, 16<<20, 4)
	stop()
	cuts.Wait()
	if err != nil {
		t.Error(err)
	}
}
