package control

import (
	"encoding/json"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// maxPolicy is the size limit of a resource policy in bytes (API reference,
// ResourcePolicyLimitExceededException).
const maxPolicy = 1024

func resourcePolicyOperations() map[string]operation {
	return map[string]operation{
		"PutResourcePolicy":    recorded((*call).putResourcePolicy),
		"GetResourcePolicies":  recorded((*call).getResourcePolicies),
		"DeleteResourcePolicy": recorded((*call).deleteResourcePolicy),
	}
}

// shareable refuses resources that cannot have a policy: only advanced
// parameters, documents and the group of OpsItems can.
func (c *call) shareable(arn string) error {
	_, resource, ok := strings.Cut(arn, ":ssm:"+c.world.Region()+":"+c.world.Account()+":")
	kind, _, _ := strings.Cut(resource, "/")
	switch {
	case !ok:
	case kind == "opsitemgroup":
		return nil
	case kind == "parameter":
		p, found := c.world.Parameter(arn)
		switch {
		case !found:
			return world.Errorf("ResourceNotFoundException", "Parameter %s does not exist.", arn)
		case p.Latest().Tier != "Advanced":
			return world.Errorf("ResourcePolicyInvalidParameterException", "Only parameters of the advanced tier can be shared.")
		}
		return nil
	case kind == "document":
		if _, err := c.world.Document(arn); err != nil {
			return world.Errorf("ResourceNotFoundException", "Document %s does not exist.", arn)
		}
		return nil
	}
	return world.Errorf("ResourcePolicyInvalidParameterException", "%s is not a resource of this account that can have a policy.", arn)
}

// policiesOf returns the policies of a resource.
func policiesOf(t *world.Tables, arn string) []world.Record {
	return keep(t.All(world.KindPolicy), func(r world.Record) bool { return textOf(r, "resource") == arn })
}

func (c *call) putResourcePolicy(t *world.Tables, in request) (any, error) {
	arn, policy, id := in.text("ResourceArn"), in.text("Policy"), in.text("PolicyId")
	if err := c.shareable(arn); err != nil {
		return nil, err
	}
	var parsed map[string]any
	switch {
	case json.Unmarshal([]byte(policy), &parsed) != nil || parsed["Statement"] == nil:
		return nil, world.Errorf("MalformedResourcePolicyDocumentException", "The policy is not a JSON object with a Statement.")
	case len(policy) > maxPolicy:
		return nil, world.Errorf("ResourcePolicyLimitExceededException", "A policy can't be greater than %d bytes in size.", maxPolicy)
	case (id == "") != (in.text("PolicyHash") == ""):
		return nil, world.Errorf("ResourcePolicyInvalidParameterException", "PolicyId and PolicyHash must be given together.")
	case id != "":
		if err := current(t, arn, id, in.text("PolicyHash")); err != nil {
			return nil, err
		}
	case strings.Contains(arn, ":opsitemgroup/") && len(policiesOf(t, arn)) > 0:
		return nil, world.Errorf("ResourcePolicyLimitExceededException", "Only one policy can be attached to OpsItemGroup.")
	default:
		id = world.NewUUID()
	}
	if strings.Contains(arn, ":parameter/") {
		if err := c.world.CheckShared(arn, policy); err != nil {
			return nil, err
		}
	}
	return c.world.PutPolicy(t, arn, id, policy), nil
}

// current refuses a change of a policy that somebody else has changed.
func current(t *world.Tables, arn, id, hash string) error {
	old, ok := t.Get(world.KindPolicy, arn+" "+id)
	switch {
	case !ok:
		return world.Errorf("ResourcePolicyNotFoundException", "No policy with the ID %s is attached to %s.", id, arn)
	case textOf(old, "PolicyHash") != hash:
		return world.Errorf("ResourcePolicyConflictException", "The hash provided in the call doesn't match the stored hash.")
	}
	return nil
}

func (c *call) getResourcePolicies(t *world.Tables, in request) (any, error) {
	arn := in.text("ResourceArn")
	if err := c.shareable(arn); err != nil {
		return nil, err
	}
	return c.listing("GetResourcePolicies", "Policies", "PolicyId", policiesOf(t, arn), in, 50)
}

func (c *call) deleteResourcePolicy(t *world.Tables, in request) (any, error) {
	arn, id := in.text("ResourceArn"), in.text("PolicyId")
	if err := c.shareable(arn); err != nil {
		return nil, err
	}
	if err := current(t, arn, id, in.text("PolicyHash")); err != nil {
		return nil, err
	}
	t.Delete(world.KindPolicy, arn+" "+id)
	return empty(), nil
}
