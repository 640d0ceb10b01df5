package patch

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// sweepPage is the most of one page of ListComplianceItems (API reference).
const sweepPage = 50

// sweep reads the non-compliant patches of all nodes of the account, page after page,
// and returns those of the needed nodes of which it found as many as their rows
// count. It gives up when it has cost as many pages as asking the nodes would cost
// calls, and when the service tells no CVEs here and they are wanted; then, as
// without the right to it, what it has not found is left to others.
func (s *Service) sweep(ctx context.Context, needed map[string]Row, w Wanted, budget int) (map[string][]Patch, int, error) {
	n := &net{needed: needed, wanted: w, found: map[string][]Patch{}, blank: map[string]bool{}}
	for items, err := range s.compliance(ctx) {
		switch kind := fault.KindOf(err); {
		case err == nil:
		case ctx.Err() == nil && (kind == fault.Auth || kind == fault.Usage):
			return n.whole(), n.pages, nil
		default:
			return nil, n.pages, err
		}
		if n.take(items) || n.pages >= budget {
			break
		}
		if w.Seen != nil {
			w.Seen(len(n.found), len(needed))
		}
	}
	return n.whole(), n.pages, nil
}

// compliance pages through the non-compliant patches of all nodes.
func (s *Service) compliance(ctx context.Context) iter.Seq2[[]types.ComplianceItem, error] {
	equal := func(key, value string) types.ComplianceStringFilter {
		return types.ComplianceStringFilter{Key: aws.String(key), Values: []string{value}, Type: types.ComplianceQueryOperatorTypeEqual}
	}
	filters := []types.ComplianceStringFilter{equal("ComplianceType", "Patch"), equal("Status", string(types.ComplianceStatusNonCompliant))}
	return awsapi.Pages("read the compliance of patches", func(token *string) ([][]types.ComplianceItem, *string, error) {
		out, err := s.api.ListComplianceItems(ctx, &ssm.ListComplianceItemsInput{Filters: filters, MaxResults: aws.Int32(sweepPage), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return [][]types.ComplianceItem{out.ComplianceItems}, out.NextToken, nil
	}, func(page []types.ComplianceItem) []types.ComplianceItem { return page })
}

// net holds what a sweep has caught.
type net struct {
	needed map[string]Row
	wanted Wanted

	found map[string][]Patch
	blank map[string]bool // nodes with a patch whose CVEs are not told
	told  bool            // CVEs were told of some patch
	pages int
}

// take keeps what is on a page, and reports whether going on is of no use: CVEs are
// wanted, and the service tells none here.
func (n *net) take(items []types.ComplianceItem) (useless bool) {
	n.pages++
	for _, item := range items {
		id := aws.ToString(item.ResourceId)
		if _, ok := n.needed[id]; !ok || aws.ToString(item.ComplianceType) != "Patch" {
			continue
		}
		p, told := itemPatch(item)
		if !slices.Contains(n.wanted.States, p.State) {
			continue
		}
		n.found[id] = append(n.found[id], p)
		n.told = n.told || told
		if !told && (p.State == Missing || p.State == Failed) {
			n.blank[id] = true
		}
	}
	return n.wanted.CVEs && !n.told && len(n.blank) > 0
}

// whole returns the nodes of which everything wanted was found.
func (n *net) whole() map[string][]Patch {
	for id, patches := range n.found {
		if n.wanted.CVEs && n.blank[id] || !n.wanted.agrees(n.needed[id], patches) {
			delete(n.found, id)
		}
	}
	return n.found
}

// itemPatch is the patch of a compliance item; told says whether its CVEs are
// known, also that there are none. The names of the details are those of the
// inventory type AWS:ComplianceItem.
func itemPatch(item types.ComplianceItem) (p Patch, told bool) {
	list, told := item.Details["CVEIds"]
	p = Patch{
		ID: aws.ToString(item.Id), Title: aws.ToString(item.Title), Classification: item.Details["Classification"],
		Severity: item.Details["PatchSeverity"], State: itemState(item.Details["PatchState"]), CVEs: cves(list),
	}
	told = told || !p.mayName()
	if p.ID == p.Title { // of packages name.arch:epoch:version; DescribeInstancePatches says name.arch
		p.ID, _, _ = strings.Cut(p.ID, ":")
	}
	return p, told
}

// itemState reads a state as compliance items write it: InstalledPendingReboot, or
// INSTALLED_PENDING_REBOOT.
func itemState(text string) State {
	for _, s := range States {
		if strings.EqualFold(strings.ReplaceAll(string(s), "_", ""), strings.ReplaceAll(text, "_", "")) {
			return s
		}
	}
	return State(text)
}
