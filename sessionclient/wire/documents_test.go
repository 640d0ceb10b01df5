package wire

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// reencode reads a document into a fresh T and writes it again.
func reencode[T any](t *testing.T, doc string) (T, string) {
	t.Helper()
	var v T
	if err := Unmarshal("document", []byte(doc), &v); err != nil {
		t.Fatal(err)
	}
	return v, string(Marshal(v))
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s is\n%s, want\n%s", what, got, want)
	}
}

func TestHandshakeDocumentsAgreeWithTheAgent(t *testing.T) {
	type vector struct {
		Name          string
		JSON          string       `json:"json"`
		Error         string       `json:"error"`
		ActionStatus  ActionStatus `json:"ActionStatus"`
		ClientVersion string
	}
	for _, v := range loadVector[vector](t, "handshake.json") {
		t.Run(v.Name, func(t *testing.T) {
			kind, _, _ := strings.Cut(v.Name, ":")
			kind, _, _ = strings.Cut(kind, " ")
			switch kind {
			case "HandshakeRequest":
				got, text := reencode[HandshakeRequest](t, v.JSON)
				same(t, "document", text, v.JSON)
				same(t, "document with typed parameters", string(Marshal(retype(t, got))), v.JSON)
			case "HandshakeResponse":
				testResponse(t, v.JSON, v.ClientVersion, v.ActionStatus, v.Error == "<nil>")
			case "HandshakeComplete":
				_, text := reencode[HandshakeComplete](t, v.JSON)
				same(t, "document", text, v.JSON)
			case "EncryptionChallengeRequest", "EncryptionChallengeResponse":
				_, text := reencode[EncryptionChallenge](t, v.JSON)
				same(t, "document", text, v.JSON)
			case "KMSEncryptionResponse":
				_, text := reencode[KMSEncryptionResponse](t, v.JSON)
				same(t, "document", text, v.JSON)
			default:
				t.Errorf("no test for %q", kind)
			}
		})
	}
}

// retype reads all parameters of a request into their types and writes them again.
func retype(t *testing.T, r HandshakeRequest) HandshakeRequest {
	t.Helper()
	for i := range r.RequestedClientActions {
		a := &r.RequestedClientActions[i]
		switch a.ActionType {
		case ActionKMSEncryption:
			_, text := reencode[KMSEncryptionRequest](t, string(a.ActionParameters))
			a.ActionParameters = json.RawMessage(text)
		case ActionSessionType:
			session, _ := reencode[SessionTypeRequest](t, string(a.ActionParameters))
			if session.SessionType == Port {
				properties, text := reencode[PortProperties](t, string(session.Properties))
				if properties.PortNumber == "" {
					t.Errorf("no port in %s", session.Properties)
				}
				session.Properties = json.RawMessage(text)
			}
			a.ActionParameters = Marshal(session)
		}
	}
	return r
}

func testResponse(t *testing.T, doc, version string, status ActionStatus, ok bool) {
	t.Helper()
	var got HandshakeResponse
	if err := Unmarshal("handshake response", []byte(doc), &got); (err == nil) != ok {
		t.Fatalf("read with %v, want accepted %v", err, ok)
	}
	if !ok {
		return
	}
	if got.ClientVersion != version || len(got.ProcessedClientActions) != 1 || got.ProcessedClientActions[0].ActionStatus != status {
		t.Errorf("read %+v, want version %s, status %d", got, version, status)
	}
	if strings.Contains(doc, `"ActionResult":null`) {
		same(t, "document", string(Marshal(got)), doc)
	}
}

func TestClientGatesAgreeWithThePlugin(t *testing.T) {
	type vector struct {
		AgentVersion         string
		TerminateSessionFlag bool
		TCPMultiplexing      bool `json:"tcpMultiplexing"`
		DisableSmuxKeepAlive bool
	}
	for _, v := range loadVector[vector](t, "version_gates_plugin.json") {
		got := vector{v.AgentVersion, SupportsTerminateFlag(v.AgentVersion), SupportsMux(v.AgentVersion), DisablesKeepAlive(v.AgentVersion)}
		if got != v {
			t.Errorf("got %+v, want %+v", got, v)
		}
	}
}

