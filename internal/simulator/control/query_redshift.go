package control

import (
	"net/url"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

var redshiftActions = map[string]func(*call, url.Values) ([]element, error){
	"DescribeClusters": (*call).describeClusters,
}

func (c *call) describeClusters(form url.Values) ([]element, error) {
	return c.describe(form, world.RedshiftCluster, "ClusterIdentifier", "ClusterNotFound", "Cluster", "Clusters", "Cluster", func(d world.DatabaseSpec) element {
		return el("",
			leaf("ClusterIdentifier", d.Name),
			leaf("NodeType", "ra3.xlplus"),
			leaf("ClusterStatus", d.Status),
			leaf("ClusterAvailabilityStatus", "Available"),
			leaf("DBName", d.Database),
			leaf("MasterUsername", d.User),
			endpoint("Endpoint", d.Endpoint, d.Port),
			leaf("VpcId", d.VPC),
			truth("PubliclyAccessible", d.VPC == ""),
			list("VpcSecurityGroups", d.SecurityGroups, func(g string) element {
				return el("VpcSecurityGroup", leaf("VpcSecurityGroupId", g), leaf("Status", "active"))
			}),
		)
	})
}
