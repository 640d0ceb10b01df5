package paramtemplate

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func values(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

func TestTemplatesAreFilledIn(t *testing.T) {
	store := map[string]string{
		"/app/url": "a{{ b }}\r\n ", "/app/level": "debug", "top": "1", "/app/url:3": "old",
		references + "db": `{"password":"p\"w","port":5432,"tls":true,"tags":{"a": 1},"none":null}`,
	}
	for text, want := range map[string]string{
		"":                                       "",
		"no braces } { } {":                      "no braces } { } {",
		"x={{ param \"/app/url\" }}\n":           "x=a{{ b }}\r\n \n",
		"{{param \"url\"}}{{ param \"url:3\" }}": "a{{ b }}\r\n old",
		`{{ secret "db" "password" }}`:           `p"w`,
		`{{ secret "db" "port" }}{{secret "db" "tls"}}{{secret "db" "tags"}}{{secret "db" "none"}}`: `5432true{"a": 1}null`,
		`{{ param "/aws/reference/secretsmanager/db" "port" }}`:                                     "5432",
		`{{ param "none" | default "" }}|{{ param "none" | default "a b" | shell }}`:                "|'a b'",
		`{{ secret "db" "user" | default "app" }}`:                                                  "app",
		`{{ param "level" | default "info" }}`:                                                      "debug",
		`{{ "{{" }} x {{ "}}" }} {{ "a\n\u00e9\"" | json }}`:                                        `{{ x }} ` + "\"a\\n\u00e9\\\"\"",
		"{{ param\n\t\"level\"\n| base64 }}":                                                        "ZGVidWc=",
		"\xff\x00{{ param \"level\" }}\xfe":                                                         "\xff\x00debug\xfe",
		"key: |\n  {{ \"a\\nb\" | indent 2 }}\n":                                                    "key: |\n  a\n  b\n",
	} {
		tpl, err := Parse([]byte(text), Options{File: "f", Path: "/app/"})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got, err := tpl.Render(values(store))
		if err != nil || string(got) != want {
			t.Errorf("%q\n got %q, %v\nwant %q", text, got, err, want)
		}
	}
	tpl, err := Parse([]byte(`{{ .Values.x }} <% param "top" %>`), Options{Open: "<%", Close: "%>"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tpl.Render(values(store)); err != nil || string(got) != "{{ .Values.x }} 1" {
		t.Errorf("other delimiters: %q, %v", got, err)
	}
}

func TestFaultsHaveTheirPlaces(t *testing.T) {
	text := "ok {{ param \"/a\" }}\n\u00e9 {{ .Values.x }} {{ param a }}\n{{ param \"/a\" | jsn }}{{ param \"/a\" | json | default \"x\" }}\n" +
		"{{ param \"/a }}\n{{ param \"/a\" \"b\" \"c\" }}{{ \"x\" | default \"y\" }}{{ param \"/a\" | indent x }}{{ \"\\q\" }}{{ param \"\" }}\n{{ param \"/a\" "
	_, err := Parse([]byte(text), Options{File: "app.conf"})
	if fault.KindOf(err) != fault.Usage {
		t.Fatal(err)
	}
	for _, want := range []string{
		"app.conf:2:3: unknown expression", "app.conf:2:28: param takes a name in double quotes", `app.conf:3:17: unknown filter "jsn"`,
		"app.conf:3:46: default stands once", "app.conf:4:10: the string does not end", "app.conf:5:19: }} or | is expected",
		"app.conf:5:34: default stands once", "app.conf:5:71: indent takes a number", "app.conf:5:78: the string has an escape", "app.conf:5:94: param takes a name",
		"app.conf:6:15: the expression does not end",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 11 {
		t.Errorf("%d faults", n)
	}
}

func TestWhatIsMissingIsSaidAtOnce(t *testing.T) {
	tpl, err := Parse([]byte("{{ param \"/a\" }}\n {{ param \"/b\" \"k\" }} {{ param \"/b\" \"no\" }} {{ param \"/c\" \"k\" }} {{ param \"/d\" | default \"x\" }}"), Options{File: "f"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, u := range tpl.Uses() {
		names = append(names, u.Name+"#"+u.Key)
	}
	if want := []string{"/a#", "/b#k", "/b#no", "/c#k", "/d#"}; !slices.Equal(names, want) || !tpl.Uses()[4].Optional || tpl.Uses()[0].Optional {
		t.Errorf("uses: %v", tpl.Uses())
	}
	got, err := tpl.Render(values(map[string]string{"/b": `{"k":"SECRET"}`, "/c": "SECRET"}))
	want := "f:1:1: there is no parameter /a\nf:2:23: /b has no key \"no\"\nf:2:45: /c: the value is no JSON object, so that it has no key \"k\""
	if got != nil || err == nil || err.Error() != want || fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %q, %v", got, err)
	}
}

var hostile = []string{
	"plain", " spaces ", "a\nb\n", "\r\n\t", `"'\` + "`$x$(y)!#%&", "\u2028\u2029\ufeff\u0085\u00a0\u007f\x01", "\U0001f600\u00e9", "yes", "null", "1e3", "- a: b # c", "\\u0041", "'", "''", "--", "",
}

// What filters write is read back by those who read it.
func TestFiltersAreReadBack(t *testing.T) {
	for _, v := range hostile {
		if got := ""; json.Unmarshal([]byte(filter{name: "json"}.apply(v)), &got) != nil || got != v {
			t.Errorf("json: %q is read as %q", v, got)
		}
		var doc map[string]string
		if err := yaml.Unmarshal([]byte("a: "+filter{name: "yaml"}.apply(v)+"\n"), &doc); err != nil || doc["a"] != v {
			t.Errorf("yaml: %q is read as %q: %v", v, doc["a"], err)
		}
		for _, shell := range []string{"sh", "bash"} {
			path, err := exec.LookPath(shell)
			if err != nil {
				continue
			}
			out, err := exec.Command(path, "-c", "printf %s "+filter{name: "shell"}.apply(v)).Output()
			if err != nil || string(out) != v {
				t.Errorf("%s: %q is read as %q: %v", shell, v, out, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`a {{ param "/x" "k" | default "y" | json }} b {{ "{{" }}`, "value")
	f.Add(`{{ param "`, "")
	f.Fuzz(func(t *testing.T, text, value string) {
		tpl, err := Parse([]byte(text), Options{File: "f", Path: "/p"})
		if err != nil {
			if fault.KindOf(err) != fault.Usage {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		got, err := tpl.Render(func(string) (string, bool) { return value, true })
		if !strings.Contains(text, "{{") && (err != nil || string(got) != text) {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	})
}
