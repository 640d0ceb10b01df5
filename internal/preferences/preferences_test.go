package preferences

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const content = `{
  "schemaVersion": "1.0", "description": "ours", "sessionType": "Standard_Stream",
  "inputs": {"idleSessionTimeout": "30", "kmsKeyId": "", "runAsEnabled": "true", "runAsDefaultUser": "ops",
    "s3EncryptionEnabled": false, "somethingNew": {"depth": 12345678901234567890}, "shellProfile": {"linux": "cd /; a && b > c"}}
}`

func newMock(t *testing.T) (*Service, *Mockapi) {
	t.Helper()
	m := NewMockapi(gomock.NewController(t))
	return New(m), m
}

// has makes the service have a document.
func has(m *Mockapi, name, defaultVersion, latest, text string) {
	m.EXPECT().DescribeDocument(gomock.Any(), &ssm.DescribeDocumentInput{Name: aws.String(name)}).Return(&ssm.DescribeDocumentOutput{
		Document: &types.DocumentDescription{DocumentType: types.DocumentTypeSession, DefaultVersion: &defaultVersion, LatestVersion: &latest},
	}, nil)
	expectContent(m, name, defaultVersion, text)
}

func expectContent(m *Mockapi, name, version, text string) {
	m.EXPECT().GetDocument(gomock.Any(), &ssm.GetDocumentInput{
		Name: aws.String(name), DocumentVersion: aws.String(version), DocumentFormat: types.DocumentFormatJson,
	}).Return(&ssm.GetDocumentOutput{Content: &text, DocumentVersion: &version}, nil)
}

func lacks(m *Mockapi, name string) {
	m.EXPECT().DescribeDocument(gomock.Any(), &ssm.DescribeDocumentInput{Name: aws.String(name)}).
		Return(nil, &types.InvalidDocument{Message: aws.String("Document with name " + name + " does not exist.")})
}

func TestAnAccountWithoutADocumentHasTheDefaults(t *testing.T) {
	s, m := newMock(t)
	lacks(m, Account)
	p, err := s.Get(context.Background(), Account)
	if err != nil || p.Exists {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, set := range Settings() {
		if !p.IsDefault(set) {
			t.Errorf("%s is %s", set.Name, p.Value(set))
		}
	}
	lacks(m, "Other")
	if _, err := s.Get(context.Background(), "Other"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another document: %v", err)
	}
}

func TestOnlySessionDocumentsHavePreferences(t *testing.T) {
	s, m := newMock(t)
	m.EXPECT().DescribeDocument(gomock.Any(), gomock.Any()).Return(&ssm.DescribeDocumentOutput{
		Document: &types.DocumentDescription{DocumentType: types.DocumentTypeCommand},
	}, nil)
	if _, err := s.Get(context.Background(), "AWS-RunShellScript"); fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v", err)
	}
}

