package control

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// form sends a signed request in the query protocol.
func (f *fixture) form(service, version, action string, params ...string) (status int, body string) {
	f.t.Helper()
	v := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	text := v.Encode()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(text))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sign(r, text, service, f.creds, f.world.Now())
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

const (
	rdsVersion = "2014-10-31"
	ec2Version = "2016-11-15"
)

// all returns what stands between every pair of tags.
func all(body, tag string) string {
	var found []string
	for _, m := range regexp.MustCompile("<"+tag+">([^<]*)</"+tag+">").FindAllStringSubmatch(body, -1) {
		found = append(found, m[1])
	}
	return strings.Join(found, " ")
}

func TestQueryAnswers(t *testing.T) {
	f := newFixture(t, "demo", nil)
	for _, tt := range []struct {
		service, version, action string
		params                   []string
		tag, want                string
	}{
		{"rds", rdsVersion, "DescribeDBClusters", nil, "DBClusterIdentifier", "orders-prod"},
		{"rds", rdsVersion, "DescribeDBClusters", nil, "IsClusterWriter", "true false"},
		{"rds", rdsVersion, "DescribeDBInstances", []string{"DBInstanceIdentifier", "SHOP"}, "Address", "shop.c9x2k1example.us-east-1.rds.amazonaws.com"},
		{"rds", rdsVersion, "DescribeDBProxies", nil, "IAMAuth", "REQUIRED"},
		{"elasticache", "2015-02-02", "DescribeReplicationGroups", nil, "Address", "master.carts.abc123.use1.cache.amazonaws.com replica.carts.abc123.use1.cache.amazonaws.com"},
		{"elasticache", "2015-02-02", "DescribeCacheClusters", nil, "CacheClusterId", "carts-001 carts-002"},
		{"elasticache", "2015-02-02", "DescribeCacheClusters", []string{"ShowCacheClustersNotInReplicationGroups", "true"}, "CacheClusterId", ""},
		{"elasticache", "2015-02-02", "DescribeServerlessCaches", nil, "ServerlessCacheName", ""},
		{"redshift", "2012-12-01", "DescribeClusters", nil, "VpcSecurityGroupId", "sg-0da7aba5e00000005"},
		{"ec2", ec2Version, "DescribeInstances", []string{"InstanceId.1", "i-0123456789abcdef0"}, "vpcId", "vpc-0f1e2d3c4b5a69780 vpc-0f1e2d3c4b5a69780"},
		{"ec2", ec2Version, "DescribeInstances", []string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", "vpc-0d1c2b3a495867762"}, "instanceId", "i-03a4b5c6d7e8f9012 i-04b5c6d7e8f901234"},
		{"ec2", ec2Version, "DescribeInstances", []string{"Filter.1.Name", "tag:Name", "Filter.1.Value.1", "web-?"}, "instanceId", "i-0123456789abcdef0 i-0a1b2c3d4e5f60718 i-0b2c3d4e5f6071829"},
		{"ec2", ec2Version, "DescribeSecurityGroups", []string{"GroupId.1", "sg-0da7aba5e00000003"}, "cidrIp", "10.0.0.0/16 0.0.0.0/0"},
		{"ec2", ec2Version, "DescribeVpcPeeringConnections", nil, "code", "active"},
		{"ec2", ec2Version, "DescribeVpcs", nil, "cidrBlock", "10.0.0.0/16 10.1.0.0/16 10.2.0.0/16 10.9.0.0/16"},
	} {
		status, body := f.form(tt.service, tt.version, tt.action, tt.params...)
		if got := all(body, tt.tag); status != http.StatusOK || got != tt.want {
			t.Errorf("%s %v: status %d, %s is %q, want %q", tt.action, tt.params, status, tt.tag, got, tt.want)
		}
	}
	if f.Calls()["DescribeDBClusters"] != 2 {
		t.Errorf("calls %v", f.Calls())
	}
}

func TestQueryPages(t *testing.T) {
	f := newFixture(t, "demo", nil)
	var ids []string
	token := ""
	for range 10 {
		params := []string{"MaxResults", "5"}
		if token != "" {
			params = append(params, "NextToken", token)
		}
		_, body := f.form("ec2", ec2Version, "DescribeInstances", params...)
		ids = append(ids, strings.Fields(all(body, "instanceId"))...)
		if token = all(body, "nextToken"); token == "" {
			break
		}
	}
	if len(ids) != 12 {
		t.Errorf("%d instances: %v", len(ids), ids)
	}
	var scenario strings.Builder
	scenario.WriteString("databases:\n")
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		scenario.WriteString("  - {kind: rds-instance, engine: postgres, name: db-" + string(c) + ", endpoint: " + string(c) + ".example}\n")
	}
	f = newFixture(t, scenario.String(), nil)
	_, first := f.form("rds", rdsVersion, "DescribeDBInstances", "MaxRecords", "20")
	_, second := f.form("rds", rdsVersion, "DescribeDBInstances", "MaxRecords", "20", "Marker", all(first, "Marker"))
	if a, b := len(strings.Fields(all(first, "DBInstanceIdentifier"))), len(strings.Fields(all(second, "DBInstanceIdentifier"))); a != 20 || b != 6 || all(second, "Marker") != "" {
		t.Errorf("pages of %d and %d", a, b)
	}
	if status, body := f.form("rds", rdsVersion, "DescribeDBInstances", "Marker", "made-up"); status != 400 || all(body, "Code") != "InvalidParameterValue" {
		t.Errorf("a marker of one's own: %d %s", status, body)
	}
}

