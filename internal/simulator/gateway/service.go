package gateway

import (
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// serviceDate is the form of dates in the payloads of the service.
const serviceDate = "2006-01-02T15:04:05.000Z"

// serviceMessage encodes a message the way the service makes its own: header
// length 112, type padded with NULs.
func serviceMessage(t wire.MessageType, payload []byte) []byte {
	b, err := wire.AppendService(nil, &wire.Message{
		Type: t, Created: uint64(time.Now().UnixMilli()), ID: wire.NewUUID(), Payload: payload,
	})
	if err != nil { // a constant type and a small payload cannot be refused
		panic("gateway: " + err.Error())
	}
	return b
}

// publication tells a publisher to go on or to pause.
func publication(on bool) []byte {
	if on {
		return serviceMessage(wire.StartPublication, []byte("{}"))
	}
	return serviceMessage(wire.PausePublication, []byte("{}"))
}

// maxOutput bounds the reason in a channel_closed message.
const maxOutput = 64 << 10

// closedMessage tells an end that the session is over, and why.
func closedMessage(session, destination, output string) []byte {
	return serviceMessage(wire.ChannelClosed, wire.Marshal(wire.Closed{
		MessageID:     wire.NewUUID().String(),
		CreatedDate:   time.Now().UTC().Format(serviceDate),
		DestinationID: destination,
		SessionID:     session,
		MessageType:   string(wire.ChannelClosed),
		SchemaVersion: 1,
		Output:        output[:min(len(output), maxOutput)],
	}))
}

// typeOf returns the message type of an encoded message without decoding it.
// What is no message at all has none; it is copied all the same.
func typeOf(msg []byte) wire.MessageType {
	const from, to = 4, 36 // the type's place in the header
	if len(msg) < to {
		return ""
	}
	for _, t := range [...]wire.MessageType{wire.InputStreamData, wire.OutputStreamData, wire.Acknowledge, wire.AgentSessionState} {
		if string(msg[from:from+len(t)]) == string(t) {
			return t
		}
	}
	return ""
}
