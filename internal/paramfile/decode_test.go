package paramfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// brief are parameters as one line each: name|type|value.
func brief(list []parameter.Parameter) string {
	lines := make([]string, len(list))
	for i, p := range list {
		lines[i] = fmt.Sprintf("%s|%s|%q", p.Name, p.Type, p.Value)
	}
	return strings.Join(lines, "\n")
}

func TestFilesOfOthersAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		format Format
		data   string
		o      Options
		want   string
	}{
		"dotenv with all that people write": {
			Dotenv, "\ufeff# a comment\n\nexport A=1\nB = two words # and why\nC='single # quoted'\nD=\"a\\nb\\t\\\"c\\\" \\$x\"\nE=x#y\r\nF=C:\\dir\nG=a=b==\nH='two\nlines'\nI=\"x\" # y\nJ=$5\n",
			Options{Root: "/app"},
			"/app/A||\"1\"\n/app/B||\"two words\"\n/app/C||\"single # quoted\"\n/app/D||\"a\\nb\\t\\\"c\\\" $x\"\n/app/E||\"x#y\"\n/app/F||\"C:\\\\dir\"\n/app/G||\"a=b==\"\n/app/H||\"two\\nlines\"\n/app/I||\"x\"\n/app/J||\"$5\"",
		},
		"dotenv keys as names":      {Dotenv, "DB_URL=x\n", Options{Names: NamesKebab}, `db-url||"x"`},
		"dotenv keys in lower case": {Dotenv, "DB_URL=x\n", Options{Names: NamesLower}, `db_url||"x"`},
		"shell words": {
			Shell, "export A='x'\"y\"z\\ w;\nB=$'a\\n\\x41\\101\\u00e9\\'' # c\nC=\"a\\\nb\\n\"\n",
			Options{},
			"A||\"xyz w\"\nB||\"a\\nAAé'\"\nC||\"ab\\\\n\"",
		},
		"a note for another line is none": {Dotenv, "# name: x, type: String\n\nA=1\n", Options{}, `A||"1"`},
		"YAML with levels": {
			YAML, "db:\n  url: x\n  port: 5432\n  on: yes\nhosts: [a, b]\n",
			Options{Root: "/app"},
			"/app/db/url||\"x\"\n/app/db/port||\"5432\"\n/app/db/on||\"yes\"\n/app/hosts|StringList|\"a,b\"",
		},
		"JSON with levels":                {JSON, `{"db":{"url":"x","n":1.50,"t":true}}`, Options{Root: "/"}, "/db/url||\"x\"\n/db/n||\"1.50\"\n/db/t||\"true\""},
		"a level with a value, asked for": {JSON, `{"db":{"value":"x"}}`, Options{Plain: true, Root: "/a"}, `/a/db/value||"x"`},
		"what the AWS CLI prints": {
			JSON, `{"Parameters":[{"Name":"/a/x","Type":"SecureString","Value":"v","Version":3,"ARN":"arn","LastModifiedDate":"2026-01-01","DataType":"text"}]}`,
			Options{},
			`/a/x|SecureString|"v"`,
		},
		"what param get prints": {JSON, `[{"name":"/a/x","type":"String","value":"v","version":1,"modified_by":"x"}]`, Options{Root: "/a"}, `/a/x|String|"v"`},
		"outputs of Terraform": {
			JSON, `{"a":{"sensitive":true,"type":"string","value":"s"},"b":{"sensitive":false,"type":["list","string"],"value":["x","y"]}}`,
			Options{},
			"a|SecureString|\"s\"\nb|StringList|\"x,y\"",
		},
		"surrogates":           {JSON, `{"a":"\ud83d\ude00 \\ud800"}`, Options{}, `a||"😀 \\ud800"`},
		"CSV of a spreadsheet": {CSV, "\ufeffName,Value,Type\r\na,\"x\r\ny \"\"q\"\"\",String\r\n\r\n\"/r/b\",z,\r\n", Options{Root: "/r"}, "/r/a|String|\"x\\r\\ny \\\"q\\\"\"\n/r/b||\"z\""},
		"tfvars": {
			Tfvars, "# c\na = \"x\" // c\nn = 1.5e3\nb=true\nl = [\n  \"x\",\n  \"y\", # c\n]\no = {\n  p = \"1\"\n  q : \"2\",\n}\nh = <<-EOT\n    a\n      b\n  EOT\n/* c\n*/ z = \"$${x} %%{y} \\u0041\"\n",
			Options{Root: "/t"},
			"/t/a||\"x\"\n/t/n||\"1.5e3\"\n/t/b||\"true\"\n/t/l|StringList|\"x,y\"\n/t/o/p||\"1\"\n/t/o/q||\"2\"\n/t/h||\"a\\n  b\\n\"\n/t/z||\"${x} %{y} A\"",
		},
		"properties": {
			Properties, "! c\n a : x\\\n   y\nb\\ c=1\nd 2\ne=\\u00e9\\ud83d\\ude00\\q\nf=  z \n",
			Options{},
			"a||\"xy\"\nb c||\"1\"\nd||\"2\"\ne||\"é😀q\"\nf||\"z \"",
		},
		"a Secret with texts, and a ConfigMap's values": {
			K8s, "kind: Secret\nstringData:\n  A: x\ndata: {B: eQ==}\n", Options{Root: "/k"}, "/k/B||\"y\"\n/k/A||\"x\"",
		},
		"a ConfigMap": {K8s, `{"kind":"ConfigMap","data":{"A":"x\n"},"metadata":{"name":"n"}}`, Options{}, `A||"x\n"`},
		"nothing":     {YAML, "# nothing\n", Options{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Decode([]byte(c.data), c.format, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if brief(got) != c.want {
				t.Errorf("got\n%s\nwant\n%s", brief(got), c.want)
			}
		})
	}
}

