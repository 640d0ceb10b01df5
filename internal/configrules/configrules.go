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
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

//go:generate go tool mockgen -source=configrules.go -destination=mock_api_test.go -package=configrules

// Identifier is the managed rule about patch compliance, and Resource the type of
// what it evaluates: one for every node that was scanned (AWS Config Developer Guide,
// "ec2-managedinstance-patch-compliance-status-check").
const (
	Identifier = "EC2_MANAGEDINSTANCE_PATCH_COMPLIANCE_STATUS_CHECK"
	Resource   = "AWS::SSM::PatchCompliance"

	detailsPage = 100 // of GetComplianceDetailsByConfigRule; 10 without Limit
	maxName     = 64  // of the operations that read compliance
)

// api is what is needed of *configservice.Client.
type api interface {
	DescribeConfigRules(context.Context, *configservice.DescribeConfigRulesInput, ...func(*configservice.Options)) (*configservice.DescribeConfigRulesOutput, error)
	GetComplianceDetailsByConfigRule(context.Context, *configservice.GetComplianceDetailsByConfigRuleInput, ...func(*configservice.Options)) (*configservice.GetComplianceDetailsByConfigRuleOutput, error)
	DescribeComplianceByConfigRule(context.Context, *configservice.DescribeComplianceByConfigRuleInput, ...func(*configservice.Options)) (*configservice.DescribeComplianceByConfigRuleOutput, error)
	PutConfigRule(context.Context, *configservice.PutConfigRuleInput, ...func(*configservice.Options)) (*configservice.PutConfigRuleOutput, error)
	DeleteConfigRule(context.Context, *configservice.DeleteConfigRuleInput, ...func(*configservice.Options)) (*configservice.DeleteConfigRuleOutput, error)
}

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
type Service struct{ api api }

// New returns a Service for the account of cfg.
func New(cfg aws.Config) *Service { return &Service{configservice.NewFromConfig(cfg)} }

var names = pattern.Lazy(`^[A-Za-z0-9_-]+$`)

// CheckName refuses a name of a rule that Config would refuse, or whose compliance
// could not be read.
func CheckName(name string) error {
	if len(name) > maxName || !names().MatchString(name) {
		return fault.Usagef("%q is not a name of a rule of AWS Config", name).WithHint("use up to %d letters, digits, - and _", maxName)
	}
	return nil
}

func ruleOf(r types.ConfigRule) Rule {
	out := Rule{Name: aws.ToString(r.ConfigRuleName), State: string(r.ConfigRuleState), ARN: aws.ToString(r.ConfigRuleArn)}
	if r.Source != nil {
		out.Source = aws.ToString(r.Source.SourceIdentifier)
	}
	return out
}

// Rules lists the rules about patch compliance.
func (s *Service) Rules(ctx context.Context) ([]Rule, error) {
	var list []Rule
	for r, err := range awsapi.Pages("list the rules of AWS Config", func(token *string) ([]types.ConfigRule, *string, error) {
		out, err := s.api.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{NextToken: token})
		if err != nil {
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
	out, err := s.api.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{name}})
	if err != nil {
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
	out, err := s.api.DescribeComplianceByConfigRule(ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{rule}})
	if err != nil {
		return "", awsapi.Explain("read the compliance of the rule "+rule, err)
	}
	for _, c := range out.ComplianceByConfigRules {
		if c.Compliance != nil {
			return string(c.Compliance.ComplianceType), nil
		}
	}
	return string(types.ComplianceTypeInsufficientData), nil
}

// Verdicts are what a rule says of the nodes.
func (s *Service) Verdicts(ctx context.Context, rule string) ([]Verdict, error) {
	var list []Verdict
	for v, err := range awsapi.Pages("read what the rule "+rule+" says", func(token *string) ([]types.EvaluationResult, *string, error) {
		out, err := s.api.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{
			ConfigRuleName: aws.String(rule), Limit: detailsPage, NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.EvaluationResults, out.NextToken, nil
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

func verdictOf(r types.EvaluationResult) Verdict {
	v := Verdict{Type: string(r.ComplianceType), Recorded: aws.ToTime(r.ResultRecordedTime)}
	if r.EvaluationResultIdentifier != nil && r.EvaluationResultIdentifier.EvaluationResultQualifier != nil {
		// AWS::SSM::ManagedInstanceInventory/i-0123456789abcdef0
		id := aws.ToString(r.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId)
		v.Node = id[strings.LastIndexByte(id, '/')+1:]
	}
	return v
}

// Put makes the managed rule under a name, or leaves it as it is.
func (s *Service) Put(ctx context.Context, name string) error {
	_, err := s.api.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{
		ConfigRuleName: aws.String(name), Description: aws.String("Managed nodes are as their patch baseline wants them."),
		Scope:  &types.Scope{ComplianceResourceTypes: []string{Resource}},
		Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String(Identifier)},
	}})
	if err == nil {
		return nil
	}
	var recorder *types.NoAvailableConfigurationRecorderException
	if errors.As(err, &recorder) {
		return fault.New(fault.Failed, "make the rule "+name, "AWS Config records nothing in this Region").
			WithHint("set up a configuration recorder for %s first: the console of AWS Config does it, and it costs per recorded item", Resource)
	}
	return awsapi.Explain("make the rule "+name, err)
}

// Delete deletes a rule and what it has found.
func (s *Service) Delete(ctx context.Context, name string) error {
	if _, err := s.api.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: aws.String(name)}); err != nil {
		return awsapi.Explain("delete the rule "+name, err)
	}
	return nil
}
