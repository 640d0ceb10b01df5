package control

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// as is the fixture with the keys of a role session.
func (f *fixture) as(role string) *fixture {
	c := *f
	c.creds = temporary(f.world.Account(), role, "session", f.world.Clock().Real().Add(time.Hour))
	f.verifier.Issue(c.creds)
	return &c
}

// says is the code and message of a refused call.
func (f *fixture) says(op, body string) string {
	f.t.Helper()
	answer, code := f.ssm(op, body)
	return code + ": " + fmt.Sprint(answer["message"])
}

func TestParameterSelectors(t *testing.T) {
	f := newFixture(t, `
parameters:
  - {name: /a/b, history: [one, two], value: three, labels: {1: [old], 3: [new, v2]}}
`, nil)
	const arn = "arn:aws:ssm:us-east-1:123456789012:parameter/a/b"
	for name, want := range map[string]string{
		"/a/b": "three ", "/a/b:1": "one :1", "/a/b:old": "one :old", "/a/b:v2": "three :v2", arn: "three ", arn + ":2": "two :2", arn + ":old": "one :old",
	} {
		p := at(f.must("GetParameter", `{"Name":"`+name+`"}`), "Parameter")
		selector := at(p, "Selector")
		if selector == nil {
			selector = ""
		}
		if got := fmt.Sprint(at(p, "Value"), " ", selector); got != want || at(p, "Name") != "/a/b" || at(p, "ARN") != arn {
			t.Errorf("%s: %s of %v, want %s", name, got, p, want)
		}
	}
	for name, want := range map[string]string{
		"/a/b:9": "ParameterVersionNotFound", "/a/b:none": "ParameterVersionNotFound", "/a/c": "ParameterNotFound", "/a/c:1": "ParameterNotFound",
		"arn:aws:ssm:eu-west-1:123456789012:parameter/a/b": "ParameterNotFound", "arn:aws:s3:::a/b": "ValidationException",
		"arn:aws:ssm:us-east-1:999999999999:parameter/a/b": "AccessDeniedException",
	} {
		f.refused("GetParameter", `{"Name":"`+name+`"}`, want)
	}
	many := f.must("GetParameters", `{"Names":["/a/c","/a/b:none","`+arn+`:new","/a/b:1"]}`)
	if got := column(many["Parameters"], "Value"); got != "one three" || fmt.Sprint(many["InvalidParameters"]) != "[/a/b:none /a/c]" {
		t.Errorf("got %v", many)
	}
}

func TestLabelsByTheRules(t *testing.T) {
	f := newFixture(t, "parameters: [{name: /a, history: [one], value: two}]", nil)
	bad := f.must("LabelParameterVersion", `{"Name":"/a","Labels":["good","1st","aws-x","SSMx","with space","a/b"]}`)
	if fmt.Sprint(bad["InvalidLabels"]) != "[1st aws-x SSMx with space a/b]" || fmt.Sprint(bad["ParameterVersion"]) != "2" {
		t.Errorf("got %v", bad)
	}
	f.must("LabelParameterVersion", `{"Name":"/a","ParameterVersion":1,"Labels":["good"]}`)
	history := f.must("GetParameterHistory", `{"Name":"/a"}`)
	if got := fmt.Sprint(at(history, "Parameters", 0, "Labels"), at(history, "Parameters", 1, "Labels")); got != "[good] []" {
		t.Errorf("moved: %s", got)
	}
	f.refused("LabelParameterVersion", `{"Name":"/a","Labels":["`+strings.Repeat("x", 101)+`"]}`, "ValidationException")
	f.refused("UnlabelParameterVersion", `{"Name":"/a","Labels":["good"]}`, "ValidationException")
}

