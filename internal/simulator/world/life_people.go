package world

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// colleagues are who else works in the account.
var colleagues = []string{"alice", "bob", "carol", "dmitri", "erin"}

func (l *life) arn(who string) string { return "arn:aws:iam::" + l.sc.Account + ":user/" + who }

// The documents that automations of a living account run.
const (
	rotateDocument = "Ops-RotateCredentials"
	drainDocument  = "Ops-DrainAndCheck"
)

var lifeDocuments = []NewDocument{
	{Name: rotateDocument, Type: "Automation", Format: "YAML", Content: `description: Rotate the credentials of a database, with an approval before they count
schemaVersion: "0.3"
parameters:
  database: {type: String, default: orders-prod}
mainSteps:
  - {name: snapshot, action: aws:executeAwsApi, inputs: {Service: rds, Api: CreateDBSnapshot}}
  - {name: waitForSnapshot, action: aws:sleep, inputs: {Duration: PT8S}}
  - {name: approve, action: aws:approve, inputs: {Approvers: ["arn:aws:iam::ACCOUNT:user/demo"], Message: Switch to the new credentials?}}
  - {name: switch, action: aws:sleep, inputs: {Duration: PT10S}}
  - {name: verify, action: aws:executeScript, inputs: {Runtime: python3.11, Handler: verify, Script: "def verify(events, context): return {}"}}
`},
	{Name: drainDocument, Type: "Automation", Format: "YAML", Content: `description: Take a group of nodes out of service for a moment and look at them
schemaVersion: "0.3"
mainSteps:
  - {name: drain, action: aws:sleep, inputs: {Duration: PT12S}}
  - name: check
    action: aws:runCommand
    inputs: {DocumentName: AWS-RunShellScript, Targets: [{Key: "tag:role", Values: [search]}], Parameters: {commands: [sleep 3, uptime]}, MaxErrors: "100%"}
  - {name: restore, action: aws:sleep, inputs: {Duration: PT15S}}
`},
}

// lifeWindow opens often enough to be seen.
var lifeWindow = WindowSpec{
	Name: "health-check", Schedule: "rate(5 minutes)", Duration: 1, Cutoff: ptr(0), Targets: map[string]string{"env": "staging"}, Owner: "platform",
	Tasks: []WindowTaskSpec{{
		Name: "disks", Type: taskRunCommand, Run: shellDocument, Priority: 1, MaxConcurrency: "5", MaxErrors: "100%", Cutoff: "CONTINUE_TASK",
		Parameters: map[string][]string{"commands": {"sleep 4", "df -h /"}},
	}, {
		Name: "scan", Type: taskRunCommand, Run: "AWS-RunPatchBaseline", Priority: 2, MaxConcurrency: "10", MaxErrors: "100%", Cutoff: "CONTINUE_TASK",
		Parameters: map[string][]string{"Operation": {"Scan"}},
	}},
}

// firstWindow is how long after the start the window opens.
const firstWindow = 40 * time.Second

// prepare makes what the account needs to live, and a past of sessions.
func (l *life) prepare() error {
	for _, d := range lifeDocuments {
		if _, err := l.Document(d.Name); err == nil {
			continue
		}
		d.Content = strings.ReplaceAll(d.Content, "ACCOUNT", l.sc.Account)
		if _, err := l.CreateDocument(d); err != nil {
			return fmt.Errorf("document %s: %w", d.Name, err)
		}
	}
	var window string
	first := l.now().Add(firstWindow).Truncate(time.Second)
	_ = l.Tables(func(t *Tables) error { // never fails
		window = l.seedWindow(t, lifeWindow)
		if r, ok := t.Get(KindWindow, window); ok {
			SetSchedule(r, first.Add(-5*time.Minute)) // rates count from there
			t.Put(KindWindow, window, r)
		}
		return nil
	})
	l.WindowChanged(window)
	r := l.random("past")
	for range 30 {
		l.pastSession(r)
	}
	return nil
}

