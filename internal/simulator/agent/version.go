package agent

import (
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// clientMultiplexes reports whether the client can multiplex connections.
func clientMultiplexes(v string) bool { return compareVersions(v, "1.1.70") >= 0 }

// clientDisablesKeepAlive reports whether the client runs its multiplexer
// without keep-alives.
func clientDisablesKeepAlive(v string) bool { return compareVersions(v, "1.2.331.0") > 0 }

// clientSplitsOutput reports whether the client knows separate output streams.
func clientSplitsOutput(v string) bool { return compareVersions(v, "1.2.295") > 0 }

// agentKnowsPorts reports whether the agent has sessions that carry a port, SSH
// among them.
func agentKnowsPorts(v string) bool { return compareVersions(v, "2.3.672.0") >= 0 }

// agentMultiplexes and agentDisablesKeepAlive are the same gates seen from the
// other end: a simulated agent is as old as its scenario says.
func agentMultiplexes(v string) bool { return wire.SupportsMux(v) }

func agentDisablesKeepAlive(v string) bool { return wire.DisablesKeepAlive(v) }

// agentObeysTerminate reports whether the agent knows the TerminateSession flag.
func agentObeysTerminate(v string) bool { return wire.SupportsTerminateFlag(v) }

// agentChallenges reports whether the agent adds a random challenge to the
// encryption context of session keys.
func agentChallenges(v string) bool { return compareVersions(v, "3.3.808") >= 0 }

// compareVersions compares part by part: as numbers where both are, else as
// text, and a version that goes on is the newer one. That gives what the real
// agent decides for every version it was seen with, odd ones included.
func compareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		na, errA := strconv.ParseUint(as[i], 10, 64)
		nb, errB := strconv.ParseUint(bs[i], 10, 64)
		switch {
		case errA != nil || errB != nil:
			if c := strings.Compare(as[i], bs[i]); c != 0 {
				return c
			}
		case na < nb:
			return -1
		case na > nb:
			return 1
		}
	}
	return len(as) - len(bs)
}
