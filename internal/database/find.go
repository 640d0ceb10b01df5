package database

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// candidates is how many names an error lists.
const candidates = 5

// Find returns the one database of a service that name means: its name, or
// KIND/NAME where several kinds share one. Case does not count. Errors are
// faults: NotFound when nothing fits, with near names, or several things do;
// what a listing failed with, when that is why nothing was found. denied are
// listings that failed although name was found: something else may bear it too.
func (s *Service) Find(ctx context.Context, service, name string) (d Database, denied []error, err error) {
	all, errs := s.List(ctx, service)
	d, err = pick(all, service, name)
	if err != nil && len(errs) > 0 {
		return d, nil, errs[0]
	}
	return d, errs, err
}

func pick(all []Database, service, name string) (Database, error) {
	kind, bare, qualified := strings.Cut(name, "/")
	if !qualified {
		bare = name
	}
	var found []Database
	for _, d := range all {
		if strings.EqualFold(d.Name, bare) && (!qualified || d.Kind == kind) {
			found = append(found, d)
		}
	}
	op := fmt.Sprintf("find %s in %s", name, service)
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Database{}, nothing(op, service, bare, all)
	}
	var words []string
	for _, d := range found {
		words = append(words, d.String())
	}
	return Database{}, fault.New(fault.NotFound, op, "%d things have this name: %s", len(found), strings.Join(words, ", ")).
		WithHint("say which: `ssmdeck forward %s %s`", service, words[0])
}

func nothing(op, service, name string, all []Database) error {
	e := fault.New(fault.NotFound, op, "there is none of this name in this account and Region")
	var names []string
	for _, d := range all {
		names = append(names, d.Name)
	}
	if near := fault.Closest(name, names, candidates); len(near) > 0 {
		return e.WithHint("did you mean %s", strings.Join(near, ", "))
	}
	if len(names) == 0 {
		e.Err = fmt.Errorf("there is nothing in %s in this account and Region", service)
		return e.WithHint("check --profile and --region; `ssmdeck forward find` lists what there is")
	}
	return e.WithHint("`ssmdeck forward find` lists what there is")
}

// Choice says which endpoint of a database is meant. The zero value is the
// writer's.
type Choice struct {
	Reader   bool
	Endpoint string // a custom endpoint: its name, or its host name
}

// Host returns the host name of the endpoint that c means.
func (d Database) Host(c Choice) (string, error) {
	op := "connect to " + d.String()
	switch {
	case c.Endpoint != "":
		i := slices.IndexFunc(d.Custom, func(h string) bool {
			label, _, _ := strings.Cut(h, ".")
			return strings.EqualFold(h, c.Endpoint) || strings.EqualFold(label, c.Endpoint)
		})
		if i >= 0 {
			return d.Custom[i], nil
		}
		e := fault.New(fault.NotFound, op, "it has no custom endpoint %s", c.Endpoint)
		if len(d.Custom) == 0 {
			return "", e.WithHint("leave out --endpoint")
		}
		return "", e.WithHint("it has %s", strings.Join(d.Custom, ", "))
	case c.Reader && d.Reader == "":
		return "", fault.New(fault.NotFound, op, "it has no reader endpoint").WithHint("leave out --reader")
	case c.Reader:
		return d.Reader, nil
	case d.Endpoint == "":
		return "", fault.New(fault.Failed, op, "it has no endpoint; its status is %s", d.Status).WithHint("wait until it is available")
	}
	return d.Endpoint, nil
}

// Usable reports whether there is a point in connecting: an error for one that
// is stopped, being made or gone; a note for one that is in between.
func (d Database) Usable() (note string, err error) {
	op := "connect to " + d.String()
	status := strings.ToLower(d.Status)
	switch {
	case status == "available" || status == "":
		return "", nil
	case status == "stopped" || status == "paused":
		return "", fault.New(fault.Failed, op, "it is %s", status).WithHint("%s", d.startHint())
	case status == "stopping", status == "starting", status == "creating", status == "resuming", status == "deleting", status == "deleted", status == "failed",
		strings.HasPrefix(status, "inaccessible"), strings.HasPrefix(status, "incompatible"), strings.HasPrefix(status, "restore-error"):
		return "", fault.New(fault.Failed, op, "its status is %s", status).WithHint("wait until it is available: `ssmdeck forward find` shows it")
	case status == "failing-over":
		return "it is failing over: connections may fail until that is done", nil
	default:
		return "its status is " + status, nil
	}
}

func (d Database) startHint() string {
	switch {
	case d.Service == RDS && d.Kind == Cluster:
		return "start it: `aws rds start-db-cluster --db-cluster-identifier " + d.Name + "`"
	case d.Service == RDS && d.Cluster != "":
		return "start its cluster: `aws rds start-db-cluster --db-cluster-identifier " + d.Cluster + "`"
	case d.Service == RDS:
		return "start it: `aws rds start-db-instance --db-instance-identifier " + d.Name + "`"
	case d.Service == Redshift:
		return "resume it: `aws redshift resume-cluster --cluster-identifier " + d.Name + "`"
	default:
		return "start it"
	}
}
