package baseline

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// CatalogueQuery chooses available patches by filters of DescribeAvailablePatches:
// PRODUCT, CLASSIFICATION, SEVERITY, CVE_ID, …; of Linux, PRODUCT must be there (API
// reference). Values of one key are alternatives.
type CatalogueQuery map[string][]string

// maxQueryFilters and maxQueryValues are the most that one call takes.
const (
	maxQueryFilters = 5
	maxQueryValues  = 20
)

// Available lists patches that there are to be had.
func (s *Service) Available(ctx context.Context, q CatalogueQuery) iter.Seq2[Patch, error] {
	var filters []types.PatchOrchestratorFilter
	for _, key := range slices.Sorted(maps.Keys(q)) {
		if len(q[key]) > 0 {
			filters = append(filters, filterOf(key, q[key]...))
		}
	}
	return awsapi.Pages("list available patches", func(token *string) ([]types.Patch, *string, error) {
		out, err := s.api.DescribeAvailablePatches(ctx, &ssm.DescribeAvailablePatchesInput{Filters: filters, MaxResults: aws.Int32(pageSize), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Patches, out.NextToken, nil
	}, patchOf)
}

// kbNumber writes the number as scans do: answers of the service have it with KB in
// front, and without.
func kbNumber(text string) string {
	if text != "" && strings.Trim(text, "0123456789") == "" {
		return "KB" + text
	}
	return text
}

func patchOf(p types.Patch) Patch {
	out := Patch{
		ID: kbNumber(aws.ToString(p.KbNumber)), Title: aws.ToString(p.Title), Product: aws.ToString(p.Product), Family: aws.ToString(p.ProductFamily),
		Classification: aws.ToString(p.Classification), Severity: cmp.Or(aws.ToString(p.MsrcSeverity), aws.ToString(p.Severity)),
		CVEs: p.CVEIds, Advisories: p.AdvisoryIds, Bugzilla: p.BugzillaIds, Bulletin: aws.ToString(p.MsrcNumber),
		Name: aws.ToString(p.Name), Epoch: int(p.Epoch), Version: aws.ToString(p.Version), Release: aws.ToString(p.Release), Arch: aws.ToString(p.Arch),
		Repository: aws.ToString(p.Repository), URL: aws.ToString(p.ContentUrl), Released: aws.ToTime(p.ReleaseDate).UTC(),
	}
	if out.Released.Unix() <= 0 {
		out.Released = time.Time{}
	}
	if out.ID == "" && out.Name != "" {
		out.ID = out.Name
		if out.Arch != "" {
			out.ID += "." + out.Arch
		}
	}
	out.ID = cmp.Or(out.ID, aws.ToString(p.Id), out.Title)
	return out
}

// Effective is a patch with what the service says of it under a baseline.
type Effective struct {
	Patch
	Status string    `json:"status"` // APPROVED, PENDING_APPROVAL, EXPLICIT_APPROVED, EXPLICIT_REJECTED
	Level  string    `json:"level,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// Effective lists what the service says of patches under a baseline; it does so for
// those of Windows only (API reference).
func (s *Service) Effective(ctx context.Context, id string) iter.Seq2[Effective, error] {
	return awsapi.Pages("list the effective patches of "+ShortID(id), func(token *string) ([]types.EffectivePatch, *string, error) {
		out, err := s.api.DescribeEffectivePatchesForPatchBaseline(ctx, &ssm.DescribeEffectivePatchesForPatchBaselineInput{BaselineId: aws.String(id), MaxResults: aws.Int32(pageSize), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.EffectivePatches, out.NextToken, nil
	}, func(e types.EffectivePatch) Effective {
		var out Effective
		if e.Patch != nil {
			out.Patch = patchOf(*e.Patch)
		}
		if st := e.PatchStatus; st != nil {
			out.Status, out.Level, out.At = string(st.DeploymentStatus), string(st.ComplianceLevel), aws.ToTime(st.ApprovalDate).UTC()
			if out.At.Unix() <= 0 {
				out.At = time.Time{}
			}
		}
		return out
	})
}

// HasEffective reports whether the service tells the effective patches of baselines
// for an operating system.
func HasEffective(os string) bool { return os == "WINDOWS" }

// propertiesPage is the most of one page of DescribePatchProperties.
const propertiesPage int32 = 50

// Properties lists what the service knows of a property (PRODUCT, CLASSIFICATION, …)
// of an operating system's patches, each as the fields it has. patchSet is OS,
// APPLICATION or empty.
func (s *Service) Properties(ctx context.Context, os, property, patchSet string) iter.Seq2[map[string]string, error] {
	return awsapi.Pages("list properties of patches", func(token *string) ([]map[string]string, *string, error) {
		out, err := s.api.DescribePatchProperties(ctx, &ssm.DescribePatchPropertiesInput{
			OperatingSystem: types.OperatingSystem(os), Property: types.PatchProperty(property), PatchSet: types.PatchSet(patchSet),
			MaxResults: aws.Int32(propertiesPage), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Properties, out.NextToken, nil
	}, func(m map[string]string) map[string]string { return m })
}
