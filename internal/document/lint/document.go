package lint

import (
	"slices"
	"strings"
)

// versions are the schema versions of each type (User Guide, "Schemas, features,
// and examples").
var versions = map[string][]string{
	"Command":    {"1.2", "2.0", "2.2"},
	"Automation": {"0.3"},
	"Session":    {"1.0"},
	"Policy":     {"2.0", "2.2"},
	"Package":    {"2.0"},
}

// document checks the whole of a document whose text is a mapping.
func (l *linter) document() {
	v := l.root.get("schemaVersion")
	l.report.SchemaVersion = v.string()
	if l.report.Type == "" {
		l.report.Type = guess(l.root)
	}
	legal, known := versions[l.report.Type]
	if !known {
		if l.report.Type == "" {
			l.add(l.root, "", ruleSchema, Error, "give schemaVersion, or --type", "the document does not say which type it is of")
		}
		return // configuration, templates: their content is not Systems Manager's
	}
	switch {
	case v == nil:
		l.add(l.root, "", ruleSchema, Error, "write schemaVersion: '"+legal[len(legal)-1]+"'", "the document has no schemaVersion")
	case !slices.Contains(legal, v.string()):
		l.add(v, "schemaVersion", ruleSchema, Error, "", "%q is no schema version of %s documents; they have %s", v.string(), l.report.Type, strings.Join(legal, ", "))
		return
	case v.kind != text && l.report.Format == "JSON":
		l.add(v, "schemaVersion", ruleWrongType, Error, "write it in quotes", "schemaVersion must be text")
	}
	if d := l.root.get("description"); d != nil {
		l.want(d, "description", text, null)
	}
	switch l.report.Type {
	case "Command", "Policy":
		l.command(l.report.SchemaVersion)
	case "Automation":
		l.automation()
	case "Session":
		l.session()
	case "Package":
		l.pack()
	}
}

// guess tells a document's type from its content, "" when it cannot.
func guess(root *node) string {
	switch v := root.get("schemaVersion").string(); {
	case root.get("sessionType") != nil || v == "1.0":
		return "Session"
	case root.get("packages") != nil:
		return "Package"
	case v == "0.3" || root.get("assumeRole") != nil && root.get("mainSteps") != nil:
		return "Automation"
	case v != "" || root.get("mainSteps") != nil || root.get("runtimeConfig") != nil:
		return "Command"
	default:
		return ""
	}
}
