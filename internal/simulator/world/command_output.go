package world

import (
	"bytes"
	"strings"
	"sync"
)

// maxKept bounds what one stream of one step keeps for S3 in bytes. Real agents
// keep it in a file without a bound.
const maxKept = 64 << 20

// outputSink is where one stream of one step goes besides what the API tells of
// it: an object of S3, written at the end, and a stream of CloudWatch Logs,
// written line by line. An agent that may write to neither goes on all the same.
type outputSink struct {
	w             *World
	bucket, key   string
	group, stream string

	mu   sync.Mutex
	all  []byte
	line []byte // not ended yet
}

// sinks returns where a step's stdout and stderr go; nil when they are kept
// nowhere. Keys and names are those of the agent (User Guide, "Run commands from
// the console" and "Configuring Amazon CloudWatch Logs for Run Command"):
// prefix/command/node/awsrunShellScript/0.awsrunShellScript/stdout, where the last
// folder of documents of schema 2 is the step, and command/node/step/stdout with -
// for the colon.
func (w *World) sinks(c *command, inv *invocation, s Step) (stdout, stderr *outputSink) {
	if c.S3Bucket == "" && c.LogGroup == "" {
		return nil, nil
	}
	sink := func(name string) *outputSink {
		o := &outputSink{w: w, bucket: c.S3Bucket, group: c.LogGroup}
		o.key = s3Folder(c, inv, s) + "/" + name
		o.stream = c.ID + "/" + inv.NodeID + "/" + strings.ReplaceAll(s.Name, ":", "-") + "/" + name
		if o.group != "" {
			w.makeLogGroup(o.group)
		}
		return o
	}
	return sink("stdout"), sink("stderr")
}

// s3Folder is the key of a step's objects without their last part.
func s3Folder(c *command, inv *invocation, s Step) string {
	id := s.Name
	if c.body.SchemaVersion == "1.2" {
		id = text(s.Inputs["id"])
		fill(&id, "0."+s.Action)
	}
	parts := []string{c.ID, inv.NodeID, strings.ReplaceAll(s.Action, ":", ""), strings.ReplaceAll(id, ":", "")}
	if prefix := strings.Trim(c.S3Prefix, "/"); prefix != "" {
		parts = append([]string{prefix}, parts...)
	}
	return strings.Join(parts, "/")
}

// Write takes output; a nil sink drops it. It never fails.
func (o *outputSink) Write(p []byte) (int, error) {
	if o == nil {
		return len(p), nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bucket != "" {
		o.all = append(o.all, p[:min(len(p), maxKept-len(o.all))]...)
	}
	if o.group != "" {
		o.line = append(o.line, p...)
		if i := bytes.LastIndexByte(o.line, '\n'); i >= 0 {
			o.event(string(o.line[:i+1]))
			o.line = append([]byte(nil), o.line[i+1:]...)
		}
	}
	return len(p), nil
}

func (o *outputSink) event(lines string) {
	for _, part := range eventParts(lines) {
		o.w.PutLogEvent(o.group, o.stream, part)
	}
}

// close uploads. A stream without output leaves no object, as with real agents.
func (o *outputSink) close() {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.line) > 0 {
		o.event(string(o.line))
		o.line = nil
	}
	if len(o.all) > 0 {
		o.w.PutObject(o.bucket, o.key, o.all)
	}
	o.all = nil
}

// url is where the service says that the object is, empty when there is no
// bucket.
func (o *outputSink) url() string {
	if o == nil || o.bucket == "" {
		return ""
	}
	region := o.w.sc.Region
	if b, ok := o.w.Bucket(o.bucket); ok {
		region = b.Region
	}
	return "https://s3." + region + ".amazonaws.com/" + o.bucket + "/" + o.key
}
