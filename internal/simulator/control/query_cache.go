package control

import (
	"net/url"
	"strconv"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

var cacheActions = map[string]func(*call, url.Values) ([]element, error){
	"DescribeReplicationGroups": (*call).describeReplicationGroups,
	"DescribeCacheClusters":     (*call).describeCacheClusters,
	"DescribeServerlessCaches":  (*call).describeServerlessCaches,
}

func (c *call) describeReplicationGroups(form url.Values) ([]element, error) {
	return c.describe(form, world.ReplicationGroup, "ReplicationGroupId", "ReplicationGroupNotFoundFault", "ReplicationGroup", "ReplicationGroups", "ReplicationGroup", c.replicationGroup)
}

func endpoint(name, host string, port int) element {
	if host == "" {
		return element{}
	}
	return el(name, leaf("Address", host), number("Port", port))
}

func (c *call) replicationGroup(d world.DatabaseSpec) element {
	group := []element{leaf("NodeGroupId", "0001"), leaf("Status", d.Status)}
	mode, config := "disabled", element{}
	if d.ClusterMode {
		mode, config = "enabled", endpoint("ConfigurationEndpoint", d.Endpoint, d.Port)
	} else {
		group = append(group, endpoint("PrimaryEndpoint", d.Endpoint, d.Port), endpoint("ReaderEndpoint", d.Reader, d.Port))
	}
	return el("",
		leaf("ReplicationGroupId", d.Name),
		leaf("ARN", c.world.ARN("elasticache", "replicationgroup:"+d.Name)),
		leaf("Description", d.Name),
		leaf("Status", d.Status),
		leaf("Engine", d.Engine),
		truth("ClusterEnabled", d.ClusterMode),
		leaf("ClusterMode", mode),
		truth("TransitEncryptionEnabled", d.TLS),
		truth("AuthTokenEnabled", false),
		config,
		texts("MemberClusters", "ClusterId", []string{d.Name + "-001", d.Name + "-002"}),
		el("NodeGroups", el("NodeGroup", group...)),
	)
}

// describeCacheClusters shows the members of replication groups too, unless they
// are not wanted.
func (c *call) describeCacheClusters(form url.Values) ([]element, error) {
	type cluster struct {
		world.DatabaseSpec
		id, group string
	}
	var all []cluster
	for _, d := range c.world.Databases(world.CacheCluster) {
		all = append(all, cluster{d, d.Name, ""})
	}
	if form.Get("ShowCacheClustersNotInReplicationGroups") != "true" {
		for _, d := range c.world.Databases(world.ReplicationGroup) {
			for i := range 2 {
				all = append(all, cluster{d, d.Name + "-00" + strconv.Itoa(i+1), d.Name})
			}
		}
	}
	key := func(d cluster) string { return d.id }
	all, err := named(all, form.Get("CacheClusterId"), key, "CacheClusterNotFound", "CacheCluster")
	if err != nil {
		return nil, err
	}
	all, marker, err := marked(c, form, all, key)
	if err != nil {
		return nil, err
	}
	return []element{list("CacheClusters", all, func(d cluster) element {
		kids := []element{
			leaf("CacheClusterId", d.id),
			leaf("ARN", c.world.ARN("elasticache", "cluster:"+d.id)),
			leaf("CacheClusterStatus", d.Status),
			leaf("Engine", d.Engine),
			leaf("ReplicationGroupId", d.group),
			number("NumCacheNodes", 1),
			leaf("CacheSubnetGroupName", "default-"+d.VPC),
			truth("TransitEncryptionEnabled", d.TLS),
			list("SecurityGroups", d.SecurityGroups, func(g string) element {
				return el("member", leaf("SecurityGroupId", g), leaf("Status", "active"))
			}),
		}
		if d.Engine == "memcached" {
			kids = append(kids, endpoint("ConfigurationEndpoint", d.Endpoint, d.Port))
		}
		if form.Get("ShowCacheNodeInfo") == "true" {
			kids = append(kids, el("CacheNodes", el("CacheNode", leaf("CacheNodeId", "0001"), leaf("CacheNodeStatus", d.Status),
				endpoint("Endpoint", d.Endpoint, d.Port))))
		}
		return el("CacheCluster", kids...)
	}), marker}, nil
}

func (c *call) describeServerlessCaches(form url.Values) ([]element, error) {
	all, err := named(c.world.Databases(world.ServerlessCache), form.Get("ServerlessCacheName"), databaseName, "ServerlessCacheNotFoundFault", "ServerlessCache")
	if err != nil {
		return nil, err
	}
	size := 50
	if n, err := strconv.Atoi(form.Get("MaxResults")); err == nil && n > 0 {
		size = n
	}
	all, next, err := page(c, "DescribeServerlessCaches", all, databaseName, form.Get("NextToken"), &size, size)
	if err != nil {
		return nil, &apiError{Code: "InvalidParameterValue", Message: "Invalid NextToken"}
	}
	return []element{leaf("NextToken", next), list("ServerlessCaches", all, func(d world.DatabaseSpec) element {
		return el("member",
			leaf("ServerlessCacheName", d.Name),
			leaf("ARN", c.world.ARN("elasticache", "serverlesscache:"+d.Name)),
			leaf("Status", d.Status),
			leaf("Engine", d.Engine),
			endpoint("Endpoint", d.Endpoint, d.Port),
			endpoint("ReaderEndpoint", d.Reader, d.Port),
			texts("SecurityGroupIds", "SecurityGroupId", d.SecurityGroups),
			texts("SubnetIds", "SubnetId", d.Subnets),
		)
	})}, nil
}
