package sessionclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

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
