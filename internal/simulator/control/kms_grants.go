package control

import (
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// grantOperations are what a grant can be for, of the operations that there are
// (KMS API reference, CreateGrant).
var grantOperations = []string{"Decrypt", "Encrypt", "GenerateDataKey", "DescribeKey"}

func (c *call) createGrant(in request) (any, error) {
	operations := in.texts("Operations")
	switch {
	case in.text("GranteePrincipal") == "":
		return nil, invalid("1 validation error detected: Value null at 'granteePrincipal' failed to satisfy constraint: Member must not be null")
	case len(operations) == 0, slices.ContainsFunc(operations, func(o string) bool { return !slices.Contains(grantOperations, o) }):
		return nil, invalid("The operations of the grant are not known to the simulator.")
	}
	id := world.NewHexID("", 64)
	err := c.world.EditKey(in.text("KeyId"), func(k *world.Key) error {
		k.Grants = append(slices.Clone(k.Grants), world.Grant{ID: id, Grantee: in.text("GranteePrincipal"), Operations: operations, Created: c.world.Now()})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return world.Record{"GrantId": id, "GrantToken": id}, nil
}

func (c *call) listGrants(in request) (any, error) {
	k, err := c.world.Key(in.text("KeyId"))
	if err != nil {
		return nil, err
	}
	type item struct {
		KeyID            string `json:"KeyId"`
		GrantID          string `json:"GrantId"`
		GranteePrincipal string
		IssuingAccount   string
		Operations       []string
		CreationDate     epoch
	}
	var items []item
	for _, g := range k.Grants {
		items = append(items, item{k.ARN, g.ID, g.Grantee, "arn:aws:iam::" + c.world.Account() + ":root", g.Operations, epoch{g.Created}})
	}
	return keyPage(c, "ListGrants", "Grants", items, func(i item) string { return i.GrantID }, in, 50)
}

func (c *call) revokeGrant(in request) (any, error) {
	return empty(), c.world.EditKey(in.text("KeyId"), func(k *world.Key) error {
		left := slices.DeleteFunc(slices.Clone(k.Grants), func(g world.Grant) bool { return g.ID == in.text("GrantId") })
		if len(left) == len(k.Grants) {
			return world.Errorf("NotFoundException", "Grant ID %s not found", in.text("GrantId"))
		}
		k.Grants = left
		return nil
	})
}
