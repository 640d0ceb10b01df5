package pagefleet_test

import (
	"context"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/compliance"
	"github.com/ssmdeck/ssmdeck/internal/database"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/pagefleet"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// fixture is a page on the screen with its sources and services.
type fixture struct {
	*tuitest.Screen
	page *pagefleet.Page
	set  *sources.Set
	svc  *pagefleet.Services
	// asked are the ids that were read, by what was read of them.
	asked map[string][]string
}

func open(t testing.TB, change ...func(*fixture)) *fixture {
	f := &fixture{asked: map[string][]string{}}
	f.set = &sources.Set{
		Nodes:   feed.NewSource[fleet.Node](sources.Nodes, nil),
		Patches: feed.NewSource[fleet.Node](sources.Patches, nil),
	}
	f.svc = f.services()
	for _, c := range change {
		c(f)
	}
	f.Screen = tuitest.New(t, func(d *deck.Deck, desk *feed.Desk) []deck.Page {
		f.page = pagefleet.New(d, desk, f.set, *f.svc)
		return []deck.Page{f.page}
	})
	return f
}

// fill puts the fleet in.
func (f *fixture) fill() *fixture {
	f.set.Nodes.Set(tuitest.Place, someNodes(), tuitest.Now.Add(-4*time.Second))
	f.set.Patches.Set(tuitest.Place, patchedNodes(), tuitest.Now.Add(-time.Minute))
	f.Changed(sources.Nodes)
	f.Send(deck.Tick{})
	return f
}

func ago(d time.Duration) time.Time { return tuitest.Now.Add(-d) }

func someNodes() []fleet.Node {
	node := func(id, name, ping string, heard time.Duration, agent string) fleet.Node {
		return fleet.Node{
			ID: id, Name: name, ComputerName: "ip-10-0-1-10.ec2.internal", Ping: ping, LastPing: ago(heard), Platform: "linux", PlatformName: "Amazon Linux",
			PlatformVersion: "2023", AgentVersion: agent, IP: "10.0.1.10", ResourceType: "EC2Instance", InstanceType: "t3.small", IAMRole: "web-node",
			AssociationStatus: "Success", State: "running", AZ: "eu-west-1a", VPC: "vpc-0f1e2d3c4b5a69780", Subnet: "subnet-0a1b2c3d4e5f60718",
			Registered: ago(900 * time.Hour), Launched: ago(901 * time.Hour), Tags: map[string]string{"env": "prod", "role": "web", "Name": name},
			Unknown: []string{"patch"},
		}
	}
	tokyo := node("i-0c3d4e5f607182930", "東京サーバー", fleet.Online, 20*time.Second, "3.3.4851.0")
	tokyo.AssociationStatus = "Failed"
	evil := node("i-0d4e5f60718293a4b", "evil\x1b[31m\u202ename\nsecond", fleet.Online, time.Minute, "3.3.3270.0")
	evil.Tags = map[string]string{"env": "dev\x07", "note": "a very long value of a tag that does not fit into any pane and goes on and on"}
	stopped := node("i-0e5f60718293a4b5c", "batch-7", fleet.Lost, 40*time.Hour, "3.3.4851.0")
	stopped.State = "stopped"
	windows := node("i-00718293a4b5c6d7e", "db-admin", fleet.Online, 30*time.Second, "3.2.2303.0")
	windows.Platform, windows.PlatformName, windows.PlatformVersion = "windows", "Microsoft Windows Server 2022 Datacenter", "10.0.20348"
	windows.Unknown, windows.Tags, windows.State, windows.AZ, windows.VPC = []string{"ec2", "patch"}, nil, "", "", ""
	edge := node("mi-0c5d6e7f8a9b0c1d2", "warehouse", fleet.Inactive, 800*time.Hour, "3.3.3572.0")
	edge.ResourceType, edge.InstanceType, edge.State, edge.AZ, edge.VPC, edge.AssociationStatus = "ManagedInstance", "", "", "", "", ""
	edge.ActivationID, edge.PlatformName, edge.PlatformVersion = "3f1c-42", "Debian GNU/Linux", "12"
	return []fleet.Node{
		node("i-0123456789abcdef0", "web-1", fleet.Online, 12*time.Second, "3.3.4851.0"),
		node("i-0a1b2c3d4e5f60718", "web-2", fleet.Lost, 3*time.Hour, "3.3.4851.0"),
		tokyo, evil, stopped, windows, edge,
	}
}

// patchedNodes are those of which patching has found something; the Windows node may
// not be read.
func patchedNodes() []fleet.Node {
	states := map[string]*fleet.PatchState{
		"i-0123456789abcdef0": {Operation: "Scan", Ended: ago(5 * time.Hour), Installed: 31, Baseline: "pb-0c10e65780EXAMPLE", Group: "web"},
		"i-0a1b2c3d4e5f60718": {Operation: "Install", Ended: ago(26 * time.Hour), Installed: 30, PendingReboot: 3, Security: 1},
		"i-0c3d4e5f607182930": {Operation: "Scan", Ended: ago(27 * time.Hour), Installed: 22, Missing: 7, Failed: 2, Critical: 2, Security: 5},
		"i-0d4e5f60718293a4b": {Operation: "Scan", Ended: ago(time.Hour), Installed: 2, Missing: 1},
	}
	nodes := someNodes()
	for i := range nodes {
		nodes[i].Patch = states[nodes[i].ID]
		nodes[i].Unknown = nil
		if nodes[i].Platform == "windows" {
			nodes[i].Unknown = []string{"ec2", "patch"}
		}
	}
	return nodes
}

// services answer at once, and note who was asked about.
func (f *fixture) services() *pagefleet.Services {
	note := func(what, id string) { f.asked[what] = append(f.asked[what], id) }
	return &pagefleet.Services{
		Unmanaged: feed.NewSource[fleet.Node]("unmanaged instances", nil),
		Facts: func(_ context.Context, _ grid.Place, id string) (fleet.Node, []fleet.Gap, error) {
			note("facts", id)
			for _, n := range patchedNodes() {
				if n.ID == id {
					return n, nil, nil
				}
			}
			return fleet.Node{}, nil, fault.New(fault.NotFound, "get node "+id, "no such node")
		},
		Commands: func(_ context.Context, _ grid.Place, id string) ([]run.Command, error) {
			note("commands", id)
			return []run.Command{
				{ID: "2b196342-d7d4-436e-8f09-3883a1116ac3", Document: "AWS-RunShellScript", State: run.Failed, Requested: ago(2 * time.Hour), Comment: "restart nginx"},
				{ID: "3c196342-d7d4-436e-8f09-3883a1116ac3", Document: "AWS-RunPatchBaseline", State: run.Success, Requested: ago(5 * time.Hour)},
			}, nil
		},
		Associations: func(context.Context, grid.Place, string) ([]compliance.Item, error) {
			return nil, fault.New(fault.Auth, "list compliance", "not allowed: ssm:ListComplianceItems").WithHint("ask for an IAM policy that allows ssm:ListComplianceItems")
		},
		Inventory: func(context.Context, grid.Place, string) (map[string]inventory.Coverage, error) {
			return map[string]inventory.Coverage{inventory.Application: {Reported: true, Entries: 50, More: true, Captured: ago(20 * time.Minute)}}, nil
		},
		Sessions: func(context.Context, grid.Place, string) ([]sessions.Entry, error) {
			return []sessions.Entry{{ID: "ada-0a1b", Owner: "arn:aws:sts::123456789012:assumed-role/admin/ada", Started: ago(9 * time.Minute), Reason: "INC-1234"}}, nil
		},
		Doctor: func(_ context.Context, _ grid.Place, id string) ([]doctor.Check, error) {
			note("doctor", id)
			return someChecks(id), nil
		},
		Databases: func(context.Context, grid.Place) ([]database.Database, []error) {
			return []database.Database{
				{Service: "rds", Name: "orders-prod", Engine: "aurora-postgresql", Endpoint: "orders.cluster-xyz.eu-west-1.rds.amazonaws.com", Port: 5432, VPC: "vpc-0f1e2d3c4b5a69780"},
				{Service: "rds", Name: "elsewhere", Engine: "mysql", Endpoint: "elsewhere.eu-west-1.rds.amazonaws.com", Port: 3306, VPC: "vpc-0c1b2a39485766753"},
			}, nil
		},
	}
}

func someChecks(id string) []doctor.Check {
	return []doctor.Check{
		{Target: id, Group: doctor.Agent, ID: "ping", Title: "the agent calls", Status: doctor.Fail, Cause: "connection-lost", Evidence: "last ping 3 h ago"},
		{Target: id, Group: doctor.IAM, ID: "profile", Title: "the role allows what an agent needs", Status: doctor.Fail, Cause: "role-lacks-policy", Evidence: "role web-node lacks ssm:UpdateInstanceInformation", Fix: []string{"aws iam attach-role-policy --role-name web-node"}, Repairs: []doctor.Repair{{Role: "web-node", Instance: id}}},
		{Target: id, Group: doctor.Network, ID: "route", Title: "there is a way to the service", Status: doctor.Pass, Evidence: "endpoint vpce-0a1b"},
		{Target: id, Group: doctor.Network, ID: "acl", Title: "access lists let answers in", Status: doctor.Skip, Evidence: "not allowed: ec2:DescribeNetworkAcls"},
	}
}

type contextT = context.Context

func pageSelect(id string) pagefleet.Select { return pagefleet.Select{At: tuitest.Place, ID: id} }
