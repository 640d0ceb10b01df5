package rawapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// encode returns v, a struct of the SDK, as the JSON of the API: fields by their
// names, without those that are not there, times in ISO 8601 and UTC.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := encodeValue(&b, reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// absent reports whether a field is not there. A number or truth value that is no
// pointer always is.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	case reflect.String: // an enumeration, or a text with a default
		return v.Len() == 0
	}
	return false
}

func encodeValue(b *bytes.Buffer, v reflect.Value) error {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		return encodeValue(b, v.Elem())
	case t.Kind() == reflect.Interface:
		return encodeUnion(b, v)
	case t == timeType:
		return encodeScalar(b, v.Interface().(time.Time).UTC().Format(time.RFC3339Nano)) //nolint:forcetypeassert // t says so
	case isBlob(t):
		return encodeScalar(b, base64.StdEncoding.EncodeToString(v.Bytes()))
	case t.Kind() == reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := encodeValue(b, v.Index(i)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case t.Kind() == reflect.Map:
		return encodeMap(b, v)
	case t.Kind() == reflect.Struct:
		return encodeStruct(b, v)
	default:
		return encodeScalar(b, v.Interface())
	}
}

func encodeStruct(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('{')
	first := true
	for i := range v.NumField() {
		sf, f := v.Type().Field(i), v.Field(i)
		if !isMember(sf) || absent(f) {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		if err := encodeScalar(b, sf.Name); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := encodeValue(b, f); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func encodeMap(b *bytes.Buffer, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	b.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encodeScalar(b, k.String()); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := encodeValue(b, v.MapIndex(k)); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// encodeUnion writes the member that is set under its name. One that the SDK does
// not know is null.
func encodeUnion(b *bytes.Buffer, v reflect.Value) error {
	if v.IsNil() {
		b.WriteString("null")
		return nil
	}
	inner := reflect.Indirect(v.Elem())
	for name, t := range unions[v.Type()] {
		if inner.Type() != t {
			continue
		}
		fmt.Fprintf(b, "{%q:", name)
		if err := encodeValue(b, inner.FieldByName("Value")); err != nil {
			return err
		}
		b.WriteByte('}')
		return nil
	}
	b.WriteString("null")
	return nil
}

func encodeScalar(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1)
	return nil
}
