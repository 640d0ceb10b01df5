package run

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func TestStateOf(t *testing.T) {
	tests := []struct {
		status, details string
		state           State
		detail          string
		final, bad, ran bool
	}{
		{"Pending", "Pending", Pending, "Pending", false, false, false},
		{"InProgress", "In Progress", Running, "InProgress", false, false, false},
		{"Delayed", "", Delayed, "Delayed", false, false, false},
		{"Cancelling", "", Cancelling, "Cancelling", false, false, false},
		{"Success", "Success", Success, "Success", true, false, true},
		{"Failed", "Failed", Failed, "Failed", true, true, true},
		{"Cancelled", "Cancelled", Cancelled, "Cancelled", true, true, true},
		{"TimedOut", "Execution Timed Out", TimedOut, "ExecutionTimedOut", true, true, true},
		{"TimedOut", "DeliveryTimedOut", TimedOut, "DeliveryTimedOut", true, true, false},
		{"InProgress", "DeliveryTimedOut", TimedOut, "DeliveryTimedOut", true, true, false},
		{"Failed", "Undeliverable", Failed, "Undeliverable", true, true, false},
		{"Success", "Undeliverable", Failed, "Undeliverable", true, true, false},
		{"Failed", "Invalid Platform", Failed, "InvalidPlatform", true, true, false},
		{"Failed", "AccessDenied", Failed, "AccessDenied", true, true, false},
		{"Cancelled", "Terminated", Skipped, "Terminated", true, true, false},
		{"Failed", "Terminated", Skipped, "Terminated", true, true, false},
		{"Failed", "RateExceeded", Failed, "RateExceeded", true, true, false},
		{"Undeliverable", "", Failed, "Undeliverable", true, true, false},
		{"SomethingNew", "", Strange, "SomethingNew", false, false, false},
		{"SomethingNew", "Something New Indeed", Strange, "SomethingNew", false, false, false},
		{"", "", Strange, "", false, false, false},
	}
	for _, tt := range tests {
		state, detail := stateOf(tt.status, tt.details)
		if state != tt.state || detail != tt.detail {
			t.Errorf("%s/%s: got %s/%s, want %s/%s", tt.status, tt.details, state, detail, tt.state, tt.detail)
		}
		if state.Final() != tt.final || state.Bad() != tt.bad || ran(state, detail) != tt.ran {
			t.Errorf("%s/%s: final %v, bad %v, ran %v; want %v, %v, %v", tt.status, tt.details, state.Final(), state.Bad(), ran(state, detail), tt.final, tt.bad, tt.ran)
		}
	}
}

func TestEveryStatusOfTheServiceIsKnown(t *testing.T) {
	for _, s := range types.CommandInvocationStatus("").Values() {
		want := s != types.CommandInvocationStatusInProgress
		if state, _ := stateOf(string(s), ""); (state != Running) != want || state == Strange {
			t.Errorf("%s is taken for %s", s, state)
		}
	}
	for _, s := range States() {
		if _, ok := commandStatus(s); ok == (s == Waiting || s == Delayed || s == Skipped || s == NotSent || s == Lost || s == Strange) {
			t.Errorf("commands can be listed by %s: %v", s, ok)
		}
	}
}