func TestPathsAndFilters(t *testing.T) {
	f := newFixture(t, `
keys: [{id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/mine}]
parameters:
  - {name: /a/one, history: [x], value: y, labels: {1: [prod]}, tags: {team: web}}
  - {name: /a/b/two, type: StringList, value: "1,2", tier: Advanced}
  - {name: /a/b/three, type: SecureString, value: s, key: alias/mine}
  - {name: root, type: SecureString, value: s}
`, nil)
	for body, want := range map[string]string{
		`{"Path":"/"}`:                  "root",
		`{"Path":"/","Recursive":true}`: "/a/b/three /a/b/two /a/one root",
		`{"Path":"/a/","Recursive":true,"ParameterFilters":[{"Key":"Type","Option":"BeginsWith","Values":["String"]}]}`: "/a/b/two /a/one",
		`{"Path":"/a","Recursive":true,"ParameterFilters":[{"Key":"KeyId","Values":["alias/mine"]}]}`:                   "/a/b/three",
		`{"Path":"/a","ParameterFilters":[{"Key":"Label","Values":["prod"]}]}`:                                          "/a/one",
		`{"Path":"/aws/service/ami-amazon-linux-latest","MaxResults":1}`:                                                "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64",
	} {
		if got := column(f.must("GetParametersByPath", body)["Parameters"], "Name"); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	if v := at(f.must("GetParametersByPath", `{"Path":"/a","ParameterFilters":[{"Key":"Label","Values":["prod"]}]}`), "Parameters", 0, "Value"); v != "x" {
		t.Errorf("the version with the label has x, not %v", v)
	}
	for body, want := range map[string]string{
		`{}`: "/a/b/three /a/b/two /a/one root",
		`{"ParameterFilters":[{"Key":"Name","Values":["/root","/a/one"]}]}`:                                "/a/one root",
		`{"ParameterFilters":[{"Key":"Name","Option":"BeginsWith","Values":["a/b/t"]}]}`:                   "/a/b/three /a/b/two",
		`{"ParameterFilters":[{"Key":"Name","Option":"Contains","Values":["o"]}]}`:                         "/a/b/two /a/one root",
		`{"ParameterFilters":[{"Key":"Path","Values":["/a"]}]}`:                                            "/a/one",
		`{"ParameterFilters":[{"Key":"Path","Option":"Recursive","Values":["/a/b","/none"]}]}`:             "/a/b/three /a/b/two",
		`{"ParameterFilters":[{"Key":"Tier","Values":["Advanced"]},{"Key":"DataType","Values":["text"]}]}`: "/a/b/two",
		`{"ParameterFilters":[{"Key":"tag:team","Option":"BeginsWith","Values":["we"]}]}`:                  "/a/one",
		`{"ParameterFilters":[{"Key":"Path","Option":"Recursive","Values":["/aws/service/debian"]}]}`:      "/aws/service/debian/release/12/latest/amd64",
		`{"Filters":[{"Key":"Name","Values":["root"]}]}`:                                                   "root",
		`{"Shared":true}`: "",
	} {
		if got := column(f.must("DescribeParameters", body)["Parameters"], "Name"); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	for _, tt := range []struct{ op, body, code string }{
		{"GetParametersByPath", `{"Path":"a"}`, "ValidationException"},
		{"GetParametersByPath", `{"Path":"/a//b"}`, "ValidationException"},
		{"GetParametersByPath", `{"Path":"/ssm"}`, "ValidationException"},
		{"GetParametersByPath", `{"Path":"/a","ParameterFilters":[{"Key":"Name","Values":["x"]}]}`, "InvalidFilterKey"},
		{"GetParametersByPath", `{"Path":"/a","ParameterFilters":[{"Key":"Label","Option":"BeginsWith","Values":["x"]}]}`, "InvalidFilterOption"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Label","Values":["x"]}]}`, "InvalidFilterKey"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Type","Values":["Text"]}]}`, "InvalidFilterValue"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Name"}]}`, "InvalidFilterValue"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Path","Option":"Equals","Values":["/a"]}]}`, "InvalidFilterOption"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Path","Values":["/aws"]}]}`, "ValidationException"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Type","Values":["String"]},{"Key":"Type","Values":["String"]}]}`, "InvalidFilterKey"},
	} {
		f.refused(tt.op, tt.body, tt.code)
	}
}

func TestSparsePagesLoseNothing(t *testing.T) {
	f := newFixture(t, "parameter_store: {sparse_pages: true, generate: [{count: 200, per_path: 50}]}", nil)
	for _, tt := range []struct {
		op, body string
		want     int
	}{
		{"GetParametersByPath", `{"Path":"/load","Recursive":true`, 200},
		{"GetParametersByPath", `{"Path":"/load/g002"`, 50},
		{"DescribeParameters", `{"MaxResults":50`, 200},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Name","Option":"Contains","Values":["99"]}]`, 2},
	} {
		seen, short, empty := map[string]bool{}, 0, 0
		for token := ""; ; {
			page := f.must(tt.op, tt.body+token+"}")
			names := strings.Fields(column(page["Parameters"], "Name"))
			for _, name := range names {
				if seen[name] {
					t.Errorf("%s is there twice", name)
				}
				seen[name] = true
			}
			next, more := page["NextToken"].(string)
			if !more || next == "" {
				break
			}
			if len(names) == 0 {
				empty++
			} else if len(names) < 10 {
				short++
			}
			token = `,"NextToken":` + quoted(next)
		}
		if len(seen) != tt.want || empty == 0 {
			t.Errorf("%s%s}: %d parameters, %d pages are short and %d empty", tt.op, tt.body, len(seen), short, empty)
		}
	}
}

