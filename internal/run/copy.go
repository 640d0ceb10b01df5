package run

import (
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
)

// On returns a command, and how it stands on one node. An unknown command or node
// is a NotFound error. Where commands may not be listed, the command is known by its
// id alone.
func (s *Service) On(ctx context.Context, id, node string) (Command, Invocation, error) {
	if err := checkID(id); err != nil {
		return Command{}, Invocation{}, err
	}
	cmd, err := s.lookup(ctx, newPacer(), id)
	switch {
	case err != nil && mayNotList(err):
		cmd = Command{ID: id}
	case err != nil:
		return Command{}, Invocation{}, err
	}
	op := "read output of " + id + " on " + node
	in := &ssm.ListCommandInvocationsInput{CommandId: aws.String(id), InstanceId: aws.String(node), Details: true}
	list, err := s.api.ListCommandInvocations(ctx, in)
	switch {
	case err != nil && mayNotList(err):
		got, err := s.api.GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: aws.String(id), InstanceId: aws.String(node)})
		if err != nil {
			return Command{}, Invocation{}, awsapi.Explain(op, err)
		}
		return cmd, invocationFrom(id, node, got), nil
	case err != nil:
		return Command{}, Invocation{}, awsapi.Explain(op, err)
	case len(list.CommandInvocations) == 0:
		return Command{}, Invocation{}, fault.New(fault.NotFound, op, "the command has no invocation on this node").
			WithHint("run `ssmdeck command get %s` for the nodes it ran on", id)
	}
	return cmd, invocationOf(id, list.CommandInvocations[0]), nil
}

// Copy writes everything that a node wrote to stdout and stderr: from the API, and
// what that cut from where the command put it, however long it is. The Output
// returned has no text; it says whether something is missing all the same, and
// where it should be. Of a node that is not done nothing is written.
func (s *Service) Copy(ctx context.Context, c Command, inv Invocation, stdout, stderr io.Writer) (Output, error) {
	op := "read output of " + c.ID + " on " + inv.NodeID
	sum := Output{NodeID: inv.NodeID}
	if !ran(inv.State, inv.Detail) {
		return sum, nil
	}
	steps := []string{""}
	if len(inv.Steps) > 1 {
		steps = nil
		for _, step := range inv.Steps {
			steps = append(steps, step.Name)
		}
	}
	keep := keepingOf(c)
	out, errs := &joiner{w: stdout}, &joiner{w: stderr}
	for _, step := range steps {
		in := &ssm.GetCommandInvocationInput{CommandId: aws.String(c.ID), InstanceId: aws.String(inv.NodeID)}
		if step != "" {
			in.PluginName = aws.String(step)
		}
		got, err := s.api.GetCommandInvocation(ctx, in)
		if err != nil {
			return sum, awsapi.Explain(op, err)
		}
		keep.group = cmp.Or(keep.group, logGroup(got.CloudWatchOutputConfig, aws.ToString(got.DocumentName)))
		o := longOf(got)
		p := part{command: c.ID, node: inv.NodeID, step: cmp.Or(step, aws.ToString(got.PluginName)), ended: inv.Ended}
		for _, stream := range []struct {
			name, text, url string
			most            int
			to              *joiner
		}{{"stdout", o.Stdout, o.StdoutURL, maxStdout, out}, {"stderr", o.Stderr, o.StderrURL, maxStderr, errs}} {
			stream.to.next()
			p.stream, p.url = stream.name, stream.url
			if err := s.copyStream(ctx, keep, p, stream.text, stream.most, stream.to, &sum); err != nil {
				return sum, err
			}
		}
	}
	return sum, nil
}

// copyStream writes one stream of one step.
func (s *Service) copyStream(ctx context.Context, keep keeping, p part, text string, most int, to io.Writer, sum *Output) error {
	if !isCutAt(text, most) {
		_, err := io.WriteString(to, text)
		return err
	}
	p.head = beginning(text)
	err := copyWhole(ctx, s.store, keep, p, to)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errPartly), errors.Is(err, logstore.ErrMissing):
		sum.Truncated = true
		sum.More = cmp.Or(sum.More, keep.absent(p, err))
		_, err := io.WriteString(to, text)
		return err
	}
	return err
}

// joiner puts the outputs of steps one below the other, each on its own line.
type joiner struct {
	w       io.Writer
	midLine bool
	pending bool // a step is to begin
}

func (j *joiner) next() { j.pending = j.midLine }

func (j *joiner) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if j.pending {
		if _, err := io.WriteString(j.w, "\n"); err != nil {
			return 0, err
		}
		j.pending = false
	}
	j.midLine = b[len(b)-1] != '\n'
	return j.w.Write(b)
}

// invocationFrom is the invocation that GetCommandInvocation tells of.
func invocationFrom(id, node string, got *ssm.GetCommandInvocationOutput) Invocation {
	inv := Invocation{CommandID: id, NodeID: node, State: Waiting, ExitCode: NoExit}
	inv = merged(inv, got)
	if got.Status == types.CommandInvocationStatusPending && inv.Detail == "" {
		inv.Detail = string(got.Status)
	}
	return inv
}
