package world

import (
	"strings"
	"testing"
)

const agentNeeds = `
vpcs:
  - {id: vpc-0000000a, name: app, cidr: 10.0.0.0/16}
security_groups:
  - {id: sg-0000000a, name: app, vpc: vpc-0000000a}
  - {id: sg-000000ee, name: endpoints, vpc: vpc-0000000a}
subnets:
  - {id: subnet-0000000a, vpc: vpc-0000000a, cidr: 10.0.0.0/24, exit: none}
vpc_endpoints:
  - {id: vpce-0000000a, vpc: vpc-0000000a, service: ssm, security_groups: [sg-000000ee]}
roles:
  - {name: app, trust: [ec2.amazonaws.com], policies: [AmazonS3ReadOnlyAccess]}
nodes:
  - {id: i-0aaaaaaaaaaaaaaaa, name: app-1, ip: 10.0.0.10, security_groups: [sg-0000000a], iam_role: app}
  - {id: i-0bbbbbbbbbbbbbbbb, name: app-2, ip: 10.0.0.11, iam_role: app, ping: lost}
  - {id: i-0cccccccccccccccc, name: app-3, ip: 10.0.0.12, iam_role: app, ping: online}
  - {id: i-0dddddddddddddddd, name: app-4, ip: 10.0.0.13, iam_role: app, state: stopped}
`

