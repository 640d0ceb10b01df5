package patching

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
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// Schedules knows what else patches or scans nodes, and when patching is allowed.
type Schedules struct{ api api }

// NewSchedules returns Schedules that calls client; *ssm.Client fits.
func NewSchedules(client api) *Schedules { return &Schedules{client} }

// documents are those that write the patch states of nodes.
func documents() []string {
	return []string{Document, "AWS-RunPatchBaselineAssociation", "AWS-RunPatchBaselineWithHooks"}
}

// windowNodes is of how many nodes the windows are asked for: ten calls.
const windowNodes = 500

// Association is one by which nodes are scanned or patched on its own schedule.
type Association struct {
	ID, Name, Document string
	Schedule           string // "": when it is changed, and when a node appears
}

// Associations returns those of the patch documents that may be for some of nodes.
// Tags of nodes that were not read count as fitting.
func (s *Schedules) Associations(ctx context.Context, nodes []fleet.Node) ([]Association, error) {
	ids := map[string]bool{}
	for _, n := range nodes {
		ids[n.ID] = true
	}
	var found []Association
	for _, doc := range documents() {
		in := &ssm.ListAssociationsInput{
			MaxResults:            aws.Int32(50),
			AssociationFilterList: []types.AssociationFilter{{Key: types.AssociationFilterKeyName, Value: aws.String(doc)}},
		}
		list := awsapi.Pages("list associations", func(token *string) ([]types.Association, *string, error) {
			in.NextToken = token
			out, err := s.api.ListAssociations(ctx, in)
			if err != nil {
				return nil, nil, err
			}
			return out.Associations, out.NextToken, nil
		}, func(a types.Association) types.Association { return a })
		for a, err := range list {
			if err != nil {
				return nil, err
			}
			if mayBeFor(a, ids, nodes) {
				found = append(found, Association{
					ID: aws.ToString(a.AssociationId), Name: cmp.Or(aws.ToString(a.AssociationName), aws.ToString(a.AssociationId)),
					Document: doc, Schedule: aws.ToString(a.ScheduleExpression),
				})
			}
		}
	}
	return found, nil
}

// mayBeFor reports whether an association may be for one of the nodes.
func mayBeFor(a types.Association, ids map[string]bool, nodes []fleet.Node) bool {
	if id := aws.ToString(a.InstanceId); id != "" {
		return ids[id]
	}
	for _, t := range a.Targets {
		key := aws.ToString(t.Key)
		tag, isTag := strings.CutPrefix(key, "tag:")
		switch {
		case key == "InstanceIds":
			for _, v := range t.Values {
				if v == "*" || ids[v] {
					return true
				}
			}
		case isTag:
			for _, n := range nodes {
				if n.Tags == nil || slices.Contains(t.Values, n.Tags[tag]) {
					return true
				}
			}
		default:
			return true // a group, a tag's key: who is meant is not known here
		}
	}
	return false
}

// Window is a maintenance window that nodes belong to.
type Window struct {
	ID, Name string
	Enabled  bool
	Next     time.Time // zero: it has no further run
}

