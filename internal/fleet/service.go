// Package fleet knows the managed nodes: it lists them, finds the one a user
// means, and turns target expressions into what Run Command is sent.
//
// Its rule is never to guess. A name that fits two nodes is an error that lists
// both; a name that fits none names the closest; a target that matches nothing
// is an error before anything is sent; and a list that broke off is an error,
// not a shorter list.
package fleet

import (
	"io"
	"os"
	"sync/atomic"
	"time"
)

// Service lists and resolves the nodes of one scope. It is safe for concurrent
// use.
type Service struct {
	api   api
	stdin io.Reader
	open  func(path string) (io.ReadCloser, error)
	now   func() time.Time

	noProperties atomic.Bool // DescribeInstanceProperties was refused
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
