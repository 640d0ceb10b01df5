package instanceconnect

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
	"github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const node = "i-0123456789abcdef0"

func TestPushSendsTheKey(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().SendSSHPublicKey(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ec2instanceconnect.SendSSHPublicKeyInput, _ ...func(*ec2instanceconnect.Options)) (*ec2instanceconnect.SendSSHPublicKeyOutput, error) {
			if aws.ToString(in.InstanceId) != node || aws.ToString(in.InstanceOSUser) != "ec2-user" || aws.ToString(in.SSHPublicKey) != "ssh-ed25519 AAAA" {
				t.Errorf("sent %s %s %s", aws.ToString(in.InstanceId), aws.ToString(in.InstanceOSUser), aws.ToString(in.SSHPublicKey))
			}
			return &ec2instanceconnect.SendSSHPublicKeyOutput{Success: true}, nil
		})
	if err := (&Service{m}).Push(t.Context(), node, "ec2-user", "ssh-ed25519 AAAA"); err != nil {
		t.Error(err)
	}
}

func TestPushFailures(t *testing.T) {
	call := func(err error) error {
		return &smithy.OperationError{ServiceID: "EC2 Instance Connect", OperationName: "SendSSHPublicKey", Err: err}
	}
	tests := []struct {
		name       string
		err        error
		kind       fault.Kind
		text, hint string
	}{
		{"unknown", call(&types.EC2InstanceNotFoundException{Message: aws.String("not found")}), fault.NotFound, "not found", "exists in this account"},
		{"stopped", call(&types.EC2InstanceStateInvalidException{Message: aws.String("stopped")}), fault.Failed, "stopped", "start the instance"},
		{"denied", call(&types.AuthException{Message: aws.String("no access")}), fault.Auth, "ec2-instance-connect:SendSSHPublicKey", ""},
		{"refused without an error", nil, fault.Failed, "did not take it", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMockapi(gomock.NewController(t))
			m.EXPECT().SendSSHPublicKey(gomock.Any(), gomock.Any()).Return(&ec2instanceconnect.SendSSHPublicKeyOutput{}, tt.err)
			err := (&Service{m}).Push(t.Context(), node, "root", "key")
			if err == nil || fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) || !strings.Contains(fault.HintOf(err), tt.hint) {
				t.Errorf("got %s %v, hint %q", fault.KindOf(err), err, fault.HintOf(err))
			}
		})
	}
}

// TestCheckComesBeforeTheCall: the mock expects none.
func TestCheckComesBeforeTheCall(t *testing.T) {
	s := &Service{NewMockapi(gomock.NewController(t))}
	for _, tt := range []struct{ node, user string }{
		{"mi-0123456789abcdef0", "root"}, {"ecs:a_b_c", "root"}, {node, ""}, {node, "a b"}, {node, "-x"}, {node, strings.Repeat("a", 33)},
	} {
		if err := s.Push(t.Context(), tt.node, tt.user, "key"); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s as %q: %v", tt.node, tt.user, err)
		}
	}
	for _, user := range []string{"ec2-user", "root", "a", "svc_x.y@corp", "machine$"} {
		if err := Check(node, user); err != nil {
			t.Error(err)
		}
	}
}
