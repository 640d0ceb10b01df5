package control

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// fixed is a fixture of duo whose clock the test moves.
func fixed(t *testing.T) (*fixture, *time.Time) {
	t.Helper()
	now := noon
	return newFixture(t, duo, func() time.Time { return now }), &now
}

// words writes values with spaces between them.
func words(values ...any) string { return strings.TrimSpace(fmt.Sprintln(values...)) }

func TestMaintenanceWindows(t *testing.T) {
	f, now := fixed(t)
	const daily = `"Schedule":"cron(0 2 * * ? *)","Duration":3,"Cutoff":1,"AllowUnassociatedTargets":false`
	f.refused("CreateMaintenanceWindow", `{"Name":"win","Schedule":"cron(0 2 ? * SUN *)","Duration":2,"Cutoff":2,"AllowUnassociatedTargets":true}`, "ValidationException")
	f.refused("CreateMaintenanceWindow", `{"Name":"win","Schedule":"daily","Duration":2,"Cutoff":1,"AllowUnassociatedTargets":true}`, "ValidationException")
	f.refused("CreateMaintenanceWindow", `{"Name":"win","StartDate":"soon",`+daily+`}`, "ValidationException")
	id, _ := f.must("CreateMaintenanceWindow", `{"Name":"nightly","ClientToken":"t",`+daily+`}`)["WindowId"].(string)
	if again := f.must("CreateMaintenanceWindow", `{"Name":"nightly","ClientToken":"t",`+daily+`}`)["WindowId"]; again != id {
		t.Errorf("the same token made %v beside %s", again, id)
	}
	f.refused("CreateMaintenanceWindow", `{"Name":"other","ClientToken":"t",`+daily+`}`, "IdempotentParameterMismatch")
	of := `{"WindowId":"` + id + `"`
	if w := f.must("GetMaintenanceWindow", of+"}"); w["NextExecutionTime"] != "2026-03-02T02:00Z" || w["Enabled"] != true {
		t.Errorf("got %v", w)
	}

	target, _ := f.must("RegisterTargetWithMaintenanceWindow", of+`,"ResourceType":"INSTANCE","Targets":[{"Key":"tag:env","Values":["prod"]}],"OwnerInformation":"us"}`)["WindowTargetId"].(string)
	to := `"Targets":[{"Key":"WindowTargetIds","Values":["` + target + `"]}]`
	f.refused("RegisterTaskWithMaintenanceWindow", of+`,"TaskArn":"AWS-RunShellScript","TaskType":"RUN_COMMAND"}`, "ValidationException")
	f.refused("RegisterTaskWithMaintenanceWindow", of+`,"TaskArn":"AWS-RunShellScript","TaskType":"RUN_COMMAND",`+to+`}`, "ValidationException")
	f.refused("RegisterTaskWithMaintenanceWindow", of+`,"TaskArn":"AWS-RunShellScript","TaskType":"RUN_COMMAND","MaxErrors":"1","MaxConcurrency":"1","Targets":[{"Key":"WindowTargetIds","Values":["none"]}]}`, "DoesNotExistException")
	task, _ := f.must("RegisterTaskWithMaintenanceWindow", of+`,"TaskArn":"AWS-RunShellScript","TaskType":"RUN_COMMAND","MaxErrors":"1","MaxConcurrency":"1",`+to+
		`,"TaskInvocationParameters":{"RunCommand":{"Parameters":{"commands":["id"]}}}}`)["WindowTaskId"].(string)
	taskOf := of + `,"WindowTaskId":"` + task + `"`
	if got := f.must("UpdateMaintenanceWindowTask", taskOf+`,"Priority":5,"Name":"named"}`); words(got["Priority"], got["TaskArn"]) != "5 AWS-RunShellScript" {
		t.Errorf("got %v", got)
	}
	if got := f.must("GetMaintenanceWindowTask", taskOf+"}"); got["Name"] != "named" || at(got, "TaskInvocationParameters", "RunCommand", "Parameters", "commands", 0) != "id" {
		t.Errorf("got %v", got)
	}
	if got := f.must("DescribeMaintenanceWindowTasks", of+`,"Filters":[{"Key":"Priority","Values":["5"]}]}`); column(got["Tasks"], "Type") != "RUN_COMMAND" {
		t.Errorf("got %v", got)
	}
	f.refused("DeregisterTargetFromMaintenanceWindow", of+`,"WindowTargetId":"`+target+`","Safe":true}`, "TargetInUseException")
	f.must("UpdateMaintenanceWindowTarget", of+`,"WindowTargetId":"`+target+`","Name":"fleet"}`)
	if got := f.must("DescribeMaintenanceWindowTargets", of+`}`); column(got["Targets"], "Name") != "fleet" || column(got["Targets"], "OwnerInformation") != "us" {
		t.Errorf("got %v", got)
	}

	schedule := f.must("DescribeMaintenanceWindowSchedule", `{"Targets":[{"Key":"InstanceIds","Values":["i-00000000000000001"]}],"ResourceType":"INSTANCE","MaxResults":2}`)
	if got := column(schedule["ScheduledWindowExecutions"], "ExecutionTime"); got != "2026-03-02T02:00Z 2026-03-03T02:00Z" || schedule["NextToken"] == nil {
		t.Errorf("got %v", schedule)
	}
	for node, want := range map[string]string{"i-00000000000000001": "nightly", "mi-00000000000000003": ""} {
		if got := f.must("DescribeMaintenanceWindowsForTarget", `{"ResourceType":"INSTANCE","Targets":[{"Key":"InstanceIds","Values":["`+node+`"]}]}`); column(got["WindowIdentities"], "Name") != want {
			t.Errorf("%s: got %v", node, got)
		}
	}

	if err := f.world.Clock().Forward(t.Context(), now.Add(36*time.Hour)); err != nil { // it opened once
		t.Fatal(err)
	}
	executions := f.must("DescribeMaintenanceWindowExecutions", of+"}")
	if column(executions["WindowExecutions"], "Status") != "FAILED" { // one of its nodes is not there
		t.Fatalf("got %v", executions)
	}
	execution := fmt.Sprintf(`{"WindowExecutionId":"%v"`, at(executions, "WindowExecutions", 0, "WindowExecutionId"))
	tasks := f.must("DescribeMaintenanceWindowExecutionTasks", execution+"}")
	run := execution + fmt.Sprintf(`,"TaskId":"%v"`, at(tasks, "WindowExecutionTaskIdentities", 0, "TaskExecutionId"))
	if got := f.must("GetMaintenanceWindowExecutionTask", run+"}"); got["TaskArn"] != "AWS-RunShellScript" {
		t.Errorf("got %v", got)
	}
	invocations := f.must("DescribeMaintenanceWindowExecutionTaskInvocations", run+"}")
	one := at(invocations, "WindowExecutionTaskInvocationIdentities", 0)
	if at(one, "WindowTargetId") != target || !strings.Contains(fmt.Sprint(at(one, "Parameters")), "commands") {
		t.Errorf("got %v", one)
	}
	f.must("GetMaintenanceWindowExecutionTaskInvocation", run+fmt.Sprintf(`,"InvocationId":"%v"}`, at(one, "InvocationId")))
	f.must("CancelMaintenanceWindowExecution", execution+"}")
	if got := f.must("DescribeMaintenanceWindowExecutions", of+`,"Filters":[{"Key":"ExecutedBefore","Values":["2026-03-01T00:00:00Z"]}]}`); len(got["WindowExecutions"].([]any)) != 0 {
		t.Errorf("got %v", got)
	}

	f.refused("UpdateMaintenanceWindow", of+`,"Replace":true,"Name":"nightly"}`, "ValidationException")
	if got := f.must("UpdateMaintenanceWindow", of+`,"Enabled":false}`); got["Enabled"] != false || got["Name"] != "nightly" {
		t.Errorf("got %v", got)
	}
	if w := f.must("GetMaintenanceWindow", of+"}"); w["NextExecutionTime"] != nil {
		t.Errorf("a window that is off has a next execution: %v", w)
	}
	f.must("DeregisterTaskFromMaintenanceWindow", taskOf+"}")
	f.must("DeregisterTargetFromMaintenanceWindow", of+`,"WindowTargetId":"`+target+`","Safe":true}`)
	f.must("DeleteMaintenanceWindow", of+"}")
	f.refused("GetMaintenanceWindow", of+"}", "DoesNotExistException")
}

