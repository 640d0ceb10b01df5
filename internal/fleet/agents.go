package fleet

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

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
	first, _, _ := strings.Cut(s, ".")
	_, err := strconv.ParseUint(first, 10, 64)
	return err == nil
}

// Linux is the platform of whose agents the service says whether they are the newest.
const Linux = "linux"

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

// Agents is what is known of agent versions, by platform: agents of Linux, Windows and
// macOS are released apart. A node is behind when its agent is older than the newest
// one of its platform in the fleet, or when the service says that there is a newer one.
type Agents struct {
	newest map[string]string
	news   AgentNews
}

// AgentNews are, by platform, the newest agents of which the service says that there
// is a newer one. It says so of single nodes, and of Linux alone. The zero value knows
// of none.
type AgentNews struct {
	outdated map[string]string
	gen      uint64
}

// Gen changes with what is known.
func (a *AgentNews) Gen() uint64 { return a.gen }

// Learn takes what the service says of a node; true when that is news.
func (a *AgentNews) Learn(n Node) bool {
	had := a.outdated[n.Platform]
	if n.AgentLatest == nil || *n.AgentLatest || !IsVersion(n.AgentVersion) || had != "" && CompareVersions(n.AgentVersion, had) <= 0 {
		return false
	}
	outdated := maps.Clone(a.outdated) // others read the old one
	if outdated == nil {
		outdated = map[string]string{}
	}
	outdated[n.Platform] = n.AgentVersion
	a.outdated, a.gen = outdated, a.gen+1
	return true
}

// release is an agent as a platform has it.
type release struct{ platform, version string }

// AgentsOf finds the newest agents among nodes. A fleet has few versions, and each is
// compared once.
func AgentsOf(nodes iter.Seq[*Node], news AgentNews) Agents {
	a := Agents{newest: map[string]string{}, news: news}
	seen, last := map[release]bool{}, release{}
	for n := range nodes {
		r := release{n.Platform, n.AgentVersion}
		if r == last || seen[r] {
			continue
		}
		seen[r], last = true, r
		if had := a.newest[r.platform]; IsVersion(r.version) && (had == "" || CompareVersions(r.version, had) > 0) {
			a.newest[r.platform] = r.version
		}
	}
	return a
}

// Newest is the newest agent of a platform in the fleet, "" when none is known.
func (a Agents) Newest(platform string) string { return a.newest[platform] }

// All are the newest agents by platform, in the order of the platforms' names.
func (a Agents) All() iter.Seq2[string, string] {
	return func(yield func(platform, version string) bool) {
		for _, p := range slices.Sorted(maps.Keys(a.newest)) {
			if !yield(p, a.newest[p]) {
				return
			}
		}
	}
}

// Only is the version that all agents not behind have at least, where one says it all:
// there is one platform, and no newer agent elsewhere; else "".
func (a Agents) Only() (version string) {
	if len(a.newest) == 1 && len(a.news.outdated) == 0 {
		for _, version = range a.newest {
		}
	}
	return version
}

// Known reports whether the agent of any node is known.
func (a Agents) Known() bool { return len(a.newest) > 0 }

// Behind reports whether there is a newer agent than the node's. One whose version is
// not known is not behind.
func (a Agents) Behind(n *Node) bool {
	if n.AgentLatest != nil && !*n.AgentLatest {
		return true
	}
	newest, outdated := a.newest[n.Platform], a.news.outdated[n.Platform]
	switch {
	case n.AgentVersion == newest && outdated == "" || !IsVersion(n.AgentVersion): // nearly all
		return false
	case newest != "" && CompareVersions(n.AgentVersion, newest) < 0:
		return true
	}
	return outdated != "" && CompareVersions(n.AgentVersion, outdated) <= 0
}

// Filter fits the nodes that are behind, or else those that are not and whose version
// is known: an expression as ParseFilter takes it.
func (a Agents) Filter(behind bool) string {
	var platforms, each []string
	for platform, newest := range a.All() {
		term := "agent>=" + newest
		if behind {
			term = "agent<" + newest
		}
		if old := a.news.outdated[platform]; old != "" && CompareVersions(old, newest) >= 0 {
			term = "agent>" + old
			if behind {
				term = "agent<=" + old
			}
		}
		platforms, each = append(platforms, platform), append(each, term)
	}
	if len(slices.Compact(slices.Clone(each))) == 1 { // so that what is typed behind it narrows all of it
		return each[0]
	}
	for i, platform := range platforms {
		if platform == "" {
			each[i] = "!platform~. " + each[i]
		} else {
			each[i] = "platform=" + platform + " " + each[i]
		}
	}
	return strings.Join(each, " | ")
}