func TestLimitsByTheAccountsSetting(t *testing.T) {
	now := noon
	f := newFixture(t, "limits: real\nparameters: [{name: /a, value: x}]", func() time.Time { return now })
	// calls is how many of them pass in a second.
	calls := func(op, body string, most int) (n int) {
		now = now.Add(time.Minute)
		for range most {
			if _, code := f.ssm(op, body); code == "" {
				n++
			} else if code != "ThrottlingException" {
				t.Fatal(code)
			}
		}
		return n
	}
	if n := calls("GetParameter", `{"Name":"/a"}`, 100); n != 40 {
		t.Errorf("%d calls of GetParameter", n)
	}
	if _, code := f.ssm("GetParametersByPath", `{"Path":"/"}`); code != "ThrottlingException" {
		t.Errorf("they share a rate: %q", code)
	}
	if got := f.says("GetParameters", `{"Names":["/a"]}`); got != "ThrottlingException: Rate exceeded" {
		t.Error(got)
	}
	now = now.Add(100 * time.Millisecond)
	f.must("GetParametersByPath", `{"Path":"/"}`)
	if n := calls("PutParameter", `{"Name":"/a","Value":"y","Overwrite":true}`, 10); n != 3 {
		t.Errorf("%d calls of PutParameter", n)
	}
	f.must("UpdateServiceSetting", `{"SettingId":"/ssm/parameter-store/high-throughput-enabled","SettingValue":"true"}`)
	if n := calls("GetParameter", `{"Name":"/a"}`, 200); n != 200 {
		t.Errorf("%d calls of GetParameter with higher throughput", n)
	}
	if n := calls("GetParametersByPath", `{"Path":"/"}`, 200); n != 100 {
		t.Errorf("%d calls of GetParametersByPath with higher throughput", n)
	}
	if n := calls("PutParameter", `{"Name":"/a","Value":"y","Overwrite":true}`, 20); n != 10 {
		t.Errorf("%d calls of PutParameter with higher throughput", n)
	}
	g := newFixture(t, "limits: real\nthrottle: {PutParameter: 100, GetParameter+GetDocument: 2}\nparameters: [{name: /a, value: x}]", func() time.Time { return now })
	g.must("GetParameter", `{"Name":"/a"}`)
	g.must("GetDocument", `{"Name":"AWS-RunShellScript"}`)
	g.refused("GetParameter", `{"Name":"/a"}`, "ThrottlingException")
	for range 100 {
		g.must("PutParameter", `{"Name":"/a","Value":"y","Overwrite":true}`)
	}
}

const guarded = `
keys:
  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/app, users: [app]}
  - {id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d12, alias: alias/write, policy: '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:Encrypt","Resource":"*"}]}'}
parameters:
  - {name: /open/plain, value: x}
  - {name: /open/secret, type: SecureString, value: s3cret}
  - {name: /app/secret, type: SecureString, value: s3cret, key: alias/app}
  - {name: /app/deep/plain, value: y}
roles:
  - name: app
    enforced: true
    policies: []
    inline:
      read: '{"Statement":[{"Effect":"Allow","Action":"ssm:GetParameter*","Resource":"arn:aws:ssm:*:*:parameter/app*"},{"Effect":"Deny","Action":"ssm:GetParameter","Resource":"arn:aws:ssm:*:*:parameter/app/deep/*"}]}'
denied: ["ssm:GetParametersByPath /closed*", "ssm:DeleteParameter /open/*"]
`

