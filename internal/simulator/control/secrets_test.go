package control

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// secretsFixture calls Secrets Manager; must wants no error, and code wants one.
type secretsFixture struct{ *fixture }

func newSecrets(t *testing.T, scenario string) secretsFixture {
	return secretsFixture{newFixture(t, scenario, nil)}
}

func (f secretsFixture) secret(op, body string) map[string]any {
	f.t.Helper()
	a := f.other(secretsTarget+"."+op, secretsService, body)
	if a.code != "" {
		f.t.Fatalf("%s: %v", op, a.body)
	}
	return a.body
}

func (f secretsFixture) refused(op, body, code, message string) {
	f.t.Helper()
	a := f.other(secretsTarget+"."+op, secretsService, body)
	text, _ := a.body["message"].(string)
	if a.code != code || !strings.Contains(text, message) {
		f.t.Errorf("%s %s: %v, want %s %q", op, body, a.body, code, message)
	}
}

const (
	tokenOne = "11111111-1111-1111-1111-111111111111"
	tokenTwo = "22222222-2222-2222-2222-222222222222"
)

func TestASecretIsKeptByteForByte(t *testing.T) {
	f := newSecrets(t, `{}`)
	for i, value := range []string{"plain", " outer spaces \n", "crlf\r\nend\r\n", `{"a":"<&>"}`, "ümläut ☃", strings.Repeat("x", 65536)} {
		text, _ := json.Marshal(value)
		made := f.secret("CreateSecret", fmt.Sprintf(`{"Name":"s%d","SecretString":%s,"ClientRequestToken":"%s"}`, i, text, tokenOne))
		got := f.secret("GetSecretValue", fmt.Sprintf(`{"SecretId":"s%d"}`, i))
		if got["SecretString"] != value || got["VersionId"] != tokenOne || made["VersionId"] != tokenOne || at(got["VersionStages"], 0) != "AWSCURRENT" {
			t.Errorf("%.20q came back as %.60v", value, got)
		}
		if arn, _ := made["ARN"].(string); !strings.HasPrefix(arn, fmt.Sprintf("arn:aws:secretsmanager:us-east-1:123456789012:secret:s%d-", i)) || len(arn[strings.LastIndex(arn, "-")+1:]) != 6 {
			t.Errorf("the ARN is %v", made["ARN"])
		}
	}
	f.secret("CreateSecret", `{"Name":"bin","SecretBinary":"AAH/"}`)
	if got := f.secret("GetSecretValue", `{"SecretId":"bin"}`); got["SecretBinary"] != "AAH/" || got["SecretString"] != nil {
		t.Errorf("binary: %v", got)
	}
}

