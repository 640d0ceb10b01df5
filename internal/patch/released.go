package patch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// filterValues is the most values of one filter (API reference,
// PatchOrchestratorFilter).
const filterValues = 20

// Released adds to tallies by patch when each was released, as far as
// DescribeAvailablePatches tells: of the updates of Windows, and of packages of
// systems whose products it knows, which the API reference says are those of Amazon
// Linux. It returns how many are not told.
func (s *Service) Released(ctx context.Context, tallies []Tally, nodes []NodePatches) (untold int, err error) {
	kbs, packages := map[string]bool{}, map[string]map[string]bool{} // the latter by system
	for _, n := range nodes {
		for _, p := range n.Patches {
			if n.Row.Platform == "windows" {
				kbs[p.ID] = true
				continue
			}
			if packages[n.Row.System] == nil {
				packages[n.Row.System] = map[string]bool{}
			}
			packages[n.Row.System][packageName(p.ID)] = true
		}
	}
	filter := func(key string, values ...string) types.PatchOrchestratorFilter {
		return types.PatchOrchestratorFilter{Key: aws.String(key), Values: values}
	}
	var questions [][]types.PatchOrchestratorFilter
	// The reference writes numbers with KB in front; without it they are found, too.
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(kbs)), filterValues/2) {
		for _, id := range ids {
			ids = append(ids, strings.TrimPrefix(id, "KB"))
		}
		questions = append(questions, []types.PatchOrchestratorFilter{filter("PATCH_ID", ids...)})
	}
	for _, system := range slices.Sorted(maps.Keys(packages)) {
		products := productsOf(system)
		if len(products) == 0 {
			continue
		}
		for names := range slices.Chunk(slices.Sorted(maps.Keys(packages[system])), filterValues) {
			questions = append(questions, []types.PatchOrchestratorFilter{filter("PRODUCT", products...), filter("NAME", names...)})
		}
	}
	var mu sync.Mutex
	released := map[string]time.Time{}
	err = awsapi.Parallel(ctx, len(questions), func(ctx context.Context, i int) error {
		for p, err := range s.available(ctx, questions[i]) {
			switch kind := fault.KindOf(err); {
			case err == nil:
			case kind == fault.Usage: // a product that the service does not know
				return nil
			default:
				return err
			}
			mu.Lock()
			for _, key := range availableKeys(p) {
				released[key] = aws.ToTime(p.ReleaseDate)
			}
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for i := range tallies {
		t := &tallies[i]
		if at := released[t.Title]; !at.IsZero() {
			t.Released = at
		} else if t.Released = released[t.Key]; t.Released.IsZero() {
			untold++
		}
	}
	return untold, nil
}

func (s *Service) available(ctx context.Context, filters []types.PatchOrchestratorFilter) func(func(types.Patch, error) bool) {
	return awsapi.Pages("read when patches were released", func(token *string) ([]types.Patch, *string, error) {
		out, err := s.api.DescribeAvailablePatches(ctx, &ssm.DescribeAvailablePatchesInput{Filters: filters, MaxResults: aws.Int32(pageSize), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Patches, out.NextToken, nil
	}, func(p types.Patch) types.Patch { return p })
}

// availableKeys are what an available patch may be called on nodes: of an update of
// Windows its KB number, of a package name.arch:epoch:version-release, without the
// architecture on Debian and Ubuntu.
func availableKeys(p types.Patch) []string {
	if kb := aws.ToString(p.KbNumber); kb != "" {
		return []string{"KB" + strings.TrimPrefix(kb, "KB")}
	}
	name, version := aws.ToString(p.Name), aws.ToString(p.Version)
	if release := aws.ToString(p.Release); release != "" {
		version += "-" + release
	}
	return []string{
		fmt.Sprintf("%s.%s:%d:%s", name, aws.ToString(p.Arch), p.Epoch, version), fmt.Sprintf("%s:%d:%s", name, p.Epoch, version),
		fmt.Sprintf("%s.%s:%s", name, aws.ToString(p.Arch), version), fmt.Sprintf("%s:%s", name, version),
	}
}

// products begin the names of products, by the names of systems as agents report
// them; the version follows (API reference, DescribePatchProperties).
var products = []struct{ system, product string }{
	{"amazon linux", "AmazonLinux"},
	{"ubuntu", "Ubuntu"},
	{"red hat enterprise linux", "RedhatEnterpriseLinux"},
	{"centos", "CentOS"},
	{"oracle linux", "OracleLinux"},
	{"debian", "Debian"},
	{"rocky linux", "RockyLinux"},
	{"almalinux", "AlmaLinux"},
	{"suse", "Suse"},
	{"sles", "Suse"},
}

// productsOf are the names that the product of a system may have: with the whole
// version, and with its first number. "Amazon Linux 2" is AmazonLinux2 and, in the
// examples of the reference, AmazonLinux2.0.
func productsOf(system string) []string {
	fields := strings.Fields(system)
	if len(fields) == 0 {
		return nil
	}
	version := fields[len(fields)-1]
	major, _, _ := strings.Cut(version, ".")
	for _, p := range products {
		if strings.HasPrefix(strings.ToLower(system), p.system) {
			return slices.Compact([]string{p.product + version, p.product + major, p.product + major + ".0"})
		}
	}
	return nil
}
