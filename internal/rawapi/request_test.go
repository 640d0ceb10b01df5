package rawapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// files is a Reader over a few files.
func files(content map[string]string) untyped.Reader {
	return func(path string) ([]byte, error) {
		if text, ok := content[path]; ok {
			return []byte(text), nil
		}
		return nil, fmt.Errorf("%s: %w", path, os.ErrNotExist)
	}
}

func request(t *testing.T, operation string) *Request {
	t.Helper()
	o, err := Find(operation)
	if err != nil {
		t.Fatal(err)
	}
	return o.NewRequest(files(map[string]string{
		"one.json": `{"Key": "tag:env", "Values": ["prod"]}`, "two.yaml": "- Key: a\n  Values: [b]\n- Key: c\n  Values: [d]\n",
		"ids": "i-0123456789abcdef0\ni-0123456789abcdef1\n\n", "word": "hello\n", "-": "typed\n", "bytes": "\x00\xff",
		"short": "Key=tag:env,Values=prod,test\n", "script.sh": "echo a,b=c\n",
	}))
}

// sent is the JSON of what was understood, in one line.
func sent(t *testing.T, r *Request) string {
	t.Helper()
	data, err := encode(r.input.Interface())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTextsOfFlags(t *testing.T) {
	const targets, ids = "Targets", "InstanceIds"
	tests := []struct {
		name, operation, field string
		texts                  []string
		want                   string
	}{
		{"a text", "GetParameter", "name", []string{"/a b,c"}, `{"Name":"/a b,c"}`},
		{"a text that looks like JSON", "GetParameter", "Name", []string{`{"a"`}, `{"Name":"{\"a\""}`},
		{"a text from a file, as it is", "PutParameter", "Value", []string{"file://word"}, `{"Value":"hello\n"}`},
		{"a text from standard input", "PutParameter", "Value", []string{"-"}, `{"Value":"typed"}`},
		{"a number", "DescribeInstanceInformation", "MaxResults", []string{"10"}, `{"MaxResults":10}`},
		{"a truth value", "GetParameter", "WithDecryption", []string{"true"}, `{"WithDecryption":true}`},
		{"an enumeration", "PutParameter", "Type", []string{"SecureString"}, `{"Type":"SecureString"}`},
		{"a date", "CreateActivation", "ExpirationDate", []string{"2026-01-02"}, `{"ExpirationDate":"2026-01-02T00:00:00Z"}`},
		{"a time with a zone", "CreateActivation", "ExpirationDate", []string{"2026-01-02T03:04:05+02:00"}, `{"ExpirationDate":"2026-01-02T01:04:05Z"}`},
		{"seconds since 1970", "CreateActivation", "ExpirationDate", []string{"1767323045.5"}, `{"ExpirationDate":"2026-01-02T03:04:05.5Z"}`},
		{"one of a list", "SendCommand", ids, []string{"i-1"}, `{"InstanceIds":["i-1"]}`},
		{"a list, repeated", "SendCommand", ids, []string{"i-1", "i-2"}, `{"InstanceIds":["i-1","i-2"]}`},
		{"a list with commas", "SendCommand", ids, []string{"i-1,i-2", "i-3"}, `{"InstanceIds":["i-1","i-2","i-3"]}`},
		{"a quoted comma", "DeleteParameters", "Names", []string{`"a,b",c`}, `{"Names":["a,b","c"]}`},
		{"a list in JSON", "DeleteParameters", "Names", []string{`["a,b", "c"]`}, `{"Names":["a,b","c"]}`},
		{"a list from a file, one a line", "SendCommand", ids, []string{"file://ids"}, `{"InstanceIds":["i-0123456789abcdef0","i-0123456789abcdef1"]}`},
		{"shorthand", "SendCommand", targets, []string{"Key=tag:env,Values=prod,test"}, `{"Targets":[{"Key":"tag:env","Values":["prod","test"]}]}`},
		{"shorthand with one value", "SendCommand", targets, []string{"Key=tag:env,Values=prod"}, `{"Targets":[{"Key":"tag:env","Values":["prod"]}]}`},
		{"shorthand, repeated", "SendCommand", targets, []string{"Key=a,Values=b", "Key=c,Values=d"}, `{"Targets":[{"Key":"a","Values":["b"]},{"Key":"c","Values":["d"]}]}`},
		{"shorthand from a file", "SendCommand", targets, []string{"file://short"}, `{"Targets":[{"Key":"tag:env","Values":["prod","test"]}]}`},
		{"JSON", "SendCommand", targets, []string{`[{"Key":"a","Values":["b"]}]`}, `{"Targets":[{"Key":"a","Values":["b"]}]}`},
		{"JSON, one of a list", "SendCommand", targets, []string{"file://one.json"}, `{"Targets":[{"Key":"tag:env","Values":["prod"]}]}`},
		{"YAML", "SendCommand", targets, []string{"file://two.yaml"}, `{"Targets":[{"Key":"a","Values":["b"]},{"Key":"c","Values":["d"]}]}`},
		{"YAML as it is", "SendCommand", targets, []string{"- Key: a\n  Values: [b]"}, `{"Targets":[{"Key":"a","Values":["b"]}]}`},
		{"small letters, as on the wire", "ListCommands", "Filters", []string{`key=Status,value=Failed`}, `{"Filters":[{"Key":"Status","Value":"Failed"}]}`},
		{"a map", "SendCommand", "Parameters", []string{"commands=uptime,workingDirectory=/tmp"}, `{"Parameters":{"commands":["uptime"],"workingDirectory":["/tmp"]}}`},
		{"a map of lists", "SendCommand", "Parameters", []string{`commands=["echo a, b","date"]`}, `{"Parameters":{"commands":["echo a, b","date"]}}`},
		{"a map, repeated", "SendCommand", "Parameters", []string{"a=1", "b=2"}, `{"Parameters":{"a":["1"],"b":["2"]}}`},
		{"a value from a file", "SendCommand", "Parameters", []string{"commands@=script.sh"}, `{"Parameters":{"commands":["echo a,b=c\n"]}}`},
		{"a structure", "UpdateAssociation", "OutputLocation", []string{"S3Location={OutputS3BucketName=b,OutputS3Region=eu-west-1}"}, `{"OutputLocation":{"S3Location":{"OutputS3BucketName":"b","OutputS3Region":"eu-west-1"}}}`},
		{"a list of lists", "StartAutomationExecution", "TargetMaps", []string{"a=[b,c]"}, `{"TargetMaps":[{"a":["b","c"]}]}`},
		{"a union", "StartExecutionPreview", "ExecutionInputs", []string{`{"Automation":{"Parameters":{"a":["b"]}}}`}, `{"ExecutionInputs":{"Automation":{"Parameters":{"a":["b"]}}}}`},
		{"bytes", "RegisterTaskWithMaintenanceWindow", "TaskInvocationParameters", []string{"Lambda={Payload@=fileb://bytes}"}, `{"TaskInvocationParameters":{"Lambda":{"Payload":"AP8="}}}`},
		{"an escaped comma", "AddTagsToResource", "Tags", []string{`Key=a,Value=b\,c`}, `{"Tags":[{"Key":"a","Value":"b,c"}]}`},
		{"quotes", "AddTagsToResource", "Tags", []string{`Key='a b',Value="c, \"d\""`}, `{"Tags":[{"Key":"a b","Value":"c, \"d\""}]}`},
		{"an empty value", "AddTagsToResource", "Tags", []string{`Key=a,Value=`}, `{"Tags":[{"Key":"a","Value":""}]}`},
		{"an equals sign in a value", "AddTagsToResource", "Tags", []string{`Key=a,Value=b=c`}, `{"Tags":[{"Key":"a","Value":"b=c"}]}`},
		{"a number for a text", "AddTagsToResource", "Tags", []string{`Key=a,Value=1`}, `{"Tags":[{"Key":"a","Value":"1"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, tt.operation)
			r.SetTexts(tt.field, tt.texts...)
			if len(r.faults) > 0 {
				t.Fatal(r.faults)
			}
			if got := strings.ReplaceAll(sent(t, r), `"ApplyOnlyAtCronInterval":false,`, ""); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestFaultsOfInput(t *testing.T) {
	tests := []struct {
		name, operation, input string
		want                   []string
	}{
		{"nothing", "SendCommand", `{}`, []string{"DocumentName is missing (--document-name)"}},
		{"a field there is not", "SendCommand", `{"DocumentNaem":"a"}`, []string{"DocumentNaem: no such field (did you mean DocumentName?)"}},
		{"a nested field there is not", "SendCommand", `{"Targets":[{"Kay":"a"}]}`, []string{"Targets[0].Kay: no such field (did you mean Key?)"}},
		{"twice", "SendCommand", `{"Comment":"a","comment":"b"}`, []string{"comment: given twice"}},
		{"other types", "SendCommand", `{"DocumentName":1,"TimeoutSeconds":"x","Targets":{},"InstanceIds":"i-1"}`, []string{
			"DocumentName: 1 is not a text", `TimeoutSeconds: "x" is not a number`, "Targets: a structure is not a list", `InstanceIds: "i-1" is not a list`,
		}},
		{"a fraction", "SendCommand", `{"TimeoutSeconds":1.5}`, []string{"TimeoutSeconds: 1.5 is not a whole number"}},
		{"a large number", "SendCommand", `{"TimeoutSeconds":99999999999}`, []string{"TimeoutSeconds: 99999999999 is out of range"}},
		{"an enumeration", "SendCommand", `{"DocumentHashType":"sha256"}`, []string{`DocumentHashType: "sha256" is none of Sha256, Sha1 (did you mean Sha256?)`}},
		{"limits", "SendCommand", `{"DocumentName":"a b","TimeoutSeconds":1,"MaxErrors":"x%","Comment":"` + strings.Repeat("ü", 101) + `"}`, []string{
			`DocumentName: "a b" does not match`, "Comment: has 101 characters: it may have at most 100 characters",
			`MaxErrors: "x%" does not match`, "TimeoutSeconds: 1 is out of range: it may have 30 to 2592000",
		}},
		{"too many", "GetParameters", `{"Names":["1","2","3","4","5","6","7","8","9","10","11"]}`, []string{"Names: has 11 elements: it may have 1 to 10 elements"}},
		{"a time", "CreateActivation", `{"ExpirationDate":"tomorrow"}`, []string{`ExpirationDate: "tomorrow" is not a time like`}},
		{"a union", "StartExecutionPreview", `{"ExecutionInputs":{"Automatio":{}}}`, []string{"ExecutionInputs.Automatio: no such field: there are Automation"}},
		{"a union of two", "StartExecutionPreview", `{"ExecutionInputs":{"Automation":{},"b":1}}`, []string{"ExecutionInputs: wants exactly one of Automation"}},
		{"no object", "SendCommand", `[]`, []string{"the JSON input: it must be an object"}},
		{"no JSON", "SendCommand", "{\n \"a\" 1}", []string{"the JSON input: line 2, column 6: invalid character '1' after object key"}},
		{"more JSON", "SendCommand", "{} {}", []string{"after top-level value"}},
		{"half of it", "SendCommand", `{"a": [`, []string{"unexpected end of JSON input"}},
		{"missing within", "AddTagsToResource", `{"ResourceType":"Parameter","Tags":[{"Key":"a","Value":"b"},{"Key":"c"}]}`, []string{
			"ResourceId is missing (--resource-id)", "Tags[1].Value is missing",
		}},
		{"missing deep within", "CreatePatchBaseline", `{"Name":"abc","ApprovalRules":{"PatchRules":[{}]}}`, []string{"ApprovalRules.PatchRules[0].PatchFilterGroup is missing"}},
		{"missing and out of range at once", "CreateMaintenanceWindow", `{"Name":"a","Schedule":"rate(1 day)","Duration":2,"Cutoff":1}`, []string{
			"AllowUnassociatedTargets is missing (--allow-unassociated-targets)", "Name: has 1 characters",
		}},
		{"a zero that would be sent", "CreateMaintenanceWindow", `{"Name":"abc","Schedule":"rate(1 day)","Duration":2}`, []string{
			"Cutoff is missing (--cutoff)", "AllowUnassociatedTargets is missing (--allow-unassociated-targets)",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, tt.operation)
			r.SetJSON([]byte(tt.input))
			err := r.Check()
			if fault.KindOf(err) != fault.Usage {
				t.Fatalf("got %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %q", want, err)
				}
			}
			if lines := strings.Count(err.Error(), "\n"); len(tt.want) > 1 && lines != len(tt.want) {
				t.Errorf("%d faults, want %d: %v", lines, len(tt.want), err)
			}
		})
	}
}

func TestFaultsOfFlags(t *testing.T) {
	tests := []struct {
		name, operation, field string
		texts                  []string
		want                   string
	}{
		{"two texts", "GetParameter", "Name", []string{"a", "b"}, "--name: given 2 times"},
		{"no file", "GetParameter", "Name", []string{"file://none"}, "--name: none: file does not exist"},
		{"no text", "GetParameter", "Name", []string{"file://bytes"}, "bytes is not text (UTF-8)"},
		{"no pair", "AddTagsToResource", "Tags", []string{"Key"}, "--tags: character 4: = behind Key is missing"},
		{"no bracket", "SendCommand", "Targets", []string{"Key=a,Values=[b"}, "character 16: ] is missing"},
		{"no brace", "CreateAssociation", "OutputLocation", []string{"S3Location={OutputS3Region=a"}, "} is missing"},
		{"no quote", "AddTagsToResource", "Tags", []string{"Key='a"}, "the closing ' is missing"},
		{"no key", "AddTagsToResource", "Tags", []string{"Key=a,,"}, "--tags"},
		{"bad JSON", "AddTagsToResource", "Tags", []string{`[{"Key":}]`}, "line 1, column"},
		{"a word for a number", "DescribeInstanceInformation", "MaxResults", []string{"ten"}, `"ten" is not a whole number`},
		{"a word for true", "GetParameter", "WithDecryption", []string{"yes"}, `"yes" is not true or false`},
		{"bad YAML", "SendCommand", "Targets", []string{"- Key: a\n Values: b"}, "--targets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, tt.operation)
			r.SetTexts(tt.field, tt.texts...)
			if err := r.CheckGiven(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q; understood %s", err, tt.want, sent(t, r))
			}
		})
	}
}

func TestNoLimits(t *testing.T) {
	r := request(t, "SendCommand")
	r.NoLimits = true
	r.SetJSON([]byte(`{"DocumentName":"a b","DocumentHashType":"Sha512","TimeoutSeconds":1}`))
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	r.SetJSON([]byte(`{"Nmae":1}`))
	if r.Check() == nil {
		t.Error("a field that there is not can never be sent")
	}
}

func TestYAMLInput(t *testing.T) {
	r := request(t, "SendCommand")
	r.SetYAML([]byte("documentName: AWS-RunShellScript\nTimeoutSeconds: 60\nInstanceIds: [i-0123456789abcdef0]\nParameters:\n  commands:\n    - uptime\n    - 0123\nComment: 1e3\n"))
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	want := `{"DocumentName":"AWS-RunShellScript","Comment":"1e3","InstanceIds":["i-0123456789abcdef0"],"Parameters":{"commands":["uptime","0123"]},"TimeoutSeconds":60}`
	if got := sent(t, r); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r.SetYAML([]byte("a: &x 1\nb: *x\n"))
	if err := r.Check(); err == nil || !strings.Contains(err.Error(), "aliases are not taken") {
		t.Error(err)
	}
}

// TestRequiredFields holds the facts against what the SDK refuses to send empty.
// Two it cannot see, for they are plain values whose zero it sends.
func TestRequiredFields(t *testing.T) {
	client := ssm.New(ssm.Options{Region: "eu-central-1"})
	unseen := map[string][]string{"CreateMaintenanceWindow": {"AllowUnassociatedTargets", "Cutoff"}}
	canceled, cancel := context.WithCancel(t.Context())
	cancel() // what could be sent is not
	n := 0
	for _, o := range Operations() {
		var want []string
		_, err := o.entry.call(canceled, client, reflect.New(o.entry.input).Interface())
		var params smithy.InvalidParamsError
		if errors.As(err, &params) {
			n++
			for _, e := range params.Errs() {
				var missing smithy.InvalidParamError
				if errors.As(e, &missing) {
					want = append(want, missing.Field()[strings.LastIndexByte(missing.Field(), '.')+1:])
				}
			}
		}
		want = append(want, unseen[o.Name]...)
		var got []string
		for _, f := range o.Fields {
			if f.Required {
				got = append(got, f.Name)
			}
		}
		if !sameWords(got, want) {
			t.Errorf("%s requires %v, the SDK says %v", o.Name, got, want)
		}
	}
	t.Logf("%d operations with required input", n)
	if n < 122 {
		t.Errorf("only %d operations with required input", n)
	}
}

// TestUnionsAreThoseOfTheSDK finds the interfaces among the types of all inputs and
// answers.
func TestUnionsAreThoseOfTheSDK(t *testing.T) {
	found := map[reflect.Type]bool{}
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		if seen[t] {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Interface:
			found[t] = true
			for _, m := range unions[t] {
				walk(m)
			}
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			for i := range t.NumField() {
				if isMember(t.Field(i)) {
					walk(t.Field(i).Type)
				}
			}
		}
	}
	for _, e := range table {
		walk(e.input)
		walk(e.output)
	}
	delete(found, reflect.TypeFor[error]())
	for u := range found {
		if unions[u] == nil {
			t.Errorf("%s is not in the registry", u)
		}
		for name, m := range unions[u] {
			if !reflect.PointerTo(m).Implements(u) || m.Name() != u.Name()+"Member"+name {
				t.Errorf("%s: %s is no member", u, m)
			}
		}
	}
	if len(found) != len(unions) {
		t.Errorf("%d unions in the SDK, %d in the registry: %v", len(found), len(unions), slices.Collect(maps.Keys(found)))
	}
}

func TestAnUnknownUnionMemberIsNull(t *testing.T) {
	data, err := encode(types.Node{Id: ptr("i-1"), NodeType: &types.UnknownUnionMember{Tag: "Robot"}})
	if err != nil || string(data) != `{"Id":"i-1","NodeType":null}` {
		t.Errorf("got %s, %v", data, err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestSkeletonsAreInput(t *testing.T) {
	for _, o := range Operations() {
		r := o.NewRequest(nil)
		r.NoLimits = true
		r.SetJSON(o.Skeleton())
		if len(r.faults) > 0 {
			t.Errorf("%s: %v", o.Name, r.faults)
		}
		if !json.Valid(o.OutputSkeleton()) {
			t.Errorf("%s: the answer's skeleton is no JSON", o.Name)
		}
		for _, f := range o.Fields {
			if !r.given[f.Name] {
				t.Errorf("%s: %s is not in the skeleton", o.Name, f.Name)
			}
			if form := f.Form(); form != "" && f.Shape != Map && !strings.Contains(form, "=") {
				t.Errorf("%s.%s: form %q", o.Name, f.Name, form)
			}
		}
	}
}

func TestPatternsCompileOrAreLeftToTheService(t *testing.T) {
	left := map[string]bool{}
	for _, o := range Operations() {
		for _, f := range o.Fields {
			if _, err := regexp.Compile(f.Pattern); err != nil {
				left[f.Pattern] = true
				if !matches(f.Pattern, "anything") {
					t.Errorf("%s refuses what Go cannot judge", f.Pattern)
				}
			}
		}
	}
	t.Logf("left to the service: %v", slices.Sorted(maps.Keys(left)))
	if len(left) > 2 {
		t.Errorf("%d patterns check nothing: %v", len(left), slices.Sorted(maps.Keys(left)))
	}
}

func BenchmarkCatalogue(b *testing.B) {
	for b.Loop() {
		facts := readFacts(factsText)
		for i := range table {
			fieldsOf(table[i].input, facts[table[i].name])
		}
	}
}

func TestSummary(t *testing.T) {
	r := request(t, "SendCommand")
	r.SetJSON([]byte(`{"DocumentName":"D","Targets":[{"Key":"tag:env","Values":["prod"]}],"Parameters":{"commands":["s3cret"]}}`))
	if got, want := r.Summary(), `DocumentName=D Parameters={"commands":["(hidden)"]} Targets=[{"Key":"tag:env","Values":["prod"]}]`; sorted(got) != sorted(want) {
		t.Errorf("got %s", got)
	}
	r = request(t, "CancelCommand")
	ids := make([]string, 50)
	for i := range ids {
		ids[i] = fmt.Sprintf("i-%017d", i)
	}
	r.SetTexts("InstanceIds", ids...)
	if got := r.Summary(); !strings.HasPrefix(got, "InstanceIds="+ids[0]+","+ids[1]) || !strings.HasSuffix(got, "… (50)") || len(got) > 250 {
		t.Errorf("got %s", got)
	}
}

// sorted puts words into an order.
func sorted(text string) string {
	words := strings.Fields(text)
	slices.Sort(words)
	return strings.Join(words, " ")
}

func TestAnErrorWithoutWordsSaysOnWhat(t *testing.T) {
	for message, want := range map[string]string{"": "get-parameter /app/url: parameter not found", "It is gone.": "get-parameter: It is gone"} {
		s := serve(t, func(int, map[string]any) (int, any) {
			return 400, object{"__type": "ParameterNotFound", "message": message}
		})
		r := request(t, "GetParameter")
		r.SetTexts("Name", "/app/url")
		if _, err := s.Call(t.Context(), r); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
