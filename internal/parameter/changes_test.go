package parameter

import (
	"reflect"
	"testing"
)

func TestCompareVersions(t *testing.T) {
	secret := func(version int64, value string) Parameter {
		return Parameter{Type: SecureString, Version: version, Value: value}
	}
	tests := []struct {
		name string
		a, b Parameter
		hide bool
		want []Changed
	}{
		{"nothing", Parameter{Value: "a"}, Parameter{Value: "a"}, false, []Changed{}},
		{"a value and a description", Parameter{Value: "a"}, Parameter{Value: "b", Description: "d"}, true, []Changed{
			{Field: "value", Before: "a", After: "b"}, {Field: "description", After: "d"},
		}},
		{"a secret that is shown", secret(1, "a"), secret(2, "b"), false, []Changed{{Field: "value", Before: "a", After: "b"}}},
		{"a secret that is hidden", secret(1, "a"), secret(2, "b"), true, []Changed{{Field: "value", Secret: true}}},
		{"the same secret", secret(1, "a"), secret(2, "a"), true, []Changed{}},
		{"secrets that were not read", secret(1, ""), secret(2, ""), true, []Changed{{Field: "value", Secret: true, Unknown: true}}},
		{"the order of policies", Parameter{Policies: []Policy{{Text: "1"}, {Text: "2"}}}, Parameter{Policies: []Policy{{Text: "2"}, {Text: "1"}}}, true, []Changed{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Compare(tt.a, tt.b, tt.hide).Changes; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestParseRange(t *testing.T) {
	for text, want := range map[string]Range{"3": {3, 3}, "1..4": {1, 4}, "2..": {From: 2}, "..2": {To: 2}} {
		if got, ok := ParseRange(text); !ok || got != want {
			t.Errorf("%s: got %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "..", "0", "4..1", "a", "1..b", "-1", "1...2", "stable"} {
		if got, ok := ParseRange(text); ok {
			t.Errorf("%q was read as %v", text, got)
		}
	}
	if r := (Range{From: 2}); r.Holds(1) || !r.Holds(2) || !r.Holds(99) {
		t.Error("an open range does not hold what it should")
	}
}
