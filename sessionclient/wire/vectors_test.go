package wire

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const vectors = "testdata/vectors"

// elsewhere names the vectors that say nothing about bytes and documents, and
// the package that is held against them.
var elsewhere = map[string]string{
	"rto.json":               "sessionclient/reliable",
	"kms.json":               "sessionclient",
	"kms_agent_context.json": "sessionclient",
	"smux.json":              "portforward",
	"sigv4_channels.json":    "sessionclient and internal/simulator",
	"rsa_registration.json":  "nobody yet: registration of hybrid nodes is not simulated",
}

// here names the vectors tested in this package. Every test of one says so with
// loadVector, which checks the number of cases: none may go unnoticed.
var here = map[string]int{
	"acknowledge_plugin.json":    4,
	"agent_scenarios.json":       20,
	"channel_closed.json":        3,
	"control_channel.json":       18,
	"handshake.json":             14,
	"malformed.json":             44,
	"messages_agent.json":        15,
	"messages_plugin.json":       23,
	"open_channel.json":          9,
	"plugin_scenarios.json":      20,
	"real_agent_transcript.json": 1,
	"size_flags.json":            4,
	"transcripts.json":           4,
	"uuid.json":                  4,
	"version_gates_agent.json":   19,
	"version_gates_plugin.json":  15,
}

func TestEveryVectorFileHasATester(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		if here[name] == 0 && elsewhere[name] == "" {
			t.Errorf("nobody tests against %s", name)
		}
	}
}

// loadVector reads the cases of a vector file. Numbers of 64 bits survive, as C
// names integer fields.
func loadVector[C any](t testing.TB, name string) []C {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(vectors, name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []C `json:"cases"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if want := here[name]; len(file.Cases) != want {
		t.Fatalf("%s has %d cases, want %d: it changed, so its tests must be looked at", name, len(file.Cases), want)
	}
	return file.Cases
}

// hexBytes is text of hexadecimal digits in a vector.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// fields is a decoded message as the vectors show it.
type fields struct {
	HeaderLength   uint32
	MessageType    MessageType
	SchemaVersion  uint32
	CreatedDate    uint64
	SequenceNumber int64
	Flags          uint64
	MessageID      string `json:"MessageId"`
	PayloadType    PayloadType
	PayloadHex     string
	PayloadText    string
}

func (f fields) message(t *testing.T) *Message {
	t.Helper()
	id, err := ParseUUID(f.MessageID)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := hex.DecodeString(f.PayloadHex)
	if err != nil && f.PayloadHex == "omitted: byte i = i mod 251" {
		payload = make([]byte, 32768)
		for i := range payload {
			payload[i] = byte(i % 251)
		}
	} else if err != nil {
		t.Fatal(err)
	}
	return &Message{
		Type: f.MessageType, SchemaVersion: f.SchemaVersion, Created: f.CreatedDate, Seq: f.SequenceNumber,
		Flags: f.Flags, ID: id, PayloadType: f.PayloadType, Payload: payload,
	}
}
