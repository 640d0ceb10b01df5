package accountdata

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
)

// Policy is one policy as the service gives it.
type Policy struct {
	PolicyID   string `json:"PolicyId"`
	PolicyHash string `json:"PolicyHash"`
	Policy     string `json:"Policy"`
}

// PoliciesOf reads all policies of a resource.
func PoliciesOf(ctx context.Context, svc *rawapi.Service, arn string) ([]Policy, error) {
	op, err := rawapi.Find("GetResourcePolicies")
	if err != nil {
		return nil, err
	}
	r := op.NewRequest(nil)
	r.Set("ResourceArn", arn)
	res, err := svc.All(ctx, r, rawapi.Paging{})
	if err != nil {
		return nil, About("read the policies of "+arn, err)
	}
	var all []Policy
	if items := op.ItemsOf(res.Answer); len(items) > 0 {
		if err := json.Unmarshal(items, &all); err != nil {
			return nil, fault.New(fault.Failed, op.Kebab, "%w", err)
		}
	}
	return all, nil
}

// SameJSON reports whether two texts mean the same.
func SameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	p, errX := json.Marshal(x)
	q, errY := json.Marshal(y)
	return errX == nil && errY == nil && string(p) == string(q)
}

// About says of an error what was being done.
func About(what string, err error) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	c.Op = what
	return &c
}
