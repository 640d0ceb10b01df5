package agent

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// scenario is one case of agent_scenarios.json: what the real agent does, message
// by message.
type scenario struct {
	Name             string            `json:"name"`
	HandshakeState   string            `json:"handshakeState"`
	PerformHandshake string            `json:"performHandshakeResult"`
	DecryptContext   map[string]string `json:"decryptEncryptionContext"`
	Steps            []scenarioStep    `json:"steps"`
}

type scenarioStep struct {
	Event       string   `json:"event"`
	InHex       string   `json:"inHex"`
	Outcome     string   `json:"outcome"`
	PayloadJSON string   `json:"payloadJson"`
	Delivers    []string `json:"delivers"`
	Expected    *int64   `json:"expectedSequenceNumberAfter"`
	Unacked     *int     `json:"unacknowledgedAfter"`
	Buffered    *int     `json:"bufferedAfter"`
	Paused      *bool    `json:"pausedAfter"`
	Canceled    *bool    `json:"cancelFlagCanceled"`
	Sends       []scenarioSend
}

type scenarioSend struct {
	MessageType    string
	Flags          uint64
	PayloadText    string
	PayloadType    uint32
	SequenceNumber int64
}

// intended are the differences from the real agent that we want.
var intended = map[string]string{
	"publication control/acknowledge seq 0":                "what was held back by a pause goes out at once",
	"publication control/start_publication":                "what may have been sent to nobody is sent again at once",
	"HandshakeResponse nobody waits for/HandshakeResponse": "acknowledged and ignored instead of blocking the reader",
}

// fakeHandler records what it is given.
type fakeHandler struct {
	unready bool
	got     []string
}

func (h *fakeHandler) input(t wire.PayloadType, payload []byte) verdict {
	if h.unready {
		return notReady
	}
	h.got = append(h.got, fmt.Sprintf("pt=%d %q", t, payload))
	return taken
}
func (h *fakeHandler) room() <-chan struct{}          { return nil }
func (h *fakeHandler) run(ctx context.Context) Result { <-ctx.Done(); return Result{} }

// TestScenarios replays the message-by-message behaviour of the real agent.
func TestScenarios(t *testing.T) {
	var file struct{ Cases []scenario }
	readJSON(t, "agent_scenarios.json", &file)
	if len(file.Cases) != 20 {
		t.Fatalf("%d cases, want 20", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			if strings.HasPrefix(c.Name, "handshake:") {
				replayHandshake(t, &c)
			} else {
				replayMessages(t, &c)
			}
		})
	}
}

// replayMessages feeds a worker, whose loop does not run, one message at a time.
func replayMessages(t *testing.T, c *scenario) {
	p := newPeer(t)
	w := newWorker(t.Context(), Config{Spec: spec("Standard_Stream", "null"), Node: node(), Dial: p.dial})
	defer w.timer.Stop()
	w.conn = p.conn
	h := &fakeHandler{unready: strings.HasPrefix(c.Name, "handler not ready")}
	w.h = h
	if c.HandshakeState == "skipped" {
		w.hs.stage = stageOpen
	}
	if c.Name == "HandshakeResponse nobody waits for" {
		replayHang(t, c)
	}
	for _, step := range c.Steps {
		h.got = nil
		now := time.Now()
		switch text, isSend := strings.CutPrefix(step.Event, "send "); {
		case step.InHex != "":
			w.conn.In.Push(unhex(t, step.InHex))
			w.receive(now)
		case isSend:
			text, _, _ = strings.Cut(strings.Trim(text, "'"), "'")
			if text == "empty" {
				text = ""
			}
			w.ch.write(now, wire.PayloadOutput, []byte(text))
		case step.Event == "handler becomes ready":
			h.unready = false
		case step.Event == "SkipHandshake":
			w.hs.stage = stageOpen
		default:
			t.Fatalf("unknown event %q", step.Event)
		}
		w.ch.flush(now, w.congested)
		sent, _ := p.conn.Out.Take(nil)
		if why := intended[c.Name+"/"+step.Event]; why != "" {
			t.Log("intended difference:", why)
			continue
		}
		if diff := diff(step.Sends, sends(t, sent)); diff != "" {
			t.Errorf("%s: sends (-real +ours):\n%s", step.Event, diff)
		}
		checkState(t, w, h, &step)
	}
}

// checkState compares the state of the channel where the vector tells it.
func checkState(t *testing.T, w *worker, h *fakeHandler, step *scenarioStep) {
	t.Helper()
	if step.Expected == nil {
		return
	}
	if diff := diff(append([]string{}, step.Delivers...), append([]string{}, h.got...)); diff != "" {
		t.Errorf("%s: delivers (-real +ours):\n%s", step.Event, diff)
	}
	if w.ch.handled != *step.Expected {
		t.Errorf("%s: next expected is %d, want %d", step.Event, w.ch.handled, *step.Expected)
	}
	if n, _ := w.ch.send.InFlight(); n != *step.Unacked {
		t.Errorf("%s: %d unacknowledged, want %d", step.Event, n, *step.Unacked)
	}
	if n, _ := w.ch.recv.Held(); n != *step.Buffered {
		t.Errorf("%s: %d buffered, want %d", step.Event, n, *step.Buffered)
	}
	if w.ch.paused != *step.Paused {
		t.Errorf("%s: paused is %v, want %v", step.Event, w.ch.paused, *step.Paused)
	}
	if w.closed != *step.Canceled {
		t.Errorf("%s: cancelled is %v, want %v", step.Event, w.closed, *step.Canceled)
	}
}