// pastSession is a session of the last days.
func (l *life) pastSession(r *rand.Rand) {
	spec, ok := l.aSession(r)
	if !ok {
		return
	}
	l.AddSession(spec)
	began := l.now().Add(-between(r, 20*time.Minute, 70*time.Hour)).Truncate(time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sessions[spec.ID]
	s.Elsewhere, s.Status, s.Started = true, SessionTerminated, began
	s.Ended = began.Add(between(r, 20*time.Second, 18*time.Minute))
}

// aSession is one that a colleague could open; false when no node takes any.
func (l *life) aSession(r *rand.Rand) (SessionSpec, bool) {
	ids := l.some(r, 1, well)
	if len(ids) == 0 {
		return SessionSpec{}, false
	}
	who := pick(r, colleagues)
	reason := pick(r, []string{"", "", "OPS-1482", "incident 77", "look at the logs"})
	return SessionSpec{ID: NewSessionID(who), NodeID: ids[0], Owner: l.arn(who), DocumentName: PreferencesDocument, Reason: reason}, true
}

// mostSessions is how many sessions of colleagues are open at the same time.
const mostSessions = 7

func (l *life) openSession(r *rand.Rand) {
	spec, ok := l.aSession(r)
	if !ok || len(l.opened) >= mostSessions {
		return
	}
	l.AddSession(spec)
	l.mu.Lock()
	l.sessions[spec.ID].Elsewhere = true
	l.mu.Unlock()
	l.SessionStatus(spec.ID, SessionConnected, "")
	l.opened[spec.ID] = l.now()
	l.later("end of "+spec.ID, between(r, 25*time.Second, 3*time.Minute), func() {
		delete(l.opened, spec.ID)
		l.SessionStatus(spec.ID, SessionTerminated, "")
	})
}

// lifeCommands are what colleagues run. Some fail on some nodes, in ways that differ.
var lifeCommands = []CommandRequest{
	{
		Comment: "restart nginx", MaxConcurrency: "20%", MaxErrors: "100%", Targets: []Target{{Key: "tag:role", Values: []string{"web"}}},
		Parameters: map[string][]string{"commands": {"sleep 3", "systemctl restart nginx && systemctl is-active nginx"}},
	},
	{
		Comment: "deploy shop", MaxConcurrency: "10%", MaxErrors: "100%", Targets: []Target{{Key: "tag:team", Values: []string{"shop", "search"}}},
		Parameters: map[string][]string{"commands": {
			"sleep $((RANDOM % 4 + 2))",
			`case $(hostname) in *07|*17) echo "cannot reach the registry: timeout" >&2; exit 1;; *13|*02) echo "disk full: /var/lib/app" >&2; exit 28;; esac`,
			"echo deployed",
		}},
	},
	{
		Comment: "disk usage", MaxConcurrency: "25%", MaxErrors: "100%", Targets: []Target{{Key: "tag:env", Values: []string{"prod"}}},
		Parameters: map[string][]string{"commands": {"sleep 2", "df -h /"}},
	},
	{
		Comment: "rotate logs", MaxConcurrency: "8", MaxErrors: "5", Targets: []Target{{Key: "tag:env", Values: []string{"staging", "dev"}}},
		Parameters: map[string][]string{"commands": {"sleep 4", `[ "$(hostname | tail -c 2)" != 9 ] || { echo "logrotate: bad config" >&2; exit 2; }`, "echo rotated"}},
	},
}

// mostListed is how many nodes a command can list.
const mostListed = 50

const shellDocument = "AWS-RunShellScript"

// mostCommands is how many commands of colleagues run at the same time.
const mostCommands = 3

func (l *life) command(r *rand.Rand) {
	running := 0
	for _, c := range l.Commands() {
		if c.DocumentName == shellDocument && !final(c.Status) {
			running++
		}
	}
	if running >= mostCommands {
		return
	}
	req := lifeCommands[l.sent%len(lifeCommands)]
	l.sent++
	req.DocumentName = shellDocument
	aimed := l.Targeted(req.Targets)
	switch linux := func(n *Node) bool { return well(n) && n.Platform == "linux" }; {
	case len(aimed) == 0: // an account with other tags
		req.Targets, req.InstanceIDs = nil, l.some(r, 20, linux)
	case l.sent%2 == 0: // to those that are there; the others are by tags, whoever is there
		req.Targets, req.InstanceIDs = nil, l.some(r, mostListed, func(n *Node) bool { return linux(n) && slices.Contains(aimed, n.ID) })
	}
	_, _ = l.SendCommand(req) // an account may have no node at all
}

// startAutomation starts the automation that wants an approval and the one that does
// not in turn. The first is not started while one waits.
func (l *life) automate(r *rand.Rand) {
	name := []string{rotateDocument, drainDocument}[l.round["automations"]%2]
	if name == rotateDocument && slices.ContainsFunc(l.Automations(), func(a *Automation) bool {
		return a.DocumentName == name && !AutomationOver(a.Status)
	}) {
		name = drainDocument
	}
	_, _ = l.StartAutomation(AutomationRequest{DocumentName: name, ExecutedBy: l.arn(pick(r, colleagues))})
}

// patience is how long an automation waits before a colleague approves it.
const patience = 3 * time.Minute

// approve does what nobody has done for a while.
func (l *life) approve(r *rand.Rand) {
	now := l.now()
	for _, a := range l.Automations() {
		if a.DocumentName != rotateDocument || a.Status != statusWaiting {
			delete(l.asked, a.ID)
			continue
		}
		if since, ok := l.asked[a.ID]; !ok {
			l.asked[a.ID] = now
		} else if now.Sub(since) >= patience {
			_ = l.SignalAutomation(a.ID, "Approve", l.arn(pick(r, colleagues)), nil) // somebody may have been quicker
		}
	}
}

func (l *life) changeParameter(r *rand.Rand) {
	n := l.round["parameters"]
	p := NewParameter{Overwrite: true, Type: typeString, User: l.arn(pick(r, colleagues))}
	p.Name = "/deploy/" + pick(r, []string{"shop", "search", "pay"}) + "/version"
	p.Value = "2.4." + strconv.Itoa(n)
	_, _ = l.PutParameter(p) // the store may be full
}

// patchNodes scans, and every third time installs without a restart.
func (l *life) patchNodes(r *rand.Rand) {
	ids := l.some(r, 12, func(n *Node) bool { return well(n) && n.spec.generated })
	if len(ids) == 0 {
		ids = l.some(r, 3, well)
	}
	if len(ids) == 0 {
		return
	}
	req := CommandRequest{DocumentName: "AWS-RunPatchBaseline", Comment: "nightly scan", InstanceIDs: ids, MaxConcurrency: "4", MaxErrors: "100%", Parameters: map[string][]string{"Operation": {"Scan"}}}
	if l.round["patching"]%3 == 1 {
		req.Comment = "patch what is missing"
		req.Parameters = map[string][]string{"Operation": {"Install"}, "RebootOption": {pick(r, []string{"NoReboot", "RebootIfNeeded"})}}
	}
	_, _ = l.SendCommand(req)
}
