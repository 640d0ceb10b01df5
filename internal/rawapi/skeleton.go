package rawapi

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
)

// Skeleton returns an example of the operation's input as JSON, all fields there,
// to be filled in.
func (o *Operation) Skeleton() json.RawMessage { return skeletonOf(o.entry.input) }

// OutputSkeleton returns an example of the operation's answer.
func (o *Operation) OutputSkeleton() json.RawMessage { return skeletonOf(o.entry.output) }

func skeletonOf(t reflect.Type) json.RawMessage {
	var b, out bytes.Buffer
	if err := encodeTree(&b, skeleton(t, nil)); err != nil {
		return nil // a tree can always be encoded
	}
	_ = json.Indent(&out, b.Bytes(), "", "  ") // it is JSON
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
		return object{{"KeyName", skeleton(t.Elem(), open)}}
	case t.Kind() == reflect.Interface:
		for name, m := range unions[t] {
			f, _ := m.FieldByName("Value")
			return object{{name, skeleton(f.Type, open)}}
		}
		return object{}
	case t.Kind() != reflect.Struct:
		return json.Number("0")
	case slices.Contains(open, t):
		return object{}
	}
	open = append(slices.Clip(open), t)
	o := object{}
	for i := range t.NumField() {
		if sf := t.Field(i); isMember(sf) {
			o = append(o, member{sf.Name, skeleton(sf.Type, open)})
		}
	}
	return o
}
