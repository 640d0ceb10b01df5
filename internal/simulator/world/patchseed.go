package world

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// BaselineSpec is a patch baseline of the account.
type BaselineSpec struct {
	ID          string            `yaml:"id"` // pb-…; random when absent
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	OS          string            `yaml:"os"` // WINDOWS, AMAZON_LINUX_2023, …
	Groups      []string          `yaml:"groups"`
	Default     bool              `yaml:"default"`
	Tags        map[string]string `yaml:"tags"`
	// Rules are those of the service's own baseline when the key is absent.
	Rules []BaselineRuleSpec `yaml:"rules"`
	// Global filters, by their keys in small letters: {classification: [Security]}.
	Global              map[string][]string `yaml:"global"`
	Approved            []string            `yaml:"approved"`
	ApprovedLevel       string              `yaml:"approved_level"`
	ApprovedNonSecurity bool                `yaml:"approved_non_security"`
	Rejected            []string            `yaml:"rejected"`
	Block               bool                `yaml:"block"`                   // RejectedPatchesAction BLOCK
	AvailableBad        bool                `yaml:"available_non_compliant"` // AvailableSecurityUpdatesComplianceStatus
}

// BaselineRuleSpec is an approval rule: values by the property they are of, and
// when what has them is approved.
type BaselineRuleSpec struct {
	Product        []string `yaml:"product"`
	Family         []string `yaml:"family"`
	Set            []string `yaml:"set"` // OS, APPLICATION
	Classification []string `yaml:"classification"`
	Severity       []string `yaml:"severity"` // the priority on Debian's kin
	Section        []string `yaml:"section"`
	Days           int      `yaml:"days"`
	Until          string   `yaml:"until"` // YYYY-MM-DD
	Level          string   `yaml:"level"` // CRITICAL, HIGH, …
	NonSecurity    bool     `yaml:"non_security"`
}

// rule is the rule for a system.
func (s BaselineRuleSpec) rule(os string) (r patches.Rule, err error) {
	r = patches.Rule{Days: s.Days, Level: s.Level, NonSecurity: s.NonSecurity}
	for _, f := range []patches.Filter{
		{Key: "PATCH_SET", Values: s.Set},
		{Key: "PRODUCT", Values: s.Product},
		{Key: "PRODUCT_FAMILY", Values: s.Family},
		{Key: "CLASSIFICATION", Values: s.Classification},
		{Key: patches.SeverityKey(os), Values: s.Severity},
		{Key: "SECTION", Values: s.Section},
	} {
		if len(f.Values) > 0 {
			r.Filters = append(r.Filters, f)
		}
	}
	if s.Until != "" {
		if r.Until, err = time.Parse(time.DateOnly, s.Until); err != nil {
			return r, fmt.Errorf("until: %q is not a date such as 2026-06-30", s.Until)
		}
	}
	return r, nil
}

// baselineNames are the keys of filters by those of scenarios.
var baselineNames = map[string]string{
	"set": "PATCH_SET", "product": "PRODUCT", "family": "PRODUCT_FAMILY", "classification": "CLASSIFICATION", "msrc_severity": "MSRC_SEVERITY",
	"severity": "SEVERITY", "priority": "PRIORITY", "section": "SECTION",
}

