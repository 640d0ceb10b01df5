package document

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// declared is a parameter as the content of a document declares it. Numbers
// and defaults are of any type, since documents write both 5 and "5".
type declared struct {
	Type           string `json:"type" yaml:"type"`
	Default        any    `json:"default" yaml:"default"`
	AllowedValues  []any  `json:"allowedValues" yaml:"allowedValues"`
	AllowedPattern string `json:"allowedPattern" yaml:"allowedPattern"`
	MinItems       any    `json:"minItems" yaml:"minItems"`
	MaxItems       any    `json:"maxItems" yaml:"maxItems"`
	MinChars       any    `json:"minChars" yaml:"minChars"`
	MaxChars       any    `json:"maxChars" yaml:"maxChars"`
}

// addConstraints reads the parameters block of content, JSON or YAML, into
// doc's parameters. It reports whether the content could be read; unknown keys
// and parameters are no reason to refuse.
func addConstraints(doc *Document, content string) bool {
	var body struct {
		Parameters map[string]declared `json:"parameters" yaml:"parameters"`
	}
	// The service converts to JSON on request; a document kept as YAML by
	// something that does not is read all the same.
	var err error
	if strings.HasPrefix(strings.TrimSpace(content), "{") {
		err = json.Unmarshal([]byte(content), &body)
	} else {
		err = yaml.Unmarshal([]byte(content), &body)
	}
	if err != nil || body.Parameters == nil {
		return false
	}
	for i := range doc.Parameters {
		p := &doc.Parameters[i]
		d, ok := body.Parameters[p.Name]
		if !ok {
			continue
		}
		if d.Type != "" {
			p.Type = Type(d.Type) // DescribeDocument knows only two of the types
		}
		p.Required = p.Required && d.Default == nil
		p.AllowedPattern = d.AllowedPattern
		p.AllowedValues = nil
		for _, v := range d.AllowedValues {
			p.AllowedValues = append(p.AllowedValues, text(v))
		}
		p.MinItems, p.MaxItems = count(d.MinItems), count(d.MaxItems)
		p.MinChars, p.MaxChars = count(d.MinChars), count(d.MaxChars)
	}
	return true
}

// text writes a scalar of a document as the service compares it.
func text(v any) string {
	if f, ok := v.(float64); ok && f == float64(int64(f)) {
		return fmt.Sprint(int64(f)) // JSON numbers: 10, not 1e+01
	}
	return fmt.Sprint(v)
}

// count reads a limit; anything that is not a whole number above zero is none.
func count(v any) int {
	var n int
	if v == nil {
		return 0
	}
	if _, err := fmt.Sscanf(text(v), "%d", &n); err != nil || n < 0 {
		return 0
	}
	return n
}
