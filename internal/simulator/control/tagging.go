package control

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// The Resource Groups Tagging API, public API model 2017-01-26: GetResources of
// instances and hybrid nodes. It signs as "tagging" and is "tag" to IAM.
const (
	taggingTarget  = "ResourceGroupsTaggingAPI_20170126"
	taggingService = "tagging"
)

func taggingOperations() map[string]operation {
	return map[string]operation{"GetResources": op(taggingService, (*call).getResources)}
}

// iamService is the name of a service in IAM actions.
func iamService(signing string) string {
	if signing == taggingService {
		return "tag"
	}
	return signing
}

type getResourcesIn struct {
	ResourceTypeFilters []string `api:"items=0..100"`
	TagFilters          []struct {
		Key    string   `api:"len=1..128"`
		Values []string `api:"items=0..20"`
	} `api:"items=0..50"`
	ResourcesPerPage *int `api:"range=1..100"`
	PaginationToken  string
}

// taggedResource is a resource with the tags it has.
type taggedResource struct {
	arn, kind string
	tags      map[string]string
}

func (c *call) taggedResources() ([]taggedResource, error) {
	instances, err := c.world.Instances(nil)
	if err != nil {
		return nil, err
	}
	var all []taggedResource
	for _, i := range instances {
		all = append(all, taggedResource{c.world.ARN("ec2", "instance/"+i.ID), "ec2:instance", i.Tags})
	}
	for _, n := range c.world.Nodes() {
		if strings.HasPrefix(n.ID, "mi-") {
			all = append(all, taggedResource{c.world.ARN("ssm", "managed-instance/"+n.ID), "ssm:managed-instance", n.Tags})
		}
	}
	return all, nil
}

func (c *call) getResources(in *getResourcesIn) (any, error) {
	all, err := c.taggedResources()
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(all, func(r taggedResource) bool {
		service, _, _ := strings.Cut(r.kind, ":")
		if len(r.tags) == 0 || len(in.ResourceTypeFilters) > 0 && !slices.Contains(in.ResourceTypeFilters, r.kind) && !slices.Contains(in.ResourceTypeFilters, service) {
			return true
		}
		for _, f := range in.TagFilters {
			v, has := r.tags[f.Key]
			if !has || len(f.Values) > 0 && !slices.Contains(f.Values, v) {
				return true
			}
		}
		return false
	})
	slices.SortFunc(found, func(a, b taggedResource) int { return cmp.Compare(a.arn, b.arn) })
	found, token, err := page(c, "GetResources", found, func(r taggedResource) string { return r.arn }, in.PaginationToken, in.ResourcesPerPage, 50)
	if err != nil {
		return nil, world.Errorf("PaginationTokenExpiredException", "Pagination token is not valid.")
	}
	type tag struct{ Key, Value string }
	type mapping struct {
		ResourceARN string
		Tags        []tag
	}
	out := struct {
		ResourceTagMappingList []mapping
		PaginationToken        string
	}{[]mapping{}, token}
	for _, r := range found {
		m := mapping{ResourceARN: r.arn}
		for _, k := range slices.Sorted(maps.Keys(r.tags)) {
			m.Tags = append(m.Tags, tag{k, r.tags[k]})
		}
		out.ResourceTagMappingList = append(out.ResourceTagMappingList, m)
	}
	return out, nil
}
