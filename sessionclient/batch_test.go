package sessionclient

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// TestEveryMessageOfABurstCounts: whatever is taken from the reader is handled,
// however much is waiting.
func TestEveryMessageOfABurstCounts(t *testing.T) {
	for _, burst := range []int{batchFrames - 1, batchFrames, batchFrames + 1, 10 * batchFrames} {
		synctest.Test(t, func(t *testing.T) {
			client, server := newPipe(faults{}, 1)
			for seq := range burst {
				_ = server.Write(numbered(t, int64(seq), wire.PayloadOutput, []byte("x")))
			}
			s, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := s.Stats().ReceivedBytes; got != int64(burst) {
				t.Errorf("%d of %d messages were handled", got, burst)
			}
			if got := len(server.in); got != burst {
				t.Errorf("%d acknowledgements for %d messages", got, burst)
			}
			s.Abort()
		})
	}
}
