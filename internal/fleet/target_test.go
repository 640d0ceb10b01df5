package fleet

import (
	"errors"
	"net/netip"
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
		{"web-[08-10]", Target{Kind: KindRange, Value: "web-[08-10]", Names: []string{"web-08", "web-09", "web-10"}}},
		{"web-[1-3,5].b", Target{Kind: KindRange, Value: "web-[1-3,5].b", Names: []string{"web-1.b", "web-2.b", "web-3.b", "web-5.b"}}},
		{"r[1-2]n[a-b]", Target{Kind: KindRange, Value: "r[1-2]n[a-b]", Names: []string{"r1na", "r1nb", "r2na", "r2nb"}}},
		{"name:web-[1]", Target{Kind: KindName, Value: "web-[1]"}},
		{`R\&D \[x\]`, Target{Kind: KindName, Value: "R&D [x]"}},
		{"10.0.0.0/16", Target{Kind: KindCIDR, Value: "10.0.0.0/16", Block: netip.MustParsePrefix("10.0.0.0/16")}},
		{"ip:10.0.1.5", Target{Kind: KindCIDR, Value: "10.0.1.5", Block: netip.MustParsePrefix("10.0.1.5/32")}},
		{"fd00::/8", Target{Kind: KindCIDR, Value: "fd00::/8", Block: netip.MustParsePrefix("fd00::/8")}},
		{"file:a,b!c", Target{Kind: KindFile, Value: "a,b!c"}},
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
		{"web-[1-3", "not closed", "web-[01-20]"},
		{"web-1]", "has no [", "web-[01-20]"},
		{"web-[3-1]", "backwards", "web-[01-20]"},
		{"web-[01-9]", "widths", "web-[01-20]"},
		{"web-[1-09]", "widths", "web-[01-20]"},
		{"web-[]", "empty", "name:NAME"},
		{"web-[x1]", "neither a number", ""},
		{"web-[1-3]*", "* or ?", ""},
		{"a[1-9999][1-9999]", "10000", ""},
		{"a[1-99999999999]", "too large", ""},
		{"10.0.0.0/33", "neither an address nor a block", "10.0.0.0/16"},
		{"10.0.1.5/16", "bits set", "10.0.0.0/16"},
		{"ip:web", "neither an address", "10.0.1.10"},
		{"!web-1", "of which", "all!web-1"},
		{"&web-1", "begins with an operator", `R\&D`},
		{"web-1&", "missing after &", `R\&D`},
		{"web-1,,web-2", "missing after |", ""},
		{"web-*!tag:", "no tag key", ""},
		{"all&ecs:prod_0123abcd_0123abcd-1234", "container", "alone"},
		{"web-1,x=y", "neither an id nor a name", "tag:x=y"},
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
		if got := Glob(tt.pattern, tt.name); got != tt.want {
			t.Errorf("Glob(%.20q, %.20q) = %v, want %v", tt.pattern, tt.name, got, tt.want)
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
		"web-[01-20]", "web-[1-5,8]", "r[1-2]n[a-c]", "10.0.0.0/16", "ip:fd00::/8", "web-*&tag:env=prod!web-[1-3]", "all!file:x", `name:R\&D|i-01234567`, "a,b,c",
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
		case got.Kind < KindID || got.Kind > KindSet:
			t.Fatalf("%q has kind %d", s, got.Kind)
		case got.Value == "":
			t.Fatalf("%q has no value", s)
		case (got.Kind == KindRange) != (len(got.Names) > 0), len(got.Names) > mostNames:
			t.Fatalf("%q stands for %d names", s, len(got.Names))
		case (got.Kind == KindSet) != (len(got.Set) > 1):
			t.Fatalf("%q has %d terms", s, len(got.Set))
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

func TestExpressionsKeepTheirTerms(t *testing.T) {
	tests := map[string]string{
		"web-1,web-2":                        "web-1 | web-2",
		"web-*&tag:env=prod,dev!web-[1-3,5]": "web-* & tag:env=prod,dev ! web-[1-3,5]",
		" all ! db-1 ":                       "all ! db-1",
		"tag:a=b|@grp,10.0.0.0/8":            "tag:a=b | @grp | 10.0.0.0/8",
		"all!file:C:\\a,b!c":                 "all ! file:C:\\a,b!c",
		"name:a,b&web-1":                     "name:a,b & web-1",
		`a\&b!-`:                             `a\&b ! -`,
	}
	for expr, want := range tests {
		got, err := ParseTarget(expr)
		if err != nil || got.Kind != KindSet {
			t.Errorf("%q: %+v, %v", expr, got, err)
			continue
		}
		var b strings.Builder
		for _, o := range got.Set {
			if o.Op != 0 {
				b.WriteString(" " + string(o.Op) + " ")
			}
			b.WriteString(o.Target.Expr)
		}
		if b.String() != want {
			t.Errorf("%q is taken apart as %q, want %q", expr, b.String(), want)
		}
	}
}

func TestHas(t *testing.T) {
	for expr, want := range map[string]bool{"all": true, "all!web-1": true, "web-1,all": true, "web-1": false, "all-1": false} {
		got, err := ParseTarget(expr)
		if err != nil || got.Has(KindAll) != want {
			t.Errorf("%q: %v, %v", expr, got.Has(KindAll), err)
		}
	}
}

func TestNameExpr(t *testing.T) {
	for name, want := range map[string]string{
		"web-1": "web-1", "R&D box": `name:R\&D box`, "all": "name:all", "-": "name:-", "-x": "name:-x", "i-dead": "name:i-dead",
		web1: "name:" + web1, "tag:env=prod": "name:tag:env=prod", "@web": "name:@web", "web-[1-3]": "name:web-[1-3]",
		"a,b": "name:a,b", "a|b!c": `name:a\|b\!c`, "10.0.0.0/8": "name:10.0.0.0/8", `a\&b`: `name:a\\\&b`, "a=b": "name:a=b",
		"file:x": "name:file:x", "": "", "*": "", "we?b": "", " web": "name: web", "web ": "", "a\tb": "",
	} {
		got, ok := NameExpr(name)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v; want %q", name, got, ok, want)
		}
	}
}
