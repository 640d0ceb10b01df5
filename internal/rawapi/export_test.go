package rawapi

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/aws/smithy-go"
)

// FilledInput returns an input of the operation in which every field has a value,
// and its JSON.
func (o *Operation) FilledInput() (any, []byte) { return filledJSON(o.entry.input, 0) }

// FilledOutput is FilledInput for the answer, with other texts: a page does not
// lead to itself.
func (o *Operation) FilledOutput() (any, []byte) { return filledJSON(o.entry.output, 5000) }

func filledJSON(t reflect.Type, n int) (any, []byte) {
	p := reflect.New(t)
	p.Elem().Set(filledFrom(t, n))
	data, err := encode(p.Interface())
	if err != nil {
		panic(err)
	}
	return p.Interface(), data
}

// InputWith returns an input with the required fields and this one, without the
// field as JSON, and the field's value as a flag takes it.
func (o *Operation) InputWith(f *Field) (input any, rest []byte, text string) {
	p, q := reflect.New(o.entry.input), reflect.New(o.entry.input)
	for i := range o.Fields {
		if other := &o.Fields[i]; other.Required && other.Name != f.Name {
			v := filled(other.typ)
			p.Elem().Field(other.index).Set(v)
			q.Elem().Field(other.index).Set(v)
		}
	}
	p.Elem().Field(f.index).Set(filled(f.typ))
	data, err := encode(p.Interface())
	if err != nil {
		panic(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		panic(err)
	}
	text = string(fields[f.Name])
	if f.Shape == Text || f.Shape == Time {
		text = strings.Trim(text, `"`)
	}
	rest, err = encode(q.Interface())
	if err != nil {
		panic(err)
	}
	return p.Interface(), rest, text
}

// SecretTexts returns the sensitive texts of a filled input.
func SecretTexts(input any) []string {
	var w wire
	input.(interface{ Serialize(smithy.ShapeSerializer) }).Serialize(&w)
	return w.secrets
}
