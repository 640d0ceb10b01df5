package lint

import (
	"fmt"
	"slices"
	"strings"
)

var (
	commandKeys = []string{"schemaVersion", "description", "parameters", "mainSteps", "files", "assumeRole", "variables"}
	legacyKeys  = []string{"schemaVersion", "description", "parameters", "runtimeConfig"}
	// commandStepKeys are what the agent reads of a step, and description.
	commandStepKeys = []string{
		"action", "name", "description", "inputs", "maxAttempts", "onFailure", "settings", "timeoutSeconds", "precondition",
		"onSuccess", "finallyStep", "isEnd",
	}
)

// command checks Command and Policy documents.
func (l *linter) command(version string) {
	l.declareParameters()
	if version == "1.2" {
		l.legacy()
	} else {
		l.keys(l.root, "", "a "+l.report.Type+" document", commandKeys)
		l.steps20(version)
	}
	for _, r := range references(l.root, "") {
		if !strings.HasPrefix(r.path, "parameters.") || strings.HasSuffix(r.path, ".default") {
			l.checkReference(r, false)
		}
	}
	l.unusedParameters()
}

// legacy checks the runtimeConfig of schema 1.2.
func (l *linter) legacy() {
	l.keys(l.root, "", "a Command document of schema 1.2", legacyKeys)
	config := l.root.get("runtimeConfig")
	if !l.need(l.root, "", "a Command document of schema 1.2", "runtimeConfig") || !l.want(config, "runtimeConfig", mapping) {
		return
	}
	for _, m := range config.members {
		path := join("runtimeConfig", m.key.text)
		l.knownAction(m.key, path, m.key.text, commandActions)
		if !l.want(m.value, path, mapping) {
			continue
		}
		l.keys(m.value, path, m.key.text, []string{"description", "settings", "properties"})
		properties := m.value.get("properties")
		entries := []*node{properties}
		if properties.is(list) {
			entries = properties.items
		}
		for i, e := range entries {
			at := path + ".properties"
			if properties.is(list) {
				at = fmt.Sprintf("%s[%d]", at, i)
			}
			if e.is(mapping) {
				l.inputs(e, at, m.key.text, commandActions, "id")
				l.injections(e, at, m.key.text)
			}
		}
	}
}

// steps20 checks the mainSteps of schema 2.0 and 2.2.
func (l *linter) steps20(version string) {
	steps := l.root.get("mainSteps")
	if !l.need(l.root, "", "a "+l.report.Type+" document of schema "+version, "mainSteps") || !l.want(steps, "mainSteps", list) {
		return
	}
	if steps.kind == list && len(steps.items) == 0 {
		l.add(steps, "mainSteps", ruleMissingKey, Error, "", "mainSteps is empty: the document does nothing")
	}
	names := map[string]*node{}
	for i, s := range steps.items {
		path := fmt.Sprintf("mainSteps[%d]", i)
		if !l.want(s, path, mapping) || s.kind != mapping {
			continue
		}
		l.keys(s, path, "a step", commandStepKeys)
		if !l.need(s, path, "a step", "action") {
			continue
		}
		l.stepName(s, path, names)
		action := s.get("action").string()
		l.knownAction(s.get("action"), path+".action", action, commandActions)
		inputs := s.get("inputs")
		if inputs == nil {
			inputs = &node{kind: mapping, line: s.line, col: s.col}
		}
		if l.want(inputs, path+".inputs", mapping) && inputs.kind == mapping {
			l.inputs(inputs, path+".inputs", action, commandActions, "onFailure", "onSuccess", "finallyStep", "timeoutSeconds")
			l.injections(inputs, path+".inputs", action)
		}
		l.precondition(s, path, version, action)
	}
	l.mixed(steps)
}

// stepName checks the name of a step and that it is the only one. names collects
// them.
func (l *linter) stepName(s *node, path string, names map[string]*node) {
	name := s.get("name")
	switch {
	case name == nil:
		l.add(s, path, ruleStepName, Error, "", "the step has no name")
		return
	case !parameterName().MatchString(name.string()):
		l.add(name, path+".name", ruleStepName, Error, "use letters, digits, _ and -", "no reference can name the step %q", name.string())
		return
	}
	if first, ok := names[name.string()]; ok {
		l.add(name, path+".name", ruleDuplicateStep, Error, "", "the step in line %d is called %s as well", first.line, name.string())
		return
	}
	names[name.string()] = name
}

var platforms = []string{"Linux", "Windows", "MacOS"}

// precondition checks the form the agent reads: StringEquals with two operands.
func (l *linter) precondition(s *node, path, version, action string) {
	p := s.get("precondition")
	if p == nil {
		return
	}
	path += ".precondition"
	if version != "2.2" {
		l.add(p, path, rulePrecondition, Error, "set schemaVersion to '2.2'", "schema %s has no preconditions", version)
		return
	}
	if !l.want(p, path, mapping) {
		return
	}
	for _, m := range p.members {
		at := join(path, m.key.text)
		if m.key.text != "StringEquals" {
			l.add(m.key, at, rulePrecondition, Error, near(m.key.text, []string{"StringEquals"}), "the agent knows only StringEquals, not %s", m.key.text)
			continue
		}
		if !m.value.is(list) || len(m.value.items) != 2 {
			l.add(m.value, at, rulePrecondition, Error, "write StringEquals: [platformType, Linux]", "StringEquals compares exactly two texts")
			continue
		}
		l.operands(m.value.items, at, action)
	}
}

func (l *linter) operands(pair []*node, path, action string) {
	i := slices.IndexFunc(pair, func(n *node) bool { return n.string() == "platformType" })
	if i < 0 {
		if !strings.Contains(pair[0].string(), "{{") && !strings.Contains(pair[1].string(), "{{") {
			l.add(pair[0], path, rulePrecondition, Error, near(pair[0].string(), []string{"platformType"}), "one side must be platformType or a parameter")
		}
		return
	}
	value := pair[1-i]
	if strings.Contains(value.string(), "{{") {
		return
	}
	if !slices.Contains(platforms, value.string()) {
		l.add(value, path, rulePrecondition, Error, near(value.string(), platforms), "%q is no platform; they are %s", value.string(), strings.Join(platforms, ", "))
		return
	}
	if a, ok := commandActions[action]; ok && len(a.platforms) > 0 && !slices.Contains(a.platforms, value.string()) {
		l.add(value, path, rulePlatform, Warning, "", "%s does not run on %s, so this step never does", action, value.string())
	}
}

// mixed notes steps for several platforms of which some have no precondition.
func (l *linter) mixed(steps *node) {
	kinds := map[string]bool{}
	var open []*node
	var at []string
	for i, s := range steps.items {
		action := s.get("action").string()
		if action == "aws:runShellScript" || action == "aws:runPowerShellScript" {
			kinds[action] = true
			if s.get("precondition") == nil {
				open, at = append(open, s), append(at, fmt.Sprintf("mainSteps[%d]", i))
			}
		}
	}
	if len(kinds) < 2 {
		return
	}
	for i, s := range open {
		l.add(s, at[i], ruleMixed, Info, "add precondition: {StringEquals: [platformType, …]}",
			"the document has shell and PowerShell steps; this one runs, or is skipped, wherever the agent can")
	}
}
