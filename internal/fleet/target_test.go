package fleet

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestParseTarget(t *testing.T) {
	tests := []struct {
		expr string
		want Target // without Expr
	}{
		{"i-0123456789abcdef0", Target{Kind: KindID, Value: "i-0123456789abcdef0"}},
		{"i-01234567", Target{Kind: KindID, Value: "i-01234567"}},
		{"mi-0123456789abcdef0", Target{Kind: KindID, Value: "mi-0123456789abcdef0"}},
		{" web-1 ", Target{Kind: KindName, Value: "web-1"}},
		{"10.0.1.5", Target{Kind: KindName, Value: "10.0.1.5"}},
		{"fd00::1", Target{Kind: KindName, Value: "fd00::1"}},
		{"ip-10-0-0-1.ec2.internal", Target{Kind: KindName, Value: "ip-10-0-0-1.ec2.internal"}},
		{"name:i-dead", Target{Kind: KindName, Value: "i-dead"}},
		{"name:a=b,c", Target{Kind: KindName, Value: "a=b,c"}},
		{"all-hosts", Target{Kind: KindName, Value: "all-hosts"}},
		{"web-*", Target{Kind: KindGlob, Value: "web-*"}},
		{"name:web-?", Target{Kind: KindGlob, Value: "web-?"}},
		{"tag:env=prod", Target{Kind: KindTag, Value: "env=prod", Key: "env", Values: []string{"prod"}}},
		{"tag:env=prod,dev,prod", Target{Kind: KindTag, Value: "env=prod,dev,prod", Key: "env", Values: []string{"prod", "dev"}}},
		{"tag:Patch Group=web a", Target{Kind: KindTag, Value: "Patch Group=web a", Key: "Patch Group", Values: []string{"web a"}}},
		{"tag:aws:cloudformation:stack-name=x=y", Target{Kind: KindTag, Value: "aws:cloudformation:stack-name=x=y", Key: "aws:cloudformation:stack-name", Values: []string{"x=y"}}},
		{`tag:a\=b=c\,d,e`, Target{Kind: KindTag, Value: `a\=b=c\,d,e`, Key: "a=b", Values: []string{"c,d", "e"}}},
		{"tag:env", Target{Kind: KindTagKey, Value: "env", Key: "env"}},
		{"@web-group", Target{Kind: KindGroup, Value: "web-group"}},
		{"all", Target{Kind: KindAll, Value: "all"}},
		{"-", Target{Kind: KindFile, Value: "-"}},
		{"file:/tmp/nodes", Target{Kind: KindFile, Value: "/tmp/nodes"}},
		{`file:C:\nodes.txt`, Target{Kind: KindFile, Value: `C:\nodes.txt`}},
		{"ecs:prod_0123abcd_0123abcd-1234", Target{Kind: KindECS, Value: "ecs:prod_0123abcd_0123abcd-1234"}},
	}
	for _, tt := range tests {
		got, err := ParseTarget(tt.expr)
		tt.want.Expr = strings.TrimSpace(tt.expr)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParseTarget(%q)\n got %+v, %v\nwant %+v", tt.expr, got, err, tt.want)
		}
	}
}

func TestParseTargetRefusesWithTheRightForm(t *testing.T) {
	many := make([]string, 51)
	for i := range many {
		many[i] = strconv.Itoa(i)
	}
	tests := []struct{ expr, text, hint string }{
		{"", "empty", "tag:env=prod"},
		{"  ", "empty", "tag:env=prod"},
		{"i-0abc", "not a node id", "8 or 17"},
		{"i-0123456789ABCDEF0", "not a node id", "name:i-0123456789ABCDEF0"},
		{"mi-01234567", "not a node id", "mi- and 17"},
		{"env=prod", "neither an id nor a name", "tag:env=prod"},
		{"web-1,web-2", "neither an id nor a name", "repeat --target"},
		{"tags:env=prod", "no targets of the form tags:", "did you mean tag:env=prod"},
		{"ec:x", "no targets of the form ec:", "ecs:x"},
		{"tag:", "no tag key", "tag:env=prod"},
		{"tag:=prod", "no tag key", "tag:env=prod"},
		{"tag:env=", "empty value", "tag:env=VALUE"},
		{"tag:env=prod,,dev", "empty value", "tag:env=VALUE"},
		{"tag:env=" + strings.Join(many, ","), "51 values", ""},
		{"tag:" + strings.Repeat("k", 129), "128", ""},
		{"tag:k=" + strings.Repeat("v", 257), "256", ""},
		{"name:", "no name", "name:web-1"},
		{"file:", "no file", "file:PATH"},
		{"@", "not a resource group", "@NAME"},
		{"@a b", "not a resource group", "@NAME"},
		{"--all", "looks like a flag", "name:--all"},
		{"web\n1", "control character", ""},
		{"ecs:prod/abc/web", "not a container", "CLUSTER_TASKID_RUNTIMEID"},
	}
	for _, tt := range tests {
		_, err := ParseTarget(tt.expr)
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.text) || !strings.Contains(fault.HintOf(err), tt.hint) {
			t.Errorf("ParseTarget(%q): %v (hint %q); want Usage, %q, %q", tt.expr, err, fault.HintOf(err), tt.text, tt.hint)
		}
	}
}