func TestRulesOfSecrets(t *testing.T) {
	f := newSecrets(t, `{}`)
	arn, _ := f.secret("CreateSecret", `{"Name":"app/db","SecretString":"v1","ClientRequestToken":"`+tokenOne+`"}`)["ARN"].(string)
	if again := f.secret("CreateSecret", `{"Name":"app/db","SecretString":"v1","ClientRequestToken":"`+tokenOne+`"}`); again["ARN"] != arn {
		t.Errorf("the same request made %v", again)
	}
	for _, id := range []string{"app/db", arn, arn[:len(arn)-7]} {
		if f.secret("GetSecretValue", `{"SecretId":"`+id+`"}`)["SecretString"] != "v1" {
			t.Errorf("%s is another", id)
		}
	}
	for _, tt := range []struct{ op, body, code, message string }{
		{"CreateSecret", `{"Name":"app/db","SecretString":"other","ClientRequestToken":"` + tokenOne + `"}`, "ResourceExistsException", "already in use for a version of secret arn:"},
		{"CreateSecret", `{"Name":"app/db","SecretString":"v1"}`, "ResourceExistsException", ""},
		{"CreateSecret", `{"Name":"no spaces","SecretString":"x"}`, "ValidationException", "Invalid name"},
		{"CreateSecret", `{"Name":"short","SecretString":"x","ClientRequestToken":"1"}`, "ValidationException", "clientRequestToken"},
		{"CreateSecret", `{"Name":"both","SecretString":"x","SecretBinary":"AAH/"}`, "InvalidParameterException", "both"},
		{"CreateSecret", `{"Name":"empty","SecretString":""}`, "InvalidParameterException", "empty"},
		{"CreateSecret", `{"Name":"large","SecretString":"` + strings.Repeat("x", 65537) + `"}`, "ValidationException", "65536"},
		{"CreateSecret", `{"Name":"key","SecretString":"x","KmsKeyId":"alias/none"}`, "EncryptionFailure", ""},
		{"CreateSecret", `{"Name":"tags","SecretString":"x","Tags":[{"Key":"aws:x","Value":"y"}]}`, "InvalidParameterException", "aws:"},
		{"GetSecretValue", `{"SecretId":"none"}`, "ResourceNotFoundException", "can't find the specified secret."},
		{"GetSecretValue", `{"SecretId":"app/db","VersionStage":"MINE"}`, "ResourceNotFoundException", "staging label: MINE"},
		{"GetSecretValue", `{"SecretId":"app/db","VersionId":"` + tokenTwo + `"}`, "ResourceNotFoundException", "VersionId: " + tokenTwo},
		{"PutSecretValue", `{"SecretId":"app/db"}`, "InvalidRequestException", "either"},
		{"PutSecretValue", `{"SecretId":"app/db","SecretString":"v2","ClientRequestToken":"` + tokenOne + `"}`, "ResourceExistsException", "already in use"},
		{"PutResourcePolicy", `{"SecretId":"app/db","ResourcePolicy":"nothing"}`, "MalformedPolicyDocumentException", ""},
		{"PutResourcePolicy", `{"SecretId":"app/db","BlockPublicPolicy":true,"ResourcePolicy":"{\"Statement\":[{\"Principal\":\"*\"}]}"}`, "PublicPolicyException", ""},
		{"RotateSecret", `{"SecretId":"app/db"}`, "InvalidRequestException", "No Lambda"},
		{"DeleteSecret", `{"SecretId":"app/db","RecoveryWindowInDays":6}`, "InvalidParameterException", "between 7 and 30"},
		{"DeleteSecret", `{"SecretId":"app/db","RecoveryWindowInDays":7,"ForceDeleteWithoutRecovery":true}`, "InvalidParameterException", "in conjunction"},
		{"ReplicateSecretToRegions", `{"SecretId":"app/db","AddReplicaRegions":[{"Region":"us-east-1"}]}`, "InvalidParameterException", "primary"},
		{"ListSecrets", `{"NextToken":"made up"}`, "InvalidNextTokenException", ""},
		{"BatchGetSecretValue", `{}`, "InvalidParameterException", "Either"},
		{"UpdateSecretVersionStage", `{"SecretId":"app/db","VersionStage":"AWSCURRENT","RemoveFromVersionId":"` + tokenOne + `"}`, "InvalidParameterException", "AWSCURRENT"},
	} {
		f.refused(tt.op, tt.body, tt.code, tt.message)
	}
}

func TestStagingLabelsMove(t *testing.T) {
	f := newSecrets(t, `{}`)
	f.secret("CreateSecret", `{"Name":"s","SecretString":"one","ClientRequestToken":"`+tokenOne+`"}`)
	f.secret("PutSecretValue", `{"SecretId":"s","SecretString":"two","ClientRequestToken":"`+tokenTwo+`"}`)
	value := func(stage string) any {
		t.Helper()
		return f.secret("GetSecretValue", `{"SecretId":"s","VersionStage":"`+stage+`"}`)["SecretString"]
	}
	if value("AWSCURRENT") != "two" || value("AWSPREVIOUS") != "one" {
		t.Error("a new version is not the current one")
	}
	f.secret("UpdateSecretVersionStage", `{"SecretId":"s","VersionStage":"AWSCURRENT","RemoveFromVersionId":"`+tokenTwo+`","MoveToVersionId":"`+tokenOne+`"}`)
	if value("AWSCURRENT") != "one" || value("AWSPREVIOUS") != "two" {
		t.Error("a version was not taken back")
	}
	f.secret("PutSecretValue", `{"SecretId":"s","SecretString":"three","VersionStages":["MINE"]}`)
	if value("MINE") != "three" || value("AWSCURRENT") != "one" {
		t.Error("a label of one's own moved others")
	}
	list := f.secret("ListSecretVersionIds", `{"SecretId":"s"}`)["Versions"].([]any)
	if len(list) != 3 {
		t.Errorf("versions: %v", list)
	}
	described := f.secret("DescribeSecret", `{"SecretId":"s"}`)
	if got := at(described, "VersionIdsToStages", tokenOne, 0); got != "AWSCURRENT" {
		t.Errorf("described: %v", described)
	}
}

func TestDeletedSecretsComeBackOrGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSecrets(t, `{}`)
		f.secret("CreateSecret", `{"Name":"s","SecretString":"one"}`)
		f.secret("DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":7}`)
		f.refused("GetSecretValue", `{"SecretId":"s"}`, "InvalidRequestException", "marked for deletion")
		f.refused("CreateSecret", `{"Name":"s","SecretString":"one"}`, "InvalidRequestException", "already scheduled")
		if list := f.secret("ListSecrets", `{}`)["SecretList"].([]any); len(list) != 0 {
			t.Errorf("still listed: %v", list)
		}
		if list := f.secret("ListSecrets", `{"IncludePlannedDeletion":true}`)["SecretList"].([]any); len(list) != 1 || at(list, 0, "DeletedDate") == nil {
			t.Errorf("not listed: %v", list)
		}
		f.secret("RestoreSecret", `{"SecretId":"s"}`)
		if err := f.world.Clock().Advance(t.Context(), 8*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if f.secret("GetSecretValue", `{"SecretId":"s"}`)["SecretString"] != "one" {
			t.Error("a restored secret has changed")
		}
		f.secret("DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":7}`)
		if err := f.world.Clock().Advance(t.Context(), 7*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		f.refused("DescribeSecret", `{"SecretId":"s"}`, "ResourceNotFoundException", "")
		f.secret("CreateSecret", `{"Name":"s","SecretString":"two"}`)
		f.secret("DeleteSecret", `{"SecretId":"s","ForceDeleteWithoutRecovery":true}`)
		f.secret("CreateSecret", `{"Name":"s","SecretString":"three"}`)
		_ = f.world.Close()
	})
}

func TestARotationMakesAPendingVersionCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newSecrets(t, `{}`)
		f.secret("CreateSecret", `{"Name":"s","SecretString":"{\"user\":\"app\",\"password\":\"old\"}"}`)
		const lambda = "arn:aws:lambda:us-east-1:123456789012:function:rotate"
		f.secret("RotateSecret", `{"SecretId":"s","RotationLambdaARN":"`+lambda+`","RotationRules":{"AutomaticallyAfterDays":10}}`)
		if got := f.secret("GetSecretValue", `{"SecretId":"s"}`)["SecretString"]; got != `{"user":"app","password":"old"}` {
			t.Errorf("while the function runs it is %v", got)
		}
		f.secret("GetSecretValue", `{"SecretId":"s","VersionStage":"AWSPENDING"}`)
		f.refused("RotateSecret", `{"SecretId":"s"}`, "InvalidRequestException", "isn't complete")
		seen := map[any]bool{}
		for range 3 {
			if err := f.world.Clock().Advance(t.Context(), 10*24*time.Hour+time.Minute); err != nil {
				t.Fatal(err)
			}
			text, _ := f.secret("GetSecretValue", `{"SecretId":"s"}`)["SecretString"].(string)
			var members map[string]string
			if json.Unmarshal([]byte(text), &members) != nil || members["user"] != "app" || members["password"] == "old" || len(members["password"]) != 32 {
				t.Errorf("rotated to %q", text)
			}
			seen[text] = true
		}
		if len(seen) != 3 {
			t.Errorf("rotated to %d values in three periods", len(seen))
		}
		if d := f.secret("DescribeSecret", `{"SecretId":"s"}`); d["RotationEnabled"] != true || d["LastRotatedDate"] == nil || d["NextRotationDate"] == nil {
			t.Errorf("described: %v", d)
		}
		f.secret("CancelRotateSecret", `{"SecretId":"s"}`)
		if d := f.secret("DescribeSecret", `{"SecretId":"s"}`); d["RotationEnabled"] == true || d["RotationLambdaARN"] != lambda {
			t.Errorf("cancelled: %v", d)
		}
		_ = f.world.Close()
	})
}

