package control

import (
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// AWS Config, public API model 2014-11-12: rules, and how one of them sees the
// patching of the nodes. There is always a recorder.
const (
	configTarget  = "StarlingDoveService"
	configService = "config"

	// patchRule is the managed rule about patch compliance, and patchResource the
	// type of what it evaluates: one for every node that was ever scanned.
	patchRule     = "EC2_MANAGEDINSTANCE_PATCH_COMPLIANCE_STATUS_CHECK"
	patchResource = "AWS::SSM::PatchCompliance"

	configRulePage    = 25
	configDetailsPage = 100
)

const (
	configGood    = "COMPLIANT"
	configBad     = "NON_COMPLIANT"
	configUnknown = "INSUFFICIENT_DATA"
)

// recordedFor is recorded for another service than Systems Manager.
func recordedFor(service string, run func(c *call, t *world.Tables, in request) (any, error)) operation {
	o := recorded(run)
	o.service = service
	return o
}

func configOperations() map[string]operation {
	return map[string]operation{
		"PutConfigRule":                    recordedFor(configService, (*call).putConfigRule),
		"DescribeConfigRules":              recordedFor(configService, (*call).describeConfigRules),
		"DeleteConfigRule":                 recordedFor(configService, (*call).deleteConfigRule),
		"DescribeComplianceByConfigRule":   recordedFor(configService, (*call).describeComplianceByConfigRule),
		"GetComplianceDetailsByConfigRule": recordedFor(configService, (*call).getComplianceDetailsByConfigRule),
	}
}

func badConfig(format string, args ...any) error {
	return world.Errorf("InvalidParameterValueException", format, args...)
}

func noConfigRule(name string) error {
	return world.Errorf("NoSuchConfigRuleException", "The ConfigRule '%s' provided in the request is invalid. Please check the configRule name.", name)
}

func (c *call) putConfigRule(t *world.Tables, in request) (any, error) {
	rule := in.object("ConfigRule")
	source := rule.object("Source")
	name := rule.text("ConfigRuleName")
	switch {
	case strings.TrimSpace(name) == "" || len(name) > 128:
		return nil, badConfig("The ConfigRule name must have between 1 and 128 characters.")
	case source.text("Owner") != "AWS":
		return nil, badConfig("The source owner %s is not simulated.", source.text("Owner"))
	case source.text("SourceIdentifier") == "":
		return nil, badConfig("The sourceIdentifier must not be empty.")
	case !ruleNames().MatchString(source.text("SourceIdentifier")):
		return nil, badConfig("The sourceIdentifier %s is invalid. Please refer to the documentation for a list of valid sourceIdentifiers that can be used when AWS is the Owner.", source.text("SourceIdentifier"))
	case source.text("SourceIdentifier") == patchRule && rule.text("MaximumExecutionFrequency") != "":
		return nil, badConfig("A MaximumExecutionFrequency is not allowed, because only resource-based triggers are allowed for this AWS-managed Config Rule %s.", patchRule)
	}
	record := rule.take("ConfigRuleName", "Description", "Scope", "Source", "InputParameters")
	record["ConfigRuleState"] = "ACTIVE"
	if old, ok := t.Get(world.KindConfigRule, name); ok {
		record["ConfigRuleId"], record["ConfigRuleArn"] = old["ConfigRuleId"], old["ConfigRuleArn"]
	} else {
		id := world.NewHexID("config-rule-", 6)
		record["ConfigRuleId"], record["ConfigRuleArn"] = id, c.world.ARN("config", "config-rule/"+id)
	}
	t.Put(world.KindConfigRule, name, record)
	return empty(), nil
}

var ruleNames = pattern.Lazy(`^[A-Z0-9_]+$`)

// configRules returns the rules that are named, all without names.
func (c *call) configRules(t *world.Tables, names []string) ([]world.Record, error) {
	if len(names) == 0 {
		return t.All(world.KindConfigRule), nil
	}
	var list []world.Record
	for _, name := range names {
		r, ok := t.Get(world.KindConfigRule, name)
		if !ok {
			return nil, noConfigRule(name)
		}
		list = append(list, r)
	}
	return list, nil
}

func (c *call) configPage(op, member string, records []world.Record, in request, size int) (any, error) {
	records, token, err := page(c, op, records, func(r world.Record) string { return textOf(r, "key") }, in.text("NextToken"), &size, size)
	if err != nil {
		return nil, world.Errorf("InvalidNextTokenException", "The specified next token is not valid.")
	}
	list := []any{}
	for _, r := range records {
		shown := with(r, nil)
		delete(shown, "key")
		list = append(list, wireTimes(shown))
	}
	out := world.Record{member: list}
	if token != "" {
		out["NextToken"] = token
	}
	return out, nil
}

// wireTimes writes times as JSON 1.1 has them.
func wireTimes(r world.Record) any { return jsonTimes(r) }

func (c *call) describeConfigRules(t *world.Tables, in request) (any, error) {
	rules, err := c.configRules(t, in.texts("ConfigRuleNames"))
	if err != nil {
		return nil, err
	}
	var list []world.Record
	for _, r := range rules {
		list = append(list, with(r, world.Record{"key": r["ConfigRuleName"]}))
	}
	return c.configPage("DescribeConfigRules", "ConfigRules", list, in, configRulePage)
}

func (c *call) deleteConfigRule(t *world.Tables, in request) (any, error) {
	name := in.text("ConfigRuleName")
	if !t.Delete(world.KindConfigRule, name) {
		return nil, noConfigRule(name)
	}
	return empty(), nil
}

// evaluations are what a rule says about the nodes: of the rule about patching,
// that a node is compliant when no patch is missing, failed, rejected or waiting
// for a reboot; of others nothing.
func (c *call) evaluations(rule world.Record) []world.Record {
	source, _ := rule["Source"].(map[string]any)
	if source["SourceIdentifier"] != patchRule {
		return nil
	}
	var list []world.Record
	for _, n := range c.world.Nodes() {
		s := c.world.PatchState(n.ID)
		if s.Operation == "" {
			continue // never scanned: there is nothing that Config could have recorded
		}
		verdict := configGood
		if s.NonCompliant() > 0 {
			verdict = configBad
		}
		id := "AWS::SSM::ManagedInstanceInventory/" + n.ID
		list = append(list, world.Record{
			"key": id, "ComplianceType": verdict, "ResultRecordedTime": s.End.Add(time.Minute), "ConfigRuleInvokedTime": s.End.Add(time.Minute),
			"EvaluationResultIdentifier": map[string]any{
				"EvaluationResultQualifier": map[string]any{"ConfigRuleName": rule["ConfigRuleName"], "ResourceType": patchResource, "ResourceId": id, "EvaluationMode": "DETECTIVE"},
				"OrderingTimestamp":         s.End,
			},
		})
	}
	return list
}

func (c *call) describeComplianceByConfigRule(t *world.Tables, in request) (any, error) {
	rules, err := c.configRules(t, in.texts("ConfigRuleNames"))
	if err != nil {
		return nil, err
	}
	var list []world.Record
	for _, r := range rules {
		bad := 0
		all := c.evaluations(r)
		for _, e := range all {
			if e["ComplianceType"] == configBad {
				bad++
			}
		}
		compliance := map[string]any{"ComplianceType": configGood}
		switch {
		case len(all) == 0:
			compliance["ComplianceType"] = configUnknown
		case bad > 0:
			compliance["ComplianceType"] = configBad
			compliance["ComplianceContributorCount"] = map[string]any{"CappedCount": min(bad, 25), "CapExceeded": bad > 25}
		}
		if types := in.texts("ComplianceTypes"); len(types) > 0 && !slices.Contains(types, compliance["ComplianceType"].(string)) {
			continue
		}
		list = append(list, world.Record{"key": r["ConfigRuleName"], "ConfigRuleName": r["ConfigRuleName"], "Compliance": compliance})
	}
	return c.configPage("DescribeComplianceByConfigRule", "ComplianceByConfigRules", list, in, configRulePage)
}

func (c *call) getComplianceDetailsByConfigRule(t *world.Tables, in request) (any, error) {
	rule, ok := t.Get(world.KindConfigRule, in.text("ConfigRuleName"))
	if !ok {
		return nil, noConfigRule(in.text("ConfigRuleName"))
	}
	list := c.evaluations(rule)
	if types := in.texts("ComplianceTypes"); len(types) > 0 {
		list = keep(list, func(r world.Record) bool { return slices.Contains(types, textOf(r, "ComplianceType")) })
	}
	size := in.number("Limit", 10) // the service's default
	if size < 0 || size > configDetailsPage {
		return nil, badConfig("The Limit must be between 0 and %d.", configDetailsPage)
	}
	if size == 0 {
		size = 10
	}
	return c.configPage("GetComplianceDetailsByConfigRule", "EvaluationResults", list, in, size)
}
