package world

import (
	"maps"
	"slices"
	"strings"
	"time"
)

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
		w.rememberBaselines(t)
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
	c.baselines()
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
