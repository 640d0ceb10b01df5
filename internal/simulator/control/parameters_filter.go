package control

import (
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// parameterFilter is a ParameterStringFilter: the model of DescribeParameters and
// GetParametersByPath says which keys and options go with which of them.
type parameterFilter struct {
	Key    string   `api:"required,len=1..132" pattern:"tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType"`
	Option string   `api:"len=1..10"`
	Values []string `api:"items=1..50,len=1..1024"`
}

// The keys that each operation takes, as it tells them.
var (
	describedKeys = []string{"Path", "Name", "Type", "KeyId", "Tier", "DataType"}
	byPathKeys    = []string{"Type", "KeyId", "Label"}
)

// filterValues are the values that a key can have, where they are few.
var filterValues = map[string][]string{
	"Type": {"String", "StringList", "SecureString"},
	"Tier": {"Standard", "Advanced", "Intelligent-Tiering"},
}

// options are what a filter key can be asked for.
func (f parameterFilter) options() []string {
	switch f.Key {
	case "Name":
		return []string{"BeginsWith", "Equals", "Contains"}
	case "Path":
		return []string{"Recursive", "OneLevel"}
	case "Label":
		return []string{"Equals"}
	}
	return []string{"BeginsWith", "Equals"}
}

func (f parameterFilter) check(keys []string) error {
	tag := strings.HasPrefix(f.Key, "tag:") && slices.Contains(keys, "Name")
	switch {
	case !tag && !slices.Contains(keys, f.Key):
		return world.Errorf("InvalidFilterKey", "The following filter key is not valid: %s. Valid filter keys include: [%s].", f.Key, strings.Join(keys, ", "))
	case f.Option != "" && !slices.Contains(f.options(), f.Option):
		return world.Errorf("InvalidFilterOption", "The following filter option is not valid: %s. Valid options include: [%s].", f.Option, strings.Join(f.options(), ", "))
	case !tag && len(f.Values) == 0:
		return world.Errorf("InvalidFilterValue", "The following filter values are missing : null for filter key %s.", f.Key)
	}
	for _, v := range f.Values {
		if known := filterValues[f.Key]; known != nil && f.Option != "BeginsWith" && !slices.Contains(known, v) {
			return world.Errorf("InvalidFilterValue", "The following filter value is not valid: %s. Valid values include: [%s].", v, strings.Join(known, ", "))
		}
		if f.Key == "Path" {
			if err := checkPath(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkParameterFilters refuses filters that an operation does not take.
func checkParameterFilters(filters []parameterFilter, keys []string) error {
	seen := map[string]bool{}
	for _, f := range filters {
		if err := f.check(keys); err != nil {
			return err
		}
		if seen[f.Key] {
			return world.Errorf("InvalidFilterKey", "The following filter is duplicated in the request: %s. A request can contain only one occurrence of a specific filter.", f.Key)
		}
		seen[f.Key] = true
	}
	return nil
}

// publicPath is where the parameters of AWS are.
const publicPath = "/aws/service"

// isPublic reports whether a path or name is one of AWS's.
func isPublic(path string) bool {
	return path == publicPath || strings.HasPrefix(path, publicPath+"/")
}

// checkPath refuses what the service takes for no path.
func checkPath(path string) error {
	lower := strings.ToLower(path)
	switch {
	case isPublic(path):
		return nil
	case strings.HasPrefix(lower, "/aws"), strings.HasPrefix(lower, "/ssm"):
		return invalid("Filters for common parameters can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). When using global parameters, please specify within a global namespace.")
	case !strings.HasPrefix(path, "/"), strings.Contains(path, "//"), !pathForm().MatchString(path):
		return invalid("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.")
	}
	return nil
}

var pathForm = pattern.Lazy(`^[a-zA-Z0-9_.\-/]*$`)

// matching is what a query calls for each parameter: a filter for a label shows
// the version that has it.
func matching(filters []parameterFilter) func(p *world.Parameter) (*world.ParameterVersion, bool) {
	return func(p *world.Parameter) (*world.ParameterVersion, bool) {
		v := &p.Versions[len(p.Versions)-1]
		for _, f := range filters {
			if f.Key == "Label" {
				i := slices.IndexFunc(p.Versions, func(v world.ParameterVersion) bool {
					return slices.ContainsFunc(v.Labels, func(l string) bool { return slices.Contains(f.Values, l) })
				})
				if i < 0 {
					return nil, false
				}
				v = &p.Versions[i]
				continue
			}
			if !f.matches(p) {
				return nil, false
			}
		}
		return v, true
	}
}

func (f parameterFilter) matches(p *world.Parameter) bool {
	v := &p.Versions[len(p.Versions)-1]
	have := ""
	switch f.Key {
	case "Name", "Path":
		have = p.Name
	case "Type":
		have = v.Type
	case "KeyId":
		have = v.KeyID
	case "Tier":
		have = v.Tier
	case "DataType":
		have = v.DataType
	default:
		tag, ok := p.Tags[strings.TrimPrefix(f.Key, "tag:")]
		if !ok || len(f.Values) == 0 {
			return ok
		}
		have = tag
	}
	return slices.ContainsFunc(f.Values, func(want string) bool { return f.compare(have, want) })
}

func (f parameterFilter) compare(have, want string) bool {
	switch {
	case f.Key == "Path":
		return under(have, want, f.Option == "Recursive")
	case f.Option == "BeginsWith" && f.Key == "Name":
		return strings.HasPrefix(strings.TrimPrefix(have, "/"), strings.TrimPrefix(want, "/"))
	case f.Option == "BeginsWith":
		return strings.HasPrefix(have, want)
	case f.Option == "Contains":
		return strings.Contains(have, want)
	case f.Key == "Name":
		return strings.TrimPrefix(have, "/") == strings.TrimPrefix(want, "/")
	}
	return have == want
}

// under reports whether a parameter is in a path, directly or anywhere below.
func under(name, path string, recursive bool) bool {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(path, "/")+"/")
	return ok && rest != "" && (recursive || !strings.Contains(rest, "/"))
}
