package world

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

var placeholder = pattern.Lazy(`\{\{\s*([A-Za-z0-9_.:/-]+)\s*\}\}`)

// text is a scalar of a document as text.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	j, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(j)
}

// textList is a scalar or list of a document as a list of texts.
func textList(v any) []string {
	list, ok := v.([]any)
	if !ok {
		return []string{text(v)}
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = text(e)
	}
	return out
}

// filled replaces {{ name }} in every string of v. A string that is nothing but
// the placeholder of a list becomes that list; elsewhere a list is joined by
// spaces. Names that are not in args stay as they are.
func filled(v any, args map[string][]string, isList func(name string) bool) any {
	switch v := v.(type) {
	case string:
		if m := placeholder().FindStringSubmatch(v); m != nil && m[0] == strings.TrimSpace(v) && isList(m[1]) {
			list := make([]any, len(args[m[1]]))
			for i, s := range args[m[1]] {
				list[i] = s
			}
			return list
		}
		return placeholder().ReplaceAllStringFunc(v, func(p string) string {
			values, ok := args[placeholder().FindStringSubmatch(p)[1]]
			if !ok {
				return p
			}
			return strings.Join(values, " ")
		})
	case []any:
		var out []any
		for _, e := range v {
			f := filled(e, args, isList)
			if list, ok := f.([]any); ok {
				out = append(out, list...) // a list within a list of lines is spliced in
				continue
			}
			out = append(out, f)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = filled(e, args, isList)
		}
		return out
	}
	return v
}

func (b *Body) isList(name string) bool { return b.Parameters[name].Type == "StringList" }

// SessionProperties are the properties of a Session document with the
// placeholders filled from args; nil when there are none.
func (b *Body) SessionProperties(args map[string][]string) (json.RawMessage, error) {
	if len(b.Properties) == 0 || string(b.Properties) == "null" {
		return nil, nil
	}
	var v any
	if err := json.Unmarshal(b.Properties, &v); err != nil {
		return nil, err
	}
	return json.Marshal(filled(v, args, b.isList))
}

// SessionInputs are the inputs of a Session document with the placeholders
// filled from args; nil when there are none.
func (b *Body) SessionInputs(args map[string][]string) (*SessionInputs, error) {
	if b.Inputs == nil {
		return nil, nil
	}
	raw, err := json.Marshal(filled(b.Inputs.raw, args, b.isList))
	if err != nil {
		return nil, err
	}
	var in SessionInputs
	return &in, json.Unmarshal(raw, &in)
}