func TestListsOfSecretsAreFilteredAndPaged(t *testing.T) {
	f := newSecrets(t, `{}`)
	for i := range 7 {
		f.secret("CreateSecret", fmt.Sprintf(`{"Name":"app/s%d","SecretString":"v%d","Description":"the database of shop %d","Tags":[{"Key":"team","Value":"t%d"}]}`, i, i, i, i%2))
	}
	f.secret("CreateSecret", `{"Name":"other","SecretString":"x"}`)
	var names []string
	for token := ""; ; {
		page := f.secret("ListSecrets", `{"MaxResults":3,"SortBy":"name","SortOrder":"asc","Filters":[{"Key":"name","Values":["app/"]}],"NextToken":"`+token+`"}`)
		for _, s := range page["SecretList"].([]any) {
			names = append(names, at(s, "Name").(string))
		}
		var more bool
		if token, more = page["NextToken"].(string); !more {
			break
		}
	}
	if got := strings.Join(names, " "); got != "app/s0 app/s1 app/s2 app/s3 app/s4 app/s5 app/s6" {
		t.Errorf("got %s", got)
	}
	for filter, want := range map[string]int{
		`{"Key":"description","Values":["Data"]}`: 7, `{"Key":"tag-value","Values":["t1"]}`: 3, `{"Key":"name","Values":["!app"]}`: 1,
		`{"Key":"all","Values":["shop 3"]}`: 1, `{"Key":"tag-key","Values":["team"]}`: 7,
	} {
		if got := f.secret("ListSecrets", `{"Filters":[`+filter+`]}`)["SecretList"].([]any); len(got) != want {
			t.Errorf("%s: %d, want %d", filter, len(got), want)
		}
	}
	batch := f.secret("BatchGetSecretValue", `{"SecretIdList":["app/s1","none","other"]}`)
	if at(batch, "SecretValues", 1, "SecretString") != "x" || at(batch, "Errors", 0, "ErrorCode") != "ResourceNotFoundException" {
		t.Errorf("batch: %v", batch)
	}
	if got := f.secret("BatchGetSecretValue", `{"Filters":[{"Key":"name","Values":["app"]}]}`)["SecretValues"].([]any); len(got) != 7 {
		t.Errorf("batch by filter: %d", len(got))
	}
}

func TestTheRestOfSecretsManager(t *testing.T) {
	f := newSecrets(t, `secrets: [{name: s, value: now, previous: before, description: d, tags: {a: b}}]`)
	if f.secret("GetSecretValue", `{"SecretId":"s","VersionStage":"AWSPREVIOUS"}`)["SecretString"] != "before" {
		t.Error("the scenario's previous version is lost")
	}
	f.secret("TagResource", `{"SecretId":"s","Tags":[{"Key":"c","Value":"d"}]}`)
	f.secret("UntagResource", `{"SecretId":"s","TagKeys":["a"]}`)
	f.secret("ReplicateSecretToRegions", `{"SecretId":"s","AddReplicaRegions":[{"Region":"eu-west-1"}]}`)
	f.secret("UpdateSecret", `{"SecretId":"s","Description":"other"}`)
	d := f.secret("DescribeSecret", `{"SecretId":"s"}`)
	if at(d, "Tags", 0, "Key") != "c" || at(d, "ReplicationStatus", 0, "Status") != "InSync" || d["Description"] != "other" || d["PrimaryRegion"] != "us-east-1" {
		t.Errorf("described: %v", d)
	}
	f.refused("DeleteSecret", `{"SecretId":"s"}`, "InvalidRequestException", "replica")
	f.secret("RemoveRegionsFromReplication", `{"SecretId":"s","RemoveReplicaRegions":["eu-west-1"]}`)
	f.secret("PutResourcePolicy", `{"SecretId":"s","ResourcePolicy":"{\"Statement\":[{\"Principal\":{\"AWS\":\"111122223333\"}}]}"}`)
	if got := f.secret("GetResourcePolicy", `{"SecretId":"s"}`)["ResourcePolicy"]; got == nil {
		t.Error("the policy is lost")
	}
	f.secret("DeleteResourcePolicy", `{"SecretId":"s"}`)
	if got := f.secret("GetResourcePolicy", `{"SecretId":"s"}`)["ResourcePolicy"]; got != nil {
		t.Error("the policy stays")
	}
	password, _ := f.secret("GetRandomPassword", `{"PasswordLength":20,"ExcludePunctuation":true}`)["RandomPassword"].(string)
	if len(password) != 20 || strings.ContainsAny(password, "!-/ ") {
		t.Errorf("password %q", password)
	}
}