func TestPatchBaselines(t *testing.T) {
	f, _ := fixed(t)
	rules := `"ApprovalRules":{"PatchRules":[{"PatchFilterGroup":{"PatchFilters":[{"Key":"CLASSIFICATION","Values":["Security"]}]},"ApproveAfterDays":3}]}`
	f.refused("CreatePatchBaseline", `{"Name":"bad","ApprovalRules":{"PatchRules":[{"PatchFilterGroup":{"PatchFilters":[]}}]}}`, "ValidationException")
	id, _ := f.must("CreatePatchBaseline", `{"Name":"ours","OperatingSystem":"AMAZON_LINUX_2023","Description":"d",`+rules+`}`)["BaselineId"].(string)
	of := `{"BaselineId":"` + id + `"`
	if !strings.HasPrefix(id, "pb-") || len(id) != 20 {
		t.Errorf("id %q", id)
	}
	f.must("RegisterPatchBaselineForPatchGroup", of+`,"PatchGroup":"shop"}`)
	f.refused("RegisterPatchBaselineForPatchGroup", of+`,"PatchGroup":"shop"}`, "AlreadyExistsException")
	f.refused("DeletePatchBaseline", of+"}", "ResourceInUseException")
	if got := f.must("GetPatchBaseline", of+"}"); fmt.Sprint(got["PatchGroups"]) != "[shop]" || at(got, "ApprovalRules", "PatchRules", 0, "ApproveAfterDays") != 3.0 {
		t.Errorf("got %v", got)
	}
	if got := f.must("DescribePatchGroups", `{"Filters":[{"Key":"NAME_PREFIX","Values":["sh"]}]}`); at(got, "Mappings", 0, "BaselineIdentity", "BaselineName") != "ours" {
		t.Errorf("got %v", got)
	}
	if got := f.must("GetPatchBaselineForPatchGroup", `{"PatchGroup":"shop","OperatingSystem":"AMAZON_LINUX_2023"}`); got["BaselineId"] != id {
		t.Errorf("got %v", got)
	}
	amazon := f.must("DescribePatchBaselines", `{"Filters":[{"Key":"OWNER","Values":["AWS"]},{"Key":"OPERATING_SYSTEM","Values":["WINDOWS"]}]}`)
	if column(amazon["BaselineIdentities"], "DefaultBaseline") != "true false false" {
		t.Errorf("got %v", amazon)
	}
	if got := f.must("DescribePatchBaselines", `{"Filters":[{"Key":"OWNER","Values":["Self"]}]}`); column(got["BaselineIdentities"], "BaselineName") != "ours" {
		t.Errorf("got %v", got)
	}
	f.must("RegisterDefaultPatchBaseline", of+"}")
	if got := f.must("GetDefaultPatchBaseline", `{"OperatingSystem":"AMAZON_LINUX_2023"}`); got["BaselineId"] != id {
		t.Errorf("got %v", got)
	}
	if got := f.must("UpdatePatchBaseline", of+`,"Name":"renamed","ApprovedPatches":["kernel"]}`); got["Name"] != "renamed" || got["Description"] != "d" {
		t.Errorf("got %v", got)
	}
	if got := f.must("UpdatePatchBaseline", of+`,"Name":"bare","Replace":true}`); got["Description"] != nil || len(got["ApprovedPatches"].([]any)) != 0 {
		t.Errorf("got %v", got)
	}
	f.must("DeregisterPatchBaselineForPatchGroup", of+`,"PatchGroup":"shop"}`)
	f.refused("DeregisterPatchBaselineForPatchGroup", of+`,"PatchGroup":"shop"}`, "InvalidResourceId")
	f.refused("DescribeEffectivePatchesForPatchBaseline", of+"}", "UnsupportedOperatingSystem")
	windows, _ := at(amazon, "BaselineIdentities", 0, "BaselineId").(string)
	if got := f.must("DescribeEffectivePatchesForPatchBaseline", `{"BaselineId":"`+windows+`"}`); at(got, "EffectivePatches", 0, "PatchStatus", "DeploymentStatus") != "APPROVED" {
		t.Errorf("got %v", got)
	}
}

