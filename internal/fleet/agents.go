package fleet

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/terms"
)

// CompareVersions orders two agent versions; one that is no version is the
// oldest.
func CompareVersions(a, b string) int {
	return terms.CompareVersions(a, b)
}

// IsVersion reports whether s is a version as agents have it.
func IsVersion(s string) bool {
	_, ok := terms.ParseVersion(s)
	return ok
}

// NewestAgent returns the newest agent version among nodes, "" when none has one.
func NewestAgent(nodes []Node) string {
	newest := ""
	for _, n := range nodes {
		if IsVersion(n.AgentVersion) && (newest == "" || CompareVersions(n.AgentVersion, newest) > 0) {
			newest = n.AgentVersion
		}
	}
	return newest
}

// IsLatest asks the service whether an agent version that some node has is the
// newest there is. known is false when it does not say: it does for Linux only.
// It costs one call, whatever the size of the fleet.
func (s *Service) IsLatest(ctx context.Context, version string) (latest, known bool, err error) {
	page, _, err := s.informationPage(ctx, []types.InstanceInformationStringFilter{
		{Key: aws.String("AgentVersion"), Values: []string{version}},
		{Key: aws.String("PlatformTypes"), Values: []string{"Linux"}},
	}, nil)
	if err != nil {
		if withheld(err) {
			return false, false, nil
		}
		return false, false, awsapi.Explain("ask for the newest agent", err)
	}
	i := slices.IndexFunc(page, func(n Node) bool { return n.AgentLatest != nil })
	if i < 0 {
		return false, false, nil
	}
	return *page[i].AgentLatest, true, nil
}
