// Package wire is the byte and JSON dialect of the Session Manager data
// channel: the binary message that fills one websocket frame, and the payloads
// inside it.
//
// It is pure: no I/O, no clock, no goroutines. Everything that decodes checks
// every length and never panics, whatever the input. Client and simulator share
// the package, in either role.
package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Layout of a message: big-endian integers at fixed offsets, the payload after
// the payload length.
const (
	offHeaderLength  = 0
	offType          = 4
	offSchemaVersion = 36
	offCreated       = 40
	offSeq           = 48
	offFlags         = 56
	offID            = 64
	offDigest        = 80
	offPayloadType   = 112
	offPayloadLength = 116

	// HeaderSize is the number of bytes before the payload in the messages that
	// client and agent send.
	HeaderSize = 120

	headerLength        = offPayloadLength // what client and agent write into HeaderLength
	serviceHeaderLength = offPayloadType   // what the service writes: it leaves PayloadType out
	typeSize            = offSchemaVersion - offType
)

// MaxMessage bounds a whole message in bytes. Nothing legal comes near it: the
// largest payloads deployed agents were seen to take are 256 KiB.
const MaxMessage = 1 << 20

// MessageType names what a message is for. Unknown types are preserved.
type MessageType string

// The message types of the data channel.
const (
	InputStreamData   MessageType = "input_stream_data"  // client to agent, numbered, acknowledged
	OutputStreamData  MessageType = "output_stream_data" // agent to client, numbered, acknowledged
	Acknowledge       MessageType = "acknowledge"        // either way, not numbered
	ChannelClosed     MessageType = "channel_closed"     // service: the session is over
	StartPublication  MessageType = "start_publication"  // service: the publisher may go on
	PausePublication  MessageType = "pause_publication"  // service: the subscriber is away or slow
	AgentSessionState MessageType = "agent_session_state"
)

// The message types of the agent's control channel.
const (
	InteractiveShell     MessageType = "interactive_shell"      // service: start a session
	AgentTaskComplete    MessageType = "agent_task_complete"    // agent: a session has ended
	AgentTaskAcknowledge MessageType = "agent_task_acknowledge" // service: the end was noted
	AgentJob             MessageType = "agent_job"              // service: run or cancel a command
	AgentJobAck          MessageType = "agent_job_ack"
	AgentJobReply        MessageType = "agent_job_reply"
	AgentJobReplyAck     MessageType = "agent_job_reply_ack"
)

// known lists every type above, so that decoding one needs no allocation.
var known = [...]MessageType{
	OutputStreamData, InputStreamData, Acknowledge, ChannelClosed, StartPublication, PausePublication,
	AgentSessionState, InteractiveShell, AgentTaskComplete, AgentTaskAcknowledge, AgentJob, AgentJobAck,
	AgentJobReply, AgentJobReplyAck,
}

// PayloadType says how to read the payload of a data message.
type PayloadType uint32

// The payload types. PayloadError and PayloadParameter are declared by the
// reference programs and used by neither.
const (
	PayloadOutput               PayloadType = 1
	PayloadError                PayloadType = 2
	PayloadSize                 PayloadType = 3
	PayloadParameter            PayloadType = 4
	PayloadHandshakeRequest     PayloadType = 5
	PayloadHandshakeResponse    PayloadType = 6
	PayloadHandshakeComplete    PayloadType = 7
	PayloadEncChallengeRequest  PayloadType = 8
	PayloadEncChallengeResponse PayloadType = 9
	PayloadFlag                 PayloadType = 10
	PayloadStdErr               PayloadType = 11
	PayloadExitCode             PayloadType = 12
)

// Header flags. Acknowledgements and agent_session_state carry both, an agent's
// first data message carries FlagSyn, everything else carries none.
const (
	FlagSyn uint64 = 1
	FlagFin uint64 = 2
)

// Message is one decoded message. Created is in milliseconds since 1970.
type Message struct {
	Type          MessageType
	SchemaVersion uint32
	Created       uint64
	Seq           int64
	Flags         uint64
	ID            UUID
	PayloadType   PayloadType
	Payload       []byte
}

// Errors of Append, Decode and Parse. A message that gives ErrDigest was damaged
// on the way: it must not be acknowledged, so that it is sent again.
var (
	ErrShort        = errors.New("message is shorter than its header")
	ErrHeaderLength = errors.New("header length points outside the message")
	ErrNoType       = errors.New("message type is missing")
	ErrNoDate       = errors.New("created date is missing")
	ErrDigest       = errors.New("payload digest does not match")
	ErrEmptyPayload = errors.New("payload is empty")
	ErrTypeTooLong  = errors.New("message type is longer than 32 bytes")
	ErrTooLarge     = fmt.Errorf("message is larger than %d bytes", MaxMessage)
)

