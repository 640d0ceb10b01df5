// Package logstore reads what agents leave in other services: objects of S3 and
// streams of CloudWatch Logs. It knows neither sessions nor commands.
//
// Everything is read piece by piece and never held as a whole. A download that
// breaks is taken up where it was; a bucket in another Region is read there.
package logstore

import (
	"errors"
	"net"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// ErrMissing says that there is nothing at a place, or not yet.
var ErrMissing = errors.New("no log")

// Store reads with the rights of one account, and CloudWatch Logs in one Region.
// It keeps nothing between calls and may be used concurrently.
type Store struct {
	objects Objects
	events  Events
}

// New returns a Store with clients made of cfg.
func New(cfg aws.Config) *Store {
	return Over(s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = isLoopback(aws.ToString(o.BaseEndpoint)) // a simulator has no names for buckets
		o.DisableLogOutputChecksumValidationSkipped = true
	}), cloudwatchlogs.NewFromConfig(cfg))
}

// Over returns a Store with these clients.
func Over(o Objects, e Events) *Store { return &Store{objects: o, events: e} }

// isLoopback reports whether an endpoint is on this machine.
func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
