package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// request is a decoded request, or a structure within one, that the model has
// checked: members that are there have the types of the model.
type request map[string]any

// recorded makes an operation on resources kept as records. It has the tables
// for itself until it returns; what it returns is filled into the model's answer.
func recorded(run func(c *call, t *world.Tables, in request) (any, error)) operation {
	return operation{"ssm", func(c *call, raw any) (out any, err error) {
		in, _ := raw.(map[string]any)
		err = c.world.Tables(func(t *world.Tables) (err error) {
			out, err = run(c, t, in)
			return err
		})
		return out, err
	}}
}

// untyped makes an operation of a function that reads its request by name.
func untyped(run func(c *call, in request) (any, error)) operation {
	return operation{"ssm", func(c *call, raw any) (any, error) {
		in, _ := raw.(map[string]any)
		return run(c, in)
	}}
}

// text is a string member, empty when absent.
func (r request) text(name string) string {
	s, _ := r[name].(string)
	return s
}

// has reports whether a member was given.
func (r request) has(name string) bool { return r[name] != nil }

// flag is a boolean member, false when absent.
func (r request) flag(name string) bool {
	b, _ := r[name].(bool)
	return b
}

// number is an integer member; def when absent.
func (r request) number(name string, def int) int {
	switch n := r[name].(type) {
	case int:
		return n
	case json.Number:
		if f, err := n.Float64(); err == nil {
			return int(f)
		}
	}
	return def
}

// size is the member MaxResults, nil when absent.
func (r request) size() *int {
	if !r.has("MaxResults") {
		return nil
	}
	n := r.number("MaxResults", 0)
	return &n
}

// time is a timestamp member, zero when absent.
func (r request) time(name string) time.Time {
	n, ok := r[name].(json.Number)
	if !ok {
		return time.Time{}
	}
	f, err := n.Float64()
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(f * 1000)).UTC()
}

// texts is a list of strings.
func (r request) texts(name string) []string { return strs(r[name]) }

func strs(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// object is a structure or map.
func (r request) object(name string) request {
	m, _ := r[name].(map[string]any)
	return m
}

// objects is a list of structures.
func (r request) objects(name string) []request {
	list, _ := r[name].([]any)
	var out []request
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// lists is a map of lists of strings.
func (r request) lists(name string) map[string][]string {
	m, _ := r[name].(map[string]any)
	out := map[string][]string{}
	for key, v := range m {
		out[key] = strs(v)
	}
	return out
}

// tags is a list of tags, refused when one of them is reserved.
func (r request) tags(name string) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range r.objects(name) {
		out[t.text("Key")] = t.text("Value")
	}
	return out, world.CheckTags(out)
}

// targets is a list of targets.
func (r request) targets(name string) []world.Target {
	var out []world.Target
	for _, t := range r.objects(name) {
		out = append(out, world.Target{Key: t.text("Key"), Values: t.texts("Values")})
	}
	return out
}

// take copies the members of a request that are there.
func (r request) take(names ...string) world.Record {
	out := world.Record{}
	for _, name := range names {
		if r[name] != nil {
			out[name] = r[name]
		}
	}
	return out
}

// with returns a copy of a record with other members beside its own.
func with(r world.Record, members world.Record) world.Record {
	out := maps.Clone(r)
	maps.Copy(out, members)
	return out
}

// textOf is a text member of a record.
func textOf(r world.Record, name string) string {
	s, _ := r[name].(string)
	return s
}

// listing pages over records and answers them in the member given. key is the
// member that tells them apart.
func (c *call) listing(op, member, key string, records []world.Record, in request, def int) (any, error) {
	records, token, err := page(c, op, records, func(r world.Record) string { return textOf(r, key) }, in.text("NextToken"), in.size(), def)
	if err != nil {
		return nil, err
	}
	if records == nil {
		records = []world.Record{}
	}
	return world.Record{member: records, "NextToken": token}, nil
}

// once answers a request with a client token that was answered before as it was
// then, and refuses another request with the same token.
func once(t *world.Tables, op string, in request, run func() (any, error)) (any, error) {
	token := in.text("ClientToken")
	if token == "" {
		return run()
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	id := op + " " + token
	if old, ok := t.Get(world.KindToken, id); ok {
		if textOf(old, "body") != string(body) {
			return nil, world.Errorf("IdempotentParameterMismatch", "The client token was used for a request with other parameters.")
		}
		return old["answer"], nil
	}
	out, err := run()
	if err == nil {
		t.Put(world.KindToken, id, world.Record{"body": string(body), "answer": out})
		t.Keep(world.KindToken, 1000)
	}
	return out, err
}

// keep returns the records that f wants.
func keep(records []world.Record, f func(world.Record) bool) []world.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r world.Record) bool { return !f(r) })
}

// filter is a key and its values, of which one must match.
type filter struct {
	key      string
	values   []string
	operator string
}

// filters reads a list of filters whose members are named as given; operator may
// be empty.
func (r request) filters(list, key, values, operator string) []filter {
	var out []filter
	for _, f := range r.objects(list) {
		one := filter{key: f.text(key), values: f.texts(values), operator: f.text(operator)}
		if v, ok := f[values].(string); ok {
			one.values = []string{v}
		}
		out = append(out, one)
	}
	return out
}

// fields holds a resource against filters: for each key the texts that the
// resource has. known is false for a key that the operation does not take.
type fields func(r world.Record, key string) (have []string, known bool)

// sift returns the records that match all filters. code is the error for a key
// that is not known.
func sift(records []world.Record, filters []filter, code string, of fields) ([]world.Record, error) {
	for _, f := range filters {
		if _, known := of(world.Record{}, f.key); !known {
			return nil, world.Errorf(code, "The specified key is not valid: %s.", f.key)
		}
	}
	return keep(records, func(r world.Record) bool {
		return !slices.ContainsFunc(filters, func(f filter) bool {
			have, _ := of(r, f.key)
			return !f.matches(have)
		})
	}), nil
}

// compareTexts compares times, else versions and numbers.
func compareTexts(a, b string) int {
	x, errX := time.Parse(time.RFC3339, a)
	y, errY := time.Parse(time.RFC3339, b)
	if errX == nil && errY == nil {
		return x.Compare(y)
	}
	return world.CompareVersions(a, b)
}

// matches holds what a resource has against the filter.
func (f filter) matches(have []string) bool {
	any := func(ok func(have, want string) bool) bool {
		return slices.ContainsFunc(f.values, func(want string) bool {
			return slices.ContainsFunc(have, func(h string) bool { return ok(h, want) })
		})
	}
	equal := func(h, w string) bool { return h == w }
	switch f.operator {
	case "NotEqual", "NOT_EQUAL":
		return !any(equal)
	case "BeginWith", "BeginsWith", "BEGIN_WITH":
		return any(strings.HasPrefix)
	case "Contains":
		return any(strings.Contains)
	case "LessThan", "LESS_THAN":
		return any(func(h, w string) bool { return compareTexts(h, w) < 0 })
	case "GreaterThan", "GREATER_THAN":
		return any(func(h, w string) bool { return compareTexts(h, w) > 0 })
	case "Exists":
		return len(have) > 0
	}
	return any(equal)
}

// missing is the error of a resource that is not there.
func missing(code, what, id string) error {
	return world.Errorf(code, "%s %s does not exist.", what, id)
}

// dated writes a time as it stands in filters and texts of the API.
func dated(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// empty is the answer without members.
func empty() any { return world.Record{} }

// stamp is a text of a number, or empty.
func stamp(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
