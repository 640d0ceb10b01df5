package grid

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Row is a row of a list and where it comes from.
type Row[T any] struct {
	Place
	Value T
}

// MarshalJSON returns the object of the value with the fields of the place in
// front; a value that is no object is the field "value".
func (r Row[T]) MarshalJSON() ([]byte, error) {
	place, err := marshal(r.Place)
	if err != nil {
		return nil, err
	}
	value, err := marshal(r.Value)
	if err != nil {
		return nil, err
	}
	place = place[:len(place)-1] // its closing brace
	switch {
	case value[0] != '{':
		return append(append(append(place, `,"value":`...), value...), '}'), nil
	case len(value) == len("{}"):
		return append(place, '}'), nil
	}
	return append(append(place, ','), value[1:]...), nil
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// answer is what one scope had to say.
type answer[T any] struct {
	Place
	rows []T
	err  error
}

// Gather runs list in every cell, g.Parallel at a time, and yields the rows of
// each as soon as it has answered; most, if not 0, is how many rows of one cell
// are wanted. The failures of the grid come first; that of a cell, a *Failure, is
// yielded behind what rows it had. When the caller stops, so do the lists, and
// Gather returns when all of them have.
func Gather[T any](ctx context.Context, g *Grid, most int, list func(context.Context, Cell) (iter.Seq2[T, error], error)) iter.Seq2[Row[T], error] {
	return func(yield func(Row[T], error) bool) {
		for _, f := range g.Failures {
			if !yield(Row[T]{Place: f.Place}, &f) {
				return
			}
		}
		ctx, cancel := context.WithCancel(ctx)
		answers := make(chan answer[T])
		var group wait.Group
		group.Go(func() {
			defer close(answers)
			each(len(g.Cells), g.Parallel, func(i int) {
				a := ask(ctx, g.Cells[i], most, list)
				select {
				case answers <- a:
				case <-ctx.Done():
				}
			})
		})
		defer group.Wait()
		defer cancel()
		for a := range answers {
			for _, v := range a.rows {
				if !yield(Row[T]{a.Place, v}, nil) {
					return
				}
			}
			if a.err != nil && !yield(Row[T]{Place: a.Place}, &Failure{a.Place, a.err}) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Row[T]{}, err)
		}
	}
}

func ask[T any](ctx context.Context, c Cell, most int, list func(context.Context, Cell) (iter.Seq2[T, error], error)) answer[T] {
	a := answer[T]{Place: c.Place}
	if a.err = ctx.Err(); a.err != nil {
		return a
	}
	seq, err := list(ctx, c)
	if err != nil {
		a.err = err
		return a
	}
	for v, err := range seq {
		if err != nil {
			a.err = err
			break
		}
		a.rows = append(a.rows, v)
		if len(a.rows) == most {
			break
		}
	}
	return a
}
