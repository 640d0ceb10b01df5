package compliance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// Limits of what can be reported (API reference, PutComplianceItems,
// ComplianceItemEntry; User Guide, "Working with Compliance"). Lengths are in
// characters.
const (
	MaxItems  = 10_000
	MaxTypes  = 10 // of one's own, on one node
	maxTitle  = 500
	maxKey    = 64
	maxDetail = 4096
	maxID     = 100 // of an execution, of a type
	maxKind   = 50  // of an execution
)

// typeName is the form of a type of one's own.
var typeName = pattern.Lazy(`^Custom:[a-zA-Z0-9_-]\w+$`)

// Entry is one item that is reported. The JSON names are those of the file that
// ParseEntries reads.
type Entry struct {
	ID       string            `json:"id"`
	Title    string            `json:"title,omitempty"`
	Status   string            `json:"status"`
	Severity string            `json:"severity"`
	Details  map[string]string `json:"details,omitempty"`
}

// entryKeys are those of an entry, in files and flags.
var entryKeys = []string{"id", "title", "status", "severity", "details"}

// Report is what is reported of a node: all items of a type, which replace those that
// were there.
type Report struct {
	Node          string    `json:"node_id"`
	Type          string    `json:"type"`
	Items         []Entry   `json:"items"`
	Executed      time.Time `json:"executed"`
	ExecutionType string    `json:"execution_type,omitempty"` // Command, …
	ExecutionID   string    `json:"execution_id,omitempty"`
	// Partial replaces the items of one association alone; of associations whose
	// compliance is reported by hand (SyncCompliance MANUAL).
	Partial bool `json:"partial,omitempty"`
}

// Check returns all that the service would refuse, as Usage errors in the words of the
// flags.
func (r Report) Check() []error {
	var faults []error
	failf := func(format string, args ...any) { faults = append(faults, fault.Usagef(format, args...)) }
	switch {
	case r.Type == Association:
	case r.Type == Patch:
		failf("--type Patch is reported by the agent")
	case !strings.HasPrefix(r.Type, Custom):
		failf("--type %q is no type that can be reported: write Custom:NAME, or Association", r.Type)
	case !typeName().MatchString(r.Type) || utf8.RuneCountInString(r.Type) > maxID:
		failf("--type %q: behind Custom: there are two letters, digits, _ or more, up to %d characters in all", r.Type, maxID)
	}
	if r.Partial && r.Type != Association {
		failf("--partial is for --type Association, whose compliance is reported by hand")
	}
	if len(r.Items) > MaxItems {
		failf("%d items are given, and %d are allowed", len(r.Items), MaxItems)
	}
	if utf8.RuneCountInString(r.ExecutionID) > maxID {
		failf("--execution-id is longer than %d characters", maxID)
	}
	if utf8.RuneCountInString(r.ExecutionType) > maxKind {
		failf("--execution-type is longer than %d characters", maxKind)
	}
	seen := map[string]bool{}
	for i, e := range r.Items {
		for _, what := range e.faults() {
			failf("item %d (%s): %s", i+1, e.ID, what)
		}
		if e.ID != "" && seen[e.ID] {
			failf("item %d: id %s is given twice", i+1, e.ID)
		}
		seen[e.ID] = true
	}
	return faults
}

// faults are what is wrong with an entry, in words.
func (e Entry) faults() (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if e.ID == "" && e.Title == "" {
		say("it has neither an id nor a title")
	}
	if utf8.RuneCountInString(e.Title) > maxTitle {
		say("title is longer than %d characters", maxTitle)
	}
	if !slices.Contains([]string{Compliant, NonCompliant}, e.Status) {
		say("status %q is neither compliant nor non-compliant", e.Status)
	}
	if !slices.Contains(Severities, e.Severity) {
		text := fmt.Sprintf("severity %q is none of %s", e.Severity, strings.ToLower(strings.Join(Severities, ", ")))
		if near := fault.Nearest(e.Severity, Severities); near != "" {
			text += fmt.Sprintf(" (did you mean %s?)", strings.ToLower(near))
		}
		say("%s", text)
	}
	for k, v := range e.Details {
		if n := utf8.RuneCountInString(k); n == 0 || n > maxKey {
			say("details: a key has 1 to %d characters, %q has %d", maxKey, k, n)
		}
		if n := utf8.RuneCountInString(v); n > maxDetail {
			say("details: the value of %s has %d characters, and %d are allowed", k, n, maxDetail)
		}
	}
	slices.Sort(out)
	return out
}

// set fills a field from its text. Statuses and severities may be written small.
func (e *Entry) set(key, text string) {
	word := strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(strings.TrimSpace(text)))
	switch key {
	case "id":
		e.ID = text
	case "title":
		e.Title = text
	case "status":
		if e.Status = word; word == "NONCOMPLIANT" {
			e.Status = NonCompliant
		}
	case "severity":
		e.Severity = word
	}
}

