package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// parameter is a declared parameter.
type parameter struct {
	name    string
	key     *node
	body    *node
	path    string
	pattern *regexp.Regexp // of the whole value; nil when there is none or it cannot be evaluated
}

func (p *parameter) kind() string { return p.body.get("type").string() }

var (
	parameterTypes = []string{"String", "StringList", "Integer", "Boolean", "MapList", "StringMap"}
	parameterKeys  = []string{
		"type", "description", "default", "allowedValues", "allowedPattern", "minItems", "maxItems", "minChars", "maxChars",
		"displayType", "interpolationType",
	}
	// awsType is how Automation names resources: AWS::EC2::Instance::Id and
	// List<…> of it.
	awsType       = pattern.Lazy(`^(List<)?AWS::[A-Za-z0-9]+(::[A-Za-z0-9]+)*>?$`)
	parameterName = pattern.Lazy(`^[a-zA-Z0-9_\-]+$`)
	secretName    = pattern.Lazy(`(?i)(pass(word|wd|phrase)|secret|private_?key|api_?key|access_?key|token)`)
)

// declareParameters reads and checks the parameters block.
func (l *linter) declareParameters() {
	block := l.root.get("parameters")
	if block == nil || !l.want(block, "parameters", mapping) {
		return
	}
	l.used = map[string]bool{}
	for _, m := range block.members {
		p := &parameter{name: m.key.text, key: m.key, body: m.value, path: join("parameters", m.key.text)}
		l.parameters = append(l.parameters, p)
		if !parameterName().MatchString(p.name) {
			l.add(m.key, p.path, ruleParameterName, Error, "use letters, digits, _ and -", "no reference can name the parameter %q", p.name)
		}
		if !l.want(m.value, p.path, mapping) || m.value.kind != mapping {
			continue
		}
		l.keys(m.value, p.path, "a parameter", parameterKeys)
		l.parameterType(p)
		l.parameterLimits(p)
		l.parameterDefault(p)
	}
}

func (l *linter) parameterType(p *parameter) {
	t := p.body.get("type")
	switch {
	case t == nil:
		l.add(p.key, p.path, ruleParameterType, Error, "", "the parameter %s has no type", p.name)
	case !slices.Contains(parameterTypes, t.string()) && !awsType().MatchString(t.string()):
		l.add(t, p.path+".type", ruleParameterType, Error, near(t.string(), parameterTypes), "%q is no type of parameters", t.string())
	}
	for key, legal := range map[string][]string{"displayType": {"textfield", "textarea"}, "interpolationType": {"ENV_VAR", "TEXT"}} {
		if v := p.body.get(key); v != nil && !slices.Contains(legal, v.string()) {
			l.add(v, join(p.path, key), ruleValue, Error, "", "%s is %s, not %q", key, strings.Join(legal, " or "), v.string())
		}
	}
}

func (l *linter) parameterLimits(p *parameter) {
	l.want(p.body.get("allowedValues"), p.path+".allowedValues", list)
	for _, pair := range [][2]string{{"minItems", "maxItems"}, {"minChars", "maxChars"}} {
		low, lok := l.limit(p, pair[0])
		high, hok := l.limit(p, pair[1])
		if lok && hok && low > high {
			l.add(p.body.get(pair[0]), join(p.path, pair[0]), ruleValue, Error, "", "%s is %d and %s is %d: no value fits", pair[0], low, pair[1], high)
		}
	}
	pattern := p.body.get("allowedPattern")
	if pattern == nil || !l.want(pattern, p.path+".allowedPattern", text) {
		return
	}
	p.pattern = l.pattern(pattern, p.path+".allowedPattern")
}

// limit reads a count, which documents write as a number or as text.
func (l *linter) limit(p *parameter, key string) (int, bool) {
	v := p.body.get(key)
	if v == nil {
		return 0, false
	}
	n, err := strconv.Atoi(v.string())
	if err != nil || n < 0 {
		l.add(v, join(p.path, key), ruleValue, Error, "", "%s must be a whole number of 0 or more", key)
		return 0, false
	}
	return n, true
}

