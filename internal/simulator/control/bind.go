package control

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// decodeJSON reads a request into maps, lists, strings, booleans and numbers.
func decodeJSON(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	if !utf8.Valid(body) { // the decoder would put other characters in their place
		return nil, serialization("")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var raw any
	if err := dec.Decode(&raw); err != nil {
		return nil, serialization("")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, serialization("")
	}
	if _, ok := raw.(map[string]any); !ok {
		return nil, serialization("Start of structure or map found where not expected.")
	}
	return raw, nil
}

func serialization(message string) error {
	return &apiError{Code: "SerializationException", Message: message}
}

// bind fills the structure out points to from a decoded request and checks its
// constraints. Names are matched exactly, as the service does, unknown ones
// ignored. A field's name on the wire is its json tag, else its own. Tags:
//
//	api:"required,len=1..400,range=5..50,items=1..10,enum=A|B"
//	pattern:"^regular expression$"
//
// len, enum and pattern are those of a string or of the strings in a list or
// map; items is the length of the list. All violations are reported together in
// one ValidationException in the service's words.
func bind(raw, out any) error {
	var b binder
	if err := b.structure("", raw, reflect.ValueOf(out).Elem()); err != nil {
		return err
	}
	if n := len(b.problems); n > 0 {
		word := "error"
		if n > 1 {
			word = "errors"
		}
		return invalid(fmt.Sprintf("%d validation %s detected: %s", n, word, strings.Join(b.problems, "; ")))
	}
	return nil
}

type binder struct{ problems []string }

func (b *binder) reject(path string, value any, constraint string) {
	shown := "null"
	if value != nil {
		shown = fmt.Sprintf("'%v'", value)
	}
	b.problems = append(b.problems, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", shown, path, constraint))
}

// lowerFirst is the service's way of writing member names in messages.
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func (b *binder) structure(path string, raw any, v reflect.Value) error {
	obj, ok := raw.(map[string]any)
	if !ok {
		return serialization(kindOf(raw) + " can not be converted to a structure")
	}
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Name
		if tag := f.Tag.Get("json"); tag != "" {
			name, _, _ = strings.Cut(tag, ",")
		}
		at := lowerFirst(name)
		if path != "" {
			at = path + "." + at
		}
		rules := parseRules(f.Tag)
		val, present := obj[name]
		if !present || val == nil {
			if rules.required {
				b.reject(at, nil, "Member must not be null")
			}
			continue
		}
		if err := b.value(at, val, v.Field(i), rules); err != nil {
			return err
		}
	}
	return nil
}

func (b *binder) value(path string, raw any, v reflect.Value, r rules) error {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return b.value(path, raw, v.Elem(), r)
	case reflect.String:
		s, ok := raw.(string)
		if !ok {
			return serialization(kindOf(raw) + " can not be converted to a String")
		}
		v.SetString(s)
		b.text(path, s, r)
		return nil
	case reflect.Bool:
		x, ok := raw.(bool)
		if !ok {
			return serialization(kindOf(raw) + " can not be converted to a Boolean")
		}
		v.SetBool(x)
		return nil
	case reflect.Int, reflect.Int64:
		return b.number(path, raw, v, r)
	case reflect.Struct:
		return b.structure(path, raw, v)
	case reflect.Map:
		return b.mapping(path, raw, v, r)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return b.blob(path, raw, v, r)
		}
		return b.list(path, raw, v, r)
	case reflect.Interface:
		v.Set(reflect.ValueOf(raw))
		return nil
	}
	panic("bind: no rule for fields of type " + v.Type().String())
}

func (b *binder) number(path string, raw any, v reflect.Value, r rules) error {
	num, ok := raw.(json.Number)
	if !ok {
		return serialization(kindOf(raw) + " can not be converted to an Integer")
	}
	most, what := float64(math.MaxInt32), "an Integer"
	if v.Kind() == reflect.Int64 {
		most, what = 1<<53, "a Long"
	}
	f, err := strconv.ParseFloat(string(num), 64)
	if err != nil || math.Abs(f) > most {
		return serialization("NUMBER_VALUE can not be converted to " + what)
	}
	n := int64(f)
	v.SetInt(n)
	if r.ranged && n < int64(r.rangeMin) {
		b.reject(path, n, fmt.Sprintf("Member must have value greater than or equal to %d", r.rangeMin))
	}
	if r.ranged && n > int64(r.rangeMax) {
		b.reject(path, n, fmt.Sprintf("Member must have value less than or equal to %d", r.rangeMax))
	}
	return nil
}

