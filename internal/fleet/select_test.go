package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const (
	web1  = "i-00000000000000001"
	web2  = "i-00000000000000002"
	db1   = "i-00000000000000003"
	twin1 = "i-00000000000000004"
	twin2 = "mi-00000000000000005"
	down  = "i-00000000000000006"
)

// theFleet is what the resolver tests choose from.
func theFleet() []types.InstanceProperty {
	ps := []types.InstanceProperty{
		property(web1, "web-1"), property(web2, "web-2"), property(db1, "DB-1"),
		property(twin1, "twin"), property(twin2, "twin"), property(down, "down"),
	}
	ps[0].ComputerName, ps[0].IPAddress = aws.String("ip-10-0-0-1"), aws.String("10.0.0.1")
	ps[0].AgentVersion = aws.String("3.2.1")
	ps[1].IPAddress = aws.String("10.0.0.2")
	ps[1].AgentVersion = aws.String("3.3.9")
	ps[5].PingStatus = types.PingStatusConnectionLost
	ps[5].LastPingDateTime = aws.Time(time.Date(2026, 1, 1, 8, 30, 0, 0, time.UTC))
	return ps
}

// listed is a mocked service whose whole fleet may be listed once.
func listed(t *testing.T) *Service {
	t.Helper()
	s, m := mocked(t)
	m.DescribeInstanceProperties(gomock.Any(), propertiesAt("")).Return(properties("", theFleet()...), nil).MaxTimes(1)
	return s
}

func TestResolve(t *testing.T) {
	for expr, want := range map[string]string{
		"web-1":       web1,
		"ip-10-0-0-1": web1,
		"10.0.0.2":    web2,
		"DB-1":        db1,
		"db-1":        db1, // no exact match, one in another case
		"web-?":       "",  // two
		"*-1":         "",
		"ip-*":        web1,
		"name:web-2":  web2,
	} {
		n, err := listed(t).Resolve(t.Context(), expr)
		if want == "" {
			var several *Ambiguous
			if fault.KindOf(err) != fault.NotFound || !errors.As(err, &several) {
				t.Errorf("%s: got %v, %v; want it ambiguous", expr, n, err)
			}
		} else if err != nil || n.ID != want {
			t.Errorf("%s: got %v, %v; want %s", expr, n, err, want)
		}
	}
}

func TestResolveAnIDCostsOneSmallCall(t *testing.T) {
	s, m := mocked(t)
	m.DescribeInstanceProperties(gomock.Any(), propertiesOf(web1)).Return(properties("", theFleet()[0]), nil)
	if n, err := s.Resolve(t.Context(), web1); err != nil || n.Name != "web-1" {
		t.Errorf("got %v, %v", n, err)
	}
}

func TestResolveByTag(t *testing.T) {
	s, m := mocked(t)
	s.noProperties.Store(true)
	m.DescribeInstanceInformation(gomock.Any(), informationBy("", "tag:role=db")).Return(informations("", information(db1, "db")), nil)
	if n, err := s.Resolve(t.Context(), "tag:role=db"); err != nil || n.ID != db1 {
		t.Errorf("got %v, %v", n, err)
	}
}

func TestResolveContainersWithoutACall(t *testing.T) {
	s, _ := mocked(t)
	const id = "ecs:prod_0123abcd_0123abcd-1234"
	if n, err := s.Resolve(t.Context(), id); err != nil || n.ID != id {
		t.Errorf("got %v, %v", n, err)
	}
}

