package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// cmdTicket starts a session as the AWS CLI does before it calls its plugin. The
// answer goes to $NAME, what was asked for to $REQUEST.
func cmdTicket(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: ticket NAME NODE [DOCUMENT [PARAMETER=VALUE...]]")
	}
	srv := simulators.get(ts)
	creds := srv.Credentials()
	scope, err := awsapi.Open(context.Background(), awsapi.Options{Static: &awsapi.Static{
		Endpoint: srv.URL(), Region: srv.World().Region(), AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey,
	}})
	ts.Check(err)
	in := &ssm.StartSessionInput{Target: aws.String(args[1]), Parameters: map[string][]string{}}
	if len(args) > 2 {
		in.DocumentName = aws.String(args[2])
		for _, pair := range args[3:] {
			name, value, _ := strings.Cut(pair, "=")
			in.Parameters[name] = append(in.Parameters[name], value)
		}
	}
	out, err := scope.SSM().StartSession(context.Background(), in)
	ts.Check(err)
	answer, err := json.Marshal(map[string]*string{"SessionId": out.SessionId, "TokenValue": out.TokenValue, "StreamUrl": out.StreamUrl})
	ts.Check(err)
	request := map[string]any{"Target": args[1]}
	if in.DocumentName != nil {
		request["DocumentName"], request["Parameters"] = *in.DocumentName, in.Parameters
	}
	asked, err := json.Marshal(request)
	ts.Check(err)
	ts.Setenv(args[0], string(answer))
	ts.Setenv("REQUEST", string(asked))
	ts.Setenv("TOKEN", *out.TokenValue)
}

// cmdPortOpened puts the address that the plugin says it listens on into $NAME.
func cmdPortOpened(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: port-opened NAME FILE")
	}
	words := strings.Fields(waitForLine(ts, ts.MkAbs(args[1]), " opened for sessionId "))
	ts.Setenv(args[0], "127.0.0.1:"+words[1]) // Port N opened
	waitForLine(ts, ts.MkAbs(args[1]), "Waiting for connections")
}
