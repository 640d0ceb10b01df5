package doctor

import (
	"cmp"
	"strconv"
	"strings"
)

// The first agent versions that can do something (user guide of Systems Manager
// and release notes of the agent).
const (
	firstSession     = "2.3.68.0"
	firstPort        = "2.3.672.0"
	firstRemoteHost  = "3.1.1374.0"
	firstDefaultHost = "3.2.582.0"
	// From here on agents use ec2messages only until ssmmessages has worked.
	firstWithoutMessages = "3.3.40.0"
)

// older reports whether an agent version, known or not, is below another.
func older(version, than string) bool {
	if version == "" {
		return false
	}
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range max(len(a), len(b)) {
		if c := cmp.Compare(part(a, i), part(b, i)); c != 0 {
			return c < 0
		}
	}
	return false
}

func part(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, _ := strconv.Atoi(parts[i]) // what is no number counts as 0
	return n
}
