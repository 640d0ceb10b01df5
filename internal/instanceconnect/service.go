// Package instanceconnect pushes SSH public keys to EC2 instances with EC2
// Instance Connect, and reads and makes such keys. The SSH server of an instance
// whose image has the ec2-instance-connect package accepts a pushed key for 60
// seconds.
package instanceconnect

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
	"github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Service pushes keys in one account and Region. It is safe for concurrent use.
type Service struct{ api api }

// New returns a Service that uses the credentials of scope.
func New(scope *awsapi.Scope) *Service {
	return &Service{ec2instanceconnect.NewFromConfig(scope.Config())}
}

// userForm is what the API takes for a user of the operating system.
var userForm = pattern.Lazy(`^[A-Za-z_][A-Za-z0-9_@.-]{0,30}[A-Za-z0-9$_-]?$`)

// Check refuses what cannot be pushed, without a call: only EC2 instances know
// EC2 Instance Connect, and the service takes certain names of users only.
func Check(nodeID, user string) error {
	switch {
	case !strings.HasPrefix(nodeID, "i-"):
		return fault.Usagef("%s is no EC2 instance: EC2 Instance Connect has no way to give it a key", nodeID).
			WithHint("leave out --push-key, and log in with a key that the node knows")
	case user == "":
		return fault.Usagef("a key is pushed for one user of the node, and none is named").WithHint("name the user with --user ec2-user")
	case !userForm().MatchString(user):
		return fault.Usagef("%q is not a user that EC2 Instance Connect takes", user)
	}
	return nil
}

// Push lets key, a line as in authorized_keys, log in as user for the next 60
// seconds.
func (s *Service) Push(ctx context.Context, nodeID, user, key string) error {
	if err := Check(nodeID, user); err != nil {
		return err
	}
	out, err := s.api.SendSSHPublicKey(ctx, &ec2instanceconnect.SendSSHPublicKeyInput{
		InstanceId: aws.String(nodeID), InstanceOSUser: aws.String(user), SSHPublicKey: aws.String(key),
	})
	op := "push a key to " + nodeID
	switch {
	case err != nil:
		return explain(op, nodeID, err)
	case !out.Success:
		return fault.New(fault.Failed, op, "EC2 Instance Connect did not take it")
	}
	return nil
}

// explain adds hints to the errors that are this service's own.
func explain(op, nodeID string, err error) error {
	var (
		unknown *types.EC2InstanceNotFoundException
		state   *types.EC2InstanceStateInvalidException
		known   *fault.Error
	)
	out := awsapi.Explain(op, err)
	if !errors.As(out, &known) {
		return out
	}
	switch {
	case errors.As(err, &unknown):
		return known.WithHint("check that %s exists in this account and Region", nodeID)
	case errors.As(err, &state):
		return known.WithHint("start the instance first")
	}
	return out
}