func TestResolveErrors(t *testing.T) {
	t.Run("an ambiguous name lists all that fit", func(t *testing.T) {
		_, err := listed(t).Resolve(t.Context(), "twin")
		var several *Ambiguous
		if !errors.As(err, &several) || len(several.Nodes) != 2 || fault.KindOf(err) != fault.NotFound {
			t.Fatalf("got %v", err)
		}
		for _, want := range []string{"2 nodes fit", twin1 + " twin online", twin2 + " twin online"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		if !strings.Contains(fault.HintOf(err), twin1) {
			t.Errorf("hint %q names no id", fault.HintOf(err))
		}
	})
	t.Run("an unknown name names the closest", func(t *testing.T) {
		for _, expr := range []string{"wbe-1", "web-11"} {
			_, err := listed(t).Resolve(t.Context(), expr)
			if fault.KindOf(err) != fault.NotFound || !strings.Contains(fault.HintOf(err), "did you mean web-1") {
				t.Errorf("%s: got %v (hint %q)", expr, err, fault.HintOf(err))
			}
		}
	})
	t.Run("an unknown id", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(properties(""), nil)
		_, err := s.Resolve(t.Context(), web1)
		if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "does not know this node") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a node that is offline", func(t *testing.T) {
		_, err := listed(t).Resolve(t.Context(), "down")
		if fault.KindOf(err) != fault.Offline || !strings.Contains(err.Error(), "last ping 3 h ago") ||
			!strings.Contains(fault.HintOf(err), "`ssmdeck doctor "+down+"`") {
			t.Errorf("got %v (hint %q)", err, fault.HintOf(err))
		}
		if n, err := listed(t).Find(t.Context(), "down"); err != nil || n.ID != down || n.Online() {
			t.Errorf("Find: got %v, %v", n, err)
		}
	})
	t.Run("a target for many", func(t *testing.T) {
		s, _ := mocked(t)
		for _, expr := range []string{"all", "@group", "file:x", "-"} {
			if _, err := s.Resolve(t.Context(), expr); fault.KindOf(err) != fault.Usage {
				t.Errorf("%s: got %v", expr, err)
			}
		}
	})
	t.Run("a malformed target makes no call", func(t *testing.T) {
		s, _ := mocked(t)
		if _, err := s.Resolve(t.Context(), "i-0abc"); fault.KindOf(err) != fault.Usage {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a failing list", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure("ThrottlingException"))
		_, err := s.Resolve(t.Context(), "web-1")
		if fault.KindOf(err) != fault.Throttled || !strings.HasPrefix(err.Error(), "find node web-1: ") {
			t.Errorf("got %v", err)
		}
	})
}

// An id given as a target is never taken for the name of another node.
func TestAnIDIsNotAName(t *testing.T) {
	x := newIndex([]Node{{ID: web1, Name: web2}, {ID: web2, Name: "b"}})
	if got := x.find(target(t, web2)[0]); len(got) != 1 || got[0].ID != web2 {
		t.Errorf("got %v", got)
	}
	x = newIndex([]Node{{ID: web1, Name: web2}})
	if got := x.find(target(t, web2)[0]); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
}

func TestSelectNodes(t *testing.T) {
	tests := []struct {
		name    string
		targets []string
		filter  string
		ids     []string
		offline int
	}{
		{"names add up, each node once", []string{"web-2", "web-1", "10.0.0.1"}, "", []string{web1, web2}, 0},
		{"patterns add up", []string{"web-*", "DB-1"}, "", []string{db1, web1, web2}, 0},
		{"a filter narrows", []string{"web-*"}, "agent<3.3", []string{web1}, 0},
		{"all is all that are online", []string{"all"}, "", []string{db1, twin1, twin2, web1, web2}, 0},
		{"all swallows names", []string{"all", "web-1"}, "", []string{db1, twin1, twin2, web1, web2}, 0},
		{"all and one that is not online", []string{"all", "down"}, "", []string{db1, twin1, twin2, web1, web2}, 1},
		{"an offline node is kept apart", []string{"web-1", "down"}, "", []string{web1}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ParseFilter(tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			sel, err := listed(t).Select(t.Context(), target(t, tt.targets...), f)
			if err != nil || !slices.Equal(sel.InstanceIDs, tt.ids) || len(sel.Offline) != tt.offline || sel.Targets != nil {
				t.Errorf("got %v, offline %v, targets %v, %v; want %v", sel.InstanceIDs, sel.Offline, sel.Targets, err, tt.ids)
			}
			if len(sel.Nodes) != len(tt.ids)+tt.offline {
				t.Errorf("%d nodes, want %d", len(sel.Nodes), len(tt.ids)+tt.offline)
			}
			if tt.offline > 0 && !strings.Contains(sel.Note, fmt.Sprintf("1 of %d nodes are offline", len(sel.Nodes))) {
				t.Errorf("note %q", sel.Note)
			}
		})
	}
}

