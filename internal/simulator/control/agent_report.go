package control

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// nodeOperations are what the role of a node allows, by signing name: the policy
// AmazonSSMManagedInstanceCore, and what agents need for sessions with
// encryption and logs.
var nodeOperations = map[string][]string{
	"ssm": {
		"DescribeAssociation", "GetDeployablePatchSnapshotForInstance", "GetDocument", "DescribeDocument", "GetManifest",
		"GetParameter", "GetParameters", "ListAssociations", "ListInstanceAssociations", "PutInventory",
		"PutComplianceItems", "PutConfigurePackageResult", "UpdateAssociationStatus",
		"UpdateInstanceAssociationStatus", "UpdateInstanceInformation", "DescribeEffectiveInstanceAssociations",
		"RequestManagedInstanceRoleToken", "UpdateManagedInstancePublicKey",
	},
	"ec2messages": {"AcknowledgeMessage", "DeleteMessage", "FailMessage", "GetEndpoint", "GetMessages", "SendReply"},
	"kms":         {"Decrypt"},
	"logs":        {"DescribeLogGroups", "DescribeLogStreams"},
	"s3":          {"GetObject", "PutObject", "HeadObject", "HeadBucket", "GetBucketLocation"},
	"sts":         {"GetCallerIdentity"},
}

// nodeMayCall holds the credentials of a node against an operation. Those of a
// node that was deregistered are good for nothing.
func (h *Handler) nodeMayCall(caller Caller, service, name string) error {
	if caller.Node == "" {
		return nil
	}
	if _, ok := h.world.NodeInfo(caller.Node); !ok {
		return world.Errorf("InvalidInstanceId", "Not existing InstanceId %s", caller.Node)
	}
	if slices.Contains(nodeOperations[service], name) {
		return nil
	}
	return &apiError{Status: http.StatusForbidden, Code: "AccessDeniedException", Message: "User: " + caller.ARN + " is not authorized to perform: " + service + ":" + name + " because no identity-based policy allows the " + service + ":" + name + " action"}
}

// ownNode refuses what a node's credentials say of another node.
func ownNode(caller Caller, raw any) error {
	members, _ := raw.(map[string]any)
	for _, name := range []string{"InstanceId", "ResourceId", "Destination"} {
		if id, ok := members[name].(string); ok && caller.Node != "" && id != caller.Node {
			return notFor(caller, id)
		}
	}
	return nil
}

func notFor(caller Caller, node string) error {
	return &apiError{Code: "AccessDeniedException", Message: "User: " + caller.ARN + " is not authorized to act for instance " + node}
}

// self refuses what an agent says of another node than its own. Credentials of
// a user are those of an instance profile, which speaks for instances of EC2.
func (c *call) self(node string) error {
	if node == c.caller.Node || c.caller.Node == "" && strings.HasPrefix(node, "i-") {
		return nil
	}
	return notFor(c.caller, node)
}

type updateInstanceInformationIn struct {
	AgentName            string
	AgentStatus          string
	AgentVersion         string `api:"required" pattern:"^[0-9]{1,6}(\\.[0-9]{1,6}){2,3}$"`
	AvailabilityZone     string
	AvailabilityZoneID   string `json:"AvailabilityZoneId"`
	ComputerName         string `api:"len=0..255"`
	IPAddress            string `api:"len=0..46"`
	InstanceID           string `json:"InstanceId" api:"required" pattern:"(^i-(\\w{8}|\\w{17})$)|(^mi-\\w{17}$)"`
	PlatformName         string
	PlatformType         string `api:"enum=Windows|Linux|MacOS"`
	PlatformVersion      string
	SSMConnectionChannel string
}

func (c *call) updateInstanceInformation(in *updateInstanceInformationIn) (any, error) {
	if err := c.self(in.InstanceID); err != nil {
		return nil, err
	}
	return struct{}{}, c.world.Ping(in.InstanceID, world.AgentPing{
		AgentVersion: in.AgentVersion, PlatformType: in.PlatformType, PlatformName: in.PlatformName,
		PlatformVersion: in.PlatformVersion, ComputerName: in.ComputerName, IP: in.IPAddress,
	})
}

type listInstanceAssociationsIn struct {
	InstanceID string `json:"InstanceId" api:"required"`
	MaxResults *int   `api:"range=1..50"`
	NextToken  string
}

// listInstanceAssociations has nothing to do for agents: the simulator carries
// associations out by itself.
func (c *call) listInstanceAssociations(in *listInstanceAssociationsIn) (any, error) {
	return map[string][]struct{}{"Associations": {}}, c.self(in.InstanceID)
}

type updateInstanceAssociationStatusIn struct {
	AssociationID   string `json:"AssociationId" api:"required"`
	InstanceID      string `json:"InstanceId" api:"required"`
	ExecutionResult any    `api:"required"`
}

// updateInstanceAssociationStatus refuses: no agent is given an association.
func (c *call) updateInstanceAssociationStatus(in *updateInstanceAssociationStatusIn) (any, error) {
	if err := c.self(in.InstanceID); err != nil {
		return nil, err
	}
	return nil, world.Errorf("AssociationDoesNotExist", "Association %s does not exist for instance %s.", in.AssociationID, in.InstanceID)
}

type putConfigurePackageResultIn struct {
	PackageName string `api:"required"`
	InstanceID  string `json:"InstanceId"`
}

// putConfigurePackageResult takes the report of a package that an agent has
// installed; nothing is made of it.
func (c *call) putConfigurePackageResult(*putConfigurePackageResultIn) (any, error) {
	return struct{}{}, nil
}

type getManifestIn struct {
	PackageName    string `api:"required"`
	PackageVersion string
}

// getManifest knows no packages of Distributor.
func (c *call) getManifest(in *getManifestIn) (any, error) {
	return nil, world.Errorf("ResourceNotFoundException", "Package %s does not exist.", in.PackageName)
}