func TestWhoMayReadAndWriteParameters(t *testing.T) {
	f := newFixture(t, guarded, nil)
	app := f.as("app")
	const user = "arn:aws:sts::123456789012:assumed-role/app/session"
	if v := at(app.must("GetParameter", `{"Name":"/app/secret","WithDecryption":true}`), "Parameter", "Value"); v != "s3cret" {
		t.Errorf("got %v", v)
	}
	want := "AccessDeniedException: User: " + user + " is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:us-east-1:123456789012:parameter/open/plain because no identity-based policy allows the ssm:GetParameter action"
	if got := app.says("GetParameter", `{"Name":"/open/plain"}`); got != want {
		t.Error(got)
	}
	app.refused("GetParameter", `{"Name":"/app/deep/plain"}`, "AccessDeniedException")
	app.refused("GetParameters", `{"Names":["/app/secret","/open/plain"]}`, "AccessDeniedException")
	app.refused("PutParameter", `{"Name":"/app/new","Value":"x","Type":"String"}`, "AccessDeniedException")
	app.refused("DescribeParameters", `{}`, "AccessDeniedException")
	app.refused("AddTagsToResource", `{"ResourceType":"Parameter","ResourceId":"/app/secret","Tags":[{"Key":"a","Value":"b"}]}`, "AccessDeniedException")
	app.refused("ListDocuments", `{}`, "AccessDeniedException")
	if got := column(app.must("GetParametersByPath", `{"Path":"/app","Recursive":true}`)["Parameters"], "Name"); got != "/app/deep/plain /app/secret" {
		t.Errorf("access to a path reads what is below: %s", got)
	}
	// The account's user may do all that is not denied, but is no user of the key.
	got := f.says("GetParameter", `{"Name":"/app/secret","WithDecryption":true}`)
	if !strings.Contains(got, "AccessDeniedException: User: arn:aws:iam::123456789012:user/tester is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:123456789012:key/7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11") || strings.Contains(got, "s3cret") {
		t.Error(got)
	}
	f.must("GetParameter", `{"Name":"/app/secret"}`)
	for op, body := range map[string]string{
		"GetParameters": `{"Names":["/open/plain","/app/secret"],"WithDecryption":true}`, "GetParametersByPath": `{"Path":"/","Recursive":true,"WithDecryption":true}`,
		"GetParameterHistory": `{"Name":"/app/secret","WithDecryption":true}`, "PutParameter": `{"Name":"/x","Value":"x","Type":"SecureString","KeyId":"alias/app"}`,
	} {
		f.refused(op, body, "AccessDeniedException")
	}
	f.must("PutParameter", `{"Name":"/w","Value":"x","Type":"SecureString","KeyId":"alias/write"}`)
	if got := f.says("PutParameter", `{"Name":"/w2","Value":"x","Type":"SecureString","KeyId":"alias/write","Tier":"Advanced"}`); !strings.Contains(got, "kms:GenerateDataKey") {
		t.Error(got)
	}
	f.refused("GetParameter", `{"Name":"/w","WithDecryption":true}`, "AccessDeniedException")
	if got := f.says("GetParametersByPath", `{"Path":"/closed/a"}`); !strings.Contains(got, "ssm:GetParametersByPath on resource: arn:aws:ssm:us-east-1:123456789012:parameter/closed/a with an explicit deny") {
		t.Error(got)
	}
	f.must("GetParametersByPath", `{"Path":"/open"}`)
	f.refused("DeleteParameter", `{"Name":"/open/plain"}`, "AccessDeniedException")
	f.must("DeleteParameters", `{"Names":["/open/plain"]}`)
}

