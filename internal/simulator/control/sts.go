package control

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// stsNamespace is the XML name space of STS answers.
const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// queryCodes are the error codes of the query protocol where they differ from
// those of JSON 1.1.
var queryCodes = map[string]string{
	"InvalidSignatureException":           "SignatureDoesNotMatch",
	"UnrecognizedClientException":         "InvalidClientTokenId",
	"MissingAuthenticationTokenException": "MissingAuthenticationToken",
	"ExpiredTokenException":               "ExpiredToken",
	"IncompleteSignatureException":        "IncompleteSignature",
	"ThrottlingException":                 "Throttling",
	"ValidationException":                 "ValidationError",
	"AccessDeniedException":               "AccessDenied",
	"AccessDenied":                        "AccessDenied",
}

type responseMetadata struct {
	RequestID string `xml:"RequestId"`
}

type callerIdentityResponse struct {
	XMLName  xml.Name         `xml:"GetCallerIdentityResponse"`
	XMLNS    string           `xml:"xmlns,attr"`
	Arn      string           `xml:"GetCallerIdentityResult>Arn"`
	UserID   string           `xml:"GetCallerIdentityResult>UserId"`
	Account  string           `xml:"GetCallerIdentityResult>Account"`
	Metadata responseMetadata `xml:"ResponseMetadata"`
}

type assumeRoleResponse struct {
	XMLName         xml.Name         `xml:"AssumeRoleResponse"`
	XMLNS           string           `xml:"xmlns,attr"`
	Arn             string           `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
	AssumedRoleID   string           `xml:"AssumeRoleResult>AssumedRoleUser>AssumedRoleId"`
	AccessKeyID     string           `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	SecretAccessKey string           `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
	SessionToken    string           `xml:"AssumeRoleResult>Credentials>SessionToken"`
	Expiration      string           `xml:"AssumeRoleResult>Credentials>Expiration"`
	Metadata        responseMetadata `xml:"ResponseMetadata"`
}

type queryError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	XMLNS     string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// serveSTS answers a request in the query protocol.
func (h *Handler) serveSTS(w http.ResponseWriter, r *http.Request, body []byte, id string) {
	out, err := h.sts(r, body, id)
	if err != nil {
		e := asAPIError(err)
		status, code := http.StatusBadRequest, e.Code
		if c, ok := queryCodes[code]; ok {
			code = c
			if c != "ValidationError" && c != "Throttling" {
				status = http.StatusForbidden
			}
		}
		writeXML(w, status, queryError{XMLNS: stsNamespace, Type: "Sender", Code: code, Message: e.Message, RequestID: id})
		return
	}
	writeXML(w, http.StatusOK, out)
}

func (h *Handler) sts(r *http.Request, body []byte, id string) (any, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &apiError{Code: "MalformedInput", Message: "The request body is not a form."}
	}
	caller, err := h.verifier.Verify(r, body, "sts")
	if err != nil {
		return nil, err
	}
	action := form.Get("Action")
	switch action {
	case "GetCallerIdentity", "AssumeRole":
	default:
		return nil, &apiError{Code: "InvalidAction", Message: "Could not find operation " + action + " for version " + form.Get("Version")}
	}
	h.count(caller, action)
	switch denied := "sts:" + action; {
	case action == "AssumeRole" && h.world.Denies(denied):
		return nil, &apiError{Code: "AccessDenied", Message: "User: " + caller.ARN + " is not authorized to perform: " + denied}
	case !h.throttle.allow(action):
		return nil, &apiError{Code: "ThrottlingException", Message: "Rate exceeded"}
	}
	if action == "AssumeRole" {
		return h.assumeRole(caller, form, id)
	}
	return callerIdentityResponse{
		XMLNS: stsNamespace, Arn: caller.ARN, UserID: caller.UserID, Account: h.world.Account(), Metadata: responseMetadata{id},
	}, nil
}

var (
	roleARN     = pattern.Lazy(`^arn:aws:iam::(\d{12}):role/(?:[\w+=,.@/-]*/)?([\w+=,.@-]{1,64})$`)
	sessionName = pattern.Lazy(`^[\w+=,.@-]{2,64}$`)
)

func (h *Handler) assumeRole(caller Caller, form url.Values, id string) (any, error) {
	role := roleARN().FindStringSubmatch(form.Get("RoleArn"))
	session := form.Get("RoleSessionName")
	seconds := 3600
	if s := form.Get("DurationSeconds"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 900 || n > 43200 {
			return nil, invalid("1 validation error detected: Value '" + s + "' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200")
		}
		seconds = n
	}
	switch {
	case role == nil:
		return nil, invalid("Invalid RoleArn: " + form.Get("RoleArn"))
	case !sessionName().MatchString(session):
		return nil, invalid("1 validation error detected: Value '" + session + "' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*")
	case strings.Contains(strings.ToLower(role[2]), "denied"): // a role to try a refusal with
		return nil, &apiError{Code: "AccessDenied", Message: "User is not authorized to perform: sts:AssumeRole on resource: " + role[0]}
	}
	if err := h.trusts(caller, role[0], role[1], role[2], form.Get("ExternalId")); err != nil {
		return nil, err
	}
	c := temporary(role[1], role[2], session, h.verifier.now().Add(time.Duration(seconds)*time.Second))
	h.verifier.Issue(c)
	return assumeRoleResponse{
		XMLNS: stsNamespace, Arn: c.Caller.ARN, AssumedRoleID: c.Caller.UserID, AccessKeyID: c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		Expiration: c.Expires.UTC().Format(time.RFC3339), Metadata: responseMetadata{id},
	}, nil
}

func writeXML(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	if err := xml.NewEncoder(&buf).Encode(v); err != nil {
		http.Error(w, "the answer could not be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes())
}
