package control

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// activationOperations are hybrid activations and the nodes that came of them.
func activationOperations() map[string]operation {
	return map[string]operation{
		"CreateActivation":          op("ssm", (*call).createActivation),
		"DeleteActivation":          op("ssm", (*call).deleteActivation),
		"DescribeActivations":       op("ssm", (*call).describeActivations),
		"DeregisterManagedInstance": op("ssm", (*call).deregisterManagedInstance),
		"UpdateManagedInstanceRole": op("ssm", (*call).updateManagedInstanceRole),
	}
}

// maxActivation is how far ahead an activation may expire, and defaultActivation
// when it does without a word (API reference, CreateActivation).
const (
	maxActivation     = 30 * 24 * time.Hour
	defaultActivation = 24 * time.Hour
)

type createActivationIn struct {
	Description          string `api:"len=0..256" pattern:"^[\\s\\S]{0,256}$"`
	DefaultInstanceName  string `api:"len=0..256" pattern:"^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$"`
	IamRole              string `api:"required,len=0..64"`
	RegistrationLimit    *int   `api:"range=1..1000"`
	ExpirationDate       any
	Tags                 []tag `api:"items=0..1000"`
	RegistrationMetadata []struct {
		Key   string `api:"required,len=1..128"`
		Value string `api:"required,len=0..128"`
	} `api:"items=0..2"`
}

func (c *call) createActivation(in *createActivationIn) (any, error) {
	now := c.world.Now()
	expires := now.Add(defaultActivation)
	if in.ExpirationDate != nil {
		var err error
		if expires, err = timestamp(in.ExpirationDate); err != nil {
			return nil, err
		}
	}
	switch {
	case !expires.After(now):
		return nil, world.Errorf("InvalidParameters", "ExpirationDate must be in the future.")
	case expires.After(now.Add(maxActivation + time.Minute)): // clocks differ
		return nil, world.Errorf("InvalidParameters", "ExpirationDate must be within 30 days from now.")
	}
	a := world.Activation{
		Description: in.Description, DefaultName: in.DefaultInstanceName, Role: in.IamRole, Limit: 1,
		Expires: expires, Tags: map[string]string{},
	}
	if in.RegistrationLimit != nil {
		a.Limit = *in.RegistrationLimit
	}
	for _, t := range in.Tags {
		a.Tags[t.Key] = t.Value
	}
	a, code, err := c.world.CreateActivation(a)
	if err != nil {
		return nil, err
	}
	return map[string]string{"ActivationId": a.ID, "ActivationCode": code}, nil
}

// timestamp reads a time: seconds since 1970, or text as in ISO 8601.
func timestamp(raw any) (time.Time, error) {
	switch v := raw.(type) {
	case json.Number:
		s, err := strconv.ParseFloat(string(v), 64)
		if err == nil && s > -1e11 && s < 1e11 {
			return time.UnixMilli(int64(s * 1000)), nil
		}
	case string:
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return t, nil
		}
	}
	return time.Time{}, serialization(kindOf(raw) + " can not be converted to a Timestamp")
}

type activationIDIn struct {
	ActivationID string `json:"ActivationId" api:"required" pattern:"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"`
}

func (c *call) deleteActivation(in *activationIDIn) (any, error) {
	return struct{}{}, c.world.DeleteActivation(in.ActivationID)
}

type describeActivationsIn struct {
	Filters []struct {
		FilterKey    string   `api:"enum=ActivationIds|DefaultInstanceName|IamRole"`
		FilterValues []string `api:"items=0..50"`
	}
	MaxResults *int `api:"range=1..50"`
	NextToken  string
}

type activationItem struct {
	ActivationID        string `json:"ActivationId"`
	Description         string `json:"Description,omitempty"`
	DefaultInstanceName string `json:"DefaultInstanceName,omitempty"`
	IamRole             string
	RegistrationLimit   int
	RegistrationsCount  int
	ExpirationDate      epoch
	Expired             bool
	CreatedDate         epoch
	Tags                []tag `json:"Tags,omitempty"`
}

// activationKeys are the filter keys, with the value an activation has for each.
var activationKeys = map[string]func(world.Activation) string{
	"ActivationIds":       func(a world.Activation) string { return a.ID },
	"DefaultInstanceName": func(a world.Activation) string { return a.DefaultName },
	"IamRole":             func(a world.Activation) string { return a.Role },
}

func (c *call) describeActivations(in *describeActivationsIn) (any, error) {
	list := c.world.Activations()
	for _, f := range in.Filters {
		has, ok := activationKeys[f.FilterKey]
		if !ok {
			return nil, world.Errorf("InvalidFilter", "The filter name isn't valid: %q.", f.FilterKey)
		}
		list = slices.DeleteFunc(list, func(a world.Activation) bool { return !slices.Contains(f.FilterValues, has(a)) })
	}
	list, token, err := page(c, "DescribeActivations", list, func(a world.Activation) string { return a.ID }, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		ActivationList []activationItem
		NextToken      string `json:"NextToken,omitempty"`
	}{[]activationItem{}, token}
	for _, a := range list {
		item := activationItem{
			ActivationID: a.ID, Description: a.Description, DefaultInstanceName: a.DefaultName, IamRole: a.Role,
			RegistrationLimit: a.Limit, RegistrationsCount: a.Count, ExpirationDate: epoch{a.Expires}, Expired: a.Expired, CreatedDate: epoch{a.Created},
		}
		item.Tags = tagList(a.Tags)
		out.ActivationList = append(out.ActivationList, item)
	}
	return out, nil
}

type managedInstanceIn struct {
	InstanceID string `json:"InstanceId" api:"required,len=20..124" pattern:"(^mi-[0-9a-f]{17}$)|(^eks_c:[0-9A-Za-z][A-Za-z0-9\\-_]{0,99}_\\w{17}$)"`
}

func (c *call) deregisterManagedInstance(in *managedInstanceIn) (any, error) {
	return struct{}{}, c.world.Deregister(in.InstanceID)
}

type updateManagedInstanceRoleIn struct {
	InstanceID string `json:"InstanceId" api:"required,len=20..124" pattern:"(^mi-[0-9a-f]{17}$)|(^eks_c:[0-9A-Za-z][A-Za-z0-9\\-_]{0,99}_\\w{17}$)"`
	IamRole    string `api:"required,len=0..64"`
}

func (c *call) updateManagedInstanceRole(in *updateManagedInstanceRoleIn) (any, error) {
	return struct{}{}, c.world.ChangeRole(in.InstanceID, in.IamRole)
}