func TestPatchStatesAgreeWithEachOther(t *testing.T) {
	f, _ := fixed(t)
	states := f.must("DescribeInstancePatchStates", `{"InstanceIds":["i-00000000000000001","i-00000000000000002","i-00000000000000009"]}`)
	list, _ := states["InstancePatchStates"].([]any)
	if len(list) != 2 || at(list, 0, "PatchGroup") != "shop" {
		t.Fatalf("got %v", states)
	}
	for _, s := range list {
		for state, member := range map[string]string{"MISSING": "MissingCount", "INSTALLED": "InstalledCount", "INSTALLED_OTHER": "InstalledOtherCount"} {
			n, token := 0, ""
			for {
				got := f.must("DescribeInstancePatches", fmt.Sprintf(`{"InstanceId":"%v","MaxResults":50,"NextToken":"%s","Filters":[{"Key":"State","Values":["%s"]}]}`, at(s, "InstanceId"), token, state))
				n += len(got["Patches"].([]any))
				if token, _ = got["NextToken"].(string); token == "" {
					break
				}
			}
			if float64(n) != at(s, member) {
				t.Errorf("%v: %d patches are %s, %s is %v", at(s, "InstanceId"), n, state, member, at(s, member))
			}
		}
	}
	if got := f.must("DescribePatchGroupState", `{"PatchGroup":"shop"}`); got["Instances"] != 1.0 {
		t.Errorf("got %v", got)
	}
	if got := f.must("DescribeInstancePatchStatesForPatchGroup", `{"PatchGroup":"shop","Filters":[{"Key":"InstalledCount","Values":["1"],"Type":"GreaterThan"}]}`); len(got["InstancePatchStates"].([]any)) != 1 {
		t.Errorf("got %v", got)
	}
	f.refused("DescribeInstancePatchStatesForPatchGroup", `{"PatchGroup":"shop","Filters":[{"Key":"Colour","Values":["1"],"Type":"Equal"}]}`, "InvalidFilter")
	if got := f.must("DescribeAvailablePatches", `{"Filters":[{"Key":"PRODUCT","Values":["WindowsServer2022"]},{"Key":"MSRC_SEVERITY","Values":["Critical"]}]}`); len(got["Patches"].([]any)) == 0 {
		t.Errorf("got %v", got)
	}
	f.refused("DescribeAvailablePatches", `{"Filters":[{"Key":"COLOUR","Values":["x"]}]}`, "ValidationException")
	f.must("DescribePatchProperties", `{"OperatingSystem":"WINDOWS","Property":"CLASSIFICATION"}`)
	f.must("GetDeployablePatchSnapshotForInstance", `{"InstanceId":"i-00000000000000001","SnapshotId":"11111111-1111-4111-8111-111111111111"}`)
}

