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
)

// filterValues is the most values of one filter (API reference,
// PatchOrchestratorFilter).
const filterValues = 20

// Released adds to tallies by patch when each was released, as far as
// DescribeAvailablePatches tells: of the updates of Windows, and of the packages of
// Amazon Linux 2 (API reference). It asks for twenty patches in a call. It returns
// how many are not told.
func (s *Service) Released(ctx context.Context, tallies []Tally, nodes []NodePatches) (untold int, err error) {
	kbs, packages := map[string]bool{}, map[string]bool{}
	for _, n := range nodes {
		for _, p := range n.Patches {
			switch {
			case n.Row.Platform == "windows":
				kbs[p.ID] = true
			case strings.HasPrefix(n.Row.System, "Amazon Linux 2") && !strings.HasPrefix(n.Row.System, "Amazon Linux 2023"):
				packages[packageName(p.ID)] = true
			}
		}
	}
	type question struct {
		filters []types.PatchOrchestratorFilter
	}
	filter := func(key string, values ...string) types.PatchOrchestratorFilter {
		return types.PatchOrchestratorFilter{Key: aws.String(key), Values: values}
	}
	var questions []question
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(kbs)), filterValues) {
		questions = append(questions, question{[]types.PatchOrchestratorFilter{filter("PATCH_ID", ids...)}})
	}
	for names := range slices.Chunk(slices.Sorted(maps.Keys(packages)), filterValues) {
		questions = append(questions, question{[]types.PatchOrchestratorFilter{filter("PRODUCT", "AmazonLinux2", "AmazonLinux2.0"), filter("NAME", names...)}})
	}
	var mu sync.Mutex
	released := map[string]time.Time{}
	err = awsapi.Parallel(ctx, len(questions), func(ctx context.Context, i int) error {
		for p, err := range s.available(ctx, questions[i].filters) {
			if err != nil {
				return err
			}
			mu.Lock()
			released[availableKey(p)] = aws.ToTime(p.ReleaseDate)
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

// availableKey is what an available patch is called on nodes: of an update of
// Windows its KB number, of a package name.arch:epoch:version-release.
func availableKey(p types.Patch) string {
	if kb := aws.ToString(p.KbNumber); kb != "" {
		return "KB" + strings.TrimPrefix(kb, "KB")
	}
	return fmt.Sprintf("%s.%s:%d:%s-%s", aws.ToString(p.Name), aws.ToString(p.Arch), p.Epoch, aws.ToString(p.Version), aws.ToString(p.Release))
}
