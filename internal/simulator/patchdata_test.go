package simulator

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func TestPatchesCanBeReadForARecount(t *testing.T) {
	sc, err := world.ParseScenario("test", []byte("nodes: [{id: i-0aaaaaaaaaaaaaaaa, patch: {missing: 3, installed: 5}}, {id: i-0bbbbbbbbbbbbbbbb}]\nregions: {eu-west-1: {nodes: [{id: i-0cccccccccccccccc}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), Options{Scenario: sc})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for query, want := range map[string]string{
		"": "i-0aaaaaaaaaaaaaaaa i-0bbbbbbbbbbbbbbbb", "?node=i-0bbbbbbbbbbbbbbbb": "i-0bbbbbbbbbbbbbbbb", "?region=eu-west-1": "i-0cccccccccccccccc",
	} {
		res, err := http.Get(s.URL() + PatchesPath + query)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Nodes     []world.RawNode
			Catalogue []world.RawPatch
		}
		err = json.NewDecoder(res.Body).Decode(&got)
		_ = res.Body.Close()
		if err != nil || len(got.Catalogue) < 500 {
			t.Fatalf("%s: %v, %d patches", query, err, len(got.Catalogue))
		}
		ids := ""
		for _, n := range got.Nodes {
			ids += " " + n.ID
			if n.Operation != "Scan" || len(n.Patches) < 8 || n.Baseline == "" || len(n.Packages) < 8 {
				t.Errorf("%s: %+v", query, n)
			}
		}
		if ids != " "+want {
			t.Errorf("%s: nodes%s", query, ids)
		}
	}
	res, err := http.Get(s.URL() + PatchesPath + "?region=mars-1")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("a Region that is not there: %s", res.Status)
	}
}
