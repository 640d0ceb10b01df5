// Package compliance knows what nodes comply with: patches, associations, and types
// of one's own. The service counts what was last reported; nothing of it is looked at
// again when it is read.
package compliance

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// The statuses of items and nodes (API reference, ComplianceItem). Updates of Windows
// that are not applicable have none.
const (
	Compliant    = "COMPLIANT"
	NonCompliant = "NON_COMPLIANT"
)

// The types of the service; those of one's own begin with Custom.
const (
	Patch       = "Patch"
	Association = "Association"
	Custom      = "Custom:"
)

// Severities are those of items, the worst first (API reference).
var Severities = []string{"CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED"}

// severityRank is where a severity stands; unknown ones stand last.
func severityRank(s string) int {
	if i := slices.Index(Severities, s); i >= 0 {
		return i
	}
	return len(Severities)
}

// Counts are numbers by severity. The JSON names are part of the output contract.
type Counts struct {
	Critical      int `json:"critical"`
	High          int `json:"high"`
	Medium        int `json:"medium"`
	Low           int `json:"low"`
	Informational int `json:"informational"`
	Unspecified   int `json:"unspecified"`
}

func countsOf(s *types.SeveritySummary) Counts {
	if s == nil {
		return Counts{}
	}
	return Counts{
		int(s.CriticalCount), int(s.HighCount), int(s.MediumCount), int(s.LowCount), int(s.InformationalCount), int(s.UnspecifiedCount),
	}
}

// TypeSummary counts the nodes that comply with a type, and those that do not, by
// their worst severity. The JSON names are part of the output contract.
type TypeSummary struct {
	Type         string `json:"type"`
	Compliant    int    `json:"compliant"` // nodes
	NonCompliant int    `json:"noncompliant"`
	Severities   Counts `json:"noncompliant_severities"`
}

// NodeSummary counts the items of one type of a node. The JSON names are part of the
// output contract.
type NodeSummary struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"` // for the caller to fill in
	Type   string `json:"type"`
	Status string `json:"status"` // COMPLIANT, NON_COMPLIANT
	// Severity is the worst of the items that do not comply.
	Severity     string    `json:"severity"`
	Compliant    int       `json:"compliant"` // items
	NonCompliant int       `json:"noncompliant"`
	Severities   Counts    `json:"noncompliant_severities"`
	Executed     time.Time `json:"executed,omitzero"` // when that was found
}

// Item is one thing that a node complies with or not. The JSON names are part of the
// output contract.
type Item struct {
	Node          string            `json:"node_id"`
	Type          string            `json:"type"`
	ID            string            `json:"id"`
	Title         string            `json:"title"`
	Status        string            `json:"status"` // COMPLIANT, NON_COMPLIANT, or nothing
	Severity      string            `json:"severity"`
	Executed      time.Time         `json:"executed,omitzero"`
	ExecutionType string            `json:"execution_type,omitempty"`
	ExecutionID   string            `json:"execution_id,omitempty"`
	Details       map[string]string `json:"details,omitempty"`
	// Reason is why an association does not comply, where the service says it.
	Reason string `json:"reason,omitempty"`
}

// Service reads and reports compliance in one account and Region. It keeps nothing.
type Service struct{ api api }

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{client} }

// pageSize is the most of one page of these lists (API reference).
const pageSize int32 = 50

// Filter narrows a list. Empty fields do not.
type Filter struct {
	Type     string // Patch, Association, Custom:…
	Status   string // COMPLIANT, NON_COMPLIANT
	Severity string // of items; of nodes the worst
}

// filters are f for the service, which calls the severity of a node its overall one.
func (f Filter) filters(severity string) (out []types.ComplianceStringFilter) {
	for _, p := range [][2]string{{"ComplianceType", f.Type}, {"Status", f.Status}, {severity, f.Severity}} {
		if p[1] != "" {
			out = append(out, types.ComplianceStringFilter{Key: aws.String(p[0]), Values: []string{p[1]}, Type: types.ComplianceQueryOperatorTypeEqual})
		}
	}
	return out
}

