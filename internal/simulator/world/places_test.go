package world

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const shop = `
nodes: [{id: i-00000000000000001}]
regions:
  eu-west-1:
    nodes: [{id: i-00000000000000002}]
  ap-south-1:
organizational_units: [{id: ou-demo-prodprod}]
accounts:
  - id: "222222222222"
    ou: ou-demo-prodprod
    regions: {us-east-1: {nodes: [{id: i-00000000000000003}]}, eu-west-1: }
  - {id: "333333333333", status: SUSPENDED}
  - {id: "444444444444"}
`

func TestPlaces(t *testing.T) {
	sc, err := ParseScenario("shop", []byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range sc.Worlds() {
		got = append(got, w.Account[:1]+" "+w.Region)
	}
	want := []string{"1 us-east-1", "1 ap-south-1", "1 eu-west-1", "2 eu-west-1", "2 us-east-1", "4 us-east-1"}
	if !slices.Equal(got, want) {
		t.Errorf("worlds %v, want %v", got, want)
	}
	if got := sc.EnabledRegions("222222222222"); !slices.Equal(got, []string{"eu-west-1", "us-east-1"}) {
		t.Errorf("Regions of the member: %v", got)
	}
	if got := sc.EnabledRegions(sc.Account); !slices.Equal(got, []string{"ap-south-1", "eu-west-1", "us-east-1"}) {
		t.Errorf("Regions of the account: %v", got)
	}
	if a, ok := sc.Member("222222222222"); !ok || a.Name != "account-222222222222" || a.Status != AccountActive {
		t.Errorf("member %+v, %v", a, ok)
	}
}

func TestWrongPlaces(t *testing.T) {
	for _, tt := range []struct {
		yaml, want string
		line       int
	}{
		{"regions:\n  us-east-1: {}\n", "the Region of the scenario itself", 2},
		{"regions:\n  eu-west-1:\n    nodes:\n      - {id: nope}\n", "is not of the form", 4},
		{"regions:\n  eu-west-1: {regions: {eu-west-2: {}}}\n", "Regions or accounts of its own", 2},
		{"regions:\n  eu-west-1: {account: \"222222222222\"}\n", "from the scenario around it", 2},
		{"regions:\n  europe: {}\n", "is not of the form", 2},
		{"accounts:\n  - {id: \"12\"}\n", "is not of the form", 2},
		{"accounts:\n  - {id: \"123456789012\"}\n", "is there twice", 2},
		{"accounts:\n  - {id: \"222222222222\", ou: ou-demo-nonenone}\n", "there is no unit", 2},
		{"accounts:\n  - {id: \"222222222222\", status: CLOSED}\n", "is not one of", 2},
		{"organizational_units:\n  - {id: ou-demo-aaaaaaaa, parent: ou-demo-bbbbbbbb}\n", "there is no unit", 2},
		{"regions:\n  eu-west-1: {colour: red}\n", "colour", 2},
		{"delay: -1s\n", "negative", 1},
	} {
		_, err := ParseScenario("t", []byte(tt.yaml))
		var wrong *ScenarioError
		if !errors.As(err, &wrong) || wrong.Line != tt.line || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v", tt.yaml, err)
		}
	}
}