func TestParametersThatStandForSecrets(t *testing.T) {
	f := newSecrets(t, `
secrets:
  - {name: app/db, value: "second <&>", previous: first}
  - {name: gone, value: x}
parameters: [{name: /plain, value: p}]
`)
	f.secret("CreateSecret", `{"Name":"bin","SecretBinary":"AAH/"}`)
	f.secret("DeleteSecret", `{"SecretId":"gone"}`)
	const prefix = "/aws/reference/secretsmanager/"
	get := func(name string, decrypt bool) map[string]any {
		t.Helper()
		a, _ := f.ssm("GetParameter", fmt.Sprintf(`{"Name":%q,"WithDecryption":%v}`, name, decrypt))
		return a
	}
	p := at(get(prefix+"app/db", true), "Parameter")
	if at(p, "Value") != "second <&>" || at(p, "Type") != "SecureString" || at(p, "Name") != prefix+"app/db" || at(p, "Version") != 0.0 || at(p, "DataType") != nil || at(p, "Selector") != nil {
		t.Errorf("got %v", p)
	}
	var source map[string]any
	text, _ := at(p, "SourceResult").(string)
	if json.Unmarshal([]byte(text), &source) != nil || source["secretString"] != "second <&>" || at(source["versionStages"], 0) != "AWSCURRENT" || source["ARN"] != at(p, "ARN") {
		t.Errorf("source %s", text)
	}
	if p := at(get(prefix+"app/db:AWSPREVIOUS", true), "Parameter"); at(p, "Value") != "first" || at(p, "Selector") != ":AWSPREVIOUS" || at(p, "Name") != prefix+"app/db" {
		t.Errorf("previous: %v", p)
	}
	version, _ := source["versionId"].(string)
	if p := at(get(prefix+"app/db:"+version, true), "Parameter"); at(p, "Value") != "second <&>" {
		t.Errorf("by id: %v", p)
	}
	if p := at(get(prefix+"bin", true), "Parameter"); at(p, "Value") != nil || at(p, "Type") != "SecureString" {
		t.Errorf("binary: %v", p)
	}
	const notFound = "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret aws/reference/secretsmanager/"
	for _, tt := range []struct {
		name          string
		decrypt       bool
		code, message string
	}{
		{"app/db", false, "ValidationException", "WithDecryption flag must be True for retrieving a Secret Manager secret."},
		{"none", false, "ValidationException", "WithDecryption flag must be True for retrieving a Secret Manager secret."},
		{"app/db:a:b", false, "ValidationException", "Invalid parameter name. Please use correct syntax for referencing a version/label  <name>:<version/label>"},
		{"none", true, "ParameterNotFound", notFound + "nonenull not found."},
		{"app/db:NONE", true, "ParameterNotFound", notFound + "app/db:NONE not found."},
		{"gone", true, "ValidationException", "Invalid Request to Secrets Manager"},
	} {
		if a := get(prefix+tt.name, tt.decrypt); a["__type"] != tt.code || a["message"] != tt.message {
			t.Errorf("%s: %v", tt.name, a)
		}
	}
	all := f.must("GetParameters", `{"WithDecryption":true,"Names":["`+prefix+`app/db","/plain","`+prefix+`none"]}`)
	if at(all, "Parameters", 0, "Value") != "second <&>" || at(all, "Parameters", 1, "Value") != "p" || at(all, "InvalidParameters", 0) != prefix+"none" {
		t.Errorf("several: %v", all)
	}
	if all := f.must("GetParameters", `{"Names":["`+prefix+`app/db","/plain"]}`); at(all, "InvalidParameters", 0) != prefix+"app/db" || at(all, "Parameters", 0, "Value") != "p" {
		t.Errorf("several without decryption: %v", all)
	}
}

func TestWhoMayNotReadSecretsReadsNoReference(t *testing.T) {
	f := newSecrets(t, `
secrets: [{name: s, value: v}]
denied: ["secretsmanager:GetSecretValue"]
`)
	for _, body := range []string{`{"Name":"/aws/reference/secretsmanager/s","WithDecryption":true}`, `{"Name":"/aws/reference/secretsmanager/none","WithDecryption":true}`} {
		if a, code := f.ssm("GetParameter", body); code != "ValidationException" || a["message"] != "An error occurred while calling one AWS dependency service." {
			t.Errorf("%s: %v", body, a)
		}
	}
	if a, code := f.ssm("GetParameters", `{"Names":["/aws/reference/secretsmanager/s"],"WithDecryption":true}`); code != "ValidationException" {
		t.Errorf("several: %v", a)
	}
	f.refused("GetSecretValue", `{"SecretId":"s"}`, "AccessDeniedException", "secretsmanager:GetSecretValue")
	batch := f.secret("BatchGetSecretValue", `{"SecretIdList":["s"]}`)
	if at(batch, "Errors", 0, "ErrorCode") != "AccessDeniedException" || len(batch["SecretValues"].([]any)) != 0 {
		t.Errorf("in a batch: %v", batch)
	}
}

func TestSecretsOfAScenarioAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		`secrets: [{name: "a b"}]`:                                "name",
		`secrets: [{name: a}, {name: a}]`:                         "twice",
		`secrets: [{name: a, rotation_days: 2000}]`:               "rotation_days",
		`secrets: [{name: a, rotation_lambda: "arn:aws:lambda"}]`: "no value",
	} {
		if _, err := world.ParseScenario("test", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
