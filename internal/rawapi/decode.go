package rawapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// decoder fills the SDK's structs from a tree and collects what does not fit.
type decoder struct {
	faults []string
	// lenient takes enumeration values that the SDK does not know.
	lenient bool
	// secret is set while a field is filled whose value must not be shown.
	secret bool
}

func (d *decoder) fail(path, format string, args ...any) {
	d.faults = append(d.faults, path+": "+fmt.Sprintf(format, args...))
}

// show quotes a value for a message.
func (d *decoder) show(v any) string {
	if d.secret {
		return "the value"
	}
	var text string
	switch v := v.(type) {
	case nil:
		text = "null"
	case bool:
		text = strconv.FormatBool(v)
	case json.Number:
		text = v.String()
	case untyped.Word:
		text = strconv.Quote(string(v))
	case string:
		text = strconv.Quote(v)
	case []any:
		return "a list"
	default:
		return "a structure"
	}
	return shorten(text)
}

// wants notes that v is not what the field takes.
func (d *decoder) wants(path, what string, v any) { d.fail(path, "%s is not %s", d.show(v), what) }

// value fills dst. path names it in messages.
func (d *decoder) value(path string, dst reflect.Value, v any) {
	t := dst.Type()
	switch {
	case v == nil:
		return
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		d.value(path, p.Elem(), v)
		dst.Set(p)
	case t == timeType:
		d.time(path, dst, v)
	case isBlob(t):
		d.blob(path, dst, v)
	case t.Kind() == reflect.String:
		d.text(path, dst, v)
	case t.Kind() == reflect.Bool:
		d.bool(path, dst, v)
	case t.Kind() == reflect.Slice:
		d.slice(path, dst, v)
	case t.Kind() == reflect.Map:
		d.mapping(path, dst, v)
	case t.Kind() == reflect.Struct:
		d.structure(path, dst, v)
	case t.Kind() == reflect.Interface:
		d.union(path, dst, v)
	default:
		d.number(path, dst, v)
	}
}

func (d *decoder) text(path string, dst reflect.Value, v any) {
	s, ok := textOf(v)
	if !ok {
		d.wants(path, "a text", v)
		return
	}
	if enum := enumOf(dst.Type()); len(enum) > 0 && !d.lenient && !slices.Contains(enum, s) {
		near := ""
		if n := fault.Nearest(s, enum); n != "" {
			near = fmt.Sprintf(" (did you mean %s?)", n)
		}
		d.fail(path, "%s is none of %s%s", d.show(s), strings.Join(enum, ", "), near)
		return
	}
	dst.SetString(s)
}

// textOf returns a text, or a word as one.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case untyped.Word:
		return string(v), true
	}
	return "", false
}

func (d *decoder) bool(path string, dst reflect.Value, v any) {
	if w, ok := v.(untyped.Word); ok {
		switch strings.ToLower(string(w)) {
		case "true":
			v = true
		case "false":
			v = false
		}
	}
	b, ok := v.(bool)
	if !ok {
		d.wants(path, "true or false", v)
		return
	}
	dst.SetBool(b)
}

func (d *decoder) number(path string, dst reflect.Value, v any) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case untyped.Word:
		text = string(v)
	default:
		d.wants(path, "a number", v)
		return
	}
	switch dst.Kind() {
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			d.wants(path, "a whole number", v)
		case dst.OverflowInt(n):
			d.fail(path, "%s is out of range", d.show(v))
		default:
			dst.SetInt(n)
		}
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || dst.OverflowFloat(f) {
			d.wants(path, "a number", v)
			return
		}
		dst.SetFloat(f)
	default:
		d.fail(path, "values of the type %s cannot be given", dst.Type())
	}
}

func (d *decoder) blob(path string, dst reflect.Value, v any) {
	s, ok := textOf(v)
	if !ok {
		d.wants(path, "bytes in base64", v)
		return
	}
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		d.wants(path, "bytes in base64", v)
		return
	}
	dst.SetBytes(data)
}

// timeForms are those of ISO 8601 that people write. Without a zone it is UTC.
var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02"}