func TestAssociations(t *testing.T) {
	f, now := fixed(t)
	const doc = `{"Name":"AWS-UpdateSSMAgent"`
	f.refused("CreateAssociation", doc+`}`, "InvalidTarget")
	f.refused("CreateAssociation", doc+`,"InstanceId":"i-00000000000000009"}`, "InvalidInstanceId")
	f.refused("CreateAssociation", doc+`,"InstanceId":"i-00000000000000001","ScheduleExpression":"sometimes"}`, "InvalidSchedule")
	f.refused("CreateAssociation", doc+`,"InstanceId":"i-00000000000000001","Parameters":{"none":["x"]}}`, "InvalidParameters")
	f.refused("CreateAssociation", `{"Name":"none","InstanceId":"i-00000000000000001"}`, "InvalidDocument")
	f.must("CreateAssociation", doc+`,"InstanceId":"i-00000000000000001"}`)
	f.refused("CreateAssociation", doc+`,"InstanceId":"i-00000000000000001"}`, "AssociationAlreadyExists")

	created := at(f.must("CreateAssociation", doc+`,"AssociationName":"agents","Targets":[{"Key":"tag:env","Values":["prod"]}],"ScheduleExpression":"rate(1 day)","MaxErrors":"1"}`), "AssociationDescription")
	id := fmt.Sprintf(`{"AssociationId":"%v"`, at(created, "AssociationId"))
	got := at(f.must("DescribeAssociation", id+"}"), "AssociationDescription")
	if at(got, "Overview", "Status") != "Pending" || at(got, "Overview", "AssociationStatusAggregatedCount", "Success") != 1.0 { // one of two nodes is lost
		t.Errorf("got %v", got)
	}
	*now = now.Add(25 * time.Hour)
	runs := f.must("DescribeAssociationExecutions", id+"}")
	if column(runs["AssociationExecutions"], "Status") != "Pending Pending" || column(runs["AssociationExecutions"], "ResourceCountByStatus") != "{Pending=1, Success=1} {Pending=1, Success=1}" {
		t.Errorf("got %v", runs)
	}
	f.must("StartAssociationsOnce", fmt.Sprintf(`{"AssociationIds":["%v"]}`, at(created, "AssociationId")))
	runs = f.must("DescribeAssociationExecutions", id+`,"Filters":[{"Key":"CreatedTime","Value":"2026-03-02T12:30:00Z","Type":"GREATER_THAN"}]}`)
	if len(runs["AssociationExecutions"].([]any)) != 1 {
		t.Errorf("got %v", runs)
	}
	targets := f.must("DescribeAssociationExecutionTargets", id+fmt.Sprintf(`,"ExecutionId":"%v","Filters":[{"Key":"Status","Value":"Success"}]}`, at(runs, "AssociationExecutions", 0, "ExecutionId")))
	if column(targets["AssociationExecutionTargets"], "ResourceId") != "i-00000000000000001" {
		t.Errorf("got %v", targets)
	}
	f.refused("DescribeAssociationExecutionTargets", id+`,"ExecutionId":"11111111-1111-4111-8111-111111111111"}`, "AssociationExecutionDoesNotExist")

	status := f.must("DescribeInstanceAssociationsStatus", `{"InstanceId":"i-00000000000000002"}`)
	if column(status["InstanceAssociationStatusInfos"], "Status") != "Pending" {
		t.Errorf("got %v", status)
	}
	if got := f.must("DescribeEffectiveInstanceAssociations", `{"InstanceId":"i-00000000000000001"}`); !strings.Contains(fmt.Sprint(at(got, "Associations", 0, "Content")), "schemaVersion") {
		t.Errorf("got %v", got)
	}

	f.refused("UpdateAssociation", id+`,"AssociationVersion":"7"}`, "InvalidAssociationVersion")
	updated := at(f.must("UpdateAssociation", id+`,"Targets":[{"Key":"tag:env","Values":["test"]}]}`), "AssociationDescription")
	if at(updated, "AssociationVersion") != "2" || at(updated, "MaxErrors") != nil || at(updated, "ScheduleExpression") != nil {
		t.Errorf("what is left out stays: %v", updated)
	}
	if got := f.must("ListAssociationVersions", id+"}"); column(got["AssociationVersions"], "AssociationVersion") != "1 2" {
		t.Errorf("got %v", got)
	}
	if got := at(f.must("DescribeAssociation", id+`,"AssociationVersion":"1"}`), "AssociationDescription", "MaxErrors"); got != "1" {
		t.Errorf("version 1 has MaxErrors %v", got)
	}
	for filter, want := range map[string]int{`InstanceId","value":"mi-00000000000000003`: 1, `Name","value":"AWS-UpdateSSMAgent`: 2, `AssociationStatusName","value":"Success`: 2, `AssociationName","value":"none`: 0} {
		if got := f.must("ListAssociations", `{"AssociationFilterList":[{"key":"`+filter+`"}]}`); len(got["Associations"].([]any)) != want {
			t.Errorf("%s: got %v", filter, got)
		}
	}
	const old = `{"Name":"AWS-UpdateSSMAgent","InstanceId":"i-00000000000000001","AssociationStatus":{"Date":1772366400,"Name":"Failed","Message":"m"}}`
	f.must("UpdateAssociationStatus", old)
	f.refused("UpdateAssociationStatus", old, "StatusUnchanged")
	f.must("DeleteAssociation", id+"}")
	f.refused("DescribeAssociation", id+"}", "AssociationDoesNotExist")

	batch := f.must("CreateAssociationBatch", `{"Entries":[{"Name":"none","InstanceId":"i-00000000000000001"},{"Name":"AWS-RunPatchBaseline","InstanceId":"i-00000000000000001","Parameters":{"Operation":["Scan"]}}]}`)
	if len(batch["Successful"].([]any)) != 1 || at(batch, "Failed", 0, "Entry", "Name") != "none" || at(batch, "Failed", 0, "Fault") != "Client" {
		t.Errorf("got %v", batch)
	}
}

