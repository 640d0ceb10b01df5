package window

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}

func optionalInt(n int) *int32 {
	if n == 0 {
		return nil
	}
	return aws.Int32(int32(n)) //nolint:gosec // Check holds them far below
}

// Create makes a window with tags and returns its id. One that is not to be
// enabled is disabled in a second call, which the service wants it to be; an id
// with an error is a window that was made and could not be disabled.
func (s *Service) Create(ctx context.Context, w Window, tags map[string]string) (id string, err error) {
	in := &ssm.CreateMaintenanceWindowInput{
		Name: aws.String(w.Name), Description: optional(w.Description), Schedule: aws.String(w.Schedule), ScheduleTimezone: optional(w.Timezone),
		ScheduleOffset: optionalInt(w.Offset), StartDate: optional(w.Start), EndDate: optional(w.End),
		Duration: aws.Int32(int32(w.Duration)), Cutoff: int32(w.Cutoff), //nolint:gosec // Check holds them at 24
		AllowUnassociatedTargets: aws.ToBool(w.AllowUnassociated), ClientToken: aws.String(awsapi.Token()), Tags: sdkTags(tags),
	}
	out, err := awsapi.Again(ctx, func() (*ssm.CreateMaintenanceWindowOutput, error) { return s.api.CreateMaintenanceWindow(ctx, in) })
	if err != nil {
		return "", awsapi.Explain("create maintenance window "+w.Name, err)
	}
	id = aws.ToString(out.WindowId)
	if w.Enabled {
		return id, nil
	}
	_, err = s.api.UpdateMaintenanceWindow(ctx, &ssm.UpdateMaintenanceWindowInput{WindowId: aws.String(id), Enabled: aws.Bool(false)})
	return id, awsapi.Explain("disable maintenance window "+w.Name+", which was made and is enabled", err)
}

func sdkTags(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return list
}

// Update makes old, as Get returned it, into next. Only what differs is sent, so
// that a change that somebody else makes meanwhile to another field stays; the
// service can only empty a field by replacing the whole window, and then all of
// next is sent.
func (s *Service) Update(ctx context.Context, old, next Window) error {
	in := &ssm.UpdateMaintenanceWindowInput{WindowId: aws.String(old.ID)}
	changed := map[string]bool{}
	for _, d := range old.Differences(next) {
		changed[d.Field] = true
		if d.New == "" {
			in.Replace = aws.Bool(true)
		}
	}
	has := func(name string) bool { return changed[name] || in.Replace != nil }
	if has("name") {
		in.Name = aws.String(next.Name)
	}
	if has("description") {
		in.Description = optional(next.Description)
	}
	if has("enabled") {
		in.Enabled = aws.Bool(next.Enabled)
	}
	if has("schedule") {
		in.Schedule = aws.String(next.Schedule)
	}
	if has("timezone") {
		in.ScheduleTimezone = optional(next.Timezone)
	}
	if has("schedule_offset") {
		in.ScheduleOffset = optionalInt(next.Offset)
	}
	if has("start") {
		in.StartDate = optional(next.Start)
	}
	if has("end") {
		in.EndDate = optional(next.End)
	}
	if has("duration") || has("cutoff") { // one is checked against the other
		in.Duration, in.Cutoff = aws.Int32(int32(next.Duration)), aws.Int32(int32(next.Cutoff)) //nolint:gosec // Check holds them at 24
	}
	if has("allow_unassociated_targets") {
		in.AllowUnassociatedTargets = aws.Bool(aws.ToBool(next.AllowUnassociated))
	}
	_, err := s.api.UpdateMaintenanceWindow(ctx, in)
	return awsapi.Explain("update maintenance window "+old.Name, err)
}

// Delete deletes a window with its targets, tasks and the record of its
// executions.
func (s *Service) Delete(ctx context.Context, w Window) error {
	_, err := s.api.DeleteMaintenanceWindow(ctx, &ssm.DeleteMaintenanceWindowInput{WindowId: aws.String(w.ID)})
	return awsapi.Explain("delete maintenance window "+w.Name, err)
}

// AddTarget registers a target and returns its id.
func (s *Service) AddTarget(ctx context.Context, w Window, t Target) (id string, err error) {
	in := &ssm.RegisterTargetWithMaintenanceWindowInput{
		WindowId: aws.String(w.ID), ResourceType: types.MaintenanceWindowResourceType(t.ResourceType), Targets: sdkTargets(t.Selectors),
		Name: optional(t.Name), Description: optional(t.Description), OwnerInformation: optional(t.Owner), ClientToken: aws.String(awsapi.Token()),
	}
	out, err := awsapi.Again(ctx, func() (*ssm.RegisterTargetWithMaintenanceWindowOutput, error) {
		return s.api.RegisterTargetWithMaintenanceWindow(ctx, in)
	})
	if err != nil {
		return "", awsapi.Explain("add target "+t.label()+" to maintenance window "+w.Name, err)
	}
	return aws.ToString(out.WindowTargetId), nil
}

