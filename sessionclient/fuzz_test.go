package sessionclient

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
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

// FuzzConversation plays agents that speak the dialect and break its rules: each
// five bytes of the program are one message. Whatever it says, the application
// gets what came in order, once.
func FuzzConversation(f *testing.F) {
	f.Add([]byte{1, 0, 5, 0, 0, 1, 1, 7, 0, 0, 1, 2, 1, 'a', 3, 3, 0, 0, 0, 0})
	f.Add([]byte{1, 1, 1, 'b', 2, 1, 0, 1, 'a', 2, 1, 1, 1, 'x', 2, 3, 0, 0, 0, 0})
	f.Add([]byte{1, 0, 5, 1, 0, 1, 1, 8, 0, 0, 1, 2, 7, 0, 0, 1, 3, 1, 'a', 1, 3, 0, 0, 0, 0})
	f.Add([]byte{2, 0, 0, 0, 0, 2, 1, 0, 0, 0, 4, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0, 12, '7', 1, 3, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, program []byte) {
		synctest.Test(t, func(t *testing.T) {
			client, server := newPipe(faults{}, 1)
			first := map[int64]item{}
			for p := program[:min(len(program), 5*512)]; len(p) >= 5; p = p[5:] {
				frame, it, seq := say(t, p[:5])
				if _, had := first[seq]; it != nil && !had {
					first[seq] = *it
				}
				_ = server.Write(frame)
				if p[0]%6 == 3 { // the end
					break
				}
			}
			var want []byte
			for seq := int64(0); first[seq].payload != nil; seq++ {
				if it := first[seq]; it.typ == wire.PayloadOutput {
					want = append(want, it.payload...)
				}
			}
			s, err := Dial(t.Context(), ticket, WithFirstMessageWait(time.Minute), WithKeys(keySource(
				func(string, map[string]string) ([]byte, []byte, error) { return make([]byte, 64), []byte("s"), nil }), "i-1"),
				WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
			if err != nil {
				return
			}
			_, _ = s.Write([]byte("input"))
			synctest.Wait()
			_ = s.Close()
			got, err := io.ReadAll(s)
			exit, _ := s.Wait()
			if !bytes.HasPrefix(want, got) {
				t.Errorf("read %q, want the beginning of %q", got, want)
			}
			if err == nil && !exit.Closed && len(got) < len(want) {
				t.Errorf("read %q and then a good end, want %q", got, want)
			}
		})
	})
}

// say makes a message of five bytes of a program: kind, number, payload type,
// text, repetitions.
func say(t *testing.T, p []byte) (frame []byte, it *item, seq int64) {
	m := wire.Message{Created: 1}
	switch p[0] % 6 {
	case 0, 1:
		m.Type, m.Seq, m.PayloadType = wire.OutputStreamData, int64(p[1]%64), wire.PayloadType(p[2]%14)
		m.Payload = bytes.Repeat(p[3:4], 1+int(p[4]))
		switch m.PayloadType {
		case wire.PayloadHandshakeRequest:
			m.Payload = request("3.3.1142.0", wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.StandardStream})
			if p[3]%2 == 1 {
				m.Payload = request("3.3.1142.0", wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "k"})
			}
		case wire.PayloadHandshakeComplete:
			m.Payload = []byte("{}")
		}
		it = &item{m.PayloadType, m.Payload}
	case 2:
		m.Type = wire.Acknowledge
		m.Payload = wire.AppendAck(nil, wire.Ack{MessageType: wire.InputStreamData, Seq: int64(p[1])})
	case 3:
		m.Type, m.Payload = wire.ChannelClosed, wire.Marshal(wire.Closed{})
	case 4:
		m.Type, m.Payload = wire.StartPublication, p[1:2]
	case 5:
		m.Type, m.Payload = wire.PausePublication, p[1:2]
	}
	frame, err := wire.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	return frame, it, m.Seq
}
