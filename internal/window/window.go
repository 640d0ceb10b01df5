// Package window knows maintenance windows: when they open, on what (targets) and
// what they do (tasks), what became of it (executions), and files that describe
// them.
//
// A window is found by its id or its name; names need not be unique, and one that
// fits several windows is an error that lists them. Payloads of Lambda functions,
// inputs of state machines and values of parameters may be secrets: they are in no
// error of this package.
package window

import (
	"cmp"
	"context"
	"iter"
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

// Service reads and changes the maintenance windows of one account and Region. It
// keeps nothing and may be used concurrently.
type Service struct{ api api }

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{api: client} }

// pageSize is the most that a page of windows, their parts and executions holds
// (API reference: 10 to 100).
const pageSize = 100

var (
	windowID = pattern.Lazy(`^mw-[0-9a-f]{17}$`)
	partID   = pattern.Lazy(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
)

// IsID reports whether s has the form of a window's id.
func IsID(s string) bool { return windowID().MatchString(s) }

// IsPartID reports whether s has the form of the id of a target, a task, an
// execution or a part of one.
func IsPartID(s string) bool { return partID().MatchString(s) }

// Window is a maintenance window. Times that the service writes as text are as it
// writes them: Start and End are ISO 8601, and mean UTC without a zone.
type Window struct {
	ID          string `json:"window_id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Enabled     bool   `json:"enabled"`
	Schedule    string `json:"schedule"`                    // cron(...), rate(...), at(...)
	Timezone    string `json:"schedule_timezone,omitempty"` // an IANA name; empty: UTC
	Offset      int    `json:"schedule_offset,omitempty"`   // days after the date of a cron expression
	Start       string `json:"start,omitempty"`             // does nothing before
	End         string `json:"end,omitempty"`               // does nothing after
	Duration    int    `json:"duration"`                    // hours that it is open
	Cutoff      int    `json:"cutoff"`                      // hours before its end when no more tasks begin
	// Next is when the service says that it opens next; zero when it does not.
	Next time.Time `json:"next_execution,omitzero"`
	// AllowUnassociated lets tasks run on nodes that are in no target of the window.
	// It is known of windows that were asked for one by one (Get), as are the dates.
	AllowUnassociated *bool     `json:"allow_unassociated_targets,omitempty"`
	Created           time.Time `json:"created,omitzero"`
	Modified          time.Time `json:"modified,omitzero"`
}

// Selector says which nodes or groups are meant, as the API does: Key is
// InstanceIds, tag:NAME, tag-key, resource-groups:Name,
// resource-groups:ResourceTypeFilters, or in a task WindowTargetIds.
type Selector struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// String is the selector in the API's words: "tag:env=prod,staging".
func (s Selector) String() string { return s.Key + "=" + strings.Join(s.Values, ",") }

// ByWindowTarget is the key of a task's selector that names targets of its window.
const ByWindowTarget = "WindowTargetIds"

// The types of resources that a target can mean.
const (
	Nodes  = "INSTANCE"
	Groups = "RESOURCE_GROUP"
)

// Target is a set of nodes, or of resources in groups, registered with a window.
type Target struct {
	ID           string     `json:"target_id"`
	WindowID     string     `json:"window_id"`
	Name         string     `json:"name,omitempty"`
	Description  string     `json:"description,omitempty"`
	Owner        string     `json:"owner_information,omitempty"`
	ResourceType string     `json:"resource_type"` // Nodes, Groups
	Selectors    []Selector `json:"targets"`
}

// label is what people call it.
func (t Target) label() string { return cmp.Or(t.Name, t.ID, targetLabel(t)) }

// Whole is a window with all that belongs to it.
type Whole struct {
	Window
	Targets []Target `json:"targets"`
	Tasks   []Task   `json:"tasks"`
}

// Filter narrows a list of windows. Nil and empty fields do not.
type Filter struct {
	Enabled *bool
	Name    string // the whole name
}

// List lists the windows, as the service orders them. Of each it knows all but
// AllowUnassociated and the dates. An error is the last element.
func (s *Service) List(ctx context.Context, f Filter) iter.Seq2[Window, error] {
	in := &ssm.DescribeMaintenanceWindowsInput{MaxResults: aws.Int32(pageSize)}
	if f.Name != "" {
		in.Filters = append(in.Filters, types.MaintenanceWindowFilter{Key: aws.String("Name"), Values: []string{f.Name}})
	}
	if f.Enabled != nil {
		in.Filters = append(in.Filters, types.MaintenanceWindowFilter{Key: aws.String("Enabled"), Values: []string{map[bool]string{true: "True", false: "False"}[*f.Enabled]}})
	}
	return awsapi.Unique(awsapi.Pages("list maintenance windows", func(token *string) ([]types.MaintenanceWindowIdentity, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeMaintenanceWindows(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.WindowIdentities, out.NextToken, nil
	}, func(w types.MaintenanceWindowIdentity) Window {
		return Window{
			ID: aws.ToString(w.WindowId), Name: aws.ToString(w.Name), Description: aws.ToString(w.Description), Enabled: w.Enabled,
			Schedule: aws.ToString(w.Schedule), Timezone: aws.ToString(w.ScheduleTimezone), Offset: int(aws.ToInt32(w.ScheduleOffset)),
			Start: aws.ToString(w.StartDate), End: aws.ToString(w.EndDate), Duration: int(aws.ToInt32(w.Duration)), Cutoff: int(w.Cutoff),
			Next: ParseTime(aws.ToString(w.NextExecutionTime)),
		}
	}), func(w Window) string { return w.ID })
}

// ParseTime reads the times that the service writes as text, in UTC without a zone;
// zero for none and for what is no time.
func ParseTime(text string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Get reads a window by its id.
func (s *Service) Get(ctx context.Context, id string) (Window, error) {
	out, err := s.api.GetMaintenanceWindow(ctx, &ssm.GetMaintenanceWindowInput{WindowId: aws.String(id)})
	if err != nil {
		return Window{}, awsapi.Explain("get maintenance window "+id, err)
	}
	return Window{
		ID: aws.ToString(out.WindowId), Name: aws.ToString(out.Name), Description: aws.ToString(out.Description), Enabled: out.Enabled,
		Schedule: aws.ToString(out.Schedule), Timezone: aws.ToString(out.ScheduleTimezone), Offset: int(aws.ToInt32(out.ScheduleOffset)),
		Start: aws.ToString(out.StartDate), End: aws.ToString(out.EndDate), Duration: int(aws.ToInt32(out.Duration)), Cutoff: int(out.Cutoff),
		Next: ParseTime(aws.ToString(out.NextExecutionTime)), AllowUnassociated: aws.Bool(out.AllowUnassociatedTargets),
		Created: aws.ToTime(out.CreatedDate), Modified: aws.ToTime(out.ModifiedDate),
	}, nil
}

// Find reads the window that an id or a name means. Several of one name are a
// NotFound error that lists them; so is a name that none has, with those near it.
func (s *Service) Find(ctx context.Context, expr string) (Window, error) {
	if IsID(expr) {
		return s.Get(ctx, expr)
	}
	w, err := s.Lookup(ctx, expr)
	if err != nil {
		return Window{}, err
	}
	return s.Get(ctx, w.ID)
}

// Lookup finds a window by its name or id in the list, which knows a little less
// of it than Find.
func (s *Service) Lookup(ctx context.Context, expr string) (Window, error) {
	op := "find maintenance window " + expr
	var all []Window
	for w, err := range s.List(ctx, Filter{}) {
		if err != nil {
			return Window{}, err
		}
		all = append(all, w)
	}
	return one(op, "maintenance window", "ssmdeck window list", expr, all, func(w Window) (string, string) { return w.ID, w.Name })
}

// one is the thing whose id or name is expr.
func one[T any](op, kind, list, expr string, all []T, words func(T) (id, name string)) (T, error) {
	var none T
	var ids, names []string
	var found []T
	for _, v := range all {
		id, name := words(v)
		if id == expr {
			return v, nil
		}
		names = append(names, name)
		if name == expr && name != "" {
			found, ids = append(found, v), append(ids, id)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		err := fault.New(fault.NotFound, op, "there is no such %s", kind)
		if near := fault.Closest(expr, names, 3); len(near) > 0 {
			return none, err.WithHint("did you mean %s?", strings.Join(near, " or "))
		}
		return none, err.WithHint("see `%s`", list)
	default:
		slices.Sort(ids)
		return none, fault.New(fault.NotFound, op, "%d have this name: %s", len(found), strings.Join(ids, ", ")).WithHint("use the id")
	}
}

// Pick is the window of a list that an id or a name means, with the errors of Find.
func Pick(expr string, all []Window) (Window, error) {
	return one("find maintenance window "+expr, "maintenance window", "ssmdeck window list", expr, all, func(w Window) (string, string) { return w.ID, w.Name })
}
