package control

import (
	"fmt"
	"strings"
	"testing"
)

// TestNamesThatNoParameterHas holds that a read tells a name that cannot be from one
// that is not there.
func TestNamesThatNoParameterHas(t *testing.T) {
	f := newFixture(t, "parameters: [{name: root, value: x}]", nil)
	for name, want := range map[string]string{
		"/a//b": "sub-paths divided by slash symbol", "a/b": "sub-paths divided by slash symbol", "/a/": "sub-paths divided by slash symbol",
		"{a}": "sub-paths divided by slash symbol", "a b": "sub-paths divided by slash symbol", "/ssm/a": "sub-paths divided by slash symbol",
		"root:1:2": "correct syntax for referencing a version/label", "root:": "correct syntax for referencing a version/label",
		"arn:aws:ssm:us-east-1:123456789012:parameter/root:1:2": "correct syntax for referencing a version/label",
	} {
		for op, body := range map[string]string{"GetParameter": `{"Name":` + quoted(name) + `}`, "GetParameters": `{"Names":["root",` + quoted(name) + `]}`} {
			if got := f.says(op, body); !strings.HasPrefix(got, "ValidationException: ") || !strings.Contains(got, want) {
				t.Errorf("%s %s: %s", op, name, got)
			}
		}
	}
	for _, name := range []string{"none", "/none/at/all", "none:1", "/aws/service/none", "/aws/none"} {
		f.refused("GetParameter", `{"Name":`+quoted(name)+`}`, "ParameterNotFound")
	}
}

// TestNamesAtTheRoot holds that a parameter at the root is found with the slash and
// without it, and answers to the name that it was asked by.
func TestNamesAtTheRoot(t *testing.T) {
	f := newFixture(t, "parameters: [{name: plain, value: x}, {name: /slash, value: x}]", nil)
	const arn = "arn:aws:ssm:us-east-1:123456789012:parameter/"
	for _, tt := range [][2]string{
		{"plain", "plain"},
		{"/plain", "/plain"},
		{"/plain:1", "/plain"},
		{arn + "plain", "plain"},
		{arn + "plain:1", "plain"},
		{"slash", "slash"},
		{"/slash", "/slash"},
		{arn + "slash", "/slash"},
	} {
		if got := at(f.must("GetParameter", `{"Name":"`+tt[0]+`"}`), "Parameter", "Name"); got != tt[1] {
			t.Errorf("%s is %v", tt[0], got)
		}
	}
	if got := fmt.Sprint(at(f.must("GetParameters", `{"Names":["plain","/plain","plain"]}`), "Parameters")); strings.Count(got, "Name:") != 2 {
		t.Errorf("one by two names, one of them twice: %s", got)
	}
	if got := column(f.must("GetParametersByPath", `{"Path":"/"}`)["Parameters"], "Name"); got != "plain /slash" {
		t.Errorf("a path has the names as they were given: %s", got)
	}
}
