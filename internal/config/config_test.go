package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func lookup(env map[string]string) Lookup {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const sample = `# the fleet of the shop
current_context: stage
contexts:
  prod:
    profile: shop-prod
    region: eu-west-1
    role_arn: arn:aws:iam::012345678901:role/ops
    readonly: yes
    protected: true
    output: wide
  stage:
    profile: 012345678901
    region: eu-central-1
    endpoint_url: http://127.0.0.1:4599
defaults:
  output: yaml
  theme: light
  ascii: on
`

func TestEachSourceBeatsTheWeakerOnes(t *testing.T) {
	path := write(t, sample)
	tests := []struct {
		name   string
		flags  map[Key]string
		env    map[string]string
		want   string
		origin string
	}{
		{"the defaults of the file", nil, nil, "yaml", "file " + path + ":16"},
		{"the context", map[Key]string{Context: "prod"}, nil, "wide", "file " + path + ":10"},
		{"the environment", map[Key]string{Context: "prod"}, map[string]string{"SSMDECK_OUTPUT": "csv"}, "csv", "env SSMDECK_OUTPUT"},
		{"a flag", map[Key]string{Context: "prod", Output: "json"}, map[string]string{"SSMDECK_OUTPUT": "csv"}, "json", "flag --output"},
		{"an empty variable says nothing", nil, map[string]string{"SSMDECK_OUTPUT": ""}, "yaml", "file " + path + ":16"},
		{"an empty flag does", map[Key]string{Output: ""}, map[string]string{"SSMDECK_OUTPUT": "csv"}, "", "flag --output"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Load(Options{Lookup: lookup(tt.env), Flags: tt.flags, Path: path})
			if err != nil {
				t.Fatal(err)
			}
			if s.Output != tt.want || s.Origin(Output).String() != tt.origin {
				t.Errorf("got %q from %q, want %q from %q", s.Output, s.Origin(Output), tt.want, tt.origin)
			}
		})
	}
}

func TestContextIsChosen(t *testing.T) {
	path := write(t, sample)
	tests := []struct {
		name  string
		flags map[Key]string
		env   map[string]string
		want  string
	}{
		{"by the file", nil, nil, "stage"},
		{"by the environment", nil, map[string]string{"SSMDECK_CONTEXT": "prod"}, "prod"},
		{"by the flag", map[Key]string{Context: "stage"}, map[string]string{"SSMDECK_CONTEXT": "prod"}, "stage"},
		{"or not at all", map[Key]string{Context: ""}, map[string]string{"SSMDECK_CONTEXT": "prod"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Load(Options{Lookup: lookup(tt.env), Flags: tt.flags, Path: path})
			if err != nil {
				t.Fatal(err)
			}
			if s.Context != tt.want {
				t.Errorf("got %q, want %q", s.Context, tt.want)
			}
			if got := s.Region != ""; got != (tt.want != "") {
				t.Errorf("region is %q with context %q", s.Region, s.Context)
			}
		})
	}
}

