package control

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// refused calls an operation that must fail with a code.
func (f *fixture) refused(op, body, code string) {
	f.t.Helper()
	if answer, got := f.ssm(op, body); got != code {
		f.t.Errorf("%s %s: got %v, want %s", op, body, answer, code)
	}
}

// quoted is text as a JSON string.
func quoted(text string) string {
	j, err := json.Marshal(text)
	if err != nil {
		panic(err) // texts always encode
	}
	return string(j)
}

const duo = `
nodes:
  - {id: i-00000000000000001, name: web, tags: {env: prod, PatchGroup: shop}}
  - {id: i-00000000000000002, name: win, platform: windows, ping: lost, tags: {env: prod}}
  - {id: mi-00000000000000003, name: edge, tags: {env: test}}
parameters:
  - {name: /app/one, value: x}
`

func TestServiceSettings(t *testing.T) {
	f := newFixture(t, duo, nil)
	const tier = "/ssm/parameter-store/default-parameter-tier"
	f.refused("UpdateServiceSetting", `{"SettingId":"`+tier+`","SettingValue":"Gold"}`, "ValidationException")
	f.refused("GetServiceSetting", `{"SettingId":"/ssm/none"}`, "ServiceSettingNotFound")
	f.must("UpdateServiceSetting", `{"SettingId":"arn:aws:ssm:us-east-1:123456789012:servicesetting`+tier+`","SettingValue":"Advanced"}`)
	if s := at(f.must("GetServiceSetting", `{"SettingId":"`+tier+`"}`), "ServiceSetting"); at(s, "SettingValue") != "Advanced" || at(s, "Status") != "Customized" {
		t.Errorf("got %v", s)
	}
	if p := f.must("PutParameter", `{"Name":"/app/two","Value":"x","Type":"String"}`); p["Tier"] != "Advanced" {
		t.Errorf("the setting has no effect: %v", p)
	}
	if s := at(f.must("ResetServiceSetting", `{"SettingId":"`+tier+`"}`), "ServiceSetting"); at(s, "SettingValue") != "Standard" || at(s, "Status") != "Default" {
		t.Errorf("got %v", s)
	}
}

func TestDefaultHostManagement(t *testing.T) {
	f := newFixture(t, duo, nil)
	const own = `{"PermissionModel":"SELF_MANAGED","RoleArn":"arn:aws:iam::123456789012:role/service-role/Hosts"`
	f.refused("DeregisterDefaultHostManagementConfiguration", `{}`, "ResourceNotFoundException")
	f.refused("RegisterDefaultHostManagementConfiguration", `{"PermissionModel":"SELF_MANAGED"}`, "ValidationException")
	f.refused("RegisterDefaultHostManagementConfiguration", `{"PermissionModel":"SERVICE_MANAGED","RoleArn":"arn:aws:iam::123456789012:role/Hosts"}`, "ValidationException")
	f.must("RegisterDefaultHostManagementConfiguration", own+"}")
	if v := at(f.must("GetServiceSetting", `{"SettingId":"/ssm/managed-instance/default-ec2-instance-management-role"}`), "ServiceSetting", "SettingValue"); v != "service-role/Hosts" {
		t.Errorf("the setting is %v", v)
	}
	f.refused("RegisterDefaultHostManagementConfiguration", `{"PermissionModel":"SERVICE_MANAGED"}`, "ConflictException")
	f.must("RegisterDefaultHostManagementConfiguration", `{"PermissionModel":"SERVICE_MANAGED","Overwrite":true}`)
	f.must("DeregisterDefaultHostManagementConfiguration", `{}`)
	f.refused("DeregisterDefaultHostManagementConfiguration", `{}`, "ResourceNotFoundException")
}

