package awsapi

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Pages lists what an operation answers in pages, asking for a page when the one
// before is used up. page gets the token of a page, nil for the first, and returns
// what is on it and the token of the next; item makes of it what is listed. An
// error, explained as one of op, is the last element.
func Pages[In, Out any](op string, page func(token *string) ([]In, *string, error), item func(In) Out) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		var none Out
		var token *string
		for {
			items, next, err := page(token)
			if err != nil {
				yield(none, Explain(op, err))
				return
			}
			for _, it := range items {
				if !yield(item(it), nil) {
					return
				}
			}
			switch aws.ToString(next) {
			case "":
				return
			case aws.ToString(token):
				yield(none, fault.New(fault.Failed, op, "the service gave the same page twice: the list is not complete"))
				return
			}
			token = next
		}
	}
}

// Collect returns all elements of a list, or those before its error and the error.
func Collect[T any](list iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range list {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}
