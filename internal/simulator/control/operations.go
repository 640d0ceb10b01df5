package control

import "strings"

// operations is the table of what the simulator does, by X-Amz-Target.
func operations() map[string]operation {
	table := map[string]operation{}
	add := func(prefix string, ops map[string]operation) {
		for name, o := range ops {
			table[prefix+name] = o
		}
	}
	add("AmazonSSM.", map[string]operation{
		"DescribeInstanceInformation": op("ssm", (*call).describeInstanceInformation),
		"DescribeInstanceProperties":  op("ssm", (*call).describeInstanceProperties),
		"GetConnectionStatus":         op("ssm", (*call).getConnectionStatus),

		"StartSession":     op("ssm", (*call).startSession),
		"ResumeSession":    op("ssm", (*call).resumeSession),
		"TerminateSession": op("ssm", (*call).terminateSession),
		"DescribeSessions": op("ssm", (*call).describeSessions),

		"SendCommand":            op("ssm", (*call).sendCommand),
		"ListCommands":           op("ssm", (*call).listCommands),
		"ListCommandInvocations": op("ssm", (*call).listCommandInvocations),
		"GetCommandInvocation":   op("ssm", (*call).getCommandInvocation),
		"CancelCommand":          op("ssm", (*call).cancelCommand),

		"DescribeDocument":             op("ssm", (*call).describeDocument),
		"GetDocument":                  op("ssm", (*call).getDocument),
		"ListDocuments":                op("ssm", (*call).listDocuments),
		"CreateDocument":               op("ssm", (*call).createDocument),
		"UpdateDocument":               op("ssm", (*call).updateDocument),
		"DeleteDocument":               op("ssm", (*call).deleteDocument),
		"UpdateDocumentDefaultVersion": op("ssm", (*call).updateDocumentDefaultVersion),

		"PutParameter":        op("ssm", (*call).putParameter),
		"GetParameter":        op("ssm", (*call).getParameter),
		"GetParameters":       op("ssm", (*call).getParameters),
		"GetParametersByPath": op("ssm", (*call).getParametersByPath),
		"DescribeParameters":  op("ssm", (*call).describeParameters),
		"GetParameterHistory": op("ssm", (*call).getParameterHistory),
		"DeleteParameter":     op("ssm", (*call).deleteParameter),
		"DeleteParameters":    op("ssm", (*call).deleteParameters),

		"ListTagsForResource":    op("ssm", (*call).listTagsForResource),
		"AddTagsToResource":      op("ssm", (*call).addTagsToResource),
		"RemoveTagsFromResource": op("ssm", (*call).removeTagsFromResource),
		"GetServiceSetting":      op("ssm", (*call).getServiceSetting),

		"StartAccessRequest": op("ssm", (*call).startAccessRequest),
		"GetAccessToken":     op("ssm", (*call).getAccessToken),
		"DescribeOpsItems":   op("ssm", (*call).describeOpsItems),
	})
	add("AmazonSSM.", activationOperations())
	add("AmazonSSM.", agentOperations())
	add("EC2WindowsMessageDeliveryService.", messageOperations())
	add("TrentService.", map[string]operation{
		"GenerateDataKey": op("kms", (*call).generateDataKey),
		"Decrypt":         op("kms", (*call).decrypt),
	})
	add("AWSEC2InstanceConnectService.", map[string]operation{
		"SendSSHPublicKey": connectOp((*call).sendSSHPublicKey),
	})
	add("Logs_20140328.", map[string]operation{
		"GetLogEvents":       op("logs", (*call).getLogEvents),
		"DescribeLogStreams": op("logs", (*call).describeLogStreams),
		"DescribeLogGroups":  op("logs", (*call).describeLogGroups),
	})
	add("Logs_20140328.", filterLogsOperations())
	add(organizationsTarget+".", organizationsOperations())
	return table
}

// isSSMOperation reports whether Systems Manager has an operation of that name.
func isSSMOperation(name string) bool {
	for n := range strings.FieldsSeq(ssmOperations) {
		if n == name {
			return true
		}
	}
	return false
}

