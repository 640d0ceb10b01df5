package model

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheModelIsWhole(t *testing.T) {
	if n := len(Names()); n != 154 {
		t.Errorf("%d operations", n)
	}
	seen := map[*Shape]bool{}
	var visit func(s *Shape)
	visit = func(s *Shape) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		if s.Pattern != "" {
			pattern := s.Pattern
			if instead, ok := replaced[pattern]; ok {
				pattern = instead
			}
			if _, err := regexp.Compile(pattern); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
		if s.Min != nil && s.Max != nil && *s.Min > *s.Max {
			t.Errorf("%s: %d..%d", s.Name, *s.Min, *s.Max)
		}
		visit(s.Element)
		visit(s.Key)
		for _, m := range s.Members {
			visit(m.Shape)
		}
	}
	for _, o := range SSM() {
		visit(o.Request)
		visit(o.Answer)
	}
	t.Logf("%d operations, %d shapes", len(Names()), len(seen))
}

func TestMistakesInTheData(t *testing.T) {
	for _, text := range []string{
		"string", "operation A", "  Member string", "list L", "map M string", "string S 1..x", "string S strange",
		"structure S\n  Member Nowhere", "list L Nowhere", "operation A Nowhere -",
	} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

const sample = `operation Do Request Answer Gone
structure Request
  Name Name required
  Kind Kind
  Count Count
  Names Names
  Map Map
  At timestamp
  Data blob
  On boolean
  Choice Choice
structure Answer
  Name string
  At timestamp
  Items Requests
list Requests Request
union Choice
  A string
  B string
string Name 2..4 pattern ^[a-z]+$
string Kind enum A|B
integer Count 1..5
list Names Name 1..2
map Map Name integer 0..1`

func TestCheck(t *testing.T) {
	ops, err := parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ in, want string }{
		{`{"Name":"abc","Other":1}`, ""},
		{`{"Name":"abc","Kind":"A","Count":5,"Names":["ab"],"Map":{"ab":1},"At":1.5,"Data":"YQ==","On":true,"Choice":{"A":"x"}}`, ""},
		{`{}`, "ValidationException: 1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{`{"Name":"A","Count":0}`, "ValidationException: 3 validation errors detected: Value 'A' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 2; Value 'A' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z]+$; Value '0' at 'count' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{`{"Name":"abc","Kind":"C"}`, "ValidationException: 1 validation error detected: Value 'C' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: [A, B]"},
		{`{"Name":"abc","Names":["ab","abcde"]}`, "ValidationException: 1 validation error detected: Value 'abcde' at 'names.2.member' failed to satisfy constraint: Member must have length less than or equal to 4"},
		{`{"Name":"abc","Names":["ab","ab","ab"]}`, "ValidationException: 1 validation error detected: Value '[ab, ab, ab]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 2"},
		{`{"Name":"abc","Map":{"ab":1,"cd":2}}`, "ValidationException: 1 validation error detected: Value '2 entries' at 'map' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{`{"Name":"abc","Names":[null],"Map":{"ab":null}}`, "ValidationException: 2 validation errors detected: Value null at 'names.1.member' failed to satisfy constraint: Member must not be null; Value null at 'map.ab.member' failed to satisfy constraint: Member must not be null"},
		{`{"Name":5}`, "SerializationException: NUMBER_VALUE can not be converted to a String"},
		{`{"Name":"abc","Count":"5"}`, "SerializationException: STRING_VALUE can not be converted to an Integer"},
		{`{"Name":"abc","Count":1.5}`, "SerializationException: NUMBER_VALUE can not be converted to an Integer"},
		{`{"Name":"abc","Count":1e300}`, "SerializationException: NUMBER_VALUE can not be converted to an Integer"},
		{`{"Name":"abc","Names":{}}`, "SerializationException: START_OBJECT can not be converted to a List"},
		{`{"Name":"abc","Map":[]}`, "SerializationException: START_ARRAY can not be converted to a Map"},
		{`{"Name":"abc","On":"true"}`, "SerializationException: STRING_VALUE can not be converted to a Boolean"},
		{`{"Name":"abc","At":"now"}`, "SerializationException: STRING_VALUE can not be converted to milliseconds since epoch"},
		{`{"Name":"abc","Data":"*"}`, "SerializationException: Invalid base64 in a Blob"},
		{`{"Name":"abc","Choice":{"A":"x","B":"y"}}`, "SerializationException: Choice must have exactly one member, not 2"},
		{`[]`, "SerializationException: START_ARRAY can not be converted to a structure"},
	}
	for _, tt := range tests {
		got := ""
		if err := ops["Do"].Check(decode(t, tt.in)); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func TestFillAndDeviations(t *testing.T) {
	ops, err := parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	answer := ops["Do"].Answer
	filled := answer.Fill(map[string]any{
		"Name": "x", "Hidden": true, "At": time.UnixMilli(1500),
		"Items": []map[string]any{{"Name": "", "Kind": "", "Count": 2, "At": time.Time{}, "Secret": 1, "Names": []string{"a"}, "Map": map[string]any{"k": 1}}},
	})
	text, err := json.Marshal(filled)
	if want := `{"At":1.500,"Items":[{"Count":2,"Map":{"k":1},"Name":"","Names":["a"]}],"Name":"x"}`; err != nil || string(text) != want {
		t.Errorf("got  %s, %v\nwant %s", text, err, want)
	}
	if d := answer.Deviations("", decode(t, string(text))); len(d) > 0 {
		t.Errorf("deviations %v", d)
	}
	d := answer.Deviations("", decode(t, `{"Name":1,"At":"x","Items":[{"Count":1.5,"On":1,"Names":1,"Data":2}],"New":1}`))
	slices.Sort(d)
	want := []string{
		".At: STRING_VALUE for a timestamp", ".Items[0].Count: NUMBER_VALUE for a integer", ".Items[0].Data: NUMBER_VALUE for a blob",
		".Items[0].Names: NUMBER_VALUE for a list", ".Items[0].On: NUMBER_VALUE for a boolean", ".Name: NUMBER_VALUE for a string", ".New: no such member of Answer",
	}
	if !slices.Equal(d, want) {
		t.Errorf("got  %q\nwant %q", d, want)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("SendCommand", `{"DocumentName":"AWS-RunShellScript","Parameters":{"commands":["id"]}}`)
	f.Add("PutInventory", `{"InstanceId":"i-1","Items":[null]}`)
	f.Fuzz(func(_ *testing.T, name, text string) {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var v any
		if o := SSM()[name]; o != nil && dec.Decode(&v) == nil {
			_ = o.Check(v)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := parse(source); err != nil {
			b.Fatal(err)
		}
	}
}
