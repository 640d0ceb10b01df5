package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// seedWire adds every complete message that the vectors hold.
func seedWire(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(vectors, "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(raw, &doc); err != nil {
			f.Fatal(err)
		}
		walk(doc, func(key, text string) {
			if key != "wireHex" && key != "hex" && key != "inHex" {
				return
			}
			if b, err := hex.DecodeString(text); err == nil && filepath.Base(file) != "smux.json" {
				f.Add(b)
				n++
			}
		})
	}
	if n < 200 {
		f.Fatalf("only %d messages found in the vectors", n)
	}
}

// walk calls visit for every text in a decoded JSON document.
func walk(doc any, visit func(key, text string)) {
	switch doc := doc.(type) {
	case map[string]any:
		for key, v := range doc {
			if text, ok := v.(string); ok {
				visit(key, text)
			}
			walk(v, visit)
		}
	case []any:
		for _, v := range doc {
			walk(v, visit)
		}
	}
}

// FuzzDecode: no input panics; Decode and Parse agree but for the digest; and
// what was decoded survives being encoded and decoded again.
func FuzzDecode(f *testing.F) {
	seedWire(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		m, err := Decode(in)
		parsed, parseErr := Parse(in)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		if !reflect.DeepEqual(m, parsed) || (err == nil) != (parseErr == nil) && !errors.Is(err, ErrDigest) {
			t.Fatalf("Decode %+v, %v; Parse %+v, %v", m, err, parsed, parseErr)
		}
		if parseErr != nil {
			return
		}
		if len(m.Type) > typeSize || strings.Trim(string(m.Type), "\x00 ") != string(m.Type) {
			t.Fatalf("type %q", m.Type)
		}
		encode, again := Append, parsed
		if len(m.Payload) == 0 {
			encode, again.PayloadType = AppendService, 0
		}
		if again.SchemaVersion == 0 {
			again.SchemaVersion = 1
		}
		b, err := encode(nil, &again)
		if errors.Is(err, ErrTooLarge) && len(in) > MaxMessage-HeaderSize || again.Type == "" {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(b)
		if err != nil || !reflect.DeepEqual(back, again) {
			t.Fatalf("decoded %+v, %v, want %+v", back, err, again)
		}
	})
}

// FuzzParseAck: the short way and encoding/json read the same.
func FuzzParseAck(f *testing.F) {
	usual := string(AppendAck(nil, Ack{MessageType: OutputStreamData, MessageID: UUID{1, 2, 3}, Seq: 12345}))
	for _, s := range []string{
		usual, strings.Replace(usual, "output", "input", 1), strings.Replace(usual, "12345", "0", 1),
		strings.Replace(usual, "12345", "999999999999999999", 1), strings.Replace(usual, "12345", "9223372036854775808", 1),
		strings.Replace(usual, "12345", "-7", 1), strings.Replace(usual, "12345", "1e2", 1), strings.ToUpper(usual), usual[:90], "{}", "null", "",
		strings.Replace(usual, "0102", "01zz", 1), strings.Replace(usual, "output_stream_data", `a\"b`, 1),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := ParseAck(in)
		var v struct {
			AcknowledgedMessageType           MessageType
			AcknowledgedMessageId             string
			AcknowledgedMessageSequenceNumber *int64
		}
		jsonErr := json.Unmarshal(in, &v)
		if ok := jsonErr == nil && v.AcknowledgedMessageSequenceNumber != nil; ok != (err == nil) {
			t.Fatalf("ParseAck: %v, encoding/json: %v", err, jsonErr)
		}
		if err != nil {
			if a != (Ack{}) {
				t.Fatalf("%+v along with %v", a, err)
			}
			return
		}
		id, _ := ParseUUID(v.AcknowledgedMessageId)
		if want := (Ack{v.AcknowledgedMessageType, id, *v.AcknowledgedMessageSequenceNumber}); a != want {
			t.Fatalf("parsed %+v, want %+v", a, want)
		}
		back, err := ParseAck(AppendAck(nil, a))
		if err != nil || back != a {
			t.Fatalf("%+v came back as %+v, %v", a, back, err)
		}
	})
}

func FuzzParseExitCode(f *testing.F) {
	for _, s := range []string{"EXIT_CODE: 7", "EXIT_CODE: -1", "EXIT_CODE:4294967295\r\n", "EXIT_CODE: 99999999999999999999", "EXIT_CODE: +1", "exit"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		code, err := ParseExitCode(in)
		if err != nil {
			if code != 0 {
				t.Fatalf("%d along with %v", code, err)
			}
			return
		}
		if code < math.MinInt32 || code > math.MaxUint32 {
			t.Fatalf("exit code %d", code)
		}
		if back, err := ParseExitCode(AppendExitCode(nil, code)); err != nil || back != code {
			t.Fatalf("%d came back as %d, %v", code, back, err)
		}
	})
}

