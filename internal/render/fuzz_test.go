package render

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func FuzzVisible(f *testing.F) {
	for _, h := range hostile {
		f.Add(h, 5)
	}
	f.Add("数据库 é 👩‍💻 \x1b[1;31mx\x1b[m", 7)
	f.Fuzz(func(t *testing.T, s string, width int) {
		v := Visible(s)
		if bad := unsafeIn(v, false); bad != "" || strings.ContainsAny(v, "\n\t") {
			t.Fatalf("Visible(%q) holds %s", s, bad)
		}
		if again := Visible(v); again != v {
			t.Fatalf("Visible twice: %q, then %q", v, again)
		}
		for _, color := range []bool{true, false} {
			st := styled(s, color)
			if bad := unsafeIn(st, color); bad != "" || strings.ContainsAny(st, "\n\t") {
				t.Fatalf("styled(%q) holds %s", s, bad)
			}
			if width < 0 || width > 500 {
				continue
			}
			for _, cut := range []string{CutEnd(st, width, "…"), CutMiddle(st, width, "…")} {
				if Width(cut) > width {
					t.Fatalf("%q cut to %d is %q, %d cells", st, width, cut, Width(cut))
				}
				if bad := unsafeIn(cut, color); bad != "" {
					t.Fatalf("%q cut to %d holds %s", st, width, bad)
				}
			}
		}
	})
}

func FuzzQuery(f *testing.F) {
	for _, q := range []string{
		"[].{Size: size, \"a b\": name}", "sort_by(@, &name)", "[?size > `5`]", "max_by(@, &size).tags", "[::-1]", "'x", "`", "\"", "a.b[",
		"[?contains(name, 'w')] | [0]", "join(',', [].name)", "to_number('1e400')", "merge(@[0], @[1])", "[0:1:0]", "&a", "map(&size, @)", "not_null(a, b)",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []Format{FormatText, FormatJSON, FormatYAML, FormatCSV} {
			var b bytes.Buffer
			err := nodes(plainStyles()).Write(&b, Options{Query: text, Format: format}, seq(fleet()))
			if text != "" && err != nil && fault.KindOf(err) != fault.Usage {
				t.Fatalf("%q: got %v, want a usage error", text, err)
			}
			if bad := unsafeIn(b.String(), false); bad != "" {
				t.Fatalf("%q as %s holds %s", text, format, bad)
			}
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5e3,"x",null,true,{"b":"012345678901"}],"c":"\u001b\u2028","":{}}`))
	f.Add([]byte(`[[1,"a"],[]]`))
	f.Add([]byte(`[{"a":"yes"},{"b":"12:30"},{"a":"- x\n"}]`))
	f.Add([]byte(`"\r\n\t"`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var want any
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		valid := json.Valid(data) && dec.Decode(&want) == nil
		for _, format := range []Format{FormatJSON, FormatYAML, FormatText, FormatCSV, FormatTable} {
			var b bytes.Buffer
			o := Options{Format: format, Width: 60}
			err := JSON(&b, o, data)
			if (err == nil) != valid {
				t.Fatalf("%s: got %v, but the input is valid: %v", format, err, valid)
			}
			if bad := unsafeIn(b.String(), false); bad != "" {
				t.Fatalf("%s: %q holds %s", format, b.String(), bad)
			}
			if !valid {
				continue
			}
			switch format {
			case FormatJSON:
				var got any
				dec := json.NewDecoder(&b)
				dec.UseNumber()
				if err := dec.Decode(&got); err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("got %v, %v, want %v", got, err, want)
				}
			case FormatYAML:
				var got yaml.Node
				if err := yaml.Load(b.Bytes(), &got); err != nil {
					t.Fatalf("%v in %q", err, b.String())
				}
				sameYAML(t, got.Content[0], want)
			}
		}
	})
}

// sameYAML compares YAML as read back with the JSON it was made from.
func sameYAML(t *testing.T, n *yaml.Node, want any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		if n.Kind != yaml.MappingNode || len(n.Content) != 2*len(w) {
			t.Fatalf("got kind %v with %d nodes, want %v", n.Kind, len(n.Content), w)
		}
		for i := 0; i < len(n.Content); i += 2 {
			v, ok := w[n.Content[i].Value]
			if !ok {
				t.Fatalf("field %q came from nowhere", n.Content[i].Value)
			}
			sameYAML(t, n.Content[i+1], v)
		}
	case []any:
		if n.Kind != yaml.SequenceNode || len(n.Content) != len(w) {
			t.Fatalf("got kind %v with %d nodes, want %v", n.Kind, len(n.Content), w)
		}
		for i := range w {
			sameYAML(t, n.Content[i], w[i])
		}
	case string:
		if n.ShortTag() != "!!str" || n.Value != w {
			t.Fatalf("got %s %q, want text %q (%v)", n.ShortTag(), n.Value, w, utf8.ValidString(w))
		}
	default:
		if number, ok := want.(json.Number); ok {
			if _, err := number.Float64(); err != nil {
				return // too large for any reader
			}
		}
		if n.ShortTag() == "!!str" || n.Value != scalarText(want) && !(want == nil && n.Value == "null") {
			t.Fatalf("got %s %q, want %v", n.ShortTag(), n.Value, want)
		}
	}
}