func TestAgentGatesAgreeWithTheAgent(t *testing.T) {
	type vector struct {
		ClientVersion                          string
		AgentUsesMux                           bool
		AgentDisablesSmuxKeepAlive             bool
		AgentPrintsUpdateHintForSeparateOutput bool
	}
	for _, v := range loadVector[vector](t, "version_gates_agent.json") {
		got := vector{v.ClientVersion, AgentUsesMux(v.ClientVersion), AgentDisablesKeepAlive(v.ClientVersion), AgentHintsUpdate(v.ClientVersion)}
		if got != v {
			t.Errorf("got %+v, want %+v", got, v)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"1.2.3", "1.2.3", 0},
		{"1.2.10", "1.2.9", 1},
		{"1.2.3-rc1", "1.2.3", -1},
		{"1.2.3+build", "1.2.3", 0},
		{"1.2.3.0", "1.2.3", 1},
		{"1.2", "1.2.3", -1},
		{"", "", 0},
		{"", "1", -1},
		{"1.x.3", "1.2.3", 1},
		{"1..3", "1.2.3", -1},
		{"99999999999999999999.0.0", "1.0.0", 1}, // no number: compared as text
		{strings.Repeat(".", 1000), "1.2.3", -1},
	}
	for _, tt := range tests {
		if got := compare(tt.a, tt.b); got != tt.want {
			t.Errorf("compare(%.20q, %.20q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := compare(tt.b, tt.a); got != -tt.want {
			t.Errorf("compare(%.20q, %.20q) = %d, want %d", tt.b, tt.a, got, -tt.want)
		}
	}
}

func TestOpeningDocumentsAgreeWithBothEnds(t *testing.T) {
	type vector struct {
		Name       string
		JSON       string  `json:"json"`
		XML        string  `json:"xml"`
		TokenValue *string `json:"TokenValue"`
	}
	for _, v := range loadVector[vector](t, "open_channel.json") {
		t.Run(v.Name, func(t *testing.T) {
			switch {
			case v.XML != "":
				// A missing token makes the agent crash; we report it.
				token, err := ParseChannelAnswer([]byte(v.XML))
				if v.TokenValue == nil && err == nil || v.TokenValue != nil && (err != nil || token != *v.TokenValue) {
					t.Errorf("token %q, %v", token, err)
				}
				if strings.Contains(v.XML, DataChannelAnswer+" xmlns") {
					same(t, "answer", string(AppendChannelAnswer(nil, DataChannelAnswer, token)), v.XML)
				}
			case strings.HasPrefix(v.Name, "CreateControlChannel"):
				_, text := reencode[CreateControlChannel](t, v.JSON)
				same(t, "document", text, v.JSON)
			case strings.HasPrefix(v.Name, "OpenControlChannelInput"):
				_, text := reencode[OpenControlChannel](t, v.JSON)
				same(t, "document", text, v.JSON)
			case strings.HasPrefix(v.Name, "CreateDataChannel"):
				_, text := reencode[CreateDataChannel](t, v.JSON)
				same(t, "document", text, v.JSON)
			case strings.HasPrefix(v.Name, "OpenDataChannelInput"):
				got, text := reencode[OpenDataChannel](t, v.JSON)
				same(t, "document", text, v.JSON)
				if agent := strings.Contains(v.Name, "agent side"); agent != (got.ClientInstanceID != "") || agent == (got.ClientVersion != "") {
					t.Errorf("the sides cannot be told apart: %+v", got)
				}
			default:
				t.Error("no test for this case")
			}
		})
	}
}

func TestChannelAnswersRoundTrip(t *testing.T) {
	for _, token := range []string{"AAEAAQ==", "a<b>&\"'c", "ü"} {
		got, err := ParseChannelAnswer(AppendChannelAnswer(nil, ControlChannelAnswer, token))
		if err != nil || got != token {
			t.Errorf("%q came back as %q, %v", token, got, err)
		}
	}
}

func TestChannelClosedAgreesWithThePlugin(t *testing.T) {
	type vector struct {
		Name        string
		PayloadJSON string `json:"payloadJson"`
		WireHex     hexBytes
		Printed     string
	}
	for _, v := range loadVector[vector](t, "channel_closed.json") {
		t.Run(v.Name, func(t *testing.T) {
			m, err := Decode(v.WireHex)
			if err != nil || m.Type != ChannelClosed || string(m.Payload) != v.PayloadJSON {
				t.Fatalf("decoded %+v, %v", m, err)
			}
			if got, _ := Append(nil, &m); !reflect.DeepEqual(got, []byte(v.WireHex)) {
				t.Errorf("encoded %x, want %x", got, v.WireHex)
			}
			if v.Name == "not JSON" {
				if Unmarshal("channel_closed", m.Payload, new(Closed)) == nil {
					t.Error("accepted")
				}
				return
			}
			closed, text := reencode[Closed](t, v.PayloadJSON)
			same(t, "document", text, v.PayloadJSON)
			want := "SessionId: session-1 : " + closed.Output
			if closed.Output == "" {
				want = "Exiting session with sessionId: " + closed.SessionID + "."
			}
			same(t, "the plugin's text", strings.TrimSpace(v.Printed), want)
		})
	}
}