// replayHang checks that the real agent's blocked reader can be had as well.
func replayHang(t *testing.T, c *scenario) {
	p := newPeer(t)
	w := newWorker(t.Context(), Config{
		Spec: spec("Standard_Stream", "null"), Node: node(), Dial: p.dial, Options: Options{HangOnSecondResponse: true},
	})
	defer w.timer.Stop()
	w.conn, w.h, w.hs.stage = p.conn, &fakeHandler{}, stageOpen
	w.conn.In.Push(unhex(t, c.Steps[0].InHex))
	w.receive(time.Now())
	if sent, _ := p.conn.Out.Take(nil); len(sent) != 0 || w.inbound() != nil {
		t.Errorf("sent %d messages and goes on reading: %v; want a reader that hangs", len(sent), w.inbound() != nil)
	}
}

// replayHandshake lets an agent run and answers it as the case says. Only
// sessions that always have a handshake have one here, so the session is a
// command, which ends at once.
func replayHandshake(t *testing.T, c *scenario) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		s := spec("NonInteractiveCommands", `{"linux":{"commands":"true"}}`)
		n := node()
		if strings.Contains(c.Name, "KMS") {
			s.KMSKeyID = "key-1"
			n.AgentVersion = "3.3.808.0" // the build that was observed says 3.3.0.0 and is newer
		}
		n.Machine = &machine{run: func(context.Context, shell.Command, shell.IO) (int, error) { return 0, nil }}
		k := &keys{plain: unhex(t, strings.Repeat("00112233445566778899aabbccddeeff", 4))}
		done := make(chan Result, 1)
		go func() { done <- Run(t.Context(), Config{Spec: s, Node: n, Keys: k, Dial: p.dial}) }()
		for _, step := range c.Steps {
			if step.PayloadJSON != "" {
				p.send(clientPayload(t, p, k, c, &step))
			}
			synctest.Wait()
			sent, _ := p.conn.Out.Take(nil)
			for _, raw := range sent {
				if m, err := wire.Decode(raw); err == nil {
					p.take(&m)
				}
			}
			if diff := diff(normalized(step.Sends), normalized(sends(t, sent))); diff != "" {
				t.Errorf("%s: sends (-real +ours):\n%s", step.Event, diff)
			}
		}
		want := strings.TrimSuffix(c.PerformHandshake, "<nil>")
		if strings.HasPrefix(want, "still waiting") {
			want = textTimeout
		}
		if got := strings.TrimPrefix((<-done).Output, textHandshake); got != want {
			t.Errorf("handshake ended with %q, want %q", got, want)
		}
		if c.DecryptContext != nil {
			if _, random := c.DecryptContext["aws:ssm:RandomChallenge"]; random {
				c.DecryptContext["aws:ssm:RandomChallenge"] = k.context["aws:ssm:RandomChallenge"]
				if len(k.context["aws:ssm:RandomChallenge"]) != 24 { // base64 of 16 bytes
					t.Errorf("random challenge %q is not 16 bytes in base64", k.context["aws:ssm:RandomChallenge"])
				}
			}
			if diff := diff(c.DecryptContext, k.context); diff != "" {
				t.Errorf("encryption context (-real +ours):\n%s", diff)
			}
		}
	})
}

// clientPayload is what the client answers in a step. The answer to the
// encryption challenge depends on the challenge.
func clientPayload(t *testing.T, p *peer, k *keys, c *scenario, step *scenarioStep) (wire.PayloadType, []byte) {
	t.Helper()
	if step.Event == "client HandshakeResponse" {
		return wire.PayloadHandshakeResponse, []byte(step.PayloadJSON)
	}
	var challenge wire.EncryptionChallenge
	if err := json.Unmarshal(p.last.Payload, &challenge); err != nil {
		t.Fatal(err)
	}
	client := clientSealer(t, k.plain)
	plain, err := client.open(challenge.Challenge)
	if err != nil || len(plain) != 64 {
		t.Fatalf("challenge decrypts to %d bytes, %v; want 64", len(plain), err)
	}
	if strings.Contains(c.Name, "wrong") {
		plain[0] ^= 1
	}
	return wire.PayloadEncChallengeResponse, wire.Marshal(wire.EncryptionChallenge{Challenge: client.seal(plain)})
}

// clientSealer is the client's half of the encryption: the halves of the key the
// other way round.
func clientSealer(t *testing.T, key []byte) *sealer {
	t.Helper()
	swapped := append(append([]byte(nil), key[dataKeySize/2:]...), key[:dataKeySize/2]...)
	s, err := newSealer(swapped)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sends decodes what the agent sent, without what only the service sees.
func sends(t *testing.T, raw [][]byte) []scenarioSend {
	t.Helper()
	var list []scenarioSend
	for _, b := range raw {
		m, err := wire.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == wire.AgentSessionState {
			continue
		}
		list = append(list, scenarioSend{string(m.Type), m.Flags, string(m.Payload), uint32(m.PayloadType), m.Seq})
	}
	return list
}

// normalized takes out what is fresh on each run.
func normalized(list []scenarioSend) []scenarioSend {
	fresh := regexp.MustCompile(`("AcknowledgedMessageId":|"Challenge":|"HandshakeTimeToComplete":)("[^"]*"|\d+)`)
	out := append([]scenarioSend(nil), list...)
	for i := range out {
		text := fresh.ReplaceAllString(strings.Replace(out[i].PayloadText, "3.3.808.0", "3.3.0.0", 1), "$1*")
		out[i].PayloadText = strings.Replace(text, `"Standard_Stream"`, `"NonInteractiveCommands"`, 1)
	}
	return out
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
