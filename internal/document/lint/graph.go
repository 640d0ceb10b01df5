package lint

import (
	"fmt"
	"slices"
	"strings"
)

// link finds where each step may go on: nextStep, the next in the list, choices,
// and the steps that follow a failure or a cancellation.
func (b *book) link() {
	for i, st := range b.steps {
		n := st.node
		following := b.following(i)
		switch {
		case st.action == "aws:branch":
			b.choices(st, following)
		case n.get("isEnd").truth():
			st.end = true
		case n.get("nextStep") != nil:
			b.target(st, n.get("nextStep"), st.path+".nextStep", n.get("nextStep").string())
		default:
			b.advance(st, following)
		}
		if n.get("isEnd").truth() && n.get("nextStep") != nil {
			b.add(n.get("nextStep"), st.path+".nextStep", ruleStepTarget, Warning, "", "%s ends the runbook, so its nextStep is never gone to", st.name)
		}
		b.onward(st, "onFailure", "Abort", "Continue")
		b.onward(st, "onCancel", "Abort", "Continue")
	}
}

// following is the step after i in its list, -1 when it is the last.
func (b *book) following(i int) int {
	for j := i + 1; j < len(b.steps); j++ {
		if b.steps[j].parent == b.steps[i].parent {
			return j
		}
	}
	return -1
}

func (b *book) advance(st *step, following int) {
	if following < 0 {
		st.end = true
		return
	}
	st.next = append(st.next, following)
}

// onward reads onFailure and onCancel: a word, or step:NAME.
func (b *book) onward(st *step, key string, legal ...string) {
	v := st.node.get(key)
	if v == nil || strings.Contains(v.string(), "{{") {
		return
	}
	path := join(st.path, key)
	if name, ok := strings.CutPrefix(v.string(), "step:"); ok {
		b.target(st, v, path, strings.TrimSpace(name))
		return
	}
	if !slices.Contains(legal, v.string()) {
		b.add(v, path, ruleValue, Error, near(v.string(), legal), "%s is %s or step:NAME, not %q", key, strings.Join(legal, ", "), v.string())
	}
}

// target adds an edge to a step by its name.
func (b *book) target(st *step, n *node, path, name string) {
	if strings.Contains(name, "{{") {
		return
	}
	i, ok := b.index[name]
	if !ok {
		var names []string
		for _, s := range b.steps {
			names = append(names, s.name)
		}
		b.add(n, path, ruleStepTarget, Error, near(name, names), "there is no step %s", name)
		st.end, b.unsure = true, true
		return
	}
	if b.steps[i].parent != st.parent {
		b.add(n, path, ruleStepTarget, Error, "", "the step %s is not in the same list: a loop's steps lead to steps of the loop", name)
	}
	st.next = append(st.next, i)
}

// comparisons are the operators of a choice (User Guide, "aws:branch").
var comparisons = []string{
	"StringEquals", "EqualsIgnoreCase", "StartsWith", "EndsWith", "Contains", "NumericEquals", "NumericGreater", "NumericLesser",
	"NumericGreaterOrEquals", "NumericLesserOrEquals", "BooleanEquals",
}

// choices reads the ways out of a branch.
func (b *book) choices(st *step, following int) {
	in := st.node.get("inputs")
	path := st.path + ".inputs"
	choices := in.get("Choices")
	if b.want(choices, path+".Choices", list) && choices.is(list) {
		for i, c := range choices.items {
			at := fmt.Sprintf("%s.Choices[%d]", path, i)
			if !b.want(c, at, mapping) || c.kind != mapping {
				continue
			}
			if b.need(c, at, "a choice", "NextStep") {
				b.target(st, c.get("NextStep"), at+".NextStep", c.get("NextStep").string())
			}
			b.condition(c, at, 0)
		}
	}
	switch d := in.get("Default"); {
	case d != nil:
		b.target(st, d, path+".Default", d.string())
	case st.node.get("isEnd").truth():
		st.end = true
	case st.node.get("nextStep") != nil:
		b.target(st, st.node.get("nextStep"), st.path+".nextStep", st.node.get("nextStep").string())
	default:
		b.advance(st, following)
	}
}

// condition checks one choice, and those under And, Or and Not.
func (b *book) condition(c *node, path string, depth int) {
	legal := slices.Concat(comparisons, []string{"NextStep", "Variable", "And", "Or", "Not"})
	b.keys(c, path, "a choice", legal)
	compares := 0
	for _, m := range c.members {
		at := join(path, m.key.text)
		switch m.key.text {
		case "And", "Or":
			compares++
			if b.want(m.value, at, list) {
				for i, inner := range m.value.items {
					if inner.is(mapping) && depth < maxDepth {
						b.condition(inner, fmt.Sprintf("%s[%d]", at, i), depth+1)
					}
				}
			}
		case "Not":
			compares++
			if b.want(m.value, at, mapping) && depth < maxDepth {
				b.condition(m.value, at, depth+1)
			}
		default:
			if slices.Contains(comparisons, m.key.text) {
				compares++
				if c.get("Variable") == nil {
					b.add(m.key, at, ruleMissingKey, Error, "", "a comparison needs the key Variable")
				}
			}
		}
	}
	if compares == 0 {
		b.add(c, path, ruleMissingKey, Error, "add one of "+strings.Join(comparisons[:6], ", ")+", …", "the choice compares nothing")
	}
}

