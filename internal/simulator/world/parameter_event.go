package world

import (
	"slices"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// mostEvents is how many events of Parameter Store are kept.
const mostEvents = 20_000

// ParameterEvent is an event as EventBridge gets it (User Guide, "Setting up
// notifications or triggering actions based on Parameter Store events"; Amazon
// EventBridge event examples for Parameter Store).
type ParameterEvent struct {
	ID         string            `json:"id"`
	DetailType string            `json:"detail-type"`
	Source     string            `json:"source"`
	Account    string            `json:"account"`
	Time       time.Time         `json:"time"`
	Region     string            `json:"region"`
	Resources  []string          `json:"resources"`
	Detail     map[string]string `json:"detail"`
}

// tell keeps an event. Callers hold w.mu.
func (w *World) tell(kind, parameter string, detail map[string]string) {
	if w.seeding {
		return
	}
	if len(w.events) == mostEvents {
		w.events = w.events[1:]
	}
	w.events = append(w.events, ParameterEvent{
		ID: newUUID(), DetailType: kind, Source: "aws.ssm", Account: w.sc.Account, Time: w.now(), Region: w.sc.Region,
		Resources: []string{w.ParameterARN(parameter)}, Detail: detail,
	})
}

// changed tells that a parameter has changed, or, with a reason, why it has not.
// Callers hold w.mu.
func (w *World) changed(name string, v ParameterVersion, operation, refused string) {
	detail := map[string]string{"name": name, "type": v.Type, "operation": operation}
	if v.Description != "" {
		detail["description"] = v.Description
	}
	if v.DataType != dataText {
		detail["data-type"] = v.DataType
	}
	if refused != "" {
		detail["action-status"], detail["action-reason"] = "Failed", refused
	}
	w.tell("Parameter Store Change", name, detail)
}

var imageForm = pattern.Lazy(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`)

// checkImage keeps a version whose value is the id of an image there is, after
// PutParameter has answered (User Guide, "Using native parameter support for
// Amazon Machine Image IDs").
func (w *World) checkImage(name string, tags map[string]string, v ParameterVersion) {
	w.mu.Lock()
	defer w.mu.Unlock()
	operation := "Create"
	if p, exists := w.params.get(name); exists {
		operation, v.Number = "Update", p.Latest().Number+1
	}
	reason := ""
	switch {
	case !imageForm().MatchString(v.Value):
		reason = "The value is not in the format of an AMI ID."
	case !w.hasImage(v.Value):
		reason = "The AMI does not exist, or is not available in this account and Region."
	}
	if reason != "" {
		w.changed(name, v, operation, reason)
		return
	}
	w.keepVersion(name, tags, v)
}

// hasImage reports whether there is an image: of a node, of AWS or of the
// scenario. Callers hold w.mu.
func (w *World) hasImage(id string) bool {
	if slices.Contains(w.sc.ParameterStore.Images, id) || slices.ContainsFunc(w.sc.Nodes, func(n NodeSpec) bool { return n.Image == id }) {
		return true
	}
	for _, p := range w.publicIndex().byPlace {
		if p.Versions[0].Value == id {
			return true
		}
	}
	return false
}
