package instanceconnect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=instanceconnect

// api is what this package needs of *ec2instanceconnect.Client.
type api interface {
	SendSSHPublicKey(context.Context, *ec2instanceconnect.SendSSHPublicKeyInput, ...func(*ec2instanceconnect.Options)) (*ec2instanceconnect.SendSSHPublicKeyOutput, error)
}
