package parameter

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// readers is how many reads of values are under way: enough for the service's rates at
// the time of an answer of 100 ms, under the pace that the reads share.
const readers = 32

// Read lists the parameters of a query with their values, in no order. Values of
// SecureStrings are read only with decrypt. A parameter that was removed between the
// look at names and that at values is left out. An error is the last element: what
// came before it is not all.
//
// The names come from DescribeParameters, 50 a page, and values from GetParameters as
// soon as ten names are known, many calls side by side: a walk of GetParametersByPath
// gets ten values a page, and no page before the last one has come. Of a path, the walk
// is what is left to who may do nothing else, and the quickest way to ten values.
func (s *Service) Read(ctx context.Context, q Query, decrypt bool) iter.Seq2[Parameter, error] {
	return func(yield func(Parameter, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		r := &reading{s: s, q: q, decrypt: decrypt, seen: map[string]bool{}, yield: yield}
		if err := r.run(ctx); err != nil && !r.stopped {
			yield(Parameter{}, err)
		}
	}
}

// reading is one Read.
type reading struct {
	s       *Service
	q       Query
	decrypt bool

	seen    map[string]bool // what has been given to yield
	yield   func(Parameter, error) bool
	stopped bool // yield wants no more
}

// give passes a parameter on, once, and reports whether more is wanted.
func (r *reading) give(p Parameter) bool {
	if r.stopped {
		return false
	}
	if !r.seen[p.Name] {
		r.seen[p.Name] = true
		r.stopped = !r.yield(p, nil)
	}
	return !r.stopped
}

func (r *reading) run(ctx context.Context) error {
	byPath := r.q.isPath()
	if byPath && r.q.ValuesOnly {
		next, err := r.walkPage(ctx, nil)
		if denied(err) {
			byPath = false // the other way may be open
		} else if err != nil || aws.ToString(next) == "" || r.stopped {
			return err
		}
	}
	err := r.sweep(ctx)
	if byPath && denied(err) {
		if walked := r.walk(ctx); walked == nil || !denied(walked) {
			return walked
		}
	}
	return err
}

// isPath reports whether a walk of the path finds what the query asks for.
func (q Query) isPath() bool {
	plain := Query{Path: q.Path, OneLevel: q.OneLevel, ValuesOnly: q.ValuesOnly}
	return q.Path != "" && len(q.filters()) == len(plain.filters()) && !q.Shared
}

func denied(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == fault.Auth && f.Code != ""
}

// walk reads the path page by page.
func (r *reading) walk(ctx context.Context) error {
	var token *string
	for {
		next, err := r.walkPage(ctx, token)
		switch {
		case err != nil || r.stopped || aws.ToString(next) == "":
			return err
		case aws.ToString(next) == aws.ToString(token):
			return fault.New(fault.Failed, "read parameters below "+r.q.Path, "the service gave the same page twice: the list is not complete")
		}
		token = next
	}
}

func (r *reading) walkPage(ctx context.Context, token *string) (next *string, err error) {
	out, err := r.s.api.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{
		Path: &r.q.Path, Recursive: aws.Bool(!r.q.OneLevel), WithDecryption: &r.decrypt, MaxResults: aws.Int32(byPathPage), NextToken: token,
	})
	if err != nil {
		return nil, awsapi.Explain("read parameters below "+r.q.Path, err)
	}
	for _, p := range out.Parameters {
		if !r.give(valueOf(p, r.decrypt)) {
			break
		}
	}
	return out.NextToken, nil
}

// sweep looks at names in one goroutine, reads values in several, and gives them on.
func (r *reading) sweep(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	broken := func() { cancel(nil) }
	group := wait.Group{Broken: broken}
	defer group.Wait()
	defer cancel(nil)

	batches, results := make(chan []Parameter), make(chan []Parameter, readers)
	group.Go(func() {
		defer close(results)
		workers := wait.Group{Broken: broken}
		defer workers.Wait()
		defer close(batches)
		started := 0
		err := r.names(ctx, func(batch []Parameter) bool {
			if started < readers {
				select {
				case batches <- batch: // somebody has time
					return true
				default:
				}
				started++
				workers.Go(func() { r.values(ctx, cancel, batches, results) })
			}
			select {
			case batches <- batch:
				return true
			case <-ctx.Done():
				return false
			}
		})
		if err != nil {
			cancel(err)
		}
	})
	for found := range results {
		for _, p := range found {
			if !r.give(p) {
				return nil
			}
		}
	}
	return context.Cause(ctx)
}

// names lists the parameters of the query in batches of one call, without those that
// have been given on.
func (r *reading) names(ctx context.Context, send func([]Parameter) bool) error {
	known := maps.Clone(r.seen) // by a page of a walk; nobody writes to seen before the first batch
	batch := make([]Parameter, 0, namesACall)
	for p, err := range r.s.List(ctx, r.q) {
		if err != nil {
			return err
		}
		if known[p.Name] { // a list that is changed meanwhile may repeat itself, too
			continue
		}
		known[p.Name] = true
		if batch = append(batch, p); len(batch) == namesACall {
			if !send(batch) {
				return nil
			}
			batch = make([]Parameter, 0, namesACall)
		}
	}
	if len(batch) > 0 {
		send(batch)
	}
	return nil
}

// values reads the values of batches until there are no more.
func (r *reading) values(ctx context.Context, fail context.CancelCauseFunc, batches <-chan []Parameter, results chan<- []Parameter) {
	for batch := range batches {
		names := make([]string, len(batch))
		for i, p := range batch {
			names[i] = p.ARN // of a shared parameter only that is its name here
			if !r.q.Shared {
				names[i] = p.Name
			}
		}
		got, _, err := r.s.values(ctx, names, r.decrypt)
		if err != nil {
			fail(err)
			continue // the other batches are taken, so that nobody waits
		}
		for i, p := range batch {
			if v, ok := got[names[i]]; ok {
				batch[i] = p.with(v)
			} else {
				batch[i].Name = ""
			}
		}
		select {
		case results <- slices.DeleteFunc(batch, func(p Parameter) bool { return p.Name == "" }):
		case <-ctx.Done():
		}
	}
}
