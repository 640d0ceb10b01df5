package run

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Invocations yields how a command stands on each of its nodes, without what they
// wrote: 50 in a call. It ends after the first error.
func (s *Service) Invocations(ctx context.Context, id string) iter.Seq2[Invocation, error] {
	return func(yield func(Invocation, error) bool) {
		if err := checkID(id); err != nil {
			yield(Invocation{}, err)
			return
		}
		list := awsapi.Pages("read command "+id, func(token *string) ([]types.CommandInvocation, *string, error) {
			out, err := s.api.ListCommandInvocations(ctx, &ssm.ListCommandInvocationsInput{
				CommandId: aws.String(id), Details: true, MaxResults: aws.Int32(pageSize), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return out.CommandInvocations, out.NextToken, nil
		}, func(inv types.CommandInvocation) Invocation { return invocationOf(id, inv) })
		for inv, err := range list {
			if !yield(inv, err) {
				return
			}
		}
	}
}
