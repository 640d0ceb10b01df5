package fleet

import (
	"iter"
	"testing"
	"time"
)

func pointers(nodes []Node) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for i := range nodes {
			if !yield(&nodes[i]) {
				return
			}
		}
	}
}

// The filter for a number of agents fits exactly the nodes that were counted.
func TestAgentsBehindAreThoseOfTheFilter(t *testing.T) {
	no := false
	node := func(name, platform, agent string) Node {
		return Node{ID: name, Name: name, Platform: platform, AgentVersion: agent}
	}
	mixed := []Node{
		node("new", "linux", "3.3.5000.0"), node("old", "linux", "3.3.4000.0"),
		node("win", "windows", "3.3.4000.0"), node("old-win", "windows", "3.3.9.0"),
		node("mac", "macos", "3.1"), node("none", "linux", ""), node("odd", "windows", "unknown"), node("bare", "", "1.0"), node("bare-old", "", "0.9"),
	}
	for _, tt := range []struct {
		name   string
		nodes  []Node
		told   []Node
		behind string
		filter string
	}{
		{"platforms are apart", mixed, nil, "old old-win bare-old", ""},
		{"one platform needs no platform", mixed[:2], nil, "old", "agent<3.3.5000.0"},
		{"the service knows a newer one", mixed[:2], []Node{{Platform: "linux", AgentVersion: "3.3.5000.0", AgentLatest: &no}}, "new old", "agent<=3.3.5000.0"},
		{"and says so of an old one alone", mixed[:2], []Node{{Platform: "linux", AgentVersion: "3.3.4000.0", AgentLatest: &no}}, "old", "agent<3.3.5000.0"},
		{"nor do platforms with the same newest", []Node{mixed[1], node("new-win", "windows", "3.3.5000.0"), mixed[0]}, nil, "old", "agent<3.3.5000.0"},
		{"no agent is known", mixed[5:7], nil, "", ""},
	} {
		var news AgentNews
		for _, n := range tt.told {
			if !news.Learn(n) || news.Learn(n) {
				t.Errorf("%s: news are news once", tt.name)
			}
		}
		a := AgentsOf(pointers(tt.nodes), news)
		got := ""
		for i := range tt.nodes {
			if a.Behind(&tt.nodes[i]) {
				got += " " + tt.nodes[i].Name
			}
		}
		if got = trimLeft(got); got != tt.behind {
			t.Errorf("%s: %q are behind, want %q", tt.name, got, tt.behind)
		}
		filter := a.Filter(true)
		if tt.filter != "" && filter != tt.filter {
			t.Errorf("%s: the filter is %q, want %q", tt.name, filter, tt.filter)
		}
		if !a.Known() {
			continue
		}
		for _, behind := range []bool{true, false} {
			f, err := ParseFilter(a.Filter(behind))
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			for i := range tt.nodes {
				n := &tt.nodes[i]
				if want := IsVersion(n.AgentVersion) && a.Behind(n) == behind; f.Match(*n) != want {
					t.Errorf("%s: %q fits %s: %v", tt.name, a.Filter(behind), n.Name, !want)
				}
			}
		}
	}
}

func trimLeft(s string) string {
	if s != "" {
		return s[1:]
	}
	return s
}

// Places are keys like all others, beside alternatives and turned round.
func TestFilterByPlace(t *testing.T) {
	n := Node{ID: "i-1", Name: "web", Ping: Online}
	for text, want := range map[string]bool{
		"region=eu-west-1":                         true,
		"region=EU-WEST-1":                         true,
		"region=us-east-1,eu-west-1":               true,
		"region!=eu-west-1":                        false,
		"!region=us-east-1":                        true,
		"!region=eu-west-1":                        false,
		"region~^eu-":                              true,
		"account=111111111111":                     true,
		"!account=111111111111":                    false,
		"region=us-east-1 | ping=online":           true,
		"region=us-east-1 | account=222222222222":  false,
		"ping=lost | region=eu-west-1 name=web":    true,
		"region=us-east-1 ping=online | name=db":   false,
		"!region=us-east-1 !account=222222222222 ": true,
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := f.In("111111111111", "eu-west-1").Match(n); got != want {
			t.Errorf("%s matches: %v", text, got)
		}
	}
	for _, text := range []string{"account=1", "account!=1", "!account=1", "account~."} {
		if f, _ := ParseFilter(text); f.In("", "eu-west-1").Match(n) {
			t.Errorf("%s fits a node whose account is not known", text)
		}
	}
	f, _ := ParseFilter("account!=1 region=eu-west-1")
	g, _ := ParseFilter("ping=online")
	if !f.In("2", "eu-west-1").And(g).Match(n) {
		t.Error("And forgets where the nodes are")
	}
}

// Fits allocates nothing: it is asked of 10,000 nodes for each key.
func TestFitsAllocatesNothing(t *testing.T) {
	n := Node{ID: "i-1", Name: "web", Ping: Online, Patch: &PatchState{Critical: 1}}
	f, err := ParseSearch("region=eu-west-1 !ping=lost critical>0 we | account=1")
	if err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(100, func() { f.In("1", "eu-west-1").Fits(&n, time.Time{}) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
