package session

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessionlog"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

type logsOptions struct {
	source string
	since  cli.SinceFlag
	follow bool
	text   bool
}

func newLogsCmd(env *cli.Env) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:     "logs <session-id>",
		Aliases: []string{"log"},
		Short:   "Print the log of a session from S3 or CloudWatch Logs",
		Long: `Print what Session Manager kept of a session's output. Where it is comes from the
session itself, or from the settings it was started with (see
` + "`ssmdeck session prefs get`" + `). Logs are uploaded when a session ends; with streaming
turned on they are in CloudWatch Logs while it runs, and --follow shows them as
they come. The log of a session that has just ended is waited for.

On a terminal colours are kept and whatever else controls a terminal is left out;
--text leaves out colours too. In a pipe the log is written as it is. With
-o jsonl each event is one object with its time.`,
		Example: `  $ ssmdeck session logs alice-0a1b2c3d4e5f6a7b8
  $ ssmdeck session logs alice-0a1b2c3d4e5f6a7b8 --text > session.txt
  $ ssmdeck session logs alice-0a1b2c3d4e5f6a7b8 --follow --since 10m`,
		Args:              cli.ExactArgs("the session's id"),
		ValidArgsFunction: completePastSession(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args[0])
		},
	}
	cmd.Flags().StringVar(&o.source, "source", "", "read from `service`: s3 or cloudwatch (default: wherever it is)")
	o.since.Bind(cmd, "events")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with new events until the session ends")
	cmd.Flags().BoolVar(&o.text, "text", false, "leave out colours and everything else that controls a terminal")
	cli.CompleteFlag(cmd, "source", func() []string { return []string{"s3", "cloudwatch"} })
	return cmd
}

// request checks the flags.
func (o *logsOptions) request(id string, format render.Format, now time.Time) (sessionlog.Request, error) {
	req := sessionlog.Request{ID: id, Source: sessionlog.Source(o.source), Follow: o.follow}
	switch format {
	case render.FormatAuto, render.FormatText:
	case render.FormatJSONL:
		if req.Source == "" {
			req.Source = sessionlog.CloudWatch
		}
	default:
		return req, fault.Usagef("a log has no form as %s", format).WithHint("leave out -o, or use -o jsonl for events with their times")
	}
	switch {
	case o.source != "" && req.Source != sessionlog.S3 && req.Source != sessionlog.CloudWatch:
		return req, fault.Usagef("--source %q is neither s3 nor cloudwatch", o.source)
	case req.Source == sessionlog.S3 && (o.follow || o.since != "" || format == render.FormatJSONL):
		return req, fault.Usagef("a log in S3 has no times: --follow, --since and -o jsonl need CloudWatch Logs")
	}
	var err error
	req.Since, err = o.since.Time(now)
	return req, err
}

func (o *logsOptions) run(ctx context.Context, env *cli.Env, id string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	req, err := o.request(id, ro.Format, time.Now())
	if err != nil {
		return err
	}
	svc, err := openLogs(ctx, env)
	if err != nil {
		return err
	}
	dim := env.ErrStyles().Dim
	watch := sessionlog.Watch{
		Found:   func(l sessionlog.Location) { env.Note("%s", dim.Render(render.Visible(l.String()))) },
		Waiting: func() { env.Note("%s", dim.Render("the log is not there yet: waiting for it")) },
	}
	if ro.Format == render.FormatJSONL {
		enc := json.NewEncoder(env.Out)
		enc.SetEscapeHTML(false)
		return svc.Read(ctx, req, watch, func(c sessionlog.Chunk) error {
			return enc.Encode(logEvent{Time: c.Time.Format("2006-01-02T15:04:05.000Z07:00"), Text: string(c.Data)})
		})
	}
	out, finish := o.writer(env.Out, ro.Terminal())
	err = svc.Read(ctx, req, watch, func(c sessionlog.Chunk) error {
		_, err := out.Write(c.Data)
		return err
	})
	if ferr := finish(); err == nil {
		err = ferr
	}
	return err
}

// logEvent is a line of -o jsonl.
type logEvent struct {
	Time string `json:"time"` // RFC 3339 with milliseconds, UTC
	Text string `json:"text"`
}

// writer is where the log goes, and what to do at its end.
func (o *logsOptions) writer(out io.Writer, terminal bool) (io.Writer, func() error) {
	mode := sessionlog.Safe
	switch {
	case o.text:
		mode = sessionlog.Text
	case !terminal:
		return out, func() error { return nil }
	}
	f := sessionlog.NewFilter(out, mode)
	return f, f.Close
}

// openLogs returns the service that reads session logs.
func openLogs(ctx context.Context, env *cli.Env) (*sessionlog.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	svc, err := env.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	return sessionlog.New(logstore.New(scope.Config()), svc, preferences.New(scope.SSM())), nil
}

// completePastSession completes the ids of running sessions and of the latest
// that have ended.
func completePastSession(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		words, directive := completeSession(env)(cmd, nil, typed)
		if len(args) > 0 {
			return nil, directive
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
		defer cancel()
		svc, err := env.Sessions(ctx)
		if err != nil {
			return words, directive
		}
		const latest = 50
		for s, err := range svc.List(ctx, sessions.Filter{History: true}) {
			if err != nil || len(words) >= latest {
				break
			}
			words = append(words, s.ID+"\t"+s.Target+" "+s.Status)
		}
		return words, directive
	}
}