func TestSettingsOfAContext(t *testing.T) {
	path := write(t, sample)
	got, err := Load(Options{Lookup: lookup(map[string]string{"HOME": "/home/ann"}), Path: path, Flags: map[Key]string{Context: "prod"}, GOOS: "linux"})
	if err != nil {
		t.Fatal(err)
	}
	got.origins = nil
	want := &Settings{
		File: path, Contexts: []string{"prod", "stage"}, Context: "prod",
		Profile: "shop-prod", Region: "eu-west-1", RoleARN: "arn:aws:iam::012345678901:role/ops",
		Output: "wide", Theme: "light", Color: "auto", ASCII: true, ReadOnly: true, Protected: true,
		CacheDir: filepath.Join("/home/ann", ".cache", "ssmdeck"), Escape: "~", History: true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestNumbersStayAsWritten(t *testing.T) {
	s, err := Load(Options{Path: write(t, sample)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Profile, "012345678901"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadOnlyCannotBeLifted(t *testing.T) {
	path := write(t, sample)
	tests := []struct {
		name   string
		flags  map[Key]string
		env    map[string]string
		want   bool
		origin string
	}{
		{"nobody asks", nil, nil, false, "default"},
		{"the context asks, a flag and a variable object", map[Key]string{Context: "prod", ReadOnly: "false"}, map[string]string{"SSMDECK_READ_ONLY": "0"}, true, "file " + path + ":8"},
		{"the variable asks, the flag objects", map[Key]string{ReadOnly: "false"}, map[string]string{"SSMDECK_READ_ONLY": "1"}, true, "env SSMDECK_READ_ONLY"},
		{"the flag asks", map[Key]string{ReadOnly: "true"}, nil, true, "flag --read-only"},
		{"the flag says no to nobody", map[Key]string{ReadOnly: "false"}, nil, false, "flag --read-only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Load(Options{Lookup: lookup(tt.env), Flags: tt.flags, Path: path})
			if err != nil {
				t.Fatal(err)
			}
			if s.ReadOnly != tt.want || s.Origin(ReadOnly).String() != tt.origin {
				t.Errorf("got %v from %q, want %v from %q", s.ReadOnly, s.Origin(ReadOnly), tt.want, tt.origin)
			}
		})
	}
}

func TestFaultsNameTheirPlace(t *testing.T) {
	tests := []struct {
		name, yaml string
		want       []string // parts of the error
	}{
		{"an unknown top key", "defalts: {}\n", []string{":1: unknown key \"defalts\" in the file (did you mean \"defaults\"?)"}},
		{"an unknown key of a context", "contexts:\n  prod:\n    regoin: x\n", []string{":3: unknown key \"regoin\" in context \"prod\" (did you mean \"region\"?)"}},
		{"a key that belongs elsewhere", "defaults:\n  profile: x\n", []string{":2: unknown key \"profile\" in defaults\n"}},
		{"a repeated key", "contexts:\n  a:\n    region: x\n    region: y\n", []string{":4: key \"region\" appears twice in context \"a\""}},
		{"a list for a value", "defaults:\n  output: [a, b]\n", []string{":2: output must be a single value"}},
		{"a value for a section", "contexts: prod\n", []string{":1: contexts must be a list of `key: value` lines"}},
		{"no boolean", "contexts:\n  a:\n    readonly: maybe\n", []string{":3: readonly: \"maybe\" is neither true nor false"}},
		{"all faults at once", "x: 1\ny: 2\n", []string{":1: unknown key \"x\"", ":2: unknown key \"y\""}},
		{"broken YAML", "contexts:\n  a: [1\n", []string{":3: did not find expected ',' or ']' (while parsing a flow sequence from line 2)"}},
		{"a second document", "defaults: {}\n---\nx: 1\n", []string{":2: only one YAML document"}},
		{"an alias", "contexts:\n  a: &a\n    region: x\n  b: *a\n", []string{":4: context \"b\" must be a list"}},
		{"a context that is not there", "current_context: prd\ncontexts:\n  prod: {}\n", []string{":1: no context \"prd\" (did you mean \"prod\"?)"}},
		{"not text", "a: \xff\n", []string{"UTF-8"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, tt.yaml)
			_, err := Load(Options{Path: path})
			if fault.KindOf(err) != fault.Usage {
				t.Fatalf("got %v, want a usage error", err)
			}
			for _, want := range tt.want {
				if strings.HasPrefix(want, ":") {
					want = path + want
				}
				if !strings.Contains(err.Error()+"\n", want) {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
		})
	}
}

func TestFaultsOutsideTheFile(t *testing.T) {
	check := map[Key]func(string) error{Output: func(v string) error {
		if v == "jsn" {
			return errors.New("no format jsn")
		}
		return nil
	}}
	tests := []struct {
		name  string
		flags map[Key]string
		env   map[string]string
		yaml  string
		want  string
	}{
		{"a boolean variable", nil, map[string]string{"SSMDECK_DEBUG": "maybe"}, "", "SSMDECK_DEBUG: \"maybe\" is neither true nor false"},
		{"a context by variable", nil, map[string]string{"SSMDECK_CONTEXT": "prd"}, "", "SSMDECK_CONTEXT: no context \"prd\""},
		{"a checked flag", map[Key]string{Output: "jsn"}, nil, "", "--output: no format jsn"},
		{"a checked variable", nil, map[string]string{"SSMDECK_OUTPUT": "jsn"}, "", "SSMDECK_OUTPUT: no format jsn"},
		{"a checked line", nil, nil, "defaults:\n  output: jsn\n", "config.yaml:2: no format jsn"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(Options{Lookup: lookup(tt.env), Flags: tt.flags, Path: write(t, tt.yaml), Check: check})
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestWhichFileIsRead(t *testing.T) {
	home := t.TempDir()
	usual := filepath.Join(home, ".config", "ssmdeck", "config.yaml")
	if err := WriteFileAtomic(usual, []byte("defaults: {output: usual}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	xdg := t.TempDir()
	if err := WriteFileAtomic(filepath.Join(xdg, "ssmdeck", "config.yaml"), []byte("defaults: {output: xdg}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env, flag := write(t, "defaults: {output: env}\n"), write(t, "defaults: {output: flag}\n")
	missing := filepath.Join(home, "missing.yaml")
	tests := []struct {
		name string
		env  map[string]string
		path string
		want string
		kind fault.Kind
	}{
		{"the usual one", map[string]string{"HOME": home}, "", "usual", 0},
		{"XDG_CONFIG_HOME", map[string]string{"HOME": home, "XDG_CONFIG_HOME": xdg}, "", "xdg", 0},
		{"a relative XDG_CONFIG_HOME is ignored", map[string]string{"HOME": home, "XDG_CONFIG_HOME": "x"}, "", "usual", 0},
		{"SSMDECK_CONFIG", map[string]string{"HOME": home, "SSMDECK_CONFIG": env}, "", "env", 0},
		{"--config", map[string]string{"HOME": home, "SSMDECK_CONFIG": env}, flag, "flag", 0},
		{"the usual one may be missing", map[string]string{"HOME": t.TempDir()}, "", "", 0},
		{"there may be no home", nil, "", "", 0},
		{"home may be no folder", map[string]string{"HOME": env}, "", "", 0},
		{"a named one may not be missing", map[string]string{"SSMDECK_CONFIG": missing}, "", "", fault.NotFound},
		{"a folder is no file", nil, home, "", fault.Usage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Load(Options{Lookup: lookup(tt.env), Path: tt.path, GOOS: "linux"})
			if tt.kind != 0 {
				if fault.KindOf(err) != tt.kind || err == nil {
					t.Fatalf("got %v, want kind %v", err, tt.kind)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.Output != tt.want {
				t.Errorf("read %q, want %q", s.Output, tt.want)
			}
		})
	}
}

func TestAHugeFileIsRefused(t *testing.T) {
	path := write(t, strings.Repeat("#", maxFile+1))
	if _, err := Load(Options{Path: path}); fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v, want a usage error", err)
	}
}

func TestExplainShowsEveryKeyOnce(t *testing.T) {
	s, err := Load(Options{Path: write(t, sample), Flags: map[Key]string{Debug: "true"}})
	if err != nil {
		t.Fatal(err)
	}
	var keys []Key
	for _, e := range s.Explain() {
		keys = append(keys, e.Key)
		if e.Key == Debug && (e.Value != "true" || e.Origin.String() != "flag --debug") {
			t.Errorf("debug: got %q from %q", e.Value, e.Origin)
		}
		if e.Key == Protected && (e.Value != "false" || e.Origin.String() != "default") {
			t.Errorf("protected: got %q from %q", e.Value, e.Origin)
		}
	}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != len(specs) {
		t.Errorf("got %d different keys, want %d", len(slices.Compact(keys)), len(specs))
	}
}

func TestVariablesAreThoseThatAreRead(t *testing.T) {
	asked := map[string]bool{}
	_, err := Load(Options{Path: "", Lookup: func(name string) (string, bool) {
		if strings.HasPrefix(name, "SSMDECK_") {
			asked[name] = true
		}
		return "", false
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range Variables() {
		if !asked[v.Name] {
			t.Errorf("%s is documented and never read", v.Name)
		}
		if v.Doc == "" || strings.HasSuffix(v.Doc, ".") || strings.Contains(v.Doc, "\n") {
			t.Errorf("%s: doc %q is not one line without a full stop", v.Name, v.Doc)
		}
		delete(asked, v.Name)
	}
	if len(asked) > 0 {
		t.Errorf("read and not documented: %v", asked)
	}
}

func TestDidYouMean(t *testing.T) {
	keys := []string{"region", "profile", "readonly"}
	tests := []struct{ word, want string }{
		{"regoin", "region"},
		{"rgion", "region"},
		{"read_only", "readonly"},
		{"profiles", "profile"},
		{"colour", ""},
		{"", ""},
		{strings.Repeat("region", 100), ""},
	}
	for _, tt := range tests {
		got := didYouMean(tt.word, keys)
		if tt.want == "" && got != "" || tt.want != "" && !strings.Contains(got, `"`+tt.want+`"`) {
			t.Errorf("%q: got %q, want %q", tt.word, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("contexts: {a: {region: &x y, profile: *x}}"))
	f.Add([]byte("a: [b, {c: d}]\n---\n"))
	f.Add([]byte("? [x]\n: y\n<<: *z\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parse("c.yaml", data)
		if err != nil {
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), "c.yaml") {
				t.Fatalf("error %q is not a usage error that names the file", err)
			}
			return
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029") + strings.Count(string(data), "\u0085") + 1
		for name, s := range got.contexts {
			for k, v := range s {
				if !slices.Contains(contextKeys, string(k)) || v.text == "" || v.line < 1 || v.line > lines {
					t.Fatalf("context %q: %s is %+v in %d lines", name, k, v, lines)
				}
			}
		}
		for k, v := range got.defaults {
			if !slices.Contains(defaultKeys, string(k)) || v.text == "" || v.line < 1 || v.line > lines {
				t.Fatalf("default %s is %+v in %d lines", k, v, lines)
			}
		}
	})
}
