package powershell

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Object is a value with properties. Names are compared without case.
type Object struct {
	// Type decides how the object is shown; "" is a custom object.
	Type   string
	Names  []string
	Values []any
	// Text is what the object becomes in a string; "" lists the properties.
	Text string
}

// NewObject returns an object with the given names and values in turn.
func NewObject(typ string, pairs ...any) *Object {
	o := &Object{Type: typ}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// Get returns a property.
func (o *Object) Get(name string) (any, bool) {
	for i, n := range o.Names {
		if strings.EqualFold(n, name) {
			return o.Values[i], true
		}
	}
	return nil, false
}

// Set adds or replaces a property.
func (o *Object) Set(name string, value any) {
	for i, n := range o.Names {
		if strings.EqualFold(n, name) {
			o.Values[i] = value
			return
		}
	}
	o.Names, o.Values = append(o.Names, name), append(o.Values, value)
}

// items returns the elements of a list, or the value alone; nil has none.
func items(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// collapse turns what a pipeline gave into a value: nothing, one, or a list.
func collapse(list []any) any {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return list
}

// text converts a value to a string.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if math.IsInf(v, 0) {
			return "∞"
		}
		return strconv.FormatFloat(v, 'g', 15, 64)
	case time.Time:
		return v.UTC().Format("01/02/2006 15:04:05")
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = text(x)
		}
		return strings.Join(parts, " ")
	case *Object:
		return v.text()
	case *block:
		return "{...}"
	}
	return fmt.Sprint(v)
}

func (o *Object) text() string {
	if o.Text != "" {
		return o.Text
	}
	switch o.Type {
	case "Hashtable":
		return "System.Collections.Hashtable"
	case "":
		var parts []string
		for i, n := range o.Names {
			parts = append(parts, n+"="+text(o.Values[i]))
		}
		return "@{" + strings.Join(parts, "; ") + "}"
	}
	return o.Type
}

// truth converts a value to a boolean.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case int64:
		return v != 0
	case float64:
		return v != 0
	case []any:
		return len(v) > 1 || len(v) == 1 && truth(v[0])
	}
	return true
}

// numeric converts a value to a number, if it is one.
func numeric(v any) (float64, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f, err == nil
	}
	return 0, false
}

// whole returns a float as an integer where it is one.
func whole(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return f
}

// compare orders two values as -lt does: by number if the left one is a
// number, else by text without case.
func compare(a, b any) int {
	switch x := a.(type) {
	case int64, float64, bool, nil:
		fa, okA := numeric(a)
		fb, okB := numeric(b)
		if okA && okB {
			return cmp.Compare(fa, fb)
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y)
		}
	}
	return strings.Compare(strings.ToLower(text(a)), strings.ToLower(text(b)))
}

func equal(a, b any) bool {
	if (a == nil) != (b == nil) {
		return false
	}
	return compare(a, b) == 0
}

// typeName is what GetType().Name gives.
func typeName(v any) string {
	switch v := v.(type) {
	case string:
		return "String"
	case int64:
		return "Int32"
	case float64:
		return "Double"
	case bool:
		return "Boolean"
	case time.Time:
		return "DateTime"
	case []any:
		return "Object[]"
	case *Object:
		if v.Type == "" {
			return "PSCustomObject"
		}
		return v.Type
	}
	return "Object"
}