func (w *World) seedBaseline(t *Tables, s BaselineSpec) {
	id, made := s.ID, w.now().Add(-seedAge)
	if id == "" {
		id = NewHexID("pb-", 17)
	}
	r := NewBaseline(s.OS)
	maps.Copy(r, Record{
		"BaselineId": id, "Name": s.Name, "CreatedDate": made, "ModifiedDate": made, tagsMember: maps.Clone(s.Tags),
		"ApprovedPatches": anyList(s.Approved), "RejectedPatches": anyList(s.Rejected), "ApprovedPatchesEnableNonSecurity": s.ApprovedNonSecurity,
		"ApprovedPatchesComplianceLevel": levelOr(s.ApprovedLevel),
	})
	if s.Description != "" {
		r["Description"] = s.Description
	}
	if s.Block {
		r["RejectedPatchesAction"] = "BLOCK"
	}
	if s.AvailableBad {
		r["AvailableSecurityUpdatesComplianceStatus"] = "NON_COMPLIANT"
	}
	var rules []patches.Rule
	for _, rs := range s.Rules {
		rule, _ := rs.rule(s.OS) // the scenario is checked
		rules = append(rules, rule)
	}
	if s.Rules == nil {
		all := patches.PredefinedBaselines()
		rules = all[slices.IndexFunc(all, func(p patches.Predefined) bool { return p.System == s.OS })].Rules
	}
	r["ApprovalRules"] = Record{"PatchRules": rulesRecord(rules)}
	global := []any{}
	for _, key := range slices.Sorted(maps.Keys(s.Global)) {
		global = append(global, Record{"Key": baselineNames[key], "Values": anyList(s.Global[key])})
	}
	r["GlobalFilters"] = Record{"PatchFilters": global}
	w.PutBaseline(t, id, r)
	for _, g := range s.Groups {
		key := s.OS + " " + g
		t.Put(KindPatchGroup, key, Record{"BaselineId": id, "PatchGroup": g, "OperatingSystem": s.OS, "key": key})
	}
	if s.Default {
		t.Put(KindDefaultBaseline, s.OS, Record{"BaselineId": id})
	}
}

// baselines checks those of the scenario.
func (c *checker) baselines() {
	for i := range c.sc.Baselines {
		s := &c.sc.Baselines[i]
		c.match(at("baselines", i, "name"), s.Name, `[a-zA-Z0-9_.-]{3,128}`)
		c.match(at("baselines", i, "id"), s.ID, `(pb-[0-9a-f]{17})?`)
		c.oneOf(at("baselines", i, "os"), s.OS, patches.Systems()...)
		c.oneOf(at("baselines", i, "approved_level"), s.ApprovedLevel, append([]string{""}, PatchLevels...)...)
		c.baselinePlaces(i)
		for _, key := range slices.Sorted(maps.Keys(s.Global)) {
			if baselineNames[key] == "" {
				c.failf(at("baselines", i, "global"), "global: %q is not one of set, product, family, classification, severity, msrc_severity, priority, section", key)
			} else if err := patches.CheckFilter(s.OS, patches.Filter{Key: baselineNames[key], Values: s.Global[key]}); err != nil {
				c.failf(at("baselines", i, "global", key), "%v", err)
			}
		}
		for k, rs := range s.Rules {
			path := at("baselines", i, "rules", k)
			rule, err := rs.rule(s.OS)
			if err != nil {
				c.failf(append(path, "until"), "%v", err)
			}
			for _, f := range rule.Filters {
				if err := patches.CheckFilter(s.OS, f); err != nil {
					c.failf(path, "%v", err)
				}
			}
			if rs.Until != "" && rs.Days != 0 {
				c.failf(append(path, "until"), "until and days exclude each other")
			}
			if len(rule.Filters) == 0 {
				c.failf(path, "a rule needs a product, classification, severity or the like")
			}
			if rs.Days < 0 || rs.Days > 360 {
				c.failf(append(path, "days"), "days: %d is not from 0 to 360", rs.Days)
			}
			c.oneOf(append(path, "level"), rs.Level, append([]string{""}, PatchLevels...)...)
		}
	}
}

// baselinePlaces refuses a baseline in the place of another: with its id, the
// default of its system or that of its group.
func (c *checker) baselinePlaces(i int) {
	s := c.sc.Baselines[i]
	for _, other := range c.sc.Baselines[:i] {
		if s.ID != "" && s.ID == other.ID {
			c.failf(at("baselines", i, "id"), "id: %s is there twice", s.ID)
		}
		if s.OS != other.OS {
			continue
		}
		if s.Default && other.Default {
			c.failf(at("baselines", i, "default"), "default: %s is that of %s already", other.Name, s.OS)
		}
		for _, group := range s.Groups {
			if slices.Contains(other.Groups, group) {
				c.failf(at("baselines", i, "groups"), "groups: %s has the baseline %s already", group, other.Name)
			}
		}
	}
}