func TestOpsItems(t *testing.T) {
	f, now := fixed(t)
	item := func(title, more string) string {
		return `{"Title":"` + title + `","Description":"d","Source":"EC2"` + more + "}"
	}
	dedup := `,"OperationalData":{"/aws/dedup":{"Value":"{\"dedupString\":\"x\"}","Type":"SearchableString"}}`
	first, _ := f.must("CreateOpsItem", item("one", `,"Priority":2,"Tags":[{"Key":"a","Value":"b"}]`+dedup))["OpsItemId"].(string)
	f.refused("CreateOpsItem", item("again", dedup), "OpsItemAlreadyExistsException")
	f.refused("CreateOpsItem", item("two", `,"RelatedOpsItems":[{"OpsItemId":"oi-000000000000"}]`), "OpsItemInvalidParameterException")
	f.refused("CreateOpsItem", item("two", `,"OperationalData":{"k":{"Value":"`+strings.Repeat("x", maxOpsData+1)+`","Type":"String"}}`), "OpsItemInvalidParameterException")
	*now = now.Add(time.Hour)
	f.must("CreateOpsItem", item("two", `,"RelatedOpsItems":[{"OpsItemId":"`+first+`"}]`))
	id := `{"OpsItemId":"` + first + `"`
	f.must("UpdateOpsItem", id+`,"Status":"Resolved","OperationalData":{"k":{"Value":"v","Type":"String"}},"OperationalDataToDelete":["/aws/dedup"]}`)
	got := at(f.must("GetOpsItem", id+"}"), "OpsItem")
	if words(at(got, "Version"), at(got, "Status"), at(got, "OperationalData")) != "2 Resolved map[k:map[Type:String Value:v]]" {
		t.Errorf("got %v", got)
	}
	for filter, want := range map[string]string{
		`"Key":"Status","Operator":"Equal","Values":["Open"]`:                            "two",
		`"Key":"Title","Operator":"Contains","Values":["o"]`:                             "two one",
		`"Key":"Priority","Operator":"Equal","Values":["2"]`:                             "one",
		`"Key":"OperationalDataKey","Operator":"Equal","Values":["k"]`:                   "one",
		`"Key":"CreatedTime","Operator":"LessThan","Values":["2026-03-01T12:30:00Z"]`:    "one",
		`"Key":"CreatedTime","Operator":"GreaterThan","Values":["2026-03-01T12:30:00Z"]`: "two",
	} {
		if got := column(f.must("DescribeOpsItems", `{"OpsItemFilters":[{`+filter+`}]}`)["OpsItemSummaries"], "Title"); got != want {
			t.Errorf("%s: got %q, want %q", filter, got, want)
		}
	}
	f.refused("DescribeOpsItems", `{"OpsItemFilters":[{"Key":"Title","Operator":"GreaterThan","Values":["x"]}]}`, "ValidationException")
	events := f.must("ListOpsItemEvents", `{"Filters":[{"Key":"OpsItemId","Operator":"Equal","Values":["`+first+`"]}]}`)
	if column(events["Summaries"], "DetailType") != "OpsItem Update OpsItem Create" {
		t.Errorf("got %v", events)
	}

	related := id + `,"AssociationType":"RelatesTo","ResourceType":"AWS::SSM::Document","ResourceUri":"arn:aws:ssm:us-east-1::document/AWS-RunShellScript"}`
	association := f.must("AssociateOpsItemRelatedItem", related)["AssociationId"]
	f.refused("AssociateOpsItemRelatedItem", related, "OpsItemRelatedItemAlreadyExistsException")
	f.refused("AssociateOpsItemRelatedItem", strings.Replace(related, "RelatesTo", "Likes", 1), "OpsItemInvalidParameterException")
	if got := f.must("ListOpsItemRelatedItems", id+"}"); column(got["Summaries"], "ResourceType") != "AWS::SSM::Document" {
		t.Errorf("got %v", got)
	}
	f.must("DisassociateOpsItemRelatedItem", id+fmt.Sprintf(`,"AssociationId":"%v"}`, association))
	f.refused("DisassociateOpsItemRelatedItem", id+fmt.Sprintf(`,"AssociationId":"%v"}`, association), "OpsItemRelatedItemAssociationNotFoundException")

	counts := f.must("GetOpsSummary", `{"Aggregators":[{"AggregatorType":"count","TypeName":"AWS:OpsItem","AttributeName":"Status"}]}`)
	if fmt.Sprint(at(counts, "Entities", 0, "Data", "AWS:OpsItem", "Content")) != "[map[Count:1 Status:Open] map[Count:1 Status:Resolved]]" {
		t.Errorf("got %v", counts)
	}
	if got := f.must("GetOpsSummary", `{"Filters":[{"Key":"AWS:OpsItem.Status","Values":["Open"],"Type":"Equal"}]}`); len(got["Entities"].([]any)) != 1 {
		t.Errorf("got %v", got)
	}
	f.refused("GetOpsSummary", `{"Aggregators":[{"AggregatorType":"sum","TypeName":"AWS:OpsItem","AttributeName":"Status"}]}`, "InvalidAggregatorException")
	f.refused("GetOpsSummary", `{"SyncName":"none"}`, "ResourceDataSyncNotFoundException")
	f.must("DeleteOpsItem", id+"}")
	f.must("DeleteOpsItem", id+"}")
	f.refused("GetOpsItem", id+"}", "OpsItemNotFoundException")
}

