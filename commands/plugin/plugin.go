package plugin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// responseVariable begins the names of variables that the AWS CLI puts a
// session's ticket into.
const responseVariable = "AWS_SSM_START_SESSION_RESPONSE"

// Is reports whether a program that was called as argv0 was called as the
// plugin.
func Is(argv0 string) bool {
	name := filepath.Base(argv0)
	if ext := filepath.Ext(name); strings.EqualFold(ext, ".exe") {
		name = strings.TrimSuffix(name, ext)
	}
	return strings.EqualFold(name, cli.PluginName)
}

// Run does what the AWS CLI wants of its plugin, and returns the exit code.
func Run(ctx context.Context, env *cli.Env) int {
	err := plugin(ctx, env)
	env.Close()
	return env.Report(ctx, err)
}

func plugin(ctx context.Context, env *cli.Env) error {
	switch args := env.Args; {
	case len(args) == 0: // how the AWS CLI sees whether there is one
		_, err := fmt.Fprint(env.Out, "\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n")
		return err
	case len(args) == 1 && args[0] == "--version":
		// What features the AWS CLI uses depends on it, so it is not our own.
		_, err := fmt.Fprintln(env.Out, sessionclient.ClientVersion)
		return err
	case len(args) == 1:
		return fault.Usagef("%s is called by the AWS CLI, with the answer of StartSession", cli.PluginName).
			WithHint("this is ssmdeck under another name; run `ssmdeck shell NODE`, or `aws ssm start-session --target NODE`")
	}
	call, err := parsePluginCall(env.Args, env.Lookup, os.Unsetenv)
	if err != nil {
		return err
	}
	if err := call.open(ctx, env); err != nil {
		return err
	}
	return call.serve(ctx, env)
}

// pluginCall is what the AWS CLI passes on.
type pluginCall struct {
	ticket   sessionclient.Ticket
	region   string
	profile  string
	request  sessions.Request
	endpoint string
	old      bool // an AWS CLI that passes no request
}

// parsePluginCall reads the arguments of a call:
//
//	RESPONSE REGION StartSession [PROFILE [REQUEST [ENDPOINT]]]
//
// RESPONSE is the answer of StartSession or ecs:ExecuteCommand as JSON, or the
// name of a variable that holds it, which is unset so that no child of ours sees
// the token. Errors never quote it.
func parsePluginCall(args []string, lookup func(string) (string, bool), unset func(string) error) (*pluginCall, error) {
	if len(args) < 3 || len(args) > 6 {
		return nil, fault.Usagef("%s: %d arguments instead of 3 to 6", cli.PluginName, len(args))
	}
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	if arg(2) != "StartSession" {
		return nil, fault.Usagef("%s: unknown operation %q", cli.PluginName, arg(2))
	}
	response := arg(0)
	if name := response; strings.HasPrefix(name, responseVariable) {
		var ok bool
		if response, ok = lookup(name); !ok {
			return nil, fault.Usagef("%s: the variable %s is not set", cli.PluginName, name)
		}
		if err := unset(name); err != nil {
			return nil, fault.New(fault.Failed, "unset "+name, "%w", err)
		}
	}
	// The names differ in case between the two services, which does not count here.
	var answer struct{ SessionID, TokenValue, StreamURL string }
	if json.Unmarshal([]byte(response), &answer) != nil || answer.SessionID == "" || answer.TokenValue == "" || answer.StreamURL == "" {
		return nil, fault.Usagef("%s: the first argument is no answer of StartSession", cli.PluginName)
	}
	c := &pluginCall{
		ticket: sessionclient.Ticket{SessionID: answer.SessionID, Token: answer.TokenValue, StreamURL: answer.StreamURL},
		region: arg(1), profile: arg(3), old: len(args) < 5,
	}
	if !c.old {
		var request struct {
			Target, DocumentName, Reason string
			Parameters                   map[string][]string
		}
		if err := json.Unmarshal([]byte(arg(4)), &request); err != nil {
			return nil, fault.New(fault.Usage, cli.PluginName+": the request", "%w", err)
		}
		c.request = sessions.Request{
			Target: request.Target, Document: request.DocumentName, Parameters: request.Parameters, Reason: request.Reason,
		}
	}
	c.endpoint = pluginEndpoint(arg(5), c.request.Target)
	return c, nil
}

// pluginEndpoint is where to resume and end the session. For containers the AWS
// CLI names the endpoint of ECS, which knows nothing of sessions.
func pluginEndpoint(endpoint, target string) string {
	u, err := url.Parse(endpoint)
	if err != nil || !strings.HasPrefix(target, "ecs:") {
		return endpoint
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return endpoint // a simulator serves everything
	}
	return ""
}

// open makes the scope that the session lives in.
func (c *pluginCall) open(ctx context.Context, env *cli.Env) error {
	log, err := env.Log()
	if err != nil {
		return err
	}
	o := awsapi.Options{
		Profile: c.profile, Region: c.region, EndpointURL: c.endpoint, AppVersion: env.Build.Version, Lookup: env.Lookup,
	}
	if env.Debugging() {
		o.Debug = log
	}
	scope, err := awsapi.Open(ctx, o)
	if err != nil {
		return err
	}
	env.Use(scope)
	return nil
}

// noKeys stands for KMS where the request, a part of every encryption context,
// is not known.
type noKeys struct{}

func (noKeys) DataKey(context.Context, string, map[string]string) (plain, sealed []byte, err error) {
	return nil, nil, fault.New(fault.Failed, "encrypt the session", "this AWS CLI is too old for sessions that KMS encrypts").
		WithHint("update the AWS CLI")
}

// attach joins the session that was started.
func (c *pluginCall) attach(ctx context.Context, env *cli.Env, events func(sessionclient.Event)) (*sessions.Session, error) {
	svc, err := env.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	opts := []sessionclient.Option{sessionclient.WithEvents(events)}
	if c.old {
		opts = append(opts, sessionclient.WithKeys(noKeys{}, ""))
	}
	if term := env.Terminal(); term != nil {
		if cols, rows, err := term.Size(); err == nil {
			opts = append(opts, sessionclient.WithSize(cols, rows))
		}
	}
	s, err := svc.Attach(ctx, c.ticket, c.request, opts...)
	var known *fault.Error
	if errors.As(err, &known) && known.Op != "" {
		known.Op = "session " + c.ticket.SessionID + " on " + cmp.Or(c.request.Target, "the node")
	}
	return s, err
}
