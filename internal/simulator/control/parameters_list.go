package control

import (
	"hash/fnv"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// findParameters answers one page of an operation. Where the scenario wants sparse
// pages, a page ends early, or is empty, as the place that it begins at says.
func (c *call) findParameters(op string, q world.ParameterQuery, token string, size *int, def int) ([]world.ParameterHit, string, error) {
	var cur cursor
	if token != "" {
		var ok bool
		if cur, ok = c.tokens.open(op, token); !ok {
			return nil, "", badToken(op)
		}
	}
	q.After, q.Limit = cur.Last, def
	if size != nil {
		q.Limit = *size
	}
	if c.world.Scenario().ParameterStore.SparsePages {
		h := fnv.New32a()
		_, _ = h.Write([]byte(cur.Last)) // never fails
		if h.Sum32()%4 == 0 && cur.Next == 0 {
			return nil, c.tokens.seal(cursor{Op: op, Last: cur.Last, Next: 1}), nil
		}
		q.Scan = 1 + int(h.Sum32()>>2)%q.Limit
	}
	hits, last, more := c.world.FindParameters(q)
	if !more {
		return hits, "", nil
	}
	return hits, c.tokens.seal(cursor{Op: op, Last: last}), nil
}

type getParametersByPathIn struct {
	Path             string `api:"required,len=1..2048"`
	Recursive        bool
	ParameterFilters []parameterFilter
	WithDecryption   bool
	MaxResults       *int `api:"range=1..10"`
	NextToken        string
}

// getParametersByPath asks for permission on the path only: who may read it, reads
// all that is below (User Guide, "Restricting access to Parameter Store parameters
// using IAM policies").
func (c *call) getParametersByPath(in *getParametersByPathIn) (any, error) {
	if err := checkPath(in.Path); err != nil {
		return nil, err
	}
	if err := c.mayOn("GetParametersByPath", in.Path); err != nil {
		return nil, err
	}
	if err := checkParameterFilters(in.ParameterFilters, byPathKeys); err != nil {
		return nil, err
	}
	q := world.ParameterQuery{Path: in.Path, Flat: !in.Recursive, Public: isPublic(in.Path), Match: matching(in.ParameterFilters)}
	hits, token, err := c.findParameters("GetParametersByPath", q, in.NextToken, in.MaxResults, 10)
	if err != nil {
		return nil, err
	}
	out := struct {
		Parameters []parameterItem
		NextToken  string `json:"NextToken,omitempty"`
	}{[]parameterItem{}, token}
	for _, v := range hits {
		if in.WithDecryption {
			if err := c.world.Reveal(c.caller.ARN, v.ParameterVersion); err != nil {
				return nil, err
			}
		}
		out.Parameters = append(out.Parameters, parameterItem{
			Name: v.Name, Type: v.Type, Value: shownValue(v.ParameterVersion, in.WithDecryption), Version: v.Number,
			LastModifiedDate: epoch{v.Modified}, ARN: c.world.ParameterARN(v.Name), DataType: v.DataType,
		})
	}
	return out, nil
}

type describeParametersIn struct {
	Filters []struct {
		Key    string   `api:"required,enum=Name|Type|KeyId"`
		Values []string `api:"required,items=1..50,len=1..1024"`
	}
	ParameterFilters []parameterFilter
	MaxResults       *int `api:"range=1..50"`
	NextToken        string
	Shared           bool
}

type inlinePolicy struct{ PolicyText, PolicyType, PolicyStatus string }

type parameterMetadata struct {
	Name             string
	ARN              string `json:"ARN,omitempty"`
	Type             string
	KeyID            string `json:"KeyId,omitempty"`
	LastModifiedDate epoch
	LastModifiedUser string
	Description      string `json:"Description,omitempty"`
	Value            string `json:"Value,omitempty"` // history only
	AllowedPattern   string `json:"AllowedPattern,omitempty"`
	Version          int64
	Labels           []string `json:"Labels,omitzero"` // history only
	Tier             string
	Policies         []inlinePolicy
	DataType         string
}

func metadataOf(v world.ParameterHit, arn string) parameterMetadata {
	m := parameterMetadata{
		Name: v.Name, ARN: arn, Type: v.Type, KeyID: v.KeyID, LastModifiedDate: epoch{v.Modified},
		LastModifiedUser: v.User, Description: v.Description, AllowedPattern: v.AllowedPattern, Version: v.Number,
		Tier: v.Tier, Policies: []inlinePolicy{}, DataType: v.DataType,
	}
	for _, p := range v.Policies {
		m.Policies = append(m.Policies, inlinePolicy{p.Text, p.Type, p.Status})
	}
	return m
}

// query is the narrowest query that has all that the filters match.
func query(filters []parameterFilter) world.ParameterQuery {
	q := world.ParameterQuery{Path: "/", Match: matching(filters)}
	for _, f := range filters {
		if (f.Key == "Name" || f.Key == "Path") && !slices.ContainsFunc(f.Values, func(v string) bool { return !isPublic(v) }) {
			q.Public = true
		}
		switch {
		case f.Key == "Name" && (f.Option == "" || f.Option == "Equals"):
			q.Names = f.Values
		case f.Key == "Name" && f.Option == "BeginsWith" && len(f.Values) == 1:
			q.Prefix = "/" + strings.TrimPrefix(f.Values[0], "/")
		case f.Key == "Path" && len(f.Values) == 1:
			q.Path, q.Flat = f.Values[0], f.Option != "Recursive"
		}
	}
	return q
}

func (c *call) describeParameters(in *describeParametersIn) (any, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, invalid("You can use either Filters or ParameterFilters in a single request.")
	}
	if err := c.world.MayOn(c.caller.ARN, "ssm:DescribeParameters", c.world.ARN("ssm", "*")); err != nil {
		return nil, err
	}
	filters := in.ParameterFilters
	for _, f := range in.Filters {
		filters = append(filters, parameterFilter{Key: f.Key, Option: "BeginsWith", Values: f.Values})
	}
	if err := checkParameterFilters(filters, describedKeys); err != nil {
		return nil, err
	}
	var hits []world.ParameterHit
	var token string
	var err error
	if in.Shared {
		hits, token, err = c.sharedParameters(filters, in)
	} else {
		hits, token, err = c.findParameters("DescribeParameters", query(filters), in.NextToken, in.MaxResults, 10)
	}
	if err != nil {
		return nil, err
	}
	out := struct {
		Parameters []parameterMetadata
		NextToken  string `json:"NextToken,omitempty"`
	}{[]parameterMetadata{}, token}
	for _, v := range hits {
		arn := v.Name
		if !in.Shared {
			arn = c.world.ParameterARN(v.Name)
		}
		out.Parameters = append(out.Parameters, metadataOf(v, arn))
	}
	return out, nil
}

// sharedParameters is a page of those that other accounts share with the caller.
func (c *call) sharedParameters(filters []parameterFilter, in *describeParametersIn) ([]world.ParameterHit, string, error) {
	match := matching(filters)
	hits := slices.DeleteFunc(c.world.SharedParameters(c.caller.ARN), func(h world.ParameterHit) bool {
		_, ok := match(&world.Parameter{Name: h.Name, Versions: []world.ParameterVersion{h.ParameterVersion}})
		return !ok
	})
	return page(c, "DescribeParameters", hits, func(h world.ParameterHit) string { return h.Name }, in.NextToken, in.MaxResults, 10)
}
