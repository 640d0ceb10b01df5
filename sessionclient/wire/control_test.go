package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// unsorted are the cases of control_channel.json whose inner document lists
// Parameters in another order than the alphabetical one that our map is written
// in. JSON objects have no order and the agent reads them into a map too, so
// these are compared by value; all others byte by byte.
var unsorted = map[string]bool{
	"start session: port forwarding":                true,
	"start session: port forwarding to remote host": true,
}

func TestControlMessagesAgreeWithTheAgent(t *testing.T) {
	type vector struct {
		Name           string
		Direction      string
		PayloadJSON    string `json:"payloadJson"`
		WireHex        hexBytes
		MessageType    MessageType
		PayloadType    PayloadType
		SequenceNumber int64
		Flags          uint64
		MatchedOn      string
	}
	for _, v := range loadVector[vector](t, "control_channel.json") {
		t.Run(v.Name, func(t *testing.T) {
			kind := v.MessageType
			if v.WireHex != nil {
				m, err := Decode(v.WireHex)
				if err != nil || string(m.Payload) != v.PayloadJSON || m.Seq != 0 || m.Flags != 0 {
					t.Fatalf("decoded %+v, %v", m, err)
				}
				if got, _ := Append(nil, &m); !bytes.Equal(got, v.WireHex) {
					t.Errorf("encoded %x, want %x", got, v.WireHex)
				}
				kind = m.Type
			}
			if v.Name == "agent_job_ack payload (structure)" {
				kind = AgentJobAck
			}
			if v.PayloadType != 0 || v.SequenceNumber != 0 || v.Flags != 0 {
				t.Error("a control message with numbers")
			}
			compare := same
			if unsorted[v.Name] {
				compare = func(t *testing.T, what, got, want string) {
					t.Helper()
					sameValue(t, what, got, want)
					if got == want {
						t.Error("equal byte by byte: take the case off the list")
					}
				}
			}
			testControlPayload(t, kind, v.PayloadJSON, v.MatchedOn, compare)
		})
	}
}

// testControlPayload reads and writes a control payload and what is inside it.
// matched is the message id an acknowledgement is for, if any; inner compares the
// inner documents written by the service.
func testControlPayload(t *testing.T, kind MessageType, doc, matched string, inner func(t *testing.T, what, got, want string)) {
	t.Helper()
	switch kind {
	case InteractiveShell:
		task, text := reencode[SessionTask](t, doc)
		same(t, "payload", text, doc)
		content, text := reencode[SessionTaskContent](t, task.Content)
		inner(t, "content", text, task.Content)
		if content.SessionID == "" || content.DocumentName == "" || len(content.DocumentContent) == 0 {
			t.Errorf("read %+v", content)
		}
	case ChannelClosed:
		task, text := reencode[TerminateTask](t, doc)
		same(t, "payload", text, doc)
		if closed, _ := reencode[Closed](t, doc); closed.SessionID != task.SessionID || closed.SessionID == "" {
			t.Errorf("read as %+v and %+v", task, closed)
		}
	case AgentJob:
		job, text := reencode[Job](t, doc)
		same(t, "payload", text, doc)
		switch {
		case strings.HasPrefix(job.Topic, TopicSendCommand):
			c, text := reencode[SendCommand](t, job.Content)
			inner(t, "content", text, job.Content)
			if !strings.HasPrefix(job.JobID, "aws.ssm."+c.CommandID+".") {
				t.Errorf("job %s of command %s", job.JobID, c.CommandID)
			}
		case strings.HasPrefix(job.Topic, TopicCancelCommand):
			_, text := reencode[CancelCommand](t, job.Content)
			inner(t, "content", text, job.Content)
		}
	case AgentJobAck:
		ack, text := reencode[JobAck](t, doc)
		same(t, "payload", text, doc)
		same(t, "status", ack.StatusCode, JobAccepted)
	case AgentJobReply:
		reply, text := reencode[JobReply](t, doc)
		same(t, "payload", text, doc)
		_, text = reencode[CommandResult](t, reply.Content)
		same(t, "content", text, reply.Content)
	case AgentJobReplyAck:
		ack, text := reencode[JobReplyAck](t, doc)
		same(t, "payload", text, doc)
		if matched != "" {
			same(t, "acknowledged id", ack.AcknowledgedMessageID, matched)
		}
	case AgentTaskComplete:
		_, text := reencode[TaskComplete](t, doc)
		same(t, "payload", text, doc)
	case AgentTaskAcknowledge:
		ack, text := reencode[TaskAcknowledge](t, doc)
		same(t, "payload", text, doc)
		if matched != "" {
			same(t, "acknowledged id", ack.MessageID, matched)
		}
	default:
		t.Errorf("no test for %q", kind)
	}
}

func sameValue(t *testing.T, what, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s means\n%s, want\n%s", what, got, want)
	}
}

func TestRealAgentTranscriptIsUnderstood(t *testing.T) {
	type event struct {
		Kind         string
		Request      string
		Text         string
		Body         string
		ResponseBody string
		Fields       *fields
	}
	type vector struct{ Events []event }
	seen := map[MessageType]int{}
	for i, e := range loadVector[vector](t, "real_agent_transcript.json")[0].Events {
		switch {
		case e.Fields != nil:
			seen[e.Fields.MessageType]++
			testTranscriptPayload(t, e.Fields)
		case e.Kind == "control text":
			_, text := reencode[OpenControlChannel](t, e.Text)
			same(t, "opening text", text, e.Text)
		case e.Kind == "data text":
			_, text := reencode[OpenDataChannel](t, e.Text)
			same(t, "opening text", text, e.Text)
		case strings.HasPrefix(e.Request, "POST /v1/"):
			token, err := ParseChannelAnswer([]byte(e.ResponseBody))
			root := ControlChannelAnswer
			if strings.Contains(e.Request, "data-channel") {
				root = DataChannelAnswer
			}
			same(t, "answer", string(AppendChannelAnswer(nil, root, token)), e.ResponseBody)
			if err != nil {
				t.Errorf("event %d: %v", i, err)
			}
		}
	}
	for _, kind := range []MessageType{
		InteractiveShell, AgentSessionState, OutputStreamData, InputStreamData, Acknowledge, AgentJob, AgentJobAck,
		AgentJobReply, AgentJobReplyAck, ChannelClosed, AgentTaskComplete, AgentTaskAcknowledge,
	} {
		if seen[kind] == 0 {
			t.Errorf("no %s in the transcript", kind)
		}
	}
}

func testTranscriptPayload(t *testing.T, f *fields) {
	t.Helper()
	doc := f.PayloadText
	switch f.MessageType {
	case Acknowledge:
		a, err := ParseAck([]byte(doc))
		if err != nil {
			t.Error(err)
		}
		same(t, "acknowledge", string(AppendAck(nil, a)), doc)
	case AgentSessionState:
		_, text := reencode[SessionState](t, doc)
		same(t, "session state", text, doc)
	case InputStreamData, OutputStreamData:
		switch f.PayloadType {
		case PayloadHandshakeRequest:
			request, text := reencode[HandshakeRequest](t, doc)
			same(t, "request", text, doc)
			same(t, "typed request", string(Marshal(retype(t, request))), doc)
		case PayloadHandshakeResponse:
			_, text := reencode[HandshakeResponse](t, doc)
			same(t, "response", text, doc)
		case PayloadHandshakeComplete:
			_, text := reencode[HandshakeComplete](t, doc)
			same(t, "complete", text, doc)
		}
	default:
		// The server of that run wrote its inner documents with a map.
		testControlPayload(t, f.MessageType, doc, "", sameValue)
	}
}
