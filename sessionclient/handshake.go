package sessionclient

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// handshake is the client's half of the handshake, as a machine without I/O.
//
//	waiting ──HandshakeRequest──▶ keying (KMS only) ──key──▶ answered
//	waiting ──Output, StdErr, ExitCode──▶ open (no handshake)
//	answered ──EncChallengeRequest──▶ answered
//	answered ──HandshakeComplete──▶ open
//
// Exactly one response is ever sent: a second one blocks the agent for good.
type handshake struct {
	state handshakeState

	agentVersion string
	kind         wire.SessionType
	properties   json.RawMessage
	message      string // for the user, from HandshakeComplete

	response wire.HandshakeResponse
	keyIndex int // which action of the response waits for the data key
	kms      wire.KMSEncryptionRequest
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
	if h.state != waiting {
		return nil, nil, nil
	}
	var req wire.HandshakeRequest
	if err := wire.Unmarshal("handshake request", payload, &req); err != nil {
		return nil, nil, err
	}
	h.agentVersion = req.AgentVersion
	h.response = wire.HandshakeResponse{
		ClientVersion:          ClientVersion,
		ProcessedClientActions: make([]wire.ProcessedAction, 0, len(req.RequestedClientActions)),
	}
	for i, action := range req.RequestedClientActions {
		done := wire.ProcessedAction{ActionType: action.ActionType, ActionStatus: wire.ActionSuccess}
		switch action.ActionType {
		case wire.ActionSessionType:
			err = h.sessionType(action.ActionParameters)
		case wire.ActionKMSEncryption:
			if want != nil {
				err = errors.New("encryption was asked for twice")
				break
			}
			err = wire.Unmarshal("encryption request", action.ActionParameters, &h.kms)
			want = &keyWanted{keyID: h.kms.KMSKeyID, challenge: h.kms.Challenge}
			h.keyIndex = i
		default:
			done.ActionStatus = wire.ActionUnsupported
			h.fail(&done, fmt.Errorf("unsupported action %q", action.ActionType))
			err = nil
		}
		if err != nil {
			done.ActionStatus = wire.ActionFailed
			h.fail(&done, err)
			err = nil
		}
		h.response.ProcessedClientActions = append(h.response.ProcessedClientActions, done)
	}
	if want != nil {
		h.state = keying
		return nil, want, nil
	}
	return h.answer(), nil, nil
}

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
		return fmt.Errorf("unknown session type %q", st.SessionType)
	}
}

// key completes the response with the data key, or with the reason why there is
// none.
func (h *handshake) key(plain, sealed []byte, cause error) (reply []byte) {
	if h.state != keying {
		return nil
	}
	done := &h.response.ProcessedClientActions[h.keyIndex]
	if cause == nil {
		h.seal, cause = newSeal(plain)
	}
	if cause != nil {
		done.ActionStatus = wire.ActionFailed
		h.fail(done, cause)
		return h.answer()
	}
	done.ActionResult = wire.Marshal(wire.KMSEncryptionResponse{
		KMSCipherTextKey:         sealed,
		ChallengeAcknowledgement: h.kms.Challenge != "",
	})
	return h.answer()
}

func (h *handshake) answer() []byte {
	h.state = answered
	return wire.Marshal(h.response)
}

func (h *handshake) fail(done *wire.ProcessedAction, err error) {
	done.Error = err.Error()
	h.response.Errors = append(h.response.Errors, err.Error())
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
	sealed, err := h.seal.Seal(nil, plain)
	if err != nil {
		return nil, err
	}
	return wire.Marshal(wire.EncryptionChallenge{Challenge: sealed}), nil
}

// complete takes HandshakeComplete and opens the session.
func (h *handshake) complete(payload []byte) error {
	if h.state != answered {
		return nil // a repetition, or out of turn
	}
	var c wire.HandshakeComplete
	if err := wire.Unmarshal("handshake completion", payload, &c); err != nil {
		return err
	}
	h.message = c.CustomerMessage
	h.state = open
	if h.kind == "" { // an agent that named no type, or one that was refused
		h.kind = wire.StandardStream
	}
	return nil
}

// skip opens the session without a handshake: output came first, so it is a
// shell of an agent that wants none. It reports whether the state changed.
func (h *handshake) skip() bool {
	if h.state != waiting {
		return false
	}
	h.kind = wire.StandardStream
	h.state = open
	return true
}