// Types counts nodes by type.
func (s *Service) Types(ctx context.Context) iter.Seq2[TypeSummary, error] {
	return awsapi.Pages("count compliance by type", func(token *string) ([]types.ComplianceSummaryItem, *string, error) {
		out, err := s.api.ListComplianceSummaries(ctx, &ssm.ListComplianceSummariesInput{MaxResults: aws.Int32(pageSize), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.ComplianceSummaryItems, out.NextToken, nil
	}, func(i types.ComplianceSummaryItem) TypeSummary {
		t := TypeSummary{Type: aws.ToString(i.ComplianceType)}
		if c := i.CompliantSummary; c != nil {
			t.Compliant = int(c.CompliantCount)
		}
		if c := i.NonCompliantSummary; c != nil {
			t.NonCompliant, t.Severities = int(c.NonCompliantCount), countsOf(c.SeveritySummary)
		}
		return t
	})
}

// Nodes counts the items of nodes, one summary for each node and type. Nodes that
// have reported nothing are not among them; some that are no longer managed are.
func (s *Service) Nodes(ctx context.Context, f Filter) iter.Seq2[NodeSummary, error] {
	return awsapi.Pages("list the compliance of nodes", func(token *string) ([]types.ResourceComplianceSummaryItem, *string, error) {
		out, err := s.api.ListResourceComplianceSummaries(ctx, &ssm.ListResourceComplianceSummariesInput{
			Filters: f.filters("OverallSeverity"), MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.ResourceComplianceSummaryItems, out.NextToken, nil
	}, nodeSummary)
}

func nodeSummary(i types.ResourceComplianceSummaryItem) NodeSummary {
	n := NodeSummary{
		ID: aws.ToString(i.ResourceId), Type: aws.ToString(i.ComplianceType), Status: string(i.Status), Severity: string(i.OverallSeverity),
	}
	if c := i.CompliantSummary; c != nil {
		n.Compliant = int(c.CompliantCount)
	}
	if c := i.NonCompliantSummary; c != nil {
		n.NonCompliant, n.Severities = int(c.NonCompliantCount), countsOf(c.SeveritySummary)
	}
	if e := i.ExecutionSummary; e != nil {
		n.Executed = aws.ToTime(e.ExecutionTime)
	}
	return n
}

// CompareNodes orders summaries from the worst on: non-compliant ones by severity and
// number of items, then by name, id and type.
func CompareNodes(a, b NodeSummary) int {
	return cmp.Or(statusRank(a.Status)-statusRank(b.Status), severityRank(a.Severity)-severityRank(b.Severity),
		cmp.Compare(b.Severities.Critical, a.Severities.Critical), cmp.Compare(b.NonCompliant, a.NonCompliant),
		strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID), strings.Compare(a.Type, b.Type))
}

func statusRank(status string) int {
	return slices.Index([]string{NonCompliant, "", Compliant}, status)
}

// Items lists the items of a node.
func (s *Service) Items(ctx context.Context, node string, f Filter) iter.Seq2[Item, error] {
	return awsapi.Pages("list the compliance of "+node, func(token *string) ([]types.ComplianceItem, *string, error) {
		out, err := s.api.ListComplianceItems(ctx, &ssm.ListComplianceItemsInput{
			ResourceIds: []string{node}, ResourceTypes: []string{managedInstance}, Filters: f.filters("Severity"), MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.ComplianceItems, out.NextToken, nil
	}, itemOf)
}

// managedInstance is the one type of resource that there is (API reference).
const managedInstance = "ManagedInstance"

func itemOf(i types.ComplianceItem) Item {
	item := Item{
		Node: aws.ToString(i.ResourceId), Type: aws.ToString(i.ComplianceType), ID: aws.ToString(i.Id), Title: aws.ToString(i.Title),
		Status: string(i.Status), Severity: string(i.Severity), Details: i.Details,
	}
	if e := i.ExecutionSummary; e != nil {
		item.Executed, item.ExecutionType, item.ExecutionID = aws.ToTime(e.ExecutionTime), aws.ToString(e.ExecutionType), aws.ToString(e.ExecutionId)
	}
	return item
}

// CompareItems orders items from the worst on: those that do not comply by severity,
// then by type, title and id.
func CompareItems(a, b Item) int {
	return cmp.Or(statusRank(a.Status)-statusRank(b.Status), severityRank(a.Severity)-severityRank(b.Severity),
		strings.Compare(a.Type, b.Type), strings.Compare(a.Title, b.Title), strings.Compare(a.ID, b.ID))
}

// Explain adds to items of associations that do not comply why: what the service says
// of their last execution on the node. Nothing is asked where there is none.
func (s *Service) Explain(ctx context.Context, node string, items []Item) error {
	open := map[string]int{}
	for i, item := range items {
		if item.Type == Association && item.Status != Compliant {
			open[item.ID] = i
		}
	}
	if len(open) == 0 {
		return nil
	}
	for a, err := range awsapi.Pages("read the associations of "+node, func(token *string) ([]types.InstanceAssociationStatusInfo, *string, error) {
		out, err := s.api.DescribeInstanceAssociationsStatus(ctx, &ssm.DescribeInstanceAssociationsStatusInput{
			InstanceId: aws.String(node), MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.InstanceAssociationStatusInfos, out.NextToken, nil
	}, func(a types.InstanceAssociationStatusInfo) types.InstanceAssociationStatusInfo { return a }) {
		if err != nil {
			return err
		}
		i, ok := open[aws.ToString(a.AssociationId)]
		if !ok {
			continue
		}
		items[i].Reason = reason(a)
		if items[i].Title == "" {
			items[i].Title = cmp.Or(aws.ToString(a.AssociationName), aws.ToString(a.Name))
		}
	}
	return nil
}

// reason is what is said of an execution: "Failed: 1 out of 1 plugin processed, 0
// success, 1 failed".
func reason(a types.InstanceAssociationStatusInfo) string {
	var parts []string
	for _, p := range []*string{a.Status, a.DetailedStatus, a.ErrorCode, a.ExecutionSummary} {
		if text := strings.TrimSpace(aws.ToString(p)); text != "" && !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ": ")
}