// UpdateTarget makes a target into next, which has its id. All of it is sent.
func (s *Service) UpdateTarget(ctx context.Context, w Window, next Target) error {
	_, err := s.api.UpdateMaintenanceWindowTarget(ctx, &ssm.UpdateMaintenanceWindowTargetInput{
		WindowId: aws.String(w.ID), WindowTargetId: aws.String(next.ID), Targets: sdkTargets(next.Selectors),
		Name: optional(next.Name), Description: optional(next.Description), OwnerInformation: optional(next.Owner), Replace: aws.Bool(true),
	})
	return awsapi.Explain("update target "+next.label()+" of maintenance window "+w.Name, err)
}

// RemoveTarget deregisters a target. One that a task names is refused by the
// service, unless force is set.
func (s *Service) RemoveTarget(ctx context.Context, w Window, t Target, force bool) error {
	_, err := s.api.DeregisterTargetFromMaintenanceWindow(ctx, &ssm.DeregisterTargetFromMaintenanceWindowInput{
		WindowId: aws.String(w.ID), WindowTargetId: aws.String(t.ID), Safe: aws.Bool(!force),
	})
	return awsapi.Explain("remove target "+t.label()+" from maintenance window "+w.Name, err)
}

// AddTask registers a task and returns its id.
func (s *Service) AddTask(ctx context.Context, w Window, t Task) (id string, err error) {
	t = t.normal()
	in := &ssm.RegisterTaskWithMaintenanceWindowInput{
		WindowId: aws.String(w.ID), TaskType: types.MaintenanceWindowTaskType(t.Type), TaskArn: aws.String(t.Run), Targets: sdkTargets(t.Selectors),
		Priority: aws.Int32(int32(t.Priority)), MaxConcurrency: optional(t.Concurrency), MaxErrors: optional(t.MaxErrors), //nolint:gosec // small
		ServiceRoleArn: optional(t.ServiceRole), Name: optional(t.Name), Description: optional(t.Description),
		CutoffBehavior: types.MaintenanceWindowTaskCutoffBehavior(t.Cutoff), AlarmConfiguration: t.alarms(), TaskInvocationParameters: t.invocation(),
		ClientToken: aws.String(awsapi.Token()),
	}
	out, err := awsapi.Again(ctx, func() (*ssm.RegisterTaskWithMaintenanceWindowOutput, error) {
		return s.api.RegisterTaskWithMaintenanceWindow(ctx, in)
	})
	if err != nil {
		return "", awsapi.Explain("add task "+t.label()+" to maintenance window "+w.Name, err)
	}
	return aws.ToString(out.WindowTaskId), nil
}

// UpdateTask makes a task, as Details returned it, into next. The service replaces
// what a task hands over as a whole, so all of next is sent.
func (s *Service) UpdateTask(ctx context.Context, w Window, old, next Task) error {
	next = next.normal()
	in := &ssm.UpdateMaintenanceWindowTaskInput{
		WindowId: aws.String(w.ID), WindowTaskId: aws.String(old.ID), TaskArn: aws.String(next.Run), Targets: sdkTargets(next.Selectors),
		Priority: aws.Int32(int32(next.Priority)), MaxConcurrency: optional(next.Concurrency), MaxErrors: optional(next.MaxErrors), //nolint:gosec // small
		ServiceRoleArn: optional(next.ServiceRole), Name: optional(next.Name), Description: optional(next.Description),
		CutoffBehavior: types.MaintenanceWindowTaskCutoffBehavior(next.Cutoff), AlarmConfiguration: next.alarms(), TaskInvocationParameters: next.invocation(),
	}
	if old.deprecated { // the service takes the old fields or the new ones, not both
		in.Replace = aws.Bool(true)
	}
	for _, d := range old.Differences(next, nil) {
		if d.New == "" {
			in.Replace = aws.Bool(true) // nothing else empties a field
		}
	}
	_, err := s.api.UpdateMaintenanceWindowTask(ctx, in)
	return awsapi.Explain("update task "+old.label()+" of maintenance window "+w.Name, err)
}

// RemoveTask deregisters a task.
func (s *Service) RemoveTask(ctx context.Context, w Window, t Task) error {
	_, err := s.api.DeregisterTaskFromMaintenanceWindow(ctx, &ssm.DeregisterTaskFromMaintenanceWindowInput{WindowId: aws.String(w.ID), WindowTaskId: aws.String(t.ID)})
	return awsapi.Explain("remove task "+t.label()+" from maintenance window "+w.Name, err)
}

func (t Task) alarms() *types.AlarmConfiguration {
	if len(t.Alarms) == 0 {
		return nil
	}
	a := &types.AlarmConfiguration{IgnorePollAlarmFailure: t.IgnoreAlarmFailure}
	for _, name := range t.Alarms {
		a.Alarms = append(a.Alarms, types.Alarm{Name: aws.String(name)})
	}
	return a
}

