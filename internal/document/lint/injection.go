package lint

import "strings"

// probes are pieces of text that become commands of their own when they land in a
// script. An allowedPattern that lets none of them through makes a parameter safe.
var probes = []string{"a;b", "a b", "a|b", "a&b", "$(a)", "`a`", "a>b", "a\nb", `a"b`, "a'b"}

// injections warns of parameters whose text becomes part of a script that the
// action runs.
func (l *linter) injections(in *node, path, action string) {
	switch action {
	case "aws:runShellScript":
		l.scripts(in.get("runCommand"), path+".runCommand", false)
	case "aws:runPowerShellScript", "aws:psModule":
		l.scripts(in.get("runCommand"), path+".runCommand", true)
	case "aws:executeScript":
		l.scripts(in.get("Script"), path+".Script", strings.HasPrefix(in.get("Runtime").string(), "PowerShell"))
	case "aws:runCommand":
		parameters := in.get("Parameters")
		l.scripts(parameters.get("commands"), path+".Parameters.commands", in.get("DocumentName").string() == "AWS-RunPowerShellScript")
	}
}

func (l *linter) scripts(n *node, path string, powershell bool) {
	if n == nil {
		return
	}
	warned := map[string]bool{}
	for _, r := range references(n, path) {
		p := l.parameter(r.name)
		if p == nil || r.whole || warned[p.name] || l.harmless(p) {
			continue // whole: the parameter is the script, as in AWS-RunShellScript
		}
		warned[p.name] = true
		l.addAt(r.line, r.col, r.path, ruleInjection, Warning, l.safer(p, path, powershell),
			"the value of %s becomes part of the script: whoever sets it can run anything, quotes or not", p.name)
	}
}

// safer says how to keep a parameter from being a command.
func (l *linter) safer(p *parameter, path string, powershell bool) string {
	const pattern = "give it an allowedPattern such as ^[A-Za-z0-9._-]+$"
	variable := `"$SSM_` + p.name + `"`
	if powershell {
		variable = "$env:SSM_" + p.name
	}
	switch {
	case strings.HasSuffix(path, ".Script"):
		return "pass it in InputPayload, or " + pattern
	case l.report.Type == "Automation", l.root.get("schemaVersion").string() != "2.2": // the agent sets variables for 2.2 only
		return pattern + ", or allowedValues"
	default:
		return pattern + ", allowedValues, or interpolationType: ENV_VAR and use " + variable
	}
}

// harmless reports whether no value of p can be more than a plain word.
func (l *linter) harmless(p *parameter) bool {
	switch t := p.kind(); {
	case t == "Integer", t == "Boolean", strings.HasPrefix(t, "AWS::"), strings.HasPrefix(t, "List<AWS::"):
		return true
	case p.body.get("interpolationType").string() == "ENV_VAR":
		return true
	}
	if allowed := p.body.get("allowedValues"); allowed.is(list) && len(allowed.items) > 0 {
		return true
	}
	if p.pattern == nil {
		// One that Go cannot read may be strict; the dialect rule has spoken.
		return p.body.get("allowedPattern") != nil
	}
	for _, probe := range probes {
		if p.pattern.MatchString(probe) {
			return false
		}
	}
	return true
}