func TestKeysOfParameters(t *testing.T) {
	f := newFixture(t, "{}", nil)
	kms := func(op, body string) map[string]any {
		t.Helper()
		answer, code := f.json("TrentService."+op, body)
		if code != "" {
			t.Fatalf("%s: %v", op, answer)
		}
		return answer
	}
	id := fmt.Sprint(at(kms("CreateKey", `{"Description":"mine"}`), "KeyMetadata", "KeyId"))
	key := `"KeyId":` + quoted(id)
	kms("CreateAlias", `{"AliasName":"alias/mine","TargetKeyId":`+quoted(id)+`}`)
	if _, code := f.json("TrentService.CreateAlias", `{"AliasName":"alias/mine","TargetKeyId":`+quoted(id)+`}`); code != "AlreadyExistsException" {
		t.Errorf("a second one: %q", code)
	}
	f.must("PutParameter", `{"Name":"/s","Value":"x","Type":"SecureString","KeyId":"alias/mine"}`)
	if got := f.says("PutParameter", `{"Name":"/t","Value":"x","Type":"SecureString","KeyId":"alias/none"}`); !strings.HasPrefix(got, "InvalidKeyId: Alias arn:aws:kms:us-east-1:123456789012:alias/none is not found. (Service: AWSKMS") {
		t.Error(got)
	}
	if got := column(kms("ListAliases", "{}")["Aliases"], "AliasName"); got != "alias/aws/secretsmanager alias/aws/ssm alias/mine" {
		t.Error(got)
	}
	page := kms("ListKeys", `{"Limit":2}`)
	if rest := kms("ListKeys", `{"Marker":`+quoted(fmt.Sprint(page["NextMarker"]))+`}`); page["Truncated"] != true || column(rest["Keys"], "KeyId") != id {
		t.Errorf("got %v, %v", page, rest)
	}
	sealed := kms("Encrypt", `{`+key+`,"Plaintext":"eA==","EncryptionContext":{"a":"b"}}`)["CiphertextBlob"].(string)
	if got := kms("Decrypt", `{"CiphertextBlob":`+quoted(sealed)+`,"EncryptionContext":{"a":"b"}}`)["Plaintext"]; got != "eA==" {
		t.Errorf("got %v", got)
	}
	kms("DisableKey", "{"+key+"}")
	if got := f.says("GetParameter", `{"Name":"/s","WithDecryption":true}`); !strings.HasPrefix(got, "InvalidKeyId: arn:aws:kms:us-east-1:123456789012:key/"+id+" is disabled.") {
		t.Error(got)
	}
	kms("EnableKey", "{"+key+"}")
	f.must("GetParameter", `{"Name":"/s","WithDecryption":true}`)
	kms("ScheduleKeyDeletion", "{"+key+`,"PendingWindowInDays":7}`)
	if got := at(kms("DescribeKey", `{"KeyId":"alias/mine"}`), "KeyMetadata", "KeyState"); got != "PendingDeletion" {
		t.Errorf("got %v", got)
	}
	f.refused("PutParameter", `{"Name":"/s","Value":"x","Overwrite":true,"KeyId":"alias/mine"}`, "InvalidKeyId")
	if _, code := f.json("TrentService.EnableKey", "{"+key+"}"); code != "KMSInvalidStateException" {
		t.Errorf("got %q", code)
	}
	kms("CancelKeyDeletion", "{"+key+"}")
	policy := `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}]}`
	kms("PutKeyPolicy", "{"+key+`,"PolicyName":"default","Policy":`+quoted(policy)+`}`)
	if got := kms("GetKeyPolicy", "{"+key+"}")["Policy"]; got != policy {
		t.Errorf("got %v", got)
	}
	f.refused("GetParameter", `{"Name":"/s","WithDecryption":true}`, "AccessDeniedException")
}

func TestPoliciesInDescriptions(t *testing.T) {
	f := newFixture(t, "{}", nil)
	policies := `[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"20","Unit":"Days"}}]`
	f.must("PutParameter", `{"Name":"/p","Value":"x","Type":"String","Tier":"Intelligent-Tiering","Policies":`+quoted(policies)+`}`)
	for _, p := range []any{
		at(f.must("DescribeParameters", "{}"), "Parameters", 0), at(f.must("GetParameterHistory", `{"Name":"/p"}`), "Parameters", 0),
	} {
		got := at(p, "Policies", 0)
		if "["+fmt.Sprint(at(got, "PolicyText"))+"]" != policies || at(got, "PolicyType") != "NoChangeNotification" || at(got, "PolicyStatus") != "Pending" || at(p, "Tier") != "Advanced" {
			t.Errorf("got %v", p)
		}
	}
}

func TestEveryValueComesBackAsItWas(t *testing.T) {
	f := newFixture(t, "{}", nil)
	for i, value := range []string{" x ", "a\r\nb\n", "https://example.com/secret", "\x01\x1f\u2028é\U0001F600", `{"a":"b\"c"}`} {
		for _, kind := range []string{"String", "SecureString"} {
			name := fmt.Sprintf("/v/%s%d", kind, i)
			f.must("PutParameter", `{"Name":"`+name+`","Type":"`+kind+`","Value":`+quoted(value)+`}`)
			if got := at(f.must("GetParameter", `{"Name":"`+name+`","WithDecryption":true}`), "Parameter", "Value"); got != value {
				t.Errorf("%q is %q", value, got)
			}
		}
	}
}

// TestCallsByCaller holds that the counters tell who has called.
func TestCallsByCaller(t *testing.T) {
	f := newFixture(t, "parameters: [{name: /a, value: x}]", nil)
	f.must("GetParameter", `{"Name":"/a"}`)
	f.as("reader").must("GetParameter", `{"Name":"/a"}`)
	f.as("reader").must("GetParameters", `{"Names":["/a"]}`)
	got, err := json.Marshal(f.CallsBy())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"arn:aws:iam::123456789012:user/tester":{"GetParameter":1},"arn:aws:sts::123456789012:assumed-role/reader/session":{"GetParameter":1,"GetParameters":1}}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
}
