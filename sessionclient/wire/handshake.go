package wire

import (
	"encoding/json"
	"fmt"
)

// Actions an agent may ask for in its HandshakeRequest.
const (
	ActionSessionType   = "SessionType"
	ActionKMSEncryption = "KMSEncryption"
)

// ActionStatus is the client's answer to one requested action.
type ActionStatus int

// The action statuses. Anything but ActionSuccess makes the agent end the session.
const (
	ActionSuccess     ActionStatus = 1
	ActionFailed      ActionStatus = 2
	ActionUnsupported ActionStatus = 3
)

// SessionType is the kind of a session, as its document names it.
type SessionType string

// The session types that agents know.
const (
	StandardStream         SessionType = "Standard_Stream"
	InteractiveCommands    SessionType = "InteractiveCommands"
	NonInteractiveCommands SessionType = "NonInteractiveCommands"
	Port                   SessionType = "Port"
)

// HandshakeRequest is payload type 5, agent to client.
type HandshakeRequest struct {
	AgentVersion           string
	RequestedClientActions []RequestedAction
}

// RequestedAction is one thing the agent wants the client to do. How
// ActionParameters reads depends on ActionType.
type RequestedAction struct {
	ActionType       string
	ActionParameters json.RawMessage
}

// SessionTypeRequest is the parameters of ActionSessionType. Properties is null
// for shells and commands, PortProperties for ports.
type SessionTypeRequest struct {
	SessionType SessionType
	Properties  json.RawMessage
}

// PortProperties tells how a port session was set up. All values are text, and
// absent where the document or the user gave none. The order is the agent's.
type PortProperties struct {
	Host            string `json:"host,omitempty"`
	LocalPortNumber string `json:"localPortNumber,omitempty"`
	PortNumber      string `json:"portNumber,omitempty"`
	Type            string `json:"type,omitempty"` // LocalPortForwarding, or "" for stdio
}

// LocalPortForwarding is the PortProperties.Type of forwarded local ports.
const LocalPortForwarding = "LocalPortForwarding"

// KMSEncryptionRequest is the parameters of ActionKMSEncryption. Challenge is
// sent by agents since 3.3.808 and empty from older ones.
type KMSEncryptionRequest struct {
	KMSKeyID  string `json:"KMSKeyId"`
	Challenge string `json:"Challenge,omitempty"` // base64 of 16 random bytes, used as text
}

// HandshakeResponse is payload type 6, client to agent: one processed action
// for each requested one, in the same order.
type HandshakeResponse struct {
	ClientVersion          string
	ProcessedClientActions []ProcessedAction
	Errors                 []string
}

// ProcessedAction is the client's answer to one RequestedAction.
type ProcessedAction struct {
	ActionType   string
	ActionStatus ActionStatus
	ActionResult json.RawMessage
	Error        string
}

// KMSEncryptionResponse is the result of ActionKMSEncryption. The hash is
// declared by the reference programs, which neither compute nor check it.
type KMSEncryptionResponse struct {
	KMSCipherTextKey         []byte
	KMSCipherTextHash        []byte
	ChallengeAcknowledgement bool `json:"ChallengeAcknowledgement,omitempty"`
}

// HandshakeComplete is payload type 7, agent to client.
type HandshakeComplete struct {
	HandshakeTimeToComplete int64 // nanoseconds
	CustomerMessage         string
}

// EncryptionChallenge is payload types 8 and 9: random bytes, encrypted by the
// sender with its own key.
type EncryptionChallenge struct {
	Challenge []byte
}

// Unmarshal reads a JSON payload into v and names the payload in its error. The
// input is never quoted: it may hold secrets.
func Unmarshal(what string, payload []byte, v any) error {
	if err := json.Unmarshal(payload, v); err != nil {
		return fmt.Errorf("malformed %s: %w", what, err)
	}
	return nil
}