func (l *linter) parameterDefault(p *parameter) {
	d := p.body.get("default")
	if d == nil {
		return
	}
	path := p.path + ".default"
	if secretName().MatchString(p.name) && d.kind == text && d.text != "" && !strings.Contains(d.text, "{{") {
		l.add(d, path, ruleSecret, Warning, "keep it in Parameter Store and write {{ssm-secure:NAME}}, or give no default",
			"the default of %s looks like a secret, and the document shows it to everybody who may read it", p.name)
	}
	switch p.kind() {
	case "Boolean":
		if _, err := strconv.ParseBool(strings.ToLower(d.string())); err != nil {
			l.add(d, path, ruleParameterDefault, Error, "", "the default of a Boolean is true or false")
		}
	case "Integer":
		if _, err := strconv.Atoi(d.string()); err != nil {
			l.add(d, path, ruleParameterDefault, Error, "", "the default of an Integer is a whole number")
		}
	case "StringList", "MapList":
		if !l.wantDefault(d, path, list) {
			return
		}
		l.count(p, d, path)
	case "StringMap":
		l.wantDefault(d, path, mapping)
		return
	case "String":
		if !l.wantDefault(d, path, text, number, boolean, null) {
			return
		}
	}
	values := []*node{d}
	if d.kind == list {
		values = d.items
	}
	for i, v := range values {
		at := path
		if d.kind == list {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		l.defaultValue(p, v, at)
	}
}

func (l *linter) wantDefault(d *node, path string, kinds ...kind) bool {
	if slices.Contains(kinds, d.kind) || d.kind == text && strings.HasPrefix(strings.TrimSpace(d.text), "{{") {
		return true
	}
	l.add(d, path, ruleParameterDefault, Error, "", "the default must be %s for this type, and is %s", kinds[0], d.kind)
	return false
}

func (l *linter) count(p *parameter, d *node, path string) {
	if d.kind != list {
		return
	}
	n := len(d.items)
	if low, err := strconv.Atoi(p.body.get("minItems").string()); err == nil && n < low {
		l.add(d, path, ruleParameterDefault, Error, "", "the default has %d items; minItems is %d", n, low)
	}
	if high, err := strconv.Atoi(p.body.get("maxItems").string()); err == nil && n > high {
		l.add(d, path, ruleParameterDefault, Error, "", "the default has %d items; maxItems is %d", n, high)
	}
}

// defaultValue checks one value of a default. Values are never shown: a default
// may be a secret all the same.
func (l *linter) defaultValue(p *parameter, v *node, path string) {
	if v.kind == list || v.kind == mapping || strings.Contains(v.text, "{{") {
		return
	}
	if allowed := p.body.get("allowedValues"); allowed.is(list) && len(allowed.items) > 0 &&
		!slices.ContainsFunc(allowed.items, func(a *node) bool { return a.string() == v.string() }) {
		l.add(v, path, ruleParameterDefault, Error, "", "the default is none of allowedValues")
	}
	if p.pattern != nil && !p.pattern.MatchString(v.string()) {
		l.add(v, path, ruleParameterDefault, Error, "", "the default does not match allowedPattern")
	}
	n := utf8.RuneCountInString(v.string())
	if low, err := strconv.Atoi(p.body.get("minChars").string()); err == nil && n < low {
		l.add(v, path, ruleParameterDefault, Error, "", "the default has %d characters; minChars is %d", n, low)
	}
	if high, err := strconv.Atoi(p.body.get("maxChars").string()); err == nil && n > high {
		l.add(v, path, ruleParameterDefault, Error, "", "the default has %d characters; maxChars is %d", n, high)
	}
}

func (l *linter) parameter(name string) *parameter {
	for _, p := range l.parameters {
		if p.name == name {
			return p
		}
	}
	return nil
}

func (l *linter) parameterNames() []string {
	var names []string
	for _, p := range l.parameters {
		names = append(names, p.name)
	}
	return names
}

// unusedParameters reports what nothing refers to, when everything was read.
func (l *linter) unusedParameters() {
	for _, p := range l.parameters {
		if !l.used[p.name] && parameterName().MatchString(p.name) {
			l.add(p.key, p.path, ruleParameterUnused, Warning, "", "nothing in the document refers to the parameter %s", p.name)
		}
	}
}
