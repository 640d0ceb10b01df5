package lint

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

var (
	// reference is what stands between double braces, as far as SSM reads it. Other
	// users of double braces ({{.Names}}, {{ item | default }}) do not fit.
	reference      = pattern.Lazy(`\{\{\s*([a-zA-Z0-9_\-]+(?:[.:][a-zA-Z0-9_\-./:*\[\]]+)?)\s*\}\}`)
	wholeReference = pattern.Lazy(`^\s*\{\{[^{}]*\}\}\s*$`)
)

// refer is one reference in a scalar.
type refer struct {
	name      string // what stands between the braces
	at        *node
	path      string
	line, col int
	whole     bool // the scalar is nothing else
}

// references returns the references in all scalars at and under n.
func references(n *node, path string) []refer {
	var found []refer
	for at, v := range n.scalars(path) {
		if v.kind != text {
			continue
		}
		for _, m := range reference().FindAllStringSubmatchIndex(v.text, -1) {
			r := refer{name: v.text[m[2]:m[3]], at: v, path: at, whole: strings.TrimSpace(v.text) == v.text[m[0]:m[1]]}
			r.line, r.col = v.at(m[0])
			found = append(found, r)
		}
	}
	return found
}

// scopes are the words before a colon that SSM fills in itself.
var scopes = []string{"ssm", "ssm-secure", "global", "automation", "variable", "resolve", "platform"}

// globals are what global: and automation: know (User Guide, "Automation system
// variables").
var globals = map[string][]string{
	"global":     {"DATE", "DATE_TIME", "REGION"},
	"automation": {"EXECUTION_ID"},
}

// checkReference checks one reference. steps tells whether a word before a dot is a
// step of an Automation document, which sees to it then.
func (l *linter) checkReference(r refer, steps bool) {
	if scope, rest, ok := strings.Cut(r.name, ":"); ok {
		l.checkScope(r, scope, rest)
		return
	}
	name, _, dotted := strings.Cut(r.name, ".")
	if dotted && steps {
		return
	}
	if p := l.parameter(name); p != nil {
		l.used[name] = true
		return
	}
	hint := near(name, l.parameterNames())
	severity := Error
	if !steps && hint == "" {
		severity = Warning // a script may have double braces of its own
	}
	if hint == "" {
		hint = "declare it under parameters"
	}
	l.addAt(r.line, r.col, r.path, ruleUndeclared, severity, hint, "the parameter %s is not declared", name)
}

func (l *linter) checkScope(r refer, scope, rest string) {
	switch scope {
	case "variable":
		name, _, _ := strings.Cut(rest, ".")
		if block := l.root.get("variables"); block.get(name) == nil {
			l.addAt(r.line, r.col, r.path, ruleUndeclared, Error, "declare it under variables", "the variable %s is not declared", name)
		}
	case "global", "automation":
		for _, known := range globals[scope] {
			if rest == known {
				return
			}
		}
		l.addAt(r.line, r.col, r.path, ruleUndeclared, Warning, near(rest, globals[scope]), "%s: knows no %s", scope, rest)
	default:
		for _, known := range scopes {
			if scope == known {
				return
			}
		}
		if hint := near(scope, scopes); hint != "" {
			l.addAt(r.line, r.col, r.path, ruleUndeclared, Error, hint, "%s: is nothing that SSM fills in", scope)
		}
	}
}
