package database

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// replicationGroups returns the replication groups, and the cache clusters that
// are in none. Which security groups a replication group has, only its clusters
// know.
func (s *Service) replicationGroups(ctx context.Context) ([]Database, error) {
	var found []Database
	groups := map[string][]string{}
	clusters := elasticache.NewDescribeCacheClustersPaginator(s.cache, &elasticache.DescribeCacheClustersInput{
		MaxRecords: aws.Int32(mostRecords), ShowCacheNodeInfo: aws.Bool(true),
	})
	for clusters.HasMorePages() {
		out, err := clusters.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("list cache clusters", err)
		}
		for _, c := range out.CacheClusters {
			var ids []string
			for _, g := range c.SecurityGroups {
				ids = append(ids, aws.ToString(g.SecurityGroupId))
			}
			if of := aws.ToString(c.ReplicationGroupId); of != "" {
				groups[of] = ids
				continue
			}
			found = append(found, fromCacheCluster(c, ids))
		}
	}
	pages := elasticache.NewDescribeReplicationGroupsPaginator(s.cache, &elasticache.DescribeReplicationGroupsInput{MaxRecords: aws.Int32(mostRecords)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("list replication groups", err)
		}
		for _, g := range out.ReplicationGroups {
			found = append(found, fromReplicationGroup(g, groups[aws.ToString(g.ReplicationGroupId)]))
		}
	}
	return found, nil
}

func fromCacheCluster(c types.CacheCluster, groups []string) Database {
	d := Database{
		Service: Cache, Kind: Cluster, Name: aws.ToString(c.CacheClusterId), Engine: aws.ToString(c.Engine),
		Status: aws.ToString(c.CacheClusterStatus), TLS: aws.ToBool(c.TransitEncryptionEnabled), Groups: groups,
	}
	switch {
	case c.ConfigurationEndpoint != nil:
		d.Endpoint, d.Port = address(c.ConfigurationEndpoint)
	case len(c.CacheNodes) > 0:
		d.Endpoint, d.Port = address(c.CacheNodes[0].Endpoint)
	}
	return d
}

func fromReplicationGroup(g types.ReplicationGroup, groups []string) Database {
	d := Database{
		Service: Cache, Kind: Group, Name: aws.ToString(g.ReplicationGroupId), Engine: cmp.Or(aws.ToString(g.Engine), "redis"),
		Status: aws.ToString(g.Status), TLS: aws.ToBool(g.TransitEncryptionEnabled), ClusterMode: aws.ToBool(g.ClusterEnabled),
		IAM: aws.ToBool(g.TransitEncryptionEnabled) && len(g.UserGroupIds) > 0, Groups: groups,
	}
	switch {
	case g.ConfigurationEndpoint != nil:
		d.Endpoint, d.Port = address(g.ConfigurationEndpoint)
	case len(g.NodeGroups) > 0:
		d.Endpoint, d.Port = address(g.NodeGroups[0].PrimaryEndpoint)
		d.Reader, _ = address(g.NodeGroups[0].ReaderEndpoint)
	}
	return d
}

func (s *Service) serverlessCaches(ctx context.Context) ([]Database, error) {
	var found []Database
	pages := elasticache.NewDescribeServerlessCachesPaginator(s.cache, &elasticache.DescribeServerlessCachesInput{MaxResults: aws.Int32(mostRecords)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("list serverless caches", err)
		}
		for _, c := range out.ServerlessCaches {
			d := Database{
				Service: Cache, Kind: Serverless, Name: aws.ToString(c.ServerlessCacheName), Engine: aws.ToString(c.Engine), Status: aws.ToString(c.Status),
				TLS: true, IAM: aws.ToString(c.UserGroupId) != "", Groups: c.SecurityGroupIds,
			}
			d.Endpoint, d.Port = address(c.Endpoint)
			d.Reader, _ = address(c.ReaderEndpoint)
			found = append(found, d)
		}
	}
	return found, nil
}

func address(e *types.Endpoint) (host string, port int) {
	if e == nil {
		return "", 0
	}
	return aws.ToString(e.Address), int(aws.ToInt32(e.Port))
}