func TestSelectIDsLooksUpOnlyThose(t *testing.T) {
	s, m := mocked(t)
	m.DescribeInstanceProperties(gomock.Any(), propertiesOf(web2, web1)).Return(properties("", theFleet()[:2]...), nil)
	sel, err := s.Select(t.Context(), target(t, web2, web1, web2), Filter{})
	if err != nil || !slices.Equal(sel.InstanceIDs, []string{web1, web2}) {
		t.Errorf("got %v, %v", sel.InstanceIDs, err)
	}
}

func TestSelectFromFileAndStandardInput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes")
	if err := os.WriteFile(path, []byte("web-1\n# no\n"+db1+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := listed(t)
	s.stdin = strings.NewReader("web-2\n")
	sel, err := s.Select(t.Context(), target(t, "file:"+path, "-"), Filter{})
	if err != nil || !slices.Equal(sel.InstanceIDs, []string{db1, web1, web2}) {
		t.Errorf("got %v, %v", sel.InstanceIDs, err)
	}
}

func TestSelectByTag(t *testing.T) {
	tagged := func(t *testing.T, nodes []types.InstanceInformation, filters ...string) *Service {
		t.Helper()
		s, m := mocked(t)
		s.noProperties.Store(true)
		m.DescribeInstanceInformation(gomock.Any(), informationBy("", filters...)).Return(informations("", nodes...), nil)
		return s
	}
	two := []types.InstanceInformation{information(web1, "web-1"), information(web2, "web-2")}
	lost := information(down, "down")
	lost.PingStatus = types.PingStatusConnectionLost

	t.Run("tags are sent as tags", func(t *testing.T) {
		s := tagged(t, append(two, lost), "tag:env=prod,dev", "tag:role=web")
		sel, err := s.Select(t.Context(), target(t, "tag:env=prod,dev", "tag:role=web"), Filter{})
		want := []APITarget{{"tag:env", []string{"prod", "dev"}}, {"tag:role", []string{"web"}}}
		if err != nil || !reflect.DeepEqual(sel.Targets, want) || sel.InstanceIDs != nil || len(sel.Nodes) != 3 || len(sel.Offline) != 1 {
			t.Errorf("got %+v, %v", sel, err)
		}
	})
	t.Run("a key alone is a tag-key", func(t *testing.T) {
		sel, err := tagged(t, two, "tag-key=env").Select(t.Context(), target(t, "tag:env"), Filter{})
		if err != nil || !reflect.DeepEqual(sel.Targets, []APITarget{{"tag-key", []string{"env"}}}) {
			t.Errorf("got %+v, %v", sel, err)
		}
	})
	t.Run("with a filter ids are sent, and it says so", func(t *testing.T) {
		f, err := ParseFilter("id=" + web2)
		if err != nil {
			t.Fatal(err)
		}
		sel, err := tagged(t, two, "tag:env=prod").Select(t.Context(), target(t, "tag:env=prod"), f)
		if err != nil || sel.Targets != nil || !slices.Equal(sel.InstanceIDs, []string{web2}) || !strings.Contains(sel.Note, "in place of the tags") {
			t.Errorf("got %+v, %v", sel, err)
		}
	})
	t.Run("names within tags", func(t *testing.T) {
		sel, err := tagged(t, two, "tag:env=prod").Select(t.Context(), target(t, "tag:env=prod", "web-1"), Filter{})
		if err != nil || sel.Targets != nil || !slices.Equal(sel.InstanceIDs, []string{web1}) {
			t.Errorf("got %+v, %v", sel, err)
		}
		_, err = tagged(t, two, "tag:env=prod").Select(t.Context(), target(t, "tag:env=prod", "DB-1"), Filter{})
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("a name outside the tags: %v", err)
		}
	})
	t.Run("two terms of one key leave what they share", func(t *testing.T) {
		sel, err := tagged(t, two, "tag:env=dev").Select(t.Context(), target(t, "tag:env", "tag:env=prod,dev", "tag:env=dev,test", "tag:env"), Filter{})
		if err != nil || !reflect.DeepEqual(sel.Targets, []APITarget{{"tag:env", []string{"dev"}}}) {
			t.Errorf("got %+v, %v", sel, err)
		}
		s, _ := mocked(t)
		_, err = s.Select(t.Context(), target(t, "tag:env=prod", "tag:env=dev"), Filter{})
		if fault.KindOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "tag:env=prod,dev") {
			t.Errorf("got %v (hint %q)", err, fault.HintOf(err))
		}
	})
	t.Run("two keys without values cannot be sent as tags", func(t *testing.T) {
		s, m := mocked(t)
		s.noProperties.Store(true)
		m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).Return(informations("", two...), nil).Times(2)
		sel, err := s.Select(t.Context(), target(t, "tag:env", "tag:role"), Filter{})
		if err != nil || sel.Targets != nil || len(sel.InstanceIDs) != 2 {
			t.Errorf("got %+v, %v", sel, err)
		}
	})
	t.Run("nothing has the tag", func(t *testing.T) {
		_, err := tagged(t, nil, "tag:env=prdo").Select(t.Context(), target(t, "tag:env=prdo"), Filter{})
		if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "tag:env=prdo") || !strings.Contains(fault.HintOf(err), "spelling") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("nothing with the tag is online", func(t *testing.T) {
		sel, err := tagged(t, []types.InstanceInformation{lost}, "tag:env=prod").Select(t.Context(), target(t, "tag:env=prod"), Filter{})
		if fault.KindOf(err) != fault.Offline || len(sel.Offline) != 1 {
			t.Errorf("got %+v, %v", sel, err)
		}
	})
}

