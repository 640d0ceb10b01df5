// Package inventory knows what the agents of nodes have gathered: applications,
// services, files and the like, and types of the account's own. It reads entries,
// answers questions about the fleet (Query), counts, and writes and deletes what is
// of the account's own.
//
// Inventory is what a node reported last, not what it has now: every answer comes
// with the time of its capture.
package inventory

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The types that agents gather and questions have short words for (User Guide,
// "Metadata collected by inventory").
const (
	Application = "AWS:Application"
	Instance    = "AWS:InstanceInformation"
	service     = "AWS:Service"
	update      = "AWS:WindowsUpdate"
	file        = "AWS:File"
	role        = "AWS:WindowsRole"
	component   = "AWS:AWSComponent"
	network     = "AWS:Network"
)

// Known are the types that the service's own agents report.
func Known() []string {
	return []string{
		component, Application, file, "AWS:InstanceDetailedInformation", Instance, network, service, "AWS:Tag", "AWS:WindowsRegistry", role, update,
		"AWS:BillingInfo", "AWS:ComplianceItem", "AWS:ComplianceSummary", "AWS:PatchSummary", "AWS:ResourceGroup",
	}
}

// Limits of the service (API reference).
const (
	maxTypeName       = 100
	pageSize    int32 = 50 // the most of GetInventory and ListInventoryEntries
	schemaPage  int32 = 200
	maxIDs            = 40 // values of one filter
	// fewNodes is up to how many nodes are asked about by their ids; of more, the
	// service is asked for all.
	fewNodes = 200
)

// Entry is one thing that a node reported: attribute and value.
type Entry map[string]string

// Name is what an entry is known by, by type.
func (e Entry) Name() string {
	return cmp.Or(e["Name"], e["HotFixId"], e["ValueName"], e["Id"], e["ComputerName"])
}

// Version is the version of an application with its release and epoch.
func (e Entry) Version() string {
	v := cmp.Or(e["Version"], e["ProductVersion"], e["FileVersion"])
	if r := e["Release"]; r != "" && v != "" {
		v += "-" + r
	}
	if x := e["Epoch"]; x != "" && x != "0" && x != "(none)" && v != "" {
		v = x + ":" + v
	}
	return v
}

// String writes the attributes in the order of their names.
func (e Entry) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(e)) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(k + "=" + e[k])
	}
	return b.String()
}

// columns are the attributes of a type that say most, by type.
var columns = map[string][]string{
	Application: {"Name", "Version", "Publisher", "Release", "Epoch", "Architecture", "ApplicationType", "InstalledTime", "URL", "Summary"},
	component:   {"Name", "Version", "Publisher", "Architecture", "ApplicationType", "InstalledTime", "URL"},
	file:        {"Name", "InstalledDir", "Size", "ProductVersion", "FileVersion", "ModificationTime", "Description", "CompanyName"},
	Instance:    {"ComputerName", "PlatformName", "PlatformVersion", "PlatformType", "AgentType", "AgentVersion", "IpAddress", "InstanceStatus", "ResourceType"},
	network:     {"Name", "IPV4", "MacAddress", "IPV6", "SubnetMask", "Gateway", "DHCPServer", "DNSServer"},
	service:     {"Name", "Status", "StartType", "DisplayName", "ServiceType", "DependentServices", "ServicesDependedOn"},
	role:        {"Name", "InstalledState", "DisplayName", "FeatureType", "Installed", "Path", "DependsOn", "SubFeatures", "Parent"},
	update:      {"HotFixId", "Description", "InstalledTime", "InstalledBy"},

	"AWS:InstanceDetailedInformation": {"CPUModel", "CPUs", "KernelVersion", "CPUCores", "CPUSockets", "CPUSpeedMHz", "CPUHyperThreadEnabled", "OSServicePack"},
	"AWS:WindowsRegistry":             {"KeyPath", "ValueName", "Value", "ValueType"},
}

