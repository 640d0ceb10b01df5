package doctor

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/network"
)

// planOf is what --fix would do about facts.
func planOf(f *facts) []string {
	var plan []string
	for _, r := range Plan(examined(f)) {
		plan = append(plan, r.String())
	}
	return plan
}

func TestPlans(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(f *facts)
		want  []string
	}{
		{"nothing to do", func(*facts) {}, nil},
		{"no route", func(f *facts) { lockedDown(f) }, []string{
			"create security group ssmdeck-endpoints in vpc-1, which lets 443 in from 10.0.0.0/16",
			"create an endpoint to com.amazonaws.eu-west-1.ssm in subnet-1, which all of vpc-1 will use",
			"create an endpoint to com.amazonaws.eu-west-1.ssmmessages in subnet-1, which all of vpc-1 will use",
		}},
		{"no route, no hostnames, two ranges", func(f *facts) {
			lockedDown(f)
			f.vpc.value.DNSHostnames = false
			f.vpc.value.Blocks = append(f.vpc.value.Blocks, netip.MustParsePrefix("10.9.0.0/16"))
		}, []string{
			"enable DNS hostnames in vpc-1",
			"create security group ssmdeck-endpoints in vpc-1, which lets 443 in from 10.0.0.0/16, 10.9.0.0/16",
			"create an endpoint to com.amazonaws.eu-west-1.ssm in subnet-1, which all of vpc-1 will use",
			"create an endpoint to com.amazonaws.eu-west-1.ssmmessages in subnet-1, which all of vpc-1 will use",
		}},
		{"one endpoint is missing, the others' group is for some only", func(f *facts) { lockedDown(f, svcSSM, "s3", svcMessages) }, []string{
			"create security group ssmdeck-endpoints in vpc-1, which lets 443 in from 10.0.0.0/16",
			"create an endpoint to com.amazonaws.eu-west-1.ssmmessages in subnet-1, which all of vpc-1 will use",
		}},
		{"one endpoint is missing, the others' group is for all", func(f *facts) {
			lockedDown(f, svcSSM, "s3", svcMessages)
			f.groups.value["sg-ep"] = network.Group{ID: "sg-ep", In: []network.Rule{{Protocol: "tcp", From: 443, To: 443, Blocks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}}
		}, []string{"create an endpoint to com.amazonaws.eu-west-1.ssmmessages in subnet-1, which all of vpc-1 will use"}},
		{"private DNS off: who would be led there is let in first", func(f *facts) {
			lockedDown(f, svcSSM, svcChannels, svcMessages, "s3")
			f.endpoints.value[0].PrivateDNS = false
		}, []string{"let 10.0.0.0/16 into sg-ep on 443", "enable private DNS of vpce-ssm, which all of vpc-1 will use"}},
		{"hostnames off", func(f *facts) {
			lockedDown(f, svcSSM, svcChannels, svcMessages, "s3")
			f.vpc.value.DNSHostnames = false
		}, []string{"let 10.0.0.0/16 into sg-ep on 443", "enable DNS hostnames in vpc-1"}},
		{"group shut towards the internet", func(f *facts) { f.groups.value["sg-1"] = network.Group{ID: "sg-1"} }, []string{"let members of sg-1 out to 0.0.0.0/0 on 443"}},
		{"group shut towards endpoints", func(f *facts) {
			lockedDown(f, svcSSM, svcChannels, svcMessages, "s3")
			f.groups.value["sg-1"] = network.Group{ID: "sg-1"}
		}, []string{"let members of sg-1 out to 10.0.0.0/24 on 443"}},
		{"no profile that anybody named", func(f *facts) { f.machine.value.Profile = "" }, nil},
		{"no profile", func(f *facts) { f.machine.value.Profile, f.offered.value = "", "mine" }, []string{"attach instance profile mine to i-1"}},
		{"no rights", func(f *facts) { f.rights.value = allowing() }, []string{"attach AmazonSSMManagedInstanceCore to role app"}},
	} {
		f := healthy()
		tt.spoil(&f)
		if got := planOf(&f); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

func TestIncompleteRepairsAskForAProfile(t *testing.T) {
	f := healthy()
	f.machine.value.Profile = ""
	for _, c := range examined(&f) {
		if c.Cause == "no-instance-profile" && (!c.Repairs[0].Incomplete() || !strings.Contains(c.Fix[0], "Name=PROFILE")) {
			t.Errorf("got %+v", c)
		}
	}
}

func TestEveryRepairSaysWhatItIs(t *testing.T) {
	for _, r := range []Repair{
		{kind: letIn, Group: "sg-1", Peer: "sg-2"},
		{kind: letOut, Group: "sg-1", Peer: "10.0.0.0/8"},
		{kind: enableDNS, VPC: "vpc-1"},
		{kind: enableDNS, VPC: "vpc-1", Hostnames: true},
		{kind: makeGroup, VPC: "vpc-1", Peers: []string{"10.0.0.0/8"}},
		{kind: createEndpoint, VPC: "vpc-1", Service: "s", Subnets: []string{"subnet-1"}, Groups: []string{"sg-1"}},
		{kind: enablePrivateDNS, Endpoint: "vpce-1"},
		{kind: attachPolicy, Role: "app"},
		{kind: attachProfile, Instance: "i-1", Profile: "p"},
	} {
		if r.String() == "" || len(r.Calls()) == 0 || len(r.Commands()) == 0 {
			t.Errorf("%d says nothing", r.kind)
		}
		for _, c := range r.Commands() {
			if !strings.Contains(c, "aws ") {
				t.Errorf("%s is no command", c)
			}
		}
	}
}

func TestApplyUsesTheGroupItMadeAndEndsAtAnError(t *testing.T) {
	w := newWorld(t)
	f := healthy()
	lockedDown(&f)
	plan := Plan(examined(&f))
	broken := errors.New("no more endpoints")
	gomock.InOrder(
		w.ec2.EXPECT().CreateGroup(gomock.Any(), "vpc-1", endpointGroup, gomock.Any()).Return("sg-new", nil),
		w.ec2.EXPECT().LetIn(gomock.Any(), "sg-new", "10.0.0.0/16").Return(nil),
		w.ec2.EXPECT().CreateEndpoint(gomock.Any(), "vpc-1", "com.amazonaws.eu-west-1.ssm", []string{"subnet-1"}, []string{"sg-new"}).Return("vpce-1", nil),
		w.ec2.EXPECT().CreateEndpoint(gomock.Any(), "vpc-1", "com.amazonaws.eu-west-1.ssmmessages", []string{"subnet-1"}, []string{"sg-new"}).Return("", broken),
	)
	var done []string
	if err := w.Apply(t.Context(), plan, func(r Repair) { done = append(done, r.String()) }); !errors.Is(err, broken) || len(done) != 2 {
		t.Errorf("done %v, %v", done, err)
	}
}

func TestVPC(t *testing.T) {
	w := newWorld(t)
	f := healthy()
	lockedDown(&f)
	f.tables.value = append(f.tables.value, network.RouteTable{ID: "rtb-2", Subnets: []string{"subnet-2"}})
	f.tables.value[0].Routes = nil
	w.tellsSite(f)
	checks, err := w.VPC(t.Context(), "vpc-1")
	if err != nil {
		t.Fatal(err)
	}
	if got := withStatus(checks, Fail); !slices.Equal(got, []string{"no-route"}) {
		t.Errorf("failed %v", got)
	}
	var services []string
	for _, r := range Plan(checks) {
		if r.kind == createEndpoint {
			services = append(services, r.Service+" "+strings.Join(r.Subnets, ","))
		}
	}
	if want := []string{"com.amazonaws.eu-west-1.ssm subnet-1,subnet-2", "com.amazonaws.eu-west-1.ssmmessages subnet-1,subnet-2"}; !slices.Equal(services, want) {
		t.Errorf("plan %v", services)
	}

	one := healthy()
	one.tables.value = []network.RouteTable{{ID: "rtb-1", Main: true, Routes: []network.Route{{To: network.Internet, Target: "igw-1"}}}}
	w = newWorld(t)
	w.tellsSite(one)
	if checks, err = w.VPC(t.Context(), "vpc-1"); err != nil || len(withStatus(checks, Fail)) > 0 {
		t.Errorf("a public VPC: %v, %v", withStatus(checks, Fail), err)
	}

	w = newWorld(t)
	denied := healthy()
	denied.vpc.err = denyOf("read", "ec2:DescribeVpcs")
	w.tellsSite(denied)
	if _, err = w.VPC(t.Context(), "vpc-1"); !errors.Is(err, denied.vpc.err) {
		t.Errorf("got %v", err)
	}
}
