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
	if err := checkID(id); err != nil {
		return Command{}, err
	}
	c := canceller{service: s, pacer: newPacer(), id: id, batches: [][]string{nil}}
	if len(nodes) > 0 {
		c.batches = slices.Collect(slices.Chunk(nodes, maxIDs))
	}
	op := "cancel command " + id
	seen, err := await(ctx, func() (bool, error) { return c.attempt(ctx, op) })
	if err == nil && !seen {
		err = unknown(op)
	}
	if err == nil {
		return c.cmd, nil
	}
	// Of a command that has ended there may be nothing left to cancel.
	if c.accepted == 0 && fault.KindOf(err) == fault.NotFound {
		if cmd, ok, readErr := s.listed(ctx, c.pacer, id); readErr == nil && ok && cmd.State.Final() {
			return cmd, nil
		}
	}
	return c.cmd, awsapi.Explain(op, err)
}

// A canceller is one Cancel on its way.
type canceller struct {
	service  *Service
	pacer    *pacer
	id       string
	batches  [][]string // of node ids
	accepted int        // requests, over all attempts
	cmd      Command
}

// attempt asks once for every batch, and reports whether the service is known
// to know the command. Asking twice does no harm.
func (c *canceller) attempt(ctx context.Context, op string) (seen bool, err error) {
	c.cmd = Command{ID: c.id, State: Cancelling}
	for i, batch := range c.batches {
		if err := c.pacer.wait(ctx); err != nil {
			return false, err
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
