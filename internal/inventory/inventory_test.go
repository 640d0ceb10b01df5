package inventory

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

func TestQueriesThatCannotBeMeantAreRefused(t *testing.T) {
	for query, part := range map[string]string{
		"":                      "asks about nothing",
		"platform:linux":        "asks about nothing",
		"app:":                  "names nothing",
		"app:openssl<":          "compares with nothing",
		"app:openssl<new":       "is not a version",
		"app:openssl<3.*":       "is not a version",
		"app:openssl>=3<":       "compares with nothing",
		"app:openssl>=3<new":    "is not a version",
		"app:a=1,,2":            "compares with nothing",
		"service:nginx<3":       "has no order",
		"update:KB1=2":          "is there or is not",
		"foo:bar":               "nothing that can be asked about",
		"!platform=linux app:x": "cannot be turned around",
		"AWS:Network=1":         "names no attribute",
		"AWS:Network.IPV4":      "compares with nothing",
		"app:x nosuch=1":        "no filter key",
		"app:'x":                "not closed",
		"AWS:" + strings.Repeat("x", 120) + ".a=1": "not a type",
	} {
		_, err := ParseQuery(query)
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v, want a Usage error with %q", query, err, part)
		}
	}
}

func TestTermsMatch(t *testing.T) {
	rpm := Entry{"Name": "openssl", "Version": "3.0.7", "Release": "24.el9", "Epoch": "1"}
	deb := Entry{"Name": "openssl", "Version": "3.0.2-0ubuntu1.10"}
	win := Entry{"Name": "Google Chrome", "Version": "119.0.6045.160"}
	svc := Entry{"Name": "nginx", "Status": "Running"}
	linux := fleet.Node{Platform: "linux", PlatformName: "Red Hat Enterprise Linux"}
	ubuntu := fleet.Node{Platform: "linux", PlatformName: "Ubuntu"}
	windows := fleet.Node{Platform: "windows", PlatformName: "Microsoft Windows Server 2022"}
	for _, c := range []struct {
		term  string
		node  fleet.Node
		entry Entry
		want  bool
	}{
		{"app:openssl", linux, rpm, true},
		{"app:open*", linux, rpm, true},
		{"app:OpenSSL", linux, rpm, false},
		{"app:openssl<3.0", linux, rpm, false},
		{"app:openssl<3.0.10", linux, rpm, true},
		{"app:openssl=3.0.7", linux, rpm, true},
		{"app:openssl=3.0.7-24.el9", linux, rpm, true},
		{"app:openssl<3.0.7-25.el9", linux, rpm, true},
		{"app:openssl<2:1.0", linux, rpm, true},
		{"app:openssl=3.0.*", linux, rpm, true},
		{"app:openssl!=3.0.7", linux, rpm, false},
		{"app:openssl=1.0,3.0.7", linux, rpm, true},
		{"app:openssl<3.0.2-0ubuntu1.9", ubuntu, deb, false},
		{"app:openssl<3.0.2-0ubuntu1.11", ubuntu, deb, true},
		{"app:openssl>=3.0.2", ubuntu, deb, true},
		{"app:'Google Chrome'<120", windows, win, true},
		{"app:Google*>=119.0.6045.160", windows, win, true},
		{"app:openssl>=3.0<3.0.8", linux, rpm, true},
		{"app:openssl>=3.0.8<4", linux, rpm, false},
		{"app:openssl>=2<3.0.7", linux, rpm, false},
		{"app:openssl>=3.0!=3.0.7", linux, rpm, false},
		{"AWS:InstanceInformation.AgentVersion>=3.1<3.3", linux, Entry{"AgentVersion": "3.2.1"}, true},
		{"app:openssl<9", linux, Entry{"Name": "openssl"}, false},
		{"service:nginx=running", windows, svc, true},
		{"service:nginx!=Running", windows, svc, false},
		{"AWS:Network.IPV4=10.*", linux, Entry{"IPV4": "10.0.0.1"}, true},
		{"Custom:Rack.Row>6", linux, Entry{"Row": "7"}, true},
		{"Custom:Rack.Row>10", linux, Entry{"Row": "7"}, false},
		{"app:g++", ubuntu, Entry{"Name": "g++"}, true},
	} {
		q, err := ParseQuery(c.term)
		if err != nil {
			t.Errorf("%s: %v", c.term, err)
			continue
		}
		if got := q.Terms[0].matches(c.entry, SchemeOf(c.node, q.Terms[0].Type)); got != c.want {
			t.Errorf("%s of %v: %v", c.term, c.entry, got)
		}
	}
}

