package awsapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestAnotherRegionSharesTheCallerAndNothingElse(t *testing.T) {
	isolate(t)
	keys(t)
	srv := newService(t, httptest.NewServer)
	base := open(t, Options{Region: "us-east-1", EndpointURL: srv.URL, AppVersion: "1.2.3"})
	west := base.In("eu-west-1")
	if err := describe(west); err != nil {
		t.Fatal(err)
	}
	if west.Region() != "eu-west-1" || base.Region() != "us-east-1" {
		t.Errorf("Regions %s and %s", west.Region(), base.Region())
	}
	if r := srv.requests[0]; r.key != "AKIDENV" {
		t.Errorf("the request %+v is somebody else's", r)
	}
	if len(base.Meter().Stats().Operations) != 0 || west.Meter().Stats().Operations[0].Calls != 1 {
		t.Error("the calls of one Region are counted in another")
	}
}

func TestARoleIsAssumedOnceForAllItsRegions(t *testing.T) {
	isolate(t)
	keys(t)
	srv := newService(t, httptest.NewServer)
	base := open(t, Options{Region: "us-east-1", EndpointURL: srv.URL, ReadOnly: true})
	member := base.As("arn:aws:iam::222222222222:role/Reader", "handshake")
	for _, region := range []string{"eu-west-1", "eu-west-2"} {
		if err := describe(member.In(region)); err != nil {
			t.Fatal(err)
		}
	}
	if len(srv.requests) != 3 || srv.requests[0].operation != "AssumeRole" || srv.requests[1].key != "AKIDROLE" || srv.requests[2].key != "AKIDROLE" {
		t.Fatalf("requests %+v", srv.requests)
	}
	for _, want := range []string{"ExternalId=handshake", "RoleSessionName=ssmdeck", "role%2FReader"} {
		if form := srv.requests[0].form; !strings.Contains(form, want) {
			t.Errorf("%s is not in %s", want, form)
		}
	}
}

// TestADisabledRegionDoesNotRenewCredentials: it refuses good ones, and an MFA
// code must not be asked for again because of it.
func TestADisabledRegionDoesNotRenewCredentials(t *testing.T) {
	isolate(t)
	keys(t)
	srv := newService(t, httptest.NewServer)
	srv.answer = func(w http.ResponseWriter, _ request) bool {
		return fail(w, http.StatusBadRequest, "UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	base := open(t, Options{Region: "us-east-1", EndpointURL: srv.URL})
	if err := describe(base.In("af-south-1")); fault.KindOf(err) != fault.Auth {
		t.Fatalf("got %v", err)
	}
	if base.creds.refused {
		t.Error("the caller's credentials count as refused")
	}
}

func TestPartitions(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "us-iso-east-1": "aws-iso",
		"us-isob-east-1": "aws-iso-b", "eusc-de-east-1": "aws-eusc", "": "aws",
	} {
		if got := Partition(region); got != want {
			t.Errorf("%s is in %s, want %s", region, got, want)
		}
	}
}
