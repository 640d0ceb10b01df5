// Package eventrules knows the rules of Amazon EventBridge that tell a topic when a
// node stops being compliant with its patch baseline.
package eventrules

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// DetailType is what Systems Manager calls the event (User Guide, "Amazon EventBridge
// event examples for Systems Manager").
const DetailType = "Configuration Compliance State Change"

// Pattern is what our rules wait for: a node that is not compliant any more.
const Pattern = `{"source":["aws.ssm"],"detail-type":["` + DetailType + `"],"detail":{"compliance-type":["Patch"],"compliance-status":["non_compliant"]}}`

const (
	listPage   = 100 // of ListRules and ListTargetsByRule
	maxTargets = 5   // of a rule (EventBridge quotas)
)

// service is Amazon EventBridge (public API model 2015-10-07).
var service = awsapi.JSONService{ID: "EventBridge", Signing: "events", Target: "AWSEvents"}

// caller sends operations; *awsapi.JSONClient does.
type caller interface {
	Call(ctx context.Context, operation string, in, out any) error
}

// The parts of requests and answers that are needed, by their names in the API.
type (
	listIn struct {
		Rule      string `json:",omitempty"`
		Limit     int
		NextToken *string `json:",omitempty"`
	}
	rulesOut struct {
		Rules     []eventRule
		NextToken *string
	}
	eventRule struct {
		Name         string
		Description  string `json:",omitempty"`
		EventPattern string `json:",omitempty"`
		State        string `json:",omitempty"`
	}
	targetsOut struct {
		Targets   []target
		NextToken *string
	}
	target struct {
		ID  string `json:"Id"`
		Arn string
	}
	putTargetsIn struct {
		Rule    string
		Targets []target
	}
	removeIn struct {
		Rule string
		IDs  []string `json:"Ids"`
	}
	nameIn    struct{ Name string }
	failedOut struct {
		FailedEntries []struct{ TargetID, ErrorMessage string }
	}
)

// Rule is a rule of the default bus.
type Rule struct {
	Name    string
	State   string // ENABLED, DISABLED
	Pattern string
	Topics  []string // the ARNs of its targets, in their order
	ids     []string // of the targets, beside Topics
}

// Watches reports whether the rule waits for changes of compliance.
func (r Rule) Watches() bool {
	var p struct {
		Source []json.RawMessage `json:"source"`
		Detail []json.RawMessage `json:"detail-type"`
	}
	if json.Unmarshal([]byte(r.Pattern), &p) != nil {
		return false
	}
	return slices.ContainsFunc(p.Detail, func(m json.RawMessage) bool { return string(m) == `"`+DetailType+`"` })
}

// Same reports whether the rule waits for exactly Pattern.
func (r Rule) Same() bool {
	var have, want any
	if json.Unmarshal([]byte(r.Pattern), &have) != nil || json.Unmarshal([]byte(Pattern), &want) != nil {
		return false
	}
	return equal(have, want)
}

