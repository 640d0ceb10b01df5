package run

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Request says what to run where. Exactly one of Script, Scripts, Argv and Again is
// set, or Document with Params alone.
type Request struct {
	Selection fleet.Selection

	// Document and its version; "" chooses AWS-RunShellScript or
	// AWS-RunPowerShellScript by the platform of each node.
	Document, DocumentVersion string

	Script string   // passed verbatim as the parameter commands
	Argv   []string // what followed --; see Quote
	Params map[string][]string

	// Scripts are script files: one, or one for Windows and one for all else.
	// ScriptArgs are their arguments.
	Scripts    []Script
	ScriptArgs []string

	// Again repeats what was run before; see Service.Again.
	Again []Repeat

	// Comment is the user's own; MaxComment characters at most. ssmdeck adds
	// the run's id to it.
	Comment string

	// Concurrency and MaxErrors are limits over the whole run, as "10" or
	// "10%"; "" is the service's default of 50 and 0.
	Concurrency, MaxErrors string

	Timeout     time.Duration // for a node to take the command: 0, or 30 s to 30 d
	ExecTimeout time.Duration // for the script to run: 0, or 1 s to 48 h

	S3Bucket, S3Prefix string // where the full output goes besides
	LogGroup           string // CloudWatch Logs group for the output
	WorkingDir         string

	// Live reports what nodes write while they are at work; it needs LogGroup.
	Live bool

	// NoWait makes Start return when everything is sent.
	NoWait bool

	// FailedOutputs says that outputs are wanted of nodes on which the command failed;
	// of the others the short form will do, which costs no call.
	FailedOutputs bool

	// RunID is the id that the run's commands carry, from NewRunID; "" makes one. Who
	// writes it down before Start finds with Find what was sent, whatever happens to
	// this program.
	RunID string
}

// Commands returns how many commands the request takes, and the error that Start
// would have before it sends anything.
func (r Request) Commands() (int, error) {
	if err := r.Validate(); err != nil {
		return 0, err
	}
	p, err := makePlan(r)
	return len(p.sends), err
}

