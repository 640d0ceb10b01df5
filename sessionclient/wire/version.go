package wire

import (
	"strconv"
	"strings"
)

// Version gates: what the other end can do is known only from its version, and
// both ends decide independently. The numbers are those of the reference
// programs, and so is the way of comparing: client and agent differ in it.
const (
	gatePorts         = "2.3.672.0"
	gateTerminateFlag = "2.3.722.0"
	gateMux           = "3.0.196.0"
	gateNoKeepAlive   = "3.1.1511.0"

	agentGateMux         = "1.1.70"
	agentGateNoKeepAlive = "1.2.331.0"
	agentGateNoHint      = "1.2.295"
)

// SupportsPorts reports whether the agent knows sessions that carry a port, SSH
// among them.
func SupportsPorts(agent string) bool { return agent == gatePorts || newer(agent, gatePorts) }

// SupportsTerminateFlag reports whether the agent obeys the TerminateSession flag.
func SupportsTerminateFlag(agent string) bool { return newer(agent, gateTerminateFlag) }

// SupportsMux reports whether the agent multiplexes forwarded connections.
func SupportsMux(agent string) bool { return newer(agent, gateMux) }

// DisablesKeepAlive reports whether the agent runs its multiplexer without
// keep-alives; the client must do the same.
func DisablesKeepAlive(agent string) bool { return newer(agent, gateNoKeepAlive) }

// AgentUsesMux reports whether an agent multiplexes the connections of a client
// that calls itself that version, if the document asks for it at all.
func AgentUsesMux(client string) bool { return compare(client, agentGateMux) >= 0 }

// AgentDisablesKeepAlive reports whether an agent switches the keep-alives of
// its multiplexer off for a client that calls itself that version.
func AgentDisablesKeepAlive(client string) bool { return compare(client, agentGateNoKeepAlive) > 0 }

// AgentHintsUpdate reports whether an agent that separates the output streams of
// a command tells a client that calls itself that version to update.
func AgentHintsUpdate(client string) bool { return compare(client, agentGateNoHint) <= 0 }

// newer reports whether version a is strictly above b, part by part. A version
// that does not have as many parts as b, or a part that is not a number and is
// reached before the two differ, is never newer: so does the reference client.
func newer(a, b string) bool {
	if strings.Count(a, ".") != strings.Count(b, ".") {
		return false
	}
	for more := true; more; {
		var pa, pb string
		pa, a, more = strings.Cut(a, ".")
		pb, b, _ = strings.Cut(b, ".")
		na, err := strconv.ParseUint(pa, 10, 32)
		if err != nil {
			return false
		}
		nb, err := strconv.ParseUint(pb, 10, 32)
		if err != nil {
			return false
		}
		if na != nb {
			return na > nb
		}
	}
	return false
}

// compare orders versions as the agent does: by the rules of semantic versions
// when both are such, else part by part, as numbers where both are, as text
// elsewhere; when one is the beginning of the other, the longer one is higher.
func compare(a, b string) int {
	if sa, ok := parseSemantic(a); ok {
		if sb, ok := parseSemantic(b); ok {
			return sa.compare(sb)
		}
	}
	for {
		pa, restA, moreA := strings.Cut(a, ".")
		pb, restB, moreB := strings.Cut(b, ".")
		a, b = restA, restB
		if c := comparePart(pa, pb); c != 0 {
			return c
		}
		switch {
		case !moreA && !moreB:
			return 0
		case !moreA:
			return -1
		case !moreB:
			return 1
		}
	}
}

func comparePart(a, b string) int {
	na, errA := strconv.Atoi(a)
	nb, errB := strconv.Atoi(b)
	if errA != nil || errB != nil {
		return strings.Compare(a, b)
	}
	return compareInt(int64(na), int64(nb))
}

func compareInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// semantic is a version of exactly three numbers. Whether it is a pre-release is
// all that is needed of its label, since no gate has one.
type semantic struct {
	numbers    [3]int64
	prerelease bool
}

func parseSemantic(s string) (v semantic, ok bool) {
	s, _, _ = strings.Cut(s, "+") // build metadata does not count
	s, _, v.prerelease = strings.Cut(s, "-")
	for i := range v.numbers {
		part, rest, more := strings.Cut(s, ".")
		if more != (i < len(v.numbers)-1) {
			return v, false
		}
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return v, false
		}
		v.numbers[i], s = n, rest
	}
	return v, true
}

func (v semantic) compare(w semantic) int {
	for i, n := range v.numbers {
		if c := compareInt(n, w.numbers[i]); c != 0 {
			return c
		}
	}
	switch {
	case v.prerelease && !w.prerelease:
		return -1
	case !v.prerelease && w.prerelease:
		return 1
	}
	return 0
}
