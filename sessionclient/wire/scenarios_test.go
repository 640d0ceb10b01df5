package wire_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// The scenarios record, message by message, what the reference programs do. Here
// the codec and the reliable stream are put in their place; what belongs to the
// layers above (handshake replies, ready gates) is tested there.

type scenario struct {
	Name  string
	Steps []step
}

type step struct {
	Event                       string
	InHex                       string
	ArgHex                      string
	PayloadHexOnWire            string
	PayloadJSON                 string `json:"payloadJson"`
	SendsText                   string
	Sends                       outgoing
	Delivers                    []string
	BufferedAfter               int
	ExpectedSequenceNumberAfter int64
	UnacknowledgedAfter         int
}

// outgoing is what a program sent: a list, or one message by itself.
type outgoing []sent

type sent struct {
	MessageType    wire.MessageType
	SequenceNumber int64
	Flags          uint64
	PayloadType    wire.PayloadType
	PayloadText    string
}

func (o *outgoing) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*o = make(outgoing, 1)
		return json.Unmarshal(b, &(*o)[0])
	}
	return json.Unmarshal(b, (*[]sent)(o))
}

// difference is what we do otherwise than a reference program at one step.
type difference struct{ why, got string }

// pluginDifferences are the intended ones, by case and event.
var pluginDifferences = map[string]difference{
	"duplicate of an already processed message/seq 0 again": {
		"a lost acknowledgement must be repairable from this side", "acks 0, delivers nothing, expects 1",
	},
	"handler not ready/seq 0": {
		"the delivery queue is always ready; it waits for its reader", "acks 0, delivers 1:a, expects 1",
	},
	"handler not ready/seq 0 resent": {"had before", "acks 0, delivers nothing, expects 1"},
	"handshake: body is not JSON/HandshakeRequest": {
		"what was acknowledged was received, whatever it holds", "acks 0, delivers 5:nope, expects 1",
	},
	"handshake: body is not JSON/HandshakeComplete": {
		"so its successor is not stuck behind it", `acks 1, delivers 7:{"HandshakeTimeToComplete":123456789,"CustomerMessage":""}, expects 2`,
	},
}

// agentDifferences are those of the stream alone. An agent that shall behave
// like the real one does these things above the stream, as the real one does.
var agentDifferences = map[string]difference{
	"handler not ready/seq 0": {
		"the stream has no handler: whoever owns it asks first", "acks 0, delivers 1:a, expects 1",
	},
	"handler not ready/seq 0 resent": {"had before", "acks 0, delivers nothing, expects 1"},
	"handler not ready while a later message is buffered/seq 0": {
		"the stream has no handler: whoever owns it asks first", "acks 0, delivers 1:a 1:b, expects 2",
	},
	"handler not ready while a later message is buffered/seq 0 resent": {"had before", "acks 0, delivers nothing, expects 2"},
	"input before the handshake is skipped or complete/seq 0": {
		"throwing early input away is the agent's, above the stream", "acks 0, delivers 1:lost, expects 1",
	},
	"HandshakeResponse nobody waits for/HandshakeResponse": {
		"no reader of ours blocks", `acks 0, delivers 6:` + nobodysResponse + `, expects 1`,
	},
}

const nobodysResponse = `{"ClientVersion":"1.2.677.0","ProcessedClientActions":[],"Errors":null}`

// side is one end made of codec and stream.
type side struct {
	incoming wire.MessageType
	decode   func([]byte) (wire.Message, error)
	rcv      *reliable.Receiver[wire.Message]
}

func newSide(incoming wire.MessageType, decode func([]byte) (wire.Message, error)) *side {
	return &side{incoming, decode, reliable.NewReceiver[wire.Message](reliable.Limits{})}
}

