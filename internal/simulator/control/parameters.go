package control

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

type putParameterIn struct {
	Name           string `api:"required,len=1..2048"`
	Description    string `api:"len=0..1024"`
	Value          string `api:"required"`
	Type           string `api:"enum=String|StringList|SecureString"`
	KeyID          string `json:"KeyId" api:"len=1..256" pattern:"^([a-zA-Z0-9:/_-]+)$"`
	Overwrite      bool
	AllowedPattern string `api:"len=0..1024"`
	Tags           []tag  `api:"items=0..1000"`
	Tier           string `api:"enum=Standard|Advanced|Intelligent-Tiering"`
	Policies       string `api:"len=1..4096"`
	DataType       string `api:"len=0..128"`
}

func (c *call) putParameter(in *putParameterIn) (any, error) {
	if in.Policies != "" {
		return nil, world.Errorf("InvalidPolicyTypeException", "The simulator does not implement parameter policies yet.")
	}
	if in.DataType != "" && in.DataType != "text" && in.DataType != "aws:ec2:image" && in.DataType != "aws:ssm:integration" {
		return nil, invalid("The following data type is not supported: " + in.DataType + " (Data type names are all lowercase.)")
	}
	v, err := c.world.PutParameter(world.NewParameter{
		Name: in.Name, Value: in.Value, Type: in.Type, KeyID: in.KeyID, Description: in.Description,
		AllowedPattern: in.AllowedPattern, Tier: in.Tier, DataType: in.DataType, User: c.caller.ARN,
		Overwrite: in.Overwrite, Tags: tagMap(in.Tags),
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

func (c *call) parameterOf(p *world.Parameter, v world.ParameterVersion, selector string, decrypt bool) parameterItem {
	return parameterItem{
		Name: p.Name, Type: v.Type, Value: shownValue(v, decrypt), Version: v.Number, Selector: selector,
		LastModifiedDate: epoch{v.Modified}, ARN: c.world.ParameterARN(p.Name), DataType: v.DataType,
	}
}

func shownValue(v world.ParameterVersion, decrypt bool) string {
	if v.Type == "SecureString" && !decrypt {
		return v.Sealed
	}
	return v.Value
}

type getParameterIn struct {
	Name           string `api:"required,len=1..2048"`
	WithDecryption bool
}

func (c *call) getParameter(in *getParameterIn) (any, error) {
	if err := c.secretsReadable(in.WithDecryption, in.Name); err != nil {
		return nil, err
	}
	if world.IsSecretReference(in.Name) {
		item, err := c.secretParameter(in.Name, in.WithDecryption)
		return map[string]any{"Parameter": item}, err
	}
	p, v, selector, err := c.world.Select(in.Name)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Parameter": c.parameterOf(p, v, selector, in.WithDecryption)}, nil
}

type getParametersIn struct {
	Names          []string `api:"required,items=1..10,len=1..2048"`
	WithDecryption bool
}

func (c *call) getParameters(in *getParametersIn) (any, error) {
	out := struct {
		Parameters        []any
		InvalidParameters []string
	}{[]any{}, []string{}}
	if err := c.secretsReadable(in.WithDecryption, in.Names...); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, name := range in.Names {
		if seen[name] {
			return nil, invalid("Duplicate parameter name in the request: " + name)
		}
		seen[name] = true
		if world.IsSecretReference(name) {
			if item, err := c.secretParameter(name, in.WithDecryption); err != nil {
				out.InvalidParameters = append(out.InvalidParameters, name)
			} else {
				out.Parameters = append(out.Parameters, item)
			}
			continue
		}
		p, v, selector, err := c.world.Select(name)
		if err != nil {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		out.Parameters = append(out.Parameters, c.parameterOf(p, v, selector, in.WithDecryption))
	}
	return out, nil
}

type parameterFilter struct {
	Key    string   `api:"required,len=1..132" pattern:"tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType"`
	Option string   `api:"len=1..10"`
	Values []string `api:"items=1..50,len=1..1024"`
}

// options are what a filter key can be asked for; the first is the default.
func (f parameterFilter) options() []string {
	switch {
	case f.Key == "Name":
		return []string{"Equals", "BeginsWith", "Contains"}
	case f.Key == "Path":
		return []string{"OneLevel", "Recursive"}
	case f.Key == "Type" || f.Key == "KeyId":
		return []string{"Equals", "BeginsWith"}
	}
	return []string{"Equals"}
}

func (f parameterFilter) check(keys ...string) error {
	if len(keys) > 0 && !slices.Contains(keys, f.Key) {
		return world.Errorf("InvalidFilterKey", "The following filter key is not valid: %s. Valid filter keys include: [%s].", f.Key, strings.Join(keys, ", "))
	}
	if f.Option != "" && !slices.Contains(f.options(), f.Option) {
		return world.Errorf("InvalidFilterOption", "The following filter option is not valid: %s. Valid options include: [%s].", f.Option, strings.Join(f.options(), ", "))
	}
	types := []string{"String", "StringList", "SecureString"}
	for _, v := range f.Values {
		if f.Key == "Type" && f.Option != "BeginsWith" && !slices.Contains(types, v) {
			return world.Errorf("InvalidFilterValue", "The following filter value is not valid: %s. Valid values include: [%s].", v, strings.Join(types, ", "))
		}
	}
	return nil
}

func (f parameterFilter) matches(p *world.Parameter) bool {
	v := p.Latest()
	if name, ok := strings.CutPrefix(f.Key, "tag:"); ok {
		have, ok := p.Tags[name]
		return ok && (len(f.Values) == 0 || slices.Contains(f.Values, have))
	}
	if f.Key == "Label" {
		return slices.ContainsFunc(p.Versions, func(v world.ParameterVersion) bool {
			return slices.ContainsFunc(v.Labels, func(l string) bool { return slices.Contains(f.Values, l) })
		})
	}
	have := map[string]string{"Name": p.Name, "Path": p.Name, "Type": v.Type, "KeyId": v.KeyID, "Tier": v.Tier, "DataType": v.DataType}[f.Key]
	return slices.ContainsFunc(f.Values, func(want string) bool { return f.compare(have, want) })
}

func (f parameterFilter) compare(have, want string) bool {
	switch {
	case f.Key == "Path":
		return under(have, want, f.Option == "Recursive")
	case f.Option == "BeginsWith":
		return strings.HasPrefix(strings.TrimPrefix(have, "/"), strings.TrimPrefix(want, "/"))
	case f.Option == "Contains":
		return strings.Contains(have, want)
	}
	return have == want
}

// under reports whether a parameter is in a path, directly or anywhere below.
func under(name, path string, recursive bool) bool {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(path, "/")+"/")
	return ok && rest != "" && (recursive || !strings.Contains(rest, "/"))
}

type getParametersByPathIn struct {
	Path             string `api:"required,len=1..2048"`
	Recursive        bool
	ParameterFilters []parameterFilter
	WithDecryption   bool
	MaxResults       *int `api:"range=1..10"`
	NextToken        string
}

func parameterKey(p *world.Parameter) string { return p.Name }

// filteredParameters returns the parameters that all filters match and keep
// keeps.
func (c *call) filteredParameters(filters []parameterFilter, keep func(p *world.Parameter) bool) []*world.Parameter {
	return slices.DeleteFunc(c.world.Parameters(), func(p *world.Parameter) bool {
		return !keep(p) || slices.ContainsFunc(filters, func(f parameterFilter) bool { return !f.matches(p) })
	})
}

func (c *call) getParametersByPath(in *getParametersByPathIn) (any, error) {
	if !strings.HasPrefix(in.Path, "/") {
		return nil, invalid("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\".")
	}
	for _, f := range in.ParameterFilters {
		if err := f.check("Type", "KeyId", "Label"); err != nil {
			return nil, err
		}
	}
	list := c.filteredParameters(in.ParameterFilters, func(p *world.Parameter) bool { return under(p.Name, in.Path, in.Recursive) })
	list, token, err := page(c, "GetParametersByPath", list, parameterKey, in.NextToken, in.MaxResults, 10)
	if err != nil {
		return nil, err
	}
	out := struct {
		Parameters []parameterItem
		NextToken  string `json:"NextToken,omitempty"`
	}{[]parameterItem{}, token}
	for _, p := range list {
		out.Parameters = append(out.Parameters, c.parameterOf(p, p.Latest(), "", in.WithDecryption))
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
	Policies         []string
	DataType         string
}

func (c *call) metadataOf(p *world.Parameter, v world.ParameterVersion) parameterMetadata {
	return parameterMetadata{
		Name: p.Name, ARN: c.world.ParameterARN(p.Name), Type: v.Type, KeyID: v.KeyID, LastModifiedDate: epoch{v.Modified},
		LastModifiedUser: v.User, Description: v.Description, AllowedPattern: v.AllowedPattern, Version: v.Number,
		Tier: v.Tier, Policies: []string{}, DataType: v.DataType,
	}
}

func (c *call) describeParameters(in *describeParametersIn) (any, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, invalid("You can use either Filters or ParameterFilters in a single request.")
	}
	filters := in.ParameterFilters
	for _, f := range in.Filters {
		filters = append(filters, parameterFilter{Key: f.Key, Option: "BeginsWith", Values: f.Values})
	}
	for _, f := range filters {
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	list := c.filteredParameters(filters, func(*world.Parameter) bool { return !in.Shared })
	list, token, err := page(c, "DescribeParameters", list, parameterKey, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		Parameters []parameterMetadata
		NextToken  string `json:"NextToken,omitempty"`
	}{[]parameterMetadata{}, token}
	for _, p := range list {
		out.Parameters = append(out.Parameters, c.metadataOf(p, p.Latest()))
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
	p, ok := c.world.Parameter(in.Name)
	if !ok {
		return nil, world.Errorf("ParameterNotFound", "")
	}
	key := func(v world.ParameterVersion) string { return strconv.FormatInt(v.Number, 10) }
	versions, token, err := page(c, "GetParameterHistory "+p.Name, p.Versions, key, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		Parameters []parameterMetadata
		NextToken  string `json:"NextToken,omitempty"`
	}{[]parameterMetadata{}, token}
	for _, v := range versions {
		m := c.metadataOf(p, v)
		m.ARN, m.Value, m.Labels = "", shownValue(v, in.WithDecryption), append([]string{}, v.Labels...)
		out.Parameters = append(out.Parameters, m)
	}
	return out, nil
}

type deleteParameterIn struct {
	Name string `api:"required,len=1..2048"`
}

func (c *call) deleteParameter(in *deleteParameterIn) (any, error) {
	if !c.world.DeleteParameter(in.Name) {
		return nil, world.Errorf("ParameterNotFound", "")
	}
	return struct{}{}, nil
}

type deleteParametersIn struct {
	Names []string `api:"required,items=1..10,len=1..2048"`
}

func (c *call) deleteParameters(in *deleteParametersIn) (any, error) {
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
