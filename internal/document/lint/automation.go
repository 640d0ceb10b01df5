package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	automationKeys = []string{
		"schemaVersion", "description", "assumeRole", "parameters", "variables", "mainSteps", "outputs", "files",
	}
	automationStepKeys = []string{
		"name", "action", "description", "inputs", "maxAttempts", "timeoutSeconds", "onFailure", "onCancel", "isCritical", "isEnd",
		"nextStep", "outputs",
	}
	outputKeys  = []string{"Name", "Selector", "Type"}
	outputTypes = []string{"String", "StringList", "StringMap", "Boolean", "Integer", "MapList"}
)

// automation checks runbooks.
func (l *linter) automation() {
	l.declareParameters()
	l.keys(l.root, "", "an Automation document", automationKeys)
	l.variables()
	steps := l.root.get("mainSteps")
	if !l.need(l.root, "", "an Automation document", "mainSteps") || !l.want(steps, "mainSteps", list) || steps.kind != list {
		return
	}
	if len(steps.items) == 0 {
		l.add(steps, "mainSteps", ruleMissingKey, Error, "", "mainSteps is empty: the runbook does nothing")
	}
	b := &book{linter: l, names: map[string]*node{}, index: map[string]int{}}
	b.read(steps, "mainSteps", -1)
	b.link()
	b.reach()
	b.references()
	l.assumeRole()
	l.unusedParameters()
}

// assumeRole notes a runbook without a role.
func (l *linter) assumeRole() {
	role := l.root.get("assumeRole")
	if role == nil {
		l.add(l.root, "", ruleAssumeRole, Info, "add a parameter AutomationAssumeRole and write assumeRole: '{{ AutomationAssumeRole }}'",
			"the runbook names no assumeRole: its steps have the rights of whoever starts it")
		return
	}
	if l.want(role, "assumeRole", text) && role.text != "" && !strings.Contains(role.text, "{{") && !strings.HasPrefix(role.text, "arn:") {
		l.add(role, "assumeRole", ruleValue, Error, "", "assumeRole is the ARN of a role, or a parameter")
	}
}

func (l *linter) variables() {
	block := l.root.get("variables")
	if block == nil || !l.want(block, "variables", mapping) {
		return
	}
	for _, m := range block.members {
		path := join("variables", m.key.text)
		if l.want(m.value, path, mapping) {
			l.keys(m.value, path, "a variable", []string{"type", "description", "default", "allowedValues", "allowedPattern", "minItems", "maxItems", "minChars", "maxChars"})
			if t := m.value.get("type"); t == nil || !slices.Contains(parameterTypes, t.string()) {
				l.add(m.key, path, ruleParameterType, Error, near(t.string(), parameterTypes), "the variable %s needs a type", m.key.text)
			}
		}
	}
}

// step is a step of a runbook with its place in the graph.
type step struct {
	name    string
	node    *node
	path    string
	action  string
	parent  int // the loop it is in, -1 at the top
	declare []string
	next    []int // where it may go on
	end     bool  // the runbook, or the loop's round, may end after it
	reached bool
}

// book is the graph of a runbook's steps.
type book struct {
	*linter
	steps []*step
	names map[string]*node // for duplicates
	index map[string]int   // by name
	// unsure is set when some way leads to a step that does not exist, so that
	// nobody knows what else it should have led to.
	unsure bool
}

// read checks each step by itself, and those inside loops.
func (b *book) read(steps *node, path string, parent int) {
	for i, s := range steps.items {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !b.want(s, at, mapping) || s.kind != mapping {
			continue
		}
		b.keys(s, at, "a step", automationStepKeys)
		b.stepName(s, at, b.names)
		st := &step{name: s.get("name").string(), node: s, path: at, action: s.get("action").string(), parent: parent}
		if _, twice := b.index[st.name]; !twice {
			b.index[st.name] = len(b.steps)
		}
		self := len(b.steps)
		b.steps = append(b.steps, st)
		if !b.need(s, at, "a step", "action") {
			continue
		}
		b.knownAction(s.get("action"), at+".action", st.action, automationActions)
		b.settings(s, at)
		b.outputs(st)
		inputs := s.get("inputs")
		if inputs == nil {
			inputs = &node{kind: mapping, line: s.line, col: s.col}
		}
		if !b.want(inputs, at+".inputs", mapping) || inputs.kind != mapping {
			continue
		}
		b.inputs(inputs, at+".inputs", st.action, automationActions)
		b.injections(inputs, at+".inputs", st.action)
		b.special(inputs, at+".inputs", st.action)
		if nested := inputs.get("Steps"); st.action == "aws:loop" && b.want(nested, at+".inputs.Steps", list) && nested.is(list) {
			b.read(nested, at+".inputs.Steps", self)
		}
	}
}

// settings checks what every step may have.
func (b *book) settings(s *node, path string) {
	b.number(s.get("maxAttempts"), path+".maxAttempts", 1, 10)
	b.number(s.get("timeoutSeconds"), path+".timeoutSeconds", 1, 2592000)
	for _, key := range []string{"isCritical", "isEnd"} {
		if v := s.get(key); v != nil && !strings.Contains(v.string(), "{{") {
			if _, err := strconv.ParseBool(strings.ToLower(v.string())); err != nil {
				b.add(v, join(path, key), ruleWrongType, Error, "", "%s is true or false", key)
			}
		}
	}
}

