package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return paths
}

func TestValidDocumentsHaveNoFindings(t *testing.T) {
	want := map[string]string{
		"command-2.2.yaml": "Command", "command-1.2.json": "Command", "policy.yaml": "Command", "session.yaml": "Session", "preferences.json": "Session",
		"port.json": "Session", "package.json": "Package", "automation.yaml": "Automation",
	}
	paths := files(t, "testdata/valid/*")
	if len(paths) != len(want) {
		t.Errorf("%d files, want %d", len(paths), len(want))
	}
	for _, path := range paths {
		r, err := Check(read(t, path), Options{})
		if err != nil || len(r.Findings) > 0 || r.Type != want[filepath.Base(path)] {
			t.Errorf("%s: type %s, %v, %+v", path, r.Type, err, r.Findings)
		}
	}
}

// show writes a finding as the files of testdata/rules expect it.
func show(f Finding) string {
	return fmt.Sprintf("%d:%d %s %s %s", f.Line, f.Column, f.Severity, f.Rule, f.Message)
}

// TestRules reads documents that each break one rule. Lines that begin with # want
// (or an entry "want" in JSON) say what is to be found.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, path := range files(t, "testdata/rules/*") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			content, wanted := split(t, read(t, path))
			name, _, _ := strings.Cut(filepath.Base(path), ".")
			o := Options{}
			switch name {
			case "name":
				o.Name = "no spaces"
			case "reserved-name":
				o.Name = "AWS-Mine"
			}
			r, err := Check(content, o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Findings {
				got = append(got, show(f))
				seen[f.Rule] = true
			}
			if !slices.Equal(got, wanted) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(wanted, "\n\t"))
			}
		})
	}
	for _, r := range Rules() {
		if !seen[r.ID] && r.ID != ruleSize {
			t.Errorf("no file in testdata/rules breaks the rule %s", r.ID)
		}
	}
}

// split takes the trailer, which begins with the line "--- want", off a document.
func split(t *testing.T, b []byte) (content []byte, want []string) {
	t.Helper()
	head, tail, ok := bytes.Cut(b, []byte("--- want\n"))
	if !ok {
		t.Fatal("the file has no line --- want")
	}
	for line := range strings.Lines(string(tail)) {
		want = append(want, strings.TrimSpace(line))
	}
	return head, want
}

func TestSyntaxErrorsHaveAPlace(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"{\n  \"a\": 1,\n}", "line 3, column 1: JSON allows no comma before }"},
		{"{\"a\": tru}", "line 1, column 7: this is not JSON: text needs double quotes"},
		{"{\"é\": \"x", "line 1, column 7: this text has no closing quote"},
		{"{\"a\": \"x\ny\"}", "line 1, column 7: this text has no closing quote on its line; write line breaks as \\n"},
		{"{\"a\": 1} x", "line 1, column 10: something follows the end of the document"},
		{"a: [1\nb: 2", "line 2"},
		{"a: 1\n---\nb: 2", "line 2: a second YAML document begins here; only one is allowed"},
		{"", "line 1: the document is empty"},
		{"- a", "line 1, column 1: a document is a mapping of keys such as schemaVersion; this is a list"},
		{"a: \xff", "line 1: this is not UTF-8 text"},
		{"a: &a [x, *a]", "line 1"},
		{strings.Repeat("[", 500), "line 2"},
		{"{\"a\":" + strings.Repeat("[", 500), "line 1, column 206: values nest too deep"},
	} {
		_, err := Check([]byte(c.in), Options{})
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.40q: %v, want %s", c.in, err, c.want)
		}
	}
}

func TestAliasesDoNotExplode(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [", i, i)
		for range 10 {
			fmt.Fprintf(&b, "*a%d, ", i-1)
		}
		b.WriteString("]\n")
	}
	if _, err := Check([]byte(b.String()), Options{}); err == nil {
		t.Error("a document of 10^12 values is accepted")
	}
}