// receive takes one message and tells what comes of it: acknowledgements and
// deliveries.
func (s *side) receive(t *testing.T, in []byte) (acks, delivers []string) {
	t.Helper()
	m, err := s.decode(in)
	if err != nil {
		if !errors.Is(err, wire.ErrDigest) {
			t.Errorf("the scenario holds a message that does not decode: %v", err)
		}
		return nil, nil
	}
	if m.Type != s.incoming {
		return nil, nil
	}
	if s.rcv.Receive(m.Seq, len(m.Payload), m) {
		acks = append(acks, string(wire.AppendAck(nil, wire.Ack{MessageType: m.Type, MessageID: m.ID, Seq: m.Seq})))
	}
	for {
		m, ok := s.rcv.Take()
		if !ok {
			return acks, delivers
		}
		delivers = append(delivers, fmt.Sprintf("%d:%s", m.PayloadType, m.Payload))
	}
}

// describe is a step's outcome in the words of the tables above.
func describe(t *testing.T, acks, delivers []string, expected int64) string {
	t.Helper()
	var seqs []string
	for _, a := range acks {
		parsed, err := wire.ParseAck([]byte(a))
		if err != nil {
			t.Error(err)
		}
		seqs = append(seqs, fmt.Sprint(parsed.Seq))
	}
	or := func(list []string) string {
		if len(list) == 0 {
			return "nothing"
		}
		return strings.Join(list, " ")
	}
	return fmt.Sprintf("acks %s, delivers %s, expects %d", or(seqs), or(delivers), expected)
}

func TestPluginScenarios(t *testing.T) {
	used := map[string]bool{}
	for _, sc := range loadScenarios(t, "plugin_scenarios.json", 20) {
		t.Run(sc.Name, func(t *testing.T) {
			if sc.Name == "outgoing messages" {
				testOutgoing(t, sc)
				return
			}
			s := newSide(wire.OutputStreamData, wire.Decode)
			play(t, sc, s, pluginDifferences, used)
			for _, st := range sc.Steps {
				testResponses(t, st)
			}
		})
	}
	allUsed(t, pluginDifferences, used)
}

func TestAgentScenarios(t *testing.T) {
	used := map[string]bool{}
	for _, sc := range loadScenarios(t, "agent_scenarios.json", 20) {
		t.Run(sc.Name, func(t *testing.T) {
			switch {
			case sc.Name == "publication control":
				testAgentSending(t, sc)
			case sc.Name == "empty output is not sent":
				m := wire.Message{Type: wire.OutputStreamData, Created: 1, PayloadType: wire.PayloadOutput}
				if _, err := wire.Append(nil, &m); !errors.Is(err, wire.ErrEmptyPayload) {
					t.Errorf("empty output: %v", err)
				}
			case strings.HasPrefix(sc.Name, "handshake:"):
				testAgentHandshake(t, sc)
			default:
				play(t, sc, newSide(wire.InputStreamData, wire.Parse), agentDifferences, used)
			}
		})
	}
	allUsed(t, agentDifferences, used)
}

