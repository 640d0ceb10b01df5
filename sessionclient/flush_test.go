package sessionclient

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestFlushWaitsForTheAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := narrowWorld(t, 1<<20, nil)
		if err := s.Flush(t.Context()); err != nil {
			t.Errorf("with nothing written: %v", err)
		}
		_, _ = s.Write([]byte("x"))
		begin := time.Now()
		if err := s.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d != 20*time.Millisecond {
			t.Errorf("it took %s, want a round trip", d)
		}
		_ = s.Close()
	})
}

func TestFlushEndsWithTheSessionOrItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := narrowWorld(t, 4096, func(*pipeEnd, []byte) ([]byte, error) { return nil, nil })
		s.SetPayloadSize(8192)
		_, _ = s.Write(make([]byte, 8192)) // never arrives
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.AfterFunc(time.Second, s.Abort)
		if err := s.Flush(t.Context()); err == nil {
			t.Error("a session that ended did not flush")
		}
	})
}