// reach reports steps that no way leads to, and steps from which no way leads out.
func (b *book) reach() {
	for i := range b.steps {
		if b.first(i) {
			b.walk(i)
		}
	}
	ends := b.ends()
	for i, st := range b.steps {
		switch {
		case !st.reached && b.unsure:
		case !st.reached:
			b.add(st.node, st.path, ruleUnreachable, Warning, "lead to it with nextStep, or delete it", "no way leads to the step %s", st.name)
		case !ends[i]:
			b.add(st.node, st.path, ruleEndless, Warning, "give a step of the circle isEnd: true", "from the step %s no way leads to the end", st.name)
		}
	}
}

// first reports whether step i is the first of its list. Those of a loop count as
// reached when the loop is.
func (b *book) first(i int) bool {
	for j := range i {
		if b.steps[j].parent == b.steps[i].parent {
			return false
		}
	}
	return b.steps[i].parent < 0 || b.steps[b.steps[i].parent].reached
}

func (b *book) walk(from int) {
	todo := []int{from}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if b.steps[i].reached {
			continue
		}
		b.steps[i].reached = true
		todo = append(todo, b.steps[i].next...)
	}
}

// ends tells from which steps the runbook can come to its end.
func (b *book) ends() []bool {
	ends := make([]bool, len(b.steps))
	for changed := true; changed; {
		changed = false
		for i, st := range b.steps {
			if ends[i] {
				continue
			}
			if st.end || slices.ContainsFunc(st.next, func(j int) bool { return ends[j] }) {
				ends[i], changed = true, true
			}
		}
	}
	return ends
}

// before reports whether step from can have run when step to runs: a way leads
// from one to the other, or one is in the loop that the other is or follows.
func (b *book) before(from, to int) bool {
	if from == to {
		return false
	}
	for p := b.steps[to].parent; p >= 0; p = b.steps[p].parent {
		if p == from || b.before(from, p) {
			return true
		}
	}
	for b.steps[from].parent >= 0 && b.steps[from].parent != b.steps[to].parent {
		from = b.steps[from].parent
		if from == to {
			return true // the loop itself, after its steps
		}
	}
	seen := make([]bool, len(b.steps))
	todo := slices.Clone(b.steps[from].next)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if i == to {
			return true
		}
		if !seen[i] {
			seen[i] = true
			todo = append(todo, b.steps[i].next...)
		}
	}
	return false
}

// references checks what the runbook refers to: parameters, variables, outputs.
func (b *book) references() {
	for i, st := range b.steps {
		for _, m := range st.node.members {
			path := join(st.path, m.key.text)
			value := m.value
			if m.key.text == "inputs" && st.action == "aws:loop" {
				value = without(value, "Steps") // they are steps of their own
			}
			for _, r := range references(value, path) {
				b.refer(r, i)
			}
		}
	}
	for _, key := range []string{"outputs", "assumeRole", "variables"} {
		for _, r := range references(b.root.get(key), key) {
			b.refer(r, -1)
		}
	}
	if outs := b.root.get("outputs"); outs != nil && b.want(outs, "outputs", list) {
		for i, o := range outs.items {
			if o.kind == text && !strings.Contains(o.text, "{{") {
				b.output(refer{name: o.text, line: o.line, col: o.col, path: fmt.Sprintf("outputs[%d]", i)}, -1)
			}
		}
	}
}

// without returns a mapping less one key.
func without(n *node, key string) *node {
	c := *n
	c.members = slices.DeleteFunc(slices.Clone(n.members), func(m member) bool { return m.key.text == key })
	return &c
}

func (b *book) refer(r refer, at int) {
	b.checkReference(r, true)
	if strings.Contains(r.name, ".") && !strings.Contains(strings.SplitN(r.name, ".", 2)[0], ":") {
		b.output(r, at)
	}
}

// output checks a reference to STEP.OUTPUT from step at, -1 for the end of the
// runbook.
func (b *book) output(r refer, at int) {
	name, out, ok := strings.Cut(r.name, ".")
	if !ok || name == "" {
		return
	}
	if b.parameter(name) != nil { // a member of a StringMap
		b.used[name] = true
		return
	}
	i, ok := b.index[name]
	if !ok {
		var names []string
		for _, s := range b.steps {
			names = append(names, s.name)
		}
		b.addAt(r.line, r.col, r.path, ruleOutput, Error, near(name, append(names, b.parameterNames()...)), "there is no step %s", name)
		return
	}
	st := b.steps[i]
	if at >= 0 && !b.before(i, at) {
		b.addAt(r.line, r.col, r.path, ruleOrder, Error, "", "the step %s cannot have run before %s", name, b.steps[at].name)
		return
	}
	out, _, _ = strings.Cut(out, "[")
	out, _, _ = strings.Cut(out, ".")
	known, isKnown := automationActions[st.action]
	legal := slices.Concat(st.declare, known.outputs)
	if !isKnown || out == "Output" || out == "OutputPayload" || slices.Contains(legal, out) {
		return
	}
	hint := near(out, legal)
	if hint == "" {
		hint = "declare it: outputs: [{Name: " + out + ", Selector: $.…, Type: String}]"
	}
	b.addAt(r.line, r.col, r.path, ruleOutput, Error, hint, "the step %s has no output %s", name, out)
}
