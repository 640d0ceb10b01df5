package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
)

// world is a Service on mocks.
type world struct {
	*Service
	ssm   *Mockapi
	fleet *Mockregistry
	ec2   *Mocksurroundings
	iam   *Mockidentities
}

func newWorld(t *testing.T) world {
	t.Helper()
	ctrl := gomock.NewController(t)
	w := world{ssm: NewMockapi(ctrl), fleet: NewMockregistry(ctrl), ec2: NewMocksurroundings(ctrl), iam: NewMockidentities(ctrl)}
	w.Service = &Service{
		api: w.ssm, fleet: w.fleet, ec2: w.ec2, iam: w.iam, region: "eu-west-1", now: func() time.Time { return noon }, slot: make(chan struct{}, atOnce),
		preferences: func(context.Context) (preferences.Preferences, error) { return preferences.Preferences{}, nil },
		identity:    func(context.Context) (string, string, error) { return "1", "arn:aws:sts::1:assumed-role/Ops/me", nil },
	}
	return w
}

// tells makes the mocks answer with facts.
func (w world) tells(f facts) {
	node := fleet.Node{}
	if f.node.value != nil {
		node = *f.node.value
	} else if f.node.err == nil {
		f.node.err = fault.New(fault.NotFound, "get", "no such node")
	}
	w.fleet.EXPECT().Get(gomock.Any(), f.id).AnyTimes().Return(node, f.node.err)
	w.fleet.EXPECT().Connected(gomock.Any(), f.id).AnyTimes().Return(f.connected.value, f.connected.err)
	w.ssm.EXPECT().GetServiceSetting(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.GetServiceSettingOutput{
		ServiceSetting: &ssmtypes.ServiceSetting{SettingValue: aws.String("$None")},
	}, nil)
	w.ec2.EXPECT().Machine(gomock.Any(), f.id).AnyTimes().DoAndReturn(func(context.Context, string) (network.Machine, bool, error) {
		if f.machine.value == nil {
			return network.Machine{}, false, f.machine.err
		}
		return *f.machine.value, true, nil
	})
	w.ec2.EXPECT().Impaired(gomock.Any(), f.id).AnyTimes().Return(f.impaired.value, f.impaired.err)
	w.tellsSite(f)
}

// tellsSite answers what several machines share.
func (w world) tellsSite(f facts) {
	w.ec2.EXPECT().VPC(gomock.Any(), "vpc-1").AnyTimes().Return(f.vpc.value, f.vpc.err)
	w.ec2.EXPECT().Subnets(gomock.Any(), "vpc-1").AnyTimes().Return(f.subnets.value, f.subnets.err)
	w.ec2.EXPECT().RouteTables(gomock.Any(), "vpc-1").AnyTimes().Return(f.tables.value, f.tables.err)
	w.ec2.EXPECT().ACLs(gomock.Any(), "vpc-1").AnyTimes().Return(f.acls.value, f.acls.err)
	w.ec2.EXPECT().Endpoints(gomock.Any(), "vpc-1").AnyTimes().Return(f.endpoints.value, f.endpoints.err)
	w.ec2.EXPECT().Groups(gomock.Any(), gomock.Any()).AnyTimes().Return(f.groups.value, f.groups.err)
	profile, role := iam.Profile{}, iam.Role{}
	if f.profile.value != nil {
		profile = *f.profile.value
	}
	if f.role.value != nil {
		role = *f.role.value
	}
	w.iam.EXPECT().Profile(gomock.Any(), "app").AnyTimes().Return(profile, f.profile.value != nil, f.profile.err)
	w.iam.EXPECT().Role(gomock.Any(), "app").AnyTimes().Return(role, f.role.value != nil, f.role.err)
	w.iam.EXPECT().Role(gomock.Any(), "Ops").AnyTimes().Return(iam.Role{Name: "Ops", ARN: "arn:aws:iam::1:role/sso/Ops"}, true, nil)
	w.iam.EXPECT().Simulate(gomock.Any(), "arn:aws:iam::1:role/app", gomock.Any(), "").AnyTimes().Return(f.rights.value.decisions, f.rights.err)
	w.iam.EXPECT().Simulate(gomock.Any(), "arn:aws:iam::1:role/sso/Ops", gomock.Any(), gomock.Any()).AnyTimes().Return(f.caller.value.decisions, f.caller.err)
}

