package sessionclient

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// maxActions bounds what one request may ask for; agents ask for two things.
// The response repeats them all and has to fit into a message.
const maxActions = 64

// handshake is the client's half of the handshake, as a machine without I/O.
//
//	waiting ──HandshakeRequest──▶ keying (KMS only) ──key──▶ answered
//	waiting ──Output, StdErr, ExitCode──▶ open (no handshake)
//	waiting ──silence──▶ open (assumed) ──HandshakeRequest──▶ keying or answered
//	answered ──EncChallengeRequest──▶ answered
//	answered ──HandshakeComplete──▶ open
//
// Exactly one response is ever sent: a second one blocks the agent for good.
type handshake struct {
	state   handshakeState
	assumed bool // open without a sign of the agent's

	agentVersion string
	kind         wire.SessionType
	properties   json.RawMessage
	message      string // for the user, from HandshakeComplete

	response wire.HandshakeResponse
	kms      *wire.KMSEncryptionRequest // what the agent asked for; nil: no encryption
	keyIndex int                        // which action of the response waits for the data key
	seal     *seal
}

type handshakeState int

const (
	waiting handshakeState = iota
	keying
	answered
	open
)

// keyWanted asks the driver for a data key; the result goes to handshake.key.
type keyWanted struct {
	keyID     string
	challenge string
}

// request takes a HandshakeRequest. It returns the response to send, or a wish
// for a data key that must be met first, or neither for a repetition.
func (h *handshake) request(payload []byte) (reply []byte, want *keyWanted, err error) {
	if h.state != waiting && !h.assumed {
		return nil, nil, nil
	}
	var req wire.HandshakeRequest
	if err := wire.Unmarshal("handshake request", payload, &req); err != nil {
		return nil, nil, err
	}
	if n := len(req.RequestedClientActions); n > maxActions {
		return nil, nil, fmt.Errorf("handshake request with %d actions", n)
	}
	h.assumed = false
	h.agentVersion = req.AgentVersion
	h.response = wire.HandshakeResponse{
		ClientVersion:          ClientVersion,
		ProcessedClientActions: make([]wire.ProcessedAction, 0, len(req.RequestedClientActions)),
	}
	ready := true
	for i, action := range req.RequestedClientActions {
		done := wire.ProcessedAction{ActionType: short(action.ActionType), ActionStatus: wire.ActionSuccess}
		switch action.ActionType {
		case wire.ActionSessionType:
			h.fail(&done, wire.ActionFailed, h.sessionType(action.ActionParameters))
		case wire.ActionKMSEncryption:
			err := h.encryption(i, action.ActionParameters)
			h.fail(&done, wire.ActionFailed, err)
			ready = ready && err != nil
		default:
			h.fail(&done, wire.ActionUnsupported, fmt.Errorf("unsupported action %q", short(action.ActionType)))
		}
		h.response.ProcessedClientActions = append(h.response.ProcessedClientActions, done)
	}
	if !ready {
		h.state = keying
		return nil, &keyWanted{keyID: h.kms.KMSKeyID, challenge: h.kms.Challenge}, nil
	}
	return h.answer(), nil, nil
}

// short bounds a text of the agent's that is sent back.
func short(s string) string { return s[:min(len(s), 256)] }

func (h *handshake) sessionType(params json.RawMessage) error {
	var st wire.SessionTypeRequest
	if err := wire.Unmarshal("session type", params, &st); err != nil {
		return err
	}
	switch st.SessionType {
	case wire.StandardStream, wire.InteractiveCommands, wire.NonInteractiveCommands, wire.Port:
		h.kind, h.properties = st.SessionType, st.Properties
		return nil
	default:
		return fmt.Errorf("unknown session type %q", short(string(st.SessionType)))
	}
}

// encryption notes what action i wants. From here on nothing passes in the
// clear, whatever becomes of it.
func (h *handshake) encryption(i int, params json.RawMessage) error {
	if h.kms != nil {
		return errors.New("encryption was asked for twice")
	}
	h.kms, h.keyIndex = new(wire.KMSEncryptionRequest), i
	if err := wire.Unmarshal("encryption request", params, h.kms); err != nil {
		return err
	}
	if h.kms.KMSKeyID == "" {
		return errors.New("encryption was asked for without a key")
	}
	return nil
}

// key completes the response with the data key, or with the reason why there is
// none, which it returns too.
func (h *handshake) key(plain, sealed []byte, cause error) (reply []byte, failure error) {
	if h.state != keying {
		return nil, nil
	}
	done := &h.response.ProcessedClientActions[h.keyIndex]
	if cause == nil {
		h.seal, cause = newSeal(plain)
	}
	if cause != nil {
		h.fail(done, wire.ActionFailed, cause)
		return h.answer(), cause
	}
	done.ActionResult = wire.Marshal(wire.KMSEncryptionResponse{
		KMSCipherTextKey:         sealed,
		ChallengeAcknowledgement: h.kms.Challenge != "",
	})
	return h.answer(), nil
}

func (h *handshake) answer() []byte {
	h.state = answered
	return wire.Marshal(h.response)
}

// fail marks an action as failed, if there is an error.
func (h *handshake) fail(done *wire.ProcessedAction, status wire.ActionStatus, err error) {
	if err != nil {
		done.ActionStatus, done.Error = status, err.Error()
		h.response.Errors = append(h.response.Errors, done.Error)
	}
}

// challenge answers the agent's proof that both ends have the key.
func (h *handshake) challenge(payload []byte) (reply []byte, err error) {
	if h.state != answered || h.seal == nil {
		return nil, nil // not ours to answer
	}
	var c wire.EncryptionChallenge
	if err := wire.Unmarshal("encryption challenge", payload, &c); err != nil {
		return nil, err
	}
	plain, err := h.seal.Open(c.Challenge)
	if err != nil {
		return nil, fmt.Errorf("encryption challenge: %w", err)
	}
	sealed, err := h.seal.Seal(plain)
	if err != nil {
		return nil, err
	}
	return wire.Marshal(wire.EncryptionChallenge{Challenge: sealed}), nil
}

// complete takes HandshakeComplete and opens the session. It reports whether
// that changed anything: a repetition, or one out of turn, does not.
func (h *handshake) complete(payload []byte) (changed bool, err error) {
	if h.state != answered {
		return false, nil
	}
	var c wire.HandshakeComplete
	if err := wire.Unmarshal("handshake completion", payload, &c); err != nil {
		return false, err
	}
	if h.kms != nil && h.seal == nil {
		return false, errClear
	}
	h.message = c.CustomerMessage
	h.state = open
	if h.kind == "" { // an agent that named no type, or one that was refused
		h.kind = wire.StandardStream
	}
	return true, nil
}

// skip opens the session without a handshake: output came first, so it is a
// shell of an agent that wants none. It reports whether the state changed.
func (h *handshake) skip() bool {
	changed := h.assume()
	h.assumed = false
	return changed
}

// assume is skip without the output: an agent that wanted a handshake would have
// asked by now. Should it do so after all, it is answered.
func (h *handshake) assume() bool {
	if h.state != waiting {
		return false
	}
	h.kind, h.state, h.assumed = wire.StandardStream, open, true
	return true
}

// open opens a payload that the agent should have sealed if that was agreed.
func (h *handshake) open(payload []byte) ([]byte, error) {
	switch {
	case h.seal != nil:
		return h.seal.Open(payload)
	case h.kms != nil:
		return nil, errClear
	default:
		return payload, nil
	}
}
