package paramplan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

func noEnv(string) (string, bool) { return "", false }

func TestAFileSaysWhatParametersShallBe(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte(" a\r\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := `
path: /app/prod
defaults: {tier: standard, key: alias/app, tags: {team: shop}}
parameters:
  host: db.internal
  port: 0x10
  on: yes
  ports: [1, "2"]
  deep/name: |
    two
    lines
  password: {secure: true, value_from: {env: PASSWORD}, tags: {team: web, x: y}}
  cert: {type: secure-string, key: alias/other, value_from: {file: cert.pem}}
  stays: {secure: true, value_from: {live: true}}
  /app/prod/whole:
    value: v
    tier: advanced
    description: what it is
    allowed_pattern: "^v$"
    data_type: text
    policies: {expires: 2099-01-31T12:00:00Z, notify_before: [15 days, 2h], notify_unchanged: 60d}
  plain: {value: v, policies: []}
`
	tree, err := Parse([]Input{{File: filepath.Join(dir, "x.yaml"), Label: "x.yaml", Data: []byte(text)}}, func(name string) (string, bool) { return " secret\n", name == "PASSWORD" }, true)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Desired{}
	for _, d := range tree.Desired {
		got[strings.TrimPrefix(d.Name, "/app/prod/")] = d
	}
	for name, want := range map[string]struct{ typ, value string }{
		"host": {parameter.String, "db.internal"}, "port": {parameter.String, "0x10"}, "on": {parameter.String, "yes"},
		"ports": {parameter.StringList, "1,2"}, "deep/name": {parameter.String, "two\nlines\n"},
		"password": {parameter.SecureString, " secret\n"}, "cert": {parameter.SecureString, " a\r\nb\n"}, "whole": {parameter.String, "v"},
	} {
		d := got[name]
		if d.Type != want.typ || d.Value == nil || *d.Value != want.value || d.File != "x.yaml" {
			t.Errorf("%s is %+v", name, d)
		}
	}
	if d := got["stays"]; d.Value != nil || d.Type != parameter.SecureString || d.KeyID != "alias/app" {
		t.Errorf("stays is %+v", d)
	}
	if d := got["host"]; d.KeyID != "" || d.Tier != parameter.Standard || d.Tags["team"] != "shop" || d.Policies != nil || d.Description != nil {
		t.Errorf("host is %+v", d)
	}
	if d := got["password"]; d.Tags["team"] != "web" || d.Tags["x"] != "y" || got["host"].Tags["x"] != "" {
		t.Errorf("tags are %v and %v", d.Tags, got["host"].Tags)
	}
	whole := got["whole"]
	if whole.KeyID != "" || whole.Tier != parameter.Advanced || *whole.Description != "what it is" || *whole.AllowedPattern != "^v$" {
		t.Errorf("whole is %+v", whole)
	}
	if faults := parameter.CheckChange(parameter.Change{Name: "/a", Type: parameter.String, Value: "v", Tier: parameter.Advanced, Policies: *whole.Policies}, nil); len(faults) > 0 {
		t.Errorf("%v in %s", faults, *whole.Policies)
	}
	if got["plain"].Policies == nil || *got["plain"].Policies != "[]" {
		t.Error("no policies are not managed")
	}
	if tree.OpenSecrets != 0 || !slices.Equal(tree.Paths, []string{"/app/prod"}) {
		t.Errorf("%+v", tree)
	}
}

func TestAllFaultsOfAllFilesAreToldWithTheirLines(t *testing.T) {
	one := `path: /app
parameters:
  a: {valeu: hunter2}
  b: {secure: true, value_from: {env: NONE}}
  c: {value: hunter2, value_from: {live: true}}
  d:
  e: ""
  f: {nested: {x: y}}
  g: {value: hunter2, key: alias/x}
  h: [a, "b,c"]
  /other/x: y
  i//j: k
  l: {value: x, tier: huge}
  m: {value_from: {file: none.txt}}
  n: !!binary aGk=
  o: {value: x, type: number}
  p: {value: x, policies: {notify_before: soon}}
  q: {value: x, tags: {'aws:x': y}}
`
	two := "parameters: {a: b}\n"
	three := "path: /app\nparameters: {a: again}\n"
	_, err := Parse([]Input{{File: "one.yaml", Data: []byte(one)}, {File: "two.yaml", Data: []byte(two)}, {File: "three.yaml", Data: []byte(three)}, {File: "four.yaml", Data: []byte("a: [\n")}}, noEnv, true)
	if fault.KindOf(err) != fault.Usage {
		t.Fatal(err)
	}
	for _, want := range []string{
		`one.yaml:3: unknown key "valeu" in a (did you mean "value"?)`, "one.yaml:3: a has no value", "one.yaml:4: b: the variable NONE is not set",
		"one.yaml:5: c has both a value and value_from", "one.yaml:6: d has no value", "one.yaml:7: the value of e is empty", `one.yaml:8: unknown key "nested"`,
		"one.yaml:9: g has a key", "one.yaml:10: an element of h has a comma", "one.yaml:11: /other/x is not below the path of the file, /app",
		`one.yaml:12: "i//j" is no name`, `one.yaml:13: unknown tier "huge"`, "one.yaml:14: m: read none.txt: no such file", "one.yaml:15: the value of n has the YAML tag",
		`one.yaml:16: unknown type "number"`, "one.yaml:17: notify_before must be a number of days or hours", "one.yaml:18: tag aws:x",
		"two.yaml:1: there is no `path:`", "three.yaml:2: /app/a is in one.yaml:3 already", "four.yaml:",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a value is in it: %v", err)
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestFoldersArePaths(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"app/prod.yaml": "parameters: {a: b}\n", "app/test.yml": "path: /other\nparameters: {a: b}\n", ".git/x.yaml": "x", "README.md": "x",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "README.md"), filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	inputs, err := Files([]string{dir, filepath.Join(dir, "app", "prod.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Parse(inputs, noEnv, true)
	if err != nil || !slices.Equal(tree.Paths, []string{"/app/prod", "/other"}) || tree.Files != 2 {
		t.Errorf("%+v, %v", tree, err)
	}
	if _, err := Files([]string{t.TempDir()}); fault.KindOf(err) != fault.Usage {
		t.Error(err)
	}
}

// A part of a tree is what it is in the tree, and what may be another tree is not guessed.
func TestAPartOfATreeIsWhatItIsInTheTree(t *testing.T) {
	root := t.TempDir()
	s, _, err := OpenState(StatePath(root, "111122223333", "eu-west-1"), "111122223333", "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	s.Parameters["/app/prod/a"] = Applied{Version: 1, File: "app/prod.yaml"}
	if err := os.MkdirAll(filepath.Join(root, StateDir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, label, want string }{
		{"/app/prod", "app/prod.yaml", "/app/prod"}, // the tree was named
		{"/prod", "app/prod.yaml", "/app/prod"},     // the folder app
		{"", "app/prod.yaml", "/app/prod"},          // the file
		{"", "app/new.yaml", "/app/new"},
		{"/new/prod", "new/prod.yaml", "/new/prod"}, // the tree, with a new folder
		{"", "top.yaml", "/top"},
		{"/prod", "new/prod.yaml", ""},
		{"", "new/prod.yaml", ""},
		{"/app/prod", "params/app/prod.yaml", ""},
	} {
		in := Input{Path: c.path, Label: c.label}
		if in.InTree(root); in.Path != c.want || (in.Unclear[0] == "") != (c.want != "") {
			t.Errorf("%s of %q: %q, %q", c.label, c.path, in.Path, in.Unclear)
		}
	}
}
