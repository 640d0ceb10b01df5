package control

import "testing"

// BenchmarkFleetOf10000 calls what has to look at every node of a large fleet.
func BenchmarkFleetOf10000(b *testing.B) {
	f := newFixture(b, "fleet: {count: 10000, lost: 100}\nassociations: [{name: agents, document: AWS-UpdateSSMAgent, schedule: rate(1 day), targets: {env: prod}}]", nil)
	for _, op := range []string{"DescribeInstanceProperties", "ListNodes", "GetInventory", "ListComplianceSummaries", "ListAssociations", "DescribeInstancePatchStates"} {
		body := "{}"
		if op == "DescribeInstancePatchStates" {
			nodes := f.world.Nodes()
			body = `{"InstanceIds":["` + nodes[0].ID + `","` + nodes[1].ID + `"]}`
		}
		b.Run(op, func(b *testing.B) {
			for b.Loop() {
				f.must(op, body)
			}
		})
	}
}