func TestTagsOfEveryResourceType(t *testing.T) {
	f := newFixture(t, duo, nil)
	window, _ := f.must("CreateMaintenanceWindow", `{"Name":"win","Schedule":"rate(1 day)","Duration":2,"Cutoff":1,"AllowUnassociatedTargets":true}`)["WindowId"].(string)
	baseline, _ := f.must("CreatePatchBaseline", `{"Name":"base","OperatingSystem":"UBUNTU"}`)["BaselineId"].(string)
	item, _ := f.must("CreateOpsItem", `{"Title":"t","Description":"d","Source":"s"}`)["OpsItemId"].(string)
	metadata, _ := f.must("CreateOpsMetadata", `{"ResourceId":"app"}`)["OpsMetadataArn"].(string)
	association, _ := at(f.must("CreateAssociation", `{"Name":"AWS-UpdateSSMAgent","Targets":[{"Key":"tag:env","Values":["prod"]}]}`), "AssociationDescription", "AssociationId").(string)
	connector, _ := f.must("CreateCloudConnector", `{"DisplayName":"c","RoleArn":"r","ConfigConnectorArn":"a","Configuration":{"AzureConfiguration":{"TenantId":"t","ApplicationId":"a"}}}`)["CloudConnectorId"].(string)
	execution, _ := f.must("StartAutomationExecution", `{"DocumentName":"AWS-RestartEC2Instance","Parameters":{"InstanceId":["i-1"]}}`)["AutomationExecutionId"].(string)
	f.must("CreateDocument", `{"Name":"doc","DocumentFormat":"YAML","Content":"schemaVersion: '2.2'\nmainSteps: [{name: a, action: 'aws:runShellScript', inputs: {runCommand: [id]}}]"}`)
	for kind, id := range map[string]string{
		"Document": "doc", "ManagedInstance": "mi-00000000000000003", "MaintenanceWindow": window, "Parameter": "/app/one", "PatchBaseline": baseline,
		"OpsItem": item, "OpsMetadata": metadata, "Automation": execution, "Association": association, "CloudConnector": connector,
	} {
		of := `{"ResourceType":"` + kind + `","ResourceId":"` + id + `"`
		f.must("AddTagsToResource", of+`,"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}`)
		f.must("RemoveTagsFromResource", of+`,"TagKeys":["b","none","env"]}`)
		if tags := at(f.must("ListTagsForResource", of+"}"), "TagList"); !strings.Contains(column(tags, "Key"), "a") || strings.Contains(column(tags, "Key"), "b") {
			t.Errorf("%s: %v", kind, tags)
		}
		f.refused("AddTagsToResource", of+`,"Tags":[{"Key":"aws:x","Value":"1"}]}`, "ValidationException")
		var many []string
		for i := range 51 {
			many = append(many, fmt.Sprintf(`{"Key":"k%d","Value":""}`, i))
		}
		f.refused("AddTagsToResource", of+`,"Tags":[`+strings.Join(many, ",")+`]}`, "TooManyTagsError")
	}
	f.refused("ListTagsForResource", `{"ResourceType":"OpsItem","ResourceId":"oi-000000000000"}`, "InvalidResourceId")
}

