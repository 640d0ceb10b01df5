package doctor

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// quickSetup is the instance profile that Quick Setup of Systems Manager makes.
const quickSetup = "AmazonSSMRoleForInstancesQuickSetup"

// defaultHostSetting is the service setting with the role of default host
// management.
const defaultHostSetting = "/ssm/managed-instance/default-ec2-instance-management-role"

func gaveUp(err error) bool { return errors.Is(err, context.Canceled) }

// collection is the collecting of facts about one machine: a goroutine for each
// source, which waits for those it builds on.
type collection struct {
	s     *Service
	ctx   context.Context // of the examination, which waits for all of it
	group wait.Group

	mu    sync.Mutex
	facts facts
	done  [sources]chan struct{}
}

// known are facts that are there from the start.
type known struct {
	node    *fact[*fleet.Node]
	machine *fact[*network.Machine]
	brief   bool // leave out what is asked for each machine by itself
}

// collect starts to collect the facts about a machine.
func (s *Service) collect(ctx context.Context, id string, k known) *collection {
	c := &collection{s: s, ctx: ctx, facts: facts{id: id, now: s.now(), region: s.region}}
	for i := range c.done {
		c.done[i] = make(chan struct{})
	}
	hybrid := strings.HasPrefix(id, "mi-")
	settle(c, srcNode, &c.facts.node, func() (*fleet.Node, error) {
		if k.node != nil {
			return k.node.value, k.node.err
		}
		return c.askNode()
	})
	settle(c, srcMachine, &c.facts.machine, func() (*network.Machine, error) {
		if k.machine != nil || hybrid {
			return k.machineOrNone()
		}
		return c.askMachine()
	})
	settle(c, srcConnected, &c.facts.connected, func() (bool, error) {
		c.wait(srcNode)
		if f := c.snapshot(); f.node.value == nil || k.brief {
			return false, nil
		}
		return limited(c, func() (bool, error) { return s.fleet.Connected(ctx, id) })
	})
	settle(c, srcImpaired, &c.facts.impaired, func() (string, error) {
		c.wait(srcMachine)
		if f := c.snapshot(); f.machine.value == nil || !f.machine.value.Running() || k.brief {
			return "", nil
		}
		return limited(c, func() (string, error) { return s.ec2.Impaired(ctx, id) })
	})
	c.collectIAM(hybrid, k.brief)
	c.collectNetwork()
	return c
}

func (k known) machineOrNone() (*network.Machine, error) {
	if k.machine == nil {
		return nil, nil
	}
	return k.machine.value, k.machine.err
}

// settle asks for a fact in a goroutine of its own, and marks its source done.
func settle[T any](c *collection, src source, into *fact[T], ask func() (T, error)) {
	c.group.Go(func() {
		defer close(c.done[src])
		v, err := ask()
		c.mu.Lock()
		defer c.mu.Unlock()
		*into = fact[T]{v, err}
	})
}

// wait waits for sources. They end when the context does.
func (c *collection) wait(of ...source) {
	for _, src := range of {
		<-c.done[src]
	}
}

// snapshot is a copy of the facts there are.
func (c *collection) snapshot() facts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.facts
}

// limited makes a call when few enough others are under way.
func limited[T any](c *collection, call func() (T, error)) (v T, err error) {
	select {
	case c.s.slot <- struct{}{}:
		defer func() { <-c.s.slot }()
	case <-c.ctx.Done():
		return v, c.ctx.Err()
	}
	return call()
}

// once is limited for what is kept under a key.
func once[K comparable, V any](c *collection, m *memo[K, V], key K, call func() (V, error)) (V, error) {
	return m.get(c.ctx, key, func() (V, error) { return limited(c, call) })
}

func (c *collection) askNode() (*fleet.Node, error) {
	n, err := limited(c, func() (fleet.Node, error) { return c.s.fleet.Get(c.ctx, c.facts.id) })
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &n, nil
}

func (c *collection) askMachine() (*network.Machine, error) {
	type found struct {
		m  network.Machine
		ok bool
	}
	f, err := limited(c, func() (f found, err error) {
		f.m, f.ok, err = c.s.ec2.Machine(c.ctx, c.facts.id)
		return f, err
	})
	if err != nil || !f.ok {
		return nil, err
	}
	return &f.m, nil
}