func TestExamineHandsOutChecksInOrder(t *testing.T) {
	w := newWorld(t)
	w.tells(healthy())
	var order []string
	checks, err := w.Examine(t.Context(), "i-1", nil, func(c Check) { order = append(order, c.ID) })
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, k := range wanted("i-1", nil) {
		want = append(want, k.id)
	}
	if want = append(want, "service"); !slices.Equal(order, want) || len(checks) != len(want) {
		t.Errorf("handed out %v, want %v", order, want)
	}
	if got := withStatus(checks, Fail); !slices.Equal(got, []string{"agent-silent"}) {
		t.Errorf("failed %v", got)
	}
}

func TestExamineSomeGroupsDrawsNoConclusion(t *testing.T) {
	w := newWorld(t)
	w.tells(healthy())
	checks, err := w.Examine(t.Context(), "i-1", []string{Agent, IAM}, func(Check) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks {
		if c.Group == Network || c.ID == "service" {
			t.Errorf("%s was made", c.ID)
		}
	}
}

// A slow source holds up its own checks alone.
func TestChecksComeAsTheirFactsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := healthy()
		w.fleet.EXPECT().Get(gomock.Any(), "i-1").Return(*f.node.value, nil)
		w.fleet.EXPECT().Connected(gomock.Any(), "i-1").Return(false, nil)
		w.ssm.EXPECT().GetServiceSetting(gomock.Any(), gomock.Any()).Return(&ssm.GetServiceSettingOutput{}, nil)
		w.ec2.EXPECT().Machine(gomock.Any(), "i-1").Return(*f.machine.value, true, nil)
		w.ec2.EXPECT().Impaired(gomock.Any(), "i-1").Return("", nil)
		slow := w.ec2.EXPECT().RouteTables(gomock.Any(), "vpc-1")
		slow.DoAndReturn(func(context.Context, string) ([]network.RouteTable, error) {
			time.Sleep(time.Minute)
			return f.tables.value, nil
		})
		w.tellsSite(f)
		start := time.Now()
		late := map[string]bool{}
		if _, err := w.Examine(t.Context(), "i-1", nil, func(c Check) { late[c.ID] = time.Since(start) >= time.Minute }); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]bool{"instance": false, "ping": false, "rights": false, "caller": false, "names": true, "route": true, "service": true} {
			if late[id] != want {
				t.Errorf("%s was late: %v", id, late[id])
			}
		}
	})
}

func TestExamineEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	f := healthy()
	ctx, cancel := context.WithCancel(t.Context())
	w.fleet.EXPECT().Get(gomock.Any(), "i-1").AnyTimes().DoAndReturn(func(ctx context.Context, _ string) (fleet.Node, error) {
		cancel()
		<-ctx.Done()
		return fleet.Node{}, ctx.Err()
	})
	w.fleet.EXPECT().Connected(gomock.Any(), gomock.Any()).AnyTimes()
	w.ssm.EXPECT().GetServiceSetting(gomock.Any(), gomock.Any()).AnyTimes().Return(nil, context.Canceled)
	w.ec2.EXPECT().Machine(gomock.Any(), "i-1").AnyTimes().Return(*f.machine.value, true, nil)
	w.ec2.EXPECT().Impaired(gomock.Any(), "i-1").AnyTimes()
	w.tellsSite(f)
	if _, err := w.Examine(ctx, "i-1", nil, func(Check) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// No more calls than atOnce are under way, however many machines there are.
func TestUnmanagedIsBoundedAndReadsSharedThingsOnce(t *testing.T) {
	w := newWorld(t)
	f := healthy()
	const machines = 60
	var running []network.Machine
	for i := range machines {
		m := *f.machine.value
		m.ID, m.Name = "i-"+strings.Repeat("a", 2+i), "n"
		if i%3 == 0 {
			m.Profile = "" // others stand in the way
		}
		running = append(running, m)
	}
	w.fleet.EXPECT().Everything(gomock.Any()).Return([]fleet.Node{{ID: running[0].ID}}, nil)
	w.ec2.EXPECT().Running(gomock.Any()).Return(running, nil)
	w.ssm.EXPECT().GetServiceSetting(gomock.Any(), gomock.Any()).Times(1).Return(&ssm.GetServiceSettingOutput{}, nil)
	w.iam.EXPECT().Profile(gomock.Any(), quickSetup).Times(1).Return(iam.Profile{Name: quickSetup, Role: "r"}, true, nil)
	w.iam.EXPECT().Profile(gomock.Any(), "app").Times(1).Return(*f.profile.value, true, nil)
	w.iam.EXPECT().Role(gomock.Any(), "app").Times(1).Return(*f.role.value, true, nil)
	w.iam.EXPECT().Simulate(gomock.Any(), f.role.value.ARN, gomock.Any(), "").Times(1).Return(f.rights.value.decisions, nil)
	w.ec2.EXPECT().VPC(gomock.Any(), "vpc-1").Times(1).Return(f.vpc.value, nil)
	w.ec2.EXPECT().Subnets(gomock.Any(), "vpc-1").Times(1).Return(f.subnets.value, nil)
	w.ec2.EXPECT().RouteTables(gomock.Any(), "vpc-1").Times(1).Return(f.tables.value, nil)
	w.ec2.EXPECT().ACLs(gomock.Any(), "vpc-1").Times(1).Return(f.acls.value, nil)
	w.ec2.EXPECT().Endpoints(gomock.Any(), "vpc-1").Times(1).Return(nil, nil)
	w.ec2.EXPECT().Groups(gomock.Any(), []string{"sg-1"}).Times(1).Return(f.groups.value, nil)
	var last atomic.Int64
	found, err := w.Unmanaged(t.Context(), func(done, total int) {
		if total != machines-1 {
			t.Errorf("of %d", total)
		}
		last.Store(int64(done))
	})
	if err != nil || len(found) != machines-1 || last.Load() != machines-1 {
		t.Fatalf("%d found, %v", len(found), err)
	}
	if found[0].Cause != "agent-absent" || found[len(found)-1].Cause != "no-instance-profile" { // the most frequent first
		t.Errorf("from %s to %s", found[0].Cause, found[len(found)-1].Cause)
	}
	if plan := Plan(found[len(found)-1].Checks); len(plan) != 1 || plan[0].Profile != quickSetup {
		t.Errorf("plan %v", plan)
	}
}

func TestUnmanagedSaysWhatItMayNotRead(t *testing.T) {
	for _, part := range []string{"ssm", "ec2"} {
		w := newWorld(t)
		var denied error
		if part == "ssm" {
			denied = denyOf("list", "ssm:DescribeInstanceProperties")
			w.fleet.EXPECT().Everything(gomock.Any()).Return(nil, denied)
		} else {
			denied = denyOf("list", "ec2:DescribeInstances")
			w.fleet.EXPECT().Everything(gomock.Any()).Return(nil, nil)
			w.ec2.EXPECT().Running(gomock.Any()).Return(nil, denied)
		}
		if found, err := w.Unmanaged(t.Context(), func(int, int) {}); found != nil || !errors.Is(err, denied) {
			t.Errorf("%s: %v, %v", part, found, err)
		}
	}
}

// Where IAM's simulation is not allowed, the policies are read and decided here.
func TestRightsWithoutSimulation(t *testing.T) {
	for _, tt := range []struct {
		name     string
		boundary string
		policies []iam.Policy
		want     iam.Result
	}{
		{"core", "", []iam.Policy{{Name: iam.Core, ARN: iam.CoreARN("aws")}}, iam.Allowed},
		{"nothing", "", nil, iam.NotAllowed},
		{"core and a denial", "", []iam.Policy{{Name: iam.Core, ARN: iam.CoreARN("aws")}, {Name: "no", Document: `{"Statement":{"Effect":"Deny","Action":"ssm:*","Resource":"*"}}`}}, iam.Denied},
		{"core within bounds", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, []iam.Policy{{Name: iam.Core, ARN: iam.CoreARN("aws")}}, iam.Allowed},
		{"core out of bounds", `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, []iam.Policy{{Name: iam.Core, ARN: iam.CoreARN("aws")}}, iam.OutOfBounds},
	} {
		w := newWorld(t)
		r := iam.Role{Name: "app", ARN: "arn:aws:iam::1:role/app"}
		w.iam.EXPECT().Simulate(gomock.Any(), r.ARN, gomock.Any(), "").Return(nil, denyOf("simulate", "iam:SimulatePrincipalPolicy"))
		w.iam.EXPECT().Policies(gomock.Any(), "app").Return(tt.policies, nil)
		if tt.boundary != "" {
			r.Boundary = "arn:aws:iam::1:policy/limits"
			w.iam.EXPECT().Document(gomock.Any(), r.Boundary).Return(tt.boundary, nil)
		}
		got, err := w.rightsOf(t.Context(), r, registerActions)
		if err != nil || got.decisionOf(registerActions[0]).Result != tt.want || got.by != "by its policies, as read" {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

func TestTheRootUserMayEverything(t *testing.T) {
	w := newWorld(t)
	got, err := w.callerRights(t.Context(), caller{"1", "arn:aws:iam::1:root"}, []string{"ssm:StartSession"}, "x")
	if err != nil || got.decisionOf("ssm:StartSession").Result != iam.Allowed {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestMemoAsksOnceAndForgetsWhoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m memo[string, int]
		gone, leave := context.WithCancel(t.Context())
		asked := 0
		var group sync.WaitGroup
		group.Go(func() {
			_, err := m.get(gone, "k", func() (int, error) {
				asked++
				<-gone.Done()
				return 0, gone.Err()
			})
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 3 {
			group.Go(func() {
				v, err := m.get(t.Context(), "k", func() (int, error) {
					asked++
					time.Sleep(time.Second)
					return 7, nil
				})
				if v != 7 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
			})
		}
		synctest.Wait()
		leave()
		group.Wait()
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestLocate(t *testing.T) {
	unknown := fault.New(fault.NotFound, "find", "no node has this name").WithHint("did you mean web-1")
	for _, tt := range []struct {
		name   string
		word   string
		expect func(w world)
		id     string
		kind   fault.Kind
		says   []string
	}{
		{"a node by name", "web", func(w world) {
			w.fleet.EXPECT().Find(gomock.Any(), "web").Return(fleet.Node{ID: "i-0123456789abcdef0"}, nil)
		}, "i-0123456789abcdef0", 0, nil},
		{"an instance by name", "web", func(w world) {
			w.fleet.EXPECT().Find(gomock.Any(), "web").Return(fleet.Node{}, unknown)
			w.ec2.EXPECT().Named(gomock.Any(), "web").Return([]network.Machine{{Instance: network.Instance{ID: "i-1"}}}, nil)
		}, "i-1", 0, nil},
		{"two instances", "web", func(w world) {
			w.fleet.EXPECT().Find(gomock.Any(), "web").Return(fleet.Node{}, unknown)
			w.ec2.EXPECT().Named(gomock.Any(), "web").Return([]network.Machine{{Instance: network.Instance{ID: "i-1"}, State: "running"}, {Instance: network.Instance{ID: "i-2"}, State: "stopped"}}, nil)
		}, "", fault.NotFound, []string{"2 instances", "i-1 running", "i-2 stopped"}},
		{"nobody", "wbe", func(w world) {
			w.fleet.EXPECT().Find(gomock.Any(), "wbe").Return(fleet.Node{}, unknown)
			w.ec2.EXPECT().Named(gomock.Any(), "wbe").Return(nil, nil)
		}, "", fault.NotFound, []string{"neither a node of Systems Manager nor an instance of EC2 in eu-west-1"}},
		{"EC2 may not be read", "wbe", func(w world) {
			w.fleet.EXPECT().Find(gomock.Any(), "wbe").Return(fleet.Node{}, unknown)
			w.ec2.EXPECT().Named(gomock.Any(), "wbe").Return(nil, denyOf("find", "ec2:DescribeInstances"))
		}, "", fault.NotFound, []string{"no node has this name"}},
		{"ambiguous", "web", func(w world) {
			w.fleet.EXPECT().Find(gomock.Any(), "web").Return(fleet.Node{}, &fault.Error{Kind: fault.NotFound, Err: &fleet.Ambiguous{Expr: "web"}})
		}, "", fault.NotFound, nil},
		{"a container", "ecs:a_b_c", func(world) {}, "", fault.Usage, []string{"container"}},
		{"an id that EC2 knows", "i-0123456789abcdef0", func(w world) {
			w.fleet.EXPECT().Get(gomock.Any(), "i-0123456789abcdef0").Return(fleet.Node{}, unknown)
			w.ec2.EXPECT().Machine(gomock.Any(), "i-0123456789abcdef0").Return(network.Machine{}, true, nil)
		}, "i-0123456789abcdef0", 0, nil},
		{"an id that may not be looked up", "i-0123456789abcdef0", func(w world) {
			w.fleet.EXPECT().Get(gomock.Any(), "i-0123456789abcdef0").Return(fleet.Node{}, denyOf("get", "ssm:DescribeInstanceInformation"))
		}, "i-0123456789abcdef0", 0, nil},
		{"an id elsewhere", "i-0123456789abcdef0", func(w world) {
			w.fleet.EXPECT().Get(gomock.Any(), gomock.Any()).Return(fleet.Node{}, unknown)
			w.ec2.EXPECT().Machine(gomock.Any(), gomock.Any()).Return(network.Machine{}, false, nil)
			w.ec2.EXPECT().EnabledRegions(gomock.Any()).Return([]string{"eu-west-1", "us-east-1", "us-west-2"}, nil)
		}, "", fault.NotFound, []string{"it is in us-west-2, not in eu-west-1"}},
		{"an id nowhere", "i-0000000000000dead", func(w world) {
			w.fleet.EXPECT().Get(gomock.Any(), gomock.Any()).Return(fleet.Node{}, unknown)
			w.ec2.EXPECT().Machine(gomock.Any(), gomock.Any()).Return(network.Machine{}, false, nil)
			w.ec2.EXPECT().EnabledRegions(gomock.Any()).Return([]string{"ap-south-1", "eu-west-1", "us-east-1"}, nil)
		}, "", fault.NotFound, []string{"looked in eu-west-1, us-east-1; could not look in ap-south-1"}},
		{"a hybrid node nowhere", "mi-0000000000000dead", func(w world) {
			w.fleet.EXPECT().Get(gomock.Any(), gomock.Any()).Return(fleet.Node{}, unknown)
			w.ec2.EXPECT().EnabledRegions(gomock.Any()).Return(nil, denyOf("list", "ec2:DescribeRegions"))
		}, "", fault.NotFound, []string{"deregistered", "us-east-1"}},
	} {
		w := newWorld(t)
		tt.expect(w)
		id, err := w.Locate(t.Context(), tt.word, func(_ context.Context, region, id string) (bool, error) {
			if region == "ap-south-1" {
				return false, denyOf("find", "ec2:DescribeInstances")
			}
			return region == "us-west-2" && id == "i-0123456789abcdef0", nil
		})
		if id != tt.id && tt.id != "" || (err != nil) != (tt.id == "") || err != nil && fault.KindOf(err) != tt.kind {
			t.Errorf("%s: %s, %v", tt.name, id, err)
			continue
		}
		for _, text := range tt.says {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %q", tt.name, err, text)
			}
		}
	}
}

// A Region that does not answer keeps nobody waiting: not when another knows the
// machine, and else for a bounded time.
func TestLocateDoesNotWaitForARegionThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fleet.EXPECT().Get(gomock.Any(), gomock.Any()).Return(fleet.Node{}, fault.New(fault.NotFound, "get", "no")).Times(2)
		w.ec2.EXPECT().Machine(gomock.Any(), gomock.Any()).Return(network.Machine{}, false, nil).Times(2)
		w.ec2.EXPECT().EnabledRegions(gomock.Any()).Return([]string{"eu-west-1", "us-east-1", "us-west-2"}, nil).Times(2)
		elsewhere := func(ctx context.Context, region, id string) (bool, error) {
			if region == "us-east-1" {
				<-ctx.Done()
				return false, ctx.Err()
			}
			return id == "i-0123456789abcdef0", nil
		}
		began := time.Now()
		_, err := w.Locate(t.Context(), "i-0123456789abcdef0", elsewhere)
		if took := time.Since(began); took != 0 || !strings.Contains(err.Error(), "it is in us-west-2") {
			t.Errorf("after %s: %v", took, err)
		}
		_, err = w.Locate(t.Context(), "i-0000000000000dead", elsewhere)
		if took := time.Since(began); took != lookFor || !strings.Contains(err.Error(), "looked in eu-west-1, us-west-2; could not look in us-east-1") {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

func TestActivationsAreReadByPages(t *testing.T) {
	w := newWorld(t)
	pages := []*ssm.DescribeActivationsOutput{
		{NextToken: aws.String("more"), ActivationList: []ssmtypes.Activation{{ActivationId: aws.String("x")}}},
		{ActivationList: []ssmtypes.Activation{{ActivationId: aws.String("a"), Expired: true, IamRole: aws.String("r")}}},
	}
	w.ssm.EXPECT().DescribeActivations(gomock.Any(), gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *ssm.DescribeActivationsInput, _ ...func(*ssm.Options)) (*ssm.DescribeActivationsOutput, error) {
			if in.NextToken == nil {
				return pages[0], nil
			}
			return pages[1], nil
		})
	if a, err := w.activation(t.Context(), "a"); err != nil || a == nil || !a.expired || a.role != "r" {
		t.Errorf("got %+v, %v", a, err)
	}
}
