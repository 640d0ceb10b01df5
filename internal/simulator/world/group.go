package world

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// GroupMember is a resource of a resource group.
type GroupMember struct{ ARN, Type string }

// GroupMembers returns the nodes of a group, and its instances that Systems
// Manager does not know, sorted; ok is false when there is no such group.
func (w *World) GroupMembers(name string) (members []GroupMember, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.ContainsFunc(w.sc.Groups, func(g GroupSpec) bool { return g.Name == name }) {
		return nil, false
	}
	all := maps.Clone(w.nodes)
	maps.Copy(all, w.instances)
	for id, n := range all {
		switch {
		case !w.inGroup(n, name):
		case strings.HasPrefix(id, "mi-"):
			members = append(members, GroupMember{w.ARN("ssm", "managed-instance/"+id), "AWS::SSM::ManagedInstance"})
		default:
			members = append(members, GroupMember{w.ARN("ec2", "instance/"+id), "AWS::EC2::Instance"})
		}
	}
	slices.SortFunc(members, func(a, b GroupMember) int { return cmp.Compare(a.ARN, b.ARN) })
	return members, true
}