func TestResourcePolicies(t *testing.T) {
	f := newFixture(t, duo, nil)
	f.must("PutParameter", `{"Name":"/app/big","Value":"x","Type":"String","Tier":"Advanced"}`)
	const arn = `{"ResourceArn":"arn:aws:ssm:us-east-1:123456789012:parameter/app/big"`
	policy := `,"Policy":` + quoted(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"210987654321"},"Action":"ssm:GetParameters"}]}`)
	f.refused("PutResourcePolicy", `{"ResourceArn":"arn:aws:ssm:us-east-1:123456789012:parameter/app/one"`+policy+`}`, "ResourcePolicyInvalidParameterException")
	f.refused("PutResourcePolicy", `{"ResourceArn":"arn:aws:ssm:us-east-1:123456789012:parameter/none"`+policy+`}`, "ResourceNotFoundException")
	f.refused("PutResourcePolicy", arn+`,"Policy":"{}"}`, "MalformedResourcePolicyDocumentException")
	f.refused("PutResourcePolicy", arn+`,"Policy":`+quoted(`{"Statement":"`+strings.Repeat("x", 1024)+`"}`)+`}`, "ResourcePolicyLimitExceededException")
	put := f.must("PutResourcePolicy", arn+policy+"}")
	id := fmt.Sprintf(`,"PolicyId":"%v"`, put["PolicyId"])
	f.refused("PutResourcePolicy", arn+policy+id+`,"PolicyHash":"old"}`, "ResourcePolicyConflictException")
	f.refused("PutResourcePolicy", arn+policy+`,"PolicyId":"none","PolicyHash":"old"}`, "ResourcePolicyNotFoundException")
	hash := fmt.Sprintf(`,"PolicyHash":"%v"}`, put["PolicyHash"])
	f.must("PutResourcePolicy", arn+policy+id+hash)
	if n := len(at(f.must("GetResourcePolicies", arn+"}"), "Policies").([]any)); n != 1 {
		t.Errorf("%d policies", n)
	}
	f.refused("DeleteResourcePolicy", arn+id+`,"PolicyHash":"old"}`, "ResourcePolicyConflictException")
	f.must("DeleteResourcePolicy", arn+id+hash)
	if n := len(at(f.must("GetResourcePolicies", arn+"}"), "Policies").([]any)); n != 0 {
		t.Errorf("%d policies after the last was deleted", n)
	}
}

func TestResourceDataSyncs(t *testing.T) {
	f := newFixture(t, duo, nil)
	const s3 = `{"SyncName":"s","S3Destination":{"BucketName":"b","SyncFormat":"JsonSerDe","Region":"us-east-1"}}`
	const source = `{"SyncName":"s","SyncType":"SyncFromSource","SyncSource":{"SourceType":"SingleAccountMultiRegions","SourceRegions":["us-east-1"]}}`
	f.must("CreateResourceDataSync", s3)
	f.refused("CreateResourceDataSync", s3, "ResourceDataSyncAlreadyExistsException")
	f.refused("CreateResourceDataSync", `{"SyncName":"t"}`, "ResourceDataSyncInvalidConfigurationException")
	f.refused("UpdateResourceDataSync", source, "ResourceDataSyncNotFoundException")
	f.must("CreateResourceDataSync", source)
	f.must("UpdateResourceDataSync", source)
	list := at(f.must("ListResourceDataSync", `{}`), "ResourceDataSyncItems")
	if column(list, "SyncType") != "SyncToDestination SyncFromSource" || at(list, 1, "SyncSource", "State") != "Enabled" {
		t.Errorf("got %v", list)
	}
	f.refused("ListResourceDataSync", `{"SyncType":"Other"}`, "ResourceDataSyncInvalidConfigurationException")
	f.must("DeleteResourceDataSync", `{"SyncName":"s","SyncType":"SyncFromSource"}`)
	f.refused("DeleteResourceDataSync", `{"SyncName":"s","SyncType":"SyncFromSource"}`, "ResourceDataSyncNotFoundException")
}

func TestSharingAndReviewingDocuments(t *testing.T) {
	f := newFixture(t, duo, nil)
	content := func(n int) string {
		return quoted(fmt.Sprintf("schemaVersion: '2.2'\nmainSteps: [{name: a%d, action: 'aws:runShellScript', inputs: {runCommand: [id]}}]", n))
	}
	create := f.must("CreateDocument", `{"Name":"doc","DocumentFormat":"YAML","Content":`+content(1)+`,"Attachments":[{"Key":"SourceUrl","Values":["s3://b/a.zip"]}],"Requires":[{"Name":"other"}]}`)
	if at(create, "DocumentDescription", "AttachmentsInformation", 0, "Name") != "a.zip" || at(create, "DocumentDescription", "Requires", 0, "Name") != "other" {
		t.Errorf("got %v", create)
	}
	f.refused("UpdateDocument", `{"Name":"doc","DocumentFormat":"YAML","Content":`+content(1)+`}`, "DuplicateDocumentContent")
	f.must("UpdateDocument", `{"Name":"doc","DocumentFormat":"YAML","DisplayName":"shown","VersionName":"two","Content":`+content(2)+`}`)
	versions := at(f.must("ListDocumentVersions", `{"Name":"doc"}`), "DocumentVersions")
	if column(versions, "DocumentVersion") != "2 1" || column(versions, "IsDefaultVersion") != "false true" || at(versions, 0, "VersionName") != "two" || at(versions, 0, "DisplayName") != "shown" {
		t.Errorf("got %v", versions)
	}

	const share = `{"Name":"doc","PermissionType":"Share"`
	f.must("ModifyDocumentPermission", share+`,"AccountIdsToAdd":["222222222222","111111111111"]}`)
	f.must("ModifyDocumentPermission", share+`,"AccountIdsToAdd":["all"],"AccountIdsToRemove":["222222222222"],"SharedDocumentVersion":"$LATEST"}`)
	shared := f.must("DescribeDocumentPermission", share+`}`)
	if fmt.Sprint(shared["AccountIds"]) != "[111111111111 all]" || at(shared, "AccountSharingInfoList", 1, "SharedDocumentVersion") != "$LATEST" {
		t.Errorf("got %v", shared)
	}
	f.refused("DeleteDocument", `{"Name":"doc"}`, "InvalidDocumentOperation")
	f.must("UpdateServiceSetting", `{"SettingId":"/ssm/documents/console/public-sharing-permission","SettingValue":"Disable"}`)
	f.refused("ModifyDocumentPermission", share+`,"AccountIdsToAdd":["All"]}`, "DocumentPermissionLimit")
	f.must("ModifyDocumentPermission", share+`,"AccountIdsToRemove":["all","111111111111"]}`)
	f.refused("DescribeDocumentPermission", `{"Name":"AWS-RunShellScript","PermissionType":"Share"}`, "InvalidDocumentOperation")
	f.refused("ModifyDocumentPermission", `{"Name":"AWS-RunShellScript","PermissionType":"Share","AccountIdsToAdd":["111111111111"]}`, "InvalidDocument")

	f.refused("UpdateDocumentMetadata", `{"Name":"doc","DocumentReviews":{"Action":"Approve"}}`, "InvalidDocumentOperation")
	f.must("UpdateDocumentMetadata", `{"Name":"doc","DocumentReviews":{"Action":"SendForReview","Comment":[{"Type":"Comment","Content":"please"}]}}`)
	f.must("UpdateDocumentMetadata", `{"Name":"doc","DocumentReviews":{"Action":"Approve"}}`)
	history := at(f.must("ListDocumentMetadataHistory", `{"Name":"doc","Metadata":"DocumentReviews"}`), "Metadata", "ReviewerResponse")
	if column(history, "ReviewStatus") != "PENDING APPROVED" || at(history, 0, "Comment", 0, "Content") != "please" {
		t.Errorf("got %v", history)
	}

	f.must("CreateAssociation", `{"Name":"doc","Targets":[{"Key":"InstanceIds","Values":["i-00000000000000001"]}]}`)
	f.refused("DeleteDocument", `{"Name":"doc","DocumentVersion":"1"}`, "InvalidDocumentOperation")
	f.must("DeleteDocument", `{"Name":"doc","VersionName":"two"}`)
	f.refused("DeleteDocument", `{"Name":"doc"}`, "AssociatedInstances")
}

func TestDocumentsOfOtherTypes(t *testing.T) {
	f := newFixture(t, duo, nil)
	calendar := "BEGIN:VCALENDAR\nX-CALENDAR-TYPE:DEFAULT_CLOSED\nEND:VCALENDAR\n"
	for kind, content := range map[string]string{
		"Policy":         `"DocumentFormat":"JSON","Content":` + quoted(`{"schemaVersion":"2.0","mainSteps":[]}`),
		"Package":        `"DocumentFormat":"JSON","Content":` + quoted(`{"schemaVersion":"2.0","version":"1.0","packages":{}}`),
		"Automation":     `"DocumentFormat":"YAML","Content":` + quoted("schemaVersion: '0.3'\nmainSteps: [{name: a, action: 'aws:pause'}]"),
		"ChangeCalendar": `"DocumentFormat":"TEXT","Content":` + quoted(calendar),
		"CloudFormation": `"DocumentFormat":"YAML","Content":` + quoted("Parameters: {A: {Type: String, Default: [1]}}\nResources: {}"),
	} {
		f.must("CreateDocument", `{"Name":"new-`+kind+`","DocumentType":"`+kind+`",`+content+`}`)
		if got := at(f.must("DescribeDocument", `{"Name":"new-`+kind+`"}`), "Document", "DocumentType"); got != kind {
			t.Errorf("got %v, want %s", got, kind)
		}
	}
	f.refused("CreateDocument", `{"Name":"bad","DocumentType":"ChangeCalendar","DocumentFormat":"TEXT","Content":"hello"}`, "InvalidDocumentContent")
	f.refused("CreateDocument", `{"Name":"bad","DocumentType":"Policy","Content":"{}"}`, "InvalidDocumentSchemaVersion")
	state := f.must("GetCalendarState", `{"CalendarNames":["new-ChangeCalendar"]}`)
	if state["State"] != "CLOSED" || state["AtTime"] == nil {
		t.Errorf("got %v", state)
	}
	f.refused("GetCalendarState", `{"CalendarNames":["new-Policy"]}`, "InvalidDocumentType")
	f.refused("GetCalendarState", `{"CalendarNames":["none"]}`, "InvalidDocument")
}

func TestParameterLabels(t *testing.T) {
	f := newFixture(t, duo, nil)
	f.must("PutParameter", `{"Name":"/app/one","Value":"y","Overwrite":true}`)
	first := f.must("LabelParameterVersion", `{"Name":"/app/one","ParameterVersion":1,"Labels":["good","2bad","aws-bad"]}`)
	if fmt.Sprint(first["InvalidLabels"]) != "[2bad aws-bad]" || fmt.Sprint(first["ParameterVersion"]) != "1" {
		t.Errorf("got %v", first)
	}
	f.must("LabelParameterVersion", `{"Name":"/app/one","Labels":["good"]}`)
	if v := at(f.must("GetParameter", `{"Name":"/app/one:good"}`), "Parameter", "Value"); v != "y" {
		t.Errorf("the label did not move: %v", v)
	}
	var many []string
	for i := range 10 {
		many = append(many, fmt.Sprintf(`"l%d"`, i))
	}
	f.refused("LabelParameterVersion", `{"Name":"/app/one","Labels":[`+strings.Join(many, ",")+`]}`, "ParameterVersionLabelLimitExceeded")
	f.refused("LabelParameterVersion", `{"Name":"/app/one","ParameterVersion":9,"Labels":["a"]}`, "ParameterVersionNotFound")
	off := f.must("UnlabelParameterVersion", `{"Name":"/app/one","ParameterVersion":2,"Labels":["good","never"]}`)
	if fmt.Sprint(off["RemovedLabels"], off["InvalidLabels"]) != "[good] [never]" {
		t.Errorf("got %v", off)
	}
	f.refused("GetParameter", `{"Name":"/app/one:good"}`, "ParameterVersionNotFound")
}

func TestCloudConnectors(t *testing.T) {
	f := newFixture(t, duo, nil)
	create := func(name, targets string) string {
		return `{"DisplayName":"` + name + `","RoleArn":"r","ConfigConnectorArn":"a","Configuration":{"AzureConfiguration":{"TenantId":"t1","ApplicationId":"a"` + targets + `}}}`
	}
	one, _ := f.must("CreateCloudConnector", create("one", `,"Targets":{"Subscriptions":[{"Id":"s1"}]}`))["CloudConnectorId"].(string)
	f.must("CreateCloudConnector", create("two", ""))
	f.refused("CreateCloudConnector", create("two", ""), "ConflictException")
	id := `{"CloudConnectorId":"` + one + `"`
	f.must("UpdateCloudConnector", id+`,"Description":"new"}`)
	if c := f.must("GetCloudConnector", id+"}"); c["Description"] != "new" || c["DisplayName"] != "one" {
		t.Errorf("got %v", c)
	}
	for filter, want := range map[string]string{"SubscriptionId\",\"FilterValues\":[\"s1": "one", "SubscriptionId\",\"FilterValues\":[\"NONE": "two", "TenantId\",\"FilterValues\":[\"t1": "one two"} {
		if got := column(f.must("ListCloudConnectors", `{"Filters":[{"FilterKey":"`+filter+`"]}]}`)["CloudConnectors"], "DisplayName"); got != want {
			t.Errorf("%s: %q", filter, got)
		}
	}
	if got := column(f.must("ValidateCloudConnector", id+"}")["ValidationFindings"], "Code"); got != "TenantSummary SubscriptionAccessible" {
		t.Errorf("findings %q", got)
	}
	f.must("DeleteCloudConnector", id+"}")
	f.refused("GetCloudConnector", id+"}", "ResourceNotFoundException")
}

func TestAutomationOverTheAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, duo, nil)
		book := quoted("schemaVersion: '0.3'\nparameters: {Node: {type: String, default: x}}\nmainSteps: [{name: ask, action: 'aws:approve', inputs: {Approvers: [a]}}, {name: tag, action: 'aws:createTags'}]")
		f.must("CreateDocument", `{"Name":"book","DocumentType":"Automation","DocumentFormat":"YAML","Content":`+book+`}`)
		preview := f.must("StartExecutionPreview", `{"DocumentName":"book"}`)
		steps := at(f.must("GetExecutionPreview", fmt.Sprintf(`{"ExecutionPreviewId":"%v"}`, preview["ExecutionPreviewId"])), "ExecutionPreview", "Automation", "StepPreviews")
		if fmt.Sprint(steps) != "map[Mutating:1 NonMutating:1]" {
			t.Errorf("preview %v", steps)
		}
		id := fmt.Sprintf(`{"AutomationExecutionId":"%v"`, f.must("StartAutomationExecution", `{"DocumentName":"book","Tags":[{"Key":"k","Value":"v"}]}`)["AutomationExecutionId"])
		waiting := func() bool {
			return at(f.must("GetAutomationExecution", id+"}"), "AutomationExecution", "AutomationExecutionStatus") == "Waiting"
		}
		synctest.Wait()
		if !waiting() {
			t.Error("it does not wait")
		}
		list := f.must("DescribeAutomationExecutions", `{"Filters":[{"Key":"ExecutionStatus","Values":["Waiting"]},{"Key":"TagKey","Values":["k"]},{"Key":"CurrentAction","Values":["aws:approve"]}]}`)
		if column(list["AutomationExecutionMetadataList"], "CurrentStepName") != "ask" {
			t.Errorf("got %v", list)
		}
		f.refused("DescribeAutomationExecutions", `{"Filters":[{"Key":"StartTimeAfter","Values":["noon"]}]}`, "InvalidFilterValue")
		f.refused("SendAutomationSignal", id+`,"SignalType":"Resume"}`, "InvalidAutomationSignalException")
		f.must("SendAutomationSignal", id+`,"SignalType":"Approve","Payload":{"Comment":["ok"]}}`)
		synctest.Wait()
		if s := at(f.must("GetAutomationExecution", id+"}"), "AutomationExecution", "AutomationExecutionStatus"); s != "Success" {
			t.Error("it has not succeeded")
		}
		reverse := at(f.must("DescribeAutomationStepExecutions", id+`,"ReverseOrder":true}`), "StepExecutions")
		if column(reverse, "StepName") != "tag ask" || at(reverse, 1, "Outputs", "ApprovalStatus", 0) != "Approved" {
			t.Errorf("got %v", reverse)
		}
		f.refused("StopAutomationExecution", id+"}", "InvalidAutomationStatusUpdateException")
	})
}

func TestChangeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, duo, nil)
		template := quoted("schemaVersion: '0.3'\nmainSteps: [{name: ask, action: 'aws:approve'}]")
		f.must("CreateDocument", `{"Name":"change","DocumentType":"Automation.ChangeTemplate","DocumentFormat":"YAML","Content":`+template+`}`)
		id := f.must("StartChangeRequestExecution", `{"DocumentName":"change","ChangeRequestName":"cr","AutoApprove":true,"Runbooks":[{"DocumentName":"AWS-RestartEC2Instance","Parameters":{"InstanceId":["i-1"]}}]}`)["AutomationExecutionId"]
		synctest.Wait()
		if s := at(f.must("GetAutomationExecution", fmt.Sprintf(`{"AutomationExecutionId":"%v"}`, id)), "AutomationExecution", "AutomationExecutionStatus"); s != "Success" {
			t.Error("it has not succeeded")
		}
		if got := column(f.must("DescribeAutomationExecutions", `{"Filters":[{"Key":"AutomationSubtype","Values":["ChangeRequest"]}]}`)["AutomationExecutionMetadataList"], "ChangeRequestName"); got != "cr" {
			t.Errorf("got %q", got)
		}
		f.refused("StartAutomationExecution", `{"DocumentName":"change"}`, "AutomationDefinitionNotFoundException")
	})
}
