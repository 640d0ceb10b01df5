package patch

import (
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patchreport"
)

// What could not be read of a place is an error in the file, also where its nodes are
// in it: CI systems look at nothing else.
func TestJUnitTellsOfWhatCouldNotBeRead(t *testing.T) {
	node := patch.Row{ID: "i-1", Name: "web", Status: patch.Compliant}
	r := patchreport.New("t", "p", "all", []patchreport.Place{
		{Account: "1", Region: "r1", Rows: []patch.Row{node}, Failure: "1 of 1 node is not read"},
		{Account: "1", Region: "r2", Failure: "not allowed"},
		{Account: "1", Region: "r3", Rows: []patch.Row{node}},
	}, time.Now())
	errors, tests := 0, 0
	for _, s := range reportJUnit(r).Suites {
		errors += s.Errors
		tests += s.Tests
	}
	if errors != 2 || tests != 4 {
		t.Errorf("%d errors in %d tests, want 2 in 4", errors, tests)
	}
}
