package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// Ack is the payload of an acknowledge message. It covers one message; there is
// no cumulative form, and receivers match by sequence number only.
type Ack struct {
	MessageType MessageType
	MessageID   UUID
	Seq         int64
}

const (
	ackType = `{"AcknowledgedMessageType":"`
	ackID   = `","AcknowledgedMessageId":"`
	ackSeq  = `","AcknowledgedMessageSequenceNumber":`
	ackEnd  = `,"IsSequentialMessage":true}`
)

var errAck = errors.New("malformed acknowledge")

// AppendAck appends the JSON of a, byte for byte as the reference programs
// write it. For the two types of data message it does not allocate.
func AppendAck(dst []byte, a Ack) []byte {
	dst = append(dst, ackType...)
	if a.MessageType == OutputStreamData || a.MessageType == InputStreamData {
		dst = append(dst, a.MessageType...)
	} else { // whatever a peer calls its messages must not break out of the text
		quoted := Marshal(a.MessageType)
		dst = append(dst, quoted[1:len(quoted)-1]...)
	}
	dst = append(dst, ackID...)
	dst = a.MessageID.AppendTo(dst)
	dst = append(dst, ackSeq...)
	dst = strconv.AppendInt(dst, a.Seq, 10)
	return append(dst, ackEnd...)
}

// ParseAck reads the payload of an acknowledge message. The usual form takes no
// allocation; any other JSON with the same fields is read too.
func ParseAck(b []byte) (Ack, error) {
	if a, ok := parseUsualAck(b); ok {
		return a, nil
	}
	var v struct {
		AcknowledgedMessageType           MessageType
		AcknowledgedMessageId             string //nolint:revive // the wire's own spelling
		AcknowledgedMessageSequenceNumber *int64
	}
	if err := json.Unmarshal(b, &v); err != nil || v.AcknowledgedMessageSequenceNumber == nil {
		return Ack{}, errAck
	}
	// An odd id is no reason to lose the acknowledgement: the number decides.
	id, _ := parseUUID([]byte(v.AcknowledgedMessageId))
	return Ack{MessageType: v.AcknowledgedMessageType, MessageID: id, Seq: *v.AcknowledgedMessageSequenceNumber}, nil
}

func parseUsualAck(b []byte) (a Ack, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte(ackType))
	if !ok {
		return a, false
	}
	i := bytes.IndexByte(b, '"')
	if i < 0 {
		return a, false
	}
	switch t := b[:i]; {
	case string(t) == string(OutputStreamData):
		a.MessageType = OutputStreamData
	case string(t) == string(InputStreamData):
		a.MessageType = InputStreamData
	default:
		return a, false
	}
	b, ok = bytes.CutPrefix(b[i:], []byte(ackID))
	if !ok || len(b) < 36 {
		return a, false
	}
	if a.MessageID, ok = parseUUID(b[:36]); !ok {
		return a, false
	}
	b, ok = bytes.CutPrefix(b[36:], []byte(ackSeq))
	if !ok {
		return a, false
	}
	b, ok = bytes.CutSuffix(b, []byte(ackEnd))
	if !ok {
		return a, false
	}
	a.Seq, ok = parseDigits(b)
	return a, ok
}

// parseDigits reads a plain non-negative decimal of up to 18 digits, which
// cannot overflow; longer ones go the slow way.
func parseDigits(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 || (b[0] == '0' && len(b) > 1) {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
