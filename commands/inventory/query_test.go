package inventory

import "testing"

func TestNodesOfOneNameAreCountedEach(t *testing.T) {
	got := countItems([]itemRow{
		{Node: "i-1", Name: "web", Version: "1.0"},
		{Node: "i-2", Name: "web", Version: "1.0"},
		{Node: "i-3", Version: "1.0"},
		{Node: "i-1", Name: "web", Version: "1.0"},
		{Node: "i-1", Name: "web", Version: "1.10"},
		{Node: "i-4", Name: "db", Version: "1.9"},
	}, "version")
	want := []itemCount{{"1.0", 3, "i-3,web"}, {"1.9", 1, "db"}, {"1.10", 1, "web"}}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
}
