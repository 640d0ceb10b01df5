// Package fleet knows the managed nodes: it lists them, joins them with what EC2
// and Patch Manager know, finds the one a user means, and turns target
// expressions into what Run Command is sent.
//
// Its rule is never to guess. A name that fits two nodes is an error that lists
// both; a name that fits none names the closest; a target that matches nothing
// is an error before anything is sent; a list that broke off is an error, not a
// shorter list; and what may not be read is unknown, not empty.
package fleet

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroups"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/schemas"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// Service lists and resolves the nodes of one scope. It is safe for concurrent
// use.
type Service struct {
	api    api
	ec2    Instances        // nil: EC2 is not asked
	groups func() groupsAPI // nil: groups are not looked up
	bulk   func() tagsAPI   // nil: tags of hybrid nodes are read one by one
	stdin  io.Reader
	open   func(path string) (io.ReadCloser, error)
	now    func() time.Time

	region  string                                    // see At
	account func(ctx context.Context) (string, error) // nil: not known

	noProperties atomic.Bool // DescribeInstanceProperties was refused
	noEC2        atomic.Bool // EC2 did not tell names
	noNames      atomic.Bool // the computer names of instances stand for their names
}

// New returns a Service on client, an *ssm.Client. stdin is what the target
// "-" reads; nil means that it is refused.
func New(client api, stdin io.Reader) *Service {
	return &Service{
		api:   client,
		stdin: stdin,
		open:  func(path string) (io.ReadCloser, error) { return os.Open(path) },
		now:   time.Now,
	}
}

// Clients make the clients of services beside SSM and EC2 when they are first
// needed.
type Clients struct {
	groups func() groupsAPI
	tags   func() tagsAPI
}

// NewClients returns the Clients of an account and Region.
func NewClients(cfg aws.Config) Clients {
	return Clients{
		groups: sync.OnceValue(func() groupsAPI { return resourcegroups.NewFromConfig(cfg) }),
		tags: sync.OnceValue(func() tagsAPI {
			return resourcegroupstaggingapi.NewFromConfig(cfg, func(o *resourcegroupstaggingapi.Options) {
				// The service speaks CBOR too, which proxies and emulators do not read.
				o.Protocol = awsjson.New11(schemas.ResourceGroupsTaggingAPI_20170126)
			})
		}),
	}
}

// Joining has s ask EC2 and the services of c too. It is called before s is used.
func (s *Service) Joining(ec2 Instances, c Clients) *Service {
	s.ec2, s.groups, s.bulk = ec2, c.groups, c.tags
	return s
}

// At tells s where its nodes are, for filters by region and account. It is called
// before s is used; account is called when a filter asks for it.
func (s *Service) At(region string, account func(ctx context.Context) (string, error)) *Service {
	s.region, s.account = region, account
	return s
}