func loadScenarios(t *testing.T, name string, want int) []scenario {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []scenario `json:"cases"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != want {
		t.Fatalf("%d cases, want %d", len(file.Cases), want)
	}
	return file.Cases
}

func allUsed(t *testing.T, table map[string]difference, used map[string]bool) {
	t.Helper()
	for key := range table {
		if !used[key] {
			t.Errorf("the difference %q never occurred", key)
		}
	}
}

// play feeds the messages of a scenario and compares acknowledgements, deliveries
// and state with the recording, but for the intended differences.
func play(t *testing.T, sc scenario, s *side, differences map[string]difference, used map[string]bool) {
	t.Helper()
	for _, st := range sc.Steps {
		if st.InHex == "" {
			continue // a change in the program under test
		}
		in, err := hex.DecodeString(st.InHex)
		if err != nil {
			t.Fatal(err)
		}
		acks, delivers := s.receive(t, in)
		key := sc.Name + "/" + st.Event
		if d, ok := differences[key]; ok {
			used[key] = true
			if got := describe(t, acks, delivers, s.rcv.Expected()); got != d.got {
				t.Errorf("%s: %s, want (since %s) %s", st.Event, got, d.why, d.got)
			}
			continue
		}
		var want []string
		for _, m := range st.Sends {
			if m.MessageType == wire.Acknowledge {
				want = append(want, m.PayloadText)
			}
		}
		if !slices.Equal(acks, want) {
			t.Errorf("%s: acknowledged %q, want %q", st.Event, acks, want)
		}
		if held, _ := s.rcv.Held(); held != st.BufferedAfter || s.rcv.Expected() != st.ExpectedSequenceNumberAfter {
			t.Errorf("%s: %d held, expecting %d, want %d, %d", st.Event, held, s.rcv.Expected(), st.BufferedAfter, st.ExpectedSequenceNumberAfter)
		}
		if !strings.HasPrefix(st.Event, "Handshake") && !slices.Equal(delivers, recorded(st.Delivers)) {
			t.Errorf("%s: delivered %q, want %q", st.Event, delivers, st.Delivers)
		}
	}
}

// recorded rewrites deliveries from the recording's form, pt=1 "a".
func recorded(list []string) (out []string) {
	for _, d := range list {
		kind, text, _ := strings.Cut(strings.TrimPrefix(d, "pt="), " ")
		out = append(out, kind+":"+strings.Trim(text, `"`))
	}
	return out
}

// testResponses reads and writes the handshake responses of the plugin.
func testResponses(t *testing.T, st step) {
	t.Helper()
	for _, m := range st.Sends {
		if m.PayloadType != wire.PayloadHandshakeResponse {
			continue
		}
		var r wire.HandshakeResponse
		if err := wire.Unmarshal("response", []byte(m.PayloadText), &r); err != nil {
			t.Fatal(err)
		}
		if got := string(wire.Marshal(r)); got != m.PayloadText {
			t.Errorf("response is\n%s, want\n%s", got, m.PayloadText)
		}
	}
}

// testOutgoing numbers and encodes what the plugin was told to send.
func testOutgoing(t *testing.T, sc scenario) {
	t.Helper()
	snd := reliable.NewSender(reliable.Window{})
	rewritten := 0
	for _, st := range sc.Steps {
		if st.SendsText != "" {
			var open wire.OpenDataChannel
			if err := wire.Unmarshal("opening", []byte(st.SendsText), &open); err != nil {
				t.Fatal(err)
			}
			if got := string(wire.Marshal(open)); got != st.SendsText {
				t.Errorf("opening is %s, want %s", got, st.SendsText)
			}
			continue
		}
		want := st.Sends[0]
		payload, _ := hex.DecodeString(st.ArgHex)
		if st.Event == "SendFlag(TerminateSession)" {
			payload = wire.AppendFlag(nil, wire.TerminateSession)
		}
		m := wire.Message{Type: want.MessageType, Created: 1, Seq: snd.NextSeq(), PayloadType: want.PayloadType, Payload: payload}
		b, err := wire.Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		snd.Push(b)
		if m.Seq != want.SequenceNumber || m.Flags != want.Flags {
			t.Errorf("%s: number %d, flags %d, want %d, %d", st.Event, m.Seq, m.Flags, want.SequenceNumber, want.Flags)
		}
		// The plugin turns a payload that is one line feed into a carriage return,
		// whatever it belongs to: a defect that corrupts tunnels. Ours goes out as is.
		if got := hex.EncodeToString(b[wire.HeaderSize:]); got != st.PayloadHexOnWire {
			if got != "0a" || st.PayloadHexOnWire != "0d" {
				t.Errorf("%s: payload %s, want %s", st.Event, got, st.PayloadHexOnWire)
			}
			rewritten++
		}
	}
	if rewritten != 2 {
		t.Errorf("the plugin rewrote %d payloads that we do not, want 2", rewritten)
	}
}