func (d *decoder) time(path string, dst reflect.Value, v any) {
	text := ""
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	case untyped.Word:
		text = string(v)
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			dst.Set(reflect.ValueOf(t))
			return
		}
	}
	// Seconds since 1970, as the API itself writes times.
	const latest = 253402300799 // 9999-12-31
	if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0 && f <= latest {
		whole, part := math.Modf(f)
		dst.Set(reflect.ValueOf(time.Unix(int64(whole), int64(math.Round(part*1e3))*int64(time.Millisecond)).UTC()))
		return
	}
	d.wants(path, "a time like 2006-01-02T15:04:05Z, or in seconds since 1970", v)
}

// slice fills a list. One word is a list of one: shorthand does not tell them apart.
func (d *decoder) slice(path string, dst reflect.Value, v any) {
	list, ok := v.([]any)
	if w, isWord := v.(untyped.Word); !ok && isWord {
		list, ok = []any{w}, true
	}
	if !ok {
		d.wants(path, "a list", v)
		return
	}
	out := reflect.MakeSlice(dst.Type(), len(list), len(list))
	for i, e := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if e == nil {
			d.wants(at, "a "+typeName(dst.Type().Elem()), e)
			continue
		}
		d.value(at, out.Index(i), e)
	}
	dst.Set(out)
}

func (d *decoder) mapping(path string, dst reflect.Value, v any) {
	o, ok := v.(untyped.Object)
	if !ok {
		d.wants(path, "a map", v)
		return
	}
	t := dst.Type()
	out := reflect.MakeMapWithSize(t, len(o))
	for _, m := range o {
		at := path + "." + m.Key
		key := reflect.New(t.Key()).Elem()
		d.text(at, key, m.Key)
		if out.MapIndex(key).IsValid() {
			d.fail(at, "given twice")
		}
		e := reflect.New(t.Elem()).Elem()
		if m.Value == nil {
			d.wants(at, "a "+typeName(t.Elem()), nil)
		}
		d.value(at, e, m.Value)
		out.SetMapIndex(key, e)
	}
	dst.Set(out)
}

func (d *decoder) structure(path string, dst reflect.Value, v any) {
	o, ok := v.(untyped.Object)
	if !ok {
		d.wants(path, "a structure ("+dst.Type().Name()+")", v)
		return
	}
	d.members(path, dst, o)
}

// members fills the fields that o names, in the spelling of Go or with a small
// first letter: a few shapes are written so on the wire. It returns their names.
func (d *decoder) members(path string, dst reflect.Value, o untyped.Object) (given []string) {
	t := dst.Type()
	for _, m := range o {
		at := m.Key
		if path != "" {
			at = path + "." + m.Key
		}
		sf, ok := memberOf(t, m.Key)
		switch {
		case !ok:
			d.fail(at, "no such field%s", d.nearest(m.Key, t))
			continue
		case slices.Contains(given, sf.Name):
			d.fail(at, "given twice")
			continue
		}
		given = append(given, sf.Name)
		d.value(at, dst.FieldByIndex(sf.Index), m.Value)
	}
	return given
}

func memberOf(t reflect.Type, key string) (reflect.StructField, bool) {
	if key == "" {
		return reflect.StructField{}, false
	}
	sf, ok := t.FieldByName(strings.ToUpper(key[:1]) + key[1:])
	return sf, ok && isMember(sf)
}

func (d *decoder) nearest(key string, t reflect.Type) string {
	var names []string
	for i := range t.NumField() {
		if sf := t.Field(i); isMember(sf) {
			names = append(names, sf.Name)
		}
	}
	if near := fault.Nearest(key, names); near != "" {
		return fmt.Sprintf(" (did you mean %s?)", near)
	}
	if len(names) <= 12 {
		return ": there are " + strings.Join(names, ", ")
	}
	return ""
}

// union fills one of several structures: an object with the member's name alone.
func (d *decoder) union(path string, dst reflect.Value, v any) {
	known := unions[dst.Type()]
	names := slices.Sorted(maps.Keys(known))
	o, ok := v.(untyped.Object)
	if !ok || len(o) != 1 {
		d.fail(path, "wants exactly one of %s", strings.Join(names, ", "))
		return
	}
	member, ok := known[o[0].Key]
	if !ok {
		d.fail(path+"."+o[0].Key, "no such field: there are %s", strings.Join(names, ", "))
		return
	}
	p := reflect.New(member)
	d.value(path+"."+o[0].Key, p.Elem().FieldByName("Value"), o[0].Value)
	dst.Set(p)
}
