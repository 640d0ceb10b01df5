package run

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// State is where a command stands, as a whole or on one node. The values are
// the words shown to users and written to JSON.
type State string

// The states. The last seven are final.
const (
	Waiting    State = "waiting"    // selected; no invocation seen yet
	Pending    State = "pending"    // the service has it, the node does not
	Delayed    State = "delayed"    // the node could not be reached; the service tries again
	Running    State = "running"    // on the node
	Cancelling State = "cancelling" // asked to stop
	Strange    State = "not_known"  // the service has a word for it that this program does not know
	Success    State = "ok"
	Failed     State = "failed" // ran and failed, or could never run
	TimedOut   State = "timed_out"
	Cancelled  State = "cancelled"
	Skipped    State = "skipped"  // the service stopped the command before this node's turn
	NotSent    State = "not_sent" // selected, and never given an invocation
	Lost       State = "unknown"  // the command has ended, and the service does not say how here
)

// States lists all states in the order of a life, for counting and completion.
func States() []State {
	return []State{Waiting, Pending, Delayed, Running, Cancelling, Strange, Success, Failed, TimedOut, Cancelled, Skipped, NotSent, Lost}
}

// Final reports whether a node in this state stays in it.
func (s State) Final() bool {
	switch s {
	case Success, Failed, TimedOut, Cancelled, Skipped, NotSent, Lost:
		return true
	case Waiting, Pending, Delayed, Running, Cancelling, Strange:
	}
	return false
}

// Bad reports whether the state is final and not what the user asked for: the
// command did not succeed on that node.
func (s State) Bad() bool { return s.Final() && s != Success }

// stateOf translates the API's Status and StatusDetails. detail comes back in
// one spelling: the service writes "Delivery Timed Out" in its texts and
// "DeliveryTimedOut" on the wire. An unknown word is a state of its own, with
// the word as its detail: it is called neither finished nor running, since it may
// be either.
//
// Source: API model, CommandInvocationStatus and StatusDetails; guide page
// "Understanding command statuses".
func stateOf(status, details string) (state State, detail string) {
	detail = strings.ReplaceAll(details, " ", "")
	if detail == "" {
		detail = status
	}
	switch types.CommandInvocationStatus(status) {
	case types.CommandInvocationStatusPending:
		state = Pending
	case types.CommandInvocationStatusDelayed:
		state = Delayed
	case types.CommandInvocationStatusSuccess:
		state = Success
	case types.CommandInvocationStatusFailed:
		state = Failed
	case types.CommandInvocationStatusTimedOut:
		state = TimedOut
	case types.CommandInvocationStatusCancelled:
		state = Cancelled
	case types.CommandInvocationStatusCancelling:
		state = Cancelling
	case types.CommandInvocationStatusInProgress:
		state = Running
	default: // a detail in place of a status, as filters allow it
		state = Failed
		if reasonOf(status) == "" {
			state = Strange
		}
	}
	switch {
	case detail == "Terminated":
		state = Skipped
	case state == Success && (detail == "Undeliverable" || detail == "InvalidPlatform" || detail == "AccessDenied"):
		// Such invocations do not count against the command, but the node did not do what the user wanted.
		state = Failed
	case !state.Final() && strings.HasSuffix(detail, "TimedOut"):
		state = TimedOut
	}
	if state == Strange {
		detail = status
	}
	return state, detail
}

// noNode is the detail of a command whose targets matched no node: all went well on none.
const noNode = "NoInstancesInTag"

// Called is a state as a list shows it: where the service has a word for it that
// means nothing here, with that word.
func (s State) Called(detail string) string {
	words := strings.ReplaceAll(string(s), "_", " ")
	switch {
	case s == Strange && detail != "":
		words += ": " + detail
	case s == Success && detail == noNode:
		words += ": no node"
	}
	return words
}

// whyOf says in words what a state and its detail mean, where they do not speak for
// themselves.
func whyOf(s State, detail string) string {
	if s == Strange {
		return fmt.Sprintf("the service calls it %q, which ssmdeck does not know", detail)
	}
	return reasonOf(detail)
}

// reasonOf says in words what a detail means that does not speak for itself,
// and "" for the others.
func reasonOf(detail string) string {
	switch detail {
	case "DeliveryTimedOut":
		return "the node did not take the command in time"
	case "ExecutionTimedOut":
		return "it ran longer than allowed"
	case "TimedOut":
		return "it took longer than allowed"
	case "Undeliverable":
		return "the node does not exist or does not respond"
	case "InvalidPlatform":
		return "the document does not run on the node's platform"
	case "AccessDenied":
		return "access denied"
	case "Terminated":
		return "not started: the command had reached its error limit"
	case "RateExceeded", "LimitExceeded":
		return "the account has too many pending invocations"
	case noNode:
		return "no node carries the tag"
	case "Incomplete":
		return "it did not end well on every node"
	default:
		return ""
	}
}

// ran reports whether a final invocation got as far as running something, so
// that an exit code or output may exist.
func ran(s State, detail string) bool {
	switch s {
	case Success, Cancelled:
		return true
	case Failed, TimedOut:
		return reasonOf(detail) == "" || detail == "ExecutionTimedOut" || detail == "TimedOut" || detail == "Incomplete"
	case Waiting, Pending, Delayed, Running, Cancelling, Strange, Skipped, NotSent, Lost:
	}
	return false
}
