package control

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// agentOperations are what agents call of Systems Manager that nobody else does.
func agentOperations() map[string]operation {
	return map[string]operation{
		"RegisterManagedInstance":         op("ssm", (*call).registerManagedInstance),
		"RequestManagedInstanceRoleToken": op("ssm", (*call).requestRoleToken),
		"UpdateManagedInstancePublicKey":  op("ssm", (*call).updatePublicKey),

		"UpdateInstanceInformation":       op("ssm", (*call).updateInstanceInformation),
		"ListInstanceAssociations":        op("ssm", (*call).listInstanceAssociations),
		"UpdateInstanceAssociationStatus": op("ssm", (*call).updateInstanceAssociationStatus),
		"PutConfigurePackageResult":       op("ssm", (*call).putConfigurePackageResult),
		"GetManifest":                     op("ssm", (*call).getManifest),
	}
}

// signers are the operations that are not signed with an access key: a machine
// that registers has none yet, and proves who it is with its own key after that.
var signers = map[string]func(*Handler, *http.Request, []byte) (Caller, error){
	"AmazonSSM.RegisterManagedInstance":         (*Handler).anybody,
	"AmazonSSM.RequestManagedInstanceRoleToken": (*Handler).verifyNode,
	"AmazonSSM.UpdateManagedInstancePublicKey":  (*Handler).verifyNode,
}

// anybody is who an unsigned request is from. Its activation code is checked by
// the operation.
func (h *Handler) anybody(*http.Request, []byte) (Caller, error) {
	return Caller{ARN: "anonymous", Name: "anonymous"}, nil
}

// verifyNode checks the signature of a node's own key.
func (h *Handler) verifyNode(r *http.Request, body []byte) (Caller, error) {
	id, err := h.verifier.VerifyNode(r, body, h.world.NodeKey)
	if err != nil {
		return Caller{}, err
	}
	return Caller{ARN: h.world.ARN("ssm", "managed-instance/"+id), Name: id, Node: id}, nil
}

type registerManagedInstanceIn struct {
	ActivationCode string `api:"required,len=20..250"`
	ActivationID   string `json:"ActivationId" api:"required" pattern:"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"`
	Fingerprint    string `api:"required,len=1..100"`
	PublicKey      string `api:"required,len=1..4096"`
	PublicKeyType  string `api:"required,enum=Rsa"`
}

func (c *call) registerManagedInstance(in *registerManagedInstanceIn) (any, error) {
	key, err := publicKey("publicKey", in.PublicKey)
	if err != nil {
		return nil, err
	}
	id, err := c.world.Register(world.Registration{ActivationID: in.ActivationID, Code: in.ActivationCode, Fingerprint: in.Fingerprint, Key: key})
	if err != nil {
		return nil, err
	}
	c.log.Info("node registered", "node", id, "activation", in.ActivationID)
	return map[string]string{"InstanceId": id}, nil
}

// minKeyBits is the size of the keys that agents make.
const minKeyBits = 2048

// publicKey reads a key as agents send it: base64 of a DER-encoded PKIX
// structure with an RSA key.
func publicKey(member, text string) (*rsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		var k any
		if k, err = x509.ParsePKIXPublicKey(der); err == nil {
			if key, ok := k.(*rsa.PublicKey); ok && key.N.BitLen() >= minKeyBits {
				return key, nil
			}
		}
	}
	return nil, invalid("1 validation error detected: Value at '" + member + "' failed to satisfy constraint: Member must be an RSA public key of at least 2048 bits in base64 of its DER form")
}

type requestRoleTokenIn struct {
	Fingerprint string `api:"required,len=1..100"`
}

type roleTokenOut struct {
	AccessKeyID         string `json:"AccessKeyId"`
	SecretAccessKey     string
	SessionToken        string
	TokenExpirationDate epoch
	UpdateKeyPair       bool
}

// requestRoleToken makes credentials of the node's role, which are good for the
// calls of an agent and for its own node.
func (c *call) requestRoleToken(in *requestRoleTokenIn) (any, error) {
	rotate, err := c.world.CheckFingerprint(c.caller.Node, in.Fingerprint)
	if err != nil {
		return nil, err
	}
	n, ok := c.world.NodeInfo(c.caller.Node)
	if !ok {
		return nil, world.Errorf("InvalidInstanceId", "Not existing InstanceId %s", c.caller.Node)
	}
	expires := c.verifier.now().Add(c.world.Scenario().Agents.TokenTTL).Truncate(time.Second)
	role := n.IAMRole
	if r, ok := c.world.Role(role); ok {
		role = r.Name
	}
	creds := temporary(c.world.Account(), role, n.ID, expires)
	creds.Caller.Node = n.ID
	c.verifier.Issue(creds)
	return roleTokenOut{creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken, epoch{expires}, rotate}, nil
}

type updatePublicKeyIn struct {
	NewPublicKey     string `api:"required,len=1..4096"`
	NewPublicKeyType string `api:"required,enum=Rsa"`
}

func (c *call) updatePublicKey(in *updatePublicKeyIn) (any, error) {
	key, err := publicKey("newPublicKey", in.NewPublicKey)
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.world.ChangeKey(c.caller.Node, key)
}
