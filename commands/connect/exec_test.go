package connect

import (
	"errors"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestClampStatus(t *testing.T) {
	tests := []struct{ code, want int }{
		{1, 1}, {42, 42}, {137, 137}, {255, 255}, {256, 1}, {257, 1}, {-1, 255}, {-1073741510, 58}, {0x100000, 1},
	}
	for _, tt := range tests {
		if got := cli.ClampStatus(tt.code); got != tt.want {
			t.Errorf("clampStatus(%d) = %d, want %d", tt.code, got, tt.want)
		}
		if got := cli.ClampStatus(tt.code); got < 1 || got > 255 {
			t.Errorf("clampStatus(%d) = %d is no failure a process can have", tt.code, got)
		}
	}
}

func TestOwnErrorKeepsItsCause(t *testing.T) {
	cause := fault.New(fault.Failed, "run", "broken").WithHint("try again")
	err := cli.Own(cause)
	if !errors.Is(err, cause) || fault.HintOf(err) != "try again" {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
}
