package sessionclient

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// vectors reads the cases of one file of recorded behaviour.
func vectors[T any](t *testing.T, name string) []T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("wire", "testdata", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []T }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatalf("%s has no cases", name)
	}
	return file.Cases
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealAgainstVectors(t *testing.T) {
	type kase struct {
		Name, PlaintextHex, PayloadHex, PlaintextKeyHex, Error, Panic string
	}
	var key []byte
	for _, c := range vectors[kase](t, "kms.json") {
		if c.PlaintextKeyHex != "" {
			key = unhex(t, c.PlaintextKeyHex)
			continue
		}
		client, err := newSeal(key)
		if err != nil {
			t.Fatal(err)
		}
		agent, err := newSeal(append(bytes.Clone(key[32:]), key[:32]...))
		if err != nil {
			t.Fatal(err)
		}
		reader := client
		if c.Name == "client to agent" {
			reader = agent
		}
		got, err := reader.Open(unhex(t, c.PayloadHex))
		switch {
		case c.Error != "" || c.Panic != "":
			if err == nil {
				t.Errorf("%s: opened, want an error", c.Name)
			}
		case err != nil:
			t.Errorf("%s: %v", c.Name, err)
		case !bytes.Equal(got, unhex(t, c.PlaintextHex)):
			t.Errorf("%s: got %x, want %s", c.Name, got, c.PlaintextHex)
		}
	}
}

// TestHandshakeAgainstTheReferenceClient replays what the reference client was
// sent and compares the answers. The intended differences: our ClientVersion,
// status 3 for an unknown action (its status and result are swapped), and the
// wording of errors.
func TestHandshakeAgainstTheReferenceClient(t *testing.T) {
	type kase struct {
		Name  string
		Steps []struct {
			Event, InHex, Outcome string
			Sends                 json.RawMessage
		}
	}
	for _, c := range vectors[kase](t, "plugin_scenarios.json") {
		if !strings.HasPrefix(c.Name, "handshake") {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			var h handshake
			m, err := wire.Decode(unhex(t, c.Steps[0].InHex))
			if err != nil {
				t.Fatal(err)
			}
			reply, want, err := h.request(m.Payload)
			if c.Steps[0].Outcome != "" {
				if err == nil {
					t.Errorf("accepted what the reference client refuses: %s", c.Steps[0].Outcome)
				}
				return
			}
			if err != nil || want != nil {
				t.Fatalf("got key wish %v, error %v", want, err)
			}
			var sends []struct {
				PayloadType wire.PayloadType
				PayloadText string
			}
			if err := json.Unmarshal(c.Steps[0].Sends, &sends); err != nil {
				t.Fatal(err)
			}
			var theirs, ours wire.HandshakeResponse
			for _, s := range sends {
				if s.PayloadType == wire.PayloadHandshakeResponse {
					if err := json.Unmarshal([]byte(s.PayloadText), &theirs); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := json.Unmarshal(reply, &ours); err != nil {
				t.Fatal(err)
			}
			if len(ours.ProcessedClientActions) != len(theirs.ProcessedClientActions) || len(ours.Errors) != len(theirs.Errors) {
				t.Fatalf("got %s, want the shape of %+v", reply, theirs)
			}
			for i, a := range ours.ProcessedClientActions {
				b := theirs.ProcessedClientActions[i]
				if b.ActionStatus == 0 && string(b.ActionResult) == "3" {
					b.ActionStatus, b.ActionResult = wire.ActionUnsupported, json.RawMessage("null")
				}
				if a.ActionType != b.ActionType || a.ActionStatus != b.ActionStatus || (a.Error == "") != (b.Error == "") || string(a.ActionResult) != string(b.ActionResult) {
					t.Errorf("action %d: got %+v, want %+v", i, a, b)
				}
			}
			again, _, err := h.request(m.Payload)
			if again != nil || err != nil {
				t.Error("a second request was answered")
			}
			m, err = wire.Decode(unhex(t, c.Steps[1].InHex))
			if err != nil {
				t.Fatal(err)
			}
			if changed, err := h.complete(m.Payload); !changed || err != nil || h.state != open {
				t.Errorf("not open after HandshakeComplete: %v", err)
			}
		})
	}
}

// TestTranscripts feeds the agent's side of recorded conversations to the client
// and checks that everything is delivered once and every message acknowledged.
func TestTranscripts(t *testing.T) {
	type kase struct {
		Name   string
		Events []struct{ Dir, WireHex string }
	}
	for _, c := range vectors[kase](t, "transcripts.json") {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newPipe(faults{}, 1)
				var want bytes.Buffer
				numbers := map[int64]int{}
				for _, e := range c.Events {
					if e.Dir != "agent>client" {
						continue
					}
					frame := unhex(t, e.WireHex)
					m, err := wire.Decode(frame)
					if err != nil {
						t.Fatal(err)
					}
					if m.Type == wire.Acknowledge {
						continue // of messages this client has not sent
					}
					if m.Type == wire.OutputStreamData {
						if numbers[m.Seq]++; numbers[m.Seq] == 1 && m.PayloadType == wire.PayloadOutput {
							want.Write(m.Payload)
						}
					}
					_ = server.Write(frame)
				}
				s, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
				if err != nil {
					t.Fatal(err)
				}
				got := make([]byte, want.Len())
				if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, want.Bytes()) {
					t.Errorf("delivered %q, %v; want %q", got, err, want.Bytes())
				}
				synctest.Wait()
				_ = s.Close()
				acks, responses := map[int64]int{}, map[int64]bool{}
				for len(server.in) > 0 {
					m, err := wire.Decode(<-server.in)
					if err != nil {
						t.Fatal(err)
					}
					if m.PayloadType == wire.PayloadHandshakeResponse {
						responses[m.Seq] = true
					}
					if a, err := wire.ParseAck(m.Payload); err == nil && m.Type == wire.Acknowledge {
						acks[a.Seq]++
					}
				}
				for seq, n := range numbers {
					if acks[seq] != n {
						t.Errorf("message %d came %d times and was acknowledged %d times", seq, n, acks[seq])
					}
				}
				if len(responses) > 1 {
					t.Errorf("%d handshake responses", len(responses))
				}
			})
		})
	}
}
