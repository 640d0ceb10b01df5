package wire

import "encoding/json"

// The control channel: one per agent, opened by it, over which the service
// starts and ends sessions and sends commands. Messages have the layout of the
// data channel; none is numbered. The field order of what an agent sends is the
// agent's own.

// SessionTask is the payload of interactive_shell, service to agent: start a
// session. Content is a SessionTaskContent in JSON. The agent does not answer it;
// it opens the data channel.
type SessionTask struct {
	Content       string
	TaskID        string `json:"TaskId"` // the session id
	Topic         string // interactive_shell
	SchemaVersion int
}

// SessionTaskContent is what a SessionTask is about. The agent fills Parameters,
// and the defaults of the document, into the document's properties.
type SessionTaskContent struct {
	DocumentName    string
	DocumentContent json.RawMessage // the whole session document, schema 1.0
	SessionID       string          `json:"SessionId"`
	Parameters      map[string]string
	RunAsUser       string
	SessionOwner    string
}

// TerminateTask is the payload of channel_closed on the control channel, service
// to agent: end a session. (On the data channel it is Closed.)
type TerminateTask struct {
	MessageType   MessageType // channel_closed
	MessageID     string      `json:"MessageId"`
	DestinationID string      `json:"DestinationId"`
	SessionID     string      `json:"SessionId"`
	SchemaVersion int
	CreatedDate   string
}

// TaskComplete is the payload of agent_task_complete: a session has ended.
// Output is what the client is told in Closed. The agent repeats it up to three
// times, a second apart, until a TaskAcknowledge comes.
type TaskComplete struct {
	SchemaVersion    int
	TaskID           string `json:"TaskId"`
	Topic            string // agent_task_complete
	FinalTaskStatus  string // Success, Failed, ...
	IsRoutingFailure bool
	AWSAccountID     string `json:"AwsAccountId"`
	InstanceID       string `json:"InstanceId"`
	Output           string
	S3Bucket         string
	S3URLSuffix      string `json:"S3UrlSuffix"`
	CwlGroup         string
	CwlStream        string
	RetryNumber      int
}

// TaskAcknowledge is the payload of agent_task_acknowledge, service to agent.
type TaskAcknowledge struct {
	SchemaVersion int
	MessageID     string `json:"MessageId"` // of the agent_task_complete message
	TaskID        string `json:"TaskId"`
	Topic         string // agent_task_complete
}

// Topics of Job start with one of these; what follows is the service's business.
const (
	TopicSendCommand   = "aws.ssm.sendCommand"
	TopicCancelCommand = "aws.ssm.cancelCommand"
)

// Job is the payload of agent_job, service to agent: run or cancel a command.
// Content is a SendCommand or a CancelCommand in JSON, as Topic says.
type Job struct {
	Content       string
	JobID         string `json:"JobId"` // aws.ssm.<command id>.<instance id>
	Topic         string
	SchemaVersion int
}

// SendCommand is the content of a Job that runs a command.
type SendCommand struct {
	Parameters              json.RawMessage // name to text or list of texts
	DocumentContent         json.RawMessage // the whole command document
	CommandID               string          `json:"CommandId"`
	DocumentName            string
	OutputS3KeyPrefix       string
	OutputS3BucketName      string
	CloudWatchLogGroupName  string
	CloudWatchOutputEnabled string // "true" or "false", as text
}

// CancelCommand is the content of a Job that cancels another one.
type CancelCommand struct {
	CancelMessageID string `json:"CancelMessageId"` // the other's JobID
}

// JobAccepted is the JobAck.StatusCode of success; all others are refusals.
const JobAccepted = "200"

// JobAck is the payload of agent_job_ack: the agent has taken or refused a job.
type JobAck struct {
	JobID                 string `json:"jobId"`
	AcknowledgedMessageID string `json:"acknowledgedMessageId"` // of the agent_job message
	CreatedDate           string `json:"createdDate"`
	StatusCode            string `json:"statusCode"`
	ErrorMessage          string `json:"errorMessage"`
}

// JobReply is the payload of agent_job_reply: news of a command. Content is a
// CommandResult in JSON. Each wants a JobReplyAck; without one it is stored and
// sent again. The reply with the final status may overtake that of a step, so a
// final status is never taken back.
type JobReply struct {
	SchemaVersion int    `json:"schemaVersion"`
	JobID         string `json:"jobId"`
	Content       string `json:"content"`
	Topic         string `json:"topic"` // TopicSendCommand or TopicCancelCommand, nothing after it
}

// JobReplyAck is the payload of agent_job_reply_ack, service to agent.
type JobReplyAck struct {
	JobID                 string `json:"jobId"`
	AcknowledgedMessageID string `json:"acknowledgedMessageId"` // of the agent_job_reply message
}

// CommandResult is the content of a JobReply. RuntimeStatus has an entry per
// finished step, by the step's name, and is null at the start.
type CommandResult struct {
	AdditionalInfo      CommandInfo           `json:"additionalInfo"`
	DocumentStatus      string                `json:"documentStatus"` // InProgress, Success, Failed, Cancelled, ...
	DocumentTraceOutput string                `json:"documentTraceOutput"`
	RuntimeStatus       map[string]StepResult `json:"runtimeStatus"`
}

// CommandInfo is the part of a CommandResult about the agent and the run.
type CommandInfo struct {
	Agent struct {
		Lang    string `json:"lang"`
		Name    string `json:"name"`
		OS      string `json:"os"`
		OSVer   string `json:"osver"`
		Version string `json:"ver"`
	} `json:"agent"`
	DateTime            string         `json:"dateTime"`
	RunID               string         `json:"runId"`
	RuntimeStatusCounts map[string]int `json:"runtimeStatusCounts"`
}

// StepResult is how one step of a command document went. Code is its exit code;
// Output is standard output, followed by standard error and the failure in words
// if there was one.
type StepResult struct {
	Status             string `json:"status"`
	Code               int    `json:"code"`
	Name               string `json:"name"` // of the plugin: aws:runShellScript
	Output             string `json:"output"`
	StartDateTime      string `json:"startDateTime"`
	EndDateTime        string `json:"endDateTime"`
	OutputS3BucketName string `json:"outputS3BucketName"`
	OutputS3KeyPrefix  string `json:"outputS3KeyPrefix"`
	StepName           string `json:"stepName"`
	StandardOutput     string `json:"standardOutput"`
	StandardError      string `json:"standardError"`
}