func TestOpsMetadata(t *testing.T) {
	f, _ := fixed(t)
	arn, _ := f.must("CreateOpsMetadata", `{"ResourceId":"my app","Metadata":{"a":{"Value":"1"},"b":{"Value":"2"}}}`)["OpsMetadataArn"].(string)
	f.refused("CreateOpsMetadata", `{"ResourceId":"my app"}`, "OpsMetadataAlreadyExistsException")
	of := `{"OpsMetadataArn":"` + arn + `"`
	f.refused("UpdateOpsMetadata", of+"}", "OpsMetadataInvalidArgumentException")
	f.must("UpdateOpsMetadata", of+`,"MetadataToUpdate":{"c":{"Value":"3"}},"KeysToDelete":["a"]}`)
	page := f.must("GetOpsMetadata", of+`,"MaxResults":1}`)
	next := f.must("GetOpsMetadata", of+fmt.Sprintf(`,"NextToken":"%v"}`, page["NextToken"]))
	if words(page["Metadata"], next["Metadata"], page["ResourceId"]) != "map[b:map[Value:2]] map[c:map[Value:3]] my app" {
		t.Errorf("got %v, %v", page, next)
	}
	if got := f.must("ListOpsMetadata", `{"Filters":[{"Key":"ResourceId","Values":["my app"]}]}`); column(got["OpsMetadataList"], "OpsMetadataArn") != arn {
		t.Errorf("got %v", got)
	}
	f.must("DeleteOpsMetadata", of+"}")
	f.refused("GetOpsMetadata", of+"}", "OpsMetadataNotFoundException")
}

