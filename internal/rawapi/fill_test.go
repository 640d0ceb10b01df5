package rawapi

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// filled returns a value of t in which every field has a value, each text another.
func filled(t reflect.Type) reflect.Value { return filledFrom(t, 0) }

// filledFrom is filled with numbers in the texts that begin behind n.
func filledFrom(t reflect.Type, n int) reflect.Value { return fillNext(t, nil, &n) }

func fillNext(t reflect.Type, open []reflect.Type, n *int) reflect.Value {
	v := reflect.New(t).Elem()
	*n++
	switch {
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		p.Elem().Set(fillNext(t.Elem(), open, n))
		v.Set(p)
	case t == timeType:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5+*n%50, 0, time.UTC)))
	case isBlob(t):
		v.SetBytes(fmt.Appendf(nil, "bytes-%d", *n))
	case t.Kind() == reflect.String:
		v.SetString(fmt.Sprintf("text%04dx", *n))
		if enum := enumOf(t); len(enum) > 0 {
			v.SetString(enum[*n%len(enum)])
		}
	case t.Kind() == reflect.Bool:
		v.SetBool(true)
	case t.Kind() == reflect.Slice:
		if slices.Contains(open, t.Elem()) {
			return v
		}
		list := reflect.MakeSlice(t, 0, 2)
		for range 2 {
			list = reflect.Append(list, fillNext(t.Elem(), open, n))
		}
		v.Set(list)
	case t.Kind() == reflect.Map:
		m := reflect.MakeMap(t)
		m.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key%04dx", *n)).Convert(t.Key()), fillNext(t.Elem(), open, n))
		v.Set(m)
	case t.Kind() == reflect.Interface:
		for _, name := range slices.Sorted(maps.Keys(unions[t])) {
			p := reflect.New(unions[t][name])
			p.Elem().FieldByName("Value").Set(fillNext(p.Elem().FieldByName("Value").Type(), open, n))
			v.Set(p)
		}
	case t.Kind() == reflect.Struct:
		open = append(slices.Clip(open), t)
		for i := range t.NumField() {
			if sf := t.Field(i); isMember(sf) {
				v.Field(i).Set(fillNext(sf.Type, open, n))
			}
		}
	case strings.HasPrefix(t.Kind().String(), "float"):
		v.SetFloat(float64(*n) + 0.5)
	default:
		v.SetInt(int64(*n))
	}
	return v
}
