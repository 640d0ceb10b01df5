package grid

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// members resolves the words of Spec.Accounts: ids stand for themselves, the rest
// is looked up with AWS Organizations. Accounts that are not active are left out
// and returned apart. Each account is there once; the ids are sorted.
func members(ctx context.Context, client api, words []string) (ids, skipped []string, err error) {
	m := directory{client: client}
	for _, w := range words {
		unit, isUnit := strings.CutPrefix(w, "ou:")
		switch {
		case w == Organization:
			err = m.everybody(ctx)
		case isUnit:
			err = m.within(ctx, unit)
		default:
			m.ids = append(m.ids, w)
		}
		if err != nil {
			return nil, nil, explainOrganization(w, err)
		}
	}
	for _, list := range []*[]string{&m.ids, &m.skipped} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return m.ids, m.skipped, nil
}

// directory collects accounts.
type directory struct {
	client       api
	ids, skipped []string
}

func (m *directory) add(accounts []types.Account) {
	for _, a := range accounts {
		// Status is what State replaces; a service that leaves one out has the other.
		if a.Status == types.AccountStatusActive || a.Status == "" && a.State == types.AccountStateActive {
			m.ids = append(m.ids, aws.ToString(a.Id))
			continue
		}
		state := string(a.Status)
		if state == "" {
			state = string(a.State)
		}
		m.skipped = append(m.skipped, fmt.Sprintf("%s (%s)", aws.ToString(a.Id), strings.ToLower(strings.ReplaceAll(state, "_", " "))))
	}
}

func (m *directory) everybody(ctx context.Context) error {
	return turn(func(token *string) (*string, error) {
		out, err := m.client.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		m.add(out.Accounts)
		return out.NextToken, nil
	})
}

// within adds the accounts of a unit and of all units below it.
func (m *directory) within(ctx context.Context, parent string) error {
	err := turn(func(token *string) (*string, error) {
		out, err := m.client.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: aws.String(parent), NextToken: token})
		if err != nil {
			return nil, err
		}
		m.add(out.Accounts)
		return out.NextToken, nil
	})
	if err != nil {
		return err
	}
	var units []string
	err = turn(func(token *string) (*string, error) {
		out, err := m.client.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(parent), NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, u := range out.OrganizationalUnits {
			units = append(units, aws.ToString(u.Id))
		}
		return out.NextToken, nil
	})
	for _, u := range units {
		if err != nil {
			return err
		}
		err = m.within(ctx, u)
	}
	return err
}

// turn asks for page after page.
func turn(page func(token *string) (*string, error)) error {
	var token *string
	for {
		next, err := page(token)
		switch {
		case err != nil:
			return err
		case aws.ToString(next) == "":
			return nil
		case token != nil && *next == *token:
			return fault.New(fault.Failed, "", "the service gave the same page twice")
		}
		token = next
	}
}

func explainOrganization(word string, err error) error {
	op := "list the accounts of the organization"
	if word != Organization {
		op = "list the accounts of " + word
	}
	explained := awsapi.Explain(op, err)
	var none *types.AWSOrganizationsNotInUseException
	var e *fault.Error
	switch {
	case errors.As(err, &none):
		return fault.New(fault.NotFound, op, "this account is in no organization").WithHint("name the accounts: --accounts 111111111111,222222222222")
	case errors.As(explained, &e) && e.Kind == fault.Auth && e.Code != "":
		e.Hint = "ask from the management account or a delegated administrator, or name the accounts: --accounts 111111111111,222222222222"
	}
	return explained
}