func (c *collection) collectIAM(hybrid, brief bool) {
	s := c.s
	settle(c, srcDefaultHost, &c.facts.defaultHost, func() (string, error) {
		if hybrid {
			return "", nil
		}
		return once(c, &s.kept.defaultHost, "", func() (string, error) { return s.defaultHost(c.ctx) })
	})
	settle(c, srcPreferences, &c.facts.preferences, func() (p prefs, err error) {
		return once(c, &s.kept.preferences, "", func() (prefs, error) { return s.preferences(c.ctx) })
	})
	settle(c, srcProfile, &c.facts.profile, func() (*iam.Profile, error) {
		c.wait(srcMachine)
		m := c.snapshot().machine.value
		if m == nil || m.Profile == "" {
			return nil, nil
		}
		return c.askProfile(afterSlash(m.Profile))
	})
	settle(c, srcOffered, &c.facts.offered, func() (string, error) {
		c.wait(srcMachine)
		if m := c.snapshot().machine.value; m == nil || m.Profile != "" || s.Profile != "" {
			return s.Profile, nil
		}
		p, err := c.askProfile(quickSetup)
		if err != nil || p == nil || p.Role == "" {
			return "", nil //nolint:nilerr // an offer is a comfort
		}
		return quickSetup, nil
	})
	settle(c, srcRole, &c.facts.role, func() (*iam.Role, error) {
		c.wait(srcNode, srcMachine, srcProfile, srcDefaultHost)
		f := c.snapshot()
		if name := f.roleName(); name != "" {
			return c.askRole(name)
		}
		return nil, nil
	})
	settle(c, srcRights, &c.facts.rights, func() (rights, error) {
		c.wait(srcRole)
		return c.askRights(&s.kept.rights, slices.Concat(registerActions, channelActions, messageActions))
	})
	settle(c, srcExtras, &c.facts.extras, func() (rights, error) {
		c.wait(srcRole, srcPreferences)
		logs, key := sessionSettings(c.snapshot().preferences.value)
		if key != "" {
			logs = append(logs, key)
		}
		if len(logs) == 0 {
			return rights{}, nil
		}
		return c.askRights(&s.kept.extras, logs)
	})
	settle(c, srcCaller, &c.facts.caller, func() (rights, error) {
		if brief {
			return rights{}, nil
		}
		return c.askCaller(hybrid)
	})
	settle(c, srcActivation, &c.facts.activation, func() (*activation, error) {
		c.wait(srcNode)
		n := c.snapshot().node.value
		if !hybrid || n == nil || n.Online() || n.ActivationID == "" {
			return nil, nil
		}
		return limited(c, func() (*activation, error) { return s.activation(c.ctx, n.ActivationID) })
	})
}

func (c *collection) askProfile(name string) (*iam.Profile, error) {
	return once(c, &c.s.kept.profiles, name, func() (*iam.Profile, error) {
		p, ok, err := c.s.iam.Profile(c.ctx, name)
		if err != nil || !ok {
			return nil, err
		}
		return &p, nil
	})
}

func (c *collection) askRole(name string) (*iam.Role, error) {
	return once(c, &c.s.kept.roles, name, func() (*iam.Role, error) {
		r, ok, err := c.s.iam.Role(c.ctx, name)
		if err != nil || !ok {
			return nil, err
		}
		return &r, nil
	})
}

// askRights asks what the role may do: IAM's simulation, or, where that is
// denied, its policies as they can be read.
func (c *collection) askRights(m *memo[string, rights], actions []string) (rights, error) {
	r := c.snapshot().role.value
	if r == nil {
		return rights{}, nil
	}
	return once(c, m, r.Name+" "+strings.Join(actions, " "), func() (rights, error) { return c.s.rightsOf(c.ctx, *r, actions) })
}

func (c *collection) collectNetwork() {
	s := c.s
	settle(c, srcVPC, &c.facts.vpc, inVPC(c, &s.kept.vpcs, s.ec2.VPC))
	settle(c, srcSubnets, &c.facts.subnets, inVPC(c, &s.kept.subnets, s.ec2.Subnets))
	settle(c, srcTables, &c.facts.tables, inVPC(c, &s.kept.tables, s.ec2.RouteTables))
	settle(c, srcACLs, &c.facts.acls, inVPC(c, &s.kept.acls, s.ec2.ACLs))
	settle(c, srcEndpoints, &c.facts.endpoints, inVPC(c, &s.kept.endpoints, s.ec2.Endpoints))
	settle(c, srcGroups, &c.facts.groups, func() (map[string]network.Group, error) {
		c.wait(srcMachine, srcEndpoints)
		f := c.snapshot()
		if f.machine.value == nil {
			return nil, nil
		}
		ids := slices.Clone(f.machine.value.Groups)
		for _, e := range f.endpoints.value {
			ids = append(ids, e.Groups...)
		}
		slices.Sort(ids)
		if ids = slices.Compact(ids); len(ids) == 0 {
			return nil, nil
		}
		return once(c, &s.kept.groups, strings.Join(ids, " "), func() (map[string]network.Group, error) { return s.ec2.Groups(c.ctx, ids) })
	})
}

