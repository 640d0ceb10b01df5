package control

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// connectOp is an operation of EC2 Instance Connect, whose name for what is wrong
// with a request is its own.
func connectOp[In any](run func(*call, *In) (any, error)) operation {
	inner := op("ec2-instance-connect", run)
	return operation{inner.service, func(c *call, raw any) (any, error) {
		out, err := inner.run(c, raw)
		var api *apiError
		if errors.As(err, &api) && api.Code == "ValidationException" {
			err = &apiError{Code: "InvalidArgsException", Message: api.Message}
		}
		return out, err
	}}
}

type sendSSHPublicKeyIn struct {
	InstanceID       string `json:"InstanceId" api:"required,len=10..32" pattern:"^i-[a-f0-9]+$"`
	InstanceOSUser   string `api:"required,len=1..32" pattern:"^[A-Za-z0-9_][A-Za-z0-9@._-]{0,30}[A-Za-z0-9$_-]?$"`
	SSHPublicKey     string `api:"required,len=80..4096"`
	AvailabilityZone string `api:"len=6..32"`
}

type sendSSHPublicKeyOut struct {
	RequestID string `json:"RequestId"`
	Success   bool
}

func (c *call) sendSSHPublicKey(in *sendSSHPublicKeyIn) (any, error) {
	key := strings.TrimSpace(in.SSHPublicKey)
	switch {
	case !isPublicKey(key):
		return nil, &apiError{Code: "InvalidArgsException", Message: "The SSH public key is not valid."}
	case strings.Contains(in.InstanceOSUser, "denied"): // a user to try a refusal with
		return nil, &apiError{Code: "AuthException", Message: "Either your AWS credentials are not valid or you do not have access to the EC2 instance."}
	}
	if err := c.world.PushSSHKey(in.InstanceID, in.InstanceOSUser, key); err != nil {
		return nil, err
	}
	return sendSSHPublicKeyOut{newRequestID(), true}, nil
}

// isPublicKey wants one line of a type that EC2 Instance Connect documents.
// Whether the real service takes the types' data apart as well is not known.
func isPublicKey(line string) bool {
	fields := strings.Fields(line)
	if len(fields) < 2 || strings.ContainsAny(line, "\r\n") || !slices.Contains([]string{"ssh-ed25519", "ssh-rsa"}, fields[0]) {
		return false
	}
	_, err := base64.StdEncoding.DecodeString(fields[1])
	return err == nil
}
