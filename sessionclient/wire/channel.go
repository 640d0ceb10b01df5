package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
)

// SchemaVersion is the MessageSchemaVersion of all opening documents.
const SchemaVersion = "1.0"

// CreateControlChannel is the body of POST /v1/control-channel/<instance id>,
// agent to service. The answer is 201 and a channel answer.
type CreateControlChannel struct {
	MessageSchemaVersion string
	RequestID            string `json:"RequestId"`
}

// CreateDataChannel is the body of POST /v1/data-channel/<session id>, agent to
// service. The answer is 201 and a channel answer.
type CreateDataChannel struct {
	MessageSchemaVersion string
	RequestID            string `json:"RequestId"`
	ClientID             string `json:"ClientId"` // empty from deployed agents
}

// OpenControlChannel is the text frame that opens a control channel.
type OpenControlChannel struct {
	Cookie               *string // always null
	MessageSchemaVersion string
	RequestID            string `json:"RequestId"`
	TokenValue           string
	AgentVersion         string
	PlatformType         string
}

// Root elements of channel answers, as the service names them. Agents do not
// look at them.
const (
	ControlChannelAnswer = "CreateControlChannelResponse"
	DataChannelAnswer    = "CreateDataChannelResponse"
)

// AppendChannelAnswer appends the XML that answers the creation of a channel:
// the token that opens it, below the given root element.
func AppendChannelAnswer(dst []byte, root, token string) []byte {
	var escaped bytes.Buffer
	_ = xml.EscapeText(&escaped, []byte(token)) // a Buffer takes everything
	dst = append(append(append(dst, '<'), root...), ` xmlns=""><MessageSchemaVersion>`+SchemaVersion+`</MessageSchemaVersion><TokenValue>`...)
	dst = append(dst, escaped.Bytes()...)
	dst = append(dst, `</TokenValue></`...)
	return append(append(dst, root...), '>')
}

// ParseChannelAnswer reads the token from such an answer, below any root. The
// answer is never quoted in the error: it holds a secret.
func ParseChannelAnswer(b []byte) (token string, err error) {
	var v struct{ TokenValue string }
	if err := xml.Unmarshal(b, &v); err != nil {
		return "", errors.New("malformed channel answer")
	}
	if v.TokenValue == "" {
		return "", errors.New("channel answer without a token")
	}
	return v.TokenValue, nil
}
