package rawapi

import (
	"reflect"
	"slices"
	"strings"
)

// Form is how the field's value is written in shorthand: "Key=text,Values=text,text".
// "" for plain values and their lists.
func (f *Field) Form() string {
	t := f.typ
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if shapeOf(t) <= Time {
		return ""
	}
	s := form(t, nil)
	return strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
}

// form writes an example of a nested value; open are the types it is within.
func form(t reflect.Type, open []reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch shapeOf(t) {
	case List:
		e := form(t.Elem(), open)
		if shapeOf(t.Elem()) <= Time {
			return e + "," + e
		}
		return "[" + e + "]"
	case Map:
		e := form(t.Elem(), open)
		if shapeOf(t.Elem()) == List {
			e = "[" + e + "]"
		}
		return "{key=" + e + "}"
	case Structure:
	case Text:
		return "text"
	default:
		return strings.ReplaceAll(typeName(t), " or ", "|")
	}
	if slices.Contains(open, t) {
		return "{…}"
	}
	open = append(slices.Clip(open), t)
	var parts []string
	if t.Kind() == reflect.Interface {
		for name, m := range unions[t] {
			f, _ := m.FieldByName("Value")
			parts = append(parts, name+"="+form(f.Type, open))
		}
	} else {
		for i := range t.NumField() {
			if sf := t.Field(i); isMember(sf) {
				parts = append(parts, sf.Name+"="+form(sf.Type, open))
			}
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Answer returns the fields of the operation's answer, with their types in words.
func (o *Operation) Answer() []Field {
	return fieldsOf(o.entry.output, nil)
}
