package run

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// A command that was just sent is not known to the whole service at once. One
// that somebody names is therefore asked for again for a while, some 8 times,
// before it is called unknown.
const (
	visibleWithin = 5 * time.Second
	firstLook     = 250 * time.Millisecond // pause before the second look; doubled
	slowestLook   = time.Second
)

// idPattern: the API model says 36 characters; the service gives out UUIDs.
var idPattern = pattern.Lazy(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// checkID refuses what cannot be the id of a command: nothing is gained by
// waiting for it to become visible.
func checkID(id string) error {
	if idPattern().MatchString(id) {
		return nil
	}
	return fault.Usagef("%q is not the id of a command: such ids look like 01234567-89ab-cdef-0123-456789abcdef", id).
		WithHint("see `ssmdeck command list`")
}

// await repeats look until it has seen the command, fails, or has had the time
// in which the command must have become visible. The error is that of look, or
// that of ctx.
func await(ctx context.Context, look func() (seen bool, err error)) (seen bool, err error) {
	began := time.Now()
	for pause := firstLook; ; pause = min(pause*2, slowestLook) {
		if seen, err = look(); seen || err != nil {
			return seen, err
		}
		left := visibleWithin - time.Since(began)
		if left <= 0 {
			return false, nil
		}
		if err := wait.Sleep(ctx, min(wait.Jitter(pause), left)); err != nil {
			return false, err
		}
	}
}

// lookup reads a command by its id, once it is listed.
func (s *Service) lookup(ctx context.Context, p *pacer, id string) (Command, error) {
	var cmd Command
	op := "read command " + id
	seen, err := await(ctx, func() (seen bool, err error) {
		cmd, seen, err = s.listed(ctx, p, id)
		return seen, err
	})
	switch {
	case err != nil:
		return Command{}, awsapi.Explain(op, err)
	case !seen:
		return Command{}, unknown(op)
	}
	return cmd, nil
}

// listed reads a command once, and reports whether the service lists it.
func (s *Service) listed(ctx context.Context, p *pacer, id string) (cmd Command, ok bool, err error) {
	if err := p.wait(ctx); err != nil {
		return Command{}, false, err
	}
	out, err := s.api.ListCommands(ctx, &ssm.ListCommandsInput{CommandId: aws.String(id)})
	if err != nil {
		if weigh(err) == isNotYet {
			err = nil
		}
		return Command{}, false, err
	}
	for _, c := range out.Commands {
		if aws.ToString(c.CommandId) == id {
			return commandOf(c), true, nil
		}
	}
	return Command{}, false, nil
}

func unknown(op string) error {
	return fault.New(fault.NotFound, op, "no such command in this account and region").
		WithHint("see `ssmdeck command list`; the service forgets commands after 30 days")
}

// IsCommandID reports whether s has the form of a command's id.
func IsCommandID(s string) bool { return idPattern().MatchString(s) }