func TestParseTagFlag(t *testing.T) {
	for in, want := range map[string]Target{
		"env=prod":     {Kind: KindTag, Expr: "tag:env=prod", Value: "env=prod", Key: "env", Values: []string{"prod"}},
		"tag:env=prod": {Kind: KindTag, Expr: "tag:env=prod", Value: "env=prod", Key: "env", Values: []string{"prod"}},
		"env":          {Kind: KindTagKey, Expr: "tag:env", Value: "env", Key: "env"},
	} {
		if got, err := ParseTagFlag(in); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParseTagFlag(%q) = %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "=x", "env=", "a\x00=b"} {
		if _, err := ParseTagFlag(in); fault.KindOf(err) != fault.Usage {
			t.Errorf("ParseTagFlag(%q): %v, want a Usage fault", in, err)
		}
	}
}

func TestReadTargets(t *testing.T) {
	got, err := ReadTargets(strings.NewReader("# fleet\n\n i-0123456789abcdef0 \r\nweb 1\n"), "list")
	if err != nil || len(got) != 2 || got[0].Kind != KindID || got[1].Value != "web 1" {
		t.Errorf("got %+v, %v", got, err)
	}
	for in, want := range map[string]string{
		"web-1\ntag:env=prod": "list, line 2",
		"all":                 "list, line 1",
		"web-*":               "neither an id nor a name",
		"i-0abc":              "not a node id",
		"\n#x\n":              "names no node",
	} {
		if _, err := ReadTargets(strings.NewReader(in), "list"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadTargets(%q): %v, want %q", in, err, want)
		}
	}
}

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"web-*", "web-1", true},
		{"web-*", "web-", true},
		{"web-*", "db-1", false},
		{"web-?", "web-12", false},
		{"*-prod-*", "a-b-prod-c-prod", true},
		{"*a*b", "xaxbxb", true},
		{"*a*b", "xaxbx", false},
		{"*", "", true},
		{"?", "é", true},
		{"Web*", "web", false},
		{strings.Repeat("*a", 50), strings.Repeat("a", 5000) + "b", false}, // no explosion
	}
	for _, tt := range tests {
		if got := glob(tt.pattern, tt.name); got != tt.want {
			t.Errorf("glob(%.20q, %.20q) = %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}

func TestTargetsFromAFileThatIsMissing(t *testing.T) {
	s := New(nil, nil)
	_, err := s.read(Target{Kind: KindFile, Value: filepath.Join(t.TempDir(), "no")})
	if fault.KindOf(err) != fault.Usage || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err = s.read(Target{Kind: KindFile, Value: "-"}); fault.KindOf(err) != fault.Usage {
		t.Errorf("without standard input: %v", err)
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{
		"i-0123456789abcdef0", "web-*", "tag:env=prod,dev", `tag:a\=b=c\,d`, "tag:env", "@g", "all", "-", "file:x", "ecs:a_0_0", "name:x", "i-0abc", "a=b", "\\", "tag:\\",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTarget(s)
		if err != nil {
			if fault.KindOf(err) != fault.Usage {
				t.Fatalf("%q: %v is no Usage fault", s, err)
			}
			return
		}
		if again, err := ParseTarget(got.Expr); err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("%q parses to %+v, and its Expr to %+v, %v", s, got, again, err)
		}
		switch {
		case got.Kind < KindID || got.Kind > KindECS:
			t.Fatalf("%q has kind %d", s, got.Kind)
		case got.Value == "":
			t.Fatalf("%q has no value", s)
		case (got.Kind == KindTag) != (len(got.Values) > 0), len(got.Values) > maxTagValues:
			t.Fatalf("%q has values %q", s, got.Values)
		}
	})
}

func BenchmarkParseTarget(b *testing.B) {
	for _, expr := range []string{"i-0123456789abcdef0", "web-*", "tag:env=prod,dev,test"} {
		b.Run(expr, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseTarget(expr); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
