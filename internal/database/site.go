package database

import (
	"context"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/network"
)

// Site looks at the network around databases: which of the nodes are near them,
// and what their security groups let through. Security groups and peerings that
// may not be read are left out with a note; instances that may not are an error,
// for without them nothing can be said.
func (s *Service) Site(ctx context.Context, nodes []fleet.Node, dbs ...Database) (Site, error) {
	site := Site{Nodes: nodes, Instances: map[string]network.Instance{}}
	var ids []string
	for _, d := range dbs {
		ids = appendNew(ids, d.Groups...)
	}
	var err error
	if site.Groups, err = s.network.Groups(ctx, ids); err != nil {
		if fault.KindOf(err) != fault.Auth {
			return site, err
		}
		site.Groups = nil
		site.Notes = append(site.Notes, err.Error()+": the VPC alone decides")
	}
	var vpcs []string
	for _, d := range dbs {
		if vpc := site.VPC(d); vpc != "" {
			vpcs = appendNew(vpcs, vpc)
		}
	}
	if len(vpcs) == 0 {
		return site, nil
	}
	if site.Peers, err = s.network.Peers(ctx, vpcs); err != nil {
		if fault.KindOf(err) != fault.Auth {
			return site, err
		}
		site.Notes = append(site.Notes, err.Error()+": nodes in peered VPCs are not looked at")
	}
	all := slices.Clone(vpcs)
	for _, vpc := range vpcs {
		all = appendNew(all, site.Peers[vpc]...)
	}
	instances, err := s.network.Instances(ctx, all)
	if err != nil {
		return site, err
	}
	managed := map[string]bool{}
	for _, n := range nodes {
		managed[n.ID] = true
	}
	ids = nil
	for _, i := range instances {
		if managed[i.ID] {
			site.Instances[i.ID] = i
			for _, g := range i.Groups {
				if _, known := site.Groups[g]; !known {
					ids = appendNew(ids, g)
				}
			}
		}
	}
	if site.Groups == nil || len(ids) == 0 {
		return site, nil
	}
	more, err := s.network.Groups(ctx, ids)
	if err != nil {
		return site, err
	}
	for id, g := range more {
		site.Groups[id] = g
	}
	return site, nil
}

func appendNew(list []string, more ...string) []string {
	for _, m := range more {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}
