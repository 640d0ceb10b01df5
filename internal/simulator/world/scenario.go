package world

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"

	_ "embed" // demo.yaml
)

// LimitsReal is the value of Scenario.Limits that turns the service's own rates
// on.
const LimitsReal = "real"

// The shells a node can have.
const (
	ShellVirtual = "virtual" // in memory; the default
	ShellHost    = "host"    // real shells of the machine the simulator runs on
)

// maxScenario is the size limit of a scenario file in bytes.
const maxScenario = 4 << 20

//go:embed demo.yaml
var demo []byte

// Scenario is a simulated account as its YAML file describes it. ParseScenario
// documents and checks each field.
type Scenario struct {
	Account string `yaml:"account"` // 12 digits; 123456789012
	Region  string `yaml:"region"`  // us-east-1
	User    string `yaml:"user"`    // name of the IAM user whose keys are issued; demo

	Nodes      []NodeSpec       `yaml:"nodes"`
	Fleet      FleetSpec        `yaml:"fleet"` // many more
	Hosts      []HostSpec       `yaml:"hosts"`
	Parameters []ParameterEntry `yaml:"parameters"`
	Secrets    []SecretSpec     `yaml:"secrets"` // of Secrets Manager
	// ParameterStore is how Parameter Store behaves, and what it has many of.
	ParameterStore ParameterStoreSpec `yaml:"parameter_store"`

	Documents []DocumentSpec `yaml:"documents"`
	Groups    []GroupSpec    `yaml:"groups"`
	Keys      []KeySpec      `yaml:"keys"`
	Buckets   []BucketSpec   `yaml:"buckets"`
	LogGroups []LogGroupSpec `yaml:"log_groups"`

	Windows      []WindowSpec      `yaml:"maintenance_windows"`
	Functions    []FunctionSpec    `yaml:"functions"`
	Baselines    []BaselineSpec    `yaml:"baselines"`
	Associations []AssociationSpec `yaml:"associations"`
	OpsItems     []OpsItemSpec     `yaml:"opsitems"`

	VPCs           []VPCSpec           `yaml:"vpcs"`
	SecurityGroups []SecurityGroupSpec `yaml:"security_groups"`
	Subnets        []SubnetSpec        `yaml:"subnets"`
	Endpoints      []EndpointSpec      `yaml:"vpc_endpoints"`
	Databases      []DatabaseSpec      `yaml:"databases"`

	Roles    []RoleSpec    `yaml:"roles"`
	Policies []PolicySpec  `yaml:"policies"`
	Profiles []ProfileSpec `yaml:"instance_profiles"`
	// DefaultHost is the role of default host management; off when absent.
	DefaultHost string `yaml:"default_host_management"`

	Preferences PreferencesSpec `yaml:"session_preferences"`
	Access      AccessSpec      `yaml:"access_requests"`
	Agents      AgentsSpec      `yaml:"agents"`
	// SeparateOutput is what AWS-StartNonInteractiveCommand says about
	// separateOutputStream: true when absent. (The real document is not known.)
	SeparateOutput *bool `yaml:"separate_output_stream"`
	// ActivationTier is standard or advanced.
	ActivationTier string `yaml:"activation_tier"`

	RunCommand RunSpec      `yaml:"run_command"`
	Patching   PatchingSpec `yaml:"patching"`
	Faults     Faults       `yaml:"faults"`
	// Throttle is how many calls a second an operation takes before it answers
	// ThrottlingException.
	// Several operations share one rate when a plus is between them.
	Throttle map[string]float64 `yaml:"throttle"`
	// Limits real: Parameter Store takes no more calls than the service does, by
	// the account's settings.
	Limits string `yaml:"limits"`
	// Denied are the IAM actions that no caller may use: rds:DescribeDBProxies, or
	// kms:*. What follows a space is a parameter, a path with *, a secret, an alias or
	// an ARN to which it is limited: ssm:GetParameter* /app/prod/*.
	Denied []string `yaml:"denied"`
	// OrganizationDenied are the IAM actions that the organization allows nobody.
	OrganizationDenied []string `yaml:"organization_denied"`
	// Clock is the time that dates are in; this machine's when absent.
	Clock ClockSpec `yaml:"clock"`
	// ClockAhead is how far the clock of the service is ahead of this machine's.
	ClockAhead time.Duration `yaml:"clock_ahead"`

	// Alive makes the account live by itself; quiet when absent.
	Alive *AliveSpec `yaml:"alive"`

	Places `yaml:",inline"`
}