// bucketPattern are the names S3 allows, dots included (S3 guide, "General purpose
// bucket naming rules").
var bucketPattern = pattern.Lazy(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// ParseS3 reads BUCKET, BUCKET/PREFIX or s3://BUCKET/PREFIX; "" is nowhere.
func ParseS3(s string) (bucket, prefix string, err error) {
	if s == "" {
		return "", "", nil
	}
	bucket, prefix, _ = strings.Cut(strings.TrimPrefix(s, "s3://"), "/")
	prefix = strings.Trim(prefix, "/")
	if !bucketPattern().MatchString(bucket) || len(prefix) > 500 {
		return "", "", fault.Usagef("%q is no place in S3", s).WithHint("write it as BUCKET or BUCKET/PREFIX")
	}
	return bucket, prefix, nil
}

// The parameters of the script documents that a Request fills by itself.
const (
	paramCommands   = "commands"
	paramTimeout    = "executionTimeout" // seconds
	paramWorkingDir = "workingDirectory"
)

// Provides names the document parameters the request fills from its other
// fields; pass them to document.ParseParams.
func (r Request) Provides() []string {
	var names []string
	if r.hasScript() {
		names = append(names, paramCommands)
	}
	if r.ExecTimeout != 0 {
		names = append(names, paramTimeout)
	}
	if r.WorkingDir != "" {
		names = append(names, paramWorkingDir)
	}
	return names
}

// Validate returns a Usage error for what the service would refuse, or what
// cannot be meant. It makes no call, and Start does it again.
func (r Request) Validate() error {
	if err := r.validateWhat(); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(r.Comment); n > MaxComment {
		return fault.Usagef("the comment has %d characters, and %d are possible besides the run's id", n, MaxComment)
	}
	if err := r.checkScripts(); err != nil {
		return err
	}
	if err := checkText("the comment", r.Comment); err != nil {
		return err
	}
	if r.RunID != "" && !IsRunID(r.RunID) {
		return fault.Usagef("%q is not the id of a run", r.RunID)
	}
	if _, err := ParseConcurrency(r.Concurrency); err != nil {
		return err
	}
	if _, err := ParseMaxErrors(r.MaxErrors); err != nil {
		return err
	}
	if r.S3Prefix != "" && r.S3Bucket == "" {
		return fault.Usagef("an S3 prefix needs a bucket")
	}
	if r.Timeout != 0 {
		if err := checkRange("timeout", r.Timeout, minDelivery, maxDelivery); err != nil {
			return err
		}
	}
	if r.ExecTimeout != 0 {
		return checkRange("exec-timeout", r.ExecTimeout, minExecution, maxExecution)
	}
	return nil
}

func (r Request) validateWhat() error {
	switch {
	case len(r.Again) > 0:
		if r.hasScript() || r.Document != "" || len(r.Params) > 0 {
			return fault.Usagef("what is run again is run as it was")
		}
		return nil
	case (r.Script != "" || len(r.Scripts) > 0) && len(r.Argv) > 0:
		return fault.Usagef("give a script or a command after --, not both")
	case !r.hasScript() && r.Document == "":
		return fault.Usagef("nothing to run").WithHint("put the command after --, or name a document with --document")
	case r.hasScript() && len(r.Scripts) == 0 && strings.TrimSpace(r.Script+strings.Join(r.Argv, " ")) == "":
		return fault.Usagef("the script is empty")
	}
	for _, name := range r.Provides() {
		if r.Params[name] != nil {
			return fault.Usagef("the parameter %s is given twice: with --param and by what it stands for", name)
		}
	}
	for _, arg := range slices.Concat([]string{r.Script}, r.Argv, r.ScriptArgs) {
		if err := checkText("the script", arg); err != nil {
			return err
		}
	}
	for _, s := range r.Scripts {
		if err := checkText("the script "+s.Name, s.Text); err != nil {
			return err
		}
	}
	return nil
}

// maxDocument is the service's limit for a document with its parameters: 64 KB
// (guide page "Systems Manager quotas"); scriptDocument is what of it AWS's own
// documents for scripts take, in JSON.
const (
	maxDocument    = 64 << 10
	scriptDocument = 1500
)

// fits refuses parameters that are too long with their document, as far as its
// length is known. They count as they are sent.
func (p plan) fits() error {
	for _, s := range p.sends {
		size := 0
		if s.document == document.ShellScript || s.document == document.PowerShellScript {
			size = scriptDocument
		}
		b, err := json.Marshal(s.params)
		if err != nil {
			return fmt.Errorf("encode parameters: %w", err) // texts always encode
		}
		if size += len(b); size > maxDocument {
			return fault.Usagef("the script has %d bytes with all that is sent along, and a document holds %d with its parameters", size, maxDocument).
				WithHint("put the script where the nodes can fetch it, and run it from there")
		}
	}
	return nil
}

func (r Request) hasScript() bool { return r.Script != "" || len(r.Scripts) > 0 || len(r.Argv) > 0 }

// params returns the document's parameters for these nodes of that platform.
func (r Request) params(platform string, nodes []fleet.Node) (map[string][]string, error) {
	p := maps.Clone(r.Params)
	if p == nil {
		p = make(map[string][]string)
	}
	switch {
	case r.Script != "" || len(r.Scripts) > 0:
		s := r.scriptFor(platform)
		if r.Document == "" {
			if err := s.check(platform, nodes); err != nil {
				return nil, err
			}
		}
		text, err := s.withArguments(r.ScriptArgs, platform)
		if err != nil {
			return nil, err
		}
		p[paramCommands] = []string{text}
	case len(r.Argv) > 0:
		p[paramCommands] = []string{Quote(r.Argv, platform)}
	}
	if r.ExecTimeout != 0 {
		p[paramTimeout] = []string{strconv.Itoa(seconds(r.ExecTimeout))}
	}
	if r.WorkingDir != "" {
		p[paramWorkingDir] = []string{r.WorkingDir}
	}
	return p, nil
}

// documentFor returns the document for nodes of that platform.
func (r Request) documentFor(platform string) string {
	switch {
	case r.Document != "":
		return r.Document
	case platform == windows:
		return document.PowerShellScript
	default:
		return document.ShellScript
	}
}

// platforms sorts the recipients into those that take the same document and the
// same quoting: linux with macOS, and windows; "" when neither depends on the
// platform. A node without a known platform is a Usage error when it decides.
func (r Request) platforms() (map[string][]fleet.Node, error) {
	nodes := recipients(r.Selection)
	if r.Document != "" && len(r.Argv) < 2 && len(r.ScriptArgs) == 0 && len(r.Scripts) < 2 {
		return map[string][]fleet.Node{"": nodes}, nil
	}
	switch r.Document { // these say themselves which shell it is, on any platform
	case document.ShellScript:
		return map[string][]fleet.Node{linux: nodes}, nil
	case document.PowerShellScript:
		return map[string][]fleet.Node{windows: nodes}, nil
	}
	otherwise := "" // for nodes of unknown platform
	if r.Document != "" {
		otherwise = linux
	}
	groups := make(map[string][]fleet.Node)
	var unknown []string
	for _, n := range nodes {
		platform := otherwise
		switch strings.ToLower(n.Platform) {
		case linux, macos:
			platform = linux
		case windows:
			platform = windows
		}
		if platform == "" {
			if n.Offline() {
				continue // it gets no command by id, and from a tag only what all get
			}
			unknown = append(unknown, n.ID)
		}
		groups[platform] = append(groups[platform], n)
	}
	if len(nodes) == 0 { // targets whose nodes were not looked up
		groups[otherwise] = nil
	}
	if _, ok := groups[""]; ok {
		return nil, unknownPlatform(unknown)
	}
	return groups, nil
}

func unknownPlatform(ids []string) error {
	what := "these targets"
	if len(ids) > 0 {
		what = strings.Join(ids[:min(len(ids), 5)], ", ")
	}
	return fault.Usagef("the platform of %s is not known, so neither is the document to use", what).
		WithHint("name it with --document %s or --document %s", document.ShellScript, document.PowerShellScript)
}