// Nodes whose agents lack something are unknown, or lost; when the last of it is
// there, they call.
func TestAgentsCallWhenNothingIsMissing(t *testing.T) {
	w := newWorld(t, agentNeeds, succeed)
	state := func(id string) string {
		n, ok := w.NodeInfo(id)
		if !ok {
			return "unknown"
		}
		return n.Ping
	}
	expect := func(when string, want ...string) {
		t.Helper()
		var got []string
		for _, id := range []string{"i-0aaaaaaaaaaaaaaaa", "i-0bbbbbbbbbbbbbbbb", "i-0cccccccccccccccc"} {
			got = append(got, state(id))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	expect("at first", "unknown", PingLost, PingOnline)
	steps := []struct {
		name string
		do   func() error
	}{
		{"with an endpoint to ssmmessages", func() error {
			_, err := w.CreateEndpoint(EndpointSpec{VPC: "vpc-0000000a", Service: "ssmmessages", Type: "Interface", Subnets: []string{"subnet-0000000a"}, SecurityGroups: []string{"sg-000000ee"}})
			return err
		}},
		{"with rights", func() error { return w.AttachPolicy("app", w.PolicyARN(corePolicy)) }},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		expect(s.name, "unknown", PingLost, PingOnline)
	}
	if err := w.Authorize("sg-000000ee", false, RuleSpec{Ports: "443", Peers: []string{"10.0.0.0/16"}}); err != nil {
		t.Fatal(err)
	}
	expect("with the endpoints open", PingOnline, PingOnline, PingOnline)
	if !w.Connected("i-0aaaaaaaaaaaaaaaa") || state("i-0dddddddddddddddd") == PingOnline {
		t.Error("what runs is connected, and what is stopped is not")
	}
}

func TestWhatAgentsLack(t *testing.T) {
	const base = "vpcs: [{id: vpc-0000000a, cidr: 10.0.0.0/16}]\n"
	node := func(more string) string {
		return "nodes: [{id: i-0aaaaaaaaaaaaaaaa, ip: 10.0.0.10" + more + "}]\n"
	}
	host := "roles: [{name: Host, policies: [AmazonSSMManagedEC2InstanceDefaultPolicy]}]\ndefault_host_management: service-role/Host\n"
	for scenario, want := range map[string]string{
		base + node(""):                                                                                                   "",
		base + node(", instance_profile: none"):                                                                           "default host management",
		base + host + node(", instance_profile: none"):                                                                    "",
		base + host + node(", instance_profile: none, metadata: v1"):                                                      "default host management",
		base + host + node(", instance_profile: none, agent_version: 3.2.581.0"):                                          "default host management",
		base + node(", instance_profile: gone"):                                                                           "profile",
		base + node(`, metadata: "off"`):                                                                                  "metadata",
		base + "organization_denied: [ssm:UpdateInstanceInformation]\n" + node(""):                                        "profile",
		base + "subnets: [{id: subnet-0000000a, vpc: vpc-0000000a, exit: internet}]\n" + node(""):                         "ssm",
		base + "subnets: [{id: subnet-0000000a, vpc: vpc-0000000a, exit: internet}]\n" + node(", public_ip: 203.0.113.1"): "",
		base + "subnets: [{id: subnet-0000000a, vpc: vpc-0000000a, acl: {inbound: [{ports: 1024-40000}]}}]\n" + node(""):  "ssm",
		base + "subnets: [{id: subnet-0000000a, vpc: vpc-0000000a, exit: transit}]\n" + node(""):                          "ssm",
		strings.Replace(base, "cidr", "dns_support: false, cidr", 1) + node(""):                                           "names",
		"nodes: [{id: i-0aaaaaaaaaaaaaaaa}]":                                                                              "",
		"roles: [{name: r, deleted: true}]\nnodes: [{id: mi-0aaaaaaaaaaaaaaaa, iam_role: r}]":                             "role",
		"roles: [{name: r, trust: [ec2.amazonaws.com]}]\nnodes: [{id: mi-0aaaaaaaaaaaaaaaa, iam_role: r}]":                "role",
		"nodes: [{id: mi-0aaaaaaaaaaaaaaaa, iam_role: r}]":                                                                "",
	} {
		w := newWorld(t, scenario, succeed)
		n := w.newNode(w.sc.Nodes[0])
		if got := w.unmet(n); got != want {
			t.Errorf("%s: lacks %q, want %q", scenario, got, want)
		}
	}
}

func TestMistakesAboutTheSite(t *testing.T) {
	const vpc = "vpcs: [{id: vpc-0000000a, cidr: 10.0.0.0/16}]\n"
	for bad, want := range map[string]string{
		"subnets: [{id: subnet-0000000a, vpc: vpc-0000000a}]":                                       "no VPC",
		vpc + "subnets: [{id: net-1, vpc: vpc-0000000a}]":                                           "net-1",
		vpc + "subnets: [{id: subnet-0000000a, vpc: vpc-0000000a, exit: tunnel}]":                   "tunnel",
		vpc + "subnets: [{id: subnet-0000000a, vpc: vpc-0000000a, cidr: here}]":                     "here",
		vpc + "subnets: [{id: subnet-0000000a, vpc: vpc-0000000a, acl: {inbound: [{action: no}]}}]": "no",
		vpc + "vpc_endpoints: [{vpc: vpc-0000000a, service: mail}]":                                 "mail",
		vpc + "vpc_endpoints: [{vpc: vpc-0000000a, service: ssm, state: shut}]":                     "shut",
		vpc + "vpc_endpoints: [{vpc: vpc-0000000a, service: ssm, security_groups: [sg-00000001]}]":  "sg-00000001",
		"roles: [{name: a, policies: [none]}]":                                                      "no policy none",
		"roles: [{name: a, boundary: none}]":                                                        "no policy none",
		"roles: [{name: a, inline: {x: nothing}}]":                                                  "JSON",
		"policies: [{name: a, document: nothing}]":                                                  "JSON",
		"nodes: [{id: i-0aaaaaaaaaaaaaaaa, metadata: v3}]":                                          "v3",
		"nodes: [{id: i-0aaaaaaaaaaaaaaaa, public_ip: here}]":                                       "here",
		"nodes: [{id: i-0aaaaaaaaaaaaaaaa, activation: expired}]":                                   "hybrid",
	} {
		if _, err := ParseScenario("test", []byte(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", bad, err, want)
		}
	}
}