// Columns returns the attributes of one of the service's types, those that say most
// first; none for a type that is not known here.
func Columns(kind string) []string { return columns[kind] }

// Type is what can be reported.
type Type struct {
	Name       string      `json:"type"`
	Version    string      `json:"version,omitempty"`
	Attributes []Attribute `json:"attributes"`
}

// Attribute is a column of a type.
type Attribute struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // string, number
}

// Service works with the inventory of one account and Region. It keeps nothing.
type Service struct{ api api }

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{client} }

var typePattern = pattern.Lazy(`^(AWS|Custom):.+$`)

// CheckType returns a Usage error for what is no name of a type, and for one of
// the service's own where only those of the account will do.
func CheckType(name string, own bool) error {
	switch {
	case !typePattern().MatchString(name) || len(name) > maxTypeName:
		e := fault.Usagef("%q is not a type of inventory: those begin with AWS: or Custom:", name)
		if near := fault.Closest("AWS:"+name, Known(), 1); len(near) > 0 {
			return e.WithHint("did you mean %s", near[0])
		}
		return e.WithHint("`ssmdeck inventory types` lists them")
	case own && !strings.HasPrefix(name, "Custom:"):
		return fault.Usagef("%s is the service's own type: only types that begin with Custom: can be written and deleted", name)
	}
	return nil
}

// Types lists the types that there are, only those whose name begins with prefix
// when it is not empty, in the order of their names.
func (s *Service) Types(ctx context.Context, prefix string) ([]Type, error) {
	var name *string
	if prefix != "" {
		name = aws.String(prefix)
	}
	list, err := awsapi.Collect(awsapi.Pages("list the types of inventory", func(token *string) ([]types.InventoryItemSchema, *string, error) {
		out, err := s.api.GetInventorySchema(ctx, &ssm.GetInventorySchemaInput{TypeName: name, MaxResults: aws.Int32(schemaPage), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Schemas, out.NextToken, nil
	}, typeOf))
	slices.SortFunc(list, func(a, b Type) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

func typeOf(t types.InventoryItemSchema) Type {
	out := Type{Name: aws.ToString(t.TypeName), Version: aws.ToString(t.Version), Attributes: []Attribute{}}
	for _, a := range t.Attributes {
		out.Attributes = append(out.Attributes, Attribute{aws.ToString(a.Name), strings.ToLower(string(a.DataType))})
	}
	return out
}

// Listing is what one node reported of one type.
type Listing struct {
	Type     string    `json:"type"`
	Schema   string    `json:"schema,omitempty"`
	Captured time.Time `json:"captured,omitzero"`
	Entries  []Entry   `json:"entries"`
}

// OfNode reads all that a node reported of a type.
func (s *Service) OfNode(ctx context.Context, node, name string) (Listing, error) {
	l := Listing{Type: name, Entries: []Entry{}}
	for e, err := range s.entries(ctx, node, name, nil, &l) {
		if err != nil {
			return l, err
		}
		l.Entries = append(l.Entries, e)
	}
	return l, nil
}

// entries lists the entries of a node that match filters, and notes in about when
// they were captured.
func (s *Service) entries(ctx context.Context, node, name string, filters []types.InventoryFilter, about *Listing) iter.Seq2[Entry, error] {
	return awsapi.Pages("read "+name+" of "+node, func(token *string) ([]map[string]string, *string, error) {
		out, err := s.api.ListInventoryEntries(ctx, &ssm.ListInventoryEntriesInput{
			InstanceId: aws.String(node), TypeName: aws.String(name), Filters: filters, MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		about.Captured, about.Schema = capturedAt(out.CaptureTime), aws.ToString(out.SchemaVersion)
		return out.Entries, out.NextToken, nil
	}, func(e map[string]string) Entry { return e })
}

// capturedAt reads a capture time; what is none is no time.
func capturedAt(s *string) time.Time {
	t, err := time.Parse(time.RFC3339, aws.ToString(s))
	if err != nil {
		return time.Time{}
	}
	return t
}
