// Package database finds the databases, caches and search domains of an account,
// the node that can carry connections to one, and how a client is pointed at the
// tunnel.
//
// It never guesses: a name must fit exactly one thing, and a node is chosen only
// when the security groups say that it is let in.
package database

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// The services, as the command line names them.
const (
	RDS      = "rds" // Aurora, Neptune and DocumentDB too
	Cache    = "cache"
	Redshift = "redshift"
	Search   = "search"
)

// Services are all of them.
var Services = []string{RDS, Cache, Redshift, Search}

// The kinds of things that have a name.
const (
	Cluster    = "cluster"
	Instance   = "instance"
	Proxy      = "proxy"
	Group      = "group" // a replication group
	Serverless = "serverless"
	Domain     = "domain"
)

// Database is one thing that clients connect to. The JSON names are part of the
// output contract.
type Database struct {
	Service  string `json:"service"` // rds, cache, redshift, search
	Kind     string `json:"kind"`    // cluster, instance, proxy, group, serverless, domain
	Name     string `json:"name"`
	Engine   string `json:"engine"`
	Status   string `json:"status"`
	Endpoint string `json:"endpoint"` // host; the writer's, where there are several
	Port     int    `json:"port"`

	Reader      string   `json:"reader_endpoint,omitempty"`
	Custom      []string `json:"custom_endpoints,omitempty"`
	Cluster     string   `json:"cluster,omitempty"`  // of an instance
	Role        string   `json:"role,omitempty"`     // of such an instance: writer, reader
	Database    string   `json:"database,omitempty"` // the one made with it
	IAM         bool     `json:"iam_auth"`
	TLS         bool     `json:"tls"` // of caches: required
	ClusterMode bool     `json:"cluster_mode,omitempty"`

	VPC    string   `json:"vpc"`
	Groups []string `json:"security_groups"`

	writer string // of a cluster: the name of the instance that writes
}

// String names the database as people type it: "cluster/orders-prod".
func (d Database) String() string { return d.Kind + "/" + d.Name }

// Service finds databases. It is safe for concurrent use.
type Service struct {
	rds      rdsAPI
	cache    cacheAPI
	redshift redshiftAPI
	search   searchAPI
	network  surroundings
}

// New returns a Service for the account and Region of cfg.
func New(cfg aws.Config) *Service {
	return &Service{
		rds: rds.NewFromConfig(cfg), cache: elasticache.NewFromConfig(cfg), redshift: redshift.NewFromConfig(cfg),
		search: opensearch.NewFromConfig(cfg), network: network.New(cfg),
	}
}

// source lists the databases of one kind.
type source func(context.Context) ([]Database, error)

func (s *Service) sources(service string) []source {
	switch service {
	case RDS:
		return []source{s.clusters, s.instances, s.proxies}
	case Cache:
		return []source{s.replicationGroups, s.serverlessCaches}
	case Redshift:
		return []source{s.warehouses}
	case Search:
		return []source{s.domains}
	default:
		return nil
	}
}

// List returns the databases of the services, by service, kind and name. What
// cannot be listed is in errs, each a *fault.Error that says which call failed;
// the rest is complete.
func (s *Service) List(ctx context.Context, services ...string) (found []Database, errs []error) {
	var sources []source
	for _, name := range services {
		sources = append(sources, s.sources(name)...)
	}
	lists, failed := make([][]Database, len(sources)), make([]error, len(sources))
	var wg wait.Group
	for i, list := range sources {
		wg.Go(func() { lists[i], failed[i] = list(ctx) })
	}
	wg.Wait()
	found = slices.Concat(lists...)
	place(found)
	slices.SortStableFunc(found, func(a, b Database) int {
		return cmp.Or(slices.Index(Services, a.Service)-slices.Index(Services, b.Service), cmp.Compare(kindOrder(a.Kind), kindOrder(b.Kind)), strings.Compare(a.Name, b.Name))
	})
	return found, slices.DeleteFunc(failed, func(err error) bool { return err == nil })
}

func kindOrder(kind string) int {
	return slices.Index([]string{Cluster, Group, Serverless, Proxy, Instance, Domain}, kind)
}

// place gives clusters the VPC of their members, and the members their role: of
// each RDS says only the other.
func place(found []Database) {
	vpcs := map[string]string{}
	for _, d := range found {
		if d.Cluster != "" && d.VPC != "" {
			vpcs[d.Cluster] = d.VPC
		}
	}
	writers := map[string]bool{}
	for i, d := range found {
		if d.Service == RDS && d.Kind == Cluster {
			found[i].VPC = cmp.Or(d.VPC, vpcs[d.Name])
			writers[d.writer] = true
		}
	}
	for i, d := range found {
		switch {
		case d.Cluster == "":
		case writers[d.Name]:
			found[i].Role = "writer"
		default:
			found[i].Role = "reader"
		}
	}
}