func TestTooLarge(t *testing.T) {
	doc := string(read(t, "testdata/valid/policy.yaml")) + strings.Repeat("# filler\n", 8000)
	r, err := Check([]byte(doc), Options{})
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Rule != ruleSize {
		t.Errorf("%v, %+v", err, r.Findings)
	}
}

func TestOtherTypesAreLeftToTheService(t *testing.T) {
	if r, err := Check([]byte(`{"anything": 1}`), Options{Type: "ApplicationConfiguration"}); err != nil || len(r.Findings) > 0 {
		t.Errorf("%v, %+v", err, r.Findings)
	}
	if r, err := Check([]byte("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"), Options{}); err != nil || len(r.Findings) > 0 || r.Format != "TEXT" {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestEveryRuleIsDocumented(t *testing.T) {
	page := string(read(t, "../../../docs/document-lint.md"))
	for _, r := range Rules() {
		if want := fmt.Sprintf("| `%s` | %s | ", r.ID, r.Severity); !strings.Contains(page, want) {
			t.Errorf("docs/document-lint.md has no row %q", want)
		}
	}
}

func TestOnlyTheAgentHasVariablesForScripts(t *testing.T) {
	const step = `schemaVersion: "%s"
parameters: {name: {type: String}}
mainSteps:
  - name: a
    action: %s
    inputs: {%s: ["echo {{ name }}"]}
`
	for _, c := range []struct {
		version, action, inputs string
		want                    bool
	}{
		{"2.2", "aws:runShellScript", "runCommand", true},
		{"0.3", "aws:runCommand", `DocumentName: AWS-RunShellScript, InstanceIds: [i-0123456789abcdef0], Parameters: {commands: ["echo {{ name }}"]}, Comment`, false},
	} {
		r, err := Check(fmt.Appendf(nil, step, c.version, c.action, c.inputs), Options{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Rule == ruleInjection })
		if i < 0 || strings.Contains(r.Findings[i].Hint, "ENV_VAR") != c.want {
			t.Errorf("%s: %+v", c.action, r.Findings)
		}
	}
}

func TestSARIF(t *testing.T) {
	content, _ := split(t, read(t, "testdata/rules/injection.yaml"))
	r, err := Check(content, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteSARIF(&out, "1.0.0", []File{{Path: "dir/a document.yaml", Report: r}}); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || run.Tool.Driver.Name != "ssmdeck" || len(run.Results) != len(r.Findings) {
		t.Fatalf("%s", out.String())
	}
	for i, res := range run.Results {
		place := res.Locations[0].PhysicalLocation
		if run.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID || res.Level != "warning" || place.ArtifactLocation.URI != "dir/a%20document.yaml" ||
			place.Region.StartLine != r.Findings[i].Line || place.Region.StartColumn != r.Findings[i].Column || !strings.Contains(res.Message.Text, r.Findings[i].Message) {
			t.Errorf("result %d is %+v", i, res)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, path := range append(files(f, "testdata/valid/*"), files(f, "testdata/rules/*")...) {
		f.Add(read(f, path))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Check(b, Options{})
		var syntax *SyntaxError
		if err != nil && !errors.As(err, &syntax) {
			t.Errorf("error %v has no place", err)
		}
		lines := bytes.Count(b, []byte("\n")) + 2
		for _, found := range r.Findings {
			if found.Line < 1 || found.Line > lines || found.Message == "" {
				t.Errorf("%+v is not in a text of %d lines", found, lines)
			}
		}
	})
}

func BenchmarkCheck64KB(b *testing.B) {
	var doc strings.Builder
	doc.WriteString("schemaVersion: '2.2'\nparameters:\n  unit: {type: String, allowedPattern: '^[a-z]+$'}\nmainSteps:\n")
	for i := 0; doc.Len() < 63<<10; i++ {
		fmt.Fprintf(&doc, "  - name: step%d\n    action: aws:runShellScript\n    inputs:\n      runCommand: ['systemctl restart {{ unit }}', 'sleep 1']\n", i)
	}
	in := []byte(doc.String())
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if r, err := Check(in, Options{}); err != nil || len(r.Findings) > 0 {
			b.Fatal(err, r.Findings)
		}
	}
}
