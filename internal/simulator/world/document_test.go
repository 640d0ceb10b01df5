package world

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDocumentArguments(t *testing.T) {
	tests := []struct {
		name, document string
		given          map[string][]string
		want           map[string][]string
		code           string
	}{
		{
			"defaults are filled in", "AWS-StartPortForwardingSession",
			map[string][]string{"portNumber": {"5432"}},
			map[string][]string{"portNumber": {"5432"}, "localPortNumber": {"0"}},
			"",
		},
		{"a required one is missing", "AWS-StartPortForwardingSessionToRemoteHost", nil, nil, "InvalidParameters"},
		{"one that is not declared", "AWS-StartSSHSession", map[string][]string{"port": {"1"}}, nil, "InvalidParameters"},
		{"a pattern holds for the whole value", "AWS-StartSSHSession", map[string][]string{"portNumber": {"22x"}}, nil, "InvalidParameters"},
		{"port 65536", "AWS-StartSSHSession", map[string][]string{"portNumber": {"65536"}}, nil, "InvalidParameters"},
		{"two values for a String", "AWS-StartSSHSession", map[string][]string{"portNumber": {"1", "2"}}, nil, "InvalidParameters"},
		{"an execution timeout above 48 h", "AWS-RunShellScript", map[string][]string{"commands": {"id"}, "executionTimeout": {"172801"}}, nil, "InvalidParameters"},
		{"no commands at all", "AWS-RunShellScript", map[string][]string{"commands": {}}, nil, "InvalidParameters"},
		{"a value that is not allowed", "AWS-RunPatchBaseline", map[string][]string{"Operation": {"Guess"}}, nil, "InvalidParameters"},
	}
	w := newWorld(t, "", succeed)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := w.Document(tt.document)
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Latest().Body.Arguments(tt.given)
			if codeOf(err) != tt.code {
				t.Fatalf("got error %v, want %q", err, tt.code)
			}
			if diff := diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSessionPropertiesHaveNoPlaceholders(t *testing.T) {
	w := newWorld(t, "", succeed)
	d, err := w.Document("AWS-StartPortForwardingSessionToRemoteHost")
	if err != nil {
		t.Fatal(err)
	}
	b := d.Latest().Body
	args, err := b.Arguments(map[string][]string{"host": {"db.internal"}, "portNumber": {"5432"}})
	if err != nil {
		t.Fatal(err)
	}
	props, err := b.SessionProperties(args)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"host":"db.internal","localPortNumber":"0","portNumber":"5432","type":"LocalPortForwarding"}`
	if string(props) != want {
		t.Errorf("got %s, want %s", props, want)
	}
}

func TestNonInteractiveDocumentFollowsTheScenario(t *testing.T) {
	for yaml, want := range map[string]any{"": true, "separate_output_stream: false": nil} {
		w := newWorld(t, yaml, succeed)
		d, err := w.Document("AWS-StartNonInteractiveCommand")
		if err != nil {
			t.Fatal(err)
		}
		var props map[string]map[string]any
		if err := json.Unmarshal(d.Latest().Body.Properties, &props); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{"linux", "windows", "macos"} {
			if got := props[p]["separateOutputStream"]; got != want {
				t.Errorf("%q: %s has separateOutputStream %v, want %v", yaml, p, got, want)
			}
		}
	}
}

func TestFilledPlaceholders(t *testing.T) {
	args := map[string][]string{"list": {"a", "b"}, "one": {"x"}}
	isList := func(n string) bool { return n == "list" }
	in := map[string]any{"whole": "{{ list }}", "inside": "<{{list}}> {{one}} {{ other }}", "lines": []any{"first", "{{ list }}", "{{ one }}"}}
	want := map[string]any{"whole": []any{"a", "b"}, "inside": "<a b> x {{ other }}", "lines": []any{"first", "a", "b", "x"}}
	if diff := diff(any(want), filled(in, args, isList)); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentPlatforms(t *testing.T) {
	w := newWorld(t, "", succeed)
	for name, want := range map[string]string{
		"AWS-RunShellScript":      "Linux MacOS",
		"AWS-RunPowerShellScript": "Windows Linux MacOS",
		"AWS-RunPatchBaseline":    "Windows Linux MacOS",
		"AWS-UpdateSSMAgent":      "Windows Linux",
		"AWS-StartSSHSession":     "Windows Linux MacOS",
	} {
		d, err := w.Document(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.Latest().Body.Platforms(), " "); got != want {
			t.Errorf("%s runs on %s, want %s", name, got, want)
		}
	}
}

const customSession = `{"schemaVersion":"1.0","sessionType":"NonInteractiveCommands","parameters":{"command":{"type":"String"}},
 "properties":{"linux":{"commands":"{{ command }}","separateOutputStream":"true"}}}`

func TestDocumentLife(t *testing.T) {
	w := newWorld(t, "", succeed)
	d := NewDocument{Name: "Mine", Type: "Session", Format: "JSON", Content: customSession}
	if _, err := w.CreateDocument(d); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name string
		do   func() error
		code string
	}{
		{"the same name again", func() error { _, err := w.CreateDocument(d); return err }, "DocumentAlreadyExists"},
		{"the same content again", func() error { _, _, err := w.UpdateDocument(d, ""); return err }, "DuplicateDocumentContent"},
		{"other content", func() error {
			d.Content += "\n"
			_, v, err := w.UpdateDocument(d, "$LATEST")
			if v.Number != 2 {
				t.Errorf("version %d, want 2", v.Number)
			}
			return err
		}, ""},
		{"a base that is not the latest", func() error { d.Content += "\n"; _, _, err := w.UpdateDocument(d, "1"); return err }, "InvalidDocumentVersion"},
		{"a default that does not exist", func() error { _, err := w.SetDefaultVersion("Mine", "7"); return err }, "InvalidDocumentVersion"},
		{"version 2 as default", func() error { _, err := w.SetDefaultVersion("Mine", "2"); return err }, ""},
		{"deleting the default version", func() error { return w.DeleteDocument("Mine", "2", "") }, "InvalidDocumentOperation"},
		{"deleting version 1", func() error { return w.DeleteDocument("Mine", "1", "") }, ""},
		{"deleting a document of the service", func() error { return w.DeleteDocument("AWS-RunShellScript", "", "") }, "InvalidDocumentOperation"},
		{"deleting all", func() error { return w.DeleteDocument("Mine", "", "") }, ""},
		{"deleting it again", func() error { return w.DeleteDocument("Mine", "", "") }, "InvalidDocument"},
		{"a reserved name", func() error {
			_, err := w.CreateDocument(NewDocument{Name: "AWS-Mine", Type: "Session", Format: "JSON", Content: customSession})
			return err
		}, "ValidationException"},
		{"content that is no JSON", func() error {
			_, err := w.CreateDocument(NewDocument{Name: "Bad", Type: "Command", Format: "JSON", Content: "{"})
			return err
		}, "InvalidDocumentContent"},
		{"a schema version of another type", func() error {
			_, err := w.CreateDocument(NewDocument{Name: "Bad", Type: "Command", Format: "JSON", Content: customSession})
			return err
		}, "InvalidDocumentSchemaVersion"},
		{"content above 64 KB", func() error {
			_, err := w.CreateDocument(NewDocument{Name: "Big", Type: "Session", Format: "JSON", Content: customSession + strings.Repeat(" ", 65<<10)})
			return err
		}, "MaxDocumentSizeExceeded"},
	}
	for _, s := range steps {
		if got := codeOf(s.do()); got != s.code {
			t.Errorf("%s: got %q, want %q", s.name, got, s.code)
		}
	}
}

func TestDocumentsConvertBetweenFormats(t *testing.T) {
	v := DocumentVersion{Format: "YAML", Content: "schemaVersion: \"1.0\"\nsessionType: Port\n"}
	content, format, err := v.Render("JSON")
	if err != nil || format != "JSON" || !json.Valid([]byte(content)) || !strings.Contains(content, `"schemaVersion": "1.0"`) {
		t.Errorf("got %q as %s, %v", content, format, err)
	}
}

func FuzzParseBody(f *testing.F) {
	f.Add(customSession, "JSON", "Session")
	f.Add("schemaVersion: '2.2'\nmainSteps: [{action: aws:runShellScript, name: a, inputs: {runCommand: [id]}}]", "YAML", "Command")
	f.Add(`{"schemaVersion":"1.2","runtimeConfig":{"aws:runShellScript":{"properties":[{"id":"0"}]}}}`, "JSON", "Command")
	f.Fuzz(func(t *testing.T, content, format, kind string) {
		b, err := ParseBody(content, format, kind)
		if err != nil {
			return
		}
		b.Platforms()
		args, err := b.Arguments(nil)
		if err != nil {
			return
		}
		if _, err := b.SessionProperties(args); err != nil {
			t.Errorf("properties of %q: %v", content, err)
		}
	})
}
