package control

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

type notificationConfig struct {
	NotificationArn    string   `json:"NotificationArn,omitempty"`
	NotificationEvents []string `json:"NotificationEvents,omitempty" api:"enum=All|InProgress|Success|TimedOut|Cancelled|Failed"`
	NotificationType   string   `json:"NotificationType,omitempty" api:"enum=Command|Invocation"`
}

type sendCommandIn struct {
	InstanceIDs []string `json:"InstanceIds" api:"items=0..50" pattern:"(^i-(\\w{8}|\\w{17})$)|(^mi-\\w{17}$)"`
	Targets     []struct {
		Key    string   `api:"len=1..163" pattern:"^[\\p{L}\\p{Z}\\p{N}_.:/=\\-@]*$|resource-groups:ResourceTypeFilters|resource-groups:Name"`
		Values []string `api:"items=0..50"`
	} `api:"items=0..5"`
	DocumentName       string `api:"required" pattern:"^[a-zA-Z0-9_\\-.:/]{3,128}$"`
	DocumentVersion    string `pattern:"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)"`
	DocumentHash       string `api:"len=0..256"`
	DocumentHashType   string `api:"enum=Sha256|Sha1"`
	TimeoutSeconds     *int   `api:"range=30..2592000"`
	Comment            string `api:"len=0..100"`
	Parameters         map[string][]string
	OutputS3Region     string `api:"len=3..20"`
	OutputS3BucketName string `api:"len=3..63"`
	OutputS3KeyPrefix  string `api:"len=0..500"`
	MaxConcurrency     string `api:"len=1..7" pattern:"^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$"`
	MaxErrors          string `api:"len=1..7" pattern:"^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$"`
	ServiceRoleArn     string
	NotificationConfig notificationConfig

	CloudWatchOutputConfig logsConfig
}

type commandItem struct {
	CommandID              string `json:"CommandId"`
	DocumentName           string
	DocumentVersion        string
	Comment                string
	ExpiresAfter           epoch
	Parameters             map[string][]string
	InstanceIDs            []string `json:"InstanceIds"`
	Targets                []world.Target
	RequestedDateTime      epoch
	Status                 string
	StatusDetails          string
	OutputS3BucketName     string
	OutputS3KeyPrefix      string
	MaxConcurrency         string
	MaxErrors              string
	TargetCount            int
	CompletedCount         int
	ErrorCount             int
	DeliveryTimedOutCount  int
	ServiceRole            string
	NotificationConfig     map[string]any
	CloudWatchOutputConfig logsConfig
	TimeoutSeconds         int
}

type logsConfig struct {
	CloudWatchLogGroupName  string `api:"len=1..512" pattern:"[\\.\\-_/#A-Za-z0-9]+"`
	CloudWatchOutputEnabled bool
}

func noNotification() map[string]any {
	return map[string]any{"NotificationArn": "", "NotificationEvents": []string{}, "NotificationType": ""}
}

func commandOf(c world.Command) commandItem {
	item := commandItem{
		CommandID: c.ID, DocumentName: c.DocumentName, DocumentVersion: c.DocumentVersion, Comment: c.Comment,
		ExpiresAfter: epoch{c.Expires}, Parameters: c.Parameters, InstanceIDs: c.InstanceIDs, Targets: c.Targets,
		RequestedDateTime: epoch{c.Requested}, Status: c.Status, StatusDetails: c.Details,
		MaxConcurrency: c.MaxConcurrency, MaxErrors: c.MaxErrors, TargetCount: c.Total, CompletedCount: c.Completed,
		ErrorCount: c.Errors, DeliveryTimedOutCount: c.Undelivered,
		OutputS3BucketName: c.S3Bucket, OutputS3KeyPrefix: c.S3Prefix,
		NotificationConfig: noNotification(), CloudWatchOutputConfig: logsConfig{c.LogGroup, c.LogGroup != ""},
		TimeoutSeconds: int(c.Timeout / time.Second),
	}
	if item.Parameters == nil {
		item.Parameters = map[string][]string{}
	}
	if item.InstanceIDs == nil {
		item.InstanceIDs = []string{}
	}
	if item.Targets == nil {
		item.Targets = []world.Target{}
	}
	return item
}

func (c *call) sendCommand(in *sendCommandIn) (any, error) {
	switch {
	case len(in.InstanceIDs) == 0 && len(in.Targets) == 0:
		return nil, invalid("You must specify either InstanceIds or Targets.")
	case len(in.InstanceIDs) > 0 && len(in.Targets) > 0:
		return nil, invalid("InstanceIds and Targets can't be specified together.")
	}
	req := world.CommandRequest{
		DocumentName: in.DocumentName, DocumentVersion: in.DocumentVersion, DocumentHash: in.DocumentHash,
		DocumentHashType: in.DocumentHashType, Comment: in.Comment, Parameters: in.Parameters, InstanceIDs: in.InstanceIDs,
		Timeout: time.Hour, MaxConcurrency: in.MaxConcurrency, MaxErrors: in.MaxErrors,
		S3Bucket: in.OutputS3BucketName, S3Prefix: in.OutputS3KeyPrefix,
	}
	if logs := in.CloudWatchOutputConfig; logs.CloudWatchOutputEnabled {
		// Without a name the agent makes one of the document's.
		req.LogGroup = cmp.Or(logs.CloudWatchLogGroupName, "/aws/ssm/"+in.DocumentName)
	}
	if in.TimeoutSeconds != nil {
		req.Timeout = time.Duration(*in.TimeoutSeconds) * time.Second
	}
	for _, t := range in.Targets {
		req.Targets = append(req.Targets, world.Target{Key: t.Key, Values: t.Values})
	}
	cmd, err := c.world.SendCommand(req)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Command": commandOf(cmd)}, nil
}

