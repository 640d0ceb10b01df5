// Package configrules knows the rules of AWS Config that watch patching, and what
// they say of nodes. Config records what Systems Manager reports after each scan, so
// the two can differ: Config is late, does not record the type, or still has what a
// node was before.
package configrules

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Identifier is the managed rule about patch compliance, and Resource the type of
// what it evaluates: one for every node that was scanned (AWS Config Developer Guide,
// "ec2-managedinstance-patch-compliance-status-check").
const (
	Identifier = "EC2_MANAGEDINSTANCE_PATCH_COMPLIANCE_STATUS_CHECK"
	Resource   = "AWS::SSM::PatchCompliance"

	detailsPage = 100 // of GetComplianceDetailsByConfigRule; 10 without Limit
	maxName     = 64  // of the operations that read compliance
)

// service is AWS Config (public API model 2014-11-12).
var service = awsapi.JSONService{ID: "Config Service", Signing: "config", Target: "StarlingDoveService"}

// caller sends operations; *awsapi.JSONClient does.
type caller interface {
	Call(ctx context.Context, operation string, in, out any) error
}

// The parts of requests and answers that are needed, by their names in the API.
type (
	rulesIn struct {
		ConfigRuleNames []string `json:",omitempty"`
		NextToken       *string  `json:",omitempty"`
	}
	rulesOut struct {
		ConfigRules []configRule
		NextToken   *string
	}
	configRule struct {
		ConfigRuleName  string
		ConfigRuleArn   string                                      `json:",omitempty"`
		ConfigRuleState string                                      `json:",omitempty"`
		Description     string                                      `json:",omitempty"`
		Scope           *struct{ ComplianceResourceTypes []string } `json:",omitempty"`
		Source          struct{ Owner, SourceIdentifier string }
	}
	complianceOut struct {
		ComplianceByConfigRules []struct {
			Compliance struct{ ComplianceType string }
		}
	}
	detailsIn struct {
		ConfigRuleName string
		Limit          int
		NextToken      *string `json:",omitempty"`
	}
	detailsOut struct {
		EvaluationResults []evaluation
		NextToken         *string
	}
	evaluation struct {
		ComplianceType             string
		ResultRecordedTime         float64 // seconds since 1970
		EvaluationResultIdentifier struct {
			EvaluationResultQualifier struct {
				ResourceID string `json:"ResourceId"`
			}
		}
	}
	putIn  struct{ ConfigRule configRule }
	nameIn struct{ ConfigRuleName string }
)

// Rule is a rule of AWS Config.
type Rule struct {
	Name   string
	State  string // ACTIVE, EVALUATING, DELETING, …
	Source string // what it is: an identifier of a managed rule, or an ARN
	ARN    string
}

// Ours reports whether the rule is the managed one about patch compliance.
func (r Rule) Ours() bool { return r.Source == Identifier }

// Verdict is what a rule says of a node.
type Verdict struct {
	Node     string
	Type     string    // COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, INSUFFICIENT_DATA
	Recorded time.Time // when Config wrote it down
}

// Service works in one account and Region. It keeps nothing.
type Service struct{ api caller }

// New returns a Service for the account of cfg.
func New(cfg aws.Config) *Service { return &Service{awsapi.NewJSON(cfg, service)} }

var names = pattern.Lazy(`^[A-Za-z0-9_-]+$`)

// CheckName refuses a name of a rule that Config would refuse, or whose compliance
// could not be read.
func CheckName(name string) error {
	if len(name) > maxName || !names().MatchString(name) {
		return fault.Usagef("%q is not a name of a rule of AWS Config", name).WithHint("use up to %d letters, digits, - and _", maxName)
	}
	return nil
}

func ruleOf(r configRule) Rule {
	return Rule{Name: r.ConfigRuleName, State: r.ConfigRuleState, ARN: r.ConfigRuleArn, Source: r.Source.SourceIdentifier}
}