// number checks a whole number within bounds, written as a number or as text.
func (l *linter) number(v *node, path string, low, high int) {
	if v == nil || strings.Contains(v.string(), "{{") {
		return
	}
	if n, err := strconv.Atoi(v.string()); err != nil || n < low || n > high {
		l.add(v, path, ruleValue, Error, "", "%s must be a whole number from %d to %d", last(path), low, high)
	}
}

// outputs checks what a step declares as its outputs.
func (b *book) outputs(st *step) {
	outs := st.node.get("outputs")
	if outs == nil || !b.want(outs, st.path+".outputs", list) {
		return
	}
	for i, o := range outs.items {
		path := fmt.Sprintf("%s.outputs[%d]", st.path, i)
		if o.kind != mapping {
			b.want(o, path, mapping)
			continue
		}
		b.keys(o, path, "an output", outputKeys)
		if b.need(o, path, "an output", "Name", "Selector", "Type") {
			if t := o.get("Type"); !slices.Contains(outputTypes, t.string()) {
				b.add(t, path+".Type", ruleValue, Error, near(t.string(), outputTypes), "%q is no type of outputs", t.string())
			}
			if sel := o.get("Selector").string(); st.action != "aws:runCommand" && sel != "" && !strings.HasPrefix(sel, "$") {
				b.add(o.get("Selector"), path+".Selector", ruleValue, Error, "write $."+sel, "a Selector is a JSONPath and begins with $")
			}
		}
		st.declare = append(st.declare, o.get("Name").string())
	}
}

// runtimes are those of aws:executeScript, with what is out of support.
var runtimes = map[string]bool{
	"python3.6": false, "python3.7": false, "python3.8": false, "python3.9": true, "python3.10": true, "python3.11": true, "python3.12": true,
	"PowerShell Core 6.0": false, "PowerShell 7.0": false, "PowerShell 7.4": true,
}

// special checks inputs whose rules are more than a list of names.
func (b *book) special(in *node, path, name string) {
	has := func(key string) bool { return in.get(key) != nil }
	switch name {
	case "aws:executeScript":
		b.script(in, path)
	case "aws:createStack":
		if !has("TemplateBody") && !has("TemplateURL") {
			b.add(in, path, ruleMissingInput, Error, "", "aws:createStack needs TemplateBody or TemplateURL")
		}
	case "aws:runCommand":
		if !has("InstanceIds") && !has("Targets") {
			b.add(in, path, ruleMissingInput, Error, "", "aws:runCommand needs InstanceIds or Targets")
		}
		if ids := in.get("InstanceIds"); ids.is(list) && len(ids.items) > 50 {
			b.add(ids, path+".InstanceIds", ruleValue, Error, "use Targets", "aws:runCommand takes 50 InstanceIds, not %d", len(ids.items))
		}
	case "aws:sleep":
		if has("Duration") == has("Timestamp") {
			b.add(in, path, ruleMissingInput, Error, "write Duration: PT5M", "aws:sleep needs either Duration or Timestamp")
		}
		if d := in.get("Duration"); d != nil && !strings.Contains(d.string(), "{{") && !strings.HasPrefix(d.string(), "P") {
			b.add(d, path+".Duration", ruleValue, Error, "write PT30S, PT5M or PT1H", "Duration is an ISO 8601 duration")
		}
	case "aws:loop":
		if has("Iterators") == has("LoopCondition") {
			b.add(in, path, ruleMissingInput, Error, "", "aws:loop needs either Iterators or LoopCondition")
		}
		b.number(in.get("MaxIterations"), path+".MaxIterations", 1, 100)
	case "aws:approve":
		if a := in.get("Approvers"); a.is(list) && len(a.items) > 10 {
			b.add(a, path+".Approvers", ruleValue, Error, "", "aws:approve takes 10 approvers, not %d", len(a.items))
		}
	}
}

func (b *book) script(in *node, path string) {
	r := in.get("Runtime")
	if v := r.string(); v != "" && !strings.Contains(v, "{{") {
		var all []string
		for known := range runtimes {
			all = append(all, known)
		}
		slices.Sort(all)
		current, known := runtimes[v]
		switch {
		case !known:
			b.add(r, path+".Runtime", ruleRuntime, Warning, near(v, all), "the runtime %s is not known", v)
		case !current:
			b.add(r, path+".Runtime", ruleRuntime, Warning, "use python3.11 or PowerShell 7.4", "the runtime %s is out of support", v)
		}
	}
	if strings.HasPrefix(r.string(), "python") && in.get("Handler") == nil {
		b.add(in, path, ruleMissingInput, Error, "", "aws:executeScript needs the input Handler for Python")
	}
	if in.get("Script") == nil && in.get("Attachment") == nil {
		b.add(in, path, ruleMissingInput, Error, "", "aws:executeScript needs Script or Attachment")
	}
	if h, s := in.get("Handler").string(), in.get("Script").string(); h != "" && s != "" && strings.HasPrefix(r.string(), "python") &&
		!regexp.MustCompile(`\bdef\s+`+regexp.QuoteMeta(h)+`\b`).MatchString(s) && !strings.Contains(h, "{{") && !strings.Contains(h, ".") {
		b.add(in.get("Handler"), path+".Handler", ruleValue, Error, "", "the script defines no function %s", h)
	}
}
