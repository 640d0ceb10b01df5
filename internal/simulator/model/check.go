package model

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Refusal is a request that the service refuses before it looks at anything.
type Refusal struct {
	Code    string // SerializationException, ValidationException
	Message string
}

// Error returns "code: message".
func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// Check holds a request against the model: raw is its JSON as maps, lists,
// strings, booleans and json.Number. Members that the model does not know are
// ignored, as the service does. A value of the wrong type is a *Refusal by
// itself; all other violations are reported together, in the service's words.
func (o *Operation) Check(raw any) error {
	var c checker
	if err := c.structure("", o.Request, raw); err != nil {
		return err
	}
	if n := len(c.problems); n > 0 {
		word := "error"
		if n > 1 {
			word = "errors"
		}
		return &Refusal{"ValidationException", fmt.Sprintf("%d validation %s detected: %s", n, word, strings.Join(c.problems, "; "))}
	}
	return nil
}

type checker struct{ problems []string }

func (c *checker) reject(path string, value any, format string, args ...any) {
	shown := "null"
	if value != nil {
		shown = fmt.Sprintf("'%v'", value)
	}
	c.problems = append(c.problems, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", shown, path, fmt.Sprintf(format, args...)))
}

func serialization(format string, args ...any) error {
	return &Refusal{"SerializationException", fmt.Sprintf(format, args...)}
}

// lowerFirst is the service's way of writing member names in messages.
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func (c *checker) structure(path string, s *Shape, raw any) error {
	obj, ok := raw.(map[string]any)
	if !ok {
		return serialization("%s can not be converted to a structure", kindOf(raw))
	}
	given := 0
	for _, m := range s.Members {
		at := lowerFirst(m.Name)
		if path != "" {
			at = path + "." + at
		}
		v := obj[m.Name]
		if v == nil {
			if m.Required {
				c.reject(at, nil, "Member must not be null")
			}
			continue
		}
		given++
		if err := c.value(at, m.Shape, v); err != nil {
			return err
		}
	}
	if s.Kind == Union && given != 1 {
		return serialization("%s must have exactly one member, not %d", s.Name, given)
	}
	return nil
}

func (c *checker) value(path string, s *Shape, raw any) error {
	switch s.Kind {
	case Structure, Union:
		return c.structure(path, s, raw)
	case List:
		return c.list(path, s, raw)
	case Map:
		return c.mapping(path, s, raw)
	case Integer, Long:
		return c.number(path, s, raw)
	case Boolean:
		if _, ok := raw.(bool); !ok {
			return serialization("%s can not be converted to a Boolean", kindOf(raw))
		}
		return nil
	case Timestamp:
		n, ok := raw.(json.Number)
		if !ok {
			return serialization("%s can not be converted to milliseconds since epoch", kindOf(raw))
		}
		if f, err := n.Float64(); err != nil || math.Abs(f) > 1<<40 {
			return serialization("NUMBER_VALUE can not be converted to milliseconds since epoch")
		}
		return nil
	case Blob:
		return c.blob(path, s, raw)
	}
	text, ok := raw.(string)
	if !ok {
		return serialization("%s can not be converted to a String", kindOf(raw))
	}
	c.text(path, s, text)
	return nil
}

func (c *checker) text(path string, s *Shape, text string) {
	c.length(path, s, utf8.RuneCountInString(text), cut(text))
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		c.reject(path, text, "Member must satisfy enum value set: [%s]", strings.Join(s.Enum, ", "))
	}
	if !s.Matches(text) {
		c.reject(path, text, "Member must satisfy regular expression pattern: %s", s.Pattern)
	}
}

// cut keeps messages about long texts short.
func cut(text string) string {
	const most = 100
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}

// length checks the length of a text, list or map.
func (c *checker) length(path string, s *Shape, n int, shown string) {
	if s.Min != nil && int64(n) < *s.Min {
		c.reject(path, shown, "Member must have length greater than or equal to %d", *s.Min)
	}
	if s.Max != nil && int64(n) > *s.Max {
		c.reject(path, shown, "Member must have length less than or equal to %d", *s.Max)
	}
}

func (c *checker) number(path string, s *Shape, raw any) error {
	num, ok := raw.(json.Number)
	if !ok {
		return serialization("%s can not be converted to an Integer", kindOf(raw))
	}
	most, what := float64(math.MaxInt32), "an Integer"
	if s.Kind == Long {
		most, what = 1<<53, "a Long"
	}
	f, err := num.Float64()
	if err != nil || math.Abs(f) > most || f != math.Trunc(f) {
		return serialization("NUMBER_VALUE can not be converted to %s", what)
	}
	n := int64(f)
	if s.Min != nil && n < *s.Min {
		c.reject(path, n, "Member must have value greater than or equal to %d", *s.Min)
	}
	if s.Max != nil && n > *s.Max {
		c.reject(path, n, "Member must have value less than or equal to %d", *s.Max)
	}
	return nil
}

func (c *checker) blob(path string, s *Shape, raw any) error {
	text, ok := raw.(string)
	if !ok {
		return serialization("%s can not be converted to a Blob", kindOf(raw))
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return serialization("Invalid base64 in a Blob")
	}
	c.length(path, s, len(data), "a blob")
	return nil
}

func (c *checker) list(path string, s *Shape, raw any) error {
	items, ok := raw.([]any)
	if !ok {
		return serialization("%s can not be converted to a List", kindOf(raw))
	}
	c.length(path, s, len(items), shortList(items))
	if s.Max != nil && int64(len(items)) > *s.Max {
		return nil // the items themselves matter no more
	}
	for i, item := range items {
		at := path + "." + strconv.Itoa(i+1) + ".member"
		if item == nil {
			c.reject(at, nil, "Member must not be null")
			continue
		}
		if err := c.value(at, s.Element, item); err != nil {
			return err
		}
	}
	return nil
}

func shortList(items []any) string {
	const most = 10
	var b strings.Builder
	for i, item := range items[:min(len(items), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%v", item)
	}
	if len(items) > most {
		b.WriteString(", ...")
	}
	return "[" + b.String() + "]"
}

func (c *checker) mapping(path string, s *Shape, raw any) error {
	obj, ok := raw.(map[string]any)
	if !ok {
		return serialization("%s can not be converted to a Map", kindOf(raw))
	}
	c.length(path, s, len(obj), fmt.Sprintf("%d entries", len(obj)))
	for _, key := range slices.Sorted(maps.Keys(obj)) {
		c.text(path+"."+key, s.Key, key)
		at := path + "." + key + ".member"
		if obj[key] == nil {
			c.reject(at, nil, "Member must not be null")
			continue
		}
		if err := c.value(at, s.Element, obj[key]); err != nil {
			return err
		}
	}
	return nil
}

// kindOf names a JSON value as the service's parser does.
func kindOf(raw any) string {
	switch v := raw.(type) {
	case nil:
		return "NULL_VALUE"
	case string:
		return "STRING_VALUE"
	case json.Number:
		return "NUMBER_VALUE"
	case bool:
		return strings.ToUpper(strconv.FormatBool(v)) + "_VALUE"
	case []any:
		return "START_ARRAY"
	}
	return "START_OBJECT"
}
