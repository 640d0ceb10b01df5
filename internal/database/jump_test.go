package database

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/network"
)

func node(id, name, agent, ping string) fleet.Node {
	return fleet.Node{ID: id, Name: name, AgentVersion: agent, Ping: ping, IP: "10.0.0.9"}
}

func standsIn(id, vpc string, groups ...string) network.Instance {
	return network.Instance{ID: id, VPC: vpc, Groups: groups, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.9")}}
}

// site is two VPCs: sg-db in vpc-1 lets sg-web in, and everybody goes out.
func site(nodes []fleet.Node, instances ...network.Instance) Site {
	all := []network.Rule{{Protocol: "-1", Blocks: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}}
	s := Site{Nodes: nodes, Instances: map[string]network.Instance{}, Peers: map[string][]string{"vpc-1": {"vpc-2"}}, Groups: map[string]network.Group{
		"sg-db":   {ID: "sg-db", Name: "db", VPC: "vpc-1", In: []network.Rule{{Protocol: "tcp", From: 5432, To: 5432, Groups: []string{"sg-web"}}}},
		"sg-web":  {ID: "sg-web", Name: "web", VPC: "vpc-1", Out: all},
		"sg-mute": {ID: "sg-mute", Name: "mute", VPC: "vpc-1"},
		"sg-app":  {ID: "sg-app", Name: "app", VPC: "vpc-1", Out: all},
	}}
	for _, i := range instances {
		s.Instances[i.ID] = i
	}
	return s
}

var orders = Database{Service: RDS, Kind: Cluster, Name: "orders", VPC: "vpc-1", Groups: []string{"sg-db"}, Port: 5432}

func TestChoose(t *testing.T) {
	const on = fleet.Online
	tests := []struct {
		name string
		db   Database
		site Site
		want string // node id and reason
	}{
		{
			"the node that is let in",
			orders,
			site([]fleet.Node{node("i-1", "app-1", "3.3.0.0", on), node("i-2", "web-1", "3.3.0.0", on)}, standsIn("i-1", "vpc-1", "sg-app"), standsIn("i-2", "vpc-1", "sg-web")),
			"i-2 same VPC vpc-1, db (sg-db) lets web (sg-web) in on 5432",
		},
		{
			"the newest agent",
			orders,
			site([]fleet.Node{node("i-1", "web-1", "3.3.99.0", on), node("i-2", "web-2", "3.3.100.0", on)}, standsIn("i-1", "vpc-1", "sg-web"), standsIn("i-2", "vpc-1", "sg-web")),
			"i-2 same VPC",
		},
		{
			"of equals the first by name, whatever the order of the list",
			orders,
			site([]fleet.Node{node("i-1", "web-2", "3.3.1.0", on), node("i-3", "web-1", "3.3.1.0", on), node("i-2", "web-1", "3.3.1.0", on)},
				standsIn("i-1", "vpc-1", "sg-web"), standsIn("i-2", "vpc-1", "sg-web"), standsIn("i-3", "vpc-1", "sg-web")),
			"i-2 same VPC",
		},
		{
			"the same VPC before a peered one with a newer agent",
			orders,
			site([]fleet.Node{node("i-1", "a", "3.3.9.0", on), node("i-2", "b", "3.3.1.0", on)}, standsIn("i-1", "vpc-2", "sg-web"), standsIn("i-2", "vpc-1", "sg-web")),
			"i-2 same VPC",
		},
		{
			"a peered VPC",
			orders,
			site([]fleet.Node{node("i-1", "a", "3.3.9.0", on)}, standsIn("i-1", "vpc-2", "sg-web")),
			"i-1 vpc-2 is peered with vpc-1, db (sg-db) lets",
		},
		{
			"not one that is offline, nor in another VPC, nor unknown to EC2",
			orders,
			site([]fleet.Node{node("i-1", "a", "3.9", fleet.Lost), node("i-2", "b", "3.9", on), node("mi-3", "c", "3.9", on), node("i-4", "d", "3.1", on)},
				standsIn("i-1", "vpc-1", "sg-web"), standsIn("i-2", "vpc-9", "sg-web"), standsIn("i-4", "vpc-1", "sg-web")),
			"i-4 same VPC",
		},
		{
			"a node that may not go out is passed over",
			orders,
			site([]fleet.Node{node("i-1", "a", "3.9", on), node("i-2", "b", "3.1", on)}, standsIn("i-1", "vpc-1", "sg-mute"), standsIn("i-2", "vpc-1", "sg-web")),
			"i-2 same VPC",
		},
		{
			"the VPC of the security group, where the service does not say it",
			Database{Kind: Group, Name: "carts", Groups: []string{"sg-db"}},
			site([]fleet.Node{node("i-1", "a", "3.9", on)}, standsIn("i-1", "vpc-1", "sg-web")),
			"i-1 same VPC vpc-1",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := tt.site.Choose(tt.db, 5432)
			if err != nil || !strings.HasPrefix(r.Node.ID+" "+r.Why, tt.want) {
				t.Errorf("got %s %s (%v), want %s", r.Node.ID, r.Why, err, tt.want)
			}
		})
	}
	blind := site([]fleet.Node{node("i-1", "a", "3.9", on)}, standsIn("i-1", "vpc-1", "sg-app"))
	blind.Groups = nil
	if r, err := blind.Choose(orders, 5432); err != nil || r.Why != "same VPC vpc-1, its security groups are not known" {
		t.Errorf("without security groups: %s, %v", r.Why, err)
	}
}

func TestChooseSaysWhatIsMissing(t *testing.T) {
	const on = fleet.Online
	mute := site([]fleet.Node{node("i-1", "a", "3.9", on)}, standsIn("i-1", "vpc-1", "sg-mute"))
	mute.Groups["sg-db"] = network.Group{ID: "sg-db", Name: "db", In: []network.Rule{{Protocol: "-1", Groups: []string{"sg-mute"}}}}
	for _, tt := range []struct {
		name string
		db   Database
		site Site
		kind fault.Kind
		want []string
	}{
		{
			"no node", orders, site([]fleet.Node{node("i-1", "a", "3.9", on)}, standsIn("i-1", "vpc-9", "sg-web")), fault.NotFound,
			[]string{"no managed node is in vpc-1", "--via NODE"},
		},
		{
			"offline", orders, site([]fleet.Node{node("i-1", "a", "3.9", fleet.Lost)}, standsIn("i-1", "vpc-1", "sg-web")), fault.Offline,
			[]string{"offline: a (i-1)", "ssmdeck doctor i-1"},
		},
		{
			"shut", orders, site([]fleet.Node{node("i-1", "a", "3.9", on)}, standsIn("i-1", "vpc-1", "sg-app")), fault.NotFound,
			[]string{"none of the nodes in on port 5432: a (i-1) in app (sg-app)", "add an inbound rule to db (sg-db): TCP 5432 from app (sg-app)"},
		},
		{
			"locked in", orders, mute, fault.NotFound,
			[]string{"a (i-1): its own security groups let nothing out on 5432", "allow TCP 5432 out to sg-db"},
		},
		{
			"in no VPC",
			Database{Kind: Domain, Name: "public"},
			site(nil), fault.NotFound,
			[]string{"no VPC that is known", "--via NODE"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.site.Choose(tt.db, 5432)
			if fault.KindOf(err) != tt.kind {
				t.Fatalf("kind %v of %v", fault.KindOf(err), err)
			}
			text := err.Error() + "\n" + fault.HintOf(err)
			for _, w := range tt.want {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not in %q", w, text)
				}
			}
		})
	}
}
