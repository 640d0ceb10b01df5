package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jmespath/go-jmespath"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// query is a compiled --query.
type query struct {
	text string
	expr *jmespath.JMESPath
	keys []string // fields the expression names, in order
}

// compileQuery reads a JMESPath expression; nil when there is none. A fault is
// a Usage error with its position.
func compileQuery(text string) (*query, error) {
	if text == "" {
		return nil, nil
	}
	expr, err := compile(text)
	if err != nil {
		return nil, queryFault(text, err)
	}
	return &query{text: text, expr: expr, keys: namedFields(text)}, nil
}

// compile guards against the parser, which is not ours and is given whatever a
// user types.
func compile(text string) (expr *jmespath.JMESPath, err error) {
	defer func() {
		if v := recover(); v != nil {
			expr, err = nil, fmt.Errorf("%v", v)
		}
	}()
	return jmespath.Compile(text)
}

func queryFault(text string, err error) error {
	var syntax jmespath.SyntaxError
	if !errors.As(err, &syntax) {
		return fault.Usagef("--query %s: %w", quoteShort(text), err)
	}
	msg := strings.TrimPrefix(syntax.Error(), "SyntaxError: ")
	return fault.Usagef("--query %s: character %d: %s", quoteShort(text), syntax.Offset+1, lowerFirst(msg)).
		WithHint("see https://jmespath.org/specification.html for the grammar")
}

func quoteShort(s string) string { return strconv.Quote(CutEnd(s, 60, "...")) }

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// apply runs the query on the JSON of v and returns the tree of the result. v
// is not touched: the library sorts in place, but only our decoded copy.
func (q *query) apply(v any) (result any, err error) {
	var b bytes.Buffer
	if err := encodeJSON(&b, v, false); err != nil {
		return nil, err
	}
	tree, err := decodeTree(b.Bytes())
	if err != nil {
		return nil, err
	}
	m := memory{ranks: ranks{}, large: map[float64]json.Number{}}
	for _, k := range q.keys {
		m.ranks.add(k)
	}
	defer func() {
		if v := recover(); v != nil {
			result, err = nil, fault.Usagef("--query %s: %v", quoteShort(q.text), v)
		}
	}()
	found, err := q.expr.Search(m.plain(tree))
	if err != nil {
		return nil, queryFault(q.text, err)
	}
	return m.tree(found), nil
}

// memory keeps what a tree loses on its way through the library, which knows
// neither the order of fields nor numbers other than float64.
type memory struct {
	ranks ranks
	large map[float64]json.Number // numbers that a float64 does not hold exactly
}

// plain turns a tree into what the library works on.
func (m *memory) plain(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = m.plain(e)
		}
		return list
	case *object:
		fields := make(map[string]any, len(v.keys))
		for _, k := range v.keys {
			m.ranks.add(k)
			fields[k] = m.plain(v.values[k])
		}
		return fields
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v // beyond any float64
		}
		const exact = 1 << 53 // from here not every integer is a float64
		if f >= exact || f <= -exact {
			if other, taken := m.large[f]; taken && other != v {
				v = "" // two numbers become one: neither can be told back
			}
			m.large[f] = v
		}
		return f
	default:
		return v
	}
}

// tree turns a result into a tree: fields in the order they were asked for,
// else as they came, unknown ones last by name; large numbers with their digits.
func (m *memory) tree(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = m.tree(e)
		}
		return list
	case map[string]any:
		o := &object{values: make(map[string]any, len(v))}
		for k, e := range v {
			o.set(k, m.tree(e))
		}
		slices.SortFunc(o.keys, m.ranks.compare)
		return o
	case float64:
		if n := m.large[v]; n != "" {
			return n
		}
		return v
	default:
		return v
	}
}

// ranks order fields.
type ranks map[string]int

func (r ranks) add(key string) {
	if _, known := r[key]; !known {
		r[key] = len(r)
	}
}

func (r ranks) compare(a, b string) int {
	ra, knownA := r[a]
	rb, knownB := r[b]
	switch {
	case knownA && knownB:
		return ra - rb
	case knownA:
		return -1
	case knownB:
		return 1
	}
	return strings.Compare(a, b)
}

// namedFields returns the fields that the hashes of an expression make, in
// order: id and name of "[].{id: InstanceId, name: Name}". The library returns
// such hashes unordered.
func namedFields(text string) []string {
	var keys []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\'' || c == '`': // literals
			i += quoted(text[i:], c)
		case c == '"':
			n := quoted(text[i:], c)
			var key string
			if beforeColon(text[i+n:]) && json.Unmarshal([]byte(text[i:i+n]), &key) == nil {
				keys = append(keys, key)
			}
			i += n
		case identifier(c):
			n := 1
			for i+n < len(text) && (identifier(text[i+n]) || text[i+n] >= '0' && text[i+n] <= '9') {
				n++
			}
			if beforeColon(text[i+n:]) {
				keys = append(keys, text[i:i+n])
			}
			i += n
		default:
			i++
		}
	}
	return keys
}

// quoted returns the length of the quoted text at the start of s, which may not
// be ended.
func quoted(s string, quote byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	return len(s)
}

func beforeColon(s string) bool {
	return strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), ":")
}

func identifier(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}