func equal(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

var names = pattern.Lazy(`^[.\-_A-Za-z0-9]{1,64}$`)

// CheckName refuses a name of a rule that EventBridge would refuse.
func CheckName(name string) error {
	if !names().MatchString(name) {
		return fault.Usagef("%q is not a name of a rule of EventBridge", name).WithHint("use up to 64 letters, digits, . - and _")
	}
	return nil
}

// Service works in one account and Region. It keeps nothing.
type Service struct{ api caller }

// New returns a Service for the account of cfg.
func New(cfg aws.Config) *Service { return &Service{awsapi.NewJSON(cfg, service)} }

// Rules lists the rules that wait for changes of compliance, with their targets.
func (s *Service) Rules(ctx context.Context) ([]Rule, error) {
	var list []Rule
	for r, err := range awsapi.Pages("list the rules of EventBridge", func(token *string) ([]eventRule, *string, error) {
		var out rulesOut
		err := s.api.Call(ctx, "ListRules", &listIn{Limit: listPage, NextToken: token}, &out)
		return out.Rules, out.NextToken, err
	}, func(r eventRule) Rule { return Rule{Name: r.Name, State: r.State, Pattern: r.EventPattern} }) {
		if err != nil {
			return nil, err
		}
		if !r.Watches() {
			continue
		}
		if err := s.targets(ctx, &r); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// Find returns the rule of a name with its targets; found is false when there is none.
func (s *Service) Find(ctx context.Context, name string) (r Rule, found bool, err error) {
	var out eventRule
	if err := s.api.Call(ctx, "DescribeRule", &nameIn{name}, &out); err != nil {
		if err = awsapi.Explain("look for the rule "+name, err); fault.KindOf(err) == fault.NotFound {
			return r, false, nil
		}
		return r, false, err
	}
	r = Rule{Name: name, State: out.State, Pattern: out.EventPattern}
	return r, true, s.targets(ctx, &r)
}

func (s *Service) targets(ctx context.Context, r *Rule) error {
	for t, err := range awsapi.Pages("list the targets of the rule "+r.Name, func(token *string) ([]target, *string, error) {
		var out targetsOut
		err := s.api.Call(ctx, "ListTargetsByRule", &listIn{Rule: r.Name, Limit: listPage, NextToken: token}, &out)
		return out.Targets, out.NextToken, err
	}, func(t target) target { return t }) {
		if err != nil {
			return err
		}
		r.Topics, r.ids = append(r.Topics, t.Arn), append(r.ids, t.ID)
	}
	return nil
}

// Put makes a rule that tells topics, or changes old, which may be the zero Rule, to
// that. Targets of old that are not among topics are taken away.
func (s *Service) Put(ctx context.Context, name string, topics []string, old Rule) error {
	op := "make the rule " + name
	if err := s.api.Call(ctx, "PutRule", &eventRule{
		Name: name, EventPattern: Pattern, State: "ENABLED", Description: "Tells when a managed node is not compliant with its patch baseline any more.",
	}, nil); err != nil {
		return awsapi.Explain(op, err)
	}
	var gone []string
	for i, arn := range old.Topics {
		if !slices.Contains(topics, arn) {
			gone = append(gone, old.ids[i])
		}
	}
	// Somebody should be told at all times: the new ones are there before the old
	// ones go, unless there is no room for both.
	crowded := len(old.ids)+len(topics) > maxTargets
	if crowded {
		if err := s.remove(ctx, name, gone); err != nil {
			return err
		}
	}
	in := &putTargetsIn{Rule: name}
	for i, arn := range topics {
		id := fmt.Sprintf("topic-%d", i+1)
		for slices.Contains(old.ids, id) { // another target has it
			id += "x"
		}
		if at := slices.Index(old.Topics, arn); at >= 0 {
			id = old.ids[at]
		}
		in.Targets = append(in.Targets, target{ID: id, Arn: arn})
	}
	var out failedOut
	if err := s.api.Call(ctx, "PutTargets", in, &out); err != nil {
		return s.undo(ctx, name, old, awsapi.Explain("give targets to the rule "+name, err))
	}
	err := failed("give targets to the rule "+name, out)
	if err != nil || crowded {
		return s.undo(ctx, name, old, err)
	}
	return s.remove(ctx, name, gone)
}

// undo deletes a new rule that could not be given targets: one that tells nobody looks
// like one that does. It returns why the rule could not be made.
func (s *Service) undo(ctx context.Context, name string, old Rule, why error) error {
	if why == nil || old.Name != "" {
		return why
	}
	if err := s.api.Call(ctx, "DeleteRule", &nameIn{name}, nil); err != nil {
		return fmt.Errorf("%w; the rule was made, tells nobody, and could not be deleted again: %w", why, awsapi.Explain("delete the rule "+name, err))
	}
	return why
}

// Delete takes the targets of a rule away, and deletes it.
func (s *Service) Delete(ctx context.Context, r Rule) error {
	if err := s.remove(ctx, r.Name, r.ids); err != nil {
		return err
	}
	if err := s.api.Call(ctx, "DeleteRule", &nameIn{r.Name}, nil); err != nil {
		return awsapi.Explain("delete the rule "+r.Name, err)
	}
	return nil
}

func (s *Service) remove(ctx context.Context, rule string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	op := "take targets from the rule " + rule
	var out failedOut
	if err := s.api.Call(ctx, "RemoveTargets", &removeIn{rule, ids}, &out); err != nil {
		return awsapi.Explain(op, err)
	}
	return failed(op, out)
}

// failed is the error of entries that an answer says have failed.
func failed(op string, out failedOut) error {
	if len(out.FailedEntries) == 0 {
		return nil
	}
	lines := make([]string, len(out.FailedEntries))
	for i, f := range out.FailedEntries {
		lines[i] = f.TargetID + ": " + f.ErrorMessage
	}
	return fault.New(fault.RemoteFailed, op, "%s", strings.Join(lines, "; "))
}