// Rules lists the rules about patch compliance.
func (s *Service) Rules(ctx context.Context) ([]Rule, error) {
	var list []Rule
	for r, err := range awsapi.Pages("list the rules of AWS Config", func(token *string) ([]configRule, *string, error) {
		var out rulesOut
		if err := s.api.Call(ctx, "DescribeConfigRules", &rulesIn{NextToken: token}, &out); err != nil {
			return nil, nil, err
		}
		return out.ConfigRules, out.NextToken, nil
	}, ruleOf) {
		if err != nil {
			return nil, err
		}
		if r.Ours() {
			list = append(list, r)
		}
	}
	return list, nil
}

// Find returns the rule of a name; found is false when there is none.
func (s *Service) Find(ctx context.Context, name string) (r Rule, found bool, err error) {
	var out rulesOut
	if err := s.api.Call(ctx, "DescribeConfigRules", &rulesIn{ConfigRuleNames: []string{name}}, &out); err != nil {
		if err = awsapi.Explain("look for the rule "+name, err); fault.KindOf(err) == fault.NotFound {
			return r, false, nil
		}
		return r, false, err
	}
	if len(out.ConfigRules) == 0 {
		return r, false, nil
	}
	return ruleOf(out.ConfigRules[0]), true, nil
}

// Compliance is what a rule says as a whole: COMPLIANT, NON_COMPLIANT, …
func (s *Service) Compliance(ctx context.Context, rule string) (string, error) {
	var out complianceOut
	if err := s.api.Call(ctx, "DescribeComplianceByConfigRule", &rulesIn{ConfigRuleNames: []string{rule}}, &out); err != nil {
		return "", awsapi.Explain("read the compliance of the rule "+rule, err)
	}
	for _, c := range out.ComplianceByConfigRules {
		return c.Compliance.ComplianceType, nil
	}
	return "INSUFFICIENT_DATA", nil
}

// Verdicts are what a rule says of the nodes.
func (s *Service) Verdicts(ctx context.Context, rule string) ([]Verdict, error) {
	var list []Verdict
	for v, err := range awsapi.Pages("read what the rule "+rule+" says", func(token *string) ([]evaluation, *string, error) {
		var out detailsOut
		err := s.api.Call(ctx, "GetComplianceDetailsByConfigRule", &detailsIn{ConfigRuleName: rule, Limit: detailsPage, NextToken: token}, &out)
		return out.EvaluationResults, out.NextToken, err
	}, verdictOf) {
		if err != nil {
			return nil, err
		}
		if v.Node != "" {
			list = append(list, v)
		}
	}
	return list, nil
}

func verdictOf(e evaluation) Verdict {
	v := Verdict{Type: e.ComplianceType, Recorded: time.UnixMilli(int64(e.ResultRecordedTime * 1000)).UTC()}
	// AWS::SSM::ManagedInstanceInventory/i-0123456789abcdef0
	id := e.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceID
	v.Node = id[strings.LastIndexByte(id, '/')+1:]
	return v
}

// Put makes the managed rule under a name, or leaves it as it is.
func (s *Service) Put(ctx context.Context, name string) error {
	rule := configRule{
		ConfigRuleName: name, Description: "Managed nodes are as their patch baseline wants them.",
		Scope: &struct{ ComplianceResourceTypes []string }{[]string{Resource}},
	}
	rule.Source.Owner, rule.Source.SourceIdentifier = "AWS", Identifier
	err := s.api.Call(ctx, "PutConfigRule", &putIn{rule}, nil)
	if err == nil {
		return nil
	}
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "NoAvailableConfigurationRecorderException" {
		return fault.New(fault.Failed, "make the rule "+name, "AWS Config records nothing in this Region").
			WithHint("set up a configuration recorder for %s first: the console of AWS Config does it, and it costs per recorded item", Resource)
	}
	return awsapi.Explain("make the rule "+name, err)
}

// Delete deletes a rule and what it has found.
func (s *Service) Delete(ctx context.Context, name string) error {
	if err := s.api.Call(ctx, "DeleteConfigRule", &nameIn{name}, nil); err != nil {
		return awsapi.Explain("delete the rule "+name, err)
	}
	return nil
}
