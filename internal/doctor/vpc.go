package doctor

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// VPC says what a VPC lacks for agents in it, subnet by subnet. A finding that
// several subnets share is one check, whose repairs are for all of them.
//
// Its errors are that there is no such VPC, and that nothing could be read.
func (s *Service) VPC(ctx context.Context, id string) ([]Check, error) {
	f, err := s.vpcFacts(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(f.subnets.value) == 0 {
		return nil, fault.New(fault.NotFound, "examine "+id, "it has no subnets: nothing can be in it")
	}
	var all []Check
	for _, k := range networkChecks {
		// What instances bring with them, their groups and settings, is not the VPC's.
		if k.about != instances || k.id == "security-group" {
			continue
		}
		all = append(all, inSubnets(&f, k)...)
	}
	return all, AllDenied(all)
}

// named gives a result the name of its check.
func named(target string, k check, c Check) Check {
	c.Target, c.Group, c.ID, c.Title = target, k.group, k.id, k.title
	return c
}

// vpcFacts reads everything about a VPC at once.
func (s *Service) vpcFacts(ctx context.Context, id string) (facts, error) {
	f := facts{id: id, now: s.now(), region: s.region}
	f.vpc.value, f.vpc.err = s.ec2.VPC(ctx, id)
	if f.vpc.err != nil {
		return f, f.vpc.err
	}
	var group wait.Group
	group.Go(func() { f.subnets.value, f.subnets.err = s.ec2.Subnets(ctx, id) })
	group.Go(func() { f.tables.value, f.tables.err = s.ec2.RouteTables(ctx, id) })
	group.Go(func() { f.acls.value, f.acls.err = s.ec2.ACLs(ctx, id) })
	group.Go(func() { f.preferences.value, f.preferences.err = s.preferences(ctx) })
	group.Go(func() {
		if f.endpoints.value, f.endpoints.err = s.ec2.Endpoints(ctx, id); f.endpoints.err != nil {
			return
		}
		var ids []string
		for _, e := range f.endpoints.value {
			ids = append(ids, e.Groups...)
		}
		if len(ids) > 0 {
			f.groups.value, f.groups.err = s.ec2.Groups(ctx, ids)
		}
	})
	group.Wait()
	if f.subnets.err != nil {
		return f, f.subnets.err
	}
	return f, ctx.Err()
}

// inSubnets makes a check for each subnet, and puts equal results together.
func inSubnets(f *facts, k check) []Check {
	type result struct {
		c       Check
		subnets []string
	}
	var results []*result
	for _, id := range sortedSubnets(f.subnets.value) {
		g := *f
		g.machine.value = &network.Machine{Instance: network.Instance{VPC: f.vpc.value.ID, Subnet: id, Addresses: firstAddress(f.subnets.value[id].Block)}, State: "running"}
		c := inSubnet(k, &g)
		i := slices.IndexFunc(results, func(r *result) bool { return r.c.Status == c.Status && r.c.Cause == c.Cause })
		if i < 0 {
			results = append(results, &result{c: c})
			i = len(results) - 1
		} else {
			results[i].c.Repairs = joinRepairs(results[i].c.Repairs, c.Repairs, f.subnets.value)
		}
		results[i].subnets = append(results[i].subnets, id)
	}
	var all []Check
	for _, r := range results {
		if len(r.c.Repairs) > 0 {
			r.c.Fix = nil
			for _, repair := range r.c.Repairs {
				r.c.Fix = append(r.c.Fix, repair.Commands()...)
			}
		}
		if len(results) > 1 || r.c.Found() && len(f.subnets.value) > 1 && k.id != "names" {
			r.c.Evidence += " (" + strings.Join(r.subnets, ", ") + ")"
		}
		all = append(all, named(f.id, k, r.c))
	}
	return all
}

// inSubnet makes a check of a machine that could be in a subnet. Such a machine
// has a public address where that would help.
func inSubnet(k check, f *facts) Check {
	exit, route, open := f.exit()
	if !open && exit == network.Gateway {
		f.machine.value.PublicIP = netip.IPv4Unspecified()
	}
	c := k.rule(f)
	if k.id == "route" && exit == network.Gateway && c.Status == Pass {
		c = pass("0.0.0.0/0 leads to %s: instances need a public address", route.Target)
	}
	return c
}

// joinRepairs adds the repairs for one more subnet to those for others. An
// endpoint has one subnet in each Availability Zone.
func joinRepairs(had, more []Repair, subnets map[string]network.Subnet) []Repair {
	for _, r := range more {
		i := slices.IndexFunc(had, func(h Repair) bool { return h.kind == r.kind && h.Service == r.Service && h.VPC == r.VPC })
		switch {
		case i < 0:
			had = append(had, r)
		case r.kind == createEndpoint:
			for _, id := range r.Subnets {
				if !slices.ContainsFunc(had[i].Subnets, func(have string) bool { return have == id || subnets[have].Zone == subnets[id].Zone }) {
					had[i].Subnets = append(slices.Clone(had[i].Subnets), id)
				}
			}
		}
	}
	return had
}

func sortedSubnets(subnets map[string]network.Subnet) []string {
	ids := make([]string, 0, len(subnets))
	for id := range subnets {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(strings.Compare(subnets[a].Zone, subnets[b].Zone), strings.Compare(a, b))
	})
	return ids
}

// firstAddress is an address that a machine in the block could have: the first
// that AWS does not keep for itself.
func firstAddress(block netip.Prefix) []netip.Addr {
	if !block.IsValid() {
		return nil
	}
	a := block.Addr()
	for range 4 {
		a = a.Next()
	}
	return []netip.Addr{a}
}
