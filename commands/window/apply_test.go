package window

import (
	"errors"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func TestPartlyApplied(t *testing.T) {
	stopped := fault.New(fault.Interrupted, "add task patch", "interrupted")
	begun := window.Plan{Actions: []*window.Action{{Do: window.DoCreate, Status: "done"}, {Do: window.DoCreate, Status: "failed"}}}
	for _, tt := range []struct {
		name   string
		plan   window.Plan
		failed error
		want   fault.Kind
	}{
		{"Ctrl-C is no failure of the far end", begun, stopped, fault.Interrupted},
		{"a refusal after something was made", begun, fault.New(fault.Auth, "add task patch", "no"), fault.RemoteFailed},
		{"a refusal before", window.Plan{Actions: begun.Actions[1:]}, fault.New(fault.Auth, "add task patch", "no"), fault.Auth},
	} {
		err := partlyApplied("w.yaml", tt.plan, tt.failed)
		if fault.KindOf(err) != tt.want || !errors.Is(err, tt.failed) {
			t.Errorf("%s: %v (%s), want %s", tt.name, err, fault.KindOf(err), tt.want)
		}
	}
}
