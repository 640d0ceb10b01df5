package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Ping states of a node. A state that AWS adds later appears in lower case.
const (
	Online   = "online"
	Lost     = "lost"     // ConnectionLost: the agent has not called for some minutes
	Inactive = "inactive" // no longer in use by the service
)

// Node is one managed node. The JSON names are part of the output contract.
type Node struct {
	ID              string    `json:"id"`   // i-…, mi-…, or ecs:…
	Name            string    `json:"name"` // Name tag (EC2) or name of the registration (hybrid), else the computer name
	ComputerName    string    `json:"computer_name"`
	Ping            string    `json:"ping"` // online, lost, inactive
	LastPing        time.Time `json:"last_ping,omitzero"`
	Platform        string    `json:"platform"` // linux, windows, macos
	PlatformName    string    `json:"platform_name"`
	PlatformVersion string    `json:"platform_version"`
	AgentVersion    string    `json:"agent_version"`
	// AgentLatest is nil where the service does not say: a list does not, Get
	// does (for Linux).
	AgentLatest       *bool     `json:"agent_latest,omitempty"`
	IP                string    `json:"ip"`            // private address
	ResourceType      string    `json:"resource_type"` // EC2Instance, ManagedInstance
	InstanceType      string    `json:"instance_type,omitempty"`
	Registered        time.Time `json:"registered,omitzero"`
	IAMRole           string    `json:"iam_role,omitempty"`
	ActivationID      string    `json:"activation_id,omitempty"`
	AssociationStatus string    `json:"association_status,omitempty"`

	// What EC2 knows of an instance; see PartEC2.
	State    string    `json:"state,omitempty"` // running, stopped, …
	AZ       string    `json:"az,omitempty"`
	VPC      string    `json:"vpc,omitempty"`
	Subnet   string    `json:"subnet,omitempty"`
	Image    string    `json:"image,omitempty"`
	Launched time.Time `json:"launched,omitzero"`

	Tags  map[string]string `json:"tags,omitempty"`  // see PartEC2, PartTags
	Patch *PatchState       `json:"patch,omitempty"` // see PartPatch; nil also: never scanned
	// Unknown are the parts that could not be read, or were not while others
	// were: ec2, tags, patch. Their fields are absent, which does not mean empty.
	Unknown []string `json:"unknown,omitempty"`

	words string // see Searchable
}

// Instance reports whether the node is an EC2 instance.
func (n Node) Instance() bool { return strings.HasPrefix(n.ID, "i-") }

// Online reports whether the node's agent was connected when it was listed.
func (n Node) Online() bool { return n.Ping == Online }

// Offline reports whether AWS says something else of the node than that it is connected:
// nothing is sent to it.
func (n Node) Offline() bool { return n.Ping != "" && !n.Online() }

// StrangePing reports whether AWS says of the node what this program does not know.
func (n Node) StrangePing() bool { return n.Offline() && n.Ping != Lost && n.Ping != Inactive }

// Absence says why nothing is sent to a node that is offline: "its agent is not
// connected (last ping 3 h ago)".
func (n Node) Absence(now time.Time) string {
	if n.StrangePing() {
		return fmt.Sprintf("AWS says that its agent is %q, which means nothing to ssmdeck (%s)", n.Ping, n.PingAge(now))
	}
	return fmt.Sprintf("its agent is not connected (%s)", n.PingAge(now))
}

// Stopped reports whether EC2 says that the instance does not run: its agent is not lost.
func (n *Node) Stopped() bool { return n.State != "" && n.State != "running" }

// Hybrid reports whether the node was registered by an activation.
func (n Node) Hybrid() bool { return strings.HasPrefix(n.ID, "mi-") }

// String is the node as people name it: "web-1 (i-0123456789abcdef0)".
func (n Node) String() string {
	if n.Name == "" || n.Name == n.ID {
		return n.ID
	}
	return fmt.Sprintf("%s (%s)", n.Name, n.ID)
}

// PingAge says when the node was last heard of: "last ping 3 h ago". That the service
// says nothing of it does not mean that there was none.
func (n Node) PingAge(now time.Time) string {
	if n.LastPing.IsZero() {
		return "last ping not known"
	}
	return "last ping " + age(now.Sub(n.LastPing))
}

// OfflineHint is the hint to give when the node is not connected.
func (n Node) OfflineHint() string {
	return fmt.Sprintf("run `ssmdeck doctor %s` to see why", n.ID)
}

func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute ago"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	default:
		return fmt.Sprintf("%d days ago", d/(24*time.Hour))
	}
}

// CompareAgents orders two nodes by the version of their agents.
func CompareAgents(a, b Node) int {
	return CompareVersions(a.AgentVersion, b.AgentVersion)
}

// Sort puts online nodes first, then orders by name and id.
func Sort(nodes []Node) {
	slices.SortStableFunc(nodes, func(a, b Node) int {
		if a.Online() != b.Online() {
			if a.Online() {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
}

func fromProperty(p types.InstanceProperty) Node {
	return Node{
		ID:                aws.ToString(p.InstanceId),
		Name:              cmp.Or(aws.ToString(p.Name), aws.ToString(p.ComputerName)),
		ComputerName:      aws.ToString(p.ComputerName),
		Ping:              pingOf(p.PingStatus),
		LastPing:          aws.ToTime(p.LastPingDateTime),
		Platform:          strings.ToLower(string(p.PlatformType)),
		PlatformName:      aws.ToString(p.PlatformName),
		PlatformVersion:   aws.ToString(p.PlatformVersion),
		AgentVersion:      aws.ToString(p.AgentVersion),
		IP:                aws.ToString(p.IPAddress),
		ResourceType:      aws.ToString(p.ResourceType),
		InstanceType:      aws.ToString(p.InstanceType),
		Registered:        aws.ToTime(p.RegistrationDate),
		IAMRole:           cmp.Or(aws.ToString(p.IamRole), aws.ToString(p.InstanceRole)),
		ActivationID:      aws.ToString(p.ActivationId),
		AssociationStatus: aws.ToString(p.AssociationStatus),
	}
}

func fromInformation(i types.InstanceInformation) Node {
	return Node{
		ID:                aws.ToString(i.InstanceId),
		Name:              cmp.Or(aws.ToString(i.Name), aws.ToString(i.ComputerName)),
		ComputerName:      aws.ToString(i.ComputerName),
		Ping:              pingOf(i.PingStatus),
		LastPing:          aws.ToTime(i.LastPingDateTime),
		Platform:          strings.ToLower(string(i.PlatformType)),
		PlatformName:      aws.ToString(i.PlatformName),
		PlatformVersion:   aws.ToString(i.PlatformVersion),
		AgentVersion:      aws.ToString(i.AgentVersion),
		AgentLatest:       i.IsLatestVersion,
		IP:                aws.ToString(i.IPAddress),
		ResourceType:      string(i.ResourceType),
		Registered:        aws.ToTime(i.RegistrationDate),
		IAMRole:           aws.ToString(i.IamRole),
		ActivationID:      aws.ToString(i.ActivationId),
		AssociationStatus: aws.ToString(i.AssociationStatus),
	}
}

func pingOf(s types.PingStatus) string {
	if s == types.PingStatusConnectionLost {
		return Lost
	}
	return strings.ToLower(string(s))
}

// named takes over what only DescribeInstanceProperties knows.
func (n Node) named(p Node) Node {
	n.Name = p.Name
	n.InstanceType = p.InstanceType
	n.IAMRole = cmp.Or(n.IAMRole, p.IAMRole)
	return n
}
