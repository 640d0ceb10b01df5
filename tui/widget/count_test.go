package widget

import "testing"

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"0 nodes": Count(0, "node"), "1 patch": Count(1, "patch"), "2 patches": Count(2, "patch"), "-1,204 nodes": Count(-1204, "node"),
		"999 nodes": Count(999, "node"), "1,000,000 nodes": Count(1000000, "node"), "-999 nodes": Count(-999, "node"),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
