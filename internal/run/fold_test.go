package run

import (
	"testing"
	"time"
)

func TestFold(t *testing.T) {
	at := func(m int) time.Time { return t0.Add(time.Duration(m) * time.Minute) }
	runs := Fold([]Command{
		{ID: "c2", RunID: "k3v9q2m1zt", Number: 2, Of: 2, State: Running, Requested: at(2), Targets: 10, Completed: 4, Document: "b"},
		{ID: "other", State: Failed, Requested: at(3), Targets: 1, Completed: 1, Errors: 1},
		{ID: "c1", RunID: "k3v9q2m1zt", Number: 1, Of: 2, State: Success, Requested: at(1), Targets: 50, Completed: 50, Document: "a"},
		{ID: "another", State: Success, Requested: at(0), Targets: 1, Completed: 1},
	})
	if len(runs) != 3 {
		t.Fatalf("%d runs", len(runs))
	}
	if runs[0].Ref() != "other" || runs[1].Ref() != "k3v9q2m1zt" || runs[2].Ref() != "another" {
		t.Errorf("the newest is not first: %s, %s, %s", runs[0].Ref(), runs[1].Ref(), runs[2].Ref())
	}
	r := runs[1]
	if r.Targets != 60 || r.Completed != 54 || r.State != Running || r.CommandIDs[0] != "c1" || r.Unsent() != 0 || !r.Requested.Equal(at(1)) {
		t.Errorf("the run is %+v", r)
	}
	if half := Fold([]Command{{ID: "c2", RunID: "k3v9q2m1zt", Number: 2, Of: 3, State: Success}}); half[0].Unsent() != 2 {
		t.Errorf("%d commands are missing", half[0].Unsent())
	}
}

func TestBoardRowOfAGroup(t *testing.T) {
	b := boardOf(planOf("i-1", "i-2"), went("i-1", Success, 0), wrote("i-1", "up\n", ""), went("i-2", Success, 0), wrote("i-2", "up\n", ""))
	groups := b.Groups()
	if len(groups) != 1 || len(groups[0].Nodes) != 2 {
		t.Fatalf("groups are %+v", groups)
	}
	for _, n := range groups[0].Nodes {
		if row, ok := b.Row(n.CommandID, n.ID); !ok || row.NodeID != n.ID || row.Stdout != "up\n" {
			t.Errorf("%s: %+v, %v", n.ID, row, ok)
		}
	}
	if _, ok := b.Row("c", "i-3"); ok {
		t.Error("a node that the board does not have has a row")
	}
}
