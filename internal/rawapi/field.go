package rawapi

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Shape is what kind of value a field holds.
type Shape int

// The shapes of fields.
const (
	Text Shape = iota
	Number
	Bool
	Time
	List
	Map
	Structure // also a union
)

// Field is one input field of an operation.
type Field struct {
	Name  string // "InstanceIds"
	Flag  string // "instance-ids"
	Type  string // in words: "list of text", "Target"
	Shape Shape

	Required bool
	Secret   bool   // its value must not be shown
	Holds    bool   // secrets are somewhere within
	Min, Max *int64 // of the number, the characters, the elements; nil: no limit known
	Pattern  string // of the text, "" for any
	Enum     []string

	index int // in the struct
	typ   reflect.Type
}

// Limits says what the value may be: "1 to 50 elements", "one of A, B". "" when
// nothing is known.
func (f *Field) Limits() string {
	var parts []string
	if len(f.Enum) > 0 {
		parts = append(parts, "one of "+strings.Join(f.Enum, ", "))
	}
	if s := f.bounds(); s != "" {
		parts = append(parts, s)
	}
	if f.Pattern != "" {
		parts = append(parts, "pattern "+f.Pattern)
	}
	return strings.Join(parts, "; ")
}

// bounds says what Min and Max allow, with their unit.
func (f *Field) bounds() string {
	unit := " elements"
	switch f.Shape {
	case Text:
		unit = " characters"
	case Number:
		unit = ""
	}
	num := func(n int64) string { return strconv.FormatInt(n, 10) }
	switch {
	case f.Min == nil && f.Max == nil:
		return ""
	case f.Max == nil && *f.Min == 0:
		return ""
	case f.Max == nil:
		return "at least " + num(*f.Min) + unit
	case f.Min == nil || *f.Min == 0 && f.Shape != Number:
		return "at most " + num(*f.Max) + unit
	case *f.Min == *f.Max:
		return "exactly " + num(*f.Max) + unit
	default:
		return num(*f.Min) + " to " + num(*f.Max) + unit
	}
}

// fieldsOf returns the fields of an input struct, the required ones first, as the
// SDK has them.
func fieldsOf(input reflect.Type, known *facts) []Field {
	fields := make([]Field, 0, input.NumField())
	for i := range input.NumField() {
		sf := input.Field(i)
		if !isMember(sf) {
			continue
		}
		f := Field{Name: sf.Name, Flag: kebab(sf.Name), index: i, typ: sf.Type}
		f.Shape, f.Type = shapeOf(sf.Type), typeName(sf.Type)
		f.Enum = enumOf(sf.Type)
		if known != nil {
			k := known.fields[sf.Name]
			f.Required, f.Secret, f.Holds, f.Min, f.Max, f.Pattern = k.required, k.secret, k.holds, k.min, k.max, k.pattern
		}
		fields = append(fields, f)
	}
	return fields
}

// isMember tells the API's fields from what the SDK keeps in its structs.
func isMember(f reflect.StructField) bool {
	return f.IsExported() && !f.Anonymous && f.Name != "ResultMetadata"
}

var timeType = reflect.TypeFor[time.Time]()

func shapeOf(t reflect.Type) Shape {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType:
		return Time
	case t.Kind() == reflect.String, isBlob(t):
		return Text
	case t.Kind() == reflect.Bool:
		return Bool
	case t.Kind() == reflect.Slice:
		return List
	case t.Kind() == reflect.Map:
		return Map
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Interface:
		return Structure
	default:
		return Number
	}
}

func isBlob(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// typeName names a type in words.
func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isBlob(t):
		return "bytes in base64"
	case t.Kind() == reflect.Slice:
		return "list of " + typeName(t.Elem())
	case t.Kind() == reflect.Map:
		return "map of " + typeName(t.Elem())
	case t == timeType:
		return "time"
	case t.PkgPath() != "": // a type of the SDK
		return t.Name()
	case t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	default:
		return "number"
	}
}

// enumOf returns the values of an enumeration, nil for other types. The method's
// name is a constant, so that the linker may drop the methods of other names.
func enumOf(t reflect.Type) []string {
	if t.Kind() != reflect.String || t.PkgPath() == "" {
		return nil
	}
	method := reflect.Zero(t).MethodByName("Values")
	if !method.IsValid() {
		return nil
	}
	values := method.Call(nil)[0]
	words := make([]string, values.Len())
	for i := range words {
		words[i] = fmt.Sprint(values.Index(i))
	}
	return words
}
