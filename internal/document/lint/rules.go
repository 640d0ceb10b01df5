package lint

import "slices"

// Rule describes one rule, for reports and documentation.
type Rule struct {
	ID       string
	Severity Severity // the usual one
	Summary  string
}

// The identifiers of the rules are part of the output contract.
const (
	ruleSize             = "too-large"
	ruleName             = "name"
	ruleReservedName     = "reserved-name"
	ruleSchema           = "schema-version"
	ruleDuplicateKey     = "duplicate-key"
	ruleUnknownKey       = "unknown-key"
	ruleMissingKey       = "missing-key"
	ruleWrongType        = "wrong-type"
	ruleValue            = "bad-value"
	ruleParameterName    = "parameter-name"
	ruleParameterType    = "parameter-type"
	ruleParameterDefault = "parameter-default"
	ruleParameterUnused  = "parameter-unused"
	ruleUndeclared       = "parameter-undeclared"
	ruleSecret           = "secret-in-default"
	rulePattern          = "pattern-invalid"
	ruleDialect          = "pattern-dialect"
	ruleAction           = "unknown-action"
	ruleInput            = "unknown-input"
	ruleMissingInput     = "missing-input"
	ruleStepName         = "step-name"
	ruleDuplicateStep    = "step-duplicate"
	ruleStepTarget       = "step-target"
	ruleUnreachable      = "step-unreachable"
	ruleEndless          = "step-endless"
	ruleOutput           = "step-output"
	ruleOrder            = "step-order"
	rulePrecondition     = "precondition"
	rulePlatform         = "platform-mismatch"
	ruleMixed            = "platform-mixed"
	ruleInjection        = "injection"
	ruleRuntime          = "runtime"
	ruleAssumeRole       = "assume-role"
	rulePackageFile      = "package-file"
)

var rules = []Rule{
	{ruleSize, Error, "The document is over 64 KB."},
	{ruleName, Error, "The name has characters or a length that the service refuses."},
	{ruleReservedName, Error, "The name begins with a word reserved for AWS."},
	{ruleSchema, Error, "The schema version is missing, unknown, or not one of the document's type."},
	{ruleDuplicateKey, Error, "A key stands twice in one mapping."},
	{ruleUnknownKey, Warning, "A key is not in the schema; an error when it is one slip away from one that is."},
	{ruleMissingKey, Error, "A required key is missing."},
	{ruleWrongType, Error, "A value is of the wrong kind, such as text where a list belongs."},
	{ruleValue, Error, "A value is none of those allowed, or out of range."},
	{ruleParameterName, Error, "A parameter has a name that references cannot express."},
	{ruleParameterType, Error, "A parameter has no type, or one that does not exist."},
	{ruleParameterDefault, Error, "A default breaks the parameter's own type, allowed values, pattern or limits."},
	{ruleParameterUnused, Warning, "A parameter is declared and nothing refers to it."},
	{ruleUndeclared, Error, "Something refers to a parameter that is not declared."},
	{ruleSecret, Warning, "A default looks like a secret: everybody who can read the document can read it."},
	{rulePattern, Error, "An allowedPattern is no regular expression."},
	{ruleDialect, Warning, "An allowedPattern means different things to the service (Java) and to the agent (Go)."},
	{ruleAction, Warning, "An action is not known; an error when it is one slip away from one that is."},
	{ruleInput, Warning, "An action does not know an input; an error when it is one slip away from one that it knows."},
	{ruleMissingInput, Error, "An action lacks an input that it needs."},
	{ruleStepName, Error, "A step has no name, or one that references cannot express."},
	{ruleDuplicateStep, Error, "Two steps have one name."},
	{ruleStepTarget, Error, "nextStep, onFailure, onCancel or a choice names a step that does not exist."},
	{ruleUnreachable, Warning, "No way through the runbook leads to a step."},
	{ruleEndless, Warning, "From a step no way leads to the end of the runbook."},
	{ruleOutput, Error, "Something refers to a step that does not exist, or to an output that the step does not have."},
	{ruleOrder, Error, "Something refers to the output of a step that cannot have run before."},
	{rulePrecondition, Error, "A precondition is not of the form the agent reads."},
	{rulePlatform, Warning, "A step can never run on the platform its precondition asks for."},
	{ruleMixed, Info, "A document holds steps for several platforms without preconditions."},
	{ruleInjection, Warning, "A parameter's text becomes part of a script, and nothing keeps it from being a command of its own."},
	{ruleRuntime, Warning, "A script runs on a runtime that is unknown or out of support."},
	{ruleAssumeRole, Info, "A runbook names no role, so it runs with the rights of whoever starts it."},
	{rulePackageFile, Error, "A package's manifest names a file that it does not describe, or the reverse."},
}

// Rules returns all rules in the order of the documentation.
func Rules() []Rule { return slices.Clone(rules) }
