package docnames

import (
	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// Params are the values of a document's parameters, as --param and --params-file give
// them.
type Params struct {
	Pairs []string // NAME=VALUE
	File  string   // with secrets, which do not belong on a command line; "-": standard input
}

// Bind declares --param and --params-file.
func (p *Params) Bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&p.Pairs, "param", nil, "parameter of the document, as `NAME=VALUE`; repeat for lists, @file reads a file")
	f.StringVar(&p.File, "params-file", "", "parameters from this `file`: an object in JSON or YAML; - is standard input")
}

// Any reports whether there are any.
func (p *Params) Any() bool { return len(p.Pairs) > 0 || p.File != "" }

// OneInput refuses to read two things from standard input; what names the other, if it
// is read from there.
func (p *Params) OneInput(what string, other bool) error {
	if p.File == "-" && other {
		return fault.Usagef("%s and the parameters cannot both be read from standard input", what).
			WithHint("name a file that only you can read; bash and zsh need none: --params-file <(COMMAND)")
	}
	return nil
}

// Checked are the values for a document, after everything that is wrong with them was
// found. A parameter in provided need not be given.
func (p *Params) Checked(env *cli.Env, doc document.Document, provided ...string) (map[string][]string, error) {
	given, err := readFile(env, p.File)
	if err != nil {
		return nil, err
	}
	return document.MergeParams(doc, given, p.Pairs, provided...)
}

// Unchecked are the values for a document that may not be described.
func (p *Params) Unchecked(env *cli.Env) (map[string][]string, error) {
	given, err := readFile(env, p.File)
	if err != nil {
		return nil, err
	}
	params, err := cli.ParsePairs("--param", p.Pairs)
	if err != nil {
		return nil, err
	}
	for name, values := range given {
		params[name] = append(values, params[name]...)
	}
	return params, nil
}

// readFile reads parameters from a file: an object whose members are values or
// lists of them. No file is none. Its errors name members and never show values.
func readFile(env *cli.Env, path string) (map[string][]string, error) {
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
