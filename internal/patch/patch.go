// Package patch knows what Patch Manager found on nodes: the patches of a node,
// and reports over many nodes. The counts of a node are its fleet.PatchState, read
// with the fleet; each scan or installation overwrites what the last one found.
package patch

import (
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

// State is what a patch is on a node (API reference, PatchComplianceData).
type State string

// The states. Missing, Failed, InstalledRejected and InstalledPendingReboot make a
// node non-compliant (User Guide, "Understanding patch compliance state values").
const (
	Installed               State = "INSTALLED"
	InstalledOther          State = "INSTALLED_OTHER"
	InstalledPendingReboot  State = "INSTALLED_PENDING_REBOOT"
	InstalledRejected       State = "INSTALLED_REJECTED"
	Missing                 State = "MISSING"
	NotApplicable           State = "NOT_APPLICABLE"
	Failed                  State = "FAILED"
	AvailableSecurityUpdate State = "AVAILABLE_SECURITY_UPDATE"
)

// Wrong are the states in which a patch is not as it should be, the worst first.
var Wrong = []State{Failed, Missing, InstalledRejected, InstalledPendingReboot}

// States are all of them, the worst first.
var States = append(slices.Clone(Wrong), AvailableSecurityUpdate, Installed, InstalledOther, NotApplicable)

// Patch is one patch as one node has it or lacks it.
type Patch struct {
	ID             string    `json:"id"` // KB number, or package and architecture
	Title          string    `json:"title"`
	Classification string    `json:"classification,omitempty"`
	Severity       string    `json:"severity,omitempty"` // in the words of the system's maker
	State          State     `json:"state"`
	CVEs           []string  `json:"cves,omitempty"`
	Installed      time.Time `json:"installed,omitzero"`
}

// Service reads patches in one account and Region. It keeps nothing.
type Service struct{ api api }

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{client} }

// pageSize is the most of one page of DescribeInstancePatches (API reference).
const pageSize int32 = 100

// OfNode lists the patches of a node, only those in states when there are any.
func (s *Service) OfNode(ctx context.Context, node string, states ...State) iter.Seq2[Patch, error] {
	var filters []types.PatchOrchestratorFilter
	if len(states) > 0 {
		f := types.PatchOrchestratorFilter{Key: aws.String("State")}
		for _, st := range states {
			f.Values = append(f.Values, apiState(st))
		}
		filters = append(filters, f)
	}
	return awsapi.Pages("read the patches of "+node, func(token *string) ([]types.PatchComplianceData, *string, error) {
		out, err := s.api.DescribeInstancePatches(ctx, &ssm.DescribeInstancePatchesInput{
			InstanceId: aws.String(node), Filters: filters, MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Patches, out.NextToken, nil
	}, patchOf)
}

// apiState is how filters of DescribeInstancePatches write a state: InstalledOther
// (API reference, "State").
func apiState(s State) string {
	var b strings.Builder
	for word := range strings.SplitSeq(string(s), "_") {
		b.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return b.String()
}

// cves splits a list of CVEs: "CVE-2026-1234,CVE-2026-1235".
func cves(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
}

func patchOf(p types.PatchComplianceData) Patch {
	out := Patch{
		ID: aws.ToString(p.KBId), Title: aws.ToString(p.Title), Classification: aws.ToString(p.Classification), Severity: aws.ToString(p.Severity),
		State: State(p.State), CVEs: cves(aws.ToString(p.CVEIds)),
	}
	// The service's word for never is the beginning of time.
	if at := aws.ToTime(p.InstalledTime); at.Unix() > 0 {
		out.Installed = at
	}
	return out
}
