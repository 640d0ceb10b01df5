package portforward

import (
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeStream is the far end of a relay, played by the test.
type fakeStream struct {
	arrive    chan []byte // closed: the destination has finished
	breaks    chan error
	deadlines chan time.Time
	closed    chan struct{}
	once      sync.Once

	mu       sync.Mutex
	got      []byte
	writeErr error
}

func newFakeStream() *fakeStream {
	return &fakeStream{
		arrive: make(chan []byte), breaks: make(chan error), deadlines: make(chan time.Time, 64), closed: make(chan struct{}),
	}
}

func (s *fakeStream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writeErr != nil {
		return 0, s.writeErr
	}
	s.got = append(s.got, p...)
	return len(p), nil
}

func (s *fakeStream) sent() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.got)
}

func (s *fakeStream) WriteTo(w io.Writer) (int64, error) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		select {
		case b, ok := <-s.arrive:
			if !ok {
				return 0, nil
			}
			if _, err := w.Write(b); err != nil {
				return 0, err
			}
		case err := <-s.breaks:
			return 0, err
		case t := <-s.deadlines:
			timer.Reset(time.Until(t))
		case <-timer.C:
			return 0, os.ErrDeadlineExceeded
		case <-s.closed:
			return 0, io.ErrClosedPipe
		}
	}
}

func (s *fakeStream) SetReadDeadline(t time.Time) error {
	s.deadlines <- t
	return nil
}

func (s *fakeStream) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *fakeStream) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// relayTest runs play against a relay in virtual time and returns what run
// returned.
func relayTest(t *testing.T, play func(t *testing.T, local *memConn, remote *fakeStream)) (err error) {
	synctest.Test(t, func(t *testing.T) {
		near, far := newMemPair()
		remote := newFakeStream()
		done := make(chan struct{})
		go func() {
			defer close(done)
			err = newRelay(far, remote, muxLinger).run(t.Context())
		}()
		play(t, near, remote)
		<-done
		if !remote.isClosed() {
			t.Error("the stream was not closed")
		}
	})
	return err
}

func read(t *testing.T, r io.Reader, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatalf("read: %v", err)
	}
	return string(b)
}

func TestRelayHoldsTheEndBackForTheAnswer(t *testing.T) {
	relayTest(t, func(t *testing.T, local *memConn, remote *fakeStream) {
		_, _ = io.WriteString(local, "request")
		_ = local.CloseWrite()
		time.Sleep(muxLinger - time.Second) // virtual
		synctest.Wait()
		if remote.isClosed() {
			t.Fatal("the stream was closed before the answer")
		}
		remote.arrive <- []byte("answer")
		if got := read(t, local, 6); got != "answer" {
			t.Errorf("got %q", got)
		}
		time.Sleep(muxLinger - time.Second) // data renews the patience
		synctest.Wait()
		if remote.isClosed() {
			t.Fatal("the stream was closed though data had come")
		}
		close(remote.arrive)
		if _, err := local.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("local end: %v, want EOF", err)
		}
		if got := remote.sent(); got != "request" {
			t.Errorf("sent %q", got)
		}
	})
}

func TestRelayCutsSilentDestinationAfterLinger(t *testing.T) {
	err := relayTest(t, func(t *testing.T, local *memConn, remote *fakeStream) {
		begin := time.Now()
		_ = local.CloseWrite()
		remote.arrive <- []byte("part1")
		if got := read(t, local, 5); got != "part1" {
			t.Errorf("got %q: what arrived must be delivered", got)
		}
		<-remote.closed
		if got := time.Since(begin); got != muxLinger {
			t.Errorf("closed after %s, want %s", got, muxLinger)
		}
		if _, err := local.Read(make([]byte, 1)); !errors.Is(err, errReset) {
			t.Errorf("local end: %v, want a reset: more might have come", err)
		}
	})
	if want := "nothing came for 60 s after this side had ended"; err == nil || err.Error() != want {
		t.Errorf("run: %v, want %q", err, want)
	}
}