// NodeSpec is a node of a scenario. Only ID is required.
type NodeSpec struct {
	ID              string            `yaml:"id"`   // i-… or mi-…
	Name            string            `yaml:"name"` // its Name tag
	ComputerName    string            `yaml:"computer_name"`
	Platform        string            `yaml:"platform"` // linux, windows, macos
	PlatformName    string            `yaml:"platform_name"`
	PlatformVersion string            `yaml:"platform_version"`
	AgentVersion    string            `yaml:"agent_version"`
	IP              string            `yaml:"ip"`
	Tags            map[string]string `yaml:"tags"`
	Ping            string            `yaml:"ping"`      // online, lost, inactive
	LastPing        time.Duration     `yaml:"last_ping"` // ago
	ResourceType    string            `yaml:"resource_type"`
	IAMRole         string            `yaml:"iam_role"`
	InstanceType    string            `yaml:"instance_type"`
	Architecture    string            `yaml:"architecture"`
	VPC             string            `yaml:"vpc"` // the one that has IP when absent
	Subnet          string            `yaml:"subnet"`
	SecurityGroups  []string          `yaml:"security_groups"`
	AZ              string            `yaml:"az"`
	Image           string            `yaml:"image"`  // ami-…
	State           string            `yaml:"state"`  // of the instance; running
	Launch          time.Duration     `yaml:"launch"` // ago
	// What an agent on the instance finds.
	Profile  string `yaml:"instance_profile"` // iam_role when absent; none: no profile
	PublicIP string `yaml:"public_ip"`
	Metadata string `yaml:"metadata"` // v2 (default): IMDSv2 only; v1: also IMDSv1; off
	Impaired bool   `yaml:"impaired"` // a status check of the instance fails
	// NoChannel: the agent reports, and its channel to the message gateway is shut.
	NoChannel bool `yaml:"no_channel"`
	// Activation expired: that of a hybrid node is still listed.
	Activation string `yaml:"activation"`
	// Managed false leaves an instance that only EC2 knows.
	Managed *bool      `yaml:"managed"`
	Patch   *PatchSpec `yaml:"patch"`

	Shell string    `yaml:"shell"` // virtual, host; empty: what the simulator was started with
	Agent AgentSpec `yaml:"agent"`
	// Ports are the ports of the node that answer: a behaviour (echo, discard,
	// http, postgres-greeting, banner, hang) or an address of this machine.
	Ports map[int]string `yaml:"ports"`

	// The state the virtual machine starts with.
	Services map[string]string `yaml:"services"` // name → active, inactive, failed
	Files    map[string]string `yaml:"files"`    // path → content
	Packages map[string]string `yaml:"packages"` // name → version

	generated bool
	// online says that the scenario wants the node online, whatever its agent finds.
	online bool
}

// HostSpec is a port of a host that nodes can reach.
type HostSpec struct {
	Name string `yaml:"name"`
	Port int    `yaml:"port"`
	// Serve is a behaviour as in NodeSpec.Ports; echo when both are empty.
	Serve string `yaml:"serve"`
	// Connect is an address of this machine, 127.0.0.1:PORT.
	Connect string `yaml:"connect"`
}

func (h HostSpec) serve() string {
	switch {
	case h.Connect != "":
		return h.Connect
	case h.Serve != "":
		return h.Serve
	}
	return serveEcho
}

// DocumentSpec is a document of the account.
type DocumentSpec struct {
	Name    string `yaml:"name"`
	Type    string `yaml:"type"`   // Command (default), Session, Automation, Policy, Package, ChangeCalendar
	Format  string `yaml:"format"` // YAML (default), JSON, TEXT
	Content string `yaml:"content"`
}

// GroupSpec is a resource group: the nodes listed, and those with all the tags.
type GroupSpec struct {
	Name  string            `yaml:"name"`
	Nodes []string          `yaml:"nodes"`
	Tags  map[string]string `yaml:"tags"`
}

// KeySpec is a KMS key.
type KeySpec struct {
	ID          string `yaml:"id"`    // a UUID
	Alias       string `yaml:"alias"` // alias/…
	Description string `yaml:"description"`
	State       string `yaml:"state"` // enabled (default), disabled, pending_deletion
	// Users are the only ones who may use it: names of users and roles, ids of
	// other accounts. All of the account when absent.
	Users  []string `yaml:"users"`
	Policy string   `yaml:"policy"` // JSON, in the place of Users
	// NodeDenied: nodes may not decrypt with it.
	NodeDenied bool `yaml:"node_denied"`
}

// PreferencesSpec are the region's session settings, the initial content of
// SSM-SessionManagerRunShell.
type PreferencesSpec struct {
	IdleTimeout         time.Duration `yaml:"idle_timeout"` // 1m to 60m; 20m
	MaxDuration         time.Duration `yaml:"max_duration"` // 1m to 1440m; none
	KMSKey              string        `yaml:"kms_key"`      // id, alias or ARN; turns encryption on
	RunAs               string        `yaml:"run_as"`
	ShellProfileLinux   string        `yaml:"shell_profile_linux"`
	ShellProfileWindows string        `yaml:"shell_profile_windows"`

	S3Bucket   string `yaml:"s3_bucket"`
	S3Prefix   string `yaml:"s3_prefix"`
	LogGroup   string `yaml:"log_group"`
	PlainLogs  bool   `yaml:"plain_logs"` // the log group need not be encrypted
	Streaming  bool   `yaml:"streaming"`
	NoDocument bool   `yaml:"no_document"` // the account has never made one
}

