package awsapi

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// kindRule gives a kind to the error codes it matches, first match wins.
type kindRule struct {
	exact bool
	names []string
	kind  fault.Kind
}

// kindRules are those of the exit-code table: exact names, then parts of
// names. A test walks every exception of the SDK and wants a rule for each.
var kindRules = [...]kindRule{
	{true, []string{"TargetNotConnected"}, fault.Offline},
	{true, []string{"InvalidInstanceId", "InvalidDocument", "InvalidCommandId", "InvalidResourceId", "NoSuchBucket", "NoSuchKey", "NoSuchConfigRuleException"}, fault.NotFound},
	{true, []string{
		"MaxDocumentSizeExceeded", "HierarchyLevelLimitExceededException", "DuplicateInstanceId",
	}, fault.Usage},
	{true, []string{
		"AssociatedInstances", "AutomationDefinitionNotApprovedException", "FeatureNotAvailableException", "NoLongerSupportedException",
	}, fault.Failed},
	{true, []string{"AuthException"}, fault.Auth},                      // EC2 Instance Connect
	{true, []string{"EC2InstanceStateInvalidException"}, fault.Failed}, // stopped, not mistyped
	// Codes that no SDK type exists for.
	{true, []string{
		"RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "RequestThrottled", "RequestThrottledException",
	}, fault.Throttled},
	{true, []string{"UnauthorizedOperation", "InsufficientPermissionsException"}, fault.Auth}, // EC2's AccessDenied, that of AWS Config
	{true, []string{"MissingRequiredParameterException"}, fault.Usage},                        // CloudWatch
	{true, []string{"MaxNumberOfConfigRulesExceededException"}, fault.Limit},
	{true, []string{"UnknownOperationException", "InvalidAction", "SerializationException"}, fault.Failed},
	{true, []string{"InternalFailure", "InternalError", "ServiceUnavailable", "ServiceUnavailableException"}, fault.Service},
	{true, []string{"DisabledException", "KMSInvalidStateException"}, fault.Failed},

	{false, []string{"AccessDenied"}, fault.Auth},
	{false, []string{"NotFound", "DoesNotExist"}, fault.NotFound},
	{false, []string{"Throttling", "Throttled"}, fault.Throttled},
	{false, []string{"InternalServerError"}, fault.Service},
	{false, []string{"AlreadyExists", "InUse", "Conflict", "Duplicate", "Idempotent", "StatusUnchanged"}, fault.Conflict},
	{false, []string{"TooMany", "Limit", "Quota", "CountExceeded"}, fault.Limit},
	{false, []string{
		"Invalid", "Validation", "Unsupported", "Malformed", "Mismatch", "Incompatible",
	}, fault.Usage},
}

// kindOf applies kindRules to an error code.
func kindOf(code string) (kind fault.Kind, found bool) {
	for _, r := range kindRules {
		for _, name := range r.names {
			if code == name || (!r.exact && strings.Contains(code, name)) {
				return r.kind, true
			}
		}
	}
	return fault.Failed, false
}

// byService explains an error that the service itself answered with.
func byService(e *fault.Error, err error, org origin) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	e.Code = api.ErrorCode()
	msg := oneLine(api.ErrorMessage())
	if byKeys(e, err, api, org) {
		return true
	}
	e.Kind, _ = kindOf(e.Code)
	switch {
	case e.Code == "UnknownError" && (msg == "" || msg == e.Code) && byAnswer(e, err, hostOf(err)): // the SDK has found no code
	case e.Code == "TargetNotConnected":
		explainOffline(e, err, msg)
	case e.Kind == fault.Throttled:
		e.Err = said("AWS asks to slow down, also after several tries", err)
		e.Hint = "try again in a minute, or with less at once"
	case e.Kind == fault.Auth:
		explainDenied(e, err, api)
	case e.Code == "UnknownOperationException" || e.Code == "InvalidAction":
		_, name := operation(err)
		e.Err = said(fmt.Sprintf("this endpoint does not know %s", orThis(name)), err)
		e.Hint = "check --endpoint-url and --region"
	case e.Code == "InvalidInstanceId" && msg == "":
		e.Err = said("no such node, or it is not in a state that takes commands", err)
		e.Hint = "see `ssmdeck ls`"
	case e.Code == "InvalidResourceId" && msg == "":
		e.Err = said("there is no resource with this id here", err)
		e.Hint = "check the id, its type and the Region"
	case msg != "":
		e.Err = said(msg, err)
	default:
		e.Err = said(inWords(e.Code), err)
	}
	return true
}

// inWords turns a code that came without a message into what it says:
// ResourceDataSyncAlreadyExistsException is "resource data sync already exists".
func inWords(code string) string {
	var b strings.Builder
	for i, r := range strings.TrimSuffix(code, "Exception") {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && (code[i-1] < 'A' || code[i-1] > 'Z') {
			b.WriteByte(' ')
		}
		if upper && i+1 < len(code) && code[i+1] >= 'A' && code[i+1] <= 'Z' {
			b.WriteRune(r) // an abbreviation
			continue
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String()
}

// byKeys explains that the service does not accept the credentials.
func byKeys(e *fault.Error, err error, api smithy.APIError, org origin) bool {
	msg := api.ErrorMessage()
	switch e.Code {
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		e.Err = said("the credentials have expired", err)
		e.Hint = org.loginHint()
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure":
		e.Err = said("AWS does not know these credentials", err)
		e.Hint = org.loginHint()
	case "RequestExpired", "RequestTimeTooSkewed":
		e.Err = said("the request was signed at a time AWS does not accept", err)
		e.Hint = "set the clock of this machine (it must be right to five minutes)"
	case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException":
		if strings.Contains(msg, "expired") || strings.Contains(msg, "not yet current") {
			e.Err = said("the request was signed at a time AWS does not accept", err)
			e.Hint = "set the clock of this machine (it must be right to five minutes)"
			break
		}
		if strings.Contains(msg, "scoped to a valid region") {
			e.Err = said(oneLine(msg), err)
			e.Hint = "check --region and --endpoint-url: they must belong together"
			break
		}
		e.Err = said("the signature does not match: the secret key is wrong, or the clock", err)
		e.Hint = "check AWS_SECRET_ACCESS_KEY or the keys of the profile, and the clock of this machine"
	case "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		e.Err = said("AWS got no credentials", err)
		e.Hint = org.loginHint()
	case "OptInRequired", "SubscriptionRequiredException":
		e.Err = said("the account is not enabled for this service or Region", err)
		e.Hint = "enable the Region in the account settings, or choose another with --region"
	default:
		return false
	}
	e.Kind = fault.Auth
	return true
}

var nodeID = pattern.Lazy(`\bmi-[0-9a-f]{17}\b|\bi-(?:[0-9a-f]{17}|[0-9a-f]{8})\b`)

func explainOffline(e *fault.Error, err error, msg string) {
	id := nodeID().FindString(msg)
	if id == "" {
		id = nodeID().FindString(e.Op)
	}
	e.Err = said("the node's agent is not connected", err)
	if id != "" {
		e.Hint = fmt.Sprintf("run `ssmdeck node get %s` to see when it was last heard of", id)
		return
	}
	e.Hint = "run `ssmdeck ls` to see when it was last heard of"
}

func orThis(operation string) string {
	if operation == "" {
		return "this operation"
	}
	return operation
}
