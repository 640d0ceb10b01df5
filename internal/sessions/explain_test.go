package sessions

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// says holds an error against its kind and parts of its text and hint.
func says(t *testing.T, name string, err error, kind fault.Kind, text, hint string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: no error", name)
	case fault.KindOf(err) != kind:
		t.Errorf("%s: kind %v of %v", name, fault.KindOf(err), err)
	case !strings.Contains(err.Error(), text):
		t.Errorf("%s: text %q", name, err)
	case !strings.Contains(fault.HintOf(err), hint):
		t.Errorf("%s: hint %q", name, fault.HintOf(err))
	}
}

// refused is StartSession's answer.
func refused(err error) error {
	return &smithy.OperationError{ServiceID: "SSM", OperationName: "StartSession", Err: err}
}

func denied(resource string) error {
	return refused(&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "User: arn:aws:iam::123456789012:user/me is not authorized to perform: ssm:StartSession on resource: " + resource})
}

func TestEveryRefusalToStartHasItsWords(t *testing.T) {
	const instance = "arn:aws:ec2:eu-central-1:123456789012:instance/" + node
	tests := []struct {
		name     string
		document string
		err      error
		kind     fault.Kind
		text     string
		hint     string
	}{
		{"the node is offline", "", refused(&types.TargetNotConnected{Message: aws.String(node + " is not connected.")}), fault.Offline, "agent is not connected", "ssmdeck node get " + node},
		{"an unknown document", "Ours", refused(&types.InvalidDocument{}), fault.NotFound, "session document Ours does not exist here", "--document"},
		{"the node is not allowed", "", denied(instance), fault.Auth, "not allowed: ssm:StartSession on " + instance, "ssmdeck access request " + node},
		{"the document is not allowed", DocumentPort, denied("arn:aws:ssm:eu-central-1::document/" + DocumentPort), fault.Auth, "your role may not use session document " + DocumentPort, "--document"},
		{"the account's own document is not allowed", "", denied("arn:aws:ssm:eu-central-1:123456789012:document/SSM-SessionManagerRunShell"), fault.Auth, "may not use session document SSM-SessionManagerRunShell", "ssm:StartSession"},
		{"the tier of hybrid nodes", "", refused(&smithy.GenericAPIError{Code: "BadRequest", Message: "Enable advanced-instances tier to use Session Manager with your on-premises instances."}), fault.Failed, "advanced-instances tier, which is not turned on", "ssmdeck run"},
		{"a quota", "", refused(&smithy.GenericAPIError{Code: "ServiceQuotaExceededException", Message: "You have reached the limit of sessions."}), fault.Limit, "limit of sessions", "session terminate"},
		{"a session limit", "", refused(&smithy.GenericAPIError{Code: "SessionLimitExceeded", Message: "Too many."}), fault.Limit, "Too many", "session list"},
		{"a throttle", "", refused(&smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}), fault.Throttled, "slow down", ""},
		{"bad parameters", "Ours", refused(&smithy.GenericAPIError{Code: "InvalidParameters", Message: "Parameter x is not defined in the document."}), fault.Usage, "Parameter x", ""},
		{"expired credentials", "", refused(&smithy.GenericAPIError{Code: "ExpiredTokenException", Message: "expired"}), fault.Auth, "credentials have expired", "log in"},
	}
	for _, tt := range tests {
		m := NewMockapi(gomock.NewController(t))
		m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(nil, tt.err)
		_, err := newService(m, noChannel{}, Options{}).Open(context.Background(), Request{Target: node, Document: tt.document})
		says(t, tt.name, err, tt.kind, tt.text, tt.hint)
	}
}

func TestWithAnAccessRequestNoOtherIsProposed(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(nil, denied("arn:aws:ec2:eu-central-1:123456789012:instance/"+node))
	_, err := newService(m, noChannel{}, Options{Access: new(awsapi.Scope)}).Open(context.Background(), Request{Target: node})
	if fault.KindOf(err) != fault.Auth || strings.Contains(fault.HintOf(err), "access request") {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
}

func TestEveryEndHasItsWords(t *testing.T) {
	const start = "Encountered error while initiating handshake. "
	tests := []struct {
		reason string // as agents and the service write it
		kind   fault.Kind
		hint   string
	}{
		{"lookup db.internal: no such host", fault.Failed, "exec " + node + " -- getent hosts"},
		{"lookup db.internal on 10.0.0.2:53: server misbehaving", fault.Failed, "resolv.conf"},
		{"Forwarding to IP address 169.254.169.254 is forbidden.", fault.Failed, "leave out the host"},
		{"Unable to connect to specified port: dial tcp 127.0.0.1:9: connect: connection refused", fault.Failed, "exec " + node + " -- ss -ltn"},
		{"Plugin with name NonInteractiveCommands is not supported by this version of ssm agent, please update to latest version", fault.Failed, "run -t " + node + " --document AWS-UpdateSSMAgent"},
		{"We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group. Either …", fault.Failed, "log-encryption=off"},
		{"We couldn't start the session because encryption is not set up on the selected Amazon S3 bucket. Either …", fault.Failed, "s3-encryption=off"},
		{"Unable to start shell: failed to start pty since RunAs user ops does not exist", fault.Failed, "run-as"},
		{"Unable to start shell: please set the RunAs default user", fault.Failed, "run-as=USER"},
		{"Unable to start shell: fork/exec /bin/sh: permission denied", fault.Failed, "agent's log"},
		{"Your session timed out due to inactivity and has been terminated.", fault.Failed, "idle-timeout"},
		{"Your session reached its maximum duration and has been terminated.", fault.Failed, "max-duration"},
		{start + "fetching data key failed: AccessDeniedException", fault.Auth, "kms:Decrypt"},
		{start + "KMS challenge response is required, but was not acknowledged by the client", fault.Auth, "update ssmdeck"},
		{start + "Handshake timed out. Please ensure that you have the latest version of the session manager plugin.", fault.Failed, "try again"},
		{"something new", fault.Failed, ""},
	}
	for _, tt := range tests {
		m := NewMockapi(gomock.NewController(t))
		m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(started(), nil)
		m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Return(&ssm.TerminateSessionOutput{}, nil)
		_, err := newService(m, noChannel{}, Options{}).Open(context.Background(), Request{Target: node, Document: DocumentNonInteractive}, dialing(newScript(closed(tt.reason)), nil))
		says(t, tt.reason, err, tt.kind, tt.reason, tt.hint)
		if tt.hint == "" && fault.HintOf(err) != "" {
			t.Errorf("%s: hint %q", tt.reason, fault.HintOf(err))
		}
	}
}

func TestAnEndKeepsWhatIsKnownOfIt(t *testing.T) {
	own := fault.New(fault.NotFound, "forward", "lookup x: no such host").WithHint("mine")
	if got := ExplainEnd(own, node); got != error(own) {
		t.Errorf("its hint is replaced: %v", fault.HintOf(got))
	}
	if plain := errors.New("no such host"); ExplainEnd(plain, node) != plain {
		t.Error("an error of another sort is changed")
	}
	kept := ExplainEnd(fault.New(fault.Offline, "forward", "due to inactivity"), node)
	says(t, "a kind of its own", kept, fault.Offline, "inactivity", "idle-timeout")
}
