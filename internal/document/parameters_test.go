package document

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

var testDoc = Document{
	Name: "My-Doc",
	Parameters: []Parameter{
		{Name: "commands", Type: StringList, Required: true, MinItems: 1, MaxItems: 3},
		{Name: "mode", Type: String, AllowedValues: []string{"Scan", "Install"}},
		{Name: "version", Type: String, AllowedPattern: `^[0-9]+$`},
		{Name: "java", Type: String, AllowedPattern: `^(?!root$).*$`},
		{Name: "inter", Type: String, AllowedPattern: `^[a-z&&[^x]]+$`},
		{Name: "count", Type: Integer},
		{Name: "dry", Type: Boolean},
		{Name: "labels", Type: StringMap},
		{Name: "disks", Type: MapList},
		{Name: "short", Type: String, MinChars: 2, MaxChars: 3},
	},
}

func TestParseParams(t *testing.T) {
	tests := []struct {
		name  string
		pairs []string
		want  map[string][]string
	}{
		{"repeating makes a list, in order", []string{"commands=b", "commands=a"}, map[string][]string{"commands": {"b", "a"}}},
		{"a JSON array makes a list", []string{`commands=["a","b=c"]`}, map[string][]string{"commands": {"a", "b=c"}}},
		{"both together", []string{`commands=["a"]`, "commands=b"}, map[string][]string{"commands": {"a", "b"}}},
		{"elements that are no strings are their JSON", []string{`commands=[1, true, {"a":1}]`}, map[string][]string{"commands": {"1", "true", `{"a":1}`}}},
		{"a shell test is no array", []string{"commands=[ -f /x ] && rm /x"}, map[string][]string{"commands": {"[ -f /x ] && rm /x"}}},
		{"only the first = separates", []string{"commands=A=1 env"}, map[string][]string{"commands": {"A=1 env"}}},
		{"an empty value is a value", []string{"commands="}, map[string][]string{"commands": {""}}},
		{"@@ is an @", []string{"commands=@@hourly"}, map[string][]string{"commands": {"@hourly"}}},
		{"an array means nothing in a String", []string{"commands=x", `version=1`, `java=["a"]`}, map[string][]string{"commands": {"x"}, "version": {"1"}, "java": {`["a"]`}}},
		{"a Java pattern Go cannot compile passes", []string{"commands=x", "java=root"}, map[string][]string{"commands": {"x"}, "java": {"root"}}},
		{"a pattern the two read differently passes", []string{"commands=x", "inter=XYZ"}, map[string][]string{"commands": {"x"}, "inter": {"XYZ"}}},
		{"a final line break does not spoil $", []string{"commands=x", "version=12\n"}, map[string][]string{"commands": {"x"}, "version": {"12\n"}}},
		{
			"typed values",
			[]string{"commands=x", "count=-5", "dry=TRUE", `labels={"a":"b"}`, `disks=[{"a":1}]`},
			map[string][]string{"commands": {"x"}, "count": {"-5"}, "dry": {"TRUE"}, "labels": {`{"a":"b"}`}, "disks": {`{"a":1}`}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseParams(testDoc, tt.pairs)
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseParamsRefuses(t *testing.T) {
	const secret = "s3cr3t"
	tests := []struct {
		name  string
		pairs []string
		want  string
		hint  string
	}{
		{"a required parameter that is missing", nil, "document My-Doc needs parameter commands", "--param commands=VALUE"},
		{"a near miss", []string{"comands=" + secret}, "has no parameter comands; did you mean commands?; document My-Doc needs parameter commands", "its parameters are commands, mode"},
		{"the wrong case", []string{"commands=x", "Mode=" + secret}, "did you mean mode?", ""},
		{"a name like no other", []string{"commands=x", "zebra=" + secret}, "has no parameter zebra", "commands, mode"},
		{"no =", []string{"commands=x", secret}, "given as name=value", ""},
		{"no name", []string{"commands=x", "=" + secret}, "given as name=value", ""},
		{"a value that is not allowed", []string{"commands=x", "mode=" + secret}, "parameter mode: the value must be one of Scan, Install", ""},
		{"a pattern that does not match", []string{"commands=x", "version=" + secret}, "parameter version: the value does not match the pattern ^[0-9]+$", ""},
		{"a String given twice", []string{"commands=x", "version=1", "version=2"}, "parameter version: given twice, but it is one String and no list", ""},
		{"too many items", []string{`commands=["1","2","3","` + secret + `"]`}, "parameter commands: 4 given, and at most 3 are possible", ""},
		{"too few items", []string{`commands=[]`}, "parameter commands: 0 given, and at least 1 are needed", ""},
		{"too few characters", []string{"commands=x", "short=é"}, "parameter short: the value has 1 characters", ""},
		{"too many characters", []string{"commands=x", "short=" + secret}, "parameter short: the value has 6 characters", ""},
		{"no number", []string{"commands=x", "count=" + secret}, "parameter count: the value must be a whole number", ""},
		{"no boolean", []string{"commands=x", "dry=" + secret}, "parameter dry: the value must be true or false", ""},
		{"no object", []string{"commands=x", "labels=" + secret}, "parameter labels: the value must be a JSON object", ""},
		{"no text", []string{"commands=x\xff" + secret}, "parameter commands: not text in UTF-8", ""},
		{"too much of it", []string{"commands=" + strings.Repeat(secret, maxSize/4)}, "at most 65536 are possible", ""},
		{"all faults at once", []string{"mode=" + secret, "zebra=1"}, "document My-Doc has no parameter zebra; parameter mode: the value must be one of Scan, Install; document My-Doc needs parameter commands", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseParams(testDoc, tt.pairs)
			if fault.KindOf(err) != fault.Usage || got != nil {
				t.Fatalf("got %v, %v; want a Usage error", got, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
			if !strings.Contains(fault.HintOf(err), tt.hint) {
				t.Errorf("got hint %q, want %q in it", fault.HintOf(err), tt.hint)
			}
			if strings.Contains(err.Error()+fault.HintOf(err), secret) {
				t.Errorf("the value is shown: %v", err)
			}
		})
	}
}

func TestParseParamsTakesWhatTheCallerProvides(t *testing.T) {
	if _, err := ParseParams(testDoc, []string{"mode=Scan"}, "commands"); err != nil {
		t.Error(err)
	}
	_, err := ParseParams(Document{Name: "Bare"}, []string{"a=b"})
	if err == nil || !strings.Contains(err.Error(), "takes no parameters") {
		t.Errorf("got %v, want that the document takes none", err)
	}
}

func TestParseParamsReadsFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	script := write("script.sh", "echo a\n\n  echo b\n")
	list := write("list.json", `["one","two"]`)
	binary := write("binary", "\xff\xfe")
	huge := write("huge", strings.Repeat("x", maxSize+1))

	for _, form := range []string{"@", "file://"} {
		got, err := ParseParams(testDoc, []string{"commands=" + form + script, "commands=" + form + list})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][]string{"commands": {"echo a\n\n  echo b\n", "one", "two"}}
		if d := diff(want, got); d != "" {
			t.Error(d)
		}
	}
	for _, path := range []string{binary, huge, filepath.Join(dir, "missing"), "", dir} {
		if _, err := ParseParams(testDoc, []string{"commands=@" + path}); fault.KindOf(err) != fault.Usage {
			t.Errorf("@%s: got %v, want a Usage error", path, err)
		}
	}
}

// FuzzParseParams: whatever is typed, the answer is a map of declared
// parameters or a Usage error; and the typed value never comes back in it.
func FuzzParseParams(f *testing.F) {
	for _, seed := range []string{"commands=x", `commands=["a",1]`, "commands", "=", "mode=Scan", "commands=[", "labels={}", "short=ab"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pair string) {
		if strings.Contains(pair, "=@") || strings.Contains(pair, "=file:") {
			return // reads files
		}
		got, err := ParseParams(testDoc, []string{pair})
		if err != nil {
			if fault.KindOf(err) != fault.Usage || got != nil {
				t.Fatalf("got %v, %v", got, err)
			}
			return
		}
		for name, values := range got {
			if _, ok := testDoc.Parameter(name); !ok || values == nil {
				t.Fatalf("got %q for %q", got, pair)
			}
		}
	})
}

// Values that go to the API are no text that somebody typed: nothing is read from a
// file, and what the service puts in later is not checked.
func TestCheckParams(t *testing.T) {
	doc := Document{Name: "D", Parameters: []Parameter{
		{Name: "url", Type: String}, {Name: "commands", Type: StringList, Required: true}, {Name: "how", Type: String, AllowedValues: []string{"Scan"}},
	}}
	tests := []struct {
		name   string
		params map[string][]string
		want   string
	}{
		{"taken as they are", map[string][]string{"url": {"file:///nowhere"}, "commands": {"@nothing", `["a"]`}}, ""},
		{"missing", map[string][]string{"url": {"x"}}, "document D needs parameter commands"},
		{"unknown", map[string][]string{"commands": {"x"}, "comands": {"x"}}, "document D has no parameter comands; did you mean commands?"},
		{"no list", map[string][]string{"commands": {"x"}, "url": {"a", "b"}}, "parameter url: 2 values given, but it is one String and no list"},
		{"not allowed", map[string][]string{"commands": {"x"}, "how": {"Instal"}}, "parameter how: the value must be one of Scan"},
		{"put in later", map[string][]string{"commands": {"x"}, "how": {"{{A}}"}}, "parameter how: the value must be one of Scan"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := CheckParams(doc, tt.params); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if err := CheckParams(doc.WithPlaceholders(), tests[5].params); err != nil {
		t.Errorf("with placeholders: %v", err)
	}
}

func TestGivenParametersAreMerged(t *testing.T) {
	doc := Document{Name: "D", Parameters: []Parameter{
		{Name: "key", Type: String, Required: true}, {Name: "commands", Type: StringList},
	}}
	got, err := MergeParams(doc, map[string][]string{"key": {"@as-it-is"}, "commands": {"a"}}, []string{"commands=b"})
	if want := map[string][]string{"key": {"@as-it-is"}, "commands": {"a", "b"}}; err != nil || !maps.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := MergeParams(doc, map[string][]string{"key": {"hush"}}, []string{"key=other"}); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("a value given twice: %v", err)
	}
	if _, err := MergeParams(doc, nil, []string{"commands=b"}); err == nil {
		t.Error("a parameter that is needed is missing, and nothing is said")
	}
}