// Windows returns the windows that some of nodes are registered with, the next one
// first. Of more than 500 nodes the first 500 are asked for; all is false then.
func (s *Schedules) Windows(ctx context.Context, ids []string) (windows []Window, all bool, err error) {
	all = len(ids) <= windowNodes
	byID := map[string]bool{}
	for chunk := range slices.Chunk(ids[:min(len(ids), windowNodes)], 50) {
		in := &ssm.DescribeMaintenanceWindowsForTargetInput{
			ResourceType: types.MaintenanceWindowResourceTypeInstance, MaxResults: aws.Int32(50),
			Targets: []types.Target{{Key: aws.String("InstanceIds"), Values: chunk}},
		}
		list := awsapi.Pages("find the maintenance windows of nodes", func(token *string) ([]types.MaintenanceWindowIdentityForTarget, *string, error) {
			in.NextToken = token
			out, err := s.api.DescribeMaintenanceWindowsForTarget(ctx, in)
			if err != nil {
				return nil, nil, err
			}
			return out.WindowIdentities, out.NextToken, nil
		}, func(w types.MaintenanceWindowIdentityForTarget) string { return aws.ToString(w.WindowId) })
		for id, err := range list {
			if err != nil {
				return nil, all, err
			}
			byID[id] = true
		}
	}
	if len(byID) == 0 {
		return nil, all, nil
	}
	for w, err := range s.windows(ctx) {
		if err != nil {
			return nil, all, err
		}
		if byID[w.ID] {
			windows = append(windows, w)
		}
	}
	slices.SortStableFunc(windows, func(a, b Window) int {
		if a.Next.IsZero() != b.Next.IsZero() {
			return cmp.Compare(b.Next.Unix(), a.Next.Unix())
		}
		return cmp.Or(a.Next.Compare(b.Next), strings.Compare(a.Name, b.Name))
	})
	return windows, all, nil
}

func (s *Schedules) windows(ctx context.Context) iter.Seq2[Window, error] {
	return awsapi.Pages("list maintenance windows", func(token *string) ([]types.MaintenanceWindowIdentity, *string, error) {
		out, err := s.api.DescribeMaintenanceWindows(ctx, &ssm.DescribeMaintenanceWindowsInput{MaxResults: aws.Int32(100), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.WindowIdentities, out.NextToken, nil
	}, func(w types.MaintenanceWindowIdentity) Window {
		return Window{ID: aws.ToString(w.WindowId), Name: aws.ToString(w.Name), Enabled: w.Enabled, Next: windowTime(aws.ToString(w.NextExecutionTime))}
	})
}

// windowTime reads the times of windows, which have seconds or not: "2026-03-29T02:00Z".
func windowTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// AtWork returns the ids of patch commands that are under way on some of the nodes,
// as far as those commands name nodes by their ids.
func (s *Schedules) AtWork(ctx context.Context, nodes []fleet.Node) ([]string, error) {
	ids := map[string]bool{}
	for _, n := range nodes {
		ids[n.ID] = true
	}
	list := awsapi.Pages("list commands", func(token *string) ([]types.Command, *string, error) {
		out, err := s.api.ListCommands(ctx, &ssm.ListCommandsInput{MaxResults: aws.Int32(50), NextToken: token, Filters: []types.CommandFilter{
			{Key: types.CommandFilterKeyDocumentName, Value: aws.String(Document)},
			{Key: types.CommandFilterKeyStatus, Value: aws.String(string(types.CommandStatusInProgress))},
		}})
		if err != nil {
			return nil, nil, err
		}
		return out.Commands, out.NextToken, nil
	}, func(c types.Command) types.Command { return c })
	var found []string
	for c, err := range list {
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(c.InstanceIds, func(id string) bool { return ids[id] }) {
			found = append(found, aws.ToString(c.CommandId))
		}
	}
	return found, nil
}

// Open returns a Refused fault unless all of the change calendars are open now.
func (s *Schedules) Open(ctx context.Context, calendars []string) error {
	if len(calendars) == 0 {
		return nil
	}
	out, err := s.api.GetCalendarState(ctx, &ssm.GetCalendarStateInput{CalendarNames: calendars})
	if err != nil {
		return awsapi.Explain("read the state of the change calendar", err)
	}
	if out.State == types.CalendarStateOpen {
		return nil
	}
	e := fault.New(fault.Refused, "", "the change calendar %s is %s", strings.Join(calendars, ", "), strings.ToLower(cmp.Or(string(out.State), "not known to be open")))
	if at := aws.ToString(out.NextTransitionTime); at != "" {
		return e.WithHint("it changes at %s", at)
	}
	return e.WithHint("wait until it opens, or leave out --calendar")
}