func TestFaultsAreToldWithTheirLines(t *testing.T) {
	for name, c := range map[string]struct {
		format Format
		data   string
		o      Options
		want   []string
	}{
		"all of a dotenv file": {
			Dotenv, "A=$HOME/x\nB=\nnope\nC='x' y\nD=1\nD=2\nE=`id`\n# name: x, type: String\nF=1\n",
			Options{},
			[]string{":1: A: some put", ":2: B has no value", ":3: there is no = behind nope", ":4: there is text behind", ":6: D is there twice: it is on line 5", ":7: E: a value in back", ":9: the comment above says"},
		},
		"all of a shell file": {
			Shell, "A=$(id)\nB=a b\nC=~/x\nD=a*\nE=\"$X\"\n1=2\nG=a|b\nH='open\n",
			Options{},
			[]string{":1: A: $ stands", ":2: the value of B has a blank", ":3: C: the character ~", ":4: D: the character *", ":5: E: $ stands", ":6: a line must be NAME=value", ":7: G: the character |", ":8: H: a quote does not end"},
		},
		"JSON": {
			JSON, "{\n \"a\": {\"value\": \"x\", \"teir\": \"y\"},\n \"a\": \"z\",\n \"n\": null,\n \"t\": {\"value\": \"x\", \"type\": \"string\"}\n}",
			Options{},
			[]string{":2: unknown key \"teir\" in a (did you mean tier?)", ":3: key \"a\" is there twice", ":4: n has no value", ":5: the type of t must be"},
		},
		"JSON that ends early":      {JSON, "{\n\"a\": \"x\",\n", Options{}, []string{":3: this is not JSON: the file ends"}},
		"half of a character":       {JSON, "{\n\"a\": \"\\ud800x\"}", Options{}, []string{":2: a \\u escape is half"}},
		"bytes":                     {YAML, "a: x\nb: \xff\n", Options{}, []string{":2: this is not UTF-8"}},
		"YAML":                      {YAML, "a: 1\na: 2\nb: {value: x, type: Sting}\nc: [[1]]\nd: ['x,y']\ne:\n", Options{}, []string{":2: key \"a\" is there twice", ":3: the type of b must", ":4: an element of c", ":5: an element of d has a comma", ":6: e has no value"}},
		"names elsewhere":           {YAML, "/b/x: 1\n/a/y: 2\n", Options{Root: "/a"}, []string{":1: /b/x is not below /a"}},
		"CSV":                       {CSV, "name,valeu\n", Options{}, []string{":1: column 2 is no field of a parameter (did you mean value?)", "no column \"value\""}},
		"CSV rows":                  {CSV, "name,value,type\na,\"x\ny\",String\nb,1\n,2,\nc,d,Str\n", Options{}, []string{":4: this line has 2 fields", ":5: the name is empty", ":6: the type must be"}},
		"CSV with an open quote":    {CSV, "name,value\na,\"x\n", Options{}, []string{":2: a quote that begins here"}},
		"tfvars with an expression": {Tfvars, "a = 1\nb = \"${x}\"\n", Options{}, []string{":2: b: files of variables have no expressions"}},
		"tfvars":                    {Tfvars, "a = foo\n", Options{}, []string{":1: a: the value must be a text"}},
		"properties":                {Properties, "a=1\nb=\\u12\na=2\n", Options{}, []string{":2: a \\u escape", ":3: a is there twice"}},
		"a Secret":                  {K8s, "kind: Secret\ndata:\n  a: '%%'\n  b: /w==\n", Options{}, []string{":3: a: the value is not base64", ":4: b: the value is no text"}},
		"another kind":              {K8s, "kind: Pod\n", Options{}, []string{":1: this is no Secret or ConfigMap"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.File = "f"
			got, err := Decode([]byte(c.data), c.format, c.o)
			if err == nil {
				t.Fatalf("no fault, but\n%s", brief(got))
			}
			if fault.KindOf(err) != fault.Usage || got != nil {
				t.Errorf("%v, %v", fault.KindOf(err), got)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in\n%s", w, err)
				}
			}
			var e *fault.Error
			if errors.As(err, &e) && strings.Count(err.Error(), "f:") < len(c.want)-1 {
				t.Errorf("%d faults wanted:\n%s", len(c.want), err)
			}
		})
	}
}

func TestWhatAFormatHasNoRoomForIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	p := func(name, value string) parameter.Parameter {
		return parameter.Parameter{Name: name, Type: parameter.SecureString, Value: value}
	}
	for name, c := range map[string]struct {
		format Format
		list   []parameter.Parameter
		o      Options
		want   string
	}{
		"one variable of two names":    {Dotenv, []parameter.Parameter{p("/a/db-url", "x"), p("/a/db/url", "canary")}, Options{Root: "/a"}, "/a/db-url and /a/db/url are both DB_URL"},
		"one key of two names":         {K8s, []parameter.Parameter{p("/a/b/c", "x"), p("/a/b.c", "y")}, Options{Root: "/a"}, "/a/b/c and /a/b.c are both b.c"},
		"NUL":                          {Shell, []parameter.Parameter{p("/a/x", "canary\x00")}, Options{Root: "/a"}, "/a/x has a NUL character"},
		"what is not below the root":   {JSON, []parameter.Parameter{p("/b/x", "canary")}, Options{Root: "/a"}, "/b/x is not below /a"},
		"twice":                        {JSON, []parameter.Parameter{p("/a/x", "1"), p("/a/x", "2")}, Options{Root: "/a"}, "/a/x is there twice"},
		"no text":                      {JSON, []parameter.Parameter{p("/a/x", "\xff")}, Options{Root: "/a"}, "/a/x is no text"},
		"a Secret without a name":      {K8s, []parameter.Parameter{p("/a/x", "canary")}, Options{}, "a Secret needs a name"},
		"a Secret that is too large":   {K8s, many(300), Options{Root: "/a"}, "a Secret may have"},
		"a Secret with another name":   {K8s, nil, Options{Secret: "A_b"}, "cannot be the name of a Secret"},
		"a namespace that can be none": {K8s, nil, Options{Secret: "a", Namespace: "a.b"}, "cannot be a namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			err := Encode(&b, c.format, c.list, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v, want %q", err, c.want)
			}
			if b.Len() > 0 || fault.KindOf(err) != fault.Usage {
				t.Errorf("%d bytes were written, kind %v", b.Len(), fault.KindOf(err))
			}
		})
	}
}

func many(n int) (list []parameter.Parameter) {
	for i := range n {
		list = append(list, parameter.Parameter{Name: fmt.Sprintf("/a/x%d", i), Value: strings.Repeat("x", 4096)})
	}
	return list
}

func TestFormatsByTheNamesOfFiles(t *testing.T) {
	for path, want := range map[string]Format{
		"a.json": JSON, "x/y.YAML": YAML, "a.yml": YAML, ".env": Dotenv, ".env.local": Dotenv, "prod.env": Dotenv, "v.sh": Shell, "a.csv": CSV,
		"terraform.tfvars": Tfvars, "app.properties": Properties,
	} {
		if got, err := Guess(path); got != want || err != nil {
			t.Errorf("%s is %q, %v; want %s", path, got, err, want)
		}
	}
	for _, path := range []string{"x", "a.txt", "-"} {
		if got, err := Guess(path); err == nil {
			t.Errorf("%s is %s", path, got)
		}
	}
	for _, word := range []string{"json", "yml", "env", "sh", "K8S", "kubernetes"} {
		if _, err := ParseFormat(word); err != nil {
			t.Errorf("%s: %v", word, err)
		}
	}
}

func TestVariablesOfNames(t *testing.T) {
	for name, want := range map[string]string{"db-url": "DB_URL", "/app/db.url": "APP_DB_URL", "9x": "_9X", "a/b-c.d_e": "A_B_C_D_E", "": "_"} {
		if got := EnvName(name); got != want {
			t.Errorf("%q is %s, want %s", name, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	seeds := []string{
		"A='x'\n# name: a-b, type: String\nA_B=\"y\\n\"\n", "{\"a\":{\"value\":\"x\",\"type\":\"String\"}}", "a:\n  value: |\n    x\n", "name,value\na,\"x\"\"\n\"\n",
		"a = \"$${x}\"\nb = <<EOT\nx\nEOT\nc = [1, 2]\n", "kind: Secret\ndata: {a: eA==}\n", "a\\ b=\\u00e9\\\n x\n", "B=$'\\x41\\101'\n",
	}
	for i := range Formats {
		for _, s := range seeds {
			f.Add(i, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		format := Formats[uint(i)%uint(len(Formats))]
		o := Options{Root: "/r", Secret: "s", Keys: KeysKeep}
		list, err := Decode(data, format, o)
		if err != nil {
			if list != nil || fault.KindOf(err) != fault.Usage {
				t.Fatalf("%v %v", list, err)
			}
			return
		}
		var b bytes.Buffer
		if Encode(&b, format, list, o) != nil {
			return // names that no parameter may have can be one variable
		}
		for _, p := range list {
			if parameter.CheckName(p.Name) != nil {
				return
			}
		}
		again, err := Decode(b.Bytes(), format, o)
		if err != nil {
			t.Fatalf("%v\n%q\n%q", err, data, b.String())
		}
		if brief(again) != brief(list) {
			t.Fatalf("%s\nbecame\n%s", brief(list), brief(again))
		}
	})
}
