package parameter

import (
	"reflect"
	"strings"
	"testing"
)

func TestMatcher(t *testing.T) {
	long := strings.Repeat("a", 50) + "é" + "DB-1" + "é" + strings.Repeat("b", 50)
	plain := Parameter{Name: "/app/db-1", Type: String, Description: "the old db-1.internal", Value: long}
	secret := Parameter{Name: "/app/key", Type: SecureString, Value: "x db-1 y"}
	tests := []struct {
		name, text         string
		regex, ignore, hid bool
		in                 Parameter
		want               []Match
	}{
		{"a name and a description", "db-1", false, false, false, plain, []Match{
			{In: InName, Before: "/app/", Text: "db-1"}, {In: InDescription, Before: "the old ", Text: "db-1", After: ".internal"},
		}},
		{"a value, cut around it", "DB-1", false, false, false, plain, []Match{
			{In: InValue, Before: strings.Repeat("a", 29) + "é", Text: "DB-1", After: "é" + strings.Repeat("b", 29)},
		}},
		{"in any case", "The OLD", false, true, false, plain, []Match{{In: InDescription, Text: "the old", After: " db-1.internal"}}},
		{"an expression", `^/\w+/db-\d$`, true, false, false, plain, []Match{{In: InName, Text: "/app/db-1"}}},
		{"the same as a text", `^/\w+/db-\d$`, false, false, false, plain, nil},
		{"a SecureString", "db-1", false, false, false, secret, []Match{{In: InValue, Secret: true}}},
		{"a text that is a secret", "DB-1", false, false, true, plain, []Match{{In: InValue, Secret: true}}},
		{"nothing", "nope", false, false, false, plain, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := NewMatcher(tt.text, tt.regex, tt.ignore)
			if err != nil {
				t.Fatal(err)
			}
			f, ok := m.Find(tt.in, tt.hid)
			if !reflect.DeepEqual(f.Matches, tt.want) || ok != (len(tt.want) > 0) {
				t.Errorf("got %+v, %v; want %+v", f.Matches, ok, tt.want)
			}
		})
	}
	if _, err := NewMatcher("(", true, false); err == nil {
		t.Error("an expression that is none was taken")
	}
	m, _ := NewMatcher("old", false, false)
	if f, _ := m.Find(plain, true); f.Description != "" {
		t.Errorf("a description that holds the secret is told: %q", f.Description)
	}
}