// ParseEntry reads the value of a flag: id=a,title="B, c",status=compliant,
// severity=low,details={Owner=web}, or the same as JSON.
func ParseEntry(text string) (Entry, error) {
	bad := func(format string, args ...any) (Entry, error) {
		return Entry{}, fault.Usagef("--item %s: "+format, append([]any{text}, args...)...).
			WithHint(`write --item 'id=tls,title="TLS 1.2 or newer",status=non-compliant,severity=high,details={Found=1.0}'`)
	}
	v, err := untyped.Text(text, nil)
	if err != nil {
		return bad("%w", err)
	}
	members, ok := v.(untyped.Object)
	if !ok {
		return bad("it is no list of KEY=VALUE")
	}
	e := Entry{Severity: "UNSPECIFIED"}
	for _, m := range members {
		key := strings.ToLower(m.Key)
		if !slices.Contains(entryKeys, key) {
			return bad("unknown key %s, there are %s", m.Key, strings.Join(entryKeys, ", "))
		}
		if key != "details" {
			e.set(key, textOf(m.Value))
			continue
		}
		details, ok := m.Value.(untyped.Object)
		if !ok {
			return bad("details is no map: write details={Key=value}")
		}
		e.Details = map[string]string{}
		for _, d := range details {
			e.Details[d.Key] = textOf(d.Value)
		}
	}
	return e, nil
}

func textOf(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// ParseEntries reads a file: a list of items in YAML or JSON, or a mapping with such a
// list under items. All faults are told at once, each with its line.
func ParseEntries(path string, data []byte) ([]Entry, error) {
	f := strictyaml.File{Path: path}
	root, err := f.Load(data)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	out := []Entry{}
	list := func(n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			f.Fail(n, "items must be a list")
			return
		}
		for i, item := range n.Content {
			out = append(out, parseEntry(&f, item, fmt.Sprintf("item %d", i+1)))
		}
	}
	switch {
	case root == nil:
		return nil, fault.Usagef("%s: there is nothing in it", path).WithHint("an empty list, [], takes all items away")
	case root.Kind == yaml.MappingNode:
		f.Mapping(root, "the file", []string{"items"}, func(_ string, n *yaml.Node) { list(n) })
	default:
		list(root)
	}
	if err := f.Err(); err != nil {
		return nil, fault.Usagef("%w", err)
	}
	return out, nil
}

func parseEntry(f *strictyaml.File, n *yaml.Node, where string) Entry {
	e := Entry{Severity: "UNSPECIFIED"}
	scalar := func(v *yaml.Node, what string) string {
		if v.Kind != yaml.ScalarNode {
			f.Fail(v, "%s: %s must be a text", where, what)
			return ""
		}
		return v.Value
	}
	f.Mapping(n, where, entryKeys, func(key string, v *yaml.Node) {
		if key != "details" {
			e.set(key, scalar(v, key))
			return
		}
		e.Details = map[string]string{}
		f.Mapping(v, where+": details", nil, func(k string, d *yaml.Node) { e.Details[k] = scalar(d, k) })
	})
	for _, what := range e.faults() {
		f.Fail(n, "%s: %s", where, what)
	}
	return e
}

// input is the request. The service takes the time to the second.
func (r Report) input() *ssm.PutComplianceItemsInput {
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return aws.String(s)
	}
	in := &ssm.PutComplianceItemsInput{
		ResourceId: aws.String(r.Node), ResourceType: aws.String(managedInstance), ComplianceType: aws.String(r.Type), Items: []types.ComplianceItemEntry{},
		ExecutionSummary: &types.ComplianceExecutionSummary{
			ExecutionTime: aws.Time(r.Executed.UTC().Truncate(time.Second)), ExecutionType: text(r.ExecutionType), ExecutionId: text(r.ExecutionID),
		},
	}
	if r.Partial {
		in.UploadType = types.ComplianceUploadTypePartial
	}
	for _, e := range r.Items {
		in.Items = append(in.Items, types.ComplianceItemEntry{
			Id: text(e.ID), Title: text(e.Title), Status: types.ComplianceStatus(e.Status), Severity: types.ComplianceSeverity(e.Severity), Details: e.Details,
		})
	}
	return in
}

// Put reports. The items replace all that the node had of the type.
func (s *Service) Put(ctx context.Context, r Report) error {
	_, err := s.api.PutComplianceItems(ctx, r.input())
	return awsapi.Explain(fmt.Sprintf("report %s of %s", r.Type, r.Node), err)
}

// Fits returns a Limit fault when a node that has these items cannot have another
// type of its own.
func (r Report) Fits(had []Item) error {
	kinds := map[string]bool{}
	for _, item := range had {
		if strings.HasPrefix(item.Type, Custom) {
			kinds[item.Type] = true
		}
	}
	if !strings.HasPrefix(r.Type, Custom) || kinds[r.Type] || len(kinds) < MaxTypes {
		return nil
	}
	return fault.New(fault.Limit, fmt.Sprintf("report %s of %s", r.Type, r.Node), "the node has %d types of its own, and %d are allowed", len(kinds), MaxTypes).
		WithHint("an empty list takes the items of a type away: `ssmdeck compliance put %s --type TYPE --file empty.json`", r.Node)
}
