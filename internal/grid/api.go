package grid

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=grid

// api is the part of *organizations.Client this package calls.
type api interface {
	ListAccounts(context.Context, *organizations.ListAccountsInput, ...func(*organizations.Options)) (*organizations.ListAccountsOutput, error)
	ListAccountsForParent(context.Context, *organizations.ListAccountsForParentInput, ...func(*organizations.Options)) (*organizations.ListAccountsForParentOutput, error)
	ListOrganizationalUnitsForParent(context.Context, *organizations.ListOrganizationalUnitsForParentInput, ...func(*organizations.Options)) (*organizations.ListOrganizationalUnitsForParentOutput, error)
}
