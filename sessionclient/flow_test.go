package sessionclient

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

func TestWindowStopsTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, echo)}
		w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
		s, err := Dial(t.Context(), ticket, w.options()...)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.agent.do(func() { w.agent.noAck = true })
		done := make(chan error, 1)
		go func() {
			_, err := s.Write(make([]byte, 8<<20))
			done <- err
		}()
		time.Sleep(20 * time.Second)
		select {
		case err := <-done:
			t.Fatalf("a write of 8 MiB returned (%v) though nothing was acknowledged", err)
		default:
		}
		if sent := s.Stats().SentBytes; sent > 1<<20 {
			t.Errorf("%d bytes are in flight, want at most 1 MiB", sent)
		}
		time.Sleep(20 * time.Second)
		if !strings.Contains(w.kinds(), "agent silent") {
			t.Errorf("events %q, want a word about the silent agent", w.kinds())
		}
		w.agent.do(func() { w.agent.noAck = false })
		go func() { _, _ = io.Copy(io.Discard, s) }()
		if err := <-done; err != nil {
			t.Errorf("write: %v", err)
		}
		if !strings.Contains(w.kinds(), "agent back") {
			t.Errorf("events %q, want the agent back", w.kinds())
		}
		_ = s.Close()
	})
}

func TestSlowReaderBoundsMemory(t *testing.T) {
	for limit, opts := range map[int64][]Option{
		defaultReceive: nil,
		1 << 20:        {WithReceiveBuffer(1 << 20)},
	} {
		synctest.Test(t, func(t *testing.T) { slowReader(t, limit, opts) })
	}
}

// defaultReceive is what is kept, in bytes, when nothing is said.
const defaultReceive = 16 << 20

// slowReader has an application that does not read for a while.
func slowReader(t *testing.T, limit int64, opts []Option) {
	t.Helper()
	w := &world{t: t, agent: newAgent(t, echo)}
	w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
	s, err := Dial(t.Context(), ticket, w.options(opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	const total = 40 << 20
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for sent := 0; sent < total; {
			w.agent.mu.Lock()
			for w.agent.snd.CanPush() && sent < total {
				w.agent.send(wire.PayloadOutput, make([]byte, 32<<10))
				sent += 32 << 10
			}
			w.agent.flush()
			w.agent.mu.Unlock()
			time.Sleep(time.Millisecond)
		}
	}()
	time.Sleep(10 * time.Second)
	held := s.ch.stats.receivedBytes.Load()
	if held > 1<<20 {
		t.Errorf("%d bytes were opened for an application that reads nothing", held)
	}
	w.agent.mu.Lock()
	taken := w.agent.snd.Lowest() * (32 << 10)
	w.agent.mu.Unlock()
	if taken > limit+2<<20 || taken < limit {
		t.Errorf("%d bytes were taken from the agent, want about %d", taken, limit)
	}
	n, err := io.ReadFull(s, make([]byte, 1+total))
	if err != nil {
		t.Errorf("read %d bytes, then %v", n, err)
	}
	<-sent
	_ = s.Close()
}

func TestEveryMessageIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, echo)}
		w.agent.do(func() {
			for range 50 {
				w.agent.send(wire.PayloadOutput, []byte("x"))
			}
		})
		s, err := Dial(t.Context(), ticket, w.options()...)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !w.agent.drained() {
			t.Error("not everything was acknowledged although nobody reads yet")
		}
		for _, m := range w.agent.raw {
			if m.Type == wire.Acknowledge && (m.Flags != 3 || m.Seq != 0 || m.PayloadType != 0) {
				t.Errorf("acknowledge with flags %d, number %d, payload type %d", m.Flags, m.Seq, m.PayloadType)
			}
		}
		_ = s.Close()
	})
}
