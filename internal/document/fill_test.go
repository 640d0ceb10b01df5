package document

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const fillable = `schemaVersion: "2.2"
description: says {{ Name }}
parameters:
  Name: {type: String, allowedPattern: "^[a-z]+$"}
  Lines: {type: StringList, default: [a, b]}
  Count: {type: Integer, default: 3}
  On: {type: Boolean, default: true}
  Map: {type: StringMap, default: {k: v}}
mainSteps: # the steps
- action: aws:runShellScript
  name: one
  inputs:
    runCommand: "{{ Lines }}"
    timeoutSeconds: '{{Count}}'
    "{{ Name }}": key
    text: "echo {{ Name }} {{Lines}} {{ Map }} {{ global:DATE }} {{ ssm:/x }} {{ step.Output }}"
    more: "{{ Map }}"
    on: "{{ On }}"
    script: |
      a {{ Name }}
      b
`

func fill(t *testing.T, text string, params ...string) (string, []string) {
	t.Helper()
	s, err := ReadSource("f.yaml", []byte(text), "")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := s.Document("f")
	if err != nil {
		t.Fatal(err)
	}
	given, err := ParseParams(doc, params)
	if err != nil {
		t.Fatal(err)
	}
	got, open, err := s.Fill(doc, given)
	if err != nil {
		t.Fatal(err)
	}
	return got, open
}

func TestFill(t *testing.T) {
	got, open := fill(t, fillable, "Name=web", "Lines=x y", "Lines={{ Name }}")
	want := `schemaVersion: "2.2"
description: says {{ Name }}
mainSteps: # the steps
- action: aws:runShellScript
  name: one
  inputs:
    runCommand:
    - x y
    - '{{ Name }}'
    timeoutSeconds: 3
    "{{ Name }}": key
    text: echo web ["x y","{{ Name }}"] {"k":"v"} {{ global:DATE }} {{ ssm:/x }} {{ step.Output }}
    more:
      k: v
    on: true
    script: |
      a web
      b
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Join(open, " ") != "global:DATE ssm:/x step.Output" {
		t.Errorf("open: %q", open)
	}
}

func TestFillOfJSONKeepsItsOrder(t *testing.T) {
	got, _ := fill(t, `{"schemaVersion":"2.2","parameters":{"b":{"type":"String"},"a":{"type":"String","default":"1\n2"}},
		"mainSteps":[{"z":"{{b}}","y":"{{ a }}","x":"-{{ b }}"}]}`, "b=yes")
	want := "schemaVersion: '2.2'\nmainSteps:\n- z: \"yes\"\n  \"y\": |-\n    1\n    2\n  x: -yes\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDocumentOfASource(t *testing.T) {
	s, err := ReadSource("f.yaml", []byte(fillable), "")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := s.Document("f")
	if err != nil || strings.Join(doc.ParameterNames(), " ") != "Name Lines Count On Map" || doc.Type != "Command" {
		t.Fatalf("%v, %v", doc, err)
	}
	name, _ := doc.Parameter("Name")
	lines, _ := doc.Parameter("Lines")
	if !name.Required || name.AllowedPattern != "^[a-z]+$" || lines.Required || lines.Default != `["a","b"]` || !lines.IsList() {
		t.Errorf("%+v, %+v", name, lines)
	}
	bad, err := ReadSource("f.yaml", []byte("parameters:\n  a: [1]\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Document("f"); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), "line 2") {
		t.Error(err)
	}
}

func TestFlagName(t *testing.T) {
	for name, want := range map[string]string{
		"InstanceId": "instance-id", "commands": "commands", "workingDirectory": "working-directory", "KMSKeyId": "kms-key-id",
		"S3BucketName": "s3-bucket-name", "portNumber": "port-number", "allow_downgrade": "allow-downgrade",
		"EC2": "ec2", "Install-Override": "install-override", "VPCID": "vpcid", "": "",
	} {
		if got := FlagName(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestSwitch(t *testing.T) {
	for name, c := range map[string]struct {
		p  Parameter
		on string
	}{
		"a Boolean":             {Parameter{Type: Boolean}, "true"},
		"a text of two":         {Parameter{Type: String, AllowedValues: []string{"False", "True"}}, "True"},
		"a text of three":       {Parameter{Type: String, AllowedValues: []string{"true", "false", "maybe"}}, ""},
		"a text of other words": {Parameter{Type: String, AllowedValues: []string{"true", "never"}}, ""},
		"a plain text":          {Parameter{Type: String}, ""},
	} {
		if on, ok := c.p.Switch(); on != c.on || ok != (c.on != "") {
			t.Errorf("%s: %q %v", name, on, ok)
		}
	}
}