// ssmOperations are the operations of the public API model 2014-11-06.
const ssmOperations = `
AddTagsToResource AssociateOpsItemRelatedItem CancelCommand CancelMaintenanceWindowExecution
CreateActivation CreateAssociation CreateAssociationBatch CreateCloudConnector CreateDocument
CreateMaintenanceWindow CreateOpsItem CreateOpsMetadata CreatePatchBaseline CreateResourceDataSync
DeleteActivation DeleteAssociation DeleteCloudConnector DeleteDocument DeleteInventory
DeleteMaintenanceWindow DeleteOpsItem DeleteOpsMetadata DeleteParameter DeleteParameters
DeletePatchBaseline DeleteResourceDataSync DeleteResourcePolicy
DeregisterDefaultHostManagementConfiguration DeregisterManagedInstance
DeregisterPatchBaselineForPatchGroup DeregisterTargetFromMaintenanceWindow
DeregisterTaskFromMaintenanceWindow DescribeActivations DescribeAssociation
DescribeAssociationExecutionTargets DescribeAssociationExecutions DescribeAutomationExecutions
DescribeAutomationStepExecutions DescribeAvailablePatches DescribeDocument
DescribeDocumentPermission DescribeEffectiveInstanceAssociations
DescribeEffectivePatchesForPatchBaseline DescribeInstanceAssociationsStatus
DescribeInstanceInformation DescribeInstancePatchStates DescribeInstancePatchStatesForPatchGroup
DescribeInstancePatches DescribeInstanceProperties DescribeInventoryDeletions
DescribeMaintenanceWindowExecutionTaskInvocations DescribeMaintenanceWindowExecutionTasks
DescribeMaintenanceWindowExecutions DescribeMaintenanceWindowSchedule
DescribeMaintenanceWindowTargets DescribeMaintenanceWindowTasks DescribeMaintenanceWindows
DescribeMaintenanceWindowsForTarget DescribeOpsItems DescribeParameters DescribePatchBaselines
DescribePatchGroupState DescribePatchGroups DescribePatchProperties DescribeSessions
DisassociateOpsItemRelatedItem GetAccessToken GetAutomationExecution GetCalendarState
GetCloudConnector GetCommandInvocation GetConnectionStatus GetDefaultPatchBaseline
GetDeployablePatchSnapshotForInstance GetDocument GetExecutionPreview GetInventory
GetInventorySchema GetMaintenanceWindow GetMaintenanceWindowExecution
GetMaintenanceWindowExecutionTask GetMaintenanceWindowExecutionTaskInvocation
GetMaintenanceWindowTask GetOpsItem GetOpsMetadata GetOpsSummary GetParameter GetParameterHistory
GetParameters GetParametersByPath GetPatchBaseline GetPatchBaselineForPatchGroup GetResourcePolicies
GetServiceSetting LabelParameterVersion ListAssociationVersions ListAssociations ListCloudConnectors
ListCommandInvocations ListCommands ListComplianceItems ListComplianceSummaries
ListDocumentMetadataHistory ListDocumentVersions ListDocuments ListInventoryEntries ListNodes
ListNodesSummary ListOpsItemEvents ListOpsItemRelatedItems ListOpsMetadata
ListResourceComplianceSummaries ListResourceDataSync ListTagsForResource ModifyDocumentPermission
PutComplianceItems PutInventory PutParameter PutResourcePolicy
RegisterDefaultHostManagementConfiguration RegisterDefaultPatchBaseline
RegisterPatchBaselineForPatchGroup RegisterTargetWithMaintenanceWindow
RegisterTaskWithMaintenanceWindow RemoveTagsFromResource ResetServiceSetting ResumeSession
SendAutomationSignal SendCommand StartAccessRequest StartAssociationsOnce StartAutomationExecution
StartChangeRequestExecution StartExecutionPreview StartSession StopAutomationExecution
TerminateSession UnlabelParameterVersion UpdateAssociation UpdateAssociationStatus
UpdateCloudConnector UpdateDocument UpdateDocumentDefaultVersion UpdateDocumentMetadata
UpdateMaintenanceWindow UpdateMaintenanceWindowTarget UpdateMaintenanceWindowTask
UpdateManagedInstanceRole UpdateOpsItem UpdateOpsMetadata UpdatePatchBaseline UpdateResourceDataSync
UpdateServiceSetting ValidateCloudConnector
`
