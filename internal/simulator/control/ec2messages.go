package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// messageOperations are those of message delivery, the older way to agents,
// which they still use when they start.
func messageOperations() map[string]operation {
	return map[string]operation{
		"GetMessages":        op("ec2messages", (*call).getMessages),
		"AcknowledgeMessage": op("ec2messages", (*call).acknowledgeMessage),
		"SendReply":          op("ec2messages", (*call).sendReply),
		"FailMessage":        op("ec2messages", (*call).failMessage),
		"DeleteMessage":      op("ec2messages", (*call).deleteMessage),
		"GetEndpoint":        op("ec2messages", (*call).getEndpoint),
	}
}

// pollWait is how long GetMessages waits for a message. Agents give up after
// 20 seconds.
const pollWait = 15 * time.Second

// messageDate is the form of dates in messages.
const messageDate = "2006-01-02T15:04:05.000Z"

type getMessagesIn struct {
	Destination                string `api:"required"`
	MessagesRequestID          string `json:"MessagesRequestId" api:"required"`
	VisibilityTimeoutInSeconds *int   `api:"range=0..43200"`
}

type agentMessage struct {
	CreatedDate   string
	Destination   string
	MessageID     string `json:"MessageId"`
	Payload       string
	PayloadDigest string
	Topic         string
}

type getMessagesOut struct {
	Destination       string
	Messages          []agentMessage
	MessagesRequestID string `json:"MessagesRequestId"`
}

func (c *call) getMessages(in *getMessagesIn) (any, error) {
	if err := c.self(in.Destination); err != nil {
		return nil, err
	}
	visibility := 10 * time.Second
	if in.VisibilityTimeoutInSeconds != nil {
		visibility = time.Duration(*in.VisibilityTimeoutInSeconds) * time.Second
	}
	ctx, cancel := context.WithTimeout(c.ctx, pollWait)
	defer cancel()
	out := getMessagesOut{in.Destination, []agentMessage{}, in.MessagesRequestID}
	if j, ok := c.world.NextMessage(ctx, in.Destination, visibility); ok {
		sum := sha256.Sum256([]byte(j.Content))
		out.Messages = append(out.Messages, agentMessage{
			CreatedDate: j.Created.UTC().Format(messageDate), Destination: in.Destination, MessageID: j.ID,
			Payload: j.Content, PayloadDigest: hex.EncodeToString(sum[:]), Topic: j.Topic,
		})
	}
	return out, nil
}

type messageIn struct {
	MessageID string `json:"MessageId" api:"required"`
}

// destination is the node a message is for: the caller's own, or, for a user
// with the rights of an instance profile, the instance that the id ends with.
func (c *call) destination(message string) string {
	if c.caller.Node != "" {
		return c.caller.Node
	}
	node := message[strings.LastIndex(message, ".")+1:]
	if c.self(node) != nil {
		return ""
	}
	return node
}

func noMessage(id string) error {
	return world.Errorf("InvalidMessageId", "Message %s does not exist.", id)
}

func (c *call) acknowledgeMessage(in *messageIn) (any, error) {
	if !c.world.JobAcknowledged(c.destination(in.MessageID), in.MessageID, "200", "") {
		return nil, noMessage(in.MessageID)
	}
	return struct{}{}, nil
}

type sendReplyIn struct {
	MessageID string `json:"MessageId" api:"required"`
	Payload   string `api:"required"`
	ReplyID   string `json:"ReplyId" api:"required"`
}

func (c *call) sendReply(in *sendReplyIn) (any, error) {
	if !c.world.JobReplied(c.destination(in.MessageID), in.MessageID, in.Payload) {
		return nil, noMessage(in.MessageID)
	}
	return struct{}{}, nil
}

type failMessageIn struct {
	MessageID   string `json:"MessageId" api:"required"`
	FailureType string `api:"required"`
}

func (c *call) failMessage(in *failMessageIn) (any, error) {
	if !c.world.JobAcknowledged(c.destination(in.MessageID), in.MessageID, in.FailureType, "") {
		return nil, noMessage(in.MessageID)
	}
	return struct{}{}, nil
}

// deleteMessage is called by an agent that updates itself, about a message that
// has ended.
func (c *call) deleteMessage(in *messageIn) (any, error) {
	if !c.world.JobAcknowledged(c.destination(in.MessageID), in.MessageID, "200", "") {
		return nil, noMessage(in.MessageID)
	}
	return struct{}{}, nil
}

type getEndpointIn struct {
	Destination string `api:"required"`
	Protocol    string
}

// getEndpoint answers as where the agent has come to.
func (c *call) getEndpoint(in *getEndpointIn) (any, error) {
	if err := c.self(in.Destination); err != nil {
		return nil, err
	}
	return map[string]any{"Endpoint": map[string]string{"Protocol": "https", "Endpoint": "ec2messages." + c.world.Region() + ".amazonaws.com"}}, nil
}
