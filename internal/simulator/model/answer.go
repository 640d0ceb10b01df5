package model

import (
	"encoding/json"
	"strconv"
	"time"
)

// Fill makes an answer of v: of every structure only the members that the shape
// has, so that a stored resource can be shown by several operations. Members
// that are nil, zero times or, unless required, empty texts are left out. Times
// become seconds since 1970. Values of types other than those below are taken as they are.
//
//	structure, union, map   map[string]any, map[string]string
//	list                    []any, []map[string]any, []string
//	timestamp               time.Time, json.Number
func (s *Shape) Fill(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return s.fillMap(v)
	case []any:
		return fillList(s, v)
	case []map[string]any:
		return fillList(s, v)
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return Seconds(v)
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}

func (s *Shape) fillMap(v map[string]any) any {
	out := make(map[string]any, len(v))
	if s.Kind == Map {
		for key, e := range v {
			out[key] = s.Element.Fill(e)
		}
		return out
	}
	for _, m := range s.Members {
		e := m.Shape.Fill(v[m.Name])
		if text, ok := v[m.Name].(string); ok && m.Required {
			e = text
		}
		if e != nil {
			out[m.Name] = e
		}
	}
	return out
}

func fillList[T any](s *Shape, v []T) any {
	if s.Kind != List {
		return v
	}
	out := make([]any, len(v))
	for i, e := range v {
		out[i] = s.Element.Fill(e)
	}
	return out
}

// Seconds is a time on the wire: seconds since 1970 with milliseconds.
func Seconds(t time.Time) json.Number {
	ms := t.UnixMilli()
	if ms%1000 == 0 {
		return json.Number(strconv.FormatInt(ms/1000, 10))
	}
	return json.Number(strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64))
}

// Deviations returns the places where an answer, decoded from JSON with numbers
// as json.Number, has members that the shape does not, or values of other types.
// Constraints are not looked at: the service does not keep its own.
func (s *Shape) Deviations(path string, v any) []string {
	bad := func() []string { return []string{path + ": " + kindOf(v) + " for a " + string(s.Kind)} }
	switch s.Kind {
	case Structure, Union, Map:
		obj, ok := v.(map[string]any)
		if !ok {
			return bad()
		}
		return s.strange(path, obj)
	case List:
		items, ok := v.([]any)
		if !ok {
			return bad()
		}
		var out []string
		for i, e := range items {
			out = append(out, s.Element.Deviations(path+"["+strconv.Itoa(i)+"]", e)...)
		}
		return out
	case Integer, Long, Timestamp:
		n, ok := v.(json.Number)
		if _, err := n.Int64(); !ok || err != nil && s.Kind != Timestamp {
			return bad()
		}
	case Boolean:
		if _, ok := v.(bool); !ok {
			return bad()
		}
	default:
		if _, ok := v.(string); !ok {
			return bad()
		}
	}
	return nil
}

func (s *Shape) strange(path string, obj map[string]any) (out []string) {
	for key, e := range obj {
		at, shape := path+"."+key, s.Element
		if s.Kind != Map {
			shape = s.member(key)
		}
		if shape == nil {
			out = append(out, at+": no such member of "+s.Name)
			continue
		}
		out = append(out, shape.Deviations(at, e)...)
	}
	return out
}

func (s *Shape) member(name string) *Shape {
	for _, m := range s.Members {
		if m.Name == name {
			return m.Shape
		}
	}
	return nil
}