func FuzzParseFlag(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1})
	f.Add([]byte{0, 0, 0})
	f.Add([]byte("00000002"))
	f.Fuzz(func(t *testing.T, in []byte) {
		flag, err := ParseFlag(in)
		if (err == nil) != (len(in) == 4) {
			t.Fatalf("%x: %v", in, err)
		}
		if err == nil && !bytes.Equal(AppendFlag(nil, flag), in) {
			t.Fatalf("%x read as %d", in, flag)
		}
	})
}

// FuzzHandshakeRequest: whatever an agent asks for can be read, answered and
// written again without a panic, and means the same.
func FuzzHandshakeRequest(f *testing.F) {
	f.Add([]byte(`{"AgentVersion":"3.3.1142.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port","Properties":{"portNumber":"22"}}}]}`))
	f.Add([]byte(`{"AgentVersion":"3.3.0.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Standard_Stream","Properties":null}},{"ActionType":"KMSEncryption","ActionParameters":{"KMSKeyId":"key-1","Challenge":"Dbr4j+tvWxRgFYAzYkiBMQ=="}}]}`))
	f.Add([]byte(`{"AgentVersion":"9.9.9.9","RequestedClientActions":[{"ActionType":"Teleport","ActionParameters":{"x":1}},{"ActionType":"","ActionParameters":null},{}]}`))
	f.Add([]byte(`{"requestedClientActions":null,"agentversion":"\ud800"}`))
	f.Add([]byte(`nope`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var r HandshakeRequest
		if Unmarshal("request", in, &r) != nil {
			return
		}
		var again HandshakeRequest
		if err := Unmarshal("request", Marshal(r), &again); err != nil {
			t.Fatal(err)
		}
		if again.AgentVersion != r.AgentVersion || len(again.RequestedClientActions) != len(r.RequestedClientActions) {
			t.Fatalf("%+v came back as %+v", r, again)
		}
		SupportsMux(r.AgentVersion)
		AgentUsesMux(r.AgentVersion)
		answer := HandshakeResponse{ClientVersion: "1.2.764.0"}
		for i, a := range r.RequestedClientActions {
			if b := again.RequestedClientActions[i]; b.ActionType != a.ActionType || !bytes.Equal(Marshal(a), Marshal(b)) {
				t.Fatalf("action %+v came back as %+v", a, b)
			}
			var s SessionTypeRequest
			var p PortProperties
			var k KMSEncryptionRequest
			if len(a.ActionParameters) > 0 && Unmarshal("session type", a.ActionParameters, &s) == nil && len(s.Properties) > 0 {
				_ = Unmarshal("properties", s.Properties, &p)
			}
			if len(a.ActionParameters) > 0 {
				_ = Unmarshal("encryption", a.ActionParameters, &k)
			}
			Marshal(s)
			answer.ProcessedClientActions = append(answer.ProcessedClientActions, ProcessedAction{
				ActionType: a.ActionType, ActionStatus: ActionUnsupported, ActionResult: Marshal(k), Error: p.Host,
			})
		}
		var back HandshakeResponse
		if err := Unmarshal("response", Marshal(answer), &back); err != nil || len(back.ProcessedClientActions) != len(answer.ProcessedClientActions) {
			t.Fatalf("answer %+v came back as %+v, %v", answer, back, err)
		}
	})
}

// FuzzControl: no payload of the control channel panics, in either form.
func FuzzControl(f *testing.F) {
	f.Add([]byte(`{"Content":"{}","JobId":"aws.ssm.x.i-0","Topic":"aws.ssm.sendCommand.x","SchemaVersion":1}`))
	f.Add([]byte(`{"schemaVersion":1,"jobId":"j","content":"{\"runtimeStatus\":{\"a\":{\"code\":0}}}","topic":"t"}`))
	f.Add(AppendChannelAnswer(nil, DataChannelAnswer, "AAEAAQ=="))
	f.Add([]byte(`<a><TokenValue>x</TokenValue></a>`))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, v := range []any{new(SessionTask), new(SessionTaskContent), new(TerminateTask), new(Job), new(SendCommand), new(JobReply), new(CommandResult), new(TaskComplete)} {
			if Unmarshal("payload", in, v) == nil {
				Marshal(v)
			}
		}
		if token, err := ParseChannelAnswer(in); err == nil {
			if back, err := ParseChannelAnswer(AppendChannelAnswer(nil, DataChannelAnswer, token)); err != nil || back != token {
				t.Fatalf("token %q came back as %q, %v", token, back, err)
			}
		}
	})
}