func TestInventory(t *testing.T) {
	f, _ := fixed(t)
	const node = `{"InstanceId":"i-00000000000000001"`
	item := func(kind, rest string) string {
		return node + `,"Items":[{"TypeName":"` + kind + `","SchemaVersion":"1.0","CaptureTime":"2026-03-01T12:00:00Z"` + rest + `}]}`
	}
	f.refused("PutInventory", item("AWS:Nothing", `,"Content":[]`), "InvalidTypeNameException")
	f.refused("PutInventory", item("Custom:Rack", ``), "InvalidItemContentException")
	f.refused("PutInventory", item("Custom:Rack", `,"ContentHash":"h"`), "ItemContentMismatchException")
	f.must("PutInventory", item("Custom:Rack", `,"ContentHash":"h","Content":[{"Row":"1","Name":"a"},{"Row":"2","Name":"b"}]`))
	f.must("PutInventory", item("Custom:Rack", `,"ContentHash":"h"`))
	entries := f.must("ListInventoryEntries", node+`,"TypeName":"Custom:Rack","Filters":[{"Key":"Name","Values":["b"],"Type":"Equal"}]}`)
	if fmt.Sprint(entries["Entries"]) != "[map[Name:b Row:2]]" {
		t.Errorf("got %v", entries)
	}
	if got := f.must("ListInventoryEntries", node+`,"TypeName":"AWS:InstanceInformation"}`); at(got, "Entries", 0, "PlatformType") != "Linux" {
		t.Errorf("got %v", got)
	}
	if got := f.must("ListInventoryEntries", node+`,"TypeName":"AWS:File"}`); got["CaptureTime"] != nil || got["SchemaVersion"] != nil {
		t.Errorf("what was never reported was captured: %v", got)
	}
	all := f.must("GetInventory", `{"Filters":[{"Key":"AWS:InstanceInformation.PlatformType","Values":["Linux"]}],"ResultAttributes":[{"TypeName":"Custom:Rack"}]}`)
	if column(all["Entities"], "Id") != "i-00000000000000001 mi-00000000000000003" || at(all, "Entities", 0, "Data", "Custom:Rack", "Content", 1, "Row") != "2" {
		t.Errorf("got %v", all)
	}
	counts := f.must("GetInventory", `{"Aggregators":[{"Expression":"AWS:InstanceInformation.PlatformType"}]}`)
	if fmt.Sprint(at(counts, "Entities", 0, "Data", "AWS:InstanceInformation", "Content")) != "[map[Count:2 PlatformType:Linux] map[Count:1 PlatformType:Windows]]" {
		t.Errorf("got %v", counts)
	}
	f.refused("GetInventory", `{"Aggregators":[{"Expression":"AWS:InstanceInformation.Colour"}]}`, "InvalidAggregatorException")
	f.refused("GetInventory", `{"Filters":[{"Key":"PlatformType","Values":["Linux"]}]}`, "InvalidFilter")
	f.refused("GetInventory", `{"ResultAttributes":[{"TypeName":"AWS:Application"}]}`, "InvalidResultAttributeException")
	f.must("GetInventory", `{"ResultAttributes":[{"TypeName":"AWS:PatchSummary"}]}`)
	if got := f.must("GetInventorySchema", `{"TypeName":"Custom:Rack"}`); column(at(got, "Schemas", 0, "Attributes"), "Name") != "Name Row" {
		t.Errorf("got %v", got)
	}
	f.refused("DeleteInventory", `{"TypeName":"AWS:Application"}`, "InvalidTypeNameException")
	got := f.must("DeleteInventory", `{"TypeName":"Custom:Rack","DryRun":true}`)
	if got["DeletionId"] != nil || at(got, "DeletionSummary", "TotalCount") != 1.0 || at(got, "DeletionSummary", "SummaryItems", 0, "RemainingCount") != 1.0 {
		t.Errorf("got %v", got)
	}
	const deletion = `{"TypeName":"Custom:Rack","SchemaDeleteOption":"DeleteSchema","ClientToken":"11111111-2222-3333-4444-555555555555"}`
	id := f.must("DeleteInventory", deletion)["DeletionId"]
	if again := f.must("DeleteInventory", deletion)["DeletionId"]; again != id {
		t.Errorf("the same request again deletes once more: %v, %v", id, again)
	}
	if got := f.must("DescribeInventoryDeletions", fmt.Sprintf(`{"DeletionId":"%v"}`, id)); column(got["InventoryDeletions"], "LastStatus") != "Complete" {
		t.Errorf("got %v", got)
	}
	f.refused("ListInventoryEntries", node+`,"TypeName":"Custom:Rack"}`, "InvalidTypeNameException")
}

// Items of the same id must not keep a client in the same page.
func TestPagesOfItemsWithTheSameIDEnd(t *testing.T) {
	f, _ := fixed(t)
	const node = `"ResourceId":"i-00000000000000001","ResourceType":"ManagedInstance"`
	items := strings.Repeat(`{"Id":"same","Severity":"HIGH","Status":"COMPLIANT"},`, 29) + `{"Id":"same","Severity":"HIGH","Status":"COMPLIANT"}`
	f.must("PutComplianceItems", `{`+node+`,"ComplianceType":"Custom:A","ExecutionSummary":{"ExecutionTime":1},"Items":[`+items+`]}`)
	request := `{"ResourceIds":["i-00000000000000001"],"MaxResults":10,"Filters":[{"Key":"ComplianceType","Values":["Custom:A"],"Type":"EQUAL"}]}`
	if got := f.all("ListComplianceItems", request, "ComplianceItems"); len(got) != 30 {
		t.Errorf("got %d items", len(got))
	}
}

