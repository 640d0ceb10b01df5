package dashfile

import (
	"slices"
	"strings"
)

// What can be put into words. Fields of rows are what a view knows of each of its rows.
const (
	NodeID   = "Node.ID"
	NodeName = "Node.Name"
	NodeIP   = "Node.IP"
	// NodeTag and the key of a tag are its value: Node.Tag.env.
	NodeTag       = "Node.Tag."
	ParameterName = "Parameter.Name"
	RunID         = "Run.ID"     // that of a run, or of the only command it has
	CommandID     = "Command.ID" // of the only command of a run
	SessionID     = "Session.ID"
	ExecutionID   = "Execution.ID"
	WindowID      = "Window.ID"
	WindowName    = "Window.Name"

	// Nodes are the chosen nodes as -t takes them.
	Nodes = "Nodes"

	Account = "Account"
	Region  = "Region"
	Profile = "Profile"

	askField = "Ask."
)

// rowFields are the fields of the rows of each view, in the order of their tabs.
var rowFields = []struct {
	view   string
	fields []string
}{
	{"overview", nil},
	{"fleet", []string{NodeID, NodeName, NodeIP, NodeTag, Nodes}},
	{"patch", []string{NodeID, NodeName, NodeTag, Nodes}},
	{"commands", []string{RunID, CommandID}},
	{"sessions", []string{SessionID, NodeID}},
	{"parameters", []string{ParameterName}},
	{"automation", []string{ExecutionID}},
	{"windows", []string{WindowID, WindowName}},
}

// everywhere are the fields of any row, whatever it is.
var everywhere = []string{Account, Region, Profile}

// ViewNames are the views there are, in the order of their tabs.
func ViewNames() []string {
	names := make([]string, len(rowFields))
	for i, v := range rowFields {
		names[i] = v.view
	}
	return names
}

// kind is a field without the key of a tag.
func kind(field string) string {
	if strings.HasPrefix(field, NodeTag) && field != NodeTag {
		return NodeTag
	}
	return field
}

// missing are the fields that rows of a view do not have.
func missing(view string, fields []string) (lacks []string) {
	for _, v := range rowFields {
		if v.view != view {
			continue
		}
		for _, f := range fields {
			if !slices.Contains(v.fields, kind(f)) {
				lacks = append(lacks, f)
			}
		}
	}
	return lacks
}

// viewsWith are the views whose rows have all fields.
func viewsWith(fields []string) (views []string) {
	for _, v := range rowFields {
		if len(missing(v.view, fields)) == 0 {
			views = append(views, v.view)
		}
	}
	return views
}

// knownFields are all fields, for messages.
func knownFields() (all []string) {
	for _, v := range rowFields {
		for _, f := range v.fields {
			if f == NodeTag {
				f += "KEY"
			}
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return append(all, everywhere...)
}

func placeholders(fields []string) string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = placeholder(f)
	}
	return strings.Join(out, ", ")
}

// placeholder is a field as it is written.
func placeholder(field string) string { return "{{." + field + "}}" }