// existing is what Get returns for content.
func existing(t *testing.T, s *Service, m *Mockapi) Preferences {
	t.Helper()
	has(m, Account, "3", "3", content)
	p, err := s.Get(context.Background(), Account)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestValuesAreShownInWords(t *testing.T) {
	s, m := newMock(t)
	p := existing(t, s, m)
	for name, want := range map[string]string{
		"idle-timeout": "30m", "max-duration": "off", "kms-key": "off", "run-as": "on", "run-as-user": "ops", "s3-encryption": "off",
		"log-encryption": "on", "shell-profile-linux": "cd /; a && b > c", "shell-profile-windows": "off",
	} {
		set, _ := byName(name)
		if got := p.Value(set); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestWhatIsTypedBecomesWhatTheServiceWants(t *testing.T) {
	tests := []struct {
		pair, input, want string
		err               string
	}{
		{pair: "idle-timeout=20m", input: "idleSessionTimeout", want: "20"},
		{pair: "idle-timeout=1h", input: "idleSessionTimeout", want: "60"},
		{pair: "idle-timeout=45", input: "idleSessionTimeout", want: "45"},
		{pair: "idle-timeout=61m", err: "not from 1 to 60"},
		{pair: "idle-timeout=0", err: "not from 1 to 60"},
		{pair: "idle-timeout=90s", err: "whole minutes"},
		{pair: "idle-timeout=off", err: "not a duration"},
		{pair: "max-duration=8h", input: "maxSessionDuration", want: "480"},
		{pair: "max-duration=off", input: "maxSessionDuration", want: ""},
		{pair: "max-duration=25h", err: "not from 1 to 1440"},
		{pair: "streaming=on", input: "cloudWatchStreamingEnabled", want: "true"},
		{pair: "streaming=perhaps", err: "neither on nor off"},
		{pair: "s3-bucket=audit.logs-1", input: "s3BucketName", want: "audit.logs-1"},
		{pair: "s3-bucket=s3://audit", err: "not a bucket's name"},
		{pair: "s3-prefix=/x", err: "does not begin like a key"},
		{pair: "log-group=/ssm/x#1", input: "cloudWatchLogGroupName", want: "/ssm/x#1"},
		{pair: "log-group=a b", err: "not a log group's name"},
		{pair: "kms-key=alias/sessions", input: "kmsKeyId", want: "alias/sessions"},
		{pair: "kms-key=7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11", input: "kmsKeyId", want: "7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11"},
		{pair: "kms-key=sessions", err: "not a KMS key"},
		{pair: "kms-key=off", input: "kmsKeyId", want: ""},
		{pair: "run-as=deploy", input: "runAsDefaultUser", want: "deploy"},
		{pair: "run-as=a b", err: "not a user's name"},
		{pair: "run-as=off", input: "runAsEnabled", want: "false"},
		{pair: "shell-profile-linux=" + strings.Repeat("x", 513), err: "513 characters"},
		{pair: "idle-timeout=default", input: "idleSessionTimeout", want: "20"},
		{pair: "idle-timeout", err: "NAME=VALUE"},
		{pair: "idle-timeot=3", err: "no setting"},
	}
	for _, tt := range tests {
		p, err := Preferences{}.With([]string{tt.pair})
		switch {
		case tt.err != "":
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want %s", tt.pair, err, tt.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.pair, err)
		case p.Text(tt.input) != tt.want:
			t.Errorf("%s: %s is %q", tt.pair, tt.input, p.Text(tt.input))
		}
	}
	if p, err := (Preferences{}).With([]string{"run-as=deploy"}); err != nil || !p.On("runAsEnabled") {
		t.Errorf("run-as with a user does not turn it on: %v", err)
	}
}

func TestAnUpdateKeepsWhatItDoesNotKnow(t *testing.T) {
	s, m := newMock(t)
	before := existing(t, s, m)
	after, err := before.With([]string{"shell-profile-windows=dir", "idle-timeout=10m"})
	if err != nil {
		t.Fatal(err)
	}
	if set, _ := byName("idle-timeout"); before.Value(set) != "30m" {
		t.Error("With changed what it was called on")
	}
	want := []Change{{"idle-timeout", "idleSessionTimeout", "30m", "10m"}, {"shell-profile-windows", "shellProfile.windows", "off", "dir"}}
	if got := Diff(before, after); !reflect.DeepEqual(got, want) {
		t.Errorf("the difference is %v", got)
	}
	m.EXPECT().UpdateDocument(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *ssm.UpdateDocumentInput, _ ...func(*ssm.Options)) (*ssm.UpdateDocumentOutput, error) {
		if *in.DocumentVersion != "3" || in.DocumentFormat != types.DocumentFormatJson {
			t.Errorf("version %s, format %s", *in.DocumentVersion, in.DocumentFormat)
		}
		for _, part := range []string{`"depth": 12345678901234567890`, `"linux": "cd /; a && b > c"`, `"windows": "dir"`, `"description": "ours"`, `"runAsEnabled": "true"`} {
			if !strings.Contains(*in.Content, part) {
				t.Errorf("%s is not in\n%s", part, *in.Content)
			}
		}
		return &ssm.UpdateDocumentOutput{DocumentDescription: &types.DocumentDescription{DocumentVersion: aws.String("4")}}, nil
	})
	m.EXPECT().UpdateDocumentDefaultVersion(gomock.Any(), &ssm.UpdateDocumentDefaultVersionInput{Name: aws.String(Account), DocumentVersion: aws.String("4")})
	if r, err := s.Apply(context.Background(), after); err != nil || r != (Result{Version: "4"}) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestApplyMakesADocumentThatIsMissing(t *testing.T) {
	s, m := newMock(t)
	lacks(m, Account)
	p, err := s.Get(context.Background(), Account)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = p.With([]string{"max-duration=2h"}); err != nil {
		t.Fatal(err)
	}
	m.EXPECT().CreateDocument(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *ssm.CreateDocumentInput, _ ...func(*ssm.Options)) (*ssm.CreateDocumentOutput, error) {
		var body struct {
			SchemaVersion, SessionType string
			Inputs                     map[string]any
		}
		if err := json.Unmarshal([]byte(*in.Content), &body); err != nil {
			t.Error(err)
		}
		if in.DocumentType != types.DocumentTypeSession || body.SchemaVersion != "1.0" || body.SessionType != "Standard_Stream" ||
			body.Inputs["maxSessionDuration"] != "120" || body.Inputs["s3EncryptionEnabled"] != true {
			t.Errorf("type %s, content %s", in.DocumentType, *in.Content)
		}
		return &ssm.CreateDocumentOutput{}, nil
	})
	if r, err := s.Apply(context.Background(), p); err != nil || !r.Created {
		t.Errorf("%+v, %v", r, err)
	}
	m.EXPECT().CreateDocument(gomock.Any(), gomock.Any()).Return(nil, &types.DocumentAlreadyExists{})
	if _, err := s.Apply(context.Background(), p); fault.KindOf(err) != fault.Failed || !strings.Contains(err.Error(), "meanwhile") {
		t.Errorf("one that exists by now: %v", err)
	}
}

func TestApplyDoesNotOverwriteWhatItHasNotSeen(t *testing.T) {
	s, m := newMock(t)
	p := existing(t, s, m)
	m.EXPECT().UpdateDocument(gomock.Any(), gomock.Any()).Return(nil, &types.InvalidDocumentVersion{})
	_, err := s.Apply(context.Background(), p)
	if err == nil || !strings.Contains(err.Error(), "version 3 is no longer the latest") {
		t.Errorf("got %v", err)
	}
}

func TestContentThatIsThereAlready(t *testing.T) {
	s, m := newMock(t)
	p := existing(t, s, m)
	duplicate := &types.DuplicateDocumentContent{Message: aws.String("matches another document")}
	m.EXPECT().UpdateDocument(gomock.Any(), gomock.Any()).Return(nil, duplicate)
	if r, err := s.Apply(context.Background(), p); err != nil || !r.Same {
		t.Errorf("in effect: %+v, %v", r, err)
	}
	// A newer version that was never made the default one.
	p.latest = "5"
	m.EXPECT().UpdateDocument(gomock.Any(), gomock.Any()).Return(nil, duplicate)
	expectContent(m, Account, "5", content)
	m.EXPECT().UpdateDocumentDefaultVersion(gomock.Any(), gomock.Any()).Return(nil, &types.InvalidDocument{})
	_, err := s.Apply(context.Background(), p)
	if err == nil || !strings.Contains(err.Error(), "version 5 is written and not in effect") {
		t.Errorf("written and not in effect: %v", err)
	}
	m.EXPECT().UpdateDocument(gomock.Any(), gomock.Any()).Return(nil, duplicate)
	expectContent(m, Account, "5", `{"inputs":{"idleSessionTimeout":"1"}}`)
	if _, err := s.Apply(context.Background(), p); fault.KindOf(err) != fault.Conflict {
		t.Errorf("somebody else's content: %v", err)
	}
}

func TestFiles(t *testing.T) {
	s, m := newMock(t)
	p := existing(t, s, m)
	tests := []struct {
		name, file string
		changes    int
		err        string
	}{
		{"settings by name", "idle-timeout: 10m\nstreaming: true\n", 2, ""},
		{"a number", "idle-timeout: 10\n", 1, ""},
		{"inputs", "inputs: {idleSessionTimeout: 10, shellProfile: {windows: dir}}\n", 2, ""},
		{"JSON", `{"inputs": {"idleSessionTimeout": "30"}}`, 0, ""},
		{"an input that is there", "inputs: {somethingNew: 3}\n", 1, ""},
		{"an input that is not", "inputs: {idleSesionTimeout: 3}\n", 0, "no input"},
		{"a bad value", "inputs: {idleSessionTimeout: 90}\n", 0, "not from 1 to 60"},
		{"not YAML", "a: [", 0, "neither YAML nor JSON"},
		{"nothing", "# later\n", 0, "no settings"},
	}
	for _, tt := range tests {
		got, err := p.WithFile([]byte(tt.file))
		switch {
		case tt.err != "":
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v", tt.name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case len(Diff(p, got)) != tt.changes:
			t.Errorf("%s: changes %v", tt.name, Diff(p, got))
		}
	}
}

func TestRunAsDocument(t *testing.T) {
	s, m := newMock(t)
	has(m, Account, "3", "3", content)
	lacks(m, RunAsDocument)
	p, err := s.RunAs(context.Background(), RunAsDocument, []string{"deploy", "postgres"})
	if err != nil || p.Exists {
		t.Fatalf("%+v, %v", p, err)
	}
	text, err := p.content()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		SessionType string
		Parameters  map[string]struct {
			Type          string
			AllowedValues []string
		}
		Inputs map[string]any
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Inputs["runAsDefaultUser"] != "{{ user }}" || doc.Inputs["runAsEnabled"] != true || doc.Inputs["idleSessionTimeout"] != "30" ||
		!reflect.DeepEqual(doc.Parameters["user"].AllowedValues, []string{"deploy", "postgres"}) || doc.SessionType != "Standard_Stream" {
		t.Errorf("the document is %s", text)
	}
	for _, bad := range []struct{ name, user string }{{Account, "deploy"}, {RunAsDocument, "a b"}} {
		if _, err := s.RunAs(context.Background(), bad.name, []string{bad.user}); fault.KindOf(err) != fault.Usage {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	p, err := Preferences{}.With([]string{"log-group=/x", "run-as=on"})
	if err != nil || len(p.Warnings()) != 2 {
		t.Errorf("%v, %v", p.Warnings(), err)
	}
	if p, _ = p.With([]string{"log-encryption=off", "run-as=off"}); len(p.Warnings()) != 0 {
		t.Errorf("%v", p.Warnings())
	}
	if p, _ = p.With([]string{"log-group=off", "streaming=on"}); len(p.Warnings()) != 1 {
		t.Errorf("%v", p.Warnings())
	}
}
