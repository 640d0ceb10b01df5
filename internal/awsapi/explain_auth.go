package awsapi

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// loginHint says what to type to get fresh credentials.
func (o origin) loginHint() string {
	suffix := ""
	if o.profile != "" {
		suffix = " --profile " + o.profile
	}
	switch {
	case o.login:
		return "run `aws login" + suffix + "`"
	case o.sso:
		return "run `aws sso login" + suffix + "`"
	case o.named:
		return "log in again (`aws sso login" + suffix + "`), or renew the keys with `aws configure" + suffix + "`"
	default:
		return "log in again (`aws sso login`), or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
	}
}

// byCredentials explains that no credentials could be had. The SDK tells this
// in texts, not in types; the texts are pinned by tests that run its chain.
func byCredentials(e *fault.Error, err error, org origin) bool {
	text := err.Error()
	if !strings.Contains(text, "get credentials") && !strings.Contains(text, "get identity") &&
		!strings.Contains(text, "failed to refresh cached credentials") {
		return false
	}
	var api smithy.APIError
	metadata := strings.Contains(text, "IMDS") // unreachable means: not on EC2
	if !metadata && !errors.As(err, &api) && byNetwork(e, err, org) {
		return true
	}
	e.Kind = fault.Auth
	var sso *ssocreds.InvalidTokenError
	var process *processcreds.ProviderError
	switch {
	case errors.As(err, &sso), strings.Contains(text, "SSO token"), strings.Contains(text, "SSO session"),
		strings.Contains(text, "operation error SSO"):
		explainSSO(e, err, org)
	case strings.Contains(text, "login session"), strings.Contains(text, "login token"):
		org.login = true
		e.Err = said("the login session has expired or was never begun", err)
		e.Hint = org.loginHint()
	case errors.As(err, &process):
		// Not wrapped: the SDK's text quotes the output, keys and all.
		e.Err = errors.New("the credential_process of the profile gave no credentials")
		e.Hint = "run the credential_process command of the profile by hand to see why"
	case strings.Contains(text, "operation error STS: AssumeRole"):
		explainRole(e, err, org)
	case strings.Contains(text, "unable to read file at"): // the web identity token
		e.Err = said("the web identity token cannot be read", err)
		e.Hint = "check AWS_WEB_IDENTITY_TOKEN_FILE"
	case metadata, strings.Contains(text, "static credentials are empty"):
		noCredentials(e, err, org)
	default:
		e.Err = said("no credentials: "+oneLine(lastPart(innermost(err).Error())), err)
		e.Hint = org.loginHint()
	}
	return true
}

func noCredentials(e *fault.Error, err error, org origin) {
	if org.named {
		e.Err = said(fmt.Sprintf("profile %s has no credentials", org.profile), err)
		e.Hint = fmt.Sprintf("run `aws configure --profile %s` or `aws configure sso --profile %s`", org.profile, org.profile)
		return
	}
	e.Err = said("no AWS credentials were found", err)
	e.Hint = "run `aws configure` or `aws sso login`, choose a profile with --profile, or try `ssmdeck demo`"
}

// explainSSO explains that IAM Identity Center gave no credentials.
func explainSSO(e *fault.Error, err error, org origin) {
	org.sso = true
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code = api.ErrorCode()
		switch kind, _ := kindOf(e.Code); {
		case e.Code == "ForbiddenException":
			e.Err = said("IAM Identity Center does not give you this account or role", err)
			e.Hint = "check sso_account_id and sso_role_name of the profile"
			return
		case kind == fault.Throttled:
			byService(e, err, org)
			return
		}
	}
	e.Err = said("the SSO session has expired or was never begun", err)
	e.Hint = org.loginHint()
}

// explainRole explains that STS did not give the role.
func explainRole(e *fault.Error, err error, org origin) {
	if !byService(e, err, org) && !byNetwork(e, err, org) {
		e.Err = said("the role cannot be assumed: "+oneLine(lastPart(err.Error())), err)
	}
	if e.Kind != fault.Throttled {
		e.Kind = fault.Auth // also when STS calls the request invalid
	}
	if e.Hint == "" {
		e.Hint = "check role_arn, mfa_serial and the trust policy of the role"
	}
}

// lastPart is the end of a chain of wrapped errors, where the cause stands.
func lastPart(s string) string {
	if i := strings.LastIndex(s, ", "); i >= 0 {
		return s[i+2:]
	}
	return s
}

var (
	deniedAction   = pattern.Lazy(`not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9*]+)`)
	deniedResource = pattern.Lazy(`on (?:the )?resource:? ("?arn:[^\s"]+"?|\*)`)
	explicitDeny   = pattern.Lazy(`explicit deny in an? ([a-z -]*policy)`)
)

// explainDenied names the missing permission. When the message does not, it is
// the operation's: IAM names the two alike.
func explainDenied(e *fault.Error, err error, api smithy.APIError) {
	e.Kind = fault.Auth
	msg := api.ErrorMessage()
	action := ""
	if m := deniedAction().FindStringSubmatch(msg); m != nil {
		action = m[1]
	} else if service, name := operation(err); name != "" {
		action = service + ":" + name
	}
	what := action
	if m := deniedResource().FindStringSubmatch(msg); m != nil && m[1] != "*" {
		what += " on " + strings.Trim(m[1], `"`)
	}
	if action == "" {
		e.Err = said("not allowed: "+oneLine(msg), err)
		e.Hint = "ask for the missing permission"
		return
	}
	if m := explicitDeny().FindStringSubmatch(msg); m != nil {
		policy := strings.TrimSpace(m[1])
		article := "a"
		if strings.HasPrefix(policy, "i") { // identity-based
			article = "an"
		}
		e.Err = said(fmt.Sprintf("not allowed: %s (explicit deny in %s %s)", what, article, policy), err)
		e.Hint = "ask whoever owns that policy; another Allow does not help against a Deny"
		return
	}
	e.Err = said("not allowed: "+what, err)
	e.Hint = "ask for an IAM policy that allows " + what
}
