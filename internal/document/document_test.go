package document

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const patchContent = `{
  "schemaVersion": "2.2",
  "parameters": {
    "Operation": {"type": "String", "allowedValues": ["Scan", "Install"]},
    "SnapshotId": {"type": "String", "default": "", "allowedPattern": "(^$)|^[0-9a-f]{8}$"},
    "Retries": {"type": "Integer", "default": 3, "allowedValues": [1, 3, 10]},
    "Tags": {"type": "StringList", "default": [], "minItems": "0", "maxItems": 2}
  }
}`

func patchDescription() *types.DocumentDescription {
	return &types.DocumentDescription{
		Name: aws.String("AWS-RunPatchBaseline"), DocumentType: types.DocumentTypeCommand,
		SchemaVersion: aws.String("2.2"), DefaultVersion: aws.String("1"),
		PlatformTypes: []types.PlatformType{types.PlatformTypeWindows, types.PlatformTypeLinux, types.PlatformTypeMacos},
		Parameters: []types.DocumentParameter{
			{Name: aws.String("Operation"), Type: types.DocumentParameterTypeString},
			{Name: aws.String("SnapshotId"), Type: types.DocumentParameterTypeString, DefaultValue: aws.String("")},
			{Name: aws.String("Retries"), Type: types.DocumentParameterTypeString, DefaultValue: aws.String("3")},
			{Name: aws.String("Tags"), Type: types.DocumentParameterTypeStringList},
		},
	}
}

// describe runs Describe of AWS-RunPatchBaseline against the given answers.
func describe(t *testing.T, name string, describeErr error, content string, contentErr error) (Document, error) {
	t.Helper()
	client := NewMockapi(gomock.NewController(t))
	client.EXPECT().DescribeDocument(gomock.Any(), &ssm.DescribeDocumentInput{Name: aws.String(name), DocumentVersion: aws.String("$LATEST")}).
		Return(&ssm.DescribeDocumentOutput{Document: patchDescription()}, describeErr)
	if describeErr == nil {
		client.EXPECT().GetDocument(gomock.Any(), &ssm.GetDocumentInput{
			Name: aws.String(name), DocumentVersion: aws.String("$LATEST"), DocumentFormat: types.DocumentFormatJson,
		}).Return(&ssm.GetDocumentOutput{Content: aws.String(content)}, contentErr)
	}
	return New(client).Describe(t.Context(), name, "$LATEST")
}

func TestDescribeJoinsDescriptionAndContent(t *testing.T) {
	got, err := describe(t, "AWS-RunPatchBaseline", nil, patchContent, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Document{
		Name: "AWS-RunPatchBaseline", Type: "Command", SchemaVersion: "2.2", DefaultVersion: "1",
		Platforms: []string{"windows", "linux", "macos"},
		Parameters: []Parameter{
			{Name: "Operation", Type: String, Required: true, AllowedValues: []string{"Scan", "Install"}},
			{Name: "SnapshotId", Type: String, AllowedPattern: "(^$)|^[0-9a-f]{8}$"},
			{Name: "Retries", Type: Integer, Default: "3", AllowedValues: []string{"1", "3", "10"}},
			{Name: "Tags", Type: StringList, MaxItems: 2}, // the content has a default that the description does not show
		},
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDescribeReadsYAMLContent(t *testing.T) {
	got, err := describe(t, "x", nil, "schemaVersion: '2.2'\nparameters:\n  Operation:\n    type: String\n    allowedValues: [Scan, Install]\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := got.Parameter("Operation")
	if d := diff([]string{"Scan", "Install"}, p.AllowedValues); d != "" || got.Unchecked {
		t.Errorf("unchecked %v, allowed values %s", got.Unchecked, d)
	}
}

func TestDescribeWithoutContentLeavesTheRulesToTheService(t *testing.T) {
	for name, tt := range map[string]struct {
		content string
		err     error
	}{
		"the content may not be read":  {err: &types.InvalidDocument{}},
		"the content is no document":   {content: "{"},
		"the content is other YAML":    {content: "- a\n- b\n"},
		"the content has no parameter": {content: "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := describe(t, "x", nil, tt.content, tt.err)
			if err != nil || !got.Unchecked || len(got.Parameters) != 4 {
				t.Errorf("got unchecked %v, %d parameters, error %v; want unchecked with 4 and no error", got.Unchecked, len(got.Parameters), err)
			}
		})
	}
}

func TestDescribeFallsBackOnlyWhenDenied(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: ssm:DescribeDocument"}
	got, err := describe(t, ShellScript, denied, "", nil)
	if err != nil || !got.BuiltIn || got.Name != ShellScript {
		t.Errorf("got %+v, %v; want the built-in document", got, err)
	}

	if _, err := describe(t, "My-Doc", denied, "", nil); fault.KindOf(err) != fault.Auth {
		t.Errorf("got %v for a document nobody knows, want Auth", err)
	}
	if _, err := describe(t, ShellScript, &types.InvalidDocument{}, "", nil); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v when the service says there is none, want NotFound", err)
	}
	var invalid *types.InvalidDocument
	if _, err := describe(t, "x", &types.InvalidDocument{}, "", nil); !errors.As(err, &invalid) {
		t.Errorf("got %v, want the SDK's error in the chain", err)
	}
}

func TestBuiltInAcceptsItsOwnUse(t *testing.T) {
	for _, name := range []string{ShellScript, PowerShellScript} {
		doc, ok := BuiltIn(name)
		if !ok {
			t.Fatalf("%s is not known", name)
		}
		if _, err := ParseParams(doc, []string{"commands=uptime", "executionTimeout=172800", "workingDirectory=/tmp"}); err != nil {
			t.Error(err)
		}
		if _, err := ParseParams(doc, []string{"executionTimeout=soon"}, "commands"); fault.KindOf(err) != fault.Usage {
			t.Errorf("executionTimeout=soon: got %v, want Usage", err)
		}
	}
	if _, ok := BuiltIn("AWS-Nothing"); ok {
		t.Error("an unknown document is built in")
	}
}