func TestQueryErrors(t *testing.T) {
	f := newFixture(t, "denied: [rds:DescribeDBProxies, ec2:DescribeInstances]\nthrottle: {DescribeDBClusters: 0.001, DescribeVpcs: 0.001}\n", nil)
	f.form("rds", rdsVersion, "DescribeDBClusters")
	f.form("ec2", ec2Version, "DescribeVpcs")
	for _, tt := range []struct {
		service, version, action string
		params                   []string
		status                   int
		code                     string
	}{
		{"rds", rdsVersion, "DescribeDBProxies", nil, 403, "AccessDenied"},
		{"ec2", ec2Version, "DescribeInstances", nil, 403, "UnauthorizedOperation"},
		{"rds", rdsVersion, "DescribeDBClusters", nil, 400, "Throttling"},
		{"ec2", ec2Version, "DescribeVpcs", nil, 503, "RequestLimitExceeded"},
		{"rds", rdsVersion, "DescribeDBInstances", []string{"DBInstanceIdentifier", "nope"}, 404, "DBInstanceNotFound"},
		{"rds", rdsVersion, "DescribeDBInstances", []string{"MaxRecords", "5"}, 400, "InvalidParameterValue"},
		{"ec2", ec2Version, "DescribeSecurityGroups", []string{"GroupId.1", "sg-99999999"}, 400, "InvalidGroup.NotFound"},
		{"ec2", ec2Version, "DescribeSecurityGroups", []string{"Filter.1.Name", "colour", "Filter.1.Value.1", "red"}, 400, "InvalidParameterValue"},
		{"rds", rdsVersion, "CreateDBInstance", nil, 400, "InvalidAction"},
		{"ec2", rdsVersion, "DescribeDBInstances", nil, 403, "SignatureDoesNotMatch"}, // signed for another service
		{"rds", ec2Version, "DescribeVpcs", nil, 403, "AuthFailure"},
	} {
		status, body := f.form(tt.service, tt.version, tt.action, tt.params...)
		if status != tt.status || all(body, "Code") != tt.code {
			t.Errorf("%s: %d %s, want %d %s\n%s", tt.action, status, all(body, "Code"), tt.status, tt.code, body)
		}
		form := "<ErrorResponse xmlns="
		if tt.version == ec2Version {
			form = "<Response><Errors><Error>"
		}
		if !strings.Contains(body, form) {
			t.Errorf("%s: not of the form %s: %s", tt.action, form, body)
		}
	}
}

func TestSearchDomains(t *testing.T) {
	f := newFixture(t, "demo", nil)
	rest := func(method, path, body string) (int, map[string]any) {
		r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
		f.verifier.mode = Ignore // the signer of these tests knows POST / alone
		rec := httptest.NewRecorder()
		f.ServeHTTP(rec, r)
		var answer map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%v in %q", err, rec.Body)
		}
		return rec.Code, answer
	}
	if _, got := rest(http.MethodGet, searchNamesPath, ""); column(got["DomainNames"], "DomainName") != "shop-logs" {
		t.Errorf("names %v", got)
	}
	_, got := rest(http.MethodPost, searchDomainsPath, `{"DomainNames": ["shop-logs", "nope"]}`)
	if at(got, "DomainStatusList", 0, "Endpoints", "vpc") != "vpc-shop-logs-4xk2example.us-east-1.es.amazonaws.com" || at(got, "DomainStatusList", 1) != nil {
		t.Errorf("domains %v", got)
	}
	if status, got := rest(http.MethodPost, searchDomainsPath, `{"DomainNames": ["1", "2", "3", "4", "5", "6"]}`); status != 400 || got["__type"] != "ValidationException" {
		t.Errorf("six at once: %d %v", status, got)
	}
}