func TestSelectGroup(t *testing.T) {
	s, _ := mocked(t) // no call: the service looks the members up
	sel, err := s.Select(t.Context(), target(t, "@web"), Filter{})
	if err != nil || !reflect.DeepEqual(sel.Targets, []APITarget{{"resource-groups:Name", []string{"web"}}}) || !strings.Contains(sel.Note, "@web") {
		t.Errorf("got %+v, %v", sel, err)
	}
	f, err := ParseFilter("ping=online")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Select(t.Context(), target(t, "@web"), f); fault.KindOf(err) != fault.Usage {
		t.Errorf("with a filter: %v", err)
	}
	for _, other := range []string{"web-1", "tag:env=prod", "@db", "all"} {
		if _, err := s.Select(t.Context(), target(t, "@web", other), Filter{}); fault.KindOf(err) != fault.Usage {
			t.Errorf("with %s: %v", other, err)
		}
	}
}

func TestSelectRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		targets []string
		filter  string
		kind    fault.Kind
		text    string
	}{
		"no target":                  {nil, "", fault.Usage, "no target"},
		"a container":                {[]string{"ecs:a_0_0"}, "", fault.Usage, "container"},
		"six tag keys":               {[]string{"tag:a=1", "tag:b=1", "tag:c=1", "tag:d=1", "tag:e=1", "tag:f=1"}, "", fault.Usage, "6 tag keys"},
		"an ambiguous name":          {[]string{"web-1", "twin"}, "", fault.NotFound, "2 nodes fit"},
		"an unknown name":            {[]string{"web-1", "nix"}, "", fault.NotFound, "find node nix"},
		"all wrong names are named":  {[]string{"nix", "web-1", "twin", "zip-*"}, "", fault.NotFound, "3 of 4 targets fit no node or several: nix, twin, zip-*"},
		"a slip beside all":          {[]string{"all", "wbe-1"}, "", fault.NotFound, "find node wbe-1"},
		"a pattern without a match":  {[]string{"zip-*"}, "", fault.NotFound, "no node has this name"},
		"a filter that leaves none":  {[]string{"all"}, "platform=windows", fault.NotFound, "after the filter"},
		"only nodes that are not up": {[]string{"down"}, "", fault.Offline, "down (" + down + ")"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := ParseFilter(tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			_, err = listed(t).Select(t.Context(), target(t, tt.targets...), f)
			if fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) || fault.HintOf(err) == "" {
				t.Errorf("got %v (hint %q), want %v, %q", err, fault.HintOf(err), tt.kind, tt.text)
			}
		})
	}
}
