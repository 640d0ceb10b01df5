package rawapi

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// Skeleton returns an example of the operation's input as JSON, all fields there,
// to be filled in.
func (o *Operation) Skeleton() json.RawMessage { return skeletonOf(o.entry.input) }

// OutputSkeleton returns an example of the operation's answer.
func (o *Operation) OutputSkeleton() json.RawMessage { return skeletonOf(o.entry.output) }

func skeletonOf(t reflect.Type) json.RawMessage {
	data, err := untyped.Encode(skeleton(t, nil))
	if err != nil {
		return nil // such a value can always be encoded
	}
	var out bytes.Buffer
	_ = json.Indent(&out, data, "", "  ") // it is JSON
	return out.Bytes()
}

// skeleton returns a tree of a type; open are the structures it is within, of which
// some hold themselves.
func skeleton(t reflect.Type, open []reflect.Type) any {
	switch {
	case t.Kind() == reflect.Pointer:
		return skeleton(t.Elem(), open)
	case t == timeType:
		return "1970-01-01T00:00:00Z"
	case isBlob(t):
		return ""
	case t.Kind() == reflect.String:
		if enum := enumOf(t); len(enum) > 0 {
			return enum[0]
		}
		return ""
	case t.Kind() == reflect.Bool:
		return true
	case t.Kind() == reflect.Slice && slices.Contains(open, t.Elem()):
		return []any{}
	case t.Kind() == reflect.Slice:
		return []any{skeleton(t.Elem(), open)}
	case t.Kind() == reflect.Map:
		return untyped.Object{{Key: "KeyName", Value: skeleton(t.Elem(), open)}}
	case t.Kind() == reflect.Interface:
		for name, m := range unions[t] {
			f, _ := m.FieldByName("Value")
			return untyped.Object{{Key: name, Value: skeleton(f.Type, open)}}
		}
		return untyped.Object{}
	case t.Kind() != reflect.Struct:
		return json.Number("0")
	case slices.Contains(open, t):
		return untyped.Object{}
	}
	open = append(slices.Clip(open), t)
	o := untyped.Object{}
	for i := range t.NumField() {
		if sf := t.Field(i); isMember(sf) {
			o = append(o, untyped.Member{Key: sf.Name, Value: skeleton(sf.Type, open)})
		}
	}
	return o
}
