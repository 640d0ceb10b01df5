package world

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

var parameterChars = pattern.Lazy(`^[a-zA-Z0-9_.\-/]+$`)

// nameRules is the service's sentence for most names that it does not take.
const nameRules = "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_"

// checkName refuses what the service refuses about a new parameter's name (User
// Guide, "About requirements and constraints for parameter names").
func (w *World) checkName(name string) error {
	first, _, path := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	lower := strings.ToLower(first)
	reserved := strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "ssm")
	switch {
	case !parameterChars().MatchString(name):
		return Errorf("ValidationException", nameRules)
	case strings.HasPrefix(lower, "aws") && path && strings.HasPrefix(name, "/"):
		return Errorf("AccessDeniedException", "No access to reserved parameter name: %s.", name)
	case reserved && !path:
		return Errorf("ValidationException", "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).")
	case reserved:
		return Errorf("ValidationException", nameRules)
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return Errorf("ValidationException", "Parameter name must be a fully qualified name.")
	case strings.HasSuffix(name, "/"), strings.Contains(name, "//"):
		return Errorf("ValidationException", "Parameter name must not end with slash or have empty parts.")
	case strings.Count(name, "/") > parameterDepth:
		return Errorf("HierarchyLevelLimitExceededException", "Hierarchy level limit exceeded: parameter name %s exceeds the maximum of %d levels.", name, parameterDepth)
	case len(w.ParameterARN(name)) > parameterName:
		return Errorf("ValidationException", "Parameter name is longer than %d characters, its ARN included.", parameterName)
	}
	return nil
}

// ParameterARN is the ARN of a parameter of the account.
func (w *World) ParameterARN(name string) string {
	if strings.HasPrefix(name, publicRoot) {
		return "arn:aws:ssm:" + w.sc.Region + "::parameter" + name
	}
	return w.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

// parameterKey is the name in an ARN of this account and Region; other names are
// what they are.
func (w *World) parameterKey(name string) string {
	if rest, ok := strings.CutPrefix(name, w.ARN("ssm", "parameter/")); ok {
		return "/" + rest
	}
	return name
}

// checkAsked refuses what is asked for by a name or with a selector that no
// parameter can have.
func checkAsked(name, selector string) error {
	switch {
	case selector == ":", strings.Contains(name, ":"):
		return Errorf("ValidationException", "Invalid parameter name. Please use correct syntax for referencing a version/label <name>:<version/label>")
	case !parameterChars().MatchString(name), strings.Contains(name, "//"), strings.HasSuffix(name, "/"),
		strings.Contains(name, "/") && !strings.HasPrefix(name, "/"), strings.HasPrefix(strings.ToLower(strings.TrimPrefix(name, "/")), "ssm"):
		return Errorf("ValidationException", nameRules)
	}
	return nil
}

// SplitSelector takes a name apart: the parameter, and what follows its last
// colon, with the colon. The colons of an ARN are none of those.
func SplitSelector(name string) (base, selector string) {
	if i := strings.LastIndexByte(name, ':'); i > 0 && !strings.Contains(name[i:], "/") {
		return name[:i], name[i:]
	}
	return name, ""
}
