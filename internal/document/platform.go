package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// namedNodes is how many nodes an error names before it only counts.
const namedNodes = 5

// CheckPlatforms returns a Usage error naming the nodes on whose platform doc
// does not run. A document without platforms runs anywhere, and a node whose
// platform is not known is left to the service.
func CheckPlatforms(doc Document, nodes []fleet.Node) error {
	if len(doc.Platforms) == 0 {
		return nil
	}
	var unfit []string
	for _, n := range nodes {
		if n.Platform != "" && !slices.Contains(doc.Platforms, strings.ToLower(n.Platform)) {
			unfit = append(unfit, fmt.Sprintf("%s (%s)", n.ID, n.Platform))
		}
	}
	if len(unfit) == 0 {
		return nil
	}
	named := strings.Join(unfit[:min(len(unfit), namedNodes)], ", ")
	if more := len(unfit) - namedNodes; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	return fault.Usagef("document %s runs on %s, not on %s", doc.Name, strings.Join(doc.Platforms, ", "), named).
		WithHint("leave those nodes out with --filter, or name another document with --document")
}
