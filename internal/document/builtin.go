package document

// BuiltIn returns what ssmdeck knows of the everyday AWS documents without
// asking. It is a fallback: the service's own description wins.
//
// Source: the public content of AWS-RunShellScript and AWS-RunPowerShellScript
// (schema 1.2), as GetDocument returns it.
func BuiltIn(name string) (Document, bool) {
	doc := Document{Name: name, Type: "Command", SchemaVersion: "1.2", Owner: "Amazon", BuiltIn: true}
	switch name {
	case ShellScript:
		doc.Description = "Run a shell script or specify the commands to run."
		doc.Platforms = []string{"linux", "macos"}
	case PowerShellScript:
		doc.Description = "Run a PowerShell script or specify the paths to scripts to run."
		doc.Platforms = []string{"windows", "linux", "macos"}
	default:
		return Document{}, false
	}
	doc.Parameters = []Parameter{
		{Name: "commands", Type: StringList, Required: true, MinItems: 1, Description: "the script, a line or more per element"},
		{Name: "workingDirectory", Type: String, MaxChars: 4096, Description: "the directory to run in"},
		{
			Name: "executionTimeout", Type: String, Default: "3600",
			// 1 s to 48 h.
			AllowedPattern: `([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)`,
			Description:    "seconds until the script is stopped",
		},
	}
	return doc, true
}