// BucketSpec is an S3 bucket.
type BucketSpec struct {
	Name   string `yaml:"name"`
	Region string `yaml:"region"` // that of the scenario when empty
}

// LogGroupSpec is a log group of CloudWatch Logs.
type LogGroupSpec struct {
	Name      string `yaml:"name"`
	Encrypted bool   `yaml:"encrypted"` // with a KMS key
}

// AccessSpec says how requests for just-in-time node access go.
type AccessSpec struct {
	// Nodes are the ids of nodes to which sessions need an approved request.
	Nodes []string `yaml:"nodes"`
	// DecideAfter is how long a request is pending.
	DecideAfter time.Duration `yaml:"decide_after"`
	Outcome     string        `yaml:"outcome"` // approved (default), rejected, pending
	// TokenTTL is how long the credentials of an approved request are good for;
	// 1h when 0. ApprovalTTL is the same for the approval itself; 12h.
	TokenTTL    time.Duration `yaml:"token_ttl"`
	ApprovalTTL time.Duration `yaml:"approval_ttl"`
}

// RunSpec is how Run Command behaves.
type RunSpec struct {
	// VisibleAfter is how long after SendCommand its invocations are not to be
	// seen; 100ms when absent.
	VisibleAfter *time.Duration `yaml:"visible_after"`
	// DeliveryDelay is how long a command takes to reach a node.
	DeliveryDelay time.Duration `yaml:"delivery_delay"`
	// DeliveryTimeout replaces what the request says; 0 leaves it as the
	// service has it: TimeoutSeconds and the execution timeout together.
	DeliveryTimeout time.Duration `yaml:"delivery_timeout"`
}

// Demo returns the built-in scenario.
func Demo() *Scenario {
	sc, err := ParseScenario("demo", demo)
	if err != nil {
		panic(err) // held by a test
	}
	return sc
}

// ReadScenario reads a scenario; see ParseScenario.
func ReadScenario(name string, r io.Reader) (*Scenario, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxScenario+1))
	if err != nil {
		return nil, err
	}
	return ParseScenario(name, data)
}

// ParseScenario reads a scenario from YAML, fills in the defaults and checks
// every value. Unknown keys are errors. Errors are of fault.Usage, with a
// *ScenarioError inside that says the line.
func ParseScenario(name string, data []byte) (*Scenario, error) {
	sc, err := parseScenario(name, data)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Usage, Err: err}
	}
	return sc, nil
}

func parseScenario(name string, data []byte) (*Scenario, error) {
	if len(data) > maxScenario {
		return nil, &ScenarioError{Name: name, Err: fmt.Errorf("larger than %d bytes", maxScenario)}
	}
	var sc Scenario
	if err := loadOne(data, &sc); err != nil {
		return nil, yamlError(name, err)
	}
	c := checker{sc: &sc, form: map[string]*regexp.Regexp{}}
	c.all()
	if c.err != nil {
		return nil, &ScenarioError{Name: name, Line: lineOf(data, c.path), Err: c.err}
	}
	return &sc, nil
}

// loadOne reads the only document of data; none at all is an empty one.
func loadOne(data []byte, sc *Scenario) error {
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithKnownFields())
	if err != nil {
		return err
	}
	if err := loader.Load(sc); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var more yaml.Node
	if err := loader.Load(&more); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("more than one document"), err)
	}
	return nil
}

// ScenarioError is a mistake in a scenario file.
type ScenarioError struct {
	Name string
	Line int // from 1; 0 when it is not known
	Err  error
}

// Error returns "name:line: what".
func (e *ScenarioError) Error() string {
	if e.Line == 0 {
		return e.Name + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err)
}

// Unwrap returns the cause.
func (e *ScenarioError) Unwrap() error { return e.Err }

// yamlError takes the line and the plain words out of an error of the YAML
// library.
func yamlError(name string, err error) error {
	var first *yaml.LoadError
	var several *yaml.LoadErrors
	switch {
	case errors.As(err, &several) && len(several.Errors) > 0:
		first = several.Errors[0]
	case !errors.As(err, &first):
		return &ScenarioError{Name: name, Err: err}
	}
	text, _, _ := strings.Cut(first.Message, " in type ")
	return &ScenarioError{Name: name, Line: first.Mark.Line, Err: errors.New(text)}
}

// lineOf finds the line of the value at path: keys and list indexes.
func lineOf(data []byte, path []any) int {
	var root yaml.Node
	if yaml.Load(data, &root) != nil || len(root.Content) == 0 {
		return 0
	}
	n, line := root.Content[0], root.Content[0].Line
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			break
		}
		n, line = next, next.Line
	}
	return line
}

func child(n *yaml.Node, step any) *yaml.Node {
	switch s := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && s < len(n.Content) {
			return n.Content[s]
		}
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == s {
				return n.Content[i+1]
			}
		}
	}
	return nil
}
