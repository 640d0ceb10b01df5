package fleet

import (
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestFilter(t *testing.T) {
	n := Node{
		ID: "i-0123456789abcdef0", Name: "web 1", ComputerName: "ip-10-0-0-1", Ping: Online, Platform: "linux",
		PlatformName: "Amazon Linux", PlatformVersion: "2023", AgentVersion: "3.2.1630.0", IP: "10.0.0.1", ResourceType: "EC2Instance",
	}
	tests := map[string]bool{
		"":                           true,
		"platform=Linux":             true,
		"platform=windows":           false,
		"platform=windows,linux":     true,
		"platform!=windows":          true,
		"platform!=windows,linux":    false,
		"ping=online platform=linux": true,
		"ping=online platform=macos": false,
		"agent<3.3":                  true,
		"agent<3.2":                  false,
		"agent<3.2.1630":             false,
		"agent<=3.2.1630":            true,
		"agent=3.2.1630":             true,
		"agent=3.2":                  false,
		"agent>3.2.999":              true, // numbers, not text
		"agent>=3.10":                false,
		"os_version>=2023":           true,
		"name~^WEB":                  true,
		"name~^db":                   false,
		`name="web 1"`:               true,
		`name='web 1' ping=online`:   true,
		"os~amazon":                  true,
		"ip=10.0.0.1":                true,
		"type=ec2instance":           true,
		"id!=i-0":                    true,
		"role=x":                     false,
		"name~a=b":                   false, // the first operator counts
	}
	for expr, want := range tests {
		f, err := ParseFilter(expr)
		if err != nil {
			t.Errorf("%q: %v", expr, err)
		} else if got := f.Match(n); got != want {
			t.Errorf("%q matches: %v, want %v", expr, got, want)
		}
	}
	unknown := Node{}
	for _, expr := range []string{"agent<3.3", "agent>1", "agent>=0"} {
		if f, _ := ParseFilter(expr); f.Match(unknown) {
			t.Errorf("%q matches a node without a version", expr)
		}
	}
	a, _ := ParseFilter("ping=online")
	b, _ := ParseFilter("platform=macos")
	if a.And(b).Match(n) || !a.And(Filter{}).Match(n) || !(Filter{}).Empty() || a.Empty() {
		t.Error("And or Empty is wrong")
	}
}

func TestParseFilterRefuses(t *testing.T) {
	for expr, want := range map[string][2]string{
		"online":       {"no operator", "ping=online"},
		"platfrom=x":   {`no filter key "platfrom"`, "did you mean platform"},
		"zzz=x":        {"no filter key", "use one of: id, name"},
		"tag=prod":     {"no tag key", "tag:env=prod"},
		"missing>many": {"not a number", "missing>0"},
		"launched=1d":  {"is a time", "launched>30d"},
		"launched>1y":  {"not an age", "30d"},
		"vpc<1":        {"not a version", "~"},
		"=x":           {"incomplete", "ping=online"},
		"ping=":        {"incomplete", "ping=online"},
		"ping=a,,b":    {"empty value", ""},
		"ping!online":  {"no operator", "!="},
		"name<3":       {"not a version", "~"},
		"agent<new":    {"not a version", "agent<3.3"},
		"name~[":       {"regular expression", ""},
		`name="web`:    {"not closed", ""},
		"agent < 3.3":  {"no operator", "agent<3.3"},
	} {
		_, err := ParseFilter(expr)
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want[0]) || !strings.Contains(fault.HintOf(err), want[1]) {
			t.Errorf("ParseFilter(%q): %v (hint %q), want %q", expr, err, fault.HintOf(err), want)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"platform=linux ping!=lost", "agent<3.3", `name~"a b"`, "'", "a!", "os_version>=2023"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseFilter(s)
		if err != nil {
			if fault.KindOf(err) != fault.Usage {
				t.Fatalf("%q: %v is no Usage fault", s, err)
			}
			return
		}
		if got.Empty() && strings.TrimSpace(s) != "" {
			t.Fatalf("%q narrows nothing", s)
		}
		got.Match(Node{AgentVersion: "3.3", Name: s})
	})
}

