package control

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

type startSessionIn struct {
	Target       string              `api:"required,len=1..400"`
	DocumentName string              `pattern:"^[a-zA-Z0-9_\\-.:/]{3,128}$"`
	Reason       string              `api:"len=1..256" pattern:"^.{1,256}$"`
	Parameters   map[string][]string `api:"len=1..65535"`
}

type sessionOut struct {
	SessionID  string `json:"SessionId"`
	TokenValue string
	StreamURL  string `json:"StreamUrl"`
}

func (c *call) startSession(in *startSessionIn) (any, error) {
	name := in.DocumentName
	if name == "" {
		name = world.PreferencesDocument
	}
	if !c.world.Connected(in.Target) {
		return nil, world.Errorf("TargetNotConnected", "%s is not connected.", in.Target)
	}
	if err := c.mayStart(in.Target); err != nil {
		return nil, err
	}
	spec, err := c.sessionSpec(name, in)
	if err != nil {
		return nil, err
	}
	c.world.AddSession(spec)
	token, url, err := c.sessions.Open(c.ctx, spec)
	if err != nil {
		c.world.SessionStatus(spec.ID, world.SessionFailed, err.Error())
		return nil, err
	}
	return sessionOut{spec.ID, token, url}, nil
}

// mayStart holds a caller against what access requests allow.
func (c *call) mayStart(node string) error {
	if id := c.caller.AccessRequest; id != "" {
		r, err := c.world.AccessRequest(id)
		if err == nil && r.Status == world.AccessApproved && slices.Contains(c.caller.Nodes, node) {
			return nil
		}
	} else if !c.world.NeedsAccess(node) {
		return nil
	}
	return world.Errorf("AccessDeniedException", "User: %s is not authorized to perform: ssm:StartSession on resource: %s because no identity-based policy allows the ssm:StartSession action",
		c.caller.ARN, "arn:aws:ec2:"+c.world.Region()+":"+c.world.Account()+":instance/"+node)
}

// sessionSpec puts the document, the caller's parameters and the region's
// preferences together.
func (c *call) sessionSpec(name string, in *startSessionIn) (world.SessionSpec, error) {
	var spec world.SessionSpec
	doc, err := c.world.Document(name)
	if err != nil {
		return spec, err
	}
	if doc.Type != "Session" {
		return spec, world.Errorf("InvalidDocument", "Document type %s is not supported in StartSession.", doc.Type)
	}
	v, err := doc.Version("")
	if err != nil {
		return spec, err
	}
	args, err := v.Body.Arguments(in.Parameters)
	if err != nil {
		return spec, err
	}
	props, err := v.Body.SessionProperties(args)
	if err != nil {
		return spec, err
	}
	spec = world.SessionSpec{
		ID: world.NewSessionID(c.caller.Name), NodeID: in.Target, Owner: c.caller.ARN, DocumentName: doc.Name,
		SessionType: v.Body.SessionType, Properties: props, Parameters: args, Reason: in.Reason,
	}
	inputs, err := v.Body.SessionInputs(args)
	if err != nil {
		return spec, err
	}
	c.prefer(&spec, inputs)
	return spec, nil
}

// prefer applies the settings of the document, or of the region's preferences
// when the document has none.
func (c *call) prefer(spec *world.SessionSpec, own *world.SessionInputs) {
	inputs := own
	if inputs == nil {
		inputs = &world.SessionInputs{}
		if prefs, err := c.world.Document(world.PreferencesDocument); err == nil {
			if v, err := prefs.Version(""); err == nil && v.Body.Inputs != nil {
				inputs = v.Body.Inputs
			}
		}
	}
	spec.IdleTimeout = inputs.IdleTimeout.Minutes(20)
	spec.MaxDuration = inputs.MaxDuration.Minutes(0)
	if inputs.RunAsEnabled {
		spec.RunAs, spec.RunAsUser = true, inputs.RunAsDefaultUser
	}
	node, _ := c.world.NodeInfo(spec.NodeID)
	spec.ShellProfile = inputs.ShellProfile.Linux
	if node.Platform == "windows" {
		spec.ShellProfile = inputs.ShellProfile.Windows
	}
	if spec.SessionType == "Port" { // neither encrypted nor logged
		return
	}
	spec.Logging = inputs.Logging
	if inputs.KMSKeyID == "" {
		return
	}
	spec.KMSKeyID = inputs.KMSKeyID
	if k, err := c.world.Key(inputs.KMSKeyID); err == nil {
		spec.KMSKeyID = k.ARN
	}
}

type sessionIDIn struct {
	SessionID string `json:"SessionId" api:"required,len=1..96"`
}

