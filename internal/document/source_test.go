package document

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestReadSource(t *testing.T) {
	for name, c := range map[string]struct{ text, format, docType string }{
		"a command in YAML":       {"schemaVersion: '2.2'\nmainSteps: []\n", FormatYAML, "Command"},
		"a command in JSON":       {` {"schemaVersion":"1.2","runtimeConfig":{}}`, FormatJSON, "Command"},
		"a number for a version":  {"schemaVersion: 2.2\nmainSteps: []\n", FormatYAML, "Command"},
		"a runbook":               {"schemaVersion: '0.3'\nmainSteps: []\n", FormatYAML, "Automation"},
		"a session":               {"schemaVersion: '1.0'\nsessionType: Port\n", FormatYAML, "Session"},
		"a package":               {`{"schemaVersion":"2.0","packages":{},"files":{}}`, FormatJSON, "Package"},
		"a template":              {"AWSTemplateFormatVersion: '2010-09-09'\n", FormatYAML, "CloudFormation"},
		"a calendar":              {"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", FormatText, "ChangeCalendar"},
		"something else":          {"a: 1\n", FormatYAML, ""},
		"with a byte order mark":  {"\ufeff{\"schemaVersion\":\"0.3\",\"mainSteps\":[]}", FormatJSON, "Automation"},
		"a session of no purpose": {"schemaVersion: '1.0'\n", FormatYAML, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ReadSource("folder/my-doc.x.yaml", []byte(c.text), "")
			if err != nil || s.Format != c.format || s.Type() != c.docType || s.Name() != "my-doc.x" {
				t.Errorf("%s %q %s, %v; want %s %q", s.Format, s.Type(), s.Name(), err, c.format, c.docType)
			}
			if strings.HasPrefix(s.Text, "\ufeff") {
				t.Error("the byte order mark would be sent")
			}
		})
	}
}

func TestReadSourceSaysWhere(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no content":     {" \n", "is empty"},
		"not text":       {"a: \xff\n", "not text in UTF-8"},
		"too long":       {"a: " + strings.Repeat("x", maxSize), "65536 at most"},
		"broken YAML":    {"a: 1\nb: [1,\n", "line 3"},
		"a list":         {"- a\n", "YAML mapping"},
		"broken JSON":    {"{\n  \"a\": 1,\n  \"b\": nope\n}", "line 3, column 9"},
		"JSON to be":     {"{\n", "incomplete"},
		"more behind it": {`{"a":1} {}`, "closing brace"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadSource("f.yaml", []byte(c.text), "")
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "f.yaml") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestCheckHoldsTheSchemaAgainstTheType(t *testing.T) {
	src := func(text string) Source {
		s, err := ReadSource("f.yaml", []byte(text), "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	runbook := src("schemaVersion: '0.3'\nmainSteps: []\n")
	if err := runbook.Check("Automation"); err != nil {
		t.Error(err)
	}
	if err := runbook.Check("ApplicationConfiguration"); err != nil {
		t.Errorf("a type with a schema of its own: %v", err)
	}
	if err := runbook.Check("Command"); fault.KindOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "--type Automation") {
		t.Errorf("%v, %s", err, fault.HintOf(err))
	}
	if err := src("mainSteps: []\n").Check("Command"); err == nil || !strings.Contains(err.Error(), "schemaVersion is missing") {
		t.Error(err)
	}
	if err := src("BEGIN:VCALENDAR\n").Check("Command"); err == nil {
		t.Error("a calendar is no command")
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"abc", "My_doc-1.2", strings.Repeat("a", 128)} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "ab", "a b", "a/b", strings.Repeat("a", 129), "AWS-x", "amazonia", "Amzn-1"} {
		if err := CheckName(name); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSame(t *testing.T) {
	y, j, x := FormatYAML, FormatJSON, FormatText
	for name, c := range map[string]struct {
		a, b Side
		want bool
	}{
		"layout and comments": {Side{Format: y, Text: "a: 1 # one\nb: [x, y]\n"}, Side{Format: y, Text: "b:\n- x\n- y\na: 1\n"}, true},
		"YAML and JSON":       {Side{Format: y, Text: "a: 1\nb: 'x'\nc: true\n"}, Side{Format: j, Text: `{"c":true,"b":"x","a":1.0}`}, true},
		"number and text":     {Side{Format: y, Text: "a: 1\n"}, Side{Format: j, Text: `{"a":"1"}`}, false},
		"order of a list":     {Side{Format: j, Text: `{"a":[1,2]}`}, Side{Format: j, Text: `{"a":[2,1]}`}, false},
		"a space in a script": {Side{Format: y, Text: "a: |\n  x\n"}, Side{Format: y, Text: "a: |\n  x \n"}, false},
		"long numbers":        {Side{Format: j, Text: `{"a":123456789012345678}`}, Side{Format: j, Text: `{"a":123456789012345679}`}, false},
		"text":                {Side{Format: x, Text: "a\r\nb\r\n"}, Side{Format: x, Text: "a\nb"}, true},
		"other text":          {Side{Format: x, Text: "a: 1 "}, Side{Format: x, Text: "a: 1"}, false},
		"broken ones":         {Side{Format: y, Text: "a: ["}, Side{Format: y, Text: "a: [\n"}, true},
		"null and nothing":    {Side{Format: y, Text: "a:\n"}, Side{Format: y, Text: "b: 1\n"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if Same(c.a, c.b) != c.want || Same(c.b, c.a) != c.want {
				t.Errorf("want %v", c.want)
			}
			if (len(Diff(c.a, c.b)) == 0) != c.want {
				t.Errorf("the difference is %q", Diff(c.a, c.b))
			}
		})
	}
}

func TestDiffOfFormatsIsOfTheirMeaning(t *testing.T) {
	got := strings.Join(Diff(
		Side{Label: "a", Format: FormatYAML, Text: "# note\nb: 2\na: {x: 1}\n"}, Side{Label: "b", Format: FormatJSON, Text: `{"a":{"x":1},"b":3}`}), "|")
	if want := "--- a|+++ b|@@ -1,3 +1,3 @@| a:|   x: 1|-b: 2|+b: 3"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = strings.Join(Diff(Side{Label: "a", Format: FormatJSON, Text: `{"a":1}`}, Side{Label: "b", Format: FormatJSON, Text: `{"a":2}`}), "|")
	if want := `--- a|+++ b|@@ -1,3 +1,3 @@| {|-  "a": 1|+  "a": 2| }`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzReadSource(f *testing.F) {
	for _, s := range []string{"a: 1\n", `{"a":[1,{"b":null}]}`, "BEGIN:VCALENDAR\n", "a: &x [*x]\n", "{", "? [a]\n: b\n", "a: 2020-01-01\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ReadSource("f", []byte(text), "")
		if err != nil {
			return
		}
		side := s.Side("f")
		if !Same(side, side) || len(Diff(side, side)) > 0 {
			t.Error("a text differs from itself")
		}
		s.Type()
		doc, err := s.Document("f")
		if err != nil {
			return
		}
		_, _, _ = s.Fill(doc, nil)
	})
}
