package wire

import (
	"strconv"
	"strings"
)

// Version gates: what an agent can do is known only from its version, and both
// ends decide independently. The numbers are those of the reference client.
const (
	gateTerminateFlag = "2.3.722.0"
	gateMux           = "3.0.196.0"
	gateNoKeepAlive   = "3.1.1511.0"
)

// SupportsTerminateFlag reports whether the agent obeys the TerminateSession flag.
func SupportsTerminateFlag(agent string) bool { return newer(agent, gateTerminateFlag) }

// SupportsMux reports whether the agent multiplexes forwarded connections.
func SupportsMux(agent string) bool { return newer(agent, gateMux) }

// DisablesKeepAlive reports whether the agent runs its multiplexer without
// keep-alives; the client must do the same.
func DisablesKeepAlive(agent string) bool { return newer(agent, gateNoKeepAlive) }

// newer reports whether version a is strictly above b, part by part. A version
// that does not have four parts, or a part that is not a number and is reached
// before the two differ, is never newer: so does the reference client.
func newer(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	if len(as) != len(bs) {
		return false
	}
	for i := range as {
		na, err := strconv.ParseUint(as[i], 10, 32)
		if err != nil {
			return false
		}
		nb, err := strconv.ParseUint(bs[i], 10, 32)
		if err != nil {
			return false
		}
		if na != nb {
			return na > nb
		}
	}
	return false
}