func TestRelayOfAProgramThatLeft(t *testing.T) {
	err := relayTest(t, func(t *testing.T, local *memConn, remote *fakeStream) {
		begin := time.Now()
		_ = local.Close()
		<-remote.closed
		if got := time.Since(begin); got != muxLinger {
			t.Errorf("closed after %s, want %s", got, muxLinger)
		}
	})
	var linger lingerError
	if !errors.As(err, &linger) {
		t.Errorf("run: %v, want a lingerError", err)
	}
}

func TestRelayHalfClosesLocalWhenDestinationFinishes(t *testing.T) {
	relayTest(t, func(t *testing.T, local *memConn, remote *fakeStream) {
		close(remote.arrive)
		if _, err := local.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatalf("local end: %v, want EOF", err)
		}
		if _, err := io.WriteString(local, "late"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if remote.isClosed() {
			t.Error("the stream was closed before local was done")
		}
		if got := remote.sent(); got != "late" {
			t.Errorf("sent %q, want the late data", got)
		}
		_ = local.CloseWrite()
		<-remote.closed
	})
}

func TestRelayClosesSilentLocalAfterLinger(t *testing.T) {
	relayTest(t, func(t *testing.T, local *memConn, remote *fakeStream) {
		begin := time.Now()
		close(remote.arrive)
		<-remote.closed
		if got := time.Since(begin); got != muxLinger {
			t.Errorf("closed after %s, want %s", got, muxLinger)
		}
		_ = local.Close()
	})
}

func TestRelayClosesStreamWhenLocalIsGone(t *testing.T) {
	relayTest(t, func(t *testing.T, local *memConn, remote *fakeStream) {
		_ = local.Close()
		remote.arrive <- []byte("nobody reads this")
		<-remote.closed // at once, not after the linger
	})
}

func TestRelayResetsLocalWhenStreamBreaks(t *testing.T) {
	relayTest(t, func(t *testing.T, local *memConn, remote *fakeStream) {
		remote.arrive <- []byte("half an ")
		remote.breaks <- errOver
		if got := read(t, local, 8); got != "half an " {
			t.Errorf("got %q: what arrived must be delivered", got)
		}
		if _, err := local.Read(make([]byte, 1)); !errors.Is(err, errReset) {
			t.Errorf("local end: %v, want a reset", err)
		}
	})
}

func TestRelayResetsLocalWhenWritingFails(t *testing.T) {
	relayTest(t, func(t *testing.T, local *memConn, remote *fakeStream) {
		remote.writeErr = errOver
		_, _ = io.WriteString(local, "lost")
		synctest.Wait()
		close(remote.arrive) // even if the destination had finished
		if _, err := local.Read(make([]byte, 1)); !errors.Is(err, errReset) {
			t.Errorf("local end: %v, want a reset", err)
		}
	})
}

func TestQueueBoundsAndKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(100)
		pushed := make(chan struct{})
		go func() {
			defer close(pushed)
			for i := range 50 {
				if err := q.push([]byte{byte(i), byte(i), byte(i), byte(i)}); err != nil {
					t.Error(err)
				}
			}
			q.end(io.EOF)
		}()
		synctest.Wait()
		if q.size < 100 || q.size >= 104 {
			t.Errorf("holds %d bytes, want it to stop at 100", q.size)
		}
		var got []byte
		for {
			b, err := q.pop()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Error(err)
				}
				break
			}
			got = append(got, b...)
			q.recycle(b)
		}
		<-pushed
		if len(got) != 200 {
			t.Fatalf("got %d bytes, want 200", len(got))
		}
		for i, b := range got {
			if b != byte(i/4) {
				t.Fatalf("byte %d is %d, want %d", i, b, i/4)
			}
		}
	})
}

func TestQueueFailReleasesBothSides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		_ = q.push([]byte("x"))
		result := make(chan error)
		go func() { result <- q.push([]byte("y")) }()
		synctest.Wait()
		q.fail(errCut)
		if err := <-result; !errors.Is(err, errCut) {
			t.Errorf("push: %v, want %v", err, errCut)
		}
		if _, err := q.pop(); !errors.Is(err, errCut) {
			t.Errorf("pop: %v, want %v", err, errCut)
		}
	})
}