// nodesNamed makes nodes i-0…, one for each name.
func nodesNamed(n int) []fleet.Node {
	var list []fleet.Node
	for i := range n {
		list = append(list, fleet.Node{ID: fmt.Sprintf("i-%08d", i), Name: fmt.Sprintf("n%d", i), Platform: "linux", PlatformName: "Amazon Linux"})
	}
	return list
}

func search(t *testing.T, s *Service, query string, nodes []fleet.Node) Answer {
	t.Helper()
	q, err := ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Search(context.Background(), q, nodes, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func found(a Answer) (names []string) {
	for _, m := range a.Matches {
		names = append(names, m.Node.Name+":"+m.Entry.Version())
	}
	slices.Sort(names)
	return names
}

func TestSilentNodesAmongFewAreNamed(t *testing.T) {
	nodes := nodesNamed(41)
	api := reports(nodes, func(i int) []string {
		return [][]string{{"openssl 1.0", "nginx 9"}, nil, {}, {"openssl 3.1"}}[min(i, 3)]
	})
	s := New(api)
	a := search(t, s, "app:openssl<3", nodes)
	if got := found(a); !reflect.DeepEqual(got, []string{"n0:1.0"}) {
		t.Errorf("found %v", got)
	}
	if len(a.Unknown) != 1 || a.Unknown[0].Name != "n1" || a.Without != nil {
		t.Errorf("unknown %v, without %v", a.Unknown, a.Without)
	}
	a = search(t, s, "!app:nginx", nodes)
	if len(a.Matches) != 39 || len(a.Unknown) != 1 {
		t.Errorf("without nginx: %d and %d unknown", len(a.Matches), len(a.Unknown))
	}
	// A name without a beginning: all is read, and says itself who is silent.
	a = search(t, s, "app:*ssl<3", nodes)
	if got := found(a); !reflect.DeepEqual(got, []string{"n0:1.0"}) || len(a.Unknown) != 1 {
		t.Errorf("found %v, unknown %v", got, a.Unknown)
	}
}

func TestManyNodesAreFoundByTheService(t *testing.T) {
	nodes := nodesNamed(300)
	of := func(i int) []string {
		switch i {
		case 3:
			return []string{"openssl 1.0", "openssl-libs 3.1"}
		case 4:
			apps := []string{}
			for k := range 120 { // several pages before what is asked about
				apps = append(apps, fmt.Sprintf("a%03d 1", k))
			}
			return append(apps, "openssl 3.2", "openssl-libs 1.1")
		case 5:
			return nil
		}
		return []string{"zlib 1"}
	}
	for _, strict := range []bool{false, true} {
		api := reports(nodes, of)
		api.strict = strict
		a := search(t, New(api), "app:open*<3", nodes)
		if got := found(a); !reflect.DeepEqual(got, []string{"n3:1.0", "n4:1.1"}) {
			t.Errorf("found %v", got)
		}
		if counted := a.Without[Application] == 1 && a.Unknown == nil; counted == strict {
			t.Errorf("without %v, unknown %v", a.Without, a.Unknown)
		}
		if strict && (len(a.Unknown) != 1 || a.Unknown[0].Name != "n5") {
			t.Errorf("unknown %v", a.Unknown)
		}
		// Two pages are what the service found; the nodes without are not asked.
		if got := api.calls["ListInventoryEntries"]; !strict && got != 2 {
			t.Errorf("%d calls for 2 nodes", got)
		}
	}
	// Who lacks something is asked whether it has reported at all.
	api := reports(nodes, of)
	a := search(t, New(api), "!app:zlib", nodes)
	if got := found(a); !reflect.DeepEqual(got, []string{"n3:", "n4:"}) || len(a.Unknown) != 1 || a.Unknown[0].Name != "n5" {
		t.Errorf("found %v, unknown %v", got, a.Unknown)
	}
	if got := api.calls["ListInventoryEntries"]; got != 3 {
		t.Errorf("%d calls for the 3 nodes without", got)
	}
}

func TestANodeThatIsGoneEndsNoQuery(t *testing.T) {
	nodes := nodesNamed(3)
	api := &gone{inventories: reports(nodes, func(int) []string { return []string{"a 1"} }), id: nodes[1].ID}
	a := search(t, New(api), "app:*", nodes)
	if got := found(a); !reflect.DeepEqual(got, []string{"n0:1", "n2:1"}) || len(a.Unknown) != 1 {
		t.Errorf("found %v, unknown %v", got, a.Unknown)
	}
}

func TestCoverageCountsOnePageOfTheServicesOwnTypes(t *testing.T) {
	nodes := nodesNamed(3)
	api := reports(nodes, func(i int) []string {
		return [][]string{nil, {}, slices.Repeat([]string{"a 1"}, 51)}[i]
	})
	ids := []string{nodes[0].ID, nodes[1].ID, nodes[2].ID}
	got, err := New(api).Covered(context.Background(), Application, ids, nil)
	if err != nil || got[ids[0]].Reported || !got[ids[1]].Reported || got[ids[1]].More || got[ids[2]].Entries != 50 || !got[ids[2]].More {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWordsKeepTheirQuotes(t *testing.T) {
	q, err := ParseQuery(`app:x "name=O'Brien"`)
	if err != nil || !q.Nodes.Match(fleet.Node{Name: "O'Brien"}) || q.Nodes.Match(fleet.Node{Name: "OBrien"}) {
		t.Errorf("%v, %v", q.Nodes, err)
	}
}

func TestAllTermsMustHold(t *testing.T) {
	nodes := nodesNamed(3)
	s := New(reports(nodes, func(i int) []string { return [][]string{{"a 1", "b 1"}, {"a 1"}, {"b 1"}}[i] }))
	for query, want := range map[string][]string{
		"app:a app:b":     {"n0:1", "n0:1"},
		"app:a !app:b":    {"n1:1"},
		"!app:a":          {"n2:"},
		"app:c":           nil,
		"app:a>0 app:a<2": {"n0:1", "n1:1"},
	} {
		if got := found(search(t, s, query, nodes)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

func TestCountingNestsAndNarrows(t *testing.T) {
	api := NewMockapi(gomock.NewController(t))
	api.EXPECT().GetInventory(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *ssm.GetInventoryInput, _ ...func(*ssm.Options)) (*ssm.GetInventoryOutput, error) {
		a := in.Aggregators[0]
		if aws.ToString(a.Expression) != "AWS:A.X" || aws.ToString(a.Aggregators[0].Expression) != "AWS:A.Y" {
			t.Errorf("aggregators %+v", in.Aggregators)
		}
		if len(in.Filters) != 2 || in.Filters[0].Type != types.InventoryQueryOperatorTypeBeginWith || in.Filters[1].Type != types.InventoryQueryOperatorTypeGreaterThan {
			t.Errorf("filters %+v", in.Filters)
		}
		return &ssm.GetInventoryOutput{Entities: []types.InventoryResultEntity{{Data: map[string]types.InventoryResultItem{
			"AWS:A": {Content: []map[string]string{{"X": "1", "Y": "2", "Count": "3"}, {"X": "1", "Count": "30"}}},
		}}}}, nil
	})
	got, err := New(api).Counts(context.Background(), []string{"AWS:A.X", "AWS:A.Y"}, []string{"AWS:B.C=lin*", "AWS:B.D>4"})
	want := []Count{{[]string{"1", ""}, 30}, {[]string{"1", "2"}, 3}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, c := range [][2]string{{"x", ""}, {"AWS:A", ""}, {"AWS:A.X", "AWS:B.C"}, {"AWS:A.X", "AWS:B.C<=3"}, {"AWS:A.X", "AWS:B.C=a*b"}} {
		conditions := []string{c[1]}
		if c[1] == "" {
			conditions = nil
		}
		if err := CheckCounting([]string{c[0]}, conditions); fault.KindOf(err) != fault.Usage {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestPutIsCheckedBeforeItIsSent(t *testing.T) {
	api := NewMockapi(gomock.NewController(t))
	s := New(api)
	wide := Entry{}
	for i := range 51 {
		wide[fmt.Sprint(i)] = "x"
	}
	for _, p := range []Put{
		{Type: "AWS:Application", Schema: "1.0", Entries: []Entry{{"a": "b"}}},
		{Type: "Rack", Schema: "1.0", Entries: []Entry{{"a": "b"}}},
		{Type: "Custom:Rack", Schema: "1", Entries: []Entry{{"a": "b"}}},
		{Type: "Custom:Rack", Schema: "1.0", Entries: []Entry{{}}},
		{Type: "Custom:Rack", Schema: "1.0", Entries: []Entry{{"": "b"}}},
		{Type: "Custom:Rack", Schema: "1.0", Entries: []Entry{{"a": strings.Repeat("x", 4097)}}},
		{Type: "Custom:Rack", Schema: "1.0", Entries: []Entry{wide}},
		{Type: "Custom:Rack", Schema: "1.0", Entries: make([]Entry, 10001)},
	} {
		if err := s.Put(context.Background(), "i-1", p, time.Now()); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s %s: %v", p.Type, p.Schema, err)
		}
	}
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.FixedZone("", 3600))
	api.EXPECT().PutInventory(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *ssm.PutInventoryInput, _ ...func(*ssm.Options)) (*ssm.PutInventoryOutput, error) {
		if aws.ToString(in.Items[0].CaptureTime) != "2026-03-01T09:00:00Z" {
			t.Errorf("captured %s", aws.ToString(in.Items[0].CaptureTime))
		}
		return &ssm.PutInventoryOutput{Message: aws.String("hash mismatch")}, nil
	})
	if err := s.Put(context.Background(), "i-1", Put{"Custom:Rack", "1.0", []Entry{{"Row": "7"}}}, now); err == nil || !strings.Contains(err.Error(), "hash mismatch") {
		t.Errorf("the service's complaint was lost: %v", err)
	}
}

func TestRatesAreWrittenAsTheServiceReadsThem(t *testing.T) {
	for every, want := range map[time.Duration]string{
		30 * time.Minute: "rate(30 minutes)", time.Hour: "rate(1 hour)", 12 * time.Hour: "rate(12 hours)", 24 * time.Hour: "rate(1 day)",
		90 * time.Minute: "rate(90 minutes)", 48 * time.Hour: "rate(2 days)",
	} {
		if g, err := NewGathering("", every, nil, nil); err != nil || g.Schedule != want {
			t.Errorf("%s: %s, %v", every, g.Schedule, err)
		}
	}
	for _, every := range []time.Duration{0, time.Minute, 40 * 24 * time.Hour} {
		if _, err := NewGathering("", every, nil, nil); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: %v", every, err)
		}
	}
	g, err := NewGathering("", time.Hour, nil, []string{"services"})
	if err != nil || slices.Contains(g.Parts, "services") || g.Targets[0].Values[0] != "*" {
		t.Errorf("%+v, %v", g, err)
	}
}
