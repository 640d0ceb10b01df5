package database

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestPick(t *testing.T) {
	all := []Database{
		{Kind: Cluster, Name: "orders"}, {Kind: Proxy, Name: "orders"}, {Kind: Instance, Name: "orders-1"}, {Kind: Instance, Name: "ledger"},
	}
	for _, tt := range []struct{ name, want string }{
		{"ledger", "instance/ledger"},
		{"Ledger", "instance/ledger"},
		{"proxy/orders", "proxy/orders"},
		{"orders", "find orders in rds: 2 things have this name: cluster/orders, proxy/orders (say which: `ssmdeck forward rds cluster/orders`)"},
		{"ledgr", "find ledgr in rds: there is none of this name in this account and Region (did you mean ledger)"},
		{"instance/orders", "(did you mean orders"},
		{"zzz", "(`ssmdeck forward find` lists what there is)"},
	} {
		d, err := pick(all, RDS, tt.name)
		got := d.String()
		if err != nil {
			got = err.Error() + " (" + fault.HintOf(err) + ")"
			if fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s: kind %v", tt.name, fault.KindOf(err))
			}
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if _, err := pick(nil, Cache, "x"); !strings.Contains(err.Error(), "there is nothing in cache") {
		t.Errorf("nothing at all: %v", err)
	}
}

func TestHost(t *testing.T) {
	d := Database{Kind: Cluster, Name: "orders", Endpoint: "w.example", Reader: "r.example", Custom: []string{"reports.cluster-custom-x.example"}}
	for _, tt := range []struct {
		db     Database
		choice Choice
		want   string
	}{
		{d, Choice{}, "w.example"},
		{d, Choice{Reader: true}, "r.example"},
		{d, Choice{Endpoint: "reports"}, "reports.cluster-custom-x.example"},
		{d, Choice{Endpoint: "reports.cluster-custom-x.example"}, "reports.cluster-custom-x.example"},
		{d, Choice{Endpoint: "nope"}, "connect to cluster/orders: it has no custom endpoint nope"},
		{Database{Kind: Instance, Name: "a", Endpoint: "e"}, Choice{Reader: true}, "connect to instance/a: it has no reader endpoint"},
		{Database{Kind: Instance, Name: "a", Status: "creating"}, Choice{}, "connect to instance/a: it has no endpoint; its status is creating"},
	} {
		got, err := tt.db.Host(tt.choice)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.choice, got, tt.want)
		}
	}
}

func TestUsable(t *testing.T) {
	for status, want := range map[string]string{
		"available":                "",
		"stopped":                  "error: connect to cluster/a: it is stopped",
		"creating":                 "error: connect to cluster/a: its status is creating",
		"incompatible-network":     "error: connect to cluster/a: its status is incompatible-network",
		"failing-over":             "it is failing over: connections may fail until that is done",
		"backing-up":               "its status is backing-up",
		"some-status-of-next-year": "its status is some-status-of-next-year",
	} {
		got, err := Database{Service: RDS, Kind: Cluster, Name: "a", Status: status}.Usable()
		if err != nil {
			got = "error: " + err.Error()
			if fault.HintOf(err) == "" {
				t.Errorf("%s: no hint", status)
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", status, got, want)
		}
	}
}
