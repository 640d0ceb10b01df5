package automation

import (
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// readParams reads parameters from a file: an object whose members are values or
// lists of them. No file is none. Its errors name members and never show values.
func readParams(env *cli.Env, path string) (map[string][]string, error) {
	if path == "" {
		return nil, nil
	}
	data, err := env.ReadFile(path)
	if err != nil {
		return nil, err
	}
	what := path
	if path == "-" {
		what = "standard input"
	}
	v, err := untyped.YAML(what, data) // JSON is YAML
	if err != nil {
		return nil, err
	}
	members, ok := v.(untyped.Object)
	if !ok {
		return nil, fault.Usagef("%s is no object of parameters", what).WithHint(`write {"NAME": "VALUE", "LIST": ["A", "B"]}`)
	}
	params := map[string][]string{}
	for _, m := range members {
		list, several := m.Value.([]any)
		if !several {
			list = []any{m.Value}
		}
		values := []string{}
		for _, one := range list {
			text, err := paramText(one)
			if err != nil {
				return nil, fault.Usagef("%s: parameter %s has a value that cannot be read", what, m.Key)
			}
			values = append(values, text)
		}
		params[m.Key] = values
	}
	return params, nil
}

// paramText is a value as the API takes it: a structure is its JSON.
func paramText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case untyped.Word:
		return string(v), nil
	case nil:
		return "", nil
	}
	data, err := untyped.Encode(v)
	return string(data), err
}
