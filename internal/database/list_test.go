package database

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	cachetypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	searchtypes "github.com/aws/aws-sdk-go-v2/service/opensearch/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/network"
)

type fakes struct {
	rds      *MockrdsAPI
	cache    *MockcacheAPI
	redshift *MockredshiftAPI
	search   *MocksearchAPI
	network  *Mocksurroundings
}

func service(t *testing.T) (*Service, fakes) {
	t.Helper()
	c := gomock.NewController(t)
	f := fakes{NewMockrdsAPI(c), NewMockcacheAPI(c), NewMockredshiftAPI(c), NewMocksearchAPI(c), NewMocksurroundings(c)}
	return &Service{rds: f.rds, cache: f.cache, redshift: f.redshift, search: f.search, network: f.network}, f
}

func denied(service, operation string) error {
	return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}}
}

func member(name string, writer bool) rdstypes.DBClusterMember {
	return rdstypes.DBClusterMember{DBInstanceIdentifier: aws.String(name), IsClusterWriter: aws.Bool(writer)}
}

func TestListReadsAllPagesAndJoinsClustersWithTheirMembers(t *testing.T) {
	s, f := service(t)
	f.rds.EXPECT().DescribeDBClusters(gomock.Any(), gomock.Any(), gomock.Any()).Return(&rds.DescribeDBClustersOutput{DBClusters: []rdstypes.DBCluster{{
		DBClusterIdentifier: aws.String("orders"), Engine: aws.String("aurora-postgresql"), Status: aws.String("available"), Endpoint: aws.String("w"), ReaderEndpoint: aws.String("r"),
		Port: aws.Int32(5432), DatabaseName: aws.String("orders"), CustomEndpoints: []string{"c"}, IAMDatabaseAuthenticationEnabled: aws.Bool(true),
		VpcSecurityGroups: []rdstypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: aws.String("sg-1")}},
		DBClusterMembers:  []rdstypes.DBClusterMember{member("orders-1", false), member("orders-2", true)},
	}}}, nil)
	var markers []string
	f.rds.EXPECT().DescribeDBInstances(gomock.Any(), gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *rds.DescribeDBInstancesInput, _ ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error) {
			markers = append(markers, aws.ToString(in.Marker))
			i := rdstypes.DBInstance{
				DBInstanceIdentifier: aws.String("orders-1"), DBClusterIdentifier: aws.String("orders"), DBSubnetGroup: &rdstypes.DBSubnetGroup{VpcId: aws.String("vpc-1")},
				Endpoint: &rdstypes.Endpoint{Address: aws.String("i1"), Port: aws.Int32(5432)}, DBInstanceStatus: aws.String("available"),
			}
			if len(markers) == 2 {
				i.DBInstanceIdentifier = aws.String("orders-2")
				return &rds.DescribeDBInstancesOutput{DBInstances: []rdstypes.DBInstance{i}}, nil
			}
			return &rds.DescribeDBInstancesOutput{DBInstances: []rdstypes.DBInstance{i}, Marker: aws.String("m")}, nil
		})
	f.rds.EXPECT().DescribeDBProxies(gomock.Any(), gomock.Any(), gomock.Any()).Return(&rds.DescribeDBProxiesOutput{DBProxies: []rdstypes.DBProxy{{
		DBProxyName: aws.String("p"), EngineFamily: aws.String("MYSQL"), Status: rdstypes.DBProxyStatusAvailable, Endpoint: aws.String("pe"), VpcId: aws.String("vpc-1"),
		Auth: []rdstypes.UserAuthConfigInfo{{IAMAuth: rdstypes.IAMAuthModeRequired}},
	}}}, nil)
	got, errs := s.List(t.Context(), RDS)
	if len(errs) > 0 || !slices.Equal(markers, []string{"", "m"}) {
		t.Fatalf("errors %v, markers %v", errs, markers)
	}
	var short []string
	for _, d := range got {
		short = append(short, strings.Join([]string{d.String(), d.Role, d.VPC, d.Endpoint}, " "))
	}
	want := []string{"cluster/orders  vpc-1 w", "proxy/p  vpc-1 pe", "instance/orders-1 reader vpc-1 i1", "instance/orders-2 writer vpc-1 i1"}
	if !slices.Equal(short, want) {
		t.Errorf("got  %q\nwant %q", short, want)
	}
	if p := got[1]; p.Port != 3306 || !p.IAM || FamilyOf(p.Engine) != MySQL {
		t.Errorf("proxy %+v", p)
	}
	if c := got[0]; c.Reader != "r" || !c.IAM || c.Database != "orders" || !slices.Equal(c.Groups, []string{"sg-1"}) {
		t.Errorf("cluster %+v", c)
	}
}