func (c *call) resumeSession(in *sessionIDIn) (any, error) {
	token, url, err := c.sessions.Resume(in.SessionID)
	if errors.Is(err, world.ErrNoSession) {
		return nil, world.Errorf("DoesNotExistException", "Session %s does not exist or has ended.", in.SessionID)
	}
	if err != nil {
		return nil, err
	}
	return sessionOut{in.SessionID, token, url}, nil
}

func (c *call) terminateSession(in *sessionIDIn) (any, error) {
	if err := c.sessions.Terminate(in.SessionID); err != nil {
		return nil, err
	}
	if s, ok := c.world.Session(in.SessionID); ok && s.Elsewhere {
		c.world.SessionStatus(s.ID, world.SessionTerminated, "")
	}
	c.refreshSessions()
	return map[string]string{"SessionId": in.SessionID}, nil
}

// refreshSessions takes over what the gateway knows about the sessions.
func (c *call) refreshSessions() {
	for _, s := range c.world.Sessions(false) {
		if s.Elsewhere {
			continue
		}
		status, ok := c.sessions.Status(s.ID)
		if !ok {
			status = world.SessionTerminated
		}
		c.world.SessionStatus(s.ID, status, "")
	}
}

type describeSessionsIn struct {
	State      string `api:"required,enum=Active|History"`
	MaxResults *int   `api:"range=1..200"`
	NextToken  string
	Filters    []struct {
		Key   string `json:"key" api:"required,enum=InvokedAfter|InvokedBefore|Target|Owner|Status|SessionId|AccessType"`
		Value string `json:"value" api:"required,len=1..400"`
	} `api:"items=1..6"`
}

type sessionItem struct {
	SessionID          string `json:"SessionId"`
	Target             string
	Status             string
	StartDate          epoch
	EndDate            epoch `json:"EndDate,omitzero"`
	DocumentName       string
	Owner              string
	Reason             string            `json:"Reason,omitempty"`
	Details            string            `json:"Details,omitempty"`
	OutputURL          map[string]string `json:"OutputUrl"`
	MaxSessionDuration string            `json:"MaxSessionDuration,omitempty"`
	AccessType         string
}

type describeSessionsOut struct {
	Sessions  []sessionItem
	NextToken string `json:"NextToken,omitempty"`
}

func (c *call) describeSessions(in *describeSessionsIn) (any, error) {
	c.refreshSessions()
	var keep []func(world.Session) bool
	for _, f := range in.Filters {
		k, err := sessionFilter(f.Key, f.Value)
		if err != nil {
			return nil, err
		}
		keep = append(keep, k)
	}
	list := slices.DeleteFunc(c.world.Sessions(in.State == "History"), func(s world.Session) bool {
		return slices.ContainsFunc(keep, func(k func(world.Session) bool) bool { return !k(s) })
	})
	list, token, err := page(c, "DescribeSessions", list, func(s world.Session) string { return s.ID }, in.NextToken, in.MaxResults, 200)
	if err != nil {
		return nil, err
	}
	out := describeSessionsOut{Sessions: []sessionItem{}, NextToken: token}
	for _, s := range list {
		item := sessionItem{
			SessionID: s.ID, Target: s.Target, Status: s.Status, StartDate: epoch{s.Started}, EndDate: epoch{s.Ended},
			DocumentName: s.DocumentName, Owner: s.Owner, Reason: s.Reason, Details: s.Details,
			OutputURL: map[string]string{}, AccessType: "Standard",
		}
		if s.MaxDuration > 0 {
			item.MaxSessionDuration = fmt.Sprint(int(s.MaxDuration.Minutes()))
		}
		out.Sessions = append(out.Sessions, item)
	}
	return out, nil
}

// sessionFilter returns what a filter of DescribeSessions keeps.
func sessionFilter(key, value string) (func(world.Session) bool, error) {
	switch key {
	case "InvokedAfter", "InvokedBefore":
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return nil, invalid(fmt.Sprintf("Filter %s: %s is not an ISO 8601 time such as 2018-08-29T00:00:00Z.", key, value))
		}
		if key == "InvokedAfter" {
			return func(s world.Session) bool { return !s.Started.Before(t) }, nil
		}
		return func(s world.Session) bool { return s.Started.Before(t) }, nil
	case "Target":
		return func(s world.Session) bool { return s.Target == value }, nil
	case "Owner":
		return func(s world.Session) bool { return s.Owner == value }, nil
	case "Status":
		return func(s world.Session) bool { return s.Status == value }, nil
	case "SessionId":
		return func(s world.Session) bool { return s.ID == value }, nil
	}
	return func(world.Session) bool { return value == "Standard" }, nil
}
