package cli

import (
	"context"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
)

// NewDoctor returns the service that examines the machines of a scope. It has read
// nothing yet. profile is the instance profile that it may attach.
func NewDoctor(scope *awsapi.Scope, profile string) *doctor.Service {
	d := doctor.New(doctor.Parts{
		SSM: scope.SSM(), Fleet: fleet.New(scope.SSM(), nil), Network: network.New(scope.Config()), IAM: iam.New(scope.Config()),
		Preferences: preferences.New(scope.SSM()), Region: scope.Region(),
		Identity: func(ctx context.Context) (account, arn string, err error) {
			id, err := scope.Identity(ctx)
			return id.Account, id.ARN, err
		},
	})
	d.Profile = profile
	return d
}