func TestListKeepsWhatItGotWhenOneCallFails(t *testing.T) {
	for _, tt := range []struct {
		err  error
		kind fault.Kind
		want string
	}{
		{denied("RDS", "DescribeDBProxies"), fault.Auth, "list DB proxies: not allowed: rds:DescribeDBProxies"},
		{&smithy.GenericAPIError{Code: "Throttling"}, fault.Throttled, "list DB proxies: AWS asks to slow down, also after several tries"},
	} {
		s, f := service(t)
		f.rds.EXPECT().DescribeDBClusters(gomock.Any(), gomock.Any(), gomock.Any()).AnyTimes().Return(&rds.DescribeDBClustersOutput{}, nil)
		f.rds.EXPECT().DescribeDBInstances(gomock.Any(), gomock.Any(), gomock.Any()).AnyTimes().Return(&rds.DescribeDBInstancesOutput{DBInstances: []rdstypes.DBInstance{{DBInstanceIdentifier: aws.String("a")}}}, nil)
		f.rds.EXPECT().DescribeDBProxies(gomock.Any(), gomock.Any(), gomock.Any()).AnyTimes().Return(nil, tt.err)
		got, errs := s.List(t.Context(), RDS)
		if len(got) != 1 || len(errs) != 1 || errs[0].Error() != tt.want || fault.KindOf(errs[0]) != tt.kind {
			t.Errorf("got %v, %v", got, errs)
		}
		// A name that is there is found, and what might hide another is told.
		if d, notes, err := s.Find(t.Context(), RDS, "a"); err != nil || d.Name != "a" || len(notes) != 1 {
			t.Errorf("find: %v, %v, %v", d, notes, err)
		}
		// One that is not may be among what was not listed.
		if _, _, err := s.Find(t.Context(), RDS, "b"); !errors.Is(err, tt.err) {
			t.Errorf("find b: %v", err)
		}
	}
}

func TestListCaches(t *testing.T) {
	s, f := service(t)
	at := func(host string) *cachetypes.Endpoint {
		return &cachetypes.Endpoint{Address: aws.String(host), Port: aws.Int32(6379)}
	}
	groups := func(id string) []cachetypes.SecurityGroupMembership {
		return []cachetypes.SecurityGroupMembership{{SecurityGroupId: aws.String(id)}}
	}
	f.cache.EXPECT().DescribeCacheClusters(gomock.Any(), gomock.Any(), gomock.Any()).Return(&elasticache.DescribeCacheClustersOutput{CacheClusters: []cachetypes.CacheCluster{
		{CacheClusterId: aws.String("carts-001"), ReplicationGroupId: aws.String("carts"), SecurityGroups: groups("sg-1")},
		{CacheClusterId: aws.String("old"), Engine: aws.String("redis"), CacheNodes: []cachetypes.CacheNode{{Endpoint: at("old-node")}}, SecurityGroups: groups("sg-2")},
		{CacheClusterId: aws.String("mem"), Engine: aws.String("memcached"), ConfigurationEndpoint: at("mem-config")},
	}}, nil)
	f.cache.EXPECT().DescribeReplicationGroups(gomock.Any(), gomock.Any(), gomock.Any()).Return(&elasticache.DescribeReplicationGroupsOutput{ReplicationGroups: []cachetypes.ReplicationGroup{
		{ReplicationGroupId: aws.String("carts"), TransitEncryptionEnabled: aws.Bool(true), NodeGroups: []cachetypes.NodeGroup{{PrimaryEndpoint: at("master"), ReaderEndpoint: at("replica")}}},
		{ReplicationGroupId: aws.String("shards"), Engine: aws.String("valkey"), ClusterEnabled: aws.Bool(true), ConfigurationEndpoint: at("config")},
		{ReplicationGroupId: aws.String("new"), Status: aws.String("creating")},
	}}, nil)
	f.cache.EXPECT().DescribeServerlessCaches(gomock.Any(), gomock.Any(), gomock.Any()).Return(&elasticache.DescribeServerlessCachesOutput{ServerlessCaches: []cachetypes.ServerlessCache{
		{ServerlessCacheName: aws.String("burst"), Engine: aws.String("valkey"), Endpoint: at("burst"), SecurityGroupIds: []string{"sg-3"}},
	}}, nil)
	got, errs := s.List(t.Context(), Cache)
	want := []Database{
		{Service: Cache, Kind: Cluster, Name: "mem", Engine: "memcached", Endpoint: "mem-config", Port: 6379},
		{Service: Cache, Kind: Cluster, Name: "old", Engine: "redis", Endpoint: "old-node", Port: 6379, Groups: []string{"sg-2"}},
		{Service: Cache, Kind: Group, Name: "carts", Engine: "redis", Endpoint: "master", Reader: "replica", Port: 6379, TLS: true, Groups: []string{"sg-1"}},
		{Service: Cache, Kind: Group, Name: "new", Engine: "redis", Status: "creating"},
		{Service: Cache, Kind: Group, Name: "shards", Engine: "valkey", Endpoint: "config", Port: 6379, ClusterMode: true},
		{Service: Cache, Kind: Serverless, Name: "burst", Engine: "valkey", Endpoint: "burst", Port: 6379, TLS: true, Groups: []string{"sg-3"}},
	}
	if len(errs) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("errors %v, got\n%+v\nwant\n%+v", errs, got, want)
	}
}

