package control

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
		"UpdateDocumentDefaultVersion": op("ssm", (*call).updateDocumentDefaultVersion),

		"StartAccessRequest": op("ssm", (*call).startAccessRequest),
		"GetAccessToken":     op("ssm", (*call).getAccessToken),
	})
	add("AmazonSSM.", activationOperations())
	add("AmazonSSM.", agentOperations())
	add("EC2WindowsMessageDeliveryService.", messageOperations())
	add("AmazonSSM.", tagOperations())
	add("AmazonSSM.", documentOperations())
	add("AmazonSSM.", settingOperations())
	add("AmazonSSM.", automationOperations())
	add("AmazonSSM.", baselineOperations())
	add("AmazonSSM.", patchOperations())
	add("AmazonSSM.", windowOperations())
	add("AmazonSSM.", windowTaskOperations())
	add("AmazonSSM.", windowExecutionOperations())
	add("AmazonSSM.", associationOperations())
	add("AmazonSSM.", associationRunOperations())
	add("AmazonSSM.", opsItemOperations())
	add("AmazonSSM.", opsMetadataOperations())
	add("AmazonSSM.", inventoryOperations())
	add("AmazonSSM.", complianceOperations())
	add("AmazonSSM.", nodeSummaryOperations())
	add("AmazonSSM.", cloudConnectorOperations())
	add("AmazonSSM.", parameterOperations())
	add("AmazonSSM.", labelOperations())
	add("AmazonSSM.", calendarOperations())
	add("AmazonSSM.", resourcePolicyOperations())
	add("AmazonSSM.", dataSyncOperations())
	add("TrentService.", kmsOperations())
	add("AWSEC2InstanceConnectService.", map[string]operation{
		"SendSSHPublicKey": connectOp((*call).sendSSHPublicKey),
	})
	add("Logs_20140328.", map[string]operation{
		"GetLogEvents":       op("logs", (*call).getLogEvents),
		"DescribeLogStreams": op("logs", (*call).describeLogStreams),
		"DescribeLogGroups":  op("logs", (*call).describeLogGroups),
	})
	add("Logs_20140328.", filterLogsOperations())
	add(taggingTarget+".", taggingOperations())
	add(organizationsTarget+".", organizationsOperations())
	add(configTarget+".", configOperations())
	add(eventsTarget+".", eventOperations())
	add(secretsTarget+".", secretOperations())
	return table
}
