package control

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

func TestBaselinesThatNoPatchCouldMatchAreRefused(t *testing.T) {
	f, _ := fixed(t)
	rule := func(filters, when string) string {
		return `"ApprovalRules":{"PatchRules":[{"PatchFilterGroup":{"PatchFilters":[` + filters + `]},` + when + `}]}`
	}
	const security = `{"Key":"CLASSIFICATION","Values":["Security"]}`
	for name, members := range map[string]string{
		"no time":                `"OperatingSystem":"SUSE","ApprovalRules":{"PatchRules":[{"PatchFilterGroup":{"PatchFilters":[` + security + `]}}]}`,
		"two times":              `"OperatingSystem":"SUSE",` + rule(security, `"ApproveAfterDays":3,"ApproveUntilDate":"2026-01-01"`),
		"no date":                `"OperatingSystem":"SUSE",` + rule(security, `"ApproveUntilDate":"1 May"`),
		"too long a delay":       `"OperatingSystem":"SUSE",` + rule(security, `"ApproveAfterDays":361`),
		"no filter":              `"OperatingSystem":"SUSE",` + rule("", `"ApproveAfterDays":3`),
		"another system's key":   `"OperatingSystem":"SUSE",` + rule(`{"Key":"MSRC_SEVERITY","Values":["Critical"]}`, `"ApproveAfterDays":3`),
		"another system's word":  `"OperatingSystem":"SUSE",` + rule(`{"Key":"SEVERITY","Values":["Medium"]}`, `"ApproveAfterDays":3`),
		"an unknown product":     `"OperatingSystem":"SUSE",` + rule(`{"Key":"PRODUCT","Values":["Suze15"]}`, `"ApproveAfterDays":3`),
		"Windows when not named": rule(security, `"ApproveAfterDays":3`),
		"a global filter":        `"OperatingSystem":"UBUNTU","GlobalFilters":{"PatchFilters":[{"Key":"SEVERITY","Values":["Critical"]}]}`,
	} {
		if _, code := f.ssm("CreatePatchBaseline", `{"Name":"bad",`+members+`}`); code != "ValidationException" {
			t.Errorf("%s: %q", name, code)
		}
	}
	for name, members := range map[string]string{
		"a product not in the catalogue": `"OperatingSystem":"REDHAT_ENTERPRISE_LINUX",` + rule(`{"Key":"PRODUCT","Values":["RedhatEnterpriseLinux8.6"]}`, `"ApproveAfterDays":0`),
		"all products":                   `"OperatingSystem":"DEBIAN",` + rule(`{"Key":"PRODUCT","Values":["*"]},{"Key":"PRIORITY","Values":["Required"]},{"Key":"SECTION","Values":["libs"]}`, `"ApproveAfterDays":0`),
		"an application":                 rule(`{"Key":"PATCH_SET","Values":["APPLICATION"]},{"Key":"PRODUCT","Values":["Office 2016"]}`, `"ApproveUntilDate":"2026-02-28"`),
	} {
		if got, code := f.ssm("CreatePatchBaseline", `{"Name":"good",`+members+`}`); code != "" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEffectivePatchesOfABaseline(t *testing.T) {
	f, now := fixed(t)
	product := patches.Products(patches.Windows)[0]
	cumulative, _ := product.Package("cumulative")
	out := cumulative.Until(*now)
	newest, before := out[len(out)-1], out[len(out)-2]
	id, _ := f.must("CreatePatchBaseline", `{"Name":"ours","ApprovedPatches":["`+newest.KB()+`"],"RejectedPatches":["`+strings.TrimPrefix(before.KB(), "KB")+`"],
"ApprovalRules":{"PatchRules":[{"PatchFilterGroup":{"PatchFilters":[{"Key":"PRODUCT","Values":["WindowsServer2022"]},{"Key":"CLASSIFICATION","Values":["UpdateRollups"]}]},"ComplianceLevel":"HIGH","ApproveAfterDays":30}]}}`)["BaselineId"].(string)
	counts := map[string]int{}
	for _, p := range f.all("DescribeEffectivePatchesForPatchBaseline", `{"BaselineId":"`+id+`","MaxResults":20}`, "EffectivePatches") {
		status, _ := at(p, "PatchStatus", "DeploymentStatus").(string)
		counts[status]++
		switch number := at(p, "Patch", "KbNumber"); {
		case number == newest.KB() && status != "EXPLICIT_APPROVED", number == before.KB() && status != "EXPLICIT_REJECTED":
			t.Errorf("%v is %s", number, status)
		case strings.HasPrefix(status, "EXPLICIT") == (at(p, "PatchStatus", "ApprovalDate") != nil):
			t.Errorf("approval date of %v", p)
		case status == "APPROVED" && (at(p, "PatchStatus", "ComplianceLevel") != "HIGH" || at(p, "Patch", "Classification") != "UpdateRollups"):
			t.Errorf("approved: %v", p)
		}
	}
	if counts["EXPLICIT_APPROVED"] != 1 || counts["EXPLICIT_REJECTED"] != 1 || counts["PENDING_APPROVAL"] == 0 || counts["APPROVED"] < 10 {
		t.Errorf("counts %v", counts)
	}
	windows := f.all("DescribeAvailablePatches", `{"Filters":[{"Key":"PRODUCT","Values":["WindowsServer2022"]}],"MaxResults":100}`, "Patches")
	linux := f.all("DescribeAvailablePatches", `{"Filters":[{"Key":"PRODUCT","Values":["AmazonLinux2023"]},{"Key":"CVE_ID","Values":["CVE-2025-3602"]}]}`, "Patches")
	if len(windows) < 200 || len(linux) != 2 || at(linux, 0, "Severity") != "Critical" || at(linux, 0, "KbNumber") != nil || at(windows, 0, "Severity") != nil {
		t.Errorf("%d patches of Windows, of Amazon Linux %v", len(windows), linux)
	}
	seen := map[string]bool{}
	for _, p := range windows {
		id, _ := at(p, "Id").(string)
		if seen[id] {
			t.Errorf("two patches have the id %s", id)
		}
		seen[id] = true
	}
}

func TestPropertiesOfEverySystem(t *testing.T) {
	f, _ := fixed(t)
	for os, want := range map[string]string{
		"WINDOWS PRODUCT_FAMILY": "Windows", "WINDOWS MSRC_SEVERITY": "Unspecified", "UBUNTU PRIORITY": "Extra", "SUSE CLASSIFICATION": "Yast",
		"AMAZON_LINUX_2 SEVERITY": "Medium", "MACOS PRODUCT": "macOS15", "AMAZON_LINUX_2 PRODUCT": "AmazonLinux2",
	} {
		system, property, _ := strings.Cut(os, " ")
		got := f.must("DescribePatchProperties", `{"OperatingSystem":"`+system+`","Property":"`+property+`"}`)
		if !strings.Contains(fmt.Sprint(got["Properties"]), want) {
			t.Errorf("%s: %v", os, got)
		}
	}
	f.refused("DescribePatchProperties", `{"OperatingSystem":"WINDOWS","Property":"PRIORITY"}`, "ValidationException")
}

func TestStatesAreFilteredInBothSpellings(t *testing.T) {
	f, _ := fixed(t)
	const node = `{"InstanceId":"i-00000000000000001","MaxResults":100,"Filters":[{"Key":"State","Values":["%s"]}]}`
	for camel, state := range map[string]string{"InstalledOther": "INSTALLED_OTHER", "Installed": "INSTALLED", "NotApplicable": "NOT_APPLICABLE"} {
		a := f.must("DescribeInstancePatches", fmt.Sprintf(node, camel))["Patches"].([]any)
		b := f.must("DescribeInstancePatches", fmt.Sprintf(node, state))["Patches"].([]any)
		if len(a) == 0 || len(a) != len(b) || at(a, 0, "State") != state {
			t.Errorf("%s: %d and %d", camel, len(a), len(b))
		}
	}
	f.refused("DescribeInstancePatches", `{"InstanceId":"i-00000000000000001","MaxResults":9}`, "ValidationException")
	f.refused("DescribeInstancePatches", `{"InstanceId":"i-00000000000000099"}`, "InvalidInstanceId")
	f.refused("DescribeInstancePatchStates", `{"InstanceIds":["i-00000000000000001"],"MaxResults":5}`, "ValidationException")
	f.refused("DescribeInstancePatchStates", `{"InstanceIds":["i-00000000000000001"`+strings.Repeat(`,"i-00000000000000001"`, 50)+`]}`, "ValidationException")
}

func TestASnapshotCanBeRead(t *testing.T) {
	f, _ := fixed(t)
	const node = `{"InstanceId":"i-00000000000000001","SnapshotId":"11111111-1111-4111-8111-111111111111"`
	got := f.must("GetDeployablePatchSnapshotForInstance", node+"}")
	data, ok := f.world.SnapshotFile("i-00000000000000001", "11111111-1111-4111-8111-111111111111")
	if url, _ := got["SnapshotDownloadUrl"].(string); !ok || !strings.Contains(string(data), `"AWS-AmazonLinux2023DefaultPatchBaseline"`) || !strings.HasSuffix(url, "/us-east-1/i-00000000000000001/11111111-1111-4111-8111-111111111111") {
		t.Errorf("%v: %s", got, data)
	}
	f.must("GetDeployablePatchSnapshotForInstance", node+`,"BaselineOverride":{"OperatingSystem":"AMAZON_LINUX_2023","ApprovedPatches":["kernel"]}}`)
	if data, _ = f.world.SnapshotFile("i-00000000000000001", "11111111-1111-4111-8111-111111111111"); !strings.Contains(string(data), `"ApprovedPatches":["kernel"]`) {
		t.Errorf("with another baseline: %s", data)
	}
	f.refused("GetDeployablePatchSnapshotForInstance", node+`,"BaselineOverride":{"OperatingSystem":"UBUNTU"}}`, "UnsupportedOperatingSystem")
}

func TestANodeNamedTwiceIsShownOnce(t *testing.T) {
	f, _ := fixed(t)
	id := f.world.Nodes()[0].ID
	twice := strings.Repeat(`"`+id+`",`, 30) + `"` + id + `"`
	if out := f.must("DescribeInstancePatchStates", `{"InstanceIds":[`+twice+`],"MaxResults":10}`); len(out["InstancePatchStates"].([]any)) != 1 || out["NextToken"] != nil {
		t.Errorf("got %v", out)
	}
}

func TestBaselinesAreChangedByTheirARNs(t *testing.T) {
	f, _ := fixed(t)
	id := f.must("CreatePatchBaseline", `{"Name":"ours"}`)["BaselineId"].(string)
	arn := "arn:aws:ssm:" + f.world.Region() + ":" + f.world.Account() + ":patchbaseline/" + id
	if got := f.must("UpdatePatchBaseline", `{"BaselineId":"`+arn+`","Description":"by ARN"}`); got["BaselineId"] != id || got["Description"] != "by ARN" {
		t.Errorf("got %v", got)
	}
	f.must("RegisterPatchBaselineForPatchGroup", `{"BaselineId":"`+arn+`","PatchGroup":"web"}`)
	f.refused("DeletePatchBaseline", `{"BaselineId":"`+arn+`"}`, "ResourceInUseException")
	f.must("DeregisterPatchBaselineForPatchGroup", `{"BaselineId":"`+arn+`","PatchGroup":"web"}`)
	f.must("DeletePatchBaseline", `{"BaselineId":"`+arn+`"}`)
	f.refused("GetPatchBaseline", `{"BaselineId":"`+id+`"}`, "DoesNotExistException")
	f.must("DeletePatchBaseline", `{"BaselineId":"`+id+`"}`) // nothing to delete is no error
	theirs := f.must("GetDefaultPatchBaseline", `{"OperatingSystem":"SUSE"}`)["BaselineId"].(string)
	f.refused("DeletePatchBaseline", `{"BaselineId":"`+theirs+`"}`, "ValidationException")
	f.refused("UpdatePatchBaseline", `{"BaselineId":"`+theirs+`","Name":"mine"}`, "ValidationException")
}
