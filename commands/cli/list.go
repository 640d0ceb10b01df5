package cli

import (
	"iter"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

// WriteSeq prints a list as it comes.
func WriteSeq[T any](env *Env, table func(render.Options) render.Table[T], o render.Options, rows iter.Seq2[T, error]) error {
	return table(o).Write(env.Out, o, rows)
}

// WriteList prints a list that is there.
func WriteList[T any](env *Env, table func(render.Options) render.Table[T], o render.Options, rows []T) error {
	return WriteSeq(env, table, o, Each(rows))
}

// Each yields rows that are there.
func Each[T any](rows []T) iter.Seq2[T, error] { return WithPartial(rows, nil) }

// WithPartial yields rows, and behind them why they are not all.
func WithPartial[T any](rows []T, partial error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
		if partial != nil {
			var none T
			yield(none, partial)
		}
	}
}

// ListOptions are the options of a list, held against its table before any call.
func ListOptions[T any](env *Env, table func(render.Options) render.Table[T]) (render.Options, error) {
	ro, err := env.RenderOptions()
	if err != nil {
		return ro, err
	}
	return ro, table(ro).Check(ro)
}

// AgoColumn is a column of moments: how long ago for people, and in order.
func AgoColumn[T any](o render.Options, name string, at func(T) time.Time) render.Column[T] {
	return render.Column[T]{
		Name: name, Text: func(v T) string { return render.Timestamp(at(v)) },
		Human: func(v T) string { return render.Ago(o.Now, at(v)) },
		Less:  func(a, b T) bool { return at(a).Before(at(b)) },
	}
}