func TestFilterOverJoinedParts(t *testing.T) {
	now := time.Now()
	n := Node{
		ID: idA, State: "running", VPC: "vpc-1", Launched: now.Add(-40 * 24 * time.Hour), LastPing: now.Add(-2 * time.Minute),
		Tags: map[string]string{"env": "prod", "Patch Group": "a b"}, Patch: &PatchState{Missing: 12, Ended: now.Add(-time.Hour)},
	}
	tests := map[string]struct {
		want  bool
		parts Part
	}{
		"state=running":         {true, PartEC2},
		"vpc!=vpc-1":            {false, PartEC2},
		"launched>30d":          {true, PartEC2},
		"launched>41d":          {false, PartEC2},
		"last_ping<5m":          {true, 0},
		"last_ping>1h":          {false, 0},
		"registered>1s":         {false, 0}, // not known
		"tag:env=prod,dev":      {true, PartEC2 | PartTags},
		"tag:env!=prod":         {false, PartEC2 | PartTags},
		"tag:none~.":            {false, PartEC2 | PartTags},
		`"tag:Patch Group=a b"`: {true, PartEC2 | PartTags},
		"missing>9":             {true, PartPatch},
		"missing>=100":          {false, PartPatch},
		"missing=12 vpc=vpc-1":  {true, PartPatch | PartEC2},
		"patched<2h":            {true, PartPatch},
		"critical>0":            {false, PartPatch},
	}
	for expr, tt := range tests {
		f, err := ParseFilter(expr)
		if err != nil {
			t.Errorf("%q: %v", expr, err)
			continue
		}
		if f.Match(n) != tt.want || f.Parts() != tt.parts {
			t.Errorf("%q: %v, parts %b; want %v, %b", expr, f.Match(n), f.Parts(), tt.want, tt.parts)
		}
	}
	if f, _ := ParseFilter("missing>=0"); f.Match(Node{}) {
		t.Error("a node that was never scanned misses patches")
	}
}

func TestSearch(t *testing.T) {
	n := Node{
		ID: "i-0123456789abcdef0", Name: "web-prod-1", ComputerName: "ip-10-0-0-1", Ping: Lost, Platform: "linux",
		PlatformName: "Amazon Linux", AgentVersion: "3.2.1630.0", IP: "10.0.0.1", Tags: map[string]string{"team": "Payments"},
	}
	known := []Node{n}
	Searchable(known)
	for text, want := range map[string]bool{
		"":                            true,
		"team":                        true,
		"1linux":                      false, // of two texts
		"ip":                          true,
		"AMAZON":                      true,
		"web":                         true,
		"wprd":                        true,
		"WEB lost":                    true,
		"payments":                    true,
		"10.0.0.1":                    true,
		"windows":                     false,
		"!windows":                    true,
		"web agent<3.3":               true,
		"db | ping=lost":              true,
		"db | ping=online":            false,
		"!ping=online tag:team~^pay":  true,
		"ping=online | !name~^db web": true,
	} {
		s, err := ParseSearch(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if s.Match(n) != want || s.Empty() != (text == "") {
			t.Errorf("%q matches: %v, empty: %v", text, s.Match(n), s.Empty())
		} else if got := s.Match(known[0]); got != want {
			t.Errorf("%q matches a node whose words are known: %v", text, got)
		}
	}
	s, err := ParseSearch("web missing>0 | !tag:env=prod")
	if err != nil || s.Parts() != PartPatch|PartEC2|PartTags {
		t.Errorf("parts %b, %v", s.Parts(), err)
	}
	if _, err := ParseFilter("ping=lost web"); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), `"web" at column 11 has no operator`) {
		t.Errorf("a bare word behind --filter: %v", err)
	}
	f, err := ParseFilter("ping=online | !platform=windows agent<3.3")
	if err != nil || !f.Match(n) {
		t.Errorf("alternatives behind --filter: %v", err)
	}
}

func TestSearchNarrows(t *testing.T) {
	for _, tt := range []struct {
		before, now string
		want        bool
	}{
		{"", "web", true},
		{"web", "web-1", true},
		{"web", "web ping=lost", true},
		{"web-1", "web", false},
		{"ping=lost", "ping=lost,online", false},
		{"agent<3.3", "agent<3.30", false},
		{"web", "web | db", false},
		{"!web", "!web-1", false},
		{"tag:env=prod", "tag:role=prod", false},
	} {
		before, err := ParseSearch(tt.before)
		if err != nil {
			t.Fatal(err)
		}
		now, err := ParseSearch(tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := now.Narrows(before); got != tt.want {
			t.Errorf("%q narrows %q: %v", tt.now, tt.before, got)
		}
	}
}

func TestSearchAllocatesNothing(t *testing.T) {
	n := many(1)[0]
	n.Patch = &PatchState{Missing: 1234}
	s, err := ParseSearch("wb0 !payments agent<3.4 missing>1000 name~^web tag:env=prod,dev last_ping>1h | web")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if got := testing.AllocsPerRun(100, func() {
		if !s.MatchAt(n, now) {
			t.Fatal("does not fit")
		}
	}); got > 0 {
		t.Errorf("%v allocations", got)
	}
}
