package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// FlagValue is the payload of a Flag message: a 4-byte big-endian number.
type FlagValue uint32

// The flag values. Both ends know all three.
const (
	DisconnectToPort   FlagValue = 1 // client: close the connection to the destination
	TerminateSession   FlagValue = 2 // client: end the session
	ConnectToPortError FlagValue = 3 // agent: the destination could not be reached
)

// AppendFlag appends the payload of a Flag message.
func AppendFlag(dst []byte, f FlagValue) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(f))
}

// ParseFlag reads the payload of a Flag message.
func ParseFlag(b []byte) (FlagValue, error) {
	if len(b) != 4 {
		return 0, errors.New("malformed flag: want 4 bytes")
	}
	return FlagValue(binary.BigEndian.Uint32(b)), nil
}

// TerminalSize is the payload of a Size message, in character cells.
type TerminalSize struct {
	Cols uint32 `json:"cols"`
	Rows uint32 `json:"rows"`
}

// AppendSize appends the payload of a Size message.
func AppendSize(dst []byte, s TerminalSize) []byte {
	dst = append(dst, `{"cols":`...)
	dst = strconv.AppendUint(dst, uint64(s.Cols), 10)
	dst = append(dst, `,"rows":`...)
	dst = strconv.AppendUint(dst, uint64(s.Rows), 10)
	return append(dst, '}')
}

// exitCodePrefix starts the payload of an ExitCode message.
const exitCodePrefix = "EXIT_CODE: "

// AppendExitCode appends the payload of an ExitCode message.
func AppendExitCode(dst []byte, code int) []byte {
	return strconv.AppendInt(append(dst, exitCodePrefix...), int64(code), 10)
}

// ParseExitCode reads the payload of an ExitCode message: "EXIT_CODE: 7".
func ParseExitCode(b []byte) (int, error) {
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(b), []byte("EXIT_CODE:"))
	if !ok {
		return 0, errors.New("malformed exit code")
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxUint32 { // Windows statuses are unsigned
		return 0, errors.New("malformed exit code")
	}
	return int(n), nil
}

// OpenDataChannel is the text frame that opens either end of a data channel.
// ClientVersion marks the user's end, ClientInstanceID the agent's.
type OpenDataChannel struct {
	MessageSchemaVersion string // "1.0"
	RequestID            string `json:"RequestId"`
	TokenValue           string
	ClientInstanceID     string `json:"ClientInstanceId,omitempty"`
	ClientID             string `json:"ClientId"`
	ClientVersion        string `json:"ClientVersion,omitempty"`
}

// Closed is the payload of a channel_closed message. Output is empty for an
// ordinary end, else the reason in words.
type Closed struct {
	MessageID     string `json:"MessageId"`
	CreatedDate   string
	DestinationID string `json:"DestinationId"`
	SessionID     string `json:"SessionId"`
	MessageType   string
	SchemaVersion int
	Output        string
}

// SessionState is the payload of an agent_session_state message.
type SessionState struct {
	SchemaVersion int
	SessionState  string // Connected, Terminating
	SessionID     string `json:"SessionId"`
}

// Marshal is json.Marshal for the types of this package, which cannot fail as
// long as every json.RawMessage in them is absent or came out of a decoder. It
// panics on anything else.
func Marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("wire: " + err.Error()) // our own types always marshal
	}
	return b
}