// commandFilters are the filters of the command lists.
type commandFilters []struct {
	Key   string `json:"key" api:"required,enum=InvokedAfter|InvokedBefore|Status|ExecutionStage|DocumentName"`
	Value string `json:"value" api:"required,len=1..128"`
}

// match applies the filters to a command or an invocation.
func (fs commandFilters) match(requested time.Time, status, details, document string) bool {
	for _, f := range fs {
		t, _ := time.Parse(time.RFC3339, f.Value)
		var ok bool
		switch f.Key {
		case "InvokedAfter":
			ok = !requested.Before(t)
		case "InvokedBefore":
			ok = requested.Before(t)
		case "Status":
			ok = status == f.Value || details == f.Value
		case "DocumentName":
			ok = document == f.Value
		case "ExecutionStage":
			running := status == "Pending" || status == "InProgress" || status == "Cancelling" || status == "Delayed"
			ok = running == (f.Value == "Executing")
		}
		if !ok {
			return false
		}
	}
	return true
}

func (fs commandFilters) check() error {
	for _, f := range fs {
		if _, err := time.Parse(time.RFC3339, f.Value); err != nil && strings.HasPrefix(f.Key, "Invoked") {
			return invalid(fmt.Sprintf("Filter %s: %s is not an ISO 8601 time such as 2018-08-29T00:00:00Z.", f.Key, f.Value))
		}
	}
	return nil
}

type listCommandsIn struct {
	CommandID  string `json:"CommandId" api:"len=36..36"`
	InstanceID string `json:"InstanceId" pattern:"(^i-(\\w{8}|\\w{17})$)|(^mi-\\w{17}$)"`
	MaxResults *int   `api:"range=1..50"`
	NextToken  string
	Filters    commandFilters `api:"items=1..5"`
}

func (c *call) listCommands(in *listCommandsIn) (any, error) {
	if err := in.Filters.check(); err != nil {
		return nil, err
	}
	on := map[string]bool{}
	if in.InstanceID != "" {
		for _, i := range c.world.Invocations("") {
			on[i.CommandID] = on[i.CommandID] || i.NodeID == in.InstanceID
		}
	}
	list := slices.DeleteFunc(c.world.Commands(), func(cmd world.Command) bool {
		return in.CommandID != "" && cmd.ID != in.CommandID || in.InstanceID != "" && !on[cmd.ID] ||
			!in.Filters.match(cmd.Requested, cmd.Status, cmd.Details, cmd.DocumentName)
	})
	list, token, err := page(c, "ListCommands", list, func(cmd world.Command) string { return cmd.ID }, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		Commands  []commandItem
		NextToken string `json:"NextToken,omitempty"`
	}{[]commandItem{}, token}
	for _, cmd := range list {
		out.Commands = append(out.Commands, commandOf(cmd))
	}
	return out, nil
}

type listCommandInvocationsIn struct {
	CommandID  string `json:"CommandId" api:"len=36..36"`
	InstanceID string `json:"InstanceId" pattern:"(^i-(\\w{8}|\\w{17})$)|(^mi-\\w{17}$)"`
	MaxResults *int   `api:"range=1..50"`
	NextToken  string
	Filters    commandFilters `api:"items=1..5"`
	Details    bool
}

type pluginItem struct {
	Name                   string
	Status                 string
	StatusDetails          string
	ResponseCode           int
	ResponseStartDateTime  epoch
	ResponseFinishDateTime epoch
	Output                 string
	StandardOutputURL      string `json:"StandardOutputUrl"`
	StandardErrorURL       string `json:"StandardErrorUrl"`
	OutputS3Region         string
	OutputS3BucketName     string
	OutputS3KeyPrefix      string
}

type invocationItem struct {
	CommandID              string `json:"CommandId"`
	InstanceID             string `json:"InstanceId"`
	InstanceName           string
	Comment                string
	DocumentName           string
	DocumentVersion        string
	RequestedDateTime      epoch
	Status                 string
	StatusDetails          string
	TraceOutput            string `json:"TraceOutput,omitempty"`
	StandardOutputURL      string `json:"StandardOutputUrl"`
	StandardErrorURL       string `json:"StandardErrorUrl"`
	CommandPlugins         []pluginItem
	ServiceRole            string
	NotificationConfig     map[string]any
	CloudWatchOutputConfig logsConfig
}

