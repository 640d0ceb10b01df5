package accountdata

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Setting is one of the settings of Systems Manager for an account and
// Region: the API page of UpdateServiceSetting lists them.
type Setting struct {
	ID     string
	Values []string // none: any text
	Does   string
	Costs  string // which values cost money, "" for none
}

// Settings are all that the API knows, by their ids.
var Settings = []Setting{
	{ID: "/ssm/appmanager/appmanager-enabled", Values: []string{"True", "False"}, Does: "Application Manager"},
	{ID: "/ssm/automation/customer-script-log-destination", Values: []string{"CloudWatch"}, Does: "where the output of aws:executeScript goes", Costs: "CloudWatch Logs charges for what is written and kept"},
	{ID: "/ssm/automation/customer-script-log-group-name", Does: "the log group for that output", Costs: "CloudWatch Logs charges for what is written and kept"},
	{ID: "/ssm/automation/enable-adaptive-concurrency", Values: []string{"True", "False"}, Does: "more automations at once when there is room"},
	{ID: "/ssm/documents/console/public-sharing-permission", Values: []string{"Enable", "Disable"}, Does: "documents may be shared with everybody"},
	{ID: "/ssm/managed-instance/activation-tier", Values: []string{"standard", "advanced"}, Does: "tier of hybrid nodes", Costs: "advanced charges for every hybrid node and hour"},
	{ID: "/ssm/managed-instance/default-ec2-instance-management-role", Does: "role for EC2 instances without an instance profile"},
	{ID: "/ssm/opsinsights/opscenter", Values: []string{"Enabled", "Disabled"}, Does: "insights in OpsCenter", Costs: "Enabled charges for the OpsItems that are made"},
	{ID: "/ssm/parameter-store/default-parameter-tier", Values: []string{"Standard", "Advanced", "Intelligent-Tiering"}, Does: "tier of new parameters", Costs: "Advanced, and Intelligent-Tiering where it chooses that, charge for every parameter and month"},
	{ID: "/ssm/parameter-store/high-throughput-enabled", Values: []string{"true", "false"}, Does: "more calls of Parameter Store a second", Costs: "true charges for every call of Parameter Store"},
}

// SettingID is the id of a setting, which may be named by its end.
func SettingID(word string) (any, error) {
	if strings.HasPrefix(word, "/ssm/") || strings.HasPrefix(word, "arn:") {
		return word, nil
	}
	var names []string
	for _, s := range Settings {
		if strings.HasSuffix(s.ID, "/"+word) {
			return s.ID, nil
		}
		names = append(names, s.ID[strings.LastIndexByte(s.ID, '/')+1:])
	}
	err := fault.New(fault.NotFound, "", "no setting %q", word)
	if near := fault.Nearest(word, names); near != "" {
		return nil, err.WithHint("did you mean %s?", near)
	}
	return nil, err.WithHint("`ssmdeck setting list` shows them all")
}
