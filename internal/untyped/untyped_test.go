package untyped

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

func noFiles(path string) ([]byte, error) { return nil, fmt.Errorf("%s: %w", path, os.ErrNotExist) }

// text is a value as JSON, Words marked by angle brackets.
func text(t *testing.T, v any) string {
	t.Helper()
	data, err := Encode(mark(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mark(v any) any {
	switch v := v.(type) {
	case Word:
		return "<" + string(v) + ">"
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = mark(e)
		}
		return list
	case Object:
		o := make(Object, len(v))
		for i, m := range v {
			o[i] = Member{m.Key, mark(m.Value)}
		}
		return o
	default:
		return v
	}
}

func TestShorthand(t *testing.T) {
	for in, want := range map[string]string{
		"a=b":                     `{"a":"<b>"}`,
		"a=b,c=d":                 `{"a":"<b>","c":"<d>"}`,
		"a=b,c,d=e":               `{"a":["<b>","<c>"],"d":"<e>"}`,
		"a=b,":                    `{"a":["<b>"]}`,
		"a=":                      `{"a":"<>"}`,
		"a=,b=c":                  `{"a":"<>","b":"<c>"}`,
		"a=[b,c]":                 `{"a":["<b>","<c>"]}`,
		"a=[]":                    `{"a":[]}`,
		"a=[[b],[c,d]]":           `{"a":[["<b>"],["<c>","<d>"]]}`,
		"a={b=c}":                 `{"a":{"b":"<c>"}}`,
		"a={}":                    `{"a":{}}`,
		"a={b=c,d},e=f":           `{"a":{"b":["<c>","<d>"]},"e":"<f>"}`,
		"a=[{b=c},{b=[d]}]":       `{"a":[{"b":"<c>"},{"b":["<d>"]}]}`,
		`a='b, c',d="e=\"f\""`:    `{"a":"b, c","d":"e=\"f\""}`,
		`a='it\'s'`:               `{"a":"it's"}`,
		`a=b\,c`:                  `{"a":"<b,c>"}`,
		`a=b\,`:                   `{"a":"<b,>"}`,
		`a="b,"`:                  `{"a":"b,"}`,
		`a=C:\dir\x`:              `{"a":"<C:\\dir\\x>"}`,
		`a=sed s/\[\\x\=\"//`:     `{"a":"<sed s/\\[\\\\x\\=\\\"//>"}`,
		"a = b , c = d":           `{"a":"<b>","c":"<d>"}`,
		"Key=tag:env,Values=a b":  `{"Key":"<tag:env>","Values":"<a b>"}`,
		"a=http://x/?b=c":         `{"a":"<http://x/?b=c>"}`,
		"a=[b=c]":                 `{"a":["<b=c>"]}`,
		"tag:env=b,aws.x/y_z-1=c": `{"tag:env":"<b>","aws.x/y_z-1":"<c>"}`,
		"a=ü,b=é":                 `{"a":"<ü>","b":"<é>"}`,
	} {
		o, err := Shorthand(in, noFiles)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := text(t, o); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestShorthandFaults(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "character 1: a key is missing",
		"a":                               "character 2: = behind a is missing",
		"a=b,=c":                          "character 5: a value with = needs quotes",
		"ü=a":                             "character 1: a key is missing",
		"a=[b":                            "character 5: ] is missing",
		"a={b=c":                          "character 7: } is missing",
		"a='b":                            "character 5: the closing ' is missing",
		"a='b'c":                          "character 6: a comma is missing",
		"a=[b]c":                          "a comma is missing",
		"a@=x":                            "x: file does not exist",
		"a@=x,y":                          "a@= takes one file",
		"a=" + strings.Repeat("[", 100):   "nested too deeply",
		"a=" + strings.Repeat("{a=", 100): "nested too deeply",
	} {
		if _, err := Shorthand(in, noFiles); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
}

func TestJSON(t *testing.T) {
	v, err := JSON([]byte(`{"b": 1.50, "a": [true, null, "x"], "b": 12345678901234567890}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, v), `{"b":1.50,"a":[true,null,"x"],"b":12345678901234567890}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for in, want := range map[string]string{
		"":                "line 1, column 1: unexpected end of JSON input",
		"{\n\"a\": [1,\n": "line 3, column 1: unexpected end of JSON input",
		"{\n \"a\" 1}":    "line 2, column 6: invalid character '1'",
		"{\"ü\": x}":      "line 1, column 7: invalid character 'x'",
		"{} {}":           "line 1, column 4: invalid character '{' after top-level value",
		strings.Repeat("[", 100) + strings.Repeat("]", 100): "nested too deeply",
	} {
		if _, err := JSON([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

func TestYAML(t *testing.T) {
	v, err := YAML("x", []byte("a: 012\nb: \"012\"\nc: yes\nd: [1, ~, 2026-01-02]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := text(t, v); !strings.Contains(got, `"a":"<012>","b":"012"`) || !strings.Contains(got, `["<1>",null,"<2026-01-02>"]`) {
		t.Errorf("got %s", got)
	}
	if v, err := YAML("x", nil); err != nil || text(t, v) != "{}" {
		t.Errorf("nothing is %v, %v", v, err)
	}
	for in, want := range map[string]string{
		"a: &x 1\nb: *x": "x:2: aliases are not taken here",
		"a: 1\na: 2":     "x:2:",
		"a: [":           "x:",
		strings.Repeat("[", 70) + strings.Repeat("]", 70): "nested too deeply",
	} {
		if _, err := YAML("x", []byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

func TestContent(t *testing.T) {
	read := func(path string) ([]byte, error) { return []byte(path + "\n"), nil }
	for in, want := range map[string]string{
		"x": "x", "file://x": "x\n", "fileb://x": "eAo=", "-": "-\n", "": "", "file:/x": "file:/x",
	} {
		if got, err := Content(in, read); got != want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"file://", "file://x"} {
		if _, err := Content(in, nil); err == nil {
			t.Errorf("%q was read", in)
		}
	}
	if _, err := Content("file://x", func(string) ([]byte, error) { return []byte{0xff}, nil }); err == nil {
		t.Error("bytes are no text")
	}
}

// FuzzText: whatever people type is understood or refused, and what is understood
// is JSON.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		"Key=a,Values=b,c", "a=[{b=c},{d='e'}]", `a={b=c,d=[e,f]},g="h\"i"`, "a@=file", "a=b\\,c", "a=,", "=", "a=[", "a={", "a=b,c",
		`{"a":[1,{"b":null}]}`, "[1e400]", "a: b\n- c", "- a\n- b: [c]\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, read := range []func() (any, error){
			func() (any, error) { return Text(in, noFiles) },
			func() (any, error) { return YAML("x", []byte(in)) },
		} {
			v, err := read()
			if err != nil {
				continue
			}
			if data, err := Encode(v); err != nil || !json.Valid(data) {
				t.Errorf("%q became %q, %v", in, data, err)
			}
		}
	})
}
