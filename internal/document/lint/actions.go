package lint

import (
	"slices"
	"strings"
)

// action is what is known of an action: its inputs and where it runs.
type action struct {
	required  []string
	optional  []string
	open      bool     // takes any other input: those of an API, say
	platforms []string // nil: all
	// outputs are what later steps of a runbook may refer to, beside what the step
	// declares; nil: not known, nothing is checked.
	outputs []string
}

func words(s string) []string { return strings.Fields(s) }

// commandActions are the plugins of Command documents (User Guide, "Command
// document plugin reference").
var commandActions = map[string]action{
	"aws:runShellScript":      {required: words("runCommand"), optional: words("workingDirectory timeoutSeconds"), platforms: words("Linux MacOS")},
	"aws:runPowerShellScript": {required: words("runCommand"), optional: words("workingDirectory timeoutSeconds")},
	"aws:psModule":            {optional: words("runCommand source sourceHash workingDirectory timeoutSeconds id"), platforms: words("Windows")},
	"aws:downloadContent":     {required: words("sourceType sourceInfo"), optional: words("destinationPath")},
	"aws:runDocument":         {required: words("documentType documentPath"), optional: words("documentParameters")},
	"aws:configurePackage":    {required: words("name action"), optional: words("version installationType additionalArguments"), platforms: nil},
	"aws:applications":        {required: words("action source"), optional: words("parameters sourceHash"), platforms: words("Windows")},
	"aws:domainJoin": {
		required: words("directoryId directoryName dnsIpAddresses"), open: true,
		optional: words("directoryOU hostname keepHostName"), platforms: words("Linux Windows"),
	},
	"aws:cloudWatch":         {open: true, platforms: words("Windows")},
	"aws:configureDocker":    {required: words("action"), platforms: words("Windows")},
	"aws:runDockerAction":    {required: words("action"), optional: words("container image memory cpuShares volume cmd env user publish workingDirectory timeoutSeconds")},
	"aws:refreshAssociation": {optional: words("associationIds")},
	"aws:softwareInventory": {optional: words(`applications awsComponents billingInfo customInventory customInventoryDirectory files
		instanceDetailedInformation networkConfig services windowsRegistry windowsRoles windowsUpdates`)},
	"aws:updateAgent":    {required: words("agentName"), open: true, optional: words("allowDowngrade source targetVersion"), platforms: words("Windows")},
	"aws:updateSsmAgent": {required: words("agentName"), open: true, optional: words("allowDowngrade source targetVersion")},
}

// automationActions are the actions of runbooks (User Guide, "Systems Manager
// Automation actions reference").
var automationActions = map[string]action{
	"aws:approve": {
		required: words("Approvers"), optional: words("NotificationArn Message MinRequiredApprovals"),
		outputs: words("ApprovalStatus ApproversDecisions"),
	},
	"aws:assertAwsResourceProperty":  {required: words("Service Api PropertySelector DesiredValues"), open: true},
	"aws:waitForAwsResourceProperty": {required: words("Service Api PropertySelector DesiredValues"), open: true},
	"aws:executeAwsApi":              {required: words("Service Api"), open: true},
	"aws:branch":                     {required: words("Choices"), optional: words("Default"), outputs: []string{}},
	"aws:changeInstanceState": {
		required: words("InstanceIds DesiredState"), optional: words("CheckStateOnly Force AdditionalInfo"), outputs: words("InstanceStates"),
	},
	"aws:copyImage": {
		required: words("SourceRegion SourceImageId ImageName"), optional: words("ImageDescription Encrypted KmsKeyId ClientToken"),
		outputs: words("ImageId ImageState"),
	},
	"aws:createImage": {
		required: words("InstanceId ImageName"), optional: words("ImageDescription NoReboot BlockDeviceMappings"),
		outputs: words("ImageId ImageState"),
	},
	"aws:createStack": {
		required: words("StackName"),
		optional: words(`Capabilities ClientRequestToken DisableRollback NotificationARNs OnFailure Parameters ResourceTypes RoleARN StackPolicyBody
			StackPolicyURL Tags TemplateBody TemplateURL TimeoutInMinutes`),
		outputs: words("StackId StackStatus StackStatusReason"),
	},
	"aws:createTags":  {required: words("ResourceIds Tags"), optional: words("ResourceType"), outputs: []string{}},
	"aws:deleteImage": {required: words("ImageId"), outputs: []string{}},
	"aws:deleteStack": {required: words("StackName"), optional: words("ClientRequestToken RetainResources RoleARN"), outputs: []string{}},
	"aws:executeAutomation": {
		required: words("DocumentName"),
		optional: words("DocumentVersion RuntimeParameters MaxConcurrency MaxErrors TargetLocations TargetMaps TargetParameterName Targets Tags"),
		outputs:  words("ExecutionId Status Output"),
	},
	"aws:executeScript": {
		required: words("Runtime"), optional: words("Handler Script Attachment InputPayload"), outputs: words("OutputPayload"),
	},
	"aws:executeStateMachine": {
		required: words("stateMachineArn"), optional: words("input name"),
		outputs: words("executionArn input name output startDate stateMachineArn status stopDate"),
	},
	"aws:invokeLambdaFunction": {
		required: words("FunctionName"), optional: words("Qualifier InvocationType LogType ClientContext Payload InputPayload"),
		outputs: words("StatusCode FunctionError LogResult Payload"),
	},
	"aws:invokeWebhook": {required: words("IntegrationName"), optional: words("Body"), outputs: words("Response ResponseCode")},
	"aws:loop": {
		required: words("Steps"), optional: words("Iterators IteratorDataType LoopCondition MaxIterations"),
		outputs: words("CurrentIteratorValue CurrentIteration"),
	},
	"aws:pause": {outputs: []string{}},
	"aws:runCommand": {
		required: words("DocumentName"),
		optional: words(`InstanceIds Targets Parameters CloudWatchOutputConfig Comment DocumentHash DocumentHashType DocumentVersion MaxConcurrency
			MaxErrors NotificationConfig OutputS3BucketName OutputS3KeyPrefix ServiceRoleArn TimeoutSeconds`),
		outputs: words("CommandId Status ResponseCode Output OutputPayload"),
	},
	"aws:runInstances":   {required: words("ImageId"), open: true, outputs: words("InstanceIds InstanceStates")},
	"aws:sleep":          {optional: words("Duration Timestamp"), outputs: []string{}},
	"aws:updateVariable": {required: words("Name Value"), outputs: []string{}},
}

