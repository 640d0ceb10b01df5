package world

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

const guarded = `
vpcs:
  - {id: vpc-0000000a, cidr: 10.0.0.0/16, peers: [vpc-0000000b]}
  - {id: vpc-0000000b, cidr: 10.1.0.0/16}
  - {id: vpc-0000000c, cidr: 10.2.0.0/16}
security_groups:
  - {id: sg-0000000a, name: web, vpc: vpc-0000000a}
  - {id: sg-00000001, name: db, vpc: vpc-0000000a, inbound: [{ports: 5432-5433, peers: [sg-0000000a, 10.1.0.0/24, 10.2.0.0/16]}]}
nodes:
  - {id: i-00000000000000001, ip: 10.0.0.1, security_groups: [sg-0000000a]}
  - {id: i-00000000000000002, ip: 10.0.0.2}
  - {id: i-00000000000000003, ip: 10.1.0.3}
  - {id: i-00000000000000004, ip: 10.1.9.3}
  - {id: i-00000000000000005, ip: 10.2.0.3}
databases:
  - {kind: rds-cluster, name: orders, engine: postgres, endpoint: w.example, reader: r.example, vpc: vpc-0000000a, security_groups: [sg-00000001]}
  - {kind: rds-instance, name: open, engine: mysql, endpoint: open.example}
`

// A packet that no security group lets through is dropped, and its sender waits.
func TestSecurityGroupsDecideWhoReachesADatabase(t *testing.T) {
	w := newWorld(t, guarded, succeed)
	for id, want := range map[string]bool{
		"i-00000000000000001": true,  // by its group
		"i-00000000000000002": false, // same VPC, no group
		"i-00000000000000003": true,  // peered, by its address
		"i-00000000000000004": false, // peered, another address
		"i-00000000000000005": false, // by its address, but not peered
	} {
		rt, _ := w.Node(id)
		for _, host := range []string{"w.example", "r.example"} {
			ctx, cancel := context.WithCancel(t.Context())
			if !want {
				cancel() // what is dropped ends with the patience of the sender
			}
			c, err := rt.Dial(ctx, host, 5432)
			cancel()
			if (err == nil) != want {
				t.Errorf("%s to %s: %v", id, host, err)
			}
			if c != nil {
				_ = c.Close()
			}
		}
		c, err := rt.Dial(t.Context(), "open.example", 3306)
		if err != nil {
			t.Errorf("%s: a database without a VPC: %v", id, err)
			continue
		}
		_ = c.Close()
	}
}

func TestAHostIsLedElsewhere(t *testing.T) {
	w := newWorld(t, guarded, succeed)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := w.PointHost("W.example", 5432, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	rt, _ := w.Node("i-00000000000000001")
	c, err := rt.Dial(t.Context(), "w.example", 5432)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Second))
	other, err := l.Accept()
	if err != nil {
		t.Fatal("the connection did not come to the new address:", err)
	}
	_ = other.Close()
	for _, tt := range []struct {
		host    string
		port    int
		connect string
	}{{"w.example", 1, "127.0.0.1:1"}, {"nope", 5432, "127.0.0.1:1"}, {"w.example", 5432, "192.0.2.1:1"}, {"w.example", 5432, "echo"}} {
		if err := w.PointHost(tt.host, tt.port, tt.connect); err == nil {
			t.Errorf("%+v was accepted", tt)
		}
	}
}

func TestDatabaseMistakes(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"kind", "databases: [{kind: rds, name: a, engine: postgres}]", "kind"},
		{"engine", "databases: [{kind: rds-instance, name: a}]", "it needs an engine"},
		{"port", "databases: [{kind: rds-instance, name: a, engine: own, endpoint: e}]", "port 0"},
		{"cluster", "databases: [{kind: rds-instance, name: a, engine: postgres, cluster: b}]", "no rds-cluster b"},
		{"vpc", "databases: [{kind: rds-instance, name: a, engine: postgres, vpc: vpc-00000001}]", "no VPC vpc-00000001"},
		{"cidr", "vpcs: [{id: vpc-00000001, cidr: 10.0.0.0}]", "not a CIDR block"},
		{"ports", "vpcs: [{id: vpc-00000001, cidr: 10.0.0.0/8}]\nsecurity_groups: [{id: sg-00000001, vpc: vpc-00000001, inbound: [{ports: http, peers: []}]}]", "neither a port"},
		{"peers", "vpcs: [{id: vpc-00000001, cidr: 10.0.0.0/8}]\nsecurity_groups: [{id: sg-00000001, vpc: vpc-00000001, inbound: [{ports: all, peers: [sg-2]}]}]", "neither a CIDR block"},
		{"node", "nodes: [{id: i-00000000000000001, security_groups: [sg-00000001]}]", "no security group sg-00000001"},
		{"connect", "databases: [{kind: rds-instance, name: a, engine: postgres, endpoint: e, serve: echo, connect: '127.0.0.1:1'}]", "exclude each other"},
	} {
		if _, err := ParseScenario("test", []byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
