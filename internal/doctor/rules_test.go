package doctor

import (
	"errors"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// healthy are the facts of an instance to which nothing is wrong: it stands in a
// subnet with a NAT gateway, and its agent is silent, so that nothing softens
// what a test breaks.
func healthy() facts {
	on := true
	everywhere := []netip.Prefix{network.Internet}
	all := []network.ACLRule{{Number: 100, Allow: true, To: 65535, Block: network.Internet}}
	f := facts{id: "i-1", now: noon, region: "eu-west-1"}
	f.node.value = &fleet.Node{
		ID: "i-1", Ping: fleet.Lost, LastPing: noon.Add(-3 * time.Hour), AgentVersion: "3.3.4851.0", AgentLatest: &on, Platform: "linux",
		ResourceType: "EC2Instance", PlatformName: "Amazon Linux", PlatformVersion: "2023",
	}
	f.machine.value = &network.Machine{
		Instance: network.Instance{ID: "i-1", VPC: "vpc-1", Subnet: "subnet-1", Groups: []string{"sg-1"}, Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.10")}},
		State:    "running", Profile: "arn:aws:iam::1:instance-profile/app", TokensRequired: true,
	}
	f.profile.value = &iam.Profile{Name: "app", Role: "app"}
	f.role.value = &iam.Role{Name: "app", ARN: "arn:aws:iam::1:role/app", Trust: `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`}
	f.rights.value = allowing(slices.Concat(registerActions, channelActions, messageActions)...)
	f.caller.value = allowing("ssm:StartSession")
	f.vpc.value = network.VPC{ID: "vpc-1", DNSSupport: true, DNSHostnames: true, Blocks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}}
	f.subnets.value = map[string]network.Subnet{
		"subnet-1": {ID: "subnet-1", Zone: "eu-west-1a", Block: netip.MustParsePrefix("10.0.0.0/24")},
		"subnet-2": {ID: "subnet-2", Zone: "eu-west-1b", Block: netip.MustParsePrefix("10.0.1.0/24")},
	}
	f.tables.value = []network.RouteTable{{ID: "rtb-1", Main: true, Routes: []network.Route{{To: network.Internet, Target: "nat-1"}}}}
	f.acls.value = []network.ACL{{ID: "acl-1", Subnets: []string{"subnet-1"}, In: all, Out: all}, {ID: "acl-2", Subnets: []string{"subnet-2"}, In: all, Out: all}}
	f.groups.value = map[string]network.Group{
		"sg-1":  {ID: "sg-1", Out: []network.Rule{{Protocol: "-1", Blocks: everywhere}}},
		"sg-ep": {ID: "sg-ep", In: []network.Rule{{Protocol: "tcp", From: 443, To: 443, Groups: []string{"sg-1"}}}},
	}
	return f
}

func allowing(actions ...string) rights {
	r := rights{by: "by IAM's simulation"}
	for _, a := range actions {
		r.decisions = append(r.decisions, iam.Decision{Action: a, Result: iam.Allowed})
	}
	return r
}

// lockedDown takes the way to the internet away, and gives endpoints.
func lockedDown(f *facts, services ...string) {
	f.tables.value = []network.RouteTable{{ID: "rtb-1", Main: true}}
	for _, s := range services {
		f.endpoints.value = append(f.endpoints.value, network.Endpoint{
			ID: "vpce-" + s, Service: s, State: "available", PrivateDNS: true, Subnets: []string{"subnet-1"}, Groups: []string{"sg-ep"},
		})
	}
}

func denyOf(op, action string) error {
	return fault.New(fault.Auth, op, "not allowed: %s", action)
}

// examined makes all checks of facts, as Examine does.
func examined(f *facts) []Check {
	var all []Check
	for _, k := range wanted(f.id, nil) {
		all = append(all, k.run(f))
	}
	return append(all, conclude(f, all))
}

func withStatus(checks []Check, s Status) []string {
	var causes []string
	for _, c := range checks {
		if c.Status == s && c.Cause != "" {
			causes = append(causes, c.Cause)
		}
	}
	slices.Sort(causes)
	return slices.Compact(causes)
}

// ills are facts with one thing wrong, and the causes that the checks must name.
var ills = []struct {
	name  string
	spoil func(f *facts)
	fails []string
	warns []string
}{
	{"silent agent", func(*facts) {}, []string{"agent-silent"}, nil},
	{"unknown node", func(f *facts) { f.node.value = nil }, []string{"agent-absent"}, nil},
	{"inactive node", func(f *facts) { f.node.value.Ping = fleet.Inactive }, []string{"node-inactive"}, nil},
	{"stopped", func(f *facts) { f.machine.value.State = "stopped" }, []string{"instance-stopped"}, nil},
	{"stopping", func(f *facts) { f.machine.value.State = "stopping" }, []string{"instance-stopped"}, nil},
	{"pending", func(f *facts) { f.machine.value.State = "pending" }, []string{"instance-pending"}, nil},
	{"terminated", func(f *facts) { f.machine.value.State = "shutting-down" }, []string{"instance-terminated"}, nil},
	{"gone from EC2", func(f *facts) { f.machine.value = nil }, []string{"instance-terminated"}, nil},
	{"impaired", func(f *facts) { f.impaired.value = "instance: impaired" }, []string{"instance-impaired"}, nil},
	{"too old", func(f *facts) { f.node.value.AgentVersion = "2.3.50.0" }, []string{"agent-too-old"}, nil},
	{"old", func(f *facts) { f.node.value.AgentVersion = "2.3.701.0" }, []string{"agent-silent"}, []string{"agent-lacks-features"}},
	{"not the newest", func(f *facts) { *f.node.value.AgentLatest = false }, []string{"agent-silent"}, []string{"agent-outdated"}},

	{"no metadata", func(f *facts) { f.machine.value.MetadataOff = true }, []string{"metadata-off"}, nil},
	{"no profile", func(f *facts) { f.machine.value.Profile = "" }, []string{"no-instance-profile"}, nil},
	{"no profile, host management unknown", func(f *facts) {
		f.machine.value.Profile, f.defaultHost.err = "", denyOf("read", "ssm:GetServiceSetting")
	}, []string{"no-instance-profile"}, nil},
	{"profile deleted", func(f *facts) { f.profile.value = nil }, []string{"profile-missing"}, nil},
	{"profile empty", func(f *facts) { f.profile.value.Role = "" }, []string{"profile-empty"}, nil},
	{"host management, old agent", func(f *facts) { byHost(f); f.node.value.AgentVersion = "3.2.581.9" }, []string{"default-host-agent-old"}, []string{"agent-lacks-features"}},
	{"host management, IMDSv1", func(f *facts) { byHost(f); f.machine.value.TokensRequired = false }, []string{"default-host-imdsv1"}, nil},
	{"host management, role not for it", func(f *facts) {
		byHost(f)
		f.role.value.Trust = strings.Replace(f.role.value.Trust, "ssm.", "ec2.", 1)
	}, []string{"trust-missing"}, nil},
	{"role deleted", func(f *facts) { f.role.value = nil }, []string{"role-missing"}, nil},
	{"wrong trust", func(f *facts) { f.role.value.Trust = strings.Replace(f.role.value.Trust, "ec2.", "lambda.", 1) }, []string{"trust-missing"}, nil},
	{"no rights", func(f *facts) { f.rights.value = allowing() }, []string{"role-lacks-policy"}, nil},
	{"no channels", func(f *facts) { f.rights.value = allowing(registerActions...) }, []string{"role-lacks-messages"}, nil},
	{"no registering", func(f *facts) { f.rights.value = allowing(channelActions...) }, []string{"role-lacks-register"}, nil},
	{"no messages, old agent", func(f *facts) {
		f.node.value.AgentVersion, f.rights.value = "3.3.39.0", allowing(slices.Concat(registerActions, channelActions)...)
	}, []string{"role-lacks-policy"}, nil},
	{"no messages, new agent", func(f *facts) { f.rights.value = allowing(slices.Concat(registerActions, channelActions)...) }, []string{"agent-silent"}, nil},
	{"denied", func(f *facts) { f.rights.value.decisions[1].Result = iam.Denied }, []string{"policy-denies"}, nil},
	{"out of bounds", func(f *facts) { f.rights.value.decisions[1].Result = iam.OutOfBounds }, []string{"boundary-denies"}, nil},
	{"out of the organization", func(f *facts) { f.rights.value.decisions[1].Result = iam.OutOfOrganization }, []string{"organization-denies"}, nil},
	{"under a condition", func(f *facts) { f.rights.value.decisions[1].Result = iam.Perhaps }, []string{"agent-silent"}, nil},
	{"logs", func(f *facts) { f.preferences.value = settings("s3BucketName", "logs") }, []string{"agent-silent"}, []string{"role-lacks-logs"}},
	{"key", func(f *facts) { f.preferences.value = settings("kmsKeyId", "alias/x") }, []string{"agent-silent"}, []string{"role-lacks-key"}},
	{"caller not allowed", func(f *facts) { f.caller.value.decisions[0].Result = iam.NotAllowed }, []string{"caller-denied"}, nil},
	{"caller denied", func(f *facts) { f.caller.value.decisions[0].Result = iam.Denied }, []string{"caller-denied"}, nil},

	{"no names", func(f *facts) { f.vpc.value.DNSSupport = false }, []string{"dns-support-off"}, nil},
	{"no hostnames, and no need", func(f *facts) { f.vpc.value.DNSHostnames = false }, []string{"agent-silent"}, nil},
	{"no hostnames", func(f *facts) { lockedDown(f, svcSSM, svcChannels, "s3"); f.vpc.value.DNSHostnames = false }, []string{"dns-hostnames-off"}, []string{"no-ec2messages-endpoint", "no-s3-endpoint"}},
	{"no route", func(f *facts) { lockedDown(f) }, []string{"no-route"}, []string{"no-s3-endpoint"}},
	{"no table", func(f *facts) { f.tables.value = nil }, []string{"no-route"}, []string{"no-s3-endpoint"}},
	{"no public address", func(f *facts) { f.tables.value[0].Routes[0].Target = "igw-1" }, []string{"no-public-ip"}, []string{"no-s3-endpoint"}},
	{"public address", func(f *facts) {
		f.tables.value[0].Routes[0].Target, f.machine.value.PublicIP = "igw-1", netip.MustParseAddr("203.0.113.1")
	}, []string{"agent-silent"}, nil},
	{"black hole", func(f *facts) { f.tables.value[0].Routes[0].Blackhole = true }, []string{"route-blackhole"}, []string{"no-s3-endpoint"}},
	{"transit gateway", func(f *facts) { f.tables.value[0].Routes[0].Target = "tgw-1" }, nil, []string{"route-elsewhere"}},
	{"locked down", func(f *facts) { lockedDown(f, svcSSM, svcChannels, svcMessages, "s3") }, []string{"agent-silent"}, nil},
	{"no endpoint to ssm", func(f *facts) { lockedDown(f, svcChannels, svcMessages, "s3") }, []string{"no-ssm-endpoint"}, nil},
	{"no endpoint to ssmmessages", func(f *facts) { lockedDown(f, svcSSM, svcMessages, "s3") }, []string{"no-ssmmessages-endpoint"}, nil},
	{"no endpoint to ec2messages", func(f *facts) { lockedDown(f, svcSSM, svcChannels, "s3") }, []string{"agent-silent"}, []string{"no-ec2messages-endpoint"}},
	{"no endpoint to ec2messages, old agent", func(f *facts) {
		lockedDown(f, svcSSM, svcChannels, "s3")
		f.node.value.AgentVersion = "3.3.39.0"
	}, []string{"no-ec2messages-endpoint"}, nil},
	{"an endpoint before the internet", func(f *facts) {
		tables := f.tables.value
		lockedDown(f, svcSSM)
		f.tables.value, f.endpoints.value[0].State = tables, "failed"
	}, []string{"endpoint-not-available"}, nil},
	{"private DNS off", func(f *facts) {
		lockedDown(f, svcSSM, svcChannels, svcMessages, "s3")
		f.endpoints.value[0].PrivateDNS = false
	}, []string{"private-dns-off"}, nil},
	{"private DNS off, and the internet", func(f *facts) {
		tables := f.tables.value
		lockedDown(f, svcSSM)
		f.tables.value, f.endpoints.value[0].PrivateDNS = tables, false
	}, []string{"agent-silent"}, nil},
	{"endpoint shut", func(f *facts) {
		lockedDown(f, svcSSM, svcChannels, svcMessages, "s3")
		f.groups.value["sg-ep"] = network.Group{ID: "sg-ep"}
	}, []string{"endpoint-group-closed"}, []string{"endpoint-group-closed"}},
	{"endpoint for others", func(f *facts) {
		lockedDown(f, svcSSM, svcChannels, svcMessages, "s3")
		f.endpoints.value[1].Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:*","Resource":"*"}]}`
	}, []string{"endpoint-policy-denies"}, nil},
	{"group lets nothing out", func(f *facts) { f.groups.value["sg-1"] = network.Group{ID: "sg-1"} }, []string{"group-blocks-out"}, nil},
	{"nothing out on 443", func(f *facts) {
		f.acls.value[0].Out = []network.ACLRule{{Allow: true, From: 80, To: 80, Block: network.Internet}}
	}, []string{"acl-blocks-out"}, nil},
	{"no answers in", func(f *facts) {
		f.acls.value[0].In = []network.ACLRule{{Allow: true, From: 443, To: 443, Block: network.Internet}}
	}, []string{"acl-blocks-in"}, nil},
	{"no answers in, Windows", func(f *facts) {
		f.machine.value.Platform = "windows"
		f.acls.value[0].In = []network.ACLRule{{Allow: true, From: 32768, To: 60999, Block: network.Internet}}
	}, []string{"acl-blocks-in"}, nil},
	{"the endpoint's list shuts the machine out", func(f *facts) {
		elsewhereEndpoints(f)
		f.acls.value[1].In = nil
	}, []string{"acl-blocks-in"}, nil},
	{"the endpoint's list keeps answers", func(f *facts) {
		elsewhereEndpoints(f)
		f.acls.value[1].Out = nil
	}, []string{"acl-blocks-out"}, nil},
	{"endpoints in another subnet", elsewhereEndpoints, []string{"agent-silent"}, nil},
	{"logs, no way", func(f *facts) {
		lockedDown(f, svcSSM, svcChannels, svcMessages, "s3")
		f.preferences.value, f.extras.value = settings("cloudWatchLogGroupName", "/x"), allowing("logs:CreateLogStream", "logs:PutLogEvents")
	}, []string{"agent-silent"}, []string{"no-logs-endpoint"}},
	{"key, no way", func(f *facts) {
		lockedDown(f, svcSSM, svcChannels, svcMessages, "s3")
		f.preferences.value, f.extras.value = settings("kmsKeyId", "alias/x"), allowing("kms:Decrypt")
	}, []string{"agent-silent"}, []string{"no-kms-endpoint"}},

	{"hybrid, silent", func(f *facts) { asHybrid(f) }, []string{"agent-silent"}, []string{"activation-deleted"}},
	{"hybrid, activation over", func(f *facts) {
		asHybrid(f)
		f.activation.value = &activation{id: "a", expires: noon.Add(-time.Hour)}
	}, []string{"agent-silent"}, []string{"activation-expired"}},
	{"hybrid, activation in force", func(f *facts) {
		asHybrid(f)
		f.activation.value = &activation{id: "a", expires: noon.Add(time.Hour)}
	}, []string{"agent-silent"}, nil},
	{"hybrid, role for EC2", func(f *facts) {
		asHybrid(f)
		f.role.value.Trust = strings.Replace(f.role.value.Trust, "ssm.", "ec2.", 1)
	}, []string{"trust-missing"}, []string{"activation-deleted"}},
	{"hybrid, role deleted", func(f *facts) { asHybrid(f); f.role.value = nil }, []string{"role-missing"}, []string{"activation-deleted"}},
}

func byHost(f *facts) {
	f.machine.value.Profile, f.profile.value, f.defaultHost.value = "", nil, "service-role/Host"
	f.role.value.Name, f.role.value.Trust = "Host", strings.Replace(f.role.value.Trust, "ec2.", "ssm.", 1)
}

func elsewhereEndpoints(f *facts) {
	lockedDown(f, svcSSM, svcChannels, svcMessages, "s3")
	for i := range f.endpoints.value {
		f.endpoints.value[i].Subnets = []string{"subnet-2"}
	}
}

func asHybrid(f *facts) {
	f.id, f.machine.value = "mi-1", nil
	f.node.value.ID, f.node.value.IAMRole, f.node.value.ActivationID = "mi-1", "service-role/app", "a"
	f.role.value.Trust = strings.Replace(f.role.value.Trust, "ec2.", "ssm.", 1)
}

func settings(name, value string) preferences.Preferences {
	return preferences.Preferences{Inputs: map[string]any{name: value}}
}

func TestRulesNameTheCause(t *testing.T) {
	for _, ill := range ills {
		f := healthy()
		ill.spoil(&f)
		checks := examined(&f)
		if got := withStatus(checks, Fail); !slices.Equal(got, sorted(ill.fails)) {
			t.Errorf("%s: failed %v, want %v", ill.name, got, ill.fails)
		}
		if got := withStatus(checks, Warn); !slices.Equal(got, sorted(ill.warns)) {
			t.Errorf("%s: warned %v, want %v", ill.name, got, ill.warns)
		}
		for _, c := range checks {
			if cause, ok := CauseOf(c.Cause); c.Cause != "" && (!ok || !c.Found()) {
				t.Errorf("%s: %s has the cause %q", ill.name, c.ID, c.Cause)
			} else if len(c.Repairs) > 0 && !cause.Fixes {
				t.Errorf("%s: --fix repairs %s, and the table does not say so", ill.name, c.Cause)
			}
			if c.Evidence == "" || c.Title == "" {
				t.Errorf("%s: %+v says nothing", ill.name, c)
			}
		}
	}
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// An agent that is connected proves that the network and the role are well.
func TestAConnectedAgentSoftensFindings(t *testing.T) {
	for _, ill := range ills {
		f := healthy()
		ill.spoil(&f)
		if f.node.value == nil {
			continue
		}
		f.node.value.Ping, f.node.value.LastPing, f.connected.value = fleet.Online, noon, true
		for _, c := range examined(&f) {
			if c.Status == Fail && c.Group != Agent && c.Cause != "caller-denied" {
				t.Errorf("%s: %s fails", ill.name, c.ID)
			}
		}
	}
}

func TestOnlineWithoutAChannel(t *testing.T) {
	f := healthy()
	f.node.value.Ping = fleet.Online
	if got := withStatus(examined(&f), Fail); !slices.Equal(got, []string{"no-channel"}) {
		t.Errorf("failed %v", got)
	}
}

// A rule may read no more than the sources it names: others may not be there yet.
func TestRulesReadWhatTheyName(t *testing.T) {
	for _, ill := range ills {
		f := healthy()
		ill.spoil(&f)
		for _, k := range wanted(f.id, nil) {
			whole, part := k.run(&f), restricted(f, append(slices.Clone(k.needs), srcNode, srcConnected))
			if got := k.run(&part); !reflect.DeepEqual(got, whole) {
				t.Errorf("%s: %s says %+v, and with its sources alone %+v", ill.name, k.id, whole, got)
			}
		}
	}
}

// restricted leaves the facts of some sources.
func restricted(f facts, of []source) facts {
	g := facts{id: f.id, now: f.now, region: f.region}
	for src, take := range map[source]func(){
		srcNode: func() { g.node = f.node }, srcConnected: func() { g.connected = f.connected }, srcMachine: func() { g.machine = f.machine },
		srcImpaired: func() { g.impaired = f.impaired }, srcDefaultHost: func() { g.defaultHost = f.defaultHost }, srcProfile: func() { g.profile = f.profile },
		srcOffered: func() { g.offered = f.offered }, srcRole: func() { g.role = f.role }, srcRights: func() { g.rights = f.rights },
		srcExtras: func() { g.extras = f.extras }, srcCaller: func() { g.caller = f.caller }, srcPreferences: func() { g.preferences = f.preferences },
		srcActivation: func() { g.activation = f.activation }, srcVPC: func() { g.vpc = f.vpc }, srcSubnets: func() { g.subnets = f.subnets },
		srcTables: func() { g.tables = f.tables }, srcACLs: func() { g.acls = f.acls }, srcEndpoints: func() { g.endpoints = f.endpoints },
		srcGroups: func() { g.groups = f.groups },
	} {
		if slices.Contains(of, src) {
			take()
		}
	}
	return g
}

// What may not be read is skipped and names the action; it is neither good nor
// bad.
func TestWhatIsDeniedIsSkipped(t *testing.T) {
	no := errors.New("x")
	for action, deny := range map[string]func(f *facts, err error){
		"ec2:DescribeInstances":          func(f *facts, err error) { f.machine = fact[*network.Machine]{err: err} },
		"ec2:DescribeVpcs":               func(f *facts, err error) { f.vpc = fact[network.VPC]{err: err} },
		"ec2:DescribeRouteTables":        func(f *facts, err error) { f.tables = fact[[]network.RouteTable]{err: err} },
		"ec2:DescribeNetworkAcls":        func(f *facts, err error) { f.acls = fact[[]network.ACL]{err: err} },
		"ec2:DescribeVpcEndpoints":       func(f *facts, err error) { f.endpoints = fact[[]network.Endpoint]{err: err} },
		"ec2:DescribeSecurityGroups":     func(f *facts, err error) { f.groups = fact[map[string]network.Group]{err: err} },
		"iam:GetInstanceProfile":         func(f *facts, err error) { f.profile = fact[*iam.Profile]{err: err} },
		"iam:GetRole":                    func(f *facts, err error) { f.role = fact[*iam.Role]{err: err} },
		"iam:ListAttachedRolePolicies":   func(f *facts, err error) { f.rights = fact[rights]{err: err} },
		"iam:SimulatePrincipalPolicy":    func(f *facts, err error) { f.caller = fact[rights]{err: err} },
		"ssm:GetConnectionStatus":        func(f *facts, err error) { f.connected.err = err },
		"ssm:DescribeInstanceProperties": func(f *facts, err error) { f.node = fact[*fleet.Node]{err: err} },
		"ssm:GetDocument":                func(f *facts, err error) { f.preferences.err = err },
	} {
		f := healthy()
		deny(&f, fault.New(fault.Auth, "read", "not allowed: %s", action))
		skipped := 0
		for _, c := range examined(&f) {
			if c.Status == Skip && c.Err != nil {
				skipped++
				if c.Evidence != "not allowed: "+action {
					t.Errorf("%s: %s says %q", action, c.ID, c.Evidence)
				}
			}
			if c.Status == Fail && c.Cause != "" && c.Cause != "agent-silent" {
				t.Errorf("%s: %s fails: %s", action, c.ID, c.Cause)
			}
		}
		if skipped == 0 {
			t.Errorf("%s: nothing was skipped", action)
		}
	}
	// Nor is what lies at the far end of an endpoint taken for good unread.
	for action, spoil := range map[string]struct {
		deny   func(f *facts, err error)
		checks []string
	}{
		"ec2:DescribeSecurityGroups": {func(f *facts, err error) { f.groups = fact[map[string]network.Group]{err: err} }, []string{"ssm", "ssmmessages", "security-group"}},
		"ec2:DescribeSubnets":        {func(f *facts, err error) { f.subnets = fact[map[string]network.Subnet]{err: err} }, []string{"security-group", "acl"}},
	} {
		f := healthy()
		lockedDown(&f, svcSSM, svcChannels)
		for i := range f.endpoints.value {
			f.endpoints.value[i].Subnets = []string{"subnet-2"}
		}
		f.groups.value["sg-1"] = network.Group{ID: "sg-1"}
		spoil.deny(&f, fault.New(fault.Auth, "read", "not allowed: %s", action))
		var skipped []string
		for _, c := range examined(&f) {
			if c.Err != nil {
				skipped = append(skipped, c.ID)
			}
		}
		if !slices.Equal(skipped, spoil.checks) {
			t.Errorf("%s: skipped %v, want %v", action, skipped, spoil.checks)
		}
	}
	if AllDenied([]Check{unread(no), unread(denyOf("a", "b:C")), skip("x")}) == nil {
		t.Error("all were skipped")
	} else if AllDenied([]Check{unread(no), pass("x")}) != nil || AllDenied([]Check{skip("x")}) != nil {
		t.Error("one was made, or nothing was denied")
	}
	if fault.KindOf(AllDenied([]Check{unread(no), unread(denyOf("a", "b:C"))})) != fault.Auth {
		t.Error("the missing right says more than another error")
	}
}

func TestOlder(t *testing.T) {
	for _, tt := range []struct {
		version, than string
		want          bool
	}{
		{"", "1.0", false}, {"3.3.39.0", "3.3.40.0", true}, {"3.3.40.0", "3.3.40.0", false}, {"3.10.0.0", "3.9.0.0", false}, {"3.2", "3.2.1", true}, {"x", "1", true},
	} {
		if got := older(tt.version, tt.than); got != tt.want {
			t.Errorf("%q below %q: %v", tt.version, tt.than, got)
		}
	}
}

// The page of the causes holds the table of this package, word for word.
func TestDocumentationHasEveryCause(t *testing.T) {
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range causes {
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
		fixes := ""
		if c.Fixes {
			fixes = "yes"
		}
		if row := "| `" + c.ID + "` | " + c.Means + " | " + c.Do + " | " + fixes + " |\n"; !strings.Contains(string(page), row) {
			t.Errorf("the page lacks\n%s", row)
		}
	}
	if rows := strings.Count(string(page), "\n| `"); rows != len(causes) {
		t.Errorf("the page has %d causes of %d", rows, len(causes))
	}
}

// BenchmarkRules makes all checks of one machine whose facts are there.
func BenchmarkRules(b *testing.B) {
	f := healthy()
	lockedDown(&f, svcSSM, svcChannels, svcMessages, "s3")
	for b.Loop() {
		examined(&f)
	}
}