// Append appends the encoding of m to dst, in the form client and agent use
// (header length 116, type padded with spaces). It allocates only when dst has
// no room. A SchemaVersion of 0 is written as 1. Like the reference serializers
// it refuses an empty payload and a type longer than 32 bytes. Created must be
// set: every receiver drops a message without a date.
func Append(dst []byte, m *Message) ([]byte, error) {
	switch {
	case len(m.Payload) == 0:
		return dst, ErrEmptyPayload
	case len(m.Payload) > MaxMessage-HeaderSize:
		return dst, ErrTooLarge
	case m.Type == "":
		return dst, ErrNoType
	case len(m.Type) > typeSize:
		return dst, ErrTypeTooLong
	}
	start := len(dst)
	dst = append(dst, zeroHeader[:]...)
	h := dst[start:]
	binary.BigEndian.PutUint32(h[offHeaderLength:], headerLength)
	putCommon(h, m, ' ')
	binary.BigEndian.PutUint32(h[offPayloadType:], uint32(m.PayloadType))
	binary.BigEndian.PutUint32(h[offPayloadLength:], uint32(len(m.Payload)))
	return append(dst, m.Payload...), nil
}

// AppendService appends m in the form the service uses for its own messages:
// header length 112, no payload type, type padded with NULs. The payload may be
// empty.
func AppendService(dst []byte, m *Message) ([]byte, error) {
	switch {
	case len(m.Payload) > MaxMessage-HeaderSize:
		return dst, ErrTooLarge
	case m.Type == "":
		return dst, ErrNoType
	case len(m.Type) > typeSize:
		return dst, ErrTypeTooLong
	}
	start := len(dst)
	dst = append(dst, zeroHeader[:serviceHeaderLength+4]...)
	h := dst[start:]
	binary.BigEndian.PutUint32(h[offHeaderLength:], serviceHeaderLength)
	putCommon(h, m, 0)
	binary.BigEndian.PutUint32(h[serviceHeaderLength:], uint32(len(m.Payload)))
	return append(dst, m.Payload...), nil
}

var zeroHeader [HeaderSize]byte

// putCommon writes the fields that both forms place alike.
func putCommon(h []byte, m *Message, pad byte) {
	n := copy(h[offType:offType+typeSize], m.Type)
	for i := offType + n; i < offType+typeSize; i++ {
		h[i] = pad
	}
	schema := m.SchemaVersion
	if schema == 0 {
		schema = 1
	}
	binary.BigEndian.PutUint32(h[offSchemaVersion:], schema)
	binary.BigEndian.PutUint64(h[offCreated:], m.Created)
	binary.BigEndian.PutUint64(h[offSeq:], uint64(m.Seq))
	binary.BigEndian.PutUint64(h[offFlags:], m.Flags)
	// The two halves of the id are swapped on the wire.
	copy(h[offID:], m.ID[8:])
	copy(h[offID+8:], m.ID[:8])
	digest := sha256.Sum256(m.Payload)
	copy(h[offDigest:], digest[:])
}

// Decode reads one message and verifies its digest. The payload is a part of b,
// so b must not be reused while the message is. Every input is safe; what the
// reference parsers both accept is accepted.
func Decode(b []byte) (Message, error) {
	m, length, err := parse(b)
	if err != nil {
		return m, err
	}
	// The client plugin skips the check when the length field is 0, and so do
	// we: a message that both reference programs take must not be refused.
	if length != 0 && !m.isPublication() {
		if digest := sha256.Sum256(m.Payload); !bytes.Equal(digest[:], b[offDigest:offDigest+sha256.Size]) {
			return m, ErrDigest
		}
	}
	return m, nil
}

// Parse is Decode without the check of the digest, which is how an agent reads.
func Parse(b []byte) (Message, error) {
	m, _, err := parse(b)
	return m, err
}

// parse reads m and the payload length field. The payload is what follows that
// field to the end of b, whatever the field says: so do both reference parsers.
func parse(b []byte) (m Message, length uint32, err error) {
	if len(b) < serviceHeaderLength+4 {
		return m, 0, ErrShort
	}
	if len(b) > MaxMessage {
		return m, 0, ErrTooLarge
	}
	hl := binary.BigEndian.Uint32(b[offHeaderLength:])
	if hl < serviceHeaderLength || uint64(hl)+4 > uint64(len(b)) {
		return m, 0, ErrHeaderLength
	}
	m.Type = messageType(b[offType : offType+typeSize])
	m.SchemaVersion = binary.BigEndian.Uint32(b[offSchemaVersion:])
	m.Created = binary.BigEndian.Uint64(b[offCreated:])
	m.Seq = int64(binary.BigEndian.Uint64(b[offSeq:]))
	m.Flags = binary.BigEndian.Uint64(b[offFlags:])
	copy(m.ID[8:], b[offID:offID+8])
	copy(m.ID[:8], b[offID+8:offID+16])
	if hl >= headerLength {
		m.PayloadType = PayloadType(binary.BigEndian.Uint32(b[offPayloadType:]))
	}
	length = binary.BigEndian.Uint32(b[hl:])
	m.Payload = b[hl+4:]
	switch {
	case m.isPublication(): // the reference parsers validate nothing here
	case m.Type == "":
		return m, length, ErrNoType
	case m.Created == 0:
		return m, length, ErrNoDate
	}
	return m, length, nil
}

func (m *Message) isPublication() bool {
	return m.Type == StartPublication || m.Type == PausePublication
}

// messageType strips the padding (NULs from the service, spaces from everybody
// else) and returns the shared constant for a known type.
func messageType(b []byte) MessageType {
	b = bytes.Trim(b, "\x00 ")
	for _, t := range known {
		if string(b) == string(t) {
			return t
		}
	}
	return MessageType(b)
}
