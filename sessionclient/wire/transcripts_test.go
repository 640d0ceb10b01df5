package wire_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// testAgentSending plays an agent's output with acknowledgements and pauses. The
// stream knows no pause, so it sends at once what the agent keeps back.
func testAgentSending(t *testing.T, sc scenario) {
	t.Helper()
	snd, now := reliable.NewSender(reliable.Window{}), time.Unix(0, 0)
	for _, st := range sc.Steps {
		var text string
		switch st.Event {
		case "send 'one'":
			text = "one"
		case "send 'two' while paused":
			text = "two"
		case "send 'three'":
			text = "three"
		default:
			in, err := hex.DecodeString(st.InHex)
			if err != nil || len(in) == 0 {
				t.Fatalf("%s: no test for this step: %v", st.Event, err)
			}
			m, err := wire.Parse(in)
			if err != nil {
				t.Fatal(err)
			}
			if m.Type == wire.Acknowledge {
				a, err := wire.ParseAck(m.Payload)
				if err != nil {
					t.Fatal(err)
				}
				snd.Acked(now, a.Seq)
			}
		}
		if text != "" {
			sendOutput(t, snd, now, st, text)
		}
		if n, _ := snd.InFlight(); n != st.UnacknowledgedAfter {
			t.Errorf("%s: %d unacknowledged, want %d", st.Event, n, st.UnacknowledgedAfter)
		}
	}
}

func sendOutput(t *testing.T, snd *reliable.Sender, now time.Time, st step, text string) {
	t.Helper()
	m := wire.Message{Type: wire.OutputStreamData, Created: 1, Seq: snd.NextSeq(), PayloadType: wire.PayloadOutput, Payload: []byte(text)}
	if m.Seq == 0 {
		m.Flags = wire.FlagSyn
	}
	b, err := wire.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	snd.Push(b)
	frame, ok := snd.Next(now)
	if !ok {
		t.Fatalf("%s: nothing to send", st.Event)
	}
	if text == "two" { // the agent is paused
		if len(st.Sends) != 0 {
			t.Errorf("%s: the recording has %v", st.Event, st.Sends)
		}
		return
	}
	got, err := wire.Decode(frame)
	want := st.Sends[0]
	if err != nil || got.Seq != want.SequenceNumber || got.Flags != want.Flags || string(got.Payload) != want.PayloadText || got.PayloadType != want.PayloadType {
		t.Errorf("%s: sent %+v, %v, want %+v", st.Event, got, err, want)
	}
}

// testAgentHandshake reads and writes the documents of a recorded handshake.
func testAgentHandshake(t *testing.T, sc scenario) {
	t.Helper()
	again := func(what, doc string, v any) {
		t.Helper()
		if err := wire.Unmarshal(what, []byte(doc), v); err != nil {
			t.Fatal(err)
		}
		if got := string(wire.Marshal(v)); got != doc {
			t.Errorf("%s is\n%s, want\n%s", what, got, doc)
		}
	}
	for _, st := range sc.Steps {
		for _, m := range st.Sends {
			switch m.PayloadType {
			case wire.PayloadHandshakeRequest:
				again("request", m.PayloadText, new(wire.HandshakeRequest))
			case wire.PayloadEncChallengeRequest:
				again("challenge", m.PayloadText, new(wire.EncryptionChallenge))
			case wire.PayloadHandshakeComplete:
				again("complete", m.PayloadText, new(wire.HandshakeComplete))
			}
		}
		switch {
		case st.PayloadJSON == "":
		case st.PayloadJSON == "nope":
			if wire.Unmarshal("response", []byte(st.PayloadJSON), new(wire.HandshakeResponse)) == nil {
				t.Error("a response that is not JSON was accepted")
			}
		case st.Event == "client EncChallengeResponse":
			again("challenge", st.PayloadJSON, new(wire.EncryptionChallenge))
		default:
			var r wire.HandshakeResponse
			again("response", st.PayloadJSON, &r)
			for _, a := range r.ProcessedClientActions {
				var k wire.KMSEncryptionResponse
				if a.ActionType != wire.ActionKMSEncryption {
					continue
				}
				if err := wire.Unmarshal("result", a.ActionResult, &k); err != nil || string(k.KMSCipherTextKey) != "blob" {
					t.Errorf("result %s: %+v, %v", a.ActionResult, k, err)
				}
			}
		}
	}
}

func TestTranscriptsReplay(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "vectors", "transcripts.json"))
	if err != nil {
		t.Fatal(err)
	}
	type event struct {
		Dir     string
		WireHex string
		Fields  struct {
			MessageType    wire.MessageType
			SequenceNumber int64
			Flags          uint64
			MessageID      string `json:"MessageId"`
			PayloadType    wire.PayloadType
			PayloadLength  int
			PayloadText    string
		}
	}
	var file struct {
		Cases []struct {
			Name   string
			Events []event
		} `json:"cases"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 4 {
		t.Fatalf("%d conversations, want 4", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			client := newSide(wire.OutputStreamData, wire.Decode)
			agent := newSide(wire.InputStreamData, wire.Parse)
			ours, theirs, seen := map[string]int{}, map[string]int{}, map[string]bool{}
			for i, e := range c.Events {
				in, err := hex.DecodeString(e.WireHex)
				if err != nil {
					t.Fatal(err)
				}
				m, err := wire.Decode(in)
				f := e.Fields
				if err != nil || m.Type != f.MessageType || m.Seq != f.SequenceNumber || m.Flags != f.Flags || m.ID.String() != f.MessageID ||
					m.PayloadType != f.PayloadType || len(m.Payload) != f.PayloadLength || f.PayloadText != "" && string(m.Payload) != f.PayloadText {
					t.Fatalf("event %d: decoded %+v, %v, want %+v", i, m, err, f)
				}
				if again, err := wire.Append(nil, &m); err != nil || hex.EncodeToString(again) != e.WireHex {
					t.Errorf("event %d: encoded %x, %v", i, again, err)
				}
				to := client
				if e.Dir == "client>agent" {
					to = agent
				}
				if m.Type == wire.Acknowledge {
					theirs[e.Dir+string(m.Payload)]++
					continue
				}
				acks, delivered := to.receive(t, in)
				for _, a := range acks {
					if e.Dir == "client>agent" {
						ours["agent>client"+a]++
					} else {
						ours["client>agent"+a]++
					}
				}
				first := m.Type == to.incoming && !seen[e.Dir+m.ID.String()]
				seen[e.Dir+m.ID.String()] = true
				if first != (len(delivered) == 1) {
					t.Errorf("event %d: delivered %q of message %d, seen for the first time: %v", i, delivered, m.Seq, first)
				}
			}
			// The same acknowledgements by content, if not as often: the plugin leaves
			// duplicates unanswered, the agent answers them, and so do we.
			for a := range theirs {
				if ours[a] == 0 {
					t.Errorf("they acknowledge %s, we do not", a)
				}
			}
			for a := range ours {
				if theirs[a] == 0 {
					t.Errorf("we acknowledge %s, they do not", a)
				}
			}
			if len(ours) < 6 {
				t.Errorf("only %d acknowledgements in this conversation", len(ours))
			}
		})
	}
}
