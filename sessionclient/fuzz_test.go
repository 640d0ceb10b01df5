package sessionclient

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzInbound gives a session whatever a hostile service may send.
func FuzzInbound(f *testing.F) {
	for _, name := range []string{"transcripts.json", "malformed.json"} {
		b, err := os.ReadFile(filepath.Join("wire", "testdata", "vectors", name))
		if err != nil {
			f.Fatal(err)
		}
		var file struct {
			Cases []struct {
				Hex    string
				Events []struct{ WireHex string }
			}
		}
		if err := json.Unmarshal(b, &file); err != nil {
			f.Fatal(err)
		}
		for _, c := range file.Cases {
			add := func(s string) {
				if frame, err := hex.DecodeString(s); err == nil {
					f.Add(frame, frame)
				}
			}
			add(c.Hex)
			for _, e := range c.Events {
				add(e.WireHex)
			}
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		synctest.Test(t, func(t *testing.T) {
			client, server := newPipe(faults{}, 1)
			_ = server.Write(a)
			_ = server.Write(b)
			s, err := Dial(t.Context(), ticket, WithFirstMessageWait(time.Second),
				WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
			if err != nil {
				return
			}
			s.Resize(80, 24)
			synctest.Wait()
			_ = s.Close()
			if _, err := io.Copy(io.Discard, s); err != nil && s.ch.end.err == nil {
				t.Errorf("read: %v, but the session ended without an error", err)
			}
		})
	})
}
