package run

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Cancel asks the service to stop a command on the nodes given, on all when
// there are none. Asking comes first, and is repeated for up to 5 seconds when
// the service does not know the command: it may have been sent just now. What
// is no id is a Usage error before any call; an unknown id is a NotFound error.
//
// The command returned is read after asking. When its state is final, it had
// ended by itself and there was nothing to stop; one that was cancelled, by
// this call or before, is returned as Cancelling. When it cannot be read, only
// its id and that state are set. The service promises no more than to try; a
// script that runs may end first.
func (s *Service) Cancel(ctx context.Context, id string, nodes []string) (Command, error) {
	r := s.CancelAll(ctx, []string{id}, nodes)
	return r[0].Command, r[0].Err
}

// CancelResult is what became of the request to cancel one command.
type CancelResult struct {
	ID      string
	Command Command
	Err     error
}

// readBack is up to how many commands are read after they were cancelled; of more
// it is only known that the service took the request.
const readBack = 20

// CancelAll is Cancel for several commands; the results are in their order. All of
// those that the service does not know are waited for together.
func (s *Service) CancelAll(ctx context.Context, ids, nodes []string) []CancelResult {
	results := make([]CancelResult, len(ids))
	batches := [][]string{nil}
	if len(nodes) > 0 {
		batches = slices.Collect(slices.Chunk(nodes, maxIDs))
	}
	p := newPacer()
	var open []*canceller
	for i, id := range ids {
		results[i].ID = id
		if results[i].Err = checkID(id); results[i].Err == nil {
			open = append(open, &canceller{service: s, pacer: p, id: id, op: "cancel command " + id, batches: batches, read: len(ids) <= readBack, at: i})
		}
	}
	waiting := open
	_, err := await(ctx, func() (bool, error) {
		var unknown []*canceller
		for _, c := range waiting {
			if c.seen, c.err = c.attempt(ctx); !c.seen && c.err == nil {
				unknown = append(unknown, c)
			}
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
		}
		waiting = unknown
		return len(waiting) == 0, nil
	})
	for _, c := range open {
		switch {
		case c.seen || c.err != nil:
		case err != nil:
			c.err = awsapi.Explain(c.op, err)
		default:
			c.err = unknown(c.op)
		}
		results[c.at].Command, results[c.at].Err = c.result(ctx)
	}
	return results
}

// A canceller is one Cancel on its way.
type canceller struct {
	service  *Service
	pacer    *pacer
	id       string
	op       string
	at       int        // place among the results
	read     bool       // look at the command afterwards
	batches  [][]string // of node ids
	accepted int        // requests, over all attempts
	seen     bool       // the service knows the command
	cmd      Command
	err      error
}

// result is the command, or the error unless there is nothing left to cancel.
func (c *canceller) result(ctx context.Context) (Command, error) {
	if c.err == nil {
		return c.cmd, nil
	}
	if c.accepted == 0 && fault.KindOf(c.err) == fault.NotFound {
		if cmd, ok, err := c.service.listed(ctx, c.pacer, c.id); err == nil && ok && cmd.State.Final() {
			return cmd, nil
		}
	}
	return c.cmd, c.err
}

// attempt asks once for every batch, and reports whether the service is known
// to know the command. Asking twice does no harm.
func (c *canceller) attempt(ctx context.Context) (seen bool, err error) {
	op := c.op
	c.cmd = Command{ID: c.id, State: Cancelling}
	for i, batch := range c.batches {
		if err := c.pacer.wait(ctx); err != nil {
			return false, awsapi.Explain(op, err)
		}
		_, err := c.service.api.CancelCommand(ctx, &ssm.CancelCommandInput{CommandId: aws.String(c.id), InstanceIds: batch})
		switch {
		case err == nil:
			c.accepted++
		case weigh(err) == isNotYet:
			return false, nil
		default:
			if i > 0 {
				op += " on the nodes from " + batch[0] + " on"
			}
			return false, awsapi.Explain(op, err)
		}
	}
	if !c.read {
		return true, nil
	}
	cmd, ok, err := c.service.listed(ctx, c.pacer, c.id)
	switch {
	case err != nil:
		return true, nil // the request was taken; that it cannot be looked at does not undo it
	case !ok:
		return false, nil
	}
	c.cmd = cmd
	if cmd.State == Cancelled {
		c.cmd.State, c.cmd.Detail = Cancelling, "Cancelling"
	}
	return true, nil
}
