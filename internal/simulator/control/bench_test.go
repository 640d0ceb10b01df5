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

// BenchmarkParametersOf10000 reads pages in the middle of many parameters, and
// writes one.
func BenchmarkParametersOf10000(b *testing.B) {
	f := newFixture(b, "parameter_store: {generate: [{count: 9000, per_path: 100, secure: 500}]}", nil)
	for _, tt := range []struct{ name, op, body string }{
		{"page", "GetParametersByPath", `{"Path":"/load/g045","WithDecryption":true}`},
		{"all", "GetParametersByPath", `{"Path":"/","Recursive":true}`},
		{"values", "GetParameters", `{"Names":["/load/g045/04401","/load/g045/04402","/load/g045/04403"],"WithDecryption":true}`},
		{"describe", "DescribeParameters", `{"MaxResults":50}`},
		{"filtered", "DescribeParameters", `{"ParameterFilters":[{"Key":"Name","Option":"Contains","Values":["0899"]}]}`},
		{"put", "PutParameter", `{"Name":"/load/g045/04401","Value":"x","Overwrite":true,"Type":"String"}`},
	} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				f.must(tt.op, tt.body)
			}
		})
	}
}