func TestListWarehousesAndDomains(t *testing.T) {
	s, f := service(t)
	f.redshift.EXPECT().DescribeClusters(gomock.Any(), gomock.Any(), gomock.Any()).Return(&redshift.DescribeClustersOutput{Clusters: []redshifttypes.Cluster{{
		ClusterIdentifier: aws.String("dw"), ClusterStatus: aws.String("available"), DBName: aws.String("dev"), VpcId: aws.String("vpc-1"),
		Endpoint: &redshifttypes.Endpoint{Address: aws.String("dw.example"), Port: aws.Int32(5439)}, VpcSecurityGroups: []redshifttypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: aws.String("sg-1")}},
	}}}, nil)
	var names []searchtypes.DomainInfo
	for _, n := range []string{"d1", "d2", "d3", "d4", "d5", "d6"} {
		names = append(names, searchtypes.DomainInfo{DomainName: aws.String(n)})
	}
	f.search.EXPECT().ListDomainNames(gomock.Any(), gomock.Any(), gomock.Any()).Return(&opensearch.ListDomainNamesOutput{DomainNames: names}, nil)
	var chunks []int
	f.search.EXPECT().DescribeDomains(gomock.Any(), gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *opensearch.DescribeDomainsInput, _ ...func(*opensearch.Options)) (*opensearch.DescribeDomainsOutput, error) {
			chunks = append(chunks, len(in.DomainNames))
			out := &opensearch.DescribeDomainsOutput{}
			if len(in.DomainNames) == 1 {
				out.DomainStatusList = []searchtypes.DomainStatus{{
					DomainName: aws.String("d6"), EngineVersion: aws.String("Elasticsearch_7.10"), Endpoints: map[string]string{"vpc": "vpc-d6.example"}, DomainProcessingStatus: "Modifying",
					VPCOptions: &searchtypes.VPCDerivedInfo{VPCId: aws.String("vpc-1"), SecurityGroupIds: []string{"sg-2"}},
				}}
			}
			return out, nil
		})
	got, errs := s.List(t.Context(), Search, Redshift)
	want := []Database{
		{Service: Redshift, Kind: Cluster, Name: "dw", Engine: "redshift", Status: "available", Endpoint: "dw.example", Port: 5439, Database: "dev", VPC: "vpc-1", Groups: []string{"sg-1"}},
		{Service: Search, Kind: Domain, Name: "d6", Engine: "elasticsearch", Status: "modifying", Endpoint: "vpc-d6.example", Port: 443, TLS: true, VPC: "vpc-1", Groups: []string{"sg-2"}},
	}
	if len(errs) > 0 || !slices.Equal(chunks, []int{5, 1}) || !reflect.DeepEqual(got, want) {
		t.Errorf("errors %v, chunks %v, got\n%+v\nwant\n%+v", errs, chunks, got, want)
	}
}

func TestSiteGoesWithoutWhatMayNotBeRead(t *testing.T) {
	nodes := []fleet.Node{{ID: "i-1", Ping: fleet.Online}}
	forbidden := fault.New(fault.Auth, "read", "not allowed: ec2:X")
	broken := fault.New(fault.Failed, "read", "broken")
	here := []network.Instance{standsIn("i-1", "vpc-1", "sg-web"), standsIn("i-stranger", "vpc-1", "sg-other")}
	for _, tt := range []struct {
		name                     string
		groups, peers, instances error
		notes                    int
		want                     error
	}{
		{"all may be read", nil, nil, nil, 0, nil},
		{"security groups may not", forbidden, nil, nil, 1, nil},
		{"peerings may not", nil, forbidden, nil, 1, nil},
		{"instances may not", nil, nil, forbidden, 0, forbidden},
		{"security groups are broken", broken, nil, nil, 0, broken},
		{"peerings are broken", nil, broken, nil, 0, broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, f := service(t)
			var asked []string
			f.network.EXPECT().Groups(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(_ context.Context, ids []string) (map[string]network.Group, error) {
				asked = append(asked, ids...)
				found := map[string]network.Group{}
				for _, id := range ids {
					found[id] = network.Group{ID: id, VPC: "vpc-1"}
				}
				return found, tt.groups
			})
			f.network.EXPECT().Peers(gomock.Any(), []string{"vpc-1"}).AnyTimes().Return(map[string][]string{"vpc-1": {"vpc-2"}}, tt.peers)
			f.network.EXPECT().Instances(gomock.Any(), gomock.Any()).AnyTimes().Return(here, tt.instances)
			site, err := s.Site(t.Context(), nodes, orders)
			if !errors.Is(err, tt.want) || len(site.Notes) != tt.notes {
				t.Fatalf("error %v, notes %q", err, site.Notes)
			}
			if err != nil {
				return
			}
			if len(site.Instances) != 1 || site.Instances["i-1"].VPC != "vpc-1" {
				t.Errorf("instances %v", site.Instances)
			}
			wantAsked := []string{"sg-db", "sg-web"} // the stranger's are nobody's business
			if tt.groups != nil {
				wantAsked = []string{"sg-db"}
			}
			if !slices.Equal(asked, wantAsked) || (site.Groups == nil) != (tt.groups != nil) {
				t.Errorf("asked for %v, groups %v", asked, site.Groups)
			}
		})
	}
}
