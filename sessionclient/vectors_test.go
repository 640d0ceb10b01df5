package sessionclient

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

func TestSealRoundTrip(t *testing.T) {
	key := make([]byte, 64)
	key[40] = 1
	client, _ := newSeal(key)
	agent, _ := newSeal(append(bytes.Clone(key[32:]), key[:32]...))
	a, err := client.Seal([]byte("ls\r"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := client.Seal([]byte("ls\r"))
	if bytes.Equal(a[:nonceSize], b[:nonceSize]) {
		t.Error("a nonce was used twice")
	}
	if got, err := agent.Open(a); err != nil || string(got) != "ls\r" {
		t.Errorf("got %q, %v", got, err)
	}
	client.sealed = maxSealed
	if _, err := client.Seal([]byte("x")); err == nil {
		t.Error("sealed beyond the limit of one key")
	}
	if _, err := newSeal(key[:63]); err == nil {
		t.Error("accepted a key of 63 bytes")
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

func TestHandshakeWithKMS(t *testing.T) {
	key := make([]byte, 64)
	for i := range key {
		key[i] = byte(i)
	}
	agentSeal, _ := newSeal(append(bytes.Clone(key[32:]), key[:32]...))
	tests := []struct {
		name, challenge string
		wantResult      string
	}{
		{"an agent with a challenge", "AAECAwQFBgcICQoLDA0ODw==", `{"KMSCipherTextKey":"c2VhbGVk","KMSCipherTextHash":null,"ChallengeAcknowledgement":true}`},
		{"an agent without", "", `{"KMSCipherTextKey":"c2VhbGVk","KMSCipherTextHash":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h handshake
			_, want, err := h.request(request("3.3.1142.0",
				wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.StandardStream},
				wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "arn:k", Challenge: tt.challenge}))
			if err != nil || want == nil || want.keyID != "arn:k" || want.challenge != tt.challenge {
				t.Fatalf("got wish %+v, %v", want, err)
			}
			var resp wire.HandshakeResponse
			reply, err := h.key(bytes.Clone(key), []byte("sealed"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(reply, &resp); err != nil {
				t.Fatal(err)
			}
			if got := string(resp.ProcessedClientActions[1].ActionResult); got != tt.wantResult {
				t.Errorf("result %s, want %s", got, tt.wantResult)
			}
			proof := []byte("64 random bytes, more or less")
			sealed, _ := agentSeal.Seal(proof)
			reply, err = h.challenge(wire.Marshal(wire.EncryptionChallenge{Challenge: sealed}))
			if err != nil {
				t.Fatal(err)
			}
			var answer wire.EncryptionChallenge
			if err := json.Unmarshal(reply, &answer); err != nil {
				t.Fatal(err)
			}
			if got, err := agentSeal.Open(answer.Challenge); err != nil || !bytes.Equal(got, proof) {
				t.Errorf("the agent reads %q, %v", got, err)
			}
		})
	}
	t.Run("no key", func(t *testing.T) {
		var h handshake
		_, _, _ = h.request(request("3.3.1142.0", wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "k"}))
		var resp wire.HandshakeResponse
		reply, err := h.key(nil, nil, errors.New("denied"))
		if err == nil {
			t.Error("no reason")
		}
		if err := json.Unmarshal(reply, &resp); err != nil {
			t.Fatal(err)
		}
		if a := resp.ProcessedClientActions[0]; a.ActionStatus != wire.ActionFailed || a.Error != "denied" || len(resp.Errors) != 1 {
			t.Errorf("got %+v, errors %v", a, resp.Errors)
		}
	})
}

type keySource func(keyID string, encContext map[string]string) ([]byte, []byte, error)

func (k keySource) DataKey(_ context.Context, keyID string, encContext map[string]string) ([]byte, []byte, error) {
	return k(keyID, encContext)
}

func TestEncryptedShell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := make([]byte, 64)
		key[1], key[33] = 1, 2
		agentSeal, _ := newSeal(append(bytes.Clone(key[32:]), key[:32]...))
		var got [][]byte
		w := &world{t: t}
		w.agent = newAgent(t, func(a *agent, typ wire.PayloadType, payload []byte) {
			switch typ {
			case wire.PayloadHandshakeResponse:
				c, _ := agentSeal.Seal([]byte("proof"))
				a.send(wire.PayloadEncChallengeRequest, wire.Marshal(wire.EncryptionChallenge{Challenge: c}))
			case wire.PayloadEncChallengeResponse:
				a.send(wire.PayloadHandshakeComplete, []byte(`{"CustomerMessage":"This session is encrypted using AWS KMS."}`))
				c, _ := agentSeal.Seal([]byte("$ "))
				a.send(wire.PayloadOutput, c)
			case wire.PayloadOutput:
				got = append(got, payload)
			}
		})
		w.agent.do(func() {
			w.agent.send(wire.PayloadHandshakeRequest, request("3.3.1142.0",
				wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.StandardStream},
				wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "arn:k", Challenge: "xyz"}))
		})
		keys := keySource(func(keyID string, c map[string]string) ([]byte, []byte, error) {
			time.Sleep(3 * time.Second) // KMS is slow today; the agent must not notice
			if keyID != "arn:k" || c["aws:ssm:SessionId"] != ticket.SessionID || c["aws:ssm:TargetId"] != "i-1" || c["aws:ssm:RandomChallenge"] != "xyz" || len(c) != 3 {
				t.Errorf("key %s in context %v", keyID, c)
			}
			return bytes.Clone(key), []byte("sealed"), nil
		})
		s, err := Dial(t.Context(), ticket, w.options(WithKeys(keys, "i-1"))...)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Info().Encrypted {
			t.Error("not marked as encrypted")
		}
		prompt := make([]byte, 2)
		if _, err := io.ReadFull(s, prompt); err != nil || string(prompt) != "$ " {
			t.Errorf("read %q, %v", prompt, err)
		}
		_, _ = s.Write([]byte("secret"))
		synctest.Wait()
		w.agent.mu.Lock()
		if len(got) != 1 || bytes.Contains(got[0], []byte("secret")) {
			t.Errorf("the agent got %q, want one sealed payload", got)
		} else if plain, err := agentSeal.Open(got[0]); err != nil || string(plain) != "secret" {
			t.Errorf("opened %q, %v", plain, err)
		}
		w.agent.mu.Unlock()
		_ = s.Close()
	})
}

func TestDeniedKeyIsTheReasonShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.agent = newAgent(t, func(a *agent, typ wire.PayloadType, _ []byte) {
			time.AfterFunc(time.Millisecond, func() {
				a.closeChannel("KMSEncryption failed on client with status 2 error: denied")
			})
		})
		w.agent.do(func() {
			w.agent.send(wire.PayloadHandshakeRequest, request("3.3.1142.0", wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "k"}))
		})
		denied := errors.New("kms:GenerateDataKey is not allowed")
		_, err := Dial(t.Context(), ticket, w.options(WithKeys(keySource(
			func(string, map[string]string) ([]byte, []byte, error) { return nil, nil, denied }), "i-1"))...)
		if !errors.Is(err, denied) {
			t.Errorf("got %v, want our own reason", err)
		}
	})
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