// inVPC asks for something about the machine's VPC.
func inVPC[V any](c *collection, m *memo[string, V], ask func(context.Context, string) (V, error)) func() (V, error) {
	return func() (none V, err error) {
		c.wait(srcMachine)
		machine := c.snapshot().machine.value
		if machine == nil || machine.VPC == "" {
			return none, nil
		}
		return once(c, m, machine.VPC, func() (V, error) { return ask(c.ctx, machine.VPC) })
	}
}

// defaultHost returns the name of the role of default host management, "" when
// that is off.
func (s *Service) defaultHost(ctx context.Context) (string, error) {
	out, err := s.api.GetServiceSetting(ctx, &ssm.GetServiceSettingInput{SettingId: aws.String(defaultHostSetting)})
	if err != nil {
		return "", awsapi.Explain("read the setting of default host management", err)
	}
	if out.ServiceSetting == nil {
		return "", nil
	}
	if v := aws.ToString(out.ServiceSetting.SettingValue); v != "$None" {
		return v, nil
	}
	return "", nil
}

// rightsOf finds out what a role may do.
func (s *Service) rightsOf(ctx context.Context, r iam.Role, actions []string) (rights, error) {
	simulated, err := s.iam.Simulate(ctx, r.ARN, actions, "")
	if err == nil {
		return rights{simulated, "by IAM's simulation"}, nil
	}
	if gaveUp(err) {
		return rights{}, err
	}
	policies, err := s.iam.Policies(ctx, r.Name)
	if err != nil {
		return rights{}, err
	}
	docs, err := iam.Documents(policies)
	if err != nil {
		return rights{}, err
	}
	var bounds []iam.Document
	if r.Boundary != "" {
		text, err := s.iam.Document(ctx, r.Boundary)
		if err != nil {
			return rights{}, err
		}
		doc, err := iam.ParseDocument(afterSlash(r.Boundary), text)
		if err != nil {
			return rights{}, err
		}
		bounds = append(bounds, doc)
	}
	found := rights{by: "by its policies, as read"}
	for _, a := range actions {
		d := iam.Decide(docs, a)
		if bounds != nil && (d.Result == iam.Allowed || d.Result == iam.Perhaps) {
			if b := iam.Decide(bounds, a); b.Result == iam.NotAllowed || b.Result == iam.Denied {
				d = iam.Decision{Action: a, Result: iam.OutOfBounds, Policy: afterSlash(r.Boundary)}
			}
		}
		found.decisions = append(found.decisions, d)
	}
	return found, nil
}

// askCaller asks what the caller may do with the machine.
func (c *collection) askCaller(hybrid bool) (rights, error) {
	me, err := once(c, &c.s.kept.identity, "", func() (caller, error) {
		account, arn, err := c.s.identity(c.ctx)
		return caller{account, arn}, err
	})
	if err != nil {
		return rights{}, err
	}
	resource := "arn:" + partition(me.arn) + ":ec2:" + c.s.region + ":" + me.account + ":instance/" + c.facts.id
	if hybrid {
		resource = "arn:" + partition(me.arn) + ":ssm:" + c.s.region + ":" + me.account + ":managed-instance/" + c.facts.id
	}
	return limited(c, func() (rights, error) { return c.s.callerRights(c.ctx, me, []string{"ssm:StartSession"}, resource) })
}

// callerRights asks IAM what the caller may do. The root user may everything.
func (s *Service) callerRights(ctx context.Context, me caller, actions []string, resource string) (rights, error) {
	arn := me.arn
	if strings.HasSuffix(arn, ":root") {
		all := rights{by: "you are the root user"}
		for _, a := range actions {
			all.decisions = append(all.decisions, iam.Decision{Action: a, Result: iam.Allowed})
		}
		return all, nil
	}
	// A session of a role: only IAM knows the path of the role.
	if _, rest, ok := strings.Cut(arn, ":assumed-role/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		r, known, err := s.iam.Role(ctx, name)
		if err != nil {
			return rights{}, err
		}
		arn = "arn:" + partition(me.arn) + ":iam::" + me.account + ":role/" + name
		if known {
			arn = cmp.Or(r.ARN, arn)
		}
	}
	found, err := s.iam.Simulate(ctx, arn, actions, resource)
	return rights{found, "by IAM's simulation"}, err
}

// activation finds an activation by its id; nil when there is none any more.
func (s *Service) activation(ctx context.Context, id string) (*activation, error) {
	pages := ssm.NewDescribeActivationsPaginator(s.api, &ssm.DescribeActivationsInput{MaxResults: aws.Int32(50)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("read the activations", err)
		}
		for _, a := range out.ActivationList {
			if aws.ToString(a.ActivationId) == id {
				return &activation{id: id, role: aws.ToString(a.IamRole), expires: aws.ToTime(a.ExpirationDate), expired: a.Expired}, nil
			}
		}
	}
	return nil, nil
}
