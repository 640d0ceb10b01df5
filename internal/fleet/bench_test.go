package fleet

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// many are n nodes web-00000, … with all that a list, EC2 and tags know.
func many(n int) []Node {
	nodes := make([]Node, n)
	for i := range nodes {
		nodes[i] = Node{
			ID: fmt.Sprintf("i-%017x", i), Name: fmt.Sprintf("web-%05d", i), ComputerName: fmt.Sprintf("ip-10-0-%d-%d", i/250, i%250),
			Ping: Online, Platform: "linux", AgentVersion: "3.3.4851.0", IP: fmt.Sprintf("10.0.%d.%d", i/250, i%250),
			State: "running", VPC: fmt.Sprintf("vpc-%d", i%3), Tags: map[string]string{"env": []string{"prod", "dev"}[i%2], "role": "web"},
		}
	}
	return nodes
}

// fakeAPI answers DescribeInstanceProperties with pages of 1000.
type fakeAPI struct {
	api
	nodes []types.InstanceProperty
}

func (f *fakeAPI) DescribeInstanceProperties(_ context.Context, in *ssm.DescribeInstancePropertiesInput, _ ...func(*ssm.Options)) (*ssm.DescribeInstancePropertiesOutput, error) {
	var start int
	if in.NextToken != nil {
		if _, err := fmt.Sscan(*in.NextToken, &start); err != nil {
			return nil, err
		}
	}
	end := min(start+1000, len(f.nodes))
	out := &ssm.DescribeInstancePropertiesOutput{InstanceProperties: f.nodes[start:end]}
	if end < len(f.nodes) {
		out.NextToken = aws.String(fmt.Sprint(end))
	}
	return out, nil
}

// BenchmarkFleet is what the code itself costs with 10,000 nodes, without the
// network: a list joined with EC2, a filter, an expression.
func BenchmarkFleet(b *testing.B) {
	const n = 10_000
	nodes := many(n)
	f := &fakeAPI{}
	c := &cloud{}
	for _, node := range nodes {
		p := property(node.ID, node.Name)
		p.IPAddress, p.AgentVersion = &node.IP, &node.AgentVersion
		f.nodes = append(f.nodes, p)
		c.instances = append(c.instances, Instance{ID: node.ID, VPC: node.VPC, State: "running", Tags: node.Tags})
	}
	service := New(f, nil).Joining(c, Clients{})
	filter, err := ParseFilter("tag:env=prod vpc=vpc-1 agent<3.4 name~^web")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got, err := All(service.List(b.Context(), Query{})); err != nil || len(got) != n {
				b.Fatal(len(got), err)
			}
		}
	})
	b.Run("join", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got, gaps, err := service.Table(b.Context(), Query{}, PartEC2); err != nil || gaps != nil || len(got) != n {
				b.Fatal(len(got), gaps, err)
			}
		}
	})
	b.Run("filter", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			found := 0
			for _, node := range nodes {
				if filter.Match(node) {
					found++
				}
			}
			if found == 0 {
				b.Fatal("nothing fits")
			}
		}
	})
	for _, text := range []string{"web-0999", "payments", "wb99", "!ping=online | agent<3.0"} {
		search, err := ParseSearch(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("search "+text, func(b *testing.B) {
			b.ReportAllocs()
			now := time.Now()
			for b.Loop() {
				for i := range nodes {
					search.MatchAt(nodes[i], now)
				}
			}
		})
	}
	b.Run("expression", func(b *testing.B) {
		t, err := ParseTarget("web-[00001-05000]&10.0.0.0/20!web-0000*")
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if sel, err := service.Select(b.Context(), []Target{t}, Filter{}); err != nil || len(sel.Nodes) == 0 {
				b.Fatal(err)
			}
		}
	})
	b.Run("sort", func(b *testing.B) {
		for b.Loop() {
			Sort(append([]Node{}, nodes...))
		}
	})
}
