package world

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// BaselineSpec is a patch baseline of the account.
type BaselineSpec struct {
	Name    string   `yaml:"name"`
	OS      string   `yaml:"os"` // WINDOWS, AMAZON_LINUX_2023, …
	Groups  []string `yaml:"groups"`
	Default bool     `yaml:"default"`
}

// AssociationSpec is a State Manager association.
type AssociationSpec struct {
	Name       string              `yaml:"name"`
	Document   string              `yaml:"document"`
	Schedule   string              `yaml:"schedule"`
	Nodes      []string            `yaml:"nodes"`
	Targets    map[string]string   `yaml:"targets"` // tags
	Parameters map[string][]string `yaml:"parameters"`
}

// OpsItemSpec is an OpsItem.
type OpsItemSpec struct {
	Title       string            `yaml:"title"`
	Description string            `yaml:"description"`
	Source      string            `yaml:"source"`   // EC2
	Priority    int               `yaml:"priority"` // 1 to 5; 3
	Severity    string            `yaml:"severity"` // 1 to 4; 3
	Category    string            `yaml:"category"`
	Status      string            `yaml:"status"` // Open
	Tags        map[string]string `yaml:"tags"`
}

// seedAge is how long before the start the resources of a scenario were made.
const seedAge = 30 * 24 * time.Hour

// addRecords makes the resources of the scenario that are records.
func (w *World) addRecords() error {
	return w.Tables(func(t *Tables) error {
		for _, s := range w.sc.Windows {
			w.seedWindow(t, s)
		}
		for _, s := range w.sc.Baselines {
			w.seedBaseline(t, s)
		}
		for _, s := range w.sc.Associations {
			w.seedAssociation(t, s)
		}
		for _, s := range w.sc.OpsItems {
			w.seedOpsItem(t, s)
		}
		return nil
	})
}

// anyList is texts as they are in decoded requests.
func anyList(texts []string) []any {
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	return list
}

// seedTargets are the targets of nodes and tags as the API has them.
func seedTargets(nodes []string, tags map[string]string) []any {
	var list []any
	if len(nodes) > 0 {
		list = append(list, Record{"Key": "InstanceIds", "Values": anyList(nodes)})
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, Record{"Key": "tag:" + key, "Values": []any{tags[key]}})
	}
	return list
}

func (w *World) seedBaseline(t *Tables, s BaselineSpec) {
	id, made := NewHexID("pb-", 17), w.now().Add(-seedAge)
	t.Put(KindBaseline, id, Record{
		"BaselineId": id, "Name": s.Name, "OperatingSystem": s.OS, "CreatedDate": made, "ModifiedDate": made,
		"ApprovalRules": Record{"PatchRules": []any{}}, "GlobalFilters": Record{"PatchFilters": []any{}}, "ApprovedPatches": []any{},
		"RejectedPatches": []any{}, "Sources": []any{}, "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
		"ApprovedPatchesComplianceLevel": "UNSPECIFIED", "ApprovedPatchesEnableNonSecurity": false,
	})
	for _, g := range s.Groups {
		key := s.OS + " " + g
		t.Put(KindPatchGroup, key, Record{"BaselineId": id, "PatchGroup": g, "OperatingSystem": s.OS, "key": key})
	}
	if s.Default {
		t.Put(KindDefaultBaseline, s.OS, Record{"BaselineId": id})
	}
}

func (w *World) seedAssociation(t *Tables, s AssociationSpec) {
	id, made := newUUID(), w.now().Add(-seedAge)
	parameters := Record{}
	for name, values := range s.Parameters {
		parameters[name] = anyList(values)
	}
	r := Record{
		"AssociationId": id, "AssociationVersion": "1", "AssociationName": s.Name, "Name": s.Document, "DocumentVersion": "$DEFAULT",
		"ScheduleExpression": s.Schedule, "Targets": seedTargets(s.Nodes, s.Targets), "Parameters": parameters, "CreatedDate": made,
		"Date": made, "LastUpdateAssociationDate": made, "Overview": Record{"Status": statusPending, "DetailedStatus": "Associated"},
	}
	t.Put(KindAssociation, id, r)
	t.Put(KindAssociationVersion, id+" 1", r)
}

func (w *World) seedOpsItem(t *Tables, s OpsItemSpec) {
	id, made, by := NewHexID("oi-", 12), w.now().Add(-seedAge), "arn:aws:iam::"+w.sc.Account+":user/scenario"
	t.Put(KindOpsItem, id, Record{
		"OpsItemId": id, "OpsItemArn": w.ARN("ssm", "opsitem/"+id), "OpsItemType": "/aws/issue", "Title": s.Title, "Description": s.Description,
		"Source": s.Source, "Priority": s.Priority, "Severity": s.Severity, "Category": s.Category, "Status": s.Status, "Version": "1",
		"CreatedBy": by, "CreatedTime": made, "LastModifiedBy": by, "LastModifiedTime": made, tagsMember: maps.Clone(s.Tags),
	})
}

// records checks the resources that are records.
func (c *checker) records() {
	c.windows()
	for i := range c.sc.Baselines {
		s := &c.sc.Baselines[i]
		c.match(at("baselines", i, "name"), s.Name, `[a-zA-Z0-9_.-]{3,128}`)
		c.oneOf(at("baselines", i, "os"), s.OS, "WINDOWS", "AMAZON_LINUX", "AMAZON_LINUX_2", "AMAZON_LINUX_2022", "AMAZON_LINUX_2023", "UBUNTU",
			"REDHAT_ENTERPRISE_LINUX", "SUSE", "CENTOS", "ORACLE_LINUX", "DEBIAN", "MACOS", "RASPBIAN", "ROCKY_LINUX", "ALMA_LINUX")
	}
	for i := range c.sc.Associations {
		s := &c.sc.Associations[i]
		c.match(at("associations", i, "document"), s.Document, `[a-zA-Z0-9_.-]{3,128}`)
		if len(s.Nodes)+len(s.Targets) == 0 {
			c.failf(at("associations", i), "an association needs nodes or targets")
		}
		if s.Schedule != "" {
			c.schedule(at("associations", i, "schedule"), s.Schedule, "")
		}
	}
	for i := range c.sc.OpsItems {
		s := &c.sc.OpsItems[i]
		if strings.TrimSpace(s.Title) == "" {
			c.failf(at("opsitems", i), "an OpsItem needs a title")
		}
		fill(&s.Description, s.Title)
		fill(&s.Source, "EC2")
		fill(&s.Severity, "3")
		fill(&s.Status, "Open")
		if s.Priority == 0 {
			s.Priority = 3
		}
		if s.Priority < 1 || s.Priority > 5 {
			c.failf(at("opsitems", i, "priority"), "priority: %d is not from 1 to 5", s.Priority)
		}
		c.oneOf(at("opsitems", i, "status"), s.Status, "Open", "InProgress", "Resolved")
	}
}

func (c *checker) schedule(path []any, expression, zone string) {
	if _, err := ParseSchedule(expression, zone); err != nil {
		c.failf(path, "schedule: %v", err)
	}
}
