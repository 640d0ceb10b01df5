package sessionclient

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestMemoryIsConstant moves much more than may be held, both ways, over a real
// socket and watches the heap.
func TestMemoryIsConstant(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 256 MiB each way")
	}
	const most = 64 << 20
	total := 256 << 20
	if raceEnabled {
		total = 32 << 20
	}
	watch := func(t *testing.T, move func()) {
		runtime.GC() // else the heap grows to twice what other tests have left behind
		var peak atomic.Uint64
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			var m runtime.MemStats
			for ticker := time.NewTicker(20 * time.Millisecond); ; {
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapAlloc))
				select {
				case <-ticker.C:
				case <-stop:
					ticker.Stop()
					return
				}
			}
		}()
		move()
		close(stop)
		<-stopped
		t.Logf("peak of the heap: %.1f MiB", float64(peak.Load())/(1<<20))
		if peak.Load() > most {
			t.Errorf("the heap grew to %d MiB, want at most %d", peak.Load()>>20, most>>20)
		}
	}
	t.Run("upload", func(t *testing.T) {
		got, done := 0, make(chan struct{})
		s, _ := dialFast(t, func(_ *fastPeer, p []byte) {
			if got += len(p); got == total {
				close(done)
			}
		})
		watch(t, func() {
			block := make([]byte, 1<<20)
			for range total / len(block) {
				if _, err := s.Write(block); err != nil {
					t.Fatal(err)
				}
			}
			<-done
		})
	})
	t.Run("download", func(t *testing.T) {
		s, p := dialFast(t, nil)
		watch(t, func() {
			go func() {
				payload := make([]byte, 1<<10)
				for range total / len(payload) {
					p.send(payload)
				}
				_ = p.flush()
			}()
			for n := 0; n < total; {
				c, err := s.Next()
				if err != nil {
					t.Fatal(err)
				}
				n += len(c.Data)
			}
		})
	})
}