// invocation is what the task hands over.
func (t Task) invocation() *types.MaintenanceWindowTaskInvocationParameters {
	switch t.Type {
	case RunCommand:
		return &types.MaintenanceWindowTaskInvocationParameters{RunCommand: t.runCommand()}
	case Automation:
		return &types.MaintenanceWindowTaskInvocationParameters{Automation: &types.MaintenanceWindowAutomationParameters{
			DocumentVersion: optional(t.DocumentVersion), Parameters: t.parameters(),
		}}
	case Lambda:
		return &types.MaintenanceWindowTaskInvocationParameters{Lambda: &types.MaintenanceWindowLambdaParameters{
			Payload: t.Payload, ClientContext: optional(t.ClientContext), Qualifier: optional(t.Qualifier),
		}}
	case StepFunctions:
		return &types.MaintenanceWindowTaskInvocationParameters{StepFunctions: &types.MaintenanceWindowStepFunctionsParameters{
			Input: optional(t.Input), Name: optional(t.ExecutionName),
		}}
	}
	return nil
}

// parameters are nil when there are none: the API takes no empty map.
func (t Task) parameters() map[string][]string {
	if len(t.Parameters) == 0 {
		return nil
	}
	return t.Parameters
}

func (t Task) runCommand() *types.MaintenanceWindowRunCommandParameters {
	r := &types.MaintenanceWindowRunCommandParameters{
		Parameters: t.parameters(), DocumentVersion: optional(t.DocumentVersion), Comment: optional(t.Comment),
		TimeoutSeconds: optionalInt(int(t.Timeout / time.Second)), OutputS3BucketName: optional(t.OutputBucket), OutputS3KeyPrefix: optional(t.OutputPrefix),
		ServiceRoleArn: optional(t.CommandRole), DocumentHash: optional(t.DocumentHash), DocumentHashType: types.DocumentHashType(t.DocumentHashType),
	}
	if t.LogOutput || t.LogGroup != "" {
		r.CloudWatchOutputConfig = &types.CloudWatchOutputConfig{CloudWatchOutputEnabled: t.LogOutput, CloudWatchLogGroupName: optional(t.LogGroup)}
	}
	if t.NotificationARN != "" {
		n := &types.NotificationConfig{NotificationArn: aws.String(t.NotificationARN), NotificationType: types.NotificationType(t.NotificationType)}
		for _, e := range t.NotifyOn {
			n.NotificationEvents = append(n.NotificationEvents, types.NotificationEvent(e))
		}
		r.NotificationConfig = n
	}
	return r
}

// Tags reads the tags of a window.
func (s *Service) Tags(ctx context.Context, window string) (map[string]string, error) {
	out, err := s.api.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
		ResourceType: types.ResourceTypeForTaggingMaintenanceWindow, ResourceId: aws.String(window),
	})
	if err != nil {
		return nil, awsapi.Explain("list tags of maintenance window "+window, err)
	}
	tags := map[string]string{}
	for _, t := range out.TagList {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags, nil
}

// retag makes the tags of a window into next.
func (s *Service) retag(ctx context.Context, w Window, old, next map[string]string) error {
	op := "tag maintenance window " + w.Name
	var gone []string
	added := map[string]string{}
	for k, v := range next {
		if was, ok := old[k]; !ok || was != v {
			added[k] = v
		}
	}
	for k := range old {
		if _, ok := next[k]; !ok {
			gone = append(gone, k)
		}
	}
	if len(added) > 0 {
		_, err := s.api.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
			ResourceType: types.ResourceTypeForTaggingMaintenanceWindow, ResourceId: aws.String(w.ID), Tags: sdkTags(added),
		})
		if err != nil {
			return awsapi.Explain(op, err)
		}
	}
	if len(gone) > 0 {
		slices.Sort(gone)
		_, err := s.api.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
			ResourceType: types.ResourceTypeForTaggingMaintenanceWindow, ResourceId: aws.String(w.ID), TagKeys: gone,
		})
		return awsapi.Explain(op, err)
	}
	return nil
}

// ForTarget lists the ids and names of the windows that are for nodes or groups.
// The service knows the windows whose targets are written the same, or mean the
// same nodes. An error is the last element.
func (s *Service) ForTarget(ctx context.Context, resourceType string, list []Selector) ([]Window, error) {
	in := &ssm.DescribeMaintenanceWindowsForTargetInput{
		ResourceType: types.MaintenanceWindowResourceType(resourceType), Targets: sdkTargets(list), MaxResults: aws.Int32(50),
	}
	return collect(awsapi.Pages("list maintenance windows of a target", func(token *string) ([]types.MaintenanceWindowIdentityForTarget, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeMaintenanceWindowsForTarget(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.WindowIdentities, out.NextToken, nil
	}, func(w types.MaintenanceWindowIdentityForTarget) Window {
		return Window{ID: aws.ToString(w.WindowId), Name: aws.ToString(w.Name)}
	}))
}