func (c *call) listCommandInvocations(in *listCommandInvocationsIn) (any, error) {
	if err := in.Filters.check(); err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(c.world.Invocations(in.CommandID), func(i world.Invocation) bool {
		return in.InstanceID != "" && i.NodeID != in.InstanceID || !in.Filters.match(i.Requested, i.Status, i.Details, i.DocumentName)
	})
	key := func(i world.Invocation) string { return i.CommandID + " " + i.NodeID }
	list, token, err := page(c, "ListCommandInvocations", list, key, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		CommandInvocations []invocationItem
		NextToken          string `json:"NextToken,omitempty"`
	}{[]invocationItem{}, token}
	for _, i := range list {
		out.CommandInvocations = append(out.CommandInvocations, c.invocationOf(i, in.Details))
	}
	return out, nil
}

func (c *call) invocationOf(i world.Invocation, details bool) invocationItem {
	item := invocationItem{
		CommandID: i.CommandID, InstanceID: i.NodeID, InstanceName: i.NodeName, Comment: i.Comment,
		DocumentName: i.DocumentName, DocumentVersion: i.DocumentVersion, RequestedDateTime: epoch{i.Requested},
		Status: i.Status, StatusDetails: i.Details, TraceOutput: i.Trace, CommandPlugins: []pluginItem{},
		NotificationConfig: noNotification(),
	}
	if !details {
		return item
	}
	for _, p := range i.Plugins {
		item.CommandPlugins = append(item.CommandPlugins, pluginItem{
			Name: p.Name, Status: p.Status, StatusDetails: p.Details, ResponseCode: p.Code,
			ResponseStartDateTime: epoch{p.Start}, ResponseFinishDateTime: epoch{p.Finish}, Output: p.Output(),
			StandardOutputURL: p.StdoutURL, StandardErrorURL: p.StderrURL, OutputS3Region: c.world.Region(),
		})
	}
	return item
}

type getCommandInvocationIn struct {
	CommandID  string `json:"CommandId" api:"required,len=36..36"`
	InstanceID string `json:"InstanceId" api:"required" pattern:"(^i-(\\w{8}|\\w{17})$)|(^mi-\\w{17}$)"`
	PluginName string `api:"len=4..500"`
}

type getCommandInvocationOut struct {
	CommandID              string `json:"CommandId"`
	InstanceID             string `json:"InstanceId"`
	Comment                string
	DocumentName           string
	DocumentVersion        string
	PluginName             string
	ResponseCode           int
	ExecutionStartDateTime string
	ExecutionElapsedTime   string
	ExecutionEndDateTime   string
	Status                 string
	StatusDetails          string
	StandardOutputContent  string
	StandardOutputURL      string `json:"StandardOutputUrl"`
	StandardErrorContent   string
	StandardErrorURL       string `json:"StandardErrorUrl"`
	CloudWatchOutputConfig logsConfig
}

func (c *call) getCommandInvocation(in *getCommandInvocationIn) (any, error) {
	inv, ok := c.world.Invocation(in.CommandID, in.InstanceID)
	if !ok {
		return nil, world.Errorf("InvocationDoesNotExist", "")
	}
	names := c.world.StepNames(in.CommandID)
	name := in.PluginName
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	if name != "" && !slices.Contains(names, name) {
		return nil, world.Errorf("InvalidPluginName", "The plugin name isn't valid.")
	}
	out := getCommandInvocationOut{
		CommandID: inv.CommandID, InstanceID: inv.NodeID, Comment: inv.Comment, DocumentName: inv.DocumentName,
		DocumentVersion: inv.DocumentVersion, PluginName: name, ResponseCode: -1,
		Status: inv.Status, StatusDetails: inv.Details,
	}
	out.fill(inv.Plugins, len(names))
	return out, nil
}

// fill adds what the step did once it has ended.
func (o *getCommandInvocationOut) fill(done []world.PluginResult, steps int) {
	i := slices.IndexFunc(done, func(p world.PluginResult) bool { return p.Name == o.PluginName })
	if i < 0 {
		return
	}
	p := done[i]
	const format = "2006-01-02T15:04:05.000Z"
	o.ResponseCode = p.Code
	o.ExecutionStartDateTime = p.Start.UTC().Format(format)
	o.ExecutionEndDateTime = p.Finish.UTC().Format(format)
	o.ExecutionElapsedTime = "PT" + strconv.FormatFloat(p.Finish.Sub(p.Start).Round(time.Millisecond).Seconds(), 'f', -1, 64) + "S"
	o.StandardOutputContent, o.StandardErrorContent = p.Stdout, p.Stderr
	o.StandardOutputURL, o.StandardErrorURL = p.StdoutURL, p.StderrURL
	if steps > 1 {
		o.Status, o.StatusDetails = p.Status, p.Details
	}
}

type cancelCommandIn struct {
	CommandID   string   `json:"CommandId" api:"required,len=36..36"`
	InstanceIDs []string `json:"InstanceIds" api:"items=0..50" pattern:"(^i-(\\w{8}|\\w{17})$)|(^mi-\\w{17}$)"`
}

func (c *call) cancelCommand(in *cancelCommandIn) (any, error) {
	return struct{}{}, c.world.CancelCommand(in.CommandID, in.InstanceIDs)
}
