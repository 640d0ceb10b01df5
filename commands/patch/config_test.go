package patch

import (
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/configrules"
	"github.com/ssmdeck/ssmdeck/internal/document/lint"
	"github.com/ssmdeck/ssmdeck/internal/metrics"
	"github.com/ssmdeck/ssmdeck/internal/patch"
)

func TestConfigIsHeldAgainstSystemsManager(t *testing.T) {
	scan := time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)
	verdict := func(kind string, after time.Duration) *configrules.Verdict {
		return &configrules.Verdict{Type: kind, Recorded: scan.Add(after)}
	}
	tests := []struct {
		name       string
		status     patch.Status
		v          *configrules.Verdict
		agree, why string
	}{
		{"both well", patch.Compliant, verdict("COMPLIANT", time.Minute), "yes", ""},
		{"both not", patch.NonCompliant, verdict("NON_COMPLIANT", time.Minute), "yes", ""},
		{"never scanned, never seen", patch.NeverScanned, nil, "yes", ""},
		{"not evaluated", patch.Compliant, nil, "no", "Config has not evaluated the node"},
		{"Config is late", patch.Compliant, verdict("NON_COMPLIANT", -time.Hour), "no", "Config has what was before the last scan"},
		{"they differ", patch.Compliant, verdict("NON_COMPLIANT", time.Minute), "no", "the two differ on the same scan"},
		{"Config remembers more", patch.NeverScanned, verdict("COMPLIANT", 0), "no", "Config still has a scan that Systems Manager does not"},
		{"not read", patch.Unknown, verdict("COMPLIANT", 0), "unknown", ""},
		{"Config does not know yet", patch.Compliant, verdict("INSUFFICIENT_DATA", 0), "unknown", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := patch.Row{ID: "i-1", Status: tt.status}
			if tt.status != patch.NeverScanned {
				r.Scanned = scan
			}
			if got := compareConfig(r, "x", tt.v); got.Agree != tt.agree || got.Why != tt.why {
				t.Errorf("agree %s, why %q", got.Agree, got.Why)
			}
		})
	}
}

// The runbook that we print passes our own check of documents.
func TestTheRunbookOfTheScaffoldHasNoFault(t *testing.T) {
	report, err := lint.Check([]byte(metrics.Schedule{Namespace: metrics.Namespace, Expression: "rate(1 hour)", Groups: 20}.Runbook()), lint.Options{})
	if err != nil || len(report.Findings) != 0 {
		t.Errorf("%v: %+v", err, report.Findings)
	}
}
