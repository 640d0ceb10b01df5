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

// Unique leaves out what a list has had before: a service that pages through something
// that changes meanwhile may give the same thing twice. key is what things are known by;
// those without are all there.
func Unique[T any](list iter.Seq2[T, error], key func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		seen := map[string]bool{}
		for v, err := range list {
			if err == nil {
				if k := key(v); k != "" {
					if seen[k] {
						continue
					}
					seen[k] = true
				}
			}
			if !yield(v, err) {
				return
			}
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