func TestCompliance(t *testing.T) {
	f, _ := fixed(t)
	put := func(node, kind, upload, items string) string {
		return `{"ResourceId":"` + node + `","ResourceType":"ManagedInstance","ComplianceType":"` + kind + `","UploadType":"` + upload + `","ExecutionSummary":{"ExecutionTime":1772366400},"Items":[` + items + `]}`
	}
	const node = "i-00000000000000001"
	f.refused("PutComplianceItems", put("i-00000000000000009", "Custom:Rules", "COMPLETE", ""), "InvalidResourceId")
	f.refused("PutComplianceItems", put(node, "Rules", "COMPLETE", ""), "ValidationException")
	f.must("PutComplianceItems", put(node, "Custom:Rules", "COMPLETE", `{"Id":"1","Severity":"HIGH","Status":"NON_COMPLIANT"},{"Id":"2","Severity":"LOW","Status":"COMPLIANT"}`))
	f.must("PutComplianceItems", put(node, "Custom:Rules", "PARTIAL", `{"Id":"2","Severity":"LOW","Status":"NON_COMPLIANT"}`))
	items := f.must("ListComplianceItems", `{"ResourceIds":["`+node+`"],"ResourceTypes":["ManagedInstance"],"Filters":[{"Key":"ComplianceType","Values":["Custom:Rules"],"Type":"EQUAL"},{"Key":"Status","Values":["NON_COMPLIANT"]}]}`)
	if column(items["ComplianceItems"], "Id") != "1 2" {
		t.Errorf("got %v", items)
	}
	f.refused("ListComplianceItems", `{"Filters":[{"Key":"Colour","Values":["x"]}]}`, "InvalidFilter")
	summary := f.must("ListResourceComplianceSummaries", `{"Filters":[{"Key":"ComplianceType","Values":["Custom:Rules"]}]}`)
	if at(summary, "ResourceComplianceSummaryItems", 0, "OverallSeverity") != "HIGH" || at(summary, "ResourceComplianceSummaryItems", 0, "NonCompliantSummary", "NonCompliantCount") != 2.0 {
		t.Errorf("got %v", summary)
	}
	total := f.must("ListComplianceSummaries", `{}`)
	if column(total["ComplianceSummaryItems"], "ComplianceType") != "Custom:Rules Patch" {
		t.Errorf("got %v", total)
	}
}

func TestNodeSummaries(t *testing.T) {
	f, _ := fixed(t)
	nodes := f.must("ListNodes", `{"Filters":[{"Key":"PlatformType","Values":["Linux"],"Type":"Equal"}]}`)
	if column(nodes["Nodes"], "Id") != "i-00000000000000001 mi-00000000000000003" || at(nodes, "Nodes", 0, "NodeType", "Instance", "ManagedStatus") != "Managed" {
		t.Errorf("got %v", nodes)
	}
	by := f.must("ListNodesSummary", `{"Aggregators":[{"AggregatorType":"Count","TypeName":"Instance","AttributeName":"PlatformType","Aggregators":[{"AggregatorType":"Count","TypeName":"Instance","AttributeName":"ResourceType"}]}]}`)
	if fmt.Sprint(by["Summary"]) != "[map[Count:1 PlatformType:Linux ResourceType:EC2Instance] map[Count:1 PlatformType:Linux ResourceType:ManagedInstance] map[Count:1 PlatformType:Windows ResourceType:EC2Instance]]" {
		t.Errorf("got %v", by)
	}
	f.refused("ListNodes", `{"SyncName":"none"}`, "ResourceDataSyncNotFoundException")
}

func TestTheDemoAnswersEveryList(t *testing.T) {
	f := newFixture(t, "demo", nil)
	for op, member := range map[string]string{
		"DescribeMaintenanceWindows": "WindowIdentities", "ListAssociations": "Associations", "DescribeOpsItems": "OpsItemSummaries",
		"DescribePatchGroups": "Mappings", "ListComplianceItems": "ComplianceItems", "ListResourceComplianceSummaries": "ResourceComplianceSummaryItems",
		"GetInventory": "Entities", "ListNodes": "Nodes", "DescribePatchBaselines": "BaselineIdentities", "DescribeMaintenanceWindowSchedule": "ScheduledWindowExecutions",
		"GetOpsSummary": "Entities", "ListDocuments": "DocumentIdentifiers",
	} {
		if list, _ := f.must(op, "{}")[member].([]any); len(list) == 0 {
			t.Errorf("%s: nothing", op)
		}
	}
}

func TestComplianceSummariesCountTheItems(t *testing.T) {
	f := newFixture(t, `
nodes:
  - {id: i-00000000000000001, patch: {installed: 5, installed_other: 2, missing: 4, failed: 1, pending_reboot: 2, installed_rejected: 1, critical: 2, security: 3}}
  - {id: i-00000000000000002}
`, nil)
	for _, node := range []string{"i-00000000000000001", "i-00000000000000002"} {
		counts := map[string]float64{}
		token := ""
		for {
			got := f.must("ListComplianceItems", `{"ResourceIds":["`+node+`"],"NextToken":"`+token+`"}`)
			for _, item := range got["ComplianceItems"].([]any) {
				counts[words(at(item, "Status"), at(item, "Severity"))]++
			}
			if token, _ = got["NextToken"].(string); token == "" {
				break
			}
		}
		summary := at(f.must("ListResourceComplianceSummaries", `{"Filters":[{"Key":"ResourceId","Values":["`+node+`"]}]}`), "ResourceComplianceSummaryItems", 0)
		for status, member := range map[string]string{"COMPLIANT": "CompliantSummary", "NON_COMPLIANT": "NonCompliantSummary"} {
			for severity, count := range map[string]string{"CRITICAL": "CriticalCount", "HIGH": "HighCount", "MEDIUM": "MediumCount", "LOW": "LowCount", "UNSPECIFIED": "UnspecifiedCount"} {
				if got := at(summary, member, "SeveritySummary", count); got != counts[status+" "+severity] {
					t.Errorf("%s: %v items are %s %s, %s.%s is %v", node, counts[status+" "+severity], status, severity, member, count, got)
				}
			}
		}
	}
}
