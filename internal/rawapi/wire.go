package rawapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
	"github.com/aws/smithy-go/traits"

	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// Hidden stands for a value that must not be shown.
const Hidden = "(hidden)"

// serializable is what the SDK's inputs are.
type serializable interface{ Serialize(smithy.ShapeSerializer) }

// wire is the SDK's view of an input, as JSON with the names that are sent. It
// implements smithy.ShapeSerializer, and so learns from the API's model which
// values are sensitive, however deep they are.
type wire struct {
	stack   []*container
	root    any
	mask    bool     // write Hidden for sensitive values
	hidden  int      // how many containers of the stack are sensitive
	secrets []string // the sensitive texts seen
}

// container is an object, map or list that is being written.
type container struct {
	object untyped.Object
	list   []any
	isList bool
	key    string // of a map's next value
	isMap  bool
	name   string // under which it goes into its parent
	secret bool
}

var _ smithy.ShapeSerializer = (*wire)(nil)

func isSensitive(s *smithy.Schema) bool {
	_, ok := smithy.SchemaTrait[*traits.Sensitive](s)
	return ok
}

// put adds a finished value to the container that is open.
func (w *wire) put(name string, v any) {
	if len(w.stack) == 0 {
		w.root = v
		return
	}
	c := w.stack[len(w.stack)-1]
	switch {
	case c.isList:
		c.list = append(c.list, v)
	case c.isMap:
		c.object = append(c.object, untyped.Member{Key: c.key, Value: v})
	default:
		c.object = append(c.object, untyped.Member{Key: name, Value: v})
	}
}

// scalar adds a value; text is what must not be seen elsewhere when it is sensitive.
func (w *wire) scalar(s *smithy.Schema, v any, text string) {
	if w.hidden > 0 || isSensitive(s) {
		if text != "" {
			w.secrets = append(w.secrets, text)
		}
		if w.mask {
			v = Hidden
		}
	}
	w.put(s.MemberName(), v)
}

func (w *wire) open(s *smithy.Schema, c *container) {
	c.name, c.secret = s.MemberName(), isSensitive(s)
	if c.secret {
		w.hidden++
	}
	w.stack = append(w.stack, c)
}

func (w *wire) close() {
	c := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	if c.secret {
		w.hidden--
	}
	switch {
	case c.isList:
		w.put(c.name, c.list)
	case c.isMap:
		slices.SortFunc(c.object, func(a, b untyped.Member) int { return strings.Compare(a.Key, b.Key) })
		w.put(c.name, c.object)
	default:
		w.put(c.name, c.object)
	}
}

func (w *wire) WriteStruct(s *smithy.Schema)           { w.open(s, &container{}) }
func (w *wire) CloseStruct()                           { w.close() }
func (w *wire) WriteUnion(s, _ *smithy.Schema)         { w.open(s, &container{}) }
func (w *wire) CloseUnion()                            { w.close() }
func (w *wire) WriteList(s *smithy.Schema)             { w.open(s, &container{isList: true, list: []any{}}) }
func (w *wire) CloseList()                             { w.close() }
func (w *wire) WriteMap(s *smithy.Schema)              { w.open(s, &container{isMap: true}) }
func (w *wire) CloseMap()                              { w.close() }
func (w *wire) WriteKey(_ *smithy.Schema, k string)    { w.stack[len(w.stack)-1].key = k }
func (w *wire) WriteString(s *smithy.Schema, v string) { w.scalar(s, v, v) }
func (w *wire) WriteBool(s *smithy.Schema, v bool)     { w.scalar(s, v, "") }
func (w *wire) WriteInt8(s *smithy.Schema, v int8)     { w.integer(s, int64(v)) }
func (w *wire) WriteInt16(s *smithy.Schema, v int16)   { w.integer(s, int64(v)) }
func (w *wire) WriteInt32(s *smithy.Schema, v int32)   { w.integer(s, int64(v)) }
func (w *wire) WriteInt64(s *smithy.Schema, v int64)   { w.integer(s, v) }

func (w *wire) integer(s *smithy.Schema, v int64) {
	w.scalar(s, json.Number(strconv.FormatInt(v, 10)), "")
}

func (w *wire) WriteFloat32(s *smithy.Schema, v float32) { w.WriteFloat64(s, float64(v)) }

func (w *wire) WriteFloat64(s *smithy.Schema, v float64) {
	w.scalar(s, json.Number(strconv.FormatFloat(v, 'g', -1, 64)), "")
}

func (w *wire) WriteBigInt(s *smithy.Schema, v *big.Int) { w.scalar(s, json.Number(v.String()), "") }

func (w *wire) WriteBigFloat(s *smithy.Schema, v *big.Float) {
	w.scalar(s, json.Number(v.String()), "")
}

func (w *wire) WriteBlob(s *smithy.Schema, v []byte) {
	w.scalar(s, base64.StdEncoding.EncodeToString(v), string(v))
}

func (w *wire) WriteTime(s *smithy.Schema, v time.Time) {
	w.scalar(s, v.UTC().Format(time.RFC3339Nano), "")
}

func (w *wire) WriteNil(s *smithy.Schema) { w.put(s.MemberName(), nil) }

// WriteDocument is for free-form values, which no input of this API has.
func (w *wire) WriteDocument(s *smithy.Schema, _ document.Value) { w.put(s.MemberName(), nil) }

// Bytes returns the JSON of what was written.
func (w *wire) Bytes() []byte {
	data, err := untyped.Encode(w.root)
	if err != nil {
		return nil // such a value can always be encoded
	}
	return data
}

// treeOfGo returns a Go value that a caller wrote down as a tree.
func treeOfGo(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return untyped.JSON(data)
}
