package control

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

var rdsActions = map[string]func(*call, url.Values) ([]element, error){
	"DescribeDBClusters":  (*call).describeDBClusters,
	"DescribeDBInstances": (*call).describeDBInstances,
	"DescribeDBProxies":   (*call).describeDBProxies,
}

func databaseName(d world.DatabaseSpec) string { return d.Name }

// describe is what the three have in common: by name, by page.
func (c *call) describe(form url.Values, kind, name, code, what, group, item string, each func(world.DatabaseSpec) element) ([]element, error) {
	all, err := named(c.world.Databases(kind), form.Get(name), databaseName, code, what)
	if err != nil {
		return nil, err
	}
	all, marker, err := marked(c, form, all, databaseName)
	if err != nil {
		return nil, err
	}
	return []element{list(group, all, func(d world.DatabaseSpec) element {
		e := each(d)
		e.name = item
		return e
	}), marker}, nil
}

func (c *call) describeDBClusters(form url.Values) ([]element, error) {
	return c.describe(form, world.RDSCluster, "DBClusterIdentifier", "DBClusterNotFoundFault", "DBCluster", "DBClusters", "DBCluster", c.dbCluster)
}

func (c *call) describeDBInstances(form url.Values) ([]element, error) {
	return c.describe(form, world.RDSInstance, "DBInstanceIdentifier", "DBInstanceNotFound", "DBInstance", "DBInstances", "DBInstance", c.dbInstance)
}

func (c *call) describeDBProxies(form url.Values) ([]element, error) {
	return c.describe(form, world.RDSProxy, "DBProxyName", "DBProxyNotFoundFault", "DBProxy", "DBProxies", "member", c.dbProxy)
}

func (c *call) dbCluster(d world.DatabaseSpec) element {
	members := slices.DeleteFunc(c.world.Databases(world.RDSInstance), func(i world.DatabaseSpec) bool { return i.Cluster != d.Name })
	return el("",
		leaf("DBClusterIdentifier", d.Name),
		leaf("DBClusterArn", c.world.ARN("rds", "cluster:"+d.Name)),
		leaf("Status", d.Status),
		leaf("Engine", d.Engine),
		leaf("EngineVersion", engineVersion(d.Engine)),
		leaf("Endpoint", d.Endpoint),
		leaf("ReaderEndpoint", d.Reader),
		texts("CustomEndpoints", "member", d.Custom),
		number("Port", d.Port),
		leaf("DatabaseName", d.Database),
		leaf("MasterUsername", d.User),
		leaf("DBSubnetGroup", "default-"+d.VPC),
		truth("IAMDatabaseAuthenticationEnabled", d.IAM),
		truth("MultiAZ", len(members) > 1),
		c.memberships(d.SecurityGroups),
		list("DBClusterMembers", members, func(m world.DatabaseSpec) element {
			return el("DBClusterMember", leaf("DBInstanceIdentifier", m.Name), truth("IsClusterWriter", m.Role == "writer"),
				leaf("DBClusterParameterGroupStatus", "in-sync"), number("PromotionTier", 1))
		}),
	)
}

func (c *call) dbInstance(d world.DatabaseSpec) element {
	kids := []element{
		leaf("DBInstanceIdentifier", d.Name),
		leaf("DBInstanceArn", c.world.ARN("rds", "db:"+d.Name)),
		leaf("DBInstanceClass", "db.r6g.large"),
		leaf("DBInstanceStatus", d.Status),
		leaf("Engine", d.Engine),
		leaf("EngineVersion", engineVersion(d.Engine)),
		leaf("DBName", d.Database),
		leaf("MasterUsername", d.User),
		leaf("DBClusterIdentifier", d.Cluster),
		truth("IAMDatabaseAuthenticationEnabled", d.IAM),
		truth("PubliclyAccessible", d.VPC == ""),
		c.memberships(d.SecurityGroups),
	}
	if d.Endpoint != "" {
		kids = append(kids, el("Endpoint", leaf("Address", d.Endpoint), number("Port", d.Port), leaf("HostedZoneId", "Z2R2ITUGPM61AM")))
	}
	if d.VPC != "" {
		kids = append(kids, el("DBSubnetGroup", leaf("DBSubnetGroupName", "default-"+d.VPC), leaf("VpcId", d.VPC), leaf("SubnetGroupStatus", "Complete"),
			list("Subnets", d.Subnets, func(s string) element {
				return el("Subnet", leaf("SubnetIdentifier", s), leaf("SubnetStatus", "Active"))
			})))
	}
	return el("", kids...)
}

func (c *call) dbProxy(d world.DatabaseSpec) element {
	family := "POSTGRESQL"
	if strings.Contains(d.Engine, "mysql") || d.Engine == "mariadb" {
		family = "MYSQL"
	}
	return el("",
		leaf("DBProxyName", d.Name),
		leaf("DBProxyArn", c.world.ARN("rds", "db-proxy:prx-"+d.Name)),
		leaf("Status", d.Status),
		leaf("EngineFamily", family),
		leaf("Endpoint", d.Endpoint),
		truth("RequireTLS", d.TLS),
		leaf("VpcId", d.VPC),
		texts("VpcSecurityGroupIds", "member", d.SecurityGroups),
		texts("VpcSubnetIds", "member", d.Subnets),
		list("Auth", []bool{d.IAM}, func(iam bool) element {
			mode := "DISABLED"
			if iam {
				mode = "REQUIRED"
			}
			return el("member", leaf("AuthScheme", "SECRETS"), leaf("IAMAuth", mode))
		}),
	)
}

func (c *call) memberships(groups []string) element {
	return list("VpcSecurityGroups", groups, func(g string) element {
		return el("VpcSecurityGroupMembership", leaf("VpcSecurityGroupId", g), leaf("Status", "active"))
	})
}

func engineVersion(engine string) string {
	switch {
	case strings.Contains(engine, "postgres"):
		return "16.4"
	case engine == "aurora-mysql":
		return "8.0.mysql_aurora.3.08.0"
	case engine == "docdb":
		return "5.0.0"
	case engine == "neptune":
		return "1.3.2.1"
	}
	return "8.0.39"
}