// knownAction reports an action that is not in the table: newer ones exist, so it
// is an Error only when it looks like a slip.
func (l *linter) knownAction(n *node, path, name string, table map[string]action) {
	if _, ok := table[name]; ok || name == "" || strings.Contains(name, "{{") {
		return
	}
	var all []string
	for known := range table {
		all = append(all, known)
	}
	slices.Sort(all)
	severity, hint := Warning, near(name, all)
	if hint != "" {
		severity = Error
	} else if !strings.HasPrefix(name, "aws:") {
		severity, hint = Error, "actions are called aws:something"
	}
	l.add(n, path, ruleAction, severity, hint, "the action %s is not known", name)
}

// inputs checks what an action is given. more are inputs that every action of the
// schema takes.
func (l *linter) inputs(n *node, path, name string, table map[string]action, more ...string) {
	a, ok := table[name]
	if !ok {
		return
	}
	for _, key := range a.required {
		if n.get(key) == nil {
			l.add(n, path, ruleMissingInput, Error, "", "%s needs the input %s", name, key)
		}
	}
	if a.open {
		return
	}
	legal := slices.Concat(a.required, a.optional, more)
	for _, m := range n.members {
		if slices.Contains(legal, m.key.text) {
			continue
		}
		severity, hint := Warning, near(m.key.text, legal)
		if hint != "" {
			severity = Error
		}
		l.add(m.key, join(path, m.key.text), ruleInput, severity, hint, "%s does not know the input %s", name, m.key.text)
	}
	l.inputValues(n, path, name)
}

// inputValues checks values that have few choices.
func (l *linter) inputValues(n *node, path, name string) {
	choices := map[string]map[string][]string{
		"aws:configurePackage":    {"action": {"Install", "Uninstall"}, "installationType": {"Uninstall and reinstall", "In-place update"}},
		"aws:applications":        {"action": {"Install", "Repair", "Uninstall"}},
		"aws:downloadContent":     {"sourceType": {"GitHub", "Git", "HTTP", "S3", "SSMDocument"}},
		"aws:runDocument":         {"documentType": {"LocalPath", "SSMDocument"}},
		"aws:changeInstanceState": {"DesiredState": {"running", "stopped", "terminated"}},
	}
	for key, legal := range choices[name] {
		v := n.get(key)
		if v.string() == "" || strings.Contains(v.text, "{{") || slices.Contains(legal, v.text) {
			continue
		}
		l.add(v, join(path, key), ruleValue, Error, near(v.text, legal), "%s of %s is %s, not %q", key, name, strings.Join(legal, ", "), v.text)
	}
	if name == "aws:runShellScript" || name == "aws:runPowerShellScript" {
		l.want(n.get("runCommand"), path+".runCommand", list, text)
	}
}
