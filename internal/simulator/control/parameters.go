package control

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func parameterOperations() map[string]operation {
	return map[string]operation{
		"PutParameter":        op("ssm", (*call).putParameter),
		"GetParameter":        op("ssm", (*call).getParameter),
		"GetParameters":       op("ssm", (*call).getParameters),
		"GetParametersByPath": op("ssm", (*call).getParametersByPath),
		"DescribeParameters":  op("ssm", (*call).describeParameters),
		"GetParameterHistory": op("ssm", (*call).getParameterHistory),
		"DeleteParameter":     op("ssm", (*call).deleteParameter),
		"DeleteParameters":    op("ssm", (*call).deleteParameters),
	}
}

// mayOn asks whether the caller may do something with a parameter, which may be
// named by its ARN and have a selector.
func (c *call) mayOn(action, name string) error {
	return c.world.MayOn(c.caller.ARN, "ssm:"+action, c.parameterARN(name))
}

// mayWrite is mayOn for what changes a parameter.
func (c *call) mayWrite(action, name string) error {
	return c.world.MayWrite(c.caller.ARN, "ssm:"+action, c.parameterARN(name))
}

// parameterARN is the ARN that a name stands for.
func (c *call) parameterARN(name string) string {
	base, _ := world.SplitSelector(name)
	if !strings.HasPrefix(base, "arn:") {
		base = c.world.ParameterARN(strings.TrimSpace(base))
	}
	return base
}

type putParameterIn struct {
	Name           string  `api:"required,len=1..2048"`
	Description    *string `api:"len=0..1024"`
	Value          string  `api:"required"`
	Type           string  `api:"enum=String|StringList|SecureString"`
	KeyID          string  `json:"KeyId" api:"len=1..256" pattern:"^([a-zA-Z0-9:/_-]+)$"`
	Overwrite      bool
	AllowedPattern *string `api:"len=0..1024"`
	Tags           []tag   `api:"items=0..1000"`
	Tier           string  `api:"enum=Standard|Advanced|Intelligent-Tiering"`
	Policies       string  `api:"len=1..4096"`
	DataType       string  `api:"len=0..128"`
}

func (c *call) putParameter(in *putParameterIn) (any, error) {
	if err := c.mayWrite("PutParameter", in.Name); err != nil {
		return nil, err
	}
	v, err := c.world.PutParameter(world.NewParameter{
		Name: in.Name, Value: in.Value, Type: in.Type, KeyID: in.KeyID, Description: in.Description,
		AllowedPattern: in.AllowedPattern, Tier: in.Tier, DataType: in.DataType, User: c.caller.ARN,
		Policies: in.Policies, Overwrite: in.Overwrite, Tags: tagMap(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return struct {
		Version int64
		Tier    string
	}{v.Number, v.Tier}, nil
}

type parameterItem struct {
	Name             string
	Type             string
	Value            string
	Version          int64
	Selector         string `json:"Selector,omitempty"`
	LastModifiedDate epoch
	ARN              string
	DataType         string
}

func shownValue(v world.ParameterVersion, decrypt bool) string {
	if v.Type == "SecureString" && !decrypt {
		return v.Sealed
	}
	return v.Value
}

// read finds a parameter for the caller and opens it when that is asked for.
func (c *call) read(action, name string, decrypt bool) (parameterItem, error) {
	if err := c.mayOn(action, name); err != nil {
		return parameterItem{}, err
	}
	s, err := c.world.Select(c.caller.ARN, "ssm:"+action, name)
	if err != nil {
		return parameterItem{}, err
	}
	if decrypt {
		if err := s.Owner.Reveal(c.caller.ARN, s.ParameterVersion); err != nil {
			return parameterItem{}, err
		}
	}
	return parameterItem{
		Name: s.Name, Type: s.Type, Value: shownValue(s.ParameterVersion, decrypt), Version: s.Number, Selector: s.Selector,
		LastModifiedDate: epoch{s.Modified}, ARN: s.ARN, DataType: s.DataType,
	}, nil
}

type getParameterIn struct {
	Name           string `api:"required,len=1..2048"`
	WithDecryption bool
}

func (c *call) getParameter(in *getParameterIn) (any, error) {
	if err := c.secretsReadable(in.WithDecryption, in.Name); err != nil {
		return nil, err
	}
	item, err := c.readAny("GetParameter", in.Name, in.WithDecryption)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Parameter": item}, nil
}

type getParametersIn struct {
	Names          []string `api:"required,items=1..10,len=1..2048"`
	WithDecryption bool
}

// getParameters tells which names there are not, and fails altogether for what it
// may not show. The answer is in the order of names, not in that of the request, and
// has each once.
func (c *call) getParameters(in *getParametersIn) (any, error) {
	out := struct {
		Parameters        []any
		InvalidParameters []string
	}{[]any{}, []string{}}
	if err := c.secretsReadable(in.WithDecryption, in.Names...); err != nil {
		return nil, err
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(in.Names))) {
		item, err := c.readAny("GetParameters", name, in.WithDecryption)
		switch {
		case err == nil:
			out.Parameters = append(out.Parameters, item)
		case strings.HasPrefix(errorCode(err), "Parameter"), world.IsSecretReference(name):
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			return nil, err
		}
	}
	return out, nil
}

type getParameterHistoryIn struct {
	Name           string `api:"required,len=1..2048"`
	WithDecryption bool
	MaxResults     *int `api:"range=1..50"`
	NextToken      string
}

func (c *call) getParameterHistory(in *getParameterHistoryIn) (any, error) {
	if err := c.mayOn("GetParameterHistory", in.Name); err != nil {
		return nil, err
	}
	p, owner, err := c.world.ParameterHistory(c.caller.ARN, in.Name)
	if err != nil {
		return nil, err
	}
	key := func(v world.ParameterVersion) string { return strconv.FormatInt(v.Number, 10) }
	versions, token, err := page(c, "GetParameterHistory", p.Versions, key, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		Parameters []parameterMetadata
		NextToken  string `json:"NextToken,omitempty"`
	}{[]parameterMetadata{}, token}
	for _, v := range versions {
		if in.WithDecryption {
			if err := owner.Reveal(c.caller.ARN, v); err != nil {
				return nil, err
			}
		}
		m := metadataOf(world.ParameterHit{Name: p.Name, ParameterVersion: v}, "")
		m.Value, m.Labels = shownValue(v, in.WithDecryption), append([]string{}, v.Labels...)
		out.Parameters = append(out.Parameters, m)
	}
	return out, nil
}

type deleteParameterIn struct {
	Name string `api:"required,len=1..2048"`
}

func (c *call) deleteParameter(in *deleteParameterIn) (any, error) {
	if err := c.mayWrite("DeleteParameter", in.Name); err != nil {
		return nil, err
	}
	if !c.world.DeleteParameter(in.Name) {
		return nil, world.Errorf("ParameterNotFound", "")
	}
	return struct{}{}, nil
}

type deleteParametersIn struct {
	Names []string `api:"required,items=1..10,len=1..2048"`
}

func (c *call) deleteParameters(in *deleteParametersIn) (any, error) {
	for _, name := range in.Names {
		if err := c.mayWrite("DeleteParameters", name); err != nil {
			return nil, err
		}
	}
	out := struct{ DeletedParameters, InvalidParameters []string }{[]string{}, []string{}}
	for _, name := range in.Names {
		if c.world.DeleteParameter(name) {
			out.DeletedParameters = append(out.DeletedParameters, name)
		} else {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}