func (b *binder) blob(path string, raw any, v reflect.Value, r rules) error {
	s, ok := raw.(string)
	if !ok {
		return serialization(kindOf(raw) + " can not be converted to a Blob")
	}
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return serialization("Invalid base64 in a Blob")
	}
	v.SetBytes(data)
	if r.lenSet && (len(data) < r.lenMin || len(data) > r.lenMax) {
		b.reject(path, "a blob", fmt.Sprintf("Member must have length between %d and %d", r.lenMin, r.lenMax))
	}
	return nil
}

func (b *binder) list(path string, raw any, v reflect.Value, r rules) error {
	items, ok := raw.([]any)
	if !ok {
		return serialization(kindOf(raw) + " can not be converted to a List")
	}
	if r.itemsSet && len(items) < r.itemsMin {
		b.reject(path, shortList(items), fmt.Sprintf("Member must have length greater than or equal to %d", r.itemsMin))
	}
	if r.itemsSet && len(items) > r.itemsMax {
		b.reject(path, shortList(items), fmt.Sprintf("Member must have length less than or equal to %d", r.itemsMax))
		return nil
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	inner := r
	inner.required = false
	for i, item := range items {
		if item == nil {
			continue
		}
		if err := b.value(fmt.Sprintf("%s.%d.member", path, i+1), item, v.Index(i), inner); err != nil {
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

func (b *binder) mapping(path string, raw any, v reflect.Value, r rules) error {
	obj, ok := raw.(map[string]any)
	if !ok {
		return serialization(kindOf(raw) + " can not be converted to a Map")
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(obj)))
	for _, key := range slices.Sorted(maps.Keys(obj)) {
		elem := reflect.New(v.Type().Elem()).Elem()
		if obj[key] != nil {
			if err := b.value(path+"."+key+".member", obj[key], elem, r); err != nil {
				return err
			}
		}
		v.SetMapIndex(reflect.ValueOf(key), elem)
	}
	return nil
}

func (b *binder) text(path, s string, r rules) {
	n := utf8.RuneCountInString(s)
	if r.lenSet && n < r.lenMin {
		b.reject(path, s, fmt.Sprintf("Member must have length greater than or equal to %d", r.lenMin))
	}
	if r.lenSet && n > r.lenMax {
		b.reject(path, s[:min(len(s), 100)], fmt.Sprintf("Member must have length less than or equal to %d", r.lenMax))
	}
	if len(r.enum) > 0 && !slices.Contains(r.enum, s) {
		b.reject(path, s, "Member must satisfy enum value set: ["+strings.Join(r.enum, ", ")+"]")
	}
	if r.pattern != "" && !regexp.MustCompile(r.pattern).MatchString(s) {
		b.reject(path, s, "Member must satisfy regular expression pattern: "+r.pattern)
	}
}

// rules are the constraints of a field.
type rules struct {
	required, lenSet, ranged, itemsSet bool
	lenMin, lenMax                     int
	rangeMin, rangeMax                 int
	itemsMin, itemsMax                 int
	enum                               []string
	pattern                            string
}

func parseRules(tag reflect.StructTag) rules {
	r := rules{pattern: tag.Get("pattern")}
	for rule := range strings.SplitSeq(tag.Get("api"), ",") {
		key, arg, _ := strings.Cut(rule, "=")
		switch key {
		case "required":
			r.required = true
		case "len":
			r.lenSet, r.lenMin, r.lenMax = true, bound(arg, 0), bound(arg, 1)
		case "range":
			r.ranged, r.rangeMin, r.rangeMax = true, bound(arg, 0), bound(arg, 1)
		case "items":
			r.itemsSet, r.itemsMin, r.itemsMax = true, bound(arg, 0), bound(arg, 1)
		case "enum":
			r.enum = strings.Split(arg, "|")
		}
	}
	return r
}

// bound is one end of "min..max".
func bound(s string, i int) int {
	n, err := strconv.Atoi(strings.Split(s, "..")[i])
	if err != nil {
		panic("bind: bad bounds " + s)
	}
	return n
}

// kindOf names a JSON value as the service's parser does.
func kindOf(raw any) string {
	switch v := raw.(type) {
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

// epoch is a time on the wire: seconds since 1970 with milliseconds.
type epoch struct{ time.Time }

// MarshalJSON writes the seconds as a number.
func (e epoch) MarshalJSON() ([]byte, error) {
	ms := e.UnixMilli()
	if ms%1000 == 0 {
		return strconv.AppendInt(nil, ms/1000, 10), nil
	}
	return strconv.AppendFloat(nil, float64(ms)/1000, 'f', 3, 64), nil
}
