package world

import (
	"cmp"
	"slices"
	"strings"
)

// The kinds of databases, named after the APIs that describe them.
const (
	RDSCluster       = "rds-cluster"
	RDSInstance      = "rds-instance"
	RDSProxy         = "rds-proxy"
	ReplicationGroup = "replication-group" // of ElastiCache
	CacheCluster     = "cache-cluster"     // of ElastiCache, outside replication groups
	ServerlessCache  = "serverless-cache"
	RedshiftCluster  = "redshift-cluster"
	SearchDomain     = "search-domain" // of OpenSearch
)

// DatabaseSpec is a database, cache or search domain. Its endpoints are hosts
// that nodes reach when security groups and VPCs let them.
type DatabaseSpec struct {
	Kind   string `yaml:"kind"`
	Name   string `yaml:"name"`
	Engine string `yaml:"engine"` // postgres, aurora-mysql, redis, …
	Status string `yaml:"status"` // available (a search domain: Active)

	Endpoint string   `yaml:"endpoint"` // host name; empty while there is none
	Reader   string   `yaml:"reader"`   // host name of the reader endpoint
	Custom   []string `yaml:"custom"`   // host names of custom endpoints of a cluster
	Port     int      `yaml:"port"`

	Cluster  string `yaml:"cluster"` // of an instance: the cluster it is a member of
	Role     string `yaml:"role"`    // of such an instance: writer, reader (default)
	Database string `yaml:"database"`
	User     string `yaml:"user"` // the administrator
	IAM      bool   `yaml:"iam"`  // takes IAM tokens
	TLS      bool   `yaml:"tls"`  // caches: encryption in transit
	// ClusterMode is that of a replication group: one endpoint for all shards.
	ClusterMode bool `yaml:"cluster_mode"`

	VPC            string   `yaml:"vpc"`
	Subnets        []string `yaml:"subnets"`
	SecurityGroups []string `yaml:"security_groups"`

	Serve   string `yaml:"serve"`   // what all endpoints do, as in HostSpec
	Connect string `yaml:"connect"` // the address all endpoints lead to
}

// hosts are the endpoints of the database.
func (d DatabaseSpec) hosts() []HostSpec {
	var all []HostSpec
	for _, name := range append([]string{d.Endpoint, d.Reader}, d.Custom...) {
		known := slices.ContainsFunc(all, func(h HostSpec) bool { return h.Name == name })
		if name != "" && !known {
			all = append(all, HostSpec{Name: name, Port: d.Port, Serve: d.Serve, Connect: d.Connect})
		}
	}
	return all
}

// enginePorts are the usual ones.
var enginePorts = []struct {
	prefix string
	port   int
}{
	{"aurora-postgresql", 5432},
	{"postgres", 5432},
	{"aurora-mysql", 3306},
	{"mysql", 3306},
	{"mariadb", 3306},
	{"sqlserver", 1433},
	{"oracle", 1521},
	{"docdb", 27017},
	{"neptune", 8182},
	{"redis", 6379},
	{"valkey", 6379},
	{"memcached", 11211},
	{"redshift", 5439},
	{"opensearch", 443},
	{"elasticsearch", 443},
}

// databases runs after the nodes and before the hosts.
func (c *checker) databases() {
	for i := range c.sc.Databases {
		d := &c.sc.Databases[i]
		p := func(key string) []any { return at("databases", i, key) }
		c.oneOf(p("kind"), d.Kind, RDSCluster, RDSInstance, RDSProxy, ReplicationGroup, CacheCluster, ServerlessCache, RedshiftCluster, SearchDomain)
		c.match(p("name"), d.Name, `[a-z][a-z0-9-]{0,62}`)
		fill(&d.Status, map[string]string{SearchDomain: "Active"}[d.Kind])
		fill(&d.Status, "available")
		fill(&d.Engine, map[string]string{RedshiftCluster: "redshift", SearchDomain: "opensearch", ReplicationGroup: "redis", CacheCluster: "redis", ServerlessCache: "valkey"}[d.Kind])
		fill(&d.User, "dbadmin")
		if d.Cluster != "" {
			fill(&d.Role, "reader")
			c.oneOf(p("role"), d.Role, "writer", "reader")
			owner := slices.ContainsFunc(c.sc.Databases, func(o DatabaseSpec) bool { return o.Kind == RDSCluster && o.Name == d.Cluster })
			if !owner {
				c.failf(p("cluster"), "cluster: there is no rds-cluster %s", d.Cluster)
			}
		}
		if d.Engine == "" {
			c.failf(at("databases", i), "database %s: it needs an engine", d.Name)
		}
		for _, e := range enginePorts {
			if strings.HasPrefix(d.Engine, e.prefix) {
				d.Port = cmp.Or(d.Port, e.port)
			}
		}
		for j := range d.hosts() {
			h := d.hosts()[j]
			c.port(p("port"), h.Port)
			if h.Connect != "" && h.Serve != "" {
				c.failf(p("connect"), "database %s: serve and connect exclude each other", d.Name)
			}
			c.serve(at("databases", i), h.serve())
		}
	}
}

// Databases returns the databases of the given kinds, in the order of the
// scenario.
func (w *World) Databases(kinds ...string) []DatabaseSpec {
	var found []DatabaseSpec
	for _, d := range w.sc.Databases {
		if slices.Contains(kinds, d.Kind) {
			found = append(found, d)
		}
	}
	return found
}
