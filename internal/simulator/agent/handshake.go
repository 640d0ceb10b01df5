package agent

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// handshakeTimeout is what an agent waits for each of the client's two answers.
const handshakeTimeout = 15 * time.Second

// Texts the real agent puts into the result of a session.
const (
	textHandshake = "Encountered error while initiating handshake. "
	textTimeout   = "Handshake timed out. Please ensure that you have the latest version of the session manager plugin."
	textEncrypted = "This session is encrypted using AWS KMS."
)

// stage is how far a handshake has come.
type stage int

const (
	stageIdle      stage = iota // not begun: input is acknowledged and thrown away
	stageResponse               // waits for the HandshakeResponse
	stageChallenge              // waits for the answer to the encryption challenge
	stageOpen                   // over, or found unnecessary
)

// Why a handshake message is not acknowledged: the real agent's handler fails
// too, and goes on waiting until its time is up.
var errNotAcked = errors.New("handshake message refused")

// handshake is the agent's half of the opening dialogue. It decides and does
// nothing else; the worker sends what it returns and watches its deadline.
type handshake struct {
	spec             *world.SessionSpec
	agentVersion     string
	keys             world.DataKeys
	requireChallenge bool

	stage         stage
	began         time.Time
	deadline      time.Time // zero unless something is waited for
	clientVersion string
	challenge     string // the random challenge of the encryption context, as sent
	secret        []byte // what the encryption challenge must come back as
	sealer        *sealer
}

// needed reports whether the session has a handshake at all: ports and
// commands always, shells only to agree on a key.
func (h *handshake) needed() bool {
	switch wire.SessionType(h.spec.SessionType) {
	case wire.StandardStream, wire.InteractiveCommands:
		return h.encrypted()
	default:
		return true
	}
}

// encrypted reports whether payloads will be encrypted; never for ports.
func (h *handshake) encrypted() bool {
	return h.spec.KMSKeyID != "" && wire.SessionType(h.spec.SessionType) != wire.Port
}

// begin returns the payload of the HandshakeRequest.
func (h *handshake) begin(now time.Time) []byte {
	h.stage, h.began, h.deadline = stageResponse, now, now.Add(handshakeTimeout)
	params := wire.SessionTypeRequest{SessionType: wire.SessionType(h.spec.SessionType)}
	if params.SessionType == wire.Port && json.Valid(h.spec.Properties) {
		params.Properties = h.spec.Properties
	}
	actions := []wire.RequestedAction{{ActionType: wire.ActionSessionType, ActionParameters: wire.Marshal(params)}}
	if h.encrypted() {
		kms := wire.KMSEncryptionRequest{KMSKeyID: h.spec.KMSKeyID}
		if agentChallenges(h.agentVersion) {
			random := make([]byte, 16)
			_, _ = rand.Read(random) // never fails
			h.challenge = base64.StdEncoding.EncodeToString(random)
			kms.Challenge = h.challenge
		}
		actions = append(actions, wire.RequestedAction{
			ActionType: wire.ActionKMSEncryption, ActionParameters: wire.Marshal(kms),
		})
	}
	return wire.Marshal(wire.HandshakeRequest{AgentVersion: h.agentVersion, RequestedClientActions: actions})
}

// respond takes a HandshakeResponse. With encryption the handshake goes on with
// the returned challenge, else it is over. errNotAcked means that the agent
// goes on waiting, any other error ends the session.
func (h *handshake) respond(ctx context.Context, now time.Time, payload []byte) (challenge []byte, err error) {
	var r wire.HandshakeResponse
	if err := json.Unmarshal(payload, &r); err != nil {
		return nil, errNotAcked
	}
	h.clientVersion = r.ClientVersion
	var sealed *wire.KMSEncryptionResponse
	for _, a := range r.ProcessedClientActions {
		if a.ActionStatus != wire.ActionSuccess {
			return nil, fmt.Errorf("%s failed on client with status %d error: %s", a.ActionType, a.ActionStatus, a.Error)
		}
		if a.ActionType != wire.ActionKMSEncryption || !h.encrypted() {
			continue
		}
		sealed = new(wire.KMSEncryptionResponse)
		if err := json.Unmarshal(a.ActionResult, sealed); err != nil {
			return nil, errNotAcked
		}
	}
	if !h.encrypted() {
		h.stage, h.deadline = stageOpen, time.Time{}
		return nil, nil
	}
	// Deviation: the real agent accepts a response that leaves the KMS action
	// out and then fails; here it is said at once.
	if sealed == nil {
		return nil, errors.New("KMSEncryption was not processed by the client")
	}
	return h.unseal(ctx, now, sealed)
}

// unseal gets the data key and makes the encryption challenge.
func (h *handshake) unseal(ctx context.Context, now time.Time, r *wire.KMSEncryptionResponse) ([]byte, error) {
	encContext := map[string]string{
		"aws:ssm:SessionId": h.spec.ID,
		"aws:ssm:TargetId":  h.spec.NodeID,
	}
	switch {
	case r.ChallengeAcknowledgement && h.challenge != "":
		encContext["aws:ssm:RandomChallenge"] = h.challenge
	case h.requireChallenge && h.challenge != "":
		return nil, errors.New("KMS challenge response is required, but was not acknowledged by the client")
	}
	if h.keys == nil {
		return nil, errors.New("fetching data key failed: no key provider")
	}
	key, err := h.keys.Decrypt(ctx, r.KMSCipherTextKey, encContext)
	if err != nil {
		return nil, fmt.Errorf("fetching data key failed: unable to retrieve data key, error when decrypting data key: %w", err)
	}
	if h.sealer, err = newSealer(key); err != nil {
		return nil, err
	}
	h.secret = make([]byte, 64)
	_, _ = rand.Read(h.secret) // never fails
	h.stage, h.deadline = stageChallenge, now.Add(handshakeTimeout)
	return wire.Marshal(wire.EncryptionChallenge{Challenge: h.sealer.seal(h.secret)}), nil
}

// answer takes the client's answer to the encryption challenge. A wrong one is
// errNotAcked: the real agent does not say so either, it waits out its time.
func (h *handshake) answer(payload []byte) error {
	var c wire.EncryptionChallenge
	if err := json.Unmarshal(payload, &c); err != nil {
		return errNotAcked
	}
	plain, err := h.sealer.open(c.Challenge)
	if err != nil || subtle.ConstantTimeCompare(plain, h.secret) != 1 {
		return errNotAcked
	}
	h.secret = nil
	h.stage, h.deadline = stageOpen, time.Time{}
	return nil
}

// complete returns the payload of the HandshakeComplete.
func (h *handshake) complete(now time.Time) []byte {
	c := wire.HandshakeComplete{HandshakeTimeToComplete: int64(now.Sub(h.began))}
	if h.encrypted() {
		c.CustomerMessage = textEncrypted
	}
	return wire.Marshal(c)
}
