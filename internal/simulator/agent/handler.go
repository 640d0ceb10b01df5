package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// newHandler makes the handler of the worker's session. Its error ends the
// session right after the handshake, in the words of the real agent where they
// are known.
func newHandler(w *worker) (handler, error) {
	spec, node := &w.cfg.Spec, &w.cfg.Node
	switch t := wire.SessionType(spec.SessionType); t {
	case wire.StandardStream:
		return newShell(w, ""), nil
	case wire.InteractiveCommands:
		p, err := platformProperties(spec.Properties, node.Platform)
		if err != nil {
			return nil, err
		}
		return newShell(w, p.Commands), nil
	case wire.NonInteractiveCommands:
		p, err := platformProperties(spec.Properties, node.Platform)
		if err != nil {
			return nil, err
		}
		return newCommand(w, p)
	case wire.Port:
		if !agentKnowsPorts(node.AgentVersion) {
			// Reported of old agents; nobody has one to ask any more.
			return nil, errors.New("Plugin with name Port not found. Step name: Port")
		}
		return newPort(w)
	default:
		return nil, fmt.Errorf("Plugin with name %s is not supported by this version of ssm agent, "+
			"please update to latest version", t) // the agent's own words
	}
}

// properties are those of a command session for one platform.
type properties struct {
	Commands     string    `json:"commands"`
	RunAsElevate looseBool `json:"runAsElevated"`
	Separate     looseBool `json:"separateOutputStream"`
	StdOutPrefix string    `json:"stdOutSeparatorPrefix"`
	StdErrPrefix string    `json:"stdErrSeparatorPrefix"`
}

// looseBool is a boolean that may be written as text.
type looseBool bool

// UnmarshalJSON reads true, "true" and their opposites; anything else is false.
func (b *looseBool) UnmarshalJSON(text []byte) error {
	*b = looseBool(strings.EqualFold(strings.Trim(string(text), `"`), "true"))
	return nil
}

// platformProperties picks the properties of the node's platform.
func platformProperties(raw json.RawMessage, platform string) (properties, error) {
	var all map[string]properties
	if err := json.Unmarshal(raw, &all); err != nil {
		return properties{}, errors.New("session properties are malformed")
	}
	p, ok := all[platform]
	if !ok || p.Commands == "" {
		return p, fmt.Errorf("session properties have no commands for platform %s", platform)
	}
	return p, nil
}

// platformWindows is the NodeRuntime.Platform of Windows nodes.
const platformWindows = "windows"
