package run

import (
	"fmt"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// Event is one thing that happened in a run. Kind says which of the pointers is
// set; the JSON form is part of the contract of -o json.
//
// Every event but Logged carries the full present state of its subject, so a
// consumer that falls behind may keep only the newest event of each Key.
type Event struct {
	Kind      Kind      `json:"type"`
	Time      time.Time `json:"time"`
	RunID     string    `json:"run_id,omitempty"`
	CommandID string    `json:"command_id,omitempty"`

	Plan       *Plan       `json:"plan,omitempty"`
	Sent       *Sent       `json:"sent,omitempty"`
	Progress   *Progress   `json:"progress,omitempty"`
	Invocation *Invocation `json:"invocation,omitempty"`
	Output     *Output     `json:"output,omitempty"`
	Log        *Log        `json:"log,omitempty"`
	Notice     *Notice     `json:"notice,omitempty"`
}

// Kind is the kind of an Event.
type Kind string

// The kinds, in the order they appear. Planned, Progressed and Noticed may be
// missing; Done comes last, unless Start or Follow was interrupted or failed.
const (
	Planned    Kind = "planned"    // the nodes the run is for; nothing was sent yet
	WasSent    Kind = "sent"       // the service took a command: from here on it runs whatever happens to us
	Progressed Kind = "progress"   // the counters of a command changed
	Changed    Kind = "invocation" // a node's state changed
	Printed    Kind = "output"     // what a node that is done wrote
	Logged     Kind = "log"        // what a node wrote while it was at work, piece by piece
	Noticed    Kind = "notice"     // something about the following itself
	Done       Kind = "done"       // all commands have ended
)

// Key is equal for events of which only the newest matters.
func (e Event) Key() string {
	switch e.Kind {
	case Changed:
		return "invocation " + e.CommandID + " " + e.Invocation.NodeID
	case Printed:
		return "output " + e.CommandID + " " + e.Output.NodeID
	case Noticed:
		return "notice " + string(e.Notice.Kind)
	case Logged:
		return fmt.Sprintf("log %s %s %s %s %d", e.CommandID, e.Log.NodeID, e.Log.Step, e.Log.Stream, e.Log.Offset)
	case Planned, WasSent, Progressed, Done:
	}
	return string(e.Kind) + " " + e.CommandID
}

// Plan tells for which nodes a run is, before anything is sent.
type Plan struct {
	Nodes    []fleet.Node `json:"nodes"`
	Commands int          `json:"commands"` // how many SendCommand calls it takes
	Note     string       `json:"note,omitempty"`
}

// Sent tells of a command that the service took. It is emitted at once, so that
// a run can be taken up or cancelled whatever comes.
type Sent struct {
	Document string `json:"document"`
	Nodes    int    `json:"nodes"`  // ids sent; 0 when the service finds the nodes itself
	Number   int    `json:"number"` // of Of
	Of       int    `json:"of"`
}

// Progress is the service's own count over one command. It may be ahead of the
// invocations seen.
type Progress struct {
	State            State  `json:"state"`
	Detail           string `json:"detail,omitempty"`
	Targets          int    `json:"targets"`
	Completed        int    `json:"completed"`
	Errors           int    `json:"errors"` // failed or ran too long
	DeliveryTimedOut int    `json:"delivery_timed_out"`
}

// NoExit is the exit code of an invocation that has none (yet), as in the API.
const NoExit = -1

// Invocation is one command on one node.
type Invocation struct {
	CommandID string     `json:"command_id"`
	NodeID    string     `json:"node_id"`
	NodeName  string     `json:"node_name,omitempty"`
	State     State      `json:"state"`
	Detail    string     `json:"detail,omitempty"` // the service's word, such as ExecutionTimedOut
	Reason    string     `json:"reason,omitempty"` // what that means, when it needs saying
	ExitCode  int        `json:"exit_code"`        // NoExit when there is none
	Started   *time.Time `json:"started,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	Steps     []Step     `json:"steps,omitempty"` // of documents with more than one
}

// Step is one step (plugin) of a document on one node.
type Step struct {
	Name     string `json:"name"`
	State    State  `json:"state"`
	ExitCode int    `json:"exit_code"`
}

// Log is a piece of what a node writes, as CloudWatch Logs has it: whole lines, in
// order, each once.
type Log struct {
	NodeID string    `json:"node_id"`
	Step   string    `json:"step"`   // of the document, as log streams spell it
	Stream string    `json:"stream"` // stdout, stderr
	Time   time.Time `json:"time"`
	Offset int64     `json:"offset"` // bytes of the stream before this piece
	Text   string    `json:"text"`   // ends in a line feed
}

// Output is what a node that is done wrote. The service keeps the first 24,000
// characters of stdout and 8,000 of stderr; what is longer is read from S3 or
// CloudWatch Logs, up to 4 MiB of each, when the command put it there.
type Output struct {
	NodeID string `json:"node_id"`
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	// Truncated is set when there was more than the service keeps, or than was
	// fetched. More then says where the rest is, if anywhere.
	Truncated bool `json:"truncated"`
	// Preview is set when this is the 2,500 character form; Service.Output gets
	// the long one.
	Preview bool   `json:"preview,omitempty"`
	More    string `json:"more,omitempty"`
	// StdoutURL and StderrURL name the S3 objects with everything, if any.
	StdoutURL string `json:"stdout_url,omitempty"`
	StderrURL string `json:"stderr_url,omitempty"`
}

// NoticeKind tells notices apart.
type NoticeKind string

// The kinds of notices.
const (
	Throttled NoticeKind = "throttled"  // the service asked to slow down; we did
	Retrying  NoticeKind = "retrying"   // a call failed on the way and is repeated
	Unknown   NoticeKind = "unknown"    // a send went unanswered and is being looked for
	Held      NoticeKind = "held"       // the rest is not sent: error limit reached, or a send failed
	Shortened NoticeKind = "shortened"  // not every output was fetched in full
	Untold    NoticeKind = "not_known"  // the service says of a command, or of a node, what this program does not know
	Unsettled NoticeKind = "unsettled"  // a command ended, and some of its invocations did not
	Disagree  NoticeKind = "disagree"   // the counters of a command and its invocations tell different things
	OneByOne  NoticeKind = "one_by_one" // nodes are read one by one, because lists may not be read
	Unlive    NoticeKind = "unlive"     // output is not shown while it is written, or not all of it
)

// Notice is something to know about the following; none of them is a failure.
type Notice struct {
	Kind  NoticeKind    `json:"kind"`
	Text  string        `json:"text"`
	Count int           `json:"count,omitempty"` // how often so far, or of how many nodes
	Wait  time.Duration `json:"wait_ns,omitempty"`
}
