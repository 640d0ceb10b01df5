package control

import (
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// nodeKeys are the filter keys of the node lists, with the values a node has
// for each.
var nodeKeys = map[string]func(n world.Node) string{
	"InstanceIds":       func(n world.Node) string { return n.ID },
	"AgentVersion":      func(n world.Node) string { return n.AgentVersion },
	"PingStatus":        func(n world.Node) string { return n.Ping },
	"PlatformTypes":     world.Node.PlatformType,
	"PlatformType":      world.Node.PlatformType,
	"ActivationIds":     func(n world.Node) string { return n.ActivationID },
	"IamRole":           func(n world.Node) string { return n.IAMRole },
	"ResourceType":      func(n world.Node) string { return n.ResourceType },
	"AssociationStatus": func(world.Node) string { return "Success" },
	"SourceIds":         func(n world.Node) string { return n.ID },
	"SourceTypes":       sourceType,
}

// enumerated are the filter keys that take only certain values.
var enumerated = map[string][]string{
	"PingStatus":    {world.PingOnline, world.PingLost, world.PingInactive},
	"PlatformTypes": {"Windows", "Linux", "MacOS"},
	"PlatformType":  {"Windows", "Linux", "MacOS"},
	"ResourceType":  {"ManagedInstance", "EC2Instance"},
	"SourceTypes":   {"AWS::EC2::Instance", "AWS::IoT::Thing", "AWS::SSM::ManagedInstance"},
}

func sourceType(n world.Node) string {
	if n.ResourceType == "ManagedInstance" {
		return "AWS::SSM::ManagedInstance"
	}
	return "AWS::EC2::Instance"
}

// nodeFilter is one filter of a node list, whatever its shape on the wire.
type nodeFilter struct {
	key, operator string
	values        []string
}

// check refuses filters that the service refuses. valueCode is the error code
// for a value that the key does not take.
func (f nodeFilter) check(valueCode string) error {
	if f.key == "tag-key" || strings.HasPrefix(f.key, "tag:") {
		return nil
	}
	if _, ok := nodeKeys[f.key]; !ok {
		return world.Errorf("InvalidFilterKey", "The specified key is not valid: %s.", f.key)
	}
	if allowed := enumerated[f.key]; allowed != nil && f.operator != "BeginWith" {
		for _, v := range f.values {
			if !slices.Contains(allowed, v) {
				return world.Errorf(valueCode, "Invalid filter value %s for key %s. Valid values: [%s]", v, f.key, strings.Join(allowed, ", "))
			}
		}
	}
	return nil
}

func (f nodeFilter) matches(n world.Node) bool {
	if f.key == "tag-key" {
		return slices.ContainsFunc(f.values, func(k string) bool { _, ok := n.Tags[k]; return ok })
	}
	var have string
	if name, ok := strings.CutPrefix(f.key, "tag:"); ok {
		if have, ok = n.Tags[name]; !ok {
			return false
		}
	} else {
		have = nodeKeys[f.key](n)
	}
	any := slices.ContainsFunc(f.values, func(want string) bool { return f.compare(have, want) })
	if f.operator == "NotEqual" {
		return !any
	}
	return any
}

func (f nodeFilter) compare(have, want string) bool {
	switch f.operator {
	case "BeginWith":
		return strings.HasPrefix(have, want)
	case "LessThan":
		return world.CompareVersions(have, want) < 0
	case "GreaterThan":
		return world.CompareVersions(have, want) > 0
	}
	return have == want
}

// filteredNodes returns the nodes all filters match.
func (c *call) filteredNodes(filters []nodeFilter) []world.Node {
	return slices.DeleteFunc(c.world.Nodes(), func(n world.Node) bool {
		return slices.ContainsFunc(filters, func(f nodeFilter) bool { return !f.matches(n) })
	})
}

func nodeID(n world.Node) string { return n.ID }

type describeInstanceInformationIn struct {
	InstanceInformationFilterList []struct {
		Key    string   `json:"key" api:"required,enum=InstanceIds|AgentVersion|PingStatus|PlatformTypes|ActivationIds|IamRole|ResourceType|AssociationStatus"`
		Values []string `json:"valueSet" api:"required,items=1..100,len=1..100000"`
	}
	Filters []struct {
		Key    string   `api:"required,len=1..100000"`
		Values []string `api:"required,items=1..100,len=1..100000"`
	}
	MaxResults *int `api:"range=5..50"`
	NextToken  string
}

type associationOverview struct {
	DetailedStatus                           string
	InstanceAssociationStatusAggregatedCount map[string]int
}

type instanceInformation struct {
	InstanceID          string `json:"InstanceId"`
	PingStatus          string
	LastPingDateTime    epoch
	AgentVersion        string
	IsLatestVersion     bool
	PlatformType        string
	PlatformName        string
	PlatformVersion     string
	ActivationID        string `json:"ActivationId,omitempty"`
	IamRole             string `json:"IamRole,omitempty"`
	RegistrationDate    epoch  `json:"RegistrationDate,omitzero"`
	ResourceType        string
	Name                string `json:"Name,omitempty"`
	IPAddress           string
	ComputerName        string
	AssociationStatus   string              `json:"AssociationStatus,omitempty"`
	AssociationOverview associationOverview `json:"AssociationOverview,omitzero"`
	SourceID            string              `json:"SourceId,omitempty"`
	SourceType          string              `json:"SourceType,omitempty"`
}

type describeInstanceInformationOut struct {
	InstanceInformationList []instanceInformation
	NextToken               string `json:"NextToken,omitempty"`
}

func (c *call) describeInstanceInformation(in *describeInstanceInformationIn) (any, error) {
	if len(in.InstanceInformationFilterList) > 0 && len(in.Filters) > 0 {
		return nil, invalid("Filters and InstanceInformationFilterList can't be used together.")
	}
	var filters []nodeFilter
	for _, f := range in.InstanceInformationFilterList {
		filters = append(filters, nodeFilter{key: f.Key, values: f.Values})
	}
	for _, f := range in.Filters {
		filters = append(filters, nodeFilter{key: f.Key, values: f.Values})
	}
	tagged := 0
	for _, f := range filters {
		if err := f.check("InvalidInstanceInformationFilterValue"); err != nil {
			return nil, err
		}
		if strings.HasPrefix(f.key, "tag") {
			tagged++
		}
	}
	if tagged > 0 && tagged < len(filters) {
		return nil, world.Errorf("InvalidInstanceInformationFilterValue", "Tag filters can't be combined with other filters.")
	}
	nodes, token, err := page(c, "DescribeInstanceInformation", c.filteredNodes(filters), nodeID, in.NextToken, in.MaxResults, 10)
	if err != nil {
		return nil, err
	}
	out := describeInstanceInformationOut{InstanceInformationList: []instanceInformation{}, NextToken: token}
	for _, n := range nodes {
		out.InstanceInformationList = append(out.InstanceInformationList, informationOf(n))
	}
	return out, nil
}

func informationOf(n world.Node) instanceInformation {
	i := instanceInformation{
		InstanceID: n.ID, PingStatus: n.Ping, LastPingDateTime: epoch{n.LastPing}, AgentVersion: n.AgentVersion,
		IsLatestVersion: n.Latest, PlatformType: n.PlatformType(), PlatformName: n.PlatformName,
		PlatformVersion: n.PlatformVersion, ResourceType: n.ResourceType, IPAddress: n.IP, ComputerName: n.ComputerName,
		SourceID: n.ID, SourceType: sourceType(n),
		AssociationStatus:   "Success",
		AssociationOverview: associationOverview{"Success", map[string]int{"Success": 1}},
	}
	if n.ResourceType == "ManagedInstance" { // only these have a name and a role of their own
		i.Name, i.IamRole, i.ActivationID, i.RegistrationDate = n.Name, n.IAMRole, n.ActivationID, epoch{n.Registered}
	}
	return i
}

type describeInstancePropertiesIn struct {
	InstancePropertyFilterList []struct {
		Key    string   `json:"key" api:"required,enum=InstanceIds|AgentVersion|PingStatus|PlatformTypes|DocumentName|ActivationIds|IamRole|ResourceType|AssociationStatus"`
		Values []string `json:"valueSet" api:"required,items=1..40,len=1..100000"`
	} `api:"items=1..40"`
	FiltersWithOperator []struct {
		Key      string   `api:"required,len=1..100000"`
		Values   []string `api:"required,items=1..40,len=1..100000"`
		Operator string   `api:"enum=Equal|NotEqual|BeginWith|LessThan|GreaterThan"`
	} `api:"items=1..40"`
	MaxResults *int `api:"range=5..1000"`
	NextToken  string
}

type instanceProperty struct {
	Name                string `json:"Name,omitempty"`
	InstanceID          string `json:"InstanceId"`
	InstanceType        string `json:"InstanceType,omitempty"`
	InstanceRole        string `json:"InstanceRole,omitempty"`
	InstanceState       string `json:"InstanceState,omitempty"`
	Architecture        string `json:"Architecture,omitempty"`
	IPAddress           string
	LaunchTime          epoch `json:"LaunchTime,omitzero"`
	PingStatus          string
	LastPingDateTime    epoch
	AgentVersion        string
	PlatformType        string
	PlatformName        string
	PlatformVersion     string
	ActivationID        string `json:"ActivationId,omitempty"`
	IamRole             string `json:"IamRole,omitempty"`
	RegistrationDate    epoch  `json:"RegistrationDate,omitzero"`
	ResourceType        string
	ComputerName        string
	AssociationStatus   string              `json:"AssociationStatus,omitempty"`
	AssociationOverview associationOverview `json:"AssociationOverview,omitzero"`
	SourceID            string              `json:"SourceId,omitempty"`
	SourceType          string              `json:"SourceType,omitempty"`
}

type describeInstancePropertiesOut struct {
	InstanceProperties []instanceProperty
	NextToken          string `json:"NextToken,omitempty"`
}

func (c *call) describeInstanceProperties(in *describeInstancePropertiesIn) (any, error) {
	var filters []nodeFilter
	for _, f := range in.InstancePropertyFilterList {
		filters = append(filters, nodeFilter{key: f.Key, values: f.Values})
	}
	for _, f := range in.FiltersWithOperator {
		filters = append(filters, nodeFilter{key: f.Key, operator: f.Operator, values: f.Values})
	}
	for _, f := range filters {
		if err := f.check("InvalidInstancePropertyFilterValue"); err != nil {
			return nil, err
		}
	}
	nodes, token, err := page(c, "DescribeInstanceProperties", c.filteredNodes(filters), nodeID, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := describeInstancePropertiesOut{InstanceProperties: []instanceProperty{}, NextToken: token}
	for _, n := range nodes {
		out.InstanceProperties = append(out.InstanceProperties, propertyOf(n))
	}
	return out, nil
}

func propertyOf(n world.Node) instanceProperty {
	p := instanceProperty{
		Name: n.Name, InstanceID: n.ID, Architecture: n.Architecture, IPAddress: n.IP, PingStatus: n.Ping,
		LastPingDateTime: epoch{n.LastPing}, AgentVersion: n.AgentVersion, PlatformType: n.PlatformType(),
		PlatformName: n.PlatformName, PlatformVersion: n.PlatformVersion, ResourceType: n.ResourceType,
		ComputerName: n.ComputerName, SourceID: n.ID, SourceType: sourceType(n),
		AssociationStatus:   "Success",
		AssociationOverview: associationOverview{"Success", map[string]int{"Success": 1}},
	}
	if n.ResourceType == "ManagedInstance" {
		p.IamRole, p.ActivationID, p.RegistrationDate = n.IAMRole, n.ActivationID, epoch{n.Registered}
		return p
	}
	p.InstanceType, p.InstanceRole, p.InstanceState, p.LaunchTime = n.InstanceType, n.IAMRole, n.State, epoch{n.Launched}
	return p
}

type targetIn struct {
	Target string `api:"required,len=1..400"`
}

func (c *call) getConnectionStatus(in *targetIn) (any, error) {
	status := "notconnected"
	if c.world.Connected(in.Target) {
		status = "connected"
	}
	return struct{ Target, Status string }{in.Target, status}, nil
}
