package preferences

import (
	"context"
	"maps"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// RunAsDocument is the Session document whose parameter UserParameter names the
// user that a shell runs as, unless another is chosen.
const RunAsDocument = "SSMDeck-RunAs"

// UserParameter is the parameter of a run-as document that names the user.
const UserParameter = "user"

// RunAs returns the document name as it must be for shells to be opened as any
// of users: a shell with the account's settings whose user is a parameter. The
// agent fills placeholders in the inputs of Session documents as it does in
// their properties.
func (s *Service) RunAs(ctx context.Context, name string, users []string) (Preferences, error) {
	if name == Account {
		return Preferences{}, fault.Usagef("%s holds the account's settings: choose another name", Account)
	}
	for _, u := range users {
		if err := userName(u); err != nil {
			return Preferences{}, fault.Usagef("%v", err)
		}
	}
	account, err := s.Get(ctx, Account)
	if err != nil {
		return Preferences{}, err
	}
	p, err := s.Get(ctx, name)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		p = fresh(name)
	case err != nil:
		return Preferences{}, err
	}
	p.Inputs = account.Inputs
	p.put("runAsEnabled", true)
	p.put("runAsDefaultUser", "{{ "+UserParameter+" }}")
	p.body = maps.Clone(fresh(name).body)
	p.body["description"] = "A shell as one of several users, with the settings of the account"
	p.body["parameters"] = map[string]any{
		UserParameter: map[string]any{
			"type": "String", "description": "The user of the node that the shell runs as.", "allowedValues": users,
		},
	}
	return p, nil
}
