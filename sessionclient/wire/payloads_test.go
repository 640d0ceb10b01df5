package wire

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
)

func seqText(n int64) string { return strconv.FormatInt(n, 10) }

func TestParseAck(t *testing.T) {
	const id = "dd01e56b-ff48-483e-a508-b5f073f31b16"
	usual := func(seq string) string {
		return `{"AcknowledgedMessageType":"output_stream_data","AcknowledgedMessageId":"` + id + `","AcknowledgedMessageSequenceNumber":` + seq + `,"IsSequentialMessage":true}`
	}
	tests := []struct {
		name string
		in   string
		want int64
		ok   bool
		id   bool // the id is understood
	}{
		{"usual", usual("5"), 5, true, true},
		{"zero", usual("0"), 0, true, true},
		{"18 digits", usual("999999999999999999"), 999999999999999999, true, true},
		{"largest", usual("9223372036854775807"), math.MaxInt64, true, true},
		{"beyond the largest", usual("9223372036854775808"), 0, false, false},
		{"negative", usual("-1"), -1, true, true},
		{"leading zero", usual("05"), 0, false, false},
		{"fraction", usual("5.5"), 0, false, false},
		{"exponent", usual("5e3"), 0, false, false},
		{"null", usual("null"), 0, false, false},
		{"text", usual(`"5"`), 0, false, false},
		{"spaces", strings.ReplaceAll(usual("5"), ":", " : "), 5, true, true},
		{"other order", `{"IsSequentialMessage":true,"AcknowledgedMessageSequenceNumber":8,"AcknowledgedMessageId":"` + id + `"}`, 8, true, true},
		{"lower-case keys", strings.ToLower(usual("5")), 5, true, true},
		{"number alone", `{"AcknowledgedMessageSequenceNumber":8}`, 8, true, false},
		{"odd id", strings.Replace(usual("5"), "f31b16", "f31bzz", 1), 5, true, false},
		{"other type", strings.Replace(usual("5"), "output_stream_data", "future", 1), 5, true, true},
		{"last of two numbers", `{"AcknowledgedMessageSequenceNumber":8,"AcknowledgedMessageSequenceNumber":9}`, 9, true, false},
		{"no number", `{"AcknowledgedMessageId":"` + id + `"}`, 0, false, false},
		{"trailing text", usual("5") + "x", 0, false, false},
		{"cut", usual("5")[:100], 0, false, false},
		{"empty", "", 0, false, false},
		{"a list", "[]", 0, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := ParseAck([]byte(tt.in))
			if (err == nil) != tt.ok || a.Seq != tt.want {
				t.Fatalf("parsed %d, %v, want %d, accepted %v", a.Seq, err, tt.want, tt.ok)
			}
			if got := a.MessageID.String(); (got == id) != tt.id || !tt.id && a.MessageID != (UUID{}) {
				t.Errorf("id %s, understood: want %v", got, tt.id)
			}
		})
	}
}

func TestAppendAckCannotBeBrokenOutOf(t *testing.T) {
	a := Ack{MessageType: "x\",\"AcknowledgedMessageSequenceNumber\":9,\"y\":\"\xff\n", Seq: 1}
	var v map[string]any
	if err := json.Unmarshal(AppendAck(nil, a), &v); err != nil || len(v) != 4 {
		t.Fatalf("%s: %v", AppendAck(nil, a), err)
	}
	if back, err := ParseAck(AppendAck(nil, a)); err != nil || back.Seq != 1 {
		t.Errorf("read back %+v, %v", back, err)
	}
}

func TestParseExitCode(t *testing.T) {
	tests := []struct {
		in   string
		want int
		ok   bool
	}{
		{"EXIT_CODE: 7", 7, true},
		{"EXIT_CODE: 0", 0, true},
		{"EXIT_CODE: -1", -1, true},
		{"EXIT_CODE:7", 7, true},
		{" EXIT_CODE: 7\r\n", 7, true},
		{"EXIT_CODE: 4294967295", math.MaxUint32, true}, // Windows: 0xffffffff
		{"EXIT_CODE: -2147483648", math.MinInt32, true},
		{"EXIT_CODE: 4294967296", 0, false},
		{"EXIT_CODE: -2147483649", 0, false},
		{"EXIT_CODE: 99999999999999999999", 0, false},
		{"EXIT_CODE: 7 8", 0, false},
		{"EXIT_CODE: seven", 0, false},
		{"EXIT_CODE: 0x7", 0, false},
		{"EXIT_CODE: 1_000", 0, false},
		{"EXIT_CODE: ", 0, false},
		{"EXIT_CODE", 0, false},
		{"exit_code: 7", 0, false},
		{"7", 0, false},
		{"", 0, false},
	}
	for _, tt := range tests {
		if got, err := ParseExitCode([]byte(tt.in)); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: %d, %v, want %d, accepted %v", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestParseFlagWantsFourBytes(t *testing.T) {
	for n := range 9 {
		if _, err := ParseFlag(make([]byte, n)); (err == nil) != (n == 4) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestErrorsNeverQuoteThePayload(t *testing.T) {
	const secret = "AAEAAW-token"
	for name, err := range map[string]error{
		"json": Unmarshal("handshake request", []byte(`{"AgentVersion":`+secret), new(HandshakeRequest)),
		"xml":  second(ParseChannelAnswer([]byte("<a><TokenValue>" + secret))),
		"ack":  second(ParseAck([]byte(secret))),
	} {
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
