package database

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// mostRecords is the largest page of RDS, ElastiCache and Redshift.
const mostRecords = 100

func (s *Service) clusters(ctx context.Context) ([]Database, error) {
	var found []Database
	pages := rds.NewDescribeDBClustersPaginator(s.rds, &rds.DescribeDBClustersInput{MaxRecords: aws.Int32(mostRecords)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("list DB clusters", err)
		}
		for _, c := range out.DBClusters {
			found = append(found, fromCluster(c))
		}
	}
	return found, nil
}

func fromCluster(c types.DBCluster) Database {
	d := Database{
		Service: RDS, Kind: Cluster, Name: aws.ToString(c.DBClusterIdentifier), Engine: aws.ToString(c.Engine), Status: aws.ToString(c.Status),
		Endpoint: aws.ToString(c.Endpoint), Reader: aws.ToString(c.ReaderEndpoint), Custom: c.CustomEndpoints, Port: int(aws.ToInt32(c.Port)),
		Database: aws.ToString(c.DatabaseName), IAM: aws.ToBool(c.IAMDatabaseAuthenticationEnabled), Groups: groupsOf(c.VpcSecurityGroups),
	}
	for _, m := range c.DBClusterMembers {
		if aws.ToBool(m.IsClusterWriter) {
			d.writer = aws.ToString(m.DBInstanceIdentifier)
		}
	}
	return d
}

func groupsOf(list []types.VpcSecurityGroupMembership) []string {
	var ids []string
	for _, g := range list {
		ids = append(ids, aws.ToString(g.VpcSecurityGroupId))
	}
	return ids
}

func (s *Service) instances(ctx context.Context) ([]Database, error) {
	var found []Database
	pages := rds.NewDescribeDBInstancesPaginator(s.rds, &rds.DescribeDBInstancesInput{MaxRecords: aws.Int32(mostRecords)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("list DB instances", err)
		}
		for _, i := range out.DBInstances {
			d := Database{
				Service: RDS, Kind: Instance, Name: aws.ToString(i.DBInstanceIdentifier), Engine: aws.ToString(i.Engine),
				Status: aws.ToString(i.DBInstanceStatus), Cluster: aws.ToString(i.DBClusterIdentifier), Database: aws.ToString(i.DBName),
				IAM: aws.ToBool(i.IAMDatabaseAuthenticationEnabled), Groups: groupsOf(i.VpcSecurityGroups),
			}
			if i.Endpoint != nil {
				d.Endpoint, d.Port = aws.ToString(i.Endpoint.Address), int(aws.ToInt32(i.Endpoint.Port))
			}
			if i.DBSubnetGroup != nil {
				d.VPC = aws.ToString(i.DBSubnetGroup.VpcId)
			}
			found = append(found, d)
		}
	}
	return found, nil
}

// proxyPorts are those of RDS proxies, which listen on no other.
var proxyPorts = map[string]int{"POSTGRESQL": 5432, "MYSQL": 3306, "SQLSERVER": 1433}

func (s *Service) proxies(ctx context.Context) ([]Database, error) {
	var found []Database
	pages := rds.NewDescribeDBProxiesPaginator(s.rds, &rds.DescribeDBProxiesInput{MaxRecords: aws.Int32(mostRecords)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("list DB proxies", err)
		}
		for _, p := range out.DBProxies {
			family := aws.ToString(p.EngineFamily)
			d := Database{
				Service: RDS, Kind: Proxy, Name: aws.ToString(p.DBProxyName), Engine: strings.ToLower(family), Status: string(p.Status),
				Endpoint: aws.ToString(p.Endpoint), Port: proxyPorts[family], TLS: aws.ToBool(p.RequireTLS),
				VPC: aws.ToString(p.VpcId), Groups: p.VpcSecurityGroupIds,
			}
			for _, a := range p.Auth {
				d.IAM = d.IAM || a.IAMAuth == types.IAMAuthModeRequired || a.IAMAuth == types.IAMAuthModeEnabled
			}
			found = append(found, d)
		}
	}
	return found, nil
}
